"""Features: what did each customer do within a time from entering the journey?

Every feature is known at the customer's *landmark*, entry + `within`: a row at or after it raises. What depends on how
long a customer stayed, or on when they were last seen, is not a feature.
"""

from journeylab.events.features.attributes import check_known_by_landmark, tells_only_the_future
from journeylab.events.features.counts import Counts
from journeylab.events.features.features import Features, apply_plan, find_features
from journeylab.events.features.habits import Habits
from journeylab.events.features.plan import FeaturePlan, Vocabulary, unseen_table

__all__ = [
    "Counts",
    "FeaturePlan",
    "Features",
    "Habits",
    "Vocabulary",
    "apply_plan",
    "check_known_by_landmark",
    "find_features",
    "tells_only_the_future",
    "unseen_table",
]
