"""The comparison of groups in one stage: which stay longer, and which leave by which exit?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.ordering import settled
from journeylab.base.words import UNITS, counted, in_days, in_one_unit, on_day, unit_of, with_sign
from journeylab.findings.comparison.arms import DAYS_INSIDE, TOO_FEW
from journeylab.findings.comparison.verdicts import AT_ALL, LEVEL
from journeylab.findings.finding import StageFinding, p_in_words, share_in_words

NOT_COMPARED = " (not compared)"


@dataclass(frozen=True)
class Comparison(StageFinding):
    """Groups of customers compared in one stage, in the first days after entering it; nothing later is looked at.

    Attributes
    ----------
    table : DataFrame
        A row per group and figure. `measure` is “mean days inside” (`to` is “inside”: days spent in the stage until the
        horizon) or “share out” (`to` is an exit: the share that has left by it by then). `estimate`, `lower`, `upper`,
        `standard_error`; `n` visits of `customers`, `at_risk` just before the horizon, `events`: how many had left that
        way. `note` says why a group is too small to be compared, why a figure is missing, and what all figures are
        conditional on.
    differences : DataFrame
        The same figures of `group` less those of `reference`, for each pair of groups that are compared, with limits;
        `n`, `customers` of the two. Each interval stands for itself: of 20 without a difference about one excludes 0,
        so read them after the tests.
    tests : DataFrame
        A row for leaving “at all” (log-rank) and for each exit (Gray), both robust: customers, not visits, are
        independent. `p_adjusted` is Holm's over these rows. `proportional_p`: of proportional hazards between the
        groups (score test; robust where customers come back, else exact); a small one is evidence against a single
        factor. `n`, `customers`, `events` of the `groups` tested; `note`: who was left out, or why nothing was tested.
    hazard_ratios : DataFrame
        For each row of `tests`, by what factor each group leaves that way faster than the largest, with robust limits;
        an average over the time where `proportional_p` is small.
    stage : str
    horizon_days : float
    start_day : float or None
        Days after entering from which all groups are watched; None where that is entering itself.
    """

    differences: pd.DataFrame
    tests: pd.DataFrame
    hazard_ratios: pd.DataFrame
    stage: str
    horizon_days: float
    start_day: float | None

    def sentence(self) -> str:
        """Mean days inside by group, whether the groups leave at one pace, and by what factor."""
        given = f", given still inside {on_day(self.start_day)}" if self.start_day is not None else ""
        days = "; ".join(f"{self.by} “{row.group}” {self._days(row)}" for row in self._means().itertuples())
        first = f"Mean days inside “{self.stage}” in the first {in_days(self.horizon_days)}{given}: {days}."
        return " ".join([first, *self._difference_in_words(), self._pace_in_words(), *self._factor_in_words()])

    def by_stage(self) -> pd.DataFrame:
        """A lane for each group, filled in the stage compared: mean days inside, interval, base."""
        lanes = {
            f"days inside ({row.group})": {self.stage: self._days(row)}
            for row in self._means().itertuples()
            if not np.isnan(row.estimate)
        }
        return self._lanes(lanes)

    def plot(self, ax=None) -> Chart:
        """Mean days inside by group; groups too small to be compared say so."""
        if self.lacking:
            return charts.note(self.lacking, title=self.title, ax=ax)
        drawn = self._drawn(self._means())
        return charts.intervals(
            drawn,
            x_label=f"mean days inside in the first {in_days(self.horizon_days)} ({self.confidence:.0%} intervals)",
            title=f"How long customers stay in “{self.stage}”, by {self.by}",
            alt=self.sentence(),
            faint=_not_compared(drawn),
            ax=ax,
        )

    def plot_incidence(self, ax=None) -> Chart:
        """The share that has left by the horizon, by exit and group."""
        shares = self.table[self.table["measure"] != DAYS_INSIDE]
        taken = shares.loc[shares["events"] > 0, "to"].unique()
        drawn = self._drawn(shares[shares["to"].isin(taken) & shares["estimate"].notna()])
        if drawn.empty:
            return charts.note(self.lacking or f"Nobody has left “{self.stage}”.", title=self.title, ax=ax)
        values = [
            f"{row['label']}, {row['to']}: {share_in_words(row, 1)} of {row['n']:,}" for _, row in drawn.iterrows()
        ]
        return charts.intervals(
            drawn,
            label="to",
            by="label",
            percent=True,
            x_label=f"has left within {in_days(self.horizon_days)} ({self.confidence:.0%} intervals)",
            title=f"By which ways customers leave “{self.stage}”, by {self.by}",
            alt=f"Share that has left “{self.stage}” by each way. {'; '.join(values)}.",
            faint=_not_compared(drawn),
            ax=ax,
        )

    def _tables(self) -> dict[str, pd.DataFrame]:
        level = f"{self.confidence:.0%} intervals, clustered by customer."
        tables = {
            f"Until day {self.horizon_days:g} after entering; {level}": self.table,
            f"Differences between groups; {level} Read them after the tests.": self.differences,
            "Tests of no difference; customers are independent, not visits. p adjusted: Holm.": self.tests,
            f"Hazard ratios, averages over the time; {level}": self.hazard_ratios,
        }
        return {caption: table for caption, table in tables.items() if len(table)}

    def _means(self) -> pd.DataFrame:
        return self.table[self.table["measure"] == DAYS_INSIDE]

    def _drawn(self, rows: pd.DataFrame) -> pd.DataFrame:
        is_compared = rows["group"].isin([*self.differences["group"], *self.differences["reference"]])
        return rows.assign(label=rows["group"].where(is_compared, rows["group"] + NOT_COMPARED))

    def _days(self, row) -> str:
        remarks = [part for part in (row.note or "").split("; ") if part and not part.startswith("given still inside")]
        remarks = [TOO_FEW if part.endswith(TOO_FEW) else part for part in remarks]
        base = ", ".join([f"{counted(row.n, 'visit')} of {counted(row.customers, 'customer')}", *remarks])
        if np.isnan(row.estimate):
            return f"not known ({base})"
        (days, lower, upper), unit = in_one_unit([row.estimate, row.lower, row.upper])
        limits = "no interval" if np.isnan(row.lower) else f"interval {lower} to {upper}"
        return f"{days}{'' if unit == 'days' else f' {unit}'} ({self.confidence:.0%} {limits}; {base})"

    def _difference_in_words(self) -> list[str]:
        """The difference, where there is one only."""
        rows = self.differences[self.differences["measure"] == DAYS_INSIDE]
        if len(rows) != 1 or rows["estimate"].isna().any():
            return []
        row = rows.iloc[0]
        more = "more" if settled(row["estimate"]) >= 0 else "fewer"
        unit = unit_of(row["estimate"])
        estimate, lower, upper = (row[name] * UNITS[unit] for name in ("estimate", "lower", "upper"))
        limits = f"{with_sign(lower, 1)} to {with_sign(upper, 1)} {unit}s"
        return [f"“{row['group']}” stays {abs(estimate):,.1f} {unit}s {more} than “{row['reference']}” ({limits})."]

    def _pace_in_words(self) -> str:
        tested = self.tests[self.tests["p_value"].notna()]
        if tested.empty:
            why = (self.tests["note"].iloc[0] or "none can be compared").removeprefix("not tested: ")
            return f"The groups are not tested: {why}."
        differ = [
            f"{'' if row.to == AT_ALL else 'by '}{row.to} ({p_in_words(row.p_adjusted)})"
            for row in tested[tested["p_adjusted"] < LEVEL].itertuples()
        ]
        how = f"by {counted(len(tested), 'robust test')}, p adjusted for their number"
        if differ:
            return f"The groups differ in leaving {', '.join(differ)}, {how}."
        return f"No difference in leaving was found (smallest {p_in_words(tested['p_adjusted'].min())}, {how})."

    def _factor_in_words(self) -> list[str]:
        """By what factor groups leave at all, and whether that was seen to change; nothing where it is not known."""
        ratios = self.hazard_ratios[self.hazard_ratios["to"] == AT_ALL]
        if ratios.empty:
            return []
        factors = "; ".join(
            f"“{row.group}” {row.estimate:.2f} times as fast ({self._level}{row.lower:.2f} to {row.upper:.2f})"
            for row in ratios.itertuples()
        )
        average = f"Averaged over this time, against {self.by} “{ratios['reference'].iloc[0]}”: {factors}."
        test = self.tests.iloc[0]
        found = p_in_words(test["proportional_p"])
        if np.isnan(test["proportional_p"]):
            return [average, "Whether the factor changes with time is not known."]
        if test["proportional_p"] < LEVEL:
            return [average, f"The factor changes with time ({found}): read the means and the shares."]
        return [average, f"No change of the factor with time was seen ({found}, {test['events']:,} left)."]


def _not_compared(drawn: pd.DataFrame) -> list[str]:
    """The labels of groups too small to be compared."""
    return [label for label in drawn["label"].unique() if label.endswith(NOT_COMPARED)]
