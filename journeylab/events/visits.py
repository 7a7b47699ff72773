"""Visits: which spells of one stage were watched while someone was inside, and can they be reckoned with?"""

import pandas as pd

from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.events.exits import ways_out
from journeylab.events.journey import Journey

_TIMES = ("entered", "left", "observed_from")


def visits_to(stage: str, visits: pd.DataFrame, journey: Journey) -> pd.DataFrame:
    """The rows of `visits` (columns of spells, others are kept) to `stage` that were watched, in their order.

    A visit that ended at the very moment when its watching began was never at risk, and is left out. There may be none.
    Raises EstimateError where the journey has no such stage or no way out of it, or where a time is missing or a visit
    ends, or is watched, before it begins.
    """
    if stage not in journey.stage_names:
        raise EstimateError(f"The journey has no stage “{stage}”. {did_you_mean(stage, journey.stage_names)}")
    rows = visits[visits["stage"] == stage]
    if not ways_out(journey, stage) and not rows["outcome"].ne("ongoing").any():
        raise EstimateError(f"By the journey's rules nobody leaves “{stage}”. Choose a stage that can be left.")
    _check_times(rows, stage)
    return rows[(rows["left"] > rows["observed_from"]) | (rows["observed_from"] == rows["entered"])]


def _check_times(rows: pd.DataFrame, stage: str) -> None:
    for column in _TIMES:
        missing = rows[column].isna()
        if missing.any():
            raise EstimateError(
                f"“{column}” is missing in {missing.sum():,} of {len(rows):,} visits to “{stage}”, first for customer "
                f"“{rows.loc[missing, 'customer_id'].iloc[0]}”. Find the spells again, or leave these rows out."
            )
    for column, does in (("left", "end"), ("observed_from", "are watched")):
        backwards = rows[column] < rows["entered"]
        if backwards.any():
            first = rows[backwards].iloc[0]
            raise EstimateError(
                f"{backwards.sum():,} of {len(rows):,} visits to “{stage}” {does} before they begin, first that of "
                f"customer “{first['customer_id']}”: entered {first['entered']:%Y-%m-%d %H:%M}, “{column}” "
                f"{first[column]:%Y-%m-%d %H:%M}. Find the spells again, or leave these rows out."
            )
