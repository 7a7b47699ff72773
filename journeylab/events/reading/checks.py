"""Can these rows be a log? Checks that need the rows themselves; each error says how to go on."""

import re
from collections.abc import Iterable, Iterator

import ibis

from journeylab.base.errors import LogError, did_you_mean
from journeylab.base.words import counted
from journeylab.events.log import AFTER_WINDOW, INITIATORS, REASONS, UNREADABLE_TIME, Window, written
from journeylab.events.reading.columns import NUMBERS, column_in_words, is_blank
from journeylab.events.reading.files import empty
from journeylab.events.reading.sheet import Sheet
from journeylab.events.reading.store import REFUSED, Store
from journeylab.events.reading.written_times import looks_like, unclear_letters


def check_cells(store: Store, sheets: Iterable[Sheet]) -> None:
    """Raise one LogError that lists what is wrong with the cells of the sources: times without a zone, with letters
    that mean several zones, or numbers without a unit; columns that must hold numbers and do not; unknown initiators.
    """
    sheets = list(sheets)
    problems = [*_problems_of_times(store, sheets), *_problems_of_values(store, sheets)]
    if problems:
        raise LogError("\n".join(dict.fromkeys(map(str, problems))))


def _problems_of_times(store: Store, sheets: Iterable[Sheet]) -> Iterator[LogError]:
    time = store.rows[store.log["time"]]
    for clock in (sheet.clock for sheet in sheets):
        text = store.rows[store.raw[clock.name]]
        if not text.type().is_string() or clock.time_unit:
            continue
        naive, letters = clock.naive(text), unclear_letters(text, clock.how)
        unread = _one(
            store.rows.filter(time.isnull() & text.notnull()).aggregate(
                naive=naive.sum(),
                example=ibis.ifelse(naive, text, None).min(),
                numbers=text.strip().try_cast("float64").notnull().sum(),
                number=text.min(),
                lettered=letters.count(),
                lettered_example=ibis.ifelse(letters.notnull(), text, None).min(),
            )
        )
        if unread["naive"] and not clock.timezone:
            yield clock.without_zone(unread["example"], unread["naive"])
        if unread["lettered"]:
            kinds = sorted(_one(store.rows.aggregate(kinds=letters.collect(distinct=True)))["kinds"])
            yield clock.unclear_zone(kinds, unread["lettered_example"], unread["lettered"])
        if unread["numbers"] and not _one(store.rows.aggregate(times=time.count()))["times"]:
            yield clock.number_without_unit(unread["number"])


def _problems_of_values(store: Store, sheets: Iterable[Sheet]) -> Iterator[LogError]:
    for sheet in sheets:
        for target in (*NUMBERS, "seq"):
            if target in sheet.columns.known:
                column = store.rows[store.raw[sheet.columns.named(target)]]
                text = column.cast("string")
                yield from _wrong_cells(store, sheet, target, text, is_right=store.rows[store.log[target]].notnull())
                if sheet.has_unclear_marks and target in NUMBERS and column.type().is_string():
                    yield from _unclear_marks(store, sheet, target, text)
        if "initiator" in sheet.columns.known:
            initiator = store.rows[store.log["initiator"]]
            yield from _wrong_cells(store, sheet, "initiator", initiator, is_right=initiator.isin(INITIATORS))


def _unclear_marks(store: Store, sheet: Sheet, target: str, text: ibis.Value) -> Iterator[LogError]:
    """Numbers that all have three digits behind their only mark, in a file where the mark may part thousands."""
    has_mark, may_be_thousands = text.contains("."), text.strip().re_search(r"^-?[1-9][0-9]{0,2}\.[0-9]{3}$")
    counts = _one(
        store.rows.aggregate(
            unclear=may_be_thousands.sum(),
            clear=(has_mark & ~may_be_thousands).sum(),
            example=ibis.ifelse(may_be_thousands, text, None).min(),
        )
    )
    if counts["unclear"] and not counts["clear"]:
        name, example = sheet.columns.named(target), counts["example"].strip()
        yield LogError(
            f"{column_in_words(name, sheet.data.label)} holds numbers such as “{example}” "
            f"({counted(counts['unclear'], 'row')}), and its cells are parted by semicolons: is that "
            f"{example.replace('.', '')} or {float(example):g}? "
            'Say decimal="," and thousands=".", or decimal=".".'
        )


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
            f"{_looks_of_times(store, sheets[0], None) or 'Move the window to where the events are.'}"
        )
    return counts


def _wrong_cells(
    store: Store, sheet: Sheet, target: str, text: ibis.Value, *, is_right: ibis.Value
) -> Iterator[LogError]:
    """The error for `text` that has rows which are neither blank nor right."""
    wrong = store.rows.filter(~is_right & ~is_blank(text))
    n_wrong, example = _one(wrong.aggregate(rows=wrong.count(), example=text.min())).values()
    if n_wrong:
        name, is_initiator = sheet.columns.named(target), target == "initiator"
        close = f"{did_you_mean(example, INITIATORS)} " if is_initiator else _marks_of(example)
        yield LogError(
            f"{column_in_words(name, sheet.data.label)} does not hold {'an initiator' if is_initiator else 'a number'} "
            f"in {counted(n_wrong, 'row')}, for example “{example}”. {close}"
            f'Correct them, or keep the column under another name: columns={{"own_{target}": "{name}"}}.'
        )


def _marks_of(example: str) -> str:
    """How to say what the marks of a number are, where it has any."""
    written = re.fullmatch(r"\s*[-+]?[0-9]{1,3}(?:([., '])[0-9]{3})*[0-9]*(?:([.,])[0-9]+)?\s*", example)
    thousands, decimal = written.groups() if written else (None, None)
    said = [f'decimal="{decimal}"'] * bool(decimal) + [f'thousands="{thousands}"'] * bool(thousands)
    if thousands == "," and not decimal:  # 1,250 may be 1250 or 1.25
        return 'If these are numbers, say thousands="," or decimal=",". '
    return f"If these are numbers, say {' and '.join(said)}. " if said else ""


def _none_usable(store: Store, sheets: list[Sheet], counts: dict[str | None, int]) -> LogError:
    reasons = ", ".join(f"{counts[reason]:,} {reason}" for reason in REASONS if reason in counts)
    example = _example_of_times(store, sheets[0], UNREADABLE_TIME)
    hint = _looks_of_times(store, sheets[0], UNREADABLE_TIME) or (
        example
        and f"Write times such as “{example}” in ISO 8601, “2025-01-31T12:00:00+01:00”, or say how they are "
        'written: day_first=True for 31.01.2025, day_first=False for 01/31/2025, or time_format="%d.%m.%Y %H:%M".'
    )
    return LogError(
        f"{sheets[0].data.label} has no usable row: {counted(sum(counts.values()), 'row')} read, {reasons}."
        f"{f' {hint}' if hint else ''} Check `columns`, and the rows themselves."
    )


def _looks_of_times(store: Store, sheet: Sheet, refused: str | None) -> str | None:
    """What the numbers of the time column look like, if they are numbers and that is not what was said of them."""
    unit = sheet.clock.time_unit
    return looks_like(_example_of_times(store, sheet, refused), unit) if unit else None


def _example_of_times(store: Store, sheet: Sheet, refused: str | None) -> str | None:
    time = store.rows[store.raw[sheet.clock.name]].cast("string")
    return _one(store.rows.filter(store.rows[REFUSED].identical_to(refused)).aggregate(example=time.min()))["example"]


def _one(table: ibis.Table) -> dict:
    return table.to_pyarrow().to_pylist()[0]
