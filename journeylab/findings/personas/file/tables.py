"""How does a table become plain values that JSON holds exactly, and the same table again?"""

import re
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

CUSTOMERS = "customers"
Scalar = str | int | float | bool | None
_TIME = re.compile(r"datetime64\[(s|ms|us|ns), UTC\]")
_INFINITE = {"inf": np.inf, "-inf": -np.inf}


class StoredPart(BaseModel):
    """What the parts of the file share: no further keys, no conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Column(StoredPart):
    """A column: text, whole numbers, numbers (null where missing, “inf” and “-inf”), true and false, or times (whole
    units since 1970 UTC, null where missing)."""

    name: str | None
    dtype: str = Field(description="As pandas calls it: object, str, bool, int64, float64, datetime64[us, UTC] ...")
    cells: list[Scalar]

    @model_validator(mode="after")
    def _fitting(self) -> "Column":
        kind = kind_of(self.dtype)
        if kind is None:
            raise ValueError(f"column “{self.name}” is of the unknown type “{self.dtype}”")
        fits = _FITS[kind]
        wrong = next((value for value in self.cells if not fits(value)), None)
        if wrong is not None or not (kind in _MAY_MISS or None not in self.cells):
            shown = "null" if wrong is None else f"“{wrong}”"
            raise ValueError(f"column “{self.name}” of {self.dtype} holds {shown}")
        return self

    def read(self) -> pd.Series:
        """The column as a Series with its type."""
        kind = kind_of(self.dtype)
        if kind == "time":
            unit = _TIME.fullmatch(self.dtype)[1]
            ticks = np.array([np.iinfo(np.int64).min if each is None else each for each in self.cells], dtype=np.int64)
            return pd.Series(ticks.view(f"datetime64[{unit}]"), name=self.name).dt.tz_localize("UTC")
        if kind == "number":
            values = [np.nan if each is None else _INFINITE.get(each, each) for each in self.cells]
            return pd.Series(np.array(values, dtype=self.dtype), name=self.name)
        return pd.Series(self.cells, dtype=self.dtype, name=self.name)


class StoredTable(StoredPart):
    """A table: its columns, and its index: the file's customers, a column, or null where rows are numbered."""

    index: Literal["customers"] | Column | None
    columns: list[Column]

    def read(self, customers: pd.Index) -> pd.DataFrame:
        """The table; `customers` are the file's."""
        found = {column.name: column.read() for column in self.columns}
        index = _index(self.index, customers)
        if not found:
            return pd.DataFrame(index=index if index is not None else pd.RangeIndex(0))
        table = pd.DataFrame(found)
        return table if index is None else table.set_axis(index, axis=0)


class Row(StoredPart):
    """A Series: its values, and its index, as for a table."""

    index: Literal["customers"] | Column | None
    column: Column

    def read(self, customers: pd.Index) -> pd.Series:
        """The Series; `customers` are the file's."""
        index = _index(self.index, customers)
        return self.column.read() if index is None else self.column.read().set_axis(index)


def plain_table(table: pd.DataFrame, customers: pd.Index) -> dict[str, Any]:
    """`table` as `Table` describes. Raises TypeError for a column of a type that the file does not know."""
    return {
        "index": _plain_index(table.index, customers),
        "columns": [_plain(table.iloc[:, place], str(name)) for place, name in enumerate(table.columns)],
    }


def plain_series(series: pd.Series, customers: pd.Index) -> dict[str, Any]:
    """`series` as `Row` describes."""
    return {"index": _plain_index(series.index, customers), "column": _plain(series, series.name)}


def kind_of(dtype: str) -> str | None:
    """text, whole, number, truth or time; None for a type that the file does not know."""
    if _TIME.fullmatch(dtype):
        return "time"
    kinds = {"object": "text", "str": "text", "bool": "truth"}
    kinds |= {f"{sign}int{bits}": "whole" for sign in ("", "u") for bits in (8, 16, 32, 64)}
    kinds |= {f"float{bits}": "number" for bits in (32, 64)}
    return kinds.get(dtype)


def _is_whole(value: Scalar) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Scalar) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool)) or value in _INFINITE


_FITS: dict[str, Callable[[Scalar], bool]] = {
    "text": lambda value: True,  # noqa: ARG005
    "whole": _is_whole,
    "number": _is_number,
    "truth": lambda value: isinstance(value, bool),
    "time": lambda value: value is None or _is_whole(value),
}
_MAY_MISS = ("text", "number", "time")


def _plain(column: pd.Series, name: str | None) -> dict[str, Any]:
    dtype = str(column.dtype)
    kind = kind_of(dtype)
    if kind == "time":
        ticks = column.dt.tz_localize(None).to_numpy().astype(np.int64)
        values = [None if missing else tick for tick, missing in zip(ticks.tolist(), column.isna(), strict=True)]
    elif kind == "number":
        values = column.tolist()
        if not np.isfinite(column.to_numpy()).all():
            values = [each if np.isfinite(each) else None if np.isnan(each) else str(each) for each in values]
    elif kind == "text":
        values = [None if missing else _plain_scalar(each) for each, missing in zip(column, column.isna(), strict=True)]
    elif kind:
        values = column.tolist()
    else:
        raise TypeError(f"The column “{name}” holds {dtype}, which a file of personas does not know.")
    return {"name": name, "dtype": dtype, "cells": values}


def _plain_scalar(value: object) -> Scalar:
    found = value.item() if isinstance(value, np.generic) else value
    if not isinstance(found, str | int | float | bool):
        raise TypeError(f"“{value}” is of {type(value)}, which a file of personas does not know.")
    return found


def _plain_index(index: pd.Index, customers: pd.Index) -> str | dict[str, Any] | None:
    if index.name == customers.name and index.equals(customers):
        return CUSTOMERS
    if isinstance(index, pd.RangeIndex) or (not len(index) and index.name is None):
        return None
    return _plain(index.to_series(), index.name)


def _index(index: str | Column | None, customers: pd.Index) -> pd.Index | None:
    if isinstance(index, Column):
        return pd.Index(index.read(), name=index.name)
    return customers if index == CUSTOMERS else None
