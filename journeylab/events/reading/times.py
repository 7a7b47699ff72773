"""When was it? Times written in any zone, or as numbers since 1970, become instants in UTC; others are refused."""

from dataclasses import dataclass

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
_NO_SECONDS = r"^([^T ]+[T ][0-9]+:[0-9]+)(Z|[-+ ].*)$"
# Beyond 2^53 microseconds (the year 2255) a float no longer holds every one; such a time is a mistaken unit.
_FURTHEST = 2**53
_SAY_ZONE = 'Name the zone of the clock that wrote them: timezone="Europe/Berlin", or timezone="UTC".'
_SAY_UNIT = 'Say what they count since 1970: time_unit="s" (seconds), "ms" (milliseconds) or "us" (microseconds).'


@ibis.udf.scalar.builtin(name="timezone", signature=((dt.string, dt.Timestamp(scale=6)), _INSTANT))
def _in_zone(zone, time):
    """The instant of a clock time in a zone."""


@ibis.udf.scalar.builtin(name="make_timestamptz", signature=((dt.int64,), _INSTANT))
def _instant(microseconds):
    """The instant some microseconds after 1970 began."""


@ibis.udf.scalar.builtin(name="isfinite", signature=((_INSTANT,), dt.boolean))
def _is_finite(time):
    """Whether a time is one that a clock can show, not the engine's “infinity”."""


@dataclass(frozen=True)
class Clock:
    """How the times of one source are to be read: its `name` for the column and its `label` for messages, the
    `timezone` of times without a zone, the `time_unit` of numbers, and `how` texts are written."""

    label: str
    name: str
    timezone: str | None
    time_unit: str | None
    how: EventFormat

    def read(self, column: ibis.Value, looks: dt.DataType) -> ibis.Value:
        """`column` as instants in UTC, null where it cannot be read. `looks` is the type that the values seem to have.

        Raises LogError when the type alone shows that the zone or the unit is missing, or that these are not times.
        """
        if self.how.time_format and not column.type().is_temporal():
            return self._from_text(self._iso(column))
        kind = looks if column.type().is_string() and looks.is_numeric() else column.type()
        if self.time_unit and not (kind.is_numeric() or kind.is_string()):
            raise self._error(
                f"{_kind_in_words(kind)}, not numbers, so time_unit=“{self.time_unit}” does not apply. Leave it out."
            )
        if kind.is_numeric() and not self.time_unit:
            raise self.number_without_unit(column.cast("string").min().to_pyarrow().as_py())
        if self.time_unit:
            return self._from_numbers(column, UNITS[self.time_unit])
        if kind.is_string():
            return self._from_text(self._iso(column))
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


def _kind_in_words(kind: dt.DataType) -> str:
    return "dates" if kind.is_date() else "times"
