"""Log-rank: do groups leave at the same pace?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from journeylab.base.errors import EstimateError
from journeylab.estimators.arrays import distinct, one_length
from journeylab.estimators.intervals import ChiSquared
from journeylab.estimators.risk_sets import EventRows, RiskSets


@dataclass(frozen=True, eq=False)
class GroupTest:
    """A test of no difference between groups.

    statistic, degrees_of_freedom, p_value: chi-squared; a robust p-value allows for few individuals, see
        `intervals.robust_p_value`. Missing (nan) if the groups cannot be compared: fewer than two
        were at risk when something happened, or the variance of the difference is not of full rank, as with too few
        individuals.
    groups: (groups,), the labels, sorted.
    observed, expected: (groups,), events and their expectation if all groups were alike.
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
        n_individuals: int | None,
    ) -> "GroupTest":
        """The test of observed = expected, given the (groups, groups) variance of their difference; robust where that
        is a sum over so many individuals."""
        # The differences sum to 0, so that the last group adds nothing.
        tested = np.flatnonzero(expected > 0)[:-1]
        score, spread = (observed - expected)[tested], variance[np.ix_(tested, tested)]
        test = ChiSquared.of(score, spread, n_individuals=n_individuals, tolerance=1e-9)
        numbers = (test.statistic, test.degrees_of_freedom, test.p_value)
        return cls(*numbers, groups, observed, expected, n_individuals is not None)


def logrank_test(
    groups: ArrayLike,
    *,
    entry: ArrayLike,
    exit: ArrayLike,  # noqa: A002
    event: ArrayLike,
    ids: ArrayLike | None = None,
    strata: ArrayLike | None = None,
) -> GroupTest:
    """Log-rank test: do the groups leave at the same pace?

    Parameters
    ----------
    groups : (rows,)
        The label of each row's group.
    entry, exit : (rows,)
        Each row is at risk on (entry, exit]. Late entry is allowed; entry may be negative for an exit at time 0.
    event : (rows,)
        1 if the row ended in the event, 0 if watching ended.
    ids : (rows,), optional
        The individual that a row belongs to. With ids the test is robust: its variance is the sum over individuals of
        the square of their summed score residuals. Give them if individuals come back, because then their rows are not
        independent. Without ids the variance is hypergeometric, as in R's survdiff.
    strata : (rows,), optional
        Groups are compared only within strata.

    Raises
    ------
    EstimateError
        For one group, arrays of unequal length, missing or impossible values, or if nothing happens.

    References
    ----------
    Mantel 1966, Cancer Chemotherapy Reports 50:163-170; Lin & Wei 1989, JASA 84:1074-1078 (robust variance).
    """
    labels, codes = checked_groups(groups, {"entry": entry, "exit": exit, "event": event, "ids": ids, "strata": strata})
    arrays = {"groups": codes, "entry": entry, "exit": exit, "event": event, "ids": ids, "strata": strata}
    rows = EventRows.of(arrays, codes[:, None].astype(np.float64))
    sets, group = RiskSets.of(rows), rows.columns[:, 0].astype(np.int64)
    member = (group[:, None] == np.arange(len(labels))).astype(np.float64)
    at_risk = np.stack([sets.of_those_at_risk(is_in_group) for is_in_group in member.T], axis=1)
    left = np.stack([sets.of_events(is_in_group) for is_in_group in member.T], axis=1)
    share = at_risk / at_risk.sum(axis=1, keepdims=True)
    # observed: events by group; expected: all events, divided by the groups' shares of those at risk
    observed, expected = left.sum(axis=0), (sets.n_events[:, None] * share).sum(axis=0)
    if ids is not None:
        variance = rows.clustered_variance(_score_residuals(rows, sets, member, share))
    else:
        variance = _hypergeometric(sets.n_events, at_risk.sum(axis=1), share)
    return GroupTest.of(labels, observed, expected, variance, n_individuals=None if ids is None else rows.n_ids)


def checked_groups(groups: ArrayLike, rows: dict[str, ArrayLike | None]) -> tuple[np.ndarray, np.ndarray]:
    """The labels of at least two groups, sorted, and each row's position among them."""
    labels, codes = distinct("groups", one_length(groups=groups, **rows)["groups"])
    if len(labels) < 2:
        number = f"one group, “{labels[0]}”" if len(labels) else "no group"
        raise EstimateError(f"There is {number}. Give two or more to compare.")
    return labels, codes.astype(np.int64)


def _hypergeometric(left: np.ndarray, at_risk: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Sum over cells of left (at risk - left) / (at risk - 1) [diag(share) - share share']."""
    spread = left * (at_risk - left) / np.maximum(at_risk - 1, 1)
    return np.diag((spread[:, None] * share).sum(axis=0)) - share.T @ (spread[:, None] * share)


def _score_residuals(rows: EventRows, sets: RiskSets, member: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Each row's part in observed - expected less what was expected of it, (rows, groups).

    (Own group - shares) at its event, minus the sum over its time at risk of hazard x (own group - shares).
    """
    hazard = sets.n_events / sets.of_those_at_risk(np.ones(len(rows.event)))
    expected = sets.over_time_at_risk(np.column_stack([hazard, hazard[:, None] * share]))
    residuals = expected[:, 1:] - member * expected[:, :1]
    residuals[sets.event] += member[sets.event] - share[sets.cell]
    return residuals
