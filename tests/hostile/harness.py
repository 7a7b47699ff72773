"""What becomes of bad input: one way to try many, to sort what happens, and to show it as a table.

A try is right where the input can be used (and then its `check` holds), or ends in an error of the package. An error is
clear if it says what is wrong and how to fix it, in two sentences at least; else it is thin. Any other exception is a
traceback. Input that must be refused and is not is silent, as is a result whose check fails.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from journeylab.base.errors import JourneyLabError

OUTCOMES = ("right", "clear error", "thin error", "traceback", "silent")
Check = Callable[[object], bool]


@dataclass(frozen=True)
class Try:
    """One input: what it is, what to call, and whether it must be `refused`, or else what its result must pass."""

    name: str
    call: Callable[[], object]
    refused: bool = False
    check: Check = lambda _: True


@dataclass(frozen=True)
class Outcome:
    """What became of a try, in one of the words of `OUTCOMES`, and the message if there was one."""

    name: str
    word: str
    message: str = ""


def outcome_of(one: Try) -> Outcome:
    """Make the try."""
    try:
        result = one.call()
    except JourneyLabError as error:
        message = str(error)
        return Outcome(one.name, "clear error" if is_clear(message) else "thin error", message)
    except Exception as error:  # that any other error reaches a person is what is looked for
        return Outcome(one.name, "traceback", f"{type(error).__name__}: {error}")
    if one.refused or not one.check(result):
        return Outcome(one.name, "silent", f"gave {str(result)[:200]}")
    return Outcome(one.name, "right")


def is_clear(message: str) -> bool:
    """Whether a message says what is wrong and how to fix it: two sentences, each of two words or more."""
    sentences = [part for part in message.replace("?", ".").replace("\n", " ").split(". ") if len(part.split()) > 1]
    return len(sentences) > 1 and len(message) < 20_000


def table_of(groups: dict[str, list[Outcome]]) -> str:
    """How many of each group were tried, and what became of them."""
    lines = [f"{'group':<24}{'tried':>8}" + "".join(f"{word:>13}" for word in OUTCOMES)]
    for name, outcomes in {**groups, "all": [one for several in groups.values() for one in several]}.items():
        counts = Counter(outcome.word for outcome in outcomes)
        lines.append(f"{name:<24}{len(outcomes):>8}" + "".join(f"{counts[word]:>13}" for word in OUTCOMES))
    return "\n".join(lines)


def failures(outcomes: Iterable[Outcome], *words: str) -> list[str]:
    """The tries that ended in one of `words`, with what they said."""
    return [f"{one.name}: {one.message[:300]}" for one in outcomes if one.word in words]
