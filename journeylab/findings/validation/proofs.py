"""Proofs: how long after entering a stage did each visit prove what the stage is about, if it did?"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from journeylab.base.durations import DAY
from journeylab.events.journey import SILENT, Journey
from journeylab.events.journey import ValidationRule as Rule
from journeylab.events.spells.exits import MOVES, Exits, find_exits

VALIDATED, MOVED_ON, LOST = "validated", "moved on unproven", "lost unproven"
DECLARED = "declared"


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
            "triggered": self.exits.n,
            VALIDATED: int(self.is_validated.sum()),
            "left_unproven": int((unproven & ~is_inside).sum()),
            "out_of_time": int((unproven & is_over).sum()),
            "not_yet": int((unproven & is_inside & ~is_over).sum()),
        }

    def until_proven(self) -> Exits:
        """The visits until they were validated or, unproven, moved on or were lost: ways out that compete.

        Those validated before they were watched have nothing left to prove, and are left out.
        """
        exits, losses = self.exits, _losses(self.exits)
        moves = tuple(way for way in exits.ways if way in MOVES)
        # Ways out that the stage does not have are not listed.
        ends = tuple(name for name, ways in ((MOVED_ON, moves), (LOST, losses)) if ways)
        codes = {way: 2 + ends.index(MOVED_ON if way in moves else LOST) for way in exits.ways}
        unproven = np.array([0, *codes.values(), -1])[exits.destination]
        leaving = np.where(self.is_validated, self.after, exits.exit)
        kept = (exits.entry < 0) | (leaving > exits.entry)
        columns = (exits.entry, leaving, np.where(self.is_validated, 1, unproven), exits.customers)
        return Exits(exits.stage, exits.group, (VALIDATED, *ends), *(column[kept] for column in columns))

    def after_landmark(self) -> tuple[Exits, Exits] | None:
        """The visits still inside once the time to validate is over, their days counted from then on, declared losses
        as one way out: those validated, and the others. None without such a time, or where nobody can be lost."""
        losses = _losses(self.exits)
        if self.within is None or not losses:
            return None
        declared = tuple(branch for branch in losses if branch != SILENT)
        exits = self.exits.merged(declared, DECLARED) if declared else self.exits
        return tuple(_part(exits, whose, since=self.within) for whose in (self.is_validated, ~self.is_validated))

    def losses(self) -> Iterator[tuple[str, np.ndarray]]:
        """Kinds of loss, by a loss event (declared) and to silence, and which visits ended so, bool (visits,)."""
        branches = _losses(self.exits)
        declared = [self.exits.ways.index(branch) + 1 for branch in branches if branch != SILENT]
        if declared:
            yield DECLARED, np.isin(self.exits.destination, declared)
        if SILENT in branches:
            yield SILENT, self.exits.destination == self.exits.ways.index(SILENT) + 1


def find_proofs(visits: pd.DataFrame, journey: Journey) -> list[Proofs]:
    """The proofs of each stage that declares a validation, by `group` if there is such a column; of stages that nobody
    entered too. `visits` has the columns of spells; those that were never at risk are left out."""
    visits = visits[(visits["left"] > visits["observed_from"]) | (visits["observed_from"] == visits["entered"])]
    groups = sorted(visits["group"].unique()) if "group" in visits else [None]
    found = []
    for group in groups:
        for stage in journey.stages:
            if stage.validated_by is None:
                continue
            rows = visits[visits["stage"] == stage.name]
            rows = rows if group is None else rows[rows["group"] == group]
            # Of one stage and group, exits come in the order of the visits.
            exits = [each for each in find_exits(rows, journey) if each.stage == stage.name]
            empty = Exits(stage.name, group, (), *(np.zeros(0, kind) for kind in (float, float, int, int)))
            after = (rows["validated"] - rows["entered"]) / pd.Timedelta(days=1)
            days = after.fillna(np.inf).to_numpy(dtype=float)
            found.append(Proofs(stage.validated_by, exits[0] if exits else empty, days))
    return found


def _losses(exits: Exits) -> tuple[str, ...]:
    return tuple(way for way in exits.ways if way not in MOVES)


def _part(exits: Exits, whose: np.ndarray, *, since: float) -> Exits:
    """The visits for which `whose` is true that were still inside `since` days after entering, day 0 being then."""
    kept = whose & (exits.exit > since)
    entry = np.where(exits.entry[kept] <= since, -1.0, exits.entry[kept] - since)
    columns = (entry, exits.exit[kept] - since, exits.destination[kept], exits.customers[kept])
    return Exits(exits.stage, exits.group, exits.ways, *columns)
