"""Edges: of the visits to a place, what share went on to each other one, after how long, and how sure is that?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from journeylab.estimators.intervals import probability_interval

DAYS = ("median_days", "first_quartile_days", "third_quartile_days")
NUMBERS = f"n customers moved movers estimate lower upper {' '.join(DAYS)} timed"
_QUARTILES = [0.5, 0.25, 0.75]


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
        n_bases = self.base.max(initial=0) + 1
        # n_i of each pair of customer and base, moved_i of each cell of a pair and an end.
        pair, of_pair, n_trips = _counted(self.customer * n_bases + self.base)
        cell, of_cell, n_moved = _counted(of_pair * self.n_ends + self.end)
        base, trips = pair % n_bases, n_trips[cell // self.n_ends]
        edge, of_edge, movers = _counted(base[cell // self.n_ends] * self.n_ends + cell % self.n_ends)
        moved, moved_moved, moved_trips = (
            np.bincount(of_edge, weights=weights, minlength=len(edge))
            for weights in (n_moved, n_moved.astype(float) ** 2, n_moved * trips)
        )
        bases = edge // self.n_ends
        n, customers, trips_trips = (
            np.bincount(base, weights=weights, minlength=n_bases)[bases]
            for weights in (n_trips, np.ones(len(pair)), n_trips.astype(float) ** 2)
        )
        share = moved / n
        # Sum over customers of (moved_i - share n_i)^2, those who did not move included.
        squares = np.maximum(moved_moved - 2 * share * moved_trips + share**2 * trips_trips, 0.0)
        several = np.where(customers > 1, customers / np.maximum(customers - 1, 1), np.nan)
        error = np.sqrt(several * squares) / n
        lower, upper = probability_interval(share, error, scale="logit", confidence=confidence, n=customers)
        counts = {"n": n, "customers": customers, "moved": moved, "movers": movers}
        rows = {"base": bases, "end": edge % self.n_ends, **{name: count.astype(int) for name, count in counts.items()}}
        days = _quartiles(of_edge[of_cell], self.days, len(edge))
        return pd.DataFrame({**rows, "estimate": share, "lower": lower, "upper": upper}).join(days)


def _counted(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct codes, ascending; the position of each code among them; how often each occurs."""
    return np.unique(codes, return_inverse=True, return_counts=True)


def _quartiles(edge: np.ndarray, days: np.ndarray, n_edges: int) -> pd.DataFrame:
    """Median and quartiles of the known `days` of each edge, and how many are known."""
    of_edge = pd.Series(days).groupby(edge)
    quartiles = of_edge.quantile(_QUARTILES).unstack().reindex(range(n_edges), columns=_QUARTILES).astype(float)
    return quartiles.set_axis(list(DAYS), axis=1).assign(timed=of_edge.count().reindex(range(n_edges)))
