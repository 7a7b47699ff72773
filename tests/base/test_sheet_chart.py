"""The map as a figure: a sheet that grows rather than loses a line, and a curve with gaps."""

import numpy as np
import pandas as pd
import pytest

from journeylab.base.charts import sheet


def cells(n_lines: int) -> pd.DataFrame:
    rows = [("Actions", stage, f"line {line} $x_{line}$") for stage in ("Trial", "Paid") for line in range(n_lines)]
    return pd.DataFrame([*rows, ("Emotions", "Trial", "not measured")], columns=["lane", "stage", "text"])


def drawn(n_lines: int, **options):
    return sheet(cells(n_lines), header=["Goal: to plan"], title="Map", alt="A map.", **options)


def texts(chart) -> list[str]:
    return [each.get_text() for each in chart.axes.texts]


def test_every_line_is_there_as_it_was_written():
    told = texts(drawn(3))
    assert told.count("line 2 $x_2$") == 2
    assert {"Map", "Goal: to plan", "Trial", "Paid", "Actions", "not measured"} <= set(told)


@pytest.mark.slow
def test_a_sheet_that_would_be_too_full_has_a_smaller_font_and_then_grows():
    few, many, most = drawn(3), drawn(120), drawn(400)
    sizes = [chart.axes.texts[-1].get_fontsize() for chart in (few, many, most)]
    assert sizes[0] > sizes[1] > sizes[2]
    heights = [chart.axes.figure.get_size_inches()[1] for chart in (few, many, most)]
    assert heights[0] == heights[1] < heights[2]


def test_the_curve_breaks_where_nothing_is_known_and_says_high_and_low():
    curve = pd.DataFrame({"stage": ["Trial", "Paid"], "estimate": [0.5, np.nan], "lower": [0.2, np.nan],
                          "upper": [0.8, np.nan], "mark": ["high", ""]})  # fmt: skip
    chart = drawn(1, curve=curve, curve_lane="Emotions")
    assert "high" in texts(chart)
    line = chart.axes.lines[0].get_ydata()
    assert np.isnan(line).tolist() == [False, True]


def test_it_can_be_drawn_into_other_axes():
    first = drawn(1)
    assert drawn(2, ax=first.axes).axes is first.axes
