"""Journeys as shares: what share of customers holds each stage and branch on each day, and how sure is that?"""

from dataclasses import dataclass

import numpy as np

from journeylab.estimators.aalen_johansen import AalenJohansen
from journeylab.estimators.initial_state import InitialState
from journeylab.estimators.intervals import probability_interval
from journeylab.estimators.product_integral import ProductIntegral
from journeylab.estimators.rows_at_risk import RowsAtRisk
from journeylab.events.spells.transitions import Transitions
from journeylab.findings.exit_curves import rounded


@dataclass(frozen=True, eq=False)
class JourneyCurves:
    """Of the journeys of one group: the share in each state by days since entering the journey, with intervals.

    journeys: all that is known of them; `watched`: the same from when each is watched.
    begins: the day on which the curves begin. fitted: their Aalen-Johansen estimate, states as in `journeys.states`.
    confidence: the level of the intervals; standard errors are clustered by customer.
    """

    journeys: Transitions
    watched: Transitions
    begins: float
    fitted: AalenJohansen
    confidence: float

    @classmethod
    def of(
        cls, journeys: Transitions, since: np.ndarray, confidence: float, *, min_at_risk: int
    ) -> "JourneyCurves | None":
        """The curves of `journeys`, each watched from day `since` (customers,) on; None if nobody is watched.

        They begin on the first day with `min_at_risk` customers watched (if there never are so many, with the most):
        where these are on that day is where all begin.
        """
        watched = journeys.watched_from(since)
        if not watched.n:
            return None
        begins = watched.day_with(min_at_risk)
        watched = watched.watched_from(begins)
        return cls(journeys, watched, begins, _fit(watched, begins), confidence)

    def shares(self, days: np.ndarray) -> tuple[np.ndarray, ...]:
        """Share in each state just after each of `days` with logit limits: three arrays (days, states).

        Missing before the curves begin and after the last day on which anyone was watched. Limits of a share of exactly
        0 or 1 are Wilson's over the customers watched until that day; limits of a single customer are missing.
        """
        return self._with_limits(self.fitted.occupancy(days), self.fitted.standard_errors(days), days)

    def lost(self, days: np.ndarray) -> tuple[np.ndarray, ...]:
        """Share that is lost by any branch just after each of `days`: three arrays (days, 1)."""
        branches = range(self.journeys.n_stages, len(self.journeys.states))
        share = self.fitted.occupancy(days)[:, branches].sum(axis=1)
        error = _root_of_squares(self.fitted.influence(days, branches))
        return tuple(column[:, None] for column in self._with_limits(share, error, days))

    def first_day(self, state: str) -> float:
        """The day on which the first of all customers came to `state`; infinite where nobody did."""
        here = self.watched.origin == self.journeys.states.index(state)
        return float(self.watched.entry[here].min(initial=np.inf))

    def n_watched(self, days: np.ndarray) -> np.ndarray:
        """Customers watched, in any state, just before each of `days`; on the first day, just after it."""
        before, after = self.watched.n_watched(days), self.watched.n_watched(days, just="after")
        return np.where(days == self.begins, after, before)

    def reached(self, days: np.ndarray) -> tuple[np.ndarray, ...]:
        """Share that has ever been in each state by each of `days`, if only in passing: three arrays (days, states).

        Visits of which the spells tell count even if they were over before the curves begin.
        """
        by_state = []
        for code, state in enumerate(self.journeys.states):
            until = _fit(self.journeys.until_reached(state).watched_from(self.watched.since), self.begins)
            error = _root_of_squares(until.influence(days, code))
            by_state.append(self._with_limits(until.occupancy(days)[:, code], error, days))
        return tuple(np.stack(parts, axis=1) for parts in zip(*by_state, strict=True))

    def mean_days(self, day: float) -> tuple[np.ndarray, ...]:
        """Mean days in each state from the curves' begin to `day`: estimate, lower, upper, standard error (states,).

        The limits are those of the share of the time that is spent there: within 0 and all of it.
        """
        if not self.begins < day <= self.fitted.last_time:
            return tuple(np.full(len(self.journeys.states), np.nan) for _ in range(4))
        length = day - self.begins
        means, errors = self.fitted.restricted_means(day)
        _, lower, upper = self._with_limits(means / length, errors / length, np.full(len(means), day))
        return means, lower * length, upper * length, errors

    def _with_limits(self, share: np.ndarray, error: np.ndarray, days: np.ndarray) -> tuple[np.ndarray, ...]:
        share = rounded(share)
        base = self.n_watched(days)
        base = base[:, None] if share.ndim == 2 else base
        return share, *probability_interval(share, error, scale="logit", confidence=self.confidence, n=base)


def _fit(watched: Transitions, begins: float) -> AalenJohansen:
    """The estimate from all at risk, the start being where those are who are watched just after day `begins`."""
    columns = {name: getattr(watched, name) for name in ("entry", "exit", "origin", "destination")}
    exposure = RowsAtRisk.of({**columns, "ids": watched.customer, "weights": None}, n_states=len(watched.states))
    # Those at risk just after the day on which the curves begin: their states are where the journeys start.
    here = (exposure.entry <= begins) & (exposure.exit > begins)
    origin, codes = exposure.origin[here], exposure.codes[here]
    counts = np.bincount(origin, minlength=exposure.n_states)
    order = np.argsort(codes, kind="stable")
    start = InitialState(counts / counts.sum(), codes[order], origin[order], np.ones(len(order)))
    return AalenJohansen(exposure, ProductIntegral.of(exposure), start, clock_start=begins)


def _root_of_squares(influence: np.ndarray) -> np.ndarray:
    """The jackknife's standard error from influences (customers, days); missing if there is one customer."""
    error = np.sqrt((influence**2).sum(axis=0))
    return error if len(influence) > 1 else np.full(error.shape, np.nan)
