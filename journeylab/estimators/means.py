"""Means: what is the mean of answers, and how sure is it where some individuals answered several times?"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from journeylab.base.errors import EstimateError
from journeylab.estimators.arrays import ROUNDING
from journeylab.estimators.intervals import check_confidence, difference_interval, wilson


def clustered_mean(
    values: ArrayLike, ids: ArrayLike, *, bounds: tuple[float, float], confidence: float = 0.95
) -> tuple[float, float, float]:
    """The mean of `values`, each answer counting once, with limits that count individuals rather than answers.

    The standard error is linearised and clustered (the variance of the individuals' sums of residuals); the quantile is
    Student's with one degree of freedom less than individuals. Where all individuals are alike the standard error of 0
    says nothing. Then the limits are Wilson's, for the mean as a share of the way between the bounds.

    Parameters
    ----------
    values, ids : (n,)
        The answers, and the individual who gave each.
    bounds : (low, high)
        The lowest and the highest value there can be; limits stay within.

    Returns
    -------
    Mean, lower and upper limit. Limits are missing where there is only one individual, all where there is no value.

    Raises
    ------
    EstimateError
        If the arrays differ in length, or a value is outside the bounds.

    References
    ----------
    Kish (1965), Survey Sampling, section 6.3; Cameron & Miller (2015), Journal of Human Resources 50:317-372 (G/(G - 1)
    and G - 1 degrees of freedom).
    """
    values, ids = _checked(values, ids)
    low, high = bounds
    outside = (values < low) | (values > high)
    if outside.any():
        raise EstimateError(f"A value is {values[outside][0]:g}, outside its bounds {low:g} to {high:g}.")
    if not len(values):
        return float("nan"), float("nan"), float("nan")
    mean, influence = float(values.mean()), _influence(values, np.unique(ids, return_inverse=True)[1])
    n_ids = len(influence)
    if n_ids == 1:
        return mean, float("nan"), float("nan")
    if _error(influence) < ROUNDING * (high - low):
        share = wilson((mean - low) / (high - low) * n_ids, n_ids, confidence=confidence)
        lower, upper = (low + float(limit) * (high - low) for limit in share)
        return mean, min(lower, mean), max(upper, mean)
    margin = _quantile(n_ids, confidence) * _error(influence)
    return mean, max(low, mean - margin), min(high, mean + margin)


def mean_difference(
    first: tuple[ArrayLike, ArrayLike],
    second: tuple[ArrayLike, ArrayLike],
    *,
    bounds: tuple[float, float],
    confidence: float = 0.95,
) -> tuple[float, float, float]:
    """Mean of the `first` values minus that of the `second`, each (values, ids), with limits.

    An individual with values in both moves both means. Where all individuals are alike the limits are those of the two
    means, squared and added (`intervals.difference_interval`). Limits are missing where there are fewer than two
    individuals; all three are missing where one of the two has no value. Raises as `clustered_mean`.
    """
    (a, a_ids), (b, b_ids) = _checked(*first), _checked(*second)
    if not (len(a) and len(b)):
        return float("nan"), float("nan"), float("nan")
    codes = np.unique(np.concatenate([a_ids, b_ids]), return_inverse=True)[1]
    n_ids = int(codes.max()) + 1
    influence = _influence(a, codes[: len(a)], n_ids) - _influence(b, codes[len(a) :], n_ids)
    difference = float(a.mean() - b.mean())
    if n_ids == 1:
        return difference, float("nan"), float("nan")
    if _error(influence) < ROUNDING * (bounds[1] - bounds[0]):
        means = (clustered_mean(*answers, bounds=bounds, confidence=confidence) for answers in (first, second))
        of_means, lower, upper = difference_interval(*means)
        return float(of_means), float(lower), float(upper)
    margin = _quantile(n_ids, confidence) * _error(influence)
    return difference, difference - margin, difference + margin


def _checked(values: ArrayLike, ids: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    values, ids = np.asarray(values, dtype=np.float64), np.asarray(ids)
    if values.shape != ids.shape:
        raise EstimateError(f"There are {values.size} values and {ids.size} ids. Give one id for each.")
    return values, ids


def _influence(values: np.ndarray, codes: np.ndarray, n_ids: int = 0) -> np.ndarray:
    """How much each individual moves the mean, (ids,); sums to 0."""
    return np.bincount(codes, weights=values - values.mean(), minlength=n_ids) / len(values)


def _error(influence: np.ndarray) -> float:
    n_ids = len(influence)
    return float(np.sqrt((influence**2).sum() * n_ids / (n_ids - 1)))


def _quantile(n_ids: int, confidence: float) -> float:
    check_confidence(confidence)
    return float(student.isf((1 - confidence) / 2, n_ids - 1))
