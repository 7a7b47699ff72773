"""Comparison: do groups of customers differ in how long they stay in a stage, and in how they leave it?"""

from journeylab.findings.comparison.comparison import Comparison, compare_groups

__all__ = ["Comparison", "compare_groups"]
