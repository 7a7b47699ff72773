"""Sheets: how is a table written so that a spreadsheet runs nothing in it?"""

from pathlib import Path

import pandas as pd

from journeylab.base.files import write_text

# A spreadsheet takes these (full-width forms too) for the beginning of a formula or of a new cell.
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(value: object) -> object:
    """`value`; a text that a spreadsheet would run begins with an apostrophe, which makes it text there.

    >>> harmless("=1+1"), harmless("-12"), harmless(-12)
    ("'=1+1", "'-12", -12)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_RISKY) else value


def to_csv(rows: pd.DataFrame) -> str:
    """`rows` as CSV with harmless cells and headings; the index is left out, times are ISO 8601."""
    named = rows.rename(columns=harmless)
    return named.map(harmless).to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%dT%H:%M:%S%z")


def write_csv(rows: pd.DataFrame, path: str | Path) -> Path:
    """Write `rows` as CSV to `path`, UTF-8, in one step; returns the path. See `to_csv`."""
    return write_text(path, to_csv(rows))
