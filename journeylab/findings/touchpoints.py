"""Touchpoints: what do customers do in each stage, through which channels, who plays a part, and who begins it?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.words import counted, percent
from journeylab.estimators.intervals import normal_interval, wilson
from journeylab.estimators.shares import clustered_share, ratio_of_totals
from journeylab.events.log import EventLog
from journeylab.events.queries.entries import find_triggers
from journeylab.events.queries.events_in_stage import ACTION, EVERYBODY, find_sides, find_sources, find_touchpoints
from journeylab.events.spells import Spells
from journeylab.findings.arguments import check_confidence
from journeylab.findings.finding import Finding, LaneName, tidy
from journeylab.findings.grouping import By, Grouping, Where, select, watched, why_nobody
from journeylab.findings.quotes import shortened

MOST_NAMED, MOST_DRAWN, MOST_LETTERS = 5, 3, 60
PROACTIVE, VALUE, TRIGGER = "proactive", LaneName.VALUE, LaneName.TRIGGER_SEEN
# Lane of the map -> kind of row whose names it lists.
_LISTED = {LaneName.ACTIONS: ACTION, LaneName.TOUCHPOINTS: "channel", LaneName.ROLES: "role"}
LANES = (TRIGGER, LaneName.ACTIONS, LaneName.TOUCHPOINTS, LaneName.PROACTIVE, LaneName.ROLES, VALUE)
_COLUMNS = {
    **dict.fromkeys(("group", "stage", "kind", "name"), object),
    **dict.fromkeys(("estimate", "lower", "upper"), float),
    **dict.fromkeys(("n", "customers", "events"), int),
}
_SOURCES = {
    **dict.fromkeys(("group", "source"), object),
    **dict.fromkeys(("estimate", "lower", "upper"), float),
    **dict.fromkeys(("n", "customers", "events"), int),
}

Row = pd.Series | Mapping[str, Any]


@dataclass(frozen=True)
class Touchpoints(Finding):
    """What happens in each stage besides moving through it.

    table: a row per (group,) stage, `kind` and `name`, with `estimate`, `lower`, `upper`.
        `event`, `channel`, `role`: of the `n` customers who came to the stage while watched, the share (Wilson) who
        did this event there, were met through this channel, or had somebody of this role act; `customers` of them in
        `events` events. What fewer than five did is left out.
        `proactive`: of the `n` contacts that the customer or the company began, the share the company began
        (linearised by customer); every event counts as a contact, those of third parties and systems do not.
        `value`: mean value of the events there per customer who came to the stage, 0 for those without; `customers`
        have one.
        `trigger seen`: of `n` visits, the share that began with an event that opens the stage; others began by a return
        after silence.
    coverage: a row per (group and) source of the log: the share of the `n` customers in the journey of whom it tells.
    openers: pairs of stage and event by which the journey's definition opens the stage; words and figures leave them
    out, for whoever comes does them.
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
        told = []
        for group in self._groups():
            rows = self._of(group)
            first = self._acts(rows).drop_duplicates("stage")
            acts = "; ".join(f"“{row['stage']}” {_named(row)}" for _, row in first.iterrows())
            whose = f" of {self.by} “{group}”" if self.by else ""
            told.append(f"What most customers{whose} do in a stage: {acts or 'nothing that five or more share'}")
        return f"{'. '.join(told)}. {self._begun()} All intervals are {self.confidence:.0%} intervals."

    def coverage_in_words(self, group: str | None = None) -> str:
        """Which source of the log covers which share of customers (of `group`)."""
        rows = self.coverage if group is None else self.coverage[self.coverage["group"] == group]
        told = [f"{shortened(row['source'], MOST_LETTERS)} {_share(row)}" for _, row in rows.iterrows()]
        return "; ".join(told) if told else "The log tells no sources apart"

    def by_stage(self) -> pd.DataFrame:
        """Lanes `trigger seen`, `actions`, `touchpoints`, `reactive : proactive`, `roles` and `value`, in words with
        interval and base; with groups, six for each. None where the log tells nothing."""
        lanes = {}
        for group in self._groups():
            suffix, of_stage = f" ({group})" if self.by else "", {}
            for row in self._of(group).to_dict("records"):
                of_stage.setdefault(row["stage"], []).append(row)
            for lane in LANES:
                lanes[lane + suffix] = [self._lane(lane, of_stage.get(stage, [])) for stage in self.stages]
        return pd.DataFrame(lanes, index=pd.Index(self.stages, name="stage"), dtype=object)

    def plot(self, ax=None) -> Chart:
        """What most customers do in each stage: up to three events, the share who do them, with interval."""
        rows = self._acts(self.table)
        if rows.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        most = rows.groupby(["stage", "name"], sort=False)["customers"].sum().groupby("stage", sort=False)
        named = set(most.nlargest(MOST_DRAWN).droplevel(0).index)
        drawn = rows[np.array([pair in named for pair in zip(rows["stage"], rows["name"], strict=True)], bool)]
        labels = [f"{shortened(row['stage'], 24)}: {shortened(row['name'], 32)}" for _, row in drawn.iterrows()]
        return charts.intervals(
            drawn.assign(label=labels),
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

    def _groups(self) -> list[str | None]:
        return list(dict.fromkeys(self.table["group"])) if self.by else [None]

    def _of(self, group: str | None) -> pd.DataFrame:
        return self.table if group is None else self.table[self.table["group"] == group]

    def _acts(self, rows: pd.DataFrame) -> pd.DataFrame:
        acts = rows[rows["kind"] == ACTION]
        pairs = zip(acts["stage"], acts["name"], strict=True)
        return acts[np.array([pair not in self.openers for pair in pairs], bool)]

    def _begun(self) -> str:
        rows = self.table[self.table["kind"] == PROACTIVE]
        if rows.empty:
            return "The log does not tell who began a contact."
        told = []
        for _, row in rows.iterrows():
            where = f"“{row['stage']}”" + (f" ({row['group']})" if self.by else "")
            told.append(f"{where} {_share(row, noun='contact')}")
        return f"Contacts begun by the company: {'; '.join(told)}."

    def _lane(self, lane: str, rows: list[dict]) -> str | None:
        """What the `rows` of one stage say in a lane of the map."""
        kind = _LISTED.get(lane, lane if lane in (TRIGGER, VALUE) else PROACTIVE)
        own = [row for row in rows if row["kind"] == kind]
        if lane in _LISTED:
            told = [row for row in own if kind != ACTION or (row["stage"], row["name"]) not in self.openers]
            return "; ".join(map(_named, told[:MOST_NAMED])) or None
        if not own:
            return None
        row = own[0]
        if kind == TRIGGER:
            return f"{percent(row['estimate'])} ({_interval(row)}; {counted(row['n'], 'visit')})"
        if kind == VALUE:
            limits = f"{row['lower']:,.0f} to {row['upper']:,.0f}; {counted(row['n'], 'customer')}"
            return f"{row['estimate']:,.0f} per customer ({limits})"
        company = f"company {percent(row['estimate'])}, {_interval(row)}; {counted(row['n'], 'contact')}"
        return f"{_ratio(row['estimate'])} ({company})"


def estimate_touchpoints(
    spells: Spells, log: EventLog, *, by: By | None = None, where: Where | None = None, confidence: float = 0.95
) -> Touchpoints:
    """What customers do in each stage of the journey, where they meet the company, and who begins it.

    log: the log that `spells` were found in. by: a Grouping, a Series of labels by customer, or a column of
    `spells.customers`. An event belongs to the stage in which its customer was, as far as it was watched; the one that
    ends a visit belongs to the next stage, or, where it is a loss, to none. Shares are of customers, however often they
    come. Raises EstimateError where the confidence is none.
    """
    check_confidence(confidence)
    spells = select(spells, where)
    log = select(log, where)
    visits, grouping = watched(spells, by), None if by is None else Grouping.of(by, spells)
    title = "What customers do in each stage" + (f", by {grouping.name}" if grouping else "")
    name, stages = (grouping.name if grouping else None), spells.journey.stage_names
    if visits.empty:
        rows, covered, lacking = [], [], why_nobody(spells, grouping)
    else:
        groups = visits["group"] if grouping else pd.Series(EVERYBODY, index=visits.index)
        visits = visits.assign(stage=visits["stage"].astype(object), key=groups.astype(object))
        rows, covered, lacking = _rows(log, spells, visits, confidence), _covered(log, visits, confidence), None
    table, coverage = tidy(rows, _COLUMNS, by=name), tidy(covered, _SOURCES, by=name)
    openers = frozenset(
        (stage.name, event) for stage in spells.journey.stages for rule in stage.opened_by for event in rule.events
    )
    return Touchpoints(title, table, coverage, openers, confidence, name, stages, lacking=lacking, period=spells.window)


def _rows(log: EventLog, spells: Spells, visits: pd.DataFrame, confidence: float) -> Iterator[dict]:
    visits = visits.assign(is_seen=find_triggers(log, visits, spells.journey))
    counts = dict(tuple(find_touchpoints(log, visits).groupby(["group", "stage"], sort=False)))
    sides = dict(tuple(find_sides(log, visits).groupby(["group", "stage"], sort=False)))
    cells = dict(tuple(visits.groupby(["key", "stage"], sort=False)))
    for group in sorted(visits["key"].unique()):
        for stage in spells.journey.stage_names:
            if (own := cells.get((group, stage))) is None:
                continue
            known = {"group": group, "stage": stage}
            for row in _of_stage(own, counts.get((group, stage)), sides.get((group, stage)), confidence):
                yield known | row


def _of_stage(
    visits: pd.DataFrame, counts: pd.DataFrame | None, sides: pd.DataFrame | None, confidence: float
) -> Iterator[dict]:
    """The rows of one stage and group, whose visits, counts of names and sides these are."""
    n = visits["customer_id"].nunique()
    if n < MIN_SHOWN:
        return
    limits = clustered_share(visits["is_seen"], pd.factorize(visits["customer_id"])[0], confidence=confidence)
    base = {"n": len(visits), "customers": n, "events": int(visits["is_seen"].sum())}
    yield {"kind": TRIGGER, "name": TRIGGER} | _estimate(limits) | base
    if counts is not None:
        for row in counts[counts["customers"] >= MIN_SHOWN].to_dict("records"):
            limits = (row["customers"] / n, *wilson(row["customers"], n, confidence=confidence))
            base = {"n": n, "customers": row["customers"], "events": row["events"]}
            yield {"kind": row["kind"], "name": row["name"]} | _estimate(limits) | base
    if sides is None or len(sides) < MIN_SHOWN:
        return
    contacts = sides["reactive"] + sides["proactive"]
    if contacts.sum() > 0:
        limits = ratio_of_totals(sides["proactive"], contacts, confidence=confidence)
        base = {
            "n": int(contacts.sum()),
            "customers": int((contacts > 0).sum()),
            "events": int(sides["proactive"].sum()),
        }
        yield {"kind": PROACTIVE, "name": PROACTIVE} | _estimate(limits) | base
    if (n_valued := int(sides["value"].notna().sum())) >= MIN_SHOWN:
        worth = np.zeros(n)
        worth[: len(sides)] = sides["value"].fillna(0.0)
        mean, error = worth.mean(), worth.std(ddof=1) / np.sqrt(n)
        limits = (mean, *normal_interval(mean, error, confidence=confidence))
        yield {"kind": VALUE, "name": VALUE} | _estimate(limits) | {"n": n, "customers": n_valued, "events": n_valued}


def _covered(log: EventLog, visits: pd.DataFrame, confidence: float) -> Iterator[dict]:
    of_group = visits.groupby("key", sort=True)["customer_id"].nunique()
    found = find_sources(log, visits)
    for row in found[found["customers"] >= MIN_SHOWN].to_dict("records"):
        n = int(of_group[row["group"]])
        limits = (row["customers"] / n, *wilson(row["customers"], n, confidence=confidence))
        base = {"n": n, "customers": row["customers"], "events": row["events"]}
        yield {"group": row["group"], "source": row["source"]} | _estimate(limits) | base


def _estimate(limits: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip(("estimate", "lower", "upper"), map(float, limits), strict=True))


def _interval(row: Row) -> str:
    return f"{percent(row['lower'])} to {percent(row['upper'])}"


def _share(row: Row, *, noun: str = "customer") -> str:
    return f"{percent(row['estimate'])} ({_interval(row)}; {counted(row['n'], noun)})"


def _named(row: Row) -> str:
    return f"{shortened(str(row['name']), MOST_LETTERS)} {_share(row)}"


def _ratio(share: float) -> str:
    """Reactive : proactive, of which the company's `share` is the second; the smaller side is 1."""
    if share in (0.0, 1.0):
        return f"{1 - share:g} : {share:g}"
    odds = (1 - share) / share
    return f"{odds:.1f} : 1" if odds >= 1 else f"1 : {1 / odds:.1f}"
