"""Months: in which months does the log hold which events, and for how many of them does each column say something?"""

import pandas as pd

from journeylab.events.log import EventLog


def fill_by_month(log: EventLog) -> pd.DataFrame:
    """One row per event name and calendar month (UTC), in that order: `event`, `month`, `events`, and `filled_NAME` for
    each column that a reader gave the log or kept, how many of the events have a value there."""
    events = log.events
    columns = [name for name in events.columns if name not in ("customer_id", "time", "event", "seq")]
    fills = {f"filled_{name}": events[name].count() for name in columns}
    month = events.time.truncate("month").cast("timestamp('UTC', 6)")
    counted = events.group_by(event=events.event, month=month).aggregate(events=events.count(), **fills)
    return counted.order_by("event", "month").to_pyarrow().to_pandas()


def rows_read_by_month(log: EventLog) -> pd.DataFrame:
    """One row per source, reason to refuse a row (missing where it is accepted) and calendar month (UTC; missing where
    the time cannot be read): `source`, `reason`, `month`, `rows`. Without any row where the log was not read."""
    read = log.quarantine.read
    if read is None:
        return pd.DataFrame(columns=["source", "reason", "month", "rows"])
    month = read.time.truncate("month").cast("timestamp('UTC', 6)")
    counted = read.group_by(source=read.source, reason=read.reason, month=month).aggregate(rows=read.count())
    return counted.order_by("source", "reason", "month").to_pyarrow().to_pandas()


def unread_times(log: EventLog, *, limit: int) -> list[str]:
    """How times that could not be read are written, at most `limit` of them, in the order of the text."""
    if log.quarantine.read is None:
        return []
    unread = log.quarantine.read.unread
    rows = unread.as_table().drop_null().order_by("unread").limit(limit)
    return [text for text in rows.to_pyarrow()["unread"].to_pylist() if text is not None]
