"""File: how is a map written, and read back only if it is whole and unchanged?

JSON: `format`, `version`, `sha256` and `content`. The SHA-256 is that of the content as canonical JSON (keys sorted, no
spaces, UTF-8); it tells that a file was changed, not by whom.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

from journeylab.base.errors import ReportError
from journeylab.base.files import write_text

FORMAT, VERSION = "journeylab map", 1
_DIGITS = 12


def digest(content: Any) -> str:
    """The SHA-256 of `content`, plain values, in hexadecimal digits."""
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


def plain(table: pd.DataFrame) -> dict[str, Any]:
    """`table` as plain values: columns and rows, missing cells as None.

    Numbers have nine digits: what processors round differently is no part of a map, or of its SHA-256.
    """
    rows = table.astype(object).where(table.notna(), None).to_numpy().tolist()
    return {"columns": list(table.columns), "rows": [[_rounded(value) for value in row] for row in rows]}


def to_table(written: dict[str, Any], columns: dict[str, type]) -> pd.DataFrame:
    """The table that `plain` made plain, with these columns of these types."""
    return pd.DataFrame(written["rows"], columns=written["columns"]).reindex(columns=list(columns)).astype(columns)


def write_content(path: str | Path, content: dict[str, Any]) -> Path:
    """Write `content` to `path` in one step; a line for each of its parts, so that versions can be compared."""
    body = ",\n".join(f"{_canonical(key)}:{_canonical(content[key])}" for key in sorted(content))
    head = f'"format":{_canonical(FORMAT)},\n"version":{VERSION},\n"sha256":"{digest(content)}"'
    return write_text(path, f'{{{head},\n"content":{{\n{body}\n}}}}\n')


def read_content(path: str | Path) -> dict[str, Any]:
    """What `write_content` wrote to `path`. Raises ReportError where it is not there, is no map, is of another version
    or was changed."""
    path = Path(path)
    if not path.is_file():
        raise ReportError(f"The map “{path}” is not there. Write one with map.write(path), or mend the path.")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        document = None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ReportError(f"“{path.name}” holds no map: it does not say that its format is “{FORMAT}”. Mend the path.")
    if document.get("version") != VERSION:
        raise ReportError(
            f"“{path.name}” is written in version “{document.get('version')}” of its format, and this journeylab reads "
            f"version {VERSION}. Install the journeylab that wrote it, or build the map again."
        )
    written, found = str(document.get("sha256")), digest(document.get("content"))
    if written != found:
        raise ReportError(
            f"“{path.name}” was changed after it was written: the SHA-256 of its content is “{found[:_DIGITS]}…”, and "
            f"it says “{written[:_DIGITS]}…”. Take back the file as it was written, or build the map again."
        )
    return document["content"]


def _rounded(value: Any) -> Any:
    return float(f"{value:.9g}") if isinstance(value, float) else value


def _canonical(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
