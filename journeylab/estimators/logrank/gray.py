"""Gray: is one exit equally common in all groups, when there are others?

A log-rank test of one exit compares how fast groups leave by it while they are still there. Gray's test compares its
cumulative incidence: how many have left by it in the end, given the other exits.

Notation, for group k at time t: Y at risk; S the Kaplan-Meier curve of all exits together; F the cumulative incidence
of the exit of interest, over all groups; R = Y / S(t-). R (1 - F) would be at risk had nobody left by other exits.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from journeylab.base.errors import EstimateError
from journeylab.estimators.arrays import numbers, ratio, refuse
from journeylab.estimators.logrank.logrank import GroupTest, checked_groups
from journeylab.estimators.risk_sets import EventRows, RiskSets


def gray_test(
    groups: ArrayLike,
    *,
    entry: ArrayLike,
    exit: ArrayLike,  # noqa: A002
    destination: ArrayLike,
    of_interest: int,
    ids: ArrayLike | None = None,
    strata: ArrayLike | None = None,
) -> GroupTest:
    """Gray's K-sample test of equal cumulative incidence of one exit; the numbers are those of R's cmprsk.

    Parameters
    ----------
    groups : (rows,)
        The label of each row's group.
    entry, exit : (rows,)
        Each row is at risk on (entry, exit]. With late entry the groups' curves are those for late entry.
    destination : (rows,)
        A whole number above 0 for each exit; 0 or -1 where watching ended.
    of_interest : int
        The exit that is compared.
    ids : (rows,), optional
        The individual that a row belongs to. With ids the variance is the sum over individuals of the square of their
        summed residuals, as in the robust log-rank test.
    strata : (rows,), optional
        Groups are compared only within strata.

    Raises
    ------
    EstimateError
        For one group, arrays of unequal length, missing or impossible values, or if nobody leaves by that exit.

    References
    ----------
    Gray 1988, Annals of Statistics 16:1141-1154.
    """
    given = {"entry": entry, "exit": exit, "destination": destination, "ids": ids, "strata": strata}
    labels, codes = checked_groups(groups, given)
    destination = _checked_destination(np.asarray(destination), of_interest)
    columns = np.column_stack([codes, destination == of_interest]).astype(np.float64)
    arrays = {"groups": codes, "entry": entry, "exit": exit, "event": destination > 0, "ids": ids, "strata": strata}
    rows = EventRows.of(arrays, columns)
    if not rows.columns[:, 1].any():
        raise EstimateError(f"Nobody leaves by exit {of_interest}. Choose another, or watch longer.")
    sets, n_groups = RiskSets.of(rows), len(labels)
    counts = [_counts(rows, sets, group) for group in range(n_groups)]
    at_risk, left, others = (np.stack(columns, axis=1) for columns in zip(*counts, strict=True))
    bounds = pairwise(np.flatnonzero(np.diff(sets.stratum, prepend=-1, append=-1)))
    curves = [_Stratum.of(at_risk[begin:end], left[begin:end], others[begin:end]) for begin, end in bounds]
    if ids is None:
        variance = sum((stratum.variance() for stratum in curves), np.zeros((n_groups, n_groups)))
    else:
        variance = rows.clustered_variance(_residuals(rows, sets, curves, n_groups))
    expected = sum((stratum.expected() for stratum in curves), np.zeros(n_groups))
    n_individuals = None if ids is None else rows.n_ids
    return GroupTest.of(labels, left.sum(axis=0), expected, variance, n_individuals=n_individuals)


def _counts(rows: EventRows, sets: RiskSets, group: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """At risk, leaving by the exit of interest, and by others, in one group: each (cells,)."""
    member, interest = rows.columns[:, 0] == group, rows.columns[:, 1] == 1
    at_risk = sets.of_those_at_risk(member.astype(np.float64))
    return at_risk, sets.of_events((member & interest) * 1.0), sets.of_events((member & ~interest) * 1.0)


def _residuals(rows: EventRows, sets: RiskSets, strata: list["_Stratum"], n_groups: int) -> np.ndarray:
    """Each row's effect on observed - expected, less what was expected of it: (rows, groups)."""
    group, interest = rows.columns[:, 0], rows.columns[:, 1] == 1
    residuals = np.zeros((len(group), n_groups))
    leavers = np.flatnonzero(sets.event)
    for position in range(n_groups):
        effects = [stratum.effects(position) for stratum in strata]
        of_left, of_others, expected = (np.concatenate(parts) for parts in zip(*effects, strict=True))
        member = group == position
        residuals[member] -= sets.over_time_at_risk(expected)[member]
        row, cell = leavers[member[leavers]], sets.cell[member[leavers]]
        residuals[row] += np.where(interest[row, None], of_left[cell], of_others[cell])
    return residuals


def _checked_destination(destination: np.ndarray, of_interest: int) -> np.ndarray:
    destination = numbers("destination", destination)
    wrong = (destination != np.floor(destination)) | (destination < -1)
    fix = "Use whole numbers above 0, and 0 or -1 where watching ended."
    refuse("“destination” has an unknown code", destination, wrong, fix)
    if of_interest < 1:
        raise EstimateError(f"The exit of interest is {of_interest}. Choose one of the codes above 0.")
    return destination


@dataclass(frozen=True, eq=False)
class _Stratum:
    """The groups' curves in one stratum, each (times, groups) unless said otherwise, and the test's terms from them.

    at_risk: Y. left, others: how many leave by the exit of interest, and by others. before, after: S just before and
        just after each time.
    """

    at_risk: np.ndarray
    left: np.ndarray
    others: np.ndarray
    before: np.ndarray
    after: np.ndarray

    @classmethod
    def of(cls, at_risk: np.ndarray, left: np.ndarray, others: np.ndarray) -> "_Stratum":
        """The Kaplan-Meier curve of each group from counts."""
        hazard = ratio(left + others, at_risk)
        after = np.cumprod(1.0 - hazard, axis=0)
        before = np.concatenate([np.ones((1, after.shape[1])), after[:-1]])
        return cls(at_risk, left, others, before, after)

    @cached_property
    def n_left(self) -> np.ndarray:
        """Leaving by the exit of interest from any group, (times, 1)."""
        return self.left.sum(axis=1, keepdims=True)

    @cached_property
    def subset(self) -> np.ndarray:
        """R = Y / S(t-), the groups on a common scale."""
        return ratio(self.at_risk, self.before)

    @cached_property
    def total(self) -> np.ndarray:
        """R of all groups, (times, 1)."""
        return self.subset.sum(axis=1, keepdims=True)

    @cached_property
    def pooled(self) -> np.ndarray:
        """Pooled incidence just after each time, (times, 1)."""
        return np.cumsum(ratio(self.n_left, self.total), axis=0)

    @cached_property
    def pooled_before(self) -> np.ndarray:
        """Pooled incidence just before each time, (times, 1)."""
        return np.concatenate([np.zeros((1, 1)), self.pooled[:-1]])

    def expected(self) -> np.ndarray:
        """How many would leave by the exit of interest if all groups had one incidence, (groups,)."""
        incidence = np.cumsum(self.before * ratio(self.left, self.at_risk), axis=0)
        incidence = np.concatenate([np.zeros((1, incidence.shape[1])), incidence[:-1]])
        at_risk = self.subset * (1.0 - incidence)
        return (self.n_left * ratio(at_risk, at_risk.sum(axis=1, keepdims=True))).sum(axis=0)

    @cached_property
    def direct(self) -> np.ndarray:
        """What one leaving by the exit of interest from group k adds to the score of i at that time: (times, i, k).

        R_i [i = k] - R_i R_k / R of all.
        """
        same = self.subset[:, :, None] * np.eye(self.subset.shape[1])
        return same - ratio(self.subset[:, :, None] * self.subset[:, None], self.total[:, :, None])

    @cached_property
    def later(self) -> np.ndarray:
        """What group k's curve at each time adds to the score of i at all later times, (times, i, k).

        The sum over later times of direct x dF / (1 - F).
        """
        step = self.direct * ratio(self.n_left, self.total * (1.0 - self.pooled_before))[:, :, None]
        running = np.cumsum(step, axis=0)
        return running[-1] - running

    @cached_property
    def remaining(self) -> np.ndarray:
        """(1 - F) / S, (times, groups), 0 when nobody is still there."""
        return ratio(1.0 - self.pooled, self.after)

    @cached_property
    def of_left(self) -> np.ndarray:
        """Effect of leaving by the exit of interest, (times, i, k)."""
        return self.direct + np.where(self.after > 0, 1.0 - self.remaining, 1.0)[:, None] * self.later

    @cached_property
    def of_others(self) -> np.ndarray:
        """Effect of leaving by another exit, (times, i, k)."""
        return -self.remaining[:, None] * self.later

    def variance(self) -> np.ndarray:
        """Variance of observed - expected, (groups, groups), with corrections for ties."""
        # Variance of the exits of interest, expected to have one incidence: correction x S / Y x dF.
        expected = self.total * self.before
        ties = np.where(self.n_left > 1, 1.0 - ratio(self.n_left - 1, expected - 1), 1.0)
        left = ties * self.before * ratio(self.n_left, self.total * self.at_risk)
        # Variance of the other exits, as many as there were: correction x S^2 x others / Y^2.
        ties = np.where(self.others > 1, 1.0 - ratio(self.others - 1, self.at_risk - 1), 1.0)
        others = ties * self.before**2 * ratio(self.others, self.at_risk**2)
        return sum(
            np.einsum("tik,tjk,tk->ij", effect, effect, spread)
            for effect, spread in ((self.of_left, left), (self.of_others, others))
        )

    def effects(self, group: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For a row of `group`, each (times, groups): of leaving by either kind of exit, and expected while at risk."""
        scale = ratio(self.before[:, group], self.at_risk[:, group])[:, None]
        left, others = self.of_left[:, :, group] * scale, self.of_others[:, :, group] * scale
        # Under the hypothesis the exit of interest has one incidence; the other exits are as they were.
        hazard = ratio(self.n_left, self.total * self.before[:, group, None])
        expected = left * hazard + others * ratio(self.others[:, group, None], self.at_risk[:, group, None])
        return left, others, expected
