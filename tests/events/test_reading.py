"""Reading: every row is an event at a time, or has a reason why not."""

import datetime

import ibis
import numpy as np
import pandas as pd
import pytest

from journeylab.events.log import EventLog, Window
from journeylab.events.reading import read_events

NOON = "2024-01-01T12:00:00Z"
YEAR = ("2024-01-01", "2025-01-01")


def rows(**columns) -> pd.DataFrame:
    """Two usable rows, with `columns` in place of or beside theirs."""
    return pd.DataFrame({"customer_id": ["ada", "bob"], "time": NOON, "event": ["looked", "bought"]} | columns)


def read(source, **arguments) -> EventLog:
    return read_events(source, **({"window": YEAR} | arguments))


def column(log: EventLog, name: str) -> list:
    return log.events.order_by("seq").to_pyarrow()[name].to_pylist()


def times(values: list, **arguments) -> list[str | None]:
    """`values` as they were read: UTC, to the second, or None for a row that was refused."""
    numbered = pd.DataFrame({"customer_id": [str(n) for n in range(len(values))], "event": "x", "time": values})
    log = read(numbered, window=("1900-01-01", "2100-01-01"), **arguments)
    found = dict(zip(column(log, "customer_id"), column(log, "time"), strict=True))
    return [f"{found[n]:%Y-%m-%d %H:%M:%S}" if n in found else None for n in numbered["customer_id"]]


def reasons(log: EventLog) -> dict[str, int]:
    counts = log.quarantine.counts
    assert log.rows_read == len(log) + len(log.quarantine)
    return dict(counts[counts["rows"] > 0].itertuples(index=False))


# The rows


def test_a_log_has_the_columns_and_types_that_it_promises():
    log = read(rows(value=[1, 2], page=["a", "b"]))
    assert dict(log.events.schema().items()) == {
        "customer_id": ibis.dtype("string"),
        "time": ibis.dtype("timestamp('UTC', 6)"),
        "event": ibis.dtype("string"),
        "seq": ibis.dtype("int64"),
        "value": ibis.dtype("float64"),
        "page": ibis.dtype("string"),
    }
    assert log.window == Window.from_times(*YEAR)


def test_each_row_that_cannot_be_used_is_refused_for_the_first_reason_that_applies():
    source = pd.DataFrame(
        [
            ("ada", NOON, "looked"),
            (None, "soon", None),
            ("  ", NOON, "looked"),
            ("ada", "soon", ""),
            ("ada", None, "looked"),
            ("ada", NOON, "\t"),
            ("ada", NOON, "looked"),
            ("ada", "2025-01-01T00:00:00Z", "looked"),
            ("ada", "2025-01-01T00:00:00Z", "looked"),
            ("ada", "2024-12-31T23:59:59.999999Z", "looked"),
        ],
        columns=["customer_id", "time", "event"],
    )
    log = read(source)
    assert log.quarantine.rows.to_pyarrow()["reason"].to_pylist() == [
        "missing customer",
        "missing customer",
        "unreadable time",
        "unreadable time",
        "missing event",
        "duplicate",
        "after the window",
        "duplicate",
    ]
    assert (log.rows_read, len(log), column(log, "seq")) == (10, 2, [0, 9])


def test_refused_rows_are_shown_as_they_were_read():
    log = read(
        rows(time=[NOON, "1/12/2010 8:26"], reason=["price", "other"]).rename(columns={"time": "Stamp"}),
        columns={"time": "Stamp"},
    )
    assert log.quarantine.rows.to_pyarrow().to_pylist() == [
        {
            "customer_id": "bob",
            "Stamp": "1/12/2010 8:26",
            "event": "bought",
            "source_reason": "other",
            "reason": "unreadable time",
        }
    ]
    assert column(log, "reason") == ["price"]


def test_a_duplicate_equals_an_earlier_row_in_all_columns_and_a_null_equals_a_null():
    source = pd.DataFrame({"customer_id": ["ada"] * 4, "time": NOON, "event": "looked", "page": [None, "a", None, "b"]})
    log = read(source)
    assert reasons(log) == {"duplicate": 1}
    assert column(log, "seq") == [0, 1, 3]


def test_where_there_are_event_ids_they_alone_make_a_duplicate():
    source = pd.DataFrame(
        {"customer_id": list("aabbbc"), "time": NOON, "event": "x", "event_id": ["1", "2", "1", None, None, ""]}
    )
    log = read(source)
    assert reasons(log) == {"duplicate": 1}
    assert column(log, "seq") == [0, 1, 3, 4, 5]


def test_a_row_that_is_refused_anyway_makes_no_other_a_duplicate():
    log = read(rows(customer_id=[None, "ada"], event_id=["1", "1"]))
    assert reasons(log) == {"missing customer": 1}


def test_duplicates_may_be_kept():
    log = read(rows(customer_id=["ada", "ada"], event="looked"), duplicates="keep")
    assert (len(log), reasons(log)) == (2, {})


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        ([17850, 17851], ["17850", "17851"]),
        ([17850.0, 1.5], ["17850", "1.5"]),
        ([17850, "x"], ["17850", "x"]),
        (["007", " 7"], ["007", " 7"]),
        (pd.Categorical(["a", "b"]), ["a", "b"]),
    ],
)
def test_ids_become_text_and_whole_numbers_have_no_decimals(ids, found):
    assert column(read(rows(customer_id=ids)), "customer_id") == found


def test_a_number_that_is_missing_is_no_customer():
    log = read(rows(customer_id=[17850.0, np.nan]))
    assert (column(log, "customer_id"), reasons(log)) == (["17850"], {"missing customer": 1})


# Columns


def test_columns_map_the_logs_names_to_the_sources():
    source = pd.DataFrame({"account": ["ada"], "ts": [NOON], "action": ["looked"], "page": ["a"]})
    log = read(source, columns={"customer_id": "account", "event": "action", "time": "ts"})
    assert log.events.columns == ("customer_id", "time", "event", "seq", "page")


def test_a_text_may_be_the_same_in_all_rows():
    log = read(
        rows().drop(columns="event"), columns={"event": {"constant": "purchase"}, "channel": {"constant": "shop"}}
    )
    assert (column(log, "event"), column(log, "channel")) == (["purchase"] * 2, ["shop"] * 2)


def test_a_column_of_ones_own_may_be_renamed():
    log = read(rows(why=["price", None]), columns={"reason": "why"})
    assert (log.events.columns[4:], column(log, "reason")) == (("reason",), ["price", None])


def test_a_column_whose_name_is_taken_is_kept_beside_it():
    log = read(rows(action=["A", "B"]), columns={"event": "action"})
    assert (column(log, "event"), column(log, "source_event")) == (["A", "B"], ["looked", "bought"])


def test_the_order_within_one_time_comes_from_seq_or_else_from_the_source():
    assert column(read(rows(time=NOON)), "event") == ["looked", "bought"]
    assert column(read(rows(seq=[9, 3])), "event") == ["bought", "looked"]
    assert column(read(rows(number=["9", "3"]), columns={"seq": "number"}), "seq") == [3, 9]
    assert column(read(rows(seq=[9, None])), "seq") == [1, 9]


def test_numbers_are_read_from_text_and_initiators_in_lower_case():
    log = read(rows(value=["1.5", ""], score=[1, 2], initiator=["Company ", None]))
    assert (column(log, "value"), column(log, "score")) == ([1.5, None], [1.0, 2.0])
    assert column(log, "initiator") == ["company", None]


# Times


def test_texts_are_read_in_the_zone_that_each_carries():
    assert times(
        [
            "2024-01-01T10:00:00Z",
            "2024-01-01t10:00:00z",
            " 2024-01-01T10:00:00.123456789-05:00",
            "2024-01-01 10:00:00+0200",
            "2024-01-01T10:00+02:00",
            "2024-01-01 10:00Z",
            "2024-01-01 10:00:00 Europe/Paris",
            "infinity",
            "2024-02-30T10:00:00Z",
        ]
    ) == [
        "2024-01-01 10:00:00",
        "2024-01-01 10:00:00",
        "2024-01-01 15:00:00",
        "2024-01-01 08:00:00",
        "2024-01-01 08:00:00",
        "2024-01-01 10:00:00",
        "2024-01-01 09:00:00",
        None,
        None,
    ]


def test_a_zone_for_texts_without_one_leaves_the_others_alone():
    assert times(["2024-07-01", "2024-07-01 10:00", "2024-07-01T10:00:00Z"], timezone="Europe/Berlin") == [
        "2024-06-30 22:00:00",
        "2024-07-01 08:00:00",
        "2024-07-01 10:00:00",
    ]


def test_a_skipped_time_moves_on_and_a_repeated_one_is_the_later_as_in_the_window():
    assert times(["2024-03-31 02:30", "2024-10-27 02:30"], timezone="Europe/Berlin") == [
        "2024-03-31 01:30:00",
        "2024-10-27 01:30:00",
    ]


def test_dates_and_times_of_a_table_are_read_in_the_zone():
    clock = [pd.Timestamp("2024-07-01"), pd.Timestamp("2024-07-01 10:00")]
    assert times(clock, timezone="Europe/Berlin") == ["2024-06-30 22:00:00", "2024-07-01 08:00:00"]
    tokyo = [pd.Timestamp("2024-07-01 00:30", tz="Asia/Tokyo"), pd.NaT]
    assert times(tokyo) == ["2024-06-30 15:30:00", None]
    assert times([datetime.date(2024, 7, 1)], timezone="Europe/Berlin") == ["2024-07-01 00:00:00"]


def test_times_of_several_zones_in_one_column_are_told_apart():
    mixed = [pd.Timestamp("2024-07-01T10:00Z"), pd.Timestamp("2024-07-01T10:00+09:00")]
    assert times(mixed) == ["2024-07-01 10:00:00", "2024-07-01 01:00:00"]


@pytest.mark.parametrize(
    ("numbers", "unit"),
    [
        ([1704103200, 0], "s"),
        ([1704103200.25, 0.0], "s"),
        ([1704103200123, 0], "ms"),
        (["1704103200123456", "0"], "us"),
    ],
)
def test_numbers_count_from_1970_in_the_unit_that_is_declared(numbers, unit):
    assert times(numbers, time_unit=unit) == ["2024-01-01 10:00:00", "1970-01-01 00:00:00"]


def test_a_number_beyond_all_times_or_no_number_at_all_is_refused():
    assert times(["1704103200", "1704103200123", "noon"], time_unit="s") == ["2024-01-01 10:00:00", None, None]


def test_times_are_kept_to_the_microsecond():
    log = read(rows(time=["2024-01-01T10:00:00.123456Z", "2024-01-01T10:00:00.123457Z"]))
    assert [time.microsecond for time in column(log, "time")] == [123456, 123457]
