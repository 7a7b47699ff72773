"""Product integral: given the hazards at each distinct time, where is everyone, and what does being there lead to?

Transitions at one time are simultaneous: one matrix H(u) = I + dA(u) per distinct time u, with dA_jk(u) = (moves j to
k at u) / (at risk in j just before u). Then P(s, t) is the ordered product of the matrices over (s, t] (Aalen &
Johansen 1978, Scandinavian Journal of Statistics 5:141-150).

Time runs in about sqrt(n) blocks of about sqrt(n) steps, all blocks side by side: first the product of each block by
itself, then from block to block, then within all blocks from where each begins. So n steps cost about 3 sqrt(n) calls
into NumPy.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from journeylab.estimators.arrays import ROUNDING, ratio
from journeylab.estimators.rows_at_risk import RowsAtRisk


@dataclass(frozen=True, eq=False)
class ProductIntegral:
    """Hazards by distinct transition time.

    times: float64 (times,), strictly increasing.
    origin, destination: int64 (pairs,), the kinds of move that occur.
    moved: float64 (times, pairs), weight of the moves at each time.
    at_risk: float64 (times, states), weight at risk just before each time.
    """

    times: np.ndarray
    origin: np.ndarray
    destination: np.ndarray
    moved: np.ndarray
    at_risk: np.ndarray

    @classmethod
    def of(cls, rows: RowsAtRisk) -> "ProductIntegral":
        """The hazards of these rows."""
        moves, n_states = rows.moves, rows.n_states
        times = np.unique(rows.exit[moves])
        kinds, kind = np.unique(rows.origin[moves] * n_states + rows.destination[moves], return_inverse=True)
        origin, destination = np.divmod(kinds, n_states)
        weight = rows.weight if rows.has_weights else None
        # moved: the weight of the moves by time and kind
        cell = np.searchsorted(times, rows.exit[moves]) * len(kinds) + kind
        moved = np.bincount(cell, weights=None if weight is None else weight[moves], minlength=len(times) * len(kinds))
        moved = moved.reshape(len(times), len(kinds)).astype(np.float64)
        # at risk just before a time: all who entered before it, less all who left before it
        entering = np.searchsorted(times, rows.entry, "right") * n_states + rows.origin
        leaving = np.searchsorted(times, rows.exit, "right") * n_states + rows.origin
        size = (len(times) + 1) * n_states
        change = np.bincount(entering, weights=weight, minlength=size).astype(np.float64)
        change -= np.bincount(leaving, weights=weight, minlength=size)
        at_risk = np.cumsum(change.reshape(-1, n_states), axis=0)[:-1]
        leavers = np.zeros_like(at_risk)
        for pair, state in enumerate(origin):
            leavers[:, state] += moved[:, pair]
        # Sums of weights are rounded; at least those who move were at risk.
        return cls(times, origin, destination, moved, np.maximum(at_risk, leavers))

    @property
    def n_states(self) -> int:
        """How many states there are."""
        return self.at_risk.shape[1]

    @cached_property
    def hazard(self) -> np.ndarray:
        """dA, the share of those at risk in the origin who make this move: (times, pairs)."""
        return ratio(self.moved, self.at_risk[:, self.origin])

    def steps(self, times: np.ndarray) -> np.ndarray:
        """How many distinct transition times are at or before each of `times`."""
        return np.searchsorted(self.times, times, "right")

    def occupancy(self, start: np.ndarray) -> np.ndarray:
        """Probabilities of the states: `start`, then just after each time, (times + 1, states)."""
        changes = _blocks(self._changes)
        n_blocks, length = changes.shape[:2]
        # the product of H over each block
        product = np.broadcast_to(np.eye(self.n_states), (n_blocks, self.n_states, self.n_states))
        for step in range(length):
            product = product @ self._matrices(changes[:, step])
        # p at the beginning of each block
        current = np.empty((n_blocks, 1, self.n_states))
        current[0, 0] = start
        for block in range(n_blocks - 1):
            current[block + 1] = current[block] @ product[block]
        # p(u) = p(u-) H(u) within all blocks
        path = np.empty((n_blocks, length, self.n_states))
        for step in range(length):
            current = current @ self._matrices(changes[:, step])
            path[:, step] = current[:, 0]
        return np.concatenate([[start], path.reshape(-1, self.n_states)[: len(self.times)]])

    def prospects(self, emphasis: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """How much being in a state just after each time adds to a sum over time of the occupancy of `columns`.

        The sum is  sum_i emphasis[i] p(i),  with p(i) the occupancy after i distinct times, i = 0 .. n. The answer V,
        (n + 1, states, columns), is its derivative by p(i):
        V(n) = emphasis[n] I,  V(i) = emphasis[i] I + H(i+1) V(i+1).
        With all emphasis on n, V(i) = P(u_i, u_n); with lengths of time, the time yet to be spent in each column.
        """
        n_steps = len(emphasis) - 1
        target = np.eye(self.n_states)[:, columns]
        last = emphasis[-1] * target
        changes, weight = _blocks(self._changes[:n_steps]), _blocks(emphasis[:-1, None])
        n_blocks, length = changes.shape[:2]
        # each block by itself: the product of H, and the emphasis gathered within the block
        product = np.broadcast_to(np.eye(self.n_states), (n_blocks, self.n_states, self.n_states))
        within = np.zeros((n_blocks, *target.shape))
        for step in reversed(range(length)):
            matrices = self._matrices(changes[:, step])
            product, within = matrices @ product, weight[:, step, :, None] * target + matrices @ within
        # V at the end of each block, from the last block back
        current = np.empty_like(within)
        beyond = last
        for block in reversed(range(n_blocks)):
            current[block] = beyond
            beyond = within[block] + product[block] @ beyond
        # V(i) = emphasis[i] I + H(i+1) V(i+1) within all blocks
        path = np.empty((n_blocks, length, *target.shape))
        for step in reversed(range(length)):
            current = weight[:, step, :, None] * target + self._matrices(changes[:, step]) @ current
            path[:, step] = current
        return np.concatenate([path.reshape(-1, *target.shape)[:n_steps], last[None]])

    @cached_property
    def _changes(self) -> np.ndarray:
        """The hazards, then the share of each state that leaves it by any move: (times, pairs + states).

        All zero where nothing changes.
        """
        leaving = np.zeros_like(self.at_risk)
        for pair, state in enumerate(self.origin):
            leaving[:, state] += self.hazard[:, pair]
        # A smaller share of stayers is a sum of weights that is not quite 1: all leave.
        return np.hstack([self.hazard, np.where(1.0 - leaving > ROUNDING, leaving, 1.0)])

    def _matrices(self, changes: np.ndarray) -> np.ndarray:
        """I + dA for each row of `changes`: (rows, states, states)."""
        matrices = np.zeros((len(changes), self.n_states, self.n_states))
        n_pairs, states = len(self.origin), np.arange(self.n_states)
        matrices[:, self.origin, self.destination] = changes[:, :n_pairs]
        matrices[:, states, states] = 1.0 - changes[:, n_pairs:]
        return matrices


def _blocks(steps: np.ndarray) -> np.ndarray:
    """(steps, width) as (blocks, length, width), about square, filled up with zeros: steps that change nothing."""
    length = max(int(np.ceil(np.sqrt(len(steps)))), 1)
    n_blocks = max(-(-len(steps) // length), 1)
    filled = np.zeros((n_blocks * length, steps.shape[1]))
    filled[: len(steps)] = steps
    return filled.reshape(n_blocks, length, steps.shape[1])
