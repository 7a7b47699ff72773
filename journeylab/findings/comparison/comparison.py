"""The comparison of groups in one stage, and how it is made."""

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.base.durations import days
from journeylab.base.errors import EstimateError
from journeylab.base.ordering import settled
from journeylab.base.words import counted, in_days, percent, with_sign
from journeylab.events.queries.covariates import check_known_in_time
from journeylab.events.spells import Spells
from journeylab.events.spells.exits import MOVES, Exits, find_exits, visits_to
from journeylab.findings.arguments import MIN_CUSTOMERS, check_confidence
from journeylab.findings.comparison.arms import DAYS_INSIDE, TOO_FEW, Arms
from journeylab.findings.comparison.verdicts import AT_ALL, LEVEL, Verdicts
from journeylab.findings.finding import Finding, tidy
from journeylab.findings.grouping import By, Grouping, Where, select, watched, why_nobody

RESTRICTED_MEANS, HAZARD_RATIOS = "restricted means", "hazard ratios"
MOST_GROUPS = 12
NOT_COMPARED = " (not compared)"
_ESTIMATE = dict.fromkeys(("estimate", "lower", "upper"), float)
_BASE = dict.fromkeys(("n", "customers"), int)
_P_VALUES = dict.fromkeys(("p_value", "p_adjusted", "proportional_p"), float)
_FIGURE = {**dict.fromkeys(("stage", "measure", "to"), object), "horizon_days": float, **_ESTIMATE}
_TABLE = {"group": object, **_FIGURE, "standard_error": float, **_BASE, "at_risk": int, "events": int, "note": object}
_DIFFERENCES = {"group": object, "reference": object, **_FIGURE, **_BASE, "note": object}
_TESTS = {
    **dict.fromkeys(("stage", "to", "test"), object), "statistic": float, "degrees_of_freedom": int, **_P_VALUES,
    "groups": int, **_BASE, "events": int, "note": object,
}  # fmt: skip
_RATIOS = {
    **dict.fromkeys(("stage", "to", "group", "reference"), object), **_ESTIMATE, "p_value": float,
    **_BASE, "events": int,
}  # fmt: skip


@dataclass(frozen=True)
class Comparison(Finding):
    """Groups of customers compared in one stage, in the first days after entering it; nothing later is looked at.

    table: a row per group and figure. `measure` is “mean days inside” (`to` is “inside”: days spent in the stage until
        the horizon) or “share out” (`to` is a way out: the share that has left by it by then). `estimate`, `lower`,
        `upper`, `standard_error`; `n` visits of `customers`, `at_risk` just before the horizon, `events`: how many had
        left so. `note` says why a group is too small to be compared, why a figure is missing, and what all figures are
        conditional on.
    differences: the same figures of `group` less those of `reference`, for each pair of groups that are compared, with
        limits; `n`, `customers` of the two. Each interval stands for itself: of 20 without a difference about one
        excludes 0, so read them after the tests.
    tests: a row for leaving “at all” (log-rank) and for each way out (Gray), both robust: customers, not visits, are
        independent. `p_adjusted` is Holm's over these rows. `proportional_p`: of proportional hazards between the
        groups (score test; robust where customers come back, else exact); a small one speaks against a single factor.
        `n`, `customers`, `events` of the `groups` tested; `note`: who was left out, or why nothing was tested.
    hazard_ratios: for each row of `tests` in which hazards may be proportional, by what factor each group leaves so
        faster than the largest, with robust limits.
    stage, by: what is compared. stages: of the journey. horizon_days; start_day: days after entering from which all
        groups are watched, or None where that is entering itself. confidence: the level of all intervals.
    lead: what to read first: “restricted means”, with the differences in shares, where the hazards of leaving at all
        are not proportional or that cannot be told; otherwise “hazard ratios”, beside them.
    """

    differences: pd.DataFrame
    tests: pd.DataFrame
    hazard_ratios: pd.DataFrame
    stage: str
    by: str
    stages: tuple[str, ...] = field(repr=False)
    horizon_days: float
    start_day: float | None
    confidence: float
    lead: str

    def sentence(self) -> str:
        """Mean days inside by group, whether the groups leave at one pace, and, where it may be told so, by what
        factor: in the order of `lead`."""
        if self.lacking:
            return self.lacking
        given = f", given still inside on day {self.start_day:,.1f}" if self.start_day is not None else ""
        told = "; ".join(f"{self.by} “{row.group}” {self._days(row)}" for row in self._means().itertuples())
        means = f"Mean days inside “{self.stage}” in the first {in_days(self.horizon_days)}{given}: {told}."
        means = [means, *self._difference_in_words()]
        pace, factor = self._pace_in_words(), self._factor_in_words()
        return " ".join([factor, *means, pace] if self.lead == HAZARD_RATIOS else [*means, pace, factor])

    def by_stage(self) -> pd.DataFrame:
        """A lane for each group, filled in the stage compared: mean days inside, interval, base."""
        lanes = {
            f"days inside ({row.group})": [self._days(row) if stage == self.stage else None for stage in self.stages]
            for row in self._means().itertuples()
            if not np.isnan(row.estimate)
        }
        return pd.DataFrame(lanes, index=pd.Index(self.stages, name="stage"), dtype=object)

    def plot(self, ax=None) -> Chart:
        """Mean days inside by group; groups too small to be compared say so."""
        if self.lacking:
            return charts.note(self.lacking, title=self.title, ax=ax)
        drawn = self._drawn(self._means())
        return charts.intervals(
            drawn,
            label="label",
            x="estimate",
            lower="lower",
            upper="upper",
            x_label=f"mean days inside in the first {in_days(self.horizon_days)} ({self.confidence:.0%} intervals)",
            title=f"How long customers stay in “{self.stage}”, by {self.by}",
            alt=self.sentence(),
            faint=_not_compared(drawn),
            ax=ax,
        )

    def plot_incidence(self, ax=None) -> Chart:
        """The share that has left by each way taken by the horizon, by group."""
        shares = self.table[self.table["measure"] != DAYS_INSIDE]
        taken = shares.loc[shares["events"] > 0, "to"].unique()
        drawn = self._drawn(shares[shares["to"].isin(taken) & shares["estimate"].notna()])
        if drawn.empty:
            return charts.note(self.lacking or f"Nobody has left “{self.stage}”.", title=self.title, ax=ax)
        told = [
            f"{row.label}, {row.to}: {percent(row.estimate, 1)} "
            f"({percent(row.lower, 1)} to {percent(row.upper, 1)}) of {row.n:,}"
            for row in drawn.itertuples()
        ]
        return charts.intervals(
            drawn,
            label="to",
            x="estimate",
            lower="lower",
            upper="upper",
            by="label",
            percent=True,
            x_label=f"has left within {in_days(self.horizon_days)} ({self.confidence:.0%} intervals)",
            title=f"By which ways customers leave “{self.stage}”, by {self.by}",
            alt=f"Share that has left “{self.stage}” by each way. {'; '.join(told)}.",
            faint=_not_compared(drawn),
            ax=ax,
        )

    def _repr_html_(self) -> str:
        level = f"{self.confidence:.0%} intervals, clustered by customer."
        tables = (
            (self.table, f"Until day {self.horizon_days:g} after entering; {level}"),
            (self.differences, f"Differences between groups; {level} Read them after the tests."),
            (self.tests, "Tests of no difference; customers are independent, not visits. p adjusted: Holm."),
            (self.hazard_ratios, f"Hazard ratios, where hazards may be proportional; {level}"),
        )
        shown = [html.table(table, caption=caption) for table, caption in tables if len(table)]
        return self._card(html.paragraph(self.sentence()), *shown)

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
        limits = "no interval" if np.isnan(row.lower) else f"interval {row.lower:,.1f} to {row.upper:,.1f}"
        return f"{row.estimate:,.1f} ({self.confidence:.0%} {limits}; {base})"

    def _difference_in_words(self) -> list[str]:
        """The difference, where there is one only."""
        rows = self.differences[self.differences["measure"] == DAYS_INSIDE]
        if len(rows) != 1 or rows["estimate"].isna().any():
            return []
        row = rows.iloc[0]
        more = "more" if settled(row["estimate"]) >= 0 else "fewer"
        limits = f"{with_sign(row['lower'], 1)} to {with_sign(row['upper'], 1)} days"
        return [f"“{row['group']}” stays {abs(row['estimate']):,.1f} days {more} than “{row['reference']}” ({limits})."]

    def _pace_in_words(self) -> str:
        tested = self.tests[self.tests["p_value"].notna()]
        if tested.empty:
            return f"The groups are not tested: {self.tests['note'].iloc[0] or 'they cannot be told apart'}."
        differ = [
            f"{'' if row.to == AT_ALL else 'by '}{row.to} ({_p(row.p_adjusted)})"
            for row in tested[tested["p_adjusted"] < LEVEL].itertuples()
        ]
        how = f"by {counted(len(tested), 'robust test')}, p adjusted for their number"
        if differ:
            return f"The groups differ in leaving {', '.join(differ)}, {how}."
        return f"No difference in leaving was found (smallest {_p(tested['p_adjusted'].min())}, {how})."

    def _factor_in_words(self) -> str:
        proportional_p = self.tests["proportional_p"].iloc[0]
        if np.isnan(proportional_p):
            return "Whether one factor could tell the difference is not known: read the means and the shares."
        if self.lead == RESTRICTED_MEANS:
            return (
                f"Hazards are not proportional ({_p(proportional_p)}), so no one factor tells the difference: "
                "read the means and the shares."
            )
        ratios = self.hazard_ratios[self.hazard_ratios["to"] == AT_ALL]
        told = "; ".join(
            f"“{row.group}” {row.estimate:.2f} times as fast ({self.confidence:.0%} interval {row.lower:.2f} to "
            f"{row.upper:.2f})"
            for row in ratios.itertuples()
        )
        return (
            f"Against {self.by} “{ratios['reference'].iloc[0]}”, “{self.stage}” is left at all by {told}; nothing "
            f"speaks against one factor for all times ({_p(proportional_p)})."
        )


def compare_groups(
    spells: Spells,
    *,
    stage: str,
    by: By,
    where: Where | None = None,
    horizon: str | timedelta,
    confidence: float = 0.95,
) -> Comparison:
    """Do groups of customers differ in how long they stay in `stage`, and by which ways they leave it?

    by: a Grouping, a Series of labels by customer, or a column of `spells.customers` known at the start.
    horizon: how far to look after entering, such as "90d". Visits still running then count as still inside; means,
        shares, tests and factors are all of this one stretch of time.

    Where labels became known late (personas), or visits were running before the window, all groups are watched from
    one common day after entering on: the first on which each has 10 visits at risk. All is then given still inside on
    that day, as `start_day` and the notes say. Groups with fewer than 10 customers, never as many as 10 visits at risk,
    or fewer than 5 expected to leave, were all groups alike, stay in the table and are not compared; no figure is shown
    for fewer than 5 customers.

    Customers who come back are one cluster in every error and test. Restricted means and incidence: Aalen-Johansen with
    the infinitesimal jackknife; their differences: normal, and Zou & Donner 2008 (Statistics in Medicine 27:1693-1702).
    Tests: Lin & Wei 1989 (JASA 84:1074-1078), Gray 1988 (Annals of Statistics 16:1141-1154). Proportional hazards:
    Grambsch & Therneau 1994 (Biometrika 81:515-526).

    Where nobody of a known group was watched inside, or one group only, the finding is empty, and `lacking` says so.

    Raises EstimateError: no such stage or no way out of it, unknown `by`, labels known too late or of nobody with a
    spell, more than 12 groups that could be compared, impossible `confidence`; JourneyLabError: a horizon that is no
    duration.
    """
    day = days(horizon)
    check_confidence(confidence)
    spells = select(spells, where)
    grouping = Grouping.of(by, spells)
    inside = visits_to(watched(spells, None), spells.journey, stage)
    for column in [by] if isinstance(by, str) else by if isinstance(by, list | tuple) else []:
        if isinstance(column, str):
            check_known_in_time(inside, spells.customers, column)
    visits = visits_to(watched(spells, grouping), spells.journey, stage)
    _check_number(visits, grouping.name)
    found = [exits for exits in find_exits(visits, spells.journey) if exits.n]
    lacking = _lacking(found, stage) if found else _why_nobody(spells, grouping, stage, inside)
    ways = (*MOVES, *spells.journey.branches)
    arms = Arms.of([] if lacking else found, ways=ways, horizon=day, confidence=confidence)
    verdicts = Verdicts.of(arms)
    tests = tidy(verdicts.tests, _TESTS, by=grouping.name)
    return Comparison(
        title=f"“{stage}” compared by {grouping.name}",
        table=tidy(verdicts.arms.rows(), _TABLE, by=grouping.name),
        lacking=lacking,
        period=spells.window,
        differences=tidy(verdicts.arms.differences(), _DIFFERENCES, by=grouping.name),
        tests=tests,
        hazard_ratios=tidy(verdicts.hazard_ratios, _RATIOS, by=grouping.name),
        stage=stage,
        by=grouping.name,
        stages=spells.journey.stage_names,
        horizon_days=day,
        start_day=arms.start if arms.start >= 0 else None,
        confidence=confidence,
        lead=HAZARD_RATIOS if (tests["proportional_p"].head(1) >= LEVEL).any() else RESTRICTED_MEANS,
    )


def _not_compared(drawn: pd.DataFrame) -> list[str]:
    """The labels of groups too small to be compared."""
    return [label for label in drawn["label"].unique() if label.endswith(NOT_COMPARED)]


def _lacking(found: list[Exits], stage: str) -> str | None:
    if len(found) > 1:
        return None
    only = f"“{found[0].group}” with {counted(found[0].n, 'visit')}"
    return f"Only one group was watched inside “{stage}”, {only}, so there is nothing to compare."


def _why_nobody(spells: Spells, grouping: Grouping, stage: str, inside: pd.DataFrame) -> str:
    if not len(spells) or grouping.labels.empty:
        return why_nobody(spells, grouping)
    if inside.empty:
        return f"Nobody was watched inside “{stage}”, so there is nothing to compare."
    return (
        f"Nobody was inside “{stage}” when their {grouping.name} was known or after, so there is nothing to compare. "
        "Look at when it became known."
    )


def _check_number(visits: pd.DataFrame, by: str) -> None:
    customers = visits.groupby("group")["customer_id"].nunique()
    n_large = int((customers >= MIN_CUSTOMERS).sum())
    if n_large > MOST_GROUPS:
        raise EstimateError(
            f"“{by}” has {n_large} groups of {MIN_CUSTOMERS} customers or more, too many to compare in pairs. "
            f"Merge them to at most {MOST_GROUPS}; for a number, take its ranges."
        )


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
