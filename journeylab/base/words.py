"""Words for numbers: how are counts, shares, times and lists written in sentences?"""

import math
from collections.abc import Sequence

from journeylab import base

# Units of time, and how many of each a day has. A number is written in the first of which there is one.
UNITS = {"day": 1, "hour": 24, "minute": 1440, "second": 86_400}


def counted(number: float, noun: str) -> str:
    """`number` with its noun, in the plural unless it is one.

    >>> counted(1, "row"), counted(2000, "row"), counted(1.5, "day")
    ('1 row', '2,000 rows', '1.5 days')
    """
    written = f"{number:,g}" if isinstance(number, float) else f"{number:,}"
    return f"{written} {noun}" if number == 1 else f"{written} {noun}s"


def in_days(days: float) -> str:
    """A duration that was asked for, in days, or where it is less than one in hours or minutes.

    >>> in_days(1.0), in_days(30.0), in_days(0.5), in_days(1 / 96)
    ('1 day', '30 days', '12 hours', '15 minutes')
    """
    unit = unit_of(days)
    return counted(float(f"{days * UNITS[unit]:.9g}"), unit)


def elapsed(days: float) -> str:
    """A time that was measured, in days, hours, minutes or seconds: the first of which there is one, to three digits.

    >>> elapsed(32.87), elapsed(0.25), elapsed(0.00051), elapsed(0.0)
    ('32.9 days', '6 hours', '44.1 seconds', '0 days')
    """
    if 0 < days < 1 / 86_400:
        return "under 1 second"
    unit = unit_of(days)
    return counted(float(f"{days * UNITS[unit]:.3g}"), unit)


def in_one_unit(days: Sequence[float]) -> tuple[list[str], str]:
    """Times in the unit that suits the first of them that is not 0, and the unit: an estimate and its limits.

    A missing one is “not reached”; one that is too long for the unit names its own.

    >>> in_one_unit([34.93, 33.1, 36.25]), in_one_unit([0.0005, 0.0004, 3.0])
    ((['34.9', '33.1', '36.2'], 'days'), (['43.2', '34.6', '3 days'], 'seconds'))
    """
    unit = unit_of(next((one for one in days if one and not math.isnan(one)), 0.0))

    def written(one: float) -> str:
        if math.isnan(one):
            return "not reached"
        number = one * UNITS[unit]
        return elapsed(one) if unit != "day" and abs(number) >= 1000 else f"{number:,.1f}"

    return [written(one) for one in days], f"{unit}s"


def on_day(days: float, *, preposition: str = "on") -> str:
    """A point in time since entering: its day, or on the first day what has elapsed.

    >>> on_day(12.34), on_day(3.0, preposition="after"), on_day(0.25)
    ('on day 12.3', 'after day 3.0', 'after 6 hours')
    """
    return f"after {elapsed(days)}" if 0 < days < 0.9995 else f"{preposition} day {days:,.1f}"


def unit_of(days: float) -> str:
    """The first of `UNITS` of which `days` hold at least one; days where they are none.

    >>> unit_of(30.0), unit_of(0.25), unit_of(0.0)
    ('day', 'hour', 'day')
    """
    shortest = "second" if days else "day"
    return next((unit for unit, per_day in UNITS.items() if abs(days) * per_day >= 0.9995), shortest)


def percent(share: float, digits: int | None = None) -> str:
    """`share` in percent with so many decimals; unless given, to a whole number where that tells enough, to a tenth
    near 0 and 1.

    >>> percent(0.25), percent(0.042), percent(0.954), percent(0.25, 1)
    ('25%', '4.2%', '95.4%', '25.0%')
    """
    share = float(base.ordering.settled(share))
    if digits is None:
        digits = 0 if share in (0, 1) or 0.0995 <= share <= 0.9 else 1
    return f"{share:.{digits}%}"


def times_in_words(factor: float) -> str:
    """How many times as long, as in “twice as long”.

    >>> times_in_words(0.5), times_in_words(2.0), times_in_words(3.0)
    ('half', 'twice', '3 times')
    """
    return {0.5: "half", 1.0: "once", 2.0: "twice"}.get(factor, f"{factor:g} times")


def with_sign(number: float, digits: int = 0) -> str:
    """`number` with its sign and so many decimals; zero is +0, also where rounding errors make it slightly negative.

    >>> with_sign(12.5), with_sign(-0.25, 1), with_sign(-1e-17)
    ('+12', '-0.2', '+0')
    """
    return f"{base.ordering.settled(number):+,.{digits}f}"


def listed(words: Sequence[str]) -> str:
    """`words` as a list in a sentence.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
