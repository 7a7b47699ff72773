"""Entries: when, and through which channel, customers came into the journey."""

import ibis
import pandas as pd
import pyarrow as pa
from spell_logs import TYPES, at, journey_of, window_of

from journeylab.events.log import EventLog
from journeylab.events.queries.entries import entry_channels, find_entries
from journeylab.events.spells import find_spells

JOURNEY = journey_of(
    [
        {"name": "trial", "opened_by": [{"event": "start"}, {"event": "demo"}], "silent_after": "10d"},
        {"name": "paid", "opened_by": [{"event": "buy"}]},
    ],
    [{"name": "other", "when": {"event": "leave"}}],
)


def log(*rows, window=(0, 100), channel=True):
    """A log of (customer, event, day, channel)."""
    columns = {
        "customer_id": [row[0] for row in rows],
        "event": [row[1] for row in rows],
        "time": [at(row[2]) for row in rows],
        "seq": list(range(len(rows))),
    }
    table = pa.table({name: pa.array(values, TYPES[name]) for name, values in columns.items()})
    if channel:
        table = table.append_column("channel", pa.array([row[3] for row in rows], pa.string()))
    return EventLog.from_events(ibis.memtable(table), window=window_of(*window))


def channels(*rows, **how):
    found = log(*rows, **how)
    return entry_channels(found, find_spells(found, JOURNEY)).to_dict()


def test_the_channel_is_that_of_the_event_that_opened_the_first_visit():
    assert channels(
        ("a", "looked", 0, "advert"), ("a", "start", 1, "web"), ("a", "buy", 5, "phone"), ("b", "buy", 3, "shop")
    ) == {"a": "web", "b": "shop"}


def test_of_several_openers_at_one_time_the_first_counts_and_other_events_do_not():
    assert channels(("a", "looked", 1, "x"), ("a", "demo", 1, "partner"), ("a", "start", 1, "web")) == {"a": "partner"}


def test_a_missing_channel_is_no_channel():
    assert channels(("a", "start", 1, None), ("b", "start", 1, "web")) == {"b": "web"}


def test_who_came_before_the_window_has_none():
    """One was inside when it began; one was lost before it and returns: where they came in, the spells do not tell."""
    rows = [("a", "start", -3, "web"), ("a", "looked", 1, "app"), ("b", "start", -30, "web"), ("b", "looked", 2, "app")]
    found = log(*rows, ("c", "start", 4, "web"))
    spells = find_spells(found, JOURNEY)
    entries = find_entries(spells)
    assert entries["is_known"].to_dict() == {"a": False, "b": False, "c": True}
    assert entries.loc["c", ["stage", "entered"]].tolist() == ["trial", at(4)]
    assert entry_channels(found, spells).to_dict() == {"c": "web"}


def test_without_the_column_or_without_spells_nobody_has_one():
    assert channels(("a", "start", 1), channel=False) == {}
    nobody = log(("a", "looked", 1, "web"))
    found = entry_channels(nobody, find_spells(nobody, JOURNEY))
    assert (len(found), found.index.name, found.name) == (0, "customer_id", "channel")
    assert isinstance(found, pd.Series)
