"""Horizons: how far can one look in these data, and which horizons are too short or too long for them?"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base.durations import DAY, ROUND_DAYS, round_up
from journeylab.base.ordering import settled
from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.words import in_days, listed
from journeylab.events.lint.remarks import Lint
from journeylab.events.spells import Spells
from journeylab.events.spells.exits import find_exits
from journeylab.findings.arguments import MIN_CUSTOMERS, read_horizons
from journeylab.findings.exit_curves import StageExits

# By the longest horizon this share of all that was seen to happen has happened.
_NEARLY_ALL = 0.95
_SOON = 0.25
# If by the longest horizon a smaller share of the completions seen had happened, hardly any can show.
_HARDLY_ANY = 0.05


@dataclass(frozen=True)
class StageReach:
    """How far one can look in a stage: nobody is lost to silence there before day `silent` (None: never), and shares
    are estimated up to day `last`. ended: days after which visits ended, (visits that did,)."""

    stage: str
    silent: float | None
    last: float
    ended: np.ndarray


@dataclass(frozen=True)
class Reach:
    """The same of each stage that can be left; `completed`: days from entering the journey to its completion, of those
    whose beginning was seen; `observed`: days from the window's start to its end."""

    stages: tuple[StageReach, ...]
    completed: np.ndarray
    observed: float

    @classmethod
    def of(cls, spells: Spells) -> "Reach":
        visits, journey = spells.to_pandas(), spells.journey
        stages = []
        for exits in find_exits(visits, journey):
            if not exits.ways:
                continue
            window = journey.stage(exits.stage).silent_after_us
            ended = exits.exit[exits.destination > 0]
            last = _last_day(StageExits(exits, MIN_CUSTOMERS, 0.95)) if exits.few(MIN_CUSTOMERS) is None else np.nan
            stages.append(StageReach(exits.stage, None if window is None else window / DAY, last, ended))
        return cls(tuple(stages), _days_to_completion(visits), spells.window.days)

    @property
    def longest_silence(self) -> float:
        """The longest silence window, in days; 0 where there is none."""
        return max((stage.silent for stage in self.stages if stage.silent is not None), default=0.0)

    def is_sound(self, day: float, *, share: float) -> bool:
        """Whether this share of the stages that enough customers came to have an estimate at `day`."""
        known = [stage.last >= day for stage in self.stages if not np.isnan(stage.last)]
        return day <= self.observed and sum(known) >= share * len(known)

    def proposed(self) -> tuple[float, ...]:
        """Up to three horizons; see `find_horizons`."""
        ends = [np.quantile(stage.ended, _NEARLY_ALL) for stage in self.stages if len(stage.ended)]
        ends += [np.quantile(self.completed, _NEARLY_ALL)] if len(self.completed) else []
        enough = round_up(float(settled(max([*ends, self.longest_silence, 1.0]))))
        for_all, for_most, at_all = (
            max((day for day in ROUND_DAYS if day <= enough and self.is_sound(day, share=share)), default=ROUND_DAYS[0])
            for share in (1.0, 0.5, 0.0)
        )
        needed = max(self.longest_silence, float(self.completed.min()) if len(self.completed) else 0.0)
        longest = next((day for day in (for_all, for_most) if day > needed), max(for_most, for_all))
        longest = longest if longest > ROUND_DAYS[0] else at_all
        every = np.concatenate([np.zeros(0), *(stage.ended for stage in self.stages)])
        soon = self.longest_silence or (np.quantile(every, _SOON) if len(every) else longest)
        shortest = min(round_up(float(settled(soon))), longest)
        between = [day for day in ROUND_DAYS if shortest < day < longest]
        middle = min(between, key=lambda day: abs(np.log(day**2 / (shortest * longest))), default=longest)
        return tuple(sorted({float(shortest), float(middle), float(longest)}))


def find_horizons(spells: Spells) -> tuple[str, ...]:
    """Horizons that suit these data, to write into study.yml.

    Parameters
    ----------
    spells : Spells

    Returns
    -------
    tuple of str
        One to three durations in round days, such as ``("60d", "90d", "180d")``, ascending. The longest is the first by
        which nearly all that was seen to happen had happened, the fastest completion included, or, if that is too far,
        the last at which most stages have an estimate. No horizon is shorter than the longest silence window, where the
        data reach so far.

    Examples
    --------
    >>> import journeylab as jl
    >>> simulation = jl.simulate_log(200, seed=1)
    >>> jl.find_horizons(jl.find_spells(simulation.log, simulation.journey))[0]
    '60d'
    """
    return tuple(f"{day:g}d" for day in Reach.of(spells).proposed())


def lint_horizons(
    horizons: Iterable[str | timedelta], spells: Spells, *, where: Callable[[int], str] | None = None
) -> Lint:
    """Which of `horizons` are too short or too long for these data, and what to write instead?

    Parameters
    ----------
    horizons : list of str or timedelta
    spells : Spells
    where : callable, optional
        Where the horizon at a position was written, such as “study.yml:17”.

    Returns
    -------
    Lint
        Its warnings name horizons within which nobody can be lost to silence in a stage (its silence window is longer),
        nobody, or hardly anybody, completes the journey (the fastest take longer; of the longest horizon only), or for
        which a stage was not watched long enough.

    Raises
    ------
    EstimateError
        No horizon.
    JourneyLabError
        A horizon that is not a duration.
    """
    given = list(horizons)
    places = {day: at for at, one in reversed(list(enumerate(given))) for day in read_horizons([one])}
    reach, named, rows = Reach.of(spells), where or (lambda at: f"horizons[{at}]"), []
    asked = read_horizons(given)
    for day in asked:
        for rule, problem, fix in _doubts(day, asked, reach):
            rows.append(("warning", named(places[day]), problem, fix, rule))
    return Lint.of_rows(rows)


def _doubts(day: float, asked: Sequence[float], reach: Reach) -> Iterator[tuple[str, str, str]]:
    """Rule, problem and fix of each doubt about the horizon `day`."""
    within, proposed = f"Within {in_days(day)}", listed([f"{one:g}d" for one in reach.proposed()])
    silent = [stage for stage in reach.stages if stage.silent is not None and stage.silent > day]
    if silent:
        windows = listed([f"“{stage.stage}” (silent after {in_days(stage.silent or 0)})" for stage in silent])
        enough = round_up(max(stage.silent or 0 for stage in silent))
        yield (
            "horizon-before-silence",
            f"{within} nobody can be lost to silence in {windows}.",
            f"Write {enough}d or longer instead. These data suit {proposed}.",
        )
    n_by, n_all = int((reach.completed <= day).sum()), len(reach.completed)
    if day == asked[-1] and n_all >= MIN_SHOWN and n_by < _HARDLY_ANY * n_all:
        n_words = "nobody" if not n_by else f"{n_by:,}" if n_by >= MIN_SHOWN else f"fewer than {MIN_SHOWN}"
        fastest, half = (float(np.quantile(reach.completed, share)) for share in (0.0, 0.5))
        yield (
            "horizon-before-completion",
            f"{within} of entering the journey, the longest horizon, {n_words} of the {n_all:,} who complete it has "
            f"done so: the fastest took {in_days(round(fastest, 1))}, half of them {in_days(round(half, 1))}.",
            f"Add {round_up(half)}d or longer. These data suit {proposed}.",
        )
    if day > reach.observed:
        problem = f"{in_days(day)} is longer than what was observed: {in_days(reach.observed)}."
        yield "horizon-past-window", problem, f"Write a shorter horizon. These data suit {proposed}."
        return
    thin = [stage for stage in reach.stages if stage.last < day]
    if thin:
        ends = listed([f"“{stage.stage}” (enough were watched to day {stage.last:,.0f})" for stage in thin])
        enough = max((one for one in ROUND_DAYS if one <= min(stage.last for stage in thin)), default=ROUND_DAYS[0])
        yield (
            "horizon-past-watched",
            f"{within} the losses cannot be estimated in {ends}.",
            f"Write {enough}d or less instead, or read a longer log. These data suit {proposed}.",
        )


def _last_day(cell: StageExits) -> float:
    """The last day with an estimate; infinite where all is known, however late; -1 where there is none at all."""
    exits = cell.exits
    if cell.why_unknown(cell.curves.fitted.last_time + 1) is None:
        return np.inf
    span = exits.at_risk_span(cell.min_at_risk)
    return -1.0 if span is None else span[1]


def _days_to_completion(visits: pd.DataFrame) -> np.ndarray:
    """Days from first entering the journey to completing it, of customers whose beginning was seen."""
    first = visits.sort_values(["customer_id", "spell"]).drop_duplicates("customer_id").set_index("customer_id")
    seen = first[(first["observed_from"] == first["entered"]) & first["returned_from"].isna()]
    done = visits[visits["outcome"] == "completed"].groupby("customer_id")["left"].min()
    done = done[done.index.isin(seen.index)]
    return ((done - seen["entered"].reindex(done.index)) / pd.Timedelta(days=1)).to_numpy(dtype=float)
