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

the worth of its own move, less that of the moves expected of it. The second term is a difference of one running sum
per state, so a row costs three look-ups, however long it lasts.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from journeylab.estimators.arrays import CENSORED, canonical_order
from journeylab.estimators.initial_state import Start
from journeylab.estimators.product_integral import ProductIntegral
from journeylab.estimators.rows_at_risk import RowsAtRisk

MOST_CELLS = 20_000_000


@dataclass(frozen=True, eq=False)
class Positions:
    """Rows as positions in tables by time, in an order that depends on nothing but what they hold.

    order: the rows' positions in the exposure.
    first, last: how many distinct times are at or before entry and exit.
    cell: (last - 1) x pairs + kind of move; behind all cells for rows that do not end in a move.
    origin, destination, codes, weight: as in the exposure.
    """

    order: np.ndarray
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
    def of(cls, exposure: RowsAtRisk, integral: ProductIntegral) -> "Positions":
        """The positions of each row of the exposure."""
        n_times, n_pairs = len(integral.times), len(integral.origin)
        first, last = integral.steps(exposure.entry), integral.steps(exposure.exit)
        pair = np.zeros((exposure.n_states, exposure.n_states + 1), dtype=np.int64)
        pair[integral.origin, integral.destination] = np.arange(n_pairs)
        cell = (last - 1) * n_pairs + pair[exposure.origin, exposure.destination]
        cell = np.where(exposure.moves, cell, n_times * n_pairs)
        keys = [(cell, n_times * n_pairs + 1), (exposure.origin, exposure.n_states), (last, n_times + 1)]
        keys.append((first, n_times + 1))
        if exposure.named:
            keys.append((exposure.codes, len(exposure.ids)))
        # weighted rows are in order from the start
        order = np.arange(len(cell)) if exposure.weighted else canonical_order(keys)
        columns = (first, last, cell, exposure.origin, exposure.destination, exposure.codes, exposure.weight)
        return cls(order, *(column[order] for column in columns))


@dataclass(frozen=True, eq=False)
class Influence:
    """The first-order effect of each individual on any sum over time of the occupancy.

    occupancy: (times + 1, states), the probabilities before the first and after each distinct time.
    """

    exposure: RowsAtRisk
    integral: ProductIntegral
    start: Start
    occupancy: np.ndarray

    def each(self, emphasis: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Influence of each individual on sum_i emphasis[i] p(u_i) of the states in `columns`: (columns, ids)."""
        width = max(MOST_CELLS // max(len(emphasis) * self.integral.n_states, len(self.exposure.exit)), 1)
        each = np.empty((len(columns), len(self.exposure.ids)))
        for begin in range(0, len(columns), width):
            each[begin : begin + width] = self._of_occupancy(emphasis, columns[begin : begin + width])
        return each

    def each_on_hazards(self, n_steps: int) -> np.ndarray:
        """Influence of each individual on every cumulative hazard after `n_steps` distinct times: (pairs, ids)."""
        at_risk = self.integral.at_risk[:n_steps, self.integral.origin]
        share = np.divide(1.0, at_risk, out=np.zeros_like(at_risk), where=at_risk > 0)
        n_pairs = share.shape[1]
        expected = np.zeros((n_steps + 1, self.integral.n_states, n_pairs))
        pairs = np.arange(n_pairs)
        expected[1:, self.integral.origin, pairs] = np.cumsum(share * self.integral.hazard[:n_steps], axis=0)
        movers = self.positions.movers(n_steps)
        step, pair = np.divmod(self.positions.cell[movers], n_pairs)
        return self._summed_by_id(share[step] * (pair[:, None] == pairs), expected, movers)

    def sum_of_squares(self, each: np.ndarray) -> np.ndarray:
        """The jackknife's variance from influences (columns, ids): (columns,); missing if there is one individual."""
        if self.n_present < 2:
            return np.full(len(each), np.nan)
        if not self.exposure.named:
            # rows stand for themselves: add them in an order that does not depend on how they came
            each = each[:, self.positions.codes]
        return (each**2).sum(axis=1)

    def greenwood(self, emphasis: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Greenwood's variance of sum_i emphasis[i] p(u_i), (columns,): rows independent, the start taken as known.

        Moves out of a state at one time are multinomial, and those at different times uncorrelated:
        sum_u sum_j p_j^2/Y_j [ sum_k dA_jk (V_k - V_j)^2 - (sum_k dA_jk (V_k - V_j))^2 ].
        """
        n_steps = len(emphasis) - 1
        hazard = self.integral.hazard[:n_steps]
        drawn = (self.share * self.occupancy[:-1])[:n_steps]
        worth = self.integral.prospects(emphasis, columns)
        gain = worth[1:, self.integral.destination] - worth[1:, self.integral.origin]
        total = np.zeros(len(columns))
        for state in range(self.integral.n_states):
            pairs = self.integral.origin == state
            mean = (hazard[:, pairs, None] * gain[:, pairs]).sum(axis=1)
            square = (hazard[:, pairs, None] * gain[:, pairs] ** 2).sum(axis=1)
            total += (drawn[:, state, None] * (square - mean**2)).sum(axis=0)
        return np.maximum(total, 0.0)

    @cached_property
    def share(self) -> np.ndarray:
        """p_j(u-) / Y_j(u), the probability that one unit of weight at risk stands for: (times, states)."""
        at_risk = self.integral.at_risk
        return np.divide(self.occupancy[:-1], at_risk, out=np.zeros_like(at_risk), where=at_risk > 0)

    @cached_property
    def positions(self) -> Positions:
        """Where the rows are in tables by time."""
        return Positions.of(self.exposure, self.integral)

    @cached_property
    def n_present(self) -> int:
        """How many individuals have rows at risk."""
        return int((np.bincount(self.exposure.codes) > 0).sum())

    def _of_occupancy(self, emphasis: np.ndarray, columns: np.ndarray) -> np.ndarray:
        n_steps, places = len(emphasis) - 1, np.arange(len(columns))
        worth = self.integral.prospects(emphasis, columns)
        # sum_k dA_jk (V_k - V_j) is by how much V_j falls at that time, but for the emphasis itself
        falls = worth[:-1] - worth[1:]
        falls[:, columns, places] -= emphasis[:-1, None]
        expected = np.zeros_like(worth)
        np.cumsum(self.share[:n_steps, :, None] * falls, axis=0, out=expected[1:])
        rows, movers = self.positions, self.positions.movers(n_steps)
        step, origin = rows.last[movers] - 1, rows.origin[movers]
        gain = worth[step + 1, rows.destination[movers]] - worth[step + 1, origin]
        return self._summed_by_id(self.share[step, origin, None] * gain, expected, movers) + self._from_start(worth[0])

    def _summed_by_id(self, gained: np.ndarray, expected: np.ndarray, movers: np.ndarray) -> np.ndarray:
        """Sum over each individual's rows of the effect of its move less the running sum expected of it: (columns,
        ids).

        gained: (movers, columns), of the rows at the positions `movers`. expected: (steps + 1, states, columns),
        running sums.
        """
        n_steps, rows = len(expected) - 1, self.positions
        until, since = np.minimum(rows.last, n_steps), np.minimum(rows.first, n_steps)
        effect = expected[since, rows.origin] - expected[until, rows.origin]
        effect[movers] += gained
        if self.exposure.weighted:
            effect *= rows.weight[:, None]
        n_ids = len(self.exposure.ids)
        return np.stack([np.bincount(rows.codes, weights=each, minlength=n_ids) for each in effect.T])

    def _from_start(self, worth: np.ndarray) -> np.ndarray:
        """Influence through an estimated start, (columns, ids): (worth of one's first state - mean worth) / weight."""
        start, n_ids = self.start, len(self.exposure.ids)
        if len(start.codes) == 0:
            return np.zeros((worth.shape[1], 1))
        effect = (worth - start.probabilities @ worth)[start.origin] * (start.weight / start.weight.sum())[:, None]
        return np.stack([np.bincount(start.codes, weights=each, minlength=n_ids) for each in effect.T])
