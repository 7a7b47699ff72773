"""Log-rank: do groups leave at the same pace?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from journeylab.base.errors import EstimateError
from journeylab.estimators.arrays import distinct, one_length
from journeylab.estimators.risk_sets import EventRows, RiskSets


@dataclass(frozen=True, eq=False)
class GroupTest:
    """A test of no difference between groups.

    statistic, degrees_of_freedom, p_value: chi-squared. Missing (nan) if the groups cannot be told apart: fewer than
        two were at risk when something happened, or the variance of the difference is not of full rank, as with too
        few individuals.
    groups: (groups,), the labels, sorted.
    observed, expected: (groups,), events and their expectation if all groups were alike, each weighted as the test
        does.
    is_robust: whether individuals, not rows, were taken as independent.
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float
    groups: np.ndarray
    observed: np.ndarray
    expected: np.ndarray
    is_robust: bool

    @classmethod
    def of(
        cls,
        groups: np.ndarray,
        observed: np.ndarray,
        expected: np.ndarray,
        variance: np.ndarray,
        *,
        is_robust: bool,
    ) -> "GroupTest":
        """The test of observed = expected, given the (groups, groups) variance of their difference."""
        counted = np.flatnonzero(expected > 0)[:-1]
        difference, spread = (observed - expected)[counted], variance[np.ix_(counted, counted)]
        statistic = p_value = float("nan")
        scale = np.sqrt(np.diag(spread)) if len(counted) else np.zeros(1)
        if scale.min() > 0 and np.linalg.matrix_rank(spread / np.outer(scale, scale), tol=1e-9) == len(counted):
            statistic = float(difference @ np.linalg.solve(spread, difference))
            p_value = float(chdtrc(len(counted), statistic))
        return cls(statistic, len(counted), p_value, groups, observed, expected, is_robust)


def logrank_test(
    groups: ArrayLike,
    *,
    entry: ArrayLike,
    exit: ArrayLike,  # noqa: A002
    event: ArrayLike,
    ids: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    rho: float = 0.0,
) -> GroupTest:
    """Log-rank test of `groups`, and its G-rho family (Harrington & Fleming 1982, Biometrika 69:553-566).

    groups: a label per row, at risk on (entry, exit]; late entry is allowed, entry may be negative for an exit at
        time 0.
    event: 1 if the row ended in the event, 0 if watching ended.
    ids: who a row belongs to. If given, the test is robust: the variance is the sum over individuals of the square of
        their summed score residuals (Lin & Wei 1989, JASA 84:1074-1078), as individuals come back and rows are not
        independent. Otherwise it is hypergeometric (Mantel 1966), as R's survdiff.
    strata: compares within strata only. rho: weighs each time by (pooled survival just before it)^rho; 0 is the log-
        rank test, 1 Peto and Peto's form of Wilcoxon's, which looks more at early times.

    Raises EstimateError for one group, arrays of unequal length, missing or impossible values, or if nothing happens.
    """
    labels, codes = checked_groups(groups, {"entry": entry, "exit": exit, "event": event, "ids": ids, "strata": strata})
    arrays = {"groups": codes, "entry": entry, "exit": exit, "event": event, "ids": ids, "strata": strata}
    rows = EventRows.of(arrays, codes[:, None].astype(np.float64))
    sets, group = RiskSets.of(rows), rows.columns[:, 0].astype(np.int64)
    member = (group[:, None] == np.arange(len(labels))).astype(np.float64)
    at_risk = np.stack([sets.of_those_at_risk(each) for each in member.T], axis=1)
    moved = np.stack([sets.of_events(each) for each in member.T], axis=1)
    share = at_risk / at_risk.sum(axis=1, keepdims=True)
    weight = _pooled_survival(sets, at_risk.sum(axis=1)) ** rho
    observed = (weight[:, None] * moved).sum(axis=0)
    expected = ((weight * sets.n_events)[:, None] * share).sum(axis=0)
    if ids is not None:
        variance = rows.clustered_variance(_score_residuals(rows, sets, member, share, weight))
    else:
        variance = _hypergeometric(sets.n_events, at_risk.sum(axis=1), share, weight)
    return GroupTest.of(labels, observed, expected, variance, is_robust=ids is not None)


def checked_groups(groups: ArrayLike, rows: dict[str, ArrayLike | None]) -> tuple[np.ndarray, np.ndarray]:
    """The labels of at least two groups, sorted, and each row's position among them."""
    labels, codes = distinct("groups", one_length(groups=groups, **rows)["groups"])
    if len(labels) < 2:
        found = f"one group, “{labels[0]}”" if len(labels) else "no group"
        raise EstimateError(f"There is {found}. Give two or more to compare.")
    return labels, codes.astype(np.int64)


def _pooled_survival(sets: RiskSets, at_risk: np.ndarray) -> np.ndarray:
    """Kaplan-Meier of all groups together just before each cell's time, within its stratum: (cells,)."""
    survival = np.ones(sets.n_cells)
    for begin, end in _stratum_bounds(sets):
        staying = np.cumprod(1.0 - sets.n_events[begin:end] / at_risk[begin:end])
        survival[begin + 1 : end] = staying[:-1]
    return survival


def _stratum_bounds(sets: RiskSets) -> list[tuple[int, int]]:
    begins = np.flatnonzero(np.diff(sets.stratum, prepend=-1))
    return list(zip(begins, [*begins[1:], sets.n_cells], strict=True))


def _hypergeometric(moved: np.ndarray, at_risk: np.ndarray, share: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Sum over cells of weight^2 moved (at risk - moved) / (at risk - 1) [diag(share) - share share']."""
    drawn = weight**2 * moved * (at_risk - moved) / np.maximum(at_risk - 1, 1)
    return np.diag((drawn[:, None] * share).sum(axis=0)) - share.T @ (drawn[:, None] * share)


def _score_residuals(
    rows: EventRows, sets: RiskSets, member: np.ndarray, share: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Each row's part in observed - expected less what was expected of it, (rows, groups).

    weight (own group - shares) at its event, minus the sum over its time at risk of weight x hazard x (own group -
    shares).
    """
    hazard = weight * sets.n_events / sets.of_those_at_risk(np.ones(len(rows.event)))
    expected = sets.over_time_at_risk(np.column_stack([hazard, hazard[:, None] * share]))
    residuals = expected[:, 1:] - member * expected[:, :1]
    residuals[sets.event] += weight[sets.cell, None] * (member[sets.event] - share[sets.cell])
    return residuals
