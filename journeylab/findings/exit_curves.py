"""Exit curves: of the visits to a stage, what share has left by each exit by a given day, and how sure is that?"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from journeylab.base.words import percent
from journeylab.estimators.aalen_johansen import AalenJohansen
from journeylab.estimators.intervals import curve_quantiles, mean_share_interval, probability_interval
from journeylab.events.journey import SILENT
from journeylab.events.spells.exits import MOVES, Exits
from journeylab.findings.finding import joined_notes

# Curves are shown on so many days at most: those by which equal shares of the exits have happened, so that no step of a
# drawn curve is higher than a hundredth of them.
N_DAYS = 100
N_AT_RISK_SHOWN = 5
QUANTILES = (0.25, 0.5, 0.75)
# A limit of a median is looked for among so many days at most.
_MOST_DAYS = 200
# What is nearer to 0 or 1 than this is there, except for rounding.
ROUNDING = 1e-12
# With a larger share of visits neither ended nor watched by enough others there is no estimate, only bounds.
MAX_UNRESOLVED = 0.02
# How a figure draws such a curve with its limits.
BAND: dict[str, Any] = {"x": "days", "lower": "lower", "upper": "upper", "percent": True}
DECLARED = "declared"
NO_BRANCH = "Nobody can be lost: no stage that customers entered has a loss branch or a silence window."
NUMBERS = ("estimate", "lower", "upper", "at_least", "at_most")


@dataclass(frozen=True)
class ExitCurves:
    """For visits that all start inside a stage: the shares inside and out by each exit, by days since entering.

    exits: the visits. fitted: their Aalen-Johansen curves; state 0 is inside the stage, 1, 2, ... are `exits.ways`.
    Standard errors are clustered by customer. confidence: the level of the intervals. shrinkage: the effective share
    of the customers where visits have weights; 1 where all weigh the same.
    """

    exits: Exits
    fitted: AalenJohansen
    confidence: float
    shrinkage: float = 1.0

    @classmethod
    def of(cls, exits: Exits, confidence: float, *, weights: np.ndarray | None = None) -> "ExitCurves":
        """The curves of `exits`, of which there must be one at least. `weights`: how much each visit counts,
        (visits,); then shares are of the whole weight. One of them must be above 0.
        """
        n_states, origin = len(exits.ways) + 1, np.zeros(exits.n, dtype=np.int64)
        rows = (exits.entry, exits.exit, origin, exits.destination)
        fitted = AalenJohansen.fit(
            *rows, n_states=n_states, ids=exits.customers, weights=weights, initial_state=np.eye(n_states)[0]
        )
        # Effective sample size, (sum w)^2 / sum w^2: Kish 1965, Survey Sampling, section 11.7.
        shrinkage = 1.0 if weights is None else weights.sum() ** 2 / (weights**2).sum() / len(weights)
        return cls(exits, fitted, confidence, float(shrinkage))

    def shares(self, days: np.ndarray) -> tuple[np.ndarray, ...]:
        """Share in each state at each of `days` with lower and upper limit: three arrays (days, states).

        Missing after the last day watched, unless all had left by then. Limits are log(-log) for inside, logit for the
        exits; for a share of exactly 0 or 1, Wilson's over the customers who had a visit not censored before that
        day. Limits are missing where there is only one customer.
        """
        share = rounded(self.fitted.occupancy(days))
        error = self._errors[np.searchsorted(self.fitted.times, days, "right")]
        return share, *self._limits(days, share, error)

    def estimates(self, horizons: Sequence[float], *, min_at_risk: int) -> tuple[np.ndarray, np.ndarray]:
        """For each horizon and state `NUMBERS`, (5, horizons, states), and a note, (horizons, states).

        Past the last day t with `min_at_risk` at risk the share that left by an exit lies between F(t) and F(t) + S(t),
        S(t) being the share inside: these bounds are there where S(t) is not 0. If S(t) is at most `MAX_UNRESOLVED`,
        the estimate is that of the last day watched, and its limits are those of the bounds.
        """
        days = np.array(horizons, dtype=float)
        numbers = np.full((len(NUMBERS), len(days), self.fitted.n_states), np.nan)
        notes = np.full(numbers.shape[1:], None, dtype=object)
        numbers[:3] = self.shares(np.minimum(days, self.fitted.last_time))
        span = None if self.exits.few(min_at_risk) else self.exits.at_risk_span(min_at_risk)
        for row, reason in enumerate(self.exits.why_missing(horizons, min_at_risk=min_at_risk)):
            if reason is None:
                continue
            notes[row] = reason
            inside = np.inf
            if span is not None and days[row] > span[1]:
                share, lower, upper = (column[0] for column in self.shares(np.array([span[1]])))
                inside = share[0]
                numbers[3:, row] = share, np.minimum(share + inside, 1.0)
            if inside > MAX_UNRESOLVED:
                numbers[:3, row] = np.nan
            else:
                notes[row] = f"{percent(inside)} unresolved: {reason}"
                numbers[1:3, row] = lower, np.minimum(upper + inside, 1.0)
        for (row, day), (state, way) in product(enumerate(days), enumerate(self.exits.ways, start=1)):
            too_early = self.exits.too_early(way, day)
            if self.exits.cannot_show(way, day):
                numbers[:, row, state], notes[row, state] = np.nan, too_early
            elif too_early and np.isfinite(numbers[0, row, state]):
                notes[row, state] = joined_notes(notes[row, state], too_early)
        return numbers, notes

    def read_on(self, day: float, *, min_at_risk: int) -> float:
        """The day whose curves answer for the horizon `day`: the last one before it with enough at risk."""
        span = self.exits.at_risk_span(min_at_risk)
        is_known = self.exits.why_missing([day], min_at_risk=min_at_risk) == [None]
        return min(day, self.fitted.last_time if is_known or span is None else span[1])

    def shares_of(self, sets: Sequence[Sequence[str]], day: float) -> tuple[np.ndarray, np.ndarray]:
        """Share that left by any exit of each of `sets` by `day`, and its standard error: two arrays (sets,).

        As `shares`, without limits: for a single day that takes less time.
        """
        states = [[self.exits.ways.index(way) + 1 for way in ways] for ways in sets]
        share = self.fitted.occupancy([day])[0]
        return rounded(np.array([share[chosen].sum() for chosen in states])), self.fitted.errors_of_sums(day, states)

    def days(self) -> np.ndarray:
        """The days on which to show the curves: 0, those when someone left (thinned to `N_DAYS`), the last watched."""
        shown = self.fitted.times
        if len(shown) > N_DAYS:
            left = np.sort(self.exits.exit[self.exits.destination > 0])
            shown = left[np.linspace(0, len(left) - 1, N_DAYS).astype(int)]
        return np.unique(np.concatenate([[0.0], shown, [self.fitted.last_time]]))

    def days_until(self, shares: tuple[float, ...], *, state: int = 0) -> tuple[np.ndarray, ...]:
        """The first days by which the given shares have left by any exit, with limits; missing if not reached.

        With `state`, by which they are in that state, which must be an exit. The limits are the days when the limits of
        the share inside say so (Brookmeyer & Crowley 1982); the upper limit of a share that is out gives the lower one.
        """
        share, lower, upper = (limit[:, state] for limit in self.shares(self.fitted.times))
        curve = (1 - share, 1 - upper, 1 - lower) if state else (share, lower, upper)
        quantiles = curve_quantiles(self.fitted.times, *curve, shares=shares)
        return tuple(np.where(np.isinf(limit), np.nan, limit) for limit in quantiles)

    def restricted_mean(self, day: float, *, min_at_risk: int) -> tuple[tuple[float, ...], str | None]:
        """Mean days inside in the first `day` days after entering: estimate, lower, upper, standard error; and a note.

        The note is that of `estimates`, where the horizon is past what is fully known. Past the last day watched the
        mean is missing if more than `MAX_UNRESOLVED` were inside; if not, the upper limit holds what they may add.
        """
        note, last = self.exits.why_missing([day], min_at_risk=min_at_risk)[0], self.fitted.last_time
        known_until = self.read_on(day, min_at_risk=min_at_risk)
        inside = float(self.shares(np.array([known_until]))[0][0, 0])
        if note and known_until < day and inside <= MAX_UNRESOLVED:
            note = f"{percent(inside)} unresolved: {note}"
        means, errors = (float(column[0]) for column in self.fitted.restricted_means(day))
        may_add = 0.0
        if np.isnan(means):
            still_inside = float(self.shares(np.array([last]))[0][0, 0])
            if still_inside > MAX_UNRESOLVED:
                return (np.nan,) * 4, f"nobody was watched after day {last:,.1f}"
            means, errors = (float(column[0]) for column in self.fitted.restricted_means(last))
            may_add = still_inside * (day - last)
        most, n = min(day, last) if may_add else day, self.exits.n_customers
        lower, upper = mean_share_interval(means, errors, most=most, n_individuals=n, confidence=self.confidence)
        return (means, lower, upper + may_add, errors), note

    def half_by(self, day: float, state: int) -> tuple[float, float, float]:
        """The day by which half of those in `state` by `day` are there, with limits; some must be there by then.

        It is where F(t) reaches F(day) / 2, F being the share there. Its limits are the first and the last day of those
        at which F(t) - F(day) / 2 does not differ from 0, by the jackknife's error of this difference: Brookmeyer and
        Crowley's way of inverting a test (1982, Biometrics 38:29-41), for a difference.
        """
        days = self.fitted.times[self.fitted.times <= day]
        if len(days) > _MOST_DAYS:
            days = days[np.linspace(0, len(days) - 1, _MOST_DAYS).astype(int)]
        share, influence = self.fitted.occupancy([*days, day])[:, state], self.fitted.influence([*days, day], state)
        difference = share[:-1] - share[-1] / 2
        error = np.sqrt(((influence[:, :-1] - influence[:, [-1]] / 2) ** 2).sum(axis=0))
        z = float(norm.isf((1 - self.confidence) / 2))
        above, below = difference - z * error > 0, difference + z * error < 0
        lower = days[np.flatnonzero(~below)[0]]
        upper = days[np.flatnonzero(above)[0]] if above.any() else day
        return float(days[np.flatnonzero(difference >= -ROUNDING)[0]]), float(lower), float(upper)

    @cached_property
    def _errors(self) -> np.ndarray:
        """Standard errors before anyone left and just after each day when someone did: (days + 1, states).

        The whole curve at once: with many days that takes less time than a few days one by one.
        """
        nothing = np.zeros((1, self.fitted.n_states))
        times = self.fitted.times
        return np.concatenate([nothing, self.fitted.standard_errors(times)]) if len(times) else nothing

    def _limits(self, days: np.ndarray, share: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, ...]:
        base = self.shrinkage * self.exits.n_customers_known(days)[:, None]
        limits = [
            probability_interval(share[:, states], error[:, states], scale=scale, confidence=self.confidence, n=base)
            for states, scale in ((slice(0, 1), "log-log"), (slice(1, None), "logit"))
        ]
        return tuple(np.concatenate(pair, axis=1) for pair in zip(*limits, strict=True))


def rounded(share: np.ndarray) -> np.ndarray:
    """`share`, exactly 0 or 1 where only rounding keeps it from that."""
    nearest = np.round(share)
    return np.where(np.abs(share - nearest) < ROUNDING, nearest, share)


@dataclass(frozen=True, eq=False)
class StageExits:
    """The visits of one stage, or of one group to it, and what can be estimated from them.

    entered: all of them. min_at_risk: at how many at risk an estimate begins and ends. confidence: the level of
    intervals.
    """

    entered: Exits
    min_at_risk: int
    confidence: float

    @cached_property
    def exits(self) -> Exits:
        """The visits from the day on from which enough are at risk; see `with_enough_at_risk`."""
        return with_enough_at_risk(self.entered, self.min_at_risk)

    @cached_property
    def curves(self) -> ExitCurves:
        """Their curves; there must be a visit."""
        return ExitCurves.of(self.exits, self.confidence)

    def why_missing(self, day: float) -> str | None:
        """Why what happened within `day` days after entering is not fully known; None where it is."""
        return self.exits.why_missing([day], min_at_risk=self.min_at_risk)[0]

    def why_unknown(self, day: float) -> str | None:
        """Why there is no estimate of what happened within `day` days; None where there is one, as where hardly any
        visit is unresolved."""
        return self.why_missing(day) if np.isinf(self.unresolved(day)) else None

    def unresolved(self, day: float) -> float:
        """The share of visits of which it is not known whether they ended within `day` days, where all is estimated but
        for these; 0 where all is known, infinite where there is no estimate."""
        if self.why_missing(day) is None:
            return 0.0
        if not self.exits.n:
            return np.inf
        numbers, _ = self.curves.estimates([day], min_at_risk=self.min_at_risk)
        return np.inf if np.isnan(numbers[0, 0, 0]) else float(np.max(numbers[4, 0] - numbers[3, 0]))

    def note_of(self, estimate: float, note: str | None) -> str | None:
        """`note`, and what the estimate, if there is one, is conditional on."""
        return joined_notes(note, None if note and np.isnan(estimate) else self.exits.condition)

    def rows(self, horizons: Sequence[float]) -> list[dict]:
        """A row for each exit and horizon: the share that left by it, with limits, base, and a note."""
        exits, entered = self.exits, self.entered
        # By horizon and state; state 0 is inside the stage.
        shape = (len(horizons), len(exits.ways) + 1)
        numbers = np.full((len(NUMBERS), *shape), np.nan)
        notes = np.full(shape, exits.why_missing(horizons[:1], min_at_risk=self.min_at_risk)[0], dtype=object)
        if exits.n:
            numbers, notes = self.curves.estimates(horizons, min_at_risk=self.min_at_risk)
        return [
            {
                **whose(exits),
                "to": way,
                "kind": way if way in MOVES else "lost",
                "horizon_days": day,
                **dict(zip(NUMBERS, numbers[:, row, state], strict=True)),
                "crude": entered.count(way) / entered.n if entered.n else np.nan,
                "events": exits.count(way, within=day),
                "at_risk": int(exits.at_risk(day)),
                "note": self.note_of(numbers[0, row, state], notes[row, state]),
            }
            for state, way in enumerate(exits.ways, start=1)
            for row, day in enumerate(horizons)
        ]


def whose(exits: Exits) -> dict:
    """Whose visits these are, and how many, as columns of a table."""
    return {"group": exits.group, "stage": exits.stage, "n": exits.n, "customers": exits.n_customers}


def with_enough_at_risk(exits: Exits, min_at_risk: int) -> Exits:
    """`exits` from the day on from which `min_at_risk` visits were at risk; all, where that is so from the start, or
    never.

    Estimates are then conditional on being inside on that day, and `exits.condition` says so: see `Exits.at_risk_span`.
    """
    stretch = exits.at_risk_span(min_at_risk) if exits.n else None
    return exits if stretch is None else exits.after(stretch[0])


def with_declared(exits: Exits) -> Exits:
    """The visits with those lost by a loss event counted as one exit, “declared”."""
    declared = tuple(branch for branch in exits.losses if branch != SILENT)
    return exits.merged(declared, DECLARED) if declared else exits


def curve_to(cell: StageExits, until: float, way: str) -> pd.DataFrame:
    """The share of the visits of `cell` that left by `way`, with limits, on the days to show until day `until`."""
    days = cell.curves.days()
    days = np.append(days[days < until], until)
    shares = (column[:, 1 + cell.exits.ways.index(way)] for column in cell.curves.shares(days))
    columns = dict(zip(NUMBERS[:3], shares, strict=True))
    return pd.DataFrame({"group": cell.exits.group, "stage": cell.exits.stage, "days": days, **columns})


def n_at_risk(exits: Exits, first: float, last: float) -> pd.DataFrame:
    """How many visits are at risk on a few evenly spaced days `x`, to write under a figure."""
    days = np.linspace(first, last, N_AT_RISK_SHOWN)
    return pd.DataFrame({"stage": exits.stage, "group": exits.group, "x": days, "n": exits.at_risk(days)})
