import base64
import re

import numpy as np
import pandas as pd
import pytest

from journeylab.base import html


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (np.nan, "–"),
        (pd.NaT, "–"),
        (0.123456, "0.123"),
        (12345.6, "12,346"),
        (1234, "1,234"),
        (True, "True"),
        (pd.Timestamp("2026-01-02", tz="UTC"), "2026-01-02"),
        (pd.Timestamp("2026-01-02 03:04", tz="UTC"), "2026-01-02 03:04"),
        ("text", "text"),
    ],
)
def test_a_cell_is_short_and_readable(value, text):
    assert html.cell(value) == text


def test_text_that_looks_like_html_stays_text():
    shown = html.card("<script>", html.paragraph("a < b"), html.table(pd.DataFrame({"<i>": ["<b>&"]}), caption="<u>"))
    assert re.findall(r"<(?:script|i|b|u)>", shown) == []
    assert "&lt;b&gt;&amp;" in shown


def test_numbers_stand_right():
    shown = html.table(pd.DataFrame({"n": [1], "name": ["x"]}), csv=False)
    assert '<th class="number">n</th><th>name</th>' in shown
    assert '<td class="number">1</td><td>x</td>' in shown


def test_a_table_without_rows_says_so():
    assert '<tbody><tr><td colspan="2">no rows</td></tr></tbody>' in html.table(pd.DataFrame({"a": [], "b": []}))


def test_the_data_link_carries_unrounded_rows_and_no_formula():
    shown = html.table(pd.DataFrame({"share": [0.123456789], "name": ["=1+1"]}))
    data = re.search(r"base64,([^\"]+)", shown)[1]
    assert base64.b64decode(data).decode() == "share,name\n0.123456789,'=1+1\n"


def test_headings_are_no_formulas_either():
    data = re.search(r"base64,([^\"]+)", html.table(pd.DataFrame({"=1+1": [1]})))[1]
    assert base64.b64decode(data).decode() == "'=1+1\n1\n"


def test_what_turns_the_direction_is_shown_by_its_number_and_what_marks_it_stays():
    assert html.paragraph("a\u202eb\u2066c\u200fd") == "<p>a[U+202E]b[U+2066]c\u200fd</p>"


def test_less_than_a_day_is_written_in_its_own_unit():
    rows = pd.DataFrame({"stage": ["a", "b"], "median_days": [0.00051, 32.87], "estimate": [0.25, 2.0]})
    shown = html.table(rows)
    assert "44.1 seconds" in shown
    assert "32.9" in shown
    assert "0.25" in shown
    assert "6 hours" in html.table(rows, days=("estimate",))
