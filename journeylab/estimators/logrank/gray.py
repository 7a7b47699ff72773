"""Gray: is one way out equally common in all groups, when there are others?

A log-rank test of one way out compares how fast groups leave by it while they are still there. Gray's test compares
its cumulative incidence: how many have gone that way in the end, with the other ways out what they are.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from journeylab.base.errors import EstimateError
from journeylab.estimators.arrays import numbers
from journeylab.estimators.logrank.logrank import GroupTest, checked_groups
from journeylab.estimators.risk_sets import EventRows, RiskSets


def gray_test(
    groups: ArrayLike,
    *,
    entry: ArrayLike,
    exit: ArrayLike,  # noqa: A002
    way_out: ArrayLike,
    of_interest: int,
    ids: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    rho: float = 0.0,
) -> GroupTest:
    """Gray's K-sample test of equal cumulative incidence of one way out.

    Gray 1988, Annals of Statistics 16:1141-1154; the numbers are those of R's cmprsk.

    groups: a label per row, at risk on (entry, exit]; with late entry the groups' curves are those for late entry.
    way_out: a whole number above 0 for each way out, 0 or -1 where watching ended. of_interest: the one compared.
    ids: who a row belongs to. If given, the variance is the sum over individuals of the square of their summed
        residuals, as in the robust log-rank test. strata: compares within strata only.
    rho: weighs each time by (1 - pooled incidence just before it)^rho.

    Raises EstimateError for one group, arrays of unequal length, missing or impossible values, or if nobody goes that
    way.
    """
    given = {"entry": entry, "exit": exit, "way_out": way_out, "ids": ids, "strata": strata}
    labels, codes = checked_groups(groups, given)
    way_out = _checked_ways_out(np.asarray(way_out), of_interest)
    columns = np.column_stack([codes, way_out == of_interest]).astype(np.float64)
    arrays = {"groups": codes, "entry": entry, "exit": exit, "event": way_out > 0, "ids": ids, "strata": strata}
    rows = EventRows.of(arrays, columns)
    if not rows.columns[:, 1].any():
        raise EstimateError(f"Nobody leaves by way {of_interest}. Choose another, or watch longer.")
    sets, n_groups = RiskSets.of(rows), len(labels)
    counts = [_counts(rows, sets, group) for group in range(n_groups)]
    at_risk, moved, others = (np.stack(each, axis=1) for each in zip(*counts, strict=True))
    bounds = np.flatnonzero(np.diff(sets.stratum, prepend=-1, append=-1))
    strata = [
        _Stratum.of(at_risk[begin:end], moved[begin:end], others[begin:end], rho=rho) for begin, end in pairwise(bounds)
    ]
    if ids is None:
        variance = sum(one.variance() for one in strata)
    else:
        variance = rows.clustered_variance(_residuals(rows, sets, strata, n_groups))
    observed, expected = sum(one.observed() for one in strata), sum(one.expected() for one in strata)
    return GroupTest.of(labels, observed, expected, variance, is_robust=ids is not None)


def _counts(rows: EventRows, sets: RiskSets, group: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """At risk, leaving by the way of interest, and by others, in one group: each (cells,)."""
    member, interest = rows.columns[:, 0] == group, rows.columns[:, 1] == 1
    at_risk = sets.of_those_at_risk(member.astype(np.float64))
    return at_risk, sets.of_events((member & interest) * 1.0), sets.of_events((member & ~interest) * 1.0)


def _residuals(rows: EventRows, sets: RiskSets, strata: list["_Stratum"], n_groups: int) -> np.ndarray:
    """Each row's effect on observed - expected, less what was expected of it: (rows, groups)."""
    group, interest = rows.columns[:, 0], rows.columns[:, 1] == 1
    residuals = np.zeros((len(group), n_groups))
    for position in range(n_groups):
        effects = [one.effects(position) for one in strata]
        moved, others, expected = (np.concatenate(each) for each in zip(*effects, strict=True))
        member = group == position
        residuals[member] -= sets.over_time_at_risk(expected)[member]
        left, cell = np.flatnonzero(sets.event), sets.cell
        own = member[left]
        residuals[left[own]] += np.where(interest[left[own], None], moved[cell[own]], others[cell[own]])
    return residuals


def _checked_ways_out(way_out: np.ndarray, of_interest: int) -> np.ndarray:
    way_out = numbers("way_out", way_out)
    wrong = (way_out != np.floor(way_out)) | (way_out < -1)
    if wrong.any():
        raise EstimateError(
            f"“way_out” holds an unknown code in {wrong.sum()} of {len(way_out)} rows, first in row {wrong.argmax()}: "
            f"{way_out[wrong.argmax()]:g}. Use whole numbers above 0, and 0 or -1 where watching ended."
        )
    if of_interest < 1:
        raise EstimateError(f"The way out of interest is {of_interest}. Choose one of the codes above 0.")
    return way_out


@dataclass(frozen=True, eq=False)
class _Stratum:
    """The groups' curves in one stratum, each (times, groups) unless said otherwise, and what the test makes of them.

    at_risk; moved, others: leaving by the way of interest, by others; before, after: in the state just before and
        after.
    rho: the power of the weight.
    """

    at_risk: np.ndarray
    moved: np.ndarray
    others: np.ndarray
    before: np.ndarray
    after: np.ndarray
    rho: float

    @classmethod
    def of(cls, at_risk: np.ndarray, moved: np.ndarray, others: np.ndarray, *, rho: float) -> "_Stratum":
        """The Kaplan-Meier curve of each group from counts."""
        hazard = _ratio(moved + others, at_risk)
        after = np.cumprod(1.0 - hazard, axis=0)
        before = np.concatenate([np.ones((1, after.shape[1])), after[:-1]])
        return cls(at_risk, moved, others, before, after, rho)

    @cached_property
    def n_moved(self) -> np.ndarray:
        """Leaving by the way of interest from any group, (times, 1)."""
        return self.moved.sum(axis=1, keepdims=True)

    @cached_property
    def subset(self) -> np.ndarray:
        """At risk / still there before: those who would be at risk had nobody left by other ways, to a common scale."""
        return _ratio(self.at_risk, self.before)

    @cached_property
    def total(self) -> np.ndarray:
        """(times, 1)."""
        return self.subset.sum(axis=1, keepdims=True)

    @cached_property
    def pooled(self) -> np.ndarray:
        """Pooled incidence just after each time, (times, 1)."""
        return np.cumsum(_ratio(self.n_moved, self.total), axis=0)

    @cached_property
    def pooled_before(self) -> np.ndarray:
        """Pooled incidence just before each time, (times, 1)."""
        return np.concatenate([np.zeros((1, 1)), self.pooled[:-1]])

    @cached_property
    def weight(self) -> np.ndarray:
        """(times, 1)."""
        return (1.0 - self.pooled_before) ** self.rho

    def observed(self) -> np.ndarray:
        """Weighted leavers by the way of interest, (groups,)."""
        return (self.weight * self.moved).sum(axis=0)

    def expected(self) -> np.ndarray:
        """The same if all groups had one incidence, (groups,)."""
        incidence = np.cumsum(self.before * _ratio(self.moved, self.at_risk), axis=0)
        incidence = np.concatenate([np.zeros((1, incidence.shape[1])), incidence[:-1]])
        at_risk = self.subset * (1.0 - incidence)
        return (self.weight * self.n_moved * _ratio(at_risk, at_risk.sum(axis=1, keepdims=True))).sum(axis=0)

    @cached_property
    def direct(self) -> np.ndarray:
        """What one leaving by the way of interest from group k brings the score of i there and then: (times, i, k)."""
        own = self.subset[:, :, None] * np.eye(self.subset.shape[1])
        return self.weight[:, :, None] * (
            own - _ratio(self.subset[:, :, None] * self.subset[:, None], self.total[:, :, None])
        )

    @cached_property
    def later(self) -> np.ndarray:
        """What group k's curve at each time brings the score of i at all later times, (times, i, k)."""
        step = self.direct * _ratio(self.n_moved, self.total * (1.0 - self.pooled_before))[:, :, None]
        running = np.cumsum(step, axis=0)
        return running[-1] - running

    @cached_property
    def remaining(self) -> np.ndarray:
        """Never leaving by the way of interest / still there: (times, groups), 0 when nobody is."""
        return _ratio(1.0 - self.pooled, self.after)

    @cached_property
    def of_moved(self) -> np.ndarray:
        """Effect of leaving by the way of interest, (times, i, k)."""
        return self.direct + np.where(self.after > 0, 1.0 - self.remaining, 1.0)[:, None] * self.later

    @cached_property
    def of_others(self) -> np.ndarray:
        """Effect of leaving by another way, (times, i, k)."""
        return -self.remaining[:, None] * self.later

    def variance(self) -> np.ndarray:
        """Variance of observed - expected, (groups, groups), with corrections for ties."""
        expected = self.total * self.before
        ties = np.where(self.n_moved > 1, 1.0 - _ratio(self.n_moved - 1, expected - 1), 1.0)
        moved = ties * self.before * _ratio(self.n_moved, self.total * self.at_risk)
        ties = np.where(self.others > 1, 1.0 - _ratio(self.others - 1, self.at_risk - 1), 1.0)
        others = ties * self.before**2 * _ratio(self.others, self.at_risk**2)
        return sum(
            np.einsum("tik,tjk,tk->ij", effect, effect, spread)
            for effect, spread in ((self.of_moved, moved), (self.of_others, others))
        )

    def effects(self, group: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For a row of `group`, each (times, groups): of leaving each way, and expected of it while at risk."""
        scale = _ratio(self.before[:, group], self.at_risk[:, group])[:, None]
        moved, others = self.of_moved[:, :, group] * scale, self.of_others[:, :, group] * scale
        # under the hypothesis the way of interest has one incidence; the others are left as they are
        hazard = _ratio(self.n_moved, self.total * self.before[:, group, None])
        expected = moved * hazard + others * _ratio(self.others[:, group, None], self.at_risk[:, group, None])
        return moved, others, expected


def _ratio(over: np.ndarray, under: np.ndarray) -> np.ndarray:
    """over / under, and 0 where there is nothing to divide by."""
    over, under = np.broadcast_arrays(np.asarray(over, dtype=np.float64), np.asarray(under, dtype=np.float64))
    return np.divide(over, under, out=np.zeros(over.shape), where=under > 0)
