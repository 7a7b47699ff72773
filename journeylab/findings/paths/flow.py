"""Flow: from which stage do customers go to which, who skips, who turns back, and after how long?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.ordering import largest
from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.words import counted, percent
from journeylab.events.queries.paths import ONGOING, Paths
from journeylab.events.spells.exits import MOVES
from journeylab.findings.finding import LaneName, StageFinding, left_out_in_words, tidy
from journeylab.findings.paths.balance import check_balance
from journeylab.findings.paths.edges import DAYS
from journeylab.findings.paths.figures import alt_text, flow_rows, headings
from journeylab.findings.paths.tables import KINDS, hidden, pooled
from journeylab.findings.paths.variants import COLUMNS, variant_rows

WIDTH = 7.6
LIMITS = ("lower", "upper")
SILENT_NOTE = f"What fewer than {MIN_SHOWN} customers did is drawn, but without numbers."
# Among so many ways the most frequent one that completed the journey is looked for.
MANY = 1000


@dataclass(frozen=True)
class Flow(StageFinding):
    """Where visits to each stage came from and led to, counted so that they add up, and which ways customers took.

    All shares are of what was seen so far: of visits that go on, some will still move on or be lost. What share leaves
    by which exit in the end, and by when, is what drop-off estimates. So sentences say these shares without interval:
    they are counts that the window's end would change, and the limits in the tables only say how many visits there are.

    Attributes
    ----------
    table : DataFrame
        A row per (group,) `stage` and where visits to it led, `to`: a stage, a branch or `ongoing`. `kind`: forward (to
        the next stage), skip (past others), back, lost or ongoing. Of `n` visits of `customers`, `moved` visits of
        `movers` led there; `estimate`, `lower`, `upper`: that share, so far. `median_days` (and quartiles): days
        inside, among those who moved so (for ongoing: so far), over the `timed` of them that were watched from their
        beginning. Slow ones are still inside, so it is too short for all.
    shares : DataFrame
        As `table`, by `kind`; with a row for each kind that the journey's rules allow, even if nobody had it.
    arrivals : DataFrame
        A row per (group,) `stage` and `origin`: a stage, a branch (`kind` return: a win-back), or from outside: `first
        entry`, `already inside` (when watching began), `earlier loss` (back from a loss before that).
    returns : DataFrame
        A row per (group,) `branch` and stage `to` which customers came back after being lost to it, or `ongoing`, not
        back so far; `median_days`: days away, among those back.
    balance : DataFrame
        A row per (group and) stage, in the journey's order: `visits` and what they are the sum of, arriving and
        leaving. Construction fails if anything does not add up.
    revisits : DataFrame
        A row per (group and) stage: of the `n` customers who came to it, the share who did so more than once.
    paths : tuple of Paths
        The visits in order, one for each group, from which `variants` are counted.
    n_left_out : int
        Customers whose journey began before the window; their visits count, but how their way began is unknown.
    titles : mapping
        What figures call the stages and branches.
    completing : set of str
        The stages that complete the journey.
    """

    shares: pd.DataFrame
    arrivals: pd.DataFrame
    returns: pd.DataFrame
    balance: pd.DataFrame
    revisits: pd.DataFrame
    paths: tuple[Paths, ...] = field(repr=False)
    n_left_out: int
    titles: Mapping[str, str] = field(repr=False)
    completing: frozenset[str]

    def __post_init__(self) -> None:
        check_balance(self.balance, self.table, self.arrivals, self.returns)

    def variants(self, n: int = 10, *, loops: str = "shown") -> pd.DataFrame:
        """The `n` most frequent ways (of each group), and in a last row all others together.

        A way of fewer than five customers is among the others. With groups whose labels became known later, ways begin
        there, in the stage where a customer then was.

        Parameters
        ----------
        n : int
            1 or more.
        loops : {"shown", "collapsed"}
            “collapsed”: stages are named only where first visited, and losses from which a customer came back are not.

        Returns
        -------
        DataFrame
            Columns (`group`,) `way`: the stages in order, and in brackets each loss from which a customer came back;
            `ended`: “completed”, “lost to …” or “ongoing”, so far; `variants`: how many the row stands for; `customers`
            of `n` whose journey began in the window; `estimate`, `lower`, `upper`: that share (Wilson); `median_days`
            from entering the journey to completing it, to the loss, or to the window's end.

        Raises
        ------
        EstimateError
            If `n` is below 1, or `loops` is unknown.
        """
        options: dict[str, Any] = {"most": n, "loops": loops, "confidence": self.confidence}
        rows = [row for paths in self.paths for row in variant_rows(paths, self.completing, **options)]
        return tidy(rows, COLUMNS, by=self.by)

    def pooled(self, rows: str = "table") -> pd.DataFrame:
        """A table that may be handed on: what fewer than five customers did is added up, or missing.

        Parameters
        ----------
        rows : {"table", "arrivals", "returns", "revisits"}

        Raises
        ------
        EstimateError
            For another name.
        """
        keys = {"table": ("stage", "to"), "arrivals": ("stage", "origin"), "returns": ("branch", "to")}
        if rows == "revisits":
            return hidden(self.revisits, "again", "estimate", "lower", "upper")
        if rows not in keys:
            raise EstimateError(f"A flow has no table “{rows}”. {did_you_mean(rows, [*keys, 'revisits'])}")
        return pooled(getattr(self, rows), base=keys[rows][0], end=keys[rows][1])

    def sentence(self) -> str:
        """The most frequent move, where most turn back, and how many visits skip a stage; all so far."""
        moves = self.table[self.table["kind"].isin(["forward", "skip", "back"])]
        if moves.empty:
            n = self.balance["visits"].sum()
            return f"Nobody has moved from one stage to another so far, in {counted(int(n), 'visit')}."
        most = moves.loc[moves["moved"].idxmax()]
        same = moves[(moves["stage"] == most["stage"]) & (moves["to"] == most["to"])]
        shares = "; ".join(self._share(row) for _, row in same.iterrows())
        opening = f"The most frequent move so far is from “{most['stage']}” to “{most['to']}”: {shares}"
        return opening + ("." if self.by else f". {self._turning()}")

    def sentence_of_variants(self) -> str:
        """The most frequent way, loops shown, and the most frequent that completed the journey; loops collapsed where
        hardly anyone took the same way."""
        if self.lacking:
            return self.lacking
        groups = self._by_group(self.balance, self.variants(MANY), self.variants(MANY, loops="collapsed"))
        return " ".join(
            self._most_frequent(shown, collapsed, self._with_group(balance.iloc[0]))
            for _, balance, shown, collapsed in groups
        )

    def by_stage(self) -> pd.DataFrame:
        """Lanes `forward`, `skip`, `back` and `still inside`: the share of visits so far, in words, with base; with
        groups, four for each. None where nobody was, or where the journey has no such move."""
        lanes = {}
        for suffix, rows in self._by_group(self.shares):
            rows = rows[(rows["n"] > 0) & ~rows["stage"].isin(self.completing)]
            for kind in (LaneName.FORWARD, LaneName.SKIP, LaneName.BACK, ONGOING):
                name = LaneName.STILL_INSIDE if kind == ONGOING else kind
                lanes[name + suffix] = {row["stage"]: _so_far(row) for _, row in rows[rows["kind"] == kind].iterrows()}
        return self._lanes(lanes)

    def plot(self, ax=None, *, group: str | None = None, width: float = WIDTH) -> Chart:
        """The flow through the stages; with groups, what became of the visits to each stage by group.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        group : str, optional
            The flow of this group.
        width : float
            Of the figure, in inches.

        Raises
        ------
        EstimateError
            If there is no such group.
        """
        if self.lacking:
            return charts.note(self.lacking, title=self.title, ax=ax)
        if self.by and group is None:
            return self._plot_shares(ax)
        groups = list(dict.fromkeys(self.balance["group"])) if self.by else []
        if group is not None and group not in groups:
            raise EstimateError(f"There is no group “{group}” in this flow. {did_you_mean(group, groups)}")
        table, arrivals, balance = (
            rows[rows["group"] == group] if self.by else rows for rows in (self.table, self.arrivals, self.balance)
        )
        flows = flow_rows(table, arrivals, titles=self.titles, completing=self.completing)
        branches = [name for name in self.titles if name not in self.stages]
        return charts.flows(
            flows,
            order=self.stages,
            headings=headings(balance, self.titles),
            title="Where visits to each stage led, so far" + (f" · {group}" if self.by else ""),
            alt=alt_text(balance, self.titles, self.completing),
            note=SILENT_NOTE if flows["text"].isna().any() else None,
            colour_order=(*MOVES, *branches, ONGOING),
            width=width,
            ax=ax,
        )

    def _plot_shares(self, ax) -> Chart:
        rows = self.shares[(self.shares["customers"] >= MIN_SHOWN) & ~self.shares["stage"].isin(self.completing)]
        if rows.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        wide = rows.pivot(index=["stage", "group", "n"], columns="kind", values="estimate").fillna(0.0)
        wide = wide.reindex(columns=list(KINDS), fill_value=0.0).rename(columns={ONGOING: "still inside"})
        wide = wide.rename_axis(columns=None).reset_index()
        wide = wide.sort_values("stage", key=lambda stage: stage.map(self.stages.index), kind="stable")
        shares = [f"{row['stage']}, {row['group']}: {percent(row['forward'])} forward, {percent(row['lost'])} lost"
                  for _, row in wide.iterrows()]  # fmt: skip
        title = f"Where visits to each stage led, so far, by {self.by}"
        return charts.stacked(
            wide.assign(label=wide["stage"] + " · " + wide["group"] + " (" + wide["n"].map("{:,}".format) + ")"),
            parts=[part for part in ("forward", "skip", "back", "lost", "still inside") if wide[part].any()],
            x_label="share of visits (how many), so far",
            title=title,
            alt=f"{title}. {'; '.join(shares)}.",
            percent=True,
            colour_order=("forward", "back", "skip", "lost"),
            ax=ax,
        )

    def _tables(self) -> dict[str, pd.DataFrame]:
        return {
            "Share of visits that led there so far.": without_limits(self.pooled()),
            f"Ways of customers so far.{left_out_in_words(self.n_left_out)}": without_limits(self.variants()),
        }

    def _share(self, row: pd.Series) -> str:
        if row["movers"] < MIN_SHOWN:
            return f"fewer than {MIN_SHOWN} of {counted(row['customers'], 'customer')}{self._with_group(row)}"
        return f"{percent(row['estimate'])} of {counted(row['n'], 'visit')}{self._with_group(row)}"

    def _turning(self) -> str:
        """Where the largest share of visits turns back, and how many skip a stage."""
        back = self.shares[(self.shares["kind"] == "back") & (self.shares["movers"] >= MIN_SHOWN)]
        turning = f"From no stage did {MIN_SHOWN} customers or more go back."
        if len(back):
            most = back.iloc[largest(back["estimate"])]
            turning = f"The largest share goes back from “{most['stage']}”: {self._share(most)}."
        skipped, visits = (int(self.balance[column].sum()) for column in ("skip", "visits"))
        few = "None" if not skipped else f"{skipped:,}" if skipped >= MIN_SHOWN else f"Fewer than {MIN_SHOWN}"
        return f"{turning} {few} of all {visits:,} visits skipped a stage."

    def _most_frequent(self, rows: pd.DataFrame, collapsed: pd.DataFrame, group: str) -> str:
        """The most frequent of the variants in `rows`, and the most frequent that completed the journey; of those with
        loops `collapsed` where `rows` name none."""
        if rows.empty:
            return f"No customer{group} began the journey in the window, so no whole way is known."
        named, base, opening = _named(rows), counted(int(rows["n"].iloc[0]), "customer"), "The most frequent way so far"
        if named.empty:
            none = f"No way was taken by {MIN_SHOWN} of {base}{group} or more"
            named = _named(collapsed)
            if named.empty:
                return f"{none}."
            opening = f"{none}, if each return to a stage counts. Each stage told once, the most frequent way so far"
        first, completed = named.iloc[0], named[named["ended"] == "completed"]
        goal = ""
        if len(completed) and first["ended"] != "completed":
            best = completed.iloc[0]
            goal = f". Of the ways to the goal the most frequent is “{best['way']}”: {percent(best['estimate'])}"
        return (
            f"{opening}{group} is “{first['way']}”, then {first['ended']}: "
            f"{percent(first['estimate'])} of {base}{goal}."
        )


def _named(variants: pd.DataFrame) -> pd.DataFrame:
    """Those of `variants` that are one way, not several together."""
    return variants[(variants["variants"] == 1) & (variants["ended"] != "various")]


def _so_far(row: pd.Series) -> str:
    visits = counted(row["n"], "visit")
    if 0 < row["movers"] < MIN_SHOWN:
        return f"fewer than {MIN_SHOWN} customers so far (of {visits})"
    return f"{percent(row['estimate'])} so far ({visits})"


def without_limits(rows: pd.DataFrame) -> pd.DataFrame:
    """`rows` as they are shown: shares so far have no interval, and days of those who moved leave out the slow."""
    return rows.drop(columns=[name for name in (*LIMITS, *DAYS) if name in rows])
