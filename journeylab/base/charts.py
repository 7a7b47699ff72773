"""Charts: a tidy table in, a figure with alternative text out; one theme, one colour-blind-safe palette."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.dates import ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from journeylab.base.files import replaced

# Okabe and Ito's colours, the darkest first: those after the fifth are too light for text on white.
PALETTE = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#7A5C00", "#56B4E9", "#E69F00", "#4D4D4D", "#882255", "#B7BEC5",
)  # fmt: skip
INK, QUIET, FAINT = "#1F2933", "#5B6770", "#D9DEE3"
SIZE = (7.6, 4.2)
DPI = 200
_THEME = {
    **seaborn.axes_style("white"),
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlepad": 10,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.bottom": True,
    "svg.hashsalt": "journeylab",
}


@dataclass(frozen=True)
class Chart:
    """A drawn figure.

    axes: the matplotlib Axes (of small multiples the first), for those who want to draw further.
    alt: the same message in words, with the key numbers. Shown instead of the picture where pictures are not.
    """

    axes: Axes
    alt: str

    def png(self) -> bytes:
        """The picture as PNG, the same bytes each time."""
        picture = BytesIO()
        self._save(picture, "png")
        return picture.getvalue()

    def write(self, path: str | Path) -> Path:
        """Write the picture; the ending of `path` (png, svg, pdf) tells the format."""
        path = Path(path)
        with replaced(path) as temporary:
            self._save(temporary, path.suffix.removeprefix("."))
        return path

    def _save(self, target, kind: str) -> None:
        unstamped = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
        with matplotlib.rc_context(_THEME):
            self.axes.figure.savefig(target, format=kind, dpi=DPI, facecolor="white", metadata=unstamped.get(kind))

    def _repr_mimebundle_(self, include=None, exclude=None):  # noqa: ARG002
        width = round(self.axes.figure.get_size_inches()[0] * 100)
        bundle = {"image/png": base64.b64encode(self.png()).decode(), "text/plain": self.alt}
        return bundle, {"image/png": {"width": width}}


def colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name, in the order given; after ten they repeat."""
    return {name: PALETTE[place % len(PALETTE)] for place, name in enumerate(dict.fromkeys(names))}


def curves(
    table: pd.DataFrame,
    *,
    x: str,
    y: str,
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
    ax: Axes | None = None,
) -> Chart:
    """A line per value of `by`, with a band from `lower` to `upper`, labelled at its end; a panel per value of `panel`.

    `at_risk`: tidy table with columns `x`, `n` and, where used, `by` and `panel`: numbers written under the axis.
    """
    with matplotlib.rc_context(_THEME):
        names = list(dict.fromkeys(table[by])) if by else [None]
        colour = colours(names)
        height = 2.6 + 0.14 * len(names)
        for axes, name, part in _panels(table, panel, title, ax, height):
            for each in names:
                line = part[part[by] == each] if by else part
                _curve(axes, line, (x, y, lower, upper), colour[each], step=step)
            _label_axes(axes, x_label, y_label, percent)
            if by:
                _label_ends(axes, part, x, y, by, colour)
            if at_risk is not None:
                below = at_risk[at_risk[panel] == name] if panel else at_risk
                _write_at_risk(axes, below, by if by in below.columns else None, colour)
    return Chart(ax or axes.figure.axes[0], alt)


def intervals(
    table: pd.DataFrame,
    *,
    label: str,
    x: str,
    lower: str,
    upper: str,
    x_label: str,
    title: str,
    alt: str,
    by: str | None = None,
    reference: float | None = None,
    percent: bool = False,
    ax: Axes | None = None,
) -> Chart:
    """A dot with its interval for each row, top to bottom; with `by`, one beside the other within each label."""
    labels = list(dict.fromkeys(table[label]))
    groups = list(dict.fromkeys(table[by])) if by else [None]
    with matplotlib.rc_context(_THEME):
        axes = ax or _figure(height=max(2.0, 0.9 + 0.3 * len(labels) * max(1, 0.7 * len(groups))))
        colour = colours(groups)
        for place, group in enumerate(groups):
            rows = table[table[by] == group] if by else table
            shift = (place - (len(groups) - 1) / 2) * 0.7 / len(groups)
            at = np.array([labels.index(name) for name in rows[label]]) + shift
            axes.hlines(at, rows[lower], rows[upper], color=colour[group], linewidth=2)
            axes.plot(rows[x], at, "o", color=colour[group], markersize=5, label=group)
        if reference is not None:
            axes.axvline(reference, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.set_title(title)
        axes.set_xlabel(x_label)
        axes.grid(axis="x", color=FAINT, linewidth=0.7)
        if percent:
            axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        if by:
            axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return Chart(axes, alt)


def stacked(
    table: pd.DataFrame,
    *,
    label: str,
    parts: Sequence[str],
    x_label: str,
    title: str,
    alt: str,
    percent: bool = False,
    ax: Axes | None = None,
) -> Chart:
    """A horizontal bar for each row, made of `parts` from left to right; parts wide enough carry their number."""
    with matplotlib.rc_context(_THEME):
        axes = ax or _figure(height=max(2.0, 1.2 + 0.45 * len(table)))
        colour = colours(parts)
        start = np.zeros(len(table))
        widest = table[list(parts)].sum(axis=1).max()
        for part in parts:
            widths = table[part].to_numpy(dtype=float)
            axes.barh(
                range(len(table)), widths, left=start, color=colour[part], label=part, height=0.7, edgecolor="white"
            )
            for place in np.flatnonzero(widths > 0.06 * widest):
                text = f"{widths[place]:.0%}" if percent else f"{widths[place]:,.0f}"
                middle = start[place] + widths[place] / 2
                axes.text(middle, place, text, ha="center", va="center", fontsize=8, color=_readable_on(colour[part]))
            start += widths
        axes.set_yticks(range(len(table)), table[label])
        axes.invert_yaxis()
        axes.set_title(title)
        axes.set_xlabel(x_label)
        if percent:
            axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1), fontsize=8)
    return Chart(axes, alt)


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
    names = list(dict.fromkeys(table[by])) if by else [None]
    with matplotlib.rc_context(_THEME):
        axes = ax or _figure()
        colour = colours(names)
        for each in names:
            line = table[table[by] == each] if by else table
            axes.plot(line[x], line[y], "o-", color=colour[each], linewidth=1.6, markersize=4)
        if mark is not None:
            axes.axvline(mark, color=QUIET, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
        axes.set_title(title)
        _label_axes(axes, x_label, y_label, percent=False)
        if pd.api.types.is_integer_dtype(table[x]):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        elif pd.api.types.is_datetime64_any_dtype(table[x]):
            axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))
        if by:
            _label_ends(axes, table, x, y, by, colour)
    return Chart(axes, alt)


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
    with matplotlib.rc_context(_THEME):
        axes = ax or _figure(height=max(2.0, 1.4 + 0.32 * len(rows)))
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
        axes.set(xlabel="", ylabel="")
        axes.tick_params(axis="y", rotation=0, length=0)
        axes.tick_params(axis="x", rotation=0, length=0)
        axes.set_title(title)
    return Chart(axes, alt)


def _figure(*, height: float = SIZE[1], width: float = SIZE[0]) -> Axes:
    # Figure rather than pyplot: nothing global, and no backend that shows the figure a second time.
    return Figure(figsize=(width, height), layout="constrained").add_subplot()


def _panels(table: pd.DataFrame, panel: str | None, title: str, ax: Axes | None, height: float):
    """Yield (axes, name of the panel, its rows); panels are `height` inches high; without `panel` there is one."""
    if panel is None:
        axes = ax or _figure()
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


def _curve(axes: Axes, line: pd.DataFrame, columns: tuple, colour: str, *, step: bool) -> None:
    x, y, lower, upper = columns
    style = "steps-post" if step else "default"
    axes.plot(line[x], line[y], color=colour, linewidth=1.8, drawstyle=style)
    if lower and upper:
        shape = "post" if step else None
        axes.fill_between(line[x], line[lower], line[upper], step=shape, color=colour, alpha=0.16, linewidth=0)


def _label_axes(axes: Axes, x_label: str, y_label: str, percent: bool) -> None:
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(axis="y", color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    if not percent:
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}")
    else:
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_ylim(0, max(axes.get_ylim()[1], 0.05) if axes.get_ylim()[1] < 0.9 else 1.02)


def _label_ends(axes: Axes, table: pd.DataFrame, x: str, y: str, by: str, colour: dict[str, str]) -> None:
    """Write each line's name to the right of the axes, as near to the height of its last point as the names allow."""
    last = table.dropna(subset=[y]).sort_values(x, kind="stable").groupby(by, sort=False, observed=True).tail(1)
    last = last.sort_values(y, kind="stable")
    bottom, top = axes.get_ylim()
    n_rows = axes.get_subplotspec().get_gridspec().nrows
    # The axes take about three quarters of their row, less where numbers at risk stand under them.
    share = 0.75 if n_rows == 1 else 0.5
    line_height = 0.145 * (top - bottom) * n_rows / (share * axes.figure.get_size_inches()[1])
    heights = _apart(last[y].to_numpy(dtype=float), least=line_height, bottom=bottom)
    for name, height in zip(last[by], heights, strict=True):
        axes.annotate(
            str(name),
            (1, height),
            xycoords=axes.get_yaxis_transform(),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=colour[name] if colour[name] in PALETTE[:5] else INK,
            annotation_clip=False,
        )


def _apart(heights: np.ndarray, *, least: float, bottom: float) -> np.ndarray:
    """Ascending `heights` moved, as little as possible in squares, to be `least` apart and none below `bottom`.

    Less `least` per place, they must not descend: isotonic regression by pooling adjacent violators.
    """
    steps = least * np.arange(len(heights))
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
        placed = {"textcoords": "offset points", "fontsize": 7, "color": ink, "annotation_clip": False}
        for x, n in zip(numbers["x"], numbers["n"], strict=True):
            axes.annotate(f"{n:,.0f}", (x, 0), xycoords=below, xytext=(0, -39 - 10 * row), ha="center", **placed)
    axes.annotate(
        "at risk", (0, 0), xycoords="axes fraction", xytext=(-8, -39), textcoords="offset points", ha="right",
        fontsize=7, color=QUIET, annotation_clip=False,
    )  # fmt: skip


def _readable_on(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.6 else INK
