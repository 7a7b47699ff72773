"""Months: which events does the log hold in each month, which of their columns are filled, and what was refused?"""

import ibis
import ibis.expr.datatypes as dt
import numpy as np
import pandas as pd

from journeylab.events.log import EventLog

_DAY = 86_400


@ibis.udf.scalar.builtin(name="epoch_us", signature=((dt.Timestamp("UTC", 6),), dt.int64))
def _epoch_us(time):
    """Microseconds since 1970."""


def fill_by_month(log: EventLog) -> pd.DataFrame:
    """One row per event name and calendar month (UTC), in that order: `event`, `month`, `events`, and `filled_NAME` for
    each column that a reader gave the log or kept, how many of the events have a value there."""
    events = log.events
    columns = [name for name in events.columns if name not in ("customer_id", "time", "event", "seq")]
    fills = {f"filled_{name}": events[name].count() for name in columns}
    counted = events.group_by(event=events.event, day=_day(events.time, log)).aggregate(events=events.count(), **fills)
    return _by_month(counted, ["event"])


def refused_by_month(log: EventLog) -> pd.DataFrame:
    """One row per source, reason and calendar month (UTC; missing where the time cannot be read): `source`, `reason`,
    `month`, `rows`. Without any row where the log was not read."""
    read = log.quarantine.read
    if read is None:
        return pd.DataFrame(columns=["source", "reason", "month", "rows"])
    refused = read.drop_null("reason")
    keys = {"source": refused.source, "reason": refused.reason, "day": _day(refused.time, log)}
    return _by_month(refused.group_by(**keys).aggregate(rows=refused.count()), ["source", "reason"])


def rows_by_source(log: EventLog) -> pd.Series:
    """How many rows were read from each source, by its name."""
    read = log.quarantine.read
    assert read is not None, "only a log that was read has sources"
    counts = read.group_by("source").aggregate(rows=read.count()).order_by("source").to_pyarrow().to_pandas()
    return counts.set_index("source")["rows"]


def unread_times(log: EventLog, *, limit: int) -> list[str]:
    """How times that could not be read are written, at most `limit` of them, in the order of the text."""
    read = log.quarantine.read
    if read is None:
        return []
    unread = read.drop_null("unread").select("unread").order_by("unread").limit(limit)
    return [str(text) for text in unread.to_pyarrow()["unread"].to_pylist()]


def _day(time: ibis.Value, log: EventLog) -> ibis.Value:
    """The day of `time` (UTC), counted from 1970."""
    if log.quarantine.read is None:  # on a backend that we do not know
        return (time.epoch_seconds() / _DAY).floor().cast("int32")
    # The log's own engine takes three times as long for anything that looks at the zone of a time.
    return (_epoch_us(time) / (_DAY * 1_000_000)).floor().cast("int32")


def _by_month(counted: ibis.Table, keys: list[str]) -> pd.DataFrame:
    """The sums of `counted` by `keys` and the month of its `day`."""
    days = counted.to_pyarrow().to_pandas()
    is_known = days["day"].notna().to_numpy()
    months = np.full(len(days), np.datetime64("NaT", "s"))
    months[is_known] = (
        days.loc[is_known, "day"].to_numpy("datetime64[D]").astype("datetime64[M]").astype("datetime64[s]")
    )
    days = days.drop(columns="day").assign(month=pd.Series(months, index=days.index).dt.tz_localize("UTC"))
    return days.groupby([*keys, "month"], dropna=False, sort=True, as_index=False).sum()
