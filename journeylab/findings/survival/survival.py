"""Survival: how long do customers stay in each stage, and when do they leave it by each exit?"""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.durations import days
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.words import UNITS, counted, elapsed, in_one_unit, unit_of
from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.exit_curves import BAND, ExitCurves, StageExits, n_at_risk
from journeylab.findings.finding import LaneName, StageFinding, share_in_words, with_few_named
from journeylab.findings.survival import losses
from journeylab.findings.survival.tables import INSIDE, drawable, means_of, remarks_in, with_customers


@dataclass(frozen=True)
class Survival(StageFinding):
    """Time in stage, stage by stage, on the spell clock (days since entering the stage).

    Attributes
    ----------
    table : DataFrame
        A row per (group,) stage, `state` and `days`. The states are `inside` and the exits; `estimate`, `lower`,
        `upper`: the share that is there so many days after entering; on any day the states sum to 1. `at_risk`: visits
        watched and inside just before; `n` visits in all. The days are 0, those when someone left, and the last day
        watched; of more than 100, some 100 are shown, while medians and means are taken from all of them. Stages that
        nobody entered have no row.
    ways : tuple of str
        All exits from any stage, in the journey's order.
    curves : tuple of ExitCurves
        What the tables are read from, for each (group and) stage that was entered.
    """

    ways: tuple[str, ...]
    quantiles: pd.DataFrame = field(repr=False)
    curves: tuple[ExitCurves, ...] = field(repr=False)

    def medians(self) -> pd.DataFrame:
        """After how many days a quarter, half, and three quarters have left the stage, by any exit.

        Returns
        -------
        DataFrame
            A row per (group,) stage and `quantile`: `estimate`, `lower`, `upper` in days; `n` visits of `customers`.
            The estimate is the first day by which at least that share has left. What was not reached while customers
            were watched is missing, and `note` says so. Stages that cannot be left, or that nobody entered, have no
            row.
        """
        return self.quantiles.copy()

    def restricted_means(self, horizon: str | timedelta) -> pd.DataFrame:
        """Mean days spent inside the stage in the first `horizon` after entering it.

        Returns
        -------
        DataFrame
            A row per (group,) stage: `horizon_days`; `estimate`, `lower`, `upper` and `standard_error` in days; `n`
            visits of `customers`, `at_risk` just before the horizon. Limits are on the logit scale of the time there
            is; below 50 customers by Student's t. `note` is that of drop-off where fewer than 10 are at risk. Missing
            where nobody was watched that long and more than 2% would still have been inside.
        """
        return means_of(self.curves, days(horizon), by=self.by)

    def losses(self, horizon: str | timedelta) -> pd.DataFrame:
        """The share of visits that were lost within `horizon` of entering the stage, and by when half of these were.

        Returns
        -------
        DataFrame
            A row per (group,) stage and `kind`: “lost” by any branch; “declared”, by a loss event; “silent”.
            `estimate`, `lower`, `upper`: cumulative incidence, in which moving on competes; `half_days` (and limits):
            the day by which half of those lost by then were. `n` visits of `customers`, `at_risk` just before the
            horizon. `note` says why an estimate is missing or what it leaves out. Stages where nobody can be lost have
            no row.
        """
        return losses.losses_of(self._loss_cells, days(horizon), by=self.by)

    def losses_in_words(self, horizon: str | timedelta) -> str:
        """The stage that loses the largest share within `horizon`, how, and how soon."""
        return self.lacking or losses.in_words(self.losses(horizon), by=self.by, level=self._level)

    def sentence(self) -> str:
        """After how long half have left each stage; with groups, the stage with most visits."""
        medians = self._halves()
        if medians.empty:
            return "Nobody entered a stage that can be left."
        rows, whom = medians, "a stage"
        if self.by:
            stage = self._most_visited()
            rows, whom = medians[medians["stage"] == stage], f"“{stage}”"
        names = rows["group"].radd(f"{self.by} “") if self.by else rows["stage"].radd("“")
        halves = [f"{name}” {self._half(row)}" for name, (_, row) in zip(names, rows.iterrows(), strict=True)]
        return f"Half of those who enter {whom} have left it, one way or another: {'; '.join(halves)}."

    def by_stage(self) -> pd.DataFrame:
        """A lane `time in stage` in words: until half have left, interval, base; with groups, a lane for each."""
        lanes = {
            LaneName.TIME_IN_STAGE + suffix: {
                row["stage"]: f"half have left {self._half(row)}" for _, row in medians.iterrows()
            }
            for suffix, medians in self._by_group(self._halves())
        }
        return self._lanes(lanes)

    def days_by_stage(self) -> pd.DataFrame:
        """After how many days half have left each stage."""
        return self._halves()

    def plot(self, ax=None) -> Chart:
        """The share still inside each stage by days since entering: a panel per stage, or all in `ax`. Where no stage
        that can be left was entered, a note that says so."""
        if self.quantiles.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        can_be_left = set(self.quantiles["stage"])
        rows = self.table[(self.table["state"] == INSIDE) & self.table["stage"].isin(can_be_left)]
        drawn = drawable(rows, self.curves)
        line = "group" if self.by else "stage"
        at_risk = with_few_named(self._at_risk(drawn), line)
        if self.by and ax is not None:
            drawn = drawn.assign(line=drawn["stage"] + " · " + drawn["group"])
            line = "line"
        named, unit = _in_unit(with_few_named(drawn, line), "days")
        at_risk = at_risk.assign(x=at_risk["x"] * UNITS[unit])
        in_panels = {"panel": "stage", "by": line if self.by else None, "at_risk": at_risk}
        layout: dict[str, Any] = in_panels if ax is None else {"by": line}
        if layout["by"]:
            layout["colour_order"] = list(dict.fromkeys(drawn[line]))
        return charts.curves(
            named,
            **BAND,
            x_label=f"{unit}s since entering the stage",
            y_label=f"still inside ({self.confidence:.0%} band)",
            title="How long customers stay in each stage",
            alt=f"Share still inside each stage, by days since entering. {self.sentence()}",
            faint=named.loc[named["is_few"], line].unique().tolist(),
            ax=ax,
            **layout,
        )

    def plot_losses(self, horizon: str | timedelta, ax=None) -> Chart:
        """The share lost by days since entering, by a loss event and to silence: a panel per stage, or all in `ax`.

        `horizon`: of the sentence that stands with the figure.
        """
        drawn = losses.loss_curves(self._loss_cells)
        said = self.losses_in_words(horizon)
        if drawn.empty:
            return charts.note(said, title="How customers are lost", ax=ax)
        line = "kind"
        if self.by or ax is not None:
            places = drawn["stage"] + (" · " + drawn["group"] if self.by else "")
            drawn = drawn.assign(place=places, line=places + " · " + drawn["kind"])
            line = "kind" if ax is None else "line"
        return charts.curves(
            drawn,
            **BAND,
            by=line,
            panel=("place" if self.by else "stage") if ax is None else None,
            x_label="days since entering the stage",
            y_label=f"has been lost ({self.confidence:.0%} band)",
            title="How soon customers are lost, by a loss event (declared) and to silence",
            alt=f"Share lost by days since entering each stage. {said}",
            ax=ax,
        )

    def plot_incidence(self, stage: str | None = None, ax=None) -> Chart:
        """The share that has left `stage` by each exit taken, by days since entering; with groups, a panel for each.

        Parameters
        ----------
        stage : str, optional
            By default that with most visits among those that can be left. Where none of these was entered, a note says
            so.
        ax : matplotlib Axes, optional

        Raises
        ------
        EstimateError
            A stage of which no exit was estimated, while others were.
        """
        if self.quantiles.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        stage = self._most_visited() if stage is None else stage
        self._check_can_be_left(stage)
        rows = self.table[(self.table["stage"] == stage) & (self.table["state"] != INSIDE)]
        taken = rows.loc[rows["estimate"] > 0, "state"].unique()
        drawn = drawable(rows[rows["state"].isin(taken)] if len(taken) else rows, self.curves)
        named, unit = _in_unit(with_few_named(drawn, "group" if self.by else "stage"), "days")
        if self.by and ax is not None:
            named = named.assign(state=named["state"] + " · " + named["group"])
        # Where few customers were in the stage, its name in `named` says so.
        remark = "" if self.by else named["stage"].iloc[0].removeprefix(stage)
        return charts.curves(
            named,
            **BAND,
            by="state",
            panel="group" if self.by and ax is None else None,
            x_label=f"{unit}s since entering the stage",
            y_label=f"has left ({self.confidence:.0%} band)",
            title=f"By which ways customers leave “{stage}”{remark}",
            alt=self._exits_in_words(drawn, stage),
            colour_order=self.ways,
            faint=named.loc[named["is_few"], "group" if self.by and ax is None else "state"].unique().tolist(),
            ax=ax,
        )

    @cached_property
    def _loss_cells(self) -> tuple[tuple[str, StageExits], ...]:
        return losses.loss_cells(self.curves)

    def _tables(self) -> dict[str, pd.DataFrame]:
        level = f"with {self.confidence:.0%} intervals."
        return {f"Days until a quarter, half, three quarters have left the stage, {level}": self.quantiles}

    def _halves(self) -> pd.DataFrame:
        return self.quantiles[self.quantiles["quantile"] == 0.5]

    def _check_can_be_left(self, stage: str) -> None:
        known = dict.fromkeys(self.quantiles["stage"])
        if stage not in known:
            raise EstimateError(f"No way out of the stage “{stage}” was estimated. {did_you_mean(stage, known)}")

    def _most_visited(self) -> str:
        """Of the stages that can be left, that with most visits; of equals the first."""
        return self._halves().groupby("stage", sort=False)["n"].sum().idxmax()

    def _half(self, row: pd.Series) -> str:
        base = counted(row["n"], "visit") + remarks_in(row["note"])
        if np.isnan(row["estimate"]):
            return f"not while watched ({base})"
        (half, lower, upper), unit = in_one_unit([row["estimate"], row["lower"], row["upper"]])
        return f"after {half} {unit} ({self._level}{lower} to {upper}{self._at_once(row)}; {base})"

    def _at_once(self, row: pd.Series) -> str:
        """Where the limits are the estimate itself: how many left after the very same time, as dates in a calendar
        make them."""
        if not row["lower"] == row["estimate"] == row["upper"]:
            return ""
        group = row["group"] if self.by else None
        visits = next(
            curve.exits for curve in self.curves if (curve.exits.stage, curve.exits.group) == (row["stage"], group)
        )
        n_then = int((visits.exit[visits.destination > 0] == row["estimate"]).sum())
        return f", as {n_then:,} left after just that time" if n_then >= MIN_SHOWN else ""

    def _at_risk(self, drawn: pd.DataFrame) -> pd.DataFrame:
        """Numbers at risk at a few evenly spaced days of each panel."""
        shown = drawn.groupby("stage", sort=False)["days"].agg(["min", "max"])
        exits = [curve.exits for curve in self.curves if curve.exits.stage in shown.index]
        parts = [n_at_risk(visits, *shown.loc[visits.stage]) for visits in exits]
        table = with_customers(pd.concat(parts, ignore_index=True), self.curves)
        return table if self.by else table.drop(columns="group")

    def _exits_in_words(self, drawn: pd.DataFrame, stage: str) -> str:
        last = drawn.groupby(["group", "state"] if self.by else ["state"], sort=False).tail(1)
        shares = [
            f"{row['group'] + ', ' if self.by else ''}{row['state']} {share_in_words(row, 1)} {_by_day(row['days'])}"
            + (_few(row) if row["customers"] < MIN_CUSTOMERS else "")
            for _, row in last.iterrows()
        ]
        return f"Share that has left “{stage}” by each way. {'; '.join(shares)}."


def _in_unit(rows: pd.DataFrame, column: str) -> tuple[pd.DataFrame, str]:
    """`rows` with a `column` of days in the unit that suits the longest, and the unit."""
    unit = unit_of(rows[column].max() / 2)
    return rows.assign(**{column: rows[column] * UNITS[unit]}), unit


def _by_day(days: float) -> str:
    return f"by day {days:,.0f}" if days >= 1 or not days else f"after {elapsed(days)}"


def _few(row: pd.Series) -> str:
    return f", only {counted(row['n'], 'visit')} of {counted(row['customers'], 'customer')}"
