"""CRM comparison: of the customers inside each stage, how many does the CRM hold in that stage's bucket, and who are
the others?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.ordering import largest
from journeylab.base.sheets import write_csv
from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.words import counted, elapsed
from journeylab.events.log import written
from journeylab.events.queries.crm_timeline import LOST
from journeylab.findings.crm.agreement import ALL
from journeylab.findings.finding import LaneName, StageFinding, share_in_words


@dataclass(frozen=True)
class CrmComparison(StageFinding):
    """What the CRM says of customers, beside what they do: at one moment, over time, and how late it learns.

    Attributes
    ----------
    table : DataFrame
        A row per (group and) stage that has a bucket, and one for all of them: of the `n` customers inside at the
        moment, `recorded` are in the CRM in some bucket, and `agreeing` in the bucket of the stage; `estimate`,
        `lower`, `upper`: agreeing / n (Wilson; without a record is not agreeing). `days_estimate` and limits: the share
        of all `customer_days` spent inside, in the window, on which the CRM agreed (clustered by customer).
    matrix : DataFrame
        A row per (group,) stage, or “lost”, and bucket, or “no record”: `customers` there at the moment, as a share
        (`estimate`, Wilson limits) of the `n` in the stage; `customer_days` over the window. All pairs, even those
        without customers.
    kappa : DataFrame
        Cohen's kappa at the moment (over `n` customers with a record) and over time (over `n` customer-days):
        `estimate`, `lower`, `upper`, `observed` agreement and that `by_chance`.
    lags : DataFrame
        A row per (group and) stage: of `n` customers who came to the stage, how many days later the CRM `moved` them to
        its bucket, negative where it was earlier: the median (`estimate`, limits) and quartiles, those `not_yet` moved
        counting as still waiting; `median_moved` of those moved alone.
    mismatches : DataFrame
        A row per customer to be corrected: in another bucket than that of the stage, in none, or lost and still in the
        bucket of a stage; `since` when it has been so, `days` up to the moment. These rows name customers: hand them on
        with `write`, they are in no report.
    at : Timestamp
        The moment.
    n_strangers : int
        Customers of the CRM who were in no stage while watched; those that `where` left out do not count.
    buckets : mapping
        Bucket by stage.
    titles : mapping
        What figures call the stages and branches.
    """

    matrix: pd.DataFrame
    kappa: pd.DataFrame
    lags: pd.DataFrame
    mismatches: pd.DataFrame = field(repr=False)
    at: pd.Timestamp
    n_strangers: int
    buckets: Mapping[str, str] = field(repr=False)
    titles: Mapping[str, str] = field(repr=False)

    def sentence(self) -> str:
        """The share in the right bucket with interval and kappa, the median lag, and how many are to be corrected."""
        totals = [self._total(row) for _, row in self.table[self.table["stage"] == ALL].iterrows()]
        n, lost = len(self.mismatches), int((self.mismatches["stage"] == LOST).sum())
        still = f", {lost:,} of them lost and still in the bucket of a stage" if lost else ""
        to_correct = f"To be corrected: {counted(n, 'customer')}{still}."
        return " ".join([*totals, *([] if self.by else self._late()), to_correct])

    def by_stage(self) -> pd.DataFrame:
        """Lane `CRM agreement`: share, interval and base, in words; with groups, one for each. None where nobody is
        inside, or the stage has no bucket."""
        lanes = {
            LaneName.CRM_AGREEMENT + suffix: {
                row["stage"]: _agreement(row) for _, row in rows[rows["n"] > 0].iterrows()
            }
            for suffix, rows in self._by_group(self.table)
        }
        return self._lanes(lanes or {LaneName.CRM_AGREEMENT: {}})

    def plot(self, ax=None) -> Chart:
        """The matrix at the moment: of the customers in each stage, which share the CRM holds in which bucket; with
        groups, the share that agrees by stage and group."""
        if self.by:
            return self._plot_groups(ax)
        rows = self.matrix[self.matrix["n"] >= MIN_SHOWN]
        if rows.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        cells = rows.assign(
            stage=rows["stage"].map(self._with_bucket),
            bucket=rows["bucket"].str.replace(" ", "\n"),
            estimate=rows["estimate"].fillna(0.0),
            text=[_cell(row) for _, row in rows.iterrows()],
        )
        return charts.tiles(
            cells,
            row="stage",
            column="bucket",
            value="estimate",
            text="text",
            title=f"Customers by stage (its bucket) and by the CRM’s bucket, {written(self.at)}",
            alt=f"Customers by stage and by the CRM’s bucket. {self.sentence()}",
            ax=ax,
        )

    def plot_lags(self, ax=None) -> Chart:
        """The median days between a customer's move to a stage and the CRM's, with intervals."""
        rows = self.lags[self.lags["estimate"].notna()]
        title = "How long after customers the CRM moves"
        if rows.empty:
            why = self.lacking or "In no stage has the CRM moved half of the customers yet."
            return charts.note(why, title=title, ax=ax)
        lags = [f"{row['stage']}: {elapsed(row['estimate'])} of {row['n']:,} customers" for _, row in rows.iterrows()]
        return charts.intervals(
            self._titled(rows),
            label="stage",
            by="group" if self.by else None,
            reference=0.0,
            x_label=f"median days, negative where the CRM is earlier ({self.confidence:.0%} intervals)",
            title=title,
            alt=f"{title}: {'; '.join(lags)}.",
            ax=ax,
        )

    def write(self, path: str | Path) -> Path:
        """Write the mismatches as CSV to `path`, in one step; returns the path. Texts that a spreadsheet would run as a
        formula begin with an apostrophe."""
        return write_csv(self.mismatches, path)

    def _tables(self) -> dict[str, pd.DataFrame]:
        level = f"Share of customers inside whom the CRM holds in the stage’s bucket, {self.confidence:.0%} intervals"
        late = "Days from a customer’s move to the CRM’s; negative: the CRM was earlier"
        return {
            level: self.table[~self.table["n"].between(1, MIN_SHOWN - 1)],
            late: self.lags[self.lags["n"] >= MIN_SHOWN],
        }

    def _plot_groups(self, ax) -> Chart:
        rows = self.table[(self.table["n"] >= MIN_SHOWN) & (self.table["stage"] != ALL)]
        if rows.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        return charts.intervals(
            self._titled(rows),
            label="stage",
            by="group",
            percent=True,
            x_label=f"share in the stage’s bucket ({self.confidence:.0%} intervals)",
            title=f"How far the CRM agrees, {written(self.at)}, by {self.by}",
            alt=f"How far the CRM agrees, by stage and {self.by}. {self.sentence()}",
            ax=ax,
        )

    def _titled(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(stage=rows["stage"].map(lambda stage: self.titles.get(stage, stage)))

    def _total(self, row: pd.Series) -> str:
        """The share of all customers inside, or of those of one group, in the right bucket."""
        group = self._with_group(row)
        if not row["n"]:
            return f"On {written(self.at)} no customer{group} is inside a stage that has a bucket of the CRM."
        within = f" of {counted(row['n'], 'customer')}{group} in the bucket of the stage they are in"
        share = share_in_words(row, within=within, level=self._level, base=self._kappa(row))
        n_unrecorded = row["n"] - row["recorded"]
        return f"On {written(self.at)} the CRM holds {share}. It has no record of {n_unrecorded:,}."

    def _kappa(self, row: pd.Series) -> str:
        kappa = self._of_group(self.kappa[self.kappa["when"] != "over time"], row).iloc[0]
        if pd.isna(kappa["estimate"]):
            return ""
        interval = f", {kappa['lower']:.2f} to {kappa['upper']:.2f}" if pd.notna(kappa["lower"]) else ""
        return f"Cohen’s kappa {kappa['estimate']:.2f}{interval}"

    def _with_bucket(self, stage: str) -> str:
        bucket = f" ({self.buckets[stage]})" if stage in self.buckets else ""
        return self.titles.get(stage, stage) + bucket

    def _late(self) -> list[str]:
        moved, n, not_yet = (int(self.lags[column].sum()) for column in ("moved", "n", "not_yet"))
        if moved < MIN_SHOWN:
            return []
        known, latest = self.lags[self.lags["estimate"].notna()], ""
        if len(known):
            row = known.iloc[largest(known["estimate"])]
            latest = f" The latest are those to “{row['stage']}”, by a median of {elapsed(row['estimate'])}."
        return [f"Of {counted(n, 'move')} to a stage the CRM made {moved:,}, and not yet {not_yet:,}.{latest}"]


def _agreement(row: pd.Series) -> str:
    if row["n"] < MIN_SHOWN:
        return f"fewer than {MIN_SHOWN} customers inside"
    return share_in_words(row, base=counted(row["n"], "customer"))


def _cell(row: pd.Series) -> str:
    if not row["customers"]:
        return ""
    return f"{row['customers']:,} ({row['estimate']:.0%})" if row["customers"] >= MIN_SHOWN else f"<{MIN_SHOWN}"
