"""Jackknife curve: what is the jackknife's variance at every time, when there is one state to leave?

With one state to leave (Kaplan-Meier, competing exits), an individual's influence on a curve F after n times is

    U(n) = P + F(n) Q + B (F(n) G(n) - A(n)),

where A and G are running sums over time common to all, and P, Q, B change only when one of the individual's rows
begins or ends. So the sum of squares over individuals is a quadratic form in three numbers, whose nine coefficients
change at those moments only: all times together cost about as much as a few one by one.

Derivation. Let S be the probability of the state, share = S(u-)/Y(u), e = share/S(u), h the total hazard. For the
incidence F of an exit, V_exit(u) - V_state(u) = [is it F's own exit] - (F(n) - F(u))/S(u); collecting what does and
does not depend on n in the formula of `influence` gives the effect of a move at b, share [own exit] + e F(b) - F(n)
e, and the running sums A = sum of share dA_own + h e F and G = sum of h e. For F = S itself the terms without n
vanish.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement

import numpy as np

from journeylab.estimators.arrays import ratio
from journeylab.estimators.influence import Influence

# A variance below this share of the largest sum of its absolute terms is what rounding leaves of terms that cancel.
CANCELLED = 1e-13


def has_one_state_to_leave(influence: Influence) -> bool:
    """Whether all rows are at risk in one state and the initial state has no error: what `curve_variance` needs."""
    origin = influence.rows.origin
    return bool((origin == origin[0]).all() and (influence.initial_state.origin == origin[0]).all())


def curve_variance(influence: Influence, columns: np.ndarray) -> np.ndarray:
    """The jackknife's variance of the occupancy of `columns` at every time.

    (times + 1, columns): before the first time, then just after each. Missing if there is but one individual. Equal to
    that computed time by time, but for rounding.
    """
    n_times = len(influence.integral.times)
    if influence.n_present < 2:
        return np.full((n_times + 1, len(columns)), np.nan)
    moments = _Moments(influence)
    return np.stack([moments.variance(int(column)) for column in columns], axis=1)


@dataclass(frozen=True, eq=False)
class _Moments:
    """P, Q and B of each individual at each moment, when one of its rows begins or ends: by individual, then time."""

    influence: Influence

    def variance(self, column: int) -> np.ndarray:
        """The variance of the occupancy of one state: (times + 1,)."""
        curve = self.influence.occupancy[:, column]
        if column == self._state:
            level, running = np.zeros_like(self._slope), np.zeros(len(curve))  # P and A vanish
        else:
            level, running = self._level(column)
        # U = P x 1 + Q x F + B x (F G - A); its square has six different products.
        parts = (level, self._slope, self._active)
        factors = (np.ones_like(curve), curve, curve * self._expected - running)
        terms = [
            (1 if one == other else 2)
            * factors[one]
            * factors[other]
            * self._sums_over_individuals(parts[one], parts[other])
            for one, other in combinations_with_replacement(range(3), 2)
        ]
        variance = np.sum(terms, axis=0)
        # Terms cancel for instance when all have left by one exit.
        return np.where(variance > CANCELLED * np.abs(terms).sum(axis=0).max(), variance, 0.0)

    def _level(self, column: int) -> tuple[np.ndarray, np.ndarray]:
        """P for the incidence of an exit, moment by moment, and A."""
        integral, rows = self.influence.integral, self.influence.positions
        is_own_exit = (integral.destination == column).astype(np.float64)
        share, curve = self.influence.share[:, self._state], self.influence.occupancy[1:, column]
        # share [own exit] + e F of a move at each time; A is the running sum of what is expected
        earned = share[:, None] * is_own_exit + (self._effect * curve)[:, None]
        running = _running((integral.hazard * earned).sum(axis=1))
        ended = np.append(earned, 0.0)[rows.cell]
        return self._totals(running[rows.first], ended - running[rows.last]), running

    @cached_property
    def _state(self) -> int:
        return int(self.influence.rows.origin[0])

    @cached_property
    def _effect(self) -> np.ndarray:
        """e = share / S, (times,)."""
        share, staying = self.influence.share[:, self._state], self.influence.occupancy[1:, self._state]
        return ratio(share, staying)

    @cached_property
    def _expected(self) -> np.ndarray:
        """G, (times + 1,)."""
        return _running(self.influence.integral.hazard.sum(axis=1) * self._effect)

    @cached_property
    def _slope(self) -> np.ndarray:
        """Q, moment by moment."""
        rows = self.influence.positions
        ended = np.append(np.repeat(self._effect, len(self.influence.integral.origin)), 0.0)[rows.cell]
        return self._totals(-self._expected[rows.first], self._expected[rows.last] - ended)

    @cached_property
    def _active(self) -> np.ndarray:
        """B, moment by moment."""
        one = np.ones(len(self.influence.positions.first))
        return self._totals(one, -one)

    @cached_property
    def _moments(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The order of rows' beginnings and endings; how many times are at or before each; whether it is the first."""
        rows = self.influence.positions
        # Without ids each row is an individual, numbered by the rows' content and not by the order in which they came.
        codes = rows.codes if self.influence.rows.has_ids else np.arange(len(rows.codes))
        codes, steps = np.concatenate([codes, codes]), np.concatenate([rows.first, rows.last])
        order = np.lexsort((steps, codes))
        codes = codes[order]
        return order, steps[order], np.concatenate([[True], codes[1:] != codes[:-1]])

    def _totals(self, begun: np.ndarray, ended: np.ndarray) -> np.ndarray:
        """Running totals within each individual of what rows add when they begin and when they end."""
        order, _, is_first = self._moments
        weight = self.influence.positions.weight
        return _cumulated_within(np.concatenate([begun * weight, ended * weight])[order], is_first)

    def _sums_over_individuals(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Sum over individuals of one x other, before the first and after each time."""
        _, steps, is_first = self._moments
        product = one * other
        change = product - np.where(is_first, 0.0, np.concatenate([[0.0], product[:-1]]))
        return np.cumsum(np.bincount(steps, weights=change, minlength=len(self.influence.occupancy)))


def _running(values: np.ndarray) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(values)])


def _cumulated_within(values: np.ndarray, is_first: np.ndarray) -> np.ndarray:
    """Running sums that begin anew where `is_first`; by doubling, so that sums of one never touch those of another."""
    totals = values.copy()
    begins = np.flatnonzero(is_first)
    depth = np.arange(len(values)) - np.repeat(begins, np.diff(np.append(begins, len(values))))
    shift, longest = 1, depth.max()
    while shift <= longest:
        reach = np.flatnonzero(depth >= shift)
        totals[reach] += totals[reach - shift]
        shift *= 2
    return totals
