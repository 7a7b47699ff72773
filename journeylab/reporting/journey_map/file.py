"""File: how is a map written, and read back only if it is whole and unchanged?"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from journeylab.base.errors import ReportError
from journeylab.base.files import SignedFormat

FORMAT = SignedFormat("journeylab map", 2, "map", "build the map again", ReportError)


def plain(table: pd.DataFrame) -> dict[str, Any]:
    """`table` as plain values: columns and rows, missing cells as None.

    Numbers have nine digits: what processors round differently is no part of a map, or of its SHA-256.
    """
    rows = table.astype(object).where(table.notna(), None).to_numpy().tolist()
    return {"columns": list(table.columns), "rows": [[_rounded(value) for value in row] for row in rows]}


def to_table(written: dict[str, Any], columns: Mapping[str, type]) -> pd.DataFrame:
    """The table that `plain` made plain, with these columns of these types."""
    return pd.DataFrame(written["rows"], columns=written["columns"]).reindex(columns=list(columns)).astype(columns)


def read_content(path: str | Path) -> dict[str, Any]:
    """The content of the map in the file at `path`. Raises ReportError if there is none, or it was changed."""
    path = Path(path)
    if not path.is_file():
        raise ReportError(f"The map “{path}” is not there. Write one with map.write(path), or correct the path.")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        document = None
    FORMAT.check(document, path.name)
    return document["content"]


def _rounded(value: Any) -> Any:
    return float(f"{value:.9g}") if isinstance(value, float) else value
