"""Units: is what is lost counted in visits, in first visits, or in customers?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import pandas as pd

from journeylab.base.errors import EstimateError
from journeylab.events.journey import Journey
from journeylab.events.spells.exits import CENSORED, Exits, find_exits, watched_visits
from journeylab.findings.dropoff.differences import LOST
from journeylab.findings.exit_curves import StageExits

Unit = Literal["visits", "first_visits", "customers"]
# What one of them is called, and from what its clock starts.
NOUNS = {"visits": "visit", "first_visits": "first visit", "customers": "customer"}


def check_unit(unit: str) -> None:
    """Raise EstimateError unless `unit` is one of those there are."""
    if unit not in get_args(Unit):
        raise EstimateError(f"The unit is “{unit}”. Use “visits”, “first_visits” or “customers”.")


def first_visits(visits: pd.DataFrame, every_visit: pd.DataFrame) -> pd.DataFrame:
    """Those of `visits` that are their customer's first to the stage among `every_visit`."""
    first = every_visit.sort_values(["customer_id", "spell"]).drop_duplicates(["customer_id", "stage"])
    names = ["customer_id", "spell"]
    return visits[pd.MultiIndex.from_frame(visits[names]).isin(pd.MultiIndex.from_frame(first[names]))]


@dataclass(frozen=True, eq=False)
class CustomersLost:
    """Customers lost at each stage to each branch, later visits included, on the clock of days since they entered.

    visits: those that were watched. end: of the window. min_at_risk, confidence: as in `StageExits`.
    """

    visits: pd.DataFrame
    journey: Journey
    end: pd.Timestamp
    min_at_risk: int
    confidence: float

    @cached_property
    def any_loss(self) -> tuple[StageExits, ...]:
        """By group and stage, with one exit: lost, by any branch."""
        return tuple(self._cells(self.journey.branches, LOST))

    @cached_property
    def by_branch(self) -> tuple[StageExits, ...]:
        """By group, stage and branch, with that branch as the only exit."""
        return tuple(cell for branch in self.journey.branches for cell in self._cells((branch,), branch))

    def numbers(self, day: float, *, together: bool) -> dict[tuple, tuple[float, int]]:
        """By group, stage and branch: how many customers are lost within `day` days, and how many were seen to be."""
        cells = self.any_loss if together else self.by_branch
        rows = (row for cell in cells for row in cell.rows([day]))
        return {(row["group"], row["stage"], row["to"]): (row["estimate"] * row["n"], row["events"]) for row in rows}

    def _cells(self, branches: Sequence[str], name: str) -> Iterator[StageExits]:
        for exits in find_exits(self._until_lost(branches), self.journey):
            if set(branches).intersection(exits.ways):
                yield StageExits(_with_one_way(exits, branches, name), self.min_at_risk, self.confidence)

    def _until_lost(self, branches: Sequence[str]) -> pd.DataFrame:
        """A row for each customer and stage: from the first entry to the first loss to one of `branches`."""
        visits = watched_visits(self.visits).sort_values(["customer_id", "spell"])
        keys = ["customer_id", "stage"]
        is_lost = (visits["outcome"] == "lost") & visits["to"].isin(branches)
        lost = visits[is_lost].drop_duplicates(keys)[[*keys, "left", "to", "outcome"]]
        rows = visits.drop_duplicates(keys).drop(columns=["left", "to", "outcome"]).merge(lost, on=keys, how="left")
        left = rows["left"].fillna(self.end).astype(visits["left"].dtype)
        return rows.assign(left=left, outcome=rows["outcome"].fillna("ongoing"))


def _with_one_way(exits: Exits, branches: Sequence[str], name: str) -> Exits:
    """`exits`, of which all that ended did so by one of `branches`, with these as the only exit."""
    merged = exits.merged(tuple(branch for branch in branches if branch in exits.ways), name)
    earliest = {way: first for way, first in merged.earliest.items() if way == name}
    return replace(merged, ways=(name,), destination=np.where(exits.destination > 0, 1, CENSORED), earliest=earliest)
