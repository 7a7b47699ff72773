"""Case-control study: every loss with its controls, and what the log tells of them before and after."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np

from journeylab.events.journey import SILENT
from journeylab.events.log import EventLog
from journeylab.events.queries.event_windows import TimeSpans, find_event_windows, find_last_own
from journeylab.events.spells import Spells
from journeylab.findings.leavers.after_loss import AfterLoss
from journeylab.findings.leavers.matching import Lookback, Matched, Whole, match_losses
from journeylab.findings.leavers.tables import associations, last_events, with_q
from journeylab.findings.leavers.visits import Seen, StageVisits, microseconds_of

# What is drawn at random, each from a stream of its own.
_MATCHING, _AFTER_LOSS, _WHOLE = range(3)


@dataclass(frozen=True, eq=False)
class CaseControl:
    """Losses by group, stage and branch.

    log: what the engine is asked. matched: the losses with their controls, cell by cell. after_losses: the losses
    watched afterwards, of the same cells. wholes: visits looked at as a whole, for each group and stage.
    """

    log: EventLog
    matched: tuple[Matched, ...]
    after_losses: tuple[AfterLoss, ...]
    wholes: tuple[Whole, ...]

    @classmethod
    def of(
        cls, log: EventLog, spells: Spells, parts: Sequence[StageVisits], lookback: Lookback, *, after: int, seed: int
    ) -> "CaseControl":
        """The losses among the visits of `parts`, by group and stage; `after`: how far to look after them, in
        microseconds.

        Each cell has a stream of random numbers of its own, so that what is drawn for one does not depend on others.
        """
        end, journey = int(microseconds_of([spells.window.end])[0]), spells.journey
        groups = sorted({visits.group for visits in parts}, key=str)

        def random(visits: StageVisits, branch: int, purpose: int) -> np.random.Generator:
            cell = (groups.index(visits.group), journey.position(visits.stage), branch)
            return np.random.default_rng([seed, *cell, purpose])

        matched, after_losses, wholes, most = [], [], [], lookback.most_losses
        for visits in parts:
            for number, branch in enumerate(journey.branches):
                if len(visits.lost_by(branch)):
                    draw, later = (random(visits, number, purpose) for purpose in (_MATCHING, _AFTER_LOSS))
                    matched.append(match_losses(visits, branch, lookback, end=end, random=draw))
                    after_losses.append(AfterLoss.of(visits, branch, after=after, end=end, most=most, random=later))
        matched = _from_last_signs(log, matched, lookback.before)
        for visits in parts:
            draw = random(visits, len(journey.branches), _WHOLE)
            lost = [cell.members[:, 0] for cell in matched if cell.visits is visits]
            wholes.append(Whole.of(visits, lost, most_converted=most, random=draw))
        return cls(log, tuple(matched), tuple(after_losses), tuple(wholes))

    def losses(self) -> list[dict]:
        """Rows of `Leavers.losses`."""
        return [
            {**cell.name, "lost": cell.n_lost, "compared": cell.sets.n_cases, "controls": cell.sets.n_controls}
            for cell in self.matched
        ]

    def associations(self, *, confidence: float) -> list[dict]:
        """Rows of `Leavers.table`."""
        n_cells = len(self.matched)
        wholes = {whole.visits: (whole, seen) for whole, seen in zip(self.wholes, self._seen[n_cells:], strict=True)}
        rows = []
        for cell, seen in zip(self.matched, self._seen[:n_cells], strict=True):
            whole, ever = wholes[cell.visits]
            naive = whole.odds_ratios(ever, cell.members[:, 0])
            rows += associations(cell, seen, naive, confidence=confidence)
        return with_q(rows)

    def last_events(self, *, confidence: float) -> Iterator[dict]:
        """Rows of `Leavers.before`."""
        for cell, seen in zip(self.matched, self._seen, strict=False):
            yield from last_events(cell, seen, confidence=confidence)

    def first_events(self, *, confidence: float) -> Iterator[dict]:
        """Rows of `Leavers.after`."""
        parts = _seen(self.log, [cell.looks() for cell in self.after_losses], nearest="first")
        for cell, seen in zip(self.after_losses, parts, strict=True):
            yield from cell.rows(seen, confidence=confidence)

    @cached_property
    def _seen(self) -> list[Seen]:
        """What the looks at `matched`, then those at `wholes`, hold: one question, so that all have the same kinds."""
        looks = [cell.looks() for cell in self.matched] + [whole.looks() for whole in self.wholes]
        return _seen(self.log, looks, nearest="last")


def _from_last_signs(log: EventLog, cells: list[Matched], before: int) -> list[Matched]:
    """`cells`, those lost to silence looked back on from the last signs of life, all of which are asked for at once."""
    looks = [cell.last_signs() for cell in cells if cell.branch == SILENT]
    last = find_last_own(log, TimeSpans.together(looks)) if looks else np.zeros(0, np.int64)
    parts = iter(np.split(last, np.cumsum([len(part) for part in looks])))
    return [cell.from_last_signs(next(parts), before=before) if cell.branch == SILENT else cell for cell in cells]


def _seen(log: EventLog, parts: list[TimeSpans], *, nearest: Literal["last", "first"]) -> list[Seen]:
    """What the looks of each part hold, asked of the engine at once."""
    windows = find_event_windows(log, TimeSpans.together(parts), nearest=nearest)
    kinds = windows.kinds.to_dict("records")
    edges = np.cumsum([0, *(len(part) for part in parts)])
    return [Seen(*windows.within(first, last), kinds) for first, last in pairwise(edges)]
