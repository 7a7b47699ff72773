"""Which files does a path or glob name, and how are they scanned? In the order of their names."""

import gzip
import re
import shutil
import tempfile
import weakref
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from glob import glob
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import ibis
from ibis.backends.duckdb import Backend

from journeylab.base.errors import LogError, did_you_mean
from journeylab.events.reading.dialect import Dialect, decoded, find_dialect, not_utf8
from journeylab.events.reading.format import TableFormat

KINDS = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), "csv"),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), "json"),
    ".parquet": "parquet",
    ".xlsx": "excel",
}
# What the engine raises for what is in the files, as opposed to a statement of ours that is wrong.
PROBLEMS = (
    duckdb.DataError,
    duckdb.InvalidInputException,
    duckdb.IOException,
    duckdb.NotImplementedException,
    duckdb.ParserException,
)
READABLE = "It reads .csv, .tsv, .txt, .json and .jsonl, each also with .gz, .parquet, and .xlsx."
_MOST_LINES, _DEEPEST = 5, 500


@dataclass(frozen=True)
class Scan:
    """One call of the engine's reader: files that are written alike, one after the other. `types` are the engine's
    types of the columns at a first glance."""

    kind: str
    paths: tuple[str, ...]
    options: Mapping[str, str]
    types: Mapping[str, str] = field(default_factory=dict)

    def view(self, connection: Backend, types: Mapping[str, str] | None = None, *, thorough: bool = False) -> str:
        """The name of a view of the rows, with the columns of `types` as these say."""
        options = {"union_by_name": "true", **self.options}
        if self.kind == "csv":
            options |= {"sample_size": "-1" if thorough else "20480"} | ({"types": _struct(types)} if types else {})
        elif self.kind == "json":
            # A key may appear for the first time in the last line: only a look at all lines knows the columns.
            options |= {"columns": _struct(types)} if types else {"sample_size": "-1"}
        written = ", ".join([_list(self.paths), *(f"{option} = {value}" for option, value in options.items())])
        return _view(connection, f"FROM read_{self.kind}({written})")


@dataclass(frozen=True)
class Files:
    """Files of one kind and the columns that they have together. `schema` is how the columns look at a first glance: in
    text files a guess from the first rows, so a column that must stay text is asked for as such. `dialects` are those
    of text files, by path."""

    label: str
    scans: tuple[Scan, ...]
    schema: ibis.Schema
    dialects: Mapping[str, Dialect] = field(default_factory=dict)

    def table(self, connection: Backend, *, text: set[str], thorough: bool) -> ibis.Table:
        """The rows, lazily, the files one after the other; missing columns are null.

        The columns of `text` are left as they are written in CSV and JSON, so that "007" stays "007". `thorough`
        guesses the types of the others in CSV from all rows instead of the first 20,480.
        """
        views = []
        for scan in self.scans:
            types = {name: "VARCHAR" for name in scan.types if name in text}
            types = {**scan.types, **types} if scan.kind == "json" else types
            views.append(scan.view(connection, types, thorough=thorough))
        return connection.table(_together(connection, views))

    def release(self, connection: Backend) -> None:
        """Files need no release."""

    def damage(self, connection: Backend) -> LogError | None:
        """The error that lists the lines that cannot be read, if there are any."""
        for scan in self.scans:
            for path in scan.paths if scan.kind == "csv" else ():
                if error := _bad_lines(connection, path, self.dialects[path], scan.options):
                    return error
        return None


def find_files(connection: Backend, written: str | Path, how: TableFormat) -> Files:
    """The files that `written`, a path or a glob such as "events/*.parquet", names; `how` they are written.

    Raises LogError when there is none, for a kind that is not read, for files of several kinds under one glob, and for
    files that are empty or damaged.
    """
    paths = paths_of(written)
    kinds = {kind_of(path) for path in paths}
    if len(kinds) > 1:
        raise LogError(
            f"“{written}” matches files of several kinds: {', '.join(sorted(kinds))}. Name each kind by itself."
        )
    label, kind = f"“{written}”", kinds.pop()
    filled = [str(path) for path in paths if path.stat().st_size]
    if not filled:
        raise empty(label)
    if kind == "json":
        _check_depth(filled)
    dialects = {path: find_dialect(path, how) for path in filled} if kind != "parquet" else {}
    _check_beginnings(label, kind, dialects.values())
    copies = _copies(connection, dialects, kind)
    scans = tuple(_scans(kind, filled, copies, dialects, how))
    files = Files(label, scans, ibis.schema({}), {copies.get(path, path): one for path, one in dialects.items()})
    try:
        views = [scan.view(connection) for scan in scans]
        schema = connection.table(_together(connection, views)).schema()
    except duckdb.Error as problem:
        raise files.damage(connection) or damaged(label, problem) from problem
    types = [_types(connection, view, kind) for view in views]
    scans = tuple(Scan(kind, scan.paths, scan.options, one) for scan, one in zip(scans, types, strict=True))
    return Files(label, scans, schema, files.dialects)


def _check_depth(paths: Iterable[str]) -> None:
    """Raise LogError for a line whose lists and objects are so deep in each other that the engine would break down."""
    for path in paths:
        opened = gzip.open if path.lower().endswith(".gz") else open
        with suppress(OSError, EOFError, zlib.error), opened(path, "rb") as file:  # the engine says what is wrong
            for number, line in enumerate(file, 1):
                if line.count(b"[") + line.count(b"{") > _DEEPEST and _depth(line) > _DEEPEST:
                    raise LogError(
                        f"“{path}” is nested more than {_DEEPEST} deep in line {number:,}. Leave that line out, or "
                        "write its value as a text."
                    )


def _depth(line: bytes) -> int:
    """How deep the lists and objects of a line of JSON are in each other; brackets within texts do not count."""
    depth = deepest = 0
    for bracket in re.findall(rb"[\[{\]}]", re.sub(rb'"(?:[^"\\]|\\.)*+"', b"", line)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def kind_of(path: Path) -> str:
    """The kind of file, from how the name ends: csv, json, parquet or excel. Raises LogError for any other."""
    ending = "".join(path.suffixes[-2:] if path.suffix.lower() == ".gz" else path.suffixes[-1:]).lower()
    kind = KINDS.get(ending.removesuffix(".gz"))
    if kind is None or (ending.endswith(".gz") and kind in ("parquet", "excel")):
        raise LogError(f"“{path}” ends in “{ending}”, which Journeylab cannot read. {READABLE}")
    return kind


def paths_of(written: str | Path) -> list[Path]:
    """The files that a path or a glob names, sorted. Raises LogError where there is none."""
    path = Path(written).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        raise LogError(f"“{written}” is a folder. Name its files with a glob such as “{path / '*.parquet'}”.")
    if any(sign in str(path) for sign in "*?["):
        if paths := [Path(name) for name in sorted(glob(str(path), recursive=True)) if Path(name).is_file()]:
            return paths
        raise LogError(f"“{written}” matches no file. Check the folder and the pattern.")
    if not path.parent.is_dir():
        raise LogError(f"There is no file “{written}”: the folder “{path.parent}” does not exist. Check the path.")
    near = did_you_mean(path.name, sorted(other.name for other in path.parent.iterdir() if other.is_file()))
    raise LogError(f"There is no file “{written}”. {near if near.startswith('Did') else 'Check the path.'}")


def empty(label: str) -> LogError:
    """The error for a source without a row."""
    return LogError(f"{label} is empty: it has no rows. Check how it was made.")


def damaged(label: str, problem: duckdb.Error) -> LogError:
    """The error for what the engine cannot read, with the engine's own reason."""
    reason = str(problem).strip().splitlines()[0].partition(": ")[2]
    return LogError(f"{label} cannot be read: {reason.rstrip(' .')}. Fix it, or leave it out.")


def _check_beginnings(label: str, kind: str, dialects: Iterable[Dialect]) -> None:
    """Raise LogError where a file of cells has no line of names, and where a JSON array is empty or was cut off."""
    for dialect in dialects:
        if kind == "csv" and not dialect.names:
            raise LogError(f"“{dialect.path}” has no column names after {dialect.skip} lines. Correct skip_rows.")
        if kind == "json" and "".join(dialect.lines).lstrip().startswith("["):
            if "".join(dialect.lines).split() in (["[]"], ["[", "]"]):
                raise empty(label)
            if dialect.last_sign not in ("]", None):
                raise LogError(f"“{dialect.path}” is cut off: its list has no end. Export it again.")


def _scans(
    kind: str, paths: list[str], copies: Mapping[str, str], dialects: Mapping[str, Dialect], how: TableFormat
) -> Iterator[Scan]:
    """Neighbours that are written alike are read together."""

    def options(path: str) -> dict[str, str]:
        return _csv_options(dialects[path], how) if kind == "csv" else _json_options(dialects.get(path))

    for alike, group in groupby(paths, key=options):
        yield Scan(kind, tuple(copies.get(path, path) for path in group), alike)


def _csv_options(dialect: Dialect, how: TableFormat) -> dict[str, str]:
    # Left to guess, the engine may pass over lines: titles, comments, rows of another length.
    options = {"header": "true", "skip": str(dialect.skip), "comment": "''", "quote": "'\"'", "escape": "'\"'"}
    options["delim"] = _quoted(dialect.separator)
    if how.marks:
        decimal, thousands = how.marks
        options["decimal_separator"] = _quoted(decimal)
        if thousands and thousands.isascii() and thousands != dialect.separator:
            options["thousands"] = _quoted(thousands)
    return options


def _json_options(dialect: Dialect | None) -> dict[str, str]:
    if dialect is None:
        return {}
    beginning = "\n".join(dialect.lines).lstrip()
    is_one_by_line = beginning.startswith("{") and beginning.splitlines()[0].rstrip().endswith("}")
    layout = "array" if beginning.startswith("[") else "newline_delimited" if is_one_by_line else "unstructured"
    # Nested objects are columns, whatever their keys; never a map from key to value.
    return {"format": _quoted(layout), "map_inference_threshold": "-1", "field_appearance_threshold": "0"}


def _copies(connection: Backend, dialects: Mapping[str, Dialect], kind: str) -> dict[str, str]:
    """A copy in UTF-8, deleted with the engine, of each file that the engine cannot read as it is."""
    foreign = {
        path: dialect.encoding
        for path, dialect in dialects.items()
        if dialect.encoding not in (("utf-8", "utf-8-sig") if kind == "csv" else ("utf-8",))
    }
    copies: dict[str, str] = {}
    for number, (path, encoding) in enumerate(foreign.items()):
        folder = Path(tempfile.mkdtemp(prefix="journeylab-text-"))
        weakref.finalize(connection, shutil.rmtree, folder, ignore_errors=True)
        copies[path] = str(folder / f"{number}{'.csv' if kind == 'csv' else '.json'}")
        decoded(path, encoding, Path(copies[path]))
    return copies


def _types(connection: Backend, view: str, kind: str) -> dict[str, str]:
    described = connection.con.execute(f"FROM {view} LIMIT 0").description
    return {name: _as_text(type_) if kind == "json" else str(type_) for name, type_, *_ in described}


def _as_text(kind: Any) -> str:
    """The engine's name of a type in JSON, where what is written in quotes stays text."""
    if kind.id == "struct":
        return f"STRUCT({', '.join(f'{_name(name)} {_as_text(inner)}' for name, inner in kind.children)})"
    if kind.id == "list":
        return f"{_as_text(kind.children[0][1])}[]"
    is_text = kind.id.startswith(("timestamp", "date", "time", "uuid"))
    return "VARCHAR" if is_text else str(kind)


def _bad_lines(connection: Backend, path: str, dialect: Dialect, options: Mapping[str, str]) -> LogError | None:
    # The engine's guess says only that it failed; read as plain text, the file tells each line.
    columns = _struct({f"{number} {name}": "VARCHAR" for number, name in enumerate(dialect.names)})
    rejects = ibis.util.gen_name("journeylab_rejects")
    plain = {name: value for name, value in options.items() if name not in ("decimal_separator", "thousands")}
    written = ", ".join(f"{option} = {value}" for option, value in plain.items())
    kept = f"store_rejects = true, rejects_table = '{rejects}', rejects_scan = '{rejects}_scan', rejects_limit = 1000"
    scan = f"read_csv({_list((path,))}, auto_detect = false, columns = {columns}, {written}, {kept})"
    try:
        connection.con.execute(f"SELECT count(COLUMNS(*)) FROM (FROM {scan})").fetchall()
        ask = f"SELECT line, error_type, error_message FROM {rejects} ORDER BY line"
        bad = connection.con.execute(ask).fetchall()
    except PROBLEMS as problem:
        return damaged(f"“{dialect.path}”", problem)
    wrong_text = [line for line, kind, _ in bad if "ENCODING" in kind or "UNICODE" in kind]
    if wrong_text:
        return not_utf8(dialect.path, wrong_text[0])
    listed = [f"line {line}, {message.strip().splitlines()[0].rstrip('.')}" for line, _, message in bad[:_MOST_LINES]]
    more = [f"and {len(bad) - _MOST_LINES:,} more"] if len(bad) > _MOST_LINES else []
    return (
        LogError(f"“{dialect.path}” cannot be read: {'; '.join(listed + more)}. Fix it, or leave it out.")
        if bad
        else None
    )


def _together(connection: Backend, views: list[str]) -> str:
    if len(views) == 1:
        return views[0]
    return _view(connection, " UNION ALL BY NAME ".join(f"(FROM {view})" for view in views))


def _view(connection: Backend, query: str) -> str:
    name = ibis.util.gen_name("journeylab_files")
    connection.con.execute(f"CREATE TEMP VIEW {name} AS {query}")
    return name


def _list(paths: tuple[str, ...]) -> str:
    # The engine takes *, ? and [ in a name for a pattern; our own patterns are names by now.
    names = (_quoted(re.sub(r"[*?[]", r"[\g<0>]", path)) for path in paths)
    return f"[{', '.join(names)}]"


def _struct(types: Mapping[str, str] | None) -> str:
    return f"{{{', '.join(f'{_quoted(name)}: {_quoted(kind)}' for name, kind in (types or {}).items())}}}"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
