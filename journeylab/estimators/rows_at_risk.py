"""Exposure: who was watched in which state, from when to when, and where did they go?"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from journeylab.base.errors import EstimateError
from journeylab.estimators.arrays import CENSORED, distinct, one_length, row_weights, states, times_at_risk


@dataclass(frozen=True, eq=False)
class RowsAtRisk:
    """Rows at risk on (entry, exit], in a state, until a move or the end of watching.

    entry, exit: float64 (rows,), in whatever unit of time the caller uses.
    origin: int64 (rows,), the state held, 0 to n_states - 1.
    destination: int64 (rows,), the state entered at `exit`; -1 if watching ended there.
    weight: float64 (rows,), above 0; all 1.0 unless `weighted`.
    codes: int64 (rows,), the position in `ids` of the individual a row belongs to.
    ids: the distinct individuals, sorted; row numbers if none were named.
    n_states: how many states there are.
    named: whether the caller said which rows belong together.
    weighted: whether the caller gave weights.
    """

    entry: np.ndarray
    exit: np.ndarray
    origin: np.ndarray
    destination: np.ndarray
    weight: np.ndarray
    codes: np.ndarray
    ids: np.ndarray
    n_states: int
    named: bool
    weighted: bool

    @classmethod
    def of(cls, rows: dict[str, ArrayLike | None], *, n_states: int) -> "RowsAtRisk":
        """The rows, checked, without those that expose nobody: weight 0, or no length (unless entered before time 0).

        rows: `entry`, `exit`, `origin`, `destination`, and `ids` and `weights` or None.
        A state held for no time (entry = exit >= 0) is passed through, not occupied: if `ids` are given, the move
        into it at that time becomes a move to where it led.

        Raises EstimateError if the arrays differ in length, hold missing or unusable values, or nothing is left.
        """
        arrays = one_length(**rows)
        n_rows, named, weighted = len(arrays["entry"]), "ids" in arrays, "weights" in arrays
        ids, codes = distinct("ids", arrays["ids"]) if named else (np.arange(n_rows), np.arange(n_rows))
        exposure = cls(
            *times_at_risk(arrays["entry"], arrays["exit"]),
            *states(arrays["origin"], arrays["destination"], n_states),
            weight=row_weights(arrays["weights"]) if weighted else np.ones(n_rows),
            codes=codes,
            ids=ids,
            n_states=int(n_states),
            named=named,
            weighted=weighted,
        )
        return exposure._passed_through()._with_exposure()

    @property
    def moves(self) -> np.ndarray:
        """bool (rows,): whether the row ends in a move, not in the end of watching."""
        return self.destination != CENSORED

    def at_risk(self, times: np.ndarray, *, just: str) -> np.ndarray:
        """Rows at risk just `before` (entry < t <= exit) or just `after` (entry <= t < exit) each time, by state.

        int64 (times, states); rows are counted, not weighed.
        """
        side = "left" if just == "before" else "right"
        counts = np.zeros((len(times), self.n_states), dtype=np.int64)
        for state in range(self.n_states):
            held = self.origin == state
            entered = np.searchsorted(np.sort(self.entry[held]), times, side)
            counts[:, state] = entered - np.searchsorted(np.sort(self.exit[held]), times, side)
        return counts

    def from_landmark(self, time: float, state: int) -> "RowsAtRisk":
        """What those in `state` just after `time` did from then on; the others are no longer among the ids."""
        here = (self.entry <= time) & (self.exit > time) & (self.origin == state)
        if not here.any():
            raise EstimateError(f"Nobody is at risk in state {state} just after time {time:g}. Choose another.")
        present = np.zeros(len(self.ids), dtype=bool)
        present[self.codes[here]] = True
        later = self._only(present[self.codes] & (self.exit > time))
        return replace(
            later,
            entry=np.maximum(later.entry, time),
            ids=self.ids[present],
            codes=(np.cumsum(present) - 1)[later.codes],
        )

    def until(self, state: int) -> "RowsAtRisk":
        """Each individual's rows up to the first time `state` is entered or found held; all individuals stay known."""
        reached = np.full(len(self.ids), np.inf)
        for mask, times in ((self.destination == state, self.exit), (self.origin == state, self.entry)):
            np.minimum.at(reached, self.codes[mask], times[mask])
        first = reached[self.codes]
        begun_there = (self.origin == state) & (self.entry == first)
        kept = (self.entry < first) | begun_there
        return replace(self, destination=np.where(begun_there, CENSORED, self.destination))._only(kept)

    def _only(self, rows: np.ndarray) -> "RowsAtRisk":
        """The rows picked by a mask or by positions, all individuals still known."""
        columns = ("entry", "exit", "origin", "destination", "weight", "codes")
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})

    def _passed_through(self) -> "RowsAtRisk":
        """Moves into a state held for no time, led on to where the individual went at that very time.

        Of the moves an individual makes at one time, the state held after them is the one moved into once more than
        out of; so the order of the rows does not matter.
        """
        empty = (self.entry == self.exit) & (self.entry >= 0) & self.moves
        if not (self.named and empty.any()):
            return self
        near = np.isin(self.codes, self.codes[empty]) & np.isin(self.exit, self.exit[empty])
        arriving = self.moves & ~empty & near
        rows = np.flatnonzero(empty | arriving)
        group = np.unique(np.stack([self.codes[rows], self.exit[rows]]), axis=1, return_inverse=True)[1].ravel()
        net = np.zeros((group.max() + 1, self.n_states), dtype=np.int64)
        np.add.at(net, (group, self.destination[rows]), 1)
        np.subtract.at(net, (group[empty[rows]], self.origin[rows][empty[rows]]), 1)
        arrived_once = np.bincount(group, weights=arriving[rows]) == 1
        is_clear = arrived_once & (net.max(axis=1) == 1) & (np.abs(net).sum(axis=1) == 1)
        changed = arriving[rows] & is_clear[group]
        destination = self.destination.copy()
        destination[rows[changed]] = net.argmax(axis=1)[group[changed]]
        # back where they were at the same time: they never left
        destination[destination == self.origin] = CENSORED
        return replace(self, destination=destination)

    def _with_exposure(self) -> "RowsAtRisk":
        kept = ((self.exit > self.entry) | (self.entry < 0)) & (self.weight > 0)
        if not kept.any():
            raise EstimateError(
                f"There is nothing to estimate from: of {len(kept)} rows, none was at risk for any time with a weight "
                "above 0. Leave this group out, or watch longer."
            )
        rows = self if kept.all() else self._only(kept)
        if not rows.weighted:
            return rows
        # sums of weights must not depend on the order in which the rows came
        keys = (rows.weight, rows.destination, rows.origin, rows.exit, rows.entry)
        return rows._only(np.lexsort((*keys, rows.codes) if rows.named else keys))
