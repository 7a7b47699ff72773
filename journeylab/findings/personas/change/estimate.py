"""How are the personas of two sprints compared: by customers whom both definitions judge, and by the old definition?"""

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import pandas as pd

from journeylab.base.tables import table_of
from journeylab.base.words import counted
from journeylab.events.features import apply_plan
from journeylab.events.log import EventLog, Window
from journeylab.events.spells import Spells, find_spells
from journeylab.findings.personas.assign import Assignment, Definition
from journeylab.findings.personas.change.change import PersonaChange
from journeylab.findings.personas.change.drift import SHARES, find_drift, fixed_shares
from journeylab.findings.personas.change.matching import (
    cross,
    find_links,
    fresh_ids,
    lineage_table,
    permanent_ids,
    renamed,
)
from journeylab.findings.personas.landmark import MIN_JUDGED
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
        The log in which `new` was found. Its customers are assigned by the old definition too: that gives the shares at
        that fixed definition, which new persona is which old one, and in which features customers as a whole drifted.
        Without it, personas are matched by the customers in whom both were found, if there are 30, and there are
        neither shares nor drift.
    features : DataFrame, optional
        The further features that the old personas were found with, of the customers of `log`.
    used : iterable of str
        Ids that personas of still earlier sprints had. No other persona ever gets one of them.
    ids : {"continued", "kept"}
        “continued” gives survivors the ids of the old personas, and all others ids that were never used; “kept” where
        the new personas have their permanent ids already.

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
    Customers are treated as independent of each other; where several are of one account, the intervals are too narrow.
    The old definition is taken as it is: how well it was known when it was found is in its own verdicts.
    """
    period, lacking = new.period if log is None else log.window, _lacking(old, new)
    if lacking:
        return _nothing(old, new, lacking, used=used, ids=ids, period=period)
    before, now, moved = old.labels, _labels(new, log, features), None
    compared: dict[str, Any] = {"table": table_of((), SHARES)}
    if log is not None and old.definition is not None:
        spells = find_spells(log, old.journey)
        assigned = old.assign(log, spells, features=features)
        before = assigned.labels
        if len(before) >= MIN_JUDGED:
            moved = fixed_shares(old.table, assigned.table)
            drift = _drift(old.definition, assigned, log, spells, features=features)
            compared = {"table": moved, "unseen": assigned.unseen, "drift": drift}
    n_both = len(before.index.intersection(now.index))
    if n_both < MIN_JUDGED:
        return _nothing(old, new, _too_few(n_both, has_log=log is not None), used=used, ids=ids, period=period)
    crossing = cross(before, now, old=_ids(old), new=_ids(new), moved=moved)
    links = find_links(crossing)
    permanent = (
        permanent_ids(links, crossing, used)
        if ids == "continued"
        else dict(zip(crossing.new, crossing.new, strict=True))
    )
    return PersonaChange(
        title=TITLE,
        period=period,
        **compared,
        lineage=lineage_table(links, crossing, permanent, verdicts={"old": _verdicts(old), "new": _verdicts(new)}),
        cross=crossing.table(),
        personas=renamed(new, permanent),
        customers=n_both,
    )


def _drift(
    definition: Definition, assigned: Assignment, log: EventLog, spells: Spells, *, features: pd.DataFrame | None
) -> pd.DataFrame:
    within = pd.Timedelta(definition.plan.within, unit="us")
    entered = (assigned.known_at - within).rename("entered").rename_axis("customer_id").reset_index()
    described = apply_plan(definition.plan, log, entered, spells=spells, extra=features)
    probabilities = assigned.probabilities.reindex(described.customers).to_numpy(dtype=np.float64)
    return find_drift(definition.model, definition.encoding, observe(described), probabilities)


def _labels(new: Personas, log: EventLog | None, features: pd.DataFrame | None) -> pd.Series:
    """Who is which new persona; by assignment where a file left its customers out."""
    if len(new.labels) or log is None:
        return new.labels
    return new.assign(log, features=features).labels


def _verdicts(personas: Personas) -> dict[str, str]:
    return personas.proof.by_persona.set_index("persona")["verdict"].to_dict()


def _ids(personas: Personas) -> list[str]:
    return personas.table["persona"].tolist()


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
