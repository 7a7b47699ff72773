"""Words for numbers: how are counts, shares and lists written in sentences?"""

from collections.abc import Sequence

from journeylab import base


def counted(number: float, noun: str) -> str:
    """`number` with its noun, in the plural unless it is one.

    >>> counted(1, "row"), counted(2000, "row"), counted(1.5, "day")
    ('1 row', '2,000 rows', '1.5 days')
    """
    written = f"{number:,g}" if isinstance(number, float) else f"{number:,}"
    return f"{written} {noun}" if number == 1 else f"{written} {noun}s"


def in_days(days: float) -> str:
    """`days` as a duration.

    >>> in_days(1.0), in_days(30.0)
    ('1 day', '30 days')
    """
    return counted(days, "day")


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
