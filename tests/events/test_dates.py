"""Logs of dates without times: recognised at the door, counted in calendar days, and silent about hours."""

import datetime

import pandas as pd
import pyarrow as pa
import pytest
from by_hand import JOURNEY

from journeylab.events.features import find_features
from journeylab.events.log import EventLog
from journeylab.events.reading import Source, read_events, read_log, write_log
from journeylab.events.spells import find_spells

LISBON = "Europe/Lisbon"
# Clocks in Lisbon go back on 26 October 2025.
BEFORE, AFTER = "2025-10-20", "2025-10-27"
WINDOW = ("2025-01-01", "2026-01-01")


def log_of(times: list, **arguments) -> EventLog:
    """The first of `times` starts the trial of a customer, the others are cancellations for the price."""
    table = pd.DataFrame({"customer_id": "a", "event": ["start", *["cancel"] * (len(times) - 1)], "time": times})
    return read_events(table.assign(reason="price"), **{"window": WINDOW, "timezone": LISBON} | arguments)


def days(log: EventLog) -> list[str]:
    return [f"{time:%Y-%m-%d %H:%M}" for time in sorted(log.events.time.to_pyarrow().to_pylist())]


IN_LISBON = [pd.Timestamp(day, tz=LISBON) for day in (BEFORE, AFTER)]
WAYS = {
    "texts": [BEFORE, AFTER],
    "dates": [datetime.date.fromisoformat(day) for day in (BEFORE, AFTER)],
    "midnights": [pd.Timestamp(day) for day in (BEFORE, AFTER)],
    "midnights in words": [f"{BEFORE} 00:00:00", f"{AFTER}T00:00"],
    "midnights of the zone, in UTC": [time.tz_convert("UTC") for time in IN_LISBON],
    "midnights of the zone, in words": [time.isoformat() for time in IN_LISBON],
    "midnights of UTC, in words": [f"{BEFORE}T00:00:00Z", f"{AFTER}T00:00:00.000Z"],
}


@pytest.mark.parametrize("times", WAYS.values(), ids=WAYS.keys())
def test_dates_are_midnights_in_utc_however_they_are_written(times):
    log = log_of(times)
    assert log.dates_only
    assert days(log) == [f"{BEFORE} 00:00", f"{AFTER} 00:00"]
    assert f"{log.window}" == "2025-01-01 to 2026-01-01"
    assert "The log has only dates" in repr(log)
    (spell,) = find_spells(log, JOURNEY).to_pandas().itertuples()
    assert (spell.days, spell.outcome, spell.to) == (7.0, "lost", "price")


def test_midnights_of_the_zone_that_a_table_names_are_dates():
    table = pd.DataFrame({"customer_id": "a", "event": "x", "time": pd.Series(IN_LISBON)})
    for source in (table, pa.Table.from_pandas(table)):
        log = read_events(source, window=WINDOW)
        assert log.dates_only
        assert days(log) == [f"{BEFORE} 00:00", f"{AFTER} 00:00"]


def test_numbers_and_files_hold_dates_too(tmp_path):
    seconds = [int(time.timestamp()) for time in IN_LISBON]
    assert days(log_of(seconds, time_unit="s")) == [f"{BEFORE} 00:00", f"{AFTER} 00:00"]
    rows = [f"{number},x,{day}" for number, day in enumerate((BEFORE, "", AFTER))]
    (tmp_path / "log.csv").write_text("\n".join(["customer_id,event,time", *rows]), encoding="utf-8")
    log = read_events(tmp_path / "log.csv", window=WINDOW, timezone=LISBON)
    assert log.dates_only
    assert dict(log.quarantine.counts.to_numpy())["unreadable time"] == 1


FORMATS = {
    "day first": (["20.10.2025", "27.10.2025"], {"day_first": True}),
    "month first, midnight in words": (["10/20/2025 12:00:00 AM", "10/27/2025 12:00 AM"], {"day_first": False}),
    "a format": (["20 Oct 2025", "27 Oct 2025"], {"time_format": "%d %b %Y"}),
    "a format of numbers": ([20251020, 20251027], {"time_format": "%Y%m%d"}),
    "several formats": (["2025.10.20", "27/10/2025 00:00"], {"time_format": ["%Y.%m.%d", "%d/%m/%Y %H:%M"]}),
    "a format with offsets": (
        ["20/10/2025 00:00 +0100", "27/10/2025 00:00 +0000"],
        {"time_format": "%d/%m/%Y %H:%M %z"},
    ),
    "foreign offsets": (["20/10/2025 00:00+02:00", "27/10/2025 00:00+01"], {"time_format": "%d/%m/%Y %H:%M%z"}),
    "zone letters": ([f"{BEFORE} 00:00 CEST", f"{AFTER} 00:00 CET"], {"zones": {"CEST": "+02:00", "CET": "+01:00"}}),
}


@pytest.mark.parametrize(("times", "how"), FORMATS.values(), ids=FORMATS.keys())
def test_dates_in_any_format_are_dates(times, how):
    log = log_of(times, **how)
    assert log.dates_only
    assert days(log) == [f"{BEFORE} 00:00", f"{AFTER} 00:00"]
    assert f"{log.window}" == "2025-01-01 to 2026-01-01"


def test_times_of_day_in_any_format_are_times():
    later = {
        "%d.%m.%Y %H:%M": ["20.10.2025 00:00", "27.10.2025 08:30"],
        "%d.%m.%Y %H:%M %z": ["20.10.2025 00:00 +0100", "27.10.2025 08:30 +0000"],
    }
    for written, times in later.items():
        log = log_of(times, time_format=written)
        assert not log.dates_only
        assert days(log) == ["2025-10-19 23:00", f"{AFTER} 08:30"]


IN_COLUMNS = {
    "texts": [BEFORE, AFTER],
    "day first": ["20.10.2025", "27.10.2025"],
    "dates": WAYS["dates"],
    "midnights": WAYS["midnights"],
    "midnights of the zone": IN_LISBON,
}


@pytest.mark.parametrize("times", IN_COLUMNS.values(), ids=IN_COLUMNS.keys())
def test_unfolded_columns_of_dates_are_dates(times):
    table = pd.DataFrame({"customer_id": ["a", "b"], "ordered": [times[0]] * 2, "shipped": [times[1], None]})
    how = {"unfold": {"ordered": "order", "shipped": "ship"}, "day_first": True}
    # The zone is the one that the table names, or the one that is given.
    zone = None if times is IN_LISBON else LISBON
    log = read_events(table, window=WINDOW, timezone=zone, **how)
    assert log.dates_only
    assert days(log) == [f"{BEFORE} 00:00"] * 2 + [f"{AFTER} 00:00"]
    assert log.quarantine.read.source.nunique().to_pyarrow().as_py() == 1


def test_unfolded_columns_of_dates_and_times_are_times():
    table = pd.DataFrame({"customer_id": ["a"], "ordered": [BEFORE], "shipped": [f"{AFTER} 08:30"]})
    log = read_events(table, window=WINDOW, timezone=LISBON, unfold={"ordered": "order", "shipped": "ship"})
    assert not log.dates_only
    assert days(log) == ["2025-10-19 23:00", f"{AFTER} 08:30"]


def test_snapshots_and_workbooks_hold_dates_too(tmp_path):
    table = pd.DataFrame(
        {"customer_id": "a", "event": ["trial", "trial", "paid"], "time": [BEFORE, "2025-10-23", AFTER]}
    )
    log = read_events(table, window=WINDOW, timezone=LISBON, snapshots=True)
    assert log.dates_only
    assert days(log) == [f"{BEFORE} 00:00", f"{AFTER} 00:00"]
    pytest.importorskip("openpyxl")
    table.assign(time=pd.to_datetime(table["time"])).to_excel(tmp_path / "orders.xlsx", index=False)
    assert read_events(tmp_path / "orders.xlsx", window=WINDOW, timezone=LISBON).dates_only
    timed = table.assign(time=f"{BEFORE} 10:00")
    mixed = read_events([Source(tmp_path / "orders.xlsx"), timed], window=WINDOW, timezone=LISBON)
    assert mixed.dated == ("“orders.xlsx”",)


def test_a_day_that_begins_at_one_o_clock_is_a_day():
    # In São Paulo clocks went from midnight to one o'clock on 15 October 2017.
    first = [pd.Timestamp("2017-10-15 01:00", tz="America/Sao_Paulo"), pd.Timestamp("2017-10-16", tz="UTC")]
    times = [first[0].tz_convert("UTC"), pd.Timestamp("2017-10-16", tz="America/Sao_Paulo").tz_convert("UTC")]
    arguments = {"window": ("2017-01-01", "2018-01-01"), "timezone": "America/Sao_Paulo"}
    assert days(log_of(times, **arguments)) == ["2017-10-15 00:00", "2017-10-16 00:00"]
    assert days(log_of(["2017-10-15", "2017-10-16"], **arguments)) == ["2017-10-15 00:00", "2017-10-16 00:00"]


def test_one_time_of_day_makes_a_log_of_times():
    for later in (f"{AFTER} 00:00:01", f"{AFTER}T08:30"):
        log = log_of([BEFORE, later])
        assert not log.dates_only
        assert "only dates" not in repr(log)
        # Midnight of Lisbon's summer.
        assert days(log)[0] == "2025-10-19 23:00"


def test_a_late_time_of_day_is_seen_too():
    table = pd.DataFrame({"customer_id": "a", "event": "x", "time": ["2025-07-01"] * 3000 + ["2025-07-02 10:00"]})
    assert not read_events(table, window=WINDOW, timezone=LISBON, duplicates="keep").dates_only


def test_the_window_of_dates_is_one_of_dates():
    log = log_of([BEFORE, AFTER], window=("2025-07-01", AFTER))
    assert f"{log.window}" == f"2025-07-01 to {AFTER}"
    assert days(log) == [f"{BEFORE} 00:00"]
    assert dict(log.quarantine.counts.to_numpy())["after the window"] == 1


def test_a_source_of_dates_among_times_is_named(tmp_path):
    dated = pd.DataFrame({"customer_id": "a", "event": "x", "time": [BEFORE]})
    (tmp_path / "orders.csv").write_text(dated.to_csv(index=False), encoding="utf-8")
    timed = dated.assign(time=f"{BEFORE} 10:00")
    log = read_events([Source(tmp_path / "orders.csv"), timed], window=WINDOW, timezone=LISBON)
    assert not log.dates_only
    assert log.dated == ("“orders.csv”",)
    assert log.dates_in_words().startswith(" “orders.csv” has only dates, where other sources have times")
    assert "has only dates, where other sources have times" in log.sentence()
    again = read_log(write_log(log, tmp_path / "kept.duckdb"), window=log.window)
    assert again.dates_in_words() == log.dates_in_words()
    assert read_events([dated, dated], window=WINDOW, timezone=LISBON, duplicates="keep").dated == ()


def test_a_kept_log_of_dates_is_still_one(tmp_path):
    log = log_of([BEFORE, AFTER])
    again = read_log(write_log(log, tmp_path / "log.duckdb"), window=log.window)
    assert again.dates_only
    assert again.before("2025-12-01").dates_only


def test_what_happened_on_one_day_keeps_its_order_and_a_loss_on_the_day_of_entry_counts():
    (spell,) = find_spells(log_of([BEFORE, BEFORE]), JOURNEY).to_pandas().itertuples()
    assert (spell.days, spell.outcome, spell.to) == (0.0, "lost", "price")


def test_dates_have_no_hours_among_their_features():
    rows = [("a", day) for day in ("2025-10-20", "2025-10-20", "2025-10-26", "2025-10-27")]
    table = pd.DataFrame(rows, columns=["customer_id", "time"]).assign(event=["start", "call", "call", "mail"])
    entries = pd.DataFrame({"customer_id": ["a"], "entered": [pd.Timestamp("2025-10-20", tz="UTC")]})
    features = find_features(read_events(table, window=WINDOW, timezone=LISBON), entries, within="7d")
    assert "out_of_hours_share" not in features.numbers
    assert "hours" not in [counts.name for counts in features.counts]
    # On the eighth day of the calendar, the last event is not among the first seven days.
    assert features.numbers["events"].tolist() == [3]
    # Gaps of 0 and 6 days: the root of 1 x 7, less 1.
    assert features.numbers["typical_gap_days"].tolist() == pytest.approx([7**0.5 - 1], abs=1e-6)


@pytest.mark.parametrize(
    ("zone", "skipped", "gap"),
    [("Europe/Lisbon", "2025-03-30 01:30", 60), ("Australia/Lord_Howe", "2025-10-05 02:10", 30)],
)
def test_clock_changes_lose_nobody(zone, skipped, gap):
    later = f"{pd.Timestamp(skipped) + pd.Timedelta(minutes=gap)}"
    log = log_of([skipped, later], timezone=zone, window=(skipped, "2026-01-01"))
    assert len(log) == 2
    assert len(set(days(log))) == 1
    assert f"{log.window.start:%Y-%m-%d %H:%M}" == days(log)[0]
