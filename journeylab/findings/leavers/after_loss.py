"""After a loss: what was the first thing that happened, and did the customer come back?"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from journeylab.base.durations import NEVER
from journeylab.events.queries.event_windows import TimeSpans
from journeylab.findings.leavers.tables import NO_EVENT, NO_KIND
from journeylab.findings.leavers.visits import Seen, StageVisits
from journeylab.findings.rows import wilson_share

CAME_BACK = "came back"
FIRST = "group stage branch event initiator first had estimate lower upper returned n note"


@dataclass(frozen=True, eq=False)
class AfterLoss:
    """Losses from a stage by a branch after which customers were watched for `after` microseconds.

    visits: of that stage. branch: how they were lost. lost: int64 (losses,), positions of visits.
    """

    visits: StageVisits
    branch: str
    lost: np.ndarray
    after: int

    @classmethod
    def of(
        cls, visits: StageVisits, branch: str, *, after: int, end: int, most: int, random: np.random.Generator
    ) -> "AfterLoss":
        """The losses by `branch` at least `after` before `end`, at random no more than `most`."""
        lost = visits.lost_by(branch)
        lost = lost[visits.left[lost] + after <= end]
        return cls(visits, branch, np.sort(random.permutation(lost)[:most]), after)

    @property
    def is_back(self) -> np.ndarray:
        """Whose customer came back within `after`, bool (losses,)."""
        back = self.visits.back[self.lost]
        return (back != NEVER) & (back - self.visits.left[self.lost] <= self.after)

    def looks(self) -> TimeSpans:
        """From just after each loss until `after` later or the return, whichever comes first, both included."""
        left = self.visits.left[self.lost]
        until = np.where(self.is_back, self.visits.back[self.lost], left + self.after)
        return self.visits.looks(self.lost, left + 1, until + 1)

    def rows(self, seen: Seen, *, confidence: float) -> Iterator[dict]:
        """A row for each kind of event that happened, one for losses without an own event, and one for returns."""
        n = len(self.lost)
        if not n:
            return
        is_back, has_own = self.is_back, np.zeros(n, bool)
        has_own[seen.look[seen.is_own[seen.kind]]] = True
        had, first = seen.counts(np.ones(len(seen.kind), bool)), seen.counts(seen.is_nearest)
        returned = seen.counts(is_back[seen.look])
        rows = [(seen.kinds[kind], first[kind], had[kind], returned[kind], None) for kind in np.flatnonzero(had)]
        n_none, n_back = (~has_own).sum(), is_back.sum()
        others = [(NO_KIND, n_none, n_none, 0, NO_EVENT), (NO_KIND, 0, n_back, n_back, CAME_BACK)]
        for kind, n_first, n_had, n_returned, note in (*rows, *others):
            share = wilson_share(n_had, n, confidence=confidence)
            counts = {"first": int(n_first), "had": int(n_had), **share, "returned": int(n_returned), "n": n}
            yield {**self.visits.name, "branch": self.branch, **kind, **counts, "note": note}
