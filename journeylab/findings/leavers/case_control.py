"""The casebook: every loss with its controls, and what the log tells of them before and after."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from journeylab.events.journey import SILENT
from journeylab.events.log import EventLog
from journeylab.events.queries.event_windows import EventWindows, TimeSpans, find_event_windows, find_last_own
from journeylab.events.spells import Spells
from journeylab.findings.leavers.after_loss import Aftermath
from journeylab.findings.leavers.matching import Lookback, Matched, Whole, choose_whole, match_losses, naive_ratios
from journeylab.findings.leavers.tables import Seen, associations, last_events, with_q
from journeylab.findings.leavers.visits import StageVisits, microseconds_of

_MATCHING, _AFTERMATH, _RECIPE = range(3)


@dataclass(frozen=True, eq=False)
class CaseControl:
    """Losses by group, stage and branch.

    log: what the engine is asked. matched: the losses with their controls, cell by cell. aftermaths: the losses watched
    afterwards, of the same cells. wholes: visits looked at as a whole, for each group and stage.
    """

    log: EventLog
    matched: tuple[Matched, ...]
    aftermaths: tuple[Aftermath, ...]
    wholes: tuple[Whole, ...]

    @classmethod
    def of(
        cls, log: EventLog, spells: Spells, every: Sequence[StageVisits], lookback: Lookback, *, after: int, seed: int
    ) -> "CaseControl":
        """The losses among `every` visit by group and stage; `after`: how far to look after them, in microseconds.

        Each cell has a stream of random numbers of its own, so that what is drawn for one does not depend on others.
        """
        end, journey = int(microseconds_of([spells.window.end])[0]), spells.journey
        groups = sorted({each.group for each in every}, key=str)
        matched, aftermaths, wholes = [], [], []
        for visits in every:
            place = (groups.index(visits.group), journey.position(visits.stage))
            for number, branch in enumerate(journey.branches):
                if not len(visits.lost_by(branch)):
                    continue
                draws = [np.random.default_rng([seed, *place, number, purpose]) for purpose in (_MATCHING, _AFTERMATH)]
                matched.append(match_losses(visits, branch, lookback, end=end, random=draws[0]))
                most = lookback.most_losses
                aftermaths.append(Aftermath.of(visits, branch, after=after, end=end, most=most, random=draws[1]))
        matched = _from_last_signs(log, matched, lookback.before)
        for visits in every:
            place = (groups.index(visits.group), journey.position(visits.stage))
            draw = np.random.default_rng([seed, *place, len(journey.branches), _RECIPE])
            lost = [each.members[:, 0] for each in matched if each.visits is visits]
            wholes.append(choose_whole(visits, lost, most=lookback.most_losses, random=draw))
        return cls(log, tuple(matched), tuple(aftermaths), tuple(wholes))

    def losses(self) -> list[dict]:
        """A row for each cell: how many were lost, and how many of them are compared with how many controls."""
        return [
            {
                "group": each.visits.group,
                "stage": each.visits.stage,
                "branch": each.branch,
                "lost": each.n_lost,
                "compared": each.sets.n_cases,
                "controls": each.sets.n_controls,
            }
            for each in self.matched
        ]

    def associations(self, *, confidence: float) -> list[dict]:
        """Rows of `Leavers.table`."""
        rows = []
        for matched, seen in zip(self.matched, self._before, strict=True):
            rows += associations(matched, seen, self._naive(matched), confidence=confidence)
        return with_q(rows)

    def last_events(self, *, confidence: float) -> Iterator[dict]:
        """Rows of `Leavers.before`."""
        for matched, seen in zip(self.matched, self._before, strict=True):
            yield from last_events(matched, seen, confidence=confidence)

    def first_events(self, *, confidence: float) -> Iterator[dict]:
        """Rows of `Leavers.after`."""
        found = _seen(self.log, [each.looks() for each in self.aftermaths], nearest="first")
        for aftermath, seen in zip(self.aftermaths, found, strict=True):
            yield from aftermath.rows(seen, confidence=confidence)

    @cached_property
    def _last(self) -> list[Seen]:
        """What the looks at `matched`, then those at `wholes`, hold: one question, so that all have the same kinds."""
        return _seen(self.log, [each.looks() for each in (*self.matched, *self.wholes)], nearest="last")

    @property
    def _before(self) -> list[Seen]:
        return self._last[: len(self.matched)]

    @cached_property
    def _ever(self) -> dict[StageVisits, tuple[Whole, Seen]]:
        found = self._last[len(self.matched) :]
        return {whole.visits: (whole, seen) for whole, seen in zip(self.wholes, found, strict=True)}

    def _naive(self, matched: Matched) -> np.ndarray:
        """The plain odds ratio of each kind; missing for one that no visit looked at as a whole holds."""
        whole, seen = self._ever[matched.visits]
        return naive_ratios(whole, seen.look, seen.kind, matched.members[:, 0], n_kinds=len(seen.kinds))


def _from_last_signs(log: EventLog, cells: list[Matched], before: int) -> list[Matched]:
    """`cells`, those lost to silence looked back on from the last signs of life, all of which are asked for at once."""
    silent = [each for each in cells if each.branch == SILENT]
    looks = [each.last_signs() for each in silent]
    last = find_last_own(log, TimeSpans.together(looks)) if looks else np.zeros(0, np.int64)
    parts = iter(np.split(last, np.cumsum([len(each) for each in looks])))
    return [each.from_last_signs(next(parts), before=before) if each.branch == SILENT else each for each in cells]


def _seen(log: EventLog, parts: list[TimeSpans], *, nearest: str) -> list[Seen]:
    """What the looks of each part hold, asked of the engine at once."""
    found: EventWindows = find_event_windows(log, TimeSpans.together(parts), nearest=nearest)
    kinds = found.kinds.to_dict("records")
    edges = np.cumsum([0, *(len(part) for part in parts)])
    return [Seen(*found.within(first, last), kinds) for first, last in pairwise(edges)]
