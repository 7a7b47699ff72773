"""Feelings: what scores do customers give, stage by stage, and who was asked?"""

from journeylab.findings.feelings.estimate import estimate_feelings
from journeylab.findings.feelings.feelings import Feelings

__all__ = ["Feelings", "estimate_feelings"]
