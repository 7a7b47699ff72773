"""Marks: dots with intervals, stacked bars and tiles, one for each row of a tidy table."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator, PercentFormatter

from journeylab.base.charts.chart import QUIET, Chart, colours, new_axes, readable_on, rule, seaborn, themed
from journeylab.base.charts.letters import fitting

# So many letters leave room for the marks: of what stands before them, and in the key beside them.
LABEL, KEY = 60, 40


@themed
def intervals(
    table: pd.DataFrame,
    *,
    label: str = "label",
    x: str = "estimate",
    lower: str = "lower",
    upper: str = "upper",
    x_label: str,
    title: str,
    alt: str,
    by: str | None = None,
    reference: float | None = None,
    percent: bool = False,
    scale: Literal["linear", "log"] = "linear",
    colour_order: Sequence[str] = (),
    faint: Sequence[str] = (),
    ax: Axes | None = None,
) -> Chart:
    """A dot with its interval for each row, top to bottom; with `by`, one beside the other within each label.

    `reference` is marked by a dashed line. `faint`: the labels, or values of `by`, drawn in grey. Ratios want the
    `scale` “log”, where twice and half are equally far from 1.
    """
    labels = list(dict.fromkeys(table[label]))
    groups: list[Any] = list(dict.fromkeys(table[by])) if by else [None]
    axes = ax or new_axes(height=max(2.0, 0.9 + 0.3 * len(labels) * max(1, 0.7 * len(groups))))
    colour = colours((*colour_order, *groups))
    for number, group in enumerate(groups):
        rows = table[table[by] == group] if by else table
        shift = (number - (len(groups) - 1) / 2) * 0.7 / len(groups)
        at = np.array([labels.index(name) for name in rows[label]]) + shift
        quiet = (rows[label].isin(faint) | (group in faint)).to_numpy()
        for tone, here in ((colour[group], ~quiet), (QUIET, quiet)):
            if here.any():
                named = group if here is not quiet or here.all() else None
                named = named if named is None else fitting(str(named), at_most=KEY)
                _dots(axes, rows[here], (x, lower, upper), at[here], colour=tone, label=named)
    if reference is not None:
        axes.axvline(reference, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_yticks(range(len(labels)), [fitting(str(name), at_most=LABEL) for name in labels])
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set(title=title, xlabel=x_label)
    rule(axes, "x", percent=percent)
    if scale == "log":
        _scale_ratios(axes)
    if by:
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return Chart(axes, alt)


def _dots(
    axes: Axes, rows: pd.DataFrame, columns: tuple[str, str, str], at: np.ndarray, *, colour: str, label: str | None
) -> None:
    x, lower, upper = columns
    axes.hlines(at, rows[lower], rows[upper], color=colour, linewidth=2)
    axes.plot(rows[x], at, "o", color=colour, markersize=5, label=label)


def _scale_ratios(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1, 1.5, 2, 3, 5, 7)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_locator(NullLocator())


@themed
def stacked(
    table: pd.DataFrame,
    *,
    label: str = "label",
    parts: Sequence[str],
    x_label: str,
    title: str,
    alt: str,
    percent: bool = False,
    colour_order: Sequence[str] = (),
    ax: Axes | None = None,
) -> Chart:
    """A horizontal bar for each row, made of `parts` from left to right; parts wide enough carry their number."""
    axes = ax or new_axes(height=max(2.0, 1.2 + 0.45 * len(table)))
    colour = colours((*colour_order, *parts))
    start = np.zeros(len(table))
    widest = table[list(parts)].sum(axis=1).max()
    for part in parts:
        widths = table[part].to_numpy(dtype=float)
        axes.barh(
            range(len(table)),
            widths,
            left=start,
            color=colour[part],
            label=fitting(part, at_most=KEY),
            height=0.7,
            edgecolor="white",
        )
        for row in np.flatnonzero(widths > 0.06 * widest).tolist():
            text = f"{widths[row]:.0%}" if percent else f"{widths[row]:,.0f}"
            middle = start[row] + widths[row] / 2
            axes.text(middle, row, text, ha="center", va="center", fontsize=8, color=readable_on(colour[part]))
        start += widths
    axes.set_yticks(range(len(table)), [fitting(str(name), at_most=LABEL) for name in table[label]])
    axes.invert_yaxis()
    axes.set(title=title, xlabel=x_label)
    if percent:
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1), fontsize=8)
    return Chart(axes, alt)


@themed
def tiles(
    table: pd.DataFrame,
    *,
    row: str,
    column: str,
    value: str,
    title: str,
    alt: str,
    text: str | None = None,
    centre: float | None = None,
    ax: Axes | None = None,
) -> Chart:
    """A heat map of a tidy table, rows and columns in the order they come; each tile says its value, or `text`."""
    rows, columns = dict.fromkeys(table[row]), dict.fromkeys(table[column])
    grid = table.pivot(index=row, columns=column, values=value).loc[list(rows), list(columns)].astype(float)
    written = table.pivot(index=row, columns=column, values=text or value).loc[list(rows), list(columns)]
    axes = ax or new_axes(height=max(2.0, 1.4 + 0.32 * len(rows)))
    seaborn.heatmap(
        grid,
        ax=axes,
        annot=written if text else True,
        fmt="" if text else ".3g",
        cmap="vlag" if centre is not None else "Blues",
        center=centre,
        cbar=False,
        linewidths=1.5,
        linecolor="white",
        annot_kws={"fontsize": 8},
    )
    axes.set(xlabel="", ylabel="", title=title)
    axes.tick_params(rotation=0, length=0)
    return Chart(axes, alt)
