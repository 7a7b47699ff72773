"""What does each row of one source say? Its columns become the log's; rows that cannot be used are marked."""

from dataclasses import dataclass, replace
from pathlib import Path

import ibis
import ibis.expr.datatypes as dt
from ibis.backends.duckdb import Backend

from journeylab.events.log import AFTER_WINDOW, MISSING_CUSTOMER, MISSING_EVENT, UNREADABLE_TIME, Window
from journeylab.events.reading.columns import NUMBERS, TEXTS, Columns, Constant, as_text, is_blank, match_columns
from journeylab.events.reading.files import Files
from journeylab.events.reading.source import Memory, Source, open_data, zone_of
from journeylab.events.reading.store import FilePart
from journeylab.events.reading.times import Clock


@dataclass(frozen=True)
class Sheet:
    """One source, opened and understood: the `data`, which `columns` mean what, and the `clock` that its times
    follow."""

    data: Files | Memory
    columns: Columns
    clock: Clock

    @property
    def name(self) -> str:
        """What to call the source in what is shown: of files the name alone, not the folder they lie in."""
        label = self.data.label
        return f"“{Path(label.strip('“”')).name}”" if isinstance(self.data, Files) else label

    def with_dates(self, connection: Backend, *, thorough: bool) -> "Sheet":
        """This sheet, with a clock that reads dates if the source has nothing else. `thorough`: see `Files.table`."""
        rows = self.data.table(connection, text=self.columns.text, thorough=thorough)
        return replace(self, clock=self.clock.with_dates(rows, self.data.schema[self.clock.name]))

    def part(self, connection: Backend, window: Window, *, thorough: bool) -> FilePart:
        """The source's rows with the log's columns, lazily. `thorough`: see `Files.table`."""
        table = self.data.table(connection, text=self.columns.text, thorough=thorough)
        raw = {name: table[name] for name in table.columns}
        log = {target: self._value(target, raw) for target in self.columns.known}
        log |= {target: raw[name] for target, name in self.columns.others.items()}
        return FilePart(table, raw, log, _refused(log, window))

    def _value(self, target: str, raw: dict[str, ibis.Value]) -> ibis.Value:
        name = self.columns.known[target]
        if isinstance(name, Constant):
            return ibis.literal(name.text)
        column, looks = raw[name], self.data.schema[name]
        if target == "time":
            return self.clock.read(column, looks)
        if target == "initiator":
            return as_text(column, looks).strip().lower()
        if target in TEXTS:
            return as_text(column, looks)
        kind = dt.float64 if target in NUMBERS else dt.int64
        return column if column.type() == kind else column.try_cast(kind)


def open_sheet(connection: Backend, source: Source) -> Sheet:
    """Open a source and match its columns, without reading its rows."""
    mapped = source.columns or {}
    data = open_data(connection, source.data, time=str(mapped.get("time", "time")))
    columns = match_columns(mapped, data.schema.names, label=data.label)
    zone = source.timezone or zone_of(source.data, columns.named("time"))
    return Sheet(data, columns, Clock(data.label, columns.named("time"), zone, source.time_unit))


def _refused(log: dict[str, ibis.Value], window: Window) -> ibis.Value:
    return ibis.cases(
        (is_blank(log["customer_id"]), MISSING_CUSTOMER),
        (log["time"].isnull(), UNREADABLE_TIME),
        (is_blank(log["event"]), MISSING_EVENT),
        (log["time"] >= window.end, AFTER_WINDOW),
        else_=ibis.null("string"),
    )
