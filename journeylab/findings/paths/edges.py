"""Edges: of the visits to a place, what share went on to each other one, after how long, and how sure is that?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from journeylab.estimators.intervals import probability_interval
from journeylab.events.queries.paths import ONGOING, Paths

BASE = {"n": int, "customers": int}
SHARES = {"moved": int, "movers": int, "estimate": float, "lower": float, "upper": float}
DAYS = {"median_days": float, "first_quartile_days": float, "third_quartile_days": float, "timed": int}
KINDS = ("forward", "skip", "back", "lost", ONGOING)
QUARTILES = (0.5, 0.25, 0.75)


@dataclass(frozen=True, eq=False)
class Edges:
    """Trips from bases to ends, one each: whose (`customer`), of what (`base`) and where to (`end`), codes from 0.

    days: float64 (trips,), how long each took; missing where that is not known from its beginning.
    """

    customer: np.ndarray
    base: np.ndarray
    end: np.ndarray
    days: np.ndarray
    n_ends: int

    def rows(self, *, confidence: float) -> pd.DataFrame:
        """A row for each base and end that occur together, in order of their codes.

        Columns: `base`, `end`; `n` trips of `customers` from the base; of these, `moved` by `movers` to the end;
        `estimate`, `lower`, `upper`: moved / n, with logit limits from a standard error clustered by customer, and
        Wilson's over the customers for a share of 1; missing where only one customer came. `median_days` and quartiles
        over the `timed` of those moved.

        The share is a ratio of means over customers, moved_i and n_i of customer i; its variance is that of the mean of
        moved_i - share n_i (Cochran 1977, Sampling Techniques, section 6.4).
        """
        pair, of_pair, n_trips = _counted(self.customer * (self.base.max(initial=0) + 1) + self.base)
        base = pair % (self.base.max(initial=0) + 1)
        cell, of_cell, n_moved = _counted(of_pair * self.n_ends + self.end)
        trips = n_trips[cell // self.n_ends]
        edge, of_edge, movers = _counted(base[cell // self.n_ends] * self.n_ends + cell % self.n_ends)
        moved, moved_moved, moved_trips = (
            np.bincount(of_edge, weights=each, minlength=len(edge))
            for each in (n_moved, n_moved.astype(float) ** 2, n_moved * trips)
        )
        bases = edge // self.n_ends
        n, customers, trips_trips = (
            np.bincount(base, weights=each, minlength=len(bases) and bases.max() + 1)[bases]
            for each in (n_trips, np.ones(len(pair)), n_trips.astype(float) ** 2)
        )
        share = moved / n
        squares = np.maximum(moved_moved - 2 * share * moved_trips + share**2 * trips_trips, 0.0)
        several = np.where(customers > 1, customers / np.maximum(customers - 1, 1), np.nan)
        error = np.sqrt(several * squares) / n
        lower, upper = probability_interval(share, error, scale="logit", confidence=confidence, n=customers)
        counts = {"n": n, "customers": customers, "moved": moved, "movers": movers}
        found = {"base": bases, "end": edge % self.n_ends, **{name: each.astype(int) for name, each in counts.items()}}
        found |= {"estimate": share, "lower": lower, "upper": upper}
        return pd.DataFrame(found | _quartiles(of_edge[of_cell], self.days, len(edge)))


def departures(paths: Paths) -> Edges:
    """Visits by stage, each with where it led; its days are those inside, of visits watched from their beginning."""
    days = np.where(paths.is_whole, paths.days, np.nan)
    return Edges(paths.customer, paths.stage, paths.target, days, len(paths.places))


def arrivals(paths: Paths) -> Edges:
    """Visits by stage, each with where it came from; its days are those away, of visits after a loss."""
    return Edges(paths.customer, paths.stage, paths.source, paths.away, len(paths.places))


def moves_by_kind(paths: Paths) -> Edges:
    """Visits by stage, each with what its end was (a position in `KINDS`)."""
    code = np.array([[KINDS.index(kind_of(*pair, paths)) for pair in row] for row in _pairs(paths)])
    days = np.where(paths.is_whole, paths.days, np.nan)
    return Edges(paths.customer, paths.stage, code[paths.stage, paths.target], days, len(KINDS))


def returns(paths: Paths) -> Edges:
    """Losses by branch, each with the stage that the customer came back to, or `ongoing`; its days are those away."""
    lost, stage = paths.returned_to
    away = np.append(paths.away, np.nan)[lost + 1]
    days = np.where(stage < len(paths.stages), away, np.nan)
    return Edges(paths.customer[lost], paths.target[lost], stage, days, len(paths.places))


def kind_of(origin: int, end: int, paths: Paths) -> str:
    """What going from the stage `origin` to the place `end` is: forward, skip, back, lost or ongoing."""
    if end >= len(paths.stages):
        return ONGOING if paths.places[end] == ONGOING else "lost"
    if end <= origin:
        return "back"
    return "forward" if end == origin + 1 else "skip"


def _pairs(paths: Paths) -> list[list[tuple[int, int]]]:
    return [[(origin, end) for end in range(len(paths.places))] for origin in range(len(paths.stages))]


def _counted(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct codes, ascending; the position of each code among them; how often each occurs."""
    return np.unique(codes, return_inverse=True, return_counts=True)


def _quartiles(edge: np.ndarray, days: np.ndarray, n_edges: int) -> dict[str, np.ndarray]:
    """Median and quartiles of the known `days` of each edge, as numpy.quantile has them, and how many are known."""
    known = ~np.isnan(days)
    edge, days = edge[known], days[known]
    days = days[np.lexsort((days, edge))]
    timed = np.bincount(edge, minlength=n_edges)
    begins, is_timed = np.cumsum(timed) - timed, timed > 0
    found = {}
    for name, share in zip(DAYS, QUARTILES, strict=False):
        place = share * np.maximum(timed - 1, 0)
        below = np.floor(place).astype(int)
        low, high = ((begins + np.minimum(below + step, timed - 1))[is_timed] for step in (0, 1))
        found[name] = np.full(n_edges, np.nan)
        found[name][is_timed] = days[low] + (place - below)[is_timed] * (days[high] - days[low])
    return {**found, "timed": timed}
