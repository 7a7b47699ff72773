"""Values: what is each visit worth, by what the caller says was known when it began?"""

import numpy as np
import pandas as pd

from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.events.features.attributes import tells_only_the_future
from journeylab.events.log import KNOWN_AT
from journeylab.events.spells import Spells
from journeylab.findings.grouping import known_at_column

_VISIT = ["customer_id", "spell"]


def name_of(value: pd.Series | str) -> str:
    """What the values are called."""
    return value if isinstance(value, str) else str(value.name or "value")


def with_values(visits: pd.DataFrame, value: pd.Series | str, spells: Spells) -> pd.DataFrame:
    """`visits` with a column `value`, missing where it is not known; see `estimate_dropoff`.

    A column of the customers' table with a time when it became known (NAME_known_at or known_at) is the value of visits
    that began at that time or after, and of no earlier ones.
    """
    name = name_of(value)
    series, known_at = _attribute(value, spells.customers) if isinstance(value, str) else (value, None)
    _check(name, series, visits)
    if isinstance(series.index, pd.MultiIndex):
        by_visit = series.rename("value").rename_axis(_VISIT).reset_index()
        worth = visits[_VISIT].merge(by_visit, on=_VISIT, how="left", validate="many_to_one")["value"]
    else:
        worth = visits["customer_id"].map(series)
    worth = worth.to_numpy(dtype=float)
    if known_at is not None:
        known = pd.to_datetime(visits["customer_id"].map(known_at), utc=True)
        worth = np.where((visits["entered"] >= known).to_numpy(), worth, np.nan)
    return visits.assign(value=worth)


def _attribute(name: str, customers: pd.DataFrame) -> tuple[pd.Series, pd.Series | None]:
    if name not in customers.columns:
        known = [column for column in customers.columns if pd.api.types.is_numeric_dtype(customers[column])]
        raise EstimateError(f"The customers have no attribute “{name}” to value them by. {did_you_mean(name, known)}")
    times = known_at_column(name, customers)
    if times is not None:
        return customers[name], customers[times]
    if tells_only_the_future(name):
        raise EstimateError(
            f"The customers’ attribute “{name}” is named for something that only the future tells: those who stayed "
            f"longer would be worth more. Say in a column “{name}_{KNOWN_AT}” when each value became known, rename it "
            "for what it holds, or give what they were worth on entering: score_value(log, spells)."
        )
    return customers[name], None


def _check(name: str, values: pd.Series, visits: pd.DataFrame) -> None:
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        raise EstimateError(
            f"The values “{name}” are {values.dtype}, not numbers. Give what each customer is worth, in one unit."
        )
    wrong = (values < 0) | np.isinf(values.astype(float))
    if wrong.any():
        raise EstimateError(
            f"{wrong.sum():,} of the values “{name}” are negative or infinite, first {values[wrong].iloc[0]:g} for "
            f"“{values.index[wrong][0]}”. Give 0 or more; leave out what is not known."
        )
    twice = values.index[values.index.duplicated()]
    if len(twice):
        raise EstimateError(f"“{twice[0]}” has more than one value of “{name}”. Give each one row.")
    if len(visits) and len(values) and not visits["customer_id"].isin(values.index.get_level_values(0)).any():
        raise EstimateError(
            f"None of the customers with a value of “{name}” has a spell. Index the values by customer_id, or by "
            "customer_id and spell."
        )
