"""The simulated calendar: when do accounts enter, and at which hours do they work?

All times inside the simulator are whole seconds since the window's start, a Monday at midnight UTC; negative ones are
history.
"""

import numpy as np
import pandas as pd

from journeylab.events.log import Window

WINDOW = Window(pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2026-01-01", tz="UTC"))
HOUR, DAY, WEEK = 3_600, 86_400, 604_800
END = int(WINDOW.days) * DAY
EXPORTED = END + 2 * DAY  # the log was exported two days late: rows after the window are in it
FAR = END + 1_096 * DAY  # spells are followed three years beyond the window
FIRST_ENTRY = -180 * DAY
FIRST_OFFICE_HOUR, LAST_OFFICE_HOUR = 8, 18

_MONTHS = np.array([1.05, 1.1, 1.1, 1.05, 1.0, 0.95, 0.7, 0.65, 1.1, 1.15, 1.05, 0.7])
_WEEKDAYS = np.array([1.2, 1.25, 1.2, 1.1, 0.95, 0.4, 0.4])


def season(times: np.ndarray) -> np.ndarray:
    """How busy the time of year is, 1 on average: a dip in summer and one at the year's end."""
    months = (WINDOW.start.tz_localize(None).to_datetime64() + (times // DAY).astype("timedelta64[D]")).astype(
        "datetime64[M]"
    )
    return _MONTHS[months.astype(np.int64) % 12]


def entry_times(rng: np.random.Generator, n: int) -> np.ndarray:
    """`n` days on which accounts enter, from half a year before the window to its end: seasonal, fewer on weekends,
    growing."""
    day = np.arange(FIRST_ENTRY // DAY, END // DAY)
    weight = season(day * DAY) * _WEEKDAYS[day % 7] * (1 + 0.3 * (day - day[0]) / len(day))
    return day[np.searchsorted(np.cumsum(weight) / weight.sum(), rng.random(n), side="right")] * DAY


def is_out_of_hours(times: np.ndarray) -> np.ndarray:
    """Whether each time is on a weekend or outside 8 to 18 o'clock."""
    hour = times // HOUR % 24
    return (times // DAY % 7 >= 5) | (hour < FIRST_OFFICE_HOUR) | (hour >= LAST_OFFICE_HOUR)


def at_working_time(rng: np.random.Generator, times: np.ndarray, out_of_hours: np.ndarray) -> np.ndarray:
    """`times` moved to hours at which people work: at most two days away.

    `out_of_hours` is each row's chance to work outside office hours: evenings, early mornings, and weekends. All others
    work on weekdays between 8 and 18 o'clock, mostly around noon.
    """
    n, day = len(times), times // DAY
    weekday = day % 7
    is_out = rng.random(n) < out_of_hours
    office = (FIRST_OFFICE_HOUR + 5 * (rng.random(n) + rng.random(n))) * HOUR
    spread = rng.random(n)
    away = np.where(rng.random(n) < 0.3, 5 + 3 * spread, LAST_OFFICE_HOUR + 6 * spread) * HOUR
    second = np.where(is_out, away, office).astype(np.int64)
    shift = np.where(is_out, 0, (weekday == 6).astype(np.int64) - (weekday == 5))
    return (day + shift) * DAY + second


def next_office_morning(times: np.ndarray) -> np.ndarray:
    """The first office hour after each time: the same day before 8 o'clock on weekdays, else the next weekday."""
    day = times // DAY
    day = np.where((day % 7 < 5) & (times // HOUR % 24 < FIRST_OFFICE_HOUR), day, day + 1)
    return (day + np.array([0, 0, 0, 0, 0, 2, 1])[day % 7]) * DAY + FIRST_OFFICE_HOUR * HOUR
