"""Which files does a path or glob name, and how are they scanned? CSV, JSON lines and Parquet, in the order of their
names."""

import csv
import gzip
import re
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from glob import glob
from pathlib import Path

import duckdb
import ibis
from ibis.backends.duckdb import Backend

from journeylab.base.errors import LogError, did_you_mean

KINDS = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".tsv": "csv",
    ".tsv.gz": "csv",
    ".jsonl": "json",
    ".jsonl.gz": "json",
    ".ndjson": "json",
    ".ndjson.gz": "json",
    ".parquet": "parquet",
}
# What the engine raises for what is in the files, as opposed to a statement of ours that is wrong.
PROBLEMS = (duckdb.DataError, duckdb.InvalidInputException, duckdb.IOException, duckdb.ParserException)
_DEEPEST = 500
_DELIMITERS = (",", ";", "\t", "|")
_READABLE = "It reads .csv, .tsv and .jsonl, each also with .gz, and .parquet."


@dataclass(frozen=True)
class Files:
    """Files of one kind and the columns that they have together. `schema` is how the columns look at a first glance: in
    text files a guess from the first rows, so a column that must stay text is asked for as such. `kinds` are the
    engine's names of the same types."""

    label: str
    paths: tuple[str, ...]
    kind: str
    schema: ibis.Schema
    kinds: Mapping[str, str]

    def table(self, connection: Backend, *, text: set[str], thorough: bool) -> ibis.Table:
        """The rows, lazily, the files one after the other; missing columns are null.

        The columns of `text` are left as they are written in CSV and JSON, so that "007" stays "007". `thorough`
        guesses the types of the others in CSV from all rows instead of the first 20,480.
        """
        types = dict.fromkeys(text, "VARCHAR")
        if self.kind == "json":
            types = {**self.kinds, **types}
        return _scan(connection, self.paths, self.kind, types, thorough=thorough)

    def release(self, connection: Backend) -> None:
        """Files need no release."""


def find_files(connection: Backend, written: str | Path) -> Files:
    """The files that `written`, a path or a glob such as "events/*.parquet", names.

    Raises LogError when there is none, for a kind that is not read, for files of several kinds under one glob, and for
    files that are empty or damaged.
    """
    paths = _paths(written)
    kinds = {kind_of(path) for path in paths}
    if len(kinds) > 1:
        raise LogError(
            f"“{written}” matches files of several kinds: {', '.join(sorted(kinds))}. Name each kind by itself."
        )
    label, kind = f"“{written}”", kinds.pop()
    filled = tuple(str(path) for path in paths if path.stat().st_size)
    if not filled:
        raise empty(label)
    if kind == "json":
        _check_depth(filled)
    try:
        glance = _scan(connection, filled, kind)
    except duckdb.Error as problem:
        raise damaged(label, (kind == "csv" and _first_bad_line(connection, filled)) or problem) from problem
    described = connection.con.execute(f"DESCRIBE {glance.get_name()}").fetchall()
    return Files(label, filled, kind, glance.schema(), {name: kind for name, kind, *_ in described})


def _check_depth(paths: tuple[str, ...]) -> None:
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
    """The kind of file, from how the name ends: csv, json or parquet. Raises LogError for any other."""
    ending = "".join(path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:]).lower()
    if ending not in KINDS:
        raise LogError(f"“{path}” ends in “{ending}”, which Journeylab cannot read. {_READABLE}")
    return KINDS[ending]


def empty(label: str) -> LogError:
    """The error for a source without a row."""
    return LogError(f"{label} is empty: it has no rows. Check how it was made.")


def damaged(label: str, problem: duckdb.Error) -> LogError:
    """The error for what the engine cannot read, with the engine's own reason."""
    reason = str(problem).strip().splitlines()[0].partition(": ")[2]
    if line := re.match(r"CSV Error on Line: (\d+)", reason):
        cause = re.search(r"^(Expected Number|Value with|Invalid unicode|Maximum line).*", str(problem), re.MULTILINE)
        reason = f"line {line[1]}" + (f", {cause[0].strip()}" if cause else "")
    return LogError(f"{label} cannot be read: {reason.rstrip(' .')}. Fix it, or leave it out.")


def _paths(written: str | Path) -> list[Path]:
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


def _scan(
    connection: Backend,
    paths: tuple[str, ...],
    kind: str,
    types: Mapping[str, str] | None = None,
    *,
    thorough: bool = False,
) -> ibis.Table:
    options = {"union_by_name": "true"}
    if kind == "csv":
        options |= {"sample_size": "-1" if thorough else "20480"} | _dialect(paths[0])
        options |= {"types": _struct(types)} if types else {}
    elif kind == "json":
        # A key may appear for the first time in the last line: only a look at all lines knows the columns.
        options |= {"format": "'newline_delimited'"}
        options |= {"columns": _struct(types)} if types else {"sample_size": "-1"}
    name = ibis.util.gen_name("journeylab_files")
    written = ", ".join([_list(paths), *(f"{option} = {value}" for option, value in options.items())])
    connection.con.execute(f"CREATE TEMP VIEW {name} AS FROM read_{kind}({written})")
    return connection.table(name)


def _dialect(path: str) -> dict[str, str]:
    # Left to guess, the engine may pass over lines: titles, comments, rows of another length.
    delimiter = max(_DELIMITERS, key=_heading(path).count)
    return {
        "header": "true",
        "skip": "0",
        "comment": "''",
        "quote": "'\"'",
        "escape": "'\"'",
        "delim": _quoted(delimiter),
    }


def _heading(path: str) -> str:
    opened = gzip.open if path.lower().endswith(".gz") else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", errors="replace") as file:
            first = file.readline().rstrip("\r\n")
    except (OSError, EOFError, zlib.error) as problem:
        raise LogError(f"“{path}” cannot be read: {str(problem).rstrip('.')}. Fix it, or leave it out.") from None
    if "\0" in first:
        raise LogError(f"“{path}” is not UTF-8 text: its first line has the character U+0000. Save it as UTF-8.")
    return first


def _first_bad_line(connection: Backend, paths: tuple[str, ...]) -> duckdb.Error | None:
    # The engine's guess says only that it failed; read as plain text, each file tells the line.
    for path in paths:
        names = next(csv.reader([_heading(path)], delimiter=max(_DELIMITERS, key=_heading(path).count)))
        columns = _struct({f"{number} {name}": "VARCHAR" for number, name in enumerate(names)})
        options = ", ".join(f"{option} = {value}" for option, value in _dialect(path).items())
        try:
            scan = f"read_csv({_list((path,))}, auto_detect = false, columns = {columns}, {options})"
            connection.con.execute(f"SELECT count(*) FROM (FROM {scan})").fetchall()
        except PROBLEMS as problem:
            return problem
    return None


def _list(paths: tuple[str, ...]) -> str:
    return f"[{', '.join(_quoted(path) for path in paths)}]"


def _struct(types: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{_quoted(name)}: {_quoted(kind)}' for name, kind in types.items())}}}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
