"""What does a file of rows hold, as a DataFrame? For tables that fit into memory, and for samples of others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import ibis
import ibis.expr.datatypes as dt
import pandas as pd
from ibis.backends.duckdb import Backend

from journeylab.events.reading.columns import flattened
from journeylab.events.reading.dialect import Dialect
from journeylab.events.reading.files import PROBLEMS, Files, damaged
from journeylab.events.reading.format import TableFormat
from journeylab.events.reading.source import Memory, open_data


def read_rows(
    path: str | Path, how: TableFormat, *, as_written: Callable[[str, dt.DataType], bool], limit: int | None = None
) -> pd.DataFrame:
    """The rows of a file, at most `limit`; the columns of a text file that are `as_written`, by name and by the type
    that they seem to have, stay text. Raises LogError as `read_events` does."""
    with _opened(path, how) as (connection, data):
        names = {name for name, kind in data.schema.items() if as_written(name, kind)}
        rows = flattened(data.table(connection, text=names, thorough=limit is None))
        try:
            return (rows if limit is None else rows.limit(limit)).to_pyarrow().to_pandas()
        except PROBLEMS as problem:
            raise data.damage(connection) or damaged(data.label, problem) from problem


def dialect_of(path: str | Path, how: TableFormat) -> Dialect | None:
    """How a text file of cells is written; None for any other file. Raises LogError where it cannot be opened."""
    with _opened(path, how) as (_, data):
        is_cells = isinstance(data, Files) and data.scans[0].kind == "csv"
        return next(iter(data.dialects.values())) if is_cells and isinstance(data, Files) else None


@contextmanager
def _opened(path: str | Path, how: TableFormat) -> Iterator[tuple[Backend, Files | Memory]]:
    connection = ibis.duckdb.connect()
    try:
        yield connection, open_data(connection, path, how)
    finally:
        connection.disconnect()
