"""Occupancy: where are customers, so many days after they entered the journey?"""

from journeylab.findings.occupancy.estimate import estimate_occupancy
from journeylab.findings.occupancy.occupancy import Occupancy
from journeylab.findings.occupancy.river import River, estimate_river

__all__ = ["Occupancy", "River", "estimate_occupancy", "estimate_river"]
