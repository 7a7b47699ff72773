"""Touchpoints: what do customers do in each stage, through which channels, who plays a part, and who begins it?"""

from collections.abc import Iterator, Set
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.words import counted
from journeylab.estimators.intervals import normal_interval
from journeylab.estimators.shares import clustered_share, ratio_of_totals
from journeylab.events.journey import Journey
from journeylab.events.log import EventLog
from journeylab.events.queries.entries import find_triggers
from journeylab.events.queries.events_in_stage import ACTION, EVERYBODY, find_sides, find_sources, find_touchpoints
from journeylab.events.spells import Spells
from journeylab.findings.finding import NOT_MEASURED, LaneName, StageFinding, share_in_words, tidy
from journeylab.findings.grouping import By, WatchedVisits, Where, select
from journeylab.findings.quotes import shortened
from journeylab.findings.rows import estimated, wilson_share

MAX_NAMED, MAX_DRAWN, MAX_LETTERS = 5, 3, 60
NO_CONTACTS = f"{NOT_MEASURED}: no contacts are declared"
PROACTIVE, VALUE, TRIGGER = "proactive", LaneName.VALUE, LaneName.TRIGGER_SEEN
# Lane of the map -> kind of row whose names it lists.
_LISTED = {LaneName.ACTIONS: ACTION, LaneName.TOUCHPOINTS: "channel", LaneName.ROLES: "role"}
LANES = (TRIGGER, LaneName.ACTIONS, LaneName.TOUCHPOINTS, LaneName.PROACTIVE, LaneName.ROLES, VALUE)
_NUMBERS = "estimate lower upper n customers events"
_COLUMNS = f"group stage kind name {_NUMBERS}"
_SOURCES = f"group source {_NUMBERS}"


@dataclass(frozen=True)
class Touchpoints(StageFinding):
    """What happens in each stage besides moving through it.

    Attributes
    ----------
    table : DataFrame
        A row per (group,) stage, `kind` and `name`, with `estimate`, `lower`, `upper`, by kind:

        - `event`, `channel`, `role`: of the `n` customers who came to the stage while watched, the share (Wilson) who
          did this event there, were met through this channel, or had somebody of this role act; `customers` of them in
          `events` events. What fewer than five did is left out.
        - `proactive`: of the `n` contacts that the customer or the company began, the share that the company began
          (linearised by customer). What a contact is, journey.yml declares under `contacts`; without it there is no
          such row.
        - `value`: mean value of the events there per customer who came to the stage, 0 for those without; `customers`
          have one.
        - `trigger seen`: of `n` visits, the share that began with an event that opens the stage; others began by a
          return after silence.
    coverage : DataFrame
        A row per (group and) source of the log: the share of the `n` customers in the journey of whom it tells.
    openers : set of (str, str)
        Pairs of stage and event by which the journey's definition opens the stage. Sentences and figures leave them
        out, because everyone who comes does them.
    has_contacts : bool
        Whether the journey declares which events are contacts.
    """

    coverage: pd.DataFrame
    openers: frozenset[tuple[str, str]] = field(repr=False)
    has_contacts: bool = True

    def sentence(self) -> str:
        """What most customers do in each stage, and the share of contacts that the company begins."""
        sentences = []
        for _, rows in self._by_group(self.table):
            acts = [
                f"“{row['stage']}” {_named(row)}" for _, row in self._acts(rows).drop_duplicates("stage").iterrows()
            ]
            doing = "; ".join(acts) or "nothing that five or more share"
            group = self._with_group(rows.iloc[0]) if self.by else ""
            sentences.append(f"What most customers{group} do in a stage: {doing}.")
        return " ".join([*sentences, self._begun(), f"All intervals are {self.confidence:.0%} intervals."])

    def coverage_in_words(self, group: str | None = None) -> str:
        """Which source of the log covers which share of customers (of `group`)."""
        rows = self.coverage if group is None else self.coverage[self.coverage["group"] == group]
        sources = [f"{shortened(row['source'], MAX_LETTERS)} {_share(row)}" for _, row in rows.iterrows()]
        return "; ".join(sources) or "The log does not name its sources"

    def by_stage(self) -> pd.DataFrame:
        """Lanes `trigger seen`, `actions`, `touchpoints`, `reactive : proactive`, `roles` and `value`, in words with
        interval and base; with groups, six for each. None where the log tells nothing; without declared contacts,
        `reactive : proactive` says so."""
        lanes = {}
        for suffix, rows in self._by_group(self.table):
            stages = dict(tuple(rows.groupby("stage", sort=False)))
            for name in LANES:
                lanes[name + suffix] = {stage: self._cell(name, part) for stage, part in stages.items()}
            if not self.has_contacts and not self.lacking:
                lanes[LaneName.PROACTIVE + suffix] = dict.fromkeys(self.stages, NO_CONTACTS)
        return self._lanes(lanes)

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
        if not self.has_contacts:
            return "Who begins a contact is not measured, because journey.yml declares no contacts."
        if rows.empty:
            return "The log does not tell who began a contact, or too few customers had one."
        shares = [
            f"“{row['stage']}”{f' ({row.group})' if self.by else ''} {_share(row, noun='contact')}"
            for _, row in rows.iterrows()
        ]
        return f"Contacts begun by the company: {'; '.join(shares)}."

    def _cell(self, name: str, rows: pd.DataFrame) -> str | None:
        """What the `rows` of one stage say in the lane `name`."""
        kind = _LISTED.get(name, name if name in (TRIGGER, VALUE) else PROACTIVE)
        rows = self._acts(rows) if kind == ACTION else rows[rows["kind"] == kind]
        if rows.empty:
            return None
        if name in _LISTED:
            return "; ".join(_named(row) for _, row in rows.head(MAX_NAMED).iterrows())
        row = rows.iloc[0]
        if kind == TRIGGER:
            return _share(row, noun="visit")
        if kind == VALUE:
            limits = f"{row['lower']:,.0f} to {row['upper']:,.0f}; {counted(row['n'], 'customer')}"
            return f"{row['estimate']:,.0f} per customer ({limits})"
        return f"{_ratio(row['estimate'])}; company {_share(row, noun='contact')}"


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
    watched, log = WatchedVisits.of(spells, by=by, where=where, confidence=confidence), select(log, where)
    visits, journey = watched.visits, watched.spells.journey
    groups = visits["group"] if watched.by else pd.Series(EVERYBODY, index=visits.index)
    visits = visits.assign(stage=visits["stage"].astype(object), key=groups.astype(object))
    rows = _rows(log, journey, visits, confidence) if len(visits) else ()
    sources = _covered(log, visits, confidence) if len(visits) else ()
    openers = frozenset(
        (stage.name, event) for stage in journey.stages for rule in stage.opened_by for event in rule.events
    )
    return Touchpoints(
        **watched.about("What customers do in each stage"),
        table=tidy(rows, _COLUMNS, by=watched.by),
        coverage=tidy(sources, _SOURCES, by=watched.by),
        openers=openers,
        has_contacts=bool(journey.contacts),
        lacking=None if len(visits) else watched.why_nobody(),
    )


def _rows(log: EventLog, journey: Journey, visits: pd.DataFrame, confidence: float) -> Iterator[dict]:
    visits = visits.assign(is_seen=find_triggers(log, visits, journey))
    counts = dict(tuple(find_touchpoints(log, visits, journey).groupby(["group", "stage"], sort=False)))
    sides = dict(tuple(find_sides(log, visits, journey).groupby(["group", "stage"], sort=False)))
    cells = dict(tuple(visits.groupby(["key", "stage"], sort=False)))
    for group in sorted(visits["key"].unique()):
        for stage in journey.stage_names:
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
    if (contacts > 0).sum() >= MIN_SHOWN:
        limits = ratio_of_totals(proactive, contacts, confidence=confidence)
        yield _row(PROACTIVE, limits, n=contacts.sum(), customers=(contacts > 0).sum(), events=proactive.sum())
    n_valued = sides["value"].notna().sum()
    if n_valued >= MIN_SHOWN:
        values = np.zeros(n)
        values[: len(sides)] = sides["value"].fillna(0.0)
        mean, error = values.mean(), values.std(ddof=1) / np.sqrt(n)
        lower, upper = normal_interval(mean, error, confidence=confidence)
        yield _row(VALUE, (mean, lower, upper), n=n, customers=n_valued, events=n_valued)


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


def _share(row: pd.Series, *, noun: str = "customer") -> str:
    return share_in_words(row, base=counted(row["n"], noun))


def _named(row: pd.Series) -> str:
    return f"{shortened(str(row['name']), MAX_LETTERS)} {_share(row)}"


def _ratio(share: float) -> str:
    """Reactive : proactive, of which the company's `share` is the second; the smaller side is 1."""
    if share in (0.0, 1.0):
        return f"{1 - share:g} : {share:g}"
    odds = (1 - share) / share
    return f"{odds:.1f} : 1" if odds >= 1 else f"1 : {1 / odds:.1f}"
