"""Touchpoints: what happened while customers were in a stage, through which channel, and who began it?

The engine joins the events with the visits to stages and counts; what leaves it is a row per stage and name, or per
stage and customer, never an event.
"""

from collections.abc import Sequence

import ibis
import pandas as pd
import pyarrow as pa

from journeylab.events.journey import Journey
from journeylab.events.log import EventLog
from journeylab.events.matching import holds

CUSTOMER, COMPANY = "customer", "company"
ACTION, CHANNEL, ROLE = "event", "channel", "role"
KINDS = (ACTION, CHANNEL, ROLE)
SOURCES = ("process", "channel")
EVERYBODY = ""
_TIME = pa.timestamp("us", "UTC")
_VISIT = ibis.schema({"customer_id": "string", "stage": "string", "group": "string", "since": "timestamp('UTC', 6)",
                      "until": "timestamp('UTC', 6)"})  # fmt: skip


def find_touchpoints(log: EventLog, visits: pd.DataFrame) -> pd.DataFrame:
    """What the customers of `visits` did and met in each stage: a row per stage, group, `kind` and name.

    visits: rows of spells (`customer_id`, `stage`, `observed_from`, `left`), with a column `group` where there are
        groups. An event belongs to the visit that holds its time, from when the visit is watched up to, not including,
        its end; one at the very moment of a move counts for the stage that is entered.

    Columns: `stage`, `group` (“” without groups), `kind`, `name`, `events`, `customers` (different ones); the most
    customers first, then by name. Kinds: `event`, what customers did, which is every event that the company did not
    initiate; `channel`, through which anybody did anything; `role`, of those who did something, as far as the log tells
    channels and roles.
    """
    rows = _inside(log, visits)
    told = [_counts(rows, kind) for kind in KINDS if kind in rows.columns]
    found = pd.concat([each.to_pyarrow().to_pandas() for each in told], ignore_index=True)
    order = ["stage", "group", "kind", "customers", "name"]
    found = found.sort_values(order, ascending=[True, True, True, False, True], kind="stable", ignore_index=True)
    return found.astype(dict.fromkeys(("stage", "group", "kind", "name"), object))


def find_sides(log: EventLog, visits: pd.DataFrame) -> pd.DataFrame:
    """Who began what happened between each customer and the company, and what it was worth: a row per stage, group and
    customer who had an event there.

    Columns: `stage`, `group`, `customer_id`; `reactive`, events that the customer initiated (one without initiator is
    the customer's), `proactive`, those of the company; third parties and systems count for neither. Where the log does
    not tell initiators both are missing. `value`: the sum of the events' values, missing where none has one. By stage,
    group and customer.
    """
    rows = _inside(log, visits)
    starts = rows.initiator.fill_null(CUSTOMER) if "initiator" in rows.columns else None
    nothing, worth = ibis.null("int64"), ibis.null("float64")
    if "value" in rows.columns:
        worth = ibis.cases((rows.value.isnan().fill_null(True), None), else_=rows.value).sum()
    found = rows.group_by("stage", "group", "customer_id").aggregate(
        reactive=nothing if starts is None else (starts == CUSTOMER).sum(),
        proactive=nothing if starts is None else (starts == COMPANY).sum(),
        value=worth,
    )
    told = found.order_by("stage", "group", "customer_id").to_pyarrow().to_pandas()
    return told.astype({"reactive": float, "proactive": float, "value": float})


def find_triggers(log: EventLog, journey: Journey, visits: pd.DataFrame) -> pd.Series:
    """Which of `visits` began with an event that opens their stage: booleans with the index of `visits`.

    False are those that began otherwise: with a return after silence. An event is looked for at the moment when the
    visit was entered, in the history before the window too.
    """
    times = pd.to_datetime(visits["entered"], utc=True).dt.as_unit("us")
    begun = visits[["customer_id", "stage"]].astype(object).assign(time=times)
    parts = [_openings(log, journey, name, rows) for name, rows in begun.groupby("stage", sort=True)]
    opened = pd.concat([begun.iloc[:0], *parts], ignore_index=True).assign(is_seen=True)
    found = begun.merge(opened, how="left", on=["customer_id", "stage", "time"])["is_seen"]
    return pd.Series(found.notna().to_numpy(), index=visits.index, dtype=bool)


def _openings(log: EventLog, journey: Journey, name: str, begun: pd.DataFrame) -> pd.DataFrame:
    """Those rows of `begun`, visits to the stage `name`, at whose time there is an event that opens it; each once."""
    stage = journey.stage(name)
    rules = [("opened_by", each) for each in stage.opened_by] + [("reopened_by", each) for each in stage.reopened_by]
    if not rules:
        return begun.iloc[:0]
    tests = [holds(log.events, rule, owner=f"“{key}” of stage “{name}”") for key, rule in rules]
    opening = log.events.filter(ibis.or_(*tests)).select("customer_id", "time")
    moments = {"customer_id": pa.array(begun["customer_id"], pa.string()), "time": _utc(begun["time"])}
    rows = opening.semi_join(ibis.memtable(pa.table(moments)), ["customer_id", "time"]).distinct()
    found = rows.to_pyarrow().to_pandas()
    times = pd.to_datetime(found["time"], utc=True).dt.as_unit("us")
    return pd.DataFrame({"customer_id": found["customer_id"].astype(object), "stage": name, "time": times})


def find_sources(log: EventLog, customers: Sequence[str]) -> pd.DataFrame:
    """From which parts of the business the log tells of `customers` in its window: a row per source, most customers
    first.

    Sources are the values of `process`, or of `channel` where the log has no process, and further “scores” and “texts”
    where it has them. Columns: `source`, `customers` with an event from there, `events`, `first`, `last` (UTC).
    """
    events = log.events.filter(log.events.time >= ibis.literal(log.window.start.to_pydatetime()))
    ids = pa.table({"customer_id": pa.array(list(customers), pa.string())})
    events = events.semi_join(ibis.memtable(ids), "customer_id")
    told = [events.mutate(source=events[each]) for each in SOURCES if each in events.columns][:1]
    for column, source in (("score", "scores"), ("text", "texts")):
        if column in events.columns:
            told.append(events.drop_null(column).mutate(source=ibis.literal(source)))
    found = [_coverage(each).to_pyarrow().to_pandas() for each in told]
    columns = ["source", "customers", "events", "first", "last"]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns)


def _coverage(rows: ibis.Table) -> ibis.Table:
    rows = rows.drop_null("source")
    found = rows.group_by("source").aggregate(
        customers=rows.customer_id.nunique(), events=rows.count(), first=rows.time.min(), last=rows.time.max()
    )  # fmt: skip
    return found.order_by(ibis.desc("customers"), "source")


def _inside(log: EventLog, visits: pd.DataFrame) -> ibis.Table:
    """The events of `log` that each of `visits` holds, with its `stage` and `group`."""
    group = visits["group"] if "group" in visits else pd.Series(EVERYBODY, index=visits.index)
    table = {
        "customer_id": pa.array(visits["customer_id"].astype(object), pa.string()),
        "stage": pa.array(visits["stage"].astype(object), pa.string()),
        "group": pa.array(group.astype(object), pa.string()),
        "since": _utc(visits["observed_from"]),
        "until": _utc(visits["left"]),
    }
    spans = ibis.memtable(pa.table(table), schema=_VISIT)
    events = log.events
    wanted = ["customer_id", "time", *(each for each in ("event", "channel", "role", "initiator", "value")
                                       if each in events.columns)]  # fmt: skip
    joined = events.select(*wanted).join(spans, "customer_id")
    return joined.filter((joined.time >= joined.since) & (joined.time < joined.until))


def _counts(rows: ibis.Table, kind: str) -> ibis.Table:
    if kind != CHANNEL and "initiator" in rows.columns:
        rows = rows.filter((rows.initiator != COMPANY).fill_null(True))
    rows = rows.mutate(name=rows[kind], kind=ibis.literal(kind)).drop_null("name")
    return rows.group_by("stage", "group", "kind", "name").aggregate(
        events=rows.count(), customers=rows.customer_id.nunique()
    )


def _utc(times: pd.Series) -> pa.Array:
    return pa.array(pd.to_datetime(times, utc=True).dt.as_unit("us")).cast(_TIME)
