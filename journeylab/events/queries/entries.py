"""Entries: when, through which channel and by which event did customers come into the journey, and into a stage?"""

from collections.abc import Iterable, Iterator

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from journeylab.events.journey import Journey
from journeylab.events.journey.conditions import column_problems, holds
from journeylab.events.log import TIME, EventLog
from journeylab.events.spells import Spells

_CHANNEL = "channel"
_ENTRY = ["customer_id", "time", "stage"]


def find_entries(spells: Spells) -> pd.DataFrame:
    """The first visit of each customer: index customer_id (sorted), columns `stage`, `entered` and `is_known`.

    `is_known`: whether this is how the customer came into the journey. It is not where the visit was running when the
    window began, or was a return from a loss before it: what ended before the window is not in the spells.
    """
    visits = spells.table.select(["customer_id", "spell", "stage", "entered", "returned_from"]).to_pandas()
    first = visits.sort_values(["customer_id", "spell"]).drop_duplicates("customer_id").set_index("customer_id")
    is_known = (first["entered"] >= spells.window.start) & first["returned_from"].isna()
    return first[["stage", "entered"]].astype({"stage": object}).assign(is_known=is_known)


def entry_channels(log: EventLog, spells: Spells) -> pd.Series:
    """The channel of the event that brought each customer into the journey: index customer_id (sorted), strings.

    That event is the first, by `seq`, that opens the stage of their first visit, at the time when that began. Customers
    who came in before the window (see `find_entries`), or whose event has no channel, are absent. So are all where the
    log has no column `channel`.
    """
    entries = find_entries(spells)
    entries = entries[entries["is_known"]].reset_index()
    nobody = pd.Series([], index=pd.Index([], dtype=object, name="customer_id"), dtype=object, name=_CHANNEL)
    if _CHANNEL not in log.events.columns or entries.empty:
        return nobody
    openers = _openers(log, spells.journey, spells.journey.stage_names, ["seq", _CHANNEL])
    opened = ibis.union(*openers).inner_join(_entered(entries), _ENTRY)
    first = opened.group_by("customer_id").aggregate(channel=opened.channel.cast("string").argmin(opened.seq))
    channels = first.drop_null("channel").order_by("customer_id").to_pyarrow().to_pandas()
    return channels.set_index("customer_id")["channel"].astype(object) if len(channels) else nobody


def find_triggers(log: EventLog, visits: pd.DataFrame, journey: Journey) -> pd.Series:
    """Which of `visits` began with an event that opens their stage: booleans with the index of `visits`.

    False are those that began otherwise: with a return after silence. An event counts at the moment when the visit was
    entered, in the history before the window too.
    """
    openers = list(_openers(log, journey, sorted(visits["stage"].astype(object).unique()), []))
    begun = visits[["customer_id", "stage"]].astype(object)
    begun = begun.assign(time=pd.to_datetime(visits["entered"], utc=True).dt.as_unit("us"))
    if not openers:
        return pd.Series(False, index=visits.index, dtype=bool)
    opened = ibis.union(*openers).semi_join(_entered(visits), _ENTRY).distinct().to_pyarrow().to_pandas()
    opened = opened.astype({"customer_id": object, "stage": object}).assign(is_opened=True)
    is_opened = begun.merge(opened.astype({"time": begun["time"].dtype}), how="left", on=_ENTRY)["is_opened"]
    return pd.Series(is_opened.notna().to_numpy(), index=visits.index, dtype=bool)


def find_order_on_day(log: EventLog, visits: pd.DataFrame, journey: Journey) -> pd.DataFrame:
    """Where on its day each of `visits` began and was lost, for a log that has only dates: columns `opened` and `lost`
    with the index of `visits`.

    They hold the `seq` of the first event of that day that opens the stage, and of the first that is the loss; missing
    where there is none, as where a visit goes on.
    """
    openers = _openers(log, journey, sorted(visits["stage"].astype(object).unique()), ["seq"])
    losses, schema = [], log.events.schema()
    for branch in journey.loss_branches:
        owner = f"loss branch “{branch.name}”"
        # Visits may come from another log, with columns that this one lacks.
        if (visits["to"] == branch.name).any() and not any(column_problems(branch.when, schema, owner=owner)):
            events = log.events.filter(holds(log.events, branch.when, owner=owner))
            losses.append(events.select("customer_id", "time", "seq", stage=ibis.literal(branch.name)))
    return pd.DataFrame(
        {
            "opened": _first_seq(list(openers), visits),
            "lost": _first_seq(losses, visits.assign(entered=visits["left"], stage=visits["to"])),
        },
        index=visits.index,
    )


def _first_seq(events: list[ibis.Table], visits: pd.DataFrame) -> np.ndarray:
    """The lowest `seq` of the `events` at the time and place of each of `visits`; missing where there is none."""
    if not events:
        return np.full(len(visits), np.nan)
    at = ibis.union(*events).inner_join(_entered(visits), _ENTRY)
    first = at.group_by(_ENTRY).aggregate(seq=at.seq.min()).to_pyarrow().to_pandas()
    keys = visits[["customer_id", "stage"]].astype(object)
    keys = keys.assign(time=pd.to_datetime(visits["entered"], utc=True).dt.as_unit("us"))
    first = first.astype({"customer_id": object, "stage": object, "time": keys["time"].dtype})
    return keys.merge(first.drop_duplicates(_ENTRY), how="left", on=_ENTRY)["seq"].to_numpy(float)


def _openers(log: EventLog, journey: Journey, stages: Iterable[str], columns: list[str]) -> Iterator[ibis.Table]:
    """For each of `stages` that something opens, the events that do: `customer_id`, `time`, `stage` and `columns`."""
    for name in stages:
        stage = journey.stage(name)
        rules = [(key, condition) for key in ("opened_by", "reopened_by") for condition in getattr(stage, key)]
        tests = [holds(log.events, condition, owner=f"“{key}” of stage “{name}”") for key, condition in rules]
        if tests:
            events = log.events.filter(ibis.or_(*tests))
            yield events.select("customer_id", "time", *columns, stage=ibis.literal(name))


def _entered(visits: pd.DataFrame) -> ibis.Table:
    """Who (`customer_id`) entered which `stage` at which `time`."""
    names = {name: pa.array(visits[name].astype(object), pa.string()) for name in ("customer_id", "stage")}
    times = pa.array(pd.to_datetime(visits["entered"], utc=True).dt.as_unit("us")).cast(TIME)
    return ibis.memtable(pa.table({**names, "time": times}))
