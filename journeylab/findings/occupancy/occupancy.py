"""Occupancy: so many days after entering the journey, which share of customers is in each stage, and lost to what?"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.errors import EstimateError
from journeylab.base.ordering import largest
from journeylab.base.words import counted, in_days, in_one_unit, percent
from journeylab.events.spells.exits import MOVES
from journeylab.findings.finding import LaneName, StageFinding, left_out_in_words, share_in_words, with_few_named
from journeylab.findings.occupancy.tables import N_DAYS_DRAWN, last_day


@dataclass(frozen=True)
class Occupancy(StageFinding):
    """Where customers are on the journey clock: days since they first entered the journey.

    Attributes
    ----------
    table : DataFrame
        A row per (group,) `state` and `days` asked for. `kind` of a state: `stage`, or `branch` (lost that way and not
        back yet). `estimate`, `lower`, `upper`: the share of customers who are there just then; on any day the states
        sum to 1, and construction fails if not. `at_risk`: customers still watched just before that day, in any state;
        `n` customers in all; `note`: why an estimate is missing, or that few were watched so long.
    reached : DataFrame
        As `table`: the share that has ever been in the state by then, if only in passing.
    losses : DataFrame
        As `table`, for being lost by any branch (`state` is “lost”).
    mean_days : DataFrame
        A row per (group and) state: mean days spent there from day `from_days` (0, but for groups whose labels became
        known later) to `horizon_days`, the last of the days asked for at which all groups can be estimated.
    drawn : DataFrame
        The shares at evenly spaced days, without intervals, as long as 10 customers are watched: for figures.
    times : tuple of float
        Days, ascending.
    n_left_out : int
        Customers whose journey began before the window, so that their clock is not known.
    """

    reached: pd.DataFrame = field(repr=False)
    losses: pd.DataFrame = field(repr=False)
    mean_days: pd.DataFrame = field(repr=False)
    drawn: pd.DataFrame = field(repr=False)
    times: tuple[float, ...]
    n_left_out: int

    def __post_init__(self) -> None:
        totals = self.table.groupby(self._keys)["estimate"].sum(min_count=1)
        wrong = totals[(totals - 1).abs() > 1e-9]
        if len(wrong):
            raise EstimateError(
                f"The shares of all states on day {np.ravel(wrong.index[0])[-1]:g} sum to {wrong.iloc[0]:g}, not to 1. "
                "A customer must be in exactly one state: look at the spells with find_flaws."
            )

    def sentence(self) -> str:
        """Where most customers are on the last day that can be estimated, and where they spend most time."""
        day, left_out = self._headline(), left_out_in_words(self.n_left_out)
        losses = self.losses[(self.losses["days"] == day) & self.losses["estimate"].notna()]
        if losses.empty:
            return f"Nobody was watched for {in_days(self.times[0])} after entering the journey.{left_out}"
        shares = [
            f"{share_in_words(row, 1, level=self._level)} of {counted(row['n'], 'customer')}{self._with_group(row)} "
            f"are lost and not back on that day ({row['at_risk']:,} were watched so long{self._mainly(row)})"
            for _, row in losses.iterrows()
        ]
        opening = f"{in_days(day)} after entering the journey, {'; '.join(shares)}."
        return f"{opening}{'' if self.by else self._longest()}{left_out}"

    def by_stage(self) -> pd.DataFrame:
        """Lanes `mean time` and `ever reached`, in words with interval and base; with groups, a pair for each. A stage
        where nobody was has None."""
        reached, lanes = self.reached[self.reached["days"] == self._headline()], {}
        within = f" within {in_days(self._headline())}"
        for suffix, _, *tables in self._by_group(self.table, self.mean_days, reached):
            means, shares = (rows[rows["estimate"] > 0].iterrows() for rows in tables)
            lanes[LaneName.MEAN_TIME + suffix] = {row["state"]: _mean_in_words(row) for _, row in means}
            lanes[LaneName.EVER_REACHED + suffix] = {
                row["state"]: share_in_words(row, 1, within=within, base=counted(row["n"], "customer"))
                for _, row in shares
            }
        return self._lanes(lanes)

    def plot(self, ax=None) -> Chart:
        """The share of customers in each state by days since entering the journey, stacked.

        With groups, curves, a panel for each group; all branches together are “lost”.
        """
        rows = self.drawn[self.drawn["state"].isin(self.drawn.loc[self.drawn["estimate"] > 0, "state"])]
        words = {
            "x_label": "days since entering the journey",
            "title": "Where customers are in their journey",
            "alt": f"Share of customers in each state, by days since entering the journey. {self.sentence()}",
            "ax": ax,
        }
        if rows.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        if not self.by:
            branches = self.drawn.loc[self.drawn["kind"] == "branch", "state"].unique()
            colour_order = (*MOVES, *branches)
            rows = rows.dropna(subset=["estimate"])
            return charts.areas(
                rows, x="days", y="estimate", by="state", in_shades=self.stages, colour_order=colour_order, **words
            )
        rows = self._named(self._merged(rows))
        if ax is not None:
            rows = rows.assign(state=rows["state"] + " · " + rows["group"])
        layout = {"panel": "group", "at_risk": self._named(self._at_risk())} if ax is None else {}
        faint = rows.loc[rows["is_few"], "group" if ax is None else "state"].unique().tolist()
        style = {"y_label": "share of customers", "percent": True, "faint": faint}
        return charts.curves(rows, x="days", y="estimate", by="state", **style, **layout, **words)

    def _named(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`rows` with a column `is_few`, and groups of few customers named so."""
        if not self.by:
            return rows.assign(is_few=False)
        customers = rows["group"].map(self.table.groupby("group")["n"].max()).fillna(0).astype(int)
        return with_few_named(rows.assign(customers=customers), "group")

    def _at_risk(self) -> pd.DataFrame:
        """Customers watched, on a few of the days drawn, for each group."""
        rows = self.drawn.rename(columns={"days": "x", "at_risk": "n"})[["group", "x", "n"]].drop_duplicates()
        return rows[rows.groupby("group").cumcount() % (N_DAYS_DRAWN // 4) == 0]

    def _merged(self, drawn: pd.DataFrame) -> pd.DataFrame:
        lost = drawn[drawn["kind"] == "branch"].groupby(self._keys, as_index=False)["estimate"].sum()
        return pd.concat([drawn[drawn["kind"] == "stage"], lost.assign(state="lost", kind="branch")], ignore_index=True)

    def _tables(self) -> dict[str, pd.DataFrame]:
        level = (
            f"Share of customers in each state, {self.confidence:.0%} intervals.{left_out_in_words(self.n_left_out)}"
        )
        return {level: self.table, f"Mean days in each state, {self.confidence:.0%} intervals.": self.mean_days}

    @property
    def _keys(self) -> list[str]:
        return ["group", "days"] if self.by else ["days"]

    def _headline(self) -> float:
        """The last of the days at which every group is estimated on enough customers; else the last at all."""
        return last_day(self.table, self.times)

    def _mainly(self, lost: pd.Series) -> str:
        """Where most of the lost, and most of the others, are on that day."""
        rows = self._of_group(self.table[self.table["days"] == lost["days"]], lost)
        parts = []
        for kind, words in (("branch", "most of them are away, lost to"), ("stage", "most of the others are in")):
            known = rows[(rows["kind"] == kind) & (rows["estimate"] > 0)]
            if len(known):
                top = known.iloc[largest(known["estimate"])]
                parts.append(f", {words} “{top['state']}”: {percent(top['estimate'], 1)}")
        return "".join(parts)

    def _longest(self) -> str:
        known = self.mean_days[self.mean_days["estimate"].notna() & (self.mean_days["kind"] == "stage")]
        if known.empty:
            return ""
        row = known.iloc[largest(known["estimate"])]
        (mean, lower, upper), unit = in_one_unit([row["estimate"], row["lower"], row["upper"]])
        return (
            f" The stage that takes most of this time is “{row['state']}”: {mean} {unit} on average "
            f"({lower} to {upper})."
        )


def _mean_in_words(row: pd.Series) -> str:
    period = f"days {row['from_days']:g} to {row['horizon_days']:g}"
    period = period if row["from_days"] else f"first {in_days(row['horizon_days'])}"
    (mean, lower, upper), unit = in_one_unit([row["estimate"], row["lower"], row["upper"]])
    mean = mean if unit == "days" else f"{mean} {unit}"
    return f"{mean} of the {period} ({lower} to {upper}; {counted(row['n'], 'customer')})"
