"""Recovery: of those who are lost, how many come back, how soon, from where, and who was never away?"""

from journeylab.findings.recovery.estimate import estimate_recovery
from journeylab.findings.recovery.recovery import Recovery

__all__ = ["Recovery", "estimate_recovery"]
