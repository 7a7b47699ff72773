import base64
from io import BytesIO

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from PIL import Image

from journeylab.base import charts
from journeylab.base.charts.chart import DPI, QUIET, readable_on, theme
from journeylab.base.charts.curves import apart

CURVE = pd.DataFrame(
    {
        "days": [0, 10, 20, 0, 10, 20],
        "share": [0.0, 0.2, 0.3, 0.0, 0.1, 0.4],
        "lower": [0.0, 0.1, 0.2, 0.0, 0.05, 0.3],
        "upper": [0.0, 0.3, 0.4, 0.0, 0.15, 0.5],
        "branch": ["price"] * 3 + ["silent"] * 3,
    }
)
WORDS = {"x_label": "days", "y_label": "lost", "title": "Lost", "alt": "Lost: price 30%, silent 40%."}


def curve(**changes):
    return charts.curves(CURVE, x="days", y="share", by="branch", lower="lower", upper="upper", **{**WORDS, **changes})


def test_a_chart_shows_as_a_picture_with_its_message_in_words():
    bundle, about = curve()._repr_mimebundle_()
    assert bundle["text/plain"] == "Lost: price 30%, silent 40%."
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert about == {"image/png": {"width": 760}}


def test_the_same_chart_twice_is_the_same_bytes(tmp_path):
    assert curve().png() == curve().png()
    first, second = curve().write(tmp_path / "1.svg"), curve().write(tmp_path / "2.svg")
    assert first.read_bytes() == second.read_bytes()


def test_the_picture_is_what_matplotlib_would_save():
    chart, saved = curve(), BytesIO()
    with matplotlib.rc_context(theme()):
        curve().axes.figure.savefig(saved, dpi=DPI, facecolor="white")
    expected = np.asarray(Image.open(saved).convert("RGB")).astype(int)
    found = np.asarray(Image.open(BytesIO(chart.png())).convert("RGB")).astype(int)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 64  # of the shades of a letter's edge the palette keeps the nearest
    assert (found != expected).any(axis=2).mean() < 0.05


def test_a_figure_that_others_draw_into_is_left_as_it_was():
    figure, axes = plt.subplots(facecolor="pink", dpi=50)
    canvas = figure.canvas
    curve(ax=axes).png()
    assert (figure.canvas, figure.dpi, to_rgba("pink")) == (canvas, 50, figure.get_facecolor())
    plt.close(figure)


def test_lines_are_labelled_beside_their_ends_and_labels_do_not_touch():
    near = CURVE.assign(share=[0.0, 0.2, 0.300, 0.0, 0.1, 0.301])
    axes = charts.curves(near, x="days", y="share", by="branch", **WORDS).axes
    heights = {text.get_text(): text.xy[1] for text in axes.texts}
    assert list(heights) == ["price", "silent"]
    assert heights["silent"] - heights["price"] > 0.01
    assert sum(heights.values()) / 2 == pytest.approx(0.3005)


def test_labels_move_no_further_than_they_must():
    assert apart(np.array([0.0, 5.0, 5.0, 9.0]), distance=1.0, bottom=0.0).tolist() == [0.0, 4.5, 5.5, 9.0]
    assert apart(np.array([1.0, 1.0, 1.0]), distance=2.0, bottom=-9.0).tolist() == [-1.0, 1.0, 3.0]
    assert apart(np.array([1.0, 1.0, 1.0]), distance=2.0, bottom=0.0).tolist() == [0.0, 2.0, 4.0]


def test_a_panel_is_drawn_for_each_value_with_its_own_numbers_at_risk():
    at_risk = pd.DataFrame({"x": [0, 20, 0, 20], "n": [1500, 7, 90, 3], "branch": ["price"] * 2 + ["silent"] * 2})
    chart = charts.curves(CURVE, x="days", y="share", panel="branch", at_risk=at_risk, **WORDS)
    panels = chart.axes.figure.axes
    assert [axes.get_title(loc="left") for axes in panels] == ["price", "silent"]
    assert [text.get_text() for text in panels[0].texts] == ["1,500", "7", "at risk"]


def test_a_chart_can_be_drawn_into_axes_of_ones_own():
    axes = plt.figure().subplots()
    assert curve(ax=axes).axes is axes
    plt.close("all")


def test_a_chart_can_be_drawn_into_axes_without_a_grid_and_into_a_part_of_a_figure():
    for axes in (plt.figure().add_axes((0.1, 0.1, 0.6, 0.8)), plt.figure().subfigures(1, 2)[0].subplots()):
        assert [text.get_text() for text in curve(ax=axes).axes.texts] == ["price", "silent"]
        assert charts.note("Nothing", title="None", ax=axes).png().startswith(b"\x89PNG")
    plt.close("all")


def test_charts_leave_no_figure_behind_and_no_setting_changed():
    before = dict(plt.rcParams)
    curve()
    assert plt.get_fignums() == []
    assert dict(plt.rcParams) == before


def test_intervals_keep_the_order_of_rows_from_top_to_bottom():
    table = CURVE.groupby("branch", sort=False).tail(1)
    chart = charts.intervals(
        table, label="branch", x="share", lower="lower", upper="upper", x_label="lost", title="t", alt="a", percent=True
    )
    assert [label.get_text() for label in chart.axes.get_yticklabels()] == ["price", "silent"]
    assert chart.axes.get_ylim() == (1.5, -0.5)


def test_stacked_bars_add_up():
    table = pd.DataFrame({"stage": ["a", "b"], "lost": [3, 1], "kept": [1, 1]})
    chart = charts.stacked(table, label="stage", parts=["lost", "kept"], x_label="n", title="t", alt="a")
    ends = [bar.get_x() + bar.get_width() for bar in chart.axes.patches]
    assert ends == [3, 1, 4, 2]


def test_tiles_say_their_text():
    table = pd.DataFrame({"row": ["x", "x"], "column": ["p", "q"], "value": [1.0, -1.0], "text": ["up", "down"]})
    chart = charts.tiles(table, row="row", column="column", value="value", text="text", title="t", alt="a", centre=0)
    assert [text.get_text() for text in chart.axes.texts] == ["up", "down"]


def test_a_note_says_in_words_what_there_is_no_figure_for():
    text = "Nobody was in a stage while it was watched, so there is nothing to estimate. " * 3
    chart = charts.note(text, title="Time in each stage")
    assert chart.alt == text
    assert chart.axes.get_title(loc="left") == "Time in each stage"
    (written,) = chart.axes.texts
    assert written.get_text().split() == text.split()
    figure = chart.axes.figure
    figure.draw_without_rendering()
    drawn = written.get_window_extent()
    assert figure.bbox.width * 0.6 < drawn.x1 < figure.bbox.width
    assert 0 < drawn.y0 < drawn.y1 < figure.bbox.height
    assert chart.png() == charts.note(text, title="Time in each stage").png()
    assert charts.note(text, title="Again", ax=chart.axes).axes is chart.axes


def test_lines_mark_the_chosen_value():
    table = pd.DataFrame({"k": [1, 2, 3], "bic": [3.0, 1.0, 2.0]})
    chart = charts.lines(table, x="k", y="bic", mark=2, x_label="k", y_label="BIC", title="t", alt="a")
    assert chart.axes.lines[-1].get_xdata() == [2, 2]


@pytest.mark.parametrize("colour", charts.PALETTE)
def test_numbers_in_bars_are_readable(colour):
    assert readable_on(colour) in ("white", charts.INK)


def test_figures_with_one_order_of_colours_agree_on_them():
    words = {"x_label": "n", "title": "t", "alt": "a", "colour_order": ["kept", "price", "silent"]}
    dots = charts.intervals(CURVE, label="days", x="share", lower="lower", upper="upper", by="branch", **words).axes
    bars = charts.stacked(
        pd.DataFrame({"stage": ["a"], "silent": [1], "kept": [2]}), label="stage", parts=["silent", "kept"], **words
    ).axes
    assert [line.get_color() for line in dots.lines] == list(charts.PALETTE[1:3])
    assert [bar.get_facecolor() for bar in bars.patches] == [to_rgba(charts.PALETTE[2]), to_rgba(charts.PALETTE[0])]


def test_areas_stack_to_one_and_name_their_bands():
    table = pd.DataFrame({"day": [0, 0, 9, 9], "state": ["in", "out"] * 2, "share": [1.0, 0.0, 0.25, 0.75]})
    axes = charts.areas(table, x="day", y="share", by="state", x_label="days", title="t", alt="a").axes
    assert {text.get_text(): text.xy[1] for text in axes.texts} == {"in": 0.125, "out": 0.625}
    assert axes.get_ylim() == (0, 1)
    assert max(path.vertices[:, 1].max() for area in axes.collections for path in area.get_paths()) == 1


def test_ratios_are_drawn_on_a_scale_where_half_and_twice_are_equally_far():
    ratios = pd.DataFrame({"of": ["a"], "ratio": [2.0], "lower": [1.0], "upper": [4.0]})
    words = {"x_label": "hazard ratio", "title": "t", "alt": "a", "reference": 1.0, "scale": "log"}
    axes = charts.intervals(ratios, label="of", x="ratio", lower="lower", upper="upper", **words).axes
    assert axes.get_xscale() == "log"


def test_lines_can_be_faint_or_dashed_and_a_day_marked():
    table = CURVE.assign(until=15)
    chart = curve(faint=["price"], dashed=["silent"])
    price, silent = chart.axes.lines
    assert (to_rgba(price.get_color()), price.get_linestyle()) == (to_rgba(QUIET), "-")
    assert (to_rgba(silent.get_color()), silent.get_linestyle()) == (to_rgba(charts.PALETTE[1]), "--")
    assert [text.get_color() for text in chart.axes.texts if text.get_text() == "price"] == [QUIET]
    panels = charts.curves(table, x="days", y="share", panel="branch", mark="until", faint=["silent"], **WORDS)
    first, second = panels.axes.figure.axes
    assert list(first.lines[1].get_xdata()) == [15, 15]
    colours = [to_rgba(axes.lines[0].get_color()) for axes in (first, second)]
    assert colours == [to_rgba(charts.PALETTE[0]), to_rgba(QUIET)]
