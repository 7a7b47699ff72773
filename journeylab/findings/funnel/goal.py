"""A goal: one step of a funnel for one group, with the time at which each attempt reached it, or could no longer."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from journeylab.base.words import counted, in_days, on_day
from journeylab.estimators.shares import clustered_share
from journeylab.events.spells.exits import TOO_EARLY, Exits
from journeylab.events.steps import Attempts
from journeylab.events.steps.attempts import days_between
from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.exit_curves import ExitCurves
from journeylab.findings.rows import estimated

ENTRY, STEP, OPTIONAL, CONVERSION = "entry", "step", "optional", "conversion"
ALL_STEPS = "all steps"
REACHED, GONE = "reached", "gone"
CONVERTERS, EVERYONE = "those who reached it", "everyone who entered"
Limits = tuple[float, float, float]
_OF_PREVIOUS = ("of_previous", "of_previous_lower", "of_previous_upper")
_CURVE = ("curve", "curve_lower", "curve_upper")
STEP_COLUMNS = (
    "group step label kind entered n customers reached estimate lower upper of_previous of_previous_lower "
    "of_previous_upper in_progress in_progress_reached curve curve_lower curve_upper at_risk median_days "
    "median_days_from_previous note"
)
DAYS_COLUMNS = "group step label kind among quantile estimate lower upper n customers note"


@dataclass(frozen=True, eq=False)
class Goal:
    """One step as a goal of attempts: arrays (attempts,), on the clock of days since entering.

    group: whose attempts, or None. number: of the step, from 1. label, kind: ENTRY, STEP, OPTIONAL or CONVERSION.
    days: until the goal was reached; infinite where it was not. gone: until it could no longer be reached, because an
        exclusion or an interruption ended the attempt, or it went past an optional step; infinite where that is not so.
    watched: how long the attempt was watched: to the end of its window, or of the log's.
    is_closed: whether that is to the end of its own. customers: whose attempt it is. window: days.
    is_chosen: whether what happened later decided which attempts are looked at; of those only closed ones are fair.
    since: until the step before it that is needed was reached; infinite where it was not; None unordered, at the entry.
    fastest: days that the fastest attempt of all takes to it, however long; infinite where that is not known.
    """

    group: str | None
    number: int
    label: str
    kind: str
    days: np.ndarray
    gone: np.ndarray
    watched: np.ndarray
    is_closed: np.ndarray
    customers: np.ndarray
    window: float
    is_chosen: bool
    since: np.ndarray | None = None
    fastest: float = np.inf

    @property
    def is_reached(self) -> np.ndarray:
        """Whether each attempt reached the goal."""
        return np.isfinite(self.days)

    @cached_property
    def exits(self) -> Exits:
        """The attempts as visits that end by reaching the goal or by its being gone; only those that are fair to use.

        Ongoing at the window's end are those neither: their time passed, or the log ended first.
        """
        fair = self.is_closed if self.is_chosen else np.ones(len(self.days), bool)
        days, gone, watched = self.days[fair], self.gone[fair], self.watched[fair]
        is_gone = ~np.isfinite(days) & np.isfinite(gone)
        ended = np.where(np.isfinite(days), days, np.where(is_gone, gone, watched))
        code = np.where(np.isfinite(days), 1, np.where(is_gone, 2, -1))
        return self._exits((REACHED, GONE) if is_gone.any() else (REACHED,), ended, code, self.customers[fair])

    def _exits(self, ways: tuple[str, ...], ended: np.ndarray, code: np.ndarray, customers: np.ndarray) -> Exits:
        """Attempts that were all watched from entering."""
        return Exits(self.label, self.group, ways, np.full(len(ended), -1.0), ended, code, customers, earliest={})

    @property
    def too_early(self) -> str | None:
        """That nobody can reach the goal within the window, as even the fastest take longer; None otherwise."""
        if not self.window < self.fastest < np.inf:
            return None
        return f"{TOO_EARLY} {round(self.fastest, 1):g}: the fastest took so long"

    def row(self, *, confidence: float) -> dict:
        """The goal's row of the funnel's table."""
        closed, hit = self.is_closed, self.is_reached
        share = (1.0, 1.0, 1.0) if self.kind == ENTRY and closed.any() else self._share(closed, confidence)
        curve, note = self._curve(share, confidence)
        if self.too_early:
            share, curve, note = (np.nan,) * 3, (np.nan,) * 3, self.too_early
        since = np.full(len(hit), np.inf) if self.since is None else self.since
        came = closed & np.isfinite(since)
        return {
            **self._name,
            "entered": len(hit),
            "n": int(closed.sum()),
            "customers": n_different(self.customers[closed]),
            "reached": int((closed & hit).sum()),
            **estimated(share),
            **dict(zip(_OF_PREVIOUS, self._share(came, confidence), strict=True)),
            "in_progress": int((~closed).sum()),
            "in_progress_reached": int((~closed & hit).sum()),
            **dict(zip(_CURVE, curve, strict=True)),
            "at_risk": int(self.exits.at_risk(self.window)),
            "median_days": _median(self.days[closed & hit]),
            "median_days_from_previous": _median(self.days[came & hit] - since[came & hit]),
            "note": note,
        }

    def _share(self, base: np.ndarray, confidence: float) -> Limits:
        return clustered_share(self.is_reached[base], self.customers[base], confidence=confidence)

    def _curve(self, share: Limits, confidence: float) -> tuple[Limits, str | None]:
        """The share that reaches the goal within the window, from all attempts as long as they were watched; and why it
        is missing. It is `share` where no attempt that is used was still in progress."""
        if self.kind == ENTRY:
            return (1.0,) * 3 if len(self.days) else (np.nan,) * 3, None
        if not self._is_censored(self.window):
            return share, None
        why = self._why_missing(self.window)
        if why is not None and not self.exits.n:
            return (np.nan,) * 3, why
        curves = ExitCurves.of(self.exits, confidence)
        numbers, notes = curves.estimates([self.window], min_at_risk=MIN_CUSTOMERS)
        estimate, lower, upper = numbers[:3, 0, 1].tolist()
        return (estimate, lower, upper), why if np.isnan(estimate) else notes[0, 1]

    def quantile_rows(self, shares: tuple[float, ...], *, confidence: float) -> Iterator[dict]:
        """A row for each of `shares` among those who reached the goal in closed attempts, and among everyone."""
        fast = self.is_closed & self.is_reached
        n_fast = int(fast.sum())
        reached = self._exits((REACHED,), self.days[fast], np.ones(n_fast, int), self.customers[fast])
        limits = ExitCurves.of(reached, confidence).days_until(shares) if n_fast else np.full((3, len(shares)), np.nan)
        note = None if n_fast else "nobody reached it"
        for share, *days in zip(shares, *limits, strict=True):
            yield self._quantile(share, CONVERTERS, days, reached, note)
        if self.exits.n:
            yield from self._among_everyone(shares, confidence)

    def _among_everyone(self, shares: tuple[float, ...], confidence: float) -> Iterator[dict]:
        limits = ExitCurves.of(self.exits, confidence).days_until(shares, state=1)
        for quantile, *days in zip(shares, *limits, strict=True):
            is_reached = not np.isnan(days[0])
            note = self._why_missing(days[0] if is_reached else self.window)
            if note is not None:
                days = [np.nan] * 3
            elif not is_reached:
                note = f"not reached by so many within {in_days(self.window)}"
            yield self._quantile(quantile, EVERYONE, days, self.exits, note)

    def _quantile(self, quantile: float, among: str, days: Iterable[float], exits: Exits, note: str | None) -> dict:
        base = {"n": exits.n, "customers": exits.n_customers}
        return {**self._name, "among": among, "quantile": quantile, **estimated(days), **base, "note": note}

    @property
    def _name(self) -> dict:
        return {"group": self.group, "step": self.number, "label": self.label, "kind": self.kind}

    def _is_censored(self, day: float) -> bool:
        """Whether any attempt was in progress at the log's end, before `day`."""
        exits = self.exits
        return bool((exits.exit[exits.destination < 0] < day).any())

    def _why_missing(self, day: float) -> str | None:
        """Why what happened by `day` cannot be estimated from attempts in progress; None where it can."""
        exits = self.exits
        if not self._is_censored(day):
            return None
        if exits.n_customers < MIN_CUSTOMERS:
            return f"only {counted(exits.n, 'attempt')} of {counted(exits.n_customers, 'customer')}"
        if exits.at_risk(day) >= MIN_CUSTOMERS:
            return None
        at_risk_span = exits.at_risk_span(MIN_CUSTOMERS)
        last = on_day(at_risk_span[1] if at_risk_span else 0.0, preposition="after")
        return f"fewer than {MIN_CUSTOMERS} at risk {last}"


def fastest_ways(attempts: Attempts) -> list[float]:
    """The days that the fastest of `attempts` takes to each goal, as `goals_of` lists them; infinite if none does."""
    steps = [float(attempts.days_to(at).min(initial=np.inf)) for at in range(len(attempts.rules.steps))]
    if attempts.rules.order != "unordered" or attempts.rules.by_any_way:
        return steps
    ended = days_between(attempts.entered, attempts.ended_at)
    return [*steps, float(ended[attempts.is_converted].min(initial=np.inf))]


def goals_of(attempts: Attempts, *, group: str | None, fastest: Sequence[float] = ()) -> list[Goal]:
    """The goals of a funnel in order: each step; unordered, all steps together come last. `fastest`: the days that the
    fastest attempt takes to each, where it is known."""
    rules = attempts.rules
    shared: dict[str, Any] = {
        "group": group,
        "watched": np.minimum(rules.window_days, days_between(attempts.entered, np.full(len(attempts), attempts.end))),
        "is_closed": attempts.is_closed,
        "customers": attempts.customer,
        "window": rules.window_days,
        "is_chosen": rules.entry == "best" or any(exclusion.removes for exclusion in rules.exclude),
    }
    ended = days_between(attempts.entered, attempts.ended_at)
    is_unordered, goals, since = rules.order == "unordered", [], None
    for at, step in enumerate(rules.steps):
        days = attempts.days_to(at)
        over = ended if is_unordered else np.minimum(ended, _earliest_after(attempts, at))
        gone = np.where(np.isfinite(days), np.inf, over)
        named: dict[str, Any] = {"number": at + 1, "label": step.title, "kind": _kind(attempts, at)}
        goals.append(Goal(**named, days=days, gone=gone, since=since, **shared))
        since = since if is_unordered or step.optional else days
    if is_unordered and not rules.by_any_way:
        days, gone = (np.where(attempts.is_converted == is_it, ended, np.inf) for is_it in (True, False))
        named = {"number": len(goals) + 1, "label": ALL_STEPS, "kind": CONVERSION}
        goals.append(Goal(**named, days=days, gone=gone, **shared))
    return [replace(goal, fastest=days) for goal, days in zip(goals, fastest, strict=True)] if fastest else goals


def _kind(attempts: Attempts, at: int) -> str:
    rules = attempts.rules
    if at == 0:
        return ENTRY
    has_last = rules.order != "unordered" or rules.by_any_way
    if has_last and at == rules.required[-1]:
        return CONVERSION
    return OPTIONAL if rules.steps[at].optional and not rules.by_any_way else STEP


def _earliest_after(attempts: Attempts, at: int) -> np.ndarray:
    """Days until any later step was reached; infinite where none was."""
    later = [attempts.days_to(step) for step in range(at + 1, len(attempts.rules.steps))]
    return np.min(later, axis=0) if later else np.full(len(attempts), np.inf)


def n_different(customers: np.ndarray) -> int:
    """How many different customers there are."""
    return int(np.count_nonzero(np.bincount(customers)))


def _median(days: np.ndarray) -> float:
    """The first day by which at least half have come."""
    return float(np.quantile(days, 0.5, method="inverted_cdf")) if len(days) else np.nan
