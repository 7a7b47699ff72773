"""Which column of a file is the customer, the time, the event, and what was known of customers at the start?"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from journeylab.base.errors import StudyError
from journeylab.base.words import counted, listed
from journeylab.events.features.attributes import tells_only_the_future
from journeylab.study.draft.look import Look, LookedAt

_WHO = (
    r"^customer(_?id)?$", r"customer", r"^(user|account|client|member|person|distinct|visitor|guest|patient|student)",
    r"(user|account|client|member|person|distinct|visitor|guest|lead|mql|company)[_ ]?(id|no|key)?$",
    r"case|contact", r"(^|[_. ])(id|key|number|no)$|id$",
)  # fmt: skip
_WHAT = (
    r"^event(_?name)?$",
    r"event",
    r"^(action|activity)",
    r"concept:name",
    r"^(type|name|status|state|stage|step)$",
)
_WHEN = (r"^(time|timestamp|ts)$", r"time|stamp", r"date|_at$|_on$")
_WEAK = 4  # from here on, names that may also be those of a status
_ROW_ID = re.compile(r"^\$?(insert_?id|uuid|event_?id|message_?id)$", re.IGNORECASE)
_MOST_KINDS = 300
_FEW_VALUES = 30


@dataclass(frozen=True)
class DraftSource:
    """How one file becomes events: its entry in study.yml, with the reason of each guess, and the questions that are
    open."""

    file: LookedAt
    columns: Mapping[str, str]
    unfold: Mapping[str, str]
    how: Mapping[str, Any]
    needs_zone: bool
    reasons: tuple[str, ...]
    questions: tuple[str, ...]


@dataclass(frozen=True)
class DraftCustomers:
    """Which file tells what was known of customers at the start: the column of ids, the columns that seem to have been
    known then, and those that look as if they became known later."""

    file: LookedAt
    key: str
    attributes: tuple[str, ...]
    later: tuple[str, ...]


def draft_sources(files: list[LookedAt]) -> tuple[list[DraftSource], DraftCustomers | None]:
    """The files that hold events, and the one that tells most of customers.

    Raises StudyError where no file has a time and a customer.
    """
    whose = {id(file): _customer_column(file, files) for file in files}
    sources = [_source(file, who) for file in files if file.times and (who := whose[id(file)])]
    if not sources:
        raise StudyError(
            f"No column of times beside one of customers is in {listed([f'“{file.path.name}”' for file in files])}. "
            "Write study.yml by hand: “journeylab init DIR” without --from shows how."
        )
    return sources, _customers(files, whose)


def _source(file: LookedAt, who: str) -> DraftSource:
    what = _event_column(file, who)
    if what:
        when = _time_column(file, who)
        used, unfold = [when], {}
        columns = {"customer_id": who, "time": when.name, "event": what}
        reasons = [
            f"“{who}” is the customer ({_different(file, who)}), “{what}” the event ({_different(file, what)}), "
            f"“{when.name}” its time"
        ]
        ids = [name for name, column in file.columns.items() if _ROW_ID.match(name) and _is_key(file, column)]
        if ids:
            columns["event_id"] = ids[0]
            reasons.append(f"“{ids[0]}” is the id of the event: a row with one that was there before is a duplicate")
    else:
        used = _in_order(file.times)
        unfold = {column.name: _event_name(column.name) for column in used}
        columns = {"customer_id": who}
        reasons = [
            f"“{who}” is the customer ({_different(file, who)}); no column names events, so each date becomes one"
        ]
    how: dict[str, Any] = dict(file.how)
    for column in used:
        how |= column.time or {}
    if len({tuple((column.time or {}).items()) for column in used}) > 1:
        reasons.append("the columns of dates are written in several ways: look whether each is read")
    questions = [column.question for column in used if column.question]
    if what and (len(file.times) > 1):
        others = [column.name for column in file.times if column.name != columns["time"]]
        questions.append(f"Is “{columns['time']}” the time of the event, or is it {listed(others)}?")
    others = [
        name
        for name, column in file.columns.items()
        if name != who and column.time is None and column.n_different > 2 and _is_like(name, _WHO)
    ]
    if others:
        questions.append(f"Who travels: “{who}”, or {listed([f'“{name}”' for name in others[:4]])}?")
    needs_zone = any(not column.has_zone for column in used)
    return DraftSource(file, columns, unfold, how, needs_zone, (*file.reasons, *reasons), tuple(questions))


def _customer_column(file: LookedAt, files: Iterable[LookedAt]) -> str | None:
    """The column most like one of customers by name, then one that every file has, then one of many values."""

    is_wide = _is_wide(file)

    def score(column: Look) -> tuple:
        shared = sum(column.name in other.columns for other in files)
        return (is_wide and _is_key(file, column), -_rank(column.name, _WHO), shared, column.n_different)

    fit = [
        column
        for column in file.columns.values()
        if column.time is None and column.n_different > 1 and _is_like(column.name, _WHO)
    ]
    return max(fit, key=score).name if fit else None


def _is_wide(file: LookedAt) -> bool:
    """Whether a row tells the whole way of whom or what it is about: it has several dates and a key. A status there is
    only the last."""
    names_events = any(_rank(name, _WHAT) < _WEAK for name in file.columns)
    has_key = any(_is_key(file, column) and _is_like(column.name, _WHO) for column in file.columns.values())
    return len(file.times) > 1 and has_key and not names_events


def _is_key(file: LookedAt, column: Look) -> bool:
    return column.n_different == len(file.rows)


def _event_column(file: LookedAt, who: str) -> str | None:
    fit = [
        column
        for column in file.columns.values()
        if column.time is None and column.name != who and _is_like(column.name, _WHAT)
        and 1 <= column.n_different <= min(_MOST_KINDS, max(len(column.cells) / 2, 1))
        and not pd.api.types.is_float_dtype(column.cells) and len(column.cells) >= 0.9 * len(file.rows)
    ]  # fmt: skip
    if _is_wide(file):
        return None
    return min(fit, key=lambda column: _rank(column.name, _WHAT)).name if fit else None


def _time_column(file: LookedAt, who: str) -> Look:
    """The column of times that differs within a customer, and is most like one by name."""

    def score(column: Look) -> tuple:
        return (_is_constant(file, who, column.name), _rank(column.name, _WHEN))

    return min(file.times, key=score)


def _customers(files: list[LookedAt], whose: Mapping[int, str | None]) -> DraftCustomers | None:
    """The file with most customers that tells anything of them that does not differ within one."""
    best: DraftCustomers | None = None
    for file in sorted(files, key=lambda one: _n_customers(one, whose[id(one)]), reverse=True):
        who = whose[id(file)]
        if who is None:
            continue
        known = [name for name, column in file.columns.items() if _is_attribute(file, who, column)]
        later = tuple(name for name in known if tells_only_the_future(name))
        attributes = tuple(name for name in known if name not in later)
        if attributes and (best is None or (not file.times and best.file.times)):
            best = DraftCustomers(file, who, attributes, later)
    return best


def _n_customers(file: LookedAt, who: str | None) -> int:
    return file.rows[who].nunique() if who else 0


def _is_attribute(file: LookedAt, who: str, column: Look) -> bool:
    if column.time is not None or column.name == who or _is_like(column.name, _WHAT) or column.n_different < 2:
        return False
    values = column.cells
    if file.how.get("decimal"):
        values = values.astype(str).str.replace(".", "").str.replace(",", ".")
    is_number = pd.to_numeric(values, errors="coerce").notna().all() and not _is_like(column.name, _WHO)
    return (is_number or column.n_different <= _FEW_VALUES) and _is_constant(file, who, column.name)


def _is_constant(file: LookedAt, who: str, name: str) -> bool:
    differs = file.rows.groupby(who, observed=True)[name].agg("nunique", dropna=False) > 1
    return not differs.any()


def _in_order(times: list[Look]) -> list[Look]:
    """Columns of dates as they mostly follow each other; those that are filled more often first where they do not."""

    def middle(column: Look) -> float:
        read = pd.to_datetime(
            column.cells, errors="coerce", utc=True, dayfirst=bool((column.time or {}).get("day_first"))
        )
        return float(read.astype("int64").median()) if len(read) else 0.0

    return sorted(times, key=lambda column: (-len(column.cells) // 50, middle(column)))


def _event_name(column: str) -> str:
    """What happened, from the name of a column of dates: “ordered” from “ordered_at”."""
    name = re.sub(r"([a-z])([A-Z])", r"\1_\2", column).lower()
    name = re.sub(r"[^\w]+", "_", name).strip("_")
    return re.sub(r"_?(date|time|timestamp|at|on|day|datum)$|^(date|datum)_(of_)?", "", name) or name


def _different(file: LookedAt, name: str) -> str:
    return f"{counted(file.columns[name].n_different, 'value')} in {counted(len(file.rows), 'row')}"


def _rank(name: str, shapes: Iterable[str]) -> int:
    ranks = [rank for rank, shape in enumerate(shapes) if re.search(shape, _words(name))]
    return ranks[0] if ranks else 99


def _is_like(name: str, shapes: Iterable[str]) -> bool:
    return _rank(name, shapes) < 99


def _words(name: str) -> str:
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name.rpartition(".")[2]).lower()
