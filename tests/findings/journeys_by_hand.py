"""Whole journeys written out by hand, in days since the window's start, with the stage or branch each spell led to."""

import pandas as pd
import pyarrow as pa

from journeylab.events.journey import Journey
from journeylab.events.log import Window
from journeylab.events.spells import COLUMNS, Spells

START = pd.Timestamp("2025-01-01", tz="UTC")
STAGES = ("trial", "paid", "plus", "partner")
JOURNEY = Journey.model_validate(
    {
        "journeylab": 1,
        "name": "by hand",
        "goal": "Have journeys that I can follow by hand",
        "stages": [
            {"name": "trial", "opened_by": [{"event": "start"}], "silent_after": "30d"},
            {"name": "paid", "opened_by": [{"event": "buy"}], "reopened_by": [{"event": "downgrade"}]},
            {"name": "plus", "opened_by": [{"event": "upgrade"}]},
            {"name": "partner", "opened_by": [{"event": "refer"}], "completes": True},
        ],
        "loss_branches": [
            {"name": "price", "when": {"event": "cancel", "where": {"reason": "price"}}},
            {"name": "other", "when": {"event": "cancel"}},
        ],
    }
)


def at(day: float) -> pd.Timestamp:
    """`day` days after the window's start; a negative day lies before it."""
    return START + pd.Timedelta(microseconds=round(day * 86_400_000_000))


def journeys_of(rows, *, end: float = 100.0) -> Spells:
    """Spells from rows (customer, stage, entered, left, stage or branch it led to, or None), in the window from day 0
    to day `end`. What ended before day 0 is left out, as when spells are found."""
    lost_to, cells = {}, []
    for customer, stage, entered, left, to in rows:
        if left >= 0:
            cells.append(
                {
                    "customer_id": customer,
                    "stage": stage,
                    "entered": at(entered),
                    "left": at(left),
                    "observed_from": at(max(entered, 0)),
                    "days": float(left - entered),
                    "outcome": _outcome(stage, to),
                    "to": to,
                    "events": 1,
                    "returned_from": lost_to.get(customer),
                }
            )
        lost_to[customer] = None if to in (*STAGES, None) else to
    table = pd.DataFrame(cells, columns=[*COLUMNS])
    for column, kind in COLUMNS.items():
        if kind == "time":
            table[column] = pd.to_datetime(table[column], utc=True).dt.as_unit("us")
    table["spell"] = table.groupby("customer_id").cumcount() + 1
    customers = pd.DataFrame(index=pd.Index([], name="customer_id"))
    return Spells(pa.Table.from_pandas(table, preserve_index=False), JOURNEY, Window(START, at(end)), customers)


def _outcome(stage: str, to: str | None) -> str:
    if to is None:
        return "ongoing"
    if to not in STAGES:
        return "lost"
    if to == "partner":
        return "completed"
    return "advanced" if STAGES.index(to) > STAGES.index(stage) else "regressed"
