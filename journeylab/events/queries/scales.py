"""Scales: what does an answer mean on the scale that the question was asked on?"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from journeylab.base.errors import EstimateError, did_you_mean

# All scales are mapped to this one: the worst answer is -2, the best 2.
WORST, BEST = -2.0, 2.0
# Known by name: the answers for the worst and for the best.
KNOWN = {"nps": (0.0, 10.0), "csat": (1.0, 5.0), "csat7": (1.0, 7.0), "ces": (1.0, 7.0)}
_NUMBER = r"-?\d+(?:\.\d+)?"
_ENDS = re.compile(rf"\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*")
PROMOTER, DETRACTOR = 9.0, 6.0


@dataclass(frozen=True)
class Scale:
    """A scale of answers from `worst` to `best`; the best may be the lower number, as where 1 means “no effort”.

    name: as it was declared: nps, csat, csat7, ces, or its ends, worst first, as in “-2..2” or “7..1”.
    """

    name: str
    worst: float
    best: float

    @classmethod
    def of(cls, scale: "Scale | str") -> "Scale":
        """`scale` itself, or the one of that name.

        nps is 0 to 10 (likely to recommend), csat 1 to 5 and csat7 1 to 7 (satisfied), ces 1 to 7 (it was made easy;
        where 7 means much effort, say “7..1”); any other is named by its ends, the worst answer first. Raises
        EstimateError for another name, or ends that are the same.
        """
        if isinstance(scale, Scale):
            return scale
        written = str(scale).strip().lower()
        if written in KNOWN:
            return cls(written, *KNOWN[written])
        ends = _ENDS.fullmatch(written)
        if not ends:
            raise EstimateError(
                f"There is no scale “{scale}”. {did_you_mean(written, KNOWN)} "
                "Or write its two ends, the worst answer first, such as “1..5”."
            )
        worst, best = float(ends[1]), float(ends[2])
        if worst == best:
            raise EstimateError(f"The scale “{scale}” has one answer only. Write its two ends, the worst answer first.")
        return cls(f"{worst:g}..{best:g}", worst, best)

    @property
    def words(self) -> str:
        """“NPS, 0 to 10”, or the ends alone."""
        ends = f"{self.worst:g} (worst) to {self.best:g} (best)"
        return f"{self.name.rstrip('7').upper()}, {ends}" if self.name in KNOWN else ends

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest answer."""
        return min(self.worst, self.best), max(self.worst, self.best)

    @property
    def is_recommendation(self) -> bool:
        """Whether there are promoters and detractors: only on a scale that was declared as nps."""
        return self.name == "nps"

    def holds(self, scores: ArrayLike) -> np.ndarray:
        """Which of `scores` are on the scale, bool."""
        scores = np.asarray(scores, dtype=np.float64)
        return (scores >= self.ends[0]) & (scores <= self.ends[1])

    def feeling(self, scores: ArrayLike) -> np.ndarray:
        """`scores` from -2, the worst, to 2, the best; evenly in between.

        >>> Scale.of("nps").feeling([0, 5, 10]).tolist(), Scale.of("7..1").feeling([1]).tolist()
        ([-2.0, 0.0, 2.0], [2.0])
        """
        scores = np.asarray(scores, dtype=np.float64)
        return WORST + (BEST - WORST) * (scores - self.worst) / (self.best - self.worst)


def promotion(scores: ArrayLike) -> np.ndarray:
    """Of answers from 0 to 10: 100 for promoters (9 and 10), -100 for detractors (0 to 6), 0 for all between; their
    mean is the net promoter score, in points.

    Source: Reichheld (2003), The one number you need to grow, Harvard Business Review 81(12):46-54.
    """
    scores = np.asarray(scores, dtype=np.float64)
    return np.where(scores >= PROMOTER, 100.0, np.where(scores <= DETRACTOR, -100.0, 0.0))
