"""The log: what it says of itself, and what is left of it when it is cut."""

from datetime import date, datetime

import ibis
import pandas as pd
import pytest

from journeylab.base.errors import LogError
from journeylab.base.words import counted
from journeylab.events.log import EventLog, Quarantine, Window, as_utc, check_timezone, written
from journeylab.events.reading import read_events


@pytest.fixture(scope="module")
def log() -> EventLog:
    rows = pd.DataFrame(
        [
            ("ada", "2023-12-31T12:00:00Z", "looked"),
            ("ada", "2024-01-05T12:00:00Z", "bought"),
            ("bob", "2024-01-06T12:00:00Z", "looked"),
            ("bob", "2024-02-07T12:00:00Z", "looked"),
            (None, "2024-02-07T12:00:00Z", "looked"),
            ("cy", "2024-03-01T00:00:00Z", "bought"),
        ],
        columns=["customer_id", "time", "event"],
    )
    return read_events(rows, window=("2024-01-01", "2024-03-01"))


def utc(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def message(run) -> str:
    with pytest.raises(LogError) as caught:
        run()
    return str(caught.value)


def test_the_log_says_how_much_of_what_it_holds_and_what_was_refused(log):
    assert repr(log) == (
        "EventLog: 4 events of 2 customers, from 2023-12-31 12:00 to 2024-02-07 12:00 (1 of them before the window); "
        "window 2024-01-01 to 2024-03-01; 6 rows read, 2 refused (1 missing customer, 1 after the window)."
    )
    assert "4 events of 2 customers" in log._repr_html_()
    assert "refused: missing customer" in log._repr_html_()
    assert (len(log), log.n_customers, log.n_left_out) == (4, 2, 0)


def test_the_summary_accounts_for_every_row(log):
    summary = log.summary().set_index("part")
    assert summary["rows"].to_dict() == {
        "read": 6,
        "accepted": 4,
        "refused: missing customer": 1,
        "refused: unreadable time": 0,
        "refused: missing event": 0,
        "refused: duplicate": 0,
        "refused: after the window": 1,
    }
    assert summary["share"]["accepted"] == 4 / 6


def test_a_cut_log_still_tells_of_the_reading_and_says_what_the_cut_left_out(log):
    cut = log.before("2024-02-01")
    assert (len(cut), cut.rows_read, len(cut.quarantine), cut.n_left_out) == (3, 6, 2, 1)
    assert cut.rows_read == len(cut) + len(cut.quarantine) + cut.n_left_out
    assert cut.summary().iloc[-1].to_list() == ["left out", 1, 1 / 6]
    assert repr(cut).endswith("2 refused (1 missing customer, 1 after the window); 1 left out of this part of the log.")


def test_before_a_time_nothing_later_is_known_and_the_window_ends_there(log):
    cut = log.before(utc("2024-02-07T12:00"))
    assert cut.window == Window(utc("2024-01-01"), utc("2024-02-07T12:00"))
    assert cut.events.time.max().to_pyarrow().as_py() == utc("2024-01-06T12:00")
    assert len(log) == 4


def test_a_log_is_cut_only_within_its_window(log):
    assert message(lambda: log.before("2024-03-02")) == (
        "The log cannot be cut at 2024-03-02: the window runs from 2024-01-01 to 2024-03-01. "
        "Choose a time after its start and not after its end."
    )
    assert message(lambda: log.before("2024-01-01")) == (
        "The log cannot be cut at 2024-01-01: the window runs from 2024-01-01 to 2024-03-01. "
        "Choose a time after its start and not after its end."
    )


def test_only_some_customers_are_left_when_asked_for(log):
    ada = log.only(customers=["ada", "nobody"])
    assert (len(ada), ada.n_customers, ada.n_left_out, list(ada.customers.index)) == (2, 1, 2, ["ada"])
    assert list(ada.only(customers="ada").customers.index) == ["ada"]
    assert message(lambda: log.only(customers=["nobody"])) == (
        "None of the customers asked for (1) is in the log. Use ids from `log.customers.index`."
    )


def test_events_are_counted_by_type_the_most_frequent_first(log):
    counted_types = log.events_by_type()
    assert counted_types[["event", "events", "customers"]].to_numpy().tolist() == [["looked", 3, 2], ["bought", 1, 1]]
    assert counted_types["first"].to_list() == [utc("2023-12-31T12:00"), utc("2024-01-05T12:00")]
    assert counted_types["last"].to_list() == [utc("2024-02-07T12:00"), utc("2024-01-05T12:00")]


def test_events_are_counted_by_month_with_the_history_apart(log):
    assert log.events_by_month().to_numpy().tolist() == [
        [utc("2023-12-01"), 1, 1, 1],
        [utc("2024-01-01"), 2, 2, 0],
        [utc("2024-02-01"), 1, 1, 0],
    ]


def test_columns_are_told_by_how_many_events_they_fill(log):
    filled = log.columns_filled()
    assert filled["column"].to_list() == [column for column in log.events.columns if column != "seq"]
    assert filled.set_index("column").loc["customer_id"].to_list() == [len(log), 1]


def test_a_window_shows_its_ends_and_its_length():
    shown = Window.from_times("2025-01-01", "2025-01-31")._repr_html_()
    assert "From 2025-01-01 up to, not including, 2025-01-31 (UTC): 30 days." in shown


def test_a_table_that_is_normalised_already_becomes_a_log_without_a_copy(log):
    same = EventLog.from_events(log.events, window=log.window)
    assert same.events is log.events
    assert (len(same), same.rows_read, len(same.quarantine), same.n_left_out) == (4, 4, 0, 0)
    assert list(same.customers.index) == ["ada", "bob"]
    assert same.customers.index.name == "customer_id"
    assert same.quarantine.rows.to_pyarrow().num_rows == 0
    assert repr(same).endswith("4 rows read, no row refused.")


def test_a_table_that_is_not_normalised_does_not_become_a_log(log):
    window = log.window
    assert message(lambda: EventLog.from_events(log.events.rename(tme="time"), window=window)) == (
        "The table of events has no column “time”. Did you mean “tme”?"
    )
    numbers = log.events.mutate(customer_id=ibis.literal(1))
    assert message(lambda: EventLog.from_events(numbers, window=window)) == (
        "Column “customer_id” of the table of events holds int8. Read the table with `read_events`, which converts it."
    )


def test_a_quarantine_names_every_reason_and_says_its_counts(log):
    quarantine = Quarantine.from_counts({"duplicate": 1200, "missing event": 1}, log.quarantine.rows)
    assert quarantine.counts["rows"].to_list() == [0, 0, 1, 1200, 0]
    assert repr(quarantine) == "Quarantine: 1,201 refused (1 missing event, 1,200 duplicate)"


def test_a_window_ends_after_it_starts():
    assert message(lambda: Window.from_times("2024-06-30", "2024-06-01")) == (
        "The window ends 2024-06-01, before it starts, 2024-06-30. Swap the two, or move the end."
    )
    assert message(lambda: Window.from_times("2024-06-30", "2024-06-30")) == (
        "The window starts and ends 2024-06-30, so it is empty. Move the end."
    )


def test_a_window_is_read_from_texts_dates_and_times_in_their_zone():
    window = Window.from_times("2024-01-01", date(2024, 7, 1), timezone="Europe/Berlin")
    assert (window.start, window.end) == (utc("2023-12-31T23:00"), utc("2024-06-30T22:00"))
    assert str(window) == "2023-12-31 23:00 to 2024-06-30 22:00"
    assert Window.from_times("2024-01-01T00:00+02:00", datetime(2024, 1, 2)).days == 26 / 24
    assert Window.from_times("2024-01-01", "2024-01-31").days == 30


def test_a_time_that_the_clock_skips_moves_on_and_one_that_it_shows_twice_is_the_later():
    assert as_utc("2024-03-31 02:30", timezone="Europe/Berlin") == utc("2024-03-31T01:30")
    assert as_utc("2024-10-27 02:30", timezone="Europe/Berlin") == utc("2024-10-27T01:30")


@pytest.mark.parametrize("nonsense", ["soon", "", None, 20240101])
def test_what_is_no_time_is_refused(nonsense):
    assert message(lambda: as_utc(nonsense)) == (
        f"“{nonsense}” is not a time. Write one such as “2025-01-31” or “2025-01-31T12:00+01:00”."
    )


def test_a_zone_that_does_not_exist_is_refused():
    assert check_timezone("Europe/Berlin") == "Europe/Berlin"
    assert check_timezone(None) is None
    assert message(lambda: check_timezone("Europe/Berln")) == (
        "“Europe/Berln” is not a time zone. Did you mean “Europe/Berlin”?"
    )
    assert message(lambda: check_timezone("+02:00")) == (
        "“+02:00” is not a time zone. Write a name such as “Europe/Berlin” or “UTC”."
    )


def test_times_and_counts_are_written_as_people_do():
    assert [written(utc(text)) for text in ("2024-01-01", "2024-01-01T10:00", "2024-01-01T10:00:05")] == [
        "2024-01-01",
        "2024-01-01 10:00",
        "2024-01-01 10:00:05",
    ]
    assert (counted(1, "row"), counted(2000, "row")) == ("1 row", "2,000 rows")
