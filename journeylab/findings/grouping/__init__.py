"""Whose visits are asked about, by which groups, and do the groups look computed from the future?"""

from journeylab.findings.grouping.attributes import future_of_attribute, lint_attributes
from journeylab.findings.grouping.foresight import future_in_exits, future_in_words
from journeylab.findings.grouping.grouping import (
    By,
    Grouping,
    WatchedVisits,
    Where,
    attribute_names,
    known_at_column,
    select,
    watched,
    why_nobody,
)

__all__ = [
    "By",
    "Grouping",
    "WatchedVisits",
    "Where",
    "attribute_names",
    "future_in_exits",
    "future_in_words",
    "future_of_attribute",
    "known_at_column",
    "lint_attributes",
    "select",
    "watched",
    "why_nobody",
]
