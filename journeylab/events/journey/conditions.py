"""Conditions: which events of a log does a rule of the journey mean, and what must their columns hold?"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import and_
from typing import Annotated, Any, TypeVar

import ibis
import ibis.expr.datatypes as dt
from ibis.expr.types import BooleanValue, Column
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    Tag,
    model_validator,
)

from journeylab.base.documents import Duration, Text, refused
from journeylab.base.durations import microseconds
from journeylab.base.errors import JourneyError, did_you_mean
from journeylab.base.problems import in_words


class Frozen(BaseModel):
    """What journey.yml declares: fixed once read, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _plain(value: Any) -> Any:
    if not isinstance(value, str | bool | int | float) or (isinstance(value, float) and not math.isfinite(value)):
        raise refused(
            f"must be text, a number, true or false, found {in_words(value)}. Write such a value, or put it in quotes."
        )
    return value


def _named_events(value: Any) -> Any:
    names = value if isinstance(value, list | tuple) else [value]
    if not names:
        raise refused("is empty. Name at least one event.")
    for name in names:
        if not isinstance(name, str):
            raise refused(
                f"must be the name of an event, or a list of names, found {in_words(name)}. Put it in quotes."
            )
        if not name.strip():
            raise refused("contains an empty name. Write the event's name as the log has it.")
    return names[0] if len(names) == 1 else tuple(names)


def _as_number(value: Any) -> Any:
    """A number that YAML leaves as it was typed, such as 0.50 or 1e6."""
    with suppress(ValueError):
        return float(value) if isinstance(value, str) else value
    return value


Bound = Annotated[float, BeforeValidator(_as_number), Strict(), Field(allow_inf_nan=False)]


class Bounds(Frozen):
    """A range of numbers, bounds excluded."""

    model_config = ConfigDict(title="a range of numbers", json_schema_extra={"minProperties": 1})

    above: Bound | None = Field(None, description="Only values greater than this number.")
    below: Bound | None = Field(None, description="Only values less than this number.")

    @model_validator(mode="after")
    def _check_ends(self) -> "Bounds":
        if self.above is None and self.below is None:
            raise refused("has neither “above” nor “below”. Write one of them, or both.")
        if self.above is not None and self.below is not None and self.above >= self.below:
            raise refused(
                f"asks for a number above {self.above:g} and below {self.below:g}, and there is none. "
                "Swap the two, or change one."
            )
        return self


def _kind(value: Any) -> str:
    if isinstance(value, Mapping | Bounds):
        return "a range"
    return "a list" if isinstance(value, list | tuple) else "a value"


def _unwrapped(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


Value = Annotated[str | bool | int | float, BeforeValidator(_plain)]
Wanted = Annotated[
    Annotated[Bounds, Tag("a range")]
    | Annotated[tuple[Value, ...], Field(min_length=1), Tag("a list")]
    | Annotated[Value, Tag("a value")],
    Discriminator(_kind),
    AfterValidator(_unwrapped),
]
_One = TypeVar("_One", bound=Bounds | Value)


def _in_order(where: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(where.items()))


class Condition(Frozen):
    """An event by name, and what its columns must hold."""

    model_config = ConfigDict(title="a condition", json_schema_extra={"examples": [{"event": "trial_started"}]})

    event: Annotated[
        Text | Annotated[tuple[Text, ...], Field(min_length=1)],
        BeforeValidator(_named_events),
        Field(description="Name of the event as the log has it, or a list of names: any of them."),
    ]
    where: Annotated[dict[Text, Wanted], AfterValidator(_in_order)] = Field(
        {},
        description="What columns of the event must hold, all of them: a value, a list (any of them), or a range of "
        "numbers {above: x, below: y}, bounds excluded. An empty cell never matches.",
    )

    @property
    def events(self) -> tuple[str, ...]:
        """The names of the events, always a tuple."""
        return (self.event,) if isinstance(self.event, str) else self.event

    @property
    def words(self) -> str:
        """The condition as a person says it: “cancelled, where reason is price or budget”."""
        asked = " and ".join(f"{column} is {_wanted_words(wanted)}" for column, wanted in self.where.items())
        return " or ".join(self.events) + (f", where {asked}" if asked else "")


def _wanted_words(wanted: Wanted) -> str:
    if isinstance(wanted, Bounds):
        ends = (("above", wanted.above), ("below", wanted.below))
        return " and ".join(f"{side} {number:g}" for side, number in ends if number is not None)
    return " or ".join(map(value_text, values_of(wanted)))


def values_of(wanted: _One | tuple[_One, ...]) -> tuple[_One, ...]:
    """The wanted values, always a tuple."""
    return wanted if isinstance(wanted, tuple) else (wanted,)


def value_text(value: Value) -> str:
    """`value` as a log writes it: `true`, not `True`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def value_number(value: Value) -> int | float | None:
    """`value` as a number, or None for a text that is not one."""
    if not isinstance(value, str):
        return int(value) if isinstance(value, bool) else value
    try:
        return float(value)
    except ValueError:
        return None


class ValidationRule(Condition):
    """A measurable proof that customers do what the stage is about: `at_least` events `within` a time of entering."""

    model_config = ConfigDict(
        title="a validation",
        json_schema_extra={"examples": [{"event": "project_created", "at_least": 2, "within": "14d"}]},
    )

    at_least: Annotated[int, Strict()] = Field(
        1, ge=1, description="How often the event must happen in the stage. The event that opens it does not count."
    )
    within: Duration | None = Field(
        None, description="Time from entering the stage, such as 14d, 12h or 2w; exactly that long still counts."
    )

    @cached_property
    def within_us(self) -> int | None:
        """`within` in microseconds, or None for any time."""
        return None if self.within is None else microseconds(self.within)

    @property
    def words(self) -> str:
        """The validation as a person says it: “project_created at least 2 times within 14d”."""
        often = "" if self.at_least == 1 else f" at least {self.at_least} times"
        return super().words + often + (f" within {self.within}" if self.within else "")


@dataclass(frozen=True)
class ColumnProblem:
    """What a condition asks of a `column` that the log cannot give: what is wrong (`problem`), and the `fix`."""

    rule: str
    column: str
    problem: str
    fix: str


def column_problems(condition: Condition, schema: Mapping[str, dt.DataType], *, owner: str) -> Iterator[ColumnProblem]:
    """The columns of `condition` that the log lacks, and those with bounds but without numbers."""
    subject = f"The condition in {owner} ({condition.words})"
    for column, wanted in condition.where.items():
        if column not in schema:
            problem = f"{subject} asks for the column “{column}”, which the log lacks."
            yield ColumnProblem("unknown-column", column, problem, did_you_mean(column, schema))
        elif isinstance(wanted, Bounds) and not schema[column].is_numeric():
            problem = f"{subject} sets bounds on the column “{column}”, whose type is {schema[column]}, not a number."
            fix = "List the values that are meant, or convert the column when reading the log."
            yield ColumnProblem("bounds-without-numbers", column, problem, fix)


def holds(events: ibis.Table, condition: Condition, *, owner: str) -> BooleanValue:
    """Which of `events` meet `condition`: a boolean expression, false rather than null where a cell is missing.

    Numbers compare with numbers and text with text. A column of text compares with a number as that number is written,
    and a column of numbers with a text that reads as a number; any other column compares as text. `owner` says in
    errors whose condition it is, as in `“opened_by” of stage “trial”`. Raises JourneyError where `events` lacks a
    column, or where bounds are set on a column without numbers.
    """
    for problem in column_problems(condition, events.schema(), owner=owner):
        raise JourneyError(f"{problem.problem} {problem.fix}")
    tests = [events.event.isin(condition.events)]
    for column, wanted in condition.where.items():
        cell = events[column]
        tests.append(_within(cell, wanted) if isinstance(wanted, Bounds) else _equals(cell, wanted))
    return reduce(and_, tests).fill_null(False)


def any_holds(events: ibis.Table, conditions: Iterable[Condition], *, owner: str) -> BooleanValue:
    """Which of `events` meet at least one of `conditions`, as `holds` has it; each name is compared once."""
    conditions = tuple(conditions)
    whole = {name for condition in conditions if not condition.where for name in condition.events}
    narrow = [holds(events, condition, owner=owner) for condition in conditions if not set(condition.events) <= whole]
    return ibis.or_(events.event.isin(sorted(whole)), *narrow)


def _within(column: Column, bounds: Bounds) -> BooleanValue:
    tests = []
    if column.type().is_floating():  # DuckDB takes NaN for the largest number; to us it is missing
        tests.append(~column.isnan())
    if bounds.above is not None:
        tests.append(column > bounds.above)
    if bounds.below is not None:
        tests.append(column < bounds.below)
    return reduce(and_, tests)


def _equals(column: Column, wanted: Value | tuple[Value, ...]) -> BooleanValue:
    kind, texts = column.type(), [value_text(value) for value in values_of(wanted)]
    if kind.is_boolean():
        booleans = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
        values: Sequence[Value] = [booleans[text.lower()] for text in texts if text.lower() in booleans]
    elif kind.is_numeric():
        values = [number for value in values_of(wanted) if (number := value_number(value)) is not None]
    else:
        column, values = column if kind.is_string() else column.cast("string"), texts
    return column.isin(values) if values else ibis.literal(False)
