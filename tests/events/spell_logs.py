"""Small logs and journeys for the tests of spells."""

from collections.abc import Iterable, Mapping

import ibis
import pandas as pd
import pyarrow as pa
from by_hand import START, at, journey_of  # noqa: F401 -- the tests of spells find it here

from journeylab.events.log import EventLog, Window

DAY_ZERO = START
DAY = 86_400_000_000
TYPES = {
    "customer_id": pa.string(),
    "time": pa.timestamp("us", "UTC"),
    "event": pa.string(),
    "seq": pa.int64(),
    "initiator": pa.string(),
    "reason": pa.string(),
    "amount": pa.float64(),
    "seats": pa.int64(),
    "is_annual": pa.bool_(),
}


def window_of(start: float, end: float) -> Window:
    """The window from day `start` to day `end`."""
    return Window(at(start), at(end))


def log_of(rows: Iterable[Mapping], window: tuple[float, float] = (0, 100)) -> EventLog:
    """A log of `rows`: customer_id, event, day (time in days) and any of `TYPES`; by default `seq` as listed."""
    rows = [{"seq": place, "time": at(row["day"])} | dict(row) for place, row in enumerate(rows)]
    given = {"customer_id", "time", "event", "seq"}.union(*rows)
    names = [name for name in TYPES if name in given]
    table = pa.table({name: pa.array([row.get(name) for row in rows], TYPES[name]) for name in names})
    customers = pd.DataFrame(index=pd.Index(sorted({row["customer_id"] for row in rows}), name="customer_id"))
    return EventLog.from_events(ibis.memtable(table), window=window_of(*window), customers=customers)
