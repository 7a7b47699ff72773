"""Overlap: can one event meet two conditions, and does one of them take every event that meets the other?

Answers are about what is written, not about a log: two conditions on different columns may meet in one event.
"""

from collections.abc import Iterable, Iterator
from itertools import product
from math import prod

from journeylab.events.journey.conditions import Bounds, Condition, Value, Wanted, value_number, value_text, values_of

# Beyond this many single cases a condition is compared as a whole: no person splits so many values by hand.
_MANY = 5_000


def overlaps(one: Condition, other: Condition) -> bool:
    """Whether some event can meet both."""
    shared = one.where.keys() & other.where.keys()
    return bool(set(one.events) & set(other.events)) and all(
        _meet(one.where[column], other.where[column]) for column in shared
    )


def covers(wide: Condition, narrow: Condition) -> bool:
    """Whether every event that meets `narrow` meets `wide` too."""
    return set(narrow.events) <= set(wide.events) and all(
        column in narrow.where and _within(narrow.where[column], wanted) for column, wanted in wide.where.items()
    )


def is_covered(condition: Condition, others: Iterable[Condition]) -> bool:
    """Whether every event that meets `condition` meets one of `others`, which may share the cases among them."""
    others = tuple(others)
    return all(any(covers(other, case) for other in others) for case in _cases(condition))


def _cases(condition: Condition) -> Iterator[Condition]:
    """`condition` taken apart: one event, and one value of each listed column, at a time."""
    columns = list(condition.where)
    listed = [values_of(wanted) for wanted in condition.where.values()]
    if prod(map(len, (condition.events, *listed))) > _MANY:
        yield condition
        return
    for event in condition.events:
        for values in product(*listed):
            yield Condition(event=event, where=dict(zip(columns, values, strict=True)))


def _within(narrow: Wanted, wide: Wanted) -> bool:
    if isinstance(wide, Bounds):
        if not isinstance(narrow, Bounds):
            return all(_is_inside(value, wide) for value in values_of(narrow))
        return _low(narrow) >= _low(wide) and _high(narrow) <= _high(wide)
    return not isinstance(narrow, Bounds) and set(map(_key, values_of(narrow))) <= set(map(_key, values_of(wide)))


def _meet(one: Wanted, other: Wanted) -> bool:
    if isinstance(one, Bounds):
        if isinstance(other, Bounds):
            return max(_low(one), _low(other)) < min(_high(one), _high(other))
        return any(_is_inside(value, one) for value in values_of(other))
    if isinstance(other, Bounds):
        return _meet(other, one)
    return bool(set(map(_key, values_of(one))) & set(map(_key, values_of(other))))


def _is_inside(value: Value, bounds: Bounds) -> bool:
    number = None if isinstance(value, bool) else value_number(value)
    return number is not None and _low(bounds) < number < _high(bounds)


def _low(bounds: Bounds) -> float:
    return float("-inf") if bounds.above is None else bounds.above


def _high(bounds: Bounds) -> float:
    return float("inf") if bounds.below is None else bounds.below


def _key(value: Value) -> str | float:
    # The log decides whether 5 and “5” are compared as numbers or as text; here they count as one.
    number = None if isinstance(value, bool) else value_number(value)
    return value_text(value) if number is None else number
