"""Hazards: what goes with leaving a stage by one way sooner or later?"""

from journeylab.findings.hazards.estimate import fit_hazards
from journeylab.findings.hazards.hazards import Hazards

__all__ = ["Hazards", "fit_hazards"]
