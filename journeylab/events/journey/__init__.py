"""The journey: its stages, triggers, validations and loss branches, as journey.yml says."""

from journeylab.events.journey.journey import (
    SILENT,
    Bounds,
    Condition,
    Journey,
    LossBranch,
    Stage,
    ValidationRule,
    journey_schema,
    read_journey,
)

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
