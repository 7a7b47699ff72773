"""Change: what does the map say now that it did not say before, by more than chance explains?"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from journeylab.base import html
from journeylab.base.words import counted
from journeylab.reporting.journey_map.cells import DATA, SURVEY

CHANGED, REWORDED, NEW, GONE = "changed", "reworded", "new", "gone"
COLUMNS = ("lane", "stage", "change", "before", "now")
RULE = (
    "A cell has changed where the intervals of before and now do not overlap; where a number has no interval or the "
    "words are other ones, it is reworded. Counts of customers and visits grow by themselves and are no change."
)
_BETWEEN = " · "
_NUMBER = r"(?<!\w)[+−-]?\d[\d,]*(?:\.\d+)?(?!\w)"
_INTERVAL = re.compile(rf"({_NUMBER})%? to ({_NUMBER}|not reached)")
# Days within which, and on which, something is counted are what a number is of, not a number that may move.
_SPAN = re.compile(rf"\b(?:within|at) {_NUMBER}(?: · {_NUMBER})* days?|{_NUMBER}|not reached")
# How many answered is what a feeling rests on, not what is felt.
_BASES = ("n = #", "#% of # customers answered")
_PLURAL = re.compile(r"(# [a-z]+?)s\b")


@dataclass(frozen=True)
class MapChange:
    """The difference between two maps, cell by cell.

    table: a row per cell that differs: `lane`, `stage`, `change` (changed, reworded: see `RULE`; new, gone: the
        earlier, or the later, map has no such lane or stage), `before` and `now`: the parts that differ, in words. By
        the later map's order, what is gone last.
    before, now: until when the data of the two maps reach. n_cells: of the later map. is_redefined: whether the
    journey's definition differs.
    """

    table: pd.DataFrame
    before: str
    now: str
    n_cells: int
    is_redefined: bool

    def sentence(self) -> str:
        """How many cells differ, and whether the definition does."""
        kinds = self.table["change"].value_counts()
        counts = [
            f"{counted(int(kinds[kind]), 'cell')} {kind}" for kind in (CHANGED, REWORDED, NEW, GONE) if kind in kinds
        ]
        since = f"Since the map with data up to {self.before}"
        what = ", ".join(counts) if counts else "nothing has changed"
        defined = (
            " The journey’s definition is another one, so some cells may differ for that." if self.is_redefined else ""
        )
        return f"{since}: {what}, of {counted(self.n_cells, 'cell')}.{defined}"

    def _repr_html_(self) -> str:
        return html.card(
            "What changed on the map",
            html.paragraph(f"{self.sentence()} {RULE}"),
            html.table(self.table, caption="Cells that differ"),
        )


@dataclass(frozen=True)
class _Part:
    """A part of a cell. text: all that it says, with its label. words: the same without what may move by chance.
    intervals: those in it. is_count: whether it only counts customers and visits."""

    text: str
    words: str
    intervals: tuple[tuple[float, float], ...]
    is_count: bool

    @classmethod
    def of(cls, row: Any) -> "_Part":
        text = f"{row.part}: {row.text}" if row.part else row.text
        if row.evidence not in (DATA, SURVEY):
            return cls(text, text, (), False)
        words = _SPAN.sub(lambda found: found[0] if found[0][0] in "wa" else "#", text)
        intervals = [(_number(lower), _number(upper)) for lower, upper in _INTERVAL.findall(text)]
        is_count = words in _BASES or (row.evidence == DATA and row.source == "spells")
        return cls(text, _PLURAL.sub(r"\1", words), tuple(intervals), is_count)

    def moved_to(self, now: "_Part") -> bool:
        """Whether any of its intervals and that of `now` do not overlap."""
        pairs = zip(self.intervals, now.intervals, strict=True)
        return any(first[1] < second[0] or second[1] < first[0] for first, second in pairs)


def find_change(before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """The rows of `MapChange.table` for the cells `before` and `now`."""
    was, is_now = _parts(before), _parts(now)
    rows = []
    for cell, parts in is_now.items():
        if cell not in was:
            rows.append((*cell, NEW, "", _said(parts)))
        elif change := _compared(was[cell], parts):
            rows.append((*cell, *change))
    rows += [(*cell, GONE, _said(parts), "") for cell, parts in was.items() if cell not in is_now]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def _compared(before: list[_Part], now: list[_Part]) -> tuple[str, str, str] | None:
    """How a cell changed, and the parts that did before and now; None where none did."""
    left, pairs, strange = list(before), [], []
    for part in now:
        same = next((other for other in left if other.words == part.words), None)
        if same is None:
            strange.append(part)
        else:
            left.remove(same)
            pairs.append((same, part))
    moved = [pair for pair in pairs if pair[0].moved_to(pair[1])]
    reworded = [
        pair for pair in pairs if not pair[0].intervals and not pair[1].is_count and pair[0].text != pair[1].text
    ]
    differing = [*moved, *reworded]
    gone, new = ([part for part in parts if not part.is_count] for parts in (left, strange))
    if not (differing or gone or new):
        return None
    texts = [_said([*(pair[at] for pair in differing), *others]) for at, others in enumerate((gone, new))]
    return CHANGED if moved else REWORDED, texts[0], texts[1]


def _parts(cells: pd.DataFrame) -> dict[tuple[str, str], list[_Part]]:
    """What each lane and stage says, part by part."""
    parts: dict[tuple[str, str], list[_Part]] = {}
    for row in cells.itertuples(index=False):
        parts.setdefault((row.lane, row.stage), []).append(_Part.of(row))
    return parts


def _said(parts: Iterable[_Part]) -> str:
    return _BETWEEN.join(part.text for part in parts)


def _number(written: str) -> float:
    return float("inf") if written == "not reached" else float(written.replace(",", "").replace("−", "-"))
