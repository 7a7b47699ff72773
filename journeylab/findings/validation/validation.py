"""Validation: of those who enter a stage, how many prove what it is about, and what becomes of the others?"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.base.errors import EstimateError
from journeylab.base.ordering import largest
from journeylab.base.words import counted, in_days, listed, percent, with_sign
from journeylab.findings.exit_curves import StageExits
from journeylab.findings.finding import Finding, LaneName
from journeylab.findings.validation.proofs import DECLARED, VALIDATED

N_AT_RISK_SHOWN = 5
BEYOND = 1.2
_PARTS = (VALIDATED, "left_unproven", "out_of_time", "not_yet")


@dataclass(frozen=True)
class Validation(Finding):
    """Proven and claimed but unproven: who meets the validation that journey.yml declares for each stage, and when.

    table: a row per (group,) stage, `to` and `horizon_days`. `to`: validated, moved on unproven, or lost unproven,
        whichever came first; `estimate`, `lower`, `upper`: share of all visits to which that had happened at most so
        many days after entering. `n` visits of `customers`; `events` of this kind within the horizon; `at_risk`: visits
        still watched, inside and unproven just before it. `note` says why an estimate is missing.
    counts: a row per (group,) stage that declares a validation: `triggered` visits = `validated` + `left_unproven` +
        `out_of_time` (still inside, too late to be validated) + `not_yet`. Construction fails if not.
    times: by which day a quarter, half, three quarters of all visits were validated; missing where never so many are.
    losses: a row per (group,) stage, kind of loss `to` (“declared”: by a loss event; “silent”), `horizon_days` and
        `validated` (yes, no): of the `n` visits still inside `landmark_days` after entering, when the time to validate
        was over, the share lost so in so many days after that. differences: validated less not, in shares.
    ratios: how many times as fast visits are lost once validated as before, by kind of loss: hazard ratio `estimate`
        with robust interval, `p_value`, and `p_adjusted` by Holm; `events_before`, `events_after` the losses it stands
        on.
    horizons: days, ascending. confidence: the level of all intervals. by: what the groups are, or None. stages: of the
    journey; unruled: those that declare no validation.
    """

    counts: pd.DataFrame
    times: pd.DataFrame
    losses: pd.DataFrame
    differences: pd.DataFrame
    ratios: pd.DataFrame
    horizons: tuple[float, ...]
    confidence: float
    by: str | None
    stages: tuple[str, ...] = field(repr=False)
    unruled: tuple[str, ...]
    cells: tuple[StageExits, ...] = field(repr=False)

    def __post_init__(self) -> None:
        wrong = self.counts[self.counts["triggered"] != self.counts[list(_PARTS)].sum(axis=1)]
        if len(wrong):
            row = wrong.iloc[0]
            raise EstimateError(
                f"Of {row['triggered']:,} visits to “{row['stage']}”, {row[list(_PARTS)].sum():,} are accounted for. "
                "Each visit is validated, left unproven, out of time or not yet validated: find the spells again."
            )

    def sentence(self) -> str:
        """The share of visits proven, stage by stage, and where losses differ most between those and the others."""
        if self.lacking:
            return self.lacking
        day = self._headline()
        rows = self._proven(day)
        if self.by:
            most = self.counts.groupby("stage", sort=False)["triggered"].sum().idxmax()
            rows = rows[rows["stage"] == most]
            told = [f"{self.by} “{row['group']}” {self._share(row)}" for _, row in rows.iterrows()]
            first = f"Proven in “{most}” within {in_days(day)} of entering: "
        else:
            told = [f"“{row['stage']}” {self._share(row)}" for _, row in rows.iterrows()]
            first = f"Proven within {in_days(day)} of entering: "
        missing = [f"“{name}”" for name in self.unruled]
        unruled = f"No validation is declared for {listed(missing)}." if missing else ""
        parts = [first + "; ".join(told) + ".", unruled, self._difference(day)]
        return " ".join(part for part in parts if part)

    def by_stage(self) -> pd.DataFrame:
        """Lanes `validated` and `declared losses`, in words, at the longest horizon at which most is known; with
        groups, a pair of lanes for each."""
        day, groups = self._headline(), list(dict.fromkeys(self.counts["group"])) if self.by else [None]
        lanes = {}
        for group in groups:
            shares, losses = (rows if group is None else rows[rows["group"] == group] for rows in
                              (self._proven(day), self.losses[self.losses["horizon_days"] == day]))  # fmt: skip
            suffix = f" ({group})" if self.by else ""
            lanes[LaneName.VALIDATED + suffix] = {
                row["stage"]: f"{percent(row['estimate'])} within {in_days(day)} ({percent(row['lower'])} to "
                f"{percent(row['upper'])}; {counted(row['n'], 'visit')})"
                for _, row in shares[shares["estimate"].notna()].iterrows()
            }
            lanes[LaneName.DECLARED_LOSSES + suffix] = dict(_compared(losses, day))
        filled = {lane: [cells.get(stage) for stage in self.stages] for lane, cells in lanes.items()}
        return pd.DataFrame(filled, index=pd.Index(self.stages, name="stage"), dtype=object)

    def plot(self, ax=None) -> Chart:
        """The share of visits validated by days since entering, a panel per stage (in `ax` all in one), the end of the
        time to validate dotted."""
        if self.lacking:
            return charts.note(self.lacking, title=self.title, ax=ax)
        drawn, at_risk = self._curves()
        line = "group" if self.by else "stage"
        if self.by and ax is not None:
            drawn, line = drawn.assign(line=drawn["stage"] + " · " + drawn["group"]), "line"
        layout = {"by": line} if ax is not None else {"panel": "stage", "by": line if self.by else None,
                                                      "at_risk": at_risk, "mark": "within"}  # fmt: skip
        return charts.curves(
            drawn,
            x="days",
            y="estimate",
            lower="lower",
            upper="upper",
            x_label="days since entering the stage",
            y_label=f"validated ({self.confidence:.0%} band)",
            title="Who has proven what the stage is about",
            alt=f"Share of visits validated, by days since entering. {self.sentence()}",
            percent=True,
            ax=ax,
            **layout,
        )

    def _repr_html_(self) -> str:
        claimed = "Visits counted. triggered = validated + left unproven + out of time (still inside) + not yet."
        return self._card(
            html.paragraph(self.sentence()),
            html.table(self.counts, caption=claimed),
            html.table(self.table, caption=f"Share of all visits within the horizon, {self.confidence:.0%} intervals."),
            html.table(self.losses, caption="Share lost after the time to validate, of those then inside."),
            html.table(self.ratios, caption="How many times as fast visits are lost once validated as before."),
        )

    def _proven(self, day: float) -> pd.DataFrame:
        return self.table[(self.table["to"] == VALIDATED) & (self.table["horizon_days"] == day)]

    def _headline(self) -> float:
        """The longest of the horizons at which most shares validated are estimable."""
        known = self.table[self.table["to"] == VALIDATED].groupby("horizon_days")["estimate"].count()
        return max(self.horizons, key=lambda each: (known.get(each, 0), each))

    def _share(self, row: pd.Series) -> str:
        if pd.isna(row["estimate"]):
            return f"cannot be told ({row['note']})"
        interval = f"{self.confidence:.0%} interval {percent(row['lower'])} to {percent(row['upper'])}"
        return f"{percent(row['estimate'])} ({interval}; {counted(row['n'], 'visit')})"

    def _difference(self, day: float) -> str:
        """Where losses by a loss event differ most, if any can be compared: where the interval is furthest from 0."""
        rows = self.differences[(self.differences["horizon_days"] == day) & self.differences["estimate"].notna()]
        rows = rows[rows["to"] == DECLARED]
        if rows.empty:
            return ""
        row = rows.iloc[largest(np.fmax(rows["lower"], -rows["upper"]))]
        group = f" among customers with {self.by} “{row['group']}”" if self.by else ""
        keys = ["stage", "to", "horizon_days", *(["group"] if self.by else [])]
        both = self.losses[(self.losses[keys] == row[keys]).all(axis=1)].set_index("validated")["estimate"]
        points, low, high = (with_sign(100 * row[name]).replace("-", "−") for name in ("estimate", "lower", "upper"))
        return (
            f"Declared losses differ most in “{row['stage']}”{group}: of {counted(row['n'], 'visit')} still inside "
            f"after {in_days(row['landmark_days'])}, {percent(both['yes'])} of the validated and {percent(both['no'])} "
            f"of the others were lost so in the {in_days(day)} that followed ({points} points, {self.confidence:.0%} "
            f"interval {low} to {high}): an association."
        )

    def _curves(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """What the figure draws: curves, and numbers at risk."""
        within = dict(zip(self.counts["stage"], self.counts["within_days"], strict=True))
        curves, at_risk = [], []
        for exits, cell in ((cell.kept, cell) for cell in self.cells if cell.kept.n):
            # Once the time to validate is over nothing more can happen.
            until = np.fmin(cell.curves.fitted.last_time, BEYOND * within[exits.stage])
            days = cell.curves.days()
            days = np.append(days[days < until], until)
            values = (each[:, 1 + exits.ways.index(VALIDATED)] for each in cell.curves.shares(days))
            columns = dict(zip(("estimate", "lower", "upper"), values, strict=True))
            whose = {"stage": exits.stage, "group": exits.group}
            curves.append(pd.DataFrame({**whose, "days": days, **columns, "within": within[exits.stage]}))
            shown = np.linspace(0, until, N_AT_RISK_SHOWN)
            at_risk.append(pd.DataFrame({**whose, "x": shown, "n": exits.at_risk(shown)}))
        found = (pd.concat(parts, ignore_index=True) for parts in (curves, at_risk))
        return tuple(table if self.by else table.drop(columns="group") for table in found)


def _compared(losses: pd.DataFrame, day: float) -> Iterator[tuple[str, str]]:
    """Stage and words for each stage where the declared losses of both are known."""
    for stage, rows in losses[losses["to"] == DECLARED].groupby("stage", sort=False):
        both = rows.set_index("validated")
        if both["estimate"].notna().sum() == 2:
            told = [f"{percent(row['estimate'])} of {row['n']:,} {name}" for name, row in
                    (("unproven", both.loc["no"]), ("proven", both.loc["yes"]))]  # fmt: skip
            yield stage, f"{', '.join(told)}, in the {in_days(day)} after day {both['landmark_days'].iloc[0]:,g}"
