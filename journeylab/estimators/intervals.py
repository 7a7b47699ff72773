"""Intervals: how far from an estimate may the truth be?

Every function takes numbers or arrays (broadcast against each other) and returns arrays; a missing estimate, standard
error or base (nan) gives a missing interval, never an error.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri
from statsmodels.stats.multitest import multipletests

from journeylab.base.errors import EstimateError

SCALES = ("log-log", "logit", "log", "plain")
ROUNDING = 1e-12
DRAWS_AT_ONCE = 64


def probability_interval(
    estimate: ArrayLike,
    standard_error: ArrayLike,
    *,
    scale: str = "log-log",
    confidence: float = 0.95,
    n: ArrayLike | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper limits for a probability known with a standard error, computed on a `scale` and within 0 and 1.

    scale: `log-log` (log(-log p); usual for survival), `logit` (treats p and 1 - p alike; usual for incidence), `log`
        (as R's survfit does unless told otherwise), `plain` (p +- z se).
    n: how many the estimate stands on. An estimate of exactly 0 or 1 comes with a standard error of 0, which says
        nothing; with `n` its limits are Wilson's for 0 or n of n, without they are missing (nan).

    Formulas: Kalbfleisch & Prentice 2002, The Statistical Analysis of Failure Time Data, section 1.4. Raises
    EstimateError for an unknown scale, a confidence outside (0, 1), a probability outside 0 to 1, or a negative
    error.
    """
    estimate, error = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in (estimate, standard_error)))
    _check_probabilities("probability", estimate, rounding=ROUNDING)
    if np.any(error < 0):
        raise EstimateError(f"A standard error is negative: {error[error < 0].flat[0]:g}. Give 0 or more.")
    z = _normal_quantile(confidence)
    estimate = np.where(estimate < ROUNDING, 0.0, np.where(estimate > 1 - ROUNDING, 1.0, estimate))
    inside = (estimate > 0) & (estimate < 1)
    lower, upper = _SCALES[_checked_scale(scale)](np.where(inside, estimate, 0.5), error, z)
    lower = np.where(inside, np.clip(lower, 0.0, 1.0), np.nan)
    upper = np.where(inside, np.clip(upper, 0.0, 1.0), np.nan)
    if n is not None:
        n = np.broadcast_to(np.asarray(n, dtype=np.float64), estimate.shape)
        wilson_lower, wilson_upper = wilson(estimate * n, n, confidence=confidence)
        certain = (estimate == 0) | (estimate == 1)
        lower, upper = np.where(certain, wilson_lower, lower), np.where(certain, wilson_upper, upper)
    known = np.isfinite(error)
    return np.where(known, lower, np.nan), np.where(known, upper, np.nan)


def normal_interval(
    estimate: ArrayLike, standard_error: ArrayLike, *, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """estimate -+ z standard errors, for what is not a probability: a mean time, a difference, a log ratio."""
    estimate, error = np.asarray(estimate, dtype=np.float64), np.asarray(standard_error, dtype=np.float64)
    margin = _normal_quantile(confidence) * error
    return estimate - margin, estimate + margin


def normal_p_value(estimate: ArrayLike, standard_error: ArrayLike) -> np.ndarray:
    """Two-sided p of the truth being 0, by the normal distribution; missing where the error is 0 or missing."""
    estimate, error = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in (estimate, standard_error)))
    ratio = np.divide(np.abs(estimate), error, out=np.full(estimate.shape, np.nan), where=error > 0)
    return 2.0 * ndtr(-ratio)


def wilson(successes: ArrayLike, n: ArrayLike, *, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's score limits for `successes` of `n` independent trials (Wilson 1927); missing where n is 0.

    At 0 of n the lower limit is 0 and the upper is above it; at n of n the other way round.
    Raises EstimateError if successes are negative or more than n.
    """
    successes, n = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in (successes, n)))
    wrong = (successes < -1e-9) | (successes > n + 1e-9)  # a share times n is rounded
    if wrong.any():
        raise EstimateError(
            f"There are {successes[wrong].flat[0]:g} successes of {n[wrong].flat[0]:g}. Give counts from 0 to n."
        )
    z2 = _normal_quantile(confidence) ** 2
    counted = n > 0
    base = np.where(counted, n, np.nan)
    share = np.clip(successes / base, 0.0, 1.0)
    centre = (share + z2 / (2 * base)) / (1 + z2 / base)
    margin = np.sqrt(z2 * (share * (1 - share) / base + z2 / (4 * base**2))) / (1 + z2 / base)
    lower = np.where(share == 0, 0.0, np.maximum(centre - margin, 0.0))
    upper = np.where(share == 1, 1.0, np.minimum(centre + margin, 1.0))
    return np.where(counted, lower, np.nan), np.where(counted, upper, np.nan)


def difference_interval(
    first: tuple[ArrayLike, ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike, ArrayLike]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Difference `first` - `second` of two independent estimates and its limits, by squaring and adding.

    Each is (estimate, lower, upper) at one confidence; the limits need not be symmetric, so the difference of two
    probabilities stays within -1 and 1 (Newcombe 1998; Zou & Donner 2008, Statistics in Medicine 27:1693-1702).
    """
    a, a_lower, a_upper = (np.asarray(each, dtype=np.float64) for each in first)
    b, b_lower, b_upper = (np.asarray(each, dtype=np.float64) for each in second)
    difference = a - b
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
        successes, n = np.asarray(successes, dtype=np.float64), np.asarray(n, dtype=np.float64)
        lower, upper = wilson(successes, n, confidence=confidence)
        share = np.divide(successes, n, out=np.full(np.broadcast(successes, n).shape, np.nan), where=n > 0)
        shares.append((share, lower, upper))
    return difference_interval(*shares)


def simultaneous_band(
    estimate: ArrayLike,
    influence: ArrayLike,
    *,
    seed: int,
    scale: str = "log-log",
    confidence: float = 0.95,
    n_draws: int = 2000,
) -> tuple[np.ndarray, np.ndarray, float]:
    """A band that holds the whole curve with the given confidence: lower, upper, and the number of standard errors it
    takes.

    estimate: (times,), probabilities. influence: (ids, times), whose column sums of squares are the variances. Each
        draw gives every individual one standard normal multiplier for all times and notes the largest standardised
        deviation; the band is as wide as the `confidence` quantile of these (Lin, Fleming & Wei 1994, Biometrika
        81:73-81). Times with a standard error of 0 do not count and have a missing band, as have times whose estimate
        is 0 or 1.
    """
    estimate, influence = np.asarray(estimate, dtype=np.float64), np.asarray(influence, dtype=np.float64)
    if influence.ndim != 2 or estimate.shape != influence.shape[1:]:
        raise EstimateError(
            f"The influence has the shape {influence.shape} for {estimate.size} estimates. "
            "Give one row per individual and one column per estimate."
        )
    _normal_quantile(confidence)
    error = np.sqrt((influence**2).sum(axis=0))
    counted = (error > 0) & np.isfinite(estimate)
    if not counted.any():
        return np.full(estimate.shape, np.nan), np.full(estimate.shape, np.nan), float("nan")
    standardised = influence[:, counted] / error[counted]
    random = np.random.default_rng(seed)
    largest = []
    for begin in range(0, n_draws, DRAWS_AT_ONCE):
        multipliers = random.standard_normal((min(DRAWS_AT_ONCE, n_draws - begin), len(influence)))
        largest.append(np.abs(multipliers @ standardised).max(axis=1))
    width = float(np.quantile(np.concatenate(largest), confidence))
    as_confidence = 2 * ndtr(width) - 1
    error = np.where(counted, error, np.nan)
    lower, upper = probability_interval(estimate, error, scale=scale, confidence=as_confidence)
    return lower, upper, width


def curve_quantiles(
    times: ArrayLike, survival: ArrayLike, lower: ArrayLike, upper: ArrayLike, *, shares: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """When the given `shares` have left (0.5: the median), and limits from inverting the curve's pointwise interval.

    times: (times,), increasing, each with the curve's value just after it; survival, lower, upper: (times,).
    A quantile is the first time at which the curve is at or below 1 - share; its lower limit is where `lower` is, its
    upper limit where `upper` is (Brookmeyer & Crowley 1982, Biometrics 38:29-41). Not reached by the last of the
    times: infinite. All missing if the curve is. Missing limits at single times count as not below.
    """
    times = np.asarray(times, dtype=np.float64)
    shares = np.atleast_1d(np.asarray(shares, dtype=np.float64))
    if not np.all((shares > 0) & (shares < 1)):
        raise EstimateError(
            f"The shares asked for are {shares.tolist()}. Give shares above 0 and below 1, as 0.5 (median)."
        )
    curves = [np.asarray(curve, dtype=np.float64) for curve in (survival, lower, upper)]
    if np.isnan(curves[0]).all() and len(times):
        return tuple(np.full(len(shares), np.nan) for _ in curves)
    return tuple(np.array([_first_below(times, curve, 1.0 - share) for share in shares]) for curve in curves)


def holm(p_values: ArrayLike) -> np.ndarray:
    """Holm's adjusted p-values; missing ones stay missing and are no tests."""
    return _adjusted(p_values, "holm")


def benjamini_hochberg(p_values: ArrayLike) -> np.ndarray:
    """Benjamini and Hochberg's p-values, for the false discovery rate; missing ones stay missing and are no tests."""
    return _adjusted(p_values, "fdr_bh")


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Keep what there is out of the collection of garbage that statsmodels asks for at each adjustment: where much is
    imported that takes a quarter of a second, and there is no garbage. Objects that somebody froze stay frozen."""
    is_ours = not gc.get_freeze_count()
    if is_ours:
        gc.freeze()
    try:
        yield
    finally:
        if is_ours:
            gc.unfreeze()


def _adjusted(p_values: ArrayLike, method: str) -> np.ndarray:
    p_values = np.asarray(p_values, dtype=np.float64)
    _check_probabilities("p-value", p_values, rounding=0.0)
    known = ~np.isnan(p_values)
    if known.sum() < 2:  # one test needs no adjustment
        return p_values.copy()
    adjusted = np.full(p_values.shape, np.nan)
    with _nothing_collected():
        adjusted[known] = multipletests(p_values[known], method=method)[1]
    return adjusted


def _first_below(times: np.ndarray, curve: np.ndarray, level: float) -> float:
    # 0.1 + 0.1 + 0.1 is not 0.3: at or below allows for rounding
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


_SCALES = dict(zip(SCALES, (_log_log, _logit, _log, _plain), strict=True))


def _checked_scale(scale: str) -> str:
    if scale not in SCALES:
        raise EstimateError(f"There is no scale “{scale}” for intervals. Known: {', '.join(SCALES)}.")
    return scale


def _normal_quantile(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise EstimateError(f"The confidence is {confidence:g}. Give a share above 0 and below 1, such as 0.95.")
    return float(-ndtri((1 - confidence) / 2))


def _check_probabilities(name: str, values: np.ndarray, *, rounding: float) -> None:
    wrong = (values < -rounding) | (values > 1 + rounding)
    if np.any(wrong):
        raise EstimateError(f"A {name} is outside 0 to 1: {values[wrong].flat[0]:g}. Give shares, not percent.")
