"""Silence: how much do the losses depend on how long a silence must last, and who comes back after one?"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.base.durations import DAY, days
from journeylab.base.errors import EstimateError
from journeylab.base.ordering import largest, smallest
from journeylab.base.words import in_days, listed, percent
from journeylab.events.journey import SILENT, Journey
from journeylab.events.log import EventLog
from journeylab.events.queries.silences import RETURNED, find_silences, scale_silence
from journeylab.events.spells import Spells, find_spells_under
from journeylab.events.spells.exits import MOVES, Exits, find_exits
from journeylab.findings.arguments import MIN_CUSTOMERS, check_confidence
from journeylab.findings.exit_curves import ExitCurves, with_enough_at_risk
from journeylab.findings.finding import Finding, tidy

LOST = "lost"
N_SILENCES = 13
_WORDS = {0.5: "half", 1.0: "once", 2.0: "twice"}
_ESTIMATE = dict.fromkeys(("estimate", "lower", "upper"), float)
_BASE = {"n": int, "customers": int, "at_risk": int, "note": object}
_LOSSES = {"stage": object, "factor": float, "silent_after_days": float, "to": object, "horizon_days": float}
_RETURNS = {"stage": object, "silent_days": float, "factor": float, "horizon_days": float}


@dataclass(frozen=True)
class SilenceSensitivity(Finding):
    """Losses under shorter and longer silence windows, and returns after silences of many lengths.

    table: a row per stage that can be left, `factor` and `to`: the share of visits lost within `horizon_days` of
        entering the stage to the branch `silent`, or by whichever branch (`lost`), if every `silent_after` were
        `factor` times as long (in this stage `silent_after_days`). `n` visits of `customers`, `at_risk`: watched and
        inside just before the horizon. `note` says why an estimate is missing, what it is conditional on, or that the
        silence lasts longer than the horizon, so that nobody can be lost to it by then.
    returns: a row per stage with `silent_after` and length of silence: of the silences inside the stage that lasted
        longer than `silent_days`, `n` of `customers`, the share that ended with a return of the customer in the next
        `horizon_days`; `factor` is that length over `silent_after`. `at_risk`: silences still going on just before.
    stages: in the journey's order. factors: ascending. horizon: days. confidence: the level of all intervals.
    """

    returns: pd.DataFrame = field(repr=False)
    stages: tuple[str, ...]
    factors: tuple[float, ...]
    horizon: float
    confidence: float

    def shortest_silence(self, *, returning: float) -> pd.DataFrame:
        """How long a silence must last in each stage until at most the share `returning` of the silent come back within
        the horizon: candidates for `silent_after`.

        A row per stage: `stage`, `silent_days` (the shortest of the lengths in `returns`; missing where none is long
        enough), and the `estimate`, `lower`, `upper`, `n` there. Raises EstimateError unless `returning` is a share.
        """
        if not 0 < returning < 1:
            raise EstimateError(f"`returning` is {returning:g}. Give a share above 0 and below 1, such as 0.1.")
        enough = self.returns[self.returns["estimate"] <= returning].drop_duplicates("stage").set_index("stage")
        stages = list(dict.fromkeys(self.returns["stage"]))
        found = enough.reindex(stages)[["silent_days", *_ESTIMATE, "n"]]
        return found.astype({"n": "Int64"}).rename_axis("stage").reset_index()

    def sentence(self) -> str:
        """The stage whose losses depend most on the silence window, and how many of its silent come back."""
        if self.lacking:
            return self.lacking
        known = self._losses().dropna(subset=["estimate"])
        spread = known.groupby("stage", sort=False)["estimate"].agg(["min", "max", "size"])
        spread = spread[spread["size"] == len(self.factors)]
        if spread.empty:
            unknown = (
                f"How many are lost within {in_days(self.horizon)} cannot be estimated for each silence window yet."
            )
            return unknown + self._back()
        stage = spread.index[largest(spread["max"] - spread["min"])]
        rows = known[known["stage"] == stage]
        told = [f"{row['factor_words']} {_interval(row)}" for _, row in rows.iterrows()]
        n_visits = f"{listed([f'{n:,}' for n in rows['n']])} visits"
        return (
            f"With every silence window {listed([_factor(each) for each in self.factors])} as long, the share lost "
            f"within {in_days(self.horizon)} changes most in “{stage}”: {'; '.join(told)} "
            f"({self.confidence:.0%} intervals; {n_visits}).{self._back(stage)}"
        )

    def by_stage(self) -> pd.DataFrame:
        """Lanes `lost by silence window` and `back after silence`, in words. A stage without estimates has None."""
        losses = {}
        for stage, rows in self._losses().dropna(subset=["estimate"]).groupby("stage", sort=False):
            told = "; ".join(f"{row['factor_words']} {_interval(row)}" for _, row in rows.iterrows())
            losses[stage] = f"lost within {in_days(self.horizon)}: {told}; n = {rows['n'].iloc[0]:,}"
        returns = {stage: self._returned(stage) for stage in self.stages}
        lanes = {"lost by silence window": losses, "back after silence": returns}
        filled = {lane: [cells.get(stage) for stage in self.stages] for lane, cells in lanes.items()}
        return pd.DataFrame(filled, index=pd.Index(self.stages, name="stage"), dtype=object)

    def plot(self, ax=None) -> Chart:
        """The share lost by whichever branch in each stage, for each factor."""
        rows = self._losses().dropna(subset=["estimate"])
        if rows.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        told = [f"{row['stage']}, {row['factor_words']}: {_interval(row)}" for _, row in rows.iterrows()]
        return charts.intervals(
            rows.assign(window=rows["factor_words"]),
            label="stage",
            x="estimate",
            lower="lower",
            upper="upper",
            by="window",
            percent=True,
            x_label=f"lost within {in_days(self.horizon)} of entering the stage ({self.confidence:.0%} intervals)",
            title="Losses, if silence had to last shorter or longer",
            alt=f"Share of visits lost within {in_days(self.horizon)} by stage and silence window. {'; '.join(told)}.",
            ax=ax,
        )

    def plot_returns(self, ax=None) -> Chart:
        """The share of the silent who come back within the horizon, by how long they have been silent."""
        rows = self.returns.dropna(subset=["estimate"])
        title = f"Who comes back within {in_days(self.horizon)} after a silence"
        if rows.empty:
            return charts.note(self.sentence(), title=title, ax=ax)
        told = [f"{stage}: {self._returned(stage)}" for stage in dict.fromkeys(rows["stage"])]
        return charts.curves(
            rows,
            x="silent_days",
            y="estimate",
            lower="lower",
            upper="upper",
            by=None if ax is None else "stage",
            panel="stage" if ax is None else None,
            step=False,
            percent=True,
            x_label="days silent so far",
            y_label=f"come back ({self.confidence:.0%} band)",
            title=title,
            alt=f"{title}, by days silent so far. {'; '.join(told)}.",
            ax=ax,
        )

    def _repr_html_(self) -> str:
        losses = f"Share of visits lost within {in_days(self.horizon)}, {self.confidence:.0%} intervals."
        returns = f"Share of silences that end with a return within {in_days(self.horizon)} more."
        tables = (html.table(self.table, caption=losses), html.table(self.returns, caption=returns))
        return self._card(html.paragraph(self.sentence()), *tables)

    def _losses(self) -> pd.DataFrame:
        rows = self.table[self.table["to"] == LOST]
        return rows.assign(factor_words=rows["factor"].map(_factor))

    def _back(self, stage: str | None = None) -> str:
        stages = [each for each in self.stages if self._returned(each)]
        if not stages:
            return ""
        chosen = stage if stage in stages else stages[0]
        return f" In “{chosen}”, {self._returned(chosen)}."

    def _returned(self, stage: str) -> str | None:
        """How many come back to `stage`, at the length of silence that is nearest to once `silent_after`, in words."""
        rows = self.returns[(self.returns["stage"] == stage) & self.returns["estimate"].notna()]
        if rows.empty:
            return None
        row = rows.iloc[smallest(np.abs(np.log(rows["factor"])))]
        return (
            f"{_interval(row)} of {row['n']:,} silences of more than {in_days(row['silent_days'])} end with a return "
            f"within {in_days(self.horizon)} more"
        )


def compare_silence(
    log: EventLog,
    journey: Journey,
    *,
    horizon: str | timedelta,
    factors: Iterable[float] = (0.5, 1, 2),
    confidence: float = 0.95,
) -> SilenceSensitivity:
    """How much do the losses depend on each `silent_after`, and how many come back after silences of which length?

    Losses: the spells are found again for each of `factors` times every `silent_after`; per stage, the share of visits
    lost within `horizon` ("90d") is the Aalen-Johansen cumulative incidence, as in `estimate_dropoff`. A longer silence
    moves a loss to a later day besides making it rarer: take a horizon well above the longest window.

    Returns: of all silences that lasted longer than d days inside a stage (`find_silences`; whatever the declared
    windows say), the share that ended with an event of the customer within the next `horizon`. Customers who are lost
    by a declared branch meanwhile, or moved by the company, did not come back: these are competing ways out. Silences
    going on at the window's end are censored there. d runs evenly from the smallest to the largest factor times the
    stage's `silent_after`. Where few still come back, a silence is a loss: see `shortest_silence`.

    Standard errors are clustered by customer (infinitesimal jackknife), intervals logit, and Wilson's for shares of
    exactly 0 or 1. Estimates on fewer than 10 at risk are missing, with a note, unless they are plain shares of 10 or
    more customers. Where no stage has `silent_after` the finding is empty, and `lacking` says so. Raises EstimateError
    for factors that are not above 0 and for `confidence` not between 0 and 1; JourneyLabError for a horizon that is no
    duration; JourneyError as `find_spells` does.
    """
    day, multiples = days(horizon), _read_factors(factors)
    check_confidence(confidence)
    lacking = None if any(stage.silent_after for stage in journey.stages) else _LACKING
    losses, returns = [], []
    if not lacking:
        scaled = [scale_silence(journey, factor) for factor in multiples]
        for factor, spells in zip(multiples, find_spells_under(log, scaled), strict=True):
            losses += _losses(spells, factor, day, confidence)
        returns = _returns(log, journey, multiples, day, confidence)
    place = {stage: at for at, stage in enumerate(journey.stage_names)}
    losses.sort(key=lambda row: place[row["stage"]])
    return SilenceSensitivity(
        title="How much depends on the silence windows",
        table=tidy(losses, {**_LOSSES, **_ESTIMATE, **_BASE}, by="stage"),
        returns=tidy(returns, {**_RETURNS, **_ESTIMATE, **_BASE}, by="stage"),
        stages=journey.stage_names,
        factors=multiples,
        horizon=day,
        confidence=confidence,
        lacking=lacking,
        period=log.window,
    )


_LACKING = (
    "No stage has a silence window, so nothing depends on one. Give a stage “silent_after”, such as 30d: who does "
    "nothing for longer is then lost to the branch “silent”."
)


def _read_factors(factors: Iterable[float]) -> tuple[float, ...]:
    given = sorted({float(each) for each in factors})
    wrong = [each for each in given if not (np.isfinite(each) and each > 0)]
    if wrong or not given:
        found = f"hold {wrong[0]:g}" if wrong else "are empty"
        raise EstimateError(f"The factors {found}. Give numbers above 0, such as factors=(0.5, 1, 2).")
    return tuple(given)


def _losses(spells: Spells, factor: float, horizon: float, confidence: float) -> list[dict]:
    """Per stage that can be left: the share lost to silence, and that lost by whichever branch."""
    rows = []
    for exits in find_exits(spells.to_pandas(), spells.journey):
        branches = tuple(way for way in exits.ways if way not in MOVES)
        silence = spells.journey.stage(exits.stage).silent_after_us
        window = np.nan if silence is None else silence / DAY
        wanted = [(exits, SILENT)] if SILENT in branches else []
        wanted += [(exits.merged(branches, LOST), LOST)] if branches else []
        for each, to in wanted:
            found = _share(each, to, horizon, confidence)
            if to == SILENT and window > horizon:
                found["note"] = "; ".join(
                    part for part in (found["note"], "the silence lasts longer than the horizon") if part
                )
            cell = {"stage": exits.stage, "factor": factor, "silent_after_days": window, "to": to}
            rows.append({**cell, "horizon_days": horizon, **found})
    return rows


def _returns(
    log: EventLog, journey: Journey, factors: tuple[float, ...], horizon: float, confidence: float
) -> list[dict]:
    """Per stage and length of silence: the share of the silent who come back within the horizon."""
    windows = {stage.name: stage.silent_after_us / DAY for stage in journey.stages if stage.silent_after}
    multiples = np.union1d(np.linspace(factors[0], factors[-1], N_SILENCES), factors)
    rows = []
    silences = find_silences(
        log, journey, longer_than={stage: window * factors[0] for stage, window in windows.items()}
    )
    for each in silences:
        for multiple in multiples:
            silent = windows[each.stage] * multiple
            later = _from_then(each, silent)
            found = _share(later, RETURNED, horizon, confidence)
            if few := _few(later):
                found["note"] = few
            cell = {"stage": each.stage, "silent_days": silent, "factor": multiple, "horizon_days": horizon}
            rows.append({**cell, **found})
    return rows


def _from_then(silences: Exits, day: float) -> Exits:
    """The silences that lasted longer than `day` days, on the clock that starts then."""
    later = silences.after(day)
    entry = np.where(later.entry > day, later.entry - day, -1.0)
    return Exits(later.stage, later.group, later.ways, entry, later.exit - day, later.destination, later.customers)


def _few(silences: Exits) -> str | None:
    """That there are too few silences for an estimate, in words; None where there are enough."""
    if not silences.n:
        return "nobody was silent for so long"
    if silences.n_customers >= MIN_CUSTOMERS:
        return None
    n, n_customers = silences.n, silences.n_customers
    return f"only {n:,} silence{'' if n == 1 else 's'} of {n_customers:,} customer{'' if n_customers == 1 else 's'}"


def _share(exits: Exits, way: str, horizon: float, confidence: float) -> dict:
    """The share that left by `way` within the horizon, with its base."""
    exits = with_enough_at_risk(exits, MIN_CUSTOMERS)
    note = exits.why_missing([horizon], min_at_risk=MIN_CUSTOMERS)[0]
    found = dict.fromkeys(_ESTIMATE, np.nan)
    if note is None:
        shares = ExitCurves.of(exits, confidence).shares(np.array([horizon]))
        found = dict(zip(_ESTIMATE, (each[0, exits.ways.index(way) + 1] for each in shares), strict=True))
    base = {"n": exits.n, "customers": exits.n_customers, "at_risk": int(exits.at_risk(horizon))}
    return {**found, **base, "note": note or exits.condition}


def _interval(row: pd.Series) -> str:
    return f"{percent(row['estimate'], 1)} ({percent(row['lower'], 1)} to {percent(row['upper'], 1)})"


def _factor(factor: float) -> str:
    return _WORDS.get(factor, f"{factor:g} times")
