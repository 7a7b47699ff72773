"""Paths: which ways do customers take through the stages, how many by each, and how do the ways end?"""

from journeylab.findings.paths.estimate import estimate_flow
from journeylab.findings.paths.flow import Flow

__all__ = ["Flow", "estimate_flow"]
