"""Written times: what was probably meant by a time that cannot be read, or by a number that was read as one?"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from journeylab.events.log import Window

_UNITS = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}
_DAY = 86_400.0
# Day 0 of a spreadsheet, 1899-12-30, in seconds since 1970.
_SPREADSHEET = -2_209_161_600.0
_SLACK = 366 * _DAY
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.]\d{1,2}(.*)")
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?!\d)(.*)")
_YEAR_LAST_IN_FULL = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
_MONTHS = {
    name: n
    for n, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
_NAMED_MONTH = re.compile(r"(?<![a-z])(" + "|".join(_MONTHS) + r")[a-z]*\.?[ ,\-/.]")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")
_FIND_OUT = "Find out when these events happened, or why nobody knows it."
_ONE_WAY = "Write all times of the column in one way, best as in 2025-06-15T14:03:00Z."
_ORDER = f"{_ONE_WAY} Or say which comes first: day_first: true for 31.01.2025, false for 01/31/2025."
_ZONE_LETTERS = re.compile(r"\d\s*([A-Z]{2,5})$")


def number_means(number: float, window: Window) -> str | None:
    """What `number` probably counts, because that puts it into the window or a year beside it; None for nothing known.

    >>> year = Window.from_times("2025-01-01", "2026-01-01")
    >>> number_means(1738357014138, year), number_means(20250131, year), number_means(45688, year)
    ('milliseconds since 1970', 'the date as yyyymmdd', 'days as a spreadsheet counts them')
    """
    low, high = window.start.timestamp() - _SLACK, window.end.timestamp() + _SLACK
    for unit, times in _UNITS.items():
        if low <= number / times <= high:
            return f"{unit} since 1970"
    if low <= number * _DAY + _SPREADSHEET <= high:
        return "days as a spreadsheet counts them"
    if low <= number * _DAY <= high:
        return "days since 1970"
    return "the date as yyyymmdd" if _as_date(f"{number:.0f}", low, high) else None


def _as_date(digits: str, low: float, high: float) -> bool:
    stamp = pd.to_datetime(digits[:8], format="%Y%m%d", errors="coerce") if len(digits) in (8, 12, 14) else pd.NaT
    return stamp is not pd.NaT and low <= stamp.timestamp() <= high


@dataclass(frozen=True)
class Unread:
    """Times that could not be read and are written alike.

    kind: how, in words. example: the first. n: how many. months: how many of each month up to the window's end, such as
    “2025-06”, as far as the texts name it. fix: how such times can be read.
    """

    kind: str
    example: str
    n: int
    months: Counter[str]
    fix: str


def kinds_of_unread(texts: Iterable[str], window: Window) -> list[Unread]:
    """How `texts`, times that cannot be read, are written: the most frequent kind first."""
    by_kind: dict[tuple[str, str], list[str]] = {}
    for text in texts:
        by_kind.setdefault(_kind(text.strip(), window), []).append(text)
    kinds = [Unread(kind, same[0], len(same), _months(same, window), fix) for (kind, fix), same in by_kind.items()]
    return sorted(kinds, key=lambda unread: (-unread.n, unread.kind))


def _kind(text: str, window: Window) -> tuple[str, str]:
    if not text:
        return "empty", _FIND_OUT
    if not any(sign.isdigit() for sign in text) or set(text) <= set("0-/.: T"):
        return "no date at all", _FIND_OUT
    if _NUMBER.fullmatch(text):
        meaning = number_means(float(text.replace(",", ".")), window)
        return (
            f"a number: {meaning}" if meaning else "a number",
            f"Write all times of the column in one unit; these are {meaning}." if meaning else _ONE_WAY,
        )
    letters = _ZONE_LETTERS.search(text)
    if letters and letters[1] not in ("AM", "PM"):
        return (
            f"a time with the zone letters {letters[1]}",
            "Such letters mean several zones. Write the distance from UTC, as in 2025-06-15T14:03+02:00.",
        )
    if _YEAR_LAST.match(text):
        hours = ", with AM or PM" if re.search(r"[ap]m$", text.lower()) else ""
        return f"day, month and year in another order{hours}", _ORDER if _YEAR_LAST_IN_FULL.match(text) else _ONE_WAY
    return ("a month’s name" if _NAMED_MONTH.search(text.lower()) else "another way of writing"), _ONE_WAY


def _months(texts: list[str], window: Window) -> Counter[str]:
    """The months that `texts` of one kind name; what could be two months, or is after the window, is left out."""
    parts = [match for text in texts if (match := _YEAR_LAST.match(text.strip()))]
    first, second = (max((int(match[at]) for match in parts), default=0) for at in (1, 2))
    # The larger number can only be the day. Where neither is above 12, points are written between day, month and year.
    month_at = 2 if first > 12 >= second or (second <= 12 and any("." in m[0][:3] for m in parts)) else 1
    is_clear = first > 12 >= second or second > 12 >= first or month_at == 2
    months: Counter[str] = Counter()
    for text in texts:
        year_month = _year_month(text.strip(), month_at if is_clear else None)
        if year_month and year_month[0] and 1 <= year_month[1] <= 12:
            months["{:04d}-{:02d}".format(*year_month)] += 1
    return Counter({month: n for month, n in months.items() if month <= window.end.isoformat()[:7]})


def _year_month(text: str, month_at: int | None) -> tuple[int, int] | None:
    if match := _YEAR_FIRST.match(text):
        return int(match[1]), int(match[2])
    if match := _YEAR_LAST.match(text):
        year = int(match[3]) + (2000 if len(match[3]) == 2 else 0)
        return (year, int(match[month_at])) if month_at else None
    if _NUMBER.fullmatch(text):
        return _of_number(text)
    name, year_found = _NAMED_MONTH.search(text.lower()), _YEAR.search(text)
    return (int(year_found[1]), _MONTHS[name[1]]) if name and year_found else None


def _of_number(text: str) -> tuple[int, int] | None:
    digits = text.lstrip("+-").partition(".")[0]
    if len(digits) in (10, 13, 16, 19):
        stamp = pd.Timestamp(int(digits[:10]), unit="s")
        return stamp.year, stamp.month
    return (int(digits[:4]), int(digits[4:6])) if len(digits) in (8, 12, 14) else None
