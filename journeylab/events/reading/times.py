"""When was it? Times written in any zone, or as numbers since 1970, become instants in UTC; others are refused.

A source that has only dates has no clock that could go forward or back: each of its dates becomes its midnight in UTC,
so that a week has seven days of 24 hours at any time of the year.
"""

from dataclasses import dataclass, replace

import ibis
import ibis.expr.datatypes as dt

from journeylab.base.errors import LogError
from journeylab.base.words import counted, listed
from journeylab.events.reading.columns import as_text, column_in_words
from journeylab.events.reading.format import EventFormat
from journeylab.events.reading.source import UNITS
from journeylab.events.reading.written_times import iso_texts, looks_like

_INSTANT = dt.Timestamp("UTC", 6)
# After the date, anything but digits, colon, point and space belongs to a zone: Z, an offset, a name.
_ZONED = r"^[^T ]+[T ].*[^0-9:. ]"
# What a text says before its zone.
_AS_WRITTEN = r"^([^T ]+(?:[T ][0-9:.]+)?)"
_NO_SECONDS = r"^([^T ]+[T ][0-9]+:[0-9]+)(Z|[-+ ].*)$"
# Beyond 2^53 microseconds (the year 2255) a float no longer holds every one; such a time is a mistaken unit.
_FURTHEST = 2**53
_FIRST_ROWS = 1000
_SAY_ZONE = 'Name the zone of the clock that wrote them: timezone="Europe/Berlin", or timezone="UTC".'
_SAY_UNIT = 'Say what they count since 1970: time_unit="s" (seconds), "ms" (milliseconds) or "us" (microseconds).'


@ibis.udf.scalar.builtin(name="timezone", signature=((dt.string, dt.Timestamp(scale=6)), _INSTANT))
def _in_zone(zone, time):
    """The instant of a clock time in a zone."""


@ibis.udf.scalar.builtin(name="timezone", signature=((dt.string, _INSTANT), dt.Timestamp(scale=6)))
def _shown_in(zone, instant):
    """What a clock in a zone shows at an instant."""


@ibis.udf.scalar.builtin(name="make_timestamptz", signature=((dt.int64,), _INSTANT))
def _instant(microseconds):
    """The instant some microseconds after 1970 began."""


@ibis.udf.scalar.builtin(name="isfinite", signature=((_INSTANT,), dt.boolean))
def _is_finite(time):
    """Whether a time is one that a clock can show, not the engine's “infinity”."""


@dataclass(frozen=True)
class Clock:
    """How the times of one source are to be read: its `name` for the column and its `label` for messages, the
    `timezone` of times without a zone, the `time_unit` of numbers, and `how` texts are written.

    dated: None where the source has times of day; where it has only dates, which of `days` reads them.
    """

    label: str
    name: str
    timezone: str | None
    time_unit: str | None
    how: EventFormat
    dated: int | None = None

    def with_dates(self, rows: ibis.Table, looks: dt.DataType) -> "Clock":
        """This clock, or if every time in `rows` is the start of a day, the one that reads them as dates."""
        column = rows[self.name]
        for number, days in enumerate(self.days(column, looks)):
            times = rows.select(time=self.read(column, looks), day=days)
            # Nearly always the first rows show that these are times of day.
            if _are_all_days(times.limit(_FIRST_ROWS), at_least=0) and _are_all_days(times, at_least=1):
                return replace(self, dated=number)
        return self

    def days(self, column: ibis.Value, looks: dt.DataType) -> list[ibis.Value]:
        """`column` as dates, in each way in which it may hold them: midnight in UTC, null where it is no start of a
        day. A text holds the date that it shows, whatever zone it names; an instant the date in the clock's zone."""
        kind = column.type()
        if (kind.is_timestamp() and not kind.timezone) or kind.is_date():
            return [_midnight(column.cast(dt.Timestamp(scale=6)))]
        instant = replace(self, dated=None).read(column, looks)
        ways = [_start_of_day(instant, self.timezone or "UTC")]
        if self._is_written(column) or (kind.is_string() and not self.time_unit):
            written = self._iso(column).re_extract(_AS_WRITTEN, 1)
            ways.insert(0, _midnight(written.try_cast(dt.Timestamp(scale=6))))
        return ways

    def read(self, column: ibis.Value, looks: dt.DataType) -> ibis.Value:
        """`column` as instants in UTC, null where it cannot be read; dates as their midnights in UTC where the source
        has nothing else. `looks` is the type that the values seem to have.

        Raises LogError when the type alone shows that the zone or the unit is missing, or that these are not times.
        """
        if self.dated is not None:
            return self.days(column, looks)[self.dated]
        if self._is_written(column):
            return self._from_text(self._iso(column))
        kind = looks if column.type().is_string() and looks.is_numeric() else column.type()
        if self.time_unit and not (kind.is_numeric() or kind.is_string()):
            raise self._error(
                f"{_kind_in_words(kind)}, not numbers, so time_unit=“{self.time_unit}” does not apply. Leave it out."
            )
        if kind.is_numeric() and not self.time_unit:
            raise self.number_without_unit(column.cast("string").min().to_pyarrow().as_py())
        if self.time_unit:
            return _within_calendar(self._from_numbers(column, UNITS[self.time_unit]))
        if kind.is_string():
            return _within_calendar(self._from_text(self._iso(column)))
        if kind.is_timestamp() and kind.timezone:
            return column
        if kind.is_timestamp() or kind.is_date():
            return self._from_naive(column)
        raise self._error(f"{kind}, not times. Map another column to “time”.")

    def naive(self, column: ibis.Value) -> ibis.Value:
        """Whether a text is a readable time that lacks a zone."""
        text = self._iso(column)
        return ~text.re_search(_ZONED) & text.try_cast(dt.Timestamp(scale=6)).notnull()

    def without_zone(self, example: str, rows: int) -> LogError:
        """The error for times that cannot be placed."""
        return self._error(f"{counted(rows, 'time')} without a zone, for example “{example}”. {_SAY_ZONE}")

    def unclear_zone(self, letters: list[str], example: str, rows: int) -> LogError:
        """The error for zone letters, which mean several zones."""
        said = ", ".join(f'"{one}": "+01:00"' for one in letters)
        return self._error(
            f"{counted(rows, 'time')} with the zone letters {listed(letters)}, for example “{example}”. Such letters "
            f"mean several zones. Say the offset of each, perhaps zones={{{said}}}."
        )

    def number_without_unit(self, example: str | None) -> LogError:
        """The error for numbers that could count anything."""
        return self._error(f"numbers{f', such as {example}' if example else ''}. {looks_like(example) or _SAY_UNIT}")

    def _is_written(self, column: ibis.Value) -> bool:
        """Whether `time_format` says how the times of `column` are written; 20250131 may be one, as text or number."""
        return bool(self.how.time_format) and not column.type().is_temporal()

    def _iso(self, column: ibis.Value) -> ibis.Value:
        return iso_texts(as_text(column, column.type()), self.how)

    def _error(self, problem: str) -> LogError:
        return LogError(f"{column_in_words(self.name, self.label)} holds {problem}")

    def _from_numbers(self, column: ibis.Value, unit: int) -> ibis.Value:
        number = column.strip() if column.type().is_string() else column
        microseconds = number.try_cast("float64") * unit
        return _instant(ibis.ifelse(microseconds.abs() < _FURTHEST, microseconds.round(), None).try_cast("int64"))

    def _from_text(self, text: ibis.Value) -> ibis.Value:
        # The engine wants seconds before a zone, where the standard does not.
        zoned = ibis.coalesce(text.try_cast(_INSTANT), text.re_replace(_NO_SECONDS, r"\1:00\2").try_cast(_INSTANT))
        naive = ibis.null(_INSTANT)
        if self.timezone:
            naive = _in_zone(self.timezone, text.try_cast(dt.Timestamp(scale=6)))
        instant = ibis.ifelse(text.re_search(_ZONED), zoned, naive)
        return ibis.ifelse(_is_finite(instant), instant, None)

    def _from_naive(self, column: ibis.Value) -> ibis.Value:
        if not self.timezone:
            raise self._error(f"{_kind_in_words(column.type())} without a zone. {_SAY_ZONE}")
        return _in_zone(self.timezone, column.cast(dt.Timestamp(scale=6)))


def _midnight(shown: ibis.Value) -> ibis.Value:
    """The date that a clock `shown` at midnight stands for, as its midnight in UTC; null at any other time."""
    return ibis.ifelse(shown == shown.truncate("D"), _in_zone("UTC", shown), None)


def _within_calendar(time: ibis.Value) -> ibis.Value:
    """`time` where its year has one to four digits and is not before Christ: Python knows no others."""
    return ibis.ifelse(time.year().between(1, 9999), time, None)


def _start_of_day(instant: ibis.Value, zone: str) -> ibis.Value:
    """The date that begins at `instant` in the `zone`, as its midnight in UTC; null where none begins then.

    Where clocks go forward at midnight, a day begins at one o'clock.
    """
    day, before = (_shown_in(zone, time).truncate("D") for time in (instant, instant - ibis.interval(microseconds=1)))
    return ibis.ifelse(day != before, _in_zone("UTC", day), None)


def _are_all_days(times: ibis.Table, *, at_least: int) -> bool:
    """Whether every readable time has a `day`, and there are so many."""
    counts = times.aggregate(times=times.time.count(), days=times.day.count()).to_pyarrow().to_pylist()[0]
    return counts["days"] == counts["times"] >= at_least


def _kind_in_words(kind: dt.DataType) -> str:
    return "dates" if kind.is_date() else "times"
