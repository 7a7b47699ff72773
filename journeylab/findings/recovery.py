"""Recovery: of those who are lost, how many come back, how soon, and from which stage and branch?"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pandas as pd
from scipy.stats import norm

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.base.ordering import largest, ordered
from journeylab.base.suppression import MIN_SHOWN, without_few
from journeylab.base.words import counted, in_days, percent
from journeylab.events.queries.returns import ANY_BRANCH, ANY_STAGE, Absences, find_absences, find_returns
from journeylab.events.spells import Spells
from journeylab.events.spells.exits import MOVES
from journeylab.findings.arguments import check_confidence, check_least, chosen_horizon, read_horizons
from journeylab.findings.exit_curves import ROUNDING, StageExits
from journeylab.findings.finding import Finding, LaneName, tidy
from journeylab.findings.grouping import By, Grouping, Where, select, watched, why_nobody

_COLUMNS = {
    **dict.fromkeys(("group", "stage", "to"), object),
    **dict.fromkeys(("horizon_days", "estimate", "lower", "upper", "crude"), float),
    **dict.fromkeys(("n", "customers", "events", "at_risk"), int),
    "note": object,
}
_WAITS = {
    **dict.fromkeys(("group", "stage", "to"), object),
    **dict.fromkeys(("horizon_days", "estimate", "lower", "upper"), float),
    **dict.fromkeys(("n", "customers", "events"), int),
    "note": object,
}
# With fewer returns, half of them is hardly a number.
FEWEST_RETURNS = 5
# A limit of a median is looked for among so many days at most.
_MOST_DAYS = 200


@dataclass(frozen=True)
class Recovery(Finding):
    """Who comes back after being lost, on the clock of days since the loss.

    A customer comes back when the journey's rules say so: by an event that opens a stage, and after silence by any
    event of theirs that is not a loss. Those not yet back when the window ended are censored, not given up.

    table: a row per (group,) stage lost from, branch lost `to` (“lost”: whichever) and `horizon_days`. `estimate`,
        `lower`, `upper`: the share of losses after which the customer was back at most so many days later. `crude`: the
        share back so far, which misses those who will still come. `n` losses of `customers`; `events`: back within the
        horizon; `at_risk`: losses watched, and not back, just before the horizon. `note`: why an estimate is missing,
        or what it is conditional on.
    overall: the same from whichever stage, to whichever branch.
    waits: a row per (group,) stage and branch, and for “any stage”: of those who come back within `horizon_days` (the
        longest horizon that can be estimated), the day by which half are back, with limits. `events`: how many were
        seen to come back by then; with fewer than five there is no estimate.
    horizons: days, ascending. confidence: the level of all intervals. by: what the groups are. stages, branches: all
        there are, in the journey’s order.
    """

    overall: pd.DataFrame
    waits: pd.DataFrame
    horizons: tuple[float, ...]
    confidence: float
    by: str | None
    stages: tuple[str, ...]
    branches: tuple[str, ...]

    def ranking(self, horizon: str | timedelta) -> pd.DataFrame:
        """The rows of `table` by stage and branch at `horizon`, those first from where most come back."""
        chosen = chosen_horizon(horizon, self.horizons, what="Recovery")
        rows = self.table[(self.table["horizon_days"] == chosen) & (self.table["to"] != ANY_BRANCH)]
        return ordered(rows, "estimate").reset_index(drop=True)

    def sentence(self) -> str:
        """What share comes back, how soon half of them are, and from where most do."""
        if self.lacking:
            return self.lacking
        day = self._headline()
        known = self.overall[(self.overall["horizon_days"] == day) & self.overall["estimate"].notna()]
        if known.empty:
            return f"How many come back cannot be estimated yet: {self.overall['note'].iloc[0]}."
        told = [self._whole(row) for _, row in known.iterrows()]
        return " ".join([*told, *self._best(day)])

    def by_stage(self) -> pd.DataFrame:
        """A lane `back after loss` in words: share, interval, base; with groups, a lane for each."""
        day = self._headline()
        rows = self.table[(self.table["to"] == ANY_BRANCH) & (self.table["horizon_days"] == day)]
        rows = rows[rows["estimate"].notna()]
        lanes = {}
        for group in self.overall["group"].drop_duplicates() if self.by else [None]:
            own = rows[rows["group"] == group] if self.by else rows
            cells = {row["stage"]: f"{self._share(row)} within {in_days(day)}" for _, row in own.iterrows()}
            lanes[LaneName.BACK_AFTER_LOSS + (f" ({group})" if self.by else "")] = [
                cells.get(each) for each in self.stages
            ]
        return pd.DataFrame(lanes, index=pd.Index(self.stages, name="stage"), dtype=object)

    def plot(self, ax=None, *, horizon: str | timedelta | None = None) -> Chart:
        """Share back within `horizon` by stage and branch, with intervals; with groups, by stage and group. Without a
        horizon, that of the sentence."""
        day = self._headline() if horizon is None else chosen_horizon(horizon, self.horizons, what="Recovery")
        rows = self.table[(self.table["horizon_days"] == day) & self.table["estimate"].notna()]
        rows = rows[(rows["to"] == ANY_BRANCH) == bool(self.by)]
        if rows.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        beside = "group" if self.by else "to"
        top = ordered(rows, "estimate").head(5)
        told = [f"{row['stage']}, {row[beside]}: {self._share(row)}" for _, row in top.iterrows()]
        return charts.intervals(
            rows,
            label="stage",
            x="estimate",
            lower="lower",
            upper="upper",
            by=beside,
            percent=True,
            x_label=f"back within {in_days(day)} of being lost ({self.confidence:.0%} intervals)",
            title=f"Who comes back after a loss, by {self.by or 'branch'}",
            alt=f"Share back within {in_days(day)} of being lost, highest first. {'; '.join(told)}.",
            colour_order=() if self.by else (*MOVES, *self.branches),
            ax=ax,
        )

    def for_export(self) -> "Recovery":
        """The same, fit to be handed on: counts of fewer than five customers are missing, and all numbers of so few.

        Estimates stay: they are of five customers or more, with their interval.
        """
        waits = self.waits.assign(events=self.waits["events"].where(~self.waits["events"].between(1, MIN_SHOWN - 1)))
        return replace(self, table=without_few(self.table), overall=without_few(self.overall), waits=waits)

    def _repr_html_(self) -> str:
        shown = self.for_export()
        level = f"Share of losses after which the customer is back within the horizon, {self.confidence:.0%} intervals."
        waits = "Of those who come back within the horizon: days until half of them are back."
        return self._card(
            html.paragraph(self.sentence()),
            html.table(shown.table, caption=level),
            html.table(shown.waits, caption=waits),
        )

    def _headline(self) -> float:
        """The longest of the horizons at which most of the overall shares are estimable."""
        known = self.overall.groupby("horizon_days")["estimate"].count()
        return max(self.horizons, key=lambda each: (known.get(each, 0), each))

    def _whole(self, row: pd.Series) -> str:
        whose = f" with {self.by} “{row['group']}”" if self.by else ""
        given = f", {row['note']}" if row["note"] else ""
        told = (
            f"Of customers{whose} who are lost, {percent(row['estimate'])} ({self.confidence:.0%} interval "
            f"{percent(row['lower'])} to {percent(row['upper'])}) are back within {in_days(row['horizon_days'])}"
            f"{given} ({counted(row['n'], 'lost visit')})"
        )
        waits = self.waits[(self.waits["stage"] == ANY_STAGE) & (self.waits["horizon_days"] == row["horizon_days"])]
        waits = waits[waits["group"] == row["group"]] if self.by else waits
        if waits.empty or waits["estimate"].isna().all():
            return f"{told}."
        wait = waits.iloc[0]
        return f"{told}, half of those by day {wait['estimate']:,.1f} ({wait['lower']:,.1f} to {wait['upper']:,.1f})."

    def _best(self, day: float) -> list[str]:
        rows = self.table[(self.table["horizon_days"] == day) & (self.table["to"] != ANY_BRANCH)]
        rows = rows[rows["estimate"] > 0]
        if rows.empty:
            return []
        best = rows.iloc[largest(rows["estimate"])]
        group = f" among customers with {self.by} “{best['group']}”" if self.by else ""
        return [f"Most come back from “{best['to']}” in “{best['stage']}”{group}: {self._share(best)}."]

    def _share(self, row: pd.Series) -> str:
        base = counted(row["n"], "lost visit") + (f", {row['note']}" if row["note"] else "")
        return f"{percent(row['estimate'])} ({percent(row['lower'])} to {percent(row['upper'])}; {base})"


def estimate_recovery(
    spells: Spells,
    *,
    horizons: Iterable[str | timedelta],
    by: By | None = None,
    where: Where | None = None,
    confidence: float = 0.95,
    min_at_risk: int = 10,
) -> Recovery:
    """Of the customers lost from each stage to each branch, how many come back within each of `horizons`, how soon?

    The unit is the loss, on the clock of days since it; customers not yet back at the window's end are censored
    (Kaplan-Meier; nothing competes with coming back). Standard errors are clustered by customer, intervals logit, and
    estimates missing, with a note, where fewer than `min_at_risk` customers were lost, or as many losses are watched no
    longer. A customer lost to silence was lost so many days after their last event as the stage is silent after.

    `by`: as in `estimate_dropoff`; a label that became known while a customer was away counts from then on. Where
    nobody was lost, or nobody with a label, the finding is empty and `lacking` says why.

    Raises EstimateError: no horizon, unknown `by`, labels of which none is of a customer with a spell, `confidence` not
    between 0 and 1, `min_at_risk` below 1; JourneyLabError: a horizon that is no duration.
    """
    asked = read_horizons(horizons)
    check_confidence(confidence)
    check_least(min_at_risk)
    spells = select(spells, where)
    grouping = None if by is None else Grouping.of(by, spells)
    away = find_absences(spells)
    watched(spells, grouping)  # raises where the labels are of nobody who has a spell
    absences = away if grouping is None else grouping.apply(away)
    cells = [StageExits(each, min_at_risk, confidence) for each in find_returns(absences, spells.journey)]
    name = grouping.name if grouping else None
    overall = [cell for cell in cells if cell.entered.stage == ANY_STAGE]
    return Recovery(
        title="Recovery after a loss" + (f", by {name}" if name else ""),
        table=tidy(_rows([cell for cell in cells if cell not in overall], asked), _COLUMNS, by=name),
        lacking=None if len(absences) else _why_nobody(spells, grouping, away),
        period=spells.window,
        overall=tidy(_rows(overall, asked), _COLUMNS, by=name),
        waits=tidy((_wait(cell, asked) for cell in cells), _WAITS, by=name),
        horizons=asked,
        confidence=confidence,
        by=name,
        stages=spells.journey.stage_names,
        branches=spells.journey.branches,
    )


def _rows(cells: Iterable[StageExits], horizons: tuple[float, ...]) -> list[dict]:
    return [
        {name: row[name] for name in _COLUMNS if name != "to"} | {"to": _branch(cell)}
        for cell in cells
        for row in cell.rows(horizons)
    ]


def _branch(cell: StageExits) -> str:
    return cell.entered.branch if isinstance(cell.entered, Absences) else ANY_BRANCH


def _wait(cell: StageExits, horizons: tuple[float, ...]) -> dict:
    """The row of `waits` of one stage and branch."""
    exits = cell.kept
    known = [day for day in horizons if cell.why_missing(day) is None]
    day = known[-1] if known else horizons[-1]
    n_back = exits.count(exits.ways[0], within=day)
    note = cell.why_missing(day)
    if note is None and n_back < FEWEST_RETURNS:
        note = f"fewer than {FEWEST_RETURNS} came back" if n_back else "nobody came back"
    found = (np.nan, np.nan, np.nan) if note else _half_back(cell, day)
    return {
        "group": exits.group,
        "stage": exits.stage,
        "to": _branch(cell),
        "horizon_days": day,
        **dict(zip(("estimate", "lower", "upper"), found, strict=True)),
        "n": exits.n,
        "customers": exits.n_customers,
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


def _why_nobody(spells: Spells, grouping: Grouping | None, away: pd.DataFrame) -> str:
    if not len(spells) or (len(away) and grouping is not None and grouping.labels.empty):
        return why_nobody(spells, grouping)
    if away.empty or grouping is None:
        return "Nobody was lost, so nobody could come back."
    return f"Nobody was away when their {grouping.name} was known or after, so there is nothing to compare by it."
