"""Plan: which features describe some customers, so that others are described by the same ones, and what is new?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from journeylab.events.features.attributes import MARK, Attributes, as_text
from journeylab.events.features.counts import Counts
from journeylab.events.features.habits import Habits

UNSEEN = {"feature": object, "value": object, "n": int, "of": int, "unit": object}
# Counts that divide all there is; the others divide a part of it.
_PLAIN = ("event", "process", "channel", "initiator", "role", "hours")
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
        unseen: _Unseen = []
        by_name = {counts.name: counts for counts in counted}
        known = {planned.name: planned.names for planned in self.counts}
        for counts in by_name.values():
            named = {*known.get(counts.name, ()), *_listed_elsewhere(counts, known)}
            unit = "moves" if counts.name.startswith(_MOVES) else "events"
            unit = "contacts" if counts.name == "role" and "contacts" in self.numbers else unit
            totals = dict(zip(counts.names, counts.totals().tolist(), strict=True))
            new = {name: n for name, n in totals.items() if n and name not in named}
            unseen += [(counts.name, name, n, sum(totals.values()), unit) for name, n in new.items()]
        planned = [vocabulary for vocabulary in self.counts if len(vocabulary.names) > 1]
        kept = [by_name.get(part.name, Counts.none(part.name, part.given)).renamed(part.names) for part in planned]
        return tuple(kept), unseen

    def keep_attributes(self, table: pd.DataFrame) -> tuple[Attributes, _Unseen]:
        """The planned attributes in `table` (index customer_id), and what of them is unseen: that is missing, as is
        what cannot be read."""
        numbers, categories = {}, {}
        unseen: _Unseen = []
        for name in (*self.attributes, *self.levels):
            source = name if name in table.columns else name.removesuffix(MARK)
            column = table[source] if source in table.columns else pd.Series(index=table.index, dtype=object)
            if name in self.levels:
                text = as_text(column)
                is_level = text.isna() | text.isin(self.levels[name])
                categories[name] = text.where(is_level, None)
                strange = text[~is_level].value_counts().sort_index()
            else:
                numbers[name] = pd.to_numeric(column, errors="coerce").astype(float).replace([np.inf, -np.inf], np.nan)
                strange = column[column.notna() & numbers[name].isna()].astype(str).value_counts().sort_index()
            of = int(column.notna().sum())
            unseen += [(name, str(value), int(n), of, "customers") for value, n in strange.items()]
        return Attributes.of_columns(numbers, categories, [], table.index), unseen

    def lacking(self, *, counts: Iterable[Counts], numbers: Iterable[str], columns: Iterable[str], n: int) -> _Unseen:
        """The planned features that a log without them cannot give, of its `n` customers."""
        present = {*(kind.name for kind in counts), *numbers, *columns}
        planned = [kind.name for kind in self.counts if kind.name in _PLAIN]
        planned += [*self.numbers, *(name.removesuffix(MARK) for name in (*self.attributes, *self.levels))]
        return [(name, None, n, n, "customers") for name in dict.fromkeys(planned) if name not in present]


def unseen_table(rows: _Unseen) -> pd.DataFrame:
    """`rows` as a table: `feature`, `value` (None where the log lacks the whole feature), `n` of so many (`of`) of
    what, `unit`."""
    return pd.DataFrame(rows, columns=list(UNSEEN)).astype(UNSEEN)


def _listed_elsewhere(counts: Counts, known: Mapping[str, tuple[str, ...]]) -> set[str]:
    """The cells of a part that are unseen among all: “channel of E” need not repeat what “channel” says."""
    if not counts.given or counts.name.startswith(_MOVES):
        return set()
    whole = "event" if counts.name.startswith("kind of ") else counts.name.split(" of ")[0]
    return set(counts.names) - set(known.get(whole, ()))
