"""Can these rows be a log? Checks that need the rows themselves; each error says how to go on."""

from collections.abc import Iterable

import ibis

from journeylab.base.errors import LogError, did_you_mean
from journeylab.base.words import counted
from journeylab.events.log import AFTER_WINDOW, INITIATORS, REASONS, UNREADABLE_TIME, Window, written
from journeylab.events.reading.columns import NUMBERS, column_in_words, is_blank
from journeylab.events.reading.files import empty
from journeylab.events.reading.sheet import Sheet
from journeylab.events.reading.store import REFUSED, Store


def check_times(store: Store, sheets: Iterable[Sheet]) -> None:
    """Raise LogError when texts are times without a zone, or when all of them are numbers without a unit."""
    time = store.rows[store.log["time"]]
    for clock in (sheet.clock for sheet in sheets):
        text = store.rows[store.raw[clock.name]]
        if not text.type().is_string() or clock.time_unit:
            continue
        naive = clock.naive(text)
        unread = _one(
            store.rows.filter(time.isnull() & text.notnull()).aggregate(
                naive=naive.sum(),
                example=ibis.ifelse(naive, text, None).min(),
                numbers=text.strip().try_cast("float64").notnull().sum(),
            )
        )
        if unread["naive"] and not clock.timezone:
            raise clock.without_zone(unread["example"], unread["naive"])
        if unread["numbers"] and not _one(store.rows.aggregate(times=time.count()))["times"]:
            raise clock.number_without_unit()


def check_values(store: Store, sheets: Iterable[Sheet]) -> None:
    """Raise LogError when a column that must hold numbers holds other texts, or `initiator` an unknown word."""
    for sheet in sheets:
        for target in (*NUMBERS, "seq"):
            if target in sheet.columns.known:
                text = store.rows[store.raw[sheet.columns.named(target)]].cast("string")
                _check_column(store, sheet, target, text, is_right=store.rows[store.log[target]].notnull())
        if "initiator" in sheet.columns.known:
            initiator = store.rows[store.log["initiator"]]
            _check_column(store, sheet, "initiator", initiator, is_right=initiator.isin(INITIATORS))


def check_counts(store: Store, sheets: list[Sheet], window: Window) -> dict[str | None, int]:
    """How many rows are refused for each reason, and under None how many are not.

    Raises LogError for a log without a row, without a usable row, and without an event in the window.
    """
    time = store.rows[store.log["time"]]
    reasons = store.rows.group_by(REFUSED).aggregate(
        rows=store.rows.count(),
        first=time.min(),
        last=time.max(),
        observed=(time >= window.start).sum().fill_null(0),
    )
    by_reason = {row[REFUSED]: row for row in reasons.to_pyarrow().to_pylist()}
    counts = {reason: row["rows"] for reason, row in by_reason.items()}
    if not counts:
        raise empty(sheets[0].data.label)
    usable = [row for reason, row in by_reason.items() if reason in (None, AFTER_WINDOW)]
    if not usable:
        raise _none_usable(store, sheets, counts)
    if None not in by_reason or not by_reason[None]["observed"]:
        first, last = min(row["first"] for row in usable), max(row["last"] for row in usable)
        raise LogError(
            f"No event is in the window, {window}: the events run from {written(first)} to {written(last)}. "
            "Move the window to where the events are."
        )
    return counts


def _check_column(store: Store, sheet: Sheet, target: str, text: ibis.Value, *, is_right: ibis.Value) -> None:
    """Raise LogError when `text` has rows that are neither blank nor right."""
    wrong = store.rows.filter(~is_right & ~is_blank(text))
    n_wrong, example = _one(wrong.aggregate(rows=wrong.count(), example=text.min())).values()
    if n_wrong:
        name, is_initiator = sheet.columns.named(target), target == "initiator"
        close = f"{did_you_mean(example, INITIATORS)} " if is_initiator else ""
        raise LogError(
            f"{column_in_words(name, sheet.data.label)} does not hold {'an initiator' if is_initiator else 'a number'} "
            f"in {counted(n_wrong, 'row')}, for example “{example}”. {close}"
            f'Correct them, or keep the column under another name: columns={{"own_{target}": "{name}"}}.'
        )


def _none_usable(store: Store, sheets: list[Sheet], counts: dict[str | None, int]) -> LogError:
    reasons = ", ".join(f"{counts[reason]:,} {reason}" for reason in REASONS if reason in counts)
    time = store.rows[store.raw[sheets[0].clock.name]].cast("string")
    unread = store.rows.filter(store.rows[REFUSED] == UNREADABLE_TIME)
    example = _one(unread.aggregate(example=time.min()))["example"]
    hint = f" Write times such as “{example}” in ISO 8601: “2025-01-31T12:00:00+01:00”." if example else ""
    return LogError(
        f"{sheets[0].data.label} has no usable row: {counted(sum(counts.values()), 'row')} read, {reasons}.{hint} "
        "Check `columns`, and the rows themselves."
    )


def _one(table: ibis.Table) -> dict:
    return table.to_pyarrow().to_pylist()[0]
