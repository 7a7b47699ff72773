"""Touchpoints: what do customers do in each stage, through which channels, who plays a part, and who begins it?"""

from collections.abc import Iterator, Set
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.words import counted, percent
from journeylab.estimators.intervals import normal_interval
from journeylab.estimators.shares import clustered_share, ratio_of_totals
from journeylab.events.log import EventLog
from journeylab.events.queries.entries import find_triggers
from journeylab.events.queries.events_in_stage import ACTION, EVERYBODY, find_sides, find_sources, find_touchpoints
from journeylab.events.spells import Spells
from journeylab.findings.arguments import check_confidence
from journeylab.findings.finding import (
    ESTIMATE,
    Finding,
    Row,
    by_group,
    estimated,
    lane,
    lanes_by_stage,
    limits_in_words,
    tidy,
    wilson_share,
)
from journeylab.findings.grouping import By, Grouping, Where, select, watched, why_nobody
from journeylab.findings.quotes import shortened

MAX_NAMED, MAX_DRAWN, MAX_LETTERS = 5, 3, 60
PROACTIVE, VALUE, TRIGGER = "proactive", "value", "trigger seen"
# Lane of the map -> kind of row whose names it lists.
_LISTED = {"actions": ACTION, "touchpoints": "channel", "roles": "role"}
LANES = (TRIGGER, "actions", "touchpoints", "reactive : proactive", "roles", VALUE)
_NUMBERS = {**ESTIMATE, **dict.fromkeys(("n", "customers", "events"), int)}
_COLUMNS = {**dict.fromkeys(("group", "stage", "kind", "name"), object), **_NUMBERS}
_SOURCES = {"group": object, "source": object, **_NUMBERS}


@dataclass(frozen=True)
class Touchpoints(Finding):
    """What happens in each stage besides moving through it.

    Attributes
    ----------
    table : DataFrame
        A row per (group,) stage, `kind` and `name`, with `estimate`, `lower`, `upper`, by kind:

        - `event`, `channel`, `role`: of the `n` customers who came to the stage while watched, the share (Wilson) who
          did this event there, were met through this channel, or had somebody of this role act; `customers` of them in
          `events` events. What fewer than five did is left out.
        - `proactive`: of the `n` contacts that the customer or the company began, the share that the company began
          (linearised by customer). Every event counts as a contact; those of third parties and systems do not.
        - `value`: mean value of the events there per customer who came to the stage, 0 for those without; `customers`
          have one.
        - `trigger seen`: of `n` visits, the share that began with an event that opens the stage; others began by a
          return after silence.
    coverage : DataFrame
        A row per (group and) source of the log: the share of the `n` customers in the journey of whom it tells.
    openers : set of (str, str)
        Pairs of stage and event by which the journey's definition opens the stage. Sentences and figures leave them
        out, because everyone who comes does them.
    confidence : float
        Of the intervals.
    by : str or None
        What the groups are.
    stages : tuple of str
        Those of the journey.
    """

    coverage: pd.DataFrame
    openers: frozenset[tuple[str, str]] = field(repr=False)
    confidence: float
    by: str | None
    stages: tuple[str, ...] = field(repr=False)

    def sentence(self) -> str:
        """What most customers do in each stage, and the share of contacts that the company begins."""
        if self.lacking:
            return self.lacking
        sentences = []
        for group, rows in by_group(self.table, self.by):
            acts = [
                f"“{row['stage']}” {_named(row)}" for _, row in self._acts(rows).drop_duplicates("stage").iterrows()
            ]
            whose = f" of {self.by} “{group}”" if self.by else ""
            doing = "; ".join(acts) or "nothing that five or more share"
            sentences.append(f"What most customers{whose} do in a stage: {doing}.")
        return " ".join([*sentences, self._begun(), f"All intervals are {self.confidence:.0%} intervals."])

    def coverage_in_words(self, group: str | None = None) -> str:
        """From which sources the log tells of which share of customers (of `group`)."""
        rows = self.coverage if group is None else self.coverage[self.coverage["group"] == group]
        sources = [f"{shortened(row['source'], MAX_LETTERS)} {_share(row)}" for _, row in rows.iterrows()]
        return "; ".join(sources) or "The log does not name its sources"

    def by_stage(self) -> pd.DataFrame:
        """Lanes `trigger seen`, `actions`, `touchpoints`, `reactive : proactive`, `roles` and `value`, in words with
        interval and base; with groups, six for each. None where the log tells nothing."""
        lanes = {}
        for group, rows in by_group(self.table, self.by):
            cells = {stage: part.to_dict("records") for stage, part in rows.groupby("stage", sort=False)}
            for name in LANES:
                lanes[lane(name, group)] = {str(stage): self._cell(name, of_stage) for stage, of_stage in cells.items()}
        return lanes_by_stage(lanes, self.stages)

    def plot(self, ax=None) -> Chart:
        """What most customers do in each stage: up to three events, the share who do them, with interval."""
        rows = self._acts(self.table)
        if rows.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        customers = rows.groupby(["stage", "name"], sort=False)["customers"].sum().groupby("stage", sort=False)
        most = set(customers.nlargest(MAX_DRAWN).droplevel(0).index)
        rows = rows[_holds(rows, most)]
        labels = [f"{shortened(row['stage'], 24)}: {shortened(row['name'], 32)}" for _, row in rows.iterrows()]
        return charts.intervals(
            rows.assign(label=labels),
            label="label",
            x="estimate",
            lower="lower",
            upper="upper",
            by="group" if self.by else None,
            percent=True,
            x_label=f"customers who do it while in the stage ({self.confidence:.0%} intervals)",
            title=self.title,
            alt=self.sentence(),
            ax=ax,
        )

    def _acts(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The `rows` of events, without those that open their stage."""
        acts = rows[rows["kind"] == ACTION]
        return acts[~_holds(acts, self.openers)]

    def _begun(self) -> str:
        rows = self.table[self.table["kind"] == PROACTIVE]
        if rows.empty:
            return "The log does not tell who began a contact."
        shares = [
            f"“{row['stage']}”{f' ({row.group})' if self.by else ''} {_share(row, noun='contact')}"
            for _, row in rows.iterrows()
        ]
        return f"Contacts begun by the company: {'; '.join(shares)}."

    def _cell(self, name: str, rows: list[dict]) -> str | None:
        """What the `rows` of one stage say in the lane `name`."""
        kind = _LISTED.get(name, name if name in (TRIGGER, VALUE) else PROACTIVE)
        rows = [row for row in rows if row["kind"] == kind]
        if kind == ACTION:
            rows = [row for row in rows if (row["stage"], row["name"]) not in self.openers]
        if not rows:
            return None
        row = rows[0]
        if name in _LISTED:
            return "; ".join(map(_named, rows[:MAX_NAMED]))
        if kind == TRIGGER:
            return _share(row, noun="visit")
        if kind == VALUE:
            limits = f"{row['lower']:,.0f} to {row['upper']:,.0f}; {counted(row['n'], 'customer')}"
            return f"{row['estimate']:,.0f} per customer ({limits})"
        company = f"company {percent(row['estimate'])}, {limits_in_words(row)}; {counted(row['n'], 'contact')}"
        return f"{_ratio(row['estimate'])} ({company})"


def estimate_touchpoints(
    log: EventLog, spells: Spells, *, by: By | None = None, where: Where | None = None, confidence: float = 0.95
) -> Touchpoints:
    """What do customers do in each stage of the journey, where do they meet the company, and who begins it?

    An event belongs to the stage in which its customer was, as far as it was watched. The event that ends a visit
    belongs to the next stage; if it is a loss, to none. Shares are of customers, however often they come.

    Parameters
    ----------
    log : EventLog
    spells : Spells
        Those of `log`.
    by : Grouping, Series, str or list of these, optional
        Groups to estimate one by one: labels by customer, a column of `spells.customers`, or a list for all
        combinations.
    where : str or Series of bool, optional
        Only these customers, such as ``"seats > 10"``.
    confidence : float
        Of the intervals.

    Returns
    -------
    Touchpoints
        Empty where nobody was in a stage; `lacking` then says so.

    Raises
    ------
    EstimateError
        If `by` or `where` is unknown, or `confidence` is not between 0 and 1.

    Examples
    --------
    >>> import journeylab as jl
    >>> made = jl.simulate_log(200, seed=1)
    >>> touchpoints = jl.estimate_touchpoints(made.log, jl.find_spells(made.log, made.journey))
    >>> touchpoints.by_stage().columns[:3].tolist()
    ['trigger seen', 'actions', 'touchpoints']
    """
    check_confidence(confidence)
    spells = select(spells, where)
    log = select(log, where)
    grouping = None if by is None else Grouping.of(by, spells)
    visits, name = watched(spells, grouping), grouping.name if grouping else None
    lacking = why_nobody(spells, grouping) if visits.empty else None
    groups = visits["group"] if grouping else pd.Series(EVERYBODY, index=visits.index)
    visits = visits.assign(stage=visits["stage"].astype(object), key=groups.astype(object))
    rows, sources = ([], []) if lacking else (_rows(log, spells, visits, confidence), _covered(log, visits, confidence))
    openers = frozenset(
        (stage.name, event) for stage in spells.journey.stages for rule in stage.opened_by for event in rule.events
    )
    return Touchpoints(
        title="What customers do in each stage" + (f", by {name}" if name else ""),
        table=tidy(rows, _COLUMNS, by=name),
        coverage=tidy(sources, _SOURCES, by=name),
        openers=openers,
        confidence=confidence,
        by=name,
        stages=spells.journey.stage_names,
        lacking=lacking,
        period=spells.window,
    )


def _rows(log: EventLog, spells: Spells, visits: pd.DataFrame, confidence: float) -> Iterator[dict]:
    visits = visits.assign(is_seen=find_triggers(log, visits, spells.journey))
    counts = dict(tuple(find_touchpoints(log, visits).groupby(["group", "stage"], sort=False)))
    sides = dict(tuple(find_sides(log, visits).groupby(["group", "stage"], sort=False)))
    cells = dict(tuple(visits.groupby(["key", "stage"], sort=False)))
    for group in sorted(visits["key"].unique()):
        for stage in spells.journey.stage_names:
            cell = (group, stage)
            if cell in cells and cells[cell]["customer_id"].nunique() >= MIN_SHOWN:
                for row in _of_stage(cells[cell], counts.get(cell), sides.get(cell), confidence):
                    yield {"group": group, "stage": stage, **row}


def _of_stage(
    visits: pd.DataFrame, counts: pd.DataFrame | None, sides: pd.DataFrame | None, confidence: float
) -> Iterator[dict]:
    """The rows of one stage and group, whose visits, counts of names and sides these are."""
    n = visits["customer_id"].nunique()
    limits = clustered_share(visits["is_seen"], pd.factorize(visits["customer_id"])[0], confidence=confidence)
    yield _row(TRIGGER, limits, n=len(visits), customers=n, events=visits["is_seen"].sum())
    if counts is not None:
        for row in counts[counts["customers"] >= MIN_SHOWN].to_dict("records"):
            yield {**row, "n": n, **wilson_share(row["customers"], n, confidence=confidence)}
    if sides is None or len(sides) < MIN_SHOWN:
        return
    contacts, proactive = sides["reactive"] + sides["proactive"], sides["proactive"]
    if contacts.sum() > 0:
        limits = ratio_of_totals(proactive, contacts, confidence=confidence)
        yield _row(PROACTIVE, limits, n=contacts.sum(), customers=(contacts > 0).sum(), events=proactive.sum())
    n_valued = sides["value"].notna().sum()
    if n_valued >= MIN_SHOWN:
        values = np.zeros(n)
        values[: len(sides)] = sides["value"].fillna(0.0)
        mean, error = values.mean(), values.std(ddof=1) / np.sqrt(n)
        limits = (mean, *normal_interval(mean, error, confidence=confidence))
        yield _row(VALUE, limits, n=n, customers=n_valued, events=n_valued)


def _row(kind: str, limits: tuple, **base: int) -> dict:
    return {"kind": kind, "name": kind, **estimated(limits), **base}


def _covered(log: EventLog, visits: pd.DataFrame, confidence: float) -> Iterator[dict]:
    n_customers = visits.groupby("key", sort=True)["customer_id"].nunique()
    sources = find_sources(log, visits)
    for row in sources[sources["customers"] >= MIN_SHOWN].to_dict("records"):
        n = int(n_customers[row["group"]])
        yield {**row, "n": n, **wilson_share(row["customers"], n, confidence=confidence)}


def _holds(rows: pd.DataFrame, pairs: Set[tuple[str, str]]) -> np.ndarray:
    """Whether each row's stage and name are among `pairs`."""
    return np.array([pair in pairs for pair in zip(rows["stage"], rows["name"], strict=True)], bool)


def _share(row: Row, *, noun: str = "customer") -> str:
    return f"{percent(row['estimate'])} ({limits_in_words(row)}; {counted(row['n'], noun)})"


def _named(row: Row) -> str:
    return f"{shortened(str(row['name']), MAX_LETTERS)} {_share(row)}"


def _ratio(share: float) -> str:
    """Reactive : proactive, of which the company's `share` is the second; the smaller side is 1."""
    if share in (0.0, 1.0):
        return f"{1 - share:g} : {share:g}"
    odds = (1 - share) / share
    return f"{odds:.1f} : 1" if odds >= 1 else f"1 : {1 / odds:.1f}"
