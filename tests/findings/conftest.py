"""Spells written out by hand, in days since the window's start, for tests of findings."""

import pandas as pd
import pyarrow as pa
import pytest

from journeylab.events.journey import Journey
from journeylab.events.log import Window
from journeylab.events.spells import COLUMNS, Spells

START = pd.Timestamp("2025-01-01", tz="UTC")
JOURNEY = Journey.model_validate(
    {
        "journeylab": 1,
        "name": "by hand",
        "goal": "Have numbers that I can check by hand",
        "stages": [
            {"name": "trial", "opened_by": [{"event": "start"}], "silent_after": "30d"},
            {"name": "paid", "opened_by": [{"event": "buy"}], "reopened_by": [{"event": "downgrade"}]},
            {"name": "plus", "opened_by": [{"event": "upgrade"}]},
            {"name": "partner", "opened_by": [{"event": "refer"}], "completes": True},
        ],
        "loss_branches": [
            {"name": "price", "from": ["trial", "paid"], "when": {"event": "cancel", "where": {"reason": "price"}}},
            {"name": "other", "when": {"event": "cancel"}},
        ],
    }
)


def at(day: float) -> pd.Timestamp:
    """`day` days after the window's start; a negative day lies before it."""
    return START + pd.Timedelta(microseconds=round(day * 86_400_000_000))


@pytest.fixture(scope="session")
def spells_of():
    """A function: rows (customer, stage, entered, left, way out or None), in days, as Spells.

    The way out is advanced, regressed, completed or a branch; None is ongoing. What was entered before day 0 was
    watched from day 0 on.
    """
    return _spells_of


def _spells_of(
    rows, *, attributes: pd.DataFrame | None = None, journey: Journey = JOURNEY, end: float = 1000.0
) -> Spells:
    table = pd.DataFrame(
        [
            {
                "customer_id": customer,
                "stage": stage,
                "entered": at(entered),
                "left": at(left),
                "observed_from": at(max(entered, 0)),
                "days": float(left - entered),
                "outcome": _outcome(way, journey),
                "to": way,
                "events": 1,
            }
            for customer, stage, entered, left, way in rows
        ],
        columns=[*COLUMNS],
    )
    for column, kind in COLUMNS.items():
        if kind == "time":
            table[column] = pd.to_datetime(table[column], utc=True).dt.as_unit("us")
    table["spell"] = table.groupby("customer_id").cumcount() + 1
    customers = attributes if attributes is not None else pd.DataFrame(index=pd.Index([], name="customer_id"))
    return Spells(pa.Table.from_pandas(table, preserve_index=False), journey, Window(START, at(end)), customers)


def _outcome(way: str | None, journey: Journey) -> str:
    if way is None:
        return "ongoing"
    return "lost" if way in journey.branches else way
