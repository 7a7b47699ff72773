"""Extrapolation: how many would still be inside a stage on days that nobody was watched, if a model held?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.durations import days
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.ordering import ordered
from journeylab.base.words import counted, percent
from journeylab.estimators.intervals import probability_interval
from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.exit_curves import ExitCurves, curve_to, whose
from journeylab.findings.finding import StageFinding, share_in_words, tidy
from journeylab.findings.survival.tail import FAMILIES, Tail, fit_tail

OBSERVED, EXTRAPOLATION = "observed", "extrapolation"
_N_DAYS = 101
_SHARES = "group stage kind days estimate lower upper at_risk n observed_until"
_MODELS = (
    "group stage model asked horizon_days estimate lower upper aic log_likelihood location scale furthest_off "
    "observed_until n customers note"
)


@dataclass(frozen=True)
class Extrapolation(StageFinding):
    """The share still inside a stage, as far as it was watched, and beyond that as a parametric model continues it.

    Limits of the extrapolation are log(-log), from errors clustered by customer (sandwich, delta method). They say how
    well the model's parameters are known, not whether the model holds beyond the days watched: compare the models.

    Attributes
    ----------
    table : DataFrame
        A row per (group,) stage, `kind` and `days`: `observed` until the last day on which 10 visits were at risk
        (`observed_until`), `extrapolation` from there to the horizon; `estimate`, `lower`, `upper`; `at_risk`; `n`.
    models : DataFrame
        A row per (group and) model, that `asked` for and the others: share inside at the horizon with interval,
        Akaike's criterion, `location` and `scale` of log days (as in R's survreg), and `furthest_off`: how far, at
        most, the model is from the observed curve where that was watched (a share). `note`: why one is missing.
    stage, model, horizon_days
        What was asked.
    """

    models: pd.DataFrame = field(repr=False)
    stage: str
    model: str
    horizon_days: float

    def sentence(self) -> str:
        """What share is inside at the horizon if the model holds, until when data go, and what other models say."""
        if self.lacking:
            return self.lacking
        shares = "; ".join(self._in_words(row) for _, row in self._asked().iterrows())
        return (
            f"Extrapolation by the {self._model} model, not observed: on day {self.horizon_days:,g} "
            f"after entering “{self.stage}” there would still be inside {shares}. "
            "The intervals hold only if the model does."
        )

    def by_stage(self) -> pd.DataFrame:
        """A lane `extrapolation` in words; with groups, a lane for each."""
        if self.lacking:
            return self._lanes({EXTRAPOLATION: {}})
        until = f"extrapolated to day {self.horizon_days:,g} ({self._model})"
        lanes = {
            f"{EXTRAPOLATION}{suffix}": {self.stage: f"{until}: {self._share(rows.iloc[0])} inside"}
            for suffix, rows in self._by_group(self._asked())
        }
        return self._lanes(lanes)

    def plot(self, ax=None) -> Chart:
        """The observed curve and, dashed, the extrapolation; a dotted line marks the last day watched.

        With groups a panel for each, or all in `ax`.
        """
        if self.lacking:
            return charts.note(self.lacking, title=self.title, ax=ax)
        drawn, in_panels = self.table, bool(self.by) and ax is None
        if self.by and not in_panels:
            drawn = drawn.assign(kind=drawn["kind"] + " · " + drawn["group"])
        return charts.curves(
            drawn,
            x="days",
            by="kind",
            panel="group" if in_panels else None,
            lower="lower",
            upper="upper",
            x_label="days since entering the stage (dotted: observed until here)",
            y_label=f"still inside ({self.confidence:.0%} band)",
            title=f"How long customers would stay in “{self.stage}”, by the {self._model} model",
            alt=self.sentence(),
            percent=True,
            dashed=[name for name in drawn["kind"].unique() if name.startswith(EXTRAPOLATION)],
            mark="observed_until",
            ax=ax,
        )

    def _tables(self) -> dict[str, pd.DataFrame]:
        level = f"{self.confidence:.0%} intervals"
        return {f"Share inside on day {self.horizon_days:,g} if the model holds, {level}": self.models}

    def _asked(self) -> pd.DataFrame:
        return self.models[self.models["asked"] & self.models["estimate"].notna()]

    @property
    def _model(self) -> str:
        return FAMILIES[self.model].words

    def _share(self, row: pd.Series) -> str:
        return share_in_words(row, level=self._level)

    def _in_words(self, row: pd.Series) -> str:
        base = f"{counted(row['n'], 'visit')} of {counted(row['customers'], 'customer')}"
        models = self._of_group(self.models, row)
        others = models.loc[~models["asked"], "estimate"].dropna()
        rivals = f"other models say {percent(others.min())} to {percent(others.max())}"
        best = ordered(models, "aic", smallest=True)["model"].iloc[0]
        remarks = [
            f"data go up to day {row['observed_until']:,.1f}",
            f"where the model is up to {100 * row['furthest_off']:.1f} points off",
            *([rivals] if len(others) else []),
            f"lowest AIC: {FAMILIES[best].words}",
        ]
        return f"{self._share(row)} of {base}{self._with_group(row)} ({', '.join(remarks)})"


def extrapolate(
    survival: StageFinding, curves: Sequence[ExitCurves], *, model: str, horizon: str | timedelta
) -> Extrapolation:
    """See `Survival.extrapolate`; `curves` are those of one stage, one for each group."""
    if model not in FAMILIES:
        raise EstimateError(f"There is no model “{model}” to extrapolate by. {did_you_mean(model, FAMILIES)}")
    day, stage, by = days(horizon), curves[0].exits.stage, survival.by
    untils = [_observed_until(curve) for curve in curves]
    if day <= min(untils):
        raise EstimateError(
            f"The horizon of {day:,g} days is within the days watched in “{stage}”, {min(untils):,.1f}: there is "
            "nothing to extrapolate. Read the observed curve, or give a later horizon."
        )
    shares, models = [], []
    for curve, until in zip(curves, untils, strict=True):
        reason = _why_not(curve, until, day)
        tails = {} if reason else {name: fit_tail(curve.exits, name) for name in FAMILIES}
        for name in FAMILIES:
            row = _model(curve, tails.get(name), until, day)
            note = reason or (None if tails[name] else "the fit did not converge")
            models.append({**row, "model": name, "asked": name == model, "note": note})
        shares += _shares(curve, tails.get(model), min(until, day), day)
    models = tidy(models, _MODELS, by=by).astype({"asked": bool})
    asked = models[models["asked"]]
    reasons = [f"{row.group}: {row.note}" if by else row.note for row in asked.itertuples() if row.note]
    return Extrapolation(
        title=f"Extrapolated time in “{stage}”" + (f", by {by}" if by else ""),
        table=tidy(shares, _SHARES, by=by),
        lacking=None if asked["estimate"].notna().any() else f"“{stage}” is not extrapolated: {'; '.join(reasons)}.",
        period=survival.period,
        models=models,
        stage=stage,
        model=model,
        horizon_days=day,
        confidence=survival.confidence,
        by=by,
        stages=survival.stages,
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
    """The observed shares until day `until`, and those of the model from there to `day`."""
    parts: list[tuple[str, np.ndarray, Sequence[np.ndarray]]] = [(OBSERVED, *curve_to(curve, until, 0))]
    if tail is not None:
        beyond = np.linspace(until, day, _N_DAYS)
        parts.append((EXTRAPOLATION, beyond, _limits(curve, tail, beyond)))
    names = ("days", "estimate", "lower", "upper", "at_risk")
    return [
        {**whose(curve.exits), "kind": kind, **dict(zip(names, row, strict=True)), "observed_until": until}
        for kind, days, limits in parts
        for row in zip(days, *limits, curve.exits.at_risk(days), strict=True)
    ]


def _limits(curve: ExitCurves, tail: Tail, days: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    share, error = tail.shares(days)
    base = np.full(len(days), curve.exits.n_customers)
    return share, *probability_interval(share, error, scale="log-log", confidence=curve.confidence, n=base)


def _model(curve: ExitCurves, tail: Tail | None, until: float, day: float) -> dict:
    row = {**whose(curve.exits), "horizon_days": day, "observed_until": until}
    if tail is None:
        return row
    at_horizon = (float(column[0]) for column in _limits(curve, tail, np.array([day])))
    fitted = {name: getattr(tail, name) for name in ("aic", "log_likelihood", "location", "scale")}
    days = curve.fitted.times[(curve.fitted.times <= until) & (curve.fitted.times >= tail.begin)]
    off = np.abs(tail.shares(days)[0] - curve.fitted.occupancy(days)[:, 0]).max(initial=0.0)
    shares = dict(zip(("estimate", "lower", "upper"), at_horizon, strict=True))
    return {**row, **shares, **fitted, "furthest_off": float(off)}
