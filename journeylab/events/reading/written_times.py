"""How are times written? Texts that mean one time become ISO 8601; those that could mean several become null."""

import re

import ibis
import ibis.expr.datatypes as dt

from journeylab.events.reading.format import EventFormat

_DAY, _CLOCK = r"[0-9]{1,2}", r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?"
_OFFSET = r"[+-](0?[0-9]|1[0-4])(:?[0-5][0-9]){0,2}"
_PLACE = r"[A-Z_]+(/[A-Z_]+)*/[A-Z_+-]+[0-9]*"
_ZONE = rf" *(Z|UTC|GMT|{_OFFSET}|{_PLACE})"
# A day, perhaps a time of day, perhaps a zone that means one thing. Not: “epoch”, CET, +99:00.
_CLEAR = rf"^[0-9]+[-/]{_DAY}[-/]{_DAY}([T ]+{_CLOCK}({_ZONE})?)?$"
_LETTERS = r"[0-9] *([A-Z]{2,5})$"
_PLAIN_LETTERS = ("AM", "PM", "UTC", "GMT")
_DAY_FIRST = rf"^({_DAY})[-./]({_DAY})[-./]([0-9]{{4}})(,? +|T|$)"
_HALF_DAY = r"^(.*:[0-9]{2}) *([AP])\.?M\.?$"
_HALF_DAY_FORMATS = ["%Y-%m-%d %I:%M:%S %p", "%Y-%m-%d %I:%M %p"]
_LAST_OFFSET = r" *([+-][0-9]{2}(:?[0-9]{2})?)$"
_ISO = "%Y-%m-%d %H:%M:%S.%f"
# What a number that stands for a time looks like, and what to say of it.
_NUMBERS = {
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])": 'days, as 2025-01-31: say time_format="%Y%m%d"',
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{6}": "times, as 2025-01-31 20:56:54: say "
    'time_format="%Y%m%d%H%M%S"',
    r"[3-6]\d{4}": "Excel’s days since 1900. Format the column as a date, and export it again",
    r"\d{9,10}": 'seconds since 1970: say time_unit="s"',
    r"\d{12,13}": 'milliseconds since 1970: say time_unit="ms"',
    r"\d{15,16}": 'microseconds since 1970: say time_unit="us"',
    r"\d{18,19}": 'nanoseconds since 1970. Divide them by 1,000, and say time_unit="us"',
}


def looks_like(example: str | None, unit: str | None = None) -> str | None:
    """What the numbers of which `example` is one look like, and how to say it; None where it is not clear, or where it
    is what `unit` says."""
    number = re.fullmatch(r"\s*(\d+)(?:\.\d*)?\s*", example or "")
    fits = [fix for shape, fix in _NUMBERS.items() if number and re.fullmatch(shape, number[1])]
    return f"They look like {fits[0]}." if fits and f'time_unit="{unit}"' not in fits[0] else None


@ibis.udf.scalar.builtin(name="try_strptime", signature=((dt.string, dt.Array(dt.string)), dt.Timestamp(scale=6)))
def _parsed(text, formats):
    """A text as the first of the formats that fits reads it, by the clock that wrote it."""


@ibis.udf.scalar.builtin(name="try_strptime", signature=((dt.string, dt.string), dt.Timestamp("UTC", 6)))
def _parsed_with_offset(text, written):
    """A text with an offset as an instant."""


def iso_texts(column: ibis.Value, how: EventFormat) -> ibis.Value:
    """The texts of `column` in ISO 8601, as `how` says that they are written; null where one is no time, or its zone
    is not clear."""
    if how.time_format:
        return _by_format(column.strip(), how.time_format)
    text = column.strip().upper()
    if how.day_first is not None:
        text = text.re_replace(_DAY_FIRST, r"\3-\2-\1 " if how.day_first else r"\3-\1-\2 ").strip()
        half_day = _parsed(text.re_replace(_HALF_DAY, r"\1 \2M"), _HALF_DAY_FORMATS)
        text = ibis.coalesce(half_day.strftime("%Y-%m-%d %H:%M:%S"), text)
    for letters, offset in how.zones.items():
        text = ibis.ifelse(text.endswith(letters), text.re_replace(rf"([0-9]) *{letters}$", rf"\1{offset}"), text)
    return ibis.ifelse(text.re_search(_CLEAR), text, None)


def unclear_letters(column: ibis.Value, how: EventFormat) -> ibis.Value:
    """The letters behind a time that mean several zones, such as CET; null where there are none."""
    letters = column.strip().upper().re_extract(_LETTERS, 1)
    is_clear = letters.isin([*_PLAIN_LETTERS, *how.zones, ""]) | bool(how.time_format)
    return ibis.ifelse(is_clear, None, letters)


def _by_format(text: ibis.Value, formats: tuple[str, ...]) -> ibis.Value:
    plain = [one for one in formats if "%z" not in one]
    read = [_parsed(text, plain).strftime(_ISO)] if plain else []
    for one in formats:
        if one.endswith("%z"):
            # The date that the text shows is kept, which is another in UTC.
            shown = _parsed(text.re_replace(_LAST_OFFSET, ""), [one.removesuffix("%z").rstrip()])
            read.append(shown.strftime(_ISO) + text.re_extract(_LAST_OFFSET, 1).nullif(""))
        if "%z" in one:
            read.append(_parsed_with_offset(text, one).strftime(_ISO) + "Z")
    return ibis.coalesce(*read)
