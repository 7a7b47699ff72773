"""Funnel: of those who enter, how many reach each step in time, how soon, and what becomes of the others?"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.durations import round_up
from journeylab.base.errors import EstimateError
from journeylab.base.ordering import settled
from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.words import counted, in_days, listed, percent
from journeylab.events.steps import StepRules
from journeylab.findings.finding import StageFinding, share_in_words, tidy
from journeylab.findings.funnel.fates import ANOTHER_WAY
from journeylab.findings.funnel.goal import CONVERSION, DAYS_COLUMNS, ENTRY, OPTIONAL, Goal
from journeylab.findings.funnel.losses import check_losses


@dataclass(frozen=True)
class Funnel(StageFinding):
    """Attempts to get from a first step to the last, counted and estimated.

    An attempt is closed, and judged, when the whole conversion window after its entry was observed; the others are in
    progress.

    Attributes
    ----------
    table : DataFrame
        A row per (group and) step: `step` (its number), `label`, `kind` (“entry”, “step”, “optional”, “conversion”: the
        last step that is needed, or, unordered, a further row “all steps”). `entered` attempts, of which `n` are closed
        (of `customers`) and `in_progress` not; `reached` of the former and `in_progress_reached` so far of the latter
        reached the step. `estimate`, `lower`, `upper`: share of the `n` that reached it within the window; missing
        where the fastest of all attempts takes longer than the window, which `note` says.
        `of_previous`, with limits: share of those that reached the needed step before; missing unordered. `curve`, with
        limits: the share that reaches it within the window as estimated from all attempts, those in progress as long as
        they were watched; `at_risk`: those still on their way, and watched, at its end; `note`: why it is missing.
        `median_days`, `median_days_from_previous`: by when half of the `reached` were there, from entering and from the
        step before.
    losses : DataFrame
        What became of the closed attempts that did not convert: a row per (group,) step and way: they got as far as
        `after` (its number `step`; unordered, how many steps) and were `ended_by` an exclusion, “something else”
        (strict order) or “time passed”, in place of which stands where the customer was by then, if the spells were
        given; `attempts` of `n`, with share `estimate` and limits. Together with the converted they are all closed
        attempts; construction fails if not.
    left_out : DataFrame
        Attempts that are not in the base: `reason`, `attempts`, `customers`.
    rules : StepRules
    absent : tuple of str
        Names of events that the rules ask for and the log does not have.
    goals : tuple of Goal
        What the tables are read from.
    n_later : int
        Where nobody converts within the window: how many attempts do if they have all the time that was observed.
    """

    losses: pd.DataFrame
    left_out: pd.DataFrame
    rules: StepRules
    absent: tuple[str, ...]
    goals: tuple[Goal, ...] = field(repr=False)
    n_later: int = 0

    def __post_init__(self) -> None:
        check_losses(self.table, self.losses)

    def days_to_convert(self, shares: Iterable[float] = (0.25, 0.5, 0.75)) -> pd.DataFrame:
        """After how many days a quarter, half and three quarters (or other `shares`) have reached each later step.

        Parameters
        ----------
        shares : iterable of float
            Between 0 and 1.

        Returns
        -------
        DataFrame
            A row per (group,) step, `quantile` and whom it is `among`. “those who reached it”: closed attempts that
            did; this says how fast the fast ones were. “everyone who entered”: all attempts, those in progress as long
            as they were watched; this is when so many of all have come, and missing, with a `note`, where they never do
            within the window. `estimate`, `lower`, `upper` in days from entering; `n` attempts of `customers`.

        Raises
        ------
        EstimateError
            If a share is not between 0 and 1.

        Notes
        -----
        Limits are those of the curve, read the other way round (Brookmeyer & Crowley 1982).
        """
        shares = tuple(shares)
        if not shares or not all(0 < share < 1 for share in shares):
            raise EstimateError(
                f"The shares asked for are {', '.join(f'{share:g}' for share in shares) or 'none'}. "
                "Give shares above 0 and below 1, such as 0.5 for the median."
            )
        rows = (goal.quantile_rows(shares, confidence=self.confidence) for goal in self.goals if goal.kind != ENTRY)
        return tidy(chain.from_iterable(rows), DAYS_COLUMNS, by=self.by)

    def sentence(self) -> str:
        """What share converts, with interval and base; without groups, where most of the others end."""
        asked = f"{route(self.rules)} within {in_days(self.rules.window_days)}"
        converted = self.table[self.table["kind"] == CONVERSION]
        if late := self._too_early():
            main = [late]
        elif not converted["n"].any():
            main = [f"How many go {asked} cannot be told yet: no attempt has had its whole time."]
        elif self.by:
            shares = [f"{self.by} “{row['group']}” {self._share(row)}" for _, row in converted.iterrows()]
            main = [f"Share that goes {asked}: {'; '.join(shares)}."]
        else:
            row = converted.iloc[0]
            main = [f"{self._share(row)} went {asked}.", *self._where_most_end()]
        return " ".join([*main, *self._in_progress(converted), *self._remarks()])

    def by_stage(self) -> pd.DataFrame:
        """A lane `funnel` for the stages that steps of the funnel name, as those of `build_steps` do; with groups, a
        lane for each: the share that gets there, interval and base. Without such steps there is neither row nor lane.
        """
        stages = {at + 1: step.stage for at, step in enumerate(self.rules.steps) if step.stage}
        lanes = {}
        for suffix, rows in self._by_group(self.table) if stages else []:
            rows = rows[rows["step"].isin(stages) & (rows["kind"] != ENTRY) & (rows["n"] > 0)]
            cells = {
                stages[row["step"]]: row["note"] if pd.isna(row["estimate"]) else f"reached by {self._share(row)}"
                for _, row in rows.iterrows()
            }
            lanes[f"funnel{suffix}"] = cells
        return self._lanes(lanes)

    def plot(self, ax=None) -> Chart:
        """The share of closed attempts that reaches each step, with interval; beside it, without groups, what the curve
        says with those in progress. Where no attempt is closed, a note that says so."""
        rows = self.table[(self.table["n"] > 0) & self.table["estimate"].notna()]
        if rows.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        has_curve = not self.by and bool(((rows["curve"] - rows["estimate"]).abs() > 0).any())
        labels, texts = ([words(row) for _, row in rows.iterrows()] for words in (_name, _counts))
        steps = rows.assign(label=labels, text=texts)
        return charts.funnel(
            steps,
            by="group" if self.by else None,
            beside=("curve", "curve_lower", "curve_upper") if has_curve else None,
            beside_label="with those in progress, as long as they were watched",
            faint=steps.loc[steps["kind"] == OPTIONAL, "label"].unique().tolist(),
            x_label=f"reached within {in_days(self.rules.window_days)} of entering ({self.confidence:.0%} intervals)",
            title=self.title,
            alt=self._alt(rows),
            ax=ax,
        )

    def _tables(self) -> dict[str, pd.DataFrame]:
        window = in_days(self.rules.window_days)
        tables = {
            f"Share of closed attempts that reach each step within {window}.": self.table,
            "Where and how the others ended.": self.losses,
        }
        return tables | ({"Attempts not in the base.": self.left_out} if len(self.left_out) else {})

    def _too_early(self) -> str:
        """That even the fastest need more than the window, in sentences; empty where that is not so."""
        goal = next((goal for goal in self.goals if goal.kind == CONVERSION and goal.too_early), None)
        if goal is None:
            return ""
        entered = self.table["entered"].max()
        return (
            f"Nobody can go {route(self.rules)} within {in_days(self.rules.window_days)}: the fastest took "
            f"{in_days(round(goal.fastest, 1))}. {counted(self.n_later, 'attempt')} of {entered:,} got there later. "
            f"Give a longer window, such as {round_up(goal.fastest)}d."
        )

    def _share(self, row: pd.Series) -> str:
        if not row["n"]:
            return "not known yet (no attempt is closed)"
        base = counted(row["customers"], "customer")
        if self.rules.entry == "every":
            base = f"{counted(row['n'], 'attempt')} of {base}"
        return share_in_words(row, within=f" of {base}", level=self._level)

    def _where_most_end(self) -> list[str]:
        if self.losses.empty:
            return []
        ends = self.losses.groupby(["step", "after"], sort=False)["attempts"].sum()
        (step, after), most = ends.idxmax(), ends.max()
        rows = self.losses[self.losses["step"] == step].sort_values("attempts", ascending=False, kind="stable")
        ways = _ways(rows)
        if self.rules.by_any_way:
            return [f"The other {most:,}, when their time had passed: {listed(ways)}."]
        if len(self.rules.required) < len(self.rules.steps) and rows["ended_by"].eq("time passed").all():
            return [f"Of the others, most had “{after}” as the last needed step when their time had passed: {most:,}."]
        if rows["ended_by"].str.endswith(ANOTHER_WAY).any():
            return [f"Of the others, most went no further in this order than “{after}”: {most:,} ({listed(ways)})."]
        how = listed(ways) if len(ways) > 1 else rows["ended_by"].iloc[0]
        return [f"Most of the others got no further than “{after}”: {most:,} ({how})."]

    def _in_progress(self, converted: pd.DataFrame) -> list[str]:
        n_open = int(converted["in_progress"].sum())
        if not n_open:
            return []
        still = f"{counted(n_open, 'attempt')} {'is' if n_open == 1 else 'are'} still in progress"
        row = converted.iloc[0]
        if self.by or np.isnan(row["curve"]) or settled(row["curve"]) == settled(row["estimate"]):
            return [f"{still}."]
        limits = f"{percent(row['curve_lower'])} to {percent(row['curve_upper'])}"
        return [f"{still}; with these, as long as they were watched, the share is {percent(row['curve'])} ({limits})."]

    def _remarks(self) -> list[str]:
        left_out = self.left_out.to_dict("records")
        remarks = [f"{counted(row['attempts'], 'attempt')} left out: {row['reason']}." for row in left_out]
        if self.absent:
            remarks.append(f"The log has no event {quoted(self.absent)}.")
        return remarks

    def _alt(self, rows: pd.DataFrame) -> str:
        steps = []
        for _, row in rows.iterrows():
            reached = f"{share_in_words(row)}, {row['reached']:,} of {row['n']:,}"
            group = f"{row['group']}, " if self.by else ""
            steps.append(f"{group}{row['label']}: {f'{row.n:,} entered' if row['kind'] == ENTRY else reached}")
        return f"Share that reaches each step within {in_days(self.rules.window_days)}. {'; '.join(steps)}."


def route(rules: StepRules) -> str:
    """From where to where attempts lead, in words."""
    goal = f"“{rules.steps[rules.required[-1]].title}”"
    if rules.order == "unordered" and not rules.by_any_way:
        goal = f"all {len(rules.required)} steps"
    return f"from “{rules.steps[0].title}” to {goal}{' by any way' if rules.by_any_way else ''}"


def _ways(rows: pd.DataFrame) -> list[str]:
    """How many ended in which way, those of fewer than five together where there are others."""
    few = (rows["attempts"] < MIN_SHOWN) & (rows["attempts"].sum() >= MIN_SHOWN)
    ways = [f"{row['attempts']:,} {row['ended_by']}" for _, row in rows[~few].iterrows()]
    rest = rows.loc[few, "attempts"].sum()
    if rest:
        ways.append(f"{rest:,} otherwise" if rest >= MIN_SHOWN else f"fewer than {MIN_SHOWN} otherwise")
    return ways


def quoted(events: tuple[str, ...]) -> str:
    """Names of events, in words."""
    return listed([f"“{event}”" for event in events])


def _name(row: pd.Series) -> str:
    """What a step is called beside the axis."""
    return f"{row['step']}  {row['label']}" + (" (optional)" if row["kind"] == OPTIONAL else "")


def _counts(row: pd.Series) -> str:
    """What is written beside a bar."""
    progress = f"  +{row['in_progress']:,} in progress" if row["in_progress"] else ""
    if row["kind"] == ENTRY:
        return f"{row['n']:,}{progress}"
    return f"{percent(row['estimate'])}  {row['reached']:,} of {row['n']:,}"
