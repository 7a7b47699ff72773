"""CRM records: moves between buckets, from a table, a file or a column of the events."""

import pandas as pd
import pytest
from spell_logs import at

from journeylab.base.errors import JourneyLabError, LogError
from journeylab.events.log import Window
from journeylab.events.queries.crm_records import CrmRecords, read_crm
from journeylab.events.reading import read_events

WINDOW = Window(at(0), at(100))


def table(*rows, columns=("customer_id", "time", "bucket")):
    return pd.DataFrame(rows, columns=list(columns))


def told(records):
    return [tuple(row) for row in records.table.assign(time=(records.table["time"] - at(0)).dt.days).to_numpy()]


def test_records_come_by_customer_and_time_and_repeat_no_bucket():
    records = CrmRecords.of(
        table(("b", at(3), "SQL"), ("a", at(5), "Won"), ("a", at(1), "SQL"), ("a", at(2), "SQL"), ("a", at(9), "SQL"))
    )
    assert told(records) == [("a", 1, "SQL"), ("a", 5, "Won"), ("a", 9, "SQL"), ("b", 3, "SQL")]


def test_of_two_records_at_one_time_the_later_row_holds():
    assert told(CrmRecords.of(table(("a", at(1), "SQL"), ("a", at(1), "Won")))) == [("a", 1, "Won")]


def test_a_blank_bucket_is_none_from_then_on():
    assert told(CrmRecords.of(table(("a", at(1), " SQL "), ("a", at(2), "  "), ("a", at(3), None)))) == [
        ("a", 1, "SQL"),
        ("a", 2, None),
    ]


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (
            table(("a", at(1), "SQL"), columns=("customer_id", "time", "buckets")),
            "“records” lacks the column “bucket”. Did you mean “buckets”?",
        ),
        (
            table(("a", "2025-01-02", "SQL")),
            "Column “time” in “records” holds object, not time. Convert it before passing the table on.",
        ),
        (
            table(("a", at(1), "SQL"), (None, at(2), "SQL")),
            "“customer_id” is missing in 1 of 2 records of the CRM, first in row 2. Fill it in, or remove these rows.",
        ),
    ],
)
def test_records_that_cannot_be_used_are_refused(rows, text):
    with pytest.raises(JourneyLabError) as error:
        CrmRecords.of(rows)
    assert str(error.value) == text


def test_the_events_may_carry_the_bucket():
    events = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b"],
            "time": [at(1), at(2), at(3), at(4)],
            "event": ["look", "moved", "look", "moved"],
            "crm_stage": [None, "SQL", "SQL", " "],
        }
    )
    log = read_events(events, window=WINDOW)
    assert told(CrmRecords.from_log(log, column="crm_stage")) == [("a", 2, "SQL")]
    with pytest.raises(LogError) as error:
        CrmRecords.from_log(log, column="crm_stages")
    assert str(error.value) == "The log has no column “crm_stages”. Did you mean “crm_stage”?"


def test_a_file_is_read_with_its_own_names_and_zone_and_what_cannot_be_used_is_counted(tmp_path):
    path = tmp_path / "crm.csv"
    path.write_text(
        "account,changed,stage\n7,2024-12-01 12:00,Lead\n7,2025-01-03 00:30,SQL\n,2025-01-03,SQL\n7,2025-06-01,Won\n"
    )
    names = {"customer_id": "account", "time": "changed", "bucket": "stage"}
    records = read_crm(path, columns=names, window=WINDOW, timezone="Europe/Berlin")
    assert told(records) == [("7", -31, "Lead"), ("7", 1, "SQL")]
    assert records.table["time"].iloc[1] == pd.Timestamp("2025-01-02 23:30", tz="UTC")
    assert records.sentence() == (
        "2 moves of 1 customer between 2 buckets of the CRM, from 2024-12-01 11:00 to 2025-01-02 23:30; 2 refused "
        "(1 missing customer, 1 after the window)."
    )
    assert repr(records) == f"CrmRecords: {records.sentence()}"
    assert "<td>Lead</td>" in records._repr_html_()


def test_a_table_without_a_column_of_buckets_is_refused():
    with pytest.raises(LogError) as error:
        read_crm(table(("a", at(1), "SQL"), columns=("customer_id", "time", "stage")), window=WINDOW)
    assert str(error.value) == (
        "The DataFrame has no column “bucket”, which `columns` names for “event”. Known: customer_id, time, stage."
    )


def test_no_records_say_so():
    assert CrmRecords.of(table().astype({"time": "datetime64[us, UTC]"})).sentence() == "No record of the CRM."
