"""Influence: how much does each individual move an estimate?

The infinitesimal jackknife weighs each individual up a little and asks how far the estimate follows (Jaeckel 1972;
Therneau & Grambsch 2000, Modeling Survival Data, section 7; survival's vignette on its methods). The sum of squares
of these influences is the variance, and because an individual's rows are summed before squaring, it holds when
individuals come back.

Every quantity here is a sum over time of the occupancy, theta = sum_i emphasis[i] p(u_i): the probability of a state
at t, the time spent there to a horizon. With V(u) = d theta / d p(u) (`ProductIntegral.prospects`), the influence of
a row of weight w in state j at risk on (a, b] is

    w [ p_j(b-)/Y_j(b) (V_k(b) - V_j(b))   if it moves to k at b
        - sum over u in (a, b] of  p_j(u-)/Y_j(u)  sum_k dA_jk(u) (V_k(u) - V_j(u)) ]:

the gain by its own move, less the gain by the moves expected of it. The second term is a difference of one running
sum per state, so a row costs three look-ups, however long it lasts.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from journeylab.estimators.arrays import CENSORED, canonical_order, ratio
from journeylab.estimators.initial_state import InitialState
from journeylab.estimators.product_integral import ProductIntegral
from journeylab.estimators.rows_at_risk import RowsAtRisk

MOST_CELLS = 20_000_000


@dataclass(frozen=True, eq=False)
class Positions:
    """Rows as positions in tables by time, sorted by their content.

    first, last: how many distinct times are at or before entry and exit.
    cell: (last - 1) x pairs + kind of move; after all cells for rows that do not end in a move.
    origin, destination, codes, weight: as in `RowsAtRisk`.
    """

    first: np.ndarray
    last: np.ndarray
    cell: np.ndarray
    origin: np.ndarray
    destination: np.ndarray
    codes: np.ndarray
    weight: np.ndarray

    def movers(self, n_steps: int) -> np.ndarray:
        """Positions of the rows that end in one of the first `n_steps` distinct times of moves, by a move."""
        return np.flatnonzero((self.destination != CENSORED) & (self.last <= n_steps))

    @classmethod
    def of(cls, rows: RowsAtRisk, integral: ProductIntegral) -> "Positions":
        """The positions of each row at risk."""
        n_times, n_pairs = len(integral.times), len(integral.origin)
        first, last = integral.steps(rows.entry), integral.steps(rows.exit)
        pair = np.zeros((rows.n_states, rows.n_states + 1), dtype=np.int64)
        pair[integral.origin, integral.destination] = np.arange(n_pairs)
        cell = (last - 1) * n_pairs + pair[rows.origin, rows.destination]
        cell = np.where(rows.moves, cell, n_times * n_pairs)
        keys = [(cell, n_times * n_pairs + 1), (rows.origin, rows.n_states), (last, n_times + 1)]
        keys.append((first, n_times + 1))
        if rows.has_ids:
            keys.append((rows.codes, len(rows.ids)))
        # Rows with weights are sorted already.
        order = np.arange(len(cell)) if rows.has_weights else canonical_order(keys)
        columns = (first, last, cell, rows.origin, rows.destination, rows.codes, rows.weight)
        return cls(*(column[order] for column in columns))


@dataclass(frozen=True, eq=False)
class Influence:
    """The first-order effect of each individual on any sum over time of the occupancy.

    occupancy: (times + 1, states), the probabilities before the first and after each distinct time.
    """

    rows: RowsAtRisk
    integral: ProductIntegral
    initial_state: InitialState
    occupancy: np.ndarray

    def by_individual(self, emphasis: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Influence of each individual on sum_i emphasis[i] p(u_i) of the states in `columns`: (columns, ids)."""
        # As many columns at once as fit in memory.
        width = max(MOST_CELLS // max(len(emphasis) * self.integral.n_states, len(self.rows.exit)), 1)
        influence = np.empty((len(columns), len(self.rows.ids)))
        for begin in range(0, len(columns), width):
            influence[begin : begin + width] = self._of_occupancy(emphasis, columns[begin : begin + width])
        return influence

    def sum_of_squares(self, influence: np.ndarray) -> np.ndarray:
        """The jackknife's variance from influences (columns, ids): (columns,); missing if there is one individual."""
        if self.n_present < 2:
            return np.full(len(influence), np.nan)
        if not self.rows.has_ids:
            # Each row is an individual: add them in an order that does not depend on how they came.
            influence = influence[:, self.positions.codes]
        return (influence**2).sum(axis=1)

    @cached_property
    def share(self) -> np.ndarray:
        """p_j(u-) / Y_j(u), the probability that one unit of weight at risk stands for: (times, states)."""
        return ratio(self.occupancy[:-1], self.integral.at_risk)

    @cached_property
    def positions(self) -> Positions:
        """Where the rows are in tables by time."""
        return Positions.of(self.rows, self.integral)

    @cached_property
    def n_present(self) -> int:
        """How many individuals have rows at risk."""
        return int((np.bincount(self.rows.codes) > 0).sum())

    def _of_occupancy(self, emphasis: np.ndarray, columns: np.ndarray) -> np.ndarray:
        n_steps = len(emphasis) - 1
        prospects = self.integral.prospects(emphasis, columns)  # V
        # sum_k dA_jk (V_k - V_j) is how much V_j falls at that time, apart from the emphasis itself
        falls = prospects[:-1] - prospects[1:]
        falls[:, columns, np.arange(len(columns))] -= emphasis[:-1, None]
        # running sums over u of p_j(u-)/Y_j(u) sum_k dA_jk(u) (V_k(u) - V_j(u))
        expected = np.zeros_like(prospects)
        np.cumsum(self.share[:n_steps, :, None] * falls, axis=0, out=expected[1:])
        # p_j(b-)/Y_j(b) (V_k(b) - V_j(b)) of each row that moves
        rows, movers = self.positions, self.positions.movers(n_steps)
        step, origin = rows.last[movers] - 1, rows.origin[movers]
        gain = prospects[step + 1, rows.destination[movers]] - prospects[step + 1, origin]
        by_moves = self._summed_by_id(self.share[step, origin, None] * gain, expected, movers)
        return by_moves + self._from_initial_state(prospects[0])

    def _summed_by_id(self, gained: np.ndarray, expected: np.ndarray, movers: np.ndarray) -> np.ndarray:
        """Sum over each individual's rows of what its move gained less what was expected: (columns, ids).

        gained: (movers, columns), of the rows at the positions `movers`.
        expected: (steps + 1, states, columns), running sums.
        """
        n_steps, rows = len(expected) - 1, self.positions
        until, since = np.minimum(rows.last, n_steps), np.minimum(rows.first, n_steps)
        effect = expected[since, rows.origin] - expected[until, rows.origin]
        effect[movers] += gained
        if self.rows.has_weights:
            effect *= rows.weight[:, None]
        return self._by_code(rows.codes, effect)

    def _from_initial_state(self, prospects: np.ndarray) -> np.ndarray:
        """Influence through an estimated initial state, (columns, ids): w / sum of w x (V of one's state - mean V)."""
        start = self.initial_state
        if len(start.codes) == 0:
            return np.zeros((prospects.shape[1], 1))
        effect = (prospects - start.probabilities @ prospects)[start.origin]
        return self._by_code(start.codes, effect * (start.weight / start.weight.sum())[:, None])

    def _by_code(self, codes: np.ndarray, effect: np.ndarray) -> np.ndarray:
        """Sums of (rows, columns) over each individual's rows: (columns, ids)."""
        return np.stack([np.bincount(codes, weights=column, minlength=len(self.rows.ids)) for column in effect.T])
