"""Curves: how does something change, with its band, its name beside it and its numbers at risk below?"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from journeylab.base.charts.chart import (
    INK,
    PALETTE,
    QUIET,
    SIZE,
    Chart,
    colours,
    new_axes,
    rule,
    shades,
    themed,
    write_beside,
)
from journeylab.base.ordering import ordered

# A longer name beside a line would leave no room for the line; the alternative text has it whole.
_LETTERS = 28


@themed
def curves(
    table: pd.DataFrame,
    *,
    x: str,
    y: str = "estimate",
    x_label: str,
    y_label: str,
    title: str,
    alt: str,
    by: str | None = None,
    panel: str | None = None,
    lower: str | None = None,
    upper: str | None = None,
    at_risk: pd.DataFrame | None = None,
    step: bool = True,
    percent: bool = False,
    colour_order: Sequence[str] = (),
    faint: Sequence[str] = (),
    dashed: Sequence[str] = (),
    mark: str | None = None,
    ax: Axes | None = None,
) -> Chart:
    """A line per value of `by`, with a band from `lower` to `upper`, labelled at its end; a panel per value of `panel`.

    `at_risk`: tidy table with columns `x`, `n` and, where used, `by` and `panel`: numbers written under the axis.
    `faint`: the lines, or whole panels, drawn in grey. `dashed`: the lines drawn so. `mark`: the column of the values
    of x where each panel has a dotted upright.
    """
    names: list[Any] = list(dict.fromkeys(table[by])) if by else [None]
    order = colours((*colour_order, *names))
    height = 2.6 + 0.14 * len(names)
    top = table[upper or y].max() if percent else None
    for axes, name, part in _panels(table, panel, title, ax, height):
        colour = {group: QUIET if {group, name} & {*faint} else order[group] for group in order}
        for group in names:
            line = part[part[by] == group] if by else part
            _curve(axes, line, (x, y, lower, upper), colour[group], step=step, dashed=group in dashed)
        for x_mark in part[mark].dropna().unique() if mark else ():
            axes.axvline(x_mark, color=QUIET, linewidth=1, linestyle=":", zorder=0)
        _label_axes(axes, x_label, y_label, top)
        if by:
            _label_ends(axes, part, x, y, by, colour)
        if at_risk is not None:
            below = at_risk[at_risk[panel] == name] if panel else at_risk
            _write_at_risk(axes, below, by if by in below.columns else None, colour)
    return Chart(ax or axes.figure.axes[0], alt)


@themed
def areas(
    table: pd.DataFrame,
    *,
    x: str,
    y: str,
    by: str,
    x_label: str,
    title: str,
    alt: str,
    in_shades: Sequence[str] = (),
    colour_order: Sequence[str] = (),
    ax: Axes | None = None,
) -> Chart:
    """Shares that sum to one, stacked from the bottom in the order of `by`, each named beside its band.

    Each value holds from its x until the next. The names `in_shades` get shades of one hue, in their order.
    """
    shares = table.pivot(index=x, columns=by, values=y)[list(dict.fromkeys(table[by]))]
    tops = shares.cumsum(axis=1)
    axes = ax or new_axes()
    colour = colours((*colour_order, *shares)) | shades(in_shades)
    for name in shares:
        band: dict[str, Any] = {"color": colour[name], "step": "post", "linewidth": 0.4, "edgecolor": "white"}
        axes.fill_between(shares.index, tops[name] - shares[name], tops[name], **band)
    axes.set_title(title)
    _label_axes(axes, x_label, "", 1.0)
    axes.set_ylim(0, 1)
    axes.margins(x=0)
    middles = (tops - shares / 2).iloc[-1].rename("height").rename_axis("name").reset_index()
    visible = middles[(shares.iloc[-1] >= 0.004).to_numpy()].assign(x=shares.index[-1])
    _label_ends(axes, visible, "x", "height", "name", colour)
    return Chart(axes, alt)


@themed
def lines(
    table: pd.DataFrame,
    *,
    x: str,
    y: str,
    x_label: str,
    y_label: str,
    title: str,
    alt: str,
    by: str | None = None,
    mark: float | None = None,
    ax: Axes | None = None,
) -> Chart:
    """A line with a marker at each point, one per value of `by`; `mark` is the x value that was chosen."""
    names: list[Any] = list(dict.fromkeys(table[by])) if by else [None]
    axes = ax or new_axes()
    colour = colours(names)
    for name in names:
        line = table[table[by] == name] if by else table
        axes.plot(line[x], line[y], "o-", color=colour[name], linewidth=1.6, markersize=4)
    if mark is not None:
        axes.axvline(mark, color=QUIET, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    axes.set_title(title)
    _label_axes(axes, x_label, y_label)
    if pd.api.types.is_integer_dtype(table[x]):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    elif pd.api.types.is_datetime64_any_dtype(table[x]):
        axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))
    if by:
        _label_ends(axes, table, x, y, by, colour)
    return Chart(axes, alt)


def _panels(table: pd.DataFrame, panel: str | None, title: str, ax: Axes | None, height: float):
    """Yield (axes, name of the panel, its rows); panels are `height` inches high; without `panel` there is one."""
    if panel is None:
        axes = ax or new_axes()
        axes.set_title(title)
        yield axes, None, table
        return
    names = list(dict.fromkeys(table[panel]))
    n_columns = 1 if len(names) == 1 else 2
    n_rows = -(-len(names) // n_columns)
    figure = Figure(figsize=(SIZE[0] * 1.1, 0.5 + height * n_rows), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    grid = figure.subplots(n_rows, n_columns, squeeze=False, sharey=True).ravel()
    for spare in grid[len(names) :]:
        spare.remove()
    for axes, name in zip(grid, names, strict=False):
        axes.set_title(str(name), fontsize=9)
        yield axes, name, table[table[panel] == name]


def _curve(axes: Axes, line: pd.DataFrame, columns: tuple, colour: str, *, step: bool, dashed: bool) -> None:
    x, y, lower, upper = columns
    drawn, dashes = "steps-post" if step else "default", (0, (4, 2)) if dashed else "-"
    axes.plot(line[x], line[y], color=colour, linewidth=1.8, drawstyle=drawn, linestyle=dashes)
    if lower and upper:
        shape: Literal["post"] | None = "post" if step else None
        axes.fill_between(line[x], line[lower], line[upper], step=shape, color=colour, alpha=0.16, linewidth=0)


def _label_axes(axes: Axes, x_label: str, y_label: str, top: float | None = None) -> None:
    """Name and rule the axes; `top` is the largest share drawn in any panel, None where y is no share."""
    axes.set(xlabel=x_label, ylabel=y_label)
    rule(axes, "y", percent=top is not None)
    if top is None:
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}")
    else:
        axes.set_ylim(0, 1.02 if top > 0.85 else max(1.06 * top, 0.05))


def _label_ends(axes: Axes, table: pd.DataFrame, x: str, y: str, by: str, colour: dict[str, str]) -> None:
    """Write each line's name to the right of the axes, as near to the height of its last point as the names allow."""
    last = table.dropna(subset=[y]).sort_values(x, kind="stable").groupby(by, sort=False, observed=True).tail(1)
    last = ordered(last, y, smallest=True)
    bottom, top = axes.get_ylim()
    place = axes.get_subplotspec()
    n_rows = place.get_gridspec().nrows if place else 1
    # The axes take about three quarters of their row, less where numbers at risk stand under them.
    share = 0.75 if n_rows == 1 else 0.5
    line_height = 0.145 * (top - bottom) * n_rows / (share * axes.figure.figure.get_size_inches()[1])
    heights = apart(last[y].to_numpy(dtype=float), distance=line_height, bottom=bottom)
    for name, height in zip(last[by], heights, strict=True):
        ink = colour[name] if colour[name] in (*PALETTE[:5], QUIET) else INK
        label = name if len(name := str(name)) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
        write_beside(axes, label, height, points=3, size=8, colour=ink)


def apart(heights: np.ndarray, *, distance: float, bottom: float) -> np.ndarray:
    """Ascending `heights` moved, as little as possible in squares, to be `distance` apart and none below `bottom`.

    Less `distance` per place, they must not descend: isotonic regression by pooling adjacent violators.
    """
    steps = distance * np.arange(len(heights))
    pools = []
    for height in heights - steps:
        pools.append((height, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (high, n_high), (low, n_low) = pools[-2:]
            pools[-2:] = [((high * n_high + low * n_low) / (n_high + n_low), n_high + n_low)]
    return np.maximum(np.repeat([height for height, _ in pools], [n for _, n in pools]), bottom) + steps


def _write_at_risk(axes: Axes, at_risk: pd.DataFrame, by: str | None, colour: dict) -> None:
    """Write the numbers at risk in rows under the axis, one row per line."""
    names = list(dict.fromkeys(at_risk[by])) if by else [None]
    below = axes.get_xaxis_transform()
    for row, name in enumerate(names):
        numbers = at_risk[at_risk[by] == name] if by else at_risk
        ink = colour[name] if by and colour.get(name) in PALETTE[:5] else QUIET
        placed: dict[str, Any] = {"textcoords": "offset points", "fontsize": 7, "color": ink, "annotation_clip": False}
        ends = numbers["x"].min(), numbers["x"].max()
        for x, n in zip(numbers["x"], numbers["n"], strict=True):
            # The layout makes room for the outermost; between them there is room.
            placed["in_layout"] = x in ends
            axes.annotate(f"{n:,.0f}", (x, 0), xycoords=below, xytext=(0, -39 - 10 * row), ha="center", **placed)
    axes.annotate(
        "at risk", (0, 0), xycoords="axes fraction", xytext=(-8, -39), textcoords="offset points", ha="right",
        fontsize=7, color=QUIET, annotation_clip=False,
    )  # fmt: skip
