"""The figure of a mood along the stages: dots with intervals, a broken line, grey gaps, marks."""

import numpy as np
import pandas as pd

from journeylab.base.charts import moods

TABLE = pd.DataFrame(
    {
        "stage": ["one", "two", "three", "four"],
        "mean": [1.0, np.nan, -1.0, 0.5],
        "low": [0.8, np.nan, -1.5, 0.1],
        "up": [1.3, np.nan, -0.5, 0.9],
        "mark": ["high", None, "low", None],
    }
)


def drawn(table=TABLE, **more):
    names = {"stage": "stage", "y": "mean", "lower": "low", "upper": "up", "y_label": "mood", "title": "Mood"}
    return moods(table, **names, ends=(-2, 2), alt="1 in one", **more)


def words(chart) -> list[str]:
    return [each.get_text() for each in chart.axes.texts]


def test_stages_come_in_their_order_on_the_whole_scale():
    axes = drawn().axes
    assert [each.get_text() for each in axes.get_xticklabels()] == ["one", "two", "three", "four"]
    assert axes.get_ylim() == (-2, 2)
    assert axes.get_title(loc="left") == "Mood"


def test_a_gap_breaks_the_line_and_says_so():
    chart = drawn()
    assert "not\nmeasured" in words(chart)
    line = next(each for each in chart.axes.lines if each.get_linestyle() == "-" and len(each.get_ydata()) == 4)
    assert np.isnan(line.get_ydata()[1])


def test_marks_are_written_where_there_are_some():
    assert {"high", "low"} <= set(words(drawn(mark="mark")))
    assert "high" not in words(drawn())


def test_groups_have_a_line_each_and_a_stage_is_a_gap_only_where_all_lack_it():
    other = TABLE.assign(mean=[0.0, 0.5, np.nan, np.nan], low=-0.1, up=0.6)
    both = pd.concat([TABLE.assign(plan="small"), other.assign(plan="large")])
    chart = drawn(both, by="plan")
    assert [each.get_text() for each in chart.axes.get_legend().get_texts()] == ["small", "large"]
    assert "not\nmeasured" not in words(chart)


def test_it_is_the_same_each_time_and_draws_into_given_axes():
    chart = drawn(mark="mark")
    assert chart.png() == drawn(mark="mark").png()
    assert drawn(ax=chart.axes).axes is chart.axes
