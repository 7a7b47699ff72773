"""Sampling: did customers come into the log when their journey began, or only because it ended when it did?

A log of journeys that ended within some stretch of time holds, of those who came early, only the slow ones, and of
those who came late only the quick ones. To compare customers by when they came then compares nothing but that.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from journeylab.base.durations import DAY, all_since_1970, since_1970
from journeylab.base.words import counted
from journeylab.events.log import written
from journeylab.events.queries.entries import find_entries
from journeylab.events.spells import Spells

# So many must be expected where there is none: of 10 expected, none come by luck once in 22,000 times.
LEAST_EXPECTED = 10.0
# Hardly any are at most a fifth of those expected, and so few that luck brings them once in 10,000 times.
HARDLY_ANY, LUCK = 0.2, 1e-4
# Where more of the later journeys end on one day, such as the end of a term, the calendar ends them.
MOST_ON_ONE_DAY = 0.2
FEWEST = 20


@dataclass(frozen=True)
class Sampling:
    """What a log should hold if customers came into it when their journey began, and what it holds.

    first_end: when the first journey ended, None where none did. ended: how many should have ended before that by the
    pace of those who came later. inside: how many should be on their way at the time `late`, by the pace of the half
    who came first; n_inside: how many are. That time is the window's end or, if more are lacking then, when the last
    customer came. by_calendar: whether many journeys end on one day.
    """

    first_end: pd.Timestamp | None
    ended: float
    inside: float
    n_inside: int
    late: pd.Timestamp
    by_calendar: bool

    @property
    def lacks_early_ends(self) -> bool:
        """Whether nobody ended where many should have: the log begins with journeys that ended after some day."""
        return self.ended >= LEAST_EXPECTED

    @property
    def lacks_late_journeys(self) -> bool:
        """Whether hardly anyone is still on the way where many should be: the log holds journeys that have ended."""
        if self.by_calendar or self.inside < LEAST_EXPECTED or self.n_inside > HARDLY_ANY * self.inside:
            return False
        # So few by a Poisson law.
        by_luck = math.fsum(
            math.exp(n * math.log(self.inside) - self.inside - math.lgamma(n + 1)) for n in range(self.n_inside + 1)
        )
        return by_luck <= LUCK

    def problem(self) -> str | None:
        """What shows that the log was sampled by when journeys ended; None where nothing does."""
        parts = []
        if self.lacks_early_ends:
            assert self.first_end is not None, "something is expected before the first end"
            parts.append(
                f"no journey ended before {written(self.first_end.floor('D'))}, where about {self.ended:,.0f} should "
                "have, at the pace of the later ones"
            )
        if self.lacks_late_journeys:
            are = "is" if self.n_inside == 1 else "are"
            parts.append(
                f"{counted(self.n_inside, 'customer')} {are} still on the way on {written(self.late.floor('D'))}, "
                f"where about {self.inside:,.0f} should be, at the pace of the earlier ones"
            )
        if not parts:
            return None
        return f"It looks as if the log held only journeys that ended in some stretch of time: {'; '.join(parts)}."


def find_sampling(spells: Spells) -> Sampling:
    """How the customers of `spells` came into the log, by those who came into the journey within the window.

    A journey ends with the first loss, or with what completes it; where nothing completes it, with the last stage.
    """
    entered, ended = _journeys(spells)
    return sampling_of(entered, ended, since_1970(spells.window.end))


def sampling_of(entered: np.ndarray, ended: np.ndarray, window_end: int) -> Sampling:
    """The same from times in microseconds, int64 (customers,); `ended` is the `window_end` where a journey goes on.

    Expected numbers are sums over the customers: of the Nelson-Aalen cumulative hazard, and of Kaplan-Meier survival.
    """
    is_over, stay = ended < window_end, ended - entered
    first = int(ended[is_over].min(initial=window_end))
    came_before = entered < first
    should_have = 0.0
    if is_over.any() and (~came_before).sum() >= FEWEST:
        times, share = _leaving(stay[~came_before], is_over[~came_before])
        should_have = float(_at(times, np.cumsum(share), first - 1 - entered[came_before], before=0.0).sum())
    is_late = entered > np.median(entered) if len(entered) else came_before
    inside, n_inside, late = 0.0, int((~is_over).sum()), window_end
    if (~is_late).sum() >= FEWEST:
        last = int(entered.max())
        times, share = _leaving(stay[~is_late], is_over[~is_late])
        rows = []
        for at, n_there in ((window_end, n_inside), (last, int((ended > last).sum()))):
            rows.append((float(_at(times, np.cumprod(1 - share), at - entered, before=1.0).sum()), n_there, at))
        inside, n_inside, late = min(rows, key=lambda row: row[1] / row[0] if row[0] >= LEAST_EXPECTED else np.inf)
    days = ended[is_over & is_late] // DAY
    busiest = np.unique(days, return_counts=True)[1].max(initial=0) / max(len(days), 1)
    first_end, then = (pd.Timestamp(time, unit="us", tz="UTC") for time in (first, late))
    first_end = first_end if is_over.any() else None
    return Sampling(first_end, should_have, inside, n_inside, then, bool(busiest > MOST_ON_ONE_DAY))


def _leaving(stay: np.ndarray, is_over: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The times at which journeys that lasted `stay` ended, and the share that ended of those still on the way."""
    times, n_over = np.unique(stay[is_over], return_counts=True)
    return times, n_over / (len(stay) - np.searchsorted(np.sort(stay), times, side="left"))


def _at(times: np.ndarray, curve: np.ndarray, days: np.ndarray, *, before: float) -> np.ndarray:
    """The step function that is `curve` from each of `times` on, and `before` the first of them, at `days`."""
    return np.append(before, curve)[np.searchsorted(times, days, side="right")]


def _journeys(spells: Spells) -> tuple[np.ndarray, np.ndarray]:
    """When each customer came, and when their journey ended or the window did."""
    entries = find_entries(spells)
    entries = entries[entries["is_known"]]
    visits = spells.table.select(["customer_id", "stage", "entered", "left", "outcome"]).to_pandas()
    last = spells.journey.stages[-1]
    reached = (visits["stage"] == last.name) & (not last.completes)
    is_end = visits["outcome"].isin(["lost", "completed"]) | reached
    time = visits["entered"].where(reached, visits["left"])[is_end]
    ends = time.groupby(visits["customer_id"][is_end].astype(object)).min()
    ended = ends.reindex(entries.index).fillna(spells.window.end)
    return all_since_1970(entries["entered"]), all_since_1970(ended)
