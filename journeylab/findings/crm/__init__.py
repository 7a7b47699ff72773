"""CRM check: does the CRM say of customers what they do, how late does it learn of it, and whom has it wrong?"""

from journeylab.findings.crm.crm_check import CrmCheck, check_crm

__all__ = ["CrmCheck", "check_crm"]
