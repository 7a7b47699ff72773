"""What customers feel and say, stage by stage: asked scores, own words with their themes, and machine-read tone."""

from journeylab.findings.feelings.asking import estimate_feelings
from journeylab.findings.feelings.feelings import Feelings
from journeylab.findings.feelings.listening import find_thoughts
from journeylab.findings.feelings.sentiment import Sentiment, estimate_sentiment
from journeylab.findings.feelings.thoughts import Thoughts

__all__ = ["Feelings", "Sentiment", "Thoughts", "estimate_feelings", "estimate_sentiment", "find_thoughts"]
