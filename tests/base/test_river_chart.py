"""The river: what flows into a column is what goes on, stays and leaves there, to the width of a hair."""

import pandas as pd
import pytest
from matplotlib.patches import PathPatch, Rectangle

from journeylab.base.charts import river
from journeylab.base.charts.chart import new_axes
from journeylab.base.charts.river import Box, draw_river, in_hundred

ORDER = ("a", "b", "c")
TABLE = pd.DataFrame(
    [
        ("a", "inside", None, 0.10, 0.05, 0.15),
        ("a", "lost", "price", 0.30, 0.25, 0.36),
        ("a", "lost", "silent", 0.05, 0.03, 0.08),
        ("b", "inside", None, 0.20, 0.15, 0.25),
        ("b", "lost", "price", 0.15, 0.10, 0.20),
        ("c", "inside", None, 0.20, 0.15, 0.25),
    ],
    columns=["stage", "kind", "to", "estimate", "lower", "upper"],
)
BOX = Box(left=0, width=300, top=10, shore=140, tall=100, points=9)


def drawn():
    axes = new_axes()
    return draw_river(axes, TABLE, ORDER, BOX), axes


def test_what_enters_each_place_is_what_was_not_kept_or_lost_before():
    entering, _ = drawn()
    assert entering == pytest.approx([1, 0.55, 0.2])


def test_widths_are_to_one_scale_and_add_up():
    _, axes = drawn()
    water = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert max(patch.get_height() for patch in water) == pytest.approx(100)
    insides = sorted(patch.get_height() for patch in water if patch.get_hatch())
    assert insides == pytest.approx([10, 20])
    bodies = [patch for patch in axes.patches if isinstance(patch, PathPatch) and patch.get_alpha() == 0.6]
    widths = sorted(patch.get_path().get_extents().y0 * 0 + stream_width(patch) for patch in bodies)
    assert widths == pytest.approx([5, 15, 30], abs=0.5)


def stream_width(patch):
    """How wide a stream is where it reaches the shore."""
    points = patch.get_path().vertices
    at_shore = points[points[:, 1] == BOX.shore][:, 0]
    return at_shore.max() - at_shore.min()


def test_only_the_largest_loss_is_red_and_said_first():
    chart = river(TABLE, order=ORDER, headings=dict(zip(ORDER, "ABC", strict=True)), title="t", alt="30 of 100")
    texts = [text.get_text() for text in chart.axes.texts]
    assert "30 price" in texts
    assert [text.get_text() for text in chart.axes.texts if text.get_color() == "#B3261E"] == ["30 price"]
    assert "20 at the goal" in texts
    assert chart.png().startswith(b"\x89PNG")


def test_so_many_of_a_hundred():
    assert [in_hundred(share) for share in (0.134, 0.004, 0.0, 1.0)] == ["13", "under 1", "0", "100"]
