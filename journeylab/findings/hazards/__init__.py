"""Hazards: what goes with leaving a stage by one way sooner or later?"""

from journeylab.findings.hazards.hazards import Hazards, fit_hazards

__all__ = ["Hazards", "fit_hazards"]
