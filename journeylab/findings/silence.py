"""Silence: how much do the losses depend on how long a silence must last, and who comes back after one?"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.durations import DAY, days
from journeylab.base.errors import EstimateError
from journeylab.base.ordering import largest, smallest
from journeylab.base.words import counted, in_days, listed, times_in_words
from journeylab.events.journey import SILENT, Journey
from journeylab.events.log import EventLog
from journeylab.events.queries.silences import RETURNED, find_silences, scale_silence
from journeylab.events.spells import Spells, find_spells_under
from journeylab.events.spells.exits import TOO_EARLY, Exits, find_exits
from journeylab.findings.arguments import MIN_CUSTOMERS, check_confidence
from journeylab.findings.exit_curves import StageExits
from journeylab.findings.finding import LaneName, StageFinding, share_in_words, tidy

LOST = "lost"
N_SILENCES = 13
_LOSSES = "stage factor silent_after_days to horizon_days estimate lower upper n customers at_risk note"
_RETURNS = "stage silent_days factor horizon_days estimate lower upper n customers at_risk note"


@dataclass(frozen=True)
class SilenceSensitivity(StageFinding):
    """Losses under shorter and longer silence windows, and returns after silences of many lengths.

    Attributes
    ----------
    table : DataFrame
        A row per stage that can be left, `factor` and `to`: the share of visits lost within `horizon_days` of entering
        the stage to the branch `silent`, or by any branch (`lost`), if every `silent_after` were `factor` times as long
        (in this stage `silent_after_days`). `n` visits of `customers`, `at_risk`: watched and inside just before the
        horizon. `note` says why an estimate is missing, as where the silence lasts longer than the horizon, or what it
        is conditional on.
    returns : DataFrame
        A row per stage with `silent_after` and length of silence: of the silences inside the stage that lasted longer
        than `silent_days`, `n` of `customers`, the share that ended with a return of the customer in the next
        `horizon_days`; `factor` is that length over `silent_after`. `at_risk`: silences still going on just before.
    factors : tuple of float
        Ascending.
    horizon : float
        In days.
    """

    returns: pd.DataFrame = field(repr=False)
    factors: tuple[float, ...]
    horizon: float

    def shortest_silence(self, *, returning: float) -> pd.DataFrame:
        """How long must a silence last until few of the silent come back: candidates for `silent_after`.

        Parameters
        ----------
        returning : float
            The share that may still come back within the horizon, such as 0.1.

        Returns
        -------
        DataFrame
            A row per stage: `stage`, `silent_days` (the shortest of the lengths in `returns`; missing where none is
            long enough), and the `estimate`, `lower`, `upper`, `n` there.

        Raises
        ------
        EstimateError
            If `returning` is not a share between 0 and 1.
        """
        if not 0 < returning < 1:
            raise EstimateError(f"`returning` is {returning:g}. Give a share above 0 and below 1, such as 0.1.")
        enough = self.returns[self.returns["estimate"] <= returning].drop_duplicates("stage").set_index("stage")
        columns = ["silent_days", "estimate", "lower", "upper", "n"]
        shortest = enough.reindex(self.returns["stage"].unique())[columns]
        return shortest.astype({"n": "Int64"}).rename_axis("stage").reset_index()

    def sentence(self) -> str:
        """The stage whose losses depend most on the silence window, and how many of its silent come back."""
        rows = self._most_dependent()
        if rows.empty:
            return (
                f"Losses within {in_days(self.horizon)} cannot be estimated for each silence window yet."
                f"{self._too_early()}{self._back()}"
            )
        stage = rows["stage"].iloc[0]
        n_visits = f"{listed([f'{n:,}' for n in rows['n']])} visits"
        factors = listed([times_in_words(factor) for factor in self.factors])
        return (
            f"With every silence window {factors} as long, the share lost within {in_days(self.horizon)} changes most "
            f"in “{stage}”: {_by_factor(rows)} ({self.confidence:.0%} intervals; {n_visits}).{self._too_early()}"
            f"{self._back(stage)}"
        )

    def by_stage(self) -> pd.DataFrame:
        """Lanes `lost by silence window` and `back after silence`, in words. A stage without estimates has None."""
        losses = {}
        for stage, rows in self._losses().groupby("stage", sort=False):
            losses[stage] = f"lost within {in_days(self.horizon)}: {_by_factor(rows)}; n = {rows['n'].iloc[0]:,}"
        returns = {stage: self._returned(stage) for stage in self.stages}
        return self._lanes({LaneName.SILENCE: losses, LaneName.BACK_AFTER_SILENCE: returns})

    def plot(self, ax=None) -> Chart:
        """The share lost by any branch in each stage, for each factor."""
        rows = self._losses()
        if rows.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        values = [f"{row['stage']}, {row['factor_words']}: {share_in_words(row, 1)}" for _, row in rows.iterrows()]
        alt = (
            f"Share of visits lost within {in_days(self.horizon)} by stage and silence window. {'; '.join(values)}."
            f"{self._too_early()}"
        )
        return charts.intervals(
            rows.assign(window=rows["factor_words"]),
            label="stage",
            by="window",
            percent=True,
            x_label=f"lost within {in_days(self.horizon)} of entering the stage ({self.confidence:.0%} intervals)",
            title="Losses, if silence had to last shorter or longer",
            alt=alt,
            ax=ax,
        )

    def plot_returns(self, ax=None) -> Chart:
        """The share of the silent who come back within the horizon, by how long they have been silent."""
        rows = self.returns.dropna(subset=["estimate"])
        title = f"Who comes back within {in_days(self.horizon)} after a silence"
        if rows.empty:
            return charts.note(self.sentence(), title=title, ax=ax)
        values = [f"{stage}: {self._returned(stage)}" for stage in rows["stage"].unique()]
        return charts.curves(
            rows,
            x="silent_days",
            lower="lower",
            upper="upper",
            by=None if ax is None else "stage",
            panel="stage" if ax is None else None,
            step=False,
            percent=True,
            x_label="days silent so far",
            y_label=f"come back ({self.confidence:.0%} band)",
            title=title,
            alt=f"{title}, by days silent so far. {'; '.join(values)}.",
            ax=ax,
        )

    def _tables(self) -> dict[str, pd.DataFrame]:
        losses = f"Share of visits lost within {in_days(self.horizon)}, {self.confidence:.0%} intervals."
        returns = f"Share of silences that end with a return within {in_days(self.horizon)} more."
        return {losses: self.table, returns: self.returns}

    def _shares(self) -> pd.DataFrame:
        """The shares lost that have an estimate, with `is_early`: nobody can be lost to silence within the horizon."""
        rows = self.table[(self.table["to"] == LOST) & self.table["estimate"].notna()]
        return rows.assign(is_early=_is_too_early(rows), factor_words=rows["factor"].map(times_in_words))

    def _losses(self) -> pd.DataFrame:
        """Those that can be compared."""
        rows = self._shares()
        return rows[~rows["is_early"]]

    def _most_dependent(self) -> pd.DataFrame:
        """The shares, one for each factor, of the stage with a silence window where they differ most; of the stages
        where most factors can be compared. Empty where no stage has a share for each."""
        shares = self._shares()
        shares = shares[shares["silent_after_days"].notna()]
        fair = shares.assign(fair=shares["estimate"].mask(shares["is_early"])).groupby("stage", sort=False)["fair"]
        spread = fair.agg(["min", "max", "count"])[shares.groupby("stage", sort=False).size() == len(self.factors)]
        spread = spread[spread["count"] == spread["count"].max()]
        if spread.empty:
            return shares.head(0)
        return shares[shares["stage"] == spread.index[largest((spread["max"] - spread["min"]).fillna(0))]]

    def _too_early(self) -> str:
        """Where nobody can be lost to silence within the horizon, in sentences."""
        rows = self.table[(self.table["to"] == LOST) & _is_too_early(self.table)]
        parts = []
        for factor, part in rows.groupby("factor"):
            windows = "as declared" if factor == 1 else f"{times_in_words(factor)} as long"
            where = listed(
                [f"“{stage}” ({day:g} days)" for stage, day in part[["stage", "silent_after_days"]].to_numpy()]
            )
            never = f"nobody can be lost to silence within {in_days(self.horizon)} in {where}"
            parts.append(f" With the windows {windows} {never}: that share is of other losses.")
        return "".join(parts)

    def _back(self, stage: str | None = None) -> str:
        stages = [name for name in self.stages if self._returned(name)]
        if not stages:
            return ""
        chosen = stage if stage in stages else stages[0]
        return f" In “{chosen}”, {self._returned(chosen)}."

    def _returned(self, stage: str) -> str | None:
        """How many come back to `stage`, after the length of silence nearest to once `silent_after`, in words."""
        rows = self.returns[(self.returns["stage"] == stage) & self.returns["estimate"].notna()]
        if rows.empty:
            return None
        row = rows.iloc[smallest(np.abs(np.log(rows["factor"])))]
        return (
            f"{share_in_words(row, 1)} of {row['n']:,} silences of more than {in_days(row['silent_days'])} end with a "
            f"return within {in_days(self.horizon)} more"
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

    Parameters
    ----------
    log : EventLog
    journey : Journey
    horizon : str or timedelta
        How far to look, such as ``"90d"``. A longer silence window moves a loss to a later day besides making it rarer:
        take a horizon well above the longest window.
    factors : list of float
        By what each `silent_after` is multiplied.
    confidence : float
        The level of all intervals.

    Returns
    -------
    SilenceSensitivity
        Estimates on fewer than 10 at risk are missing, with a note, unless they are plain shares of 10 or more
        customers. Where no stage has `silent_after` the finding is empty, and `lacking` says so.

    Raises
    ------
    EstimateError
        A factor that is not above 0; `confidence` not between 0 and 1.
    JourneyLabError
        A horizon that is not a duration.
    JourneyError
        As `find_spells` does.

    Notes
    -----
    Losses: the spells are found again for each of `factors` times every `silent_after`; per stage, the share of visits
    lost within `horizon` is the Aalen-Johansen cumulative incidence, as in `estimate_dropoff`.

    Returns: of all silences that lasted longer than d days inside a stage (`find_silences`, independent of the declared
    windows), the share that ended with an event of the customer within the next `horizon`. Customers who are lost by a
    declared branch meanwhile, or moved by the company, did not come back: these are competing exits. Silences going on
    at the window's end are censored there. d runs evenly from the smallest to the largest factor times the stage's
    `silent_after`. Where few still come back, a silence is a loss: see `shortest_silence`.

    Standard errors are clustered by customer (infinitesimal jackknife), intervals logit, and Wilson's for shares of
    exactly 0 or 1.
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
    losses.sort(key=lambda row: journey.position(row["stage"]))
    return SilenceSensitivity(
        title="How much depends on the silence windows",
        table=tidy(losses, _LOSSES),
        returns=tidy(returns, _RETURNS),
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
    given = sorted({float(factor) for factor in factors})
    wrong = [factor for factor in given if not (np.isfinite(factor) and factor > 0)]
    if wrong or not given:
        what = f"hold {wrong[0]:g}" if wrong else "are empty"
        raise EstimateError(f"The factors {what}. Give numbers above 0, such as factors=(0.5, 1, 2).")
    return tuple(given)


def _losses(spells: Spells, factor: float, horizon: float, confidence: float) -> list[dict]:
    """Per stage that can be left: the share lost to silence, and that lost by any branch."""
    rows = []
    for exits in find_exits(spells.to_pandas(), spells.journey):
        silence = spells.journey.stage(exits.stage).silent_after_us
        window = np.nan if silence is None else silence / DAY
        counted_as = [(exits, SILENT)] if SILENT in exits.losses else []
        counted_as += [(exits.merged(exits.losses, LOST), LOST)] if exits.losses else []
        for visits, branch in counted_as:
            row = _share(visits, branch, horizon, confidence)
            rows.append({**row, "factor": factor, "silent_after_days": window})
    return rows


def _returns(
    log: EventLog, journey: Journey, factors: tuple[float, ...], horizon: float, confidence: float
) -> list[dict]:
    """Per stage and length of silence: the share of the silent who come back within the horizon."""
    windows = {stage.name: stage.silent_after_us / DAY for stage in journey.stages if stage.silent_after_us is not None}
    multiples = np.union1d(np.linspace(factors[0], factors[-1], N_SILENCES), factors)
    shortest = {stage: window * factors[0] for stage, window in windows.items()}
    rows = []
    for silences in find_silences(log, journey, longer_than=shortest):
        for multiple in multiples:
            silent_days = windows[silences.stage] * multiple
            later = _from_then(silences, silent_days)
            row = _share(later, RETURNED, horizon, confidence)
            rows.append({**row, "silent_days": silent_days, "factor": multiple, "note": _few(later) or row["note"]})
    return rows


def _from_then(silences: Exits, day: float) -> Exits:
    """The silences that lasted longer than `day` days, on the clock that starts then."""
    later = silences.after(day)
    return replace(later, entry=np.where(later.entry > day, later.entry - day, -1.0), exit=later.exit - day)


def _few(silences: Exits) -> str | None:
    """That there are too few silences for an estimate, in words; None where there are enough."""
    if not silences.n:
        return "nobody was silent for so long"
    if silences.n_customers >= MIN_CUSTOMERS:
        return None
    return f"only {counted(silences.n, 'silence')} of {counted(silences.n_customers, 'customer')}"


def _share(exits: Exits, way: str, horizon: float, confidence: float) -> dict:
    """The share that left by `way` within the horizon, with its base."""
    rows = StageExits(exits, MIN_CUSTOMERS, confidence).rows([horizon])
    return next(row for row in rows if row["to"] == way)


def _is_too_early(rows: pd.DataFrame) -> pd.Series:
    return rows["note"].fillna("").str.contains(TOO_EARLY)


def _by_factor(rows: pd.DataFrame) -> str:
    return "; ".join(f"{row['factor_words']} {share_in_words(row, 1)}" for _, row in rows.iterrows())
