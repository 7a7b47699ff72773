"""Near misses: which names and values of the log nearly match one that a rule asks for, but no rule asks for them?"""

from collections.abc import Collection, Iterator, Mapping
from typing import TypeAlias

import ibis
import yaml

from journeylab.base.documents import KeyPath
from journeylab.base.words import counted, listed
from journeylab.events.journey import Bounds, Condition
from journeylab.events.journey.conditions import value_text, values_of
from journeylab.events.lint.remarks import Remark, warning
from journeylab.events.lint.spellings import difference, is_near
from journeylab.events.log import EventLog

Rule: TypeAlias = tuple[KeyPath, str, Condition]
# How many values of a column, the most frequent first, are compared with those that the rules ask for.
_MOST_VALUES = 2_000
_MOST_SHOWN = 4


def names_nearly_asked(rules: Collection[Rule], events: Mapping[str, int]) -> Iterator[Remark]:
    """Events that no rule asks for and that are called nearly as one that a rule asks for. `events`: how many events of
    the log have each name."""
    asked: dict[str, tuple[KeyPath, str]] = {}
    for path, owner, condition in rules:
        for name in condition.events:
            asked.setdefault(name, ((*path, "event"), owner))
    for name, near in _near(asked, events).items():
        path, owner = asked[name]
        yield warning(
            "event-nearly-matches",
            path,
            f"{_also(name, near, 'event')} No rule asks for {_these(near)}: "
            f"“{name}” in {owner} takes {counted(events[name], 'event')} only.",
            f"If the same is meant, write the names alike in the log, or name all: event: {_in_yaml([name, *near])}.",
        )


def values_nearly_asked(rules: Collection[Rule], log: EventLog) -> Iterator[Remark]:
    """Values that no rule asks for and that are written nearly as one that a rule asks for, in the same events."""
    asked: dict[tuple[tuple[str, ...], str], dict[str, tuple[KeyPath, str]]] = {}
    for path, owner, condition in rules:
        for column, wanted in condition.where.items():
            if not isinstance(wanted, Bounds) and log.events[column].type().is_string():
                values = asked.setdefault((tuple(sorted(condition.events)), column), {})
                for value in values_of(wanted):
                    values.setdefault(value_text(value), ((*path, "where", column), owner))
    for (names, column), values in asked.items():
        occurring = _values(log, names, column)
        for value, near in _near(values, occurring).items():
            path, owner = values[value]
            yield warning(
                "value-nearly-matches",
                path,
                f"In “{column}” of {_quoted(names)}: {_also(value, near, 'event')} No rule asks for {_these(near)}: "
                f"“{value}” in {owner} takes {counted(occurring[value], 'event')} only.",
                "If the same is meant, write the values alike in the log, or name all: "
                f"{column}: {_in_yaml([value, *near])}.",
            )


def _near(asked: Collection[str], occurring: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """For each of `asked` that occurs: what else occurs, is not asked for, and is nearly the same, with how often."""
    near: dict[str, dict[str, int]] = {}
    for other in sorted(occurring, key=lambda name: (-occurring[name], name)):
        close = [] if other in asked else [name for name in asked if name in occurring and is_near(name, other)]
        # The one that differs least, as by case only, is meant.
        if close:
            meant = min(close, key=lambda name: difference(name, other) == "by a typo")
            near.setdefault(meant, {})[other] = occurring[other]
    return {name: near[name] for name in asked if name in near}


def _values(log: EventLog, names: tuple[str, ...], column: str) -> dict[str, int]:
    events = log.events.filter(log.events.event.isin(names)).drop_null(column)
    counts = events.group_by(value=events[column]).aggregate(n=events.count())
    rows = counts.order_by([ibis.desc("n"), "value"]).limit(_MOST_VALUES).to_pyarrow().to_pylist()
    return {row["value"]: row["n"] for row in rows}


def _also(asked: str, near: Mapping[str, int], noun: str) -> str:
    """What the log also holds, how often, and in what it differs."""
    shown = [f"“{other}” ({counted(n, noun)}; differs {difference(asked, other)})" for other, n in near.items()]
    rest = [f"{len(shown) - _MOST_SHOWN} more"] if len(shown) > _MOST_SHOWN else []
    return f"Beside “{asked}” the log has {listed([*shown[:_MOST_SHOWN], *rest])}."


def _these(near: Collection[str]) -> str:
    return "these" if len(near) > 1 else "it"


def _in_yaml(texts: list[str]) -> str:
    return str(yaml.safe_dump(texts, default_flow_style=True, allow_unicode=True, width=10_000)).strip()


def _quoted(names: Collection[str]) -> str:
    return listed([f"“{name}”" for name in names])
