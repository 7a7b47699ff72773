"""Survival: how long do customers stay in each stage, and when do they leave it by each way out?"""

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.base.durations import days
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.words import percent
from journeylab.events.spells import Spells
from journeylab.events.spells.exits import MOVES, find_exits
from journeylab.findings.arguments import MIN_CUSTOMERS, check_confidence
from journeylab.findings.exit_curves import ExitCurves, with_enough_at_risk
from journeylab.findings.finding import Finding, LaneName, tidy
from journeylab.findings.grouping import By, Grouping, Where, select, watched, why_nobody
from journeylab.findings.survival.extrapolation import Extrapolation, extrapolate
from journeylab.findings.survival.tables import (
    INSIDE,
    MEAN_COLUMNS,
    QUANTILE_COLUMNS,
    base_of,
    drawable,
    named_if_few,
    note_of,
    quantiles_of,
    remarks_in,
    states_of,
    whose,
    whose_are_few,
)  # fmt: skip

N_AT_RISK_SHOWN = 5


@dataclass(frozen=True)
class Survival(Finding):
    """Time in stage, stage by stage, on the spell clock (days since entering the stage).

    table: a row per (group,) stage, `state` and `days`. The states are `inside` and the ways out; `estimate`, `lower`,
        `upper`: the share that is there so many days after entering; on any day the states sum to 1. `at_risk`: visits
        watched and inside just before; `n` visits in all. The days are 0, those when someone left, and the last day
        watched; of more than 100, some 100 are shown, while medians and means are taken from all of them. Stages that
        nobody entered have no row.
    stages, ways: all stages, and all ways out of any, in the journey's order. confidence: the level of all intervals.
    by: what the groups are, or None.
    curves: what the tables are read from, for each (group and) stage that was entered.
    """

    stages: tuple[str, ...]
    ways: tuple[str, ...]
    confidence: float
    by: str | None
    quantiles: pd.DataFrame = field(repr=False)
    curves: tuple[ExitCurves, ...] = field(repr=False)

    def medians(self) -> pd.DataFrame:
        """After how many days a quarter, half, and three quarters have left the stage, by whichever way.

        A row per (group,) stage and `quantile`: `estimate`, `lower`, `upper` in days; `n` visits of `customers`. The
        estimate is the first day by which at least that share has left. What was not reached while customers were
        watched is missing, and `note` says so. Stages that cannot be left, or that nobody entered, have no row.
        """
        return self.quantiles.copy()

    def restricted_means(self, horizon: str | timedelta) -> pd.DataFrame:
        """Mean days spent inside the stage in the first `horizon` after entering it.

        A row per (group,) stage: `horizon_days`; `estimate`, `lower`, `upper` and `standard_error` in days; `n` visits
        of `customers`, `at_risk` just before the horizon. Missing, with a `note`, where nobody was watched that long
        and some would still have been inside.
        """
        day = days(horizon)
        rows = []
        for curve in self.curves:
            found = dict(zip(("estimate", "lower", "upper", "standard_error"), curve.restricted_mean(day), strict=True))
            last = (
                f"nobody was watched after day {curve.fitted.last_time:,.1f}" if np.isnan(found["estimate"]) else None
            )
            base = {**base_of(curve), "at_risk": int(curve.exits.at_risk(day)), "note": note_of(curve, last)}
            rows.append({**whose(curve), "horizon_days": day, **found, **base})
        return tidy(rows, MEAN_COLUMNS, by=self.by)

    def extrapolate(self, stage: str, *, horizon: str | timedelta, model: str) -> Extrapolation:
        """The share still inside `stage` until `horizon`, beyond the days watched as a parametric model continues it.

        `model`: “weibull”, “lognormal”, “loglogistic” or “exponential”. Leaving by whichever way, fitted to all visits
        (late entry and censoring as in the curves); visits that ended at the moment of entering count as the share
        observed, and the model is one of the rest. Groups with fewer than 10 customers, or exits, are not extrapolated.

        Raises EstimateError: a stage of which no way out was estimated, unknown `model`, a `horizon` that lies within
        the days watched.
        Source: Collett (2015), Modelling Survival Data in Medical Research, chapter 5; for late entry Klein &
        Moeschberger (2003), section 3.5.
        """
        self._check_can_be_left(stage)
        curves = [curve for curve in self.curves if curve.exits.stage == stage]
        return extrapolate(curves, model=model, horizon=horizon, by=self.by, stages=self.stages, period=self.period)

    def sentence(self) -> str:
        """After how long half have left each stage; with groups, the stage with most visits."""
        if self.lacking:
            return self.lacking
        medians = self._halves()
        if medians.empty:
            return "Nobody entered a stage that can be left."
        if not self.by:
            told = [f"“{row['stage']}” {self._half(row)}" for _, row in medians.iterrows()]
            return f"Half of those who enter a stage have left it, by whichever way: {'; '.join(told)}."
        most = self._most_visited()
        medians = medians[medians["stage"] == most]
        told = [f"{self.by} “{row['group']}” {self._half(row)}" for _, row in medians.iterrows()]
        return f"Half of those who enter “{most}” have left it, by whichever way: {'; '.join(told)}."

    def by_stage(self) -> pd.DataFrame:
        """A lane `time in stage` in words: until half have left, interval, base; with groups, a lane for each."""
        medians = self._halves()
        groups = list(dict.fromkeys(medians["group"])) if self.by else [None]
        lanes = {}
        for group in groups:
            rows = medians[medians["group"] == group] if self.by else medians
            cells = {row["stage"]: f"half have left {self._half(row)}" for _, row in rows.iterrows()}
            lanes[LaneName.TIME_IN_STAGE + (f" ({group})" if self.by else "")] = [
                cells.get(stage) for stage in self.stages
            ]
        return pd.DataFrame(lanes, index=pd.Index(self.stages, name="stage"), dtype=object)

    def plot(self, ax=None) -> Chart:
        """The share still inside each stage by days since entering: a panel per stage, or all in `ax`. Where no stage
        that can be left was entered, a note that says so."""
        if self.quantiles.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        can_be_left = set(self.quantiles["stage"])
        rows = self.table[(self.table["state"] == INSIDE) & self.table["stage"].isin(can_be_left)]
        drawn = drawable(rows, self.curves)
        at_risk = named_if_few(self._at_risk(drawn), self.curves)
        line = "group" if self.by else "stage"
        if self.by and ax is not None:
            drawn = drawn.assign(line=drawn["stage"] + " · " + drawn["group"])
            line = "line"
        named = named_if_few(drawn, self.curves, column=line)
        in_panels = {"panel": "stage", "by": line if self.by else None, "at_risk": at_risk}
        layout = in_panels if ax is None else {"by": line}
        if layout["by"]:
            layout["colour_order"] = list(dict.fromkeys(drawn[line]))
        return charts.curves(
            named,
            x="days",
            y="estimate",
            lower="lower",
            upper="upper",
            x_label="days since entering the stage",
            y_label=f"still inside ({self.confidence:.0%} band)",
            title="How long customers stay in each stage",
            alt=f"Share still inside each stage, by days since entering. {self.sentence()}",
            percent=True,
            faint=named.loc[named["is_few"], line].unique().tolist(),
            ax=ax,
            **layout,
        )

    def plot_incidence(self, stage: str | None = None, ax=None) -> Chart:
        """The share that has left `stage` by each way taken, by days since entering; with groups, a panel for each.

        Without `stage`, that with most visits among those that can be left. Where none of these was entered, a note
        that says so. Raises EstimateError for a stage of which no way out was estimated, while others were.
        """
        if self.quantiles.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        stage = self._most_visited() if stage is None else stage
        self._check_can_be_left(stage)
        rows = self.table[(self.table["stage"] == stage) & (self.table["state"] != INSIDE)]
        taken = rows.loc[rows["estimate"] > 0, "state"].unique()
        drawn = drawable(rows[rows["state"].isin(taken)] if len(taken) else rows, self.curves)
        line = "group" if self.by else "stage"
        named = named_if_few(drawn, self.curves, column=line)
        if self.by and ax is not None:
            named = named.assign(state=named["state"] + " · " + named["group"])
        # Where the stage as a whole is of few, its name in `named` goes on to say so.
        remark = "" if self.by else named["stage"].iloc[0].removeprefix(stage)
        return charts.curves(
            named,
            x="days",
            y="estimate",
            by="state",
            panel="group" if self.by and ax is None else None,
            lower="lower",
            upper="upper",
            x_label="days since entering the stage",
            y_label=f"has left ({self.confidence:.0%} band)",
            title=f"By which ways customers leave “{stage}”{remark}",
            alt=self._exits_in_words(drawn, stage),
            percent=True,
            colour_order=self.ways,
            faint=named.loc[named["is_few"], "group" if self.by and ax is None else "state"].unique().tolist(),
            ax=ax,
        )

    def _repr_html_(self) -> str:
        caption = (
            f"Days until a quarter, half, three quarters have left the stage, with {self.confidence:.0%} intervals."
        )
        return self._card(html.paragraph(self.sentence()), html.table(self.quantiles, caption=caption))

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
        visits = f"{row['n']:,} visit{'' if row['n'] == 1 else 's'}"
        if np.isnan(row["estimate"]):
            return f"not while watched ({visits}{remarks_in(row['note'])})"
        lower, upper = ("not reached" if np.isnan(row[limit]) else f"{row[limit]:,.1f}" for limit in ("lower", "upper"))
        interval = f"{self.confidence:.0%} interval {lower} to {upper}"
        return f"after {row['estimate']:,.1f} days ({interval}; {visits}{remarks_in(row['note'])})"

    def _at_risk(self, drawn: pd.DataFrame) -> pd.DataFrame:
        """Numbers at risk at a few evenly spaced days of each panel."""
        shown = drawn.groupby("stage", sort=False)["days"].agg(["min", "max"])
        rows = [
            {"stage": curve.exits.stage, "group": curve.exits.group, "x": day, "n": int(curve.exits.at_risk(day))}
            for curve in self.curves
            if curve.exits.stage in shown.index
            for day in np.linspace(*shown.loc[curve.exits.stage], N_AT_RISK_SHOWN)
        ]
        table = pd.DataFrame(rows, columns=["stage", "group", "x", "n"])
        return table if self.by else table.drop(columns="group")

    def _exits_in_words(self, drawn: pd.DataFrame, stage: str) -> str:
        few = whose_are_few(self.curves)
        last = drawn.groupby(["group", "state"] if self.by else ["state"], sort=False).tail(1)
        told = [
            f"{row['group'] + ', ' if self.by else ''}{row['state']} {percent(row['estimate'], 1)} "
            f"({percent(row['lower'], 1)} to {percent(row['upper'], 1)}) by day {row['days']:,.0f}"
            + (f", {few[row.get('group'), stage]}" if (row.get("group"), stage) in few else "")
            for _, row in last.iterrows()
        ]
        return f"Share that has left “{stage}” by each way. {'; '.join(told)}."


def estimate_survival(
    spells: Spells, *, by: By | None = None, where: Where | None = None, confidence: float = 0.95
) -> Survival:
    """How long customers stay in each stage, and by which ways they leave it, on the spell clock.

    Aalen-Johansen with every way out of the stage as a state of its own: the ways compete, visits ongoing at the
    window's end are censored there, visits that had begun before they were watched enter the risk set late. Standard
    errors are clustered by customer (infinitesimal jackknife); intervals are log(-log) for staying, logit for each way
    out, and, of a share of exactly 0 or 1, Wilson's over the customers who were not censored before.

    `by`: a Grouping, a Series of labels by customer, or a column of `spells.customers`. Where a label became known
    after the journey began (personas), its customers are watched from then on: see `Grouping.apply`.

    Where fewer than 10 visits were at risk at first and more later, the curve starts with the latter, given being
    inside then, and a note says so. Where nobody was watched in any stage, or nobody with a label of `by`, the finding
    is empty and `lacking` says why.

    Raises EstimateError: unknown `by`, labels of which none is of a customer with a spell, `confidence` not between 0
    and 1.
    Source: Aalen, Borgan & Gjessing (2008), Survival and Event History Analysis, section 3.4; Andersen & Keiding
    (2012), Statistics in Medicine 31:1074-1088.
    """
    check_confidence(confidence)
    spells = select(spells, where)
    grouping = None if by is None else Grouping.of(by, spells)
    name = grouping.name if grouping else None
    visited = [exits for exits in find_exits(watched(spells, grouping), spells.journey) if exits.n]
    curves = tuple(ExitCurves.of(with_enough_at_risk(exits, MIN_CUSTOMERS), confidence) for exits in visited)
    return Survival(
        title="Time in each stage" + (f", by {name}" if name else ""),
        table=states_of(curves, by=name),
        lacking=None if visited else why_nobody(spells, grouping),
        period=spells.window,
        stages=spells.journey.stage_names,
        ways=(*MOVES, *spells.journey.branches),
        confidence=confidence,
        by=name,
        quantiles=tidy(
            (row for curve in curves if curve.exits.ways for row in quantiles_of(curve)), QUANTILE_COLUMNS, by=name
        ),
        curves=curves,
    )
