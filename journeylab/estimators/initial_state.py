"""Initial state: where do individuals begin, and how sure is that?"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from journeylab.base.errors import EstimateError
from journeylab.estimators.rows_at_risk import RowsAtRisk


@dataclass(frozen=True, eq=False)
class InitialState:
    """Where individuals begin.

    probabilities: float64 (states,), summing to 1.
    codes, origin, weight: the rows that the probabilities were estimated from; empty if they were given, and so have no
        error.
    """

    probabilities: np.ndarray
    codes: np.ndarray
    origin: np.ndarray
    weight: np.ndarray

    @classmethod
    def known(cls, probabilities: ArrayLike, *, n_states: int) -> "InitialState":
        """From given probabilities. Raises EstimateError unless there is one per state, and they sum to 1."""
        given = np.asarray(probabilities, dtype=np.float64)
        if given.shape != (n_states,):
            raise EstimateError(
                f"“initial_state” has the shape {given.shape}, not ({n_states},). Give one probability per state."
            )
        if not (np.all(given >= 0) and abs(given.sum() - 1.0) < 1e-9):
            raise EstimateError(
                f"“initial_state” is {given.tolist()}, not probabilities that sum to 1. Fix it, or leave it out."
            )
        no_rows = np.zeros(0, dtype=np.int64)
        return cls(given, no_rows, no_rows, np.zeros(0))

    @classmethod
    def estimated(cls, rows: RowsAtRisk) -> "InitialState":
        """The shares of the states among the rows at risk at the first move (if nobody moves, at the first end).

        Warns if individuals enter later and there is more than one state to begin in.
        """
        first = rows.exit[rows.moves].min() if rows.moves.any() else rows.exit.min()
        at_risk = (rows.entry < first) & (rows.exit >= first)
        begun = np.full(len(rows.ids), np.inf)
        np.minimum.at(begun, rows.codes, rows.entry)
        n_late, n_ids = (np.isfinite(begun) & (begun >= first)).sum(), np.isfinite(begun).sum()
        if n_late and (rows.origin != rows.origin[0]).any():
            warnings.warn(
                f"The initial state is estimated from the {at_risk.sum()} rows at risk at the first move, time "
                f"{first:g}. {n_late} of {n_ids} individuals enter later. Give initial_state= if it is known.",
                UserWarning,
                stacklevel=3,
            )
        origin, weight, codes = rows.origin[at_risk], rows.weight[at_risk], rows.codes[at_risk]
        totals = np.bincount(origin, weights=weight, minlength=rows.n_states)
        order = np.lexsort((weight, origin, codes))
        return cls(totals / totals.sum(), codes[order], origin[order], weight[order])
