"""River: of 100 who set out, who goes on, who stays, who leaves where? Each stream is as wide as its share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from journeylab.base.charts.chart import INK, QUIET, Chart, new_axes, themed
from journeylab.base.ordering import largest, ordered

WATER, GOAL, LOSS, OTHERS = "#8DB7D5", "#2F7D5B", "#B3261E", "#B5BEC6"
MM = 1 / 25.4
# Streams that are named in a column; the rest flow together, as do those of less than one in a hundred.
MOST_NAMED, LEAST_NAMED = 3, 0.01
INSIDE, LOST = "inside", "lost"
# Of one of several rivers, in millimetres.
_HIGH = 84.0
# Of a column's width: where the first stream turns off, and how much all streams may take.
_FIRST, _STREAMS, _GAP = 0.12, 0.72, 2.0


@dataclass(frozen=True)
class Box:
    """Where a river is drawn, in millimetres downward and to the right: from `left` over `width`, its surface at `top`,
    the streams' end at `shore`; `tall`: how high 100 of 100 may be; `points`: the size of its letters."""

    left: float
    width: float
    top: float
    shore: float
    tall: float
    points: float


@dataclass(frozen=True)
class Stream:
    """What leaves the river in a column: its share with limits, its name, and whether it is the largest of all."""

    share: float
    lower: float
    upper: float
    name: str
    is_main: bool


@themed
def river(
    table: pd.DataFrame,
    *,
    order: Sequence[str],
    headings: Mapping[str, str],
    title: str,
    alt: str,
    panel: str | None = None,
    width: float = 11.8,
    ax: Axes | None = None,
) -> Chart:
    """A river that flows from the first place in `order` to the last, 100 of 100 wide at its spring.

    table: a row for each `stage` and `kind` (“inside”: who is there; “lost”, with `to`: who left from there to what)
        with `estimate`, `lower`, `upper`, shares of all who set out; the estimates sum to 1.
    headings: of each place. panel: the column whose values have a river each, one above the other.
    width: of the figure, in inches, where no `ax` is given.
    """
    rivers = {"": table} if panel is None else {str(name): rows for name, rows in table.groupby(panel, sort=False)}
    wide, high = width / MM, 8 + _HIGH * len(rivers)
    axes = ax or new_axes(width=width, height=high * MM)
    axes.set_axis_off()
    axes.set(xlim=(0, wide), ylim=(high, 0), title=title)
    for number, (name, rows) in enumerate(rivers.items()):
        top = 12 + number * _HIGH
        if name:
            axes.text(1, top - 7, name, fontsize=10, weight="bold", color=QUIET)
        box = Box(left=0, width=wide, top=top, shore=top + 48, tall=40, points=9)
        draw_river(axes, rows, order, box, headings)
    return Chart(axes, alt)


def draw_river(
    axes: Axes, table: pd.DataFrame, order: Sequence[str], box: Box, headings: Mapping[str, str] | None = None
) -> list[float]:
    """Draw the river of `table` (see `river`) into `axes`, in millimetres; how wide it is as it enters each place."""
    columns = [_column(table[table["stage"] == stage], _main(table)) for stage in order]
    wide = box.width / max(len(order), 1)
    most = max((sum(stream.share for stream in streams) for _, streams in columns), default=0.0)
    # Every width is drawn to one scale, so that what goes in comes out, by the ruler.
    scale = min(box.tall, _STREAMS * wide / most if most else box.tall)
    share, entering = 1.0, []
    for number, (stage, (inside, streams)) in enumerate(zip(order, columns, strict=True)):
        left = box.left + number * wide
        entering.append(share)
        onward = max(share - inside - sum(stream.share for stream in streams), 0.0)
        is_last = number == len(order) - 1
        _draw_column(axes, box, left, wide, scale, onward=onward, inside=inside, streams=streams, is_goal=is_last)
        if headings is not None:
            words = f"{headings[stage]}  {in_hundred(share)}"
            axes.text(left + 1, box.top - 2, words, fontsize=box.points, weight="bold", va="bottom")
        share = onward
    return entering


def in_hundred(share: float) -> str:
    """How many of 100, such as “13” or “under 1”."""
    return f"{100 * share:.0f}" if share >= 0.005 or share == 0 else "under 1"


def _main(table: pd.DataFrame) -> tuple[str, str] | None:
    """The stage and branch that most are lost to."""
    lost = table[(table["kind"] == LOST) & (table["estimate"] > 0)]
    if lost.empty:
        return None
    row = lost.iloc[largest(lost["estimate"])]
    return str(row["stage"]), str(row["to"])


def _column(rows: pd.DataFrame, main: tuple[str, str] | None) -> tuple[float, list[Stream]]:
    """Who is inside, and the streams that leave, the widest first, those of few flowing together."""
    inside = float(rows.loc[rows["kind"] == INSIDE, "estimate"].sum())
    lost = ordered(rows[(rows["kind"] == LOST) & (rows["estimate"] > 0)], "estimate")
    named = (lost["estimate"] >= LEAST_NAMED) & (pd.Series(range(len(lost)), lost.index) < MOST_NAMED)
    streams = [
        Stream(row.estimate, row.lower, row.upper, str(row.to), (str(row.stage), str(row.to)) == main)
        for row in lost[named].itertuples(index=False)
    ]
    rest = float(lost.loc[~named, "estimate"].sum())
    if rest > 0:
        n_rest = int((~named).sum())
        name = str(lost.loc[~named, "to"].iloc[0]) if n_rest == 1 else "others"
        streams.append(Stream(rest, rest, rest, name, False))
    return inside, streams


def _draw_column(
    axes: Axes, box: Box, left: float, wide: float, scale: float, *, onward: float, inside: float,
    streams: Sequence[Stream], is_goal: bool,
) -> None:  # fmt: skip
    top, right = box.top, left + wide
    bottom = top + scale * (onward + inside + sum(stream.share for stream in streams))
    # Where the next stream leaves: the lowest leaves first, and the water above it flows on.
    x, previous = left + _FIRST * wide, left
    for stream in reversed(streams):
        height = scale * stream.share
        _water(axes, previous, x, top, bottom)
        _draw_stream(axes, x, bottom - height, height, stream, scale, box.shore)
        bottom, previous = bottom - height, x
        x += height + _GAP
    ends = right if onward > 0 else right - 0.1 * wide
    _water(axes, previous, ends, top, top + scale * onward)
    if inside > 0:
        colour = GOAL if is_goal else WATER
        until = right - 0.06 * wide
        shape = Rectangle(
            (previous, top + scale * onward), until - previous, scale * inside, facecolor=colour, edgecolor="white",
            linewidth=0, hatch=None if is_goal else "////", alpha=0.95,
        )  # fmt: skip
        axes.add_patch(shape)
        if inside >= 0.005:
            words = f"{in_hundred(inside)} {'at the goal' if is_goal else 'still inside'}"
            axes.text(
                until, top + scale * (onward + inside) + 0.8, words, ha="right", va="top", fontsize=box.points * 0.85,
                color=GOAL if is_goal else INK,
            )  # fmt: skip
    line = box.points * 1.35 / 72 / MM
    for number, stream in enumerate(streams):
        _name_stream(axes, left + 0.06 * wide, box.shore + 2 + (number + 0.8) * line, stream, box.points)


def _water(axes: Axes, left: float, right: float, top: float, bottom: float) -> None:
    if bottom > top:
        axes.add_patch(Rectangle((left, top), right - left, bottom - top, facecolor=WATER, linewidth=0))


def _draw_stream(axes: Axes, x: float, y: float, height: float, stream: Stream, scale: float, shore: float) -> None:
    """A band of `height` that bends down and ends at the shore: to its lower limit solid, out to its upper one pale."""
    colour = LOSS if stream.is_main else OTHERS
    for width, alpha in ((scale * stream.upper, 0.3), (height, 0.6), (scale * stream.lower, 1.0)):
        spare = (width - height) / 2
        axes.add_patch(PathPatch(_bend(x, y - spare, width, spare, shore), facecolor=colour, linewidth=0, alpha=alpha))


def _bend(x: float, y: float, width: float, spare: float, shore: float) -> Path:
    """A band `width` high at (x, y) that turns to flow straight down to the shore, as wide as it was high."""
    left, right, turn = x - spare, x + width - spare, y + width + 2
    points = [(x - 0.01, y), (right, y), (right, turn), (right, shore), (left, shore), (left, turn), (left, y + width),
              (x - 0.01, y + width), (x - 0.01, y)]  # fmt: skip
    codes = [Path.MOVETO, Path.CURVE3, Path.CURVE3, Path.LINETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.LINETO,
             Path.CLOSEPOLY]  # fmt: skip
    return Path(points, codes)


def _name_stream(axes: Axes, x: float, y: float, stream: Stream, points: float) -> None:
    colour, weight = (LOSS, "bold") if stream.is_main else (QUIET, "normal")
    axes.text(x, y, f"{in_hundred(stream.share)} {stream.name}", fontsize=points, color=colour, weight=weight)
