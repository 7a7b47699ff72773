"""Survival: how long do customers stay in each stage, and when do they leave it, and how?"""

from journeylab.findings.survival.estimate import estimate_survival
from journeylab.findings.survival.survival import Survival

__all__ = ["Survival", "estimate_survival"]
