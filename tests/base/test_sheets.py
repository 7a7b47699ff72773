"""Sheets: no cell of a table does anything in a spreadsheet."""

import csv
import io

import pandas as pd
import pytest

from journeylab.base.sheets import harmless, to_csv, write_csv


@pytest.mark.parametrize("text", ["=1+1", "+49", "-12", "@name", "\tx", "\rx", "\nx", "＝1", "－1"])
def test_a_text_that_begins_like_a_formula_is_made_text(text):
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("value", ["a=b", "", "1-2", -12, -0.5, None, True])
def test_everything_else_stays_as_it_is(value):
    assert harmless(value) is value


def test_cells_and_headings_are_written_harmless_and_read_back_whole(tmp_path):
    rows = pd.DataFrame(
        {
            "=who": ["@a", 'b "c", d\n', "Ü 😀"],
            "when": pd.to_datetime(["2025-01-01"] * 3, utc=True),
            "days": [-1.5, 2, 3],
        }
    )
    path = write_csv(rows, tmp_path / "new" / "rows.csv")
    assert path.read_text(encoding="utf-8") == to_csv(rows)
    assert list(csv.reader(io.StringIO(to_csv(rows)))) == [
        ["'=who", "when", "days"],
        ["'@a", "2025-01-01T00:00:00+0000", "-1.5"],
        ['b "c", d\n', "2025-01-01T00:00:00+0000", "2.0"],
        ["Ü 😀", "2025-01-01T00:00:00+0000", "3.0"],
    ]
    assert [each.name for each in path.parent.iterdir()] == ["rows.csv"]
