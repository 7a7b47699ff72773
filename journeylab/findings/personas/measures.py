"""Measures: what can be told of a customer in one number, and how is a bound on it said in words?"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from journeylab.events.features import Features

NUMBER, SHARE, LEVEL = "number", "share", "level"
NEXT = "next after"
# Numbers of which one has more or fewer; of all others one has higher or lower.
COUNTED = (
    "events",
    "people involved",
    "roles in play",
    "days between events",
    "active days",
    "company-initiated events",
)
_RARE = 0.01
_LABELS = {
    "events": "events",
    "contacts": "people involved",
    "roles_in_play": "roles in play",
    "typical_gap_days": "days between events",
    "active_days": "active days",
    "longest_gap_days": "longest gap in days",
    "out_of_hours_share": "share of events out of hours",
    "company_events": "company-initiated events",
    "score": "survey score",
    "value": "value",
}
# Numbers that say in other words what the counts of this name say, where these are there.
_SAID_BY = {"out_of_hours_share": "hours"}
# What events have a share of, by what divides them; “{}” is the part.
_OF = {
    "event": "events are “{}”",
    "channel": "events by “{}”",
    "process": "events in “{}”",
    "initiator": "events initiated by “{}”",
    "hours": "events in “{}”",
    "role": "people in the role “{}”",
}


@dataclass(frozen=True, eq=False)
class Measured:
    """One number of each customer.

    feature: its name, as “events”, “channel: chat”, “next after sales: service” or “plan: basic”. family: what it is
    one of. kind: `number`, `share` (of a customer's counts) or `level` (1 or 0). amounts: (customers,), missing nan.
    """

    feature: str
    family: str
    kind: str
    amounts: np.ndarray


def find_measures(features: Features, rows: np.ndarray) -> Iterator[Measured]:
    """The measures of the customers `rows` (positions in `features.customers`); parts, and levels, that fewer than 1%
    have are left out, and so is what would say again what another measure says."""
    counted = {each.name for each in features.counts}
    for name, column in features.numbers.items():
        if _SAID_BY.get(name) not in counted:
            yield Measured(_LABELS.get(name, name), name, NUMBER, column.to_numpy(dtype=float)[rows])
    for name, column in features.categories.items():
        levels = column.iloc[rows]
        known = levels.notna().to_numpy()
        shares = levels.value_counts(normalize=True)
        for level in sorted(shares.index[shares >= _RARE]):
            yield Measured(f"{name}: {level}", name, LEVEL, np.where(known, (levels == level).to_numpy(), np.nan))
    n = len(features.customers)
    for each in features.counts:
        # Groups are processes or events; kinds and channels within a group are in the counts of all events too.
        if each.name == "group" or (each.given and not each.name.startswith(NEXT)):
            continue
        total = np.bincount(each.rows, weights=each.counts, minlength=n)[rows]
        for place, what in enumerate(each.names):
            here = each.columns == place
            if here.sum() >= _RARE * n and what not in features.milestones:
                count = np.bincount(each.rows[here], weights=each.counts[here], minlength=n)[rows]
                share = np.divide(count, total, out=np.full(len(rows), np.nan), where=total > 0)
                yield Measured(f"{each.name}: {what}", NEXT if each.given else each.name, SHARE, share)


def part_of(feature: str) -> str:
    """What a share or a level is of: “chat” of “channel: chat”."""
    return feature.split(": ", 1)[1]


def bound_in_words(measured: Measured, bound: float, *, is_above: bool) -> str:
    """That `measured` is at least `bound`, or less: “at least 6 events”, “less than 40% of events by “chat””.

    A share above or below 0 is having any, or none: “some events by “chat””.
    """
    feature, name = measured.feature, measured.feature.split(": ", 1)[0]
    if measured.kind == LEVEL:
        return f"{name} “{part_of(feature)}”" if is_above else f"{name} other than “{part_of(feature)}”"
    if measured.kind == NUMBER:
        if feature in COUNTED:
            return f"{'at least' if is_above else 'fewer than'} {bound:,g} {feature}"
        return f"{feature} {'of at least' if is_above else 'below'} {bound:,g}"
    if measured.family == NEXT:
        origin = f"moves from “{name.removeprefix(NEXT).strip()}”"
        if bound:
            return f"{_share(bound, is_above)} of {origin} go to “{part_of(feature)}”"
        return f"{_any(is_above)} {origin} to “{part_of(feature)}”"
    if bound:
        return f"{_share(bound, is_above)} of {_OF.get(name, f'{name} “{{}}”').format(part_of(feature))}"
    return f"{_any(is_above)} {_OF.get(name, f'{name} “{{}}”').format(part_of(feature)).replace(' are ', ' ')}"


def _share(bound: float, is_above: bool) -> str:
    return f"{'at least' if is_above else 'less than'} {bound:.0%}"


def _any(is_above: bool) -> str:
    return "some" if is_above else "no"


def generated_name(apart: pd.DataFrame) -> str:
    """A neutral name from what sets a persona apart most, of two families of features: “More chat, fewer events”."""
    if apart.empty:
        return "Like the others"
    first = apart.drop_duplicates("family").head(2)
    name = ", ".join(_part(row) for row in first.itertuples()).replace("_", " ")
    return name[0].upper() + name[1:]


def _part(row) -> str:
    """One feature in words, as “less chat”, “fewer events”, “more often plan basic”."""
    what, is_more = str(row.feature), row.delta > 0
    if row.kind == LEVEL:
        return f"{'more' if is_more else 'less'} often {what.replace(': ', ' ')}"
    if row.kind == NUMBER:
        more, less = ("more", "fewer") if what in COUNTED else ("higher", "lower")
        return f"{more if is_more else less} {what}"
    family, cell = what.split(": ", 1)[0], part_of(what)
    told = f"{cell} after {family.removeprefix(NEXT).strip()}" if family.startswith(NEXT) else cell
    return f"{'more' if is_more else 'less'} {told}"
