"""Matching: at what age were customers lost, and who was in the same stage at the same age and stayed?

A declared loss is looked back on from the moment of the loss. Somebody lost to silence did nothing of their own for as
long as silence takes, by definition; so that loss is looked back on from the last sign of life, and so are those who
stayed: from the last sign of life that they had given at the same age.
"""

from dataclasses import dataclass, replace

import numpy as np

from journeylab.estimators.control_sampling import NOBODY, ControlPool
from journeylab.estimators.matched_sets import MatchedSets
from journeylab.events.journey import SILENT
from journeylab.events.queries.event_windows import TimeSpans
from journeylab.findings.leavers.visits import Seen, StageVisits


@dataclass(frozen=True, eq=False)
class Lookback:
    """How far to look back (microseconds), how many controls a loss gets, how many losses of a kind to compare, and
    whether controls are of the calendar month of the loss."""

    before: int
    n_controls: int
    most_losses: int
    within_month: bool


@dataclass(frozen=True, eq=False)
class Matched:
    """Losses from a stage by a branch, each with visits that stayed.

    visits: of that stage. branch: how they were lost. n_lost: all visits lost so.
    members: int64 (sets, 1 + controls), positions of visits, the lost one first; NOBODY where there is no control.
    since, until: int64 (sets, 1 + controls), when to look at each member, in microseconds; until is not included. All
        members of a set are looked at for equally long.
    """

    visits: StageVisits
    branch: str
    n_lost: int
    members: np.ndarray
    since: np.ndarray
    until: np.ndarray

    @property
    def name(self) -> dict:
        """Group, stage and branch, as cells of a row."""
        return {**self.visits.name, "branch": self.branch}

    @property
    def sets(self) -> MatchedSets:
        """Whose the members are."""
        return MatchedSets(np.where(self.members >= 0, self.visits.customer[self.members], NOBODY))

    def looks(self) -> TimeSpans:
        """The looks at all members that there are, set by set."""
        there = self.members >= 0
        return self.visits.looks(self.members[there], self.since[there], self.until[there])

    def place_of(self, look: np.ndarray) -> np.ndarray:
        """Which member each look is at: the k-th of set i is i x (members of a set) + k."""
        return np.flatnonzero(self.members >= 0)[look]

    def last_signs(self) -> TimeSpans:
        """Where the last signs of life of all members may lie: no longer ago than silence takes."""
        there = self.members >= 0
        visit, moment = self.members[there], self.until[there]
        since = np.maximum(self.visits.entered[visit] + 1, moment - self.visits.silence - 1)
        return self.visits.looks(visit, since, moment)

    def from_last_signs(self, last: np.ndarray, *, before: int) -> "Matched":
        """The same losses looked back on from the last signs of life, those included: `last` has one for each look.

        Controls that had not acted since entering are no match for a customer who had. All members of a set are looked
        at for as long as the youngest of them had been there by then.
        """
        moment = np.full(self.members.shape, np.iinfo(np.int64).min)
        moment[self.members >= 0] = last
        entered = self.visits.entered[self.members]
        acted = (self.members >= 0) & (moment > entered)
        length = np.where(acted, moment - entered, before).min(axis=1, initial=before, keepdims=True)
        has_match = acted[:, 0] & acted[:, 1:].any(axis=1)
        members, moment = np.where(acted, self.members, NOBODY)[has_match], moment[has_match]
        return replace(self, members=members, since=moment - length[has_match] + 1, until=moment + 1)


def match_losses(
    visits: StageVisits, branch: str, lookback: Lookback, *, end: int, random: np.random.Generator
) -> Matched:
    """The losses by `branch`, at random no more than `most_losses`, each with controls drawn at random.

    A control is a visit to the same stage, of another customer, that was watched and still went on when it was as old
    as the lost visit had been, or had gone on until then at least, when the window ended (`end`); so it was inside at
    that age and did not leave. Where what happened before the window counts, nobody stands as a match before `before`
    of it has passed. Within calendar months, it was as old in the month of the loss. Losses at the very moment of
    entering, and those without any control, are left out.
    """
    is_silent = branch == SILENT
    reach = lookback.before + (visits.silence if is_silent else 0)
    first = _first_age(visits, reach)
    age, last = _ages(visits, end) if is_silent else (visits.left - visits.entered, _last_age(visits))
    lost = visits.lost_by(branch)
    cases = lost[age[lost] > np.maximum(first[lost], 0)]
    if len(cases) > lookback.most_losses:
        cases = np.sort(random.choice(cases, lookback.most_losses, replace=False))
    pool = ControlPool.of(first, last, visits.customer, visits.entered)
    months = _months_of(visits.entered[cases] + age[cases]) if lookback.within_month else None
    whose, n = visits.customer[cases], lookback.n_controls
    controls = pool.draw(age[cases], whose, n, random=random, calendar_between=months)
    members = np.column_stack([cases, controls])[(controls >= 0).any(axis=1)]
    until = visits.entered[members] + age[members[:, :1]]
    since = np.maximum(until - lookback.before, visits.entered[members] + 1)
    # A look at the last sign of life includes its time, one at a loss does not.
    return Matched(visits, branch, len(lost), members, since, until + 1 if is_silent else until)


def _months_of(moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """When the calendar month (UTC) of each of `moments` begins and ends, in microseconds; its end is not included."""
    months = moments.astype("datetime64[us]").astype("datetime64[M]")
    begins, ends = (month.astype("datetime64[us]").astype(np.int64) for month in (months, months + 1))
    return begins, ends


def _first_age(visits: StageVisits, reach: int) -> np.ndarray:
    """After what age each visit can be looked back on; -1 where from its start."""
    first = visits.observed_from - visits.entered
    is_late = visits.seen_from > visits.entered
    first = np.where(is_late, np.maximum(first, visits.seen_from + reach - visits.entered), first)
    return np.where(first > 0, first, -1)


def _last_age(visits: StageVisits) -> np.ndarray:
    """The last age at which each visit was seen inside without leaving then."""
    return visits.left - visits.entered - (visits.way != "ongoing")


def _ages(visits: StageVisits, end: int) -> tuple[np.ndarray, np.ndarray]:
    """For silence: the age at which each visit that fell silent did so, and the last age at which it had not yet.

    Who was silent is known only once silence has lasted: all are followed until that long before the window's end.
    """
    age = visits.left - visits.entered - visits.silence
    last = np.where(visits.way == SILENT, age - 1, _last_age(visits))
    return age, np.minimum(last, end - visits.silence - visits.entered)


@dataclass(frozen=True, eq=False)
class Whole:
    """Visits of one group to one stage looked at from beginning to end, for the naive odds ratio.

    chosen: positions of the visits.
    """

    visits: StageVisits
    chosen: np.ndarray

    @classmethod
    def of(
        cls, visits: StageVisits, lost: list[np.ndarray], *, most_converted: int, random: np.random.Generator
    ) -> "Whole":
        """The `lost` visits and, at random, no more than `most_converted` that converted."""
        converted = random.permutation(visits.converted)[:most_converted]
        return cls(visits, np.unique(np.concatenate([converted, *lost])))

    def looks(self) -> TimeSpans:
        """From just after entering until the end, which is not included."""
        left = self.visits.left[self.chosen]
        return self.visits.looks(self.chosen, np.minimum(self.visits.entered[self.chosen] + 1, left), left)

    def odds_ratios(self, seen: Seen, lost: np.ndarray) -> np.ndarray:
        """The plain odds ratio of having had each kind ever, (kinds,): of the `lost` (positions) against the converted.

        Missing where it is undefined, such as for a kind that no visit had.
        """
        groups = [np.isin(self.chosen, positions) for positions in (lost, self.visits.converted)]
        had = [seen.counts(is_in[seen.look]) for is_in in groups]
        had_not = [is_in.sum() - count for is_in, count in zip(groups, had, strict=True)]
        with np.errstate(divide="ignore", invalid="ignore"):
            return (had[0] * had_not[1]) / (had_not[0] * had[1])
