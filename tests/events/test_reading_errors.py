"""Reading: what cannot be a log is refused with what is wrong, what was found, and how to fix it."""

import ibis
import pandas as pd
import pytest

from journeylab.base.errors import LogError
from journeylab.events.reading import Source, read_events

NOON = "2024-01-01T12:00:00Z"
YEAR = ("2024-01-01", "2025-01-01")
ZONE = 'Name the zone of the clock that wrote them: timezone="Europe/Berlin", or timezone="UTC".'
UNIT = 'Say what they count since 1970: time_unit="s" (seconds), "ms" (milliseconds) or "us" (microseconds).'


def rows(**columns) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": ["ada", "bob"], "time": NOON, "event": ["looked", "bought"]} | columns)


def refusal(source, **arguments) -> str:
    with pytest.raises(LogError) as caught:
        read_events(source, **({"window": YEAR} | arguments))
    return str(caught.value)


def test_a_column_that_is_not_there_is_named_with_the_one_that_may_be_meant():
    renamed = rows().rename(columns={"time": "timestamp", "customer_id": "account"})
    assert refusal(renamed, columns={"customer_id": "acount"}) == (
        "The DataFrame has no column “acount”, which `columns` names for “customer_id”. Did you mean “account”?\n"
        'The DataFrame has no column “time”. Did you mean “timestamp”? Say which column it is: columns={"time": "…"}.'
    )
    assert refusal(renamed, columns={"customer_id": "account"}) == (
        'The DataFrame has no column “time”. Did you mean “timestamp”? Say which column it is: columns={"time": "…"}.'
    )
    assert refusal(rows().drop(columns="time")) == (
        'The DataFrame has no column “time”. It has customer_id, event. Say which column it is: columns={"time": "…"}.'
    )


def test_a_mapping_that_cannot_be_meant_is_refused():
    assert refusal(rows(), columns={"chanel": "event"}) == (
        "`columns` names “chanel”, which is not a column of a log. Did you mean “channel”? "
        "To rename a column of your own, choose a name that is less similar."
    )
    assert refusal(rows(), columns=["event"]) == (
        "`columns` is of type list, not a mapping. "
        'Write {"customer_id": "…", "time": "…", "event": "…"} with the names of the source.'
    )
    assert refusal(rows(), columns={"event": ["event", "time"]}) == (
        "`columns` maps “event” to “['event', 'time']”. Name one column of the source, "
        'or for a text {"constant": "…"}.'
    )
    assert refusal(rows(), columns={"time": {"constant": NOON}}) == (
        "`columns` maps “time” to “{'constant': '2024-01-01T12:00:00Z'}”. Name one column of the source, "
        'or for a text {"constant": "…"}.'
    )
    assert refusal(rows(), columns={"initiator": {"constant": "compny"}}) == (
        "`columns` maps “initiator” to “{'constant': 'compny'}”, which is no initiator. Did you mean “company”?"
    )


def test_columns_that_differ_in_case_alone_are_refused():
    expected = "has two columns of the same name, “event” and “Event” (upper and lower case count as one). Rename one."
    assert refusal(rows(Event="x")) == f"The DataFrame {expected}"
    assert (
        refusal(ibis.memtable(rows()).to_pyarrow().append_column("Event", [["x", "x"]]))
        == f"The Arrow table {expected}"
    )


def test_times_without_a_zone_are_refused():
    assert refusal(rows(time=[NOON, "2024-01-01 10:00"])) == (
        f"Column “time” of the DataFrame holds 1 time without a zone, for example “2024-01-01 10:00”. {ZONE}"
    )
    assert refusal(rows(time=["2024-01-02", "2024-01-01"])) == (
        f"Column “time” of the DataFrame holds 2 times without a zone, for example “2024-01-01”. {ZONE}"
    )
    assert refusal(rows(time=pd.Timestamp("2024-01-01"))) == (
        f"Column “time” of the DataFrame holds times without a zone. {ZONE}"
    )
    dates = ibis.memtable(rows(time="2024-01-01")).mutate(time=ibis._.time.cast("date"))
    assert refusal(dates) == f"Column “time” of the database table holds dates without a zone. {ZONE}"


def test_a_time_without_a_zone_among_others_in_an_object_column_is_refused():
    mixed = [pd.Timestamp("2024-01-01T10:00Z"), pd.Timestamp("2024-01-01T11:00")]
    assert refusal(rows(time=mixed)) == (
        f"Column “time” of the DataFrame holds 1 time without a zone, for example “2024-01-01 11:00:00”. {ZONE}"
    )


def test_numbers_without_a_unit_are_refused(tmp_path):
    assert refusal(rows(time=1704)) == f"Column “time” of the DataFrame holds numbers, such as 1704. {UNIT}"
    assert refusal(rows(time="1704103200")) == (
        "Column “time” of the DataFrame holds numbers, such as 1704103200. "
        'They look like seconds since 1970: say time_unit="s".'
    )
    path = tmp_path / "log.csv"
    rows(time=17.5).to_csv(path, index=False)
    assert refusal(path) == f"Column “time” of “{path}” holds numbers, such as 17.5. {UNIT}"


def test_a_unit_is_for_numbers_alone():
    assert refusal(rows(time=pd.Timestamp(NOON)), time_unit="s") == (
        "Column “time” of the DataFrame holds times, not numbers, so time_unit=“s” does not apply. Leave it out."
    )
    assert refusal(rows(), time_unit="sec") == "“sec” is not a time_unit. Known: s, ms, us."


def test_what_is_no_time_at_all_is_refused():
    assert refusal(rows(time=[True, False])) == (
        "Column “time” of the DataFrame holds boolean, not times. Map another column to “time”."
    )


def test_an_unknown_zone_or_treatment_of_duplicates_is_refused():
    assert (
        refusal(rows(), timezone="Europe/Berln") == "“Europe/Berln” is not a time zone. Did you mean “Europe/Berlin”?"
    )
    assert refusal([Source(rows(), timezone="Mars")]) == (
        "“Mars” is not a time zone. Write a name such as “Europe/Berlin” or “UTC”."
    )
    assert refusal(rows(), duplicates="keeep") == "`duplicates` is “keeep”. Did you mean “keep”?"


def test_a_window_that_is_none_is_refused():
    assert refusal(rows(), window="2024") == (
        "“2024” is not a window. Write two times, (start, end), such as (“2025-01-01”, “2026-07-01”)."
    )
    assert refusal(rows(), window=("soon", "2025-01-01")) == (
        "“soon” is not a time. Write one such as “2025-01-31” or “2025-01-31T12:00+01:00”."
    )
    assert refusal(rows(), window=("2025-01-01", "2024-01-01")) == (
        "The window ends 2024-01-01, before it starts, 2025-01-01. Swap the two, or move the end."
    )


def test_an_empty_log_is_refused(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("")
    assert refusal(path) == f"“{path}” is empty: it has no rows. Check how it was made."
    path.write_text("customer_id,time,event\n")
    assert refusal(path) == f"“{path}” is empty: it has no rows. Check how it was made."
    assert refusal(rows().iloc[:0]) == "The DataFrame is empty: it has no rows. Check how it was made."
    nothing = ibis.memtable(rows()).filter(ibis._.event == "never")
    assert refusal(nothing) == "The database table is empty: it has no rows. Check how it was made."


def test_a_log_without_a_usable_row_is_refused_with_the_counts_by_reason():
    assert refusal(rows(customer_id=[None, "bob"], event=["looked", ""])) == (
        "The DataFrame has no usable row: 2 rows read, 1 missing customer, 1 missing event. "
        "Check `columns`, and the rows themselves."
    )
    assert refusal(rows(time=["1/12/2010 8:26", None])) == (
        "The DataFrame has no usable row: 2 rows read, 2 unreadable time. "
        "Write times such as “1/12/2010 8:26” in ISO 8601, “2025-01-31T12:00:00+01:00”, or say how they are written: "
        'day_first=True for 31.01.2025, day_first=False for 01/31/2025, or time_format="%d.%m.%Y %H:%M". '
        "Check `columns`, and the rows themselves."
    )


@pytest.mark.parametrize("window", [("2025-01-01", "2026-01-01"), ("2023-01-01", "2024-01-01")])
def test_a_window_without_an_event_is_refused_with_when_the_events_are(window):
    assert refusal(rows(time=[NOON, "2024-01-02T12:00:00Z"]), window=window) == (
        f"No event is in the window, {window[0]} to {window[1]}: the events run from 2024-01-01 12:00 to "
        "2024-01-02 12:00. Move the window to where the events are."
    )


def test_values_that_are_no_numbers_are_refused():
    assert refusal(rows(value=["1", "high"])) == (
        "Column “value” of the DataFrame does not hold a number in 1 row, for example “high”. "
        'Correct them, or keep the column under another name: columns={"own_value": "value"}.'
    )
    assert refusal(rows(number=["b", "a"]), columns={"seq": "number"}) == (
        "Column “number” of the DataFrame does not hold a number in 2 rows, for example “a”. "
        'Correct them, or keep the column under another name: columns={"own_seq": "number"}.'
    )


def test_the_fix_for_values_that_are_no_numbers_works():
    log = read_events(rows(value=["1", "high"]), columns={"own_value": "value"}, window=YEAR)
    assert log.events.columns == ("customer_id", "time", "event", "seq", "own_value")


def test_unknown_initiators_are_refused():
    assert refusal(rows(initiator=["Compny", "customer"])) == (
        "Column “initiator” of the DataFrame does not hold an initiator in 1 row, for example “compny”. "
        "Did you mean “company”? "
        'Correct them, or keep the column under another name: columns={"own_initiator": "initiator"}.'
    )


def test_what_is_no_source_is_refused():
    assert refusal(5) == (
        "A log cannot be read from int. "
        "Pass a path, a glob, a DataFrame, an Arrow table, an Ibis table, or a list of these."
    )
    assert refusal([]) == "The list of sources is empty. Name at least one."


def test_a_path_without_a_file_is_refused(tmp_path):
    rows().to_csv(tmp_path / "events.csv", index=False)
    assert refusal(tmp_path / "evnts.csv") == (
        f"There is no file “{tmp_path / 'evnts.csv'}”. Did you mean “events.csv”?"
    )
    assert refusal(tmp_path / "x.parquet") == f"There is no file “{tmp_path / 'x.parquet'}”. Check the path."
    assert refusal(tmp_path / "raw" / "events.csv") == (
        f"There is no file “{tmp_path / 'raw' / 'events.csv'}”: the folder “{tmp_path / 'raw'}” does not exist. "
        "Check the path."
    )
    assert refusal(tmp_path / "*.parquet") == (
        f"“{tmp_path / '*.parquet'}” matches no file. Check the folder and the pattern."
    )
    assert refusal(tmp_path) == (
        f"“{tmp_path}” is a folder. Name its files with a glob such as “{tmp_path / '*.parquet'}”."
    )


def test_files_that_are_not_read_are_refused(tmp_path):
    path = tmp_path / "log.xls"
    path.write_text("x")
    assert refusal(path) == (
        f"“{path}” ends in “.xls”, which Journeylab cannot read. "
        "It reads .csv, .tsv, .txt, .json and .jsonl, each also with .gz, .parquet, and .xlsx."
    )
    rows().to_csv(tmp_path / "a.csv", index=False)
    rows().to_parquet(tmp_path / "a.parquet")
    assert refusal(tmp_path / "a.*") == (
        f"“{tmp_path / 'a.*'}” matches files of several kinds: csv, parquet. Name each kind by itself."
    )


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["ada,noon,x", "bob,noon", "cy,noon,x"], "line 3, Expected Number of Columns: 3 Found: 2"),
        (["ada,noon,x", "cy,noon,x,y"], "line 3, Expected Number of Columns: 3 Found: 4"),
        (["ada,noon,x", 'bob,"noon'], "line 3, Value with unterminated quote found"),
    ],
)
def test_a_damaged_line_is_named_and_not_passed_over(tmp_path, lines, found):
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["customer_id,time,event", *lines]) + "\n")
    assert refusal(path) == f"“{path}” cannot be read: {found}. Fix it, or leave it out."


def test_damaged_files_are_refused(tmp_path):
    latin = tmp_path / "log.csv"
    latin.write_bytes("customer_id,time,event\nMüller,2024-01-01T10:00:00Z,x\n".encode("latin-1"))
    assert refusal(latin) == (
        f"“{latin}” is not written in UTF-8, first in line 2. Files of Excel on Windows often have the encoding "
        'cp1252: say encoding="cp1252" and look at the names it gives, or save the file as “CSV UTF-8”.'
    )
    parquet = tmp_path / "log.parquet"
    parquet.write_text("x")
    assert refusal(parquet) == (
        f"“{parquet}” cannot be read: File '{parquet}' too small to be a Parquet file. Fix it, or leave it out."
    )


@pytest.mark.slow
def test_a_customers_table_that_cannot_be_used_is_refused():
    assert refusal(rows(), customers=pd.DataFrame({"id": ["ada"]})) == (
        'The customers’ table has no column “customer_id”. Known: id. Name it: customers={"path": "…", "key": "…"}.'
    )
    assert refusal(rows(), customers=pd.DataFrame({"customer_id": ["ada", "bob", "bob"]})) == (
        "The customers’ table has 1 customer in more than one row, for example “bob”. "
        "Keep one row of each customer, as known at the start."
    )
    assert refusal(rows(), customers=pd.DataFrame({"customer_id": ["ada", None, " "]})) == (
        "Column “customer_id” of the customers’ table is empty in 2 rows. Fill it in, or remove the rows without an id."
    )
    assert refusal(rows(), customers=pd.DataFrame({"customer_id": [1, 2]})) == (
        "None of the log’s customers (2) is in the customers’ table: the log has “ada”, the table “1”. "
        "Name the column that holds the log’s ids as key."
    )
    assert refusal(rows(), customers=pd.DataFrame({"customer_id": []})) == (
        "The customers’ table is empty: it has no rows. Leave it out, or check how it was made."
    )


def test_an_attribute_that_the_customers_table_lacks_is_refused(tmp_path):
    (tmp_path / "people.csv").write_text("customer_id,region,result\nada,north,lost\n")
    customers = {"path": tmp_path / "people.csv", "attributes": ["regions"]}
    assert refusal(rows(), customers=customers) == (
        "The customers’ table has no attribute “regions”. Did you mean “region”? Correct the list of attributes."
    )


def test_customers_that_are_no_table_are_refused(tmp_path):
    assert refusal(rows(), customers=5) == (
        "Customers cannot be read from int. "
        'Pass a path, a DataFrame, an Arrow or Ibis table, or {"path": "…", "key": "…"}.'
    )
    assert refusal(rows(), customers={"file": "x.csv"}) == (
        '`customers` has the keys file. Write {"path": "…", "key": "…"}, '
        "or leave the key out where it is “customer_id”."
    )
    assert refusal(rows(), customers=tmp_path / "x.csv") == (
        f"There is no file “{tmp_path / 'x.csv'}”. Check the path."
    )
    wrong = tmp_path / "x.ods"
    wrong.write_text("x")
    assert refusal(rows(), customers=wrong).startswith(f"“{wrong}” ends in “.ods”, which Journeylab cannot read.")
