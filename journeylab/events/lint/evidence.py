"""Evidence: which rules of the journey ask for something that the log does not hold?"""

from collections.abc import Iterator
from dataclasses import dataclass

import ibis
import pandas as pd

from journeylab.base.documents import KeyPath
from journeylab.base.durations import DAY
from journeylab.base.errors import did_you_mean
from journeylab.base.words import counted
from journeylab.events.journey import Bounds, Condition, Journey
from journeylab.events.journey.conditions import Wanted, column_problems, holds, value_text, values_of
from journeylab.events.lint.near_misses import Rule, names_nearly_asked, values_nearly_asked
from journeylab.events.lint.remarks import Remark, error, warning
from journeylab.events.lint.spellings import is_near
from journeylab.events.log import EventLog, as_utc

# How many of a log's names a message lists when none is close.
_MOST_LISTED = 8
# How many values, the most frequent first, are compared with the one that never occurs.
_COMPARED = 200


def rules_without_evidence(journey: Journey, log: EventLog) -> Iterator[Remark]:
    """What `journey` asks for but `log` does not have; remarks in the order of the rules."""
    unreadable: set[KeyPath] = set()
    every = [*journey.conditions(), *journey.contact_conditions()]
    for path, owner, condition in every:
        for lacking in column_problems(condition, log.events.schema(), owner=owner):
            unreadable.add(path)
            yield error(lacking.rule, (*path, "where", lacking.column), lacking.problem, lacking.fix)
    rules = readable_rules(journey, log)
    counts = _count(log.events, [condition for _, _, condition in rules])
    for path, owner, condition in rules:
        yield from _never_seen(path, owner, condition, counts=counts, log=log)
    yield from names_nearly_asked(rules, counts.events)
    yield from values_nearly_asked(rules, log)
    yield from _entries(journey, counts=counts, unreadable=unreadable)
    yield from _silences(journey, log=log, first=counts.first)


def readable_rules(journey: Journey, log: EventLog) -> list[Rule]:
    """The rules of `journey` whose columns `log` has."""
    schema = log.events.schema()
    every = [*journey.conditions(), *journey.contact_conditions()]
    return [rule for rule in every if not any(column_problems(rule[2], schema, owner=""))]


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
    # What asks for no column is met by all events of its names: these are counted anyway.
    narrow = {key: part for key, part in asked.items() if part.where}
    has_initiator = "initiator" in events.columns
    is_company = (events.initiator == "company").fill_null(False) if has_initiator else ibis.literal(False)
    sums = {"n": events.count(), "by_company": events.count(where=is_company), "first": events.time.min()}
    for number, part in enumerate(narrow.values()):
        is_match = holds(events, part, owner="")
        sums[f"matched_{number}"] = is_match.sum()
        sums[f"company_{number}"] = (is_match & is_company).sum()
    by_event = events.group_by("event").aggregate(**sums).to_pandas().set_index("event")

    def total(key: str, column: str, all_of_it: str) -> int:
        if key in narrow:
            return int(by_event[f"{column}_{list(narrow).index(key)}"].sum())
        return int(by_event.loc[by_event.index.isin(asked[key].events), all_of_it].sum())

    return EventCounts(
        events={str(name): int(n) for name, n in by_event["n"].items()},
        matched={key: total(key, "matched", "n") for key in asked},
        company={key: total(key, "company", "by_company") for key in asked},
        first=by_event["first"].min() if len(by_event) else None,
    )


def _parts(condition: Condition) -> Iterator[Condition]:
    """`condition` with one column and one value at a time, so that a value that never occurs can be named."""
    for column, wanted in condition.where.items():
        for value in values_of(wanted):
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
    common = sorted(counts.events, key=lambda event: (-counts.events[event], event))
    return warning(
        _rule(path, "event-never-occurs") if is_proof else "event-never-occurs",
        (*path, "event"),
        f"The event “{name}” in {owner} never occurs in the log.{_unproven(path) if is_proof else ''}",
        _closest(name, common),
    )


def _absent_value(path: KeyPath, owner: str, part: Condition, *, log: EventLog, nothing_left: bool) -> Remark:
    ((column, wanted),) = part.where.items()
    names = " or ".join(f"“{name}”" for name in part.events)
    clause = part.words.partition(", where ")[2]
    unproven = _unproven(path) if nothing_left else ""
    return warning(
        _rule(path, "value-never-occurs") if nothing_left else "value-never-occurs",
        (*path, "where", column),
        f"The condition in {owner} asks that {clause}, but no event {names} of the log has that.{unproven}",
        _what_occurs(log.events.filter(log.events.event.isin(part.events)), column, wanted),
    )


def _what_occurs(events: ibis.Table, column: str, wanted: Wanted) -> str:
    """What `column` of `events` holds instead of `wanted`."""
    filled = events.drop_null(column)
    if isinstance(wanted, Bounds):
        ends = filled.aggregate(low=filled[column].min(), high=filled[column].max()).to_pandas()
        if not ends.isna().any(axis=None):
            return f"In these events it runs from {ends['low'][0]:g} to {ends['high'][0]:g}."
    else:
        by_value = filled.group_by(value=filled[column]).aggregate(n=filled.count())
        common = by_value.order_by([ibis.desc("n"), "value"]).limit(_COMPARED).to_pandas()["value"]
        if len(common):
            return _closest(" or ".join(map(value_text, values_of(wanted))), [value_text(value) for value in common])
    return f"“{column}” is empty in all of these events. Name another column."


def _closest(name: str, known: list[str]) -> str:
    """A did-you-mean that does not list a whole log's vocabulary."""
    near = [other for other in known if is_near(name, other)]
    if near:
        return f"Did you mean “{near[0]}”?"
    suggestion = did_you_mean(name, known)
    if suggestion.startswith("Did") or len(known) <= _MOST_LISTED:
        return suggestion
    return f"The most frequent of {len(known)}: {', '.join(known[:_MOST_LISTED])}."


def _rule(path: KeyPath, rule: str) -> str:
    return "unprovable-validation" if path[-1] == "validated_by" else rule


def _unproven(path: KeyPath) -> str:
    return " No customer can meet this validation." if path[-1] == "validated_by" else ""


def _entries(journey: Journey, *, counts: EventCounts, unreadable: set[KeyPath]) -> Iterator[Remark]:
    """Stages that only the company's own events open or prove, and a journey that no customer enters."""
    any_opens = any("opened_by" in path for path in unreadable)
    for at, stage in enumerate(journey.stages):
        path = ("stages", at, "opened_by")
        readable = [opener for item, opener in enumerate(stage.opened_by) if (*path, item) not in unreadable]
        any_opens = any_opens or any(counts.matched[_key(opener)] for opener in readable)
        if _is_company_only(readable, counts):
            yield warning(
                "company-opened",
                path,
                f"Only events that the company initiated open stage “{stage.name}” "
                f"({'; '.join(opener.words for opener in readable)}). That is our process, not the customer's journey.",
                "Name what the customer does. What we send should not open a stage.",
            )
        validation, path = stage.validated_by, ("stages", at, "validated_by")
        if validation and path not in unreadable and _is_company_only([validation], counts):
            yield warning(
                "company-validated",
                path,
                f"Only events that the company initiated meet the validation of stage “{stage.name}” "
                f"({validation.words}). It proves what we do, not what the customer does.",
                "Name what the customer does in the stage.",
            )
    if not any_opens:
        yield error(
            "nobody-enters",
            ("stages",),
            f"No customer enters the journey: none of the log's {counted(sum(counts.events.values()), 'event')} opens "
            "a stage.",
            "Compare the names in “opened_by” with the events of the log.",
        )


def _is_company_only(conditions: list[Condition], counts: EventCounts) -> bool:
    matched = sum(counts.matched[_key(condition)] for condition in conditions)
    return matched > 0 and matched == sum(counts.company[_key(condition)] for condition in conditions)


def _silences(journey: Journey, *, log: EventLog, first: pd.Timestamp | None) -> Iterator[Remark]:
    if first is None:
        return
    # Not divided by a Timedelta: that fails for times some centuries ago.
    watched = (log.window.end - as_utc(first)).total_seconds() / 86_400
    for at, stage in enumerate(journey.stages):
        if stage.silent_after_us is not None and stage.silent_after_us / DAY >= watched:
            yield warning(
                "silence-never-seen",
                ("stages", at, "silent_after"),
                f"No silence can show in stage “{stage.name}”: “silent_after” is {stage.silent_after}, and the log "
                f"spans {watched:.3g} days.",
                "Shorten it, or read a longer log.",
            )
