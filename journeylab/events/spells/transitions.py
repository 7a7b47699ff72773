"""Transitions: on the journey clock, when did each customer come to each stage or branch, and where did they go?"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from journeylab.base.durations import DAY, all_since_1970, since_1970
from journeylab.events.spells.exits import CENSORED, positions
from journeylab.events.spells.spells import Spells

# Between the stage and the branch in the name of a state, where losses are kept apart by stage: the unit separator. Of
# texts that are equal up to a null pandas thinks that they are the same.
FROM_TO = "\x1f"


@dataclass(frozen=True, eq=False)
class Transitions:
    """The stages and branches that customers held, on the journey clock: days since they first entered the journey.

    Between a loss and the return from it a customer holds the branch; so each holds one state at any time, from
    entering the journey to the window's end.

    states: the journey's stages in order, then its branches. n_stages: how many of them are stages.
    group: whose journeys; None where no groups were asked for.
    entry, exit: float64 (rows,), days; equal where a state was held for no time.
    origin, destination: int64 (rows,), positions in `states`; destination -1 where the window ended.
    customer: int64 (rows,), position in `ids`, ascending; the rows of one customer are in order.
    ids: (customers,), their customer_id. began: int64 (customers,), when each entered the journey, microseconds UTC.
    since, until: float64 (customers,), the days from and to which each was watched; at risk on (since, until].
    n_left_out: customers with spells who entered the journey before the window. When is not known, as what ended before
        the window is not in the spells. They are not in here.
    """

    states: tuple[str, ...]
    n_stages: int
    group: str | None
    entry: np.ndarray
    exit: np.ndarray
    origin: np.ndarray
    destination: np.ndarray
    customer: np.ndarray
    ids: np.ndarray
    began: np.ndarray
    since: np.ndarray
    until: np.ndarray
    n_left_out: int

    @property
    def n(self) -> int:
        """Number of customers watched for any time."""
        return int((self.since < self.until).sum())

    @property
    def last_day(self) -> float:
        """The latest day on which anyone was watched; missing if nobody was."""
        return float(self.until[self.since < self.until].max(initial=-np.inf)) if self.n else float("nan")

    def n_watched(self, days: np.ndarray | float, *, just: str = "before") -> np.ndarray:
        """Number of customers watched, in any state, just `before` or just `after` each of `days`."""
        sides: dict[str, Literal["left", "right"]] = {"before": "left", "after": "right"}
        watched = self.since < self.until
        begun, ended = np.sort(self.since[watched]), np.sort(self.until[watched])
        return np.searchsorted(begun, days, sides[just]) - np.searchsorted(ended, days, sides[just])

    def day_with(self, min_watched: int) -> float:
        """The first day just after which `min_watched` customers are watched, or the most if never as many are."""
        days = np.unique(self.since[self.since < self.until])
        n_watched = self.n_watched(days, just="after")
        return float(days[np.argmax(n_watched >= min(min_watched, n_watched.max()))])

    def only(self, chosen: np.ndarray, *, group: str | None) -> "Transitions":
        """The journeys of the customers for whom `chosen` is true, bool (customers,), as those of a group."""
        rows = self._rows(chosen[self.customer])
        columns = {name: getattr(self, name)[chosen] for name in ("ids", "began", "since", "until")}
        return replace(rows, group=group, customer=(np.cumsum(chosen) - 1)[rows.customer], **columns)

    def watched_from(self, days: np.ndarray | float) -> "Transitions":
        """The same journeys, each watched only from the given day on (one for all, or one per customer)."""
        since = np.maximum(self.since, days)
        rows = self._rows(self.exit > since[self.customer])
        return replace(rows, entry=np.maximum(rows.entry, since[rows.customer]), since=since)

    def until_reached(self, state: str) -> "Transitions":
        """The journeys to `state`: those who come to it, if only for no time, hold it from then to the end of watching.

        The probability of holding it is then that of ever having reached it.
        """
        code = self.states.index(state)
        there = np.flatnonzero(self.origin == code)
        reached, first = np.unique(self.customer[there], return_index=True)
        row = np.full(len(self.ids), len(self.origin))
        row[reached] = there[first]
        number = np.arange(len(self.origin))
        is_final = number == row[self.customer]
        stays = replace(
            self,
            exit=np.where(is_final, self.until[self.customer], self.exit),
            destination=np.where(is_final, CENSORED, self.destination),
        )
        return stays._rows(number <= row[self.customer])

    def _rows(self, chosen: np.ndarray) -> "Transitions":
        columns = ("entry", "exit", "origin", "destination", "customer")
        return replace(self, **{name: getattr(self, name)[chosen] for name in columns})


def find_transitions(spells: Spells, *, by_stage: bool = False) -> Transitions:
    """The transitions of all customers who entered the journey within the window.

    With `by_stage` a branch is a state of its own for each stage that customers were lost from, named by both with
    `FROM_TO` between them; else customers lost to a branch are in one state, wherever they were before.

    A customer whose first spell was running when the window began, or is a return from a loss before it, entered the
    journey earlier, and the spells do not say when. Raises EstimateError where the spells name a stage or branch that
    the journey lacks.
    """
    visits, code, ids = _in_order(spells)
    entered, left = (all_since_1970(visits[column]) for column in ("entered", "left"))
    start, end = since_1970(spells.window.start), since_1970(spells.window.end)
    first = np.flatnonzero(np.diff(code, prepend=-1))
    began = entered[first]
    branches = spells.journey.branches
    if by_stage:
        lost = (visits["outcome"] == "lost").to_numpy()
        to = visits["to"].astype(object)
        visits = visits.assign(to=to.where(~lost, visits["stage"].astype(object) + FROM_TO + to))
        branches = tuple(sorted(visits.loc[lost, "to"].unique()))
    states = (*spells.journey.stage_names, *branches)
    customer, since, until, origin, destination = _held(visits, code, entered, left, states, end)
    everybody = Transitions(
        states=states,
        n_stages=len(spells.journey.stages),
        group=None,
        entry=(since - began[customer]) / DAY,
        exit=(until - began[customer]) / DAY,
        origin=origin,
        destination=destination,
        customer=customer,
        ids=ids,
        began=began,
        since=np.zeros(len(ids)),
        until=(end - began) / DAY,
        n_left_out=0,
    )
    is_known = (began >= start) & visits["returned_from"].isna().to_numpy()[first]
    return replace(everybody.only(is_known, group=None), n_left_out=int((~is_known).sum()))


def _in_order(spells: Spells) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """The spells by customer and number; the position of each one's customer among the ids; the ids, sorted."""
    columns = ["customer_id", "spell", "stage", "entered", "left", "outcome", "to", "returned_from"]
    visits = spells.table.select(columns).to_pandas()
    code, ids = pd.factorize(visits["customer_id"], sort=True)
    order = np.lexsort((visits["spell"].to_numpy(), code))
    return visits.iloc[order], code[order].astype(np.int64), np.asarray(ids, dtype=object)


def _held(
    visits: pd.DataFrame, code: np.ndarray, entered: np.ndarray, left: np.ndarray, states: tuple, end: int
) -> list[np.ndarray]:
    """Which customer held which state, from when to when (microseconds), and went where; in order.

    Each visit is a row, and each loss another: the time in the branch, until the next visit or the window's end.
    """
    stage = positions(visits["stage"], states, "stage")
    target = visits["to"].where(visits["outcome"] != "ongoing")
    to = positions(target, states, "stage or branch", may_be_missing=True)
    lost = np.flatnonzero(visits["outcome"] == "lost")
    following = np.minimum(lost + 1, len(code) - 1)
    comes_back = (lost + 1 < len(code)) & (code[following] == code[lost])
    columns = (
        (code, code[lost]),
        (entered, left[lost]),
        (left, np.where(comes_back, entered[following], end)),
        (stage, to[lost]),
        (to, np.where(comes_back, stage[following], CENSORED)),
    )
    in_order = np.argsort(np.concatenate([np.arange(len(code)), lost]), kind="stable")
    return [np.concatenate(parts)[in_order] for parts in columns]
