"""Ids are permanent: which id has each new persona, so that survivors keep theirs and no id ever means another?"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace

import pandas as pd

from journeylab.findings.personas.change.matching import SURVIVED, Crossing, Link
from journeylab.findings.personas.personas import Personas

_NUMBERED = re.compile(r"P(\d+)")


def permanent_ids(links: Iterable[Link], crossing: Crossing, used: Iterable[str]) -> dict[str, str]:
    """The permanent id of each new persona, by the one under which it was found.

    A survivor has the id of the old persona. All others have one that none of the old personas and none of `used` has:
    their own if that is free, else the number after the highest.
    """
    kept = {crossing.new[each.new]: crossing.old[each.old] for each in links if each.change == SURVIVED}
    return fresh_ids(crossing.new, kept=kept, used={*used, *crossing.old})


def fresh_ids(found: Sequence[str], *, kept: dict[str, str], used: Iterable[str]) -> dict[str, str]:
    """An id for each of `found`: that in `kept`, or one that is not in `used`."""
    taken = {*used, *kept.values()}
    ids = dict(kept)
    for each in found:
        if each not in ids:
            ids[each] = each if each not in taken else f"P{_highest(taken) + 1}"
            taken.add(ids[each])
    return {each: ids[each] for each in found}


def renamed(personas: Personas, ids: dict[str, str]) -> Personas:
    """`personas` with other ids, everywhere; order, names and model stay."""
    changed = {}
    for each in fields(personas):
        value = getattr(personas, each.name)
        if isinstance(value, pd.DataFrame) and "persona" in value.columns:
            changed[each.name] = value.assign(persona=value["persona"].map(ids).astype(object))
    labels = personas.labels.map(ids).astype(object).rename("persona")
    probabilities = personas.probabilities.rename(columns=ids)
    return replace(personas, labels=labels, probabilities=probabilities, **changed)


def _highest(ids: Iterable[str]) -> int:
    return max((int(match[1]) for match in map(_NUMBERED.fullmatch, ids) if match), default=0)
