"""Drop-off: of those who enter a stage, how many are lost there, how soon, and by which branch?"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.base.durations import days
from journeylab.base.errors import EstimateError
from journeylab.base.words import counted, in_days, percent
from journeylab.events.exits import MOVES, Exits, find_exits
from journeylab.events.ledger import build_ledger, check_ledger, ledger_parts
from journeylab.events.spells import Spells
from journeylab.findings.exits import ExitCurves, check_confidence, with_enough_at_risk
from journeylab.findings.finding import Finding, Grouping, tidy, watched, why_nobody

_COLUMNS = {
    **dict.fromkeys(("group", "stage", "to", "kind"), object),
    **dict.fromkeys(("horizon_days", "estimate", "lower", "upper", "crude"), float),
    **dict.fromkeys(("n", "customers", "events", "at_risk"), int),
    "note": object,
}
_SHARES = {"estimate": "share", "lower": "share_lower", "upper": "share_upper"}


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
        journey's order.
    """

    ledger: pd.DataFrame
    losses: pd.DataFrame
    horizons: tuple[float, ...]
    confidence: float
    by: str | None
    stages: tuple[str, ...]

    def __post_init__(self) -> None:
        check_ledger(self.ledger)

    def vulnerability(self, horizon: str | timedelta) -> pd.DataFrame:
        """Stages and branches, those first that lose most customers within `horizon` (one of those estimated).

        Columns: `rank`, (`group`,) `stage`, `branch`, `horizon_days`; `estimate`, `lower`, `upper`: customers lost,
        which is the `share` lost (`share_lower` to `share_upper`) times the `customers` who entered, taken as they are;
        `n` visits; `note`. What could not be estimated comes last, without rank.
        """
        return self._ranked(self._horizon(horizon))

    def sentence(self) -> str:
        """The stage and branch that lose most customers, at the longest horizon at which most can be estimated."""
        if self.lacking:
            return self.lacking
        ranked = self._ranked(self._headline())
        if ranked.empty:
            return "Nobody can be lost: no stage that customers entered has a loss branch or a silence window."
        if pd.isna(ranked["estimate"].iloc[0]):
            return f"How many are lost cannot be estimated yet: {ranked['note'].iloc[0]}."
        worst = ranked.iloc[0]
        within = f"within {in_days(worst['horizon_days'])} of entering"
        if worst["estimate"] == 0:
            return f"No customer was lost {within} in any stage where that can be estimated."
        where = f"in “{worst['stage']}” to “{worst['branch']}”"
        group = f" among customers with {self.by} “{worst['group']}”" if self.by else ""
        given = f", {worst['note']}," if worst["note"] else ""
        interval = f"{self.confidence:.0%} interval {percent(worst['share_lower'])} to {percent(worst['share_upper'])}"
        return (
            f"Most customers are lost {where}{group}: {percent(worst['share'])} of {counted(worst['n'], 'visit')} "
            f"({interval}) end so {within}{given or ','} about {worst['estimate']:,.0f} of {worst['customers']:,} "
            f"customers ({worst['lower']:,.0f} to {worst['upper']:,.0f})."
        )

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
            main = branches.sort_values("estimate", ascending=False, kind="stable").drop_duplicates("stage")
            lanes[f"lost{suffix}"] = {row["stage"]: _lane(row) for _, row in lost.iterrows()}
            lanes[f"main branch{suffix}"] = {
                row["stage"]: f"{row['to']} ({percent(row['estimate'])})" for _, row in main.iterrows()
            }
        filled = {lane: [cells.get(stage) for stage in self.stages] for lane, cells in lanes.items()}
        return pd.DataFrame(filled, index=pd.Index(self.stages, name="stage"), dtype=object)

    def plot(self, ax=None, *, horizon: str | timedelta | None = None) -> Chart:
        """Share lost within `horizon` by stage and branch, with intervals; with groups, by stage and group, all
        branches together. Without a horizon, that of the sentence. Where no share can be estimated, the ledger.
        """
        chosen = self._headline() if horizon is None else self._horizon(horizon)
        rows = self._labelled(self.losses) if self.by else self.table[self.table["kind"] == "lost"]
        drawn = rows[(rows["horizon_days"] == chosen) & rows["estimate"].notna()]
        if drawn.empty:
            return self.plot_ledger(ax)
        return charts.intervals(
            drawn,
            label="stage",
            x="estimate",
            lower="lower",
            upper="upper",
            by="group" if self.by else "to",
            percent=True,
            x_label=f"lost within {in_days(chosen)} of entering the stage ({self.confidence:.0%} intervals)",
            title=f"Where customers are lost, by {self.by or 'branch'}",
            alt=self._alt(drawn, chosen),
            colour_order=() if self.by else ledger_parts(self.ledger),
            ax=ax,
        )

    def plot_ledger(self, ax=None) -> Chart:
        """What became of the visits of each stage so far, as counted in the ledger."""
        if self.lacking:
            return charts.note(self.lacking, title=self.title, ax=ax)
        entered = self._labelled(self.ledger[self.ledger["entered"] > 0])
        parts = [part for part in ledger_parts(self.ledger) if entered[part].any()]
        rows = [
            f"{row['label']}: {row['entered']:,} entered, "
            + ", ".join(f"{row[part]:,} {part.replace('_', ' ')}" for part in parts if row[part])
            for _, row in entered.iterrows()
        ]
        return charts.stacked(
            entered,
            label="label",
            parts=parts,
            x_label="visits",
            title="What became of those who entered each stage, so far",
            alt=f"What became of those who entered, so far. {'; '.join(rows)}.",
            colour_order=ledger_parts(self.ledger),
            ax=ax,
        )

    def _repr_html_(self) -> str:
        note = "Visits counted so far. entered = advanced + regressed + completed + lost by each branch + ongoing."
        level = f"Share of visits that end so within the horizon, {self.confidence:.0%} intervals; crude: ended so far."
        return html.card(
            self.title,
            html.paragraph(self.sentence()),
            html.table(self.ledger, caption=note),
            html.table(self.table, caption=level),
        )

    def _labelled(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`rows` with a column `label`: the stage, and the group if any, the groups of a stage one after the other."""
        if not self.by:
            return rows.assign(label=rows["stage"])
        ordered = rows.sort_values("stage", key=lambda stage: stage.map(self.stages.index), kind="stable")
        return ordered.assign(label=ordered["stage"] + " · " + ordered["group"])

    def _alt(self, drawn: pd.DataFrame, horizon: float) -> str:
        top = drawn.sort_values("estimate", ascending=False, kind="stable").head(5)
        told = [
            f"{row['stage']}, {row['group' if self.by else 'to']}: {percent(row['estimate'])} "
            f"({percent(row['lower'])} to {percent(row['upper'])}) of {row['n']:,}"
            for _, row in top.iterrows()
        ]
        return f"Share of visits lost within {in_days(horizon)} of entering, highest first. {'; '.join(told)}."

    def _ranked(self, horizon: float) -> pd.DataFrame:
        ranked = self.table[(self.table["kind"] == "lost") & (self.table["horizon_days"] == horizon)]
        ranked = ranked.rename(columns={"to": "branch", **_SHARES})
        ranked = ranked.assign(**{count: ranked[share] * ranked["customers"] for count, share in _SHARES.items()})
        ranked = ranked.sort_values("estimate", ascending=False, kind="stable", ignore_index=True)
        rank = pd.Series(np.arange(1, len(ranked) + 1), dtype="Int64").where(ranked["estimate"].notna())
        whose = ["rank", *(["group"] if self.by else []), "stage", "branch", "horizon_days"]
        return ranked.assign(rank=rank)[[*whose, *_SHARES, *_SHARES.values(), "customers", "n", "note"]]

    def _horizon(self, horizon: str | timedelta) -> float:
        asked = days(horizon)
        if asked not in self.horizons:
            known = ", ".join(f"{each:g}d" for each in self.horizons)
            raise EstimateError(
                f"Drop-off was estimated for the horizons {known}, not for “{horizon}”. Ask for one of these, "
                "or estimate it again with this horizon among them."
            )
        return asked

    def _headline(self) -> float:
        """The longest of the horizons at which most shares lost are estimable."""
        known = self.table[self.table["kind"] == "lost"].groupby("horizon_days")["estimate"].count()
        return max(self.horizons, key=lambda each: (known.get(each, 0), each))

    def _by_group(self):
        """Yield (group, its losses, its table); without groups there is one, named None."""
        for group in self.ledger["group"].drop_duplicates() if self.by else [None]:
            yield group, *(part[part["group"] == group] if self.by else part for part in (self.losses, self.table))


def estimate_dropoff(
    spells: Spells,
    *,
    horizons: Iterable[str | timedelta],
    by: Grouping | pd.Series | str | None = None,
    confidence: float = 0.95,
    min_at_risk: int = 10,
) -> DropOff:
    """Of those who enter each stage, how many are lost, by which branch, within each of `horizons` (["30d", "90d"])?

    The unit is the visit (spell), on the spell clock; the standard errors are clustered by customer (infinitesimal
    jackknife), the intervals logit. Shares are Aalen-Johansen cumulative incidences: other ways out compete, ongoing
    visits are censored at the window's end, visits already running at its start enter the risk set late. A way that
    nobody took has the share 0 and Wilson's upper bound over the customers who were not censored before the horizon.

    `by`: a Grouping, a Series of labels by customer, or a column of `spells.customers`. Where a label became known
    after the journey began (personas), its customers are watched from then on: see `Grouping.apply`.

    An estimate is missing, with a note, if fewer than `min_at_risk` customers came, or past the last time with as many
    visits at risk. The one exception needs no model: where all were watched from entering and none was censored before
    the horizon, the estimate is a plain share of `n`. Where the risk set is smaller than that at first, and grows by
    late entry, estimates are conditional on being inside when it is large enough, which the note says. Where nobody was
    watched in any stage, or nobody with a label of `by`, the finding is empty and `lacking` says why.

    Raises EstimateError: no horizon, unknown `by`, labels of which none is of a customer with a spell, `confidence` not
    between 0 and 1, `min_at_risk` below 1; JourneyLabError: a horizon that is no duration.
    Source: Aalen, Borgan & Gjessing (2008), Survival and Event History Analysis, section 3.4; Andersen & Keiding
    (2012), Statistics in Medicine 31:1074-1088.
    """
    asked = _read_horizons(horizons)
    check_confidence(confidence)
    if min_at_risk < 1:
        raise EstimateError(f"`min_at_risk` is {min_at_risk}, less than 1. An estimate needs someone at risk.")
    grouping = None if by is None else Grouping.of(by, spells)
    found = find_exits(watched(spells, grouping), spells.journey)
    ways = [row for exits in found for row in _estimates(exits, asked, confidence, min_at_risk)]
    every = [row for exits in found for row in _estimates(_any_loss(exits), asked, confidence, min_at_risk)]
    name = grouping.name if grouping else None
    return DropOff(
        title="Drop-off by stage and branch" + (f", by {name}" if name else ""),
        table=tidy(ways, _COLUMNS, by=name),
        lacking=None if any(exits.n for exits in found) else why_nobody(spells, grouping),
        ledger=build_ledger(found, spells.journey),
        losses=tidy((row for row in every if row["to"] == "lost"), _COLUMNS, by=name),
        horizons=asked,
        confidence=confidence,
        by=name,
        stages=spells.journey.stage_names,
    )


def _read_horizons(horizons: Iterable[str | timedelta]) -> tuple[float, ...]:
    listed = [horizons] if isinstance(horizons, str | timedelta) else list(horizons)
    if not listed:
        raise EstimateError("No horizon is given. Name one or more, such as horizons=[“30d”, “90d”].")
    return tuple(sorted({days(each) for each in listed}))


def _any_loss(exits: Exits) -> Exits:
    branches = tuple(way for way in exits.ways if way not in MOVES)
    return exits.lumped(branches, "lost") if branches else exits


def _estimates(exits: Exits, horizons: tuple[float, ...], confidence: float, least: int) -> list[dict]:
    """A row for each way out and horizon."""
    entered, exits = exits, with_enough_at_risk(exits, least)
    notes = exits.why_missing(horizons, least=least)
    # Share, lower and upper limit by horizon and state; state 0 is inside the stage.
    shares = np.full((3, len(horizons), len(exits.ways) + 1), np.nan)
    if exits.n:
        shares[:] = ExitCurves.of(exits, confidence).shares(np.array(horizons))
    shares[:, [note is not None for note in notes]] = np.nan
    cell = {"group": exits.group, "stage": exits.stage, "n": exits.n, "customers": exits.n_customers}
    return [
        {
            **cell,
            "to": way,
            "kind": way if way in MOVES else "lost",
            "horizon_days": day,
            **dict(zip(("estimate", "lower", "upper"), shares[:, row, place], strict=True)),
            "crude": entered.count(way) / entered.n if entered.n else np.nan,
            "events": exits.count(way, within=day),
            "at_risk": int(exits.at_risk(day)),
            "note": notes[row] or exits.condition,
        }
        for place, way in enumerate(exits.ways, start=1)
        for row, day in enumerate(horizons)
    ]


def _lane(row: pd.Series) -> str:
    interval = f"{percent(row['lower'])} to {percent(row['upper'])}"
    base = counted(row["n"], "visit") + (f", {row['note']}" if row["note"] else "")
    return f"{percent(row['estimate'])} within {in_days(row['horizon_days'])} ({interval}; {base})"
