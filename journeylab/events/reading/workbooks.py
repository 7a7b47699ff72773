"""What does a sheet of an Excel workbook hold? Its cells with the types that they have there."""

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import pandas as pd

from journeylab.base.errors import LogError, did_you_mean
from journeylab.base.words import listed
from journeylab.events.reading.format import TableFormat


def read_workbooks(paths: Iterable[Path], how: TableFormat) -> pd.DataFrame:
    """The rows of a sheet of each workbook, one after the other, as Python values.

    Raises LogError where openpyxl is not installed, for a file that is no workbook, for a sheet that is not there, and
    where several sheets hold rows and none is named.
    """
    return pd.concat([_read(path, how) for path in paths], ignore_index=True)


def _read(path: Path, how: TableFormat) -> pd.DataFrame:
    try:
        openpyxl = import_module("openpyxl")  # an extra, and slow to load
    except ImportError as problem:
        raise LogError(
            f"“{path}” is an Excel workbook, and reading those needs openpyxl. Install it with "
            "“pip install journeylab[excel]”, or save the sheet as CSV."
        ) from problem
    try:
        workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, KeyError, OSError, ValueError) as problem:
        raise LogError(f"“{path}” is no Excel workbook that can be opened: {problem}. Save it again.") from problem
    try:
        sheets = {sheet.title: _cells(sheet, how.skip_rows) for sheet in workbook.worksheets
                  if how.sheet in (None, sheet.title)}  # fmt: skip
        names = workbook.sheetnames
    finally:
        workbook.close()
    if how.sheet is not None and not sheets:
        raise LogError(f"“{path}” has no sheet “{how.sheet}”. {did_you_mean(how.sheet, names)}")
    filled = {name: rows for name, rows in sheets.items() if rows}
    if len(filled) > 1:
        raise LogError(
            f"“{path}” has {len(filled)} sheets with rows: {listed([f'“{name}”' for name in filled])}. "
            f'Name one: sheet="{next(iter(filled))}".'
        )
    if not filled:
        raise LogError(f"“{path}” is empty: it has no rows. Check how it was made.")
    return _framed(path, next(iter(filled.values())))


def _cells(sheet: Any, skip: int) -> list[tuple]:
    """The rows that hold anything, all of one length."""
    # Some programs write a wrong size of the sheet into the file.
    sheet.reset_dimensions()
    rows = [row for row in sheet.iter_rows(min_row=skip + 1, values_only=True) if any(map(_is_filled, row))]
    width = max((at for row in rows for at, cell in enumerate(row, 1) if _is_filled(cell)), default=0)
    return [(*row[:width], *[None] * (width - len(row))) for row in rows]


def _framed(path: Path, rows: list[tuple]) -> pd.DataFrame:
    names = [str(name).strip() if _is_filled(name) else f"column {at}" for at, name in enumerate(rows[0], 1)]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise LogError(f"“{path}” has two columns of the same name, “{repeated[0]}”. Rename one.")
    return pd.DataFrame(rows[1:], columns=names, dtype=object)


def _is_filled(cell: Any) -> bool:
    return cell is not None and cell != ""
