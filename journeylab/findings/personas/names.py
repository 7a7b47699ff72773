"""Names: what would a colleague call a persona, by what its customers do more than others?

Such a name is a working name until people give a better one in personas.yml. It has at most two phrases. It never says
what customers are (plan, region, age), only what they do.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import combinations

import pandas as pd

from journeylab.events.features import ARROW, STAGE_PATH
from journeylab.findings.personas.description import sets_apart
from journeylab.findings.personas.measures import LEVEL, NEXT, NUMBER, part_of

ONE_KIND, LIKE_OTHERS = "All customers", "Like the others"
_MOST = 12
_HOURS = {"working hours": "Office-hours", "evening or night": "Evening", "weekend": "Weekend"}
_CHANNELS = {"product": "In-product", "in person": "In-person", "in store": "In-store"}
# What a number says where it is larger and where it is smaller than that of others, and what it is about: a name has
# one phrase for each subject.
_NUMBERS = {
    "events": ("Busy", "Quiet", "activity"),
    "active_days": ("Active on many days", "Active on few days", "activity"),
    "typical_gap_days": ("Long pauses", "Short pauses", "activity"),
    "longest_gap_days": ("Long breaks", "Without long breaks", "activity"),
    "contacts": ("Many people involved", "Few people involved", "people"),
    "roles_in_play": ("Many roles involved", "Few roles involved", "people"),
    "out_of_hours_share": ("Outside office hours", "Office-hours", "hours"),
    "company_events": ("Often contacted by us", "Seldom contacted by us", "contact"),
    "value": ("High value", "Low value", "value"),
}
# What doing something often is called, by a word in the event's name; the first that fits.
_EVENTS = {
    "Invite early": "invite invited invites invitation teammate teammates colleague",
    "Connect their tools": "api integration integrations webhook webhooks",
    "Look at prices": "price prices pricing quote",
    "Ask for help": "ticket tickets support help complaint complained",
    "Search a lot": "search searched searches",
    "Export a lot": "export exported exports download downloaded downloads",
    "Buy early": "pay paid payment order ordered purchase purchased bought checkout",
    "Log in often": "login logged session sessions signin",
    "Look around": "view viewed views browse browsed page pages",
}
_PHRASES = {word: phrase for phrase, words in reversed(_EVENTS.items()) for word in words.split()}
_UNDONE = frozenset(
    ("cancelled", "canceled", "declined", "failed", "refused", "rejected", "removed", "deleted", "closed", "expired")
)


def name_personas(
    profiles: pd.DataFrame, ids: Sequence[str], *, numbers: Collection[str], title: Callable[[str], str]
) -> list[str]:
    """A working name for each of the personas `ids`, no two the same: “Phone-led, evening”.

    profiles: see `compare_measures`. numbers: which of its numbers are of behaviour. title: what figures call an event,
    a channel or a stage. The phrases are of what sets a persona apart most; that it does more of something comes before
    that it does less, which is named only where there is nothing else.
    """
    names: list[str] = []
    taken: set[str] = set()
    for persona in ids if len(ids) > 1 else ():
        phrases = _phrases(sets_apart(profiles, persona, at_most=_MOST), numbers, title)
        pairs = [f"{first}, {second[0].lower()}{second[1:]}" for first, second in combinations(phrases, 2)]
        options = [*pairs, *phrases, LIKE_OTHERS]
        names.append(next((name for name in options if name.casefold() not in taken), options[0]))
        taken.add(names[-1].casefold())
    return unique_names(names, ids) if names else [ONE_KIND] * len(ids)


def unique_names(names: Sequence[str], ids: Sequence[str], *, first: Collection[str] = ()) -> list[str]:
    """`names`, with the id added to one that another has already; those in `first` keep theirs.

    >>> unique_names(["Evening", "evening", "Busy"], ["P1", "P2", "P3"])
    ['Evening', 'evening (P2)', 'Busy']
    """
    taken: set[str] = {name.casefold() for name, each in zip(names, ids, strict=True) if each in first}
    unique = []
    for name, each in zip(names, ids, strict=True):
        unique.append(name if each in first or name.casefold() not in taken else f"{name} ({each})")
        taken.add(name.casefold())
    return unique


def _phrases(apart: pd.DataFrame, numbers: Collection[str], title: Callable[[str], str]) -> list[str]:
    """The phrases for what sets a persona apart, one for each subject, the most distinctive first."""
    more, less = {}, {}
    for row in apart.itertuples(index=False):
        for subject, phrase, is_more in _phrase(row, numbers, title):
            (more if is_more else less).setdefault(subject, phrase)
    return list(dict.fromkeys((more or less).values()))


def _phrase(row, numbers: Collection[str], title: Callable[[str], str]) -> Iterator[tuple[str, str, bool]]:
    """Subject, phrase, and whether it says that there is more of something; nothing for what is not behaviour."""
    is_more = row.delta > 0
    if row.kind == NUMBER:
        if row.family in numbers and row.family in _NUMBERS:
            larger, smaller, subject = _NUMBERS[row.family]
            yield subject, larger if is_more else smaller, True
    elif row.kind == LEVEL:
        if row.family == STAGE_PATH and is_more:
            yield STAGE_PATH, _stage_phrase(part_of(row.feature).split(ARROW), title), True
    else:
        yield row.family, _share_phrase(row.feature, is_more, title), is_more


def _stage_phrase(stages: list[str], title: Callable[[str], str]) -> str:
    reached = [stage for stage in stages if stage != "…"][-1]
    return f"{'Still' if len(stages) == 1 else 'Already'} in {title(reached)}"


def _share_phrase(feature: str, is_more: bool, title: Callable[[str], str]) -> str:
    family, part = feature.split(": ", 1)[0], part_of(feature)
    name = title(part)
    if family == "hours":
        return _HOURS.get(part, name) if is_more else f"Seldom in {part}"
    if family in ("channel", "process"):
        led = _CHANNELS.get(name.casefold(), f"{name}-led") if family == "channel" else f"{name}-led"
        return led if is_more else f"Little {name.casefold()}"
    if family == "role":
        return f"{name} involved" if is_more else f"{name} seldom involved"
    if family == "initiator":
        return f"{'Often' if is_more else 'Seldom'} begun by the {name.casefold()}"
    if family.startswith(NEXT):
        origin = title(family.removeprefix(NEXT).strip()).casefold()
        return f"{'From' if is_more else 'Seldom from'} {origin} to {name.casefold()}"
    return _event_phrase(part, name) if is_more else f"{name} seldom"


def _event_phrase(event: str, name: str) -> str:
    words = re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", event).lower())
    known = [] if _UNDONE.intersection(words) else [phrase for phrase in _EVENTS if phrase in map(_PHRASES.get, words)]
    return known[0] if known else f"{name} often"
