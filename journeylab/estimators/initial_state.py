"""Start: where do individuals begin, and how sure is that?"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from journeylab.base.errors import EstimateError
from journeylab.estimators.rows_at_risk import RowsAtRisk


@dataclass(frozen=True, eq=False)
class Start:
    """Where individuals begin.

    probabilities: float64 (states,), summing to 1.
    codes, origin, weight: the rows it was estimated from; empty if it was given, and so has no error.
    """

    probabilities: np.ndarray
    codes: np.ndarray
    origin: np.ndarray
    weight: np.ndarray

    @classmethod
    def known(cls, probabilities: ArrayLike, *, n_states: int) -> "Start":
        """A start that was given. Raises EstimateError unless it holds one probability per state, summing to 1."""
        given = np.asarray(probabilities, dtype=np.float64)
        if given.shape != (n_states,):
            raise EstimateError(
                f"“start” has the shape {given.shape}, not ({n_states},). Give one probability per state."
            )
        if not (np.all(given >= 0) and abs(given.sum() - 1.0) < 1e-9):
            raise EstimateError(
                f"“start” holds {given.tolist()}, not probabilities that sum to 1. Mend it, or leave it out."
            )
        nothing = np.zeros(0, dtype=np.int64)
        return cls(given, nothing, nothing, np.zeros(0))

    @classmethod
    def estimated(cls, exposure: RowsAtRisk) -> "Start":
        """The shares of the states among the rows at risk at the first move (if nobody moves, at the first end).

        Warns if individuals enter later and there is more than one state to begin in.
        """
        first = exposure.exit[exposure.moves].min() if exposure.moves.any() else exposure.exit.min()
        at_risk = (exposure.entry < first) & (exposure.exit >= first)
        begun = np.full(len(exposure.ids), np.inf)
        np.minimum.at(begun, exposure.codes, exposure.entry)
        n_late, n_known = (np.isfinite(begun) & (begun >= first)).sum(), np.isfinite(begun).sum()
        if n_late and (exposure.origin != exposure.origin[0]).any():
            warnings.warn(
                f"The start is estimated from the {at_risk.sum()} rows at risk at the first move, time {first:g}; "
                f"{n_late} of {n_known} individuals enter later. Give start= if it is known.",
                UserWarning,
                stacklevel=3,
            )
        origin, weight, codes = exposure.origin[at_risk], exposure.weight[at_risk], exposure.codes[at_risk]
        totals = np.bincount(origin, weights=weight, minlength=exposure.n_states)
        order = np.lexsort((weight, origin, codes))
        return cls(totals / totals.sum(), codes[order], origin[order], weight[order])
