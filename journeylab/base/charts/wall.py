"""Wall: a journey on one sheet of A1, drawn to be read at a metre: a river, how people feel, and what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import Circle, FancyBboxPatch, Polygon

from journeylab.base.charts.chart import FAINT, INK, QUIET, Chart, themed
from journeylab.base.charts.river import GOAL, LOSS, LOST, MM, WATER, Box, draw_river
from journeylab.base.ordering import order

# A1 across, in millimetres, with its margin, the titles of the rows, and where each row begins.
WIDTH, HEIGHT, MARGIN, TITLES = 841.0, 594.0, 20.0, 40.0
HEAD, SIGNS, RIVER, SHORE, FEELINGS, DOING, ACTING, FOOT = 20.0, 88.0, 126.0, 262.0, 312.0, 402.0, 444.0, 568.0
SMALLEST, FOOTNOTE = 20.0, 14.0
STAR = "#C8930A"
# Words on the whole sheet, and of each part at one stage. Where they are too many, all parts are shortened alike.
# Quotes, pains and beliefs stand at the stages that lose most: where all is important, nothing is.
MOST_WORDS = 300
_WORDS = {"goal": 7, "quote": 14, "pain": 9, "moment": 9, "do": 11, "belief": 10, "trigger": 4, "proof": 2,
          "crm": 3, "owner": 2, "action": 3, "unknown": 4}  # fmt: skip
_WHOLE = ("trigger", "proof", "crm", "owner")
_STAGES_WITH = {"quote": 3, "pain": 3, "belief": 3}
_SHORTENED, _FEWEST = (1.0, 0.85, 0.7, 0.55, 0.4, 0.3, 0.2, 0.1), 1
# Words of the head.
_CLAIM, _PORTRAIT, _GOAL = 12, 16, 9
_LEADING = 1.3


@dataclass(frozen=True)
class Head:
    """What stands over the map: `claim` in large letters, whose map it is, their goal, and small print at the foot."""

    claim: str
    persona: str
    portrait: str
    goal: str
    stamp: str
    foot: str


@themed
def wall(
    cells: pd.DataFrame,
    *,
    stages: Sequence[str],
    titles: Mapping[str, str],
    river: pd.DataFrame | None,
    feelings: pd.DataFrame | None,
    days: pd.DataFrame | None,
    head: Mapping[str, str],
    alt: str,
    ax: Axes | None = None,
) -> Chart:
    """A journey map of A1 across, in text of 20 points and more (the foot 14): half as large it is a handout of A3.

    cells: what is written, a row for each `stage` and `part` (“goal”, “crm”, “owner”, “trigger”, “proof”, “quote”,
        “action”, “pain”, “moment”, “do”, “belief”, “unknown”), with `text` and `mark` (a status; may be empty).
    river: see `river`. feelings: `stage`, `estimate`, `lower`, `upper`, `mark`, from -2 to 2, and `gone`, how those
        feel who had been lost from the stage, if that is known. days: `stage`, `estimate`, `lower`, `upper`: half have
        left after so many. head: see `Head`. None, or no rows: not measured, which the sheet then says.
    """
    axes = ax or Figure(figsize=(WIDTH * MM, HEIGHT * MM)).add_axes((0, 0, 1, 1))
    for shortened in _SHORTENED:
        axes.clear()
        axes.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))
        axes.set_axis_off()
        sheet = _Sheet(axes, list(stages), titles, cells, shortened, _by_losses(river, stages))
        sheet.draw_head(Head(**head))
        sheet.draw_signs()
        sheet.draw_river(river, days)
        sheet.draw_feelings(feelings)
        sheet.draw_doing()
        sheet.draw_acting()
        sheet.draw_foot(head["foot"])
        if n_words(axes) <= MOST_WORDS:
            break
    return Chart(axes, alt)


@dataclass(frozen=True)
class _Sheet:
    axes: Axes
    stages: list[str]
    titles: Mapping[str, str]
    cells: pd.DataFrame
    shortened: float
    ranked: list[str]

    @property
    def wide(self) -> float:
        return (WIDTH - 2 * MARGIN - TITLES) / max(len(self.stages), 1)

    def left(self, stage: str) -> float:
        return MARGIN + TITLES + self.stages.index(stage) * self.wide

    def texts(self, stage: str, part: str, at_most: int = 1) -> list[tuple[str, str]]:
        """The first texts of a part at a stage, shortened, with their marks."""
        most = round(_STAGES_WITH[part] * self.shortened) if part in _STAGES_WITH else len(self.ranked)
        if stage not in self.ranked[:most]:
            return []
        rows = self.cells[(self.cells["stage"] == stage) & (self.cells["part"] == part)]
        words = max(_FEWEST, round(_WORDS[part] * self.shortened)) if part not in _WHOLE else _WORDS[part]
        texts = sorted(zip(rows["text"], rows["mark"], strict=True), key=lambda pair: len(pair[0].split()) > words)
        return [(cut(text, words), mark) for text, mark in texts[:at_most]]

    def write(self, x: float, y: float, text: str, points: float, *, within: float, lines: int = 1, **style) -> float:
        """Write `text` from (x, y) downward, in at most so many `lines`; where it ends."""
        line = points / 72 / MM * _LEADING
        for number, part in enumerate(wrapped(text, within, points, lines, bold=style.get("weight") == "bold")):
            self.axes.text(x, y + (number + 0.8) * line, part, fontsize=points, **{"color": INK, **style})
            y_end = y + (number + 1) * line
        return y_end if text else y

    def title(self, y: float, text: str) -> None:
        self.write(MARGIN, y, text, SMALLEST, within=TITLES - 4, lines=3, color=QUIET)

    def draw_head(self, head: Head) -> None:
        _ring(self.axes, MARGIN + 22, HEAD + 22, 20)
        self.write(MARGIN + 52, HEAD, head.persona, 40, within=160, weight="bold")
        self.write(MARGIN + 52, HEAD + 20, cut(head.portrait, _PORTRAIT), 22, within=160, lines=3, color=QUIET)
        left = MARGIN + 225
        end = self.write(left, HEAD - 2, cut(head.claim, _CLAIM), 54, within=WIDTH - left - 90, lines=2, weight="bold")
        self.write(left, end + 2, f"They want: “{cut(head.goal, _GOAL)}”", 22, within=WIDTH - left - 90, style="italic")
        self.write(WIDTH - MARGIN - 72, HEAD, head.stamp, SMALLEST, within=72, lines=4, color=QUIET)

    def draw_signs(self) -> None:
        for stage in self.stages:
            left, wide = self.left(stage), self.wide
            edge, low = left + wide - 8, SIGNS + 24
            outline = [(left, SIGNS), (edge, SIGNS), (edge + 7, SIGNS + 12), (edge, low), (left, low)]
            outline.append((left + 6, SIGNS + 12))
            self.axes.add_patch(Polygon(outline, closed=True, facecolor="#EAF1F6", linewidth=0))
            room = wide - 20
            name = self.titles[stage]
            points = next((size for size in (34, 30, 26) if width_of(name, size, bold=True) <= room), 22)
            self.write(left + 9, SIGNS, name, points, within=room, weight="bold")
            for text, _ in self.texts(stage, "crm"):
                if width_of(name, points, bold=True) + width_of(text, SMALLEST) + 6 < room:
                    self.axes.text(left + wide - 11, SIGNS + 8.5, text, fontsize=SMALLEST, color=QUIET, ha="right")
            for text, _ in self.texts(stage, "goal"):
                self.write(left + 9, SIGNS + 15, f"“{text}”", SMALLEST, within=room, style="italic")

    def draw_river(self, river: pd.DataFrame | None, days: pd.DataFrame | None) -> None:
        if river is None or river.empty:
            self._unknown(RIVER, SHORE, "How many go on, stay or leave: not measured")
            return
        box = Box(MARGIN + TITLES, WIDTH - 2 * MARGIN - TITLES, RIVER, SHORE, tall=100, points=24)
        entering = draw_river(self.axes, river, self.stages, box)
        self.title(RIVER, "Of 100 who set out")
        self.title(SHORE - 4, "Lost, and to what")
        if days is not None:
            self.title(SHORE - 36, "Half have left after")
        for stage, share in zip(self.stages, entering, strict=True):
            left = self.left(stage)
            _gate(self.axes, left, RIVER - 5)
            words = " · ".join(text for part in ("trigger", "proof") for text, _ in self.texts(stage, part))
            self.write(left + 6, RIVER - 11, words, SMALLEST, within=self.wide - 8)
            self.axes.text(left + 2, RIVER + 12, f"{100 * share:.0f}", fontsize=34, weight="bold", color="white")
        if days is not None:
            longest = days["upper"].fillna(days["estimate"]).max()
            for row in days[days["estimate"].notna()].itertuples(index=False):
                self._ruler(row, longest)

    def _ruler(self, row: Any, longest: float) -> None:
        """How long half stay, with its interval, on one scale for all stages."""
        left, y, room = self.left(row.stage) + self.wide * 0.5, SHORE - 30, self.wide * 0.42
        place = [left + room * value / longest for value in (0.0, row.lower, row.estimate, row.upper)]
        self.axes.plot([left, left + room], [y, y], color=FAINT, linewidth=2)
        self.axes.plot([place[1], place[3]], [y, y], color=INK, linewidth=4)
        self.axes.plot([place[2]], [y], "o", color=INK, markersize=12)
        self.write(left, y + 2, f"{row.estimate:,.0f} days", SMALLEST, within=room + self.wide * 0.08)

    def draw_feelings(self, feelings: pd.DataFrame | None) -> None:
        bottom, top = DOING - 12, FEELINGS + 24
        if feelings is None or feelings["estimate"].isna().all():
            self._unknown(FEELINGS + 8, bottom, "How they feel: nobody has asked yet")
            return
        self.title(FEELINGS + 8, "How they feel, when asked")
        known = feelings[feelings["estimate"].notna()]
        low, high = min(known["lower"].min(), 0.0), max(known["upper"].max(), 0.0)
        if "gone" in known and known["gone"].notna().any():
            low, high = min(low, known["gone"].min()), max(high, known["gone"].max())
        at = {stage: self.left(stage) + self.wide / 2 for stage in self.stages}
        height = lambda value: bottom - (np.asarray(value) - low) / max(high - low, 1e-9) * (bottom - top)  # noqa: E731
        self.axes.hlines(height(0.0), MARGIN + TITLES, WIDTH - MARGIN, color=FAINT, linestyle=(0, (4, 3)))
        _face(self.axes, MARGIN + TITLES - 8, float(height(high)), smiles=True)
        _face(self.axes, MARGIN + TITLES - 8, float(height(low)), smiles=False)
        curve = feelings.set_index("stage").reindex(self.stages)
        x = [at[stage] for stage in self.stages]
        self.axes.fill_between(x, height(curve["lower"]), height(curve["upper"]), color=WATER, alpha=0.4, linewidth=0)
        self.axes.plot(x, height(curve["estimate"]), color=INK, linewidth=3, marker="o", markersize=12)
        for stage, row in curve.iterrows():
            if row["mark"] in ("high", "low"):
                y, is_low = float(height(row["estimate"])), row["mark"] == "low"
                words: dict[str, Any] = {
                    "fontsize": 24,
                    "weight": "bold",
                    "ha": "center",
                    "va": "top" if is_low else "bottom",
                }
                self.axes.text(at[stage], y + (5 if is_low else -5), row["mark"].upper(), **words)
            for text, _ in self.texts(str(stage), "quote"):
                left = self.left(str(stage)) + 4
                self.write(left, FEELINGS, f"“{text}”", SMALLEST, within=self.wide - 10, lines=3, style="italic")
        self._draw_gone(curve, at, height)

    def _draw_gone(self, curve: pd.DataFrame, at: Mapping[str, float], height: Any) -> None:
        """A hollow dot for how those feel who had been lost from a stage, joined with the dot of those inside."""
        gone = curve[curve["gone"].notna()] if "gone" in curve else curve.iloc[:0]
        for stage, row in gone.iterrows():
            x, y = at[str(stage)], float(height(row["gone"]))
            self.axes.plot([x, x], [float(height(row["estimate"])), y], ":", color=LOSS, linewidth=2)
            self.axes.plot([x], [y], "o", markersize=14, markerfacecolor="white", color=LOSS)
        if len(gone):
            x, y = at[str(gone.index[0])], float(height(gone["gone"].iloc[0]))
            self.axes.text(x + 5, y + 2.5, "those who left", fontsize=20, color=LOSS)

    def draw_doing(self) -> None:
        self.title(DOING, "What they do here")
        for stage in self.stages:
            texts = [text for text, _ in self.texts(stage, "action", 2)]
            self.write(self.left(stage) + 4, DOING, " · ".join(texts), SMALLEST, within=self.wide - 8, lines=3)

    def draw_acting(self) -> None:
        self.title(ACTING + 2, "What we do")
        for stage in self.stages:
            left, room = self.left(stage) + 2, self.wide - 8
            frame = FancyBboxPatch(
                (left + 1, ACTING + 1), room + 2, FOOT - ACTING - 14, boxstyle="round,pad=1,rounding_size=3",
                facecolor="none", edgecolor=FAINT, linewidth=1.5,
            )  # fmt: skip
            self.axes.add_patch(frame)
            y = ACTING + 3
            pins = [(text, "v", LOSS) for text, _ in self.texts(stage, "pain")]
            pins += [(text, "*", STAR) for text, _ in self.texts(stage, "moment")]
            for text, shape, colour in pins[:1]:
                self.axes.plot([left + 5], [y + 5], shape, color=colour, markersize=16)
                y = self.write(left + 11, y, text, SMALLEST, within=room - 10, lines=3) + 2
            owner = next((text for text, _ in self.texts(stage, "owner")), "nobody yet")
            for text, _ in self.texts(stage, "do"):
                words = f"DO {text} ({owner}) ☐"
                y = self.write(left + 3, y, words, SMALLEST, within=room, lines=4, weight="bold") + 2
            for text, status in self.texts(stage, "belief"):
                words = f"BELIEF {text} ({status or 'open'})"
                y = self.write(left + 3, y, words, SMALLEST, within=room, lines=4, color=QUIET) + 2
            self._box_to_write_in(left + 3, y, room - 2, stage)

    def _box_to_write_in(self, left: float, y: float, room: float, stage: str) -> None:
        unknown = ", ".join(text for text, _ in self.texts(stage, "unknown", 3))
        bottom = FOOT - 16
        if bottom - y < 14:
            return
        box = FancyBboxPatch(
            (left, y), room, bottom - y, boxstyle="square,pad=0", facecolor="none", edgecolor=QUIET,
            linestyle=":", linewidth=1.5,
        )  # fmt: skip
        self.axes.add_patch(box)
        if unknown:
            self.write(left + 3, y + 1, f"Unknown: {unknown}", SMALLEST, within=room - 6, lines=2, color=QUIET)

    def draw_foot(self, foot: str) -> None:
        self.write(MARGIN, FOOT, foot, FOOTNOTE, within=WIDTH - 2 * MARGIN, lines=2, color=QUIET)

    def _unknown(self, top: float, bottom: float, text: str) -> None:
        left = MARGIN + TITLES
        box = FancyBboxPatch(
            (left, top), WIDTH - MARGIN - left, bottom - top, boxstyle="square,pad=0", facecolor="none",
            edgecolor=QUIET, linestyle=":", linewidth=1.5,
        )  # fmt: skip
        self.axes.add_patch(box)
        self.write(left + 6, top + 4, text, 24, within=WIDTH - 2 * MARGIN - TITLES - 12, color=QUIET)


def _by_losses(river: pd.DataFrame | None, stages: Sequence[str]) -> list[str]:
    """The stages, those that lose most first."""
    lost = dict.fromkeys(stages, 0.0)
    if river is not None:
        lost |= river[river["kind"] == LOST].groupby("stage")["estimate"].sum().to_dict()
    return [stages[place] for place in order([lost[stage] for stage in stages])]


def n_words(axes: Axes) -> int:
    """How many words are written in `axes`; numbers are none."""
    return len([word for text in axes.texts for word in text.get_text().split() if any(map(str.isalpha, word))])


def cut(text: str, at_most: int) -> str:
    """The first words of `text`, at most so many; “…” where some are left out."""
    words = text.split()
    return " ".join(words) if len(words) <= at_most else f"{' '.join(words[:at_most])}…"


def wrapped(text: str, within: float, points: float, lines: int, *, bold: bool = False) -> list[str]:
    """`text` in at most so many `lines`, none wider than `within` millimetres in letters of so many `points`."""
    rows: list[str] = []
    for word in text.split():
        trial = f"{rows[-1]} {word}" if rows else word
        if rows and width_of(trial, points, bold=bold) <= within:
            rows[-1] = trial
        else:
            rows.append(word)
    shown = rows[:lines]
    if len(rows) > lines:
        shown[-1] += "…"
    return [squeezed(row, within, points, bold=bold) for row in shown]


def width_of(text: str, points: float, *, bold: bool = False) -> float:
    """How wide `text` is in millimetres."""
    font = _font(bold)
    font.set_size(points, 72)
    font.set_text(text, 0.0)
    return font.get_width_height()[0] / 64 / 72 / MM


def squeezed(row: str, within: float, points: float, *, bold: bool = False) -> str:
    """`row`, cut where it is a word wider than the column."""
    while len(row) > 1 and width_of(row, points, bold=bold) > within:
        row = f"{row.removesuffix('…')[:-1]}…"
    return row


@cache
def _font(bold: bool):
    return get_font(findfont(FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")))


def _ring(axes: Axes, x: float, y: float, radius: float) -> None:
    axes.add_patch(Circle((x, y), radius, facecolor="#EAF1F6", edgecolor=WATER, linewidth=6))
    axes.add_patch(Circle((x, y - radius * 0.25), radius * 0.3, facecolor=WATER, linewidth=0))
    body = [(x - radius * 0.55, y + radius * 0.62), (x - radius * 0.35, y + radius * 0.15),
            (x + radius * 0.35, y + radius * 0.15), (x + radius * 0.55, y + radius * 0.62)]  # fmt: skip
    axes.add_patch(Polygon(body, closed=True, facecolor=WATER, linewidth=0))


def _gate(axes: Axes, x: float, y: float) -> None:
    axes.plot([x + 2], [y], marker="D", color=GOAL, markersize=10)


def _face(axes: Axes, x: float, y: float, *, smiles: bool) -> None:
    axes.add_patch(Circle((x, y), 4, facecolor="none", edgecolor=QUIET, linewidth=2))
    axes.plot([x - 1.4, x + 1.4], [y - 1, y - 1], "o", color=QUIET, markersize=3)
    along = np.linspace(-1.8, 1.8, 9)
    bend = (along / 1.8) ** 2
    axes.plot(x + along, y + (2.4 - 1.2 * bend if smiles else 1.2 + 1.2 * bend), color=QUIET, linewidth=2)
