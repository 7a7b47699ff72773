"""Drop-off: of those who enter a stage, how many are lost there, how soon, and by which branch?"""

from journeylab.findings.dropoff.dropoff import DropOff
from journeylab.findings.dropoff.estimate import estimate_dropoff

__all__ = ["DropOff", "estimate_dropoff"]
