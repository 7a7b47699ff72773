"""Foresight: does a group know what had not happened yet when its members were put in it?

Who is in a group because they stayed, or because of how they left, cannot have left while that was still open. So the
group has a stretch of time from the start without any event where, at the rate of everybody, many were to be expected;
or none of its members is there any more when many were to be expected to be. Honest groups differ in their rates, by
whatever factor, but not so; where they do, because a term ends for all alike, a crowd leaves on one day.

Let E be the events to be expected of a group at the rate of everybody, summed over the time that its members are at
risk. Whatever its own factor, its m events lie on the scale of E like m uniform numbers, so that with the probability
(1 - w)^m none lies in the first share w.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from journeylab.base.ordering import largest, settled
from journeylab.estimators.arrays import ratio
from journeylab.estimators.risk_sets import EventRows, RiskSets

FEWEST_EXPECTED = 10.0
# So improbable must it be in an honest group: dozens of groups, stages and kinds of events are looked at.
LEVEL = 1e-4
# Where a larger share of a group's events is nearer to a time than so large a part of it, the group has a term; where a
# smaller share than the second is so near to the last time, the group has come to its natural end.
CROWD, TAPER, NEAR = 0.3, 0.02, 0.1


@dataclass(frozen=True)
class Foresight:
    """A group that seems to know the future.

    group: its code. before: the time before which nobody had the event (`has_none`), infinite where nobody has at all;
    or by which all were gone. expected: how many were to be expected to have it, or to be there still.
    """

    group: int
    before: float
    expected: float
    has_none: bool


def find_foresight(
    groups: ArrayLike,
    *,
    entry: ArrayLike,
    exit: ArrayLike,  # noqa: A002
    event: ArrayLike,
    watchable: ArrayLike | None = None,
) -> Foresight | None:
    """The group that most clearly seems to know the future; None where none does.

    Parameters
    ----------
    groups : (rows,)
        The code of each row's group, from 0; -1 for rows that only count among everybody.
    entry, exit : (rows,)
        Each row is at risk on (entry, exit].
    event : (rows,)
        1 if the row ended in the event, 0 if not.
    watchable : (rows,), optional
        Until when each row would have been watched without the event, where it is the only way to leave.

    Returns
    -------
    Foresight or None
        Of a group of which more than ten events were to be expected before it has any. Or, with `watchable`, of one of
        which more than ten were to be expected to be at risk when none was left. Both at a level of 1 in 10,000,
        whatever the group's own pace.

    Raises
    ------
    EstimateError
        If the arrays differ in length, or have missing or impossible values.
    """
    codes = np.asarray(groups)
    if not np.asarray(event).any():
        return None
    until = np.full(len(codes), -np.inf) if watchable is None else np.asarray(watchable, dtype=np.float64)
    arrays = {"groups": codes, "entry": entry, "exit": exit, "event": event, "ids": None, "strata": None}
    rows = EventRows.of({**arrays, "weights": None}, np.column_stack([codes, until]).astype(np.float64))
    sets, code = RiskSets.of(rows), rows.columns[:, 0].astype(np.int64)
    hazard = ratio(sets.n_events, sets.of_those_at_risk(np.ones(len(code))))
    stays, found = _Stays.of(sets.times, hazard), []
    for group in np.unique(code[code >= 0]).tolist():
        member = code == group
        expected = sets.of_those_at_risk(member.astype(np.float64)) * hazard
        events = sets.of_events(member.astype(np.float64))
        found.append(_gap(group, sets.times, expected, events))
        found.append(_none_left(group, member, rows, stays, float(events.sum())))
    known = [one for one in found if one is not None]
    return known[largest([one.expected for one in known])] if known else None


@dataclass(frozen=True, eq=False)
class _Stays:
    """How likely everybody is to stay: times and the log of the Kaplan-Meier curve just after them, from 0 on."""

    times: np.ndarray
    log_curve: np.ndarray
    hazards: np.ndarray

    @classmethod
    def of(cls, times: np.ndarray, hazard: np.ndarray) -> "_Stays":
        log_steps = np.log1p(-np.minimum(hazard, 1 - 1e-12))
        return cls(times, *(np.concatenate([[0.0], np.cumsum(steps)]) for steps in (log_steps, hazard)))

    def between(self, entry: np.ndarray, last: float) -> np.ndarray:
        """The chance to stay from `entry`, (rows,), past `last`."""
        until = self.log_curve[np.searchsorted(self.times, last, "right")]
        return np.exp(until - self.log_curve[np.searchsorted(self.times, entry, "right")])

    def expected(self, entry: np.ndarray, exit_: np.ndarray) -> np.ndarray:
        """How many events are to be expected of each row at risk on (entry, exit], (rows,)."""
        ends, begins = (np.searchsorted(self.times, moment, "right") for moment in (exit_, entry))
        return self.hazards[ends] - self.hazards[begins]


def _gap(group: int, times: np.ndarray, expected: np.ndarray, events: np.ndarray) -> Foresight | None:
    """The time until the first event of the group, if that is too long."""
    own = np.flatnonzero(events > 0)
    first = own[0] if len(own) else len(times)
    width, n_events = float(settled(expected[:first].sum())), int(events.sum())
    if width <= FEWEST_EXPECTED or (n_events and (1 - width / expected.sum()) ** n_events > LEVEL):
        return None
    before = float(times[first]) if len(own) else np.inf
    # A term that ends for all alike, as of a contract, has a crowd at its end.
    if n_events and events[times <= (1 + NEAR) * before].sum() > CROWD * n_events:
        return None
    return Foresight(group, before, width, has_none=True)


def _none_left(group: int, member: np.ndarray, rows: EventRows, stays: _Stays, events: float) -> Foresight | None:
    """The last time at which any of the group was at risk, if too many were to be expected to be there later.

    At their own pace, which is that of everybody raised to the ratio of events seen to expected, so that a group that
    is merely fast is not taken for one that knows the future.
    """
    last = float(rows.exit[member].max())
    could_be = member & (rows.columns[:, 1] > last)
    staying = stays.between(rows.entry[could_be], last)
    expected = float(stays.expected(rows.entry[member], rows.exit[member]).sum())
    ratio_of_paces = max(events / expected, 1.0) if expected > 0 else 1.0
    n_near = (member & rows.event & (rows.exit > (1 - NEAR) * last)).sum()
    is_cut_off = TAPER * events <= n_near <= CROWD * events
    is_too_many = staying.sum() > FEWEST_EXPECTED and (staying**ratio_of_paces).sum() > -np.log(LEVEL)
    return Foresight(group, last, float(staying.sum()), has_none=False) if is_too_many and is_cut_off else None
