"""Variants: by which sequence of stages did customers go, how did it end, and how many took the same?"""

from collections.abc import Collection

import numpy as np
import pandas as pd

from journeylab.base.durations import DAY
from journeylab.base.errors import EstimateError
from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.words import counted
from journeylab.estimators.intervals import wilson
from journeylab.events.queries.paths import ONGOING, Paths, Ways, find_ways

COLUMNS = {
    **dict.fromkeys(("group", "way", "ended"), object),
    **dict.fromkeys(("variants", "customers", "n"), int),
    **dict.fromkeys(("estimate", "lower", "upper", "median_days"), float),
}


def variant_rows(paths: Paths, completing: Collection[str], *, most: int, loops: str, confidence: float) -> list[dict]:
    """A row for each of the `most` frequent variants of at least five customers, then one for all others together."""
    if most < 1:
        raise EstimateError(f"{most} variants were asked for. Ask for 1 or more.")
    ways = find_ways(paths, loops=loops)
    base = np.flatnonzero(paths.is_from_start)
    found, variant, customers = np.unique(ways.way[base], return_inverse=True, return_counts=True)
    if not len(base):
        return []
    order = np.argsort(-customers, kind="stable")
    n_kept = how_many_to_name(customers[order], most)
    place = np.empty(len(found), np.int64)
    place[order] = np.minimum(np.arange(len(found)), n_kept)
    place = place[variant]
    n_rows = n_kept + (n_kept < len(found))
    n_customers = np.bincount(place, minlength=n_rows)
    lower, upper = wilson(n_customers, len(base), confidence=confidence)
    days = pd.Series((paths.ended - paths.watched)[base] / DAY).groupby(place).median()
    rows = []
    for row in range(n_rows):
        is_named = row < n_kept
        way, ended = _words(paths, ways, found[order[row]], completing) if is_named else _others(len(found), n_kept)
        rows.append(
            {
                "group": paths.group,
                "way": way,
                "ended": ended,
                "variants": 1 if is_named else len(found) - n_kept,
                "customers": n_customers[row],
                "n": len(base),
                "estimate": n_customers[row] / len(base),
                "lower": lower[row],
                "upper": upper[row],
                "median_days": days[row],
            }
        )
    return rows


def how_many_to_name(counts: np.ndarray, most: int) -> int:
    """How many of `counts`, descending, get a row of their own: at most `most`, none of fewer than five, and so that
    the others together are five or more, or none at all; else the one row could be told from the rest."""
    n_kept = min(most, int((counts >= MIN_SHOWN).sum()))
    while 0 < counts[n_kept:].sum() < MIN_SHOWN and n_kept:
        n_kept -= 1
    return n_kept


def _words(paths: Paths, ways: Ways, way: int, completing: Collection[str]) -> tuple[str, str]:
    """The way as the names of its stages, and how it ended."""
    *steps, end = (paths.places[step] for step in ways.steps(way))
    told = " → ".join(f"lost ({step})" if step in paths.branches else step for step in steps)
    if end != ONGOING:
        return told, f"lost to {end}"
    return told, "completed" if steps[-1] in completing else ONGOING


def _others(n_found: int, n_kept: int) -> tuple[str, str]:
    return counted(n_found - n_kept, "other variant" if n_kept else "variant"), "various"
