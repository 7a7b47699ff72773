"""Flow: from which stage do customers go to which, who skips, who turns back, and after how long?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import pandas as pd
import pyarrow.compute as pc

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.ordering import largest
from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.words import counted, percent
from journeylab.events.queries.paths import ONGOING, Paths, find_paths
from journeylab.events.spells import Spells
from journeylab.events.spells.exits import MOVES
from journeylab.findings.arguments import check_confidence
from journeylab.findings.finding import Finding, LaneName, tidy
from journeylab.findings.grouping import By, Grouping, Where, select, watched, why_nobody
from journeylab.findings.paths import tables
from journeylab.findings.paths.balance import build_balance, check_balance
from journeylab.findings.paths.edges import KINDS
from journeylab.findings.paths.figures import alt_text, drawn_rows, elapsed, heads
from journeylab.findings.paths.tables import hidden, pooled
from journeylab.findings.paths.variants import COLUMNS, variant_rows

WIDTH = 7.6
# So many ways are looked through for the most frequent one that completed the journey.
MANY = 1000
SILENT_NOTE = f"What fewer than {MIN_SHOWN} customers did is drawn, and nothing is written at it."


@dataclass(frozen=True)
class Flow(Finding):
    """Where visits to each stage came from and led to, counted so that they add up, and which ways customers took.

    All shares are of what was seen so far: of visits that go on, some will still move on or be lost. What share leaves
    by which way in the end, and by when, is what drop-off estimates.

    table: a row per (group,) `stage` and where visits to it led, `to`: a stage, a branch or `ongoing`. `kind`:
        forward (to the next stage), skip (past others), back, lost or ongoing. Of `n` visits of `customers`, `moved`
        visits of `movers` led there; `estimate`, `lower`, `upper`: that share, so far. `median_days` (and quartiles):
        days inside, among those who moved so (for ongoing: so far), over the `timed` of them that were watched from
        their beginning; slow ones are still inside, so that it is too short for all.
    shares: as `table`, by `kind`; with a row for each kind that the journey's rules allow, if only for nobody.
    arrivals: a row per (group,) `stage` and `origin`: a stage, a branch (`kind` return: a win-back), or from outside:
        `first entry`, `already inside` (when watching began), `earlier loss` (back from a loss before that).
    returns: a row per (group,) `branch` and stage `to` which customers came back after being lost to it, or `ongoing`,
        not back so far; `median_days`: days away, among those back.
    balance: a row per (group and) stage, in the journey's order: `visits` and what they are the sum of, on the way in
        and on the way out; construction fails if anything does not add up.
    revisits: a row per (group and) stage: of the `n` customers who came to it, the share who did so more than once.
    paths: the visits in order, one `Paths` per group, from which `variants` are counted. n_left_out: customers whose
        journey began before the window; their visits count, but the beginning of their way is not known.
    titles: what figures call the stages and branches. completing: the stages that complete the journey.
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
    confidence: float
    by: str | None
    stages: tuple[str, ...]

    def __post_init__(self) -> None:
        check_balance(self.balance, self.table, self.arrivals, self.returns)

    def variants(self, n: int = 10, *, loops: str = "shown") -> pd.DataFrame:
        """The `n` most frequent ways (of each group), and in a last row all others together.

        Columns: (`group`,) `way`: the stages in order, and in brackets each loss from which a customer came back;
        `ended`: “completed”, “lost to …” or “ongoing”, so far; `variants`: how many the row stands for; `customers` of
        `n` whose journey began in the window; `estimate`, `lower`, `upper`: that share (Wilson); `median_days` from
        entering the journey to completing it, to the loss, or to the window's end. With groups whose labels became
        known later, ways begin there, in the stage where a customer then was. A way of fewer than five customers is
        among the others. `loops` “collapsed”: stages are named only where first visited, and losses with a return not
        at all. Raises EstimateError: `n` below 1, unknown `loops`.
        """
        options = {"most": n, "loops": loops, "confidence": self.confidence}
        rows = [row for paths in self.paths for row in variant_rows(paths, self.completing, **options)]
        return tidy(rows, COLUMNS, by=self.by)

    def pooled(self, rows: str = "table") -> pd.DataFrame:
        """The `table`, `arrivals`, `returns` or `revisits` as they may be handed on: what fewer than five customers did
        is added up, or missing."""
        keys = {"table": ("stage", "to"), "arrivals": ("stage", "origin"), "returns": ("branch", "to")}
        if rows == "revisits":
            return hidden(self.revisits, "again", "estimate", "lower", "upper")
        if rows not in keys:
            raise EstimateError(f"A flow has no table “{rows}”. {did_you_mean(rows, [*keys, 'revisits'])}")
        return pooled(getattr(self, rows), base=keys[rows][0], end=keys[rows][1])

    def sentence(self) -> str:
        """The most frequent move, where most turn back, and how many visits skip a stage; all so far."""
        if self.lacking:
            return self.lacking
        moves = self.table[self.table["kind"].isin(["forward", "skip", "back"])]
        if moves.empty:
            n = self.balance["visits"].sum()
            return f"Nobody has moved from one stage to another so far, in {counted(int(n), 'visit')}."
        most = moves.loc[moves["moved"].idxmax()]
        same = moves[(moves["stage"] == most["stage"]) & (moves["to"] == most["to"])]
        shares = "; ".join(self._share(row) for _, row in same.iterrows())
        opening = f"The most frequent move so far is from “{most['stage']}” to “{most['to']}”: {shares}"
        return opening + ("." if self.by else f"{_after(most)}. {self._turning()}")

    def sentence_of_variants(self) -> str:
        """The most frequent way, loops shown, and the most frequent that completed the journey."""
        if self.lacking:
            return self.lacking
        rows = self.variants(MANY)
        parts = [(group, rows[rows["group"] == group] if self.by else rows) for group in self._groups()]
        words = [self._variants_told(part, f" with {self.by} “{group}”" if self.by else "") for group, part in parts]
        return " ".join(words)

    def by_stage(self) -> pd.DataFrame:
        """Lanes `forward`, `skip`, `back` and `still inside`: the share of visits so far, in words, with interval and
        base; with groups, four for each. None where nobody was, or where the journey has no such move."""
        lanes = {}
        for group in self._groups():
            rows = self.shares if group is None else self.shares[self.shares["group"] == group]
            rows = rows[(rows["n"] > 0) & ~rows["stage"].isin(self.completing)]
            for kind in (LaneName.FORWARD, LaneName.SKIP, LaneName.BACK, ONGOING):
                name = LaneName.STILL_INSIDE if kind == ONGOING else kind
                lane = {row["stage"]: self._lane(row) for _, row in rows[rows["kind"] == kind].iterrows()}
                lanes[name + (f" ({group})" if self.by else "")] = [lane.get(stage) for stage in self.stages]
        return pd.DataFrame(lanes, index=pd.Index(self.stages, name="stage"), dtype=object)

    def plot(self, ax=None, *, group: str | None = None, width: float = WIDTH) -> Chart:
        """The flow through the stages; with groups, what became of the visits to each stage by group, or the flow of
        one `group`. `width`: of the figure, in inches. Raises EstimateError for a group that is not there."""
        if self.lacking:
            return charts.note(self.lacking, title=self.title, ax=ax)
        if self.by and group is None:
            return self._plot_shares(ax)
        if group not in self._groups():
            raise EstimateError(f"There is no group “{group}” in this flow. {did_you_mean(group, self._groups())}")
        table, arrivals, balance = (
            rows[rows["group"] == group] if self.by else rows for rows in (self.table, self.arrivals, self.balance)
        )
        drawn = drawn_rows(table, arrivals, titles=self.titles, completing=self.completing)
        return charts.flows(
            drawn,
            order=self.stages,
            headings=heads(balance, self.titles),
            title="Where visits to each stage led, so far" + (f" · {group}" if self.by else ""),
            alt=alt_text(balance, self.titles, self.completing),
            note=SILENT_NOTE if drawn["text"].isna().any() else None,
            colour_order=(*MOVES, *self._branches(), ONGOING),
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
        told = [f"{row['stage']}, {row['group']}: {percent(row['forward'])} forward, {percent(row['lost'])} lost"
                for _, row in wide.iterrows()]  # fmt: skip
        return charts.stacked(
            wide.assign(label=wide["stage"] + " · " + wide["group"] + " (" + wide["n"].map("{:,}".format) + ")"),
            label="label",
            parts=[part for part in ("forward", "skip", "back", "lost", "still inside") if wide[part].any()],
            x_label="share of visits (how many), so far",
            title=f"Where visits to each stage led, so far, by {self.by}",
            alt=f"Where visits to each stage led, so far, by {self.by}. {'; '.join(told)}.",
            percent=True,
            colour_order=("forward", "back", "skip", "lost"),
            ax=ax,
        )

    def _repr_html_(self) -> str:
        level = (
            f"Share of visits that led there so far, {self.confidence:.0%} intervals; days among those who moved so."
        )
        ways = f"Ways of customers so far, {self.confidence:.0%} intervals.{self._left_out()}"
        return self._card(
            html.paragraph(self.sentence()),
            html.table(self.pooled(), caption=level),
            html.table(self.variants(), caption=ways),
        )

    def _groups(self) -> list[str | None]:
        return list(dict.fromkeys(self.balance["group"])) if self.by else [None]

    def _branches(self) -> tuple[str, ...]:
        return tuple(name for name in self.titles if name not in self.stages)

    def _share(self, row: pd.Series) -> str:
        group = f" with {self.by} “{row['group']}”" if self.by else ""
        if row["movers"] < MIN_SHOWN:
            return f"fewer than {MIN_SHOWN} of {counted(row['customers'], 'customer')}{group}"
        interval = f"{self.confidence:.0%} interval {percent(row['lower'])} to {percent(row['upper'])}"
        return f"{percent(row['estimate'])} of {counted(row['n'], 'visit')}{group} ({interval})"

    def _turning(self) -> str:
        """Where the largest share of visits turns back, and how many skip a stage."""
        back = self.shares[(self.shares["kind"] == "back") & (self.shares["movers"] >= MIN_SHOWN)]
        told = f"From no stage did {MIN_SHOWN} customers or more go back."
        if len(back):
            most = back.iloc[largest(back["estimate"])]
            told = f"The largest share goes back from “{most['stage']}”: {self._share(most)}."
        skipped, visits = (int(self.balance[column].sum()) for column in ("skip", "visits"))
        few = "None" if not skipped else f"{skipped:,}" if skipped >= MIN_SHOWN else f"Fewer than {MIN_SHOWN}"
        return f"{told} {few} of all {visits:,} visits skipped a stage."

    def _variants_told(self, rows: pd.DataFrame, group: str) -> str:
        named = rows[rows["variants"] == 1]
        if rows.empty:
            return f"No customer’s{group} journey began in the window, so that no way is known whole."
        if named.empty or named["ended"].eq("various").all():
            return f"No way was taken by {MIN_SHOWN} of {counted(int(rows['n'].iloc[0]), 'customer')}{group} or more."
        first = named.iloc[0]
        done = named[named["ended"] == "completed"] if first["ended"] != "completed" else named.iloc[:0]
        goal = (
            f"; of those that completed the journey, “{done.iloc[0]['way']}”, {self._part(done.iloc[0])}"
            if len(done)
            else ""
        )
        base = counted(int(first["n"]), "customer")
        return (
            f"The most frequent way so far{group} is “{first['way']}”, then {first['ended']}: "
            f"{self._part(first)} of {base}{goal}."
        )

    def _part(self, row: pd.Series) -> str:
        level = f"{self.confidence:.0%} interval {percent(row['lower'])} to {percent(row['upper'])}"
        return f"{percent(row['estimate'])} ({level})"

    def _lane(self, row: pd.Series) -> str:
        visits = counted(row["n"], "visit")
        if 0 < row["movers"] < MIN_SHOWN:
            return f"fewer than {MIN_SHOWN} customers so far (of {visits})"
        return f"{percent(row['estimate'])} so far ({percent(row['lower'])} to {percent(row['upper'])}; {visits})"

    def _left_out(self) -> str:
        if not self.n_left_out:
            return ""
        return f" Left out: {counted(self.n_left_out, 'customer')} whose journey began before the window."


def _after(row: pd.Series) -> str:
    if row["timed"] < MIN_SHOWN:
        return ""
    return f", after a median of {elapsed(row['median_days'])} among those who moved"


def estimate_flow(
    spells: Spells, *, by: By | None = None, where: Where | None = None, confidence: float = 0.95
) -> Flow:
    """From which stage do customers go to which, so far, and by which ways from the first stage to the end?

    The unit is the visit (spell); shares are of the visits to the stage, with standard errors clustered by customer.
    They are counts of what was seen so far, not estimates of what will become of those still inside: for these see
    `estimate_dropoff` and `estimate_survival`. A visit that was running when watching began counts, its time does not.
    The ways (`Flow.variants`) are of customers whose journey began in the window.

    `by`: a Grouping, a Series of labels by customer, or a column of `spells.customers`; where a label became known
    later, its customers are watched from then on: see `Grouping.apply`. Where nobody was watched, or nobody with a
    label of `by`, the finding is empty and `lacking` says why.

    Raises EstimateError: unknown `by`, labels of which none is of a customer with a spell, `confidence` not between 0
    and 1; spells that do not follow from one another.
    """
    check_confidence(confidence)
    spells = select(spells, where)
    grouping = None if by is None else Grouping.of(by, spells)
    name = grouping.name if grouping else None
    visits, journey = watched(spells, grouping), spells.journey
    known = _watched_from_start(spells)
    found = find_paths(visits, journey, from_start=known)
    shares, arrivals = tables.shares(found, journey, confidence, by=name), tables.arrivals(found, confidence, by=name)
    return Flow(
        title="Ways through the stages" + (f", by {name}" if name else ""),
        table=tables.departures(found, confidence, by=name),
        lacking=None if len(visits) else why_nobody(spells, grouping),
        period=spells.window,
        shares=shares,
        arrivals=arrivals,
        returns=tables.returns(found, confidence, by=name),
        balance=build_balance(shares, arrivals),
        revisits=tables.revisits(found, confidence, by=name),
        paths=tuple(found),
        n_left_out=sum(int((~paths.is_from_start).sum()) for paths in found),
        titles=MappingProxyType({each: journey.title(each) for each in (*journey.stage_names, *journey.branches)}),
        completing=frozenset(stage.name for stage in journey.stages if stage.completes),
        confidence=confidence,
        by=name,
        stages=journey.stage_names,
    )


def _watched_from_start(spells: Spells) -> pd.Series:
    """The customers whose entry into the journey was watched."""
    table = spells.table
    is_first = pc.and_(pc.equal(table["spell"], 1), pc.is_null(table["returned_from"]))
    is_inside = pc.greater_equal(table["entered"], pc.cast(spells.window.start.to_datetime64(), table["entered"].type))
    return table.filter(pc.and_(is_first, is_inside))["customer_id"].to_pandas()
