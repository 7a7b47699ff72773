"""CRM check: of the customers inside each stage, how many does the CRM hold in that stage's bucket, and who are the
others?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.base.errors import EstimateError
from journeylab.base.ordering import largest
from journeylab.base.sheets import write_csv
from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.words import counted, percent
from journeylab.events.log import Window, as_utc, written
from journeylab.events.queries.crm_records import CrmRecords
from journeylab.events.queries.crm_timeline import LOST
from journeylab.events.spells import Spells
from journeylab.findings.arguments import check_confidence
from journeylab.findings.crm.agreement import ALL
from journeylab.findings.crm.estimate import Compared
from journeylab.findings.finding import Finding, LaneName
from journeylab.findings.grouping import By, Grouping, Where, select, watched, why_nobody

NO_CRM = (
    "There is no record of the CRM in this study, so what it says cannot be held against what customers do. Name a "
    "table of its moves, or the column of the events that holds them, under “crm” in study.yml."
)
NO_BUCKET = (
    "No stage of the journey says which bucket of the CRM it is, so there is nothing to hold the CRM’s records "
    "against. Add “crm_bucket” to the stages in the journey’s file."
)


@dataclass(frozen=True)
class CrmComparison(Finding):
    """What the CRM says of customers, beside what they do: at one moment, over time, and how late it learns.

    table: a row per (group and) stage that has a bucket, and one for all of them: of the `n` customers inside at the
        moment, `recorded` are in the CRM in some bucket, and `agreeing` in the bucket of the stage; `estimate`,
        `lower`, `upper`: agreeing / n (Wilson; without a record is not agreeing). `days_estimate` and limits: the share
        of all `customer_days` spent inside, in the window, on which the CRM agreed (clustered by customer).
    matrix: a row per (group,) stage, or “lost”, and bucket, or “no record”: `customers` there at the moment, as a share
        (`estimate`, Wilson limits) of the `n` in the stage; `customer_days` over the window. All pairs, those of
        nobody too.
    kappa: Cohen's kappa at the moment (over `n` customers with a record) and over time (over `n` customer-days):
        `estimate`, `lower`, `upper`, `observed` agreement and that `by_chance`.
    lags: a row per (group and) stage: of `n` customers who came to the stage, how many days later the CRM `moved` them
        to its bucket, negative where it was earlier: the median (`estimate`, limits) and quartiles, those `not_yet`
        moved counting as still waiting; `median_moved` of those moved alone.
    mismatches: a row per customer to be corrected: in another bucket than that of the stage, in none, or lost and still
        in the bucket of a stage; `since` when it has been so, `days` up to the moment. These rows name customers: hand
        them on with `write`, they are in no report.
    at: the moment. n_strangers: customers of the CRM who were in no stage while watched. buckets: bucket by stage.
    """

    matrix: pd.DataFrame
    kappa: pd.DataFrame
    lags: pd.DataFrame
    mismatches: pd.DataFrame = field(repr=False)
    at: pd.Timestamp
    n_strangers: int
    buckets: Mapping[str, str] = field(repr=False)
    titles: Mapping[str, str] = field(repr=False)
    confidence: float
    by: str | None
    stages: tuple[str, ...]

    def sentence(self) -> str:
        """The share in the right bucket with interval and kappa, the median lag, and how many are to be corrected."""
        if self.lacking:
            return self.lacking
        told = []
        for _, row in self.table[self.table["stage"] == ALL].iterrows():
            group = f" with {self.by} “{row['group']}”" if self.by else ""
            if not row["n"]:
                told.append(f"On {written(self.at)} no customer{group} is inside a stage that has a bucket of the CRM.")
                continue
            interval = f"{self.confidence:.0%} interval {percent(row['lower'])} to {percent(row['upper'])}"
            told.append(
                f"On {written(self.at)} the CRM holds {percent(row['estimate'])} of {counted(row['n'], 'customer')}"
                f"{group} in the bucket of the stage they are in ({interval}{self._kappa(row)}); it has no record of "
                f"{row['n'] - row['recorded']:,}."
            )
        return " ".join([*told, *([] if self.by else self._late()), self._to_correct()])

    def by_stage(self) -> pd.DataFrame:
        """Lane `CRM agreement`: share, interval and base, in words; with groups, one for each. None where nobody is
        inside, or the stage has no bucket."""
        lanes = {}
        for group in dict.fromkeys(self.table["group"]) if self.by else [None]:
            rows = self.table if group is None else self.table[self.table["group"] == group]
            cells = {row["stage"]: self._lane(row) for _, row in rows[rows["n"] > 0].iterrows()}
            lanes[LaneName.CRM_AGREEMENT + (f" ({group})" if self.by else "")] = [
                cells.get(stage) for stage in self.stages
            ]
        lanes = lanes or {LaneName.CRM_AGREEMENT: [None] * len(self.stages)}
        return pd.DataFrame(lanes, index=pd.Index(self.stages, name="stage"), dtype=object)

    def plot(self, ax=None) -> Chart:
        """The matrix at the moment: of the customers in each stage, which share the CRM holds in which bucket; with
        groups, the share that agrees by stage and group."""
        if self.lacking:
            return charts.note(self.lacking, title=self.title, ax=ax)
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
        told = [f"{row['stage']}: {row['estimate']:.3g} days of {row['n']:,} customers" for _, row in rows.iterrows()]
        return charts.intervals(
            rows.assign(stage=rows["stage"].map(lambda stage: self.titles.get(stage, stage))),
            label="stage",
            x="estimate",
            lower="lower",
            upper="upper",
            by="group" if self.by else None,
            reference=0.0,
            x_label=f"median days, negative where the CRM is earlier ({self.confidence:.0%} intervals)",
            title=title,
            alt=f"{title}: {'; '.join(told)}.",
            ax=ax,
        )

    def write(self, path: str | Path) -> Path:
        """Write the mismatches as CSV to `path`, in one step; returns the path. Texts that a spreadsheet would run as a
        formula begin with an apostrophe."""
        return write_csv(self.mismatches, path)

    def _repr_html_(self) -> str:
        few = self.table["n"].between(1, MIN_SHOWN - 1)
        shown = self.table[~few]
        level = f"Share of customers inside whom the CRM holds in the stage’s bucket, {self.confidence:.0%} intervals"
        late = "Days from a customer’s move to the CRM’s; negative: the CRM was earlier"
        return self._card(
            html.paragraph(self.sentence()),
            html.table(shown, caption=level),
            html.table(self.lags[self.lags["n"] >= MIN_SHOWN], caption=late),
        )

    def _plot_groups(self, ax) -> Chart:
        rows = self.table[(self.table["n"] >= MIN_SHOWN) & (self.table["stage"] != ALL)]
        if rows.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        return charts.intervals(
            rows.assign(stage=rows["stage"].map(lambda stage: self.titles.get(stage, stage))),
            label="stage",
            x="estimate",
            lower="lower",
            upper="upper",
            by="group",
            percent=True,
            x_label=f"share in the stage’s bucket ({self.confidence:.0%} intervals)",
            title=f"How far the CRM agrees, {written(self.at)}, by {self.by}",
            alt=f"How far the CRM agrees, by stage and {self.by}. {self.sentence()}",
            ax=ax,
        )

    def _kappa(self, row: pd.Series) -> str:
        rows = self.kappa[self.kappa["when"] != "over time"]
        found = (rows[rows["group"] == row["group"]] if self.by else rows).iloc[0]
        if pd.isna(found["estimate"]):
            return ""
        interval = f", {found['lower']:.2f} to {found['upper']:.2f}" if pd.notna(found["lower"]) else ""
        return f"; Cohen’s kappa {found['estimate']:.2f}{interval}"

    def _with_bucket(self, stage: str) -> str:
        bucket = f" ({self.buckets[stage]})" if stage in self.buckets else ""
        return self.titles.get(stage, stage) + bucket

    def _to_correct(self) -> str:
        n, lost = len(self.mismatches), int((self.mismatches["stage"] == LOST).sum())
        still = f", {lost:,} of them lost and still in the bucket of a stage" if lost else ""
        return f"To be corrected: {counted(n, 'customer')}{still}."

    def _late(self) -> list[str]:
        moved, n, not_yet = (int(self.lags[column].sum()) for column in ("moved", "n", "not_yet"))
        if moved < MIN_SHOWN:
            return []
        late = self.lags.loc[self.lags["estimate"].notna()]
        most = ""
        if len(late):
            worst = late.iloc[largest(late["estimate"])]
            most = f", latest for “{worst['stage']}”, a median of {worst['estimate']:.3g} days"
        return [f"Of {counted(n, 'move')} to a stage the CRM made {moved:,}{most}, and {not_yet:,} not yet."]

    def _lane(self, row: pd.Series) -> str:
        if row["n"] < MIN_SHOWN:
            return f"fewer than {MIN_SHOWN} customers inside"
        interval = f"{percent(row['lower'])} to {percent(row['upper'])}"
        return f"{percent(row['estimate'])} ({interval}; {counted(row['n'], 'customer')})"


def compare_crm(
    spells: Spells,
    records: CrmRecords | pd.DataFrame | None,
    *,
    at: str | date | pd.Timestamp | None = None,
    by: By | None = None,
    where: Where | None = None,
    confidence: float = 0.95,
) -> CrmComparison:
    """Does the CRM hold customers in the bucket (`crm_bucket` in journey.yml) of the stage they are in?

    records: when the CRM moved whom into which bucket: `CrmRecords`, or a DataFrame with `customer_id`, `time` (UTC),
        `bucket`; None: there are none. A bucket holds until the next record. Records at or after the window's end are
        not used.
    at: the moment to compare at; by default the window's end. Compared are customers inside a stage that has a bucket;
        of those lost only the matrix and the mismatches tell, for the journey names no bucket for them.
    by: a Grouping, a Series of labels by customer, or a column of `spells.customers`: see `Grouping.apply`.

    Lags are of each customer's first visit to a stage of a bucket, if its beginning was watched, and of the CRM's first
    move into that bucket. Where there are no records, no stage with a bucket, or nobody in a stage, the finding is
    empty and `lacking` says why.

    Raises EstimateError: records of customers without spells only, `at` outside the window, unknown `by`, `confidence`
    not between 0 and 1; JourneyLabError: records without the three columns.
    Source: Cohen (1960), Educational and Psychological Measurement 20:37-46.
    """
    check_confidence(confidence)
    moment = _read_moment(at, spells.window)
    spells = select(spells, where)
    grouping = None if by is None else Grouping.of(by, spells)
    visits, journey = watched(spells, grouping), spells.journey
    expected = {stage.name: stage.crm_bucket for stage in journey.stages if stage.crm_bucket}
    said = records if isinstance(records, CrmRecords) else CrmRecords.of(_NOTHING if records is None else records)
    lacking = _why_nothing(said, expected, visits) or (None if len(visits) else why_nobody(spells, grouping))
    kept, moves = (visits.iloc[:0], said.table.iloc[:0]) if lacking else (visits, said.table)
    compared = Compared.of(kept, moves, expected, moment, spells.window)
    return CrmComparison(
        title="What the CRM says, beside what customers do" + (f", by {grouping.name}" if grouping else ""),
        lacking=lacking,
        period=spells.window,
        **compared.tables(grouping.name if grouping else None, journey.stage_names, confidence),
        mismatches=compared.mismatches(journey.stage_names),
        at=moment,
        n_strangers=int((~moves["customer_id"].drop_duplicates().isin(kept["customer_id"])).sum()),
        buckets=MappingProxyType(expected),
        titles=MappingProxyType({each: journey.title(each) for each in (*journey.stage_names, *journey.branches)}),
        confidence=confidence,
        by=grouping.name if grouping else None,
        stages=journey.stage_names,
    )


_NOTHING = pd.DataFrame({"customer_id": [], "time": pd.to_datetime([], utc=True), "bucket": []}).astype(
    {"customer_id": object, "bucket": object}
)


def _read_moment(at: str | date | pd.Timestamp | None, window: Window) -> pd.Timestamp:
    moment = window.end if at is None else as_utc(at)
    if not window.start < moment <= window.end:
        raise EstimateError(
            f"The moment to compare at, {written(moment)}, is not in the window, {window}. Name a time after its start "
            "and not after its end."
        )
    return moment


def _why_nothing(records: CrmRecords, expected: Mapping[str, str], visits: pd.DataFrame) -> str | None:
    """Why there is nothing to compare. Raises EstimateError where the two know none of each other's customers."""
    if not len(records):
        return NO_CRM
    if not expected:
        return NO_BUCKET
    if len(visits) and not records.table["customer_id"].isin(visits["customer_id"]).any():
        raise EstimateError(
            f"None of the CRM’s customers ({records.table['customer_id'].nunique():,}) has a spell: the CRM has "
            f"“{records.table['customer_id'].iloc[0]}”, the spells “{visits['customer_id'].iloc[0]}”. "
            "Name the column of the CRM that holds the log’s ids."
        )
    return None


def _cell(row: pd.Series) -> str:
    if not row["customers"]:
        return ""
    return f"{row['customers']:,} ({row['estimate']:.0%})" if row["customers"] >= MIN_SHOWN else f"<{MIN_SHOWN}"
