"""Proportional hazards: is each covariate's factor the same at all times?

Let the log factor of covariate x change with time as beta + theta g(t). The score of theta at theta = 0 and the fitted
beta is U, the sum over the times of g(t) (the leavers' x less its mean over the risk set). There are two ways to say
how far U strays by chance:

exact: by the information of theta less what fitting beta took of it (Grambsch & Therneau 1994, Biometrika 81:515-526,
    without their approximation, as R's cox.zph since survival 3.0). Rows are independent.
robust: to first order U is the sum over individuals of r - B inv(A) s, where s are an individual's score residuals of
    beta, r those of theta, that is of the covariate x g(t), A the information of beta, and B that of theta and beta
    together. The variance is the sum of their squares, as of any score with beta fitted (Lin & Wei 1989, JASA
    84:1074-1078; Boos 1992, The American Statistician 46:327-333). Individuals are independent, their rows need not be.
    The p-value allows for few individuals, see `intervals.robust_p_value`.

g is taken as known, and is counted from its mean over the events.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import rankdata

from journeylab.base.errors import EstimateError
from journeylab.estimators.intervals import ChiSquared
from journeylab.estimators.partial_likelihood import PartialLikelihood, Risks
from journeylab.estimators.risk_sets import RiskSets

CLOCKS = ("km", "rank", "log", "identity")


@dataclass(frozen=True, eq=False)
class ProportionalHazardsTest:
    """Is each covariate's factor the same at all times? A small p says that it is not.

    names: (covariates,). statistics, p_values: (covariates,), each with one degree of freedom, the others held.
    overall: for all together. All are missing where they cannot be computed, as robust ones with too few individuals.
    clock: the transformed time in which a trend was looked for.
    is_robust: whether individuals, not rows, were taken as independent.
    """

    names: tuple[str, ...]
    statistics: np.ndarray
    p_values: np.ndarray
    overall: ChiSquared
    clock: str
    is_robust: bool

    @classmethod
    def of(cls, names: tuple[str, ...], risks: Risks, *, clock: str, robust: bool) -> "ProportionalHazardsTest":
        """The test, given each row's risk under the fitted coefficients. Raises EstimateError for an unknown clock."""
        if clock not in CLOCKS:
            raise EstimateError(f"There is no clock “{clock}”. Known: {', '.join(CLOCKS)}.")
        time = transformed_time(risks.likelihood, clock)
        # Counted from its mean, as in R. At the very maximum that changes nothing, but R and we stop just before it.
        time = time - np.average(time, weights=risks.likelihood.sets.n_events)
        # U, then B' and the information of theta, then inv(A) B'
        score = (time[:, None] * risks.contributions).sum(axis=0)
        cross, square = risks.spread(time, time**2)
        fitted = np.linalg.solve(risks.information, cross)
        if robust:
            residuals = risks.weighted_residuals(time) - risks.residuals @ fitted
            variance = risks.likelihood.rows.clustered_variance(residuals)
        else:
            variance = square - cross @ fitted
        n = risks.likelihood.rows.n_ids if robust else None
        tests = [ChiSquared.of(score[[one]], variance[[one]][:, [one]], n_individuals=n) for one in range(len(score))]
        statistics, p_values = np.array([test.statistic for test in tests]), np.array([test.p_value for test in tests])
        return cls(names, statistics, p_values, ChiSquared.of(score, variance, n_individuals=n), clock, robust)


def transformed_time(likelihood: PartialLikelihood, clock: str) -> np.ndarray:
    """g(time) of each cell, (cells,)."""
    sets, rows = likelihood.sets, likelihood.rows
    if clock == "identity":
        return sets.times
    if clock == "log":
        if sets.times.min() <= 0:
            raise EstimateError("Something happens at time 0, which has no logarithm. Choose another clock.")
        return np.log(sets.times)
    if clock == "rank":
        ends, rank = np.unique(rows.exit, return_inverse=True)
        ranks = np.empty(len(ends))
        ranks[rank] = rankdata(rows.exit)
        return ranks[np.searchsorted(ends, sets.times)]
    pooled = RiskSets.of(replace(rows, stratum=np.zeros_like(rows.stratum)))
    at_risk = pooled.of_those_at_risk(np.ones(len(rows.event)))
    before = np.concatenate([[1.0], np.cumprod(1 - pooled.n_events / at_risk)[:-1]])
    return 1.0 - before[np.searchsorted(pooled.times, sets.times)]
