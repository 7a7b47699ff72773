"""Tables: which columns of which kinds must a table have before anyone computes with it?"""

from collections.abc import Iterable, Mapping

import pandas as pd

from journeylab.base.errors import JourneyLabError, did_you_mean

_KINDS = {
    "string": lambda column: (
        pd.api.types.is_string_dtype(column) or isinstance(column.dtype, pd.CategoricalDtype) or column.isna().all()
    ),
    "integer": pd.api.types.is_integer_dtype,
    "number": pd.api.types.is_numeric_dtype,
    "time": lambda column: isinstance(column.dtype, pd.DatetimeTZDtype) or column.isna().all(),
    "any": lambda column: True,  # noqa: ARG005
}


def check_columns(table: pd.DataFrame, contract: Mapping[str, str], *, name: str) -> None:
    """Raise JourneyLabError unless `table` has each column of `contract` with its kind.

    `contract` maps a column to `string`, `integer`, `number`, `time` (time-zone aware) or `any`; `name` is what the
    message calls the table.
    """
    for column, kind in contract.items():
        if column not in table.columns:
            raise JourneyLabError(f"{name} lacks the column “{column}”. {did_you_mean(column, table.columns)}")
        if not _KINDS[kind](table[column]):
            raise JourneyLabError(
                f"Column “{column}” in {name} holds {table[column].dtype}, not {kind}. "
                "Convert it before passing the table on."
            )


def table_of(rows: Iterable, columns: Mapping[str, type]) -> pd.DataFrame:
    """`rows` (mappings or tuples) as a table with these columns of these types, which an empty one has too."""
    return pd.DataFrame(list(rows), columns=list(columns)).astype(dict(columns))
