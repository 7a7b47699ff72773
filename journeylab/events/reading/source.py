"""Where do the rows come from: which files, tables in memory or database tables? All open on the log's own engine."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import duckdb
import ibis
import pandas as pd
import pyarrow as pa
from ibis.backends.duckdb import Backend

from journeylab.base import html
from journeylab.base.errors import LogError, did_you_mean
from journeylab.base.kinds import checked_class
from journeylab.base.words import counted
from journeylab.events.log import check_timezone
from journeylab.events.reading.columns import check_mapping
from journeylab.events.reading.files import Files, empty, find_files, kind_of, paths_of
from journeylab.events.reading.format import EventFormat, TableFormat, format_of
from journeylab.events.reading.workbooks import read_workbooks

UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}


@checked_class
@dataclass(frozen=True, eq=False)
class Source:
    """One of several sources of a log: the data, and how to read them.

    Parameters
    ----------
    data : path, glob, DataFrame, Arrow table or Ibis table
        Files as in `read_events`.
    columns, timezone, time_unit : optional
        As in `read_events`; what is left out is taken from the call of `read_events`.
    how : mapping, optional
        How the file is written, such as {"day_first": True, "decimal": ","}: all that `read_events` takes beside.
    """

    data: object
    columns: Mapping[str, str | Mapping[str, str]] | None = None
    timezone: str | None = None
    time_unit: str | None = None
    how: Mapping[str, Any] | EventFormat | None = None

    def filled(
        self, columns: Mapping | None, timezone: str | None, time_unit: str | None, how: Mapping[str, Any]
    ) -> "Source":
        """This source with what it leaves open taken from the arguments. Raises LogError for wrong columns, an
        unknown zone or unit, and a format that cannot be."""
        columns = check_mapping((columns if self.columns is None else self.columns) or {})
        timezone, time_unit = check_timezone(self.timezone or timezone), self.time_unit or time_unit
        if time_unit is not None and time_unit not in UNITS:
            raise LogError(f"“{time_unit}” is not a time_unit. {did_you_mean(time_unit, UNITS)}")
        written = how if self.how is None else self.how
        written = written if isinstance(written, EventFormat) else format_of(written)
        return Source(self.data, columns, timezone, time_unit, written)

    def sentence(self) -> str:
        """Which data, and how to read them. It reads nothing."""
        zone = f"in {self.timezone}" if self.timezone else "as written, or as read_events says"
        return f"{_described(self.data)}; times {zone}{f', in {self.time_unit}' if self.time_unit else ''}."

    def __repr__(self) -> str:
        return f"Source: {self.sentence()}"

    def _repr_html_(self) -> str:
        if not self.columns:
            return html.card("Source of a log", html.paragraph(f"{self.sentence()} Columns as read_events says."))
        rows = [(ours, _of_source(theirs)) for ours, theirs in self.columns.items()]
        columns = html.table(pd.DataFrame(rows, columns=["our column", "holds"]), csv=False)
        return html.card("Source of a log", html.paragraph(self.sentence()), columns)


def _described(data: object) -> str:
    """Which data a source names, and how much of it, where that is known without reading it."""
    if isinstance(data, str | Path):
        return f"Files “{data}”" if "*" in str(data) else f"File “{data}”"
    if isinstance(data, pd.DataFrame | pa.Table):
        columns = len(data.columns)
        return f"{type(data).__name__} of {counted(len(data), 'row')} and {counted(columns, 'column')}"
    return f"Table of the kind {type(data).__name__}"


def _of_source(theirs: str | Mapping[str, str]) -> str:
    return f"column “{theirs}”" if isinstance(theirs, str) else f"always “{theirs['constant']}”"


@dataclass(frozen=True)
class Memory:
    """A table in memory, or a copy of one from a database, under a `name` on the engine. `schema` is its columns as
    they are, which for a table is also how they look."""

    label: str
    name: str
    schema: ibis.Schema
    is_copy: bool

    def table(self, connection: Backend, *, text: set[str], thorough: bool) -> ibis.Table:  # noqa: ARG002
        """The rows. Columns of a table have types of their own, so `text` and `thorough` change nothing."""
        return connection.table(self.name)

    def release(self, connection: Backend) -> None:
        """Let go of the table once it is read."""
        if self.is_copy:
            connection.con.execute(f"DROP TABLE {self.name}")
        else:
            connection.con.unregister(self.name)

    def damage(self, connection: Backend) -> None:
        """A table has no lines that could be damaged."""


def open_data(connection: Backend, data: object, how: TableFormat, *, times: Collection[str] = ()) -> Files | Memory:
    """Open `data` on the engine without reading it; `times` names the columns that hold times, and `how` says how a
    file is written.

    Raises LogError for data of another kind, for no file, and for columns that differ only in case.
    """
    label = None
    if isinstance(data, str | Path):
        paths = paths_of(data)
        if {kind_of(path) for path in paths} != {"excel"}:
            return find_files(connection, data, how)
        label, data = f"“{data}”", read_workbooks(paths, how)
    try:
        name, arrow = _to_arrow(data, times)
        return _registered(connection, label or name, arrow)
    except (duckdb.Error, pa.ArrowException, OverflowError) as problem:
        reason = " ".join(str(problem).split()).rstrip(".")[:200]
        named = label or f"The {type(data).__name__}"
        raise LogError(f"{named} cannot be read: {reason}. Convert the column, or leave it out.") from problem


def _registered(connection: Backend, label: str, arrow: pa.Table | pa.RecordBatchReader) -> Memory:
    if not arrow.schema.names:
        raise empty(label)
    _check_names(label, arrow.schema.names)
    arrow, name = _without_nulls(arrow), ibis.util.gen_name("journeylab_source")
    if isinstance(arrow, pa.Table):
        connection.con.register(name, arrow)
    else:
        # A stream can be read only once, but is looked at first.
        stream = f"{name}_stream"
        connection.con.register(stream, arrow)
        connection.con.execute(f"CREATE TABLE {name} AS FROM {stream}")
        connection.con.unregister(stream)
    return Memory(label, name, connection.table(name).schema(), is_copy=not isinstance(arrow, pa.Table))


def zone_of(data: object, times: Collection[str]) -> str | None:
    """The time zone that a table in memory names for its columns `times`, if it names one and the same for all."""
    if isinstance(data, pd.DataFrame):
        kinds = [data[name].dtype for name in times if name in data.columns]
    elif isinstance(data, pa.Table):
        kinds = [data.schema.field(name).type for name in times if name in data.column_names]
    else:
        return None
    zones = {str(getattr(kind, "tz", "")) for kind in kinds}
    return zones.pop() if len(zones) == 1 and zones <= available_timezones() else None


def _to_arrow(data: object, times: Collection[str]) -> tuple[str, pa.Table | pa.RecordBatchReader]:
    if isinstance(data, pd.DataFrame):
        return "The DataFrame", _from_pandas(data, times)
    if isinstance(data, ibis.Table):
        # Streamed into the log's own engine: read once, in batches, and out of the database's way afterwards.
        return "The database table", data.to_pyarrow_batches()
    if isinstance(data, pa.Table | pa.RecordBatchReader):
        return "The Arrow table", data
    if hasattr(data, "__arrow_c_stream__"):
        return "The table", pa.RecordBatchReader.from_stream(data)
    raise LogError(
        f"A log cannot be read from {type(data).__name__}. "
        "Pass a path, a glob, a DataFrame, an Arrow table, an Ibis table, or a list of these."
    )


def _from_pandas(frame: pd.DataFrame, times: Collection[str]) -> pa.Table:
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    names = [str(name) for name in frame.columns]
    _check_names("The DataFrame", names)
    columns = [_column(frame.iloc[:, position], is_time=name in times) for position, name in enumerate(names)]
    return pa.table(columns, names=names)


def _column(values: pd.Series, *, is_time: bool) -> pa.Array | pa.ChunkedArray:
    # Arrow would take times of several zones, or with and without one, for times of the first zone.
    if values.dtype == object and not (is_time and pd.api.types.infer_dtype(values, skipna=True) != "string"):
        try:
            return pa.array(values, from_pandas=True)
        except (pa.ArrowException, OverflowError, UnicodeEncodeError):
            pass
    if values.dtype == object:
        return pa.array([_text(value) for value in values], type=pa.string())
    return pa.array(values, from_pandas=True)


def _text(value: object) -> str | None:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).encode("utf-8", "replace").decode()


def _without_nulls(arrow: pa.Table | pa.RecordBatchReader) -> pa.Table | pa.RecordBatchReader:
    # A column without any value has no type of its own; text is what it can be compared with later.
    if not any(pa.types.is_null(field.type) for field in arrow.schema):
        return arrow
    schema = pa.schema(
        [field.with_type(pa.string()) if pa.types.is_null(field.type) else field for field in arrow.schema]
    )
    if isinstance(arrow, pa.Table):
        return arrow.cast(schema)
    return pa.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in arrow))


def _check_names(label: str, names: list[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if name.lower() in seen:
            raise LogError(
                f"{label} has two columns of the same name, “{seen[name.lower()]}” and “{name}” (upper and lower case "
                "count as one). Rename one."
            )
        seen[name.lower()] = name
