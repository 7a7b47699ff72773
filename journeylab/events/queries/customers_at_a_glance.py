"""Customers at a glance: how many events has each customer, and when did an event first open or end something?"""

import ibis
import pandas as pd

from journeylab.events.journey import Condition
from journeylab.events.journey.conditions import holds
from journeylab.events.log import EventLog


def glance_at_customers(log: EventLog, firsts: dict[str, list[Condition]]) -> pd.DataFrame:
    """One row per customer, in no particular order, from one pass over the events: `customer_id`, `events`, and for
    each name in `firsts` the time (UTC) of the first event that meets any of its conditions, missing where none does.
    """
    events = log.events
    tests = {
        name: ibis.or_(*(holds(events, condition, owner=name) for condition in conditions))
        for name, conditions in firsts.items()
    }
    times = {name: events.time.min(where=test) for name, test in tests.items()}
    return events.group_by("customer_id").aggregate(events=events.count(), **times).to_pyarrow().to_pandas()
