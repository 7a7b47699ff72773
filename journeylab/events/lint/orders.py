"""Orders: who acts before the journey began, what depends on the order of equal times, and what was loaded twice?"""

import re
from collections.abc import Collection, Iterator

import pandas as pd

from journeylab.base.words import counted, listed, percent
from journeylab.events.journey import Condition, Journey
from journeylab.events.lint.near_misses import Rule
from journeylab.events.lint.remarks import Remark, warning
from journeylab.events.log import EventLog, written
from journeylab.events.queries.equal_times import (
    changed_by_order,
    customers_with_ties,
    is_newest_first,
    orders_by_row,
    repeated_rows,
)

BEGAN, ACTED = "began", "acted"
# From this share of customers on it is told; and of so many at most the spells are found in both orders.
_LEAST_SHARE, _MOST_TRIED = 0.01, 20_000
_MOST_NAMED = 3
# What a loader adds to each row, by the names of columns that many tools use.
_LOADED = re.compile(
    r"(?:^|_)(?:load|loaded|loader|ingest|ingested|ingestion|insert|inserted|import|imported|upload|uploaded|extract|"
    r"extracted|received|synced|sync|etl|elt|batch|chunk|part|partition|offset|file|filename|filepath|source_file|"
    r"row|rownum|rownumber|row_id|row_number|line|line_number|index|job|run_id|dag)(?:_|$)"
    r"|^_(?:sdc|airbyte|fivetran|dlt|dbt|dp|stg|rescued|metadata)_|^unnamed|^(?:created|updated)_in_|^dw_|^dwh_",
    re.IGNORECASE,
)
_MEANT = ("customer_id", "time", "event", "seq", "event_id", "channel", "process", "initiator", "contact_id", "role")


def opening_rules(journey: Journey, rules: Collection[Rule]) -> dict[str, list[Condition]]:
    """Which conditions open the first stage that has an opener (`began`), and which open a later one or lose a customer
    (`acted`); empty unless there are both, and where customers move freely, for then any stage may be the first."""
    at = next((at for at, stage in enumerate(journey.stages) if stage.opened_by), None)
    began = [rule[2] for rule in rules if rule[0][:3] == ("stages", at, "opened_by")]
    acted = [
        rule[2] for rule in rules if rule[0][0] == "loss_branches" or ("opened_by" in rule[0] and rule[0][1] != at)
    ]
    return {BEGAN: began, ACTED: acted} if began and acted and journey.movement == "forward" else {}


def acts_before_opener(
    journey: Journey, customers: pd.DataFrame, rules: dict[str, list[Condition]]
) -> Iterator[Remark]:
    """Customers who enter a later stage, or are lost, before the event that opens the first stage.

    customers: `customer_id`, and the first time of `rules`, as `glance_at_customers` gives them.
    """
    if not rules:
        return
    began = customers.dropna(subset=BEGAN)
    early = began[began[ACTED] < began[BEGAN]].sort_values("customer_id")
    if len(early) and len(early) >= _LEAST_SHARE * len(began):
        stage = next(stage for stage in journey.stages if stage.opened_by)
        opens, acts = (_names(rules[name]) for name in (BEGAN, ACTED))
        first, was = early.iloc[0], early.iloc[0]["customer_id"]
        yield warning(
            "acts-before-opener",
            ("stages", journey.position(stage.name), "opened_by"),
            f"{counted(len(early), 'customer')} of {len(began):,} ({percent(len(early) / len(began))}) have {acts} "
            f"before their first {opens}, which opens stage “{stage.name}”. They skip the stage, or what they did "
            "before counts for nothing.",
            "Check the clocks that wrote these times. If they are right, check the order of the stages.",
            f"For example, “{was}” on {written(first[ACTED])}, and {opens} on {written(first[BEGAN])}.",
        )


def _names(conditions: Collection[Condition]) -> str:
    names = sorted({f"“{name}”" for condition in conditions for name in condition.events})
    shown = names if len(names) <= _MOST_NAMED else [*names[:_MOST_NAMED], f"{len(names) - _MOST_NAMED} other events"]
    return " or ".join(shown)


def loaded_twice(log: EventLog) -> Iterator[Remark]:
    """Rows that are equal but for what a loader adds, such as the time of loading or the file."""
    columns = [name for name in log.events.columns if name not in _MEANT and _LOADED.search(name)]
    if not columns:
        return
    again = repeated_rows(log, besides=columns).iloc[0]
    if again["rows"]:
        names = listed([f"“{name}”" for name in columns])
        yield warning(
            "loaded-twice",
            "events",
            f"{counted(int(again['rows']), 'row')} of {counted(int(again['customers']), 'customer')} repeat another "
            f"row and differ from it only in {names}. They count twice, as in a validation that asks for two events.",
            f"Keep one row of each in the source, or leave {names} out of it: equal rows are refused as duplicates.",
        )


def hangs_on_order(log: EventLog, journey: Journey, rules: Collection[Rule], *, n_customers: int) -> Iterator[Remark]:
    """Customers whose answers change when events of one time act in the reverse order of their rows."""
    proofs = [condition for path, _, condition in rules if path[-1] == "validated_by"]
    moves = [condition for path, _, condition in rules if path[-1] != "validated_by"]
    if not moves or not orders_by_row(log):
        return
    tied = customers_with_ties(log, moves, proofs)
    if len(tied) < _LEAST_SHARE * n_customers or not tied:
        return
    tried = tied[:: -(-len(tied) // _MOST_TRIED)]
    changed = changed_by_order(log, journey, tried)
    share = len(changed) / len(tried) * len(tied) / n_customers
    if not changed or share < _LEAST_SHARE:
        return
    base = f"of {n_customers:,}" if len(tried) == len(tied) else f"of {len(tried):,} looked at"
    newest = (
        " The rows run from the newest to the oldest, so the last of a day acts first." if is_newest_first(log) else ""
    )
    yield warning(
        "hangs-on-order",
        "events: seq",
        f"{counted(len(changed), 'customer')} {base} ({percent(share)}) have other stages, losses or "
        f"validations when events of one time act in the reverse order. No column numbers the events, so "
        f"they act in the order of the rows.{newest}",
        "Map a column that numbers the events to “seq”, or times that are more exact"
        + (", or sort the source by time." if newest else "."),
        f"For example, “{changed[0]}”.",
    )
