"""Protected: which attributes of customers must never make, name or rule a group of them?"""

import re
from collections.abc import Iterable

PROTECTED = (
    *("gender", "sex", "age", "age band", "birth", "birthday", "birthdate", "dob"),
    *("disability", "disabilities", "disabled", "religion", "religious", "ethnicity", "ethnic", "race", "nationality"),
    *("citizenship", "marital status", "civil status", "pregnancy", "pregnant", "sexual orientation", "sexuality"),
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|[^\W\d_]+")


def is_protected(name: str, protected: Iterable[str] = PROTECTED) -> bool:
    """Whether the words of a column's name hold those of a `protected` name, one after the other.

    Capitals, underscores and digits separate words or are passed over, so that “AgeBand” and “age_band_2” are the
    words “age band”; a name of several words is also found written as one.

    >>> is_protected("customer_Gender"), is_protected("AgeBand"), is_protected("page"), is_protected("usage")
    (True, True, False, False)
    """
    words = _words(name)
    return any(_holds(words, _words(term)) for term in protected)


def _words(name: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(name)]


def _holds(words: list[str], term: list[str]) -> bool:
    n = len(term)
    runs = [words[at : at + n] for at in range(len(words) - n + 1)]
    return n > 0 and (term in runs or "".join(term) in words or "".join(term) == "".join(words))
