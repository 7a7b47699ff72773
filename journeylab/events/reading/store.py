"""Where are a log's rows once they are read? In one table of an engine of their own, on disk, both the accepted and the
refused ones.

The table holds every row as it was read (columns `read.…`), what could not be used from there as it is (columns
`log.…`), which source it is from (`source`, counted from 0), and why the row is refused (`refused`, null where it is
not). The rows are in the order of the source, so that the engine's own row number is their order.
"""

import shutil
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

import duckdb
import ibis
import ibis.expr.datatypes as dt
from ibis.backends.duckdb import Backend

from journeylab.base.errors import StudyError
from journeylab.base.files import own_folder, replaced
from journeylab.events.log import AFTER_WINDOW, DUPLICATE, UNREADABLE_TIME

TABLE = "log_rows"
EVENTS, QUARANTINE, READ = "log_events", "log_quarantine", "log_read"
# Names of the sources that have only dates, where others have times.
DATED = "log_dated"
REFUSED, SOURCE = "refused", "source"


@dataclass(frozen=True)
class FilePart:
    """The rows of one source: its `table` with the `raw` columns, under the source's names, the `log`'s columns made
    from them, and why a row is `refused`, null where it is not."""

    table: ibis.Table
    raw: Mapping[str, ibis.Value]
    log: Mapping[str, ibis.Value]
    refused: ibis.Value

    def plain(self, target: str) -> str | None:
        """The source column that serves as `target` without any change, if there is one."""
        return next((name for name, column in self.raw.items() if column is self.log.get(target)), None)

    def changes(self) -> ibis.Table:
        """The rows of `table`, by customer and time, that say another event than the customer's row before; also those
        that are refused."""
        customer, time, event = (self.log[target] for target in ("customer_id", "time", "event"))
        before = event.lag().over(ibis.window(group_by=customer, order_by=time))
        differs, order = (ibis.util.gen_name(name) for name in ("differs", "order"))
        marked = self.table.mutate(
            **{differs: before.isnull() | (before != event) | self.refused.notnull(), order: time}
        )
        return marked.filter(marked[differs]).order_by(customer, order).drop(differs, order)


@dataclass(frozen=True)
class Store:
    """The rows of a log, read. `raw` and `log` map the source's and the log's column names to the table's."""

    connection: Backend
    raw: Mapping[str, str]
    log: Mapping[str, str]

    @cached_property
    def rows(self) -> ibis.Table:
        """Every row: all columns of the table, named as there."""
        return self.connection.table(TABLE)

    def refuse_duplicates(self) -> None:
        """Refuse each row that repeats an earlier one: by `event_id` where the log has it, or else in all columns as
        read.

        A row without an `event_id` repeats none; in the comparison of all columns a null equals a null. Only rows that
        are usable otherwise take part. Rows are compared by a hash first, which costs one column instead of all, and by
        value where the hash repeats.
        """
        key = self.log.get("event_id")
        columns = ", ".join(_quoted(name) for name in ([key] if key else self.raw.values()))
        usable = f"({REFUSED} IS NULL OR {REFUSED} = '{AFTER_WINDOW}')"
        if key:
            usable += f" AND trim({columns}) <> ''"
        self.connection.con.execute(f"""
            UPDATE {TABLE} SET {REFUSED} = '{DUPLICATE}' WHERE rowid IN (
                SELECT number FROM (
                    SELECT rowid AS number, row_number() OVER (PARTITION BY {columns} ORDER BY rowid) AS copy
                    FROM {TABLE} WHERE {usable} AND hash({columns}) IN (
                        SELECT hash({columns}) AS mark FROM {TABLE} WHERE {usable} GROUP BY mark HAVING count(*) > 1))
                WHERE copy > 1)""")

    def finish(self, sources: Sequence[tuple[str, str]], dated: Sequence[str]) -> None:
        """Let the engine know the accepted, the refused and all rows by name, as the views `EVENTS`, `QUARANTINE` and
        `READ`, and in the table `DATED` the names of the sources that are `dated` where others are not.

        sources: each source's label, and the name of its column with the time.
        """
        self.connection.con.execute(f"CREATE TABLE {DATED} (source VARCHAR)")
        for source in dated:
            self.connection.con.execute(f"INSERT INTO {DATED} VALUES (?)", [source])
        self.connection.create_view(EVENTS, self._accepted())
        self.connection.create_view(QUARANTINE, self._refused())
        self.connection.create_view(READ, self._read(sources))

    def _accepted(self) -> ibis.Table:
        """The rows that are not refused, with the log's columns; `seq` is the row number where the source has none."""
        rows = self.rows
        columns = {target: rows[name] for target, name in self.log.items()}
        columns["seq"] = ibis.coalesce(columns["seq"], rows.rowid()) if "seq" in columns else rows.rowid()
        first = ("customer_id", "time", "event", "seq")
        ordered = {target: columns[target] for target in (*first, *columns)}
        free = ibis.util.gen_name(REFUSED)
        return rows.select(**ordered, **{free: rows[REFUSED]}).filter(ibis._[free].isnull()).drop(free)

    def _read(self, sources: Sequence[tuple[str, str]]) -> ibis.Table:
        """All rows, as `Quarantine.read` has them."""
        rows = self.rows
        written = [(at, rows[self.raw[time]].cast("string")) for at, (_, time) in enumerate(sources)]
        unread = ibis.ifelse(rows[REFUSED] == UNREADABLE_TIME, _by_source(rows, written).fill_null(""), None)
        labels = [(at, ibis.literal(label)) for at, (label, _) in enumerate(sources)]
        time = rows[self.log["time"]]
        return rows.select(source=_by_source(rows, labels), time=time, unread=unread, reason=rows[REFUSED])

    def _refused(self) -> ibis.Table:
        """The rows that are refused, as they were read, and the `reason`."""
        rows = self.rows.filter(self.rows[REFUSED].notnull())
        columns = {}
        for name, stored in self.raw.items():
            free = name
            while free.lower() == "reason" or free in columns:
                free = f"source_{free}"
            columns[free] = rows[stored]
        return rows.select(**columns, reason=rows[REFUSED])


def open_engine() -> Backend:
    """An engine with a folder of its own, which is deleted once no log and no table of a log refers to it.

    The folder is where Python puts temporary files (TMPDIR); rows that exceed memory are kept there.
    """
    folder, lock = own_folder()
    connection = _connected(folder / "log.duckdb")
    weakref.finalize(connection, _close, connection.con, folder, lock)
    return connection


def copy_engine(connection: Backend, path: str | Path) -> None:
    """Copy all that an engine of `open_engine` holds into one file."""
    connection.con.execute("CHECKPOINT")
    (source,) = connection.con.execute("SELECT path FROM duckdb_databases() WHERE NOT internal").fetchone()
    with replaced(path) as temporary:
        shutil.copyfile(source, temporary)


def open_copy(path: str | Path) -> Backend:
    """The engine that was copied to `path`, to be read only; several processes may. Raises StudyError for a file that
    is none or is damaged, and FileNotFoundError where there is no file.

    The file may come from somebody else, and its views run when they are read: it cannot reach any other file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(path)
    with suppress(duckdb.Error, ibis.common.exceptions.IbisError):
        connection = _connected(path, read_only=True, locked=True)
        if {EVENTS, QUARANTINE, READ, DATED} <= set(connection.list_tables()):
            for name in (EVENTS, QUARANTINE, READ, DATED):
                connection.con.execute(f"SELECT count(*) FROM {name}").fetchall()
            return connection
    raise StudyError(f"“{path.name}” is not a log, or is damaged. Delete it, and read the log again.")


def fill_store(connection: Backend, parts: list[FilePart]) -> Store:
    """Read the `parts`, each once, into the engine's table, one after the other."""
    connection.con.execute(f"DROP TABLE IF EXISTS {TABLE}")
    raw = _unified([{name: column.type() for name, column in part.raw.items()} for part in parts])
    shared = {target: name for part in parts for target in part.log if (name := _shared(target, parts))}
    made = _unified([{name: c.type() for name, c in part.log.items() if name not in shared} for part in parts])
    for number, part in enumerate(parts):
        rows = _rows(number, part, raw, made)
        if number:
            connection.insert(TABLE, rows)
        else:
            connection.create_table(TABLE, rows)
    log = {target: f"read.{shared[target]}" if target in shared else f"log.{target}" for target in (*shared, *made)}
    in_order = {target: log[target] for part in parts for target in part.log}
    return Store(connection, {name: f"read.{name}" for name in raw}, in_order)


def _shared(target: str, parts: list[FilePart]) -> str | None:
    names = {part.plain(target) for part in parts if target in part.log}
    name = names.pop()
    is_elsewhere = any(name in part.raw for part in parts if target not in part.log)
    return name if not names and not is_elsewhere else None


def _unified(schemas: list[dict[str, dt.DataType]]) -> dict[str, dt.DataType]:
    unified: dict[str, dt.DataType] = {}
    for schema in schemas:
        for name, kind in schema.items():
            unified[name] = _wider(unified[name], kind) if name in unified else kind
    return unified


def _wider(first: dt.DataType, second: dt.DataType) -> dt.DataType:
    if first == second or (first.is_numeric() and second.is_numeric()):
        return dt.highest_precedence([first, second])
    return dt.string


def _rows(number: int, part: FilePart, raw: Mapping[str, dt.DataType], made: Mapping[str, dt.DataType]) -> ibis.Table:
    columns = {f"read.{name}": _as(part.raw.get(name), kind) for name, kind in raw.items()}
    columns |= {f"log.{name}": _as(part.log.get(name), kind) for name, kind in made.items()}
    return part.table.select(**columns, **{SOURCE: ibis.literal(number, "int16"), REFUSED: part.refused})


def _by_source(rows: ibis.Table, values: list[tuple[int, ibis.Value]]) -> ibis.Value:
    """The value of each row's source, of `values` by its number."""
    return ibis.cases(*((rows[SOURCE] == number, value) for number, value in values))


def _as(column: ibis.Value | None, kind: dt.DataType) -> ibis.Value:
    if column is None:
        return ibis.null(kind)
    return column if column.type() == kind else column.cast(kind)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _connected(path: Path, *, read_only: bool = False, locked: bool = False) -> Backend:
    # The engine loads nothing from the network, whatever a question asks for.
    options: dict[str, object] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    if locked:
        options |= {"enable_external_access": False}
    connection = ibis.duckdb.connect(path, read_only=read_only, **options)
    # A library prints nothing. In notebooks the engine refuses the question where it could draw no bar anyway.
    with suppress(duckdb.InvalidInputException):
        connection.con.execute("SET enable_progress_bar = false")
    return connection


def _close(connection: duckdb.DuckDBPyConnection, folder: Path, lock: IO) -> None:
    connection.close()
    lock.close()
    shutil.rmtree(folder, ignore_errors=True)
