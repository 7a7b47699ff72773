"""Differences: how surprising is the difference of two independent shares, were there none?

The p-value is the level at which the interval of the difference (`intervals.difference_interval`, each share with its
own limits on the logit scale, Wilson's at 0 and 1) just reaches 0. So interval and p never contradict each other, and
a share of 0 of 12 is not taken for certain, as a p from its standard error of 0 would take it.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from journeylab.estimators.intervals import difference_interval

# Further than so many standard errors, two-sided p is below what can be written.
_FURTHEST = 37.0
_HALVINGS = 60

Share = tuple[ArrayLike, ArrayLike, ArrayLike]


def share_difference(
    first: Share, second: Share, *, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`first` - `second`, each (share, standard error, base), and its limits; the arrays broadcast against each other.

    The base is how many a share of exactly 0 or 1 stands on. Missing (nan) where a share or its error is.
    """
    return _difference(first, second, np.asarray(-ndtri((1 - confidence) / 2)))


def share_difference_p_value(first: Share, second: Share) -> np.ndarray:
    """Two-sided p of `first` and `second`, as in `share_difference`, being the same; missing where the interval is."""
    difference = _difference(first, second, np.asarray(1.0))[0]
    near, far = np.zeros(difference.shape), np.full(difference.shape, _FURTHEST)
    # The interval grows with its width in standard errors: halve the stretch in which it first reaches 0.
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        _, lower, upper = _difference(first, second, middle)
        reaches = (lower <= 0) & (upper >= 0)
        near, far = np.where(reaches, near, middle), np.where(reaches, middle, far)
    _, lower, _ = _difference(first, second, np.asarray(1.0))
    return np.where(np.isfinite(lower), np.where(difference == 0, 1.0, 2 * ndtr(-far)), np.nan)


def _difference(first: Share, second: Share, width: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return difference_interval(*((each[0], *_limits(*each, width)) for each in (first, second)))


def _limits(share: ArrayLike, error: ArrayLike, n: ArrayLike, width: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The limits of `intervals.probability_interval` on the logit scale, `width` standard errors away, for arrays of
    widths."""
    share, error, n, width = np.broadcast_arrays(share, error, n, width)
    inside = np.where((share > 0) & (share < 1), share, 0.5)
    odds, factor = inside / (1 - inside), np.exp(np.minimum(width * error / (inside * (1 - inside)), 600.0))
    # Wilson's limit for none of n: the square of the width over itself and n.
    unseen = np.divide(width**2, n + width**2, out=np.zeros(share.shape), where=n + width**2 > 0)
    lower = np.select([share == 0, share == 1], [0.0, 1 - unseen], 1 / (1 + factor / odds))
    upper = np.select([share == 0, share == 1], [unseen, 1.0], 1 / (1 + 1 / (odds * factor)))
    known = np.isfinite(share) & np.isfinite(error)
    return np.where(known, lower, np.nan), np.where(known, upper, np.nan)
