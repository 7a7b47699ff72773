"""Which column of the source becomes which column of the log, and of what type?"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias

import ibis
import ibis.expr.datatypes as dt

from journeylab.base.errors import LogError, did_you_mean
from journeylab.events.log import INITIATORS, REQUIRED

TEXTS = ("customer_id", "event", "event_id", "channel", "process", "initiator", "contact_id", "role", "text")
NUMBERS = ("value", "score")
KNOWN = ("customer_id", "time", "event", "seq", *TEXTS[2:-1], *NUMBERS, "text")
Mapped: TypeAlias = Mapping[str, str | Mapping[str, str]]
_WHOLE = r"^\s*(-?[0-9]+)\.0+\s*$"


@dataclass(frozen=True)
class Constant:
    """The same text in every row, for a log without such a column."""

    text: str


@dataclass(frozen=True)
class Columns:
    """What each column of the log is made from. `known`: columns that the log gives a meaning, from a source column's
    name or a constant; `others`: every other column under the name that it has in the log, from the source column's
    name."""

    known: Mapping[str, str | Constant]
    others: Mapping[str, str]

    def named(self, target: str) -> str:
        """The name of the source column of a `target` that is no constant."""
        name = self.known[target]
        assert isinstance(name, str), f"“{target}” is a constant"
        return name

    @property
    def text(self) -> set[str]:
        """Names of the source columns that are to be read as they are written."""
        wanted = (*TEXTS, "time")
        return {name for target, name in self.known.items() if target in wanted and isinstance(name, str)}


def match_columns(columns: Mapped, names: Iterable[str], *, label: str) -> Columns:
    """Match the log's columns to the source's `names`: first as `columns` says, then by equal name. The rest stay as
    they are.

    `columns` maps a name in the log to the source's name or to {"constant": text}; a name of the log that has no
    meaning of its own simply renames. A source column that would keep a name already taken, such as “event” where
    another column is mapped to it, is called “source_event”. Raises one LogError that lists the columns that are not
    there, and those of customer, time or event that are unknown.
    """
    names = list(names)
    known: dict[str, str | Constant] = {}
    problems = []
    for target, written in columns.items():
        if isinstance(written, Mapping):
            known[target] = Constant(str(written["constant"]))
        elif written in names:
            known[target] = written
        else:
            known[target] = Constant("")
            problems.append(
                f"{label} has no column “{written}”, which `columns` names for “{target}”. {_meant(written, names)}"
            )
    claimed = set(known.values())
    known |= {name: name for name in KNOWN if name in names and name not in known and name not in claimed}
    for target in REQUIRED:
        if target not in known:
            problems.append(
                f"{label} has no column “{target}”. {_close_to(target, names)}"
                f'Say which column it is: columns={{"{target}": "…"}}.'
            )
    if problems:
        raise LogError("\n".join(problems))
    return _with_others(known, [name for name in names if name not in claimed and name not in known.values()])


def check_mapping(columns: Mapped) -> Mapped:
    """`columns` itself, or LogError when it is not a mapping, or has an entry that cannot be right."""
    if not isinstance(columns, Mapping):
        raise LogError(
            f"`columns` is of type {type(columns).__name__}, not a mapping. "
            'Write {"customer_id": "…", "time": "…", "event": "…"} with the names of the source.'
        )
    for target, written in columns.items():
        is_constant = isinstance(written, Mapping) and list(written) == ["constant"] and target in TEXTS
        if not (isinstance(written, str) or is_constant):
            raise LogError(
                f"`columns` maps “{target}” to “{written}”. Name one column of the source, "
                'or for a text {"constant": "…"}.'
            )
        if target == "initiator" and not isinstance(written, str) and written["constant"] not in INITIATORS:
            fix = did_you_mean(str(written["constant"]), INITIATORS)
            raise LogError(f"`columns` maps “initiator” to “{written}”, which is no initiator. {fix}")
        close = [] if target in KNOWN else get_close_matches(str(target), KNOWN, n=1, cutoff=0.8)
        if close:
            raise LogError(
                f"`columns` names “{target}”, which is not a column of a log. Did you mean “{close[0]}”? "
                "To rename a column of your own, choose a name that is less similar."
            )
    return columns


def as_text(column: ibis.Value, looks: dt.DataType) -> ibis.Value:
    """`column` as text: itself where it is text already; whole numbers without decimals (“17850”, never “17850.0”).

    `looks` is the type that the values seem to have, which for text files is a guess: a text that seems to be a number
    with decimals loses them where they are zero, as whole numbers get them from tools that store missing values.
    """
    if column.type().is_string():
        return column.re_replace(_WHOLE, r"\1") if looks.is_floating() else column
    if column.type().is_floating() or column.type().is_decimal():
        is_whole = (column == column.floor()) & (column.abs() < 2**53)
        return ibis.ifelse(is_whole, column.try_cast("int64").cast("string"), column.cast("string"))
    return column.cast("string")


def as_number(text: ibis.Value, decimal: str, thousands: str | None) -> ibis.Value:
    """`text` as a number with these marks in it; null where it is not written so."""
    text = text.strip()
    whole = "[0-9]+"
    if thousands:
        marks = "[ \u00a0\u202f]" if thousands == " " else re.escape(thousands)
        whole += f"|[0-9]{{1,3}}({marks}[0-9]{{3}})+"
        plain = text.re_replace(f"({marks})", "")
    else:
        plain = text
    shape = rf"^[-+]?({whole})?({re.escape(decimal)}[0-9]+)?([Ee][-+]?[0-9]+)?$"
    return ibis.ifelse(text.re_search(shape), plain.replace(decimal, "."), None).try_cast("float64")


def flattened(table: ibis.Table) -> ibis.Table:
    """`table` with a column for each field of a nested one, named by its path: “properties.reason”."""
    while any(kind.is_struct() for kind in table.schema().values()):
        columns: dict[str, ibis.Value] = {}
        for name, kind in table.schema().items():
            inner = {f"{name}.{key}": table[name][key] for key in kind.names} if kind.is_struct() else {}
            columns |= inner or {name: table[name]}
        table = table.select(**columns)
    return table


def column_in_words(name: str, label: str) -> str:
    """The column `name` of the source that messages call `label`."""
    return f"Column “{name}” of {label.replace('The ', 'the ', 1)}"


def is_blank(text: ibis.Value) -> ibis.Value:
    """Whether `text` is null or nothing but white space."""
    return text.isnull() | (text.strip() == "")


def _meant(written: str, names: list[str]) -> str:
    inner = [name for name in names if name.endswith(f".{written}")]
    return f"Did you mean “{inner[0]}”?" if len(inner) == 1 else did_you_mean(written, names)


def _close_to(target: str, names: list[str]) -> str:
    sentence = did_you_mean(target, names)
    return f"It has {', '.join(names)}. " if sentence.startswith("Known") else f"{sentence} "


def _with_others(known: dict[str, str | Constant], rest: list[str]) -> Columns:
    meant = {target: name for target, name in known.items() if target in KNOWN}
    others = {target: str(name) for target, name in known.items() if target not in KNOWN}
    # The engine does not tell “Event” from “event”.
    taken = {target.lower() for target in (*known, *KNOWN[:4])}
    for name in rest:
        free = name
        while free.lower() in taken:
            free = f"source_{free}"
        taken.add(free.lower())
        others[free] = name
    return Columns(meant, others)
