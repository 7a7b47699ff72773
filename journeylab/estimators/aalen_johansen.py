"""Aalen-Johansen: where is everyone at each time, when most have not finished and there are many exits?

Kaplan-Meier is the case of one state with one exit; cumulative incidence that of one state with several exits; the
general case is a journey among states. Occupancy needs no Markov assumption (Datta & Satten 2001; Andersen & Keiding
2012, Statistics in Medicine 31:1074-1088).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from journeylab.base.errors import EstimateError
from journeylab.estimators.arrays import ROUNDING
from journeylab.estimators.influence import Influence
from journeylab.estimators.initial_state import InitialState
from journeylab.estimators.jackknife_curve import curve_variance, has_one_state_to_leave
from journeylab.estimators.product_integral import ProductIntegral
from journeylab.estimators.rows_at_risk import RowsAtRisk

# For so few times, one by one takes less than the whole curve: about as long with 200 rows, less with 200,000.
ONE_BY_ONE = 6


@dataclass(frozen=True, eq=False)
class AalenJohansen:
    """State probabilities over time, with errors that count individuals rather than rows.

    rows: the rows at risk.
    integral: hazards by distinct time of moves.
    initial_state: the probabilities of the states at the beginning of the clock.
    clock_start: where the clock begins; before it nothing is estimated.
    """

    rows: RowsAtRisk
    integral: ProductIntegral
    initial_state: InitialState
    clock_start: float = 0.0

    @classmethod
    def fit(
        cls,
        entry: ArrayLike,
        exit: ArrayLike,  # noqa: A002
        origin: ArrayLike,
        destination: ArrayLike,
        *,
        n_states: int,
        ids: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        initial_state: ArrayLike | None = None,
    ) -> "AalenJohansen":
        """Estimate from rows at risk on (entry, exit].

        Parameters
        ----------
        entry, exit : (rows,)
            Times in one unit, counted from 0. A row watched from its very start may have a negative entry, so that an
            exit at time 0 counts. At one time, moves come before the ends of watching, and those before entries.
        origin, destination : (rows,)
            States 0 to n_states - 1; destination -1 where watching ended.
        ids : (rows,), optional
            The individual that a row belongs to. Errors sum an individual's rows first. Without ids each row is an
            individual of its own.
        weights : (rows,), optional
            0 or more; 0 leaves a row out.
        initial_state : (states,), optional
            The probability of each state at the start, taken as known. Without it, it is estimated by the shares of the
            states among the rows at risk at the first move, and its error is counted. With late entry these rows may be
            few: a warning says so if individuals enter later and there is more than one state to begin in.

        Raises
        ------
        EstimateError
            If the arrays differ in length, have missing or impossible values, or nothing is left.

        Notes
        -----
        Rows with entry = exit >= 0 are never at risk. With `ids`, a state held for no time is passed through, not
        occupied. If nobody moves, all stay where they were at risk at the earliest end of watching.
        """
        given = {"entry": entry, "exit": exit, "origin": origin, "destination": destination}
        rows = RowsAtRisk.of({**given, "ids": ids, "weights": weights}, n_states=n_states)
        if initial_state is None:
            begin = InitialState.estimated(rows)
        else:
            begin = InitialState.known(initial_state, n_states=rows.n_states)
        return cls(rows, ProductIntegral.of(rows), begin)

    @property
    def times(self) -> np.ndarray:
        """The distinct times of moves, (times,)."""
        return self.integral.times

    @property
    def n_states(self) -> int:
        """How many states there are."""
        return self.rows.n_states

    @property
    def ids(self) -> np.ndarray:
        """The individuals, in the order of `influence`; row numbers if no ids were given."""
        return self.rows.ids

    @property
    def last_time(self) -> float:
        """The latest time at which anyone was watched."""
        return float(self.rows.exit.max())

    def occupancy(self, times: ArrayLike) -> np.ndarray:
        """Probability of each state just after each of `times`, (times, states); each row sums to 1.

        Missing (nan) before the clock starts. Missing after `last_time` too, unless by then all are in states that
        nobody can leave, which are those where nobody was ever at risk. With one state to leave, the occupancy of each
        other state is the cumulative incidence of one exit.
        """
        times = _checked_times(times)
        return np.where(self._is_known(times)[:, None], self._path[self.integral.steps(times)], np.nan)

    def standard_errors(self, times: ArrayLike) -> np.ndarray:
        """Standard errors of `occupancy(times)`, (times, states), missing where it is.

        By the infinitesimal jackknife, summed over each individual's rows; an estimated initial state adds its error.
        Missing if there is only one individual.
        """
        times = _checked_times(times)
        variance = self._variance(self.integral.steps(times), np.arange(self.n_states))
        return np.where(self._is_known(times)[:, None], np.sqrt(variance), np.nan)

    def restricted_means(self, horizon: float) -> tuple[np.ndarray, np.ndarray]:
        """Expected time in each state from the clock's start to `horizon`, and its errors: two arrays (states,).

        Both are missing if the occupancy at the horizon is. The expected times sum to the length of the clock.
        Raises EstimateError for a horizon that is not after the clock's start.
        """
        emphasis = self._lengths(horizon)
        if not self._is_known(np.array([float(horizon)]))[0]:
            return np.full(self.n_states, np.nan), np.full(self.n_states, np.nan)
        influence = self._influence.by_individual(emphasis, np.arange(self.n_states))
        return emphasis @ self._path[: len(emphasis)], np.sqrt(self._influence.sum_of_squares(influence))

    def influence(self, times: ArrayLike, state: int | Sequence[int]) -> np.ndarray:
        """How far each individual moves the probability of `state`, or of any of several: (ids, times).

        Columns sum to 0, their squares to the jackknife's variance. Missing where the occupancy is. Differences of such
        arrays give the error of differences.
        """
        states = state if isinstance(state, Sequence) else [state]
        times, columns = _checked_times(times), np.array([self._checked_state(state) for state in states])
        influence = np.empty((len(self.ids), len(times)))
        for position, step in enumerate(self.integral.steps(times)):
            influence[:, position] = self._influence.by_individual(_at(step), columns).sum(axis=0)
        return np.where(self._is_known(times), influence, np.nan)

    def influence_by_state(self, time: float) -> np.ndarray:
        """How far each individual moves the probability of each state at one `time`, (ids, states).

        Its columns are those of `influence`, in the time that one of them takes.
        """
        times = _checked_times([time])
        influence = self._influence.by_individual(_at(self.integral.steps(times)[0]), np.arange(self.n_states)).T
        return np.where(self._is_known(times), influence, np.nan)

    def errors_of_sums(self, time: float, sets: Sequence[Sequence[int]]) -> np.ndarray:
        """The jackknife's standard errors of being in any state of each of `sets` at one `time`, (sets,).

        Missing where `standard_errors` are; 0 for a set of no states.
        """
        influence = self.influence_by_state(time).T
        columns = [[self._checked_state(state) for state in states] for states in sets]
        return np.sqrt(self._influence.sum_of_squares(np.stack([influence[states].sum(axis=0) for states in columns])))

    @cached_property
    def _path(self) -> np.ndarray:
        """Probabilities before the first and after each time, (times + 1, states)."""
        return self.integral.occupancy(self.initial_state.probabilities)

    @cached_property
    def _influence(self) -> Influence:
        return Influence(self.rows, self.integral, self.initial_state, self._path)

    @cached_property
    def _is_settled(self) -> bool:
        """Whether in the end all are in states in which nobody was ever at risk."""
        is_watched = np.bincount(self.rows.origin, minlength=self.n_states) > 0
        return bool(self._path[-1, is_watched].sum() < ROUNDING)

    def _is_known(self, times: np.ndarray) -> np.ndarray:
        return (times >= self.clock_start) & ((times <= self.last_time) | self._is_settled)

    def _variance(self, steps: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Variances of the occupancy of `columns` after the given numbers of distinct times: (steps, columns)."""
        distinct, position = np.unique(steps, return_inverse=True)
        if len(distinct) > ONE_BY_ONE and has_one_state_to_leave(self._influence):
            return curve_variance(self._influence, columns)[steps]
        influences = (self._influence.by_individual(_at(step), columns) for step in distinct)
        squares = [self._influence.sum_of_squares(influence) for influence in influences]
        return np.reshape(squares, (len(distinct), len(columns)))[position.ravel()]

    def _lengths(self, horizon: float) -> np.ndarray:
        """How long each step of the occupancy lasts between the clock's start and the horizon."""
        horizon = float(_checked_times([horizon])[0])
        if horizon <= self.clock_start:
            raise EstimateError(
                f"The horizon is {horizon:g}, not after the clock's start, {self.clock_start:g}. Give a later horizon."
            )
        bounds = np.concatenate([[self.clock_start], self.times[: self.integral.steps(np.array(horizon))], [horizon]])
        return np.diff(np.maximum(bounds, self.clock_start))

    def _checked_state(self, state: int) -> int:
        if state not in range(self.n_states):
            raise EstimateError(f"There is no state {state}. The states are 0 to {self.n_states - 1}.")
        return int(state)


def _at(step: int) -> np.ndarray:
    """All emphasis on the occupancy after `step` distinct times."""
    emphasis = np.zeros(step + 1)
    emphasis[-1] = 1.0
    return emphasis


def _checked_times(times: object) -> np.ndarray:
    try:
        given = np.atleast_1d(np.asarray(times, dtype=np.float64))
    except (TypeError, ValueError):
        given = np.array([np.nan])
    if given.ndim != 1 or not np.isfinite(given).all():
        raise EstimateError(f"The times asked for are {times}. Give one finite number, or a list of them.")
    return given
