"""Flows: what is drawn is as wide as what flows, nothing is lost, and words do not overlap."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from journeylab.base.charts import Chart, flows
from journeylab.base.charts.flows import MOST_ARCS, _Plan

COLUMNS = ["origin", "to", "kind", "n", "text", "part"]


def table(*rows):
    return pd.DataFrame(rows, columns=COLUMNS)


SMALL = table(
    ("first entry", "a", "enter", 100, "first entry 100", None),
    ("lost", "a", "return", 10, "came back 10", None),
    ("a", "b", "move", 60, "60 (55%)\n3 days", "advanced"),
    ("a", "c", "move", 6, "ahead 6", "advanced"),
    ("b", "a", "move", 5, "back 5", "regressed"),
    ("a", "price", "leave", 30, "Price 30 (27%)", "price"),
    ("a", "inside", "stay", 19, "still inside 19", None),
    ("b", "other", "leave", 55, None, "other"),
    ("c", "inside", "stay", 6, "the goal 6", "completed"),
)


def draw(rows, order, **options):
    heads = {place: f"{place.title()}\n10 visits" for place in order}
    return flows(rows, order=order, headings=heads, title="Flow", alt="Flow: 100 came.", **options)


def crowded(n_places, n_branches, seed=0):
    """Every flow that there can be between `n_places`, each to `n_branches`."""
    random = np.random.default_rng(seed)
    places = [f"stage_number_{i}" for i in range(n_places)]
    rows = []
    for place in places:
        rows.append(("first entry", place, "enter", int(random.integers(20, 3000)), "first entry 1,234", None))
        rows.append(("lost", place, "return", int(random.integers(1, 200)), "came back 123", None))
        rows.append((place, "inside", "stay", int(random.integers(1, 500)), "still inside 123 (12%)", None))
        others = [other for other in places if other != place]
        rows += [(place, each, "move", int(random.integers(1, 900)), "back 123 (4.5%)", "advanced") for each in others]
        for branch in (f"branch {b}" for b in range(n_branches)):
            rows.append((place, branch, "leave", int(random.integers(1, 300)), "Missing feature 123 (4.5%)", branch))
    return table(*rows), places


def boxes(chart):
    """Where each text of the figure is, in pixels."""
    figure = chart.axes.figure
    figure.draw_without_rendering()
    texts = [text for text in chart.axes.texts if text.get_text().strip()]
    return [(text.get_text(), text.get_window_extent()) for text in texts], figure.bbox


def test_it_says_its_message_in_words_and_is_the_same_each_time():
    chart = draw(SMALL, ["a", "b", "c"])
    assert isinstance(chart, Chart)
    assert chart.alt == "Flow: 100 came."
    assert chart.png() == draw(SMALL, ["a", "b", "c"]).png()


def test_what_is_to_be_written_is_written_and_nothing_else():
    written = {text.get_text() for text in draw(SMALL, ["a", "b", "c"]).axes.texts}
    for words in (
        "first entry 100",
        "came back 10",
        "60 (55%)\n3 days",
        "ahead 6",
        "back 5",
        "still inside 19",
        "the goal 6",
    ):
        assert words in written
    assert not any("other" in words or "None" in words for words in written)


def test_bars_are_as_tall_as_their_visits():
    plan = _Plan(SMALL.assign(part="x"), ("a", "b", "c"), 7.6)
    assert plan._visits.tolist() == [115, 60, 6]
    heights = sorted(patch.get_height() for patch in draw(SMALL, ["a", "b", "c"]).axes.patches
                     if getattr(patch, "get_width", lambda: 0)() == pytest.approx(0.09))  # fmt: skip
    assert np.allclose(np.array(heights) / plan.scale, [6, 60, 115])


def test_arcs_that_would_meet_are_on_different_levels():
    rows, places = crowded(8, 0)
    plan = _Plan(rows, tuple(places), 7.6)
    arcs = [(row.level, *sorted((row.start, row.end)), row.end > row.start) for row in plan.arcs.itertuples()]
    assert len(arcs) == MOST_ARCS
    for (level, low, high, _), (other, left, right, _) in combinations(arcs, 2):
        assert level != other or high <= left or right <= low


def test_arcs_that_are_not_drawn_are_counted():
    rows, places = crowded(5, 1)
    moves = rows[rows["kind"] == "move"]
    step = moves["to"].map(places.index) - moves["origin"].map(places.index)
    away = np.sort(moves.loc[step != 1, "n"])
    chart = draw(rows, places)
    note = next(text.get_text() for text in chart.axes.texts if "Not drawn" in text.get_text())
    assert len(away) == 16
    assert note == (
        f"Not drawn: 6 kinds of moves ahead or back, {away[:6].sum():,} visits in all, {away[5]:,} of them of one kind."
    )


@pytest.mark.slow
@pytest.mark.parametrize("width", [7.6, 11])
@pytest.mark.parametrize(("n_places", "n_branches"), [(2, 1), (3, 8), (5, 5), (8, 8)])
def test_words_stay_in_the_figure_and_lists_do_not_overlap(n_places, n_branches, width):
    rows, places = crowded(n_places, n_branches)
    chart = draw(rows, places, width=width)
    found, figure = boxes(chart)
    for text, box in found:
        assert figure.x0 - 1 <= box.x0, text
        assert box.x1 <= figure.x1 + 1, text
        assert figure.y0 - 1 <= box.y0, text
    lists = [(text, box) for text, box in found if not text.startswith(("back", "Not", "ahead"))]
    for (text, box), (other, beside) in combinations(lists, 2):
        assert not box.padded(-1.5).overlaps(beside.padded(-1.5)), (text, other)


@pytest.mark.parametrize("width", [7.6, 11])
def test_the_words_of_arcs_do_not_overlap(width):
    rows, places = crowded(8, 2, seed=3)
    found, _ = boxes(draw(rows, places, width=width))
    arcs = [(text, box) for text, box in found if text.startswith("back")]
    for (text, box), (_, beside) in combinations(arcs, 2):
        assert not box.padded(-1.5).overlaps(beside.padded(-1.5)), text


def test_one_place_and_no_flow_can_be_drawn():
    assert draw(SMALL[SMALL["origin"] == "first entry"], ["a"]).png()
    assert draw(SMALL.iloc[:0], ["a", "b"]).png()


def test_it_is_drawn_into_axes_that_are_there():
    chart = draw(SMALL, ["a", "b", "c"])
    assert draw(SMALL, ["a", "b", "c"], ax=chart.axes).axes is chart.axes


def test_a_notable_part_of_what_leaves_a_place_is_drawn_however_many_others_there_are():
    places = tuple(f"s{i}" for i in range(8))
    # Twelve moves back, each more frequent than the one ahead, which half of its place take.
    rows = [(start, end, "move", 500) for start in ("s5", "s6", "s7") for end in ("s0", "s1", "s2", "s3")]
    rows += [("s4", "s6", "move", 120), ("s4", "inside", "stay", 120)]
    rows += [("s7", "x", "leave", 20_000), ("s6", "x", "leave", 20_000), ("s5", "x", "leave", 20_000)]
    moves = pd.DataFrame(rows, columns=["origin", "to", "kind", "n"]).assign(text=None, part="x")
    arcs = _Plan(moves, places, 7.6).arcs
    assert ("s4", "s6") in set(zip(arcs["origin"], arcs["to"], strict=True))
    assert len(arcs) == MOST_ARCS + 1
