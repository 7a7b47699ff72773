"""The recipe: odds of ever having had an event, in visits that were lost against visits that converted.

It is what is usually done, and it misleads: who converts stays longer, or less long, than who is lost, and whoever
stays longer has more time for an event. It stands beside the odds ratio of matched moments for comparison only.
"""

from dataclasses import dataclass

import numpy as np

from journeylab.events.surroundings import Looks
from journeylab.findings.leavers.visits import StageVisits


@dataclass(frozen=True, eq=False)
class Whole:
    """Visits of one group to one stage looked at from beginning to end.

    chosen: positions of the visits.
    """

    visits: StageVisits
    chosen: np.ndarray

    def looks(self) -> Looks:
        """From just after entering until the end, which is not included."""
        left = self.visits.left[self.chosen]
        return self.visits.looks(self.chosen, np.minimum(self.visits.entered[self.chosen] + 1, left), left)


def choose_whole(visits: StageVisits, lost: list[np.ndarray], *, most: int, random: np.random.Generator) -> Whole:
    """The `lost` visits and, by lot no more than `most`, visits that converted."""
    converted = random.permutation(visits.converted)[:most]
    return Whole(visits, np.unique(np.concatenate([converted, *lost])))


def naive_ratios(whole: Whole, look: np.ndarray, kind: np.ndarray, lost: np.ndarray, *, n_kinds: int) -> np.ndarray:
    """The odds ratio of each kind, (kinds,): of the `lost` (positions) against the converted.

    look, kind: which of the looks holds which kind. Missing where it is undefined.
    """
    is_lost = np.isin(whole.chosen, lost)
    is_converted = np.isin(whole.chosen, whole.visits.converted)
    had = [np.bincount(kind[whose[look]], minlength=n_kinds) for whose in (is_lost, is_converted)]
    not_had = [whose.sum() - count for whose, count in zip((is_lost, is_converted), had, strict=True)]
    above, below = had[0] * not_had[1], not_had[0] * had[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return above / below
