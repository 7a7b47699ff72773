"""The factors by which covariates change how fast a stage is left by one exit."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.ordering import largest, order_of_p
from journeylab.base.words import counted, listed
from journeylab.estimators.intervals import holm
from journeylab.findings.finding import StageFinding
from journeylab.findings.hazards.design import AFTER, BEFORE

MOST_IN_SENTENCE, LEVEL = 6, 0.05


@dataclass(frozen=True)
class Hazards(StageFinding):
    """What goes with leaving one stage by one exit: hazard ratios, the other covariates in the model held.

    Attributes
    ----------
    table : DataFrame
        A row per `covariate` and `level`. `hazard_ratio`: how many times as fast visits at that level, while still
        inside, leave this way as those at the `reference`; of a number, `level` is the difference it is for, one
        standard deviation between customers. `lower`, `upper`, `p_value`: robust, clustered by customer. `n` visits of
        `customers` that were at that level at some time, `events` of them that left this way while they were. The
        reference has a row with a ratio of 1, without interval. A ratio of 0 or without bound has no interval; `note`
        says so.
    checks : DataFrame
        A row per covariate: `proportional_p`, a small one is evidence against one ratio for all times (score test;
        where customers come back robust, clustered by customer, else exact; of several levels the smallest p times
        their number); `note` says where a level has too few customers for a test.
    notes : tuple of str
        Sentences on who was left out and what makes the estimates doubtful.
    left_stages : tuple of str
        The stages that were left, in the journey's order; each has a pace of its own.
    exit : str
        How; “lost” is by any branch.
    n, customers, events : int
        The base.
    """

    checks: pd.DataFrame
    left_stages: tuple[str, ...]
    exit: str
    n: int
    customers: int
    events: int

    @property
    def stage(self) -> str:
        """The stage that was left; of several, their names as one text."""
        return " and ".join(self.left_stages)

    def sentence(self) -> str:
        """The hazard ratios with intervals and base (of many, those with the smallest p), and what is doubtful."""
        rows = self._ratios()
        first = np.sort(order_of_p(rows["p_value"])[:MOST_IN_SENTENCE])
        rest = f"; {len(rows) - len(first)} more in the table" if len(first) < len(rows) else ""
        base = f"{self.events:,} of {counted(self.n, 'visit')} of {counted(self.customers, 'customer')}"
        ratios = f"{self._in_words(rows.iloc[first])}{rest}"
        where = listed([f"“{stage}”" for stage in self.left_stages])
        answer = f"How many times as fast {where} {'is' if len(self.left_stages) == 1 else 'are'} left by “{self.exit}”"
        return f"{answer} ({base}): {ratios}. These are associations, the other covariates held."

    def strongest_in_words(self) -> str:
        """How many of the covariates go with leaving this way, and the one of which that is surest; where none does,
        the one whose ratio is furthest from 1. p-values are adjusted (Holm) for all ratios of the model."""
        if self.lacking:
            return self.lacking
        rows = self._ratios()
        rows = rows[rows["p_value"].notna()]
        if rows.empty:
            return f"Nothing can be compared among {counted(self.n, 'visit')} to “{self.stage}”."
        n_sure = int((holm(rows["p_value"]) < LEVEL).sum())
        base = f"{self.events:,} of {counted(self.n, 'visit')}"
        if n_sure:
            row = rows.iloc[[order_of_p(rows["p_value"])[0]]]
            how = f"{n_sure:,} of {counted(len(rows), 'ratio')} differ from 1; the surest"
        else:
            row = rows.iloc[[largest(np.log(rows["hazard_ratio"].clip(1e-9)).abs())]]
            how = f"none of {counted(len(rows), 'ratio')} is shown to differ from 1; the furthest"
        return f"“{self.stage}”, left by “{self.exit}” ({base}): {how}: {self._in_words(row)}."

    def by_stage(self) -> pd.DataFrame:
        """A lane with the hazard ratios, filled in this stage."""
        ratios = self._in_words(self._ratios()) or None
        return self._lanes({f"hazard ratios ({self.exit})": dict.fromkeys(self.left_stages, ratios)})

    def plot(self, ax=None) -> Chart:
        """The hazard ratios with their intervals on a log axis, 1 marked; those of 0 or without bound are not drawn."""
        if self.lacking:
            return charts.note(self.lacking, title=self.title, ax=ax)
        rows = self._ratios()
        drawn = rows.assign(
            label=[_label(row) for row in rows.itertuples()],
            hazard_ratio=rows["hazard_ratio"].where(np.isfinite(rows["hazard_ratio"]) & (rows["hazard_ratio"] > 0)),
        )
        return charts.intervals(
            drawn,
            x="hazard_ratio",
            reference=1.0,
            x_label=f"hazard ratio ({self.confidence:.0%} intervals)",
            scale="log",
            title=self.title,
            alt=self.sentence(),
            ax=ax,
        )

    def _tables(self) -> dict[str, pd.DataFrame]:
        level = f"Hazard ratios with {self.confidence:.0%} intervals, clustered by customer."
        checks = "Is one ratio enough for all times? A small p is evidence against it."
        return {level: self.table, checks: self.checks}

    def _ratios(self) -> pd.DataFrame:
        return self.table[self.table["level"] != self.table["reference"]]

    def _in_words(self, rows: pd.DataFrame) -> str:
        return "; ".join(f"{_label(row)} {self._ratio(row)}" for row in rows.itertuples())

    def _ratio(self, row) -> str:
        limits = "no interval" if np.isnan(row.lower) else f"{self._level}{row.lower:.2f} to {row.upper:.2f}"
        return f"{row.hazard_ratio:.2f} ({limits})"


def _label(row) -> str:
    if row.reference is None:
        return f"{row.covariate}, {row.level}"
    if row.level == AFTER and row.reference == BEFORE:
        return f"after “{row.covariate}”"
    return f"{row.covariate} “{row.level}” against “{row.reference}”"
