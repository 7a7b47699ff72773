"""Means: what is the mean of answers, and how sure is that where some individuals answered several times?"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from journeylab.base.errors import EstimateError
from journeylab.estimators.intervals import ROUNDING, difference_interval, wilson


def clustered_mean(
    values: ArrayLike, ids: ArrayLike, *, bounds: tuple[float, float], confidence: float = 0.95
) -> tuple[float, float, float]:
    """The mean of `values` (n,), each answer counting once, with limits that count individuals rather than answers.

    ids: (n,), whose each value is. bounds: the lowest and the highest value there can be; limits stay within. The
    standard error is linearised and clustered (the variance of the individuals' sums of residuals), the quantile
    Student's with one degree of freedom less than individuals. Where all individuals are alike the standard error of 0
    says nothing: then the limits are Wilson's, for a share of the way between the bounds known of so many individuals.
    Limits are missing where there is only one individual, all where there is no value.

    Source: Kish (1965), Survey Sampling, section 6.3; Cameron & Miller (2015), Journal of Human Resources 50:317-372
    (G/(G - 1) and G - 1 degrees of freedom).
    Raises EstimateError if the arrays differ in length, or a value lies outside the bounds.
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

    Individuals who have values in both count for what they say: both means move with them. Where all individuals are
    alike the limits are those of the two means, squared and added (`intervals.difference_interval`). They are missing
    where there are fewer than two individuals; all where one of the two has no value. Raises as `clustered_mean`.
    """
    (a, a_ids), (b, b_ids) = (_checked(*each) for each in (first, second))
    if not (len(a) and len(b)):
        return float("nan"), float("nan"), float("nan")
    whose = np.unique(np.concatenate([a_ids, b_ids]), return_inverse=True)[1]
    n_ids = int(whose.max()) + 1
    influence = _influence(a, whose[: len(a)], n_ids) - _influence(b, whose[len(a) :], n_ids)
    difference = float(a.mean() - b.mean())
    if n_ids == 1:
        return difference, float("nan"), float("nan")
    if _error(influence) < ROUNDING * (bounds[1] - bounds[0]):
        means = (clustered_mean(*each, bounds=bounds, confidence=confidence) for each in (first, second))
        return tuple(float(each) for each in difference_interval(*means))
    margin = _quantile(n_ids, confidence) * _error(influence)
    return difference, difference - margin, difference + margin


def _checked(values: ArrayLike, ids: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    values, ids = np.asarray(values, dtype=np.float64), np.asarray(ids)
    if values.shape != ids.shape:
        raise EstimateError(f"There are {values.size} values and {ids.size} ids. Give one id for each.")
    return values, ids


def _influence(values: np.ndarray, whose: np.ndarray, n_ids: int = 0) -> np.ndarray:
    """How much each individual moves the mean, (ids,); sums to 0."""
    return np.bincount(whose, weights=values - values.mean(), minlength=n_ids) / len(values)


def _error(influence: np.ndarray) -> float:
    n_ids = len(influence)
    return float(np.sqrt((influence**2).sum() * n_ids / (n_ids - 1)))


def _quantile(n_ids: int, confidence: float) -> float:
    if not 0 < confidence < 1:
        raise EstimateError(f"The confidence is {confidence:g}. Give a share above 0 and below 1, such as 0.95.")
    return float(student.isf((1 - confidence) / 2, n_ids - 1))
