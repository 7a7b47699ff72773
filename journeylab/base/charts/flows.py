"""Flows: how many go from each place to which, who falls out where, who turns back, and who is still there?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from journeylab.base.charts.chart import INK, QUIET, SIZE, Chart, colours, new_axes, themed
from journeylab.base.charts.ribbons import arrow_head, band, bend

KINDS = ("enter", "return", "move", "stay", "leave")
MOST_ARCS = 10
# Arcs of a smaller share of the most visited place are too thin to be told from one another.
RAREST = 0.001
# One of such a share of the visits to the place that it leaves is drawn, however many others there are.
NOTABLE = 0.15
# All in inches.
LEFT, BAR, GAP, TALLEST, WIDEST_ARC = 0.5, 0.09, 0.05, 1.45, 0.2
LINE, STUB, ABOVE = 0.135, 0.13, 0.17
# What has no part of its own, by kind: what comes and what stays is no gain and no loss.
GREYS = {"enter": "#A9B4BC", "return": "#5B6770", "stay": "#5B6770", "move": "#A9B4BC", "leave": "#A9B4BC"}


@themed
def flows(
    table: pd.DataFrame,
    *,
    order: Sequence[str],
    headings: Mapping[str, str],
    title: str,
    alt: str,
    note: str | None = None,
    colour_order: Sequence[str] = (),
    width: float = SIZE[0],
    ax: Axes | None = None,
) -> Chart:
    """A bar for each place in `order`, from left to right, as tall as its visits, and ribbons as wide as what flows.

    table: a row for each flow: `origin`, `to` (places, or names of what is outside), `kind`, `n`, `text` (what is
        written at it; None: nothing) and `part` (the name that gives its colour; None: grey). Kinds: `enter` and
        `return` (from outside into `to`), `move` (between places: to the next one a band, past others an arc ahead, to
        an earlier one an arc back), `stay` (in `origin`: a hatched stub) and `leave` (out of `origin`, downward). What
        enters, returns, stays and leaves is written in a list under its bar; what leaves does so from left to right in
        the order of that list. Of the arcs the ten widest are drawn, and the others counted in a note.
    headings: of each place; what follows the first line is written smaller. note: a line at the bottom.
    width: of the figure, in inches, where no `ax` is given.
    """
    inches = ax.get_position().width * ax.figure.figure.get_size_inches()[0] if ax else width
    rows = table[table["n"] > 0].reset_index(drop=True)
    plan = _Plan(rows.assign(part=rows["part"].fillna(rows["kind"])), tuple(order), inches)
    lists = [_list(plan, place) for place in plan.order]
    titles = [_heading(plan, place, headings[place]) for place in plan.order]
    head = LINE * max(sum(map(len, title)) for title in titles) + 0.1
    notes = [line for line in (note, plan.not_drawn) if line]
    below = 0.12 + LINE * (max((len(rows) for rows in lists), default=0) + len(notes))
    top = below + plan.drop + plan.tallest + plan.above
    axes = ax or new_axes(height=top + head + 0.35, width=width)
    axes.set(xlim=(0, plan.width), ylim=(0, top + head), title=title)
    axes.set_axis_off()
    # Ribbons are drawn in points, so the axes must have the size that they will have on paper.
    axes.figure.figure.draw_without_rendering()
    colour = {**colours((*colour_order, *plan.table["part"])), **GREYS}
    _Drawing(axes, plan, colour, below + plan.drop + plan.tallest).draw()
    for at, (bold, plain), listed in zip(plan.x, titles, lists, strict=True):
        _write(axes, at, top + head - 0.02, bold, plan.size + 0.5, weight="bold")
        _write(axes, at, top + head - 0.02 - LINE * len(bold), plain, plan.size)
        _write_list(axes, at, below - 0.1, listed, plan.size, colour)
    _write(axes, 0.02, 0.02 + LINE * len(notes), notes, plan.size - 0.5, colour=QUIET)
    return Chart(axes, alt)


@dataclass(frozen=True, eq=False)
class _Plan:
    """Where everything goes, in inches: `x` to the right, heights downward from the top of the bars."""

    table: pd.DataFrame
    order: tuple[str, ...]
    width: float

    @cached_property
    def column(self) -> float:
        """From bar to bar."""
        return (self.width - LEFT - self.last) / max(len(self.order) - 1, 1)

    @property
    def last(self) -> float:
        """The room that the last bar has, for its words alone; all of it, if there is no other bar."""
        return min(0.95, (self.width - LEFT) / 2) if len(self.order) > 1 else self.width - LEFT

    def letters(self, place: str, size: float) -> int:
        """How many letters of `size` points fit beside each other under or over the bar of `place`."""
        room = self.last if place == self.order[-1] else self.column
        return max(8, int(72 / size * (room - 0.14)))

    @cached_property
    def x(self) -> np.ndarray:
        return LEFT + self.column * np.arange(len(self.order))

    @property
    def size(self) -> float:
        """Points of the letters: smaller where columns are narrow."""
        return float(np.clip(5.0 + 1.9 * self.column, 6.0, 7.5))

    @cached_property
    def arcs(self) -> pd.DataFrame:
        """Moves that are not to the next place, the widest of them and all that are a notable part of what leaves a
        place: `start`, `end` (positions) and `level` (from 0)."""
        moves = self.table[self.table["kind"] == "move"]
        moves = moves.assign(start=moves["origin"].map(self.order.index), end=moves["to"].map(self.order.index))
        moves = moves[(moves["end"] != moves["start"] + 1) & (moves["n"] >= RAREST * self._visits.max(initial=0))]
        is_notable = moves["n"] >= NOTABLE * self._visits[moves["start"]]
        rank = moves["n"].rank(method="first", ascending=False)
        widest = moves[(rank <= MOST_ARCS) | is_notable].sort_values("n", ascending=False, kind="stable")
        widest = widest.assign(span=(widest["end"] - widest["start"]).abs())
        return _levelled(widest.sort_values(["span", "start", "end"], kind="stable"))

    @property
    def not_drawn(self) -> str | None:
        """What is said of the arcs that are not drawn, if any are not."""
        counts = np.sort(self.table.loc[self._away, "n"].to_numpy())[: int(self._away.sum()) - len(self.arcs)]
        if not len(counts):
            return None
        if len(counts) == 1:
            return f"Not drawn: 1 kind of move ahead or back, {counts[0]:,} visits."
        visits = f"{counts.sum():,} visits in all, {counts[-1]:,} of them of one kind"
        return f"Not drawn: {len(counts):,} kinds of moves ahead or back, {visits}."

    @cached_property
    def _away(self) -> np.ndarray:
        """Which rows are moves to another than the next place."""
        position = {place: at for at, place in enumerate(self.order)}
        step = self.table["to"].map(position) - self.table["origin"].map(position)
        return ((self.table["kind"] == "move") & (step != 1)).to_numpy()

    def total(self, side: str, *kinds: str) -> np.ndarray:
        """How much flows by `kinds` at each place; `side` is the column that names the place."""
        rows = self.table[self.table["kind"].isin(kinds)]
        return rows.groupby(side)["n"].sum().reindex(list(self.order), fill_value=0).to_numpy(dtype=float)

    @cached_property
    def _visits(self) -> np.ndarray:
        ways_in = self.total("to", "enter", "return", "move")
        return np.maximum(ways_in, self.total("origin", "stay", "leave", "move"))

    @cached_property
    def scale(self) -> float:
        """Inches per visit: as large as the bars, the widest arc and the space between the bars allow."""
        left, back = self.total("origin", "leave"), self.total("to", "return")
        arcs = self.arcs.groupby("start")["n"].sum().max() if len(self.arcs) else 0
        space = self.column - BAR - 4 * GAP
        room = [
            (TALLEST, self._visits.max(initial=0)),
            (WIDEST_ARC, self.arcs["n"].max() if len(self.arcs) else 0),
            (0.35 * self.column, arcs),
            (space, (left + np.append(back[1:], 0)).max(initial=0)),
            (LEFT - 3 * GAP, back[:1].max(initial=0)),
        ]
        return min((most / needed for most, needed in room if needed), default=1.0)

    @property
    def tallest(self) -> float:
        return self.scale * self._visits.max(initial=0)

    @cached_property
    def drop(self) -> float:
        """How far below the tallest bar what leaves ends."""
        return 0.22 if self.total("origin", "leave").any() or self.total("to", "return").any() else 0.05

    @cached_property
    def levels(self) -> list[float]:
        """Height of the middle of each level of arcs, above the top of the bars."""
        heights, bottom = [], 0.1
        for level in range(int(self.arcs["level"].max()) + 1 if len(self.arcs) else 0):
            thick = self.scale * self.arcs.loc[self.arcs["level"] == level, "n"].max()
            heights.append(bottom + thick / 2)
            bottom += thick + ABOVE
        return heights

    @property
    def above(self) -> float:
        """How much room arcs, or the words above thin bands, need over the bars."""
        if not len(self.arcs):
            return 0.2
        last = self.arcs.loc[self.arcs["level"] == len(self.levels) - 1, "n"].max()
        return self.levels[-1] + self.scale * last / 2 + ABOVE


def _levelled(arcs: pd.DataFrame) -> pd.DataFrame:
    """Each arc at the lowest level where it meets no other; short ones come first, so that long ones go over them."""
    taken, levels = [], []
    for start, end in zip(arcs["start"], arcs["end"], strict=True):
        # An arc back reaches around both of its bars, one ahead from bar to bar.
        first, last = (start + 0.1, end - 0.1) if end > start else (end - 0.1, start + 0.1)
        level = 0
        while any(level == other and first < right and left < last for other, left, right in taken):
            level += 1
        taken.append((level, first, last))
        levels.append(level)
    return arcs.assign(level=np.array(levels, dtype=int))


@dataclass(frozen=True, eq=False)
class _Drawing:
    """`plan` drawn into `axes`; the bars hang from `top`."""

    axes: Axes
    plan: _Plan
    colour: Mapping[str, str]
    top: float

    def draw(self) -> None:
        plan, scale = self.plan, self.plan.scale
        out, into = np.zeros(len(plan.order)), np.zeros(len(plan.order))
        self._arcs(out, into)
        self._bands(out, into)
        for at, place in enumerate(plan.order):
            x = plan.x[at]
            self._stubs(x + BAR, out[at], self._rows("origin", place, "stay"))
            out[at] += scale * self._rows("origin", place, "stay")["n"].sum()
            self._falls(x + BAR, out[at], self._rows("origin", place, "leave"))
            self._stubs(x - STUB, into[at], self._rows("to", place, "enter"))
            into[at] += scale * self._rows("to", place, "enter")["n"].sum()
            self._climbs(x, into[at], self._rows("to", place, "return"))
            height = scale * plan._visits[at]
            self.axes.add_patch(Rectangle((x, self.top - height), BAR, height, facecolor=INK, linewidth=0, zorder=4))

    def _rows(self, side: str, place: str, kind: str) -> pd.DataFrame:
        return self.plan.table[(self.plan.table[side] == place) & (self.plan.table["kind"] == kind)]

    def _arcs(self, out: np.ndarray, into: np.ndarray) -> None:
        """Arcs leave and reach their bars at the top; those back inside, the lowest first, then those ahead."""
        plan, arcs = self.plan, self.plan.arcs
        is_back = arcs["end"] < arcs["start"]
        rank = np.where(is_back, arcs["level"], 1000 - arcs["level"])
        starts, ends = {}, {}
        for row in arcs.assign(rank=rank).sort_values("rank", kind="stable").itertuples():
            starts[row.Index], ends[row.Index] = out[row.start], into[row.end]
            out[row.start] += plan.scale * row.n
            into[row.end] += plan.scale * row.n
        for row in arcs.itertuples():
            self._arc(row, starts[row.Index], ends[row.Index])

    def _arc(self, row, start: float, end: float) -> None:
        width, colour = self.plan.scale * row.n, self.colour[row.part]
        level = self.top + self.plan.levels[row.level]
        rise, fall = GAP + start + width / 2, GAP + end + width / 2
        x0, x1 = self.plan.x[row.start] + BAR, self.plan.x[row.end]
        y0, y1 = self.top - start - width / 2, self.top - end - width / 2
        corners = [(x0, y0, 0), (x0 + rise, y0, rise), (x0 + rise, level, rise), (x1 - fall, level, fall)]
        bend(self.axes, [*corners, (x1 - fall, y1, fall), (x1 - 0.03, y1, 0)], width, colour, zorder=2)
        arrow_head(self.axes, x1, y1, width, colour)
        if row.text:
            middle = (x0 + rise + x1 - fall) / 2
            self._say(middle, level + width / 2 + 0.015, row.text.replace("\n", ", "), va="bottom", behind=True)

    def _bands(self, out: np.ndarray, into: np.ndarray) -> None:
        moves = self.plan.table[(self.plan.table["kind"] == "move") & ~self.plan._away]
        for row in moves.itertuples():
            at = self.plan.order.index(row.origin)
            width = self.plan.scale * row.n
            left = (self.plan.x[at] + BAR, self.top - out[at])
            right = (self.plan.x[at + 1], self.top - into[at + 1])
            band(self.axes, left, right, width, self.colour[row.part])
            out[at] += width
            into[at + 1] += width
            if row.text:
                self._say_on_band(row.text, (left[0] + right[0]) / 2, (left[1] + right[1]) / 2, width)

    def _stubs(self, x: float, down: float, rows: pd.DataFrame) -> None:
        """Draw what comes in from outside, or stays, as short ends beside the bar."""
        for row in rows.itertuples():
            width = self.plan.scale * row.n
            corner = (x, self.top - down - width)
            _mark(self.axes, corner, (STUB, width), self.colour[row.part], is_hatched=row.part == "stay")
            down += width

    def _falls(self, x: float, down: float, rows: pd.DataFrame) -> None:
        """Draw what leaves as ribbons that turn down and end below the tallest bar, the first of the list innermost."""
        widths = self.plan.scale * rows["n"].to_numpy(dtype=float)
        radius, bottom = GAP, down + widths.sum()
        end = self.top - self.plan.tallest - self.plan.drop
        for row, width in zip(rows.itertuples(), widths, strict=True):
            y, turn = self.top - bottom + width / 2, radius + width / 2
            bend(
                self.axes, [(x, y, 0), (x + turn, y, turn), (x + turn, end, 0)], width, self.colour[row.part], zorder=2
            )
            bottom, radius = bottom - width, radius + width

    def _climbs(self, x: float, down: float, rows: pd.DataFrame) -> None:
        """Draw what comes back as ribbons that turn in from below."""
        for row in rows.itertuples():
            width = self.plan.scale * row.n
            y, turn = self.top - down - width / 2, GAP + width / 2
            end = y - turn - 0.08
            corners = [(x - turn, end, 0), (x - turn, y, turn), (x - 0.03, y, 0)]
            bend(self.axes, corners, width, self.colour[row.part], zorder=2)
            arrow_head(self.axes, x, y, width, self.colour[row.part])
            down += width

    def _say_on_band(self, text: str, x: float, y: float, width: float) -> None:
        """`text` in the middle of a band whose upper edge is at `y` there; above it, in one row, if it is too thin."""
        rows = text.split("\n")
        if width > (LINE - 0.02) * len(rows):
            self._say(x, y - width / 2, text, va="center")
            return
        fits = len(", ".join(rows)) * 0.54 * self.plan.size / 72 < self.plan.column - BAR - 0.1
        self._say(x, y + 0.02, ", ".join(rows) if fits else rows[0], va="bottom")

    def _say(self, x: float, y: float, text: str, *, va: str, behind: bool = False) -> None:
        box = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"} if behind else None
        self.axes.text(x, y, text, ha="center", va=va, fontsize=self.plan.size, zorder=6, bbox=box, linespacing=1.15)


def _list(plan: _Plan, place: str) -> list[tuple[str | None, str]]:
    """What is written under a bar: rows of (part whose colour marks the row, or None for the rest of a row, text)."""
    lines = []
    for kind, side in (("enter", "to"), ("return", "to"), ("stay", "origin"), ("leave", "origin")):
        rows = plan.table[(plan.table["kind"] == kind) & (plan.table[side] == place)]
        for row in rows[rows["text"].notna()].itertuples():
            first, *rest = _wrapped(row.text, plan, place)
            lines += [(row.part, first), *((None, line) for line in rest)]
    return lines


def _heading(plan: _Plan, place: str, text: str) -> tuple[list[str], list[str]]:
    """The rows of a heading, in bold and not."""
    first, *others = text.split("\n")
    bold = wrap(first, int(plan.letters(place, plan.size + 0.5) / 0.64)) or [""]
    return bold, [row for line in others for row in _wrapped(line, plan, place)]


def _wrapped(text: str, plan: _Plan, place: str) -> list[str]:
    """`text` in rows as wide as the column of `place`."""
    return wrap(text, int(plan.letters(place, plan.size) / 0.54)) or [""]


def _write(axes: Axes, x: float, y: float, rows: list[str], size: float, *, weight="normal", colour=INK) -> None:
    axes.text(x, y, "\n".join(rows), fontsize=size, va="top", weight=weight, color=colour, linespacing=1.25)


def _write_list(
    axes: Axes, x: float, y: float, rows: list[tuple[str | None, str]], size: float, colour: Mapping[str, str]
) -> None:
    for row, (part, text) in enumerate(rows):
        height = y - LINE * row
        if part is not None:
            _mark(axes, (x, height - 0.085), (0.07, 0.07), colour[part], is_hatched=part == "stay")
        axes.text(x + 0.1, height, text, fontsize=size, va="top")


def _mark(axes: Axes, corner: tuple[float, float], size: tuple[float, float], colour: str, *, is_hatched: bool) -> None:
    """A rectangle in `colour`, or hatched with it."""
    inside: dict[str, Any] = {"facecolor": "white", "hatch": "////////"} if is_hatched else {"facecolor": colour}
    axes.add_patch(Rectangle(corner, *size, edgecolor=colour, linewidth=0.5, zorder=2, **inside))
