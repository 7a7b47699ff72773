"""Durations such as "14d", always written with a unit so that none can be misread; times as numbers."""

import re
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base.errors import JourneyLabError

MICROSECONDS = {"s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000, "w": 604_800_000_000}
DAY = MICROSECONDS["d"]
# Times in microseconds that are later, and earlier, than all others.
NEVER, LONG_AGO = np.iinfo(np.int64).max, np.iinfo(np.int64).min
# Days that people count in, for a horizon to propose.
ROUND_DAYS = (1, 2, 3, 7, 14, 30, 60, 90, 120, 180, 270, 365, 540, 730, 1095, 1460, 1825, 2555, 3650)
# Longer than any record, and short enough to be added to any time.
MOST_DAYS = 100_000
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")


def microseconds(duration: str | timedelta) -> int:
    """`duration` in whole microseconds.

    `duration` is a number with a unit (`s` seconds, `m` minutes, `h` hours, `d` days of 24 hours, `w` weeks), as in
    "14d" or "1.5h", or a `timedelta`. Raises JourneyLabError for anything else, for zero and for less, and for more
    than 100,000 days.

    >>> microseconds("14d") // DAY
    14
    """
    if isinstance(duration, timedelta):
        amount = round(duration.total_seconds() * 1_000_000)
    else:
        written = _WRITTEN.fullmatch(duration.strip()) if isinstance(duration, str) else None
        amount = round(min(float(written[1]), 1e15) * MICROSECONDS[written[2]]) if written else 0
    if amount <= 0:
        raise JourneyLabError(
            f"“{duration}” is not a duration. Write a positive number and its unit, one of s, m, h, d, w: “30d”, “12h”."
        )
    if amount > MOST_DAYS * DAY:
        raise JourneyLabError(f"“{str(duration)[:40]}” is longer than {MOST_DAYS:,} days. Write a shorter duration.")
    return amount


def days(duration: str | timedelta) -> float:
    """`duration` in days of 24 hours; see `microseconds` for how durations are written.

    >>> days("12h")
    0.5
    """
    return microseconds(duration) / DAY


def round_up(day: float) -> int:
    """The first of `ROUND_DAYS` that is not below `day`; beyond them the next whole number of years of 365 days.

    >>> round_up(95), round_up(180)
    (120, 180)
    """
    return next((each for each in ROUND_DAYS if each >= day), 365 * int(np.ceil(day / 365)))


def since_1970(time: pd.Timestamp) -> int:
    """Whole microseconds from the start of 1970 (UTC) to `time`."""
    return (time - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(microseconds=1)


def all_since_1970(times: pd.Series) -> np.ndarray:
    """The same of each of `times`, int64 (times,); none of them may be missing."""
    return times.dt.as_unit("us").astype("int64").to_numpy()
