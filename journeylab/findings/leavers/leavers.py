"""What leavers did: which events go with being lost, what came last before it, and what first after it?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.ordering import largest, order, ordered
from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.words import counted, in_days, percent
from journeylab.events.journey import SILENT
from journeylab.events.queries.event_windows import COMPANY, CUSTOMER
from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.finding import LaneName, StageFinding, share_in_words
from journeylab.findings.leavers.after_loss import CAME_BACK
from journeylab.findings.leavers.tables import NO_EVENT
from journeylab.findings.rows import wilson_share

LEVEL, MAX_DRAWN = 0.05, 12


@dataclass(frozen=True)
class Leavers(StageFinding):
    """What customers did before they were lost, against others who stayed in the same stage at the same age.

    Attributes
    ----------
    table : DataFrame
        A row per (group,) `stage`, `branch`, `event` and `initiator` (who brought the event about). `estimate`,
        `lower`, `upper`: odds ratio of the event in the last `before_days`, lost against stayed; because of how stayers
        are drawn it says how many times as fast customers are lost after the event as without it. Intervals and
        `p_value` are robust, clustered by matched set and by customer; `q_value` adjusts p for the false discovery rate
        among all rows (Benjamini & Hochberg). `n` losses compared, `exposed_cases` of them with the event; `controls`
        who stayed, `exposed_controls` with it. `naive`: for comparison, the plain odds ratio of having had the event
        ever in the visit, lost against advanced or completed: it confuses who stays long with who is kept. `note` says
        why an estimate is missing, or that it has no bound.
    before : DataFrame
        Which event was the last one of its side (the company's or not) in those days: `last` of `n` losses, `estimate`,
        `lower`, `upper` their share, `stayed` the same share of the `controls`. Without `event`: nothing.
    after : DataFrame
        What followed a loss within `after_days`, up to the return of those who came back, among the `n` losses watched
        that long: `had` so many had the event (`estimate`, `lower`, `upper`: share, Wilson's), `first` so many as the
        first one of its side; of those who had it `returned` came back.
    losses : DataFrame
        A row per (group,) stage and branch: `lost` visits, `compared` of them with `controls`.
    before_days, after_days : float
        How far was looked.
    seed : int
        Of the draws.
    """

    before: pd.DataFrame
    after: pd.DataFrame
    losses: pd.DataFrame
    before_days: float
    after_days: float
    seed: int

    def strongest(self) -> pd.DataFrame:
        """The rows of `table` whose q-value is at most 0.05; first those whose interval is furthest from 1."""
        rows = self.table[self.table["q_value"] <= LEVEL]
        with np.errstate(divide="ignore"):
            lower, upper = (np.log(rows[limit].to_numpy(float)) for limit in ("lower", "upper"))
        return rows.iloc[order(np.maximum(lower, -upper))].reset_index(drop=True)

    def sentence(self) -> str:
        """The strongest association that has a bound, with interval and base, how many there are, and what that does
        not say."""
        n_lost, n_stayed = self.losses["compared"].sum(), self.losses["controls"].sum()
        base = f"{counted(n_lost, 'visit')} that were lost, {n_stayed:,} that stayed as long"
        n_tests, strongest = int(self.table["p_value"].notna().sum()), self.strongest()
        if not n_tests:
            return f"{self._why_no_test()} ({base})."
        tests = f"{counted(n_tests, 'comparison')} of an event with a branch"
        if strongest.empty:
            return (
                f"No event of the last {in_days(self.before_days)} goes with being lost, in {tests} at a false "
                f"discovery rate of {LEVEL:.0%} ({base})."
            )
        # A ratio without bound is a strong sign, but says little: one that has a bound comes first where there is one.
        bounded = _with_bound(strongest)
        first = (bounded if len(bounded) else strongest).iloc[0]
        group = f" among customers{self._with_group(first)}" if self.by else ""
        return (
            f"Of {tests}, {len(strongest):,} go with being lost, at a false discovery rate of {LEVEL:.0%}. The "
            f"strongest: before a loss from “{first['stage']}” to “{first['branch']}”{group}, {self._in_words(first)}. "
            "These are associations; they do not say that the event made anyone leave or stay."
        )

    def after_in_words(self) -> str:
        """What followed a loss: how many did nothing more, how many came back, and what the others did first."""
        noted = self.after.groupby("note")[["had", "n"]].sum()
        if noted.empty:
            return f"No loss was watched for {in_days(self.after_days)} after it, so what followed is not known."
        n = int(noted.loc[NO_EVENT, "n"])
        nothing, back = (self._of_losses(noted.loc[note, "had"], n) for note in (NO_EVENT, CAME_BACK))
        own = self.after[self.after["event"].notna() & (self.after["initiator"] == CUSTOMER)]
        firsts = own.groupby("event")["first"].sum()
        first = ""
        if len(firsts) and firsts.max() >= MIN_SHOWN:
            name = firsts.index[largest(firsts, list(firsts.index))]
            first = f" What the others did first is most often “{name}”: {self._of_losses(firsts[name], n)}."
        return (
            f"After {nothing} of {counted(n, 'lost visit')} that were watched for "
            f"{in_days(self.after_days)} the customer did nothing more; after {back} the customer came back.{first}"
        )

    def _of_losses(self, count: int, n: int) -> str:
        return share_in_words(pd.Series(wilson_share(count, n, confidence=self.confidence)))

    def _why_no_test(self) -> str:
        """Why no event can be compared: not the number of the lost, where enough were."""
        if self.losses["compared"].max() < MIN_CUSTOMERS:
            return "Too few were lost to say what goes with it"
        if not self.losses["controls"].any():
            return "Nobody stayed as long as those who were lost, so there is nobody to compare them with"
        looked = f"in the last {in_days(self.before_days)} of the visit"
        if self.table.empty:
            return f"Neither those who were lost nor those who stayed did anything {looked}, so nothing goes with it"
        return f"No event {looked} comes to some and not to others often enough to be compared"

    def by_stage(self) -> pd.DataFrame:
        """A lane `before a loss`, with groups one for each: what goes with being lost from the stage most strongly."""
        lanes = {}
        for suffix, _, rows in self._by_group(self.losses, self.strongest()):
            first = rows.drop_duplicates("stage")
            cells = {row["stage"]: f"“{row['branch']}”: {self._in_words(row)}" for _, row in first.iterrows()}
            lanes[LaneName.BEFORE_A_LOSS + suffix] = cells
        return self._lanes(lanes)

    def plot(self, ax=None) -> Chart:
        """The strongest associations at a false discovery rate of 5%, up to twelve, on a log axis; a note where there
        are none. Ratios of 0 or without bound are in the table only."""
        rows = ordered(_with_bound(self.strongest()).head(MAX_DRAWN), "estimate")
        if rows.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        rows = rows.assign(label=[_label(row, self.by) for _, row in rows.iterrows()])
        ratios = "; ".join(f"{row['label']} {self._ratio(row)}" for _, row in rows.iterrows())
        return charts.intervals(
            rows,
            reference=1.0,
            scale="log",
            x_label=f"odds ratio, lost against stayed ({self.confidence:.0%} intervals)",
            title=f"What goes with being lost: events of the last {in_days(self.before_days)}",
            alt=f"Odds ratios of events in the last {in_days(self.before_days)}, lost against stayed. {ratios}.",
            ax=ax,
        )

    def _tables(self) -> dict[str, pd.DataFrame]:
        rows = self.strongest().head(2 * MAX_DRAWN)
        caption = (
            f"Odds ratios of events in the last {in_days(self.before_days)}, {self.confidence:.0%} intervals clustered "
            f"by set and customer: {len(rows):,} of {len(self.table):,} rows, the strongest at a false discovery rate "
            f"of {LEVEL:.0%}. naive: ever in the visit, lost against converted, for comparison only."
        )
        return {caption: rows, "How many were lost, and how many of them could be compared": self.losses}

    def _in_words(self, row: pd.Series) -> str:
        had = f"{percent(row['exposed_cases'] / row['n'])} of {row['n']:,} lost"
        stayed = f"{percent(row['exposed_controls'] / row['controls'])} of {row['controls']:,} who stayed"
        sign = " up to the last sign of life" if row["branch"] == SILENT else ""
        return (
            f"{_event(row)} in the last {in_days(self.before_days)}{sign}: {had}, {stayed} as long "
            f"(odds ratio {self._ratio(row)})"
        )

    def _ratio(self, row: pd.Series) -> str:
        estimate, lower, upper = (
            f"{row[name]:.2f}" if np.isfinite(row[name]) else "without bound" for name in ("estimate", "lower", "upper")
        )
        return f"{estimate}, {self._level}{lower} to {upper}"


def _with_bound(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[np.isfinite(rows["estimate"]) & (rows["estimate"] > 0)]


def _event(row: pd.Series) -> str:
    return f"“{row['event']}”" + (" (by the company)" if row["initiator"] == COMPANY else "")


def _label(row: pd.Series, by: str | None) -> str:
    group = f" · {row['group']}" if by else ""
    company = " (company)" if row["initiator"] == COMPANY else ""
    return f"{row['stage']}{group} · {row['branch']}: {row['event']}{company}"
