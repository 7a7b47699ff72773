"""Experiences: what had customers done and met in one stage when they came to a later one?"""

import ibis
import pandas as pd

from journeylab.base.ordering import order
from journeylab.events.log import EventLog
from journeylab.events.queries.covariates import Exposure
from journeylab.events.queries.events_in_stage import events_in
from journeylab.events.spells import Spells

# Kinds of event that fewer of the customers had met, or that fewer had not, are left out: there is little to compare.
LEAST_SHARE, LEAST_CUSTOMERS = 0.1, 20
# Two kinds are one where more than this share of the customers who met either met both.
SAME = 0.8


def find_experiences(log: EventLog, spells: Spells, *, stage: str, before: str, most: int = 6) -> tuple[Exposure, ...]:
    """Which events happened to customers while in `stage`, as exposures for `fit_hazards` of the stage `before` which
    they happened?

    Parameters
    ----------
    log : EventLog
    spells : Spells
        Those of `log`.
    stage : str
        Where the events happened, such as the stage before the sale.
    before : str
        A stage that customers came to. Of the kinds of event in `stage` those are taken that split its customers most
        evenly into some who had met them and some who had not.
    most : int
        So many kinds at most.

    Returns
    -------
    tuple of Exposure
        By name of the event. Kinds that fewer than a tenth of the customers (or fewer than 20) had met, or had not, are
        left out; so are the events that open a stage or lose a customer, and kinds that nearly the same customers met
        as one that is taken. Empty where nothing is left.

    Raises
    ------
    JourneyError
        If the journey lacks one of the stages.
    """
    journey, visits = spells.journey, spells.to_pandas()
    for name in (stage, before):
        journey.position(name)
    came = set(visits.loc[visits["stage"] == before, "customer_id"].astype(str))
    moves = {event for path, _, rule in journey.conditions() if path[-1] != "validated_by" for event in rule.events}
    events = events_in(log, visits[visits["stage"] == stage])
    first = events.filter(~events.event.isin(sorted(moves)) if moves else ibis.literal(True))
    first = first.group_by("customer_id", "event").aggregate(time=first.time.min()).to_pyarrow().to_pandas()
    first = first[first["customer_id"].isin(came)].sort_values(["event", "customer_id"], kind="stable")
    met = first.groupby("event", sort=True)["customer_id"].agg(frozenset)
    least = max(LEAST_CUSTOMERS, LEAST_SHARE * len(came))
    met = met[met.map(lambda customers: least <= len(customers) <= len(came) - least)]
    even = order(-(met.map(len) / max(len(came), 1) - 0.5).abs(), list(met.index))
    names: list[str] = []
    for name in met.index[even]:
        if all(len(met[name] & met[other]) <= SAME * len(met[name] | met[other]) for other in names):
            names.append(name)
    times = dict(tuple(first.groupby("event")[["customer_id", "time"]]))
    return tuple(Exposure(name, _in_utc(times[name])) for name in sorted(names[:most]))


def _in_utc(times: pd.DataFrame) -> pd.DataFrame:
    return times.assign(time=pd.to_datetime(times["time"], utc=True).dt.as_unit("us")).reset_index(drop=True)
