"""Proofs: how long after entering a stage did each visit prove what the stage is about, if it did?"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from journeylab.base.durations import DAY
from journeylab.events.journey import SILENT, Journey
from journeylab.events.journey import ValidationRule as Rule
from journeylab.events.spells.exits import MOVES, Exits, find_exits, watched_visits
from journeylab.findings.exit_curves import DECLARED, with_declared

VALIDATED, MOVED_ON, LOST = "validated", "moved on unproven", "lost unproven"


@dataclass(frozen=True, eq=False)
class Proofs:
    """The visits of one group to one stage that declares a validation, and when each was validated.

    rule: what validates. exits: the visits. after: float (visits,), days from entering to the validation, infinite
    where there was none.
    """

    rule: Rule
    exits: Exits
    after: np.ndarray

    @property
    def within(self) -> float | None:
        """How many days after entering a visit can still be validated; None where at any time."""
        return None if self.rule.within_us is None else self.rule.within_us / DAY

    @property
    def is_validated(self) -> np.ndarray:
        """Which visits were, bool (visits,)."""
        return np.isfinite(self.after)

    def counts(self) -> dict:
        """What became of the claim of the visits: a row of `Validation.counts`."""
        unproven, is_inside = ~self.is_validated, self.exits.destination < 0
        is_over = is_inside & (self.exits.exit > (np.inf if self.within is None else self.within))
        return {
            "group": self.exits.group,
            "stage": self.exits.stage,
            "validation": self.rule.words,
            "within_days": self.within,
            "triggered": self.exits.n,
            VALIDATED: int(self.is_validated.sum()),
            "left_unproven": int((unproven & ~is_inside).sum()),
            "out_of_time": int((unproven & is_over).sum()),
            "not_yet": int((unproven & is_inside & ~is_over).sum()),
        }

    def until_proven(self) -> Exits:
        """The visits until they were validated or, unproven, moved on or were lost: exits that compete.

        Those validated before they were watched have nothing left to prove, and are left out.
        """
        exits = self.exits
        moves = tuple(way for way in exits.ways if way in MOVES)
        # Exits that the stage does not have are not listed.
        ends = tuple(name for name, ways in ((MOVED_ON, moves), (LOST, exits.losses)) if ways)
        codes = {way: 2 + ends.index(MOVED_ON if way in moves else LOST) for way in exits.ways}
        unproven = np.array([0, *codes.values(), -1])[exits.destination]
        leaving = np.where(self.is_validated, self.after, exits.exit)
        is_watched = (exits.entry < 0) | (leaving > exits.entry)
        destination = np.where(self.is_validated, 1, unproven)
        lost = exits.merged(exits.losses, LOST).earliest if exits.losses else {}
        earliest = {way: first for way, first in lost.items() if way == LOST}
        columns = (exits.entry, leaving, destination, exits.customers)
        return Exits(exits.stage, exits.group, (VALIDATED, *ends), *columns, earliest=earliest).only(is_watched)

    def after_landmark(self) -> tuple[Exits, ...] | None:
        """The visits still inside once the time to validate is over: those validated, and the others.

        Days are counted from then on, and declared losses are one exit. None without such a time, or where nobody can
        be lost.
        """
        if self.within is None or not self.exits.losses:
            return None
        exits = with_declared(self.exits)
        return tuple(_part(exits, chosen, since=self.within) for chosen in (self.is_validated, ~self.is_validated))

    def losses(self) -> Iterator[tuple[str, np.ndarray]]:
        """Kinds of loss, by a loss event (declared) and to silence, and which visits ended so, bool (visits,)."""
        exits = with_declared(self.exits)
        yield from ((kind, exits.ended_by(kind)) for kind in (DECLARED, SILENT) if kind in exits.ways)


def find_proofs(visits: pd.DataFrame, journey: Journey) -> list[Proofs]:
    """The proofs of each stage that declares a validation, by `group` if there is such a column; of stages that nobody
    entered too. `visits` has the columns of spells; those that were never at risk are left out."""
    visits = watched_visits(visits)
    proofs = []
    for exits in find_exits(visits, journey):
        rule = journey.stage(exits.stage).validated_by
        if rule is not None:
            # Exits come in the order of the visits.
            rows = visits[visits["stage"] == exits.stage]
            rows = rows if exits.group is None else rows[rows["group"] == exits.group]
            after = (rows["validated"] - rows["entered"]) / pd.Timedelta(days=1)
            proofs.append(Proofs(rule, exits, after.fillna(np.inf).to_numpy(dtype=float)))
    return proofs


def _part(exits: Exits, chosen: np.ndarray, *, since: float) -> Exits:
    """The chosen visits, bool (visits,), that were still inside `since` days after entering; day 0 is then."""
    later = exits.only(chosen & (exits.exit > since))
    earliest = {way: first._replace(day=first.day - since) for way, first in later.earliest.items()}
    entry = np.where(later.entry <= since, -1.0, later.entry - since)
    return replace(later, entry=entry, exit=later.exit - since, earliest=earliest)
