"""Rows of panels: bars and curves for each kind, whatever is lacking, and the same picture each time."""

import pandas as pd
import pytest

from journeylab.base.charts import Chart, profiles

HEADS = {"P1": "P1 · Calls: 60%", "P2": "P2 · " + "a very long name " * 10}
BARS = pd.DataFrame(
    [("P1", "event: called", 0.8), ("P1", "a feature with a name that is far too long to be shown", -0.6)],
    columns=["row", "label", "value"],
)
CURVES = pd.DataFrame(
    [
        (row, line, x, 1 - x / 100, 0.9 - x / 100, 1.0)
        for row in HEADS
        for line in (row, "everyone")
        for x in (0, 30, 60)
    ],
    columns=["row", "line", "x", "estimate", "lower", "upper"],
)


def drawn(bars=BARS, curves=CURVES) -> Chart:
    labels = {"bars_label": "delta", "curves_label": "stays", "title": "Kinds", "alt": "P1 60%."}
    return profiles(HEADS, bars=bars, curves=curves, faint="everyone", **labels)


def test_each_kind_has_a_row_under_its_head():
    chart = drawn()
    figure = chart.axes.figure
    assert chart.alt == "P1 60%."
    assert len(figure.axes) == 4
    heads = [text.get_text() for text in figure.texts]
    assert "P1 · Calls: 60%" in heads
    assert max(map(len, heads)) <= 88


def test_bars_point_to_the_right_for_more_and_to_the_left_for_less():
    bars = drawn().axes.patches
    assert [round(bar.get_width(), 1) for bar in bars] == [0.8, -0.6]
    assert len({bar.get_facecolor() for bar in bars}) == 2


def test_long_labels_are_shortened():
    assert all(len(label.get_text()) <= 34 for label in drawn().axes.get_yticklabels())


def test_the_line_for_comparison_is_named_once():
    named = [text.get_text() for axes in drawn().axes.figure.axes for text in axes.texts]
    assert named.count("everyone") == 1
    assert {"P1", "P2"} <= set(named)


def test_the_picture_is_the_same_each_time():
    assert drawn().png() == drawn().png()


@pytest.mark.parametrize("curves", [CURVES, CURVES[:0]], ids=["with curves", "without"])
@pytest.mark.parametrize("bars", [BARS, BARS[:0]], ids=["with bars", "without"])
def test_what_is_lacking_leaves_its_room(bars, curves):
    chart = drawn(bars, curves)
    assert len(chart.axes.figure.axes) == (4 if len(curves) else 2)
    assert chart.axes.figure.get_size_inches()[0] == 7.6
