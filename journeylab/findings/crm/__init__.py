"""CRM check: does the CRM say of customers what they do, how late does it learn of it, and whom has it wrong?"""

from journeylab.findings.crm.crm_comparison import CrmComparison, compare_crm

__all__ = ["CrmComparison", "compare_crm"]
