"""Files of events and of customers, tables in memory, notebooks and durations that are broken in every way."""

import datetime
import gzip
import json
import math
import zlib
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from hostile.harness import Try

import journeylab as jl
from journeylab.base.durations import microseconds
from journeylab.events.log import EventLog
from journeylab.reporting.running import read_notebook

WINDOW = ("2024-01-01", "2026-01-01")
ROWS = pd.DataFrame(
    {
        "customer_id": ["ann", "bob", "ann"],
        "event": ["join", "join", "leave"],
        "time": ["2025-01-01T10:00:00Z", "2025-01-02T10:00:00Z", "2025-02-01T10:00:00Z"],
    }
)
TIMES = ["", "x", "0000-00-00", "9999-12-31", "10000-01-01T00:00:00Z", "-0044-03-15T00:00:00Z", "2025-02-30T00:00:00Z"]
TIMES += ["2025-01-01T25:00:00Z", "2025-01-01T00:00:00+99:00", "epoch", "infinity", "now", "2025-01-01 BC", "1e400"]
TIMES += ["2025-01-01T00:00:60Z", "2025-W01-1T00:00:00Z", "20250101T000000Z", "2025-01-01T00:00:00.1234567891Z", "NaT"]
TIMES += ["1736000000", "-1", "٢٠٢٥-٠١-٠١T00:00:00Z", "2025-01-01T00:00:00 Europe/Paris", "2025-01-01T00:00:00[UTC]"]
CELLS: list[Any] = [
    None,
    math.nan,
    math.inf,
    1j,
    2**70,
    -(2**70),
    Decimal("1e400"),
    b"\xff",
    "\ud800",
    "\0",
    "",
    [],
    {},
]
CELLS += [
    (1,),
    {1},
    object(),
    datetime.date(1, 1, 1),
    datetime.time(1),
    datetime.timedelta(9),
    pd.Timestamp.max,
    pd.NaT,
]
CELLS += [
    pd.NA,
    True,
    np.float16(1),
    np.datetime64("2025"),
    np.timedelta64(1, "D"),
    pd.Interval(0, 1),
    pd.Period("2025"),
]


def adds_up(log: object) -> bool:
    """Whether every row read is an event or in quarantine."""
    return isinstance(log, EventLog) and log.rows_read == len(log) + len(log.quarantine)


def _read(place: Path, content: bytes, **options: Any) -> object:
    place.parent.mkdir(exist_ok=True, parents=True)
    place.write_bytes(content)
    return jl.read_events(place, window=WINDOW, **options)


def _damaged(whole: bytes, n: int) -> Iterator[tuple[str, bytes]]:
    """`whole` cut at, and with a byte changed at, `n` places."""
    yield "empty", b""
    for place in np.linspace(0, len(whole) - 1, n).astype(int):
        yield f"cut at {place}", whole[:place]
        yield f"changed at {place}", whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]


def event_files(folder: Path) -> Iterator[Try]:
    """CSV, JSON lines and Parquet, whole, damaged, in other encodings, compressed and named strangely."""
    text = ROWS.to_csv(index=False)
    lines = ROWS.to_json(orient="records", lines=True)
    pq.write_table(pa.Table.from_pandas(ROWS), folder / "whole.parquet")
    parquet = (folder / "whole.parquet").read_bytes()
    kinds = {
        ".csv": text.encode(),
        ".jsonl": lines.encode(),
        ".parquet": parquet,
        ".csv.gz": gzip.compress(text.encode()),
    }
    for ending, whole in kinds.items():
        yield Try(f"whole{ending}", partial(_read, folder / f"a{ending}", whole), check=adds_up)
        for what, content in _damaged(whole, 6):
            yield Try(f"{ending} {what}", partial(_read, folder / f"a{ending}", content), check=adds_up)
    for encoding in ("utf-16", "utf-16-be", "utf-32", "utf-8-sig", "cp1252", "cp500"):
        content = text.replace("ann", "anné").encode(encoding)
        yield Try(f"{encoding}.csv", partial(_read, folder / "e.csv", content), check=adds_up)
    ragged = [
        "a",
        "a,b",
        "a,b,c,d,e",
        '"',
        '"a',
        "a\0b,c,d",
        "\x1b[31m,x,y",
        "=1,2,3",
        ",",
        ",,",
        "\r",
        '"a""b",c,d',
        "a;b;c",
    ]
    for line in ragged:
        yield Try(f"line {line!r}", partial(_read, folder / "r.csv", f"{text}{line}\n".encode()), check=adds_up)
        yield Try(f"head {line!r}", partial(_read, folder / "h.csv", f"{line}\n{text}".encode()), check=adds_up)
    for deep in (10, 501, 100_000):
        for begin, end in (("[", "]"), ('{"a":', "1" + "}"), ('"[', '"')):
            nested = begin * deep + end * deep if begin != '"[' else f'"{"[" * deep}"'
            content = f'{lines}{{"customer_id":"a","event":"e","time":"2025-01-01T00:00:00Z","x":{nested}}}\n'
            yield Try(f"{begin} {deep} deep", partial(_read, folder / "d.jsonl", content.encode()), check=adds_up)
    for value in (
        "null",
        "1",
        "1e999",
        "true",
        "[]",
        "{}",
        '"\\ud800"',
        '"\\u0000"',
        "NaN",
        "'x'",
        "",
        '"a',
        "-",
        "1" * 400,
    ):
        for key in ("customer_id", "time", "value", "more"):
            row = f'{{"customer_id":"a","event":"e","time":"2025-01-01T00:00:00Z","{key}":{value}}}\n'
            yield Try(
                f"json {key}={value[:9]}", partial(_read, folder / "v.jsonl", (lines + row).encode()), check=adds_up
            )


def times(folder: Path) -> Iterator[Try]:
    """Times that are none, far away, or written in another way."""
    for ending in (".csv", ".jsonl"):
        for written in TIMES:
            for zone in (None, "Europe/Paris"):
                rows = pd.concat([ROWS, ROWS.head(1).assign(time=written)])
                content = rows.to_csv(index=False) if ending == ".csv" else rows.to_json(orient="records", lines=True)
                call = partial(_read, folder / f"t{ending}", content.encode("utf-8", "surrogatepass"), timezone=zone)
                yield Try(f"{ending} {written} in {zone}", call, check=adds_up)


def tables(folder: Path) -> Iterator[Try]:  # noqa: ARG001
    """Frames, Arrow and Ibis tables with cells of every type in every column."""
    for column in ("customer_id", "time", "value", "more"):
        for value in CELLS:
            frame = pd.concat([ROWS, ROWS.head(1)], ignore_index=True).astype(object)
            frame[column] = pd.Series([frame.get(column, pd.Series([None] * 4))[0], None, None, value], dtype=object)
            call = partial(jl.read_events, frame, window=WINDOW)
            yield Try(f"frame {column}={type(value).__name__} {str(value)[:9]!r}", call, check=adds_up)
    arrow = pa.Table.from_pandas(ROWS)
    for kind in (
        pa.binary(),
        pa.list_(pa.int8()),
        pa.map_(pa.string(), pa.string()),
        pa.struct([]),
        pa.null(),
        pa.bool_(),
    ):
        for column in ("customer_id", "time", "more"):
            values = pa.nulls(3, kind)
            changed = (arrow.drop_columns(column) if column in arrow.column_names else arrow).append_column(
                column, values
            )
            yield Try(f"Arrow {column} {kind}", partial(jl.read_events, changed, window=WINDOW), check=adds_up)
    for kind in (
        "ENUM('a')",
        "UNION(a INT, b TEXT)",
        "BIT",
        "UUID",
        "HUGEINT",
        "INTERVAL",
        "BLOB",
        "TIMETZ",
        "MAP(INT, INT)",
    ):
        for column in ("customer_id", "time", "more"):
            yield Try(f"Ibis {column} {kind}", partial(_from_database, kind, column), check=adds_up)
    yield Try("closed connection", partial(_from_database, "INT", "more", closed=True), refused=True)


def _from_database(kind: str, column: str, *, closed: bool = False) -> object:
    connection = ibis.duckdb.connect()
    others = [f"'{value}' AS {name}" for name, value in ROWS.iloc[0].items() if name != column]
    connection.raw_sql(f"CREATE TABLE t AS SELECT {', '.join(others)}, CAST(NULL AS {kind}) AS {column}")
    table = connection.table("t")
    if closed:
        connection.disconnect()
    return jl.read_events(table, window=WINDOW)


def customers(folder: Path) -> Iterator[Try]:
    """Customers' files that are damaged, in another encoding, ragged or empty."""
    people = pd.DataFrame({"customer_id": ["ann", "bob"], "plan": ["é", "b"]})
    people.to_parquet(folder / "p.parquet")
    text = people.to_csv(index=False).encode()
    kinds = {".parquet": (folder / "p.parquet").read_bytes(), ".csv": text, ".csv.gz": gzip.compress(text)}
    for ending, whole in kinds.items():
        for what, content in [("whole", whole), *_damaged(whole, 6)]:
            yield Try(f"customers{ending} {what}", partial(_with_customers, folder / f"c{ending}", content))
    for content in [
        text.decode().encode("latin-1"),
        text.decode().encode("utf-16"),
        b"a,b\n1,2,3\n4\n",
        b'"',
        b"\0",
        zlib.compress(text),
    ]:
        yield Try(f"customers {content[:9]!r}", partial(_with_customers, folder / "c.csv", content))
        yield Try(f"customers gz {content[:9]!r}", partial(_with_customers, folder / "c.csv.gz", content))


def _with_customers(place: Path, content: bytes) -> object:
    place.write_bytes(content)
    return jl.read_events(ROWS, window=WINDOW, customers=place)


def notebooks(folder: Path) -> Iterator[Try]:
    """Notebooks that are no JSON, no notebook, or lack a part."""
    code = {"cell_type": "code", "source": "1", "metadata": {}, "outputs": [], "execution_count": None, "id": "a"}
    good = {"cells": [code], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    wrong = [None, 1, "x", [], {}, [1], [None], ["x"], [[]], [{}], -1, 1e99, True]
    documents = [good, *wrong]
    documents += [{**good, key: value} for key in good for value in wrong]
    documents += [{key: value for key, value in good.items() if key != missing} for missing in good]
    documents += [{**good, "cells": [{**code, key: value}]} for key in code for value in wrong]
    contents = [json.dumps(document).encode() for document in documents]
    contents += [b"", b"{", b"\xff\xfe", b"\0", b"[" * 50_000, b"null", b"NaN", "{}".encode("utf-16")]
    for number, content in enumerate(contents):
        yield Try(f"notebook {number} {content[:60]!r}", partial(_notebook, folder / "n.ipynb", content))


def _notebook(place: Path, content: bytes) -> object:
    place.write_bytes(content)
    return read_notebook(place)


def persona_files(folder: Path) -> Iterator[Try]:
    """Files of personas and of maps that were cut or changed."""
    simulation = jl.simulate_log(60, seed=1)
    spells = jl.find_spells(simulation.log, simulation.journey)
    jl.find_personas(simulation.log, simulation.journey, within="30d", seed=1, replicates=0).write(folder / "p.json")
    jl.build_map(spells, [jl.estimate_survival(spells)]).write(folder / "m.json")
    for name, read in (("p.json", jl.read_personas), ("m.json", jl.read_map)):
        whole = (folder / name).read_bytes().rstrip()
        for what, content in [
            *_damaged(whole, 60),
            ("list", b"[]"),
            ("deep", b"[" * 100_000),
            ("UTF-16", b"\xff\xfe{\0"),
        ]:
            yield Try(f"{name} {what}", partial(_again, read, folder / f"again-{name}", content), refused=True)


def _again(read: Any, place: Path, content: bytes) -> object:
    place.write_bytes(content)
    return read(place)


def durations_and_paths(folder: Path) -> Iterator[Try]:
    """Durations that are none, and paths that lead nowhere."""
    numbers = [
        "",
        "0",
        "-1",
        "1",
        "1.5",
        "1e3",
        "9" * 30,
        "9" * 400,
        "0.0000001",
        "nan",
        "inf",
        "٣",
        "½",
        "1_000",
        "1,5",
        "+1",
    ]
    for number in numbers:
        for unit in ("", "s", "m", "h", "d", "w", "y", "D", " d", "d ", "dd", "\n", "\0d"):
            yield Try(f"duration {number[:9]!r}{unit!r}", partial(microseconds, number + unit))
    paths = [
        "",
        " ",
        ".",
        "..",
        "/",
        "/dev/null",
        "/proc/self/mem",
        "~nobody/x",
        "a\0b",
        "a" * 300,
        "a/" * 3000,
        "\ud800",
        "*",
        "[",
    ]
    paths += ["?", "x.csv", "x.xyz", "-", "con", "file:///x", "http://x.example/x.csv", "s3://a/b.parquet", str(folder)]
    readers = (jl.read_journey, jl.read_map, jl.read_personas, jl.open_study, partial(jl.read_events, window=WINDOW))
    for path in paths:
        for read in readers:
            yield Try(f"path {path[:20]!r} {read}", partial(read, path))
