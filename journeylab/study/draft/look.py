"""What does each column of a file look like, from a sample of its rows?"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from journeylab.base.errors import LogError
from journeylab.events.reading.format import TableFormat, format_of
from journeylab.events.reading.tables import dialect_of, read_rows
from journeylab.events.reading.written_times import looks_like

SAMPLE = 100_000
_ISO = re.compile(r"^\d{4}-\d\d?-\d\d?([T ]\d\d?:\d\d.*)?$")
_ZONED = re.compile(r"^.{10}.*(Z|UTC|GMT|[-+]\d\d:?\d\d)$", re.IGNORECASE)
_DAY_MONTH = re.compile(r"^(\d{1,2})([./-])(\d{1,2})[./-]\d{4}\b")
_MAY_BE_TIME = re.compile(r"time|date|stamp|_at$|_on$|^ts$|^at$|day|created|zeit|datum", re.IGNORECASE)
_COMMA = re.compile(r"^-?\d{1,3}(\.?\d{3})*,\d+$|^-?\d+$")
_MOST_WRONG = 0.02


@dataclass(frozen=True)
class Look:
    """One column of a sample: its `cells` that are not blank, which `time` it holds (how it is written; None for no
    times), whether its times name a zone, and what could not be decided about them."""

    name: str
    cells: pd.Series
    time: Mapping[str, Any] | None = None
    has_zone: bool = True
    question: str | None = None

    @property
    def n_different(self) -> int:
        """How many different values it has."""
        return self.cells.nunique()


@dataclass(frozen=True)
class LookedAt:
    """A file with its columns, the `rows` of the sample, and how it seems to be written (`how`), with the reason of
    each guess."""

    path: Path
    rows: pd.DataFrame
    columns: Mapping[str, Look]
    how: Mapping[str, Any]
    reasons: tuple[str, ...] = field(default=())

    @property
    def times(self) -> list[Look]:
        """The columns that hold times."""
        return [column for column in self.columns.values() if column.time is not None]


def look_at(path: Path) -> LookedAt:
    """Read a sample of the file at `path`. Raises LogError for a file that cannot be read in any way."""
    how, reasons = _how_written(path)
    rows = read_rows(path, format_of(how, TableFormat), as_written=lambda _, kind: not kind.is_nested(), limit=SAMPLE)
    columns = {name: _look(name, rows[name]) for name in rows}
    marks = _marks(columns)
    reasons += ["numbers are written with a decimal comma"] if marks else []
    return LookedAt(path, rows, columns, how | marks, tuple(reasons))


def _how_written(path: Path) -> tuple[dict[str, Any], list[str]]:
    """What has to be said of how a file is written, so that it can be opened; the errors say what that may be."""
    how: dict[str, Any] = {}
    reasons: list[str] = []
    for _ in range(3):
        try:
            dialect = dialect_of(path, format_of(how, TableFormat))
        except LogError as problem:
            said = re.search(r'(encoding|sheet)="([^"]+)"', str(problem))
            if said is None or said[1] in how:
                raise
            how[said[1]] = said[2]
            reasons.append(f"{said[1]}: {str(problem).split(' Say ')[0].split(': say')[0].removeprefix(f'“{path}” ')}")
            continue
        at = dialect.likely_header if dialect else 0
        if dialect is not None and at > dialect.skip:
            how["skip_rows"] = at
            reasons.append(f"skip_rows: line {at + 1} is the first with a name for every column")
        return how, reasons
    return how, reasons


def _marks(columns: Mapping[str, Look]) -> dict[str, str]:
    """The marks in numbers, where some are written with a comma."""
    with_comma = [
        one.cells
        for one in columns.values()
        if one.time is None and len(one.cells) and _mostly(one.cells.astype(str), _COMMA)
        and one.cells.astype(str).str.contains(",").any()
    ]  # fmt: skip
    has_point = any(values.astype(str).str.contains(".", regex=False).any() for values in with_comma)
    return ({"decimal": ","} if with_comma else {}) | ({"thousands": "."} if has_point else {})


def _look(name: str, column: pd.Series) -> Look:
    if pd.api.types.is_datetime64_any_dtype(column):
        return Look(name, column.dropna(), {}, has_zone=column.dt.tz is not None)
    values = column.dropna()
    if values.empty or values.map(lambda value: isinstance(value, list | dict)).any():
        return Look(name, values.iloc[:0])
    texts = values.astype(str).str.strip()
    texts = texts[texts != ""]
    some = texts.iloc[:2000]
    if some.empty:
        return Look(name, texts)
    if _mostly(some, _ISO):
        return Look(name, texts, {}, has_zone=_mostly(some, _ZONED))
    if _mostly(some, _DAY_MONTH):
        return _day_month(name, texts)
    unit = re.search(r'(time_unit|time_format)="([^"]+)"', looks_like(some.min()) or "")
    if unit and _mostly(some, re.compile(r"^\d+(\.\d+)?$")) and _MAY_BE_TIME.search(name):
        return Look(name, texts, {unit[1]: unit[2]}, has_zone=unit[1] == "time_unit")
    return Look(name, texts)


def _day_month(name: str, texts: pd.Series) -> Look:
    """Days and months in an order that only numbers above 12 can tell."""
    parts = texts.str.extract(_DAY_MONTH).dropna()
    first, second = parts[0].astype(int).max(), parts[2].astype(int).max()
    day_first = bool(first > 12 or (second <= 12 and (parts[1] == ".").all()))
    question = None
    if first <= 12 and second <= 12:
        question = f"“{texts.iloc[0]}” may begin with the day or the month: day_first true or false?"
    return Look(name, texts, {"day_first": day_first}, has_zone=_mostly(texts, _ZONED), question=question)


def _mostly(texts: pd.Series, shape: re.Pattern) -> bool:
    return bool(texts.str.match(shape).mean() >= 1 - _MOST_WRONG)
