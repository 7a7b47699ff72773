"""Reading: which rows of the source are events of a customer at a time, and why are the others not?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from ibis.backends.duckdb import Backend

from journeylab.base.errors import LogError, did_you_mean
from journeylab.events.log import EventLog, Quarantine, Window
from journeylab.events.reading.checks import check_cells, check_counts
from journeylab.events.reading.customers import Customers, read_customers
from journeylab.events.reading.files import PROBLEMS, damaged
from journeylab.events.reading.sheet import Sheet, open_sheet
from journeylab.events.reading.source import Source
from journeylab.events.reading.store import (
    DATED,
    EVENTS,
    QUARANTINE,
    READ,
    Store,
    copy_engine,
    fill_store,
    open_copy,
    open_engine,
)

__all__ = ["Source", "read_events", "read_log", "write_log"]

_DUPLICATES = ("quarantine", "keep")


def read_events(
    source: object,
    *,
    columns: Mapping[str, str | Mapping[str, str]] | None = None,
    window: Window | tuple[str | date | pd.Timestamp, str | date | pd.Timestamp],
    timezone: str | None = None,
    customers: Customers = None,
    time_unit: str | None = None,
    duplicates: str = "quarantine",
    **how: Any,
) -> EventLog:
    """Read an interaction log, normalised once and stored for as long as anything refers to it.

    Parameters
    ----------
    source : path, glob, DataFrame, Arrow table, Ibis table, or a list of these
        Files are .csv, .tsv, .txt, .json or .jsonl, each also with .gz, or .parquet; they need not fit into memory. An
        .xlsx must. Those of a glob are read in the order of their names, each by its own separator, and missing
        columns are filled with nulls. A list may also hold `Source` objects, where its parts differ in columns or
        clock. A database table is copied in batches, in the order in which the database hands it over, so map `seq`
        where ties matter.
    columns : mapping, optional
        The log's names and the source's: {"customer_id": "account", "event": "action", "time": "ts"}. A text may be the
        same in all rows: {"event": {"constant": "purchase"}}. Columns that already have the log's name need no entry;
        every other column is kept under its own name, or under the one that an entry gives it. A column whose name is
        taken, such as “event” where another column is mapped to it, is kept as “source_event”. A nested field is a
        column named by its path: “properties.reason”.
    window : Window or pair of times
        Start and end of what was observed; the end is not part of it. Texts, dates or times; those without a zone are
        in `timezone`, or else in UTC.
    timezone : str, optional
        The zone of the clock that wrote times without a zone, such as "Europe/Berlin". Where clocks are set forward, a
        time that the zone skips moves on by the gap; where they are set back, a time that occurs twice is the later
        one. Texts are read as ISO 8601, each with its own zone if it has one. Times are kept to the microsecond.
        A log that has only dates, every time being the start of a day, is read as dates: each is stored as its
        midnight in UTC, so that days are calendar days whatever the clocks do. The window is then one of dates too.
    customers : path, DataFrame, Arrow table, Ibis table or mapping, optional
        Attributes known at the start, by id: a CSV or Parquet path, a table (ids as index or column `customer_id`), or
        {"path": "…", "key": "account"} where the ids have another name. By default ids alone.
    time_unit : {"s", "ms", "us"}, optional
        What numbers in the time column count since 1970.
    duplicates : {"quarantine", "keep"}
        "quarantine" refuses a row that repeats an earlier one, by `event_id` if there is one (rows without an id are
        kept), else in all columns as they were read.
    **how
        How the source is written, where it is not as above; the same keys as in study.yml:

        - `time_format`: as strptime has it, "%d.%m.%Y %H:%M", or a list that is tried in turn; `day_first`: True for
          31.01.2025, False for 01/31/2025; `zones`: {"CEST": "+02:00"}, what zone letters mean (without it only Z, UTC
          and GMT are clear)
        - `decimal` and `thousands`: the marks in numbers, such as "," and "."
        - `separator`, `encoding`, `skip_rows` (lines above the column names), `sheet` (of a workbook): found in the
          file where they are clear
        - `unfold`: {"ordered_at": "ordered", "shipped_at": "shipped"}, for a table with dates in several columns: each
          filled cell is a row of the log. “{event}” in a name is the row's own event: {"start": "{event} started"}.
        - `snapshots`: True where each row says in which state (`event`) a customer was at a time. A row of the log is
          one in which the state differs from the one before.

    Returns
    -------
    EventLog
        Its `quarantine` has the refused rows: those without customer, time or event (null, empty or white space), with
        a time that cannot be read, duplicates, and those at or after the window's end, each with the first reason that
        applies, in this order. `rows_read` counts all rows. Customer and event are text: the number 17850.0 becomes
        “17850”. `initiator` is in lower case.

    Raises
    ------
    LogError
        For a source, window, zone, unit, format or customers' table that cannot be used; for columns that are missing;
        for times without a zone or with zone letters that are not clear, and numbers without a unit; for values that
        are not numbers or could be two, and unknown initiators; for a log that is empty, has no usable row, or no event
        in the window. All that is wrong with columns, or with values, is listed at once.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"customer_id": "ann", "event": ["joined", "left"], "time": ["2025-10-20", "2025-10-27"]})
    >>> log = read_events(table, window=("2025-01-01", "2026-01-01"), timezone="Europe/Lisbon")
    >>> log.dates_only, log.events.time.max().to_pyarrow().as_py() - log.events.time.min().to_pyarrow().as_py()
    (True, datetime.timedelta(days=7))
    """
    if duplicates not in _DUPLICATES:
        raise LogError(f"`duplicates` is “{duplicates}”. {did_you_mean(duplicates, _DUPLICATES)}")
    _window(window, timezone)  # its errors come first
    sources = [part.filled(columns, timezone, time_unit, how) for part in _sources(source)]
    connection = open_engine()
    sheets = [open_sheet(connection, part) for part in sources]
    filled = _fill(connection, sheets, window, timezone)
    store = filled.store
    check_cells(store, sheets)
    if duplicates == "quarantine":
        store.refuse_duplicates()
    counts = check_counts(store, sheets, filled.window)
    store.finish([(sheet.data.label, sheet.clock.name) for sheet in sheets], filled.dated)
    return _log(connection, counts, customers, filled.window)


def write_log(log: EventLog, path: str | Path) -> Path:
    """Write a log as `read_events` gave it as one file, for `read_log`; returns it. The customers' attributes are not
    part of it."""
    copy_engine(log.events.get_backend(), path)
    return Path(path)


def read_log(path: str | Path, *, window: Window, customers: Customers = None) -> EventLog:
    """The log that `write_log` wrote to `path`, with the `window` and the `customers` that it was read with.

    Nothing is copied: the file must stay, and is only read. Raises StudyError for a file that holds no log, and
    LogError for customers as `read_events` does.
    """
    connection = open_copy(path)
    counts = connection.table(QUARANTINE).reason.value_counts(name="rows").to_pyarrow().to_pylist()
    by_reason = {row["reason"]: row["rows"] for row in counts}
    accepted = connection.table(EVENTS).count().to_pyarrow().as_py()
    return _log(connection, {None: accepted, **by_reason}, customers, window)


def _log(connection: Backend, counts: Mapping[str | None, int], customers: Customers, window: Window) -> EventLog:
    """The log that `connection` holds; `counts`: how many rows are refused for each reason, and under None how many
    are not."""
    events = connection.table(EVENTS)
    quarantine = Quarantine.from_counts(counts, connection.table(QUARANTINE), read=connection.table(READ))
    dated = connection.table(DATED).to_pyarrow()["source"].to_pylist()
    return EventLog(
        events, read_customers(customers, events), window, quarantine, sum(counts.values()), dated=tuple(dated)
    )


def _window(window: object, timezone: str | None) -> Window:
    if isinstance(window, Window):
        return window
    if isinstance(window, Sequence) and not isinstance(window, str) and len(window) == 2:
        return Window.from_times(*window, timezone=timezone)
    raise LogError(f"“{window}” is not a window. Write two times, (start, end), such as (“2025-01-01”, “2026-07-01”).")


def _sources(source: object) -> list[Source]:
    parts = list(source) if isinstance(source, list | tuple) else [source]
    if not parts:
        raise LogError("The list of sources is empty. Name at least one.")
    return [part if isinstance(part, Source) else Source(part) for part in parts]


@dataclass(frozen=True)
class _Filled:
    """The `store` of all rows, the `window` that they were held against, and the names of the sources that are `dated`
    where others are not."""

    store: Store
    window: Window
    dated: list[str]


def _fill(connection: Backend, sheets: list[Sheet], window: object, timezone: str | None) -> _Filled:
    try:
        filled = _read(connection, sheets, window, timezone, thorough=False)
    except PROBLEMS:
        # Most often a column of a CSV file is not what its first rows look like: read again, with all rows looked at.
        try:
            filled = _read(connection, sheets, window, timezone, thorough=True)
        except PROBLEMS as problem:
            told = next(filter(None, (sheet.data.damage(connection) for sheet in sheets)), None)
            raise told or damaged(" and ".join(sheet.data.label for sheet in sheets), problem) from problem
    for sheet in sheets:
        sheet.data.release(connection)
    return filled


def _read(connection: Backend, sheets: list[Sheet], window: object, timezone: str | None, *, thorough: bool) -> _Filled:
    as_dates = [sheet.with_dates(connection, thorough=thorough) for sheet in sheets]
    dated = [sheet.name for sheet in as_dates if sheet.clock.dated is not None]
    if len(dated) == len(sheets):
        # A date is a day on the calendar, not an instant: so are those that bound the window.
        sheets, timezone, dated = as_dates, None, []
    read_window = _window(window, timezone)
    parts = [sheet.part(connection, read_window, thorough=thorough) for sheet in sheets]
    return _Filled(fill_store(connection, parts), read_window, dated)
