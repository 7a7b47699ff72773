"""Attributes: which columns of the customers' table look computed from what customers did later?"""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from journeylab.events.features.attributes import Attributes
from journeylab.events.lint.remarks import Lint
from journeylab.events.spells import Spells
from journeylab.findings.grouping.foresight import FIX, future_in_words
from journeylab.findings.grouping.grouping import Grouping, attribute_names

RULE, RANGES = "attribute-knows-the-future", 4


def lint_attributes(spells: Spells) -> Lint:
    """Warnings on the attributes of customers that look computed from the future.

    Numbers are looked at by quarters of the customers; see `future_in_words`.
    """
    customers = spells.customers
    attributes = Attributes.of(customers[attribute_names(customers)], customers.index)
    rows = []
    for name in [*attributes.categories, *attributes.numbers]:
        problem = future_of_attribute(name, spells, attributes)
        if problem:
            rows.append(("warning", "customers’ table", problem.removesuffix(f" {FIX}"), FIX, RULE))
    return Lint.of_rows(rows)


def future_of_attribute(
    name: str, spells: Spells, attributes: Attributes, *, stages: Sequence[str] | None = None
) -> str | None:
    """A sentence, where the attribute `name` looks computed from the future; else None."""
    grouping = Grouping.of(name, spells)
    if name in attributes.numbers:
        ranges = pd.qcut(attributes.numbers[name].dropna(), RANGES, duplicates="drop")
        labels = ranges.map(lambda span: f"{span.left:g} to {span.right:g}").astype(object)
        grouping = replace(grouping, labels=labels)
    if not grouping.may_know_the_future:
        return None
    return future_in_words(name, grouping.apply(spells.to_pandas()), spells, stages=stages)
