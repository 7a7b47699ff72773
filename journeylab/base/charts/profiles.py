"""Profiles: what distinguishes each of several kinds, and what becomes of it? A row of small panels for each."""

from collections.abc import Mapping
from textwrap import shorten
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from journeylab.base.charts.chart import INK, PALETTE, QUIET, SIZE, Chart, colours, rule, themed

MOST_BARS, LETTERS, HEADING_LETTERS = 5, 34, 88
# All in inches: room for the labels to the left of the bars, a row's panels, the heading above each, title and foot.
_LABELS, _BETWEEN, _RIGHT = 2.35, 0.75, 0.75
_PANEL, _HEAD, _TITLE, _FOOT = 0.95, 0.42, 0.16, 0.5


@themed
def profiles(
    headings: Mapping[str, str],
    *,
    bars: pd.DataFrame,
    curves: pd.DataFrame,
    bars_label: str,
    curves_label: str,
    title: str,
    alt: str,
    faint: str | None = None,
) -> Chart:
    """A row for each key of `headings`, under its text: bars to the left, curves of shares to the right.

    bars: `row` (a key of `headings`), `label`, `value` from -1 to 1; the first five are drawn, blue to the right and
        orange to the left of 0. curves: `row`, `line`, `x`, `estimate`, `lower`, `upper`, steps with a band; the
        line `faint` is drawn in grey, without a band, for comparison. Where there is no curve at all, bars take the
        whole width.
    """
    has_curves = bool(len(curves))
    figure, grid = _grid(len(headings), 2 if has_curves else 1)
    figure.suptitle(
        title, x=0.01, y=1 - 0.08 / figure.get_figheight(), ha="left", va="top", fontsize=10, fontweight="bold"
    )
    colour, furthest = colours(headings), curves["x"].max() if has_curves else 0
    for row, (key, heading) in enumerate(headings.items()):
        _bars(grid[row][0], bars[bars["row"] == key].head(MOST_BARS))
        top = grid[row][0].get_position().y1 + 0.09 / figure.get_figheight()
        words = shorten(heading, HEADING_LETTERS, placeholder=" …")
        figure.text(0.01, top, words, fontsize=9, fontweight="bold", color=INK)
        if has_curves:
            _curves(grid[row][1], curves[curves["row"] == key], faint if row == 0 else None, faint, colour[key])
            grid[row][1].set_xlim(0, furthest or 1)
        for axes in grid[row]:
            axes.tick_params(labelbottom=row == len(headings) - 1, labelsize=8)
    grid[-1][0].set_xlabel(bars_label, fontsize=8)
    if has_curves:
        grid[-1][1].set_xlabel(curves_label, fontsize=8)
    return Chart(grid[0][0], alt)


def _grid(n_rows: int, n_columns: int) -> tuple[Figure, np.ndarray]:
    """A figure with room for a heading above each row; placed by hand, for headings are wider than their panels."""
    width, height = SIZE[0], _TITLE + _FOOT + n_rows * (_PANEL + _HEAD)
    figure = Figure(figsize=(width, height))
    grid = figure.subplots(n_rows, n_columns, squeeze=False, width_ratios=(1, 1.35) if n_columns == 2 else None)
    panels = (width - _LABELS - _RIGHT - _BETWEEN * (n_columns - 1)) / n_columns
    figure.subplots_adjust(
        left=_LABELS / width,
        right=1 - _RIGHT / width,
        bottom=_FOOT / height,
        top=1 - (_TITLE + _HEAD) / height,
        wspace=_BETWEEN / panels,
        hspace=_HEAD / _PANEL,
    )
    return figure, grid


def _bars(axes: Axes, rows: pd.DataFrame) -> None:
    labels = [shorten(str(label), LETTERS, placeholder=" …") for label in rows["label"]]
    fill = [PALETTE[0] if value > 0 else PALETTE[1] for value in rows["value"]]
    axes.barh(range(len(rows)), rows["value"], color=fill, height=0.66)
    axes.axvline(0, color=QUIET, linewidth=0.8)
    axes.set_yticks(range(len(rows)), labels)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(MOST_BARS - 0.5, -0.5)
    axes.set_xlim(-1, 1)
    rule(axes, "x")
    if rows.empty:
        axes.annotate(
            "none beyond the negligible",
            (0, 2),
            ha="center",
            va="center",
            fontsize=8,
            color=QUIET,
            backgroundcolor="white",
        )


def _curves(axes: Axes, rows: pd.DataFrame, named: str | None, faint: str | None, colour: str) -> None:
    """The lines of one row; `faint` is grey, and its name is written where it is `named`."""
    for line, part in rows.groupby("line", sort=False):
        is_main = line != faint
        ink = colour if is_main else QUIET
        style = {"linewidth": 1.8, "zorder": 3} if is_main else {"linewidth": 1.2, "linestyle": (0, (3, 2))}
        axes.plot(part["x"], part["estimate"], drawstyle="steps-post", color=ink, **style)
        if is_main:
            axes.fill_between(part["x"], part["lower"], part["upper"], step="post", color=ink, alpha=0.16, linewidth=0)
        if is_main or named:
            placed: dict[str, Any] = {"xytext": (4, 7 if is_main else 0), "textcoords": "offset points"}
            placed["bbox"] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}
            placed["annotation_clip"] = False
            end = (part["x"].iloc[-1], part["estimate"].iloc[-1])
            axes.annotate(str(line), end, fontsize=8, color=ink if ink in PALETTE[:5] else INK, va="center", **placed)
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    rule(axes, "y", percent=True)
