"""How are the personas of two sprints compared: by customers whom both definitions judge, and by the old definition?"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Literal

import numpy as np
import pandas as pd

from journeylab.base.tables import table_of
from journeylab.base.words import counted, listed
from journeylab.events.features import apply_plan
from journeylab.events.log import EventLog, Window
from journeylab.events.spells import Spells, find_spells
from journeylab.findings.personas.assign import Assignment, Definition
from journeylab.findings.personas.change.change import PersonaChange
from journeylab.findings.personas.change.crowds import Crowds
from journeylab.findings.personas.change.drift import SHARES, find_drift, fixed_shares
from journeylab.findings.personas.change.matching import (
    SURVIVED,
    cross,
    find_links,
    fresh_ids,
    lineage_table,
    permanent_ids,
    renamed,
    survivors_of,
)
from journeylab.findings.personas.landmark import MIN_JUDGED
from journeylab.findings.personas.names import unique_names
from journeylab.findings.personas.personas import Personas
from journeylab.findings.personas.scan import observe

TITLE = "What changed since the last personas"


def compare_personas(
    old: Personas,
    new: Personas,
    *,
    log: EventLog | None = None,
    features: pd.DataFrame | None = None,
    used: Iterable[str] = (),
    ids: Literal["continued", "kept"] = "continued",
) -> PersonaChange:
    """What changed from the personas `old` to the personas `new`.

    Parameters
    ----------
    old, new : Personas
    log : EventLog, optional
        The log in which `new` was found. Its customers are assigned by the old definition too: that gives which new
        persona is which old one, and of those who came since the shares at that fixed definition and the drift.
        Without it, personas are matched by the customers in whom both were found, if there are 30, and there are
        neither shares nor drift.
    features : DataFrame, optional
        The further features that the old personas were found with, of the customers of `log`.
    used : iterable of str
        Ids that personas of still earlier sprints had. No other persona ever gets one of them.
    ids : {"continued", "kept"}
        “continued” gives survivors the ids and names of the old personas, and all others ids that were never used;
        “kept” where
        the new personas have their permanent ids already: then those with the same id are the same.

    Returns
    -------
    PersonaChange
        Where one of the two is no personas, or fewer than 30 customers are judged by both, there is nothing to compare,
        and `lacking` says why.

    Raises
    ------
    EstimateError
        As `Personas.assign` does.

    Notes
    -----
    Shares and drift compare two crowds: the customers whom the old personas were found in, and those of `log` who came
    since. Who is in both counts once, with the old ones (`PersonaChange.crowds` says how many). Which new persona is
    which old one is asked of all customers of `log`, because both definitions are applied to each of them.
    Customers are treated as independent of each other; where several are of one account, the intervals are too narrow.
    The old definition is taken as it is: how well it was known when it was found is in its own verdicts.
    """
    period, lacking = new.period if log is None else log.window, _lacking(old, new)
    if lacking:
        return _nothing(old, new, lacking, used=used, ids=ids, period=period)
    before = old.labels
    compared: dict[str, Any] = {"table": table_of((), SHARES)}
    if log is not None and old.definition is not None:
        spells = find_spells(log, old.journey)
        assigned = old.assign(log, spells, features=features)
        before, crowds = assigned.labels, Crowds.of(old, assigned)
        compared |= {"crowds": crowds, "unseen": assigned.unseen}
        if crowds.lacking is None:
            compared["drift"] = _drift(old.definition, assigned, crowds.since, log, spells, features=features)
            if old.has_kinds:
                compared["table"] = fixed_shares(old.table, crowds.shares(assigned))
    now = _labels(new, before.index, log, features)
    n_both = len(before.index.intersection(now.index))
    if n_both < MIN_JUDGED:
        return _nothing(old, new, _too_few(n_both, has_log=log is not None), used=used, ids=ids, period=period)
    compared |= {"title": TITLE, "period": period, "customers": n_both}
    if not (old.has_kinds and new.has_kinds):
        return _one_kind(old, new, compared, used=used, ids=ids)
    crossing = cross(before, now, old=_ids(old), new=_ids(new), moved=compared["table"])
    links = find_links(crossing, by_id=ids == "kept")
    permanent = _same(crossing.new) if ids == "kept" else permanent_ids(links, crossing, used)
    names, verdicts = ({"old": what(old), "new": what(new)} for what in (_names, _verdicts))
    if ids == "continued":
        names["new"] |= {found: names["old"][kept] for found, kept in survivors_of(links, crossing).items()}
    lineage = lineage_table(links, crossing, permanent, names=names, verdicts=verdicts)
    return PersonaChange(
        **{**compared, "table": _named_now(compared["table"], lineage)},
        lineage=lineage,
        cross=crossing.table(),
        personas=_with_ids(new, permanent, names["new"]),
    )


def continue_ids(found: Personas, known: Sequence[Personas], *, log: EventLog) -> Personas:
    """The personas `found` in `log` with the ids and names of those `known` that they are; the others have letters.

    known: personas of the same customers, or whose definition can be applied to them, the one that decides first. Each
        has ids that mean something else than those of `found` do; a letter is one that none of them has.
    """
    kept: dict[str, str] = {}
    names, used = _names(found), list(chain.from_iterable(map(_ids, known)))
    for personas in known:
        for new, old in _survivors(personas, found, log).items() if found.has_kinds and personas.has_kinds else ():
            if new not in kept and old not in kept.values():
                kept[new], names[new] = old, _names(personas)[old]
    return _with_ids(found, fresh_ids(_ids(found), kept=kept, used=used, letters=True), names)


def share_ids(old: Personas, new: Personas, *, log: EventLog) -> Personas:
    """`old` with the id and name of what `new`, found in `log`, has of the same persona, unless either id stands for
    another one in both."""
    if not (old.has_kinds and new.has_kinds):
        return old
    taken = set(_ids(old)) & set(_ids(new))
    same = {old_id: new_id for new_id, old_id in _survivors(old, new, log).items() if not {old_id, new_id} & taken}
    names = _names(old) | {old_id: _names(new)[new_id] for old_id, new_id in same.items()}
    return _with_ids(old, _same(_ids(old)) | same, names)


def _with_ids(personas: Personas, ids: dict[str, str], names: dict[str, str]) -> Personas:
    """`personas` with other ids and names, by the ids under which they were found; those that keep an id from elsewhere
    come first where two have one name."""
    order = sorted(_ids(personas), key=lambda found: ids[found] == found)
    unique = dict(zip(order, unique_names([names[each] for each in order], [ids[each] for each in order]), strict=True))
    table = personas.table.assign(name=personas.table["persona"].map(unique).astype(object))
    return renamed(replace(personas, table=table), ids)


def _survivors(old: Personas, new: Personas, log: EventLog) -> dict[str, str]:
    """The old id of each new persona that is an old one: by the customers of both, else by applying the old definition
    to those of `log`."""
    if len(old.labels.index.intersection(new.labels.index)) >= MIN_JUDGED:
        crossing = cross(old.labels, new.labels, old=_ids(old), new=_ids(new))
        return survivors_of(find_links(crossing), crossing)
    lineage = compare_personas(old, new, log=log).lineage
    survived = lineage[lineage["change"] == SURVIVED]
    return dict(zip(survived["new"], survived["old"], strict=True))


def _one_kind(
    old: Personas, new: Personas, compared: dict[str, Any], *, used: Iterable[str], ids: str
) -> PersonaChange:
    """The change where the old or the new personas are one kind of customer: no persona is any other."""
    if ids == "kept":
        permanent = _same(_ids(new))
    elif not (old.has_kinds or new.has_kinds):
        permanent = dict(zip(_ids(new), _ids(old), strict=True))
    else:
        permanent = fresh_ids(_ids(new), kept={}, used={*used, *_ids(old)})
    personas = renamed(new, permanent)
    if not (old.has_kinds or new.has_kinds):
        why = "Before, one kind of customer was seen, and so it is now: there are no personas to compare."
    elif new.has_kinds:
        why = f"Before, one kind of customer was seen; now there are {len(_ids(personas))}: {listed(_ids(personas))}."
    else:
        why = f"Before, there were {len(_ids(old))} personas: {listed(_ids(old))}. Now one kind of customer is seen."
    return PersonaChange(**compared, personas=personas, unmatched=why)


def _named_now(shares: pd.DataFrame, lineage: pd.DataFrame) -> pd.DataFrame:
    """`shares` with the names that the personas have now."""
    names = lineage.dropna(subset="name").drop_duplicates("id").set_index("id")["name"]
    return shares.assign(name=shares["persona"].map(names).fillna(shares["name"]).astype(object))


def _drift(
    definition: Definition,
    assigned: Assignment,
    since: pd.Index | None,
    log: EventLog,
    spells: Spells,
    *,
    features: pd.DataFrame | None,
) -> pd.DataFrame:
    """The drift of the customers who came `since`."""
    within = pd.Timedelta(definition.plan.within, unit="us")
    known_at = assigned.known_at.reindex(since)
    entered = (known_at - within).rename("entered").rename_axis("customer_id").reset_index()
    described = apply_plan(definition.plan, log, entered, spells=spells, extra=features)
    probabilities = assigned.probabilities.reindex(described.customers).to_numpy(dtype=np.float64)
    return find_drift(definition.model, definition.encoding, observe(described), probabilities)


def _labels(new: Personas, judged: pd.Index, log: EventLog | None, features: pd.DataFrame | None) -> pd.Series:
    """Who of those `judged` is which new persona; by assignment where the new personas do not hold them."""
    if log is None or len(new.labels.index.intersection(judged)) >= MIN_JUDGED:
        return new.labels
    return new.assign(log, features=features).labels


def _verdicts(personas: Personas) -> dict[str, str]:
    return personas.proof.by_persona.set_index("persona")["verdict"].to_dict()


def _ids(personas: Personas) -> list[str]:
    return personas.table["persona"].tolist()


def _same(ids: Iterable[str]) -> dict[str, str]:
    return {each: each for each in ids}


def _names(personas: Personas) -> dict[str, str]:
    return personas.table.set_index("persona")["name"].to_dict()


def _lacking(old: Personas, new: Personas) -> str | None:
    for sprint, personas in (("the old sprint", old), ("the new sprint", new)):
        if personas.lacking:
            why = personas.lacking.removeprefix("No personas: ")
            return f"No personas to compare: in {sprint} there are none, for {why}"
    return None


def _too_few(n: int, *, has_log: bool) -> str:
    judged = "no customer is" if n == 0 else f"only {counted(n, 'customer')} {'is' if n == 1 else 'are'}"
    fix = "Give the log in which the new personas were found" if has_log else "Give the new log, as `log=`"
    return f"No personas to compare: {judged} judged by both definitions, and {MIN_JUDGED} are needed. {fix}."


def _nothing(
    old: Personas, new: Personas, why: str, *, used: Iterable[str], ids: str, period: Window | None
) -> PersonaChange:
    fresh = fresh_ids(_ids(new), kept={}, used={*used, *_ids(old)}) if ids == "continued" else {}
    personas = renamed(new, fresh) if fresh else new
    return PersonaChange(title=TITLE, table=table_of((), SHARES), lacking=why, period=period, personas=personas)
