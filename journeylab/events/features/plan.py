"""Of which features are customers made, so that others are described by the same ones? And what was never seen then?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from journeylab.events.features.attributes import MARK, Attributes, as_text
from journeylab.events.features.counts import Counts
from journeylab.events.features.habits import Habits

UNSEEN = {"feature": object, "value": object, "n": int, "of": int, "unit": object}
# Counts that divide all there is; the others divide a part of it.
_PLAIN = ("event", "process", "channel", "initiator", "role")
_MOVES = "next after "
_Unseen = list[tuple[str, str | None, int, int, str]]


@dataclass(frozen=True)
class Vocabulary:
    """The names that a Counts has; see `Counts`."""

    name: str
    given: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class FeaturePlan:
    """What the features of some customers are, so that other customers are described by the same ones.

    within: how long after entering, in microseconds.
    habits: how events are grouped.
    counts: what was counted, and the names that occurred.
    numbers, among: the numbers, and which of them are judged among the equally active.
    attributes: attributes known at the start and further features that are numbers. levels: those that are categories,
        with all that they held.
    """

    within: int
    habits: Habits
    counts: tuple[Vocabulary, ...]
    numbers: tuple[str, ...]
    among: Mapping[str, str]
    attributes: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]

    def keep_counts(self, counted: Iterable[Counts]) -> tuple[tuple[Counts, ...], _Unseen]:
        """The planned of `counted`, by the names in the plan, and what the plan does not name."""
        found, unseen = {each.name: each for each in counted}, []
        known = {each.name: each.names for each in self.counts}
        for each in found.values():
            told = _told_elsewhere(each, known)
            unit = "moves" if each.name.startswith(_MOVES) else "events"
            unit = "contacts" if each.name == "role" and "contacts" in self.numbers else unit
            unseen += [row for row in _not_named(each, known.get(each.name, ()), unit) if row[1] not in told]
        nothing = np.empty(0, np.int32)
        kept = []
        for each in self.counts:
            if len(each.names) > 1:
                own = found.get(each.name, Counts(each.name, each.given, (), nothing, nothing, np.empty(0, np.int64)))
                kept.append(own.renamed(each.names))
        return tuple(kept), unseen

    def keep_numbers(self, numbers: pd.DataFrame) -> pd.DataFrame:
        """The planned of `numbers`, missing where they lack one."""
        return numbers.reindex(columns=list(self.numbers))

    def keep_attributes(self, table: pd.DataFrame) -> tuple[Attributes, _Unseen]:
        """The planned attributes in `table` (index customer_id), and what of them is unseen: that is missing, as is
        what cannot be read."""
        numbers, categories, unseen = {}, {}, []
        for name in (*self.attributes, *self.levels):
            column = _column(table, name)
            if name in self.levels:
                written = as_text(column)
                known = written.isna() | written.isin(self.levels[name])
                categories[name] = written.where(known, None)
                strange = written[~known].value_counts().sort_index()
            else:
                numbers[name] = pd.to_numeric(column, errors="coerce").astype(float).replace([np.inf, -np.inf], np.nan)
                strange = column[column.notna() & numbers[name].isna()].astype(str).value_counts().sort_index()
            of = int(column.notna().sum())
            unseen += [(name, str(value), int(n), of, "customers") for value, n in strange.items()]
        read = Attributes(
            pd.DataFrame(numbers, index=table.index, dtype=float),
            pd.DataFrame(categories, index=table.index, dtype=object),
            pd.DataFrame(columns=["column", "reason"], dtype=object),
        )
        return read, unseen

    def lacking(self, *, counts: Iterable[Counts], numbers: Iterable[str], columns: Iterable[str], n: int) -> _Unseen:
        """The planned features that a log without them cannot tell, of its `n` customers."""
        found = {*(each.name for each in counts), *numbers, *columns}
        wanted = [each.name for each in self.counts if each.name in _PLAIN]
        wanted += [*self.numbers, *(name.removesuffix(MARK) for name in (*self.attributes, *self.levels))]
        return [(name, None, n, n, "customers") for name in dict.fromkeys(wanted) if name not in found]


def unseen_table(rows: _Unseen) -> pd.DataFrame:
    """`rows` as a table: `feature`, `value` (None where the log lacks the whole feature), `n` of so many (`of`) of
    what, `unit`."""
    return pd.DataFrame(rows, columns=list(UNSEEN)).astype(UNSEEN)


def _not_named(counts: Counts, names: tuple[str, ...], unit: str) -> _Unseen:
    totals, known = counts.totals(), set(names)
    return [
        (counts.name, name, int(n), int(totals.sum()), unit)
        for name, n in zip(counts.names, totals, strict=True)
        if n and name not in known
    ]


def _told_elsewhere(counts: Counts, known: Mapping[str, tuple[str, ...]]) -> set[str]:
    """The cells of a part that are unseen among all: “channel of E” need not repeat what “channel” tells."""
    if not counts.given or counts.name.startswith(_MOVES):
        return set()
    whole = "event" if counts.name.startswith("kind of ") else counts.name.split(" of ")[0]
    return set(counts.names) - set(known.get(whole, ()))


def _column(table: pd.DataFrame, name: str) -> pd.Series:
    column = name if name in table.columns else name.removesuffix(MARK)
    return table[column] if column in table.columns else pd.Series(index=table.index, dtype=object)
