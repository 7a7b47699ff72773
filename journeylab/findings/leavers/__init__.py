"""What leavers did before and after, against those who stayed as long."""

from journeylab.findings.leavers.estimate import compare_leavers
from journeylab.findings.leavers.leavers import Leavers

__all__ = ["Leavers", "compare_leavers"]
