"""Occupancy: where are customers, so many days after they entered the journey?"""

from journeylab.findings.occupancy.estimate import estimate_occupancy
from journeylab.findings.occupancy.occupancy import Occupancy

__all__ = ["Occupancy", "estimate_occupancy"]
