"""Features: what did each customer do within a time from entering the journey?

Every feature is known at the customer's *landmark*, entry + `within`: a row at or after it raises. What depends on how
long a customer stayed, or on when they were last seen, is not a feature.
"""

from journeylab.events.features.attributes import check_known_by_landmark
from journeylab.events.features.behaviour import Counts, Features, find_features

__all__ = ["Counts", "Features", "check_known_by_landmark", "find_features"]
