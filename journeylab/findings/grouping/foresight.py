"""Foresight: does an attribute of customers look computed from what they did later?"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from journeylab.base.ordering import largest
from journeylab.estimators.foresight import Foresight, find_foresight
from journeylab.events.spells import Spells
from journeylab.events.spells.exits import Exits, spell_clock, watched_visits

FIX = "Say in `known_at` since when each value was known, or leave it out."
MOST_LEVELS = 12
# What may not have happened yet when a value was known, by the outcomes of visits.
_EVENTS = {
    "left": ("advanced", "regressed", "completed", "lost"),
    "was lost from": ("lost",),
    "moved on from": ("advanced", "completed"),
}


def future_in_words(
    name: str, labelled: pd.DataFrame, spells: Spells, *, stages: Sequence[str] | None = None
) -> str | None:
    """A sentence, where the labels called `name` look computed from what customers did later; else None.

    Looked for in each stage (or `stages`), among all who leave it, who are lost from it, and who move on from it; see
    `estimators.foresight`. Customers without a label count among everybody.

    labelled: the visits with a label in the column `group`, as `Grouping.apply` gives them. spells: all visits.
    """
    levels = sorted(labelled["group"].unique())
    if len(levels) > MOST_LEVELS:
        return None
    visits, every = labelled, spells.to_pandas()
    unlabelled = every[~every["customer_id"].isin(labelled["customer_id"])]
    if len(unlabelled):
        visits = pd.concat([labelled, unlabelled], ignore_index=True)
    looks = _looks(watched_visits(visits), levels, stages or spells.journey.stage_names, spells.window.end)
    found = [(which, verb, stage, one) for which, verb, stage, one in looks if one]
    if not found:
        return None
    # What shows in all visits is plainer than what shows in some.
    found = [look for look in found if not look[0]] or found
    which, verb, stage, one = found[largest([one.expected for _, _, _, one in found])]
    return _said_of(name, _fact(verb, stage, levels[one.group], one, which))


def future_in_exits(name: str, parts: Sequence[Exits], way: str, *, verb: str) -> str | None:
    """As `future_in_words`, of groups whose visits can end by `way`, which a sentence calls `verb`."""
    known = [part for part in parts if part.n]
    if len(known) < 2 or len(known) > MOST_LEVELS:
        return None
    code = np.repeat(np.arange(len(known)), [part.n for part in known])
    entry, exit_ = (np.concatenate([getattr(part, side) for part in known]) for side in ("entry", "exit"))
    event = np.concatenate([part.ended_by(way) for part in known])
    one = find_foresight(code, entry=entry, exit=exit_, event=event)
    if one is None:
        return None
    return _said_of(name, _fact(verb, known[0].stage, str(known[one.group].group), one, ""))


def _said_of(name: str, fact: str) -> str:
    return f"“{name}” looks computed from the future: {fact}. {FIX}"


def _looks(
    visits: pd.DataFrame, levels: list[str], stages: Sequence[str], end: pd.Timestamp
) -> Iterator[tuple[str, str, str, Foresight | None]]:
    """What was found, by which visits, kind of event, and stage.

    Of customers who come back, labels may tell of the first or the last visit alone.
    """
    visits = visits.sort_values("entered", kind="stable")
    columns = {"code": pd.Categorical(visits["group"], categories=levels).codes.astype(np.int64), **spell_clock(visits)}
    del columns["customers"]
    columns["watchable"] = ((end - visits["entered"]) / pd.Timedelta(days=1)).to_numpy(float)
    columns["outcome"] = visits["outcome"].to_numpy(object)
    visit_of = visits[["customer_id", "stage"]]
    for stage in stages:
        here = (visits["stage"] == stage).to_numpy()
        is_repeated = {which: visit_of.duplicated(keep=which).to_numpy() & here for which in ("first", "last")}
        for which in ("", "first", "last") if is_repeated["first"].any() else ("",):
            chosen = here & ~is_repeated[which] if which else here
            code, entry, exit_, watchable, outcome = (column[chosen] for column in columns.values())
            for verb, outcomes in _EVENTS.items():
                given = {"entry": entry, "exit": exit_, "event": np.isin(outcome, outcomes)}
                given["watchable"] = watchable if verb == "left" else None
                yield which, verb, stage, find_foresight(code, **given)


def _fact(verb: str, stage: str, level: str, found: Foresight, which: str) -> str:
    visit = f" in their {which} visit" if which else ""
    if not found.has_none:
        return (
            f"everyone with “{level}” had left “{stage}”{visit} by day {found.before:,.1f}, where about "
            f"{found.expected:,.0f} were to be expected to be still there"
        )
    stretch = f" before day {found.before:,.1f}" if np.isfinite(found.before) else ""
    return (
        f"nobody with “{level}” {verb} “{stage}”{visit}{stretch}, where about {found.expected:,.0f} were to be "
        "expected at the pace of all customers"
    )
