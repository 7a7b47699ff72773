"""Surroundings: what happened to given customers within given times, such as before and after a loss?

The engine joins the events with the stretches of time asked for and tells of each stretch which events it holds, and
which was nearest to its end or its beginning: narrow rows, as many as there are events of different names. Nothing else
of the log leaves the engine.
"""

from dataclasses import dataclass
from typing import Literal

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from journeylab.events.log import TIME, EventLog

CUSTOMER, COMPANY = "customer", "company"
NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, eq=False)
class TimeSpans:
    """Stretches of time in which to look at customers; a customer may have several.

    customer_id: object (looks,). since, until: int64 (looks,), microseconds since 1970 UTC; until is not included.
    """

    customer_id: np.ndarray
    since: np.ndarray
    until: np.ndarray

    def __len__(self) -> int:
        return len(self.since)

    @classmethod
    def together(cls, parts: "list[TimeSpans]") -> "TimeSpans":
        """All looks, those of the first part first."""
        if not parts:
            return cls(np.zeros(0, object), np.zeros(0, np.int64), np.zeros(0, np.int64))
        return cls(*(np.concatenate([getattr(each, name) for each in parts]) for name in cls.__annotations__))


@dataclass(frozen=True, eq=False)
class EventWindows:
    """Which events each look holds. Arrays (rows,), by look, then kind; each pair once.

    look: position of the look. kind: position in `kinds`. is_nearest: whether it was this kind's event that came last,
    or first, of all events of its side, which is the company's or everybody else's.
    kinds: DataFrame `event`, `initiator`, sorted; an initiator that the log does not tell is the customer.
    """

    look: np.ndarray
    kind: np.ndarray
    is_nearest: np.ndarray
    kinds: pd.DataFrame

    def within(self, first: int, last: int) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
        """Look counted from `first`, kind and is_nearest of the looks first, first + 1, ... last - 1."""
        rows = slice(*np.searchsorted(self.look, [first, last]))
        return self.look[rows] - first, self.kind[rows], self.is_nearest[rows]


def find_event_windows(log: EventLog, looks: TimeSpans, *, nearest: Literal["last", "first"]) -> EventWindows:
    """Which events of `log` each of `looks` holds, and which of them came `nearest`: last, or first, of its side.

    Events at one time are ordered by `seq`. Names are told apart by who initiated the event.
    """
    seen = _seen(log, looks)
    keys = [seen.time, seen.seq, seen.event]
    keys = [ibis.desc(key) for key in keys] if nearest == "last" else keys
    order = ibis.window(group_by=["look", "by_company"], order_by=keys)
    marked = seen.mutate(is_nearest=ibis.row_number().over(order) == 0)
    found = marked.group_by("look", "event", "initiator").aggregate(is_nearest=marked.is_nearest.any())
    table = found.to_pyarrow()
    look, is_nearest = (table[name].to_numpy() for name in ("look", "is_nearest"))
    kind, kinds = _kinds(table)
    order = np.lexsort((kind, look))
    return EventWindows(look[order], kind[order], is_nearest[order].astype(bool), kinds)


def find_last_own(log: EventLog, looks: TimeSpans) -> np.ndarray:
    """When, in each of `looks`, the last event came that was not the company's: microseconds, `NEVER` if none did."""
    seen = _seen(log, looks)
    own = seen.filter(~seen.by_company)
    table = own.group_by("look").aggregate(last=own.time.max()).to_pyarrow()
    found = np.full(len(looks), NEVER)
    found[table["look"].to_numpy()] = table["last"].cast(TIME).cast(pa.int64()).to_numpy()
    return found


def _seen(log: EventLog, looks: TimeSpans) -> ibis.Table:
    """A row for each event within each look: `look`, `time`, `seq`, `event`, `initiator`, `by_company`."""
    held = pa.table(
        {
            "customer_id": pa.array(looks.customer_id, pa.string()),
            "look": pa.array(np.arange(len(looks), dtype=np.int32)),
            "since": pa.array(looks.since).cast(TIME),
            "until": pa.array(looks.until).cast(TIME),
        }
    )
    events, asked = log.events, ibis.memtable(held)
    joined = events.join(asked, "customer_id")
    joined = joined.filter(joined.time >= joined.since, joined.time < joined.until)
    known = joined.initiator.fill_null(CUSTOMER) if "initiator" in events.columns else ibis.literal(CUSTOMER)
    seen = joined.select("look", "time", "seq", "event", initiator=known)
    return seen.mutate(by_company=seen.initiator == COMPANY)


def _kinds(table: pa.Table) -> tuple[np.ndarray, pd.DataFrame]:
    """The kind of each row, and the kinds, sorted."""
    coded = [table[name].combine_chunks().dictionary_encode() for name in ("event", "initiator")]
    codes = [each.indices.to_numpy().astype(np.int64) for each in coded]
    names = [np.array(each.dictionary.to_pylist(), object) for each in coded]
    pairs, kind = np.unique(codes[0] * max(len(names[1]), 1) + codes[1], return_inverse=True)
    event, initiator = np.divmod(pairs, max(len(names[1]), 1))
    kinds = pd.DataFrame({"event": names[0][event], "initiator": names[1][initiator]}, dtype=object)
    order = kinds.sort_values(["event", "initiator"], kind="stable").index.to_numpy()
    return np.argsort(order)[kind], kinds.loc[order].reset_index(drop=True)
