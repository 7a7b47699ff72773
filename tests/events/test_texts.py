"""Texts of customers: their own words, with consent, before a time; and the names that no quote may show."""

import pandas as pd

from journeylab.events.log import EventLog
from journeylab.events.queries.texts import MAX_TEXTS, MAX_WRITERS, find_texts, has_texts
from journeylab.events.reading import read_events

WINDOW = ("2025-01-01", "2025-07-01")
ROWS = [
    ("a", "2025-01-02", "customer", "chat", "first of a", True),
    ("a", "2025-03-02", "customer", "chat", "second of a", True),
    ("a", "2025-01-03", "company", "email", "what we wrote to a", True),
    ("a", "2025-01-04", "system", "email", "ticket 1 was closed", True),
    ("b", "2025-01-05", None, None, "of b, by nobody knows whom", False),
    ("b", "2025-01-06", "customer", "web", "  ", True),
    ("c", "2025-01-07", "customer", "web", "of c", None),
    ("d", "2025-01-08", "customer", "web", None, True),
]
COLUMNS = ["customer_id", "time", "initiator", "channel", "text", "consent"]
GROUPS = pd.Series({"a": "P1", "b": "P2", "c": "P1", "d": "P1"}, name="persona")


def log_of(rows=ROWS, *, without=(), customers=None) -> EventLog:
    table = pd.DataFrame(rows, columns=COLUMNS).assign(event="wrote").drop(columns=list(without))
    columns = {name: name for name in table.columns if name in ("customer_id", "time", "event")}
    return read_events(table, columns=columns, window=WINDOW, timezone="UTC", customers=customers)


def test_only_what_customers_wrote_is_theirs():
    found = find_texts(log_of(without=["consent"]), GROUPS, seed=1)
    assert found.drop(columns="time").to_numpy().tolist() == [
        ["a", "P1", "first of a", "chat"],
        ["a", "P1", "second of a", "chat"],
        ["b", "P2", "of b, by nobody knows whom", None],
        ["c", "P1", "of c", "web"],
    ]
    assert found["time"].iloc[0] == pd.Timestamp("2025-01-02", tz="UTC")


def test_only_texts_before_the_time_are_found():
    until = pd.Series(pd.to_datetime(["2025-03-02", "2025-01-05"], utc=True), index=["a", "b"])
    found = find_texts(log_of(without=["consent"]), GROUPS, seed=1, until=until)
    assert found["text"].tolist() == ["first of a"]


def test_where_consent_is_told_only_a_yes_counts():
    assert find_texts(log_of(), GROUPS, seed=1)["text"].tolist() == ["first of a", "second of a"]


def test_consent_may_stand_in_the_table_of_customers():
    customers = pd.DataFrame({"consent": ["no", "Yes", None]}, index=pd.Index(["a", "b", "c"], name="customer_id"))
    found = find_texts(log_of(without=["consent"], customers=customers), GROUPS, seed=1)
    assert found["customer_id"].tolist() == ["b"]
    both = find_texts(log_of(customers=customers), GROUPS, seed=1)
    assert both.empty


def test_without_texts_or_customers_there_is_none():
    log = log_of(without=["text"])
    assert not has_texts(log)
    assert has_texts(log_of())
    for found in (find_texts(log, GROUPS, seed=1), find_texts(log_of(), GROUPS[:0], seed=1)):
        assert found.columns.tolist() == ["customer_id", "group", "time", "text", "channel"]
        assert found.empty
        assert found["time"].dtype == "datetime64[us, UTC]"


def test_of_very_many_writers_and_texts_some_are_drawn_whatever_the_order():
    rows = [(f"c{n:04}", "2025-01-02", "customer", "web", f"text of {n}", True) for n in range(MAX_WRITERS + 50)]
    rows += [("c0000", f"2025-02-02 00:{n:02}", "customer", "web", f"more {n}", True) for n in range(MAX_TEXTS + 5)]
    groups = pd.Series("P1", index=sorted({row[0] for row in rows}))
    found = find_texts(log_of(rows), groups, seed=3)
    assert found["customer_id"].nunique() == MAX_WRITERS
    assert found["customer_id"].value_counts().max() <= MAX_TEXTS
    pd.testing.assert_frame_equal(found, find_texts(log_of(rows[::-1]), groups[::-1], seed=3))
    assert set(found["customer_id"]) != set(find_texts(log_of(rows), groups, seed=4)["customer_id"])
