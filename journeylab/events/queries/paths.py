"""Paths: where did each visit to a stage come from, where did it lead, and which way did each customer take?"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from journeylab.base.durations import DAY, all_since_1970
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.events.journey import Journey
from journeylab.events.spells.exits import positions

FIRST_ENTRY, EARLIER_LOSS, ALREADY_INSIDE = "first entry", "earlier loss", "already inside"
SOURCES = (FIRST_ENTRY, EARLIER_LOSS, ALREADY_INSIDE)
ONGOING = "ongoing"
LOOPS = ("shown", "collapsed")


@dataclass(frozen=True, eq=False)
class Paths:
    """The visits of all customers, or of one group, in order, each with where it came from and where it led.

    group: whose visits; None where no groups were asked for.
    stages, branches: the journey's, in its order. What follows holds positions in `places`: stages, then branches,
        then the ways in from outside (`SOURCES`), then `ongoing`.
    customer: int64 (visits,), ascending from 0 without gaps; the visits of one customer are in order of time.
    stage: int64 (visits,). source: where each came from: the stage or branch before, or `first entry` (into the
        journey), `earlier loss` (back from a loss before watching began), `already inside` (watched from midway).
    target: where each led: a stage, a branch, or `ongoing`.
    days: float64 (visits,), from entering to leaving, or to the window's end. is_whole: bool (visits,), whether the
        visit was watched from its beginning.
    away: float64 (visits,), days between a loss and the return from it; missing where there was none.
    watched, ended: float64 (customers,), microseconds since 1970 UTC: when each began to be watched, and the end of
        the path: the loss, the entry into a stage that completes the journey, or the window's end.
    is_from_start: bool (customers,), whether the path begins where the customer entered the journey.
    """

    group: str | None
    stages: tuple[str, ...]
    branches: tuple[str, ...]
    customer: np.ndarray
    stage: np.ndarray
    source: np.ndarray
    target: np.ndarray
    days: np.ndarray
    is_whole: np.ndarray
    away: np.ndarray
    watched: np.ndarray
    ended: np.ndarray
    is_from_start: np.ndarray

    @property
    def n(self) -> int:
        """Number of visits."""
        return len(self.customer)

    @property
    def n_customers(self) -> int:
        """Number of customers who made them."""
        return len(self.watched)

    @property
    def places(self) -> tuple[str, ...]:
        """What the codes of `stage`, `source` and `target` stand for."""
        return (*self.stages, *self.branches, *SOURCES, ONGOING)

    @cached_property
    def returned_to(self) -> tuple[np.ndarray, np.ndarray]:
        """For each visit that ended in a loss: its position, and the stage the customer came back to (or `ongoing`:
        not back so far)."""
        lost = np.flatnonzero((self.target >= len(self.stages)) & (self.target < len(self.stages) + len(self.branches)))
        following = np.minimum(lost + 1, self.n - 1)
        is_back = (lost + 1 < self.n) & (self.customer[following] == self.customer[lost])
        return lost, np.where(is_back, self.stage[following], self.places.index(ONGOING))


def find_paths(visits: pd.DataFrame, journey: Journey, *, from_start: Iterable[str]) -> list[Paths]:
    """The paths of each group in `visits` (sorted; one without a group where there is no column `group`).

    `visits` has the columns of spells; `from_start` holds the ids of the customers whose entry into the journey was
    watched. Raises EstimateError where the visits name a stage or a branch that the journey lacks, or where one does
    not begin where the one before it led: then nothing could add up.
    """
    if "group" not in visits:
        return [_paths(visits, journey, None, from_start)]
    groups = sorted(visits["group"].unique())
    return [_paths(visits[visits["group"] == group], journey, group, from_start) for group in groups]


def _paths(visits: pd.DataFrame, journey: Journey, group: str | None, from_start: Iterable[str]) -> Paths:
    customer, ids = pd.factorize(visits["customer_id"], sort=True)
    number = visits["spell"].to_numpy()
    order = np.lexsort((number, customer))
    customer, number = customer[order].astype(np.int64), number[order]
    entered, left, observed = (all_since_1970(visits[column])[order] for column in ("entered", "left", "observed_from"))
    stages, branches = journey.stage_names, journey.branches
    n_stages, ongoing = len(stages), len(stages) + len(branches) + len(SOURCES)
    stage = positions(visits["stage"], stages, "stage")[order]
    came_back = positions(visits["returned_from"], branches, "loss branch", may_be_missing=True)[order]
    led_to = visits["to"].where(visits["outcome"] != ONGOING)
    target = positions(led_to, (*stages, *branches), "stage or branch", may_be_missing=True)[order]
    target = np.where(target < 0, ongoing, target)
    is_first = np.diff(customer, prepend=-1) != 0
    before = np.roll(target, 1)
    is_late = observed > entered
    follows = is_first | (before == np.where(came_back >= 0, n_stages + came_back, stage))
    if not follows.all():
        first_wrong = ids[customer[np.argmin(follows)]]
        raise EstimateError(
            f"The visits of customer “{first_wrong}” do not follow from one another: one does not begin where the one "
            "before it led. Find the spells again; find_flaws(spells) lists what else is wrong."
        )
    began_before = [is_late | ((number > 1) & (came_back < 0)), came_back >= 0]
    outside = np.select(began_before, [ongoing - 1, ongoing - 2], ongoing - 3)
    inside = np.where(came_back >= 0, n_stages + came_back, np.roll(stage, 1))
    first, last = np.flatnonzero(is_first), np.flatnonzero(np.roll(is_first, -1))
    completes = np.array([of_stage.completes for of_stage in journey.stages], bool)
    return Paths(
        group=group,
        stages=stages,
        branches=branches,
        customer=customer,
        stage=stage,
        source=np.where(is_first, outside, inside),
        target=target,
        days=(left - entered) / DAY,
        is_whole=~is_late,
        away=np.where(~is_first & (came_back >= 0), (entered - np.roll(left, 1)) / DAY, np.nan),
        watched=observed[first].astype(float),
        ended=np.where(completes[stage[last]], entered[last], left[last]).astype(float),
        is_from_start=np.asarray(ids.isin(set(from_start)) if len(ids) else np.zeros(0, bool)),
    )


@dataclass(frozen=True, eq=False)
class Ways:
    """The ways that customers took, as a tree: each way is a step after another way.

    loops: `shown`: every visit, and every loss from which the customer came back, is a step; `collapsed`: a stage is
        a step only where it was first visited, and losses with a return are none.
    parent, step: int64 (ways,), the way before and the place (a position in `Paths.places`) reached; way 0 is the
        empty one. way: int64 (customers,), which way each took. length: int64 (customers,), its steps.
    """

    loops: str
    parent: np.ndarray
    step: np.ndarray
    way: np.ndarray
    length: np.ndarray

    def steps(self, way: int) -> tuple[int, ...]:
        """The places of `way`, in order; the last is where it ended so far."""
        steps = []
        while way:
            steps.append(int(self.step[way]))
            way = int(self.parent[way])
        return tuple(reversed(steps))


def find_ways(paths: Paths, *, loops: str) -> Ways:
    """The way of every customer of `paths`; the last step is how it ended: a branch, or `ongoing`. All customers take
    their k-th step together. Raises EstimateError for unknown `loops`."""
    if loops not in LOOPS:
        raise EstimateError(f"Loops cannot be “{loops}”. {did_you_mean(loops, LOOPS)}")
    owner, place = _steps(paths, loops)
    length = np.bincount(owner, minlength=paths.n_customers)
    begins = np.cumsum(length) - length
    way, n_places = np.zeros(paths.n_customers, np.int64), len(paths.places)
    parents, steps, n_ways = [np.zeros(1, np.int64)], [np.zeros(1, np.int64)], 1
    walking = np.arange(paths.n_customers)
    for k in range(length.max(initial=0)):
        walking = walking[length[walking] > k]
        pairs, position = np.unique(way[walking] * n_places + place[begins[walking] + k], return_inverse=True)
        way[walking] = n_ways + position
        parents.append(pairs // n_places)
        steps.append(pairs % n_places)
        n_ways += len(pairs)
    return Ways(loops, np.concatenate(parents), np.concatenate(steps), way, length)


def _steps(paths: Paths, loops: str) -> tuple[np.ndarray, np.ndarray]:
    """Whose step each is, ascending, and the place reached; the steps of one customer are in order."""
    rows = np.arange(paths.n)
    if loops == "collapsed":
        rows = np.sort(np.unique(paths.customer * len(paths.stages) + paths.stage, return_index=True)[1])
        back = rows[:0]
    else:
        back = rows[~np.isnan(paths.away)]
    last = np.flatnonzero(np.diff(paths.customer, append=paths.n_customers))
    owner = np.concatenate([paths.customer[back], paths.customer[rows], paths.customer[last]])
    place = np.concatenate([paths.source[back], paths.stage[rows], paths.target[last]])
    # The loss comes before the visit in which the customer came back, and the end after the last visit.
    order = np.argsort(np.concatenate([3 * back, 3 * rows + 1, 3 * last + 2]), kind="stable")
    return owner[order], place[order]
