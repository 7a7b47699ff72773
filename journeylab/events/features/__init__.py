"""Features: what did each customer do within a time from entering the journey?

Every feature is known at the customer's *landmark*, entry + `within`: a row at or after it raises. What depends on how
long a customer stayed, or on when they were last seen, is not a feature.
"""

from journeylab.events.features.features import ARROW, STAGE_PATH, Features, apply_plan, find_features
from journeylab.events.features.habits import Habits
from journeylab.events.features.plan import FeaturePlan, Vocabulary, unseen_table
from journeylab.events.features.protected import PROTECTED, is_protected

__all__ = [
    "ARROW",
    "PROTECTED",
    "STAGE_PATH",
    "FeaturePlan",
    "Features",
    "Habits",
    "Vocabulary",
    "apply_plan",
    "find_features",
    "is_protected",
    "unseen_table",
]
