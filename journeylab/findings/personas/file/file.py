"""How are personas written to a file, and read from it only if it is whole, unchanged and sound?

Layout: `format`, `version`, `sha256` and `content` (see `parts`). The SHA-256 is that of the content as canonical JSON:
keys sorted, no spaces, UTF-8, numbers as Python writes them, which is exact for floats. It tells that a file was
changed, not by whom: whoever can write the file can write another sum.
"""

import json
from collections.abc import Mapping
from dataclasses import fields as fields_of
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import ValidationError

from journeylab.base.errors import JourneyError, StudyError
from journeylab.base.files import SignedFormat
from journeylab.events.journey import read_journey
from journeylab.findings.personas.file.parts import FORMAT, VERSION, PersonaFile
from journeylab.findings.personas.file.tables import CUSTOMERS, plain_series, plain_table

Customers = Literal["kept", "left out"]
_AGAIN = "Write it again with personas.write(path)."
_FORMAT = SignedFormat(FORMAT, VERSION, "personas", "find the personas again", StudyError)


def write_fields(path: str | Path, fields: Mapping[str, Any], *, customers: Customers = "kept") -> Path:
    """Write the `fields` of Personas to `path` in one step; see `Personas.write`.

    Raises StudyError for another word for `customers`, and TypeError for a field of a kind that no file can hold.
    """
    if customers not in ("kept", "left out"):
        raise StudyError(f"`customers` is “{customers}”. Write “kept”, or “left out” for a file that names nobody.")
    content = _content(fields)
    if customers == "left out":
        _leave_out_customers(content)
    return _FORMAT.write(path, content)


def read_fields(path: str | Path) -> dict[str, Any]:
    """The fields that `write_fields` wrote to `path`.

    Raises StudyError where there is no such file, it is no JSON, holds something else, was written in another version
    of the format, was changed after it was written, or does not fit together.
    """
    path = Path(path)
    document = _document(path)
    try:
        content = PersonaFile.model_validate(document).content
        return {**content.read(), "journey": read_journey(content.journey)}
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(each) for each in first["loc"])
        raise _unsound(path, f"{place}: {first['msg'].removeprefix('Value error, ')}") from None
    except JourneyError as error:
        raise _unsound(path, f"content.journey: {error}") from None


def file_schema() -> dict[str, Any]:
    """JSON schema of `*.persona.json`; journeylab/findings/personas/persona.schema.json holds the same."""
    schema = PersonaFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "*.persona.json"}


def _document(path: Path) -> dict[str, Any]:
    """The file's JSON, once format, version and SHA-256 are checked."""
    document = _json(path)
    _FORMAT.check(document, path.name)
    return document


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except FileNotFoundError:
        raise StudyError(
            f"There is no file of personas “{path.name}” in “{path.parent.name or '.'}”. "
            "Write it with personas.write(path), or mend the path."
        ) from None
    except json.JSONDecodeError as error:
        raise _unsound(path, f"it is no JSON: {error.msg}, line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError:
        raise _unsound(path, "it is no text in UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise _unsound(path, f"it is no JSON: {error}") from None


def _refuse(constant: str) -> None:
    raise ValueError(f"“{constant}” is no number")


def _unsound(path: Path, why: str) -> StudyError:
    return StudyError(f"“{path.name}” holds no sound personas: {why}. {_AGAIN}")


def _content(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`fields` as plain values, by kind."""
    customers = fields["labels"].index
    content: dict[str, Any] = {"customers": customers.tolist(), "tables": {}, "series": {}, "values": {}}
    for name, value in fields.items():
        if name == "journey":
            content[name] = value.to_dict()
        elif name == "encoding":
            kept = None if value is None else [{"kind": type(each).__name__, **_plain(each)} for each in value.kept]
            content[name] = kept
        elif name in ("model", "plan"):
            content[name] = _plain(value)
        elif isinstance(value, pd.DataFrame):
            content["tables"][name] = plain_table(value, customers)
        elif isinstance(value, pd.Series):
            content["series"][name] = plain_series(value, customers)
        else:
            content["values"][name] = _plain(value)
    return content


def _plain(value: Any) -> Any:
    """`value` as JSON knows it; what it does not know, and no number is lost over, raises TypeError."""
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields_of(value)}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"“{value}” is of {type(value)}, which a file of personas does not know.")


def _leave_out_customers(content: dict[str, Any]) -> None:
    content["customers"] = []
    for table in content["tables"].values():
        if table["index"] == CUSTOMERS:
            for column in table["columns"]:
                column["cells"] = []
    for row in content["series"].values():
        if row["index"] == CUSTOMERS:
            row["column"]["cells"] = []
