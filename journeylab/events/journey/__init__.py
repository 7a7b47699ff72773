"""The journey: its stages, triggers, validations and loss branches, as journey.yml says."""

from journeylab.events.journey.conditions import Bounds, Condition, ValidationRule
from journeylab.events.journey.contradictions import SILENT
from journeylab.events.journey.journey import Journey, LossBranch, Stage, journey_schema, read_journey

__all__ = [
    "SILENT",
    "Bounds",
    "Condition",
    "Journey",
    "LossBranch",
    "Stage",
    "ValidationRule",
    "journey_schema",
    "read_journey",
]
