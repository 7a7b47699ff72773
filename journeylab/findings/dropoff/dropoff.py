"""The drop-off of a journey, and all that can be asked of it."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal

import pandas as pd

from journeylab.base import charts
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
from journeylab.findings.dropoff.loss_points import JointEstimate, find_loss_points
from journeylab.findings.dropoff.steadiness import Steadiness
from journeylab.findings.dropoff.units import NOUNS, CustomersLost, Unit
from journeylab.findings.exit_curves import StageExits
from journeylab.findings.finding import LaneName, StageFinding, share_in_words, tidy

Branches = Literal["each", "together"]
Measure = Literal["visits", "value"]


@dataclass(frozen=True)
class DropOff(StageFinding):
    """Who entered each stage and what became of them, counted (`ledger`) and estimated under censoring (`table`).

    Attributes
    ----------
    ledger : DataFrame
        A row per (group and) stage, in the journey's order: counts of the visits watched. `entered` = `advanced` +
        `regressed` + `completed` + a column per loss branch + `ongoing`; construction fails if not. `already_inside`:
        how many of `entered` had begun before they were watched, before the window's start or before the group's label
        was known. They count in `entered`, since what became of them is counted too.
    table : DataFrame
        A row per (group,) stage, exit `to` and `horizon_days`. `kind` is the outcome. `estimate`, `lower`, `upper`: the
        share of visits that ended this way at most so many days after entering (elapsed time, inclusive); between
        `at_least` and `at_most` it lies for certain where some visits are unresolved at the horizon. `crude`: the
        share of visits ended so far that way, after however long; it misses what is still to come. `n` visits of
        `customers`; `events` of this kind within the horizon; `at_risk`: visits still watched and inside just before
        the horizon. `note` says why an estimate is missing, or what it is conditional on; then `n`, `customers` and
        `events` are of the visits still inside on that day.
    losses : DataFrame
        As `table`, for being lost by any branch (`to` is “lost”).
    horizons : tuple of float
        Days, ascending.
    unexplained_branches : tuple of str
        Those that give no reason, see `unexplained`.
    only_named : tuple of str
        Branches whose name is the only reason there is: no column and no event of the log gives it.
    by_company : tuple of str
        Branches that journey.yml says the company decides (`by: company`). They are in ledger and table; rankings leave
        them out, for they are the company's own rules.
    value : str or None
        What visits are worth.
    unit : {"visits", "first_visits", "customers"}
        What `n` and the shares of `table` and `losses` count. The ledger counts visits.
    cells, any_loss : tuple of StageExits
        What was watched of each stage and group, from which all is estimated; and the same for any loss.
    customers_lost : CustomersLost
        What customers are lost where.
    places : DataFrame
        The rows of `table` for losses that are ranked, with how many are lost.
    steadiness : Steadiness
        The same with shorter and longer silence windows, where a log was given.
    people : DataFrame
        The ledger in customers.
    is_for_export : bool
        Whether small counts are left out, see `for_export`.
    completing : set of str
        The stages that complete the journey: who is there is at the goal.
    """

    ledger: pd.DataFrame
    losses: pd.DataFrame
    horizons: tuple[float, ...]
    unexplained_branches: tuple[str, ...] = ()
    only_named: tuple[str, ...] = ()
    by_company: tuple[str, ...] = ()
    value: str | None = None
    unit: Unit = "visits"
    cells: tuple[StageExits, ...] = field(default=(), repr=False)
    any_loss: tuple[StageExits, ...] = field(default=(), repr=False)
    customers_lost: CustomersLost | None = field(default=None, repr=False)
    places: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    steadiness: Steadiness | None = field(default=None, repr=False)
    people: pd.DataFrame | None = field(default=None, repr=False)
    is_for_export: bool = False
    completing: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        check_ledger(self.ledger)

    def vulnerability(
        self, horizon: str | timedelta, *, branches: Branches = "each", measure: Measure = "visits"
    ) -> pd.DataFrame:
        """Stages and branches, those first that lose most within `horizon`; without what the company decides.

        Parameters
        ----------
        horizon : str or timedelta
            One of `horizons`.
        branches : {"each", "together"}
            With “together” there is one row per stage, and `branch` is “lost”.
        measure : {"visits", "value"}
            What is lost; “value” where `estimate_dropoff` was given one.

        Returns
        -------
        DataFrame
            Columns `rank`, (`group`,) `stage`, `branch`, `horizon_days`; `estimate`, `lower`, `upper`: how much is
            lost, which is the `share` lost (`share_lower` to `share_upper`) times the `total` that entered: all visits,
            or what they are worth (a customer who comes twice and is lost twice counts twice). The share is then one of
            value: visits weigh what they are worth, so it shows whether those who are worth more are lost more. What is
            lost is never less than was seen to be. `at_least`, `at_most`: between these lies what is lost where some
            visits are unresolved; a place without an estimate stands where `at_least` puts it, without rank if that is
            0. `customers_lost`: how many different customers are lost there within `horizon` of first entering, never
            fewer than were seen to be. `n` visits of `customers`; `events`: seen to be lost this way, `customers_seen`:
            by how many customers; `note`.

        Raises
        ------
        EstimateError
            A horizon that was not estimated; other `branches` or `measure`; “value” without values.
        """
        return self._exportable(self._ranked(self._horizon(horizon), branches, measure)[0].reset_index(drop=True))

    def rank_stability(
        self, horizon: str | timedelta, *, seed: int, branches: Branches = "each", measure: Measure = "visits"
    ) -> pd.DataFrame:
        """As `vulnerability`, and whether the order would hold for other such customers.

        Parameters
        ----------
        horizon, branches, measure
            As in `vulnerability`.
        seed : int
            Any whole number.

        Returns
        -------
        DataFrame
            Further columns: `first`, `top_3`: the share of 2,000 resamples of customers in which the row comes first,
            or among the first three; `rank_lower` to `rank_upper`: the ranks that it can have when all places are
            compared at once: with probability `confidence` those of all rows hold together.

        Notes
        -----
        Whole customers are resampled, with all their visits, by normal weights on their influence (multiplier
        bootstrap; on the log scale): all ranks of one resample come from the same customers. The ranks that a place can
        have follow from simultaneous intervals of all differences.

        References
        ----------
        Mogstad, Romano, Shaikh & Wilhelm (2024), Review of Economic Studies 91:476-518.
        """
        table, joint = self._ranked(self._horizon(horizon), branches, measure)
        return self._exportable(tables.with_stability(table, joint, self.confidence, seed=seed))

    def differences(self, horizon: str | timedelta) -> pd.DataFrame:
        """By how much each group is lost more, within `horizon`, than all other groups together.

        Returns
        -------
        DataFrame
            A row per stage, group and way of being lost (`to`: “lost” for any, and each branch); empty without groups.
            `estimate`, `lower`, `upper`: `share` of the group less `share_reference` of the `reference`, which is “all
            others”, or, of two groups, the first. Both are watched from the day on from which each has enough at risk
            (`note`). `p_value`: the level at which the interval just reaches 0; missing where a side has fewer than 20
            customers. `p_adjusted`: gate-kept, any loss of a group in a stage first, then its branches. `n` visits of
            `customers`, `n_reference` of `customers_reference`.

        Raises
        ------
        EstimateError
            A horizon that was not estimated; the unit “customers”.

        Notes
        -----
        Customers, not visits, count as independent (clustered jackknife).

        References
        ----------
        Zou & Donner (2008), Statistics in Medicine 27:1693-1702.
        """
        if self.unit == "customers":
            raise EstimateError("Differences are between shares of visits. Estimate drop-off with unit=“visits”.")
        order = (*MOVES, *(way for way in ledger_parts(self.ledger) if way not in (*MOVES, "ongoing")))
        cells = self.cells if self.by else ()
        rows = find_differences(cells, self._horizon(horizon), order=order, confidence=self.confidence)
        return tidy(rows, DIFFERENCES, by="group")

    def unexplained(self, horizon: str | timedelta) -> pd.DataFrame:
        """What to find out next: the losses without a stated reason, those of most visits first.

        Returns
        -------
        DataFrame
            As `vulnerability`, of `unexplained_branches` alone: silence; branches named for having no reason, such as
            “other”, or for the outcome alone, such as “declined”; and those that take what no branch with a condition
            takes of the same event. `of_losses`, with limits: their share of all losses from that stage (and group)
            within the horizon.
        """
        table, joint = self._ranked(self._horizon(horizon))
        branches = self.unexplained_branches
        return self._exportable(tables.unexplained(table, joint, branches, by=self.by, confidence=self.confidence))

    def against_naive(self, horizon: str | timedelta) -> pd.DataFrame:
        """What a funnel chart would show, beside what is lost within `horizon`.

        Returns
        -------
        DataFrame
            A row per (group and) stage: of those who `entered`, how many `moved_on` (advanced or completed), and
            `naive`, the share that did not, as funnel charts call drop-off. It counts as lost who went back and who is
            `ongoing`, and stages that customers reached lately look worse than they are. `crude`: the share lost so
            far, which errs the other way. `estimate`, `lower`, `upper`, of `n` visits of `customers`, `note`: as in
            `losses`.
        """
        losses = self.losses[self.losses["horizon_days"] == self._horizon(horizon)]
        return tables.against_naive(self.ledger, losses, by=self.by)

    def sentence(self, horizon: str | timedelta | None = None) -> str:
        """The stage and branch that lose most (and most value, where given) within `horizon`.

        Parameters
        ----------
        horizon : str or timedelta, optional
            One of `horizons`. By default the longest at which every place has an estimate, or those without cannot be
            first; if there is none, the longest at which most have one.

        Where another exit comes first at another horizon, the sentence says so; and, where the log was given, whether
        one does with every silence window half or twice as long.
        """
        day = self._headline() if horizon is None else self._horizon(horizon)
        noun = NOUNS[self.unit]
        parts = [sentences.most_lost(self._ranked(day)[0], by=self.by, confidence=self.confidence, noun=noun)]
        parts.append(sentences.decided_by_company(self._by_company(day), by=self.by, noun=noun))
        parts.append(sentences.first_places(tables.first_places(self.places, self.horizons), by=self.by))
        if self.steadiness is not None:
            parts.append(self.steadiness.sentence(day, by=self.by, noun=noun))
        if self.value is not None:
            table = self._ranked(day, measure="value")[0]
            parts.append(sentences.most_value(table, by=self.by, value=self.value))
        return " ".join(part for part in parts if part)

    def stability_in_words(
        self, horizon: str | timedelta, *, seed: int, branches: Branches = "each", measure: Measure = "visits"
    ) -> str:
        """Whether it can be told where most are lost, all places compared at once (see `rank_stability`), and whether
        that is so at the other horizons and, where the log was given, with other silence windows."""
        table = self.rank_stability(horizon, seed=seed, branches=branches, measure=measure)
        if self.lacking:
            return self.lacking
        parts = [sentences.stability(table, by=self.by)]
        if self.steadiness is not None and branches == "each" and measure == "visits" and len(table) > 1:
            parts.append(self.steadiness.doubts(self._horizon(horizon), self.horizons, by=self.by))
        return " ".join(part for part in parts if part)

    def differences_in_words(self, horizon: str | timedelta) -> str:
        """How many differences between groups there are, and the largest; see `differences`."""
        return self._difference(self.differences(horizon))

    def unexplained_in_words(self, horizon: str | timedelta) -> str:
        """How much is lost without a reason, and where to ask first; see `unexplained`."""
        if self.lacking:
            return self.lacking
        table, joint = self._ranked(self._horizon(horizon))
        branches = [branch for branch in self.unexplained_branches if (table["branch"] == branch).any()]
        if not branches:
            return sentences.all_explained([name for name in self.only_named if (table["branch"] == name).any()])
        overall = tables.overall_unexplained(table, joint, branches, self.confidence)
        rows = self.unexplained(horizon)
        noun = NOUNS[self.unit]
        return sentences.unexplained(rows, overall, branches, by=self.by, confidence=self.confidence, noun=noun)

    def naive_in_words(self, horizon: str | timedelta) -> str:
        """Where a plain count would look, and where the estimate says to look; see `against_naive`."""
        return self.lacking or sentences.naive(self.against_naive(horizon), by=self.by)

    def counting_misleads(self, horizon: str | timedelta) -> bool:
        """Whether a plain count names another stage than the estimate because visits there are still going on."""
        return not self.lacking and sentences.counting_misleads(self.against_naive(horizon))

    def by_stage(self) -> pd.DataFrame:
        """Lanes `lost` (share lost, interval, base) and `main branch`, in words; with groups, a pair of lanes for each.

        A stage without an estimate has what is lost at the least; one where nobody is known to be lost has None.
        """
        horizon, lanes = self._headline(), {}
        for suffix, _, losses, table in self._by_group(self.ledger, self.losses, self.table):
            lost = losses[losses["horizon_days"] == horizon]
            lost = lost[lost["estimate"].notna() | (lost["at_least"] > 0)]
            branches = table[(table["kind"] == "lost") & (table["horizon_days"] == horizon)]
            branches = branches.assign(known=branches["estimate"].fillna(branches["at_least"]))
            main = ordered(branches[branches["known"] > 0], "known").drop_duplicates("stage")
            lanes[LaneName.LOST + suffix] = {row["stage"]: _lane(row) for _, row in lost.iterrows()}
            lanes[LaneName.MAIN_BRANCH + suffix] = {
                row["stage"]: f"{row['to']} ({'at least ' if pd.isna(row['estimate']) else ''}{percent(row['known'])})"
                for _, row in main.iterrows()
            }
        return self._lanes(lanes)

    def losses_by_branch(self) -> pd.DataFrame:
        """The rows of `table` for losses."""
        return self.table[self.table["kind"] == "lost"]

    def plot(self, ax=None, *, horizon: str | timedelta | None = None) -> Chart:
        """The share lost within `horizon` by stage and branch, with intervals.

        With groups, by stage and group, all branches together; more than six groups are drawn as tiles. Where no share
        can be estimated, the ledger.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        horizon : str or timedelta, optional
            One of `horizons`; by default that of the sentence.
        """
        chosen = self._headline() if horizon is None else self._horizon(horizon)
        rows = self._labelled(self.losses) if self.by else self.losses_by_branch()
        rows = rows[rows["horizon_days"] == chosen]
        if rows["estimate"].isna().all():
            return self.plot_ledger(ax)
        order = () if self.by else ledger_parts(self.ledger)
        return figures.shares_lost(rows, chosen, by=self.by, confidence=self.confidence, order=order, ax=ax)

    def plot_ledger(self, ax=None) -> Chart:
        """What became of the visits of each stage so far, as counted in the ledger."""
        if self.lacking:
            return charts.note(self.lacking, title=self.title, ax=ax)
        return figures.ledger(
            self._labelled(self.ledger[self.ledger["entered"] != 0]), self.ledger, goals=self.completing, ax=ax
        )

    def plot_vulnerability(
        self,
        horizon: str | timedelta,
        *,
        seed: int,
        branches: Branches = "each",
        measure: Measure = "visits",
        ax=None,
    ) -> Chart:
        """How much is lost at the worst points, with intervals, and how often each comes first in resamples."""
        table = self.rank_stability(horizon, seed=seed, branches=branches, measure=measure)
        if not (table["estimate"] > 0).any():
            return charts.note(self.sentence(horizon), title="The most vulnerable places", ax=ax)
        values = [
            f"{row['rank']}. {sentences.point_of(row, self.by)}: {row['estimate']:,.0f} ({row['lower']:,.0f} to "
            f"{row['upper']:,.0f}), first in {sentences.often(row['first'])} of resamples"
            for _, row in table[table["estimate"] > 0].head(5).iterrows()
        ]
        what = f"{NOUNS[self.unit]}s" if measure == "visits" else str(self.value)
        alt = f"How many {what} are lost, most first. {'; '.join(values)}."
        return figures.loss_points(table, by=self.by, what=what, confidence=self.confidence, alt=alt, ax=ax)

    def plot_against_naive(self, horizon: str | timedelta, ax=None) -> Chart:
        """The naive share, the share lost so far, and the estimate, stage by stage."""
        table = self.against_naive(horizon)
        table = self._labelled(table[table["naive"].notna() & table["estimate"].notna()])
        alt = self.naive_in_words(horizon)
        if table.empty:
            return charts.note(alt, title="Naive counts, and the share that is lost", ax=ax)
        return figures.against_naive(table, confidence=self.confidence, alt=alt, ax=ax)

    def plot_differences(self, horizon: str | timedelta, ax=None) -> Chart:
        """The clearest differences between groups, with intervals."""
        table = self.differences(horizon)
        alt = self._difference(table)
        if not table["p_value"].notna().any():
            title = f"Who is lost more than the others{f', by {self.by}' if self.by else ''}"
            return charts.note(alt, title=title, ax=ax)
        return figures.differences(table, by=str(self.by), confidence=self.confidence, alt=alt, ax=ax)

    def for_export(self) -> "DropOff":
        """The same, safe to pass on: counts of fewer than five customers are missing.

        In the ledger these are cells, and where a row has a single one, another cell that would give it away (the
        column `also_hidden` names it), or the whole row where so few entered. In `table` and `losses` they are the
        counts `events` and the share `crude` of so few, and all numbers of a group of so few. Estimates stay: they are
        of a group of five or more, with their interval. Rankings, which say how many are lost, leave out the numbers
        where so few were lost.
        """
        if self.people is None:
            return self
        parts = ledger_parts(self.ledger)
        ledger = suppressed(self.ledger, self.people, total="entered", parts=parts)
        shares = {name: without_few(getattr(self, name)) for name in ("table", "losses")}
        return replace(self, ledger=ledger, is_for_export=True, **shares)

    def _tables(self) -> dict[str, pd.DataFrame]:
        exported = self.for_export()
        counts = (
            "Visits counted so far. entered = advanced + regressed + completed + lost by each branch + ongoing. –: "
            f"fewer than {MIN_SHOWN} customers; or, where also_hidden names it, more, and hidden so that a neighbour "
            "of so few cannot be worked out."
        )
        what = f"{NOUNS[self.unit]}s"
        level = f"Share of {what} that end this way within the horizon ({self.confidence:.0%} intervals), and so far."
        return {counts: exported.ledger, level: exported.table}

    def _exportable(self, table: pd.DataFrame) -> pd.DataFrame:
        return tables.without_few_lost(table) if self.is_for_export else table

    def _difference(self, differences: pd.DataFrame) -> str:
        if self.lacking or not self.by:
            return self.lacking or "There are no groups to compare: ask for drop-off with `by`."
        return sentences.difference(differences, by=self.by, confidence=self.confidence)

    def _labelled(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`rows` with a column `label`: the stage, and the group if any, the groups of a stage one after the other."""
        if not self.by:
            return rows.assign(label=rows["stage"])
        by_stage = rows.sort_values("stage", key=lambda stage: stage.map(self.stages.index), kind="stable")
        return by_stage.assign(label=by_stage["stage"] + " · " + by_stage["group"])

    def _ranked(
        self, day: float, branches: Branches = "each", measure: Measure = "visits"
    ) -> tuple[pd.DataFrame, JointEstimate]:
        """The ranking, and the joint estimates that its index points at."""
        options = {"branches": (branches, ("each", "together")), "measure": (measure, ("visits", "value"))}
        for name, (given, known) in options.items():
            if given not in known:
                raise EstimateError(f"`{name}` is “{given}”. Use “{known[0]}” or “{known[1]}”.")
        if measure == "value" and self.value is None:
            raise EstimateError("No values were given. Estimate drop-off with `value`, what customers are worth.")
        together, is_of_customers = branches == "together", self.unit == "customers"
        cells = self.any_loss if together and is_of_customers else self.cells
        by_value = measure == "value"
        points = find_loss_points(cells, day, together=together and not is_of_customers, by_value=by_value)
        points = [point for point in points if point.branch not in self.by_company]
        customers = self.customers_lost if self.unit == "visits" else None
        return tables.ranked(points, day, by=self.by, customers=customers, together=together), JointEstimate(points)

    def _by_company(self, day: float) -> pd.DataFrame:
        """The rows of `table` for what the company decides, the largest estimate first."""
        rows = self.table[self.table["to"].isin(self.by_company) & (self.table["horizon_days"] == day)]
        return ordered(rows[rows["estimate"] > 0], "estimate").assign(branch=rows["to"])

    def _horizon(self, horizon: str | timedelta) -> float:
        return chosen_horizon(horizon, self.horizons, what="Drop-off")

    def _headline(self) -> float:
        return tables.headline_horizon(self.places, self.horizons)


def _lane(row: pd.Series) -> str:
    base = counted(int(row["n"]), "visit") + (f", {row['note']}" if row["note"] else "")
    if pd.isna(row["estimate"]):
        return f"at least {percent(row['at_least'])} within {in_days(row['horizon_days'])} ({base})"
    return share_in_words(row, within=f" within {in_days(row['horizon_days'])}", base=base)
