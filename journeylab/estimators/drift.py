"""Drift: do counts divide over cells as they did before, or do they differ by more than samples of this size would?"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.stats import chi2

# A cell that nearly nobody uses says nothing, and its share is too small to divide by.
_UNUSED = 1e-5


@dataclass(frozen=True, eq=False)
class CellDrift:
    """How far apart two divisions over the same cells are.

    before, now: (cells,) shares of the cells; each sums to 1.
    distance: total variation, half the sum of the absolute differences: the share that would have to move, 0 to 1.
    expected: its mean without any change, for samples of these sizes.
    statistic, freedom: the test's, and its degrees of freedom; missing where it cannot be computed.
    n, n_before: how many rows, now and before, have a count in any of the cells.
    """

    before: np.ndarray
    now: np.ndarray
    distance: float
    expected: float
    statistic: float
    freedom: float
    n: int
    n_before: float

    @property
    def p_value(self) -> float:
        """Of as much drift, or more, without any change."""
        return float(chi2.sf(self.statistic, self.freedom))

    def limit(self, level: float) -> float:
        """The distance at which the p-value would be `level`, had all cells moved as they did but further or less far.

        Missing where nothing moved: then there is no direction.
        """
        if not self.statistic > 0:
            return np.nan
        return float(self.distance * np.sqrt(chi2.isf(level, self.freedom) / self.statistic))


def cell_drift(counts: csr_matrix, before: np.ndarray, *, n_before: float) -> CellDrift:
    """The drift of the rows `counts` (rows, cells) from the shares `before` (cells,), which `n_before` rows gave.

    A row's counts need not be independent of each other: the variance of the shares is that between whole rows
    (linearised ratios), and the same is taken for the rows before. The p-value is Rao and Scott's (1981, Journal of the
    American Statistical Association 76:221-230, second-order correction) for Pearson's statistic of two samples. The
    distance without change is half a sum of absolute values of normal variables, of which `expected` is the mean.

    All missing where no row, now or before, has a count.
    """
    sizes = np.asarray(counts.sum(axis=1)).ravel()
    has_counts = sizes > 0
    n = int(has_counts.sum())
    if n == 0 or not n_before > 0:
        return CellDrift(before, np.full(len(before), np.nan), np.nan, np.nan, np.nan, np.nan, n, n_before)
    rows = counts[has_counts].toarray().astype(float)
    now = rows.sum(axis=0) / rows.sum()
    # Linearised ratio: covariance of the residuals between rows, times 1 + n / n_before for the rows before.
    residuals = rows - sizes[has_counts, None] * now
    covariance = (residuals.T @ residuals) / rows.sum() ** 2 * (1 + n / n_before)
    statistic, freedom = _test(now - before, covariance, (n * now + n_before * before) / (n + n_before))
    return CellDrift(
        before=before,
        now=now,
        distance=float(np.abs(now - before).sum() / 2),
        # E|X| of a normal X with mean 0, half of it for each cell.
        expected=float(np.sqrt(np.diag(covariance) / (2 * np.pi)).sum()),
        statistic=statistic,
        freedom=freedom,
        n=n,
        n_before=n_before,
    )


def _test(difference: np.ndarray, covariance: np.ndarray, shares: np.ndarray) -> tuple[float, float]:
    """The statistic and its degrees of freedom; missing where nothing varies."""
    # Pearson's statistic is a sum of squares of correlated normals; a chi-squared with the same mean and variance fits.
    used = shares > _UNUSED
    scale = 1 / np.sqrt(shares[used])
    spread = scale[:, None] * covariance[np.ix_(used, used)] * scale
    total, squares = float(np.trace(spread)), float((spread**2).sum())
    if squares <= 0:
        return np.nan, np.nan
    statistic = float((difference[used] ** 2 * scale**2).sum())
    return statistic * total / squares, total**2 / squares
