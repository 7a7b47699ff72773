"""Exits: how long after entering a stage did each visit end, and how? And the ledger: how many ended in each way?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd

from journeylab.base.durations import DAY, all_since_1970
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.suppression import ALSO_HIDDEN
from journeylab.base.words import counted
from journeylab.events.journey import SILENT, Journey

MOVES = ("advanced", "regressed", "completed")
CENSORED = -1
# How a note begins that says that an exit, or a part of it, cannot have happened yet.
TOO_EARLY = "cannot show before day"
_NOT_PARTS = ("group", "stage", "entered", "already_inside", ALSO_HIDDEN)


class Earliest(NamedTuple):
    """The day before which a way out, or this part of it, cannot show: silence not before its window has passed."""

    part: str
    day: float


@dataclass(frozen=True)
class Exits:
    """The visits of one stage, or of one group of customers to it, on the spell clock: days since entering the stage.

    stage, group: whose visits; `group` is None where no groups were asked for.
    ways: how a visit can end: those of `MOVES`, then loss branches in the journey's order.
    entry: days from entering to the start of watching; -1 where the visit was watched from its start, so that an exit
        at day 0 is seen. A visit is at risk on (entry, exit].
    exit: days from entering to leaving, or to the window's end.
    destination: 1, 2, ... for `ways` in their order; `CENSORED` where the visit was ongoing at the window's end.
    customers: a whole number for each customer, the same in all stages and groups.
    value: what each visit is worth, missing where that is not known; None where no values were asked for.
    earliest: by exit, the day before which it, or a part of it, cannot show. Those that can show at once are left out.
        It has no default, so that nobody forgets it: without it, silence is 0% where it cannot show yet.
    """

    stage: str
    group: str | None
    ways: tuple[str, ...]
    entry: np.ndarray
    exit: np.ndarray
    destination: np.ndarray
    customers: np.ndarray
    value: np.ndarray | None = None
    earliest: Mapping[str, Earliest] = field(kw_only=True)

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
        """Those of `ways` by which a customer is lost."""
        return tuple(way for way in self.ways if way not in MOVES)

    def ended_by(self, way: str) -> np.ndarray:
        """Whether each visit ended by `way`."""
        return self.destination == (self.ways.index(way) + 1 if way in self.ways else 0)

    def count(self, way: str, *, within: float = np.inf) -> int:
        """Number of visits that ended by `way`, at most `within` days after entering."""
        return int((self.ended_by(way) & (self.exit <= within)).sum())

    def cannot_show(self, way: str, day: float) -> bool:
        """Whether nobody can have left by `way` within `day` days, whatever customers do."""
        first = self.earliest.get(way)
        return first is not None and first.part == way and day < first.day

    def too_early(self, way: str, day: float) -> str | None:
        """That `way`, or a part of it, cannot show within `day` days, in words; None where all of it can."""
        first = self.earliest.get(way)
        if first is None or day >= first.day:
            return None
        return f"{'' if first.part == way else f'“{first.part}” '}{TOO_EARLY} {first.day:g}"

    def at_risk(self, days: np.ndarray | float) -> np.ndarray:
        """Number of visits watched, and not ended, just before each of `days`: entry < day <= exit."""
        entry, leaving = self._sorted
        return np.searchsorted(entry, days, "left") - np.searchsorted(leaving, days, "left")

    def why_missing(self, days: Sequence[float], *, min_at_risk: int) -> list[str | None]:
        """For each of `days`, why these visits support no estimate of what happened by then; None where they do.

        They do if at least `min_at_risk` customers came, and the day is in the span with as many visits at risk. They
        also do after that span if all who were at risk on its last day left on it, and if all were watched from
        entering on and none was censored before the day asked for: then it is a plain share.
        """
        if why := self._nobody if not self.n else self.few(min_at_risk):
            return [why] * len(days)
        span = self.at_risk_span(min_at_risk)
        all_left = span is not None and ((self.exit == span[1]) & (self.destination > 0)).sum() == self.at_risk(span[1])
        censored = self.exit[self.destination == CENSORED].min(initial=np.inf)
        plain_until = -1.0 if (self.entry >= 0).any() else censored

        def why_outside(day: float) -> str | None:
            if span is None:
                return f"never as many as {min_at_risk} at risk"
            if day <= span[0]:
                return f"fewer than {min_at_risk} at risk until day {span[0]:,.1f}"
            is_known = day <= span[1] or all_left
            return None if is_known else f"fewer than {min_at_risk} at risk after day {span[1]:,.1f}"

        return [None if day <= plain_until else why_outside(day) for day in days]

    def at_risk_span(self, min_at_risk: int) -> tuple[float, float] | None:
        """The days (first, last] over which always `min_at_risk` visits or more were at risk; None if there are none.

        Of several such spans it is the one in which most visits ended, the first of equals. With late entry the risk
        set may begin small and grow: what a handful of visits did early would decide the whole curve. So it starts
        where enough are at risk (Klein & Moeschberger 2003, Survival Analysis, section 4.6).
        """
        changes = np.unique(np.concatenate(self._sorted))
        is_enough = np.concatenate([[False], self.at_risk(changes) >= min_at_risk, [False]])
        begins, ends = np.flatnonzero(~is_enough[:-1] & is_enough[1:]), np.flatnonzero(is_enough[:-1] & ~is_enough[1:])
        if not len(begins):
            return None
        # The number at risk on a day of change has been the same since the change before.
        first, last = changes[begins - 1], changes[ends - 1]
        left = np.sort(self.exit[self.destination > 0])
        n_left = np.searchsorted(left, last, "right") - np.searchsorted(left, first, "right")
        return float(first[n_left.argmax()]), float(last[n_left.argmax()])

    def after(self, day: float) -> "Exits":
        """The visits still inside after `day`, watched from then on; all of them for a day before day 0."""
        if day < 0:
            return self
        return self.only(self.exit > day, entry=np.maximum(self.entry, day))

    def only(self, chosen: np.ndarray, *, entry: np.ndarray | None = None) -> "Exits":
        """The visits for which `chosen` is true, bool (visits,); with `entry`, (visits,), watched from then on."""
        whole = self if entry is None else replace(self, entry=entry)
        names = ("entry", "exit", "destination", "customers", *(() if self.value is None else ("value",)))
        return replace(whole, **{name: getattr(whole, name)[chosen] for name in names})

    def few(self, min_customers: int) -> str | None:
        """How few customers came, in words; None where `min_customers` or more did."""
        if self.n_customers >= min_customers:
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
        days = np.full(self.customers.max(initial=-1) + 1, -1.0)
        np.maximum.at(days, self.customers, np.where(self.destination == CENSORED, self.exit, np.inf))
        return np.sort(days[days >= 0])

    def merged(self, ways: tuple[str, ...], name: str) -> "Exits":
        """The same visits with `ways` counted as one, called `name`, which comes last."""
        others = tuple(way for way in self.ways if way not in ways)
        code = _recoding(tuple(way if way in others else name for way in self.ways), (*others, name))
        earliest = {way: first for way, first in self.earliest.items() if way not in ways}
        late = [self.earliest[way] for way in ways if way in self.earliest]
        if late:
            # What one way cannot show yet, others may.
            is_whole = len(late) == len(ways)
            earliest[name] = Earliest(name, min(first.day for first in late)) if is_whole else late[-1]
        return replace(self, ways=(*others, name), destination=code[self.destination], earliest=earliest)


def join_exits(parts: Sequence[Exits], order: Sequence[str], *, group: str | None) -> Exits:
    """The visits of several groups to one stage as those of one, `group`. `order`: all ways there are, in order."""
    taken = {way for part in parts for way in part.ways}
    ways = tuple(way for way in order if way in taken)
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("entry", "exit", "customers")}
    destination = np.concatenate([_recoding(part.ways, ways)[part.destination] for part in parts])
    earliest: dict[str, Earliest] = {}
    for part in parts:
        earliest |= {
            way: min(first, earliest.get(way, first), key=lambda one: one.day) for way, first in part.earliest.items()
        }
    return Exits(parts[0].stage, group, ways, destination=destination, earliest=earliest, **columns)


def possible_exits(journey: Journey, stage: str) -> tuple[str, ...]:
    """How the journey's rules let a customer leave `stage`: some of `MOVES`, then loss branches.

    Nobody leaves a stage that completes the journey.
    """
    at = journey.position(stage)
    before, after = journey.stages[:at], journey.stages[at + 1 :]
    if journey.stages[at].completes:
        return ()
    is_free = journey.movement == "free"
    possible = {
        "advanced": any(not other.completes for other in after),
        "regressed": any(not other.completes and (is_free or other.reopened_by) for other in before),
        "completed": any(other.completes for other in (journey.stages if is_free else after)),
    }
    return (*(move for move in MOVES if possible[move]), *journey.branches_from(stage))


def find_exits(visits: pd.DataFrame, journey: Journey) -> list[Exits]:
    """The exits of each stage in the journey's order, also of a stage that nobody entered.

    `visits` has the columns of spells. With a column `group` there is one `Exits` for each group (sorted) and stage;
    a column `value` holds what each visit is worth. Visits that were never at risk are left out: see `watched_visits`.
    Raises EstimateError where the visits name a stage or a branch that the journey lacks.
    """
    visits = watched_visits(visits)
    stages, groups, group = journey.stage_names, [None], 0
    if "group" in visits:
        groups = sorted(visits["group"].unique())
        group = pd.Categorical(visits["group"], categories=groups).codes.astype(int)
    cell = group * len(stages) + positions(visits["stage"], stages, "stage")
    order = np.argsort(cell, kind="stable")
    rows_of_cell = np.split(order, np.searchsorted(cell[order], np.arange(1, len(groups) * len(stages))))
    clock = spell_clock(visits)
    value = visits["value"].to_numpy(dtype=float) if "value" in visits else None
    names, way = (*MOVES, *journey.branches), _way_codes(visits, journey)
    exits = []
    for number, rows in enumerate(rows_of_cell[: len(groups) * len(stages)]):
        stage = stages[number % len(stages)]
        # A way that was taken counts even where the rules forbid it: nothing may vanish from the books.
        open_ways = {*possible_exits(journey, stage), *(names[code - 1] for code in np.unique(way[rows]) if code > 0)}
        ways = tuple(name for name in names if name in open_ways)
        columns = {name: column[rows] for name, column in clock.items()}
        columns["destination"] = _recoding(names, ways)[way[rows]]
        exits.append(
            Exits(
                stage,
                groups[number // len(stages)],
                ways,
                value=None if value is None else value[rows],
                earliest=_earliest(journey, stage, columns["exit"][columns["destination"] == len(ways)]),
                **columns,
            )
        )
    return exits


def _earliest(journey: Journey, stage: str, last_way: np.ndarray) -> dict[str, Earliest]:
    """Silence, the last of all ways, shows when the silence window has passed, and not later than it was seen."""
    window = journey.stages[journey.position(stage)].silent_after_us
    return {} if window is None else {SILENT: Earliest(SILENT, float(last_way.min(initial=window / DAY)))}


def visits_to(visits: pd.DataFrame, journey: Journey, stage: str) -> pd.DataFrame:
    """The rows of `visits` (columns of spells, others stay) to `stage` that were watched, in their order, if any.

    Visits that were never at risk are left out: see `watched_visits`. Raises EstimateError where the journey has no
    such stage or no way out of it, or where a time is missing or a visit ends, or is watched, before it begins.
    """
    if stage not in journey.stage_names:
        raise EstimateError(f"The journey has no stage “{stage}”. {did_you_mean(stage, journey.stage_names)}")
    rows = visits[visits["stage"] == stage]
    if not possible_exits(journey, stage) and not rows["outcome"].ne("ongoing").any():
        raise EstimateError(f"By the journey's rules nobody leaves “{stage}”. Choose a stage that can be left.")
    for column in ("entered", "left", "observed_from"):
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
    return watched_visits(rows)


def watched_visits(visits: pd.DataFrame) -> pd.DataFrame:
    """`visits` without those that were never at risk: they ended at the very moment when their watching began."""
    return visits[(visits["left"] > visits["observed_from"]) | (visits["observed_from"] == visits["entered"])]


def spell_clock(visits: pd.DataFrame) -> dict[str, np.ndarray]:
    """`entry`, `exit` and `customers` of the visits, as `Exits` has them."""
    entered, left, observed = (all_since_1970(visits[name]) for name in ("entered", "left", "observed_from"))
    return {
        "entry": np.where(observed <= entered, -1.0, (observed - entered) / DAY),
        "exit": (left - entered) / DAY,
        "customers": pd.factorize(visits["customer_id"], sort=True)[0],
    }


def _way_codes(visits: pd.DataFrame, journey: Journey) -> np.ndarray:
    """1, 2, ... for `MOVES` and the branches of `journey`, `CENSORED` for ongoing."""
    outcome = positions(visits["outcome"], (*MOVES, "lost", "ongoing"), "outcome")
    is_lost = outcome == len(MOVES)
    way = np.where(outcome < len(MOVES), outcome + 1, CENSORED)
    way[is_lost] = len(MOVES) + 1 + positions(visits["to"][is_lost], journey.branches, "loss branch")
    return way


def positions(names: pd.Series, known: Sequence[str], kind: str, *, may_be_missing: bool = False) -> np.ndarray:
    """The position of each of `names` in `known`, int64; -1 where one is missing, if it may be."""
    codes = pd.Categorical(names, categories=list(known)).codes.astype(np.int64)
    is_unknown = (codes < 0) & (names.notna().to_numpy() if may_be_missing else True)
    if is_unknown.any():
        name = names[is_unknown].iloc[0]
        raise EstimateError(
            f"The spells name the {kind} “{name}”, which the journey lacks. {did_you_mean(name, known)} "
            "Find the spells again with this journey."
        )
    return codes


def _recoding(old: tuple[str, ...], new: tuple[str, ...]) -> np.ndarray:
    """Position 1, 2, ... in `new` by position in `old`; the last cell is the one that `CENSORED`, -1, finds."""
    return np.array([0, *(new.index(name) + 1 if name in new else 0 for name in old), CENSORED])


def build_ledger(
    exits: Iterable[Exits], journey: Journey, *, unit: Literal["visits", "customers"] = "visits"
) -> pd.DataFrame:
    """How many entered, and how many left in each way: a row for each of `exits` in their order.

    Columns: `group` (if there are groups), `stage`, `entered`, `advanced`, `regressed`, `completed`, one per loss
    branch in the journey's order, `ongoing`; and `already_inside`: of those who entered, how many had begun before they
    were watched. Counts of customers do not add up, as one may come several times. Without any exits there is no row:
    groups were asked for, and nobody is in one.
    """
    counts = ("entered", *MOVES, *journey.branches, "ongoing", "already_inside")
    rows = []
    for visits in exits:
        masks = {way: visits.ended_by(way) for way in (*MOVES, *journey.branches)}
        masks |= {"entered": np.ones(visits.n, bool), "ongoing": visits.destination == CENSORED}
        masks |= {"already_inside": visits.entry >= 0}
        if unit == "customers":
            numbers = {name: len(np.unique(visits.customers[mask])) for name, mask in masks.items()}
        else:
            numbers = {name: mask.sum() for name, mask in masks.items()}
        rows.append({"group": visits.group, "stage": visits.stage, **numbers})
    ledger = pd.DataFrame(rows, columns=["group", "stage", *counts]).astype(dict.fromkeys(counts, int))
    is_whole = len(ledger) > 0 and ledger["group"].isna().all()
    return ledger.drop(columns="group") if is_whole else ledger


def check_ledger(ledger: pd.DataFrame) -> None:
    """Raise EstimateError unless in each row entered = advanced + regressed + completed + lost by branch + ongoing.

    A row with missing counts, as of a ledger that is handed on, cannot be checked.
    """
    accounted = ledger[ledger_parts(ledger)].sum(axis=1, skipna=False)
    wrong = ledger[(accounted != ledger["entered"]) & accounted.notna() & ledger["entered"].notna()]
    if len(wrong):
        row = wrong.iloc[0]
        raise EstimateError(
            f"The ledger of stage “{row['stage']}” does not add up: {row['entered']:,} entered, and "
            f"{accounted[wrong.index[0]]:,} advanced, regressed, completed, were lost or are ongoing. "
            "Every visit must have exactly one outcome: find the spells again."
        )


def ledger_parts(ledger: pd.DataFrame) -> list[str]:
    """The columns that `entered` is the sum of."""
    return [column for column in ledger if column not in _NOT_PARTS]
