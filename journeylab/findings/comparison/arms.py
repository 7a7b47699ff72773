"""Arms: which groups can be compared, from which day after entering on, and what is known of each by the horizon?"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from journeylab.base.words import on_day
from journeylab.estimators.intervals import difference_interval
from journeylab.events.spells.exits import Exits
from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.exit_curves import ExitCurves, whose
from journeylab.findings.finding import joined_notes
from journeylab.findings.rows import ESTIMATE, estimated

FEWEST_SHOWN = 5  # customers in a group to show any estimate of it
TOO_FEW = "too few to compare"
INSIDE, DAYS_INSIDE, SHARE_OUT = "inside", "mean days inside", "share out"


@dataclass(frozen=True)
class Arm:
    """One group's visits from the common start on.

    exits: its visits. until_horizon: the same as they stood at the horizon: those that lasted longer are censored
    there, those not yet watched by then left out. small: why the group is too small to be compared, or None.
    """

    exits: Exits
    until_horizon: Exits
    small: str | None

    @classmethod
    def of(cls, exits: Exits, *, start: float, horizon: float) -> "Arm":
        """The arm of a group's visits."""
        later = exits.after(start)
        until_horizon = _until(later, horizon)
        small = _why_small(until_horizon, horizon=horizon, start=start if later.n < exits.n else None)
        return cls(later, until_horizon, small)

    @property
    def group(self) -> str:
        """The group's name."""
        return str(self.exits.group)


@dataclass(frozen=True)
class Arms:
    """The groups, all watched from one day after entering on.

    every: one arm per group, by name. start: the common start in days after entering; before day 0 it is -1, and
    visits that began and ended on day 0 count. horizon: in days; nothing after it is looked at. confidence: the level
    of the intervals.
    """

    every: tuple[Arm, ...]
    start: float
    horizon: float
    confidence: float

    @classmethod
    def of(cls, groups: list[Exits], *, ways: tuple[str, ...], horizon: float, confidence: float) -> "Arms":
        """The arms of `groups`, the visits of one group each, with a common start. `ways`: all exits in the journey.

        Where labels became known late, or visits were running when watching began, a group's risk set fills at an age
        of its own. Means and shares from different ages answer different questions; so all groups start on the first
        day from which each that is large enough has `MIN_CUSTOMERS` visits at risk.
        """
        groups = _with_the_same_ways(groups, ways)
        start = max((day for exits in groups if (day := _starts(exits)) < horizon), default=-1.0)
        every = tuple(Arm.of(exits, start=start, horizon=horizon) for exits in groups)
        return cls(every, start, horizon, confidence)

    @property
    def condition(self) -> str | None:
        """What all estimates are conditional on; None where visits are watched from entering on."""
        return None if self.start < 0 else f"given still inside {on_day(self.start)}"

    @cached_property
    def compared(self) -> tuple[Arm, ...]:
        """The arms that are large enough, that with most customers first."""
        large = [arm for arm in self.every if arm.small is None]
        return tuple(sorted(large, key=lambda arm: -arm.exits.n_customers))

    def without(self, reasons: dict[str, str]) -> "Arms":
        """The same, the groups named in `reasons` too small for what they say."""
        every = tuple(replace(arm, small=reasons.get(arm.group, arm.small)) for arm in self.every)
        return replace(self, every=every)

    def rows(self) -> list[dict]:
        """Mean days inside and the share out by each exit at the horizon, for every group, with intervals and base."""
        return [row for rows in self._by_group.values() for row in rows]

    def differences(self) -> Iterator[dict]:
        """Each figure of a compared group less that of each larger one, with limits.

        The groups hold different customers, so their errors are independent.
        """
        for reference, arm in combinations(self.compared, 2):
            for row, other in zip(self._by_group[arm.group], self._by_group[reference.group], strict=True):
                notes = (part for side in (row, other) for part in (side["note"] or "").split("; "))
                first, second = (tuple(side[name] for name in ESTIMATE) for side in (row, other))
                yield {
                    **{name: row[name] for name in ("stage", "measure", "to", "horizon_days")},
                    "group": arm.group,
                    "reference": reference.group,
                    **estimated(difference_interval(first, second)),
                    "n": row["n"] + other["n"],
                    "customers": row["customers"] + other["customers"],
                    "note": joined_notes(*dict.fromkeys(notes)),
                }

    @cached_property
    def _by_group(self) -> dict[str, list[dict]]:
        return {arm.group: self._estimated(arm) for arm in self.every}

    def _estimated(self, arm: Arm) -> list[dict]:
        exits, figures = arm.exits, np.full((len(arm.exits.ways) + 1, 4), np.nan)
        is_from_start = bool((exits.entry <= self.start).any())  # otherwise the curve is 1 until somebody is watched
        if arm.until_horizon.n_customers >= FEWEST_SHOWN and is_from_start:
            curves = ExitCurves.of(exits, self.confidence)
            shares = curves.shares(np.array([self.horizon]))
            figures[0] = curves.restricted_mean(self.horizon, min_at_risk=MIN_CUSTOMERS)[0]
            figures[1:, :3] = np.stack([column[0, 1:] for column in shares], axis=1)
        n_left = [exits.count(way, within=self.horizon) for way in exits.ways]
        base = {
            **whose(exits),
            "group": arm.group,
            "horizon_days": self.horizon,
            "at_risk": int(exits.at_risk(self.horizon)),
            "note": self._note(arm, is_missing=bool(np.isnan(figures[0, 0]))),
        }
        return [
            {
                **base,
                "measure": SHARE_OUT if row else DAYS_INSIDE,
                "to": to,
                **dict(zip(("estimate", "lower", "upper", "standard_error"), map(float, figures[row]), strict=True)),
                "events": events,
            }
            for row, (to, events) in enumerate(zip((INSIDE, *exits.ways), (sum(n_left), *n_left), strict=True))
        ]

    def _note(self, arm: Arm, *, is_missing: bool) -> str | None:
        exits = arm.exits
        thin = None
        if arm.small is None and is_missing:
            thin = f"nobody was watched {on_day(exits.exit.max(), preposition='after')}"
        elif arm.small is None:
            # All who were watched from the common start on, and not censored, give a plain share of those inside.
            from_start = replace(exits, entry=np.where(exits.entry <= self.start, -1.0, exits.entry))
            thin = from_start.why_missing([self.horizon], min_at_risk=MIN_CUSTOMERS)[0]
        return joined_notes(arm.small, thin, self.condition)


def _starts(exits: Exits) -> float:
    """From which day on there are enough visits at risk; infinite where there never are."""
    stretch = exits.at_risk_span(MIN_CUSTOMERS) if exits.n_customers >= MIN_CUSTOMERS else None
    return np.inf if stretch is None else stretch[0]


def _until(exits: Exits, horizon: float) -> Exits:
    watched = exits.only(exits.entry < horizon)
    destination = np.where(watched.exit > horizon, -1, watched.destination)
    return replace(watched, exit=np.minimum(watched.exit, horizon), destination=destination)


def _why_small(exits: Exits, *, horizon: float, start: float | None) -> str | None:
    """`start`: the day until which visits of the group have ended or were not yet watched, if any have."""
    if not exits.n:
        return f"nobody watched between day {max(start or 0.0, 0.0):,.1f} and day {horizon:g}: {TOO_FEW}"
    if exits.n_customers < MIN_CUSTOMERS:
        still = f" still inside {on_day(start)}" if start is not None else ""
        return f"{exits.few(MIN_CUSTOMERS)}{still}: {TOO_FEW}"
    if exits.at_risk_span(MIN_CUSTOMERS) is None:
        return f"never as many as {MIN_CUSTOMERS} at risk: {TOO_FEW}"
    return None


def _with_the_same_ways(groups: list[Exits], order: tuple[str, ...]) -> list[Exits]:
    """Exits that only some groups took, against the journey's rules, are exits for all."""
    taken = {way for exits in groups for way in exits.ways}
    ways = tuple(way for way in order if way in taken)
    same = []
    for exits in groups:
        code = np.array([0, *(ways.index(way) + 1 for way in exits.ways), -1])
        same.append(replace(exits, ways=ways, destination=code[exits.destination]))
    return same
