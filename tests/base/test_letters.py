"""Figures of texts whose letters the font lacks: no empty boxes, no warning, no formula, and the words stay."""

import pandas as pd
import pytest

from journeylab.base import charts
from journeylab.base.charts.chart import themed
from journeylab.base.charts.letters import drawable, fitting

EMOJI, BIDI, FORMULA = "Trial 🧨👩‍👩‍👧", "\u202egnp", "$\\nothing{$"
TABLE = pd.DataFrame(
    {
        "stage 🧨": [EMOJI, "评估", BIDI, FORMULA],
        "way": pd.Categorical(["lost 🧨", "lost 🧨", "on", "on"]),
        "share": [0.1, 0.2, 0.3, 0.4],
        "lower": [0.0, 0.1, 0.2, 0.3],
        "upper": [0.2, 0.3, 0.4, 0.5],
        "day": [0, 1, 0, 1],
        "n": [1, 2, 3, 4],
    }
)
WORDS = {"title": f"T {EMOJI} {FORMULA}", "alt": f"A {EMOJI} {BIDI}"}
INTERVAL = {"x": "share", "lower": "lower", "upper": "upper"}


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("Plain, été – “x” → ½", "Plain, été – “x” → ½"),
        (EMOJI, "Trial [firecracker, woman, woman, girl]"),
        ("👋🏽 hello", "[waving hand sign] hello"),
        ("评估 trial", "[U+8BC4 U+4F30] trial"),
        ("ＮＰＳ ５", "NPS 5"),
        (BIDI, "[U+202E]gnp"),
        ("a\tb\x00\nc", "a b[U+0000]\nc"),
        ("", ""),
        ("$x$ for $5", "$x$ for $5"),
    ],
)
def test_letters_that_the_font_lacks_are_named(text, drawn):
    assert drawable(text) == drawn


def test_a_long_label_is_two_shorter_lines_and_leaves_out_the_rest():
    assert fitting("a long name of a stage", at_most=22) == "a long name of a stage"
    assert fitting("a long name of a stage and a longer way", at_most=21) == "a long name of\na stage and a…"
    assert fitting("x" * 10_000, at_most=30) == f"{'x' * 20}\n{'x' * 19}…"


def test_a_figure_gets_every_text_in_letters_that_are_there_but_for_its_words():
    @themed
    def draw(table, *, label, order, names, alt, ax=None):
        return table, label, order, names, alt, ax

    table, label, order, names, alt, ax = draw(
        TABLE, label="stage 🧨", order=("🧨",), names={"🧨": ["评估"]}, alt=EMOJI, ax="🧨"
    )
    assert list(table[label])[:2] == ["Trial [firecracker, woman, woman, girl]", "[U+8BC4 U+4F30]"]
    assert list(table["way"].cat.categories) == ["lost [firecracker]", "on"]
    assert (label, order) == ("stage [firecracker]", ("[firecracker]",))
    assert (names, alt, ax) == ({"[firecracker]": ["[U+8BC4 U+4F30]"]}, EMOJI, "🧨")
    assert TABLE.columns[0] == "stage 🧨"  # what came in stays as it was


FIGURES = {
    "intervals": lambda: charts.intervals(TABLE, label="stage 🧨", **INTERVAL, by="way", x_label=EMOJI, **WORDS),
    "stacked": lambda: charts.stacked(TABLE, label="stage 🧨", parts=["share", "n"], x_label=EMOJI, **WORDS),
    "tiles": lambda: charts.tiles(TABLE, row="stage 🧨", column="day", value="share", **WORDS),
    "lines": lambda: charts.lines(TABLE, x="day", y="share", by="way", x_label=EMOJI, y_label=FORMULA, **WORDS),
    "note": lambda: charts.note(WORDS["alt"], title=WORDS["title"]),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_without_a_warning_and_says_the_same_in_words(name):
    chart = FIGURES[name]()
    assert chart.png().startswith(b"\x89PNG")  # warnings are errors here
    assert chart.alt == WORDS["alt"]
    assert chart.axes.get_title(loc="left") == drawable(WORDS["title"])
