"""Chi-squared: is a score farther from 0 than chance would have it?"""

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc


@dataclass(frozen=True)
class ChiSquared:
    """A test: chi-squared `statistic`, `degrees_of_freedom` and `p_value`; missing where it cannot be computed."""

    statistic: float
    degrees_of_freedom: int
    p_value: float

    @classmethod
    def of(cls, score: np.ndarray, variance: np.ndarray) -> "ChiSquared":
        """The test of `score` = 0, given its variance; missing unless that is of full rank."""
        scale = np.sqrt(np.maximum(np.diag(variance), 0))
        if not scale.min() > 0 or np.linalg.matrix_rank(variance / np.outer(scale, scale), tol=1e-10) < len(score):
            return cls(float("nan"), len(score), float("nan"))
        statistic = float(score @ np.linalg.solve(variance, score))
        return cls(statistic, len(score), float(chdtrc(len(score), statistic)))
