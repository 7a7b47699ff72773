"""Validation: of those who enter a stage, how many prove what it is about, and what becomes of the others?"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.errors import EstimateError
from journeylab.base.ordering import largest
from journeylab.base.words import counted, in_days, listed, percent, with_sign
from journeylab.findings.arguments import chosen_horizon, headline_horizon
from journeylab.findings.exit_curves import BAND, DECLARED, StageExits, curve_to, n_at_risk
from journeylab.findings.finding import LaneName, StageFinding, share_in_words
from journeylab.findings.validation import sentences
from journeylab.findings.validation.proofs import VALIDATED

BEYOND = 1.2
CLAIMS = (VALIDATED, "left_unproven", "out_of_time", "not_yet")


@dataclass(frozen=True)
class Validation(StageFinding):
    """Proven and claimed but unproven: who meets the validation that journey.yml declares for each stage, and when.

    Attributes
    ----------
    table : DataFrame
        A row per (group,) stage, `to` and `horizon_days`. `to`: validated, moved on unproven, or lost unproven: what
        came first. `estimate`, `lower`, `upper`: share of all visits to which that had happened at most so many days
        after entering. `n` visits of `customers`; `events` of this kind within the horizon; `at_risk`: visits still
        watched, inside and unproven just before it. `note` says why an estimate is missing.
    counts : DataFrame
        A row per (group,) stage that declares a validation: `triggered` visits = `validated` + `left_unproven` +
        `out_of_time` (still inside, too late to be validated) + `not_yet`. Construction fails if not.
    times : DataFrame
        By which day a quarter, half, three quarters of all visits were validated; missing where never so many are.
    losses : DataFrame
        A row per (group,) stage, kind of loss `to` (“declared”: by a loss event; “silent”), `horizon_days` and
        `validated` (yes, no): of the `n` visits still inside `landmark_days` after entering, when the time to validate
        was over, the share lost that way in so many days after that.
    differences : DataFrame
        The shares in `losses` of those validated less those of the others.
    ratios : DataFrame
        How many times as fast visits are lost once validated as before, by kind of loss: hazard ratio `estimate` with
        robust interval, `p_value`, and `p_adjusted` by Holm; `events_before`, `events_after`: the losses it is based
        on.
    horizons : tuple of float
        Days, ascending.
    unruled : tuple of str
        The stages that declare no validation.
    """

    counts: pd.DataFrame
    times: pd.DataFrame
    losses: pd.DataFrame
    differences: pd.DataFrame
    ratios: pd.DataFrame
    horizons: tuple[float, ...]
    unruled: tuple[str, ...]
    cells: tuple[StageExits, ...] = field(repr=False)

    def __post_init__(self) -> None:
        wrong = self.counts[self.counts["triggered"] != self.counts[list(CLAIMS)].sum(axis=1)]
        if len(wrong):
            row = wrong.iloc[0]
            raise EstimateError(
                f"Of {row['triggered']:,} visits to “{row['stage']}”, {row[list(CLAIMS)].sum():,} are accounted for. "
                "Each visit is validated, left unproven, out of time or not yet validated: find the spells again."
            )

    def sentence(self) -> str:
        """The share of visits proven, stage by stage, and where losses differ most between those and the others."""
        day = self._headline()
        rows = self._proven(day)
        where, names = "", rows["stage"]
        if self.by:
            stage = self.counts.groupby("stage", sort=False)["triggered"].sum().idxmax()
            rows = rows[rows["stage"] == stage]
            where, names = f" in “{stage}”", rows["group"]
        prefix = f"{self.by} " if self.by else ""
        shares = [f"{prefix}“{name}” {self._share(row)}" for name, (_, row) in zip(names, rows.iterrows(), strict=True)]
        first = f"Proven{where} within {in_days(day)} of entering: {'; '.join(shares)}."
        missing = [f"“{name}”" for name in self.unruled]
        unruled = f"No validation is declared for {listed(missing)}." if missing else ""
        return " ".join(part for part in (first, unruled, self._difference(day)) if part)

    def claims_in_words(self) -> str:
        """Where the largest share of visits ended without the proof so far."""
        return self.lacking or sentences.claims(self.counts)

    def protection_in_words(self, horizon: str | timedelta | None = None) -> str:
        """Whether those who prove a stage are lost less by a loss event after that, stage by stage; without groups.

        `horizon`: one of `horizons`, counted from the end of the time to prove; by default that of `sentence`.
        """
        if self.lacking or self.by:
            return self.lacking or ""
        known = None if horizon is None else chosen_horizon(horizon, self.horizons, what="Validation")
        return sentences.protection(self.losses, self.differences, known or self._headline())

    def by_stage(self) -> pd.DataFrame:
        """Lanes `validated` and `declared losses`, in words, at the longest horizon at which most is known.

        With groups, a pair of lanes for each.
        """
        day, lanes = self._headline(), {}
        at_day = self.losses[self.losses["horizon_days"] == day]
        for suffix, _, shares, losses in self._by_group(self.counts, self._proven(day), at_day):
            known = shares[shares["estimate"].notna()]
            lanes[LaneName.VALIDATED + suffix] = {
                row["stage"]: share_in_words(row, within=f" within {in_days(day)}", base=counted(row["n"], "visit"))
                for _, row in known.iterrows()
            }
            lanes[LaneName.DECLARED_LOSSES + suffix] = dict(_compared(losses, day))
        return self._lanes(lanes)

    def plot(self, ax=None) -> Chart:
        """The share of visits validated by days since entering, a panel per stage, or all in `ax`.

        A dotted line marks the end of the time to validate.
        """
        if self.lacking:
            return charts.note(self.lacking, title=self.title, ax=ax)
        drawn, at_risk = self._curves()
        line = "group" if self.by else "stage"
        if self.by and ax is not None:
            drawn, line = drawn.assign(line=drawn["stage"] + " · " + drawn["group"]), "line"
        in_panels = {"panel": "stage", "by": line if self.by else None, "at_risk": at_risk, "mark": "within"}
        layout = in_panels if ax is None else {"by": line}
        return charts.curves(
            drawn,
            **BAND,
            x_label="days since entering the stage",
            y_label=f"validated ({self.confidence:.0%} band)",
            title="Who has proven what the stage is about",
            alt=f"Share of visits validated, by days since entering. {self.sentence()}",
            ax=ax,
            **layout,
        )

    def _tables(self) -> dict[str, pd.DataFrame]:
        counts = "Visits counted. triggered = validated + left unproven + out of time (still inside) + not yet."
        return {
            counts: self.counts,
            f"Share of all visits within the horizon, {self.confidence:.0%} intervals.": self.table,
            "Share lost after the time to validate, of those then inside.": self.losses,
            "How many times as fast visits are lost once validated as before.": self.ratios,
        }

    def _proven(self, day: float) -> pd.DataFrame:
        return self.table[(self.table["to"] == VALIDATED) & (self.table["horizon_days"] == day)]

    def _headline(self) -> float:
        return headline_horizon(self.table[self.table["to"] == VALIDATED], self.horizons)

    def _share(self, row: pd.Series) -> str:
        if pd.isna(row["estimate"]):
            return f"cannot be estimated ({row['note']})"
        return share_in_words(row, level=self._level, base=counted(row["n"], "visit"))

    def _difference(self, day: float) -> str:
        """Where losses by a loss event differ most: where the interval is furthest from 0. Empty if none is known."""
        rows = self.differences[(self.differences["horizon_days"] == day) & self.differences["estimate"].notna()]
        rows = rows[rows["to"] == DECLARED]
        if rows.empty:
            return ""
        row = rows.iloc[largest(np.fmax(rows["lower"], -rows["upper"]))]
        group = f" among customers{self._with_group(row)}" if self.by else ""
        keys = ["stage", "to", "horizon_days", *(["group"] if self.by else [])]
        both = self.losses[(self.losses[keys] == row[keys]).all(axis=1)].set_index("validated")["estimate"]
        points, low, high = (with_sign(100 * row[name]).replace("-", "−") for name in ("estimate", "lower", "upper"))
        return (
            f"Declared losses differ most in “{row['stage']}”{group}: of {counted(row['n'], 'visit')} still inside "
            f"after {in_days(row['landmark_days'])}, {percent(both['yes'])} of the validated and {percent(both['no'])} "
            f"of the others were lost this way in the {in_days(day)} that followed ({points} points, {self._level}"
            f"{low} to {high}): an association."
        )

    def _curves(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """What the figure draws: curves, and numbers at risk."""
        within = dict(zip(self.counts["stage"], self.counts["within_days"], strict=True))
        curves, at_risk = [], []
        for cell in self.cells:
            exits = cell.exits
            if not exits.n:
                continue
            # Once the time to validate is over nothing more can happen.
            until = np.fmin(cell.curves.fitted.last_time, BEYOND * within[exits.stage])
            curves.append(curve_to(cell, until, VALIDATED).assign(within=within[exits.stage]))
            at_risk.append(n_at_risk(exits, 0, until))
        tables = (pd.concat(parts, ignore_index=True) for parts in (curves, at_risk))
        return tuple(table if self.by else table.drop(columns="group") for table in tables)


def _compared(losses: pd.DataFrame, day: float) -> Iterator[tuple[str, str]]:
    """Stage and words for each stage where the declared losses of both are known."""
    for stage, rows in losses[losses["to"] == DECLARED].groupby("stage", sort=False):
        both = rows.set_index("validated")
        if both["estimate"].notna().sum() == 2:
            no, yes = (f"{percent(both.at[key, 'estimate'])} of {both.at[key, 'n']:,}" for key in ("no", "yes"))
            landmark = f"day {both['landmark_days'].iloc[0]:,g}"
            yield stage, f"{no} unproven, {yes} proven, in the {in_days(day)} after {landmark}"
