"""Which events does a table hold that has not one row for each? Dates in several columns, and states at a time."""

from collections.abc import Mapping

import ibis

from journeylab.base.errors import LogError, did_you_mean
from journeylab.events.reading.columns import Mapped, as_text, is_blank

# How the name of an event that is unfolded refers to the event of the row itself.
OWN_EVENT = "{event}"


def check_unfold(unfold: Mapping[str, str], columns: Mapped, names: list[str], *, label: str) -> None:
    """Raise one LogError that lists what of `unfold` does not fit the `columns` that are named, and those of the
    source."""
    problems = [
        f"{label} has no column “{name}”, which “unfold” names. {did_you_mean(name, names)}"
        for name in unfold
        if name not in names
    ]
    if "time" in columns:
        problems.append(f"“unfold” takes times from {', '.join(unfold)}, so “time” cannot be named in `columns`.")
    uses_event = any(OWN_EVENT in word for word in unfold.values())
    if "event" in columns and not uses_event:
        problems.append(
            "“unfold” says how events are called, so “event” cannot be named in `columns`. To use the row’s own "
            f"event, write it into the names: “{OWN_EVENT} started”."
        )
    if uses_event and not isinstance(columns.get("event"), str):
        problems.append(f"“unfold” uses “{OWN_EVENT}”, and `columns` names no column for it. Name one for “event”.")
    if problems:
        raise LogError("\n".join(problems))


def unfolded(
    table: ibis.Table, unfold: Mapping[str, str], *, own_event: str | None, time: str, event: str
) -> ibis.Table:
    """A row for each cell of the columns `unfold` that holds something, in the order of rows, then of `unfold`; its
    columns `time` and `event` stand instead of those of `unfold`. A row without any such cell is there once, without
    a time, so that it is refused and not lost."""
    cells = {name: table[name] for name in unfold}
    if len({cell.type() for cell in cells.values()}) > 1:
        cells = {name: as_text(cell, cell.type()) for name, cell in cells.items()}
    blank = {name: is_blank(cell.cast("string")) for name, cell in cells.items()}
    none_filled = ibis.and_(*blank.values())
    rows = ibis.array(
        [
            ibis.struct(
                {
                    "at": cells[name],
                    "called": _called(word, table[own_event] if own_event else None),
                    "counts": ~blank[name] | (none_filled if not at else ibis.literal(False)),
                }
            )
            for at, (name, word) in enumerate(unfold.items())
        ]
    )
    others = {name: table[name] for name in table.columns if name not in unfold}
    cell = ibis.util.gen_name("cell")
    # As a column, not as a join: so the rows stay in the order of the table.
    long = table.select(**others, **{cell: rows.unnest()})
    return long.filter(long[cell]["counts"]).select(*others, **{time: long[cell]["at"], event: long[cell]["called"]})


def _called(word: str, own: ibis.Value | None) -> ibis.Value:
    if own is None or OWN_EVENT not in word:
        return ibis.literal(word)
    before, _, after = word.partition(OWN_EVENT)
    return ibis.literal(before) + as_text(own, own.type()) + ibis.literal(after)
