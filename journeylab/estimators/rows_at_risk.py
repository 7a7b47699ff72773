"""Rows at risk: who was watched in which state, from when to when, and where did they go?"""

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
    weight: float64 (rows,), above 0; all 1.0 unless `has_weights`.
    codes: int64 (rows,), the position in `ids` of the individual a row belongs to.
    ids: the distinct individuals, sorted; row numbers if the caller gave none.
    n_states: how many states there are.
    has_ids: whether the caller said which rows belong together.
    has_weights: whether the caller gave weights.
    """

    entry: np.ndarray
    exit: np.ndarray
    origin: np.ndarray
    destination: np.ndarray
    weight: np.ndarray
    codes: np.ndarray
    ids: np.ndarray
    n_states: int
    has_ids: bool
    has_weights: bool

    @classmethod
    def of(cls, rows: dict[str, ArrayLike | None], *, n_states: int) -> "RowsAtRisk":
        """The rows, checked, without those that are never at risk: weight 0, or no length (unless entered before 0).

        rows: `entry`, `exit`, `origin`, `destination`, and `ids` and `weights` or None.
        A state held for no time (entry = exit >= 0) is passed through, not occupied: if `ids` are given, the move
        into it at that time becomes a move to where it led.

        Raises EstimateError if the arrays differ in length, have missing or unusable values, or nothing is left.
        """
        arrays = one_length(**rows)
        n_rows, has_ids, has_weights = len(arrays["entry"]), "ids" in arrays, "weights" in arrays
        ids, codes = distinct("ids", arrays["ids"]) if has_ids else (np.arange(n_rows), np.arange(n_rows))
        given = cls(
            *times_at_risk(arrays["entry"], arrays["exit"]),
            *states(arrays["origin"], arrays["destination"], n_states),
            weight=row_weights(arrays["weights"]) if has_weights else np.ones(n_rows),
            codes=codes,
            ids=ids,
            n_states=int(n_states),
            has_ids=has_ids,
            has_weights=has_weights,
        )
        return given._passed_through()._ever_at_risk()

    @property
    def moves(self) -> np.ndarray:
        """bool (rows,): whether the row ends in a move, not in the end of watching."""
        return self.destination != CENSORED

    def _only(self, rows: np.ndarray) -> "RowsAtRisk":
        """The rows picked by a mask or by positions; `ids` stay as they are."""
        columns = ("entry", "exit", "origin", "destination", "weight", "codes")
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})

    def _passed_through(self) -> "RowsAtRisk":
        """The rows with every move into a state held for no time turned into a move to where it led at that time.

        Of the moves an individual makes at one time, the state held after them is the one moved into once more often
        than out of. So the order of the rows does not matter.
        """
        empty = (self.entry == self.exit) & (self.entry >= 0) & self.moves
        if not (self.has_ids and empty.any()):
            return self
        # All moves of an individual at one time are a group; net: moves into each state less moves out of it.
        near = np.isin(self.codes, self.codes[empty]) & np.isin(self.exit, self.exit[empty])
        arriving = self.moves & ~empty & near
        rows = np.flatnonzero(empty | arriving)
        group = np.unique(np.stack([self.codes[rows], self.exit[rows]]), axis=1, return_inverse=True)[1].ravel()
        net = np.zeros((group.max() + 1, self.n_states), dtype=np.int64)
        np.add.at(net, (group, self.destination[rows]), 1)
        np.subtract.at(net, (group[empty[rows]], self.origin[rows][empty[rows]]), 1)
        # Clear where one move arrives from elsewhere, and only one state is moved into more often than out of.
        arrived_once = np.bincount(group, weights=arriving[rows]) == 1
        is_clear = arrived_once & (net.max(axis=1) == 1) & (np.abs(net).sum(axis=1) == 1)
        changed = arriving[rows] & is_clear[group]
        destination = self.destination.copy()
        destination[rows[changed]] = net.argmax(axis=1)[group[changed]]
        # Whoever is back at the same time never left.
        destination[destination == self.origin] = CENSORED
        return replace(self, destination=destination)

    def _ever_at_risk(self) -> "RowsAtRisk":
        is_at_risk = ((self.exit > self.entry) | (self.entry < 0)) & (self.weight > 0)
        if not is_at_risk.any():
            raise EstimateError(
                f"There is nothing to estimate from: of {len(is_at_risk)} rows, none was at risk for any time with a "
                "weight above 0. Leave this group out, or watch longer."
            )
        rows = self if is_at_risk.all() else self._only(is_at_risk)
        if not rows.has_weights:
            return rows
        # Sums of weights must not depend on the order in which the rows came.
        keys = (rows.weight, rows.destination, rows.origin, rows.exit, rows.entry)
        return rows._only(np.lexsort((*keys, rows.codes) if rows.has_ids else keys))
