"""Sheet: words in a row for each lane and a column for each stage, on one page, with a curve in one of the lanes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from journeylab.base.charts.chart import FAINT, INK, PALETTE, QUIET, Chart, new_axes, themed

# A3 across, in inches.
WIDTH, HEIGHT = 16.5, 11.7
_HEADS, _SIZES = 1.5, (9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0, 5.5, 5.0, 4.5, 4.0)
_LETTER, _LEADING, _PADDING, _CURVE = 0.6, 1.35, 0.09, 0.85
_BEST, _LOW = 2.0, "#D55E00"
_UNSAID = "not measured"


@dataclass(frozen=True)
class _Layout:
    """What stands where: font size in points, and the wrapped lines of each lane and stage; heights in inches."""

    size: float
    header: list[str]
    lines: dict[str, list[list[str]]]
    heights: dict[str, float]

    @property
    def total(self) -> float:
        return self.header_height + sum(self.heights.values())

    @property
    def header_height(self) -> float:
        return (len(self.header) + 2) * self.line_height + 0.45

    @property
    def line_height(self) -> float:
        return self.size * _LEADING / 72


@themed
def sheet(
    cells: pd.DataFrame,
    *,
    header: Sequence[str],
    title: str,
    alt: str,
    curve: pd.DataFrame | None = None,
    curve_lane: str = "",
    ax: Axes | None = None,
) -> Chart:
    """A sheet with a column per stage and a row per lane, as they come.

    cells: `lane`, `stage`, `text`, a row per line. header: what stands under the title. curve: `stage`, `estimate`,
    `lower`, `upper`, `mark` (high, low), from -2 to 2, drawn above the lines of `curve_lane`; a gap where the estimate
    is missing; if it has `gone`, that is drawn hollow. The font is as large as the sheet allows; a sheet of its own
    grows where even the smallest does not fit.
    """
    stages, lanes = list(dict.fromkeys(cells["stage"])), list(dict.fromkeys(cells["lane"]))
    width, room = (WIDTH, HEIGHT) if ax is None else _inches(ax)
    layout = _fitted(cells, stages, lanes, header, curve_lane if curve is not None else None, width=width, room=room)
    axes = ax or new_axes(width=WIDTH, height=max(HEIGHT, layout.total + 0.2))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(max(room, layout.total + 0.1), 0)
    axes.text(0, 0.15, title, fontsize=layout.size * 1.7, weight="bold", va="top", parse_math=False)
    for number, line in enumerate(layout.header):
        _write(axes, 0, 0.15 + (number + 1.9) * layout.line_height, line, layout.size, colour=QUIET)
    edges = np.linspace(_HEADS, width, len(stages) + 1)
    top = layout.header_height
    for stage, left in zip(stages, edges, strict=False):
        _write(axes, left + 0.06, top - 1.4 * layout.line_height, _cut(stage, 40), layout.size * 1.1, weight="bold")
    for lane in lanes:
        curve_here = curve if lane == curve_lane else None
        _draw_lane(axes, lane, layout, top=top, edges=edges, curve=curve_here)
        top += layout.heights[lane]
    return Chart(axes, alt)


def _fitted(
    cells: pd.DataFrame, stages: list[str], lanes: list[str], header: Sequence[str], curve_lane: str | None, *,
    width: float, room: float,
) -> _Layout:  # fmt: skip
    """The layout with the largest font that fits into `room`, or with the smallest."""
    texts = {pair: list(rows["text"]) for pair, rows in cells.groupby(["lane", "stage"], sort=False)}
    column = (width - _HEADS) / max(1, len(stages)) - 0.12
    for size in _SIZES:
        letters = max(8, int(column * 72 / (size * _LETTER)))
        header_lines = wrap("   ·   ".join(header), int(width * 72 / (size * _LETTER)))
        lines = {lane: [_lines(texts.get((lane, stage), []), letters) for stage in stages] for lane in lanes}
        high = size * _LEADING / 72
        heads = int(_HEADS * 72 / (size * _LETTER)) - 2
        heights = {
            lane: max([len(wrap(lane, heads)), *map(len, lines[lane])]) * high
            + _PADDING + (_CURVE if lane == curve_lane else 0)
            for lane in lanes
        }  # fmt: skip
        layout = _Layout(size, header_lines, lines, heights)
        if layout.total <= room - 0.2:
            break
    return layout


def _lines(texts: list[str], letters: int) -> list[str]:
    return list(chain.from_iterable(wrap(text, letters, subsequent_indent="  ") for text in texts))


def _draw_lane(
    axes: Axes, lane: str, layout: _Layout, *, top: float, edges: np.ndarray, curve: pd.DataFrame | None
) -> None:
    axes.hlines(top, 0, edges[-1], color=FAINT, linewidth=0.8)
    begin = top + _PADDING / 2
    heads = int(_HEADS * 72 / (layout.size * _LETTER)) - 2
    for number, part in enumerate(wrap(lane, heads)):
        _write(axes, 0, begin + number * layout.line_height, part, layout.size, weight="bold")
    if curve is not None:
        _draw_curve(axes, curve, begin, (edges[:-1] + edges[1:]) / 2, layout.size)
        begin += _CURVE
    for lines, left in zip(layout.lines[lane], edges, strict=False):
        for number, line in enumerate(lines):
            colour = QUIET if line.startswith(_UNSAID) else INK
            _write(axes, left + 0.06, begin + number * layout.line_height, line, layout.size, colour=colour)


def _draw_curve(axes: Axes, curve: pd.DataFrame, top: float, at: np.ndarray, size: float) -> None:
    middle, scale = top + _CURVE / 2, _CURVE / 2 / _BEST * 0.9
    mean, lower, upper = (middle - curve[column].to_numpy() * scale for column in ("estimate", "lower", "upper"))
    axes.hlines(middle, at[0] - 0.5, at[-1] + 0.5, color=FAINT, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.plot(at, mean, color=PALETTE[0], linewidth=1.6)
    if "gone" in curve:
        gone = middle - curve["gone"].to_numpy() * scale
        axes.vlines(at, mean, gone, color=_LOW, linewidth=1, linestyle=":")
        axes.plot(at, gone, "o", markerfacecolor="none", markeredgecolor=_LOW, markersize=6)
    axes.vlines(at, lower, upper, color=PALETTE[0], linewidth=4, alpha=0.3)
    for x, y, mark in zip(at, mean, curve["mark"], strict=True):
        if not np.isnan(y):
            axes.plot(x, y, "o", color=_LOW if mark == "low" else PALETTE[0], markersize=8 if mark else 5)
            if mark:
                _write(axes, x + 0.12, y - 0.06, mark, size, weight="bold")


def _write(
    axes: Axes, x: float, y: float, text: str, size: float, *, colour: str = INK, weight: str = "normal"
) -> None:
    axes.text(x, y, text, fontsize=size, color=colour, weight=weight, va="top", parse_math=False, clip_on=False)


def _cut(text: str, at_most: int) -> str:
    return text if len(text) <= at_most else f"{text[: at_most - 1]}…"


def _inches(ax: Axes) -> tuple[float, float]:
    box, (width, height) = ax.get_position(), ax.figure.figure.get_size_inches()
    return box.width * width, box.height * height
