"""Values: what was each customer worth when a visit began, by what the log had recorded until then?"""

from datetime import timedelta

import ibis
import numpy as np
import pandas as pd

from journeylab.base.durations import microseconds
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.events.log import EventLog
from journeylab.events.spells import Spells


def score_value(
    log: EventLog, spells: Spells, *, column: str = "value", within: str | timedelta | None = None
) -> pd.Series:
    """The sum of `column` over each customer's events up to entering each visit, the event that opened it included.

    Index (customer_id, spell), in the order of `spells`; 0 where nothing was recorded. With `within`, only events at
    most so long before entering count. History before the window counts as well. Nothing later than entering does: a
    sum up to the loss would grow with every day a customer stays, and so make long visits look precious.

    Raises EstimateError where the log has no such column, or one that holds no numbers.
    """
    events = log.events
    if column not in events.columns:
        raise EstimateError(f"The log has no column “{column}”. {did_you_mean(column, events.columns)}")
    kind = events[column].type()
    if not kind.is_numeric():
        raise EstimateError(
            f"The column “{column}” of the log holds {kind}, not numbers. Name the column that holds what was paid."
        )
    visits = spells.table.select(["customer_id", "spell", "entered"]).to_pandas()
    if within is not None:
        visits["since"] = visits["entered"] - pd.Timedelta(microseconds=microseconds(within))
    worth = events[column].cast("float64")
    paid = events.select("customer_id", "time", worth=worth).drop_null("worth")
    paid = paid.filter(~paid.worth.isnan())
    begun = ibis.memtable(visits)
    is_before = [begun.customer_id == paid.customer_id, paid.time <= begun.entered]
    pairs = begun.join(paid, is_before, rname="{name}_paid")
    if within is not None:
        pairs = pairs.filter(pairs.time >= pairs.since)
    # Sums of floats depend on the order of rows, which an engine does not promise: in whole millionths they do not.
    total = pairs.group_by("customer_id", "spell").aggregate(
        millionths=(pairs.worth * 1_000_000).round().cast("int64").sum()
    )
    found = total.to_pyarrow().to_pandas().set_index(["customer_id", "spell"])["millionths"]
    index = pd.MultiIndex.from_frame(visits[["customer_id", "spell"]])
    sums = found.reindex(index).fillna(0).to_numpy(dtype=np.float64) / 1_000_000
    return pd.Series(sums, index=index, name=column)
