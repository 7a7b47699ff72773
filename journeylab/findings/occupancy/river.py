"""The river: of 100 customers who set out, who is where on one day, and who was lost from which stage to what?"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.ordering import largest
from journeylab.base.words import counted, in_days, percent
from journeylab.events.spells import Spells
from journeylab.events.spells.transitions import FROM_TO, find_transitions
from journeylab.findings.arguments import MIN_CUSTOMERS, read_horizons
from journeylab.findings.finding import StageFinding, share_in_words, tidy
from journeylab.findings.grouping import By, WatchedVisits, Where
from journeylab.findings.occupancy.curves import JourneyCurves
from journeylab.findings.occupancy.estimate import journeys_by_group, why_empty
from journeylab.findings.occupancy.tables import rows_of
from journeylab.findings.rows import ESTIMATE

INSIDE, LOST = "inside", "lost"
_COLUMNS = "group stage kind to days estimate lower upper at_risk n note"


@dataclass(frozen=True)
class River(StageFinding):
    """Where customers are on one day after they entered the journey; who is lost counts where they were lost.

    Attributes
    ----------
    table : DataFrame
        A row per (group,) `stage` and `kind`: `inside` (in that stage on that day) or `lost` (away since they were lost
        from it, with the branch in `to`). `estimate`, `lower`, `upper`: the share of all who set out; of one group they
        sum to 1. `at_risk`: customers still watched just before that day; `n` customers in all.
    titles : dict
        What figures call a stage or branch, by its name.
    n_left_out : int
        Customers whose journey began before the window, so that their clock is not known.
    """

    titles: dict[str, str]
    n_left_out: int

    @property
    def days(self) -> float:
        """The day since entering the journey that all shares are of; missing where there are none."""
        return float(self.table["days"].max())

    def sentence(self) -> str:
        """Where most of those who set out are lost, and how many are still on their way."""
        return " ".join(self._sentence_of(suffix, rows) for suffix, rows in self._by_group(self.table))

    def _sentence_of(self, suffix: str, rows: pd.DataFrame) -> str:
        lost, inside = rows[rows["kind"] == LOST], rows[rows["kind"] == INSIDE]
        base = f"of {counted(int(rows['n'].iloc[0]), 'customer')} who set out{suffix}"
        still = f"{percent(inside['estimate'].sum())} are in a stage"
        if not (lost["estimate"] > 0).any():
            return f"{in_days(self.days)} after entering the journey nobody {base} is lost; {still}."
        row = lost.iloc[largest(lost["estimate"])]
        most = share_in_words(row, level=self._level)
        return (
            f"{in_days(self.days)} after entering the journey {percent(lost['estimate'].sum())} {base} are lost, and "
            f"{still}. The largest part was lost from {self.titles[row['stage']]} to {self.titles[row['to']]}: {most}."
        )

    def by_stage(self) -> pd.DataFrame:
        """No lane of the map: the river runs through all of them."""
        return self._lanes({})

    def whereabouts(self) -> pd.DataFrame:
        """The table, for a map that draws the river."""
        return self.table

    def plot(self, ax=None) -> Chart:
        """The river of all customers, or one for each group."""
        if self.lacking:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        return charts.river(
            self.table.assign(to=self.table["to"].map(self.titles)),
            panel="group" if self.by else None,
            order=self.stages,
            headings=self.titles,
            title=f"Of 100 who set out, {in_days(self.days)} later",
            alt=f"A river from the first stage to the last, as wide as the share that goes on. {self.sentence()}",
            ax=ax,
        )


def estimate_river(
    spells: Spells,
    *,
    times: Iterable[str | timedelta],
    by: By | None = None,
    where: Where | None = None,
    confidence: float = 0.95,
) -> River:
    """Of 100 customers who set out, who is in which stage on one day, and who was lost from which stage to what?

    Parameters
    ----------
    spells : Spells
    times : list of str or timedelta
        Times since entering the journey, such as ``["30d", "90d"]``. All shares are of the last at which at least 10
        customers (of every group) are still watched, or else of the first.
    by, where, confidence
        As for `estimate_occupancy`.

    Returns
    -------
    River
        Empty where there is nobody to estimate from; `lacking` and the sentence then say why.

    Raises
    ------
    EstimateError
        As `estimate_occupancy`.

    Notes
    -----
    Each customer is in one place on that day: in a stage, or away since the last loss, which counts in the stage that
    they were lost from. So what flows into a stage is what goes on, stays and leaves there, exactly. Estimated as
    `estimate_occupancy` does, with a state for each stage and branch together.

    Examples
    --------
    >>> import journeylab as jl
    >>> simulation = jl.simulate_log(200, seed=1)
    >>> spells = jl.find_spells(simulation.log, simulation.journey)
    >>> float(jl.estimate_river(spells, times=["90d"]).table["estimate"].sum().round(9))
    1.0
    """
    days = read_horizons(times, noun="time")
    watched = WatchedVisits.of(spells, by=by, where=where, confidence=confidence)
    journeys = find_transitions(watched.spells, by_stage=True)
    parts = journeys_by_group(journeys, watched.grouping)
    curves = [JourneyCurves.of(part, since, confidence, min_at_risk=MIN_CUSTOMERS) for part, since in parts]
    known = [curve for curve in curves if curve]
    day = max((day for day in days if all(_is_watched(curve, day) for curve in known)), default=days[0])
    journey = spells.journey
    lacking = why_empty(watched, journeys) if not known else None
    if known and not all(day <= curve.watched.last_day for curve in known):
        lacking = f"Nobody was watched for {in_days(day)} after entering the journey."
    return River(
        **watched.about(f"Where 100 who set out are {in_days(day)} later"),
        table=tidy([] if lacking else (row for curve in known for row in _rows(curve, day)), _COLUMNS, by=watched.by),
        titles={name: journey.title(name) for name in (*journey.stage_names, *journey.branches)},
        n_left_out=journeys.n_left_out,
        lacking=lacking,
    )


def _is_watched(curve: JourneyCurves, day: float) -> bool:
    return curve.begins <= day and curve.n_watched(np.array([day]))[0] >= MIN_CUSTOMERS


def _rows(curve: JourneyCurves, day: float) -> Iterable[dict]:
    at = np.array([day])
    for row in rows_of(curve, at, dict(zip(ESTIMATE, curve.shares(at), strict=True))):
        stage, _, branch = row["state"].partition(FROM_TO)
        yield {**row, "stage": stage, "kind": LOST if branch else INSIDE, "to": branch or None, "note": None}
