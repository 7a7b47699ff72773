"""Who are the customers, and what was known of each at the start? The customers' table, by the ids of the events."""

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from journeylab.base.errors import LogError, did_you_mean
from journeylab.base.words import counted
from journeylab.events.log import customer_ids

KEY = "customer_id"
Customers: TypeAlias = str | Path | pd.DataFrame | pa.Table | ibis.Table | Mapping[str, Any] | None


def read_customers(customers: Customers, events: ibis.Table) -> pd.DataFrame:
    """The attributes of customers, indexed by `customer_id` (text) in its order.

    `customers` is a CSV or Parquet path, a DataFrame (with the ids as index or as column `customer_id`), an Arrow or
    Ibis table, {"path": …, "key": …} where the column of ids has another name, or None: no attributes. With the further
    key "attributes", a list of columns, only these are taken: those that were known at the start. Customers of the log
    that the table lacks are added without attributes. Raises LogError when there is no such column, when an id is
    missing or there twice, and when the table knows none of the log's customers.
    """
    in_log = customer_ids(events)
    if customers is None:
        return pd.DataFrame(index=in_log)
    table, key, wanted = _opened(customers)
    attributes = _taken(_indexed(table, key), wanted)
    if attributes.index.intersection(in_log).empty:
        raise LogError(
            f"None of the log’s customers ({len(in_log):,}) is in the customers’ table: the log has "
            f"“{in_log[0]}”, the table “{attributes.index[0]}”. "
            "Name the column that holds the log’s ids as key."
        )
    everyone = attributes.index.union(in_log).sort_values().rename(KEY)
    return attributes.sort_index() if len(everyone) == len(attributes) else attributes.reindex(everyone)


def _opened(customers: Customers) -> tuple[pd.DataFrame, str, list[str] | None]:
    """The table, its column of ids, and the columns to take from it (None: all)."""
    key, wanted = KEY, None
    if isinstance(customers, Mapping):
        unknown = [name for name in customers if name not in ("path", "key", "attributes")]
        if unknown or "path" not in customers:
            raise LogError(
                f"`customers` has the keys {', '.join(str(name) for name in customers)}. "
                'Write {"path": "…", "key": "…"}, or leave the key out where it is “customer_id”.'
            )
        key, wanted, customers = customers.get("key", KEY), customers.get("attributes"), customers["path"]
    if isinstance(customers, str | Path):
        return _from_file(Path(customers).expanduser(), key), key, wanted
    if isinstance(customers, pd.DataFrame):
        is_index = key not in customers.columns and not isinstance(customers.index, pd.RangeIndex)
        return (customers.rename_axis(key).reset_index() if is_index else customers), key, wanted
    if isinstance(customers, pa.Table | ibis.Table):
        return customers.to_pandas(), key, wanted
    raise LogError(
        f"Customers cannot be read from {type(customers).__name__}. "
        'Pass a path, a DataFrame, an Arrow or Ibis table, or {"path": "…", "key": "…"}.'
    )


def _from_file(path: Path, key: str) -> pd.DataFrame:
    if not path.is_file():
        raise LogError(f"There is no file “{path}” with customers. Check the path.")
    try:
        if path.suffix == ".parquet":
            return pyarrow.parquet.read_table(path).to_pandas()
        if path.name.endswith((".csv", ".csv.gz")):
            # An id stays as it is written, and "NA" is a country, not a missing value.
            return pd.read_csv(path, dtype={key: str}, keep_default_na=False, na_values=[""])
    except UnicodeDecodeError:
        raise LogError(f"“{path}” with customers is not UTF-8 text. Save it with the encoding UTF-8.") from None
    except (ValueError, OSError, EOFError, zlib.error, pa.ArrowException) as problem:
        reason = " ".join(str(problem).split()).rstrip(".")[:200]
        raise LogError(f"“{path}” with customers cannot be read: {reason}. Fix it, or leave it out.") from None
    raise LogError(f"“{path}” with customers is not .csv, .csv.gz or .parquet. Convert it to one of these.")


def _indexed(table: pd.DataFrame, key: str) -> pd.DataFrame:
    if key not in table.columns:
        raise LogError(
            f"The customers’ table has no column “{key}”. {did_you_mean(key, table.columns)} "
            'Name it: customers={"path": "…", "key": "…"}.'
        )
    if not len(table):
        raise LogError("The customers’ table is empty: it has no rows. Leave it out, or check how it was made.")
    ids = table[key].map(_text, na_action="ignore")
    n_missing = int((ids.isna() | (ids.str.strip() == "")).sum())
    if n_missing:
        raise LogError(
            f"Column “{key}” of the customers’ table is empty in {counted(n_missing, 'row')}. "
            "Fill it in, or remove the rows without an id."
        )
    repeated = ids[ids.duplicated()]
    if len(repeated):
        raise LogError(
            f"The customers’ table has {counted(repeated.nunique(), 'customer')} in more than one row, for example "
            f"“{repeated.iloc[0]}”. Keep one row of each customer, as known at the start."
        )
    return table.drop(columns=key).set_index(pd.Index(ids.to_numpy(), name=KEY))


def _taken(attributes: pd.DataFrame, wanted: Iterable[str] | None) -> pd.DataFrame:
    if wanted is None:
        return attributes
    for name in wanted:
        if name not in attributes.columns:
            raise LogError(
                f"The customers’ table has no attribute “{name}”. {did_you_mean(name, attributes.columns)} "
                "Correct the list of attributes."
            )
    return attributes[list(wanted)]


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
