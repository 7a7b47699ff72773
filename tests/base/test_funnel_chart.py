"""The funnel's figure: a bar for each row, its interval where there is one, its text, and a second estimate beside."""

import numpy as np
import pandas as pd
import pytest

from journeylab.base import charts

COLUMNS = {"label": "step", "x": "share", "lower": "lower", "upper": "upper", "text": "text"}


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "step": ["1  Signed up", "2  Asked for a demonstration by telephone", "3  Bought"],
            "share": [1.0, 0.5, 0.2],
            "lower": [1.0, 0.4, 0.1],
            "upper": [1.0, 0.6, 0.3],
            "curve": [1.0, 0.45, np.nan],
            "text": ["100", "50%  50 of 100", "20%  20 of 100"],
        }
    )


def drawn(table: pd.DataFrame, **more) -> charts.Chart:
    return charts.funnel(table, **COLUMNS, x_label="reached", title="Funnel", alt="in words", **more)


def test_each_row_has_a_bar_a_text_and_an_interval_unless_it_is_certain(table):
    axes = drawn(table).axes
    assert [bar.get_width() for bar in axes.patches] == [1.0, 0.5, 0.2]
    assert [text.get_text() for text in axes.texts] == table["text"].tolist()
    assert [line.get_xdata().tolist() for line in axes.lines] == [[0.4, 0.6], [0.1, 0.3]]
    assert axes.get_xlim() == (0, 1)


def test_long_names_take_two_lines(table):
    names = [label.get_text() for label in drawn(table).axes.get_yticklabels()]
    assert names[1] == "2  Asked for a demonstration\nby telephone"


def test_a_second_estimate_stands_beside_where_it_is_known(table):
    axes = drawn(table, beside=("curve", "lower", "upper"), beside_label="with those in progress").axes
    diamonds = [line.get_xdata().tolist() for line in axes.lines if line.get_marker() == "D"]
    assert diamonds == [[0.45]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["with those in progress"]


def test_groups_stand_one_below_the_other_in_their_colours(table):
    both = pd.concat([table.assign(plan="small"), table.assign(plan="large")], ignore_index=True)
    axes = drawn(both, by="plan", faint=["3  Bought"]).axes
    assert len(axes.patches) == 6
    assert len({bar.get_facecolor()[:3] for bar in axes.patches}) == 2
    assert [bar.get_alpha() for bar in axes.patches[:3]] == [0.75, 0.75, 0.3]
    heights = [bar.get_y() for bar in axes.patches]
    assert all(small < large for small, large in zip(heights[:3], heights[3:], strict=True))


def test_the_figure_is_the_same_each_time_and_carries_its_words(table):
    assert drawn(table).png() == drawn(table).png()
    assert drawn(table).alt == "in words"
