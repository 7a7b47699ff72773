"""Events in a stage: what happened while customers were in it, through which channel, and who began it?

The engine joins the events with the visits to stages and counts; what leaves it is a row per stage and name, or per
stage and customer, never an event.
"""

from functools import reduce
from operator import or_

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from ibis.expr.types import Value

from journeylab.events.journey import Journey
from journeylab.events.journey.conditions import holds
from journeylab.events.log import EventLog
from journeylab.events.queries.entries import find_order_on_day
from journeylab.events.queries.event_windows import is_within, spans_table
from journeylab.events.spells.signals import COMPANY, CUSTOMER, is_own

ACTION, CHANNEL, ROLE = "event", "channel", "role"
KINDS = (ACTION, CHANNEL, ROLE)
SOURCES = ("process", "channel")
EVERYBODY = ""


def find_touchpoints(log: EventLog, visits: pd.DataFrame, journey: Journey | None = None) -> pd.DataFrame:
    """What the customers of `visits` did and met in each stage: a row per stage, group, `kind` and name.

    visits: rows of spells (`customer_id`, `stage`, `observed_from`, `left`), with a column `group` where there are
        groups. An event belongs to the visit that holds its time, from when the visit is watched up to, not including,
        its end; one at the very moment of a move counts for the stage that is entered. Where the log has only dates,
        the order of the day's events decides, if the `journey` is given to tell what opened the stage: what came before
        that belongs to the stage before.

    Columns: `stage`, `group` (“” without groups), `kind`, `name`, `events`, `customers` (different ones); the most
    customers first, then by name. Kinds: `event`, what customers did, which is every event that the company did not
    initiate; `channel`, through which anybody did anything; `role`, of those who did something, as far as the log has
    channels and roles.
    """
    events = events_in(log, visits, journey)
    counts = [_counts(events, kind) for kind in KINDS if kind in events.columns]
    rows = ibis.union(*counts).to_pyarrow().to_pandas()
    order = ["stage", "group", "kind", "customers", "name"]
    rows = rows.sort_values(order, ascending=[True, True, True, False, True], kind="stable", ignore_index=True)
    return rows.astype(dict.fromkeys(("stage", "group", "kind", "name"), object))


def find_sides(log: EventLog, visits: pd.DataFrame, journey: Journey) -> pd.DataFrame:
    """Who began the contacts between each customer and the company, and what the customer's events were worth: a row
    per stage, group and customer who had an event there.

    contacts: which events are contacts. Columns: `stage`, `group`, `customer_id`; `reactive`, contacts that the
    customer initiated (one without initiator is the customer's), `proactive`, those of the company; third parties and
    systems count for neither. Where the log names no initiators, or there are no `contacts`, both are missing. `value`:
    the sum of the values of all events, missing where none has one. By stage, group and customer.

    Raises JourneyError where a contact asks for a column that the log lacks.
    """
    rules = [holds(log.events, contact, owner="“contacts”") for contact in journey.contacts]
    events = events_in(log, visits, journey, is_contact=reduce(or_, rules, ibis.literal(False)))
    reactive = proactive = ibis.null("int64")
    worth = ibis.null("float64")
    if "initiator" in events.columns and rules:
        initiator = events.initiator.fill_null(CUSTOMER)
        reactive, proactive = ((events.is_contact & (initiator == side)).sum() for side in (CUSTOMER, COMPANY))
    if "value" in events.columns:
        worth = ibis.cases((events.value.isnan().fill_null(True), None), else_=events.value).sum()
    sides = events.group_by("stage", "group", "customer_id").aggregate(
        reactive=reactive, proactive=proactive, value=worth
    )
    rows = sides.order_by("stage", "group", "customer_id").to_pyarrow().to_pandas()
    return rows.astype({"reactive": float, "proactive": float, "value": float})


def find_sources(log: EventLog, visits: pd.DataFrame) -> pd.DataFrame:
    """From which parts of the business the log has events, within its window, of the customers of `visits`, at any
    time: a row per group and source, most customers first.

    Sources are the values of `process`, or of `channel` where the log has no process, and further “scores” and “texts”
    where it has them. Columns: `group` (“” without groups), `source`, `customers` with an event from there, `events`,
    `first`, `last` (UTC).
    """
    members = visits.assign(group=_group(visits))[["customer_id", "group"]].drop_duplicates()
    members = pa.table({name: pa.array(members[name].astype(object), pa.string()) for name in members})
    events = _select(log, "customer_id", "time", *SOURCES, "score", "text")
    events = events.filter(events.time >= ibis.literal(log.window.start.to_pydatetime()))
    events = events.inner_join(ibis.memtable(members), "customer_id")
    parts = [events.mutate(source=events[name]) for name in SOURCES if name in events.columns][:1]
    for column, source in (("score", "scores"), ("text", "texts")):
        if column in events.columns:
            parts.append(events.drop_null(column).mutate(source=ibis.literal(source)))
    columns = ["group", "source", "customers", "events", "first", "last"]
    if not parts:
        return pd.DataFrame(columns=columns)
    sources = ibis.union(*(_coverage(part, number) for number, part in enumerate(parts)))
    sources = sources.order_by("group", "number", ibis.desc("customers"), "source")
    return sources.select(*columns).to_pyarrow().to_pandas()


def _coverage(rows: ibis.Table, number: int) -> ibis.Table:
    rows = rows.drop_null("source")
    counts = {"customers": rows.customer_id.nunique(), "events": rows.count()}
    counts |= {"first": rows.time.min(), "last": rows.time.max()}
    return rows.group_by("group", "source").aggregate(**counts).mutate(number=ibis.literal(number))


def events_in(log: EventLog, visits: pd.DataFrame, journey: Journey | None = None, **more: Value) -> ibis.Table:
    """The events of `log` in each of `visits`, with its `stage` and `group`, and the columns `more`."""
    names = {"stage": visits["stage"].astype(object), "group": _group(visits)}
    columns = {name: pa.array(column, pa.string()) for name, column in names.items()}
    times = (pd.to_datetime(visits[name], utc=True).dt.as_unit("us") for name in ("observed_from", "left"))
    if journey is not None and log.dates_only:
        since, until = _places_on_day(log, visits, journey)
        columns |= {"since_seq": pa.array(since), "until_seq": pa.array(until)}
    spans = spans_table(visits["customer_id"].astype(object), *times, **columns)
    events = _select(log, "customer_id", "time", "seq", "event", "channel", "role", "initiator", "value", **more)
    if "since_seq" not in columns:
        return events.inner_join(spans, is_within(events, spans))
    begins = (events.time > spans.since) | ((events.time == spans.since) & (events.seq >= spans.since_seq))
    ends = (events.time < spans.until) | ((events.time == spans.until) & (events.seq < spans.until_seq))
    return events.inner_join(spans, [events.customer_id == spans.whose, begins, ends])


def _places_on_day(log: EventLog, visits: pd.DataFrame, journey: Journey) -> tuple[np.ndarray, np.ndarray]:
    """From which `seq` on, and up to which, not included, the events of its first and of its last day belong to each of
    `visits`: that of the event that opened it, and of the one that ended it. All, and none, where no event did."""
    place = find_order_on_day(log, visits, journey)
    following = place.assign(entered=visits["entered"]).groupby(visits["customer_id"].astype(object)).shift(-1)
    moved_on = following["opened"].where(following["entered"] == visits["left"])
    is_lost = visits["outcome"] == "lost"
    until = place["lost"].where(is_lost, moved_on).fillna(-np.inf)
    since = place["opened"].where(visits["observed_from"] == visits["entered"])
    return since.fillna(-np.inf).to_numpy(), until.to_numpy()


def _select(log: EventLog, *columns: str, **more: Value) -> ibis.Table:
    return log.events.select(*(name for name in columns if name in log.events.columns), **more)


def _group(visits: pd.DataFrame) -> pd.Series:
    return (visits["group"] if "group" in visits else pd.Series(EVERYBODY, index=visits.index)).astype(object)


def _counts(events: ibis.Table, kind: str) -> ibis.Table:
    events = events if kind == CHANNEL else events.filter(is_own(events))
    events = events.mutate(name=events[kind], kind=ibis.literal(kind)).drop_null("name")
    return events.group_by("stage", "group", "kind", "name").aggregate(
        events=events.count(), customers=events.customer_id.nunique()
    )
