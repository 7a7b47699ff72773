"""Product integral: given the hazards at each distinct time, where is everyone, and what is being there worth?

Transitions at one time are simultaneous: one matrix H(u) = I + dA(u) per distinct time u, with dA_jk(u) = (moves j to
k at u) / (at risk in j just before u). Then P(s, t) is the ordered product of the matrices over (s, t] (Aalen &
Johansen 1978, Scandinavian Journal of Statistics 5:141-150).

Scans over time run in blocks, all blocks abreast, so a loop of n steps costs about 3 sqrt(n) calls into NumPy.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from journeylab.estimators.rows_at_risk import RowsAtRisk

ROUNDING = 1e-12  # a share of stayers below this is a sum of weights that is not quite 1


@dataclass(frozen=True, eq=False)
class CumulativeHazards:
    """Nelson-Aalen cumulative hazards of every kind of move.

    times: (times,), the distinct times of moves. origin, destination: (pairs,), the kinds of move that occur.
    hazards, standard_errors: (times, pairs), just after each time; the variance is the sum of moves / at risk^2.
    """

    times: np.ndarray
    origin: np.ndarray
    destination: np.ndarray
    hazards: np.ndarray
    standard_errors: np.ndarray


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
    def of(cls, exposure: RowsAtRisk) -> "ProductIntegral":
        """The hazards of these rows."""
        moves, n_states = exposure.moves, exposure.n_states
        times = np.unique(exposure.exit[moves])
        kinds, kind = np.unique(exposure.origin[moves] * n_states + exposure.destination[moves], return_inverse=True)
        origin, destination = np.divmod(kinds, n_states)
        weight = exposure.weight if exposure.weighted else None
        cell = np.searchsorted(times, exposure.exit[moves]) * len(kinds) + kind
        moved = np.bincount(cell, weights=None if weight is None else weight[moves], minlength=len(times) * len(kinds))
        moved = moved.reshape(len(times), len(kinds)).astype(np.float64)
        entering = np.searchsorted(times, exposure.entry, "right") * n_states + exposure.origin
        leaving = np.searchsorted(times, exposure.exit, "right") * n_states + exposure.origin
        size = (len(times) + 1) * n_states
        change = np.bincount(entering, weights=weight, minlength=size).astype(np.float64)
        change -= np.bincount(leaving, weights=weight, minlength=size)
        at_risk = np.cumsum(change.reshape(-1, n_states), axis=0)[:-1]
        leavers = np.zeros_like(at_risk)
        for pair, state in enumerate(origin):
            leavers[:, state] += moved[:, pair]
        # sums of weights are rounded; nobody moves who was not at risk
        return cls(times, origin, destination, moved, np.maximum(at_risk, leavers))

    @property
    def n_states(self) -> int:
        """How many states there are."""
        return self.at_risk.shape[1]

    @cached_property
    def hazard(self) -> np.ndarray:
        """dA, the share of those at risk in the origin who make this move: (times, pairs)."""
        at_risk = self.at_risk[:, self.origin]
        return np.divide(self.moved, at_risk, out=np.zeros_like(self.moved), where=at_risk > 0)

    def steps(self, times: np.ndarray) -> np.ndarray:
        """How many distinct transition times are at or before each of `times`."""
        return np.searchsorted(self.times, times, "right")

    def cumulative_hazards(self) -> CumulativeHazards:
        """The sum of the hazards up to each time, and its standard errors."""
        at_risk, hazard = self.at_risk[:, self.origin], self.hazard
        squares = np.divide(hazard, at_risk, out=np.zeros_like(hazard), where=at_risk > 0)
        errors = np.sqrt(np.cumsum(squares, axis=0))
        return CumulativeHazards(self.times, self.origin, self.destination, np.cumsum(hazard, axis=0), errors)

    def occupancy(self, start: np.ndarray, *, after: int = 0) -> np.ndarray:
        """Probabilities of the states: `start`, then just after each time from number `after` on.

        (times - after + 1, states).
        """
        changes = _blocks(self._changes[after:])
        n_blocks, length = changes.shape[:2]
        product = np.broadcast_to(np.eye(self.n_states), (n_blocks, self.n_states, self.n_states))
        for step in range(length):
            product = product @ self._matrices(changes[:, step])
        current = np.empty((n_blocks, 1, self.n_states))
        current[0, 0] = start
        for block in range(n_blocks - 1):
            current[block + 1] = current[block] @ product[block]
        path = np.empty((n_blocks, length, self.n_states))
        for step in range(length):
            current = current @ self._matrices(changes[:, step])
            path[:, step] = current[:, 0]
        return np.concatenate([[start], path.reshape(-1, self.n_states)[: len(self.times) - after]])

    def variance(self, occupancy: np.ndarray, *, after: int = 0) -> np.ndarray:
        """Greenwood's variance of `occupancy` (as returned by the method of that name), the start taken as known.

        With H = I + dA(u), p = p(u-) and c = p^2 / at risk, the covariance moves on by
        S(u) = H' (S(u-) - diag(c)) H + diag(c H), the spread carried on plus that of the multinomial draws at u
        (Andersen, Borgan, Gill & Keiding 1993, Statistical Models Based on Counting Processes, section IV.4.1.3).
        """
        at_risk = self.at_risk[after:]
        draws = np.divide(occupancy[:-1] ** 2, at_risk, out=np.zeros_like(at_risk), where=at_risk > 0)
        changes, draws = _blocks(self._changes[after:]), _blocks(draws)
        n_blocks, length = changes.shape[:2]
        shape = (n_blocks, self.n_states, self.n_states)

        def advance(covariance: np.ndarray, matrices: np.ndarray, step: int) -> np.ndarray:
            drawn = draws[:, step]
            spread = matrices.swapaxes(1, 2) @ (covariance - _diagonal(drawn)) @ matrices
            return spread + _diagonal((drawn[:, None] @ matrices)[:, 0])

        product, covariance = np.broadcast_to(np.eye(self.n_states), shape), np.zeros(shape)
        for step in range(length):
            matrices = self._matrices(changes[:, step])
            product, covariance = product @ matrices, advance(covariance, matrices, step)
        begin = np.zeros(shape)
        for block in range(n_blocks - 1):
            begin[block + 1] = product[block].T @ begin[block] @ product[block] + covariance[block]
        path = np.empty((n_blocks, length, self.n_states))
        for step in range(length):
            begin = advance(begin, self._matrices(changes[:, step]), step)
            path[:, step] = np.diagonal(begin, axis1=1, axis2=2)
        path = np.maximum(path.reshape(-1, self.n_states)[: len(at_risk)], 0.0)
        return np.concatenate([np.zeros((1, self.n_states)), path])

    def prospects(self, emphasis: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """What being in a state just after each time is worth to a sum over time of the occupancy of `columns`.

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
        product = np.broadcast_to(np.eye(self.n_states), (n_blocks, self.n_states, self.n_states))
        within = np.zeros((n_blocks, *target.shape))
        for step in reversed(range(length)):
            matrices = self._matrices(changes[:, step])
            product, within = matrices @ product, weight[:, step, :, None] * target + matrices @ within
        current = np.empty_like(within)
        beyond = last
        for block in reversed(range(n_blocks)):
            current[block] = beyond
            beyond = within[block] + product[block] @ beyond
        path = np.empty((n_blocks, length, *target.shape))
        for step in reversed(range(length)):
            current = weight[:, step, :, None] * target + self._matrices(changes[:, step]) @ current
            path[:, step] = current
        return np.concatenate([path.reshape(-1, *target.shape)[:n_steps], last[None]])

    @cached_property
    def _changes(self) -> np.ndarray:
        """The hazards, then the share of each state that leaves it by whichever move: (times, pairs + states).

        All zero where nothing changes.
        """
        leaving = np.zeros_like(self.at_risk)
        for pair, state in enumerate(self.origin):
            leaving[:, state] += self.hazard[:, pair]
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


def _diagonal(values: np.ndarray) -> np.ndarray:
    """(rows, states) as (rows, states, states) diagonal matrices."""
    return values[:, :, None] * np.eye(values.shape[1])
