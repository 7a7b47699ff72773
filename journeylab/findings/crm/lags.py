"""Lags: how long after customers come to a stage does the CRM move them to its bucket?"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from journeylab.base.durations import DAY
from journeylab.base.suppression import MIN_SHOWN
from journeylab.events.log import Window
from journeylab.events.spells.exits import Exits
from journeylab.findings.exit_curves import ExitCurves
from journeylab.findings.rows import estimated

_SHARES = (0.25, 0.5, 0.75)
COLUMNS = "group stage bucket estimate lower upper first_quartile third_quartile median_moved n moved earlier not_yet"


def find_lags(visits: pd.DataFrame, records: pd.DataFrame, expected: Mapping[str, str], window: Window) -> pd.DataFrame:
    """A row for each customer's first visit to any stage of a bucket, if its beginning was watched: `customer_id`,
    `stage`, `bucket`, `days` from entering to the CRM's first move into that bucket, negative where the CRM was
    earlier, or to the window's end where it had not moved by then (`is_moved`)."""
    visits = visits[visits["stage"].isin(list(expected))].sort_values(["customer_id", "spell"], kind="stable")
    visits = visits.assign(bucket=visits["stage"].astype(object).map(dict(expected)).astype(object))
    first = visits[~visits.duplicated(["customer_id", "bucket"])]
    first = first[first["observed_from"] == first["entered"]]
    moves = records[records["time"] < window.end].drop_duplicates(["customer_id", "bucket"])
    joined = first[["customer_id", "stage", "bucket", "entered"]].merge(moves, how="left", on=["customer_id", "bucket"])
    days = (joined["time"].fillna(window.end) - joined["entered"]) / pd.Timedelta(microseconds=DAY)
    return joined[["customer_id", "stage", "bucket"]].assign(days=days, is_moved=joined["time"].notna())


def lag_rows(lags: pd.DataFrame, expected: Mapping[str, str], *, confidence: float) -> list[dict]:
    """A row for each stage: the median lag (`estimate`, limits) and quartiles in days, counting those whom the CRM has
    not moved yet as still waiting (Kaplan-Meier; missing where it is not reached, or of fewer than five customers)."""
    rows = []
    for stage, bucket in expected.items():
        part = lags[lags["stage"] == stage]
        moved = part.loc[part["is_moved"], "days"]
        rows.append(
            {
                "stage": stage,
                "bucket": bucket,
                "n": len(part),
                "moved": len(moved),
                "earlier": int((moved < 0).sum()),
                "not_yet": len(part) - len(moved),
                "median_moved": moved.median() if len(moved) >= MIN_SHOWN else np.nan,
                **(_quantiles(part, confidence) if len(part) >= MIN_SHOWN else {}),
            }
        )
    return rows


def _quantiles(part: pd.DataFrame, confidence: float) -> dict[str, float]:
    # Days are counted from the earliest lag on, for a curve begins at 0.
    start = part["days"].min()
    exits = Exits(
        stage="",
        group=None,
        ways=("moved",),
        entry=np.full(len(part), -1.0),
        exit=(part["days"] - start).to_numpy(),
        destination=np.where(part["is_moved"], 1, -1),
        customers=np.arange(len(part)),
        earliest={},
    )
    quartiles = np.array(ExitCurves.of(exits, confidence).days_until(_SHARES)) + start
    first, median, third = quartiles.T
    return {**estimated(median), "first_quartile": first[0], "third_quartile": third[0]}
