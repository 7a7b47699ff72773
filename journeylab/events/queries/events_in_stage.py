"""Touchpoints: what happened while customers were in a stage, through which channel, and who began it?

The engine joins the events with the visits to stages and counts; what leaves it is a row per stage and name, or per
stage and customer, never an event.
"""

import ibis
import pandas as pd
import pyarrow as pa

from journeylab.events.journey import Journey
from journeylab.events.journey.conditions import holds
from journeylab.events.log import TIME, EventLog

CUSTOMER, COMPANY = "customer", "company"
ACTION, CHANNEL, ROLE = "event", "channel", "role"
KINDS = (ACTION, CHANNEL, ROLE)
SOURCES = ("process", "channel")
EVERYBODY = ""
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
    found = ibis.union(*told).to_pyarrow().to_pandas()
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
    tests = {name: _opens(log.events, journey, name) for name in sorted(begun["stage"].unique())}
    opening = [log.events.filter(test).select("customer_id", "time", stage=ibis.literal(name))
               for name, test in tests.items() if test is not None]  # fmt: skip
    if not opening:
        return pd.Series(False, index=visits.index, dtype=bool)
    moments = {name: pa.array(begun[name], pa.string()) for name in ("customer_id", "stage")}
    entries = ibis.memtable(pa.table(moments | {"time": _utc(begun["time"])}))
    seen = ibis.union(*opening).semi_join(entries, list(begun)).distinct().to_pyarrow().to_pandas()
    seen = seen.astype({"customer_id": object, "stage": object})
    seen = seen.assign(time=pd.to_datetime(seen["time"], utc=True).dt.as_unit("us"), is_seen=True)
    found = begun.merge(seen, how="left", on=list(begun))["is_seen"]
    return pd.Series(found.notna().to_numpy(), index=visits.index, dtype=bool)


def _opens(events: ibis.Table, journey: Journey, name: str) -> ibis.Value | None:
    """What says that an event opens the stage `name`; None where none does."""
    stage = journey.stage(name)
    rules = [("opened_by", each) for each in stage.opened_by] + [("reopened_by", each) for each in stage.reopened_by]
    tests = [holds(events, rule, owner=f"“{key}” of stage “{name}”") for key, rule in rules]
    return ibis.or_(*tests) if tests else None


def find_sources(log: EventLog, visits: pd.DataFrame) -> pd.DataFrame:
    """From which parts of the business the log tells, within its window, of the customers of `visits`, whatever the
    time of the visits: a row per group and source, most customers first.

    Sources are the values of `process`, or of `channel` where the log has no process, and further “scores” and “texts”
    where it has them. Columns: `group` (“” without groups), `source`, `customers` with an event from there, `events`,
    `first`, `last` (UTC).
    """
    members = visits.assign(group=_group(visits))[["customer_id", "group"]].drop_duplicates()
    members = pa.table({name: pa.array(members[name].astype(object), pa.string()) for name in members})
    wanted = ["customer_id", "time", *(each for each in (*SOURCES, "score", "text") if each in log.events.columns)]
    events = log.events.filter(log.events.time >= ibis.literal(log.window.start.to_pydatetime())).select(*wanted)
    events = events.inner_join(ibis.memtable(members), "customer_id")
    told = [events.mutate(source=events[each]) for each in SOURCES if each in events.columns][:1]
    for column, source in (("score", "scores"), ("text", "texts")):
        if column in events.columns:
            told.append(events.drop_null(column).mutate(source=ibis.literal(source)))
    columns = ["group", "source", "customers", "events", "first", "last"]
    if not told:
        return pd.DataFrame(columns=columns)
    found = ibis.union(*(_coverage(each, number) for number, each in enumerate(told)))
    found = found.order_by("group", "number", ibis.desc("customers"), "source")
    return found.select(*columns).to_pyarrow().to_pandas()


def _coverage(rows: ibis.Table, number: int) -> ibis.Table:
    rows = rows.drop_null("source")
    found = rows.group_by("group", "source").aggregate(
        customers=rows.customer_id.nunique(), events=rows.count(), first=rows.time.min(), last=rows.time.max()
    )  # fmt: skip
    return found.mutate(number=ibis.literal(number))


def _inside(log: EventLog, visits: pd.DataFrame) -> ibis.Table:
    """The events of `log` that each of `visits` holds, with its `stage` and `group`."""
    table = {
        "customer_id": pa.array(visits["customer_id"].astype(object), pa.string()),
        "stage": pa.array(visits["stage"].astype(object), pa.string()),
        "group": pa.array(_group(visits), pa.string()),
        "since": _utc(visits["observed_from"]),
        "until": _utc(visits["left"]),
    }
    spans = ibis.memtable(pa.table(table), schema=_VISIT)
    events = log.events
    wanted = ["customer_id", "time", *(each for each in ("event", "channel", "role", "initiator", "value")
                                       if each in events.columns)]  # fmt: skip
    joined = events.select(*wanted).join(spans, "customer_id")
    return joined.filter((joined.time >= joined.since) & (joined.time < joined.until))


def _group(visits: pd.DataFrame) -> pd.Series:
    return (visits["group"] if "group" in visits else pd.Series(EVERYBODY, index=visits.index)).astype(object)


def _counts(rows: ibis.Table, kind: str) -> ibis.Table:
    if kind != CHANNEL and "initiator" in rows.columns:
        rows = rows.filter((rows.initiator != COMPANY).fill_null(True))
    rows = rows.mutate(name=rows[kind], kind=ibis.literal(kind)).drop_null("name")
    return rows.group_by("stage", "group", "kind", "name").aggregate(
        events=rows.count(), customers=rows.customer_id.nunique()
    )


def _utc(times: pd.Series) -> pa.Array:
    return pa.array(pd.to_datetime(times, utc=True).dt.as_unit("us")).cast(TIME)
