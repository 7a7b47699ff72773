"""Funnel: which share gets how far, drawn as bars from the top down, with their intervals and counts?"""

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from journeylab.base.charts.chart import INK, QUIET, Chart, colours, new_axes, rule, themed, write_beside

_BAR = 0.72  # of the height of a step
_LETTERS = 28  # of a step's name in one line


@themed
def funnel(
    table: pd.DataFrame,
    *,
    label: str = "label",
    x: str = "estimate",
    lower: str = "lower",
    upper: str = "upper",
    text: str = "text",
    x_label: str,
    title: str,
    alt: str,
    by: str | None = None,
    beside: tuple[str, str, str] | None = None,
    beside_label: str = "",
    faint: Sequence[str] = (),
    colour_order: Sequence[str] = (),
    ax: Axes | None = None,
) -> Chart:
    """A bar for each row with its interval, in steps of `label` from the top down; with `by`, one below the other.

    `text`: column written to the right of each bar. `beside`: columns (estimate, lower, upper) of a second estimate,
    drawn as a hollow diamond with its interval where it is not missing; `beside_label` names it. `faint`: the labels
    whose bars are pale.
    """
    labels = list(dict.fromkeys(table[label]))
    groups: list[Any] = list(dict.fromkeys(table[by])) if by else [None]
    axes = ax or new_axes(height=max(2.2, 1.25 + len(labels) * max(0.42, 0.25 * len(groups))))
    colour = colours((*colour_order, *groups))
    for number, group in enumerate(groups):
        rows = table[table[by] == group] if by else table
        shift = (number - (len(groups) - 1) / 2) * _BAR / len(groups)
        at = np.array([labels.index(name) for name in rows[label]]) + shift
        is_faint = rows[label].isin(faint).to_numpy()
        _bars(axes, rows[x].to_numpy(), at, colour[group], is_faint, height=_BAR / len(groups))
        _whiskers(axes, rows[[x, lower, upper]].to_numpy(), at, has_diamond=False)
        if beside:
            _whiskers(axes, rows[list(beside)].to_numpy(), at + 0.24 * _BAR / len(groups), has_diamond=True)
        _write(axes, rows[text], at, small=len(groups) > 1)
    axes.set_yticks(range(len(labels)), ["\n".join(wrap(str(name), width=_LETTERS)) for name in labels])
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set(title=title, xlabel=x_label)
    axes.tick_params(axis="y", length=0)
    rule(axes, "x", percent=True)
    _explain(axes, [] if by is None else groups, colour, beside_label if beside else "")
    return Chart(axes, alt)


def _bars(axes: Axes, widths: np.ndarray, at: np.ndarray, colour: str, is_faint: np.ndarray, *, height: float) -> None:
    for width, height_at, pale in zip(np.nan_to_num(widths), at, is_faint, strict=True):
        axes.barh(height_at, width, height=0.9 * height, color=colour, alpha=0.3 if pale else 0.75, linewidth=0)


def _whiskers(axes: Axes, limits: np.ndarray, at: np.ndarray, *, has_diamond: bool) -> None:
    """An interval at each place; with a diamond at its estimate, or as a line alone."""
    for (estimate, lower, upper), y in zip(limits, at, strict=True):
        if np.isnan(estimate) or lower == upper:
            continue
        axes.plot([lower, upper], [y, y], color=INK, linewidth=1.4 if not has_diamond else 0.9)
        if has_diamond:
            axes.plot(estimate, y, "D", markersize=4.5, markerfacecolor="white", markeredgecolor=INK)


def _write(axes: Axes, texts: pd.Series, at: np.ndarray, *, small: bool) -> None:
    for text, y in zip(texts, at, strict=True):
        write_beside(axes, text, y, points=6, size=7 if small else 8, colour=QUIET if small else INK)


def _explain(axes: Axes, groups: list[str], colour: dict[str, str], beside_label: str) -> None:
    entries: list[Artist] = [Patch(color=colour[group], alpha=0.75, linewidth=0, label=group) for group in groups]
    if beside_label:
        mark: dict[str, Any] = {"marker": "D", "markersize": 4.5, "markerfacecolor": "white", "markeredgecolor": INK}
        entries.append(Line2D([], [], color=INK, linewidth=0.9, label=beside_label, **mark))
    if entries:
        axes.legend(
            handles=entries, frameon=False, fontsize=8, ncols=min(3, len(entries)), loc="upper left",
            bbox_to_anchor=(0, -0.22 * 4.2 / axes.figure.figure.get_size_inches()[1]),
        )  # fmt: skip
