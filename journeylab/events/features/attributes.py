"""Which attributes, and which features of the caller's own, were known at each customer's landmark?"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.events.features.protected import is_protected
from journeylab.events.log import KNOWN_AT

MARK = " (attribute)"
FEW_VALUES = 5
_MAX_LEVELS = 12
# What a customer's future decides, however early the column was filled.
_BANNED = re.compile(
    r"tenure|recency|churn|last_?(seen|active|login|event|order|visit)|days_since|lifetime|(^|_)ltv(_|$)|(^|_)(lost|loss|branch|outcome|stage)(_|$)"
    r"|to_date|total_?(events|orders|spend|spent|revenue|value|sessions|visits|logins)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Attributes:
    """Attributes of customers by kind; see `Features` for the fields."""

    numbers: pd.DataFrame
    categories: pd.DataFrame
    unused: pd.DataFrame

    @classmethod
    def of(cls, table: pd.DataFrame, customers: pd.Index) -> "Attributes":
        """The columns of `table` (index customer_id) for `customers`, in the order of the columns.

        Numbers with at most five different values, and booleans, are categories. Left out, with the reason: times, text
        that nearly every customer has to themselves, columns without a value, and columns named for what only the
        future tells.
        """
        rows = table.reindex(customers)
        numbers, categories, unused = {}, {}, []
        for name, column in rows.items():
            reason = _why_unused(str(name), column)
            if reason:
                unused.append({"column": str(name), "reason": reason})
            elif _is_numeric(column) and column.nunique() > FEW_VALUES:
                numbers[str(name)] = column.astype(float).replace([np.inf, -np.inf], np.nan)
            else:
                categories[str(name)] = as_text(column)
        return cls.of_columns(numbers, categories, unused, customers)

    @classmethod
    def of_columns(
        cls, numbers: dict[str, pd.Series], categories: dict[str, pd.Series], unused: list[dict], customers: pd.Index
    ) -> "Attributes":
        """These columns as tables, also where there is none."""
        return cls(
            pd.DataFrame(numbers, index=customers, dtype=float),
            pd.DataFrame(categories, index=customers, dtype=object),
            pd.DataFrame(unused, columns=["column", "reason"], dtype=object),
        )

    def leaving_out(self, names: Iterable[str], reason: str) -> "Attributes":
        """The same, with `names`, which are no column of these, among the unused for that reason."""
        rows = [{"column": str(name), "reason": reason} for name in names]
        left_out = pd.DataFrame(rows, columns=["column", "reason"], dtype=object)
        return replace(self, unused=pd.concat([self.unused, left_out], ignore_index=True))

    def joined(self, extra: pd.DataFrame) -> "Attributes":
        """These attributes and those in `extra` (index customer_id); `extra` takes the place of attributes of the same
        name."""
        other = Attributes.of(extra, self.numbers.index)
        columns = {
            kind: pd.concat(
                [getattr(self, kind).drop(columns=list(extra), errors="ignore"), getattr(other, kind)], axis=1
            )
            for kind in ("numbers", "categories")
        }
        return Attributes(**columns, unused=pd.concat([self.unused, other.unused], ignore_index=True))

    def renamed(self, *, taken: tuple[str, ...]) -> "Attributes":
        """The same, with “(attribute)” added to names that are `taken`."""
        names = {name: f"{name}{MARK}" for name in taken}
        return Attributes(self.numbers.rename(columns=names), self.categories.rename(columns=names), self.unused)


def check_makers(names: Iterable[str], table: pd.DataFrame, *, protected: Iterable[str]) -> None:
    """Raise EstimateError unless each of `names` is a column of `table` (index customer_id) that may make personas.

    Nothing protected may, nor what cannot serve as a feature.
    """
    for name in names:
        if name not in table.columns:
            raise EstimateError(
                f"Personas are to be made from the attribute “{name}”, which the customers do not have. "
                f"{did_you_mean(name, [str(column) for column in table.columns])}"
            )
        check_unprotected(name, protected)
        if why := _why_unused(name, table[name]):
            raise EstimateError(
                f"Personas are to be made from the attribute “{name}”, which cannot be a feature: {why}. "
                "Leave it out of `make_from_attributes`."
            )


def check_unprotected(name: str, protected: Iterable[str]) -> None:
    """Raise EstimateError for the name of an attribute that must never make a persona."""
    if is_protected(name, protected):
        raise EstimateError(
            f"Personas are to be made from “{name}”, which is protected: a protected attribute never makes a persona. "
            "Leave it out, or say in `protected` what is."
        )


def tells_only_the_future(name: str) -> bool:
    """Whether a column is named for what only a customer's future decides, however early it was filled.

    Such a column would give away who stays long or is lost.

    >>> tells_only_the_future("tenure_days"), tells_only_the_future("plan")
    (True, False)
    """
    return _BANNED.search(name) is not None


def as_text(column: pd.Series) -> pd.Series:
    """`column` as a category: text, None where missing."""
    # 1 and 1.0 are one level: a column of whole numbers becomes one of floats where customers without a row are added.
    written = column.map(lambda value: f"{value:g}") if _is_numeric(column) else column.astype(str)
    return written.astype(object).where(column.notna(), None)


def check_known_by_landmark(extra: pd.DataFrame, landmarks: pd.Series, *, within: str | timedelta) -> pd.DataFrame:
    """The features of `extra` for the customers of `landmarks` (index customer_id, UTC), without the times of knowing.

    Raises EstimateError unless every value given was known at or before its customer's landmark. Customers without a
    landmark are passed over.
    """
    table = extra.set_index("customer_id") if "customer_id" in extra.columns else extra
    if table.index.has_duplicates:
        twice = table.index[table.index.duplicated()][0]
        raise EstimateError(f"Customer “{twice}” has several rows in `features`. Give one row per customer.")
    table = table[table.index.isin(landmarks.index)]
    times = {name: _column_of_knowing(name, table) for name in table.columns if not str(name).endswith(KNOWN_AT)}
    for name, time in times.items():
        if tells_only_the_future(str(name)):
            raise EstimateError(
                f"The feature “{name}” is named for something that only the future tells. "
                "Personas are formed from what was known at the landmark: leave it out, or name it for what it holds."
            )
        _check_times(table, name, time, landmarks.reindex(table.index), within)
    return table[list(times)]


def _column_of_knowing(name: str, table: pd.DataFrame) -> str:
    for column in (f"{name}_{KNOWN_AT}", KNOWN_AT):
        if column in table.columns:
            if not isinstance(table[column].dtype, pd.DatetimeTZDtype):
                raise EstimateError(
                    f"The column “{column}” of `features` holds {table[column].dtype}, not times in a time zone. "
                    "Convert it with pandas.to_datetime(..., utc=True)."
                )
            return column
    raise EstimateError(
        f"When the feature “{name}” became known is not said. "
        f"Add the column “{KNOWN_AT}” or “{name}_{KNOWN_AT}” (UTC times)."
    )


def _check_times(table: pd.DataFrame, name: str, time: str, landmarks: pd.Series, within: str | timedelta) -> None:
    has_value = table[name].notna()
    undated = has_value & table[time].isna()
    if undated.any():
        raise EstimateError(
            f"When “{name}” became known is missing for {undated.sum():,} customers, first for "
            f"“{table.index[undated][0]}”. Fill “{time}”, or leave the value empty."
        )
    late = has_value & (table[time] > landmarks)
    if late.any():
        customer = table.index[late][0]
        raise EstimateError(
            f"The feature “{name}” has {late.sum():,} rows known later than {within} after entry: "
            f"for customer “{customer}” it became known {table.loc[customer, time]:%Y-%m-%d %H:%M}, "
            f"the landmark is {landmarks[customer]:%Y-%m-%d %H:%M}. "
            "Leave such values empty, or ask for a longer `within`."
        )


def _why_unused(name: str, column: pd.Series) -> str | None:
    if tells_only_the_future(name):
        return "named for something that only the future tells"
    if column.notna().sum() == 0:
        return "no value"
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        return "a time"
    if not pd.api.types.is_numeric_dtype(column):
        values = column.dropna().astype(str).value_counts()
        if values.iloc[:_MAX_LEVELS].sum() < values.sum() / 2:
            return "too many different values"
    return None


def _is_numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
