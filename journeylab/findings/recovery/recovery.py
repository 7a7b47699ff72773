"""Who comes back after being lost, and who was never away."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.ordering import largest, ordered, settled
from journeylab.base.suppression import MIN_SHOWN, without_few
from journeylab.base.words import counted, in_days, in_one_unit
from journeylab.events.queries.returns import ANY_BRANCH, ANY_STAGE
from journeylab.events.spells.exits import MOVES
from journeylab.findings.arguments import chosen_horizon, headline_horizon
from journeylab.findings.finding import LaneName, StageFinding, share_in_words
from journeylab.findings.recovery.activity import AT_ONCE, NEVER_AWAY


@dataclass(frozen=True)
class Recovery(StageFinding):
    """Who comes back after being lost, on the clock of days since the loss.

    A customer comes back when the journey's rules say so: by an event that opens a stage, and after silence by any
    event of theirs that is not a loss. Those not yet back when the window ended are censored, not given up.

    Attributes
    ----------
    table : DataFrame
        A row per (group,) stage lost from, branch lost `to` (“lost”: any branch) and `horizon_days`. `estimate`,
        `lower`, `upper`: the share of losses after which the customer was back at most so many days later. `crude`: the
        share back so far, which misses those who will still come. `n` losses of `customers`; `events`: back within the
        horizon; `at_risk`: losses watched, and not back, just before the horizon. `note`: why an estimate is missing,
        or what it is conditional on.
    overall : DataFrame
        The same from any stage, to any branch.
    waits : DataFrame
        A row per (group,) stage and branch, and for “any stage”: of those who come back within `horizon_days` (the
        longest horizon that can be estimated), the day by which half are back, with limits. `events`: how many were
        seen to come back by then; with fewer than five there is no estimate.
    horizons : tuple of float
        Days, ascending.
    branches : tuple of str
        All there are, in the journey's order.
    activity : DataFrame
        A row per (group,) stage and branch: of `n` losses of `customers`, watched for 7 days more, how many were
        followed by life within these days (`events`), and the share. Where a log was given, any event of the customer
        is a sign of life; else only what brings them back.
    """

    overall: pd.DataFrame
    waits: pd.DataFrame
    horizons: tuple[float, ...]
    branches: tuple[str, ...]
    activity: pd.DataFrame = field(repr=False)

    def ranking(self, horizon: str | timedelta) -> pd.DataFrame:
        """The rows of `table` by stage and branch at `horizon`, those first from where the largest share comes back."""
        chosen = chosen_horizon(horizon, self.horizons, what="Recovery")
        return ordered(self._by_branch(chosen), "estimate").reset_index(drop=True)

    def sentence(self) -> str:
        """What share comes back, how soon half of them are, and from where the largest share and most visits do."""
        day = self._headline()
        known = self.overall[(self.overall["horizon_days"] == day) & self.overall["estimate"].notna()]
        if known.empty:
            return f"How many come back cannot be estimated yet: {self.overall['note'].iloc[0]}."
        return " ".join(
            [
                *(self._whole(row) for _, row in known.iterrows()),
                *self._best_of(self._by_branch(day)),
                *self._never_away(),
            ]
        )

    def win_back_in_words(self) -> str:
        """From where to win customers back: where they come back after they were away. Where nobody does, and where
        those lost went on as before, it says so, and advises nothing."""
        if self.lacking:
            return self.lacking
        day = self._headline()
        rows = self._by_branch(day)
        keys = ["group", "stage", "to"] if self.by else ["stage", "to"]
        here = self._not_away()[keys].apply(tuple, axis=1)
        within = f"within {in_days(day)} of being lost"
        nothing = f"Nobody is known to come back {within} after being away, so there is no place to win back first."
        best = self._best_of(rows[~rows[keys].apply(tuple, axis=1).isin(here)])
        return " ".join([*(best or [nothing]), *self._never_away()])

    def by_stage(self) -> pd.DataFrame:
        """A lane `back after loss` in words: share, interval, base; with groups, a lane for each."""
        day = self._headline()
        rows = self.table[(self.table["to"] == ANY_BRANCH) & (self.table["horizon_days"] == day)]
        lanes = {
            LaneName.BACK_AFTER_LOSS + suffix: {
                row["stage"]: f"{self._share(row)} within {in_days(day)}"
                for _, row in shares[shares["estimate"].notna()].iterrows()
            }
            for suffix, _, shares in self._by_group(self.overall, rows)
        }
        return self._lanes(lanes)

    def plot(self, ax=None, *, horizon: str | timedelta | None = None) -> Chart:
        """The share back within `horizon` by stage and branch, with intervals; with groups, by stage and group.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        horizon : str or timedelta, optional
            One of `horizons`; by default that of the sentence.
        """
        day = self._headline() if horizon is None else chosen_horizon(horizon, self.horizons, what="Recovery")
        rows = self.table[(self.table["horizon_days"] == day) & self.table["estimate"].notna()]
        rows = rows[(rows["to"] == ANY_BRANCH) == bool(self.by)]
        if rows.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        beside = "group" if self.by else "to"
        top = ordered(rows, "estimate").head(5)
        values = [f"{row['stage']}, {row[beside]}: {self._share(row)}" for _, row in top.iterrows()]
        return charts.intervals(
            rows,
            label="stage",
            by=beside,
            percent=True,
            x_label=f"back within {in_days(day)} of being lost ({self.confidence:.0%} intervals)",
            title=f"Who comes back after a loss, by {self.by or 'branch'}",
            alt=f"Share back within {in_days(day)} of being lost, highest first. {'; '.join(values)}.",
            colour_order=() if self.by else (*MOVES, *self.branches),
            ax=ax,
        )

    def for_export(self) -> "Recovery":
        """The same, safe to pass on: counts of fewer than five customers are missing, and all numbers of so few.

        Estimates stay: they are of five customers or more, with their interval.
        """
        waits = self.waits.assign(events=self.waits["events"].where(~self.waits["events"].between(1, MIN_SHOWN - 1)))
        shown = {name: without_few(getattr(self, name)) for name in ("table", "overall", "activity")}
        return replace(self, waits=waits, **shown)

    def _tables(self) -> dict[str, pd.DataFrame]:
        exported = self.for_export()
        level = f"Share of losses after which the customer is back within the horizon, {self.confidence:.0%} intervals."
        waits = "Of those who come back within the horizon: days until half of them are back."
        return {level: exported.table, waits: exported.waits}

    def _headline(self) -> float:
        return headline_horizon(self.overall, self.horizons)

    def _whole(self, row: pd.Series) -> str:
        given = f", {row['note']}" if row["note"] else ""
        share = (
            f"Of customers{self._with_group(row)} who are lost, {share_in_words(row, level=self._level)} are back "
            f"within {in_days(row['horizon_days'])}{given} ({counted(row['n'], 'lost visit')})"
        )
        waits = self.waits[(self.waits["stage"] == ANY_STAGE) & (self.waits["horizon_days"] == row["horizon_days"])]
        waits = self._of_group(waits, row)
        if waits.empty or waits["estimate"].isna().all():
            return f"{share}."
        wait = waits.iloc[0]
        (half, lower, upper), unit = in_one_unit([wait["estimate"], wait["lower"], wait["upper"]])
        by_then = f"by day {half}" if unit == "days" else f"within {half} {unit}"
        return f"{share}, half of those {by_then} ({lower} to {upper})."

    def _by_branch(self, day: float) -> pd.DataFrame:
        """The rows of `table` by stage and branch at the horizon `day`."""
        return self.table[(self.table["horizon_days"] == day) & (self.table["to"] != ANY_BRANCH)]

    def _not_away(self) -> pd.DataFrame:
        """The rows of `activity` where surely more than half of the lost go on as before."""
        is_most = settled(self.activity["lower"]) > NEVER_AWAY
        return ordered(self.activity[(self.activity["events"] >= MIN_SHOWN) & is_most], "n")

    def _never_away(self) -> list[str]:
        """Whom a loss did not take away, in sentences; the largest first, two at most."""
        return [
            f"After {row['events']:,} of {row['n']:,} losses to {self._exit(row)} the customer did something within "
            f"{in_days(AT_ONCE)}: they were not away, and nobody has to win them back."
            for _, row in self._not_away().head(2).iterrows()
        ]

    def _best_of(self, rows: pd.DataFrame) -> list[str]:
        rows = rows[rows["estimate"] > 0]
        if rows.empty:
            return []
        best, most = rows.iloc[largest(rows["estimate"])], rows.iloc[largest(rows["estimate"] * rows["n"])]
        largest_share = f"The largest share comes back from {self._exit(best)}: {self._share(best)}"
        number = f"about {most['estimate'] * most['n']:,.0f} of {most['n']:,.0f}"
        if best.name == most.name:
            return [f"{largest_share}. Most visits come back from there, too: {number}."]
        return [f"{largest_share}; most visits come back from {self._exit(most)}: {number}."]

    def _exit(self, row: pd.Series) -> str:
        group = f" among customers{self._with_group(row)}" if self.by else ""
        return f"“{row['to']}” in “{row['stage']}”{group}"

    def _share(self, row: pd.Series) -> str:
        base = counted(row["n"], "lost visit") + (f", {row['note']}" if row["note"] else "")
        return share_in_words(row, base=base)
