"""Intervals: how far from an estimate may the truth be? And p-values: would chance alone bring as much?

Every function takes numbers or arrays (broadcast against each other) and returns arrays; a missing estimate, standard
error or base (nan) gives a missing interval, never an error.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, fdtrc, ndtr, ndtri, stdtrit
from statsmodels.stats.multitest import fdrcorrection

from journeylab.base.errors import EstimateError
from journeylab.estimators.arrays import ROUNDING

SCALES = ("log-log", "logit", "log", "plain")
# With fewer individuals robust errors are too small, and vary too much for a normal quantile.
FEW_INDIVIDUALS = 50


def probability_interval(
    estimate: ArrayLike,
    standard_error: ArrayLike,
    *,
    scale: str = "log-log",
    confidence: float = 0.95,
    n: ArrayLike | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper limits for a probability with a standard error, computed on a `scale` and within 0 and 1.

    Parameters
    ----------
    estimate, standard_error : number or array
        The probability, 0 to 1, and its standard error, 0 or more.
    scale : {"log-log", "logit", "log", "plain"}
        `log-log` is log(-log p), usual for survival. `logit` treats p and 1 - p alike and is usual for incidence.
        `log` is the default of R's survfit. `plain` is p +- z se.
    confidence : float
        Above 0 and below 1.
    n : number or array, optional
        The base of the estimate. An estimate of exactly 0 or 1 has a standard error of 0, which says nothing. With `n`
        its limits are Wilson's for 0 or n of n; without, they are missing (nan).

    Raises
    ------
    EstimateError
        For an unknown scale, a confidence outside (0, 1), a probability outside 0 to 1, or a negative error.

    References
    ----------
    Kalbfleisch & Prentice 2002, The Statistical Analysis of Failure Time Data, section 1.4.
    """
    estimate, error = _floats(estimate, standard_error)
    _check_probabilities("probability", estimate, rounding=ROUNDING)
    if np.any(error < 0):
        raise EstimateError(f"A standard error is negative: {error[error < 0].flat[0]:g}. Give 0 or more.")
    if scale not in SCALES:
        raise EstimateError(f"There is no scale “{scale}” for intervals. Known: {', '.join(SCALES)}.")
    z = _normal_quantile(confidence)
    estimate = np.where(estimate < ROUNDING, 0.0, np.where(estimate > 1 - ROUNDING, 1.0, estimate))
    inside = (estimate > 0) & (estimate < 1)
    lower, upper = _LIMITS[scale](np.where(inside, estimate, 0.5), error, z)
    lower = np.where(inside, np.clip(lower, 0.0, 1.0), np.nan)
    upper = np.where(inside, np.clip(upper, 0.0, 1.0), np.nan)
    if n is not None:
        n = np.broadcast_to(np.asarray(n, dtype=np.float64), estimate.shape)
        wilson_lower, wilson_upper = wilson(estimate * n, n, confidence=confidence)
        is_extreme = (estimate == 0) | (estimate == 1)
        lower, upper = np.where(is_extreme, wilson_lower, lower), np.where(is_extreme, wilson_upper, upper)
    has_error = np.isfinite(error)
    return np.where(has_error, lower, np.nan), np.where(has_error, upper, np.nan)


def normal_interval(
    estimate: ArrayLike, standard_error: ArrayLike, *, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """estimate -+ z standard errors, for what is not a probability: a mean time, a difference, a log ratio."""
    estimate, error = _floats(estimate, standard_error)
    margin = _normal_quantile(confidence) * error
    return estimate - margin, estimate + margin


def robust_quantile(n_individuals: int, *, confidence: float = 0.95) -> float:
    """How many robust standard errors wide an interval is to each side, where the squares of so many influences are
    summed.

    The normal quantile. Below `FEW_INDIVIDUALS` Student's with G - 1 degrees of freedom, times the root of G/(G - 1),
    as such a sum of squares is too small on average and varies (Cameron & Miller 2015, Journal of Human Resources
    50:317-372, section VI). Missing for one individual.
    """
    if n_individuals >= FEW_INDIVIDUALS:
        return _normal_quantile(confidence)
    check_confidence(confidence)
    g = n_individuals
    return float(stdtrit(g - 1, (1 + confidence) / 2) * np.sqrt(g / (g - 1))) if g > 1 else float("nan")


def robust_p_value(statistic: ArrayLike, degrees_of_freedom: int, n_individuals: int) -> np.ndarray:
    """p of a chi-squared `statistic` whose variance is a sum of squares over G individuals.

    Below `FEW_INDIVIDUALS` after Hotelling's T squared: statistic x (G - d) / (G d) is F with d and G - d degrees of
    freedom, which with one degree of freedom agrees with `robust_quantile`. Missing where G is not above d.
    """
    d, g = degrees_of_freedom, n_individuals
    if g >= FEW_INDIVIDUALS:
        return chdtrc(d, statistic)
    return fdtrc(d, g - d, np.asarray(statistic) * (g - d) / (g * d)) if g > d else np.full(np.shape(statistic), np.nan)


def mean_share_interval(
    mean: float, standard_error: float, *, most: float, n_individuals: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Limits of a mean of numbers between 0 and `most`, on the logit scale of its share of the most.

    By `robust_quantile`. The limits stay within 0 and `most`, and the one towards the middle is the farther, as means
    of few skewed numbers want it. A mean of exactly 0 or `most` has Wilson's limits over the individuals.
    """
    # The function of the limits takes normal quantiles.
    wider = robust_quantile(n_individuals, confidence=confidence) / _normal_quantile(confidence)
    error = wider * standard_error / most
    lower, upper = probability_interval(mean / most, error, scale="logit", confidence=confidence, n=n_individuals)
    return float(lower) * most, float(upper) * most


def normal_p_value(estimate: ArrayLike, standard_error: ArrayLike) -> np.ndarray:
    """Two-sided p of the truth being 0, by the normal distribution; missing where the error is 0 or missing."""
    estimate, error = _floats(estimate, standard_error)
    ratio = np.divide(np.abs(estimate), error, out=np.full(estimate.shape, np.nan), where=error > 0)
    return 2.0 * ndtr(-ratio)


def wilson(successes: ArrayLike, n: ArrayLike, *, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's score limits for `successes` of `n` independent trials; missing where n is 0.

    At 0 of n the lower limit is 0 and the upper is above 0; at n of n the upper is 1 and the lower is below 1. The
    numbers need not be whole: an effective sample size is not.

    Raises
    ------
    EstimateError
        If successes are negative or more than n.

    References
    ----------
    Wilson 1927, Journal of the American Statistical Association 22:209-212.
    """
    successes, n = _floats(successes, n)
    wrong = (successes < -1e-9) | (successes > n + 1e-9)  # a share times n is rounded
    if wrong.any():
        raise EstimateError(
            f"There are {successes[wrong].flat[0]:g} successes of {n[wrong].flat[0]:g}. Give counts from 0 to n."
        )
    z2 = _normal_quantile(confidence) ** 2
    base = np.where(n > 0, n, np.nan)
    share = np.clip(successes / base, 0.0, 1.0)
    centre = (share + z2 / (2 * base)) / (1 + z2 / base)
    margin = np.sqrt(z2 * (share * (1 - share) / base + z2 / (4 * base**2))) / (1 + z2 / base)
    lower = np.where(share == 0, 0.0, np.maximum(centre - margin, 0.0))
    upper = np.where(share == 1, 1.0, np.minimum(centre + margin, 1.0))
    return np.where(n > 0, lower, np.nan), np.where(n > 0, upper, np.nan)


def difference_interval(
    first: tuple[ArrayLike, ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike, ArrayLike]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Difference `first` - `second` of two independent estimates and its limits, by squaring and adding.

    Each is (estimate, lower, upper) at one confidence; the limits need not be symmetric, so the difference of two
    probabilities stays within -1 and 1 (Newcombe 1998; Zou & Donner 2008, Statistics in Medicine 27:1693-1702).
    """
    a, a_lower, a_upper = _floats(*first)
    b, b_lower, b_upper = _floats(*second)
    difference = a - b
    # The lower limit pairs the lower limit of the first with the upper of the second.
    return (
        difference,
        difference - np.hypot(a - a_lower, b_upper - b),
        difference + np.hypot(a_upper - a, b - b_lower),
    )


def newcombe(
    first: tuple[ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike], *, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Difference of two independent shares, each (successes, n), and its limits (Newcombe 1998, Statistics in
    Medicine 17:873-890, method 10: Wilson's limits, squared and added). Missing where either n is 0.
    """
    shares = []
    for successes, n in (first, second):
        successes, n = _floats(successes, n)
        lower, upper = wilson(successes, n, confidence=confidence)
        share = np.divide(successes, n, out=np.full(n.shape, np.nan), where=n > 0)
        shares.append((share, lower, upper))
    return difference_interval(*shares)


def curve_quantiles(
    times: ArrayLike, survival: ArrayLike, lower: ArrayLike, upper: ArrayLike, *, shares: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """When the given `shares` have left (0.5: the median), and limits from inverting the curve's pointwise interval.

    A quantile is the first time at which the curve is at or below 1 - share. Its lower limit is the first time at which
    `lower` is, its upper limit the first time at which `upper` is.

    Parameters
    ----------
    times : (times,)
        Increasing.
    survival, lower, upper : (times,)
        The curve just after each of the times, and its limits. A missing limit counts as not below.
    shares : (shares,)
        Above 0 and below 1.

    Returns
    -------
    Three arrays (shares,): quantile, lower, upper. Infinite where not reached by the last of the times; all missing if
    the whole curve is.

    References
    ----------
    Brookmeyer & Crowley 1982, Biometrics 38:29-41.
    """
    times = np.asarray(times, dtype=np.float64)
    shares = np.atleast_1d(np.asarray(shares, dtype=np.float64))
    if not np.all((shares > 0) & (shares < 1)):
        raise EstimateError(
            f"The shares asked for are {shares.tolist()}. Give shares above 0 and below 1, as 0.5 (median)."
        )
    curves = [np.asarray(curve, dtype=np.float64) for curve in (survival, lower, upper)]
    is_missing = np.isnan(curves[0]).all() and len(times)
    quantile, low, high = (
        np.array([np.nan if is_missing else _first_below(times, curve, 1.0 - share) for share in shares])
        for curve in curves
    )
    return quantile, low, high


@dataclass(frozen=True)
class ChiSquared:
    """A test: chi-squared `statistic`, `degrees_of_freedom` and `p_value`; missing where it cannot be computed."""

    statistic: float
    degrees_of_freedom: int
    p_value: float

    @classmethod
    def of(
        cls, score: np.ndarray, variance: np.ndarray, *, n_individuals: int | None = None, tolerance: float = 1e-10
    ) -> "ChiSquared":
        """The test of `score` = 0, given its variance; missing unless that is of full rank.

        n_individuals: over how many the variance is summed, if it is robust; see `robust_p_value`.
        tolerance: singular values of the score's correlations below this count as 0.
        """
        n = len(score)
        scale = np.sqrt(np.maximum(np.diag(variance), 0))
        is_testable = n > 0 and scale.min() > 0
        if not is_testable or np.linalg.matrix_rank(variance / np.outer(scale, scale), tol=tolerance) < n:
            return cls(float("nan"), n, float("nan"))
        statistic = float(score @ np.linalg.solve(variance, score))
        if n_individuals is None:
            return cls(statistic, n, float(chdtrc(n, statistic)))
        return cls(statistic, n, float(robust_p_value(statistic, n, n_individuals)))


def holm(p_values: ArrayLike) -> np.ndarray:
    """Holm's adjusted p-values (1979, Scandinavian Journal of Statistics 6:65-70); missing ones stay missing.

    A missing p-value does not count as a test.
    """
    # The k-th smallest of n is multiplied by n - k + 1, and none may be below the one before it. Written out, as
    # statsmodels' `multipletests` collects garbage at each call, which takes a quarter of a second.
    return _adjusted(p_values, lambda ordered: np.maximum.accumulate(ordered * np.arange(len(ordered), 0, -1)))


def gate_kept(p_values: ArrayLike, is_gate: ArrayLike) -> np.ndarray:
    """Adjusted p-values of families in which a first test is the gate to those that follow it, up to the next gate.

    Each family gets an equal part of the level (Bonferroni). Within it the gate is tested first; the others, adjusted
    by Holm, are never below it. So with all families together a false rejection is no likelier than the level
    (Dmitrienko, Offen & Westfall 2003, Statistics in Medicine 22:2387-2400). Missing where the gate is; a missing
    p-value does not count as a test.

    >>> gate_kept([0.01, 0.004, 0.2, 0.5, 0.001], [True, False, False, True, False]).tolist()
    [0.02, 0.02, 0.4, 1.0, 1.0]
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    begins = np.flatnonzero(is_gate)
    n_families = int(np.isfinite(p_values[begins]).sum())
    adjusted = np.full(p_values.shape, np.nan)
    for begin, end in pairwise([*begins, len(p_values)]):
        within = np.concatenate([p_values[[begin]], holm(p_values[begin + 1 : end])])
        adjusted[begin:end] = np.minimum(np.maximum(within, p_values[begin]) * n_families, 1.0)
    return adjusted


def benjamini_hochberg(p_values: ArrayLike) -> np.ndarray:
    """Benjamini and Hochberg's p-values, for the false discovery rate (1995, JRSS B 57:289-300).

    Missing ones stay missing and do not count as tests.
    """
    return _adjusted(p_values, lambda ordered: fdrcorrection(ordered, is_sorted=True)[1])


def _adjusted(p_values: ArrayLike, adjust: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """`adjust` of the p-values that are not missing, smallest first, at most 1, each back in its place."""
    p_values = np.asarray(p_values, dtype=np.float64)
    _check_probabilities("p-value", p_values, rounding=0.0)
    order = np.argsort(p_values, kind="stable")[: np.count_nonzero(~np.isnan(p_values))]
    adjusted = np.full(p_values.shape, np.nan)
    adjusted[order] = np.minimum(adjust(p_values[order]), 1.0)
    return adjusted


def _first_below(times: np.ndarray, curve: np.ndarray, level: float) -> float:
    # 0.1 + 0.1 + 0.1 is not 0.3 in floating point, so “at or below” allows for rounding.
    below = curve <= level + ROUNDING
    return float(times[below.argmax()]) if below.any() else float("inf")


def _plain(estimate: np.ndarray, error: np.ndarray, z: float) -> tuple[np.ndarray, np.ndarray]:
    return estimate - z * error, estimate + z * error


def _log(estimate: np.ndarray, error: np.ndarray, z: float) -> tuple[np.ndarray, np.ndarray]:
    factor = _exp(z * error / estimate)
    return estimate / factor, estimate * factor


def _log_log(estimate: np.ndarray, error: np.ndarray, z: float) -> tuple[np.ndarray, np.ndarray]:
    factor = _exp(z * error / (estimate * np.abs(np.log(estimate))))
    return estimate**factor, estimate ** (1 / factor)


def _logit(estimate: np.ndarray, error: np.ndarray, z: float) -> tuple[np.ndarray, np.ndarray]:
    odds, factor = estimate / (1 - estimate), _exp(z * error / (estimate * (1 - estimate)))
    return 1 / (1 + factor / odds), 1 / (1 + 1 / (odds * factor))


def _exp(exponent: np.ndarray) -> np.ndarray:
    """exp, bounded where a limit is 0 or 1 already."""
    return np.exp(np.minimum(exponent, 600.0))


_LIMITS = dict(zip(SCALES, (_log_log, _logit, _log, _plain), strict=True))


def _floats(*values: ArrayLike) -> tuple[np.ndarray, ...]:
    return np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in values))


def _normal_quantile(confidence: float) -> float:
    check_confidence(confidence)
    return float(-ndtri((1 - confidence) / 2))


def check_confidence(confidence: float) -> None:
    """Raise EstimateError unless the confidence is above 0 and below 1."""
    if not 0 < confidence < 1:
        raise EstimateError(f"The confidence is {confidence:g}. Give a share above 0 and below 1, such as 0.95.")


def _check_probabilities(name: str, values: np.ndarray, *, rounding: float) -> None:
    wrong = (values < -rounding) | (values > 1 + rounding)
    if np.any(wrong):
        raise EstimateError(f"A {name} is outside 0 to 1: {values[wrong].flat[0]:g}. Give shares, not percent.")
