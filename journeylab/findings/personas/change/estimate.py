"""How are the personas of two sprints compared: by customers whom both definitions judge, and by the old definition?"""

from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np
import pandas as pd

from journeylab.base.words import counted
from journeylab.events.features import apply_plan, unseen_table
from journeylab.events.log import EventLog, Window
from journeylab.events.spells import Spells, find_spells
from journeylab.findings.personas.assign import Assignment
from journeylab.findings.personas.change.change import PersonaChange
from journeylab.findings.personas.change.drift import SHARES, find_drift, fixed_shares, no_drift
from journeylab.findings.personas.change.matching import (
    CROSS,
    LINEAGE,
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

    log: the log in which `new` was found. Its customers are assigned by the old definition too: that tells the shares
        at that fixed definition, which new persona is which old one, and in which features customers as a whole
        drifted. Without it, personas are matched by the customers in whom both were found, if there are 30, and neither
        shares nor drift are told.
    features: the further features that the old personas were found with, of the customers of `log`.
    used: ids that personas of still earlier sprints had. No other persona ever gets one of them.
    ids: “continued” gives survivors the ids of the old personas, and all others ids that were never used; “kept” where
        the new personas have their permanent ids already.

    Customers are taken for independent of each other; where several are of one account, the intervals are too narrow.
    The old definition is taken as it is: how well it was known when it was found is in its own verdicts.

    Where one of the two is no personas, or fewer than 30 customers are judged by both, there is nothing to compare, and
    `lacking` says why. Raises EstimateError as `Personas.assign` does.
    """
    period, lacking = new.period if log is None else log.window, _lacking(old, new)
    if lacking:
        return _nothing(old, new, lacking, used=used, ids=ids, period=period)
    spells = None if log is None else find_spells(log, old.journey)
    assigned = None if log is None else old.assign(log, spells=spells, features=features)
    before = old.labels if assigned is None else assigned.labels
    now = _labels(new, log, features)
    n_both = len(before.index.intersection(now.index))
    if n_both < MIN_JUDGED:
        return _nothing(old, new, _too_few(n_both, has_log=log is not None), used=used, ids=ids, period=period)
    shares = _no_rows(SHARES) if assigned is None else fixed_shares(old.table, assigned.table)
    crossing = cross(
        before,
        now,
        old=old.table["persona"].tolist(),
        new=new.table["persona"].tolist(),
        moved=None if assigned is None else shares,
    )
    links = find_links(crossing)
    permanent = permanent_ids(links, crossing, used) if ids == "continued" else {each: each for each in crossing.new}
    return PersonaChange(
        title=TITLE,
        table=shares,
        period=period,
        lineage=lineage_table(links, crossing, permanent, verdicts={"old": _verdicts(old), "new": _verdicts(new)}),
        cross=crossing.table(),
        drift=no_drift() if assigned is None else _drift(old, assigned, log, spells=spells, features=features),
        unseen=unseen_table([]) if assigned is None else assigned.unseen,
        personas=renamed(new, permanent),
        customers=n_both,
        stages=new.stages,
    )


def _drift(
    old: Personas, assigned: Assignment, log: EventLog, *, spells: Spells, features: pd.DataFrame | None
) -> pd.DataFrame:
    within = pd.Timedelta(old.plan.within, unit="us")
    entered = (assigned.known_at - within).rename("entered").rename_axis("customer_id").reset_index()
    described = apply_plan(old.plan, log, entered, spells=spells, extra=features)
    probabilities = assigned.probabilities.reindex(described.customers).to_numpy(dtype=np.float64)
    return find_drift(old.model, old.encoding, observe(described), probabilities)


def _labels(new: Personas, log: EventLog | None, features: pd.DataFrame | None) -> pd.Series:
    """Who is which new persona; by assignment where a file left its customers out."""
    if len(new.labels) or log is None:
        return new.labels
    return new.assign(log, features=features).labels


def _verdicts(personas: Personas) -> dict[str, str]:
    return dict(zip(personas.verdicts["persona"], personas.verdicts["verdict"], strict=True))


def _lacking(old: Personas, new: Personas) -> str | None:
    for when, each in (("the old sprint", old), ("the new sprint", new)):
        if each.lacking:
            why = each.lacking.removeprefix("No personas: ")
            return f"No personas to compare: in {when} there are none, for {why}"
    return None


def _too_few(n: int, *, has_log: bool) -> str:
    judged = "no customer is" if n == 0 else f"only {counted(n, 'customer')} {'is' if n == 1 else 'are'}"
    mend = "Give the log in which the new personas were found" if has_log else "Give the new log, as `log=`"
    return f"No personas to compare: {judged} judged by both definitions, and {MIN_JUDGED} are needed. {mend}."


def _nothing(
    old: Personas, new: Personas, why: str, *, used: Iterable[str], ids: str, period: Window | None
) -> PersonaChange:
    found, taken = new.table["persona"].tolist(), {*used, *old.table["persona"]}
    fresh = fresh_ids(found, kept={}, used=taken) if ids == "continued" else {each: each for each in found}
    return PersonaChange(
        title=TITLE,
        table=_no_rows(SHARES),
        lacking=why,
        period=period,
        lineage=_no_rows(LINEAGE),
        cross=_no_rows(CROSS),
        drift=no_drift(),
        unseen=unseen_table([]),
        personas=renamed(new, fresh),
        customers=0,
        stages=new.stages,
    )


def _no_rows(columns: Mapping[str, type]) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns)).astype(dict(columns))
