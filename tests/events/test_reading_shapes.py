"""Reading: wide, nested, stateful tables and workbooks become events, and every row of the log is counted."""

import datetime
import json

import pandas as pd
import pytest

from journeylab.base.errors import LogError
from journeylab.events.journey import read_journey
from journeylab.events.log import EventLog
from journeylab.events.reading import read_events
from journeylab.events.spells import find_spells

YEAR = ("2025-01-01", "2026-01-01")


def read(source, **how) -> EventLog:
    log = read_events(source, **({"window": YEAR, "timezone": "UTC"} | how))
    assert log.rows_read == len(log) + len(log.quarantine)
    return log


def events(log: EventLog, *more: str) -> list[tuple]:
    """Customer, day and event (and `more`) of each row, in the order that the log has."""
    rows = log.events.order_by("seq").to_pyarrow().to_pylist()
    return [(row["customer_id"], f"{row['time']:%m-%d}", row["event"], *(row[name] for name in more)) for row in rows]


def reasons(log: EventLog) -> dict[str, int]:
    counts = log.quarantine.counts
    return dict(counts[counts["rows"] > 0].itertuples(index=False))


def refusal(source, **how) -> str:
    with pytest.raises(LogError) as caught:
        read(source, **how)
    return str(caught.value)


# Dates in columns

BOOKINGS = pd.DataFrame(
    {
        "guest": ["ann", "bob", "", "cy"],
        "booked": ["2025-01-03", "2025-01-05", "2025-01-06", None],
        "arrived": ["2025-02-01", " ", "2025-02-02", None],
        "canceled": [None, "2025-01-09", None, ""],
        "rooms": [1, 2, 3, 4],
    }
)
UNFOLD = {"booked": "booking", "arrived": "arrival", "canceled": "cancellation"}


def test_each_filled_cell_of_a_date_column_is_an_event():
    log = read(BOOKINGS, columns={"customer_id": "guest"}, unfold=UNFOLD)
    assert events(log, "rooms") == [
        ("ann", "01-03", "booking", 1),
        ("ann", "02-01", "arrival", 1),
        ("bob", "01-05", "booking", 2),
        ("bob", "01-09", "cancellation", 2),
    ]
    assert log.events.columns == ("customer_id", "time", "event", "seq", "rooms")


def test_a_row_of_a_wide_table_is_a_filled_cell_and_none_is_lost():
    log = read(BOOKINGS, columns={"customer_id": "guest"}, unfold=UNFOLD)
    assert (log.rows_read, reasons(log)) == (7, {"missing customer": 2, "unreadable time": 1})


def test_wide_files_of_each_kind_give_the_same_log(tmp_path):
    expected = events(read(BOOKINGS, columns={"customer_id": "guest"}, unfold=UNFOLD))
    BOOKINGS.to_csv(tmp_path / "a.csv", index=False, sep=";")
    BOOKINGS.to_json(tmp_path / "a.json", orient="records")
    BOOKINGS.to_excel(tmp_path / "a.xlsx", index=False)
    typed = BOOKINGS.assign(**{name: pd.to_datetime(BOOKINGS[name].str.strip(), errors="coerce") for name in UNFOLD})
    typed.to_parquet(tmp_path / "a.parquet")
    typed.to_excel(tmp_path / "b.xlsx", index=False)
    for name in ("a.csv", "a.json", "a.xlsx", "a.parquet", "b.xlsx"):
        assert events(read(tmp_path / name, columns={"customer_id": "guest"}, unfold=UNFOLD)) == expected, name


def test_dates_in_columns_are_read_by_the_format_that_is_said(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id;Anmeldung;Kauf\n007;31.01.2025;1.2.2025 10:00\n")
    log = read(path, columns={"customer_id": "id"}, unfold={"Anmeldung": "in", "Kauf": "buy"}, day_first=True)
    assert events(log) == [("007", "01-31", "in"), ("007", "02-01", "buy")]
    days = pd.DataFrame({"customer_id": ["ann"], "a": [20250131], "b": [20250201]})
    assert events(read(days, unfold={"a": "x", "b": "y"}, time_format="%Y%m%d")) == [
        ("ann", "01-31", "x"),
        ("ann", "02-01", "y"),
    ]
    seconds = pd.DataFrame({"customer_id": ["ann"], "a": [1738357014], "b": [None]})
    assert events(read(seconds, unfold={"a": "x", "b": "y"}, time_unit="s")) == [("ann", "01-31", "x")]


def test_a_log_of_starts_and_ends_gives_two_events_or_the_chosen_one():
    work = pd.DataFrame({"case": ["1"], "task": ["check"], "start": ["2025-01-03 10:00"], "end": ["2025-01-04 10:00"]})
    both = {"start": "{event} started", "end": "{event}"}
    assert events(read(work, columns={"customer_id": "case", "event": "task"}, unfold=both)) == [
        ("1", "01-03", "check started"),
        ("1", "01-04", "check"),
    ]
    ends = read(work, columns={"customer_id": "case", "event": "task", "time": "end"})
    assert events(ends) == [("1", "01-04", "check")]


def test_columns_called_time_and_event_may_stand_beside_those_that_are_unfolded():
    table = pd.DataFrame({"customer_id": ["ann"], "time": ["x"], "event": ["y"], "a": ["2025-01-31"]})
    log = read(table, unfold={"a": "in"})
    assert events(log, "source_time", "source_event") == [("ann", "01-31", "in", "x", "y")]


@pytest.mark.parametrize(
    ("columns", "unfold", "text"),
    [
        ({"customer_id": "guest"}, {"boked": "booking"},
         "The DataFrame has no column “boked”, which “unfold” names. Did you mean “booked”?"),
        ({"customer_id": "guest", "time": "booked"}, UNFOLD,
         "“unfold” takes times from booked, arrived, canceled, so “time” cannot be named in `columns`."),
        ({"customer_id": "guest", "event": "rooms"}, UNFOLD,
         "“unfold” says how events are called, so “event” cannot be named in `columns`. To use the row’s own event, "
         "write it into the names: “{event} started”."),
        ({"customer_id": "guest"}, {"booked": "{event} booked"},
         "“unfold” uses “{event}”, and `columns` names no column for it. Name one for “event”."),
    ],
)  # fmt: skip
def test_an_unfolding_that_does_not_fit_is_refused(columns, unfold, text):
    assert refusal(BOOKINGS, columns=columns, unfold=unfold) == text


# States at a time


def test_of_snapshots_each_change_of_state_is_an_event():
    months = ["2025-01-01", "2025-02-01", "2025-03-01", "2025-04-01"]
    table = pd.DataFrame({"customer_id": ["ann"] * 4 + ["bob"] * 4, "time": months[::-1] + months}).assign(
        event=["pro", "pro", "free", "free", "free", None, "pro", "free"]
    )
    log = read(table, snapshots=True)
    assert events(log) == [
        ("ann", "01-01", "free"),
        ("ann", "03-01", "pro"),
        ("bob", "01-01", "free"),
        ("bob", "03-01", "pro"),
        ("bob", "04-01", "free"),
    ]
    assert reasons(log) == {"missing event": 1}


# Nested


def test_fields_of_nested_objects_are_columns_by_their_path(tmp_path):
    rows = [
        {
            "event": "signup",
            "properties": {"distinct_id": "C1", "time": 1738357014, "reason": None, "$set": {"plan": "a"}},
        },
        {
            "event": "cancelled",
            "properties": {"distinct_id": "C1", "time": 1738357999, "reason": "price", "at": "2025-01-01"},
        },
    ]
    columns = {"customer_id": "properties.distinct_id", "time": "properties.time", "event": "event"}
    layouts = {
        "lines.jsonl": "\n".join(map(json.dumps, rows)),
        "array.json": json.dumps(rows),
        "array.jsonl": json.dumps(rows),
        "pretty.json": json.dumps(rows, indent=2),
        "objects.json": "\n".join(json.dumps(row, indent=2) for row in rows),
    }
    for name, text in layouts.items():
        (tmp_path / name).write_text(text)
        log = read(tmp_path / name, columns=columns, time_unit="s")
        assert events(log, "properties.reason", "properties.$set.plan", "properties.at") == [
            ("C1", "01-31", "signup", None, "a", None),
            ("C1", "01-31", "cancelled", "price", None, "2025-01-01"),
        ], name
    assert events(read(pd.DataFrame(rows), columns=columns, time_unit="s")) == events(log)


def test_json_that_is_cut_off_empty_or_wrapped_is_named(tmp_path):
    row = '{"customer_id": "a", "time": "2025-01-02", "event": "x"}'
    path = tmp_path / "a.json"
    for text, told in (
        (f"[{row},\n", f"“{path}” is cut off: its list has no end. Export it again."),
        ("[ ]", f"“{path}” is empty: it has no rows. Check how it was made."),
        (f'{{"data": [{row}]}}', "Its rows seem to be in the list “data”. Export that list by itself."),
    ):
        path.write_text(text)
        assert refusal(path).splitlines()[-1] == told


def test_a_rule_may_ask_for_a_nested_field(tmp_path):
    rows = [
        {"id": "a", "ts": "2025-01-02", "event": "signup"},
        {"id": "a", "ts": "2025-01-12", "event": "cancelled", "properties": {"reason": "price"}},
    ]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    (tmp_path / "journey.yml").write_text(
        "journeylab: 1\nname: x\ngoal: y\nstages:\n  - {name: trial, opened_by: [{event: signup}]}\nloss_branches:\n"
        "  - {name: price, when: {event: cancelled, where: {properties.reason: price}}}\n"
    )
    spells = find_spells(
        read(tmp_path / "a.json", columns={"customer_id": "id", "time": "ts"}), read_journey(tmp_path / "journey.yml")
    )
    assert spells.to_pandas()[["outcome", "to"]].to_numpy().tolist() == [["lost", "price"]]


# Workbooks


def workbook(path, **sheets):
    with pd.ExcelWriter(path) as writer:
        for name, frame in sheets.items():
            frame.to_excel(writer, sheet_name=name, index=False, header=isinstance(frame, pd.DataFrame))
    return path


def test_a_sheet_of_a_workbook_is_read_with_its_types(tmp_path):
    rows = pd.DataFrame(
        {
            "customer_id": [17, "007"],
            "time": [datetime.datetime(2025, 1, 31, 20, 56), "2025-02-01 10:00"],
            "event": ["x", "y"],
            "value": [1.5, None],
        }
    )
    path = workbook(tmp_path / "a.xlsx", Data=rows, Empty=pd.DataFrame())
    log = read(path)
    assert events(log, "value") == [("17", "01-31", "x", 1.5), ("007", "02-01", "y", None)]
    customers = workbook(tmp_path / "c.xlsx", People=pd.DataFrame({"id": ["007", "17"], "plan": ["a", "b"]}))
    assert read(path, customers={"path": customers, "key": "id"}).customers["plan"].to_dict() == {"007": "a", "17": "b"}


def test_which_sheet_is_meant_is_asked_and_said(tmp_path):
    rows = pd.DataFrame({"customer_id": ["ann"], "time": ["2025-01-31"], "event": ["x"]})
    titled = pd.DataFrame([["Export", None, None], list(rows.columns), *rows.to_numpy().tolist()])
    with pd.ExcelWriter(tmp_path / "a.xlsx") as writer:
        rows.to_excel(writer, sheet_name="One", index=False)
        titled.to_excel(writer, sheet_name="Two", index=False, header=False)
    path = tmp_path / "a.xlsx"
    assert refusal(path) == f'“{path}” has 2 sheets with rows: “One” and “Two”. Name one: sheet="One".'
    assert refusal(path, sheet="On") == f"“{path}” has no sheet “On”. Did you mean “One”?"
    assert events(read(path, sheet="Two", skip_rows=1)) == [("ann", "01-31", "x")]


def test_a_workbook_that_cannot_be_used_is_refused(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_text("x")
    assert refusal(path).startswith(f"“{path}” is no Excel workbook that can be opened: ")
    pd.DataFrame().to_excel(path)
    assert refusal(path) == f"“{path}” is empty: it has no rows. Check how it was made."


def test_what_was_typed_in_a_rule_is_what_it_matches(tmp_path):
    rows = [("a", "007"), ("b", "7"), ("c", "no"), ("d", "1.10"), ("e", "1.1")]
    table = pd.DataFrame(
        [(who, f"2025-01-{day:02d}", event, code) for who, code in rows for day, event in ((1, "in"), (9, "out"))],
        columns=["customer_id", "time", "event", "code"],
    )
    (tmp_path / "journey.yml").write_text(
        "journeylab: 1\nname: x\ngoal: y\nstages:\n  - {name: trial, opened_by: [{event: in}]}\nloss_branches:\n"
        "  - {name: chosen, when: {event: out, where: {code: [007, no, 1.10]}}}\n"
    )
    spells = find_spells(read(table), read_journey(tmp_path / "journey.yml")).to_pandas()
    assert spells.set_index("customer_id")["outcome"].eq("lost").to_dict() == {
        "a": True,
        "b": False,
        "c": True,
        "d": True,
        "e": False,
    }


def test_bounds_may_be_written_in_any_way_that_is_a_number(tmp_path):
    (tmp_path / "journey.yml").write_text(
        "journeylab: 1\nname: x\ngoal: y\nstages:\n"
        "  - {name: trial, opened_by: [{event: in, where: {value: {above: 0.50, below: 1e3}}}]}\n"
    )
    wanted = read_journey(tmp_path / "journey.yml").stages[0].opened_by[0].where["value"]
    assert (wanted.above, wanted.below) == (0.5, 1000.0)
