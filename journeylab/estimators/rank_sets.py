"""Rank sets: between which ranks may each of several estimates truly stand, when all of them are compared at once?"""

import numpy as np

N_DRAWS = 10_000


def rank_sets(
    lower: np.ndarray, upper: np.ndarray, covariance: np.ndarray, *, confidence: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """The best and the worst rank that each quantity can have; rank 1 is the largest.

    With probability `confidence` the true ranks of all quantities lie in their sets together, so what is said of the
    one that came out on top allows for its having been picked.

    Parameters
    ----------
    lower, upper : ndarray, (k,)
        The estimates. Where a quantity is only known to lie between two bounds, the estimates of these; else equal.
    covariance : ndarray, (k, k)
        Of the estimates' errors.
    confidence : float
        Of all rank sets together.
    seed : int
        For the draws that give the quantile of the largest studentised difference.

    Returns
    -------
    best, worst : ndarray of int, (k,)

    References
    ----------
    Mogstad, Romano, Shaikh & Wilhelm (2024), Inference for Ranks, Review of Economic Studies 91:476-518, section 3.1:
    simultaneous intervals of all pairwise differences.

    Examples
    --------
    >>> estimates = np.array([30.0, 10.0, 9.0])
    >>> best, worst = rank_sets(estimates, estimates, np.diag([4.0, 4.0, 4.0]), confidence=0.95, seed=1)
    >>> best.tolist(), worst.tolist()
    ([1, 2, 2], [1, 3, 3])
    """
    k = len(lower)
    first, second = np.triu_indices(k, 1)
    variance = np.diag(covariance)[first] + np.diag(covariance)[second] - 2 * covariance[first, second]
    error = np.sqrt(np.maximum(variance, 0.0))
    # Differences of the quantities that do not vary are known; the others are drawn together.
    varies = error > 1e-12 * (1.0 + np.sqrt(np.diag(covariance)).max(initial=0.0))
    critical = 0.0
    if varies.any():
        values, vectors = np.linalg.eigh(covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        draws = np.random.default_rng(seed).standard_normal((N_DRAWS, k)) @ root.T
        # A running maximum over the pairs keeps memory at one column of draws.
        largest = np.zeros(N_DRAWS)
        for one, other, spread in zip(first[varies], second[varies], error[varies], strict=True):
            np.maximum(largest, np.abs(draws[:, one] - draws[:, other]) / spread, out=largest)
        critical = float(np.quantile(largest, confidence))
    margin = np.zeros((k, k))
    margin[first, second] = margin[second, first] = critical * np.where(varies, error, 0.0)
    # is_above[i, j]: quantity i is surely larger than j.
    is_above = lower[:, None] - upper[None, :] - margin > 1e-9 * (1.0 + np.abs(upper[None, :]))
    return 1 + is_above.sum(axis=0), k - is_above.sum(axis=1)
