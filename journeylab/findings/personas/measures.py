"""Measures: which single numbers describe a customer, and how are they put in words: a bound, a name?"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

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
# Numbers that repeat the counts of this name, where there are such counts.
_REPEATS = {"out_of_hours_share": "hours"}
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
    """The measures of the customers `rows` (positions in `features.customers`), without parts and levels that fewer
    than 1% have, and without what only repeats another measure."""
    count_names = {counts.name for counts in features.counts}
    for name, column in features.numbers.items():
        if _REPEATS.get(name) not in count_names:
            yield Measured(_LABELS.get(name, name), name, NUMBER, column.to_numpy(dtype=float)[rows])
    for name, column in features.categories.items():
        levels = column.iloc[rows]
        known = levels.notna().to_numpy()
        shares = levels.value_counts(normalize=True)
        for level in sorted(shares.index[shares >= _RARE]):
            amounts = np.where(known, (levels == level).to_numpy(), np.nan)
            yield Measured(f"{name}: {level}", name, LEVEL, amounts)
    n = len(features.customers)
    for counts in features.counts:
        # Groups are processes or events; kinds and channels within a group are in the counts of all events too.
        if counts.name == "group" or (counts.given and not counts.name.startswith(NEXT)):
            continue
        total = np.bincount(counts.rows, weights=counts.counts, minlength=n)[rows]
        for column, part in enumerate(counts.names):
            is_part = counts.columns == column
            if is_part.sum() >= _RARE * n and part not in features.milestones:
                count = np.bincount(counts.rows[is_part], weights=counts.counts[is_part], minlength=n)[rows]
                share = np.divide(count, total, out=np.full(len(rows), np.nan), where=total > 0)
                yield Measured(f"{counts.name}: {part}", NEXT if counts.given else counts.name, SHARE, share)


def part_of(feature: str) -> str:
    """What a share or a level is of: “chat” of “channel: chat”."""
    return feature.split(": ", 1)[1]


def shown_part(feature: str) -> str:
    """What a share or a level is of, as people read it: “teammate joined” of “event: teammate_joined”."""
    return part_of(feature).replace("_", " ")


def bound_in_words(measured: Measured, bound: float, *, is_above: bool) -> str:
    """The condition that `measured` is at least `bound`, or less: “at least 6 events”, “less than 40% of events by
    “chat””. Above a bound of 0 is “some events by “chat””, below it “no events”."""
    feature, name = measured.feature, measured.feature.split(": ", 1)[0]
    if measured.kind == LEVEL:
        return f"{name} “{shown_part(feature)}”" if is_above else f"{name} other than “{shown_part(feature)}”"
    if measured.kind == NUMBER:
        if feature in COUNTED:
            return f"{'at least' if is_above else 'fewer than'} {bound:,g} {feature}"
        return f"{feature} {'of at least' if is_above else 'below'} {bound:,g}"
    share, none = ("at least", "some") if is_above else ("less than", "no")
    amount = f"{share} {bound:.0%} of" if bound else none
    if measured.family == NEXT:
        origin = f"moves from “{name.removeprefix(NEXT).strip().replace('_', ' ')}”"
        return f"{amount} {origin} {'go to' if bound else 'to'} “{shown_part(feature)}”"
    parts = _OF.get(name, f"{name} “{{}}”").format(shown_part(feature))
    return f"{amount} {parts if bound else parts.replace(' are ', ' ')}"
