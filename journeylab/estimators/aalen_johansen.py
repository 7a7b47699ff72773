"""Aalen-Johansen: where is everyone at each time, when most have not finished and there are many ways to go?

Kaplan-Meier is the case of one state that can be left by one way; cumulative incidence that of several ways out; the
general case is a journey among states. Occupancy needs no Markov assumption (Datta & Satten 2001; Andersen & Keiding
2012, Statistics in Medicine 31:1074-1088); transition probabilities from a later time do, unless from a landmark.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from journeylab.base.errors import EstimateError
from journeylab.estimators.influence import Influence
from journeylab.estimators.initial_state import Start
from journeylab.estimators.intervals import curve_quantiles, probability_interval
from journeylab.estimators.jackknife_curve import curve_variance, has_one_state_to_leave
from journeylab.estimators.product_integral import CumulativeHazards, ProductIntegral
from journeylab.estimators.rows_at_risk import RowsAtRisk

METHODS = ("jackknife", "greenwood")
# For so few times, one by one takes less than the whole curve: about as long with 200 rows, less with 200,000.
ONE_BY_ONE = 6


@dataclass(frozen=True, eq=False)
class AalenJohansen:
    """State probabilities over time, with errors that count individuals rather than rows.

    exposure: the rows at risk.
    integral: hazards by distinct time of moves.
    start: the probabilities of the states at the beginning of the clock.
    clock_start: where the clock begins; before it nothing is estimated.
    """

    exposure: RowsAtRisk
    integral: ProductIntegral
    start: Start
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
        start: ArrayLike | None = None,
    ) -> "AalenJohansen":
        """Estimate from rows at risk on (entry, exit].

        entry, exit: times in one unit, counted from 0. A row watched from its very start may have a negative entry,
            so that an exit at time 0 counts. At one time, moves come before the ends of watching, and those before
            entries.
        origin, destination: states 0 to n_states - 1; destination -1 where watching ended.
        ids: the individual each row belongs to; without, each row is its own. Errors sum an individual's rows first.
        weights: 0 or more; 0 leaves a row out.
        start: probabilities of the states at the start, taken as known. Without it, the shares among the rows at risk
            at the first move, whose error is counted. With late entry that risk set is a fragile base: a warning says
            so if individuals enter later and there is more than one state to begin in.

        Rows with entry = exit >= 0 expose nobody. With `ids`, a state held for no time is passed through, not
        occupied. If nobody moves, all stay where they were at risk at the earliest end of watching.

        Raises EstimateError if the arrays differ in length, hold missing or impossible values, or nothing is left.
        """
        rows = {"entry": entry, "exit": exit, "origin": origin, "destination": destination}
        exposure = RowsAtRisk.of({**rows, "ids": ids, "weights": weights}, n_states=n_states)
        begin = Start.estimated(exposure) if start is None else Start.known(start, n_states=exposure.n_states)
        return cls(exposure, ProductIntegral.of(exposure), begin)

    @property
    def times(self) -> np.ndarray:
        """The distinct times of moves, (times,)."""
        return self.integral.times

    @property
    def n_states(self) -> int:
        """How many states there are."""
        return self.exposure.n_states

    @property
    def ids(self) -> np.ndarray:
        """The individuals, in the order of `influence` and `pseudo_values`; row numbers if none were named."""
        return self.exposure.ids

    @property
    def last_time(self) -> float:
        """The latest time at which anyone was watched."""
        return float(self.exposure.exit.max())

    def occupancy(self, times: ArrayLike) -> np.ndarray:
        """Probability of each state just after each of `times`, (times, states); each row sums to 1.

        Missing (nan) before the clock starts, and after `last_time` unless by then all are in states in which nobody
        was ever at risk, and which nobody can leave. With one state to leave, the occupancy of the others is the
        cumulative incidence of each way out.
        """
        times = _checked_times(times)
        return np.where(self._is_known(times)[:, None], self._path[self.integral.steps(times)], np.nan)

    def standard_errors(self, times: ArrayLike, method: str = "jackknife") -> np.ndarray:
        """Standard errors of `occupancy(times)`, (times, states), missing where it is.

        `jackknife`: infinitesimal, summed over each individual's rows, the error of an estimated start included.
            Missing if there is only one individual. `greenwood`: rows as if independent and the start as if known,
            for comparison.
        """
        times = _checked_times(times)
        _check_method(method)
        variance = self._variance(self.integral.steps(times), np.arange(self.n_states), method)
        return np.where(self._is_known(times)[:, None], np.sqrt(variance), np.nan)

    def restricted_means(self, horizon: float, method: str = "jackknife") -> tuple[np.ndarray, np.ndarray]:
        """Expected time in each state from the clock's start to `horizon`, and its errors: two arrays (states,).

        Both missing if the occupancy at the horizon is. The expected times sum to the length of the clock.
        Raises EstimateError for a horizon that does not lie after the clock's start.
        """
        _check_method(method)
        emphasis, columns = self._lengths(horizon), np.arange(self.n_states)
        if not self._is_known(np.array([float(horizon)]))[0]:
            return np.full(self.n_states, np.nan), np.full(self.n_states, np.nan)
        if method == "jackknife":
            variance = self._influence.sum_of_squares(self._influence.each(emphasis, columns))
        else:
            variance = self._influence.greenwood(emphasis, columns)
        return emphasis @ self._path[: len(emphasis)], np.sqrt(variance)

    def quantiles(
        self, shares: ArrayLike, *, state: int = 0, confidence: float = 0.95, method: str = "jackknife"
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """When the given `shares` have left `state` (0.5: the median), with limits: three arrays (shares,).

        For a state that all begin in and nobody comes back to. The first time at which its probability is at or below
        1 - share, and likewise for the limits of its log-log interval; infinite where not reached while watched.
        """
        _check_method(method)
        column, steps = np.array([self._checked_state(state)]), np.arange(len(self.times) + 1)
        error = np.sqrt(self._variance(steps, column, method)[:, 0])
        curve = self._path[:, state]
        lower, upper = probability_interval(curve, error, confidence=confidence)
        times = np.concatenate([[self.clock_start], self.times])
        return curve_quantiles(times, curve, lower, upper, shares=shares)

    def influence(self, times: ArrayLike, state: int | Sequence[int]) -> np.ndarray:
        """How far each individual moves the probability of `state`, or of any of several, at each of `times`, (ids,
        times).

        Columns sum to 0, their squares to the jackknife's variance. Missing where the occupancy is. This is what
        `intervals.simultaneous_band` asks for; differences of such arrays give the error of differences.
        """
        states = state if isinstance(state, Sequence) else [state]
        times, columns = _checked_times(times), np.array([self._checked_state(each) for each in states])
        each = np.empty((len(self.ids), len(times)))
        for position, step in enumerate(self.integral.steps(times)):
            each[:, position] = self._influence.each(_at(step), columns).sum(axis=0)
        return np.where(self._is_known(times), each, np.nan)

    def influence_by_state(self, time: float) -> np.ndarray:
        """How far each individual moves the probability of each state at one `time`, (ids, states).

        Its columns are those of `influence`, all for the price of one.
        """
        times = _checked_times([time])
        each = self._influence.each(_at(self.integral.steps(times)[0]), np.arange(self.n_states)).T
        return np.where(self._is_known(times), each, np.nan)

    def errors_of_sums(self, time: float, sets: Sequence[Sequence[int]]) -> np.ndarray:
        """The jackknife's standard errors of being in any state of each of `sets` at one `time`, (sets,).

        Missing where `standard_errors` are; 0 for a set of no states.
        """
        each = self.influence_by_state(time).T
        columns = [[self._checked_state(state) for state in states] for states in sets]
        return np.sqrt(self._influence.sum_of_squares(np.stack([each[states].sum(axis=0) for states in columns])))

    def pseudo_values(self, times: ArrayLike, state: int) -> np.ndarray:
        """Each individual's pseudo-value of the probability of `state`, (ids, times): estimate + ids x influence.

        Their mean is the estimate; regressed on attributes they give differences in probability (Andersen & Pohar
        Perme 2010, Statistical Methods in Medical Research 19:71-99). Raises EstimateError for a weighted fit.
        """
        if self.exposure.weighted:
            raise EstimateError("Pseudo-values of a weighted fit are not defined. Fit without weights.")
        return self.occupancy(times)[:, state] + len(self.ids) * self.influence(times, state)

    def at_risk(self, times: ArrayLike, *, just: str = "before") -> np.ndarray:
        """How many rows (neither weights nor individuals) were at risk in each state: int64 (times, states).

        just `before` (the base of a hazard at that time): entry < t <= exit; just `after`: entry <= t < exit.
        """
        if just not in ("before", "after"):
            raise EstimateError(f"Rows are counted just “before” or “after” a time, not “{just}”. Use one of the two.")
        return self.exposure.at_risk(_checked_times(times), just=just)

    def last_time_with(self, n_at_risk: int, *, state: int = 0) -> float:
        """The latest time just before which `n_at_risk` rows or more were at risk in `state`; missing if none is."""
        ends = np.unique(self.exposure.exit[self.exposure.origin == self._checked_state(state)])
        enough = ends[self.exposure.at_risk(ends, just="before")[:, state] >= n_at_risk]
        return float(enough[-1]) if len(enough) else float("nan")

    def cumulative_hazards(self) -> CumulativeHazards:
        """The Nelson-Aalen cumulative hazard of every kind of move that occurs, at every time of a move."""
        return self.integral.cumulative_hazards()

    def hazard_errors(self, times: ArrayLike) -> np.ndarray:
        """The jackknife's standard errors of `cumulative_hazards`, whose pairs they follow: (times, pairs)."""
        each = [self._influence.each_on_hazards(step) for step in self.integral.steps(_checked_times(times))]
        return np.sqrt([self._influence.sum_of_squares(one) for one in each])

    def transition_probabilities(self, since: float, until: float) -> np.ndarray:
        """P(in k at `until` | in j at `since`), (states, states), by the product integral over (since, until].

        Right if the journey is Markov: where it goes next depends on the state held, not on how it was reached. See
        `landmark` for the form that does not need this.
        """
        first, last = self._steps_between(since, until)
        return np.stack([self.integral.occupancy(row, after=first)[last] for row in np.eye(self.n_states)])

    def transition_errors(self, since: float, until: float) -> np.ndarray:
        """Greenwood's standard errors of `transition_probabilities`, (states, states)."""
        first, last = self._steps_between(since, until)
        paths = [self.integral.occupancy(row, after=first) for row in np.eye(self.n_states)]
        return np.sqrt([self.integral.variance(path, after=first)[last] for path in paths])

    def landmark(self, time: float, state: int) -> "AalenJohansen":
        """The estimate from those in `state` just after `time` alone, from then on: needs no Markov assumption.

        Its occupancy at t > time is P(in k at t | in `state` at `time`) (Putter & Spitoni 2018, Statistical Methods
        in Medical Research 27:2081-2092). Raises EstimateError if nobody is there then.
        """
        exposure = self.exposure.from_landmark(float(_checked_times([time])[0]), self._checked_state(state))
        start = Start.known(np.eye(self.n_states)[state], n_states=self.n_states)
        return AalenJohansen(exposure, ProductIntegral.of(exposure), start, clock_start=float(time))

    def first_passage(self, state: int) -> "AalenJohansen":
        """The journey until `state` is first reached: its occupancy of `state` is the chance of having been there.

        Each individual's rows after first reaching it are left out (without ids, rows count as individuals), so this
        needs no Markov assumption. What happened before someone was watched is not known. Start and its error stay.
        """
        exposure = self.exposure.until(self._checked_state(state))
        return AalenJohansen(exposure, ProductIntegral.of(exposure), self.start, self.clock_start)

    @cached_property
    def _path(self) -> np.ndarray:
        """Probabilities before the first and after each time, (times + 1, states)."""
        return self.integral.occupancy(self.start.probabilities)

    @cached_property
    def _influence(self) -> Influence:
        return Influence(self.exposure, self.integral, self.start, self._path)

    @cached_property
    def _is_settled(self) -> bool:
        """Whether in the end all are in states in which nobody was ever at risk."""
        watched = np.bincount(self.exposure.origin, minlength=self.n_states) > 0
        return bool(self._path[-1, watched].sum() < 1e-12)

    def _is_known(self, times: np.ndarray) -> np.ndarray:
        return (times >= self.clock_start) & ((times <= self.last_time) | self._is_settled)

    def _variance(self, steps: np.ndarray, columns: np.ndarray, method: str) -> np.ndarray:
        """Variances of the occupancy of `columns` after the given numbers of distinct times: (steps, columns)."""
        if method == "greenwood":
            return self.integral.variance(self._path)[steps][:, columns]
        distinct, position = np.unique(steps, return_inverse=True)
        if len(distinct) > ONE_BY_ONE and has_one_state_to_leave(self._influence):
            return curve_variance(self._influence, columns)[steps]
        each = (self._influence.each(_at(step), columns) for step in distinct)
        squares = [self._influence.sum_of_squares(one) for one in each]
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

    def _steps_between(self, since: float, until: float) -> tuple[int, int]:
        since, until = _checked_times([since, until])
        if not self.clock_start <= since <= until <= self.last_time:
            raise EstimateError(
                f"Transition probabilities were asked for from {since:g} to {until:g}. Choose times in this order "
                f"between {self.clock_start:g} and {self.last_time:g}, while anyone was watched."
            )
        first, last = self.integral.steps(np.array([since, until]))
        return int(first), int(last - first)

    def _checked_state(self, state: int) -> int:
        if state not in range(self.n_states):
            raise EstimateError(f"There is no state {state}. The states are 0 to {self.n_states - 1}.")
        return int(state)


def _at(step: int) -> np.ndarray:
    """All emphasis on the occupancy after `step` distinct times."""
    emphasis = np.zeros(step + 1)
    emphasis[-1] = 1.0
    return emphasis


def _checked_times(times: ArrayLike) -> np.ndarray:
    try:
        given = np.atleast_1d(np.asarray(times, dtype=np.float64))
    except (TypeError, ValueError):
        given = np.array([np.nan])
    if given.ndim != 1 or not np.isfinite(given).all():
        raise EstimateError(f"The times asked for are {times}. Give one finite number, or a list of them.")
    return given


def _check_method(method: str) -> None:
    if method not in METHODS:
        raise EstimateError(f"There is no method “{method}” for standard errors. Known: {', '.join(METHODS)}.")
