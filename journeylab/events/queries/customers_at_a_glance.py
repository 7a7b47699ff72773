"""Customers at a glance: how many events has each customer, and when did an event first open or end something?"""

from itertools import chain

import pandas as pd

from journeylab.events.journey import Condition
from journeylab.events.journey.conditions import any_holds
from journeylab.events.log import EventLog


def glance_at_customers(log: EventLog, firsts: dict[str, list[Condition]]) -> pd.DataFrame:
    """One row per customer, in no particular order: `customer_id`, `events`, and for
    each name in `firsts` the time (UTC) of the first event that meets any of its conditions, missing where none does.
    """
    events = log.events
    counts = events.group_by("customer_id").aggregate(events=events.count()).to_pyarrow().to_pandas()
    if not firsts:
        return counts
    met = events.filter(any_holds(events, chain(*firsts.values()), owner="the rules"))
    times = {name: met.time.min(where=any_holds(met, conditions, owner=name)) for name, conditions in firsts.items()}
    return counts.merge(met.group_by("customer_id").aggregate(**times).to_pyarrow().to_pandas(), how="left")
