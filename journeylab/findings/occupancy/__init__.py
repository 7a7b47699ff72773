"""Occupancy: where are customers, so many days after they entered the journey?"""

from journeylab.findings.occupancy.occupancy import Occupancy, estimate_occupancy

__all__ = ["Occupancy", "estimate_occupancy"]
