"""Shares: how sure is a share, and a difference of two, where customers are not independent trials?

`clustered_share` is for rows of which several belong to one individual, `ratio_of_totals` for a part of a total that
differs between individuals. `share_difference` compares two independent shares.

The p-value of a difference is the level at which its interval (`intervals.difference_interval`, each share with its own
limits on the logit scale, Wilson's at 0 and 1) just reaches 0. So interval and p never contradict each other. And a
share of 0 of 12 is not taken for certain, as it would be by its standard error of 0.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from journeylab.base.errors import EstimateError
from journeylab.estimators.intervals import difference_interval, wilson

# Ids up to so many times the number of rows are counted as they are; others are numbered anew.
_SPARSE = 20
# At more standard errors than this, two-sided p is below what floating point can hold.
_FARTHEST = 37.0
_HALVINGS = 60

Share = tuple[ArrayLike, ArrayLike, ArrayLike]


def clustered_share(successes: ArrayLike, ids: ArrayLike, *, confidence: float = 0.95) -> tuple[float, float, float]:
    """The share of `successes` that are true, with limits that count individuals rather than rows.

    The limits are Wilson's for the effective number of independent trials: n divided by the design effect, which is the
    variance of the share between individuals (linearised) over that of n independent trials; at least 1 and at most n.
    Of a share of exactly 0 or 1 it is the number of individuals. Where each individual has one row these are Wilson's
    limits themselves.

    Parameters
    ----------
    successes : (n,)
        Whether each row succeeded.
    ids : (n,)
        The individual each row belongs to. Whole numbers from 0 on are quickest.

    Returns
    -------
    Share, lower and upper limit; all missing where there is no row.

    Raises
    ------
    EstimateError
        If the arrays differ in length.

    References
    ----------
    Kish (1965), Survey Sampling, section 8.2; Korn & Graubard (1998), Survey Methodology 24:193-201 (effective sample
    size); Franco, Little, Louis & Slud (2019), Journal of Survey Statistics and Methodology 7:334-364 (that Wilson's
    interval with it does well).
    """
    hits, ids = np.asarray(successes, dtype=np.float64), np.asarray(ids)
    if hits.shape != ids.shape:
        raise EstimateError(f"There are {hits.size} successes and {ids.size} ids. Give one id for each.")
    if not len(hits):
        return float("nan"), float("nan"), float("nan")
    share = float(hits.mean())
    return _with_limits(share, _independent_trials(hits, ids, share), confidence)


def ratio_of_totals(parts: ArrayLike, totals: ArrayLike, *, confidence: float = 0.95) -> tuple[float, float, float]:
    """The sum of `parts` as a share of the sum of `totals`, with limits that count individuals.

    The variance is that of a ratio between individuals (linearised). The limits are Wilson's for the effective number
    of independent trials, at least 1 and at most the sum of `totals`. Of a share of exactly 0 or 1, or of one
    individual, it is the number of individuals.

    Parameters
    ----------
    parts, totals : (n,)
        One of each per individual, 0 <= part <= total.

    Returns
    -------
    Share, lower and upper limit; all missing where the totals are 0.

    Raises
    ------
    EstimateError
        If the arrays differ in length, or a part is negative or more than its total.

    References
    ----------
    Cochran (1977), Sampling Techniques, section 2.11; Korn & Graubard (1998), Survey Methodology 24:193-201.
    """
    part, total = np.asarray(parts, dtype=np.float64), np.asarray(totals, dtype=np.float64)
    if part.shape != total.shape:
        raise EstimateError(f"There are {part.size} parts and {total.size} totals. Give one total for each part.")
    wrong = (part < 0) | (part > total)
    if wrong.any():
        raise EstimateError(
            f"There is a part of {part[wrong][0]:g} in a total of {total[wrong][0]:g}. Give parts from 0 to the total."
        )
    part, total = part[total > 0], total[total > 0]
    n, whole = len(total), float(total.sum())
    if not n:
        return float("nan"), float("nan"), float("nan")
    share, n_trials = float(part.sum() / whole), float(n)
    if n > 1 and 0 < share < 1:
        # sum over individuals of (part - share x total)^2, over the whole squared
        variance = float(((part - share * total) ** 2).sum()) * n / (n - 1) / whole**2
        n_trials = whole if variance == 0 else float(np.clip(share * (1 - share) / variance, 1.0, whole))
    return _with_limits(share, n_trials, confidence)


def share_difference(
    first: Share, second: Share, *, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The difference `first` - `second` of two independent shares, and its limits.

    Each is (share, standard error, base); the arrays broadcast against each other. The base is how many a share of
    exactly 0 or 1 is of. Missing (nan) where a share or its error is.
    """
    return _difference(first, second, np.asarray(-ndtri((1 - confidence) / 2)))


def share_difference_p_value(first: Share, second: Share) -> np.ndarray:
    """Two-sided p of `first` and `second`, as in `share_difference`, being the same; missing where the interval is."""
    difference, lower, _ = _difference(first, second, np.asarray(1.0))
    near, far = np.zeros(difference.shape), np.full(difference.shape, _FARTHEST)
    # The interval grows with its width in standard errors: halve the range in which it first reaches 0.
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        _, low, high = _difference(first, second, middle)
        reaches_zero = (low <= 0) & (high >= 0)
        near, far = np.where(reaches_zero, near, middle), np.where(reaches_zero, middle, far)
    return np.where(np.isfinite(lower), np.where(difference == 0, 1.0, 2 * ndtr(-far)), np.nan)


def _independent_trials(hits: np.ndarray, ids: np.ndarray, share: float) -> float:
    """How many independent trials would know the share as well as these do."""
    n = len(hits)
    is_counted = ids.dtype.kind in "iu" and ids.min() >= 0 and ids.max() < _SPARSE * n
    codes = ids if is_counted else np.unique(ids, return_inverse=True)[1]
    sums = np.bincount(codes, weights=hits - share)[np.bincount(codes) > 0]
    if len(sums) == n:
        return float(n)
    if share in (0.0, 1.0) or len(sums) == 1:
        return float(len(sums))
    # n over the design effect: variance between individuals over that of independent trials
    between = (sums**2).sum() * len(sums) / (len(sums) - 1)
    among_independent = share * (1 - share) * n * n / (n - 1)
    return float(np.clip(n * among_independent / between, 1.0, n)) if between > 0 else float(n)


def _with_limits(share: float, n_trials: float, confidence: float) -> tuple[float, float, float]:
    lower, upper = wilson(share * n_trials, n_trials, confidence=confidence)
    return share, float(lower), float(upper)


def _difference(first: Share, second: Share, width: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return difference_interval((first[0], *_limits(*first, width)), (second[0], *_limits(*second, width)))


def _limits(share: ArrayLike, error: ArrayLike, n: ArrayLike, width: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `intervals.probability_interval` on the logit scale, `width` standard errors away, for arrays of widths."""
    share, error, n, width = np.broadcast_arrays(share, error, n, width)
    inside = np.where((share > 0) & (share < 1), share, 0.5)
    odds, factor = inside / (1 - inside), np.exp(np.minimum(width * error / (inside * (1 - inside)), 600.0))
    # Wilson's limit for 0 of n: width^2 / (n + width^2)
    unseen = np.divide(width**2, n + width**2, out=np.zeros(share.shape), where=n + width**2 > 0)
    lower = np.select([share == 0, share == 1], [0.0, 1 - unseen], 1 / (1 + factor / odds))
    upper = np.select([share == 0, share == 1], [unseen, 1.0], 1 / (1 + 1 / (odds * factor)))
    is_finite = np.isfinite(share) & np.isfinite(error)
    return np.where(is_finite, lower, np.nan), np.where(is_finite, upper, np.nan)
