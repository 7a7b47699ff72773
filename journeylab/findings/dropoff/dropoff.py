"""The drop-off of a journey, and all that can be asked of it."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal

import pandas as pd

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.base.errors import EstimateError
from journeylab.base.ordering import ordered
from journeylab.base.suppression import MIN_SHOWN, suppressed, without_few
from journeylab.base.words import counted, in_days, percent
from journeylab.events.spells.exits import MOVES, check_ledger, ledger_parts
from journeylab.findings.arguments import chosen_horizon
from journeylab.findings.dropoff import figures, sentences, tables
from journeylab.findings.dropoff.differences import COLUMNS as DIFFERENCES
from journeylab.findings.dropoff.differences import find_differences
from journeylab.findings.dropoff.loss_points import N_RESAMPLES, JointEstimate, find_places
from journeylab.findings.exit_curves import StageExits
from journeylab.findings.finding import Finding, tidy

Branches = Literal["each", "together"]
Measure = Literal["customers", "value"]


@dataclass(frozen=True)
class DropOff(Finding):
    """Who entered each stage and what became of them, counted (`ledger`) and estimated under censoring (`table`).

    ledger: a row per (group and) stage, in the journey's order: counts of the visits watched. `entered` = `advanced` +
        `regressed` + `completed` + a column per loss branch + `ongoing`; construction fails if not. `already_inside`:
        how many of `entered` had begun before they were watched, before the window's start or before the group's label
        was known. They count in `entered`, since what became of them is counted too.
    table: a row per (group,) stage, way out `to` and `horizon_days`. `kind` is the outcome. `estimate`, `lower`,
        `upper`: share of visits that ended this way at most so many days after entering (elapsed time, inclusive).
        `crude`: the share of visits ended so far that way, after however long; it misses whatever is still to come. `n`
        visits of `customers`; `events` of this kind within the horizon; `at_risk`: visits still watched and inside just
        before the horizon. `note` says why an estimate is missing, or what it is conditional on; then `n`, `customers`
        and `events` are of the visits still inside on that day.
    losses: as `table`, for being lost by whichever branch (`to` is “lost”).
    horizons: days, ascending. confidence: the level of all intervals. by: what the groups are, or None. stages: in the
        journey's order. branches: those that give no reason, see `unexplained`. value: what visits are worth, or None.
        cells: the visits of each stage and group, from which all is estimated. people: the ledger in customers.
        is_for_export: whether small counts are left out, see `for_export`.
    """

    ledger: pd.DataFrame
    losses: pd.DataFrame
    horizons: tuple[float, ...]
    confidence: float
    by: str | None
    stages: tuple[str, ...]
    unexplained_branches: tuple[str, ...] = ()
    value: str | None = None
    cells: tuple[StageExits, ...] = field(default=(), repr=False)
    people: pd.DataFrame | None = field(default=None, repr=False)
    is_for_export: bool = False

    def __post_init__(self) -> None:
        check_ledger(self.ledger)

    def vulnerability(
        self, horizon: str | timedelta, *, branches: Branches = "each", measure: Measure = "customers"
    ) -> pd.DataFrame:
        """Stages and branches, those first that lose most within `horizon` (one of those estimated).

        `branches`: “each”, or “together” for a row per stage (`branch` is then “lost”). `measure`: “customers”, or
        “value” where `estimate_dropoff` was given one.

        Columns: `rank`, (`group`,) `stage`, `branch`, `horizon_days`; `estimate`, `lower`, `upper`: how much is lost,
        which is the `share` lost (`share_lower` to `share_upper`) times the `total` that entered, taken as it is: all
        `customers`, or what they are worth, each the mean of their visits to the stage. The share is then one of value:
        visits weigh what they are worth, so it tells whether those who are worth more are lost more. `n` visits;
        `events`: seen to be lost so; `note`. What could not be estimated comes last, without rank.
        """
        return self._handed_on(self._ranked(self._horizon(horizon), branches, measure)[0].reset_index(drop=True))

    def rank_stability(
        self, horizon: str | timedelta, *, seed: int, branches: Branches = "each", measure: Measure = "customers"
    ) -> pd.DataFrame:
        """As `vulnerability`, and whether the order would hold for other such customers.

        Further columns: `first`, `top_3`: the share of 2,000 resamples of customers in which the place comes first, or
        among the first three; `rank_lower` to `rank_upper`: between what ranks it lies in the share `confidence` of
        them. Resampled are whole customers, with all their visits, by normal weights on their influence (multiplier
        bootstrap; on the log scale): all ranks of one resample come from the same crowd. `seed`: any whole number.
        """
        table, joint = self._ranked(self._horizon(horizon), branches, measure)
        return self._handed_on(tables.with_stability(table, joint.ranks(seed=seed), self.confidence))

    def differences(self, horizon: str | timedelta) -> pd.DataFrame:
        """By how much each group is lost more, within `horizon`, than all other groups together.

        A row per stage, group and way of being lost (`to`: “lost” for any, and each branch): `estimate`, `lower`,
        `upper`: `share` of the group less `share_reference` of the `reference`, which is “all others”, or, of two
        groups, the first. Both are watched from the day on from which each has enough at risk (`note`). `p_value`: the
        level at which the interval just reaches 0; `p_adjusted`: by Holm over all rows, one family. `n` visits of
        `customers`, `n_reference` of `customers_reference`. Customers, not visits, count as independent (clustered
        jackknife; Zou & Donner 2008, Statistics in Medicine 27:1693-1702). Empty without groups.
        """
        order = (*MOVES, *(way for way in ledger_parts(self.ledger) if way not in (*MOVES, "ongoing")))
        cells = self.cells if self.by else ()
        rows = find_differences(cells, self._horizon(horizon), order=order, confidence=self.confidence)
        return tidy(rows, DIFFERENCES, by="group")

    def unexplained(self, horizon: str | timedelta) -> pd.DataFrame:
        """What to find out next: the losses that nobody can explain, those of most customers first.

        As `vulnerability`, of `unexplained_branches` alone: silence; branches named for having no reason, such as
        “other”; and those that take what no branch with a condition takes of the same event. `of_losses`, with limits:
        their share of all losses from that stage (and group) within the horizon.
        """
        table, joint = self._ranked(self._horizon(horizon))
        named = self.unexplained_branches
        return self._handed_on(tables.unexplained(table, joint, named, by=self.by, confidence=self.confidence))

    def against_naive(self, horizon: str | timedelta) -> pd.DataFrame:
        """What a funnel chart would show, beside what is lost within `horizon`.

        A row per (group and) stage: of those who `entered`, how many `moved_on` (advanced or completed), and `naive`,
        the share that did not, as funnel charts call drop-off. It takes for lost who went back and who is `ongoing`,
        and stages that customers reached lately look worse than they are. `crude`: the share lost so far, which errs
        the other way. `estimate`, `lower`, `upper`, of `n` visits of `customers`, `note`: as in `losses`.
        """
        losses = self.losses[self.losses["horizon_days"] == self._horizon(horizon)]
        return tables.against_naive(self.ledger, losses, by=self.by)

    def sentence(self, horizon: str | timedelta | None = None) -> str:
        """The stage and branch that lose most customers (and most value, where given) within `horizon`; without one, at
        the longest horizon at which most can be estimated."""
        if self.lacking:
            return self.lacking
        within = self._headline() if horizon is None else self._horizon(horizon)
        told = sentences.most_lost(self._ranked(within)[0], by=self.by, confidence=self.confidence)
        if self.value is None:
            return told
        table = self._ranked(within, measure="value")[0]
        return f"{told} {sentences.most_value(table, by=self.by, value=self.value)}".strip()

    def stability_in_words(
        self, horizon: str | timedelta, *, seed: int, branches: Branches = "each", measure: Measure = "customers"
    ) -> str:
        """Whether it is settled which place comes first; see `rank_stability`."""
        table = self.rank_stability(horizon, seed=seed, branches=branches, measure=measure)
        return self.lacking or sentences.stability(table, by=self.by, n_resamples=N_RESAMPLES)

    def differences_in_words(self, horizon: str | timedelta) -> str:
        """How many differences between groups there are, and the largest; see `differences`."""
        return self._told_apart(self.differences(horizon))

    def unexplained_in_words(self, horizon: str | timedelta) -> str:
        """How much is lost without a reason, and where to ask first; see `unexplained`."""
        if self.lacking:
            return self.lacking
        table, joint = self._ranked(self._horizon(horizon))
        overall = tables.overall_unexplained(table, joint, self.unexplained_branches, self.confidence)
        branches = [branch for branch in self.unexplained_branches if (table["branch"] == branch).any()]
        return sentences.unexplained(
            self.unexplained(horizon), overall, branches, by=self.by, confidence=self.confidence
        )

    def naive_in_words(self, horizon: str | timedelta) -> str:
        """Where a plain count would look, and where the estimate says to look; see `against_naive`."""
        return self.lacking or sentences.naive(self.against_naive(horizon), by=self.by)

    def by_stage(self) -> pd.DataFrame:
        """Lanes `lost` (share lost, interval, base) and `main branch`, in words; with groups, a pair of lanes for each.

        A stage where nothing can be estimated, or nobody lost, has None.
        """
        horizon = self._headline()
        lanes = {}
        for group, losses, table in self._by_group():
            suffix = f" ({group})" if self.by else ""
            lost = losses[(losses["horizon_days"] == horizon) & losses["estimate"].notna()]
            branches = table[(table["kind"] == "lost") & (table["horizon_days"] == horizon) & (table["estimate"] > 0)]
            main = ordered(branches, "estimate").drop_duplicates("stage")
            lanes[f"lost{suffix}"] = {row["stage"]: _lane(row) for _, row in lost.iterrows()}
            lanes[f"main branch{suffix}"] = {
                row["stage"]: f"{row['to']} ({percent(row['estimate'])})" for _, row in main.iterrows()
            }
        filled = {lane: [cells.get(stage) for stage in self.stages] for lane, cells in lanes.items()}
        return pd.DataFrame(filled, index=pd.Index(self.stages, name="stage"), dtype=object)

    def plot(self, ax=None, *, horizon: str | timedelta | None = None) -> Chart:
        """Share lost within `horizon` by stage and branch, with intervals; with groups, by stage and group, all
        branches together; of more than six groups, as tiles. Without a horizon, that of the sentence. Where no share
        can be estimated, the ledger.
        """
        chosen = self._headline() if horizon is None else self._horizon(horizon)
        rows = self._labelled(self.losses) if self.by else self.table[self.table["kind"] == "lost"]
        rows = rows[rows["horizon_days"] == chosen]
        if rows["estimate"].isna().all():
            return self.plot_ledger(ax)
        order = () if self.by else ledger_parts(self.ledger)
        return figures.shares_lost(rows, chosen, by=self.by, confidence=self.confidence, order=order, ax=ax)

    def plot_ledger(self, ax=None) -> Chart:
        """What became of the visits of each stage so far, as counted in the ledger."""
        if self.lacking:
            return charts.note(self.lacking, title=self.title, ax=ax)
        return figures.ledger(self._labelled(self.ledger[self.ledger["entered"] != 0]), self.ledger, ax=ax)

    def plot_vulnerability(
        self,
        horizon: str | timedelta,
        *,
        seed: int,
        branches: Branches = "each",
        measure: Measure = "customers",
        ax=None,
    ) -> Chart:
        """How much is lost at the worst places, with intervals, and how often each comes first in resamples."""
        table = self.rank_stability(horizon, seed=seed, branches=branches, measure=measure)
        if not (table["estimate"] > 0).any():
            return charts.note(self.sentence(), title="The most vulnerable places", ax=ax)
        told = [
            f"{row['rank']}. {sentences.place_of(row, self.by).removeprefix('in ')}: {row['estimate']:,.0f} "
            f"({row['lower']:,.0f} to {row['upper']:,.0f}), first in {sentences.often(row['first'])} of resamples"
            for _, row in table[table["estimate"] > 0].head(5).iterrows()
        ]
        what = "customers" if measure == "customers" else str(self.value)
        alt = f"How many {what} are lost, most first. {'; '.join(told)}."
        return figures.places(table, by=self.by, what=what, confidence=self.confidence, alt=alt, ax=ax)

    def plot_against_naive(self, horizon: str | timedelta, ax=None) -> Chart:
        """The naive share, the share lost so far, and the estimate, stage by stage."""
        table = self.against_naive(horizon)
        table = self._labelled(table[table["naive"].notna() & table["estimate"].notna()])
        if table.empty:
            return charts.note(self.naive_in_words(horizon), title="Naive counts, and the share that is lost", ax=ax)
        alt = self.naive_in_words(horizon)
        return figures.against_naive(table, by=self.by, confidence=self.confidence, alt=alt, ax=ax)

    def plot_differences(self, horizon: str | timedelta, ax=None) -> Chart:
        """The differences between groups that are told apart best, with intervals."""
        table = self.differences(horizon)
        alt = self._told_apart(table)
        if not table["p_value"].notna().any():
            return charts.note(
                alt, title=f"Who is lost more than the others{f', by {self.by}' if self.by else ''}", ax=ax
            )
        return figures.differences(table, by=str(self.by), confidence=self.confidence, alt=alt, ax=ax)

    def for_export(self) -> "DropOff":
        """The same, fit to be handed on: counts of fewer than five customers are missing.

        In the ledger these are cells, and with a single one in a row another that would tell it, or the whole row where
        so few entered; in `table` and `losses` the counts `events` and the share `crude` of so few, and all numbers of
        a group of so few. Estimates stay: they are of a group of five or more, with their interval. Rankings, which say
        how many are lost, leave out the numbers of places where so few were.
        """
        if self.people is None:
            return self
        parts = ledger_parts(self.ledger)
        ledger = suppressed(self.ledger, self.people, total="entered", parts=parts)
        shares = {name: without_few(getattr(self, name)) for name in ("table", "losses")}
        return replace(self, ledger=ledger, is_for_export=True, **shares)

    def _repr_html_(self) -> str:
        shown = self.for_export()
        note = (
            "Visits counted so far. entered = advanced + regressed + completed + lost by each branch + ongoing. –: "
            f"fewer than {MIN_SHOWN} customers, or what would tell so."
        )
        level = f"Share of visits that end so within the horizon, {self.confidence:.0%} intervals; crude: ended so far."
        return self._card(
            html.paragraph(self.sentence()),
            html.table(shown.ledger, caption=note),
            html.table(shown.table, caption=level),
        )

    def _handed_on(self, table: pd.DataFrame) -> pd.DataFrame:
        return tables.without_few_lost(table) if self.is_for_export else table

    def _told_apart(self, differences: pd.DataFrame) -> str:
        if self.lacking or not self.by:
            return self.lacking or "There are no groups to compare: ask for drop-off with `by`."
        return sentences.difference(differences, by=self.by, confidence=self.confidence)

    def _labelled(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`rows` with a column `label`: the stage, and the group if any, the groups of a stage one after the other."""
        if not self.by:
            return rows.assign(label=rows["stage"])
        ordered = rows.sort_values("stage", key=lambda stage: stage.map(self.stages.index), kind="stable")
        return ordered.assign(label=ordered["stage"] + " · " + ordered["group"])

    def _ranked(
        self, day: float, branches: Branches = "each", measure: Measure = "customers"
    ) -> tuple[pd.DataFrame, JointEstimate]:
        """The ranking, and the joint estimates that its index points at."""
        for name, given, known in (
            ("branches", branches, ("each", "together")),
            ("measure", measure, ("customers", "value")),
        ):
            if given not in known:
                raise EstimateError(f"`{name}` is “{given}”. Use “{known[0]}” or “{known[1]}”.")
        if measure == "value" and self.value is None:
            raise EstimateError("No values were given. Estimate drop-off with `value`, what customers are worth.")
        places = find_places(self.cells, day, together=branches == "together", by_value=measure == "value")
        return tables.ranked(places, day, by=self.by), JointEstimate(places)

    def _horizon(self, horizon: str | timedelta) -> float:
        return chosen_horizon(horizon, self.horizons, what="Drop-off")

    def _headline(self) -> float:
        """The longest of the horizons at which most shares lost are estimable."""
        known = self.table[self.table["kind"] == "lost"].groupby("horizon_days")["estimate"].count()
        return max(self.horizons, key=lambda each: (known.get(each, 0), each))

    def _by_group(self):
        """Yield (group, its losses, its table); without groups there is one, named None."""
        for group in self.ledger["group"].drop_duplicates() if self.by else [None]:
            yield group, *(part[part["group"] == group] if self.by else part for part in (self.losses, self.table))


def _lane(row: pd.Series) -> str:
    interval = f"{percent(row['lower'])} to {percent(row['upper'])}"
    base = counted(int(row["n"]), "visit") + (f", {row['note']}" if row["note"] else "")
    return f"{percent(row['estimate'])} within {in_days(row['horizon_days'])} ({interval}; {base})"
