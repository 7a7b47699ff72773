"""Evidence: which rules of the journey ask a log for what it does not hold?"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import ibis
import pandas as pd

from journeylab.base.documents import KeyPath
from journeylab.base.durations import DAY
from journeylab.base.errors import JourneyError, did_you_mean
from journeylab.events.journey import Journey, Stage
from journeylab.events.journey.conditions import Bounds, Condition, Value, Wanted
from journeylab.events.lint.remarks import Remark, error, warning
from journeylab.events.log import EventLog
from journeylab.events.spells.signals import holds

# How many of a log's names a message lists when none is close.
_SHOWN = 8
# Among how many values, the most frequent, a close one is looked for.
_COMPARED = 200


def check_condition_columns(journey: Journey, columns: Iterable[str]) -> None:
    """Raise one JourneyError naming, by file and line, each condition on a column not among the log's `columns`."""
    missing = [
        f"{journey.where(*each.path)}: {each.found} {each.mend}" for each in _unknown_columns(journey, tuple(columns))
    ]
    if missing:
        raise JourneyError("\n".join(missing))


def rules_without_evidence(journey: Journey, log: EventLog) -> Iterator[Remark]:
    """What `journey` asks for and `log` does not hold; remarks in the order of the rules."""
    columns = tuple(log.events.columns)
    broken = [*_unknown_columns(journey, columns), *_bounds_on_text(journey, log.events)]
    yield from broken
    unreadable = {remark.path[: len(remark.path) - 2] for remark in broken}
    rules = [each for each in journey.conditions() if each[0] not in unreadable]
    counts = _count(log.events, [condition for _, _, condition in rules])
    for path, owner, condition in rules:
        yield from _never_seen(path, owner, condition, counts=counts, log=log)
    yield from _entries(journey, counts=counts, unreadable=unreadable)
    yield from _silences(journey, log=log, first=counts.first)


def _unknown_columns(journey: Journey, columns: tuple[str, ...]) -> Iterator[Remark]:
    for path, owner, condition in journey.conditions():
        for column in condition.where:
            if column not in columns:
                yield error(
                    "unknown-column",
                    (*path, "where", column),
                    f"The condition in {owner} ({condition.words}) asks for the column “{column}”, "
                    "which the log lacks.",
                    did_you_mean(column, columns),
                )


def _bounds_on_text(journey: Journey, events: ibis.Table) -> Iterator[Remark]:
    for path, owner, condition in journey.conditions():
        for column, wanted in condition.where.items():
            if isinstance(wanted, Bounds) and column in events.columns and not events[column].type().is_numeric():
                yield error(
                    "bounds-without-numbers",
                    (*path, "where", column),
                    f"The condition in {owner} ({condition.words}) sets bounds on the column “{column}”, which holds "
                    f"{events[column].type()}, not numbers.",
                    "List the values that are meant, or convert the column when reading the log.",
                )


@dataclass(frozen=True)
class EventCounts:
    """How often the log holds what the rules ask for, all from one pass over the events.

    events: number of events by name. matched, company: number of events that meet a condition (by its key), and how
    many of them the company initiated. first: time of the first event, None in an empty log.
    """

    events: dict[str, int]
    matched: dict[str, int]
    company: dict[str, int]
    first: pd.Timestamp | None


def _count(events: ibis.Table, conditions: list[Condition]) -> EventCounts:
    asked = {_key(part): part for condition in conditions for part in (condition, *_parts(condition))}
    has_initiator = "initiator" in events.columns
    is_company = (events.initiator == "company").fill_null(False) if has_initiator else ibis.literal(False)
    sums = {"n": events.count(), "first": events.time.min()}
    for number, part in enumerate(asked.values()):
        is_match = holds(events, part, owner="")
        sums[f"matched_{number}"] = is_match.sum()
        sums[f"company_{number}"] = (is_match & is_company).sum()
    found = events.group_by("event").aggregate(**sums).to_pandas()
    return EventCounts(
        events=dict(zip(found["event"], found["n"].astype(int), strict=True)),
        matched={key: int(found[f"matched_{number}"].sum()) for number, key in enumerate(asked)},
        company={key: int(found[f"company_{number}"].sum()) for number, key in enumerate(asked)},
        first=found["first"].min() if len(found) else None,
    )


def _parts(condition: Condition) -> Iterator[Condition]:
    """`condition` with one column and one value at a time, so that a value that never occurs can be named."""
    for column, wanted in condition.where.items():
        for value in wanted if isinstance(wanted, tuple) else (wanted,):
            yield Condition(event=condition.event, where={column: value})


def _key(condition: Condition) -> str:
    # Not its words: 5 and “5” read alike. A validation counts the events of its condition, whatever number it wants.
    return repr((condition.events, sorted(condition.where.items())))


def _never_seen(
    path: KeyPath, owner: str, condition: Condition, *, counts: EventCounts, log: EventLog
) -> Iterator[Remark]:
    absent = [name for name in condition.events if name not in counts.events]
    for name in absent:
        yield _absent_event(path, owner, name, counts=counts, is_proof=len(absent) == len(condition.events))
    if len(absent) == len(condition.events):
        return
    empty = [part for part in _parts(condition) if not counts.matched[_key(part)]]
    for part in empty:
        yield _absent_value(path, owner, part, log=log, nothing_left=not counts.matched[_key(condition)])
    if not empty and not counts.matched[_key(condition)]:
        yield warning(
            _rule(path, "never-matches"),
            path,
            f"The condition in {owner} ({condition.words}) matches no event of the log: each of its values occurs, "
            f"but never all of them in one event.{_unproven(path)}",
            "Ask for less, or look at such events in the log.",
        )


def _absent_event(path: KeyPath, owner: str, name: str, *, counts: EventCounts, is_proof: bool) -> Remark:
    common = sorted(counts.events, key=lambda each: (-counts.events[each], each))
    return warning(
        _rule(path, "event-never-occurs") if is_proof else "event-never-occurs",
        (*path, "event"),
        f"The event “{name}” in {owner} never occurs in the log.{_unproven(path) if is_proof else ''}",
        _closest(name, common),
    )


def _absent_value(path: KeyPath, owner: str, part: Condition, *, log: EventLog, nothing_left: bool) -> Remark:
    ((column, wanted),) = part.where.items()
    names = " or ".join(f"“{name}”" for name in part.events)
    asked = part.words.partition(", where ")[2]
    unproven = _unproven(path) if nothing_left else ""
    return warning(
        _rule(path, "value-never-occurs") if nothing_left else "value-never-occurs",
        (*path, "where", column),
        f"The condition in {owner} asks that {asked}, which no event {names} of the log has.{unproven}",
        _what_occurs(log.events.filter(log.events.event.isin(part.events)), column, wanted),
    )


def _what_occurs(events: ibis.Table, column: str, wanted: Wanted) -> str:
    """What `column` of `events` holds instead of `wanted`."""
    filled = events.drop_null(column)
    if isinstance(wanted, Bounds):
        ends = filled.aggregate(low=filled[column].min(), high=filled[column].max()).to_pandas()
        found = "" if ends.isna().any(axis=None) else f"There it runs from {ends['low'][0]:g} to {ends['high'][0]:g}."
    else:
        counted = filled.group_by(value=filled[column]).aggregate(n=filled.count())
        common = counted.order_by([ibis.desc("n"), "value"]).limit(_COMPARED).to_pandas()["value"]
        found = _closest(_text(wanted), [_text(value) for value in common]) if len(common) else ""
    return found or f"“{column}” is empty in all of these events: name another column."


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _closest(name: str, known: list[str]) -> str:
    """A did-you-mean that does not list a whole log's vocabulary."""
    said = did_you_mean(name, known)
    if said.startswith("Did") or len(known) <= _SHOWN:
        return said
    return f"The most frequent of {len(known)}: {', '.join(known[:_SHOWN])}."


def _rule(path: KeyPath, rule: str) -> str:
    return "unprovable-validation" if path[-1] == "validated_by" else rule


def _unproven(path: KeyPath) -> str:
    return " No customer can meet this validation." if path[-1] == "validated_by" else ""


def _entries(journey: Journey, *, counts: EventCounts, unreadable: set[KeyPath]) -> Iterator[Remark]:
    """Stages that only the company's own events open or prove, and a journey that nobody enters."""
    any_opens = any("opened_by" in path for path in unreadable)
    for at, stage in enumerate(journey.stages):
        paths = [("stages", at, "opened_by", item) for item in range(len(stage.opened_by))]
        readable = [each for path, each in zip(paths, stage.opened_by, strict=True) if path not in unreadable]
        any_opens = any_opens or any(counts.matched[_key(each)] for each in readable)
        if _is_company_only(readable, counts):
            yield warning(
                "company-opened",
                ("stages", at, "opened_by"),
                f"Stage “{stage.name}” is opened only by events that the company initiated "
                f"({'; '.join(each.words for each in readable)}): that is our process, not the customer's journey.",
                "Name what the customer does; what we send belongs in no opener.",
            )
        proof = ("stages", at, "validated_by")
        if stage.validated_by and proof not in unreadable and _is_company_only([stage.validated_by], counts):
            yield _company_proof(stage, proof)
    if not any_opens:
        yield error(
            "nobody-enters",
            ("stages",),
            f"Nobody enters the journey: none of the log's {sum(counts.events.values()):,} events opens a stage.",
            "Compare the names in “opened_by” with the events of the log.",
        )


def _is_company_only(conditions: list[Condition], counts: EventCounts) -> bool:
    matched = sum(counts.matched[_key(each)] for each in conditions)
    return matched > 0 and matched == sum(counts.company[_key(each)] for each in conditions)


def _company_proof(stage: Stage, path: KeyPath) -> Remark:
    return warning(
        "company-validated",
        path,
        f"The validation of stage “{stage.name}” ({stage.validated_by.words}) is met only by events that the company "
        "initiated: it proves what we do, not what the customer does.",
        "Name what the customer does in the stage.",
    )


def _silences(journey: Journey, *, log: EventLog, first: pd.Timestamp | None) -> Iterator[Remark]:
    if first is None:
        return
    begin = pd.Timestamp(first).tz_localize("UTC") if pd.Timestamp(first).tzinfo is None else pd.Timestamp(first)
    watched = (log.window.end - begin) / pd.Timedelta(days=1)
    for at, stage in enumerate(journey.stages):
        if stage.silent_after_us is not None and stage.silent_after_us / DAY >= watched:
            yield warning(
                "silence-never-seen",
                ("stages", at, "silent_after"),
                f"Nobody can be seen to fall silent in stage “{stage.name}”: “silent_after” is {stage.silent_after}, "
                f"and the log spans {watched:.3g} days.",
                "Shorten it, or read a longer log.",
            )
