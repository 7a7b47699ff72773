"""Ledger: how many entered each stage, and what became of every one of them so far?"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from journeylab.base.errors import EstimateError
from journeylab.events.journey import Journey
from journeylab.events.spells.exits import MOVES, Exits

_NOT_PARTS = ("group", "stage", "entered", "already_inside")


def build_ledger(exits: Iterable[Exits], journey: Journey) -> pd.DataFrame:
    """Counts of visits, a row for each of `exits` in their order.

    Columns: `group` (if there are groups), `stage`, `entered`, `advanced`, `regressed`, `completed`, one per loss
    branch in the journey's order, `ongoing`; and `already_inside`: of those who entered, how many had begun before they
    were watched. Without any exits there is no row: groups were asked for, and nobody is in one.
    """
    ways = (*MOVES, *journey.branches)
    return _ledger(
        (
            {
                "group": each.group,
                "stage": each.stage,
                "entered": each.n,
                **{way: each.count(way) for way in ways},
                "ongoing": each.n_ongoing,
                "already_inside": each.n_already_inside,
            }
            for each in exits
        ),
        ways,
    )


def build_customer_ledger(exits: Iterable[Exits], journey: Journey) -> pd.DataFrame:
    """As `build_ledger`, of the customers who made the visits: these do not add up, as one may come several times."""
    ways = (*MOVES, *journey.branches)
    return _ledger(
        (
            {
                "group": each.group,
                "stage": each.stage,
                "entered": each.n_customers,
                **{way: each.count_customers(way) for way in ways},
                "ongoing": each.count_customers(),
                "already_inside": len(np.unique(each.customers[each.entry >= 0])),
            }
            for each in exits
        ),
        ways,
    )


def _ledger(rows: Iterable[dict], ways: tuple[str, ...]) -> pd.DataFrame:
    counts = ("entered", *ways, "ongoing", "already_inside")
    ledger = pd.DataFrame(list(rows), columns=["group", "stage", *counts]).astype(dict.fromkeys(counts, int))
    is_whole = len(ledger) > 0 and ledger["group"].isna().all()
    return ledger.drop(columns="group") if is_whole else ledger


def check_ledger(ledger: pd.DataFrame) -> None:
    """Raise EstimateError unless in each row entered = advanced + regressed + completed + lost by branch + ongoing.

    A row with missing counts, as of a ledger that is handed on, cannot be checked.
    """
    accounted = ledger[ledger_parts(ledger)].sum(axis=1, skipna=False)
    wrong = ledger[(accounted != ledger["entered"]) & accounted.notna() & ledger["entered"].notna()]
    if len(wrong):
        row = wrong.iloc[0]
        raise EstimateError(
            f"The ledger of stage “{row['stage']}” does not add up: {row['entered']:,} entered, and "
            f"{accounted[wrong.index[0]]:,} advanced, regressed, completed, were lost or are ongoing. "
            "Every visit must have exactly one outcome: find the spells again."
        )


def ledger_parts(ledger: pd.DataFrame) -> list[str]:
    """The columns that `entered` is the sum of."""
    return [column for column in ledger if column not in _NOT_PARTS]
