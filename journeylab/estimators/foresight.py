"""Foresight: does a group know what had not happened yet when its members were put in it?

Who is in a group because they stayed, or because of how they left, cannot have left while that was still open. So the
group has a stretch of time without any event where, at the rate of everybody, many were to be expected; or all of its
members end in the event where many were to be expected to stay. Honest groups differ in their rates, by whatever
factor, but not so.

Let E be the events to be expected of a group at the rate of everybody, summed over the time that its members are at
risk. Whatever its own factor, its m events lie on the scale of E like m uniform numbers. With the probability
(m + 1)(1 - w)^m at most, one of the gaps between them is as wide as the share w of all E (David & Nagaraja 2003, Order
Statistics, section 6.4).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from journeylab.base.ordering import largest, settled
from journeylab.estimators.arrays import ratio
from journeylab.estimators.risk_sets import EventRows, RiskSets

FEWEST_EXPECTED = 10.0
# So improbable must a gap be in an honest group: dozens of groups, stages and kinds of events are looked at.
LEVEL = 1e-4


@dataclass(frozen=True)
class Foresight:
    """A group that seems to know the future.

    group: its code. after, before: between these two times nobody had the event (`has_none`), or all who were there had
    it; minus infinity and infinity where the stretch has no begin or no end. expected: how many were to be expected to
    have it, or not to have it.
    """

    group: int
    after: float
    before: float
    expected: float
    has_none: bool


def find_foresight(groups: ArrayLike, *, entry: ArrayLike, exit: ArrayLike, event: ArrayLike) -> Foresight | None:  # noqa: A002
    """The group that most clearly seems to know the future; None where none does.

    Parameters
    ----------
    groups : (rows,)
        The code of each row's group, from 0; -1 for rows that only count among everybody.
    entry, exit : (rows,)
        Each row is at risk on (entry, exit].
    event : (rows,)
        1 if the row ended in the event, 0 if not.

    Returns
    -------
    Foresight or None
        Of a group of which more than ten events were to be expected in a stretch where it has none: in all its time, or
        in one that no honest group would leave empty (p below 1 in 10,000). Or of one whose last members at risk all
        had the event, though more than ten of them were to be expected to stay.

    Raises
    ------
    EstimateError
        If the arrays differ in length, or have missing or impossible values.
    """
    codes = np.asarray(groups)
    if not np.asarray(event).any():
        return None
    rows = EventRows.of(
        {"groups": codes, "entry": entry, "exit": exit, "event": event, "ids": None, "strata": None, "weights": None},
        codes[:, None].astype(np.float64),
    )
    sets, code = RiskSets.of(rows), rows.columns[:, 0].astype(np.int64)
    hazard = ratio(sets.n_events, sets.of_those_at_risk(np.ones(len(code))))
    found = []
    for group in np.unique(code[code >= 0]).tolist():
        member = (code == group).astype(np.float64)
        expected = sets.of_those_at_risk(member) * hazard
        events = sets.of_events(member)
        found += [_gap(group, sets.times, expected, events), _all_gone(group, rows, member > 0, sets.times, hazard)]
    known = [one for one in found if one is not None]
    return known[largest([one.expected for one in known])] if known else None


def _gap(group: int, times: np.ndarray, expected: np.ndarray, events: np.ndarray) -> Foresight | None:
    """The widest stretch without an event of the group, if it is too wide."""
    running = np.concatenate([[0.0], np.cumsum(expected)])
    own = np.flatnonzero(events > 0)
    # A gap lies between two times with an event of the group: what is expected at these times is in no gap.
    begins, ends = np.concatenate([[0], own + 1]), np.concatenate([own, [len(times)]])
    widths = running[ends] - running[begins]
    at, n_events = largest(widths), int(events.sum())
    width = float(settled(widths[at]))
    by_chance = (n_events + 1) * (1 - width / running[-1]) ** n_events if running[-1] > 0 else 1.0
    if width <= FEWEST_EXPECTED or (n_events and by_chance > LEVEL):
        return None
    edges = np.concatenate([[-np.inf], times[own], [np.inf]])
    return Foresight(group, float(edges[at]), float(edges[at + 1]), width, has_none=True)


def _all_gone(
    group: int, rows: EventRows, member: np.ndarray, times: np.ndarray, hazard: np.ndarray
) -> Foresight | None:
    """The last time until which all of the group had the event, if more than ten were to be expected to stay."""
    exit_, event = rows.exit[member], rows.event[member]
    last = exit_.max()
    # Whose watching ended may have stayed: only the time after the last of these is looked at.
    since = max(exit_[~event].max(initial=-1.0), rows.entry[member].max())
    gone = np.sort(exit_[exit_ > since])
    if not len(gone) or not event[exit_ == last].all():
        return None
    log_stay = np.concatenate([[0.0], np.cumsum(np.log1p(-np.minimum(hazard, 1 - 1e-12)))])
    staying = np.exp(log_stay[np.searchsorted(times, last, "right")] - log_stay[np.searchsorted(times, gone, "left")])
    expected = staying * np.arange(len(gone), 0, -1)
    at = largest(expected)
    if settled(expected[at]) <= FEWEST_EXPECTED:
        return None
    return Foresight(group, float(since), float(last), float(expected[at]), has_none=False)
