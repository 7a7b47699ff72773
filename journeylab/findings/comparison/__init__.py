"""Comparison: do groups of customers differ in how long they stay in a stage, and in how they leave it?"""

from journeylab.findings.comparison.comparison import Comparison
from journeylab.findings.comparison.estimate import compare_groups

__all__ = ["Comparison", "compare_groups"]
