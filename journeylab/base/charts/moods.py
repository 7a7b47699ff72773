"""Moods: how does a value rise and fall from stage to stage, and where is it not known?"""

from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from journeylab.base.charts.chart import FAINT, INK, QUIET, Chart, colours, new_axes, rule, themed

_LETTERS = 80  # of stage names that fit side by side under the axis


@themed
def moods(
    table: pd.DataFrame,
    *,
    stage: str = "stage",
    y: str = "estimate",
    lower: str = "lower",
    upper: str = "upper",
    ends: tuple[float, float],
    y_label: str,
    title: str,
    alt: str,
    by: str | None = None,
    mark: str | None = None,
    gap: str = "not measured",
    colour_order: Sequence[str] = (),
    ax: Axes | None = None,
) -> Chart:
    """A dot with its interval for each stage, in the order they come, joined by a line that breaks where a value is
    missing; there, where no line has a value, the column is grey and says `gap`.

    `ends`: the lowest and highest value there can be; the middle between them is dashed. `mark`: a column of words,
    such as “high”, written at the dots that have one. With `by`, a line for each of its values.
    """
    stages = list(dict.fromkeys(table[stage]))
    names: list[Any] = list(dict.fromkeys(table[by])) if by else [None]
    axes = ax or new_axes(height=3.4)
    colour = colours((*colour_order, *names))
    for number, name in enumerate(names):
        rows = (table[table[by] == name] if by else table).set_index(stage).reindex(stages)
        at = np.arange(len(stages)) + (number - (len(names) - 1) / 2) * min(0.12, 0.6 / len(names))
        values = rows[y].to_numpy(float)
        axes.plot(at, values, "-", color=colour[name], linewidth=1.4, alpha=0.5, zorder=2)
        axes.vlines(at, rows[lower], rows[upper], color=colour[name], linewidth=2, zorder=3)
        for limit in (lower, upper):
            axes.plot(at, rows[limit], "_", color=colour[name], markersize=9, markeredgewidth=2, zorder=3)
        axes.plot(at, values, "o", color=colour[name], markersize=5, zorder=4, label=name)
        if mark:
            _write_marks(axes, at, rows, (y, lower, upper), rows[mark], ends)
    n_known = table.groupby(stage, sort=False)[y].count()
    for number in [position for position, name in enumerate(stages) if not n_known[name]]:
        axes.axvspan(number - 0.5, number + 0.5, color=FAINT, alpha=0.6, zorder=0, linewidth=0)
        above: dict[str, Any] = {"xytext": (0, 4), "textcoords": "offset points", "ha": "center", "va": "bottom"}
        axes.annotate(fill(gap, 10), (number, sum(ends) / 2), color=INK, fontsize=8, **above)
    _dress(axes, stages, ends, y_label, title)
    if by:
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return Chart(axes, alt)


def _write_marks(
    axes: Axes, at: np.ndarray, rows: pd.DataFrame, columns: tuple[str, str, str], marks: pd.Series, ends: tuple
) -> None:
    """Each mark beyond the end of its interval, above the highest dot and below the others; beside the dot where there
    is no room."""
    y, lower, upper = (rows[column].to_numpy(float) for column in columns)
    room = 0.08 * (ends[1] - ends[0])
    for position in np.flatnonzero(marks.notna().to_numpy()):
        is_above = y[position] == np.nanmax(y)
        edge = upper[position] if is_above else lower[position]
        beyond: dict[str, Any]
        if ends[0] + room < edge < ends[1] - room:
            beyond = {"xytext": (0, 5 if is_above else -5), "ha": "center", "va": "bottom" if is_above else "top"}
        else:
            edge, beyond = y[position], {"xytext": (8, 0), "ha": "left", "va": "center", "annotation_clip": False}
        mark = str(marks.iloc[position])
        axes.annotate(mark, (at[position], edge), textcoords="offset points", fontsize=8, fontweight="bold", **beyond)


def _dress(axes: Axes, stages: list[str], ends: tuple[float, float], y_label: str, title: str) -> None:
    width = max(6, _LETTERS // max(len(stages), 1))
    axes.axhline(sum(ends) / 2, color=QUIET, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    axes.set_xticks(range(len(stages)), [fill(str(stage), width) for stage in stages])
    axes.set_xlim(-0.5, len(stages) - 0.5)
    axes.set_ylim(*ends)
    axes.tick_params(axis="x", length=0)
    axes.set(title=title, ylabel=y_label)
    rule(axes, "y")
