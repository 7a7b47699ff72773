"""CRM comparison: does the CRM say of customers what they do, how late does it learn of it, and who is wrong in it?"""

from journeylab.findings.crm.crm_comparison import CrmComparison
from journeylab.findings.crm.estimate import compare_crm

__all__ = ["CrmComparison", "compare_crm"]
