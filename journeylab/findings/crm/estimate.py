"""How spells and the CRM's records become a comparison."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import pandas as pd

from journeylab.base.errors import EstimateError
from journeylab.events.log import Window, as_utc, written
from journeylab.events.queries.crm_records import CrmRecords
from journeylab.events.queries.crm_timeline import LOST, at_moment, crm_timeline
from journeylab.events.spells import Spells
from journeylab.findings.crm import agreement, lags
from journeylab.findings.crm.agreement import NO_RECORD
from journeylab.findings.crm.crm_comparison import CrmComparison
from journeylab.findings.finding import tidy
from journeylab.findings.grouping import By, WatchedVisits, Where

NO_CRM = (
    "There is no record of the CRM in this study, so it cannot be compared with what customers do. Name a table of its "
    "moves, or the column of the events that holds them, under “crm” in study.yml."
)
NO_BUCKET = (
    "No stage of the journey says which bucket of the CRM it is, so there is nothing to compare the CRM’s records "
    "with. Add “crm_bucket” to the stages in the journey’s file."
)
COLUMNS: dict[str, dict[str, type] | str] = {
    "table": agreement.SHARES,
    "matrix": agreement.MATRIX,
    "kappa": agreement.KAPPA,
    "lags": lags.COLUMNS,
}
MISMATCHES = ("customer_id", "stage", "expected", "bucket", "since", "days", "why")


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

    Compared are customers inside a stage that has a bucket. Of those lost only the matrix and the mismatches tell,
    because the journey names no bucket for them. Lags are of each customer's first visit to a stage of a bucket, if its
    beginning was watched, and of the CRM's first move into that bucket.

    Parameters
    ----------
    spells : Spells
    records : CrmRecords, DataFrame or None
        When the CRM moved whom into which bucket; a DataFrame has the columns `customer_id`, `time` (UTC) and `bucket`.
        None: there are no records. A bucket holds until the next record. Records at or after the window's end are not
        used.
    at : str, date or Timestamp, optional
        The moment to compare at; by default the window's end.
    by : Grouping, Series, str or list of these, optional
        Groups to estimate one by one: labels by customer, a column of `spells.customers`, or a list for all
        combinations; see `Grouping.apply`.
    where : str or Series of bool, optional
        Only these customers, such as ``"seats > 10"``. The CRM's records of the others are not used.
    confidence : float
        Of the intervals.

    Returns
    -------
    CrmComparison
        Empty where there are no records, no stage with a bucket, or nobody in a stage; `lacking` then says why.

    Raises
    ------
    EstimateError
        If no customer in the records has a spell, `at` is outside the window, `by` or `where` is unknown, or
        `confidence` is not between 0 and 1.
    JourneyLabError
        If the records lack one of the three columns.

    References
    ----------
    Cohen (1960), Educational and Psychological Measurement 20:37-46.

    Examples
    --------
    >>> import journeylab as jl
    >>> made = jl.simulate_log(200, seed=1)
    >>> jl.compare_crm(jl.find_spells(made.log, made.journey), None).lacking.split(",")[0]
    'There is no record of the CRM in this study'
    """
    moment, journey = _read_moment(at, spells.window), spells.journey
    crm = _read_records(records)
    watched = WatchedVisits.of(spells, by=by, where=where, confidence=confidence)
    # Who is left out by `where` is known, and no stranger.
    left_out = spells.customers.index.difference(watched.spells.customers.index)
    moves, visits, name = crm.table[~crm.table["customer_id"].isin(left_out)], watched.visits, watched.by
    expected = {stage.name: stage.crm_bucket for stage in journey.stages if stage.crm_bucket}
    lacking = NO_CRM if not len(crm) else None if expected else NO_BUCKET
    if lacking is None:
        _check_ids(moves, visits)
        lacking = None if len(visits) else watched.why_nobody()
    if lacking:
        visits, moves = visits.iloc[:0], moves.iloc[:0]
    pieces = agreement.with_days(crm_timeline(visits, moves, spells.window), expected)
    now = at_moment(pieces, moment, spells.window)
    waits = lags.find_lags(visits, moves, expected, spells.window)
    order = _order(pieces, expected, journey.stage_names)
    rows = {table: [] for table in COLUMNS}
    for group, parts in _by_group(visits, (pieces, now, waits), name):
        for table, found in _rows(parts, expected, order, moment, confidence).items():
            rows[table] += [{"group": group, **row} for row in found]
    return CrmComparison(
        **watched.about("What the CRM says, beside what customers do"),
        lacking=lacking,
        **{table: tidy(rows[table], columns, by=name) for table, columns in COLUMNS.items()},
        mismatches=_mismatches(now, expected, journey.stage_names, moment),
        at=moment,
        n_strangers=int((~moves["customer_id"].drop_duplicates().isin(visits["customer_id"])).sum()),
        buckets=MappingProxyType(expected),
        titles=MappingProxyType({name: journey.title(name) for name in (*journey.stage_names, *journey.branches)}),
    )


def _read_moment(at: str | date | pd.Timestamp | None, window: Window) -> pd.Timestamp:
    moment = window.end if at is None else as_utc(at)
    if not window.start < moment <= window.end:
        raise EstimateError(
            f"The moment to compare at, {written(moment)}, is not in the window, {window}. Name a time after its start "
            "and not after its end."
        )
    return moment


def _read_records(records: CrmRecords | pd.DataFrame | None) -> CrmRecords:
    if isinstance(records, CrmRecords):
        return records
    if records is None:
        none = pd.DataFrame({"customer_id": [], "time": pd.to_datetime([], utc=True), "bucket": []}, dtype=object)
        records = none.astype({"time": "datetime64[us, UTC]"})
    return CrmRecords.of(records)


def _check_ids(moves: pd.DataFrame, visits: pd.DataFrame) -> None:
    """Raise EstimateError where records and visits know none of each other's customers."""
    if len(visits) and len(moves) and not moves["customer_id"].isin(visits["customer_id"]).any():
        raise EstimateError(
            f"None of the CRM’s customers ({moves['customer_id'].nunique():,}) has a spell: the CRM has "
            f"“{moves['customer_id'].iloc[0]}”, the spells “{visits['customer_id'].iloc[0]}”. "
            "Name the column of the CRM that holds the log’s ids."
        )


def _by_group(
    visits: pd.DataFrame, tables: tuple[pd.DataFrame, ...], by: str | None
) -> list[tuple[str | None, tuple[pd.DataFrame, ...]]]:
    """The rows of each table for each group of the customers with `visits`, or for all of them."""
    if by is None or visits.empty:
        return [(None, tables)] if len(visits) else []
    customers = visits.drop_duplicates("customer_id").groupby("group", sort=True)["customer_id"]
    return [(group, tuple(table[table["customer_id"].isin(ids)] for table in tables)) for group, ids in customers]


def _rows(
    parts: tuple[pd.DataFrame, ...],
    expected: Mapping[str, str],
    order: tuple[list[str], list[str]],
    moment: pd.Timestamp,
    confidence: float,
) -> dict[str, list[dict]]:
    """The rows of each table of the finding. `parts`: pieces, those at the moment, and waits."""
    pieces, now, waits = parts
    return {
        "table": agreement.share_rows(pieces, now, expected, confidence=confidence),
        "matrix": agreement.matrix_rows(pieces, now, order, confidence=confidence),
        "kappa": [
            agreement.kappa_row(now, when=f"at {written(moment)}", of="customers", confidence=confidence),
            agreement.kappa_row(pieces, when="over time", of="days", confidence=confidence),
        ],
        "lags": lags.lag_rows(waits, expected, confidence=confidence),
    }


def _mismatches(
    now: pd.DataFrame, expected: Mapping[str, str], stages: tuple[str, ...], moment: pd.Timestamp
) -> pd.DataFrame:
    """Who is in another bucket than that of the stage, in none, or lost and still in the bucket of a stage."""
    wrong = now["expected"].notna() & ~now["agrees"]
    still = now["is_lost"] & now["bucket"].isin([*expected.values()])
    rows = now[wrong | still]
    # Where the CRM has no record of anybody, `bucket_since` is missing and no time.
    bucket_since = pd.to_datetime(rows["bucket_since"], utc=True).astype(rows["place_since"].dtype)
    since = rows[["place_since"]].assign(bucket_since=bucket_since).max(axis=1)
    another = rows["bucket"].notna().map({True: "another bucket", False: NO_RECORD})
    rows = rows.assign(
        stage=rows["where"],
        since=since,
        days=(moment - since) / pd.Timedelta(days=1),
        why=another.where(~rows["is_lost"], "lost to " + rows["place"].astype(str)),
        position=rows["where"].map({stage: position for position, stage in enumerate((*stages, LOST))}),
    )
    rows = rows.sort_values(["position", "since", "customer_id"], kind="stable")
    return rows[[*MISMATCHES]].reset_index(drop=True)


def _order(pieces: pd.DataFrame, expected: Mapping[str, str], stages: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Stages and what else customers are in, in the journey's order; buckets in the journey's order, then those that
    the journey does not name, most frequent first."""
    buckets = list(dict.fromkeys(expected[stage] for stage in stages if stage in expected))
    others = pieces.loc[~pieces["said"].isin([*buckets, NO_RECORD]), "said"]
    counts = others.value_counts().rename_axis("said").reset_index(name="n")
    by_count = counts.sort_values(["n", "said"], ascending=[False, True], kind="stable")["said"]
    return [*stages, LOST], [*buckets, *by_count, NO_RECORD]
