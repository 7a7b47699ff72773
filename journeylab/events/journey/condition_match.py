"""Matching: which events of a log does a condition of the journey mean?"""

from functools import reduce
from operator import and_

import ibis

from journeylab.base.errors import JourneyError, did_you_mean
from journeylab.events.journey.conditions import Bounds, Condition, Value


def holds(events: ibis.Table, condition: Condition, *, owner: str) -> ibis.expr.types.BooleanValue:
    """Which of `events` meet `condition`: a boolean expression, false rather than null where a cell is missing.

    Numbers compare with numbers and text with text. A column of text compares with a number as that number is written,
    and a column of numbers with a text that reads as a number; any other column compares as text. `owner` says in
    errors whose condition it is, as in `“opened_by” of stage “trial”`. Raises JourneyError where `events` lacks a
    column, or where bounds are set on a column that holds no numbers.
    """
    tests = [events.event.isin(condition.events)]
    for column, wanted in condition.where.items():
        said = f"The condition in {owner} ({condition.words})"
        if column not in events.columns:
            raise JourneyError(
                f"{said} asks for the column “{column}”, which the log lacks. {did_you_mean(column, events.columns)}"
            )
        kind = events[column].type()
        if isinstance(wanted, Bounds) and not kind.is_numeric():
            raise JourneyError(
                f"{said} sets bounds on the column “{column}”, which holds {kind}, not numbers. "
                "List the values that are meant, or convert the column when reading the log."
            )
        tests.append((_within if isinstance(wanted, Bounds) else _equals)(events[column], wanted))
    return reduce(and_, tests).fill_null(False)


def _within(column: ibis.Column, bounds: Bounds) -> ibis.expr.types.BooleanValue:
    tests = []
    if column.type().is_floating():  # DuckDB takes NaN for the largest number; to us it is missing
        tests.append(~column.isnan())
    if bounds.above is not None:
        tests.append(column > bounds.above)
    if bounds.below is not None:
        tests.append(column < bounds.below)
    return reduce(and_, tests)


def _equals(column: ibis.Column, wanted: Value | tuple[Value, ...]) -> ibis.expr.types.BooleanValue:
    kind = column.type()
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    if kind.is_boolean():
        known = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
        values = [known[_written(value)] for value in wanted if _written(value) in known]
    elif kind.is_numeric():
        values = [number for value in wanted if (number := _number(value)) is not None]
    else:
        column = column if kind.is_string() else column.cast("string")
        values = [_written(value) for value in wanted]
    return column.isin(values) if values else ibis.literal(False)


def _written(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: Value) -> int | float | None:
    if not isinstance(value, str):
        return int(value) if isinstance(value, bool) else value
    try:
        return float(value)
    except ValueError:
        return None
