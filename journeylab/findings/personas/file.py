"""How are personas written to a file, and read from it only if it is whole and unchanged? One JSON file, no code in it.

Layout: `format`, `version`, `sha256` and `content` (see `stored`). The SHA-256 is that of the content as canonical
JSON: keys sorted, no spaces, UTF-8, numbers as Python writes them, which is exact for floats. It shows that a file was
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
from journeylab.events.features import FeaturePlan, Habits, Vocabulary
from journeylab.findings.personas.assign import Definition
from journeylab.findings.personas.stored import CUSTOMERS, DTYPES, FORMAT, VERSION, PersonaFile

Customers = Literal["kept", "left out"]
_FORMAT = SignedFormat(FORMAT, VERSION, "personas", "find the personas again", StudyError)


def write_fields(path: str | Path, fields: Mapping[str, Any], *, customers: Customers = "kept") -> Path:
    """Write the `fields` of Personas to `path` in one step; see `Personas.write`.

    Raises StudyError for another word for `customers`, and TypeError for a value of a kind that no file can hold.
    """
    if customers not in ("kept", "left out"):
        raise StudyError(f"`customers` is “{customers}”. Write “kept”, or “left out” for a file that names nobody.")
    content = _content(fields)
    if customers == "left out":
        _leave_out_customers(content)
    return _FORMAT.write(path, content)


def read_fields(path: str | Path) -> dict[str, Any]:
    """The fields that `write_fields` wrote to `path`; raises StudyError as `read_personas` does."""
    path = Path(path)
    document = _json(path)
    _FORMAT.check(document, path.name)
    try:
        # As JSON, where a list may stand for a tuple, and still nothing else is converted.
        return PersonaFile.model_validate_json(json.dumps(document)).content.read()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _unreadable(path, f"{where}: {first['msg'].removeprefix('Value error, ')}") from None
    except JourneyError as error:
        raise _unreadable(path, f"content.journey: {error}") from None
    except (ValueError, OverflowError) as error:
        raise _unreadable(path, f"content: {error}") from None


def file_schema() -> dict[str, Any]:
    """JSON schema of `*.persona.json`; journeylab/findings/personas/persona.schema.json holds the same."""
    schema = PersonaFile.model_json_schema()
    for noun in (FeaturePlan, Habits, Vocabulary):  # their docstrings are no part of the format
        del schema["$defs"][noun.__name__]["description"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "*.persona.json"}


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except FileNotFoundError:
        raise StudyError(
            f"There is no file of personas “{path.name}” in “{path.parent.name or '.'}”. "
            "Write it with personas.write(path), or correct the path."
        ) from None
    except (ValueError, RecursionError) as error:  # not JSON, not UTF-8, or nested without end
        raise _unreadable(path, f"it is not JSON: {error}") from None


def _refuse(constant: str) -> None:
    raise ValueError(f"“{constant}” is not a number")


def _unreadable(path: Path, why: str) -> StudyError:
    return StudyError(f"“{path.name}” cannot be read as personas: {why}. Write it again with personas.write(path).")


def _content(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The `fields` of Personas as plain values, in the parts of the file; see `stored.Content`."""
    proof, journey, customers = fields["proof"], fields["journey"], fields["labels"].index
    flat = {**fields, **vars(fields["description"]), **vars(proof), "proof": proof.by_persona}
    tables = {name: value for name, value in flat.items() if isinstance(value, pd.DataFrame) and name != "by_persona"}
    tables["verdicts"] = proof.verdicts
    return {
        "customers": customers.tolist(),
        "values": {
            **{name: _plain_scalar(flat[name]) for name in ("title", "lacking", "within", "seed", "floor")},
            "stages": list(journey.stage_names),
        },
        "tables": {name: plain_table(table, customers) for name, table in tables.items()},
        "series": {name: plain_series(fields[name], customers) for name in ("labels", "known_at")},
        "journey": journey.to_dict(),
        **_plain_definition(fields["definition"]),
    }


def _plain_definition(definition: Definition | None) -> dict[str, Any]:
    if definition is None:
        return dict.fromkeys(("model", "encoding", "plan"))
    kept = [{"kind": type(variable).__name__, **_plain(variable)} for variable in definition.encoding.kept]
    return {"model": _plain(definition.model), "encoding": kept, "plan": _plain(definition.plan)}


def _plain(value: Any) -> Any:
    """A dataclass, and what it holds, as JSON knows it."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields_of(value)}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return _plain_scalar(value)


def plain_table(table: pd.DataFrame, customers: pd.Index) -> dict[str, Any]:
    """`table` as `StoredTable` describes it. Raises TypeError for a column of a type that the file does not know."""
    columns = [_plain_column(table.iloc[:, position], str(name)) for position, name in enumerate(table.columns)]
    return {"index": _plain_index(table.index, customers), "columns": columns}


def plain_series(series: pd.Series, customers: pd.Index) -> dict[str, Any]:
    """`series` as `StoredSeries` describes it."""
    return {"index": _plain_index(series.index, customers), "column": _plain_column(series, series.name)}


def _plain_scalar(value: Any) -> Any:
    """A number, text or nothing as JSON knows it; raises TypeError for anything else."""
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"“{value}” is of {type(value)}, which a file of personas does not know.")


def _plain_column(column: pd.Series, name: str | None) -> dict[str, Any]:
    cells = column
    if str(column.dtype) not in DTYPES:
        raise TypeError(f"The column “{name}” holds {column.dtype}, which a file of personas does not know.")
    if column.dtype.kind == "M":
        cells = column.dt.tz_localize(None).to_numpy().astype(np.int64)
    elif column.dtype.kind == "f":
        cells = column.astype(object).where(np.isfinite(column), column.astype(str))
    values = [None if missing else _plain_scalar(cell) for cell, missing in zip(cells, column.isna(), strict=True)]
    return {"name": name, "dtype": str(column.dtype), "cells": values}


def _plain_index(index: pd.Index, customers: pd.Index) -> str | dict[str, Any] | None:
    if index.name == customers.name and index.equals(customers):
        return CUSTOMERS
    if isinstance(index, pd.RangeIndex) or (not len(index) and index.name is None):
        return None
    return _plain_column(index.to_series(), index.name)


def _leave_out_customers(content: dict[str, Any]) -> None:
    content["customers"] = []
    for part in (*content["tables"].values(), *content["series"].values()):
        if part["index"] == CUSTOMERS:
            for column in part["columns"] if "columns" in part else [part["column"]]:
                column["cells"] = []
