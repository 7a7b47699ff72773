"""Foresight: does an attribute of customers look computed from what they did later?"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from journeylab.base.ordering import largest
from journeylab.estimators.foresight import Foresight, find_foresight
from journeylab.events.spells import Spells
from journeylab.events.spells.exits import spell_clock, watched_visits

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
    looks = _looks(watched_visits(visits), levels, stages or spells.journey.stage_names)
    found = [(verb, stage, one) for verb, stage, one in looks if one]
    if not found:
        return None
    verb, stage, one = found[largest([one.expected for _, _, one in found])]
    return f"“{name}” looks computed from the future: {_fact(verb, stage, levels[one.group], one)}. {FIX}"


def _looks(
    visits: pd.DataFrame, levels: list[str], stages: Sequence[str]
) -> Iterator[tuple[str, str, Foresight | None]]:
    """What was found, by kind of event and stage."""
    code = pd.Categorical(visits["group"], categories=levels).codes.astype(np.int64)
    clock = {name: column for name, column in spell_clock(visits).items() if name != "customers"}
    stage_of, outcome = visits["stage"].to_numpy(object), visits["outcome"].to_numpy(object)
    for stage in stages:
        here = stage_of == stage
        times = {name: column[here] for name, column in clock.items()}
        for verb, outcomes in _EVENTS.items():
            event = np.isin(outcome[here], outcomes)
            yield verb, stage, find_foresight(code[here], **times, event=event)


def _fact(verb: str, stage: str, level: str, found: Foresight) -> str:
    if not found.has_none:
        since = f" after day {found.after:,.1f}" if found.after >= 0 else ""
        return (
            f"everyone with “{level}” who was in “{stage}”{since} {verb} it by day {found.before:,.1f}, where about "
            f"{found.expected:,.0f} of them were to be expected to stay"
        )
    bounds = [f"after day {found.after:,.1f}"] if np.isfinite(found.after) else []
    bounds += [f"before day {found.before:,.1f}"] if np.isfinite(found.before) else []
    stretch = f" {' and '.join(bounds)}" if bounds else ""
    return (
        f"nobody with “{level}” {verb} “{stage}”{stretch}, where about {found.expected:,.0f} were to be expected at "
        "the pace of all customers"
    )
