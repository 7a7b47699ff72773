"""Exits: how long after entering a stage, and by which way out, did each visit of it end?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd

from journeylab.base.durations import DAY
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.words import counted
from journeylab.events.journey import Journey

_TIMES = ("entered", "left", "observed_from")

MOVES = ("advanced", "regressed", "completed")


@dataclass(frozen=True)
class Exits:
    """The visits of one stage, or of one group of customers to it, on the spell clock: days since entering the stage.

    stage, group: whose visits; `group` is None where no groups were asked for.
    ways: the ways out of the stage: those of `MOVES`, then loss branches in the journey's order.
    entry: days from entering to the start of watching; -1 where the visit was watched from its start, so that an exit
        at day 0 is seen. A visit is at risk on (entry, exit].
    exit: days from entering to leaving, or to the window's end.
    destination: 1, 2, ... for `ways` in their order; -1 where the visit was ongoing at the window's end (censored).
    customers: a whole number for each customer, the same in all stages and groups.
    value: what each visit is worth, missing where that is not known; None where no values were asked for.
    """

    stage: str
    group: str | None
    ways: tuple[str, ...]
    entry: np.ndarray
    exit: np.ndarray
    destination: np.ndarray
    customers: np.ndarray
    value: np.ndarray | None = None

    # What notes call a visit, being in it, and that there was none.
    _visit: ClassVar[str] = "visit"
    _inside: ClassVar[str] = "still inside"
    _nobody: ClassVar[str] = "nobody entered"

    @property
    def n(self) -> int:
        """Number of visits."""
        return len(self.exit)

    @cached_property
    def n_customers(self) -> int:
        """Number of customers who made them."""
        return len(self._known_until)

    @property
    def losses(self) -> tuple[str, ...]:
        """The ways out by which a customer is lost."""
        return tuple(way for way in self.ways if way not in MOVES)

    @property
    def n_already_inside(self) -> int:
        """Number of visits that had begun before they were watched (late entry)."""
        return int((self.entry >= 0).sum())

    @property
    def n_ongoing(self) -> int:
        """Number of visits that had not ended when watching stopped."""
        return int((self.destination < 0).sum())

    def count(self, way: str, *, within: float = np.inf) -> int:
        """Number of visits that ended by `way`, at most `within` days after entering."""
        code = self.ways.index(way) + 1 if way in self.ways else 0
        return int(((self.destination == code) & (self.exit <= within)).sum())

    def count_customers(self, way: str | None = None) -> int:
        """Number of customers with a visit that ended by `way`; without it, with one that had not ended."""
        code = -1 if way is None else self.ways.index(way) + 1 if way in self.ways else 0
        return len(np.unique(self.customers[self.destination == code]))

    def at_risk(self, days: np.ndarray | float) -> np.ndarray:
        """Number of visits watched, and not ended, just before each of `days`: entry < day <= exit."""
        entry, leaving = self._sorted
        return np.searchsorted(entry, days, "left") - np.searchsorted(leaving, days, "left")

    def why_missing(self, days: Sequence[float], *, least: int) -> list[str | None]:
        """For each of `days`, why these visits do not carry an estimate of what happened by then; None where they do.

        They do if at least `least` customers came, and the day lies in the `stretch` with as many visits at risk; or if
        all were watched from entering on and none was censored before that day: then the estimate is a plain share.
        """
        if not self.n:
            return [self._nobody] * len(days)
        if few := self.few(least):
            return [few] * len(days)
        stretch = self.stretch(least)
        censored = self.exit[self.destination < 0].min(initial=np.inf)
        plain_until = -1.0 if self.n_already_inside else censored
        return [None if day <= plain_until else self._why_outside(day, stretch, least) for day in days]

    def stretch(self, least: int) -> tuple[float, float] | None:
        """The days (first, last] over which always `least` visits or more were at risk; of several such stretches that
        in which most visits ended, the first of equals. None where there never were as many.

        Under late entry the risk set may begin small and grow later: what a handful of visits did early would decide
        the whole curve. It is to start where enough are at risk (Klein & Moeschberger 2003, Survival Analysis, section
        4.6).
        """
        changes = np.unique(np.concatenate(self._sorted))
        is_enough = np.concatenate([[False], self.at_risk(changes) >= least, [False]])
        begins, ends = np.flatnonzero(~is_enough[:-1] & is_enough[1:]), np.flatnonzero(is_enough[:-1] & ~is_enough[1:])
        if not len(begins):
            return None
        # The number at risk on a day of change holds since the one before.
        first, last = changes[begins - 1], changes[ends - 1]
        left = np.sort(self.exit[self.destination > 0])
        n_left = np.searchsorted(left, last, "right") - np.searchsorted(left, first, "right")
        return float(first[n_left.argmax()]), float(last[n_left.argmax()])

    def after(self, day: float) -> "Exits":
        """The visits still inside after `day`, watched from then on; all of them for a day before day 0."""
        if day < 0:
            return self
        return self.only(self.exit > day, entry=np.maximum(self.entry, day))

    def only(self, kept: np.ndarray, *, entry: np.ndarray | None = None) -> "Exits":
        """The visits for which `kept` is true, bool (visits,); with `entry`, (visits,), watched from then on."""
        columns = {name: getattr(self, name)[kept] for name in ("exit", "destination", "customers")}
        begun = self.entry if entry is None else entry
        return replace(self, entry=begun[kept], value=None if self.value is None else self.value[kept], **columns)

    def few(self, least: int) -> str | None:
        """How few came, in words; None where `least` customers or more did."""
        if self.n_customers >= least:
            return None
        return f"only {counted(self.n, self._visit)} of {counted(self.n_customers, 'customer')}"

    @property
    def condition(self) -> str | None:
        """What every estimate is conditional on because nobody was watched from entering on; None where some were."""
        if not self.n or (self.entry < 0).any():
            return None
        return f"given {self._inside} on day {self.entry.min():,.1f}"

    def n_customers_known(self, days: np.ndarray | float) -> np.ndarray:
        """Number of customers with a visit not censored before each of `days`: it had ended, or was still watched."""
        return self.n_customers - np.searchsorted(self._known_until, days, "left")

    @cached_property
    def _sorted(self) -> tuple[np.ndarray, np.ndarray]:
        return np.sort(self.entry), np.sort(self.exit)

    @cached_property
    def _known_until(self) -> np.ndarray:
        """The last day for which each customer's fate is known, sorted; infinite where a visit of theirs ended."""
        known = np.full(self.customers.max(initial=-1) + 1, -1.0)
        np.maximum.at(known, self.customers, np.where(self.destination < 0, self.exit, np.inf))
        return np.sort(known[known >= 0])

    def _why_outside(self, day: float, stretch: tuple[float, float] | None, least: int) -> str | None:
        if stretch is None:
            return f"never as many as {least} at risk"
        if day <= stretch[0]:
            return f"fewer than {least} at risk until day {stretch[0]:,.1f}"
        return f"fewer than {least} at risk after day {stretch[1]:,.1f}" if day > stretch[1] else None

    def lumped(self, ways: tuple[str, ...], name: str) -> "Exits":
        """The same visits with `ways` counted as one way out, `name`, which comes last."""
        kept = tuple(way for way in self.ways if way not in ways)
        code = _recoding(tuple(way if way in kept else name for way in self.ways), (*kept, name))
        return replace(self, ways=(*kept, name), destination=code[self.destination])


def join_exits(parts: Sequence[Exits], order: Sequence[str], *, group: str | None) -> Exits:
    """The visits of several groups to one stage as those of one, `group`. `order`: all ways out there are, in order."""
    taken = {way for each in parts for way in each.ways}
    ways = tuple(way for way in order if way in taken)
    columns = {name: np.concatenate([getattr(each, name) for each in parts]) for name in ("entry", "exit", "customers")}
    destination = np.concatenate([_recoding(each.ways, ways)[each.destination] for each in parts])
    return Exits(parts[0].stage, group, ways, destination=destination, **columns)


def ways_out(journey: Journey, stage: str) -> tuple[str, ...]:
    """By which ways the journey's rules let a customer leave `stage`: some of `MOVES`, then loss branches.

    A stage that completes the journey has none.
    """
    place = journey.position(stage)
    here, before, after = journey.stages[place], journey.stages[:place], journey.stages[place + 1 :]
    if here.completes:
        return ()
    is_free = journey.movement == "free"
    possible = {
        "advanced": any(not each.completes for each in after),
        "regressed": any(not each.completes and (is_free or each.reopened_by) for each in before),
        "completed": any(each.completes for each in (journey.stages if is_free else after)),
    }
    return (*(way for way in MOVES if possible[way]), *journey.branches_from(stage))


def find_exits(visits: pd.DataFrame, journey: Journey) -> list[Exits]:
    """The exits of each stage in the journey's order, of a stage that nobody entered too.

    `visits` has the columns of spells and may have a column `group`: then there is one `Exits` for each group (sorted)
    and stage; and a column `value`: what each visit is worth. A visit that ended at the very moment when its watching
    began was never at risk, and is left out. Raises EstimateError where the visits name a stage or a branch that the
    journey lacks.
    """
    visits = visits[(visits["left"] > visits["observed_from"]) | (visits["observed_from"] == visits["entered"])]
    stages = journey.stage_names
    groups = sorted(visits["group"].unique()) if "group" in visits else [None]
    group = pd.Categorical(visits["group"], categories=groups).codes.astype(int) if "group" in visits else 0
    cell = group * len(stages) + _codes(visits["stage"], stages, "stage")
    order = np.argsort(cell, kind="stable")
    edges = np.searchsorted(cell[order], np.arange(len(groups) * len(stages) + 1))
    entry, leaving, customers = _spell_clock(visits)
    value = visits["value"].to_numpy(dtype=float) if "value" in visits else None
    names, way = (*MOVES, *journey.branches), _way_codes(visits, journey)
    found = []
    for place in range(len(groups) * len(stages)):
        rows = order[edges[place] : edges[place + 1]]
        stage = stages[place % len(stages)]
        # A way that was taken counts even where the rules forbid it: nothing may vanish from the books.
        open_ways = {*ways_out(journey, stage), *(names[code - 1] for code in np.unique(way[rows]) if code > 0)}
        ways = tuple(name for name in names if name in open_ways)
        columns = (entry[rows], leaving[rows], _recoding(names, ways)[way[rows]], customers[rows])
        worth = None if value is None else value[rows]
        found.append(Exits(stage, groups[place // len(stages)], ways, *columns, value=worth))
    return found


def _spell_clock(visits: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    entered, left, observed = (
        visits[column].dt.as_unit("us").astype("int64").to_numpy() for column in ("entered", "left", "observed_from")
    )
    entry = np.where(observed == entered, -1.0, (observed - entered) / DAY)
    return entry, (left - entered) / DAY, pd.factorize(visits["customer_id"], sort=True)[0]


def _way_codes(visits: pd.DataFrame, journey: Journey) -> np.ndarray:
    """1, 2, ... for `MOVES` and the branches of `journey`, -1 for ongoing."""
    outcome = _codes(visits["outcome"], (*MOVES, "lost", "ongoing"), "outcome")
    is_lost = outcome == len(MOVES)
    way = np.where(outcome < len(MOVES), outcome + 1, -1)
    way[is_lost] = len(MOVES) + 1 + _codes(visits["to"][is_lost], journey.branches, "loss branch")
    return way


def _codes(values: pd.Series, known: tuple[str, ...], kind: str) -> np.ndarray:
    codes = pd.Categorical(values, categories=list(known)).codes.astype(int)
    if (codes < 0).any():
        found = values[codes < 0].iloc[0]
        raise EstimateError(
            f"The spells name the {kind} “{found}”, which the journey lacks. {did_you_mean(found, known)} "
            "Find the spells again with this journey."
        )
    return codes


def _recoding(old: tuple[str, ...], new: tuple[str, ...]) -> np.ndarray:
    """Position 1, 2, ... in `new` by position in `old`; the last place answers to -1, which stays -1."""
    return np.array([0, *(new.index(name) + 1 if name in new else 0 for name in old), -1])


def visits_to(stage: str, visits: pd.DataFrame, journey: Journey) -> pd.DataFrame:
    """The rows of `visits` (columns of spells, others are kept) to `stage` that were watched, in their order.

    A visit that ended at the very moment when its watching began was never at risk, and is left out. There may be none.
    Raises EstimateError where the journey has no such stage or no way out of it, or where a time is missing or a visit
    ends, or is watched, before it begins.
    """
    if stage not in journey.stage_names:
        raise EstimateError(f"The journey has no stage “{stage}”. {did_you_mean(stage, journey.stage_names)}")
    rows = visits[visits["stage"] == stage]
    if not ways_out(journey, stage) and not rows["outcome"].ne("ongoing").any():
        raise EstimateError(f"By the journey's rules nobody leaves “{stage}”. Choose a stage that can be left.")
    _check_times(rows, stage)
    return rows[(rows["left"] > rows["observed_from"]) | (rows["observed_from"] == rows["entered"])]


def _check_times(rows: pd.DataFrame, stage: str) -> None:
    for column in _TIMES:
        missing = rows[column].isna()
        if missing.any():
            raise EstimateError(
                f"“{column}” is missing in {missing.sum():,} of {len(rows):,} visits to “{stage}”, first for customer "
                f"“{rows.loc[missing, 'customer_id'].iloc[0]}”. Find the spells again, or leave these rows out."
            )
    for column, does in (("left", "end"), ("observed_from", "are watched")):
        backwards = rows[column] < rows["entered"]
        if backwards.any():
            first = rows[backwards].iloc[0]
            raise EstimateError(
                f"{backwards.sum():,} of {len(rows):,} visits to “{stage}” {does} before they begin, first that of "
                f"customer “{first['customer_id']}”: entered {first['entered']:%Y-%m-%d %H:%M}, “{column}” "
                f"{first[column]:%Y-%m-%d %H:%M}. Find the spells again, or leave these rows out."
            )
