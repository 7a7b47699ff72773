"""Reading: formats that are said once are read right; what could mean two things is refused in plain words."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from journeylab.base.errors import LogError
from journeylab.events.log import EventLog
from journeylab.events.queries.crm_records import read_crm
from journeylab.events.reading import Source, read_events

YEAR = ("2025-01-01", "2026-01-01")


def write(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path


def read(source, **how) -> EventLog:
    log = read_events(source, **({"window": YEAR, "timezone": "UTC"} | how))
    assert log.rows_read == len(log) + len(log.quarantine)
    return log


def column(log: EventLog, name: str) -> list:
    return log.events.order_by("seq").to_pyarrow()[name].to_pylist()


def times(texts: list[str], **how) -> list[str | None]:
    """`texts` as they were read, in UTC to the second; None for one that was refused."""
    rows = pd.DataFrame({"customer_id": [str(n) for n in range(len(texts))], "event": "x", "time": texts})
    log = read(rows, window=("1900-01-01", "2100-01-01"), **how)
    found = dict(zip(column(log, "customer_id"), column(log, "time"), strict=True))
    return [f"{found[n]:%Y-%m-%d %H:%M:%S}" if n in found else None for n in rows["customer_id"]]


def refusal(source, **how) -> str:
    with pytest.raises(LogError) as caught:
        read(source, **how)
    return str(caught.value)


# Times


@pytest.mark.parametrize(
    ("texts", "how"),
    [
        (["31.01.2025 20:56:54"], {"day_first": True}),
        (["31/01/2025 20:56:54", "31-1-2025, 20:56:54"], {"day_first": True}),
        (["31/01/2025 8:56:54 pm", "31.01.2025 08:56:54 P.M."], {"day_first": True}),
        (["01/31/2025 08:56:54 PM", "1/31/2025 20:56:54"], {"day_first": False}),
        (["31.01.2025 21:56:54+01:00", "2025-01-31T20:56:54Z"], {"day_first": True}),
        (["31.01.2025 20:56:54"], {"time_format": "%d.%m.%Y %H:%M:%S"}),
        (["20250131205654"], {"time_format": "%Y%m%d%H%M%S"}),
        (["31 Jan 2025 8:56:54 PM"], {"time_format": "%d %b %Y %I:%M:%S %p"}),
        (["31.01.2025 21:56:54 +0100", "31-01-2025 20:56:54"],
         {"time_format": ["%d.%m.%Y %H:%M:%S %z", "%d-%m-%Y %H:%M:%S"]}),
    ],
)  # fmt: skip
def test_times_are_read_as_they_are_said_to_be_written(texts, how):
    assert times(texts, **how) == ["2025-01-31 20:56:54"] * len(texts)


def test_a_format_is_for_the_clock_that_wrote_the_times():
    assert times(["01.07.2025 10:00"], day_first=True, timezone="Europe/Berlin") == ["2025-07-01 08:00:00"]
    assert times(["01.07.2025 10:00"], time_format="%d.%m.%Y %H:%M", timezone="Europe/Berlin") == [
        "2025-07-01 08:00:00"
    ]


def test_what_is_not_written_so_is_refused_and_not_guessed():
    assert times(["01/31/2025 10:00", "31.01.2025 10:00", "31.01.25"], day_first=True) == [
        None,
        "2025-01-31 10:00:00",
        None,
    ]
    assert times(["2025-01-31", "31.01.2025"], time_format="%d.%m.%Y") == [None, "2025-01-31 00:00:00"]


def test_days_written_as_one_number_are_read_where_it_is_said(tmp_path):
    lines = ("customer_id,time,event", "ann,20250131,start")
    assert str(column(read(write(tmp_path / "a.csv", *lines), time_format="%Y%m%d"), "time")[0].date()) == "2025-01-31"
    table = pd.DataFrame({"customer_id": ["ann"], "time": [20250131], "event": ["start"]})
    assert str(column(read(table, time_format="%Y%m%d"), "time")[0].date()) == "2025-01-31"


@pytest.mark.parametrize(
    ("numbers", "how", "hint"),
    [
        (["20250131", "20250204"], {}, 'They look like days, as 2025-01-31: say time_format="%Y%m%d".'),
        (["1738357014138"], {}, 'They look like milliseconds since 1970: say time_unit="ms".'),
        (["1738357014"], {}, 'They look like seconds since 1970: say time_unit="s".'),
        (["1738357014138"], {"time_unit": "s"}, 'They look like milliseconds since 1970: say time_unit="ms".'),
        (
            ["45688.872"],
            {},
            "They look like Excel’s days since 1900. Format the column as a date, and export it again.",
        ),
    ],
)
def test_numbers_are_named_for_what_they_look_like(numbers, how, hint):
    rows = pd.DataFrame({"customer_id": "ann", "time": numbers, "event": "start"})
    assert hint in refusal(rows, **how)


def test_only_clear_zones_are_read():
    clear = ["2025-07-01 10:00:00 UTC", "2025-07-01 10:00 GMT", "2025-07-01T10:00Z", "2025-07-01 12:00+02"]
    assert times(clear) == ["2025-07-01 10:00:00"] * 4
    unclear = ["epoch", "infinity", "2025-07-01 10:00:00+99:00", "2025-07-01 10:00:00-15:30", "2025-07-01T10:00Z"]
    assert times(unclear) == [None] * 4 + ["2025-07-01 10:00:00"]


@pytest.mark.parametrize("letters", ["CEST", "BST", "IST", "EST"])
def test_zone_letters_are_refused_until_their_offset_is_said(letters):
    rows = pd.DataFrame({"customer_id": "ann", "time": [f"2025-07-01 12:00:00 {letters}"], "event": "x"})
    assert refusal(rows) == (
        f"Column “time” of the DataFrame holds 1 time with the zone letters {letters}, for example "
        f"“2025-07-01 12:00:00 {letters}”. Such letters mean several zones. "
        f'Say the offset of each, perhaps zones={{"{letters}": "+01:00"}}.'
    )
    assert times([f"2025-07-01 12:00:00 {letters}"], zones={letters: "+02:00"}) == ["2025-07-01 10:00:00"]


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ({"time_format": "dd.mm.yyyy"}, "“time_format” must be written with % signs, found “dd.mm.yyyy”. "
         "Write it like “%d.%m.%Y %H:%M” for 31.01.2025 20:56."),
        ({"time_format": "%H:%M"}, "“time_format” must have year, month and day, found “%H:%M”. "
         "Write it like “%d.%m.%Y” or “%Y-%m-%d %H:%M:%S”."),
        ({"day_frist": True}, "Unknown key “day_frist” of how events are written. Did you mean “day_first”?"),
        ({"encoding": "utf-9"}, "“encoding” must be the name of an encoding, found “utf-9”. "
         "Write utf-8, utf-16 or cp1252."),
        ({"decimal": ",", "thousands": ","}, "“thousands” must differ from “decimal”, found “,” for both. "
         "Correct one of them."),
        ({"zones": {"CET": "1h"}}, "“zones” must give offsets, found “CET: 1h”. Write {CET: “+01:00”}."),
    ],
)  # fmt: skip
def test_a_format_that_cannot_be_is_refused(how, text):
    rows = pd.DataFrame({"customer_id": ["ann"], "time": ["2025-01-01"], "event": ["x"]})
    assert text in refusal(rows, **how)


# Numbers


def test_decimal_and_thousands_marks_are_read_as_said(tmp_path):
    path = write(
        tmp_path / "a.csv", "customer_id;time;event;value;score;amount", "ann;2025-01-31;x;1.250,50;7,5;2.000,5"
    )
    log = read(path, decimal=",", thousands=".")
    assert (column(log, "value"), column(log, "score"), column(log, "amount")) == ([1250.5], [7.5], [2000.5])
    rows = pd.DataFrame({"customer_id": ["ann"], "time": ["2025-01-31"], "event": ["x"], "value": ["1 250,50"]})
    assert column(read(rows, decimal=",", thousands=" "), "value") == [1250.5]
    assert column(read(rows.assign(value="-1'250.5"), thousands="'"), "value") == [-1250.5]
    assert column(read(rows.assign(value="1.250,5"), thousands="."), "value") == [1250.5]


def test_a_number_that_is_not_written_as_said_is_refused_and_not_made_smaller():
    rows = pd.DataFrame({"customer_id": ["ann"], "time": ["2025-01-31"], "event": ["x"], "value": ["1.250"]})
    assert "does not hold a number in 1 row, for example “1.250”" in refusal(rows, decimal=",")
    assert "does not hold a number in 1 row, for example “12.5”" in refusal(
        rows.assign(value="12.5"), decimal=",", thousands="."
    )


def test_the_error_for_a_decimal_comma_says_what_to_write():
    rows = pd.DataFrame({"customer_id": ["ann"], "time": ["2025-01-31"], "event": ["x"], "value": ["1.250,50"]})
    assert 'If these are numbers, say decimal="," and thousands=".".' in refusal(rows)
    assert 'If these are numbers, say decimal=",".' in refusal(rows.assign(value="12,50"))
    assert 'If these are numbers, say thousands="," or decimal=",".' in refusal(rows.assign(value="1,250"))


def test_a_point_that_may_part_thousands_is_asked_about_where_semicolons_part_cells(tmp_path):
    lines = ["customer_id;time;event;value", "ann;2025-01-31;x;1.250", "ann;2025-02-01;x;"]
    path = write(tmp_path / "a.csv", *lines)
    assert refusal(path) == (
        f"Column “value” of “{path}” holds numbers such as “1.250” (1 row), and its cells are parted by semicolons: "
        'is that 1250 or 1.25? Say decimal="," and thousands=".", or decimal=".".'
    )
    assert column(read(path, decimal=".", duplicates="keep"), "value")[0] == 1.25
    assert column(read(path, decimal=",", thousands="."), "value")[0] == 1250
    assert column(read(write(path, *lines, "bob;2025-02-01;x;0.5")), "value") == [1.25, None, 0.5]


# Files


def test_the_separator_is_found_or_said(tmp_path):
    for separator in ",;\t|":
        lines = [separator.join(row) for row in (("customer_id", "time", "event"), ("ann", "2025-01-31", "a,b;c"))]
        if separator in ",;":
            lines[1] = separator.join(("ann", "2025-01-31", '"a,b;c"'))
        assert column(read(write(tmp_path / "a.csv", *lines)), "event") == ["a,b;c"]
    path = write(tmp_path / "a.csv", "customer_id^time^event", "ann^2025-01-31^x")
    assert column(read(path, separator="^"), "event") == ["x"]


def test_names_in_quotes_do_not_mislead_the_separator(tmp_path):
    path = write(tmp_path / "a.csv", '"customer_id";"time";"event";"a, b, c, d, e"', "ann;2025-01-31;x;1")
    assert column(read(path), "a, b, c, d, e") == [1]


def test_each_file_of_a_glob_is_read_by_its_own_separator_and_encoding(tmp_path):
    write(tmp_path / "1.csv", "customer_id;time;event", "ann;2025-01-31;x")
    write(tmp_path / "2.csv", "customer_id,time,event,page", "bob,2025-01-31,y,a")
    write(tmp_path / "3.csv", "time\tcustomer_id\tevent", "2025-01-31\tcy\tz", encoding="utf-16")
    log = read(tmp_path / "*.csv")
    assert (column(log, "customer_id"), column(log, "event")) == (["ann", "bob", "cy"], ["x", "y", "z"])
    assert column(log, "page") == [None, "a", None]


def test_signs_of_patterns_in_a_files_name_are_data(tmp_path):
    write(tmp_path / "a1.csv", "customer_id,time,event", "wrong,2025-01-31,x")
    for name in ("a[1].csv", "a*.csv", "a?.csv"):
        path = write(tmp_path / name, "customer_id,time,event", f"{name},2025-01-31,x")
        assert column(read(path), "customer_id") == [name]
        customers = {"path": write(tmp_path / f"c{name}", "customer_id,plan", f"{name},pro")}
        assert read(path, customers=customers).customers["plan"].to_list() == ["pro"]


def test_the_line_sep_of_excel_is_no_column(tmp_path):
    path = write(tmp_path / "a.csv", "sep=;", "customer_id;time;event", "ann;2025-01-31;x")
    assert column(read(path), "customer_id") == ["ann"]
    assert column(read(write(path, "sep=^", "customer_id^time^event", "ann^2025-01-31^x")), "event") == ["x"]


def test_titles_above_the_names_are_named_and_skipped(tmp_path):
    path = write(tmp_path / "a.csv", "Export;;", "Made 2026-02-01;;", "customer_id;time;event", "ann;2025-01-31;x")
    columns = {"customer_id": "customer_id", "time": "time", "event": "event"}
    assert refusal(path, columns=columns) == (
        f"The column names of “{path}” are not in line 1 but in line 3. Say skip_rows=2."
    )
    log = read(path, columns=columns, skip_rows=2)
    assert (column(log, "customer_id"), log.rows_read) == (["ann"], 1)


def test_blank_lines_above_the_names_are_no_rows_and_too_many_skipped_are_named(tmp_path):
    path = write(tmp_path / "a.csv", "", "", "customer_id,time,event", "ann,2025-01-31,x")
    assert read(path).rows_read == 1
    assert refusal(path, skip_rows=9) == f"“{path}” has no column names after 9 lines. Correct skip_rows."


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-32"])
def test_a_file_that_names_its_encoding_is_read(tmp_path, encoding):
    path = write(tmp_path / "a.csv", "customer_id,time,event", "Müller,2025-01-31,x", encoding=encoding)
    assert column(read(path), "customer_id") == ["Müller"]
    json = write(
        tmp_path / "a.jsonl", '{"customer_id": "Müller", "time": "2025-01-31", "event": "x"}', encoding=encoding
    )
    assert column(read(json), "customer_id") == ["Müller"]


def test_another_encoding_is_asked_for_and_read(tmp_path):
    path = write(tmp_path / "a.csv", "customer_id,time,event", "Müller €,2025-01-31,x", encoding="cp1252")
    assert "is not written in UTF-8, first in line 2." in refusal(path)
    assert column(read(path, encoding="cp1252"), "customer_id") == ["Müller €"]
    unmarked = write(tmp_path / "b.csv", "customer_id,time,event", "ann,2025-01-31,x", encoding="utf-16-le")
    assert 'Say encoding="utf-16-le".' in refusal(unmarked)
    assert column(read(unmarked, encoding="utf-16-le"), "customer_id") == ["ann"]


def test_a_byte_that_is_not_utf8_far_down_the_file_is_named_with_its_line(tmp_path):
    lines = ["customer_id,time,event", *["ann,2025-01-31,x"] * 9_000]
    path = write(tmp_path / "a.csv", *lines)
    path.write_bytes(path.read_bytes() + "Müller,2025-01-31,x\n".encode("latin-1"))
    assert f"“{path}” is not written in UTF-8, first in line 9002." in refusal(path)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"PK\x03\x04rest", "it is a zip archive or an Excel workbook. Unpack it, or let its name end in .xlsx."),
        (b"PAR1rest", "it is a Parquet file. Let its name end in .parquet."),
        (gzip.compress(b"customer_id", mtime=0), "it is compressed by gzip. Let its name end in .gz."),
        (b"\xd0\xcf\x11\xe0\xa1", "it is an old Excel workbook. Save it as .xlsx."),
        (b"<html><table>", "is a web page or XML, not a table of cells."),
        (b"customer_id,time\n\x00\x01,2\n" + b"x" * 99, "it holds bytes that no text has. Export it as CSV again."),
    ],
)
def test_a_file_that_is_no_text_is_named_as_what_it_is(tmp_path, content, text):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert text in refusal(path)


def test_all_damaged_lines_are_told_at_once(tmp_path):
    path = write(
        tmp_path / "a.csv", "customer_id,time,event", "ann,2025-01-31", "bob,2025-01-31,x", "cy,2025-01-31,x,y"
    )
    assert refusal(path) == (
        f"“{path}” cannot be read: line 2, Expected Number of Columns: 3 Found: 2; "
        "line 4, Expected Number of Columns: 3 Found: 4. Fix it, or leave it out."
    )


def test_all_troubles_of_columns_and_of_cells_are_told_at_once():
    rows = pd.DataFrame({"who": ["ann"], "when": ["2025-01-31"], "what": ["x"]})
    assert refusal(rows, columns={"customer_id": "whom", "time": "wen", "event": "wat"}).count("\n") == 2
    cells = pd.DataFrame(
        {"customer_id": ["ann", "bob"], "time": ["2025-01-31", "2025-07-01 10:00 CEST"], "event": "x"}
    ).assign(value=["high", "1"], initiator="compny")
    told = refusal(cells, timezone=None).splitlines()
    assert [line.split(" of the DataFrame ")[0] for line in told] == ["Column “time”"] * 2 + [
        "Column “value”",
        "Column “initiator”",
    ]


# One reader for events, customers and the CRM


def test_customers_are_read_as_events_are(tmp_path):
    events = pd.DataFrame({"customer_id": ["0123"], "time": ["2025-01-31"], "event": ["x"]})
    path = write(
        tmp_path / "c.csv", "Kunden;;", "id;Stadt;Umsatz;seit", "0123;Köln;1.250,5;2024-01-01", encoding="cp1252"
    )
    customers = {"path": path, "key": "id", "encoding": "cp1252", "skip_rows": 1, "decimal": ",", "thousands": "."}
    assert read(events, customers=customers).customers.loc["0123"].to_dict() == {
        "Stadt": "Köln",
        "Umsatz": 1250.5,
        "seit": "2024-01-01",
    }
    lines = write(tmp_path / "c.jsonl", '{"id": "0123", "traits": {"city": "Köln"}}')
    assert read(events, customers={"path": lines, "key": "id"}).customers["traits.city"].to_list() == ["Köln"]


def test_the_crm_is_read_as_events_are(tmp_path):
    path = write(tmp_path / "crm.csv", "sep=;", "customer_id;time;bucket", "ann;31.01.2025;Lead")
    window = read(path, day_first=True, columns={"event": "bucket"}).window
    records = read_crm(path, window=window, day_first=True, timezone="UTC")
    assert records.table["bucket"].to_list() == ["Lead"]
    wide = pd.DataFrame({"customer_id": ["ann"], "lead_at": ["2025-01-31"], "won_at": ["2025-02-01"]})
    records = read_crm(wide, window=window, unfold={"lead_at": "Lead", "won_at": "Won"}, timezone="UTC")
    assert records.table["bucket"].to_list() == ["Lead", "Won"]


def test_the_parts_of_a_log_may_be_written_differently():
    first = pd.DataFrame({"customer_id": ["ann"], "time": ["31.01.2025"], "event": ["x"]})
    second = first.assign(time="01/31/2025", event="y")
    log = read([Source(first, how={"day_first": True}), Source(second, how={"day_first": False})])
    assert len({*column(log, "time")}) == 1
