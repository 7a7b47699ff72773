"""What does each row of one source say? Its columns become the log's; rows that cannot be used are marked."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import ibis
import ibis.expr.datatypes as dt
from ibis.backends.duckdb import Backend

from journeylab.base.errors import LogError
from journeylab.base.words import listed
from journeylab.events.log import AFTER_WINDOW, MISSING_CUSTOMER, MISSING_EVENT, UNREADABLE_TIME, Window
from journeylab.events.reading.columns import (
    NUMBERS,
    TEXTS,
    Columns,
    Constant,
    as_number,
    as_text,
    flattened,
    is_blank,
    match_columns,
)
from journeylab.events.reading.files import Files
from journeylab.events.reading.format import EventFormat
from journeylab.events.reading.shapes import check_unfold, unfolded
from journeylab.events.reading.source import Memory, Source, open_data, zone_of
from journeylab.events.reading.store import FilePart
from journeylab.events.reading.times import Clock


@dataclass(frozen=True)
class Sheet:
    """One source, opened and understood: the `data`, which `columns` mean what, the `clock` that its times follow,
    `how` it is written, and how each column `looks`, which for text files is a guess. `own_event` is the column of a
    row's own event where events are unfolded."""

    data: Files | Memory
    columns: Columns
    clock: Clock
    how: EventFormat
    looks: Mapping[str, dt.DataType]
    own_event: str | None = None

    @property
    def name(self) -> str:
        """What to call the source in what is shown: of files the name alone, not the folder they lie in."""
        label = self.data.label
        return f"“{Path(label.strip('“”')).name}”" if label.startswith("“") else label

    def with_dates(self, connection: Backend, *, thorough: bool) -> "Sheet":
        """This sheet, with a clock that reads dates if the source has nothing else. `thorough`: see `Files.table`."""
        rows = self._rows(connection, thorough=thorough)
        return replace(self, clock=self.clock.with_dates(rows, self.looks[self.clock.name]))

    def part(self, connection: Backend, window: Window, *, thorough: bool) -> FilePart:
        """The source's rows with the log's columns, lazily. `thorough`: see `Files.table`."""
        part = self._part(self._rows(connection, thorough=thorough), window)
        return self._part(part.changes(), window) if self.how.snapshots else part

    def _rows(self, connection: Backend, *, thorough: bool) -> ibis.Table:
        """A row for each event, before any is read: nested columns flattened, those of several dates unfolded."""
        text = self.columns.text | set(self.how.unfold or ())
        if self.how.marks or self.has_unclear_marks:
            text |= {name for name in map(self.columns.known.get, NUMBERS) if isinstance(name, str)}
        table = flattened(self.data.table(connection, text=text, thorough=thorough))
        if not self.how.unfold:
            return table
        time, event = self.clock.name, self.columns.named("event")
        return unfolded(table, self.how.unfold, own_event=self.own_event, time=time, event=event)

    @property
    def has_unclear_marks(self) -> bool:
        """Whether “1.250” may be a thousand and a quarter or one and a quarter: where files part cells by a semicolon,
        the decimal mark often is a comma."""
        dialects = self.data.dialects.values() if isinstance(self.data, Files) else ()
        return self.how.marks is None and any(dialect.separator == ";" for dialect in dialects)

    def _part(self, table: ibis.Table, window: Window) -> FilePart:
        raw = {name: table[name] for name in table.columns}
        log = {target: self._value(target, raw) for target in self.columns.known}
        log |= {target: raw[name] for target, name in self.columns.others.items()}
        return FilePart(table, raw, log, _refused(log, window))

    def _value(self, target: str, raw: dict[str, ibis.Value]) -> ibis.Value:
        name = self.columns.known[target]
        if isinstance(name, Constant):
            return ibis.literal(name.text)
        column, looks = raw[name], self.looks[name]
        if target == "time":
            return self.clock.read(column, looks)
        if target == "initiator":
            return as_text(column, looks).strip().lower()
        if target in TEXTS:
            return as_text(column, looks)
        if target in NUMBERS and column.type().is_string() and self.how.marks:
            return as_number(column, *self.how.marks)
        kind = dt.float64 if target in NUMBERS else dt.int64
        return column if column.type() == kind else column.try_cast(kind)


def open_sheet(connection: Backend, source: Source) -> Sheet:
    """Open a source and match its columns, without reading its rows."""
    mapped, how = dict(source.columns or {}), source.how
    assert isinstance(how, EventFormat), "a source is filled before it is opened"
    times = set(how.unfold or [str(mapped.get("time", "time"))])
    data = open_data(connection, source.data, how.table, times=times)
    looks = dict(flattened(ibis.table(data.schema, name="looks")).schema().items())
    own_event = None
    if how.unfold:
        check_unfold(how.unfold, mapped, list(looks), label=data.label)
        own_event = str(mapped.pop("event")) if "event" in mapped else None
        looks = _unfolded_looks(looks, how.unfold)
        mapped |= dict(zip(("time", "event"), list(looks)[-2:], strict=True))
    try:
        columns = match_columns(mapped, looks, label=data.label)
    except LogError as problem:
        raise _other_header(data, source) or LogError(f"{problem}{_other_shape(data, mapped)}") from None
    zone = source.timezone or zone_of(source.data, times)
    clock = Clock(data.label, columns.named("time"), zone, source.time_unit, how)
    return Sheet(data, columns, clock, how, looks, own_event)


def _unfolded_looks(looks: Mapping[str, dt.DataType], unfold: Mapping[str, str]) -> dict[str, dt.DataType]:
    """How the columns look once events are unfolded; the last two are those of time and event."""
    others = {name: kind for name, kind in looks.items() if name not in unfold}
    kinds = {looks[name] for name in unfold}
    time, event = (name if name not in others else f"unfolded_{name}" for name in ("time", "event"))
    return others | {time: kinds.pop() if len(kinds) == 1 else dt.string, event: dt.string}


def _other_shape(data: Files | Memory, mapped: Mapping[str, object]) -> str:
    """How to read a table without a column of times that has dates in several, or its rows in a list."""
    lists = [name for name, kind in data.schema.items() if kind.is_array() and kind.value_type.is_struct()]
    if lists and len(data.schema) - len(lists) < len(lists) + 3:
        return f"\nIts rows seem to be in the list “{lists[0]}”. Export that list by itself."
    dates = [name for name, kind in data.schema.items() if kind.is_temporal()]
    if "time" in mapped or len(dates) < 2:
        return ""
    said = ", ".join(f'"{name}": "{name}"' for name in dates[:4])
    return f"\nIt has dates in {listed(dates)}. To make an event of each, say unfold={{{said}}}."


def _other_header(data: Files | Memory, source: Source) -> LogError | None:
    """The error for a file whose column names stand further down."""
    wanted = [name for name in (source.columns or {}).values() if isinstance(name, str)]
    wanted += list(source.how.unfold or ()) if isinstance(source.how, EventFormat) else []
    for dialect in data.dialects.values() if isinstance(data, Files) else ():
        line = dialect.line_with(wanted) if wanted else None
        if line:
            return LogError(
                f"The column names of “{dialect.path}” are not in line {dialect.skip + 1} but in line {line}. "
                f"Say skip_rows={line - 1}."
            )
    return None


def _refused(log: dict[str, ibis.Value], window: Window) -> ibis.Value:
    return ibis.cases(
        (is_blank(log["customer_id"]), MISSING_CUSTOMER),
        (log["time"].isnull(), UNREADABLE_TIME),
        (is_blank(log["event"]), MISSING_EVENT),
        (log["time"] >= window.end, AFTER_WINDOW),
        else_=ibis.null("string"),
    )
