"""Journeys, logs and spells written out by hand, in days since the window's start."""

from collections.abc import Iterable
from functools import partial

import pandas as pd
import pyarrow as pa

from journeylab.events.journey import Journey
from journeylab.events.log import EventLog, Window
from journeylab.events.reading import read_events
from journeylab.events.spells import COLUMNS, Spells

START = pd.Timestamp("2025-01-01", tz="UTC")
LOST_TO_PRICE = {"name": "price", "when": {"event": "cancel"}}
OUTCOMES = ("advanced", "regressed", "completed")


def journey_of(stages: Iterable[dict], branches: Iterable[dict] = (), movement: str = "forward") -> Journey:
    """A journey of `stages` and `branches` as journey.yml would write them."""
    document = {"journeylab": 1, "name": "by hand", "goal": "Have numbers that I can check by hand"}
    return Journey.model_validate(
        document | {"movement": movement, "stages": list(stages), "loss_branches": list(branches)}
    )


JOURNEY = journey_of(
    [
        {"name": "trial", "opened_by": [{"event": "start"}], "silent_after": "30d"},
        {"name": "paid", "opened_by": [{"event": "buy"}], "reopened_by": [{"event": "downgrade"}]},
        {"name": "plus", "opened_by": [{"event": "upgrade"}]},
        {"name": "partner", "opened_by": [{"event": "refer"}], "completes": True},
    ],
    [
        {"name": "price", "from": ["trial", "paid"], "when": {"event": "cancel", "where": {"reason": "price"}}},
        {"name": "other", "when": {"event": "cancel"}},
    ],
)


def at(day: float) -> pd.Timestamp:
    """`day` days after the window's start; a negative day lies before it."""
    return START + pd.Timedelta(microseconds=round(day * 86_400_000_000))


def window_to(end: float) -> Window:
    """The window from day 0 to day `end`."""
    return Window(START, at(end))


def log_of(rows: Iterable[dict], *, end: float = 100.0, customers: pd.DataFrame | None = None) -> EventLog:
    """A log of rows {customer_id, event, day, and what else an event has}, in the window from day 0 to day `end`."""
    table = pd.DataFrame(list(rows))
    table["time"] = START + pd.to_timedelta(table["day"], unit="D")
    names = {name: name for name in ("customer_id", "event", "time")}
    return read_events(table.drop(columns="day"), columns=names, window=window_to(end), customers=customers)


def spells_of(
    rows: Iterable[tuple],
    *,
    journey: Journey = JOURNEY,
    end: float = 1000.0,
    attributes: pd.DataFrame | None = None,
) -> Spells:
    """Spells from rows (customer, stage, entered, left, to) or, with the day of validation, (…, to, validated).

    `to` is the stage or the branch that the spell led to, or only how it ended (advanced, regressed, completed), or
    None where it is ongoing. What was entered before day 0 was watched from day 0 on; what ended before day 0 is left
    out, as when spells are found, but whom it lost came back.
    """
    lost_to: dict[str, str | None] = {}
    cells = []
    for customer, stage, entered, left, to, *validated in rows:
        if left >= 0:
            cells.append(
                {
                    "customer_id": customer,
                    "stage": stage,
                    "entered": at(entered),
                    "left": at(left),
                    "observed_from": at(max(entered, 0)),
                    "days": float(left - entered),
                    "outcome": _outcome(stage, to, journey),
                    "to": to,
                    "validated": next((at(day) for day in validated if day is not None), None),
                    "events": 1,
                    "returned_from": lost_to.get(customer),
                }
            )
        lost_to[customer] = to if to in journey.branches else None
    table = pd.DataFrame(cells, columns=[*COLUMNS])
    for column, kind in COLUMNS.items():
        if kind == "time":
            table[column] = pd.to_datetime(table[column], utc=True).dt.as_unit("us")
    table["spell"] = table.groupby("customer_id").cumcount() + 1
    customers = attributes if attributes is not None else pd.DataFrame(index=pd.Index([], name="customer_id"))
    return Spells(pa.Table.from_pandas(table, preserve_index=False), journey, window_to(end), customers)


# Whole journeys, in which customers come back: the same, in a shorter window.
journeys_of = partial(spells_of, end=100.0)


def _outcome(stage: str, to: str | None, journey: Journey) -> str:
    if to is None:
        return "ongoing"
    if to in OUTCOMES:
        return to
    if to in journey.branches:
        return "lost"
    names = journey.stage_names
    if journey.stages[names.index(to)].completes:
        return "completed"
    return "advanced" if names.index(to) > names.index(stage) else "regressed"
