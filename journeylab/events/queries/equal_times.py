"""Equal times: how much depends on the order of rows that have one time, and which rows are there more than once?"""

from collections.abc import Collection
from dataclasses import replace

import ibis
import pandas as pd

from journeylab.events.journey import Condition, Journey
from journeylab.events.journey.conditions import any_holds
from journeylab.events.log import EventLog
from journeylab.events.spells import find_spells

# Columns of the spells that say how a customer's journey went; which event was the last does not.
_ANSWERS = ["customer_id", "spell", "stage", "entered", "left", "outcome", "to", "validated"]


def orders_by_row(log: EventLog) -> bool:
    """Whether events of one time are in the order of their rows, because the source does not number them."""
    seq = log.events.seq
    ends = log.events.aggregate(low=seq.min(), high=seq.max(), n=log.events.count()).to_pyarrow().to_pylist()[0]
    return bool(ends["n"]) and ends["low"] >= 0 and ends["n"] - 1 <= ends["high"] < log.rows_read


def customers_with_ties(log: EventLog, moves: Collection[Condition], proofs: Collection[Condition]) -> list[str]:
    """Customers with an event that meets one of `moves` and at the same time another that meets one of `moves` or
    `proofs`, sorted: the order of the two may matter."""
    events = log.events
    moved = events.filter(any_holds(events, moves, owner="the rules")).select("customer_id", "time").distinct()
    matter = events.filter(any_holds(events, [*moves, *proofs], owner="the rules"))
    at_once = matter.semi_join(moved, ["customer_id", "time"]).group_by("customer_id", "time")
    at_once = at_once.aggregate(n=ibis._.count(), low=ibis._.event.min(), high=ibis._.event.max())
    # Equal events at one time may still differ in what a rule asks of their columns.
    differ = ibis.literal(True) if any(condition.where for condition in moves) else at_once.low != at_once.high
    tied = at_once.filter((at_once.n > 1) & differ).select("customer_id").distinct().order_by("customer_id")
    return tied.to_pyarrow()["customer_id"].to_pylist()


def changed_by_order(log: EventLog, journey: Journey, customers: Collection[str]) -> list[str]:
    """Those of `customers` whose stages, losses or validations change when events of one time act in reverse order."""
    part = log.only(customers=customers)
    reversed_ = replace(part, events=part.events.mutate(seq=-part.events.seq))
    one, other = (find_spells(log_, journey).to_pandas()[_ANSWERS].astype(object) for log_ in (part, reversed_))
    both = one.merge(other, how="outer", on=["customer_id", "spell"], suffixes=("", "_reversed"), indicator=True)
    differs = both["_merge"].ne("both").to_numpy()
    for column in _ANSWERS[2:]:
        before, after = both[column], both[f"{column}_reversed"]
        differs |= (before.ne(after) & ~(before.isna() & after.isna())).to_numpy(dtype=bool)
    return sorted(both.loc[differs, "customer_id"].unique())


def is_newest_first(log: EventLog) -> bool:
    """Whether each row is mostly later than the next one of its customer."""
    by_customer = log.events.group_by("customer_id").aggregate(
        first=log.events.time.argmin(log.events.seq), last=log.events.time.argmax(log.events.seq)
    )
    ends = by_customer.aggregate(
        backwards=(by_customer.first > by_customer.last).sum(), forwards=(by_customer.first < by_customer.last).sum()
    )
    counts = ends.to_pyarrow().to_pylist()[0]
    return (counts["backwards"] or 0) > 9 * (counts["forwards"] or 0)


def repeated_rows(log: EventLog, *, besides: Collection[str]) -> pd.DataFrame:
    """How often rows are there again that are equal in all columns but those of `besides`: one row, `rows` (all but the
    first of each kind) and `customers`."""
    events = log.events
    columns = {name: events[name] for name in events.columns if name not in {*besides, "seq"}}
    marked = events.select("customer_id", mark=ibis.struct(columns).hash())
    copies = marked.group_by("customer_id", "mark").aggregate(n=marked.count())
    again = copies.filter(copies.n > 1)
    rows, customers = (again.n - 1).sum().fill_null(0), again.customer_id.nunique()
    return again.aggregate(rows=rows, customers=customers).to_pyarrow().to_pandas()
