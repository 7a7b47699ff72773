"""Extrapolation: how many would still be inside a stage on days that nobody was watched, if a model held?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.base.durations import days
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.ordering import ordered
from journeylab.base.words import counted, percent
from journeylab.estimators.intervals import probability_interval
from journeylab.events.log import Window
from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.exit_curves import ExitCurves
from journeylab.findings.finding import Finding, tidy
from journeylab.findings.survival.tail import FAMILIES, Tail, fit_tail

OBSERVED, EXTRAPOLATION = "observed", "extrapolation"
_N_DAYS = 101
_WHOSE = dict.fromkeys(("group", "stage"), object)
_ESTIMATE = dict.fromkeys(("estimate", "lower", "upper"), float)
_SHARES = {**_WHOSE, "kind": object, "days": float, **_ESTIMATE, "at_risk": int, "n": int, "observed_until": float}
_MODELS = {
    **_WHOSE, "model": object, "asked": bool, "horizon_days": float, **_ESTIMATE, "aic": float,
    "log_likelihood": float, "location": float, "scale": float, "furthest_off": float, "observed_until": float,
    "n": int, "customers": int, "note": object,
}  # fmt: skip


@dataclass(frozen=True)
class Extrapolation(Finding):
    """The share still inside a stage, as far as it was watched, and beyond that as a parametric model continues it.

    table: a row per (group,) stage, `kind` and `days`: `observed` until the last day on which 10 visits were at risk
        (`observed_until`), `extrapolation` from there to the horizon; `estimate`, `lower`, `upper`; `at_risk`; `n`.
    models: a row per (group and) model, that `asked` for and the others: share inside at the horizon with interval,
        Akaike's criterion, `location` and `scale` of log days (as in R's survreg), and `furthest_off`: how far, at
        most, the model is from the observed curve where that was watched (a share). `note`: why one is missing.
    stage, model, horizon_days, confidence, by: what was asked. stages: all, in the journey's order.

    Limits of the extrapolation are log(-log), from errors clustered by customer (sandwich, delta method). They tell how
    well the model's parameters are known, not whether the model holds beyond the days watched: compare the models.
    """

    models: pd.DataFrame = field(repr=False)
    stage: str
    model: str
    horizon_days: float
    confidence: float
    by: str | None
    stages: tuple[str, ...]

    def sentence(self) -> str:
        """What share is inside at the horizon if the model holds, until when data go, and what other models say."""
        if self.lacking:
            return self.lacking
        asked = self._asked()
        told = "; ".join(self._told(row) for _, row in asked.iterrows())
        return (
            f"Extrapolation by the {FAMILIES[self.model].words} model, not observed: on day {self.horizon_days:,g} "
            f"after entering “{self.stage}” there would still be inside {told}. "
            "The intervals hold only if the model does."
        )

    def by_stage(self) -> pd.DataFrame:
        """A lane `extrapolation` in words; with groups, a lane for each."""
        lanes = {"extrapolation": [None] * len(self.stages)} if self.lacking else {}
        for _, row in [] if self.lacking else self._asked().iterrows():
            said = (
                f"extrapolated to day {self.horizon_days:,g} ({FAMILIES[self.model].words}): {self._share(row)} inside"
            )
            name = EXTRAPOLATION + (f" ({row['group']})" if self.by else "")
            lanes[name] = [said if stage == self.stage else None for stage in self.stages]
        return pd.DataFrame(lanes, index=pd.Index(self.stages, name="stage"), dtype=object)

    def plot(self, ax=None) -> Chart:
        """The observed curve, and dashed from the last day watched (dotted upright) on, the extrapolation; with groups
        a panel for each, or all in `ax`."""
        if self.lacking:
            return charts.note(self.lacking, title=self.title, ax=ax)
        drawn, in_panels = self.table, bool(self.by) and ax is None
        if self.by and not in_panels:
            drawn = drawn.assign(kind=drawn["kind"] + " · " + drawn["group"])
        return charts.curves(
            drawn,
            x="days",
            y="estimate",
            by="kind",
            panel="group" if in_panels else None,
            lower="lower",
            upper="upper",
            x_label="days since entering the stage (dotted: observed until here)",
            y_label=f"still inside ({self.confidence:.0%} band)",
            title=f"How long customers would stay in “{self.stage}”, by the {FAMILIES[self.model].words} model",
            alt=self.sentence(),
            percent=True,
            dashed=[name for name in drawn["kind"].unique() if name.startswith(EXTRAPOLATION)],
            mark="observed_until",
            ax=ax,
        )

    def _repr_html_(self) -> str:
        caption = f"Share inside on day {self.horizon_days:,g} if the model holds, {self.confidence:.0%} intervals"
        return self._card(html.paragraph(self.sentence()), html.table(self.models, caption=caption))

    def _asked(self) -> pd.DataFrame:
        return self.models[self.models["asked"] & self.models["estimate"].notna()]

    def _share(self, row: pd.Series) -> str:
        limits = f"{percent(row['lower'])} to {percent(row['upper'])}"
        return f"{percent(row['estimate'])} ({self.confidence:.0%} interval {limits})"

    def _told(self, row: pd.Series) -> str:
        base = f"{counted(row['n'], 'visit')} of {counted(row['customers'], 'customer')}"
        same = self.models["group"] == row["group"] if self.by else np.full(len(self.models), True)
        others = self.models.loc[same & ~self.models["asked"], ["model", "estimate"]].dropna()
        rivals = f"other models say {percent(others['estimate'].min())} to {percent(others['estimate'].max())}"
        best = ordered(self.models[same], "aic", smallest=True)["model"].iloc[0]
        told = [
            f"data go up to day {row['observed_until']:,.1f}",
            f"where the model is up to {100 * row['furthest_off']:.1f} points off",
            *([rivals] if len(others) else []),
            f"lowest AIC: {FAMILIES[best].words}",
        ]
        whose = f" with {self.by} “{row['group']}”" if self.by else ""
        return f"{self._share(row)} of {base}{whose} ({', '.join(told)})"


def extrapolate(
    curves: Sequence[ExitCurves],
    *,
    model: str,
    horizon: str | timedelta,
    by: str | None,
    stages: tuple[str, ...],
    period: Window | None,
) -> Extrapolation:
    """See `Survival.extrapolate`; `curves` are those of one stage, one for each group."""
    if model not in FAMILIES:
        raise EstimateError(f"There is no model “{model}” to extrapolate by. {did_you_mean(model, FAMILIES)}")
    day, stage, confidence = days(horizon), curves[0].exits.stage, curves[0].confidence
    untils = [_observed_until(curve) for curve in curves]
    if day <= min(untils):
        raise EstimateError(
            f"The horizon of {day:,g} days lies within the days watched in “{stage}”, {min(untils):,.1f}: nothing is "
            "to be extrapolated. Read the observed curve, or give a later horizon."
        )
    shares, models = [], []
    for curve, until in zip(curves, untils, strict=True):
        reason = _why_not(curve, until, day)
        tails = {} if reason else {name: fit_tail(curve.exits, name) for name in FAMILIES}
        models += [_model(curve, name, tails.get(name), until, day, reason, name == model) for name in FAMILIES]
        shares += _shares(curve, tails.get(model), min(until, day), day)
    found = tidy(models, _MODELS, by=by)
    asked = found[found["asked"]]
    reasons = [f"{row.group}: {row.note}" if by else row.note for row in asked.itertuples() if row.note]
    return Extrapolation(
        title=f"Extrapolated time in “{stage}”" + (f", by {by}" if by else ""),
        table=tidy(shares, _SHARES, by=by),
        lacking=None if asked["estimate"].notna().any() else f"“{stage}” is not extrapolated: {'; '.join(reasons)}.",
        period=period,
        models=found,
        stage=stage,
        model=model,
        horizon_days=day,
        confidence=confidence,
        by=by,
        stages=stages,
    )


def _observed_until(curve: ExitCurves) -> float:
    """The last day on which 10 visits were at risk; where there never were, the last day watched."""
    stretch = curve.exits.at_risk_span(MIN_CUSTOMERS)
    return stretch[1] if stretch else curve.fitted.last_time


def _why_not(curve: ExitCurves, until: float, day: float) -> str | None:
    if until >= day:
        return f"watched until day {until:,.1f}, beyond the horizon"
    if few := curve.exits.few(MIN_CUSTOMERS):
        return few
    after = curve.exits.exit[(curve.exits.destination > 0) & (curve.exits.exit > 0)]
    if len(after) < MIN_CUSTOMERS:
        return f"only {counted(len(after), 'visit')} ended after the day of entering, and {MIN_CUSTOMERS} are needed"
    return "all visits that ended did so on one day" if after.min() == after.max() else None


def _shares(curve: ExitCurves, tail: Tail | None, until: float, day: float) -> list[dict]:
    watched = curve.days()
    watched = np.append(watched[watched < until], until)
    limits = [column[:, 0] for column in curve.shares(watched)]
    rows = _rows(curve, OBSERVED, watched, limits, until)
    if tail is None:
        return rows
    beyond = np.linspace(until, day, _N_DAYS)
    return rows + _rows(curve, EXTRAPOLATION, beyond, _limits(curve, tail, beyond), until)


def _rows(curve: ExitCurves, kind: str, shown: np.ndarray, limits: Sequence[np.ndarray], until: float) -> list[dict]:
    whose = {"group": curve.exits.group, "stage": curve.exits.stage, "kind": kind}
    base = {"n": curve.exits.n, "observed_until": until}
    names = ("days", "estimate", "lower", "upper", "at_risk")
    values = zip(shown, *limits, curve.exits.at_risk(shown), strict=True)
    return [{**whose, **dict(zip(names, row, strict=True)), **base} for row in values]


def _limits(curve: ExitCurves, tail: Tail, shown: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    share, error = tail.shares(shown)
    limits = probability_interval(
        share, error, scale="log-log", confidence=curve.confidence, n=np.full(len(shown), curve.exits.n_customers)
    )
    return share, *limits


def _model(
    curve: ExitCurves, name: str, tail: Tail | None, until: float, day: float, reason: str | None, asked: bool
) -> dict:
    row = {
        "group": curve.exits.group, "stage": curve.exits.stage, "model": name, "asked": asked, "horizon_days": day,
        "observed_until": until, "n": curve.exits.n, "customers": curve.exits.n_customers,
        "note": reason or (None if tail else "the fit did not converge"),
    }  # fmt: skip
    if tail is None:
        return row
    at_horizon = (float(column[0]) for column in _limits(curve, tail, np.array([day])))
    fitted = {each: getattr(tail, each) for each in ("aic", "log_likelihood", "location", "scale")}
    shown = curve.fitted.times[(curve.fitted.times <= until) & (curve.fitted.times >= tail.begin)]
    off = np.abs(tail.shares(shown)[0] - curve.fitted.occupancy(shown)[:, 0]).max(initial=0.0)
    return {**row, **dict(zip(_ESTIMATE, at_horizon, strict=True)), **fitted, "furthest_off": float(off)}
