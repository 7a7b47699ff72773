"""Event windows: which events are in each span, and which was nearest, worked by hand."""

import numpy as np
import pandas as pd
import pytest

from journeylab.base.durations import LONG_AGO
from journeylab.events.log import EventLog
from journeylab.events.queries.event_windows import TimeSpans, find_event_windows, find_last_own
from journeylab.events.reading import read_events

START = pd.Timestamp("2025-01-01", tz="UTC")
DAY = 86_400_000_000


def at(*days) -> np.ndarray:
    """Days after the window's start in microseconds since 1970."""
    return np.array([START.value // 1000 + round(day * DAY) for day in days], np.int64)


def log_of(*events, initiators: bool = True) -> EventLog:
    """A log of rows (customer, event, day, initiator)."""
    table = pd.DataFrame(events, columns=["customer_id", "event", "time", "initiator"])
    table["time"] = START + pd.to_timedelta(table["time"], unit="D")
    table = table if initiators else table.drop(columns="initiator")
    names = {name: name for name in ("customer_id", "event", "time")}
    return read_events(table, columns=names, window=(START, START + pd.Timedelta(days=100)))


def spans(*rows) -> TimeSpans:
    """Spans from rows (customer, since, until), in days."""
    customers, since, until = zip(*rows, strict=True)
    return TimeSpans(np.array(customers, object), at(*since), at(*until))


def held(found) -> list[tuple]:
    """(span, event, initiator, whether nearest), row by row."""
    kinds = found.kinds.iloc[found.kind]
    return list(zip(found.span.tolist(), kinds["event"], kinds["initiator"], found.is_nearest.tolist(), strict=True))


LOG = log_of(
    ("a", "open", 1, None),
    ("a", "ask", 2, "customer"),
    ("a", "mail", 2.5, "company"),
    ("a", "open", 3, "customer"),
    ("a", "leave", 4, "customer"),
    ("b", "open", 2, "customer"),
)


@pytest.mark.parametrize(("nearest", "of"), [("last", "open"), ("first", "ask")])
def test_a_span_begins_with_its_first_moment_and_ends_before_its_last(nearest, of):
    found = held(find_event_windows(LOG, spans(("a", 2, 4)), nearest=nearest))
    assert found == [
        (0, "ask", "customer", of == "ask"),
        (0, "mail", "company", True),
        (0, "open", "customer", of == "open"),
    ]


def test_each_span_is_its_customer_s_and_may_overlap_others():
    found = held(find_event_windows(LOG, spans(("b", 0, 9), ("a", 3, 9), ("c", 0, 9), ("a", 0, 1.5)), nearest="last"))
    assert found == [
        (0, "open", "customer", True),
        (1, "leave", "customer", True),
        (1, "open", "customer", False),
        (3, "open", "customer", True),
    ]


def test_events_of_one_moment_are_ordered_as_the_log_orders_them():
    log = log_of(("a", "zoom", 1, "customer"), ("a", "ask", 1, "customer"))
    last = held(find_event_windows(log, spans(("a", 0, 2)), nearest="last"))
    first = held(find_event_windows(log, spans(("a", 0, 2)), nearest="first"))
    assert [row[1] for row in last if row[3]] == ["ask"]
    assert [row[1] for row in first if row[3]] == ["zoom"]


def test_a_log_that_does_not_tell_who_acted_is_all_the_customers():
    log = log_of(("a", "mail", 1, None), ("a", "open", 2, None), initiators=False)
    found = held(find_event_windows(log, spans(("a", 0, 9)), nearest="last"))
    assert found == [(0, "mail", "customer", False), (0, "open", "customer", True)]


def test_rows_of_some_spans_are_counted_from_the_first_of_them():
    found = find_event_windows(LOG, spans(("b", 0, 9), ("a", 3, 9), ("a", 1, 2)), nearest="last")
    span, kind, is_last = found.within(1, 3)
    assert span.tolist() == [0, 0, 1]
    assert found.kinds["event"].iloc[kind].tolist() == ["leave", "open", "open"]
    assert is_last.tolist() == [True, False, True]


def test_nothing_is_found_where_nothing_is_asked_or_there():
    empty = TimeSpans.together([])
    for each in (empty, spans(("nobody", 0, 9))):
        found = find_event_windows(LOG, each, nearest="last")
        assert held(found) == []
        assert list(found.kinds) == ["event", "initiator"]
    assert find_last_own(LOG, empty).tolist() == []


def test_the_last_own_event_is_never_the_company_s():
    found = find_last_own(LOG, spans(("a", 2.2, 2.9), ("a", 0, 3), ("a", 0, 9), ("b", 2, 2.1)))
    assert found.tolist() == [LONG_AGO, *at(2, 4, 2)]


def test_spans_together_keep_their_order():
    joined = TimeSpans.together([spans(("a", 0, 1)), spans(("b", 2, 3), ("a", 4, 5))])
    assert (joined.customer_id.tolist(), joined.since.tolist()) == (["a", "b", "a"], at(0, 2, 4).tolist())
    assert len(joined) == 3
