"""Recovery: of those who are lost, how many come back, how soon, and from which stage and branch?"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pandas as pd
from scipy.stats import norm

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.ordering import largest, ordered
from journeylab.base.suppression import MIN_SHOWN, without_few
from journeylab.base.words import counted, in_days, in_one_unit
from journeylab.events.queries.returns import ANY_BRANCH, ANY_STAGE, Absences, find_absences, find_returns
from journeylab.events.spells import Spells
from journeylab.events.spells.exits import MOVES
from journeylab.findings.arguments import (
    check_confidence,
    check_min_at_risk,
    chosen_horizon,
    headline_horizon,
    read_horizons,
)
from journeylab.findings.exit_curves import ROUNDING, StageExits, whose
from journeylab.findings.finding import LaneName, StageFinding, share_in_words, tidy
from journeylab.findings.grouping import By, WatchedVisits, Where, why_nobody

_COLUMNS = "group stage to horizon_days estimate lower upper crude n customers events at_risk note"
_WAITS = "group stage to horizon_days estimate lower upper n customers events note"
# With fewer returns, half of them is hardly a number.
FEWEST_RETURNS = 5
# A limit of a median is looked for among so many days at most.
_MOST_DAYS = 200


@dataclass(frozen=True)
class Recovery(StageFinding):
    """Who comes back after being lost, on the clock of days since the loss.

    A customer comes back when the journey's rules say so: by an event that opens a stage, and after silence by any
    event of theirs that is not a loss. Those not yet back when the window ended are censored, not given up.

    Attributes
    ----------
    table : DataFrame
        A row per (group,) stage lost from, branch lost `to` (“lost”: any branch) and `horizon_days`. `estimate`,
        `lower`, `upper`: the share of losses after which the customer was back at most so many days later. `crude`: the
        share back so far, which misses those who will still come. `n` losses of `customers`; `events`: back within the
        horizon; `at_risk`: losses watched, and not back, just before the horizon. `note`: why an estimate is missing,
        or what it is conditional on.
    overall : DataFrame
        The same from any stage, to any branch.
    waits : DataFrame
        A row per (group,) stage and branch, and for “any stage”: of those who come back within `horizon_days` (the
        longest horizon that can be estimated), the day by which half are back, with limits. `events`: how many were
        seen to come back by then; with fewer than five there is no estimate.
    horizons : tuple of float
        Days, ascending.
    branches : tuple of str
        All there are, in the journey's order.
    """

    overall: pd.DataFrame
    waits: pd.DataFrame
    horizons: tuple[float, ...]
    branches: tuple[str, ...]

    def ranking(self, horizon: str | timedelta) -> pd.DataFrame:
        """The rows of `table` by stage and branch at `horizon`, those first from where the largest share comes back."""
        chosen = chosen_horizon(horizon, self.horizons, what="Recovery")
        rows = self.table[(self.table["horizon_days"] == chosen) & (self.table["to"] != ANY_BRANCH)]
        return ordered(rows, "estimate").reset_index(drop=True)

    def sentence(self) -> str:
        """What share comes back, how soon half of them are, and from where the largest share and most visits do."""
        if self.lacking:
            return self.lacking
        day = self._headline()
        known = self.overall[(self.overall["horizon_days"] == day) & self.overall["estimate"].notna()]
        if known.empty:
            return f"How many come back cannot be estimated yet: {self.overall['note'].iloc[0]}."
        return " ".join([*(self._whole(row) for _, row in known.iterrows()), *self._best(day)])

    def by_stage(self) -> pd.DataFrame:
        """A lane `back after loss` in words: share, interval, base; with groups, a lane for each."""
        day = self._headline()
        rows = self.table[(self.table["to"] == ANY_BRANCH) & (self.table["horizon_days"] == day)]
        lanes = {
            LaneName.BACK_AFTER_LOSS + suffix: {
                row["stage"]: f"{self._share(row)} within {in_days(day)}"
                for _, row in shares[shares["estimate"].notna()].iterrows()
            }
            for suffix, _, shares in self._by_group(self.overall, rows)
        }
        return self._lanes(lanes)

    def plot(self, ax=None, *, horizon: str | timedelta | None = None) -> Chart:
        """The share back within `horizon` by stage and branch, with intervals; with groups, by stage and group.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        horizon : str or timedelta, optional
            One of `horizons`; by default that of the sentence.
        """
        day = self._headline() if horizon is None else chosen_horizon(horizon, self.horizons, what="Recovery")
        rows = self.table[(self.table["horizon_days"] == day) & self.table["estimate"].notna()]
        rows = rows[(rows["to"] == ANY_BRANCH) == bool(self.by)]
        if rows.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        beside = "group" if self.by else "to"
        top = ordered(rows, "estimate").head(5)
        values = [f"{row['stage']}, {row[beside]}: {self._share(row)}" for _, row in top.iterrows()]
        return charts.intervals(
            rows,
            label="stage",
            by=beside,
            percent=True,
            x_label=f"back within {in_days(day)} of being lost ({self.confidence:.0%} intervals)",
            title=f"Who comes back after a loss, by {self.by or 'branch'}",
            alt=f"Share back within {in_days(day)} of being lost, highest first. {'; '.join(values)}.",
            colour_order=() if self.by else (*MOVES, *self.branches),
            ax=ax,
        )

    def for_export(self) -> "Recovery":
        """The same, safe to pass on: counts of fewer than five customers are missing, and all numbers of so few.

        Estimates stay: they are of five customers or more, with their interval.
        """
        waits = self.waits.assign(events=self.waits["events"].where(~self.waits["events"].between(1, MIN_SHOWN - 1)))
        return replace(self, table=without_few(self.table), overall=without_few(self.overall), waits=waits)

    def _tables(self) -> dict[str, pd.DataFrame]:
        exported = self.for_export()
        level = f"Share of losses after which the customer is back within the horizon, {self.confidence:.0%} intervals."
        waits = "Of those who come back within the horizon: days until half of them are back."
        return {level: exported.table, waits: exported.waits}

    def _headline(self) -> float:
        return headline_horizon(self.overall, self.horizons)

    def _whole(self, row: pd.Series) -> str:
        given = f", {row['note']}" if row["note"] else ""
        share = (
            f"Of customers{self._with_group(row)} who are lost, {share_in_words(row, level=self._level)} are back "
            f"within {in_days(row['horizon_days'])}{given} ({counted(row['n'], 'lost visit')})"
        )
        waits = self.waits[(self.waits["stage"] == ANY_STAGE) & (self.waits["horizon_days"] == row["horizon_days"])]
        waits = self._of_group(waits, row)
        if waits.empty or waits["estimate"].isna().all():
            return f"{share}."
        wait = waits.iloc[0]
        (half, lower, upper), unit = in_one_unit([wait["estimate"], wait["lower"], wait["upper"]])
        by_then = f"by day {half}" if unit == "days" else f"within {half} {unit}"
        return f"{share}, half of those {by_then} ({lower} to {upper})."

    def _best(self, day: float) -> list[str]:
        rows = self.table[(self.table["horizon_days"] == day) & (self.table["to"] != ANY_BRANCH)]
        rows = rows[rows["estimate"] > 0]
        if rows.empty:
            return []
        best, most = rows.iloc[largest(rows["estimate"])], rows.iloc[largest(rows["estimate"] * rows["n"])]
        largest_share = f"The largest share comes back from {self._exit(best)}: {self._share(best)}"
        number = f"about {most['estimate'] * most['n']:,.0f} of {most['n']:,.0f}"
        if best.name == most.name:
            return [f"{largest_share}. Most visits come back from there, too: {number}."]
        return [f"{largest_share}; most visits come back from {self._exit(most)}: {number}."]

    def _exit(self, row: pd.Series) -> str:
        group = f" among customers{self._with_group(row)}" if self.by else ""
        return f"“{row['to']}” in “{row['stage']}”{group}"

    def _share(self, row: pd.Series) -> str:
        base = counted(row["n"], "lost visit") + (f", {row['note']}" if row["note"] else "")
        return share_in_words(row, base=base)


def estimate_recovery(
    spells: Spells,
    *,
    horizons: Iterable[str | timedelta],
    by: By | None = None,
    where: Where | None = None,
    confidence: float = 0.95,
    min_at_risk: int = 10,
) -> Recovery:
    """Of the customers lost from each stage to each branch, how many come back within each of `horizons`, and how soon?

    Parameters
    ----------
    spells : Spells
    horizons : list of str or timedelta
        Days since the loss, such as ``["30d", "90d"]``.
    by : Grouping, Series, str or list of these, optional
        Groups to compare: labels by customer, or a column of the customers' table; a list gives all combinations. A
        label that became known while a customer was away counts from then on.
    where : str or Series of bool, optional
        Only these customers: a condition on their columns, such as ``"seats > 10"``, or yes or no for each customer.
    confidence : float
        The level of all intervals.
    min_at_risk : int
        Estimates are missing, with a note, where fewer customers were lost, or fewer losses are watched so long.

    Returns
    -------
    Recovery
        Empty where nobody was lost, or nobody with a label; `lacking` then says why.

    Raises
    ------
    EstimateError
        No horizon; unknown `by`; no labelled customer has a spell; `confidence` not between 0 and 1; `min_at_risk`
        below 1.
    JourneyLabError
        A horizon that is not a duration.

    Notes
    -----
    The unit is the loss, on the clock of days since it; customers not yet back at the window's end are censored
    (Kaplan-Meier; nothing competes with coming back). Standard errors are clustered by customer, intervals logit. A
    customer lost to silence was lost so many days after their last event as the stage is silent after.

    Examples
    --------
    >>> import journeylab as jl
    >>> simulation = jl.simulate_log(200, seed=1)
    >>> spells = jl.find_spells(simulation.log, simulation.journey)
    >>> jl.estimate_recovery(spells, horizons=["30d"]).overall[["stage", "to", "n"]]
           stage    to    n
    0  any stage  lost  164
    """
    days = read_horizons(horizons)
    check_confidence(confidence)
    check_min_at_risk(min_at_risk)
    watched = WatchedVisits.of(spells, by=by, where=where)
    away = find_absences(watched.spells)
    absences = watched.grouping.apply(away) if watched.grouping else away
    cells = [StageExits(exits, min_at_risk, confidence) for exits in find_returns(absences, watched.spells.journey)]
    overall = [cell for cell in cells if cell.entered.stage == ANY_STAGE]
    return Recovery(
        **watched.about("Recovery after a loss"),
        table=tidy(_rows([cell for cell in cells if cell not in overall], days), _COLUMNS, by=watched.by),
        lacking=None if len(absences) else _why_nobody(watched, away),
        overall=tidy(_rows(overall, days), _COLUMNS, by=watched.by),
        waits=tidy((_wait(cell, days) for cell in cells), _WAITS, by=watched.by),
        horizons=days,
        confidence=confidence,
        branches=watched.spells.journey.branches,
    )


def _rows(cells: Iterable[StageExits], horizons: tuple[float, ...]) -> list[dict]:
    return [{**row, "to": _branch(cell)} for cell in cells for row in cell.rows(horizons)]


def _branch(cell: StageExits) -> str:
    return cell.entered.branch if isinstance(cell.entered, Absences) else ANY_BRANCH


def _wait(cell: StageExits, horizons: tuple[float, ...]) -> dict:
    """The row of `waits` of one stage and branch."""
    exits = cell.exits
    day = max((day for day in horizons if cell.why_missing(day) is None), default=horizons[-1])
    n_back = exits.count(exits.ways[0], within=day)
    note = cell.why_missing(day)
    if note is None and n_back < FEWEST_RETURNS:
        note = f"fewer than {FEWEST_RETURNS} came back" if n_back else "nobody came back"
    limits = (np.nan, np.nan, np.nan) if note else _half_back(cell, day)
    return {
        **whose(exits),
        "to": _branch(cell),
        "horizon_days": day,
        **dict(zip(("estimate", "lower", "upper"), limits, strict=True)),
        "events": n_back,
        "note": note or exits.condition,
    }


def _half_back(cell: StageExits, day: float) -> tuple[float, float, float]:
    """The day by which half of those back by `day` are back, with limits.

    It is where F(t) reaches F(day) / 2, F being the share back. Its limits are the first and the last day of those at
    which F(t) - F(day) / 2 does not differ from 0, by the jackknife's error of this difference: Brookmeyer and
    Crowley's way of inverting a test (1982, Biometrics 38:29-41), for a difference.
    """
    fitted = cell.curves.fitted
    days = fitted.times[fitted.times <= day]
    if len(days) > _MOST_DAYS:
        days = days[np.linspace(0, len(days) - 1, _MOST_DAYS).astype(int)]
    share, influence = fitted.occupancy([*days, day])[:, 1], fitted.influence([*days, day], 1)
    difference = share[:-1] - share[-1] / 2
    error = np.sqrt(((influence[:, :-1] - influence[:, [-1]] / 2) ** 2).sum(axis=0))
    z = float(norm.isf((1 - cell.confidence) / 2))
    above, below = difference - z * error > 0, difference + z * error < 0
    lower = days[np.flatnonzero(~below)[0]]
    upper = days[np.flatnonzero(above)[0]] if above.any() else day
    return float(days[np.flatnonzero(difference >= -ROUNDING)[0]]), float(lower), float(upper)


def _why_nobody(watched: WatchedVisits, away: pd.DataFrame) -> str:
    if len(watched.spells) and (away.empty or watched.grouping is None):
        return "Nobody was lost, so nobody could come back."
    return why_nobody(watched.spells, watched.grouping, inside="away")
