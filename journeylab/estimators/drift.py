"""Drift: do counts divide over cells as they did before, or do they differ by more than samples of this size would?"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.stats import chi2, gamma

# A cell that nearly nobody uses says nothing, and its share is too small to divide by.
_UNUSED = 1e-5


@dataclass(frozen=True, eq=False)
class CellDrift:
    """How far apart two divisions over the same cells are.

    before, now: (cells,) shares of the cells; each sums to 1.
    distance: total variation, half the sum of the absolute differences: the share that would have to move, 0 to 1.
    expected: its mean without any change, for samples of these sizes.
    lower, upper: in 90 of 100 samples without any change the distance is between them.
    p_value: of as much drift, or more, without any change; missing where it cannot be computed.
    n, n_before: how many rows, now and before, have a count in any of the cells.
    """

    before: np.ndarray
    now: np.ndarray
    distance: float
    expected: float
    lower: float
    upper: float
    p_value: float
    n: int
    n_before: float


def cell_drift(counts: csr_matrix, before: np.ndarray, *, n_before: float) -> CellDrift:
    """The drift of the rows `counts` (rows, cells) from the shares `before` (cells,), which `n_before` rows gave.

    A row's counts need not be independent of each other: the variance of the shares is that between whole rows
    (linearised ratios), and the same is taken for the rows before. The p-value is Rao and Scott's (1981, Journal of the
    American Statistical Association 76:221-230, second-order correction) for Pearson's statistic of two samples. The
    distance without change is half a sum of absolute values of correlated normal variables; its mean and variance are
    exact, its limits those of the gamma distribution that has both.

    All missing where no row, now or before, has a count.
    """
    sizes = np.asarray(counts.sum(axis=1)).ravel()
    has_counts = sizes > 0
    n = int(has_counts.sum())
    if n == 0 or not n_before > 0:
        return CellDrift(before, np.full(len(before), np.nan), np.nan, np.nan, np.nan, np.nan, np.nan, n, n_before)
    rows = counts[has_counts].toarray().astype(float)
    now = rows.sum(axis=0) / rows.sum()
    # Linearised ratio: covariance of the residuals between rows, times 1 + n / n_before for the rows before.
    residuals = rows - sizes[has_counts, None] * now
    covariance = (residuals.T @ residuals) / rows.sum() ** 2 * (1 + n / n_before)
    expected, lower, upper = _by_chance(covariance)
    return CellDrift(
        before=before,
        now=now,
        distance=float(np.abs(now - before).sum() / 2),
        expected=expected,
        lower=lower,
        upper=upper,
        p_value=_p_value(now - before, covariance, (n * now + n_before * before) / (n + n_before)),
        n=n,
        n_before=n_before,
    )


def _by_chance(covariance: np.ndarray) -> tuple[float, float, float]:
    """Mean, and 5% and 95% quantile, of half the sum of |X| for normal X with mean 0 and this `covariance`."""
    errors = np.sqrt(np.diag(covariance))
    mean = float(np.sqrt(2 / np.pi) * errors.sum() / 2)
    if mean == 0:
        return 0.0, 0.0, 0.0
    products = np.outer(errors, errors)
    correlation = np.clip(np.divide(covariance, products, out=np.zeros_like(covariance), where=products > 0), -1, 1)
    # E|XY| = 2/pi (sqrt(1 - r^2) + r asin r) for unit variances (Nabeya 1951).
    together = 2 / np.pi * (np.sqrt(1 - correlation**2) + correlation * np.arcsin(correlation)) * products
    variance = float(together.sum() / 4 - mean**2)
    if variance <= 0:
        return mean, mean, mean
    limits = gamma.ppf([0.05, 0.95], mean**2 / variance, scale=variance / mean)
    return mean, float(limits[0]), float(limits[1])


def _p_value(difference: np.ndarray, covariance: np.ndarray, shares: np.ndarray) -> float:
    # Pearson's statistic is a sum of squares of correlated normals; a chi-squared with the same mean and variance fits.
    used = shares > _UNUSED
    scale = 1 / np.sqrt(shares[used])
    spread = scale[:, None] * covariance[np.ix_(used, used)] * scale
    total, squares = float(np.trace(spread)), float((spread**2).sum())
    if squares <= 0:
        return np.nan
    statistic = float((difference[used] ** 2 * scale**2).sum())
    return float(chi2.sf(statistic * total / squares, total**2 / squares))
