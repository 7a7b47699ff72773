"""Can what was read be a log? Checks that need the rows themselves, each with an error that says how to go on."""

from collections.abc import Iterable

import ibis

from journeylab.base.errors import LogError, did_you_mean
from journeylab.base.words import counted
from journeylab.events.log import INITIATORS, REASONS, Window, written
from journeylab.events.reading.columns import NUMBERS, column_in_words, is_blank
from journeylab.events.reading.sheet import Sheet
from journeylab.events.reading.store import REFUSED, Store


def check_times(store: Store, sheets: Iterable[Sheet]) -> None:
    """Raise LogError when texts are times that lack a zone, or when all that was found are numbers without a unit."""
    time = store.rows[store.log["time"]]
    for clock in (sheet.clock for sheet in sheets):
        text = store.rows[store.raw[clock.name]]
        if not text.type().is_string() or clock.time_unit:
            continue
        naive = clock.naive(text)
        found = _one(
            store.rows.filter(time.isnull() & text.notnull()).aggregate(
                naive=naive.sum(),
                example=ibis.ifelse(naive, text, None).min(),
                numbers=text.strip().try_cast("float64").notnull().sum(),
            )
        )
        if found["naive"] and not clock.timezone:
            raise clock.without_zone(found["example"], found["naive"])
        if found["numbers"] and not _one(store.rows.aggregate(times=time.count()))["times"]:
            raise clock.number_without_unit()


def check_values(store: Store, sheets: Iterable[Sheet]) -> None:
    """Raise LogError when a column that must hold numbers holds texts, or `initiator` a word that it does not know."""
    for sheet in sheets:
        for target in {*NUMBERS, "seq"} & set(sheet.columns.known):
            _check_numbers(store, sheet, target)
        if "initiator" in sheet.columns.known:
            _check_initiators(store, sheet)


def check_counts(store: Store, sheets: list[Sheet], window: Window) -> dict[str | None, int]:
    """How many rows are refused for each reason, and under None how many are not.

    Raises LogError for a log without a row, without a usable row, and without an event in the window.
    """
    time = store.rows[store.log["time"]]
    found = store.rows.group_by(REFUSED).aggregate(
        rows=store.rows.count(),
        first=time.min(),
        last=time.max(),
        observed=(time >= window.start).sum().fill_null(0),
    )
    by_reason = {row[REFUSED]: row for row in found.to_pyarrow().to_pylist()}
    counts = {reason: row["rows"] for reason, row in by_reason.items()}
    if not counts:
        raise LogError(f"{sheets[0].data.label} is empty: it has no row. Check how it was made.")
    usable = [row for reason, row in by_reason.items() if reason in (None, REASONS[4])]
    if not usable:
        raise _none_usable(store, sheets, counts)
    if None not in by_reason or not by_reason[None]["observed"]:
        first, last = min(row["first"] for row in usable), max(row["last"] for row in usable)
        raise LogError(
            f"The window, {window}, holds no event: the events run from {written(first)} to {written(last)}. "
            "Move the window to where the events are."
        )
    return counts


def _check_numbers(store: Store, sheet: Sheet, target: str) -> None:
    name = sheet.columns.known[target]
    text, number = store.rows[store.raw[name]].cast("string"), store.rows[store.log[target]]
    wrong = store.rows.filter(number.isnull() & ~is_blank(text))
    found = _one(wrong.aggregate(rows=wrong.count(), example=text.min()))
    if found["rows"]:
        raise LogError(
            f"{column_in_words(name, sheet.data.label)} holds no number in {counted(found['rows'], 'row')}, "
            f"for example “{found['example']}”. "
            f'Correct them, or keep the column under another name: columns={{"own_{target}": "{name}"}}.'
        )


def _check_initiators(store: Store, sheet: Sheet) -> None:
    initiator = store.rows[store.log["initiator"]]
    wrong = store.rows.filter(~is_blank(initiator) & ~initiator.isin(INITIATORS))
    found = _one(wrong.aggregate(rows=wrong.count(), example=initiator.min()))
    if found["rows"]:
        name = sheet.columns.known["initiator"]
        raise LogError(
            f"{column_in_words(name, sheet.data.label)} holds in {counted(found['rows'], 'row')} what is no "
            f"initiator, for example “{found['example']}”. {did_you_mean(found['example'], INITIATORS)} "
            f'Correct them, or keep the column under another name: columns={{"started_by": "{name}"}}.'
        )


def _none_usable(store: Store, sheets: list[Sheet], counts: dict[str | None, int]) -> LogError:
    reasons = ", ".join(f"{counts[reason]:,} {reason}" for reason in REASONS if reason in counts)
    time = store.rows[store.raw[sheets[0].clock.name]].cast("string")
    unread = store.rows.filter(store.rows[REFUSED] == REASONS[1])
    found = _one(unread.aggregate(example=time.min()))["example"]
    example = f" “{found}” is not written as ISO 8601 has it: “2025-01-31T12:00:00+01:00”." if found else ""
    return LogError(
        f"{sheets[0].data.label} has no row that can be used: {counted(sum(counts.values()), 'row')} read, "
        f"{reasons}.{example} Check `columns`, and the rows themselves."
    )


def _one(table: ibis.Table) -> dict:
    return table.to_pyarrow().to_pylist()[0]
