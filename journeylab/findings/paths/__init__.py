"""Paths: which ways do customers take through the stages, how many by each, and how do the ways end?"""

from journeylab.findings.paths.flow import Flow, estimate_flow

__all__ = ["Flow", "estimate_flow"]
