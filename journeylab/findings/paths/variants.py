"""Variants: by which sequence of stages did customers go, how did it end, and how many took the same?"""

from collections.abc import Collection

import numpy as np
import pandas as pd

from journeylab.base.durations import DAY
from journeylab.base.errors import EstimateError
from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.words import counted
from journeylab.events.queries.paths import ONGOING, Paths, Ways, find_ways
from journeylab.findings.rows import wilson_share

COLUMNS = "group way ended variants customers n estimate lower upper median_days"


def variant_rows(paths: Paths, completing: Collection[str], *, most: int, loops: str, confidence: float) -> list[dict]:
    """A row for each of the `most` frequent variants of at least five customers, then one for all others together."""
    if most < 1:
        raise EstimateError(f"{most} variants were asked for. Ask for 1 or more.")
    ways = find_ways(paths, loops=loops)
    base = np.flatnonzero(paths.is_from_start)
    if not len(base):
        return []
    taken, variant, customers = np.unique(ways.way[base], return_inverse=True, return_counts=True)
    order = np.argsort(-customers, kind="stable")
    n_named = how_many_to_name(customers[order], most)
    rank = np.empty(len(taken), np.int64)
    rank[order] = np.minimum(np.arange(len(taken)), n_named)
    days = pd.Series((paths.ended - paths.watched)[base] / DAY).groupby(rank[variant])
    medians, rows = days.median(), []
    for row, n_customers in days.size().items():
        is_named, n_others = row < n_named, len(taken) - n_named
        way, ended = counted(n_others, "other variant" if n_named else "variant"), "various"
        if is_named:
            way, ended = _words(paths, ways, taken[order[row]], completing)
        rows.append(
            {
                "group": paths.group,
                "way": way,
                "ended": ended,
                "variants": 1 if is_named else n_others,
                "customers": n_customers,
                "n": len(base),
                **wilson_share(n_customers, len(base), confidence=confidence),
                "median_days": medians[row],
            }
        )
    return rows


def how_many_to_name(counts: np.ndarray, most: int) -> int:
    """How many of `counts`, descending, get a row of their own: at most `most`, none of fewer than five, and so that
    the others together are five or more, or none at all; else the one row could be told from the rest."""
    n_named = min(most, int((counts >= MIN_SHOWN).sum()))
    while 0 < counts[n_named:].sum() < MIN_SHOWN and n_named:
        n_named -= 1
    return n_named


def _words(paths: Paths, ways: Ways, way: int, completing: Collection[str]) -> tuple[str, str]:
    """The way as the names of its stages, and how it ended."""
    *steps, end = (paths.places[step] for step in ways.steps(way))
    way_taken = " → ".join(f"lost ({step})" if step in paths.branches else step for step in steps)
    if end != ONGOING:
        return way_taken, f"lost to {end}"
    return way_taken, "completed" if steps[-1] in completing else ONGOING
