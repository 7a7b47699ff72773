"""The kernel: through which stages did the signals take each customer?

All customers of a batch advance by their k-th signal together. Customers are sorted by how many signals they have, so
those still walking are always the first n. What a signal does is looked up in tables by its code and the customer's
place; a place is a stage the customer is in, or outside the journey, or silence in a stage.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from journeylab.base.durations import LONG_AGO, NEVER
from journeylab.events.journey import Journey
from journeylab.events.spells.signals import Codes, Signals

# Where a spell leads if not on to a stage or a branch, and where it came from if not back from a branch.
NOWHERE = -1
OUTCOMES = ("advanced", "regressed", "completed", "lost", "ongoing")
ADVANCED, REGRESSED, COMPLETED, LOST, ONGOING = range(len(OUTCOMES))


@dataclass(frozen=True)
class Moves:
    """A journey as tables. Places: 0 .. n_stages - 1 inside, n_stages outside, n_stages + 1 + s silent in stage s.

    place: where each code takes a customer from each place, int64 [code, place].
    refuses: codes of losses, which let no customer return from silence, bool [code, place].
    silence: microseconds after which a customer in each place is silent, int64 [place].
    outcome: how a spell in one stage ends by moving to another, int64 [stage, stage].
    """

    codes: Codes
    place: np.ndarray
    refuses: np.ndarray
    silence: np.ndarray
    outcome: np.ndarray

    @classmethod
    def of(cls, journey: Journey) -> "Moves":
        """The tables of `journey`."""
        codes = Codes.of(journey)
        n_stages = codes.n_stages
        place = np.tile(np.arange(2 * n_stages + 1), (codes.returning + 1, 1))
        refuses = np.zeros(place.shape, bool)
        silence = np.full(2 * n_stages + 1, NEVER)
        for at, stage in enumerate(journey.stages):
            earlier = [other for other in _leavable(journey) if other < at]
            later = [other for other in _leavable(journey) if other > at]
            is_free = journey.movement == "free"
            place[codes.opening(at), n_stages:] = at
            place[codes.opening(at), earlier + later if is_free else earlier] = at
            place[codes.reopening(at), later] = at
            place[codes.returning, n_stages + 1 + at] = at
            if stage.silent_after_us is not None:
                silence[at] = stage.silent_after_us
        for at, branch in enumerate(journey.loss_branches):
            place[at, _leavable(journey, branch.from_)] = n_stages
            refuses[at, n_stages + 1 :] = True
        return cls(codes, place, refuses, silence, _outcomes(journey))


def _leavable(journey: Journey, names: tuple[str, ...] | None = None) -> list[int]:
    """Stages of these names, by default all, that can be left: those that do not complete."""
    can_be_left = [at for at, stage in enumerate(journey.stages) if not stage.completes]
    return [at for at in can_be_left if names is None or journey.stages[at].name in names]


def _outcomes(journey: Journey) -> np.ndarray:
    """How a spell ends by moving from stage (row) to stage (column): entering one that completes always completes."""
    order = np.arange(len(journey.stages))
    outcome = np.where(order[None, :] > order[:, None], ADVANCED, REGRESSED)
    outcome[:, [stage.completes for stage in journey.stages]] = COMPLETED
    return outcome


@dataclass(frozen=True)
class Visits:
    """Spells of a batch by customer and order, as arrays of equal length, int64.

    customer: position in the batch. stage. entered, left: microseconds. outcome: position in `OUTCOMES`.
    to: the next stage, or n_stages + branch (`silent` follows the declared branches), or NOWHERE.
    opened, ended: rows of the opening event and of the event at or before which the spell was over; for a spell that no
        event ended, the row after the customer's last.
    includes_end: whether the event in row `ended` ended the spell, so that it may still validate it: losses and
        openings come after that. 0 or 1.
    returned_from: branch, or NOWHERE.
    """

    customer: np.ndarray
    stage: np.ndarray
    entered: np.ndarray
    left: np.ndarray
    outcome: np.ndarray
    to: np.ndarray
    opened: np.ndarray
    ended: np.ndarray
    includes_end: np.ndarray
    returned_from: np.ndarray

    def only(self, chosen: np.ndarray) -> "Visits":
        """The visits for which `chosen` is true."""
        return Visits(*(getattr(self, field.name)[chosen] for field in fields(self)))


def walk_signals(signals: Signals, moves: Moves, *, end: int) -> Visits:
    """The visits of all customers of `signals` up to the window's `end` (microseconds)."""
    bounds = np.searchsorted(signals.row, signals.first)
    n_signals = np.diff(bounds)
    # Those with most signals first, so that the ones still walking are always the first n.
    order = np.argsort(-n_signals, kind="stable")
    last_own = _last_own_time(signals, signals.row, np.repeat(signals.first[:-1], n_signals))
    walkers = _Walkers(moves, order)
    time, row, start = signals.time[signals.row], signals.row, bounds[:-1][order]
    still_walking = len(order) - np.cumsum(np.bincount(n_signals, minlength=1))
    for step, n_walking in enumerate(still_walking[:-1]):
        at = start[:n_walking] + step
        walkers.fall_silent(time[at], last_own[at], row[at])
        walkers.follow(signals.code[at], time[at], row[at])
    ended = signals.first[1:][order]
    all_ends = np.full(len(order), end)
    walkers.fall_silent(all_ends, _last_own_time(signals, ended, signals.first[:-1][order]), ended)
    walkers.stop(all_ends, ended)
    return walkers.visits()


def _last_own_time(signals: Signals, before: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Time of the last customer event in the rows from `first` up to, not including, `before`; else long ago."""
    time = np.full(len(before), LONG_AGO)
    has_one = np.flatnonzero(signals.seen[before] > signals.seen[first])
    time[has_one] = signals.time[signals.own[signals.seen[before[has_one]] - 1]]
    return time


class _Walkers:
    """Where the customers of a batch are, in the order given; the arrays change in place as the walk goes on."""

    def __init__(self, moves: Moves, order: np.ndarray) -> None:
        n_customers = len(order)
        self.moves = moves
        self.order = order
        self.outside = moves.codes.n_stages
        self.place = np.full(n_customers, self.outside)
        self.entered = np.zeros(n_customers, np.int64)
        self.opened = np.zeros(n_customers, np.int64)
        self.lost_to = np.full(n_customers, NOWHERE)
        self.returned_from = np.full(n_customers, NOWHERE)
        self.refused = np.full(n_customers, NOWHERE)
        self.ended: list[Sequence[np.ndarray]] = []

    def fall_silent(self, time: np.ndarray, last_own: np.ndarray, row: np.ndarray) -> None:
        """End the spells whose silence was over before `time`; the first customers, one value each."""
        n_walking = len(time)
        since = np.maximum(last_own, self.entered[:n_walking])
        who = np.flatnonzero(time - since > self.moves.silence[self.place[:n_walking]])
        stage = self.place[who]
        silent = self.moves.codes.n_branches
        left = since[who] + self.moves.silence[stage]
        self._end(who, left, LOST, self.outside + silent, row=row[who], includes_end=0)
        self.lost_to[who] = silent
        self.place[who] = self.outside + 1 + stage

    def follow(self, code: np.ndarray, time: np.ndarray, row: np.ndarray) -> None:
        """Do what one signal of each of the first customers says."""
        n_walking, codes = len(code), self.moves.codes
        before = self.place[:n_walking].copy()
        self.refused[:n_walking] = np.where(self.moves.refuses[code, before], row, self.refused[:n_walking])
        after = self.moves.place[code, before]
        after = np.where((code == codes.returning) & (self.refused[:n_walking] == row), before, after)
        moved = np.flatnonzero(after != before)
        code, time, row, before, after = code[moved], time[moved], row[moved], before[moved], after[moved]

        lost = np.flatnonzero(after == self.outside)
        self._end(moved[lost], time[lost], LOST, self.outside + code[lost], row=row[lost], includes_end=1)
        self.lost_to[moved[lost]] = code[lost]
        on = np.flatnonzero((before < self.outside) & (after < self.outside))
        outcome = self.moves.outcome[before[on], after[on]]
        self._end(moved[on], time[on], outcome, after[on], row=row[on], includes_end=1)

        begun = np.flatnonzero(after < self.outside)
        who = moved[begun]
        self.returned_from[who] = np.where(before[begun] < self.outside, NOWHERE, self.lost_to[who])
        self.entered[who], self.opened[who] = time[begun], row[begun]
        self.place[moved] = after

    def stop(self, time: np.ndarray, row: np.ndarray) -> None:
        """The window ends: what still runs is ongoing."""
        who = np.flatnonzero(self.place < self.outside)
        self._end(who, time[who], ONGOING, NOWHERE, row=row[who], includes_end=0)

    def _end(self, who: np.ndarray, *how: np.ndarray | int, row: np.ndarray, includes_end: int) -> None:
        """End the spells of `who`. how: `left`, `outcome` and `to` of `Visits`."""
        columns = (self.place[who], self.entered[who], *how, self.opened[who], row, includes_end)
        self.ended.append(np.broadcast_arrays(self.order[who], *columns, self.returned_from[who]))

    def visits(self) -> Visits:
        """All spells that ended so far, by customer; within one they ended in order."""
        columns = [np.concatenate(parts) for parts in zip(*self.ended, strict=True)]
        by_customer = np.argsort(columns[0], kind="stable")
        return Visits(*(column[by_customer] for column in columns))
