"""Entries: when, and through which channel, did each customer come into the journey?"""

import ibis
import pandas as pd

from journeylab.events.journey.conditions import holds
from journeylab.events.log import EventLog
from journeylab.events.spells import Spells

_CHANNEL = "channel"


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
    who came in before the window (see `find_entries`), or whose event has no channel, are absent; all are where the log
    has no column `channel`.
    """
    nobody = pd.Series([], index=pd.Index([], dtype=object, name="customer_id"), dtype=object, name=_CHANNEL)
    entries = find_entries(spells)
    entries = entries[entries["is_known"]]
    if _CHANNEL not in log.events.columns or entries.empty:
        return nobody
    events = log.events
    openers = [
        events.filter(holds(events, condition, owner=f"“{key}” of stage “{stage.name}”"))
        .select("customer_id", "time", "seq", channel=events[_CHANNEL].cast("string"))
        .mutate(stage=ibis.literal(stage.name))
        for stage in spells.journey.stages
        for key in ("opened_by", "reopened_by")
        for condition in getattr(stage, key)
    ]
    opened = ibis.union(*openers) if len(openers) > 1 else openers[0]
    wanted = ibis.memtable(
        entries.reset_index()[["customer_id", "entered", "stage"]].rename(columns={"entered": "time"}),
        schema={"customer_id": "string", "time": "timestamp('UTC', 6)", "stage": "string"},
    )
    found = opened.inner_join(wanted, ["customer_id", "time", "stage"])
    first = found.group_by("customer_id").aggregate(channel=found.channel.argmin(found.seq))
    channels = first.drop_null("channel").order_by("customer_id").to_pyarrow().to_pandas()
    return channels.set_index("customer_id")["channel"].astype(object) if len(channels) else nobody
