"""Segments: which groups of customers were known when they came in?

What the customers' table holds is grouped by its name, and personas by `personas.grouping()`; here are the groups that
the journey itself gives: when, and through which channel, a customer came into it.
"""

from typing import Literal

import numpy as np
import pandas as pd

from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.words import counted
from journeylab.events.log import EventLog, written
from journeylab.events.queries.entries import entry_channels, find_entries
from journeylab.events.queries.sampling import find_sampling
from journeylab.events.spells import Spells
from journeylab.findings.grouping import Grouping

Period = Literal["month", "quarter", "year"]
_WRITTEN = {"month": "%Y-%m", "quarter": "%Y Q", "year": "%Y"}
# With fewer, hardly anything can be said of a group.
MIN_GROUP = 20


def find_cohorts(spells: Spells, *, every: Period = "month", min_customers: int = MIN_GROUP) -> Grouping:
    """Customers by the calendar month, quarter or year (UTC) in which they came into the journey.

    Parameters
    ----------
    spells : Spells
    every : {"month", "quarter", "year"}
    min_customers : int
        Consecutive cohorts of fewer customers are joined, as in “2024-05 to 2024-07”.

    Returns
    -------
    Grouping
        The labels sort by time, and are known from the start. Customers who came before the window (the spells do not
        say when) are one cohort: those who were still there when it began. Nobody has a label where the log holds
        journeys only because they ended when they did (see `journeylab.events.queries.sampling`): then `lacking` says
        that cohorts cannot be compared, and why.

    Raises
    ------
    EstimateError
        Another `every`.

    Examples
    --------
    >>> import journeylab as jl
    >>> simulation = jl.simulate_log(200, seed=1)
    >>> find_cohorts(jl.find_spells(simulation.log, simulation.journey), every="year").name
    'entry year'
    """
    if every not in _WRITTEN:
        raise EstimateError(f"Cohorts cannot be formed every “{every}”. {did_you_mean(every, _WRITTEN)}")
    entries = find_entries(spells)
    problem = find_sampling(spells).problem()
    if problem:
        why = (
            f"Customers are not compared by entry {every}. {problem} Then those who came early are the slow ones, and "
            "those who came late the quick ones, whatever customers do."
        )
        return Grouping(f"entry {every}", pd.Series([], index=entries.index[:0], dtype=object), lacking=why)
    known = entries.loc[entries["is_known"], "entered"].dt
    periods = known.strftime(_WRITTEN[every]) + (known.quarter.astype(str) if every == "quarter" else "")
    labels = periods.astype(object).reindex(entries.index, fill_value=f"(before {written(spells.window.start)})")
    joined = _joined(periods.value_counts().sort_index(), min_customers)
    return Grouping(f"entry {every}", labels.map(lambda label: joined.get(label, label)).astype(object))


def find_channels(log: EventLog, spells: Spells, *, min_customers: int = MIN_GROUP) -> Grouping:
    """Customers by the channel of the event that brought them into the journey; see `entry_channels`.

    Parameters
    ----------
    log : EventLog
    spells : Spells
    min_customers : int
        Channels of fewer customers are pooled; see `pool_small`.

    Returns
    -------
    Grouping
        Customers for whom the log has no such event, or no channel of it, have no label; nobody has where the log has
        no column `channel`.
    """
    return pool_small(Grouping("channel of entry", entry_channels(log, spells)), min_customers=min_customers)


def pool_small(grouping: Grouping, *, min_customers: int = MIN_GROUP) -> Grouping:
    """`grouping` with its small groups as one, named for how many they were.

    Parameters
    ----------
    grouping : Grouping
    min_customers : int
        Groups of fewer customers are small.

    Returns
    -------
    Grouping
        A single small group stays as it is. So does the time when each label became known.
    """
    sizes = grouping.labels.value_counts()
    small = sizes.index[sizes < min_customers]
    if len(small) < 2:
        return grouping
    pooled = f"({counted(len(small), 'small group')})"
    labels = grouping.labels.where(~grouping.labels.isin(small), pooled)
    return Grouping(grouping.name, labels, grouping.known_at)


def _joined(sizes: pd.Series, min_customers: int) -> dict[str, str]:
    """The name of the joined cohort by name of the cohort.

    `sizes`, in order of time, are taken together from the first on until there are `min_customers`; what is too small
    at the end goes with those before.
    """
    names = list(sizes.index)
    begins, total = [], min_customers
    for position, size in enumerate(sizes):
        if total >= min_customers:
            begins, total = [*begins, position], 0
        total += size
    if total < min_customers and len(begins) > 1:
        begins.pop()
    run = np.searchsorted(begins, np.arange(len(names)), "right") - 1
    ends = [*(begin - 1 for begin in begins[1:]), len(names) - 1]
    return {
        name: names[begins[at]] if begins[at] == ends[at] else f"{names[begins[at]]} to {names[ends[at]]}"
        for name, at in zip(names, run, strict=True)
    }
