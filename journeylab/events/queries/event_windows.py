"""Event windows: what happened to given customers within given spans of time, such as before and after a loss?

The engine joins the events with the spans and answers for each span which kinds of event are in it, and which came
nearest to its end or its beginning: narrow rows, as many as there are kinds of event. Nothing else of the log leaves
the engine.
"""

from dataclasses import dataclass
from typing import Literal

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from journeylab.base.durations import LONG_AGO
from journeylab.events.log import TIME, EventLog
from journeylab.events.spells.signals import COMPANY, CUSTOMER


@dataclass(frozen=True, eq=False)
class TimeSpans:
    """Spans of time in which to look at customers; a customer may have several.

    customer_id: object (spans,). since, until: int64 (spans,), microseconds since 1970 UTC; until is not included.
    """

    customer_id: np.ndarray
    since: np.ndarray
    until: np.ndarray

    def __len__(self) -> int:
        return len(self.since)

    @classmethod
    def together(cls, parts: "list[TimeSpans]") -> "TimeSpans":
        """The spans of all parts, those of the first part first."""
        none = cls(np.zeros(0, object), np.zeros(0, np.int64), np.zeros(0, np.int64))
        return cls(*(np.concatenate([getattr(part, name) for part in (none, *parts)]) for name in cls.__annotations__))


@dataclass(frozen=True, eq=False)
class EventWindows:
    """Which kinds of event are in each span. Arrays (rows,), by span, then kind; each pair once.

    span: position of the span. kind: position in `kinds`. is_nearest: whether it was this kind's event that came last,
    or first, of all events of its side, which is the company's or everybody else's.
    kinds: DataFrame `event`, `initiator`, sorted; where the log does not name an initiator it is the customer.
    """

    span: np.ndarray
    kind: np.ndarray
    is_nearest: np.ndarray
    kinds: pd.DataFrame

    def within(self, first: int, last: int) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
        """Span counted from `first`, kind and is_nearest of the spans first, first + 1, ... last - 1."""
        rows = slice(*np.searchsorted(self.span, [first, last]))
        return self.span[rows] - first, self.kind[rows], self.is_nearest[rows]


def find_event_windows(log: EventLog, spans: TimeSpans, *, nearest: Literal["last", "first"]) -> EventWindows:
    """Which kinds of event of `log` are in each of `spans`, and which came `nearest`: last, or first, of its side.

    Events at one time are ordered by `seq`. A kind is a name of events and who initiated them.
    """
    events = _events_in(log, spans)
    keys = [events.time, events.seq, events.event]
    order = [ibis.desc(key) for key in keys] if nearest == "last" else keys
    side = ibis.window(group_by=["span", "by_company"], order_by=order)
    marked = events.mutate(is_nearest=ibis.row_number().over(side) == 0)
    kinds = marked.group_by("span", "event", "initiator").aggregate(is_nearest=marked.is_nearest.any())
    rows = kinds.to_pyarrow().to_pandas()
    names = ["event", "initiator"]
    rows = rows.assign(kind=rows.groupby(names, sort=True).ngroup()).sort_values(["span", "kind"], kind="stable")
    return EventWindows(
        rows["span"].to_numpy(),
        rows["kind"].to_numpy(dtype=np.int64),
        rows["is_nearest"].to_numpy(dtype=bool),
        rows[names].drop_duplicates().sort_values(names, ignore_index=True).astype(object),
    )


def find_last_own(log: EventLog, spans: TimeSpans) -> np.ndarray:
    """When, in each of `spans`, the last event came that was not the company's: microseconds, or `LONG_AGO`."""
    events = _events_in(log, spans)
    own = events.filter(~events.by_company)
    rows = own.group_by("span").aggregate(last=own.time.max()).to_pyarrow()
    last = np.full(len(spans), LONG_AGO)
    last[rows["span"].to_numpy()] = rows["last"].cast(TIME).cast(pa.int64()).to_numpy()
    return last


def count_own(log: EventLog, spans: TimeSpans) -> np.ndarray:
    """How many events that were not the company's are in each of `spans`."""
    events = _events_in(log, spans)
    own = events.filter(~events.by_company)
    rows = own.group_by("span").aggregate(n=own.count()).to_pyarrow()
    n = np.zeros(len(spans), np.int64)
    n[rows["span"].to_numpy()] = rows["n"].to_numpy()
    return n


def _events_in(log: EventLog, spans: TimeSpans) -> ibis.Table:
    """A row for each event in each span: `span`, `time`, `seq`, `event`, `initiator`, `by_company`."""
    names = ("customer_id", "time", "seq", "event", "initiator")
    events = log.events.select(*(name for name in names if name in log.events.columns))
    numbered = spans_table(spans.customer_id, spans.since, spans.until, span=np.arange(len(spans), dtype=np.int32))
    joined = events.inner_join(numbered, is_within(events, numbered))
    initiator = joined.initiator.fill_null(CUSTOMER) if "initiator" in events.columns else ibis.literal(CUSTOMER)
    rows = joined.select("span", "time", "seq", "event", initiator=initiator)
    return rows.mutate(by_company=rows.initiator == COMPANY)


def spans_table(whose: object, since: object, until: object, **columns: object) -> ibis.Table:
    """Spans of time as the engine takes them: `whose` (customer ids), `since`, `until`, and `columns`."""
    times = {"since": pa.array(since).cast(TIME), "until": pa.array(until).cast(TIME)}
    return ibis.memtable(pa.table({"whose": pa.array(whose, pa.string()), **times, **columns}))


def is_within(events: ibis.Table, spans: ibis.Table) -> list[ibis.expr.types.BooleanValue]:
    """What makes an event be in a span of its customer: from its beginning, that included, to its end, that not."""
    return [events.customer_id == spans.whose, events.time >= spans.since, events.time < spans.until]
