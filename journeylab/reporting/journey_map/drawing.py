"""Drawing: how does a map become HTML that fits a screen, a notebook, a telephone and one sheet of A3?"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from math import ceil
from typing import Any, NamedTuple, TypeAlias

import pandas as pd
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from journeylab.base import html
from journeylab.base.version import VERSION
from journeylab.reporting.journey_map.cells import (
    EMOTIONS,
    EVIDENCE,
    MOST_SHOWN,
    NO_EVIDENCE,
    QUOTED,
    in_brief,
    in_parts,
)
from journeylab.reporting.journey_map.curve import emotion_curve
from journeylab.reporting.offline import TEMPLATES, check_offline

# A JourneyMap, whose file imports this one.
Drawn: TypeAlias = Any
MOST_ITEMS, MOST_OF_TITLE = 9, 60
# A3 across less margins and a little more, in CSS pixels, and what of it the lanes’ titles take.
_SHEET_WIDTH, _SHEET_HEIGHT, _HEADS = 1520, 1030, 130
# What the print styles say, in parts of the font's size: width of letters, height of lines, further of items, of bars
# and of rows; and in pixels the height of the curve.
_LETTER, _LEADING, _ITEM, _BAR, _ROW, _CURVE = 0.53, 1.3, 0.15, 0.6, 0.5, 70
_SIZES = (12, 11.5, 11, 10.5, 10, 9.5, 9, 8.5, 8, 7.5, 7, 6.5, 6, 5.5, 5, 4.5, 4)


class Item(NamedTuple):
    """A line of a cell: in brief, and in full; `share`: how long its bar is, or None."""

    label: str
    brief: str
    text: str
    evidence: str
    source: str
    share: float | None


class MapCell(NamedTuple):
    """What stands in one lane for one stage. `left_out`: how many items more there are; `before`: what the earlier map
    said, None where that is the same."""

    stage: str
    items: tuple[Item, ...]
    left_out: int
    mark: str
    before: str | None

    @property
    def is_told(self) -> bool:
        """Whether there is more to tell of it than that it was not measured."""
        return self.before is not None or any(item.evidence != NO_EVIDENCE for item in self.items)


def fragment(maps: Sequence[Drawn]) -> str:
    """One map, or several lane by lane, as a fragment of HTML with its own styles."""
    return _rendered("journey_map.html.j2", maps, level=3)


def page(maps: Sequence[Drawn]) -> str:
    """The same as a page. Raises ReportError if that were not complete in itself."""
    made = _rendered("journey_map_page.html.j2", maps, level=1)
    check_offline(made, name="the journey map")
    return made


def line(row: Any) -> str:
    """A row of a map's table in brief, with its label."""
    brief = row.text if row.lane in QUOTED else in_brief(row.text)
    return f"{row.part}: {brief}" if row.part else brief


def _rendered(template: str, maps: Sequence[Drawn], *, level: int) -> str:
    lanes = tuple(dict.fromkeys(lane for drawn in maps for lane in drawn.lanes))
    cells_of = [(drawn, _cells(drawn)) for drawn in maps]
    rows = [
        {"lane": name, "title": title, "maps": [_row(drawn, cells, name) for drawn, cells in cells_of]}
        for name, title in lanes
    ]
    first = maps[0]
    return _environment().get_template(template).render(
        maps=maps,
        rows=rows,
        stages=[in_brief(stage.title, at_most=MOST_OF_TITLE) for stage in first.stages],
        level=level,
        identity=f"jm-{first.sha256[:8]}" + (f"-{maps[1].sha256[:8]}" if len(maps) > 1 else ""),
        size=_size_on_paper(rows, len(first.stages), first),
        version=VERSION,
        evidence=EVIDENCE,
        most=MOST_ITEMS,
        headers=[in_short(drawn.header) for drawn in maps],
        tables=[_table(drawn, csv=len(maps) == 1) for drawn in maps],
        changes=[Markup(html.table(drawn.changes.table, caption=drawn.changes.sentence())) for drawn in maps
                 if drawn.changes and len(drawn.changes.table)],
    )  # fmt: skip


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True)


def in_short(header: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The header, part by part without interval and base; the table of the map has all."""
    return [(word, "; ".join(in_brief(part) for part in in_parts(said))) for word, said in header]


def _cells(drawn: Drawn) -> dict[str, list[MapCell]]:
    """The cells of each lane, in the order of the stages."""
    before = {}
    if drawn.changes is not None:
        rows = drawn.changes.table.itertuples(index=False)
        before = {(row.lane, row.stage): row.before or "nothing" for row in rows if row.now}
    marks = dict(zip(drawn.curve["stage"], drawn.curve["mark"], strict=True))
    by_cell: dict[tuple[str, str], list[Any]] = {}
    for row in drawn.table.itertuples(index=False):
        by_cell.setdefault((row.lane, row.stage), []).append(row)
    by_lane: dict[str, list[MapCell]] = {}
    for lane, _ in drawn.lanes:
        for stage in drawn.stages:
            items = tuple(_items(by_cell[lane, stage.name]))
            mark = marks.get(stage.name, "") if lane == EMOTIONS else ""
            title, left_out = in_brief(stage.title, at_most=MOST_OF_TITLE), max(0, len(items) - MOST_ITEMS)
            by_lane.setdefault(lane, []).append(MapCell(title, items, left_out, mark, before.get((lane, stage.name))))
    return by_lane


def _items(rows: Iterable[Any]) -> Iterator[Item]:
    for row in rows:
        brief = in_brief(row.text) if row.lane not in QUOTED else in_brief(f"{row.text} ").strip()
        is_share = 0 <= row.estimate <= 1 and row.lower == row.lower
        share = round(row.estimate, 4) if is_share else None
        yield Item(in_brief(row.part, at_most=40), brief, row.text, row.evidence, row.source, share)


def _row(drawn: Drawn, cells: dict[str, list[MapCell]], lane: str) -> dict[str, Any]:
    has_curve = lane == EMOTIONS and drawn.curve["estimate"].notna().any()
    nothing = [MapCell(stage.title, (), 0, "", None) for stage in drawn.stages]
    return {
        "persona": in_brief(drawn.persona, at_most=MOST_OF_TITLE),
        "cells": cells.get(lane, nothing),
        "curve": emotion_curve(drawn.curve) if has_curve else None,
    }


def _table(drawn: Drawn, *, csv: bool) -> Markup:
    """All that the map says, as a table; with `csv` the page carries the same rows once more, to be saved."""
    return Markup(html.table(_numbers(drawn), caption=f"All that the map says: {drawn.title}", csv=csv))


def _numbers(drawn: Drawn) -> pd.DataFrame:
    titles, stages = dict(drawn.lanes), {stage.name: stage.title for stage in drawn.stages}
    table = drawn.table.assign(lane=drawn.table["lane"].map(titles), stage=drawn.table["stage"].map(stages))
    columns = ["lane", "stage", "part", "text", "evidence", "source"]
    head = pd.DataFrame([("", "", *pair, "", "") for pair in drawn.header], columns=columns)
    return pd.concat([head, table[columns]], ignore_index=True)


def _size_on_paper(rows: Sequence[dict[str, Any]], n_stages: int, drawn: Drawn) -> float:
    """The largest font, in CSS pixels, with which the map fits one sheet of A3 across."""
    width = (_SHEET_WIDTH - _HEADS) / max(1, n_stages)
    for size in _SIZES:
        letters = max(6, int((width - 24) / (_LETTER * size)))
        header = sum(len(word) + len(said) + 6 for word, said in in_short(drawn.header)) * _LETTER * size / _SHEET_WIDTH
        height = (ceil(header) + len(drawn.missing) + 6) * _LEADING * size
        for row in rows:
            for one in row["maps"]:
                cells = max((_height(cell, letters) for cell in one["cells"]), default=_LEADING)
                height += (max(cells, ceil(len(row["title"]) / 16) * _LEADING) + _ROW) * size
                height += _CURVE if one["curve"] else 0
        if height <= _SHEET_HEIGHT:
            break
    return size


def _height(cell: MapCell, letters: int) -> float:
    """The height of a cell on paper, in parts of the font's size, where so many letters fit into a line."""
    height = _LEADING * bool(cell.left_out)
    for item in cell.items[:MOST_ITEMS]:
        written = len(item.label) + min(len(item.brief), MOST_SHOWN) + 3 + len(cell.mark)
        height += ceil(written / letters) * _LEADING + _ITEM + _BAR * (item.share is not None)
    return height
