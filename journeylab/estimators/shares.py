"""Shares: what share of attempts succeeded, and how sure is that where the same customers tried several times?"""

import numpy as np
from numpy.typing import ArrayLike

from journeylab.base.errors import EstimateError
from journeylab.estimators.intervals import wilson

# Numbers up to so many times the rows are counted as they are; others are numbered anew.
_SPARSE = 20


def clustered_share(successes: ArrayLike, ids: ArrayLike, *, confidence: float = 0.95) -> tuple[float, float, float]:
    """The share of `successes` (n,) that are true, with limits that count individuals rather than rows.

    ids: (n,), whose each row is; whole numbers from 0 on are quickest. The limits are Wilson's for as many independent
    trials as say the same: n divided by the design effect, the variance of the share between individuals (linearised)
    over that of n independent trials; at least one trial and at most n. Of a share of exactly 0 or 1, as many as there
    are individuals. Where each individual has one row these are Wilson's limits themselves. All missing where there is
    no row.

    Source: Kish (1965), Survey Sampling, section 8.2; Korn & Graubard (1998), Survey Methodology 24:193-201 (effective
    sample size); Franco, Little, Louis & Slud (2019), Journal of Survey Statistics and Methodology 7:334-364 (that
    Wilson's interval with it does well).
    Raises EstimateError if the arrays differ in length.
    """
    hits, ids = np.asarray(successes, dtype=np.float64), np.asarray(ids)
    if hits.shape != ids.shape:
        raise EstimateError(f"There are {hits.size} successes and {ids.size} ids. Give one id for each.")
    n = len(hits)
    if not n:
        return float("nan"), float("nan"), float("nan")
    share = float(hits.mean())
    n_alike = _independent_trials(hits, ids, share)
    lower, upper = wilson(share * n_alike, n_alike, confidence=confidence)
    return share, float(lower), float(upper)


def _independent_trials(hits: np.ndarray, ids: np.ndarray, share: float) -> float:
    """How many independent trials know the share as well as these do."""
    n = len(hits)
    is_counted = ids.dtype.kind in "iu" and ids.min() >= 0 and ids.max() < _SPARSE * n
    whose = ids if is_counted else np.unique(ids, return_inverse=True)[1]
    sums = np.bincount(whose, weights=hits - share)[np.bincount(whose) > 0]
    if len(sums) == n:
        return float(n)
    if share in (0.0, 1.0) or len(sums) == 1:
        return float(len(sums))
    between = (sums**2).sum() * len(sums) / (len(sums) - 1)
    among_independent = share * (1 - share) * n * n / (n - 1)
    return float(np.clip(n * among_independent / between, 1.0, n)) if between > 0 else float(n)
