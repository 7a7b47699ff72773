"""Survival: how long do customers stay in each stage, and when do they leave it by each exit?"""

from journeylab.findings.survival.estimate import estimate_survival
from journeylab.findings.survival.extrapolation import Extrapolation
from journeylab.findings.survival.survival import Survival

__all__ = ["Extrapolation", "Survival", "estimate_survival"]
