"""Occupancy: so many days after entering the journey, which share of customers is in each stage, and lost to what?"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.base.durations import days
from journeylab.base.errors import EstimateError
from journeylab.base.ordering import largest
from journeylab.base.words import counted, in_days, percent
from journeylab.events.spells import Spells
from journeylab.events.spells.exits import MOVES
from journeylab.events.spells.transitions import Transitions, find_transitions
from journeylab.findings.arguments import MIN_CUSTOMERS, check_confidence
from journeylab.findings.finding import Finding, LaneName
from journeylab.findings.grouping import By, Grouping, Where, select, watched, why_nobody
from journeylab.findings.occupancy.curves import JourneyCurves
from journeylab.findings.occupancy.tables import N_DAYS_DRAWN, drawn_rows, last_day, mean_rows, share_rows


@dataclass(frozen=True)
class Occupancy(Finding):
    """Where customers are on the journey clock: days since they first entered the journey.

    table: a row per (group,) `state` and `days` asked for. `kind` of a state: `stage`, or `branch` (lost that way and
        not back yet). `estimate`, `lower`, `upper`: the share of customers who are there just then; on any day the
        states sum to 1, and construction fails if not. `at_risk`: customers still watched just before that day, in
        whichever state; `n` customers in all; `note`: why an estimate is missing, or that few were watched so long.
    reached: as `table`: the share that has ever been in the state by then, if only in passing.
    losses: as `table`, for being lost by whichever branch (`state` is “lost”).
    mean_days: a row per (group and) state: mean days spent there from day `from_days` (0, but for groups whose labels
        became known later) to `horizon_days`, the last of the days asked for at which all groups can be estimated.
    drawn: the shares at evenly spaced days, without intervals, as long as 10 customers are watched: for figures.
    stages: in the journey's order. times: days, ascending. confidence: the level of all intervals. by: what the groups
        are, or None. n_left_out: customers whose journey began before the window, so that their clock is not known.
    """

    reached: pd.DataFrame = field(repr=False)
    losses: pd.DataFrame = field(repr=False)
    mean_days: pd.DataFrame = field(repr=False)
    drawn: pd.DataFrame = field(repr=False)
    stages: tuple[str, ...]
    times: tuple[float, ...]
    confidence: float
    by: str | None
    n_left_out: int

    def __post_init__(self) -> None:
        totals = self.table.groupby(self._whose("days"))["estimate"].sum(min_count=1)
        wrong = totals[(totals - 1).abs() > 1e-9]
        if len(wrong):
            raise EstimateError(
                f"The shares of all states on day {np.ravel(wrong.index[0])[-1]:g} sum to {wrong.iloc[0]:g}, not to 1. "
                "A customer must be in exactly one state: look at the spells with find_flaws."
            )

    def sentence(self) -> str:
        """Where most customers are at the last day that can be estimated, and where they spend most time."""
        if self.lacking:
            return self.lacking
        day = self._headline()
        losses = self.losses[(self.losses["days"] == day) & self.losses["estimate"].notna()]
        if losses.empty:
            return f"Nobody was watched for {in_days(self.times[0])} after entering the journey.{self._left_out()}"
        told = [
            f"{self._share(row)} of {counted(row['n'], 'customer')}{self._with(row)} are lost "
            f"({row['at_risk']:,} were watched so long{self._mainly(row)})"
            for _, row in losses.iterrows()
        ]
        opening = f"{in_days(day)} after entering the journey, {'; '.join(told)}."
        return f"{opening}{'' if self.by else self._longest()}{self._left_out()}"

    def by_stage(self) -> pd.DataFrame:
        """Lanes `mean time` and `ever reached`, in words with interval and base; with groups, a pair for each. A stage
        where nobody was has None."""
        day, lanes = self._headline(), {}
        for group in dict.fromkeys(self.table["group"]) if self.by else [None]:
            means, reached = (
                rows[(rows["estimate"] > 0) & ((rows["group"] == group) if self.by else True)].set_index("state")
                for rows in (self.mean_days, self.reached[self.reached["days"] == day])
            )
            suffix = f" ({group})" if self.by else ""
            lanes[LaneName.MEAN_TIME + suffix] = means.apply(self._mean_in_words, axis=1).to_dict()
            lanes[LaneName.EVER_REACHED + suffix] = reached.apply(self._reached_in_words, axis=1).to_dict()
        filled = {lane: [cells.get(stage) for stage in self.stages] for lane, cells in lanes.items()}
        return pd.DataFrame(filled, index=pd.Index(self.stages, name="stage"), dtype=object)

    def plot(self, ax=None) -> Chart:
        """The share of customers in each state by days since entering the journey, stacked; with groups, curves with
        the branches together as “lost”, a panel for each group."""
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
        rows = self._named(self._lumped(rows))
        if ax is not None:
            rows = rows.assign(state=rows["state"] + " · " + rows["group"])
        layout = {"panel": "group", "at_risk": self._named(self._at_risk())} if ax is None else {}
        faint = rows.loc[rows["is_few"], "group" if ax is None else "state"].unique().tolist()
        style = {"y_label": "share of customers", "percent": True, "faint": faint}
        return charts.curves(rows, x="days", y="estimate", by="state", **style, **layout, **words)

    def _named(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`rows` with a column `is_few`, and groups of fewer than 10 customers named so."""
        if not self.by:
            return rows.assign(is_few=False)
        customers = rows["group"].map(self.table.groupby("group")["n"].max()).fillna(0).astype(int)
        named = rows["group"] + " (few: " + customers.map(lambda n: counted(n, "customer")) + ")"
        return rows.assign(
            is_few=customers < MIN_CUSTOMERS, group=rows["group"].where(customers >= MIN_CUSTOMERS, named)
        )

    def _at_risk(self) -> pd.DataFrame:
        """Customers watched, on a few of the days drawn, for each group."""
        rows = self.drawn.rename(columns={"days": "x", "at_risk": "n"})[["group", "x", "n"]].drop_duplicates()
        return rows[rows.groupby("group").cumcount() % (N_DAYS_DRAWN // 4) == 0]

    def _lumped(self, drawn: pd.DataFrame) -> pd.DataFrame:
        lost = drawn[drawn["kind"] == "branch"].groupby(self._whose("days"), as_index=False)["estimate"].sum()
        return pd.concat([drawn[drawn["kind"] == "stage"], lost.assign(state="lost", kind="branch")], ignore_index=True)

    def plot_reached(self, ax=None) -> Chart:
        """The share that has ever been in each state by the last day that can be estimated, with intervals."""
        day = self._headline()
        title = f"Who has ever been there, {in_days(day)} after entering the journey"
        label = f"share of customers ({self.confidence:.0%} intervals)"
        return self._intervals(self.reached[self.reached["days"] == day], ax, title=title, x_label=label, is_share=True)

    def plot_mean_days(self, ax=None) -> Chart:
        """Mean days in each state up to the last day that can be estimated, with intervals."""
        title = f"Where the first {in_days(self._headline())} of the journey are spent"
        label = f"mean days ({self.confidence:.0%} intervals)"
        return self._intervals(self.mean_days, ax, title=title, x_label=label, is_share=False)

    def _repr_html_(self) -> str:
        level = f"Share of customers in each state, {self.confidence:.0%} intervals.{self._left_out()}"
        spent = f"Mean days in each state, {self.confidence:.0%} intervals."
        tables = (html.table(self.table, caption=level), html.table(self.mean_days, caption=spent))
        return self._card(html.paragraph(self.sentence()), *tables)

    def _intervals(self, rows: pd.DataFrame, ax, *, title: str, x_label: str, is_share: bool) -> Chart:
        rows = rows[rows["state"].isin(rows.loc[rows["estimate"] > 0, "state"]) & rows["estimate"].notna()]
        if rows.empty:
            return charts.note(self.sentence(), title=title, ax=ax)
        written = (lambda value: percent(value, 1)) if is_share else (lambda value: f"{value:,.1f}")
        told = [
            f"{row['state']}{', ' + row['group'] if self.by else ''}: {written(row['estimate'])} "
            f"({written(row['lower'])} to {written(row['upper'])})"
            for _, row in rows.iterrows()
        ]
        rows = self._named(rows)
        return charts.intervals(
            rows,
            label="state",
            x="estimate",
            lower="lower",
            upper="upper",
            by="group" if self.by else None,
            x_label=x_label,
            title=title,
            alt=f"{title}. {'; '.join(told)}.",
            percent=is_share,
            faint=rows.loc[rows["is_few"], "group"].unique().tolist() if self.by else (),
            ax=ax,
        )

    def _whose(self, *columns: str) -> list[str]:
        return ["group", *columns] if self.by else list(columns)

    def _headline(self) -> float:
        """The last of the days at which every group is estimated on enough customers; else the last at all."""
        return last_day(self.table, self.times)

    def _share(self, row: pd.Series) -> str:
        limits = f"{percent(row['lower'], 1)} to {percent(row['upper'], 1)}"
        return f"{percent(row['estimate'], 1)} ({self.confidence:.0%} interval {limits})"

    def _with(self, row: pd.Series) -> str:
        return f" with {self.by} “{row['group']}”" if self.by else ""

    def _mainly(self, lost: pd.Series) -> str:
        """Where most of the lost, and most of the others, are on that day."""
        rows = self.table[self.table["days"] == lost["days"]]
        rows = rows[rows["group"] == lost["group"]] if self.by else rows
        found = []
        for kind, words in (("branch", "most lost to"), ("stage", "most of the others in")):
            known = rows[(rows["kind"] == kind) & (rows["estimate"] > 0)]
            if len(known):
                top = known.iloc[largest(known["estimate"])]
                found.append(f", {words} “{top['state']}”: {percent(top['estimate'], 1)}")
        return "".join(found)

    def _longest(self) -> str:
        known = self.mean_days[self.mean_days["estimate"].notna() & (self.mean_days["kind"] == "stage")]
        if known.empty:
            return ""
        row = known.iloc[largest(known["estimate"])]
        return (
            f" The stage that takes most of this time is “{row['state']}”: {row['estimate']:,.1f} days on average "
            f"({row['lower']:,.1f} to {row['upper']:,.1f})."
        )

    def _left_out(self) -> str:
        if not self.n_left_out:
            return ""
        return (
            f" Left out: {self.n_left_out:,} customer{'' if self.n_left_out == 1 else 's'} whose journey began before "
            "the window."
        )

    def _mean_in_words(self, row: pd.Series) -> str:
        period = f"{in_days(row['horizon_days'])}" if not row["from_days"] else f"days {row['from_days']:g} to "
        period = f"first {period}" if not row["from_days"] else f"{period}{row['horizon_days']:g}"
        interval = f"{row['lower']:,.1f} to {row['upper']:,.1f}"
        return f"{row['estimate']:,.1f} of the {period} ({interval}; {counted(row['n'], 'customer')})"

    def _reached_in_words(self, row: pd.Series) -> str:
        interval = f"{percent(row['lower'], 1)} to {percent(row['upper'], 1)}"
        base = f"{interval}; {counted(row['n'], 'customer')}"
        return f"{percent(row['estimate'], 1)} within {in_days(row['days'])} ({base})"


def estimate_occupancy(
    spells: Spells,
    *,
    times: Iterable[str | timedelta],
    by: By | None = None,
    where: Where | None = None,
    confidence: float = 0.95,
) -> Occupancy:
    """Where are customers at each of `times` (["30d", "90d"]) after they entered the journey, and how long where?

    The unit is the customer, and the clock starts when they first entered the journey. Between a loss and the return
    from it they are in the branch; a stage held for no time is passed through, not occupied. Whose journey began before
    the window is left out and counted. Shares are Aalen-Johansen state occupation probabilities, customers being
    censored at the window's end; they need no Markov assumption. Standard errors are clustered by customer
    (infinitesimal jackknife), the error of where the journey begins included; intervals are logit, and Wilson's for a
    share of exactly 0 or 1. Mean days are the areas under the curves (restricted means), their limits those of the
    share of the time spent there.

    `by`: a Grouping, a Series of labels by customer, or a column of `spells.customers`. The clock still starts at the
    journey's entry, but a customer is watched from when the label was known: a group's curves begin on the first day on
    which 10 of its customers are watched, where these are then. What is known of earlier visits counts in `reached`.

    Where there is nobody to estimate from, the finding is empty, and `lacking` and the sentence say why. Raises
    EstimateError: no time, unknown `by`, labels of customers without spells only, `confidence` not between 0 and 1;
    JourneyLabError: a time that is no duration.
    Source: Aalen, Borgan & Gjessing (2008), Survival and Event History Analysis, section 3.4; Datta & Satten (2001),
    Statistics & Probability Letters 55:403-411; Andersen & Keiding (2012), Statistics in Medicine 31:1074-1088.
    """
    asked = _read_times(times)
    check_confidence(confidence)
    spells = select(spells, where)
    grouping = None if by is None else Grouping.of(by, spells)
    name = grouping.name if grouping else None
    journeys = find_transitions(spells)
    parts = _parts(spells, journeys, grouping)
    found = [JourneyCurves.of(part, since, confidence, least=MIN_CUSTOMERS) for part, since in parts]
    curves = [each for each in found if each]
    table = share_rows(curves, asked, of=JourneyCurves.shares, by=name)
    return Occupancy(
        title="Where customers are in their journey" + (f", by {name}" if name else ""),
        table=table,
        reached=share_rows(curves, asked, of=JourneyCurves.reached, by=name),
        losses=share_rows(curves, asked, of=JourneyCurves.lost, by=name),
        mean_days=mean_rows(curves, last_day(table, asked), by=name),
        drawn=drawn_rows(curves, asked[-1], by=name),
        stages=spells.journey.stage_names,
        times=asked,
        confidence=confidence,
        by=name,
        n_left_out=journeys.n_left_out,
        lacking=None if curves else _why_empty(spells, journeys, grouping),
        period=spells.window,
    )


def _read_times(times: Iterable[str | timedelta]) -> tuple[float, ...]:
    listed = [times] if isinstance(times, str | timedelta) else list(times)
    if not listed:
        raise EstimateError("No time is given. Name one or more, such as times=[“30d”, “90d”].")
    return tuple(sorted({days(each) for each in listed}))


def _parts(spells: Spells, journeys: Transitions, grouping: Grouping | None) -> list[tuple[Transitions, np.ndarray]]:
    """The journeys of each group (sorted), and the day from which each customer of it is watched."""
    if grouping is None:
        return [(journeys, journeys.since)]
    watched(spells, grouping)  # refuses labels of strangers
    labels = grouping.labels.reindex(journeys.ids).to_numpy(dtype=object)
    since = journeys.since
    if grouping.known_at is not None:
        began = pd.to_datetime(journeys.began, unit="us", utc=True)
        known = pd.DatetimeIndex(grouping.known_at.reindex(journeys.ids))
        since = np.maximum(np.nan_to_num(((known - began) / pd.Timedelta(days=1)).to_numpy(dtype=float)), 0.0)
    parts = []
    for group in sorted({label for label in labels if not pd.isna(label)}):
        kept = labels == group
        parts.append((journeys.only(kept, group=group), since[kept]))
    return parts


def _why_empty(spells: Spells, journeys: Transitions, grouping: Grouping | None) -> str:
    if not journeys.n_left_out or len(journeys.ids) or (grouping and grouping.labels.empty):
        return why_nobody(spells, grouping)
    return (
        f"All journeys ({journeys.n_left_out:,}) began before the window, so it is not known how long they have lasted."
        " Let the window begin earlier, or ask for the time in each stage: estimate_survival(spells)."
    )
