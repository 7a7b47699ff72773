"""Errors that say what is wrong, what was found, and how to mend it."""

from collections.abc import Iterable
from difflib import get_close_matches


class JourneyLabError(Exception):
    """Something the caller can mend: the message says what is wrong, what was found, and how to mend it."""


class LogError(JourneyLabError):
    """The interaction log, the customers' table or the window cannot be used."""


class JourneyError(JourneyLabError):
    """journey.yml cannot be used; the message names file and line."""


class StudyError(JourneyLabError):
    """A study folder, study.yml, or a file that it names cannot be used."""


class EstimateError(JourneyLabError):
    """A quantity was asked for that these data cannot give, or with arguments that contradict each other."""


class ReportError(JourneyLabError):
    """A notebook failed, or a report could not be written."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The sentence that helps after an unknown `name`: the closest of `known`, or all of them.

    >>> did_you_mean("custmer", ["customer", "event"])
    'Did you mean “customer”?'
    >>> did_you_mean("xyz", ["customer", "event"])
    'Known: customer, event.'
    """
    known = [str(each) for each in known]
    close = get_close_matches(str(name), known, n=1, cutoff=0.6)
    if close:
        return f"Did you mean “{close[0]}”?"
    return f"Known: {', '.join(known)}." if known else "None is known."
