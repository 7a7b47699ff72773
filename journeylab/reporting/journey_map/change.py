"""Change: what does the map say now that it did not say before?"""

from dataclasses import dataclass

import pandas as pd

from journeylab.base import html
from journeylab.base.words import counted

CHANGED, NEW, GONE = "changed", "new", "gone"
COLUMNS = ("lane", "stage", "change", "before", "now")
_BETWEEN = " · "


@dataclass(frozen=True)
class MapChange:
    """The difference between two maps, cell by cell.

    table: a row per cell that differs: `lane`, `stage`, `change` (changed; new, gone: the earlier, or the later, map
        has no such lane or stage), `before` and `now` in words. By the later map's order, what is gone last.
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
        counts = [f"{counted(int(kinds[kind]), 'cell')} {kind}" for kind in (CHANGED, NEW, GONE) if kind in kinds]
        since = f"Since the map with data up to {self.before}"
        what = ", ".join(counts) if counts else "nothing has changed"
        defined = (
            " The journey’s definition is another one, so some cells may differ for that." if self.is_redefined else ""
        )
        return f"{since}: {what}, of {counted(self.n_cells, 'cell')}.{defined}"

    def _repr_html_(self) -> str:
        return html.card(
            "What changed on the map",
            html.paragraph(self.sentence()),
            html.table(self.table, caption="Cells that differ"),
        )


def find_change(before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """The rows of `MapChange.table` for the cells `before` and `now`."""
    was, is_now = _texts(before), _texts(now)
    rows = [(*cell, CHANGED if cell in was else NEW, was.get(cell, ""), text)
            for cell, text in is_now.items() if was.get(cell) != text]  # fmt: skip
    rows += [(*cell, GONE, text, "") for cell, text in was.items() if cell not in is_now]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def _texts(cells: pd.DataFrame) -> dict[tuple[str, str], str]:
    """What each lane and stage says, all parts together."""
    parts: dict[tuple[str, str], list[str]] = {}
    for row in cells.itertuples(index=False):
        parts.setdefault((row.lane, row.stage), []).append(f"{row.part}: {row.text}" if row.part else row.text)
    return {cell: _BETWEEN.join(texts) for cell, texts in parts.items()}
