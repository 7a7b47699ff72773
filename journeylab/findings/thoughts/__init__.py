"""Thoughts: what do customers say in their own words, stage by stage?"""

from journeylab.findings.thoughts.estimate import find_thoughts
from journeylab.findings.thoughts.thoughts import Thoughts

__all__ = ["Thoughts", "find_thoughts"]
