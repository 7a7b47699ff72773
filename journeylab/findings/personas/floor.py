"""Is enough known of the customers to speak of personas, and do the personas say more than one column does?"""

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from journeylab.base.ordering import largest_of_rows
from journeylab.base.words import counted
from journeylab.events.features import Features
from journeylab.events.features.entry import ENTRY_CHANNEL, ENTRY_MONTH

MIN_EVENTS, SAME_GROUPS = 5, 0.8
_N_BINS, _MIN_LEVEL = 10, 5
_NAMES = {
    ENTRY_CHANNEL: ("channels", "the entry channel"),
    ENTRY_MONTH: ("months of entry", "the month of entry"),
}


def find_floor(features: Features, labels: np.ndarray, *, days: float) -> str | None:
    """Why the groups `labels` (customers,) are not personas, as a sentence; None where they may be.

    Either half of the customers have fewer than five events of their own by day `days`, or one attribute, the entry
    channel or the entry month tells nearly the same groups: with each of its values taken for the group most frequent
    among it, the adjusted Rand index is above .8.
    """
    events = features.numbers["events"].to_numpy(dtype=float)
    median = float(np.median(events))
    if median < MIN_EVENTS:
        return (
            f"Too little is known by day {days:g}: half of the {len(events):,} customers judged have at most "
            f"{counted(int(median), 'event')} of their own by then, and {MIN_EVENTS} are needed."
        )
    if labels.max(initial=0) == 0:
        return None
    agreements = {name: _agreement(_column(features, name), labels) for name in features.attributes}
    same = max(agreements, key=lambda name: round(agreements[name], 9), default=None)
    if same is None or agreements[same] <= SAME_GROUPS:
        return None
    groups, column = _NAMES.get(same, (f"values of “{same}”", f"“{same}”"))
    return (
        f"These are {groups}, not personas: {column} alone tells nearly the same groups (adjusted Rand index "
        f"{agreements[same]:.2f} of 1)."
    )


def _column(features: Features, name: str) -> pd.Series:
    if name in features.numbers:
        return pd.qcut(features.numbers[name], _N_BINS, duplicates="drop", labels=False)
    return features.categories[name]


def _agreement(column: pd.Series, labels: np.ndarray) -> float:
    """The adjusted Rand index of `labels` with the groups that `column` tells; rare values tell none of their own."""
    levels = pd.factorize(column)[0]
    n = np.bincount(levels + 1)[1:]
    rare = n < _MIN_LEVEL
    known = np.flatnonzero(levels >= 0)
    if not len(known):
        return 0.0
    pooled = np.append(np.where(rare, len(n), np.arange(len(n))), len(n) + 1)[levels]
    table = np.zeros((len(n) + 2, int(labels.max()) + 1))
    np.add.at(table, (pooled, labels), 1)
    return float(adjusted_rand_score(labels, largest_of_rows(table)[pooled]))
