"""CRM records: since when does the CRM hold each customer in which bucket?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from journeylab.base import html
from journeylab.base.errors import LogError, did_you_mean
from journeylab.base.tables import check_columns
from journeylab.base.words import counted
from journeylab.events.log import EventLog, Window, written
from journeylab.events.reading import read_events

COLUMNS = {"customer_id": "any", "time": "time", "bucket": "any"}
# The CRM may have held a customer in a bucket since long before the study's window.
BEGINNING = pd.Timestamp("1970-01-01", tz="UTC")


@dataclass(frozen=True, eq=False)
class CrmRecords:
    """Moves of customers between the buckets (stages) of a CRM.

    Attributes
    ----------
    table : DataFrame
        Columns `customer_id`, `time` (UTC) and `bucket`, by customer and time: from this time on the CRM has the
        customer in this bucket, or, where it is null, in none. A row that repeats the bucket before it is left out.
    refused : str or None
        How many rows could not be used, and why, in words; None where none was refused.
    """

    table: pd.DataFrame
    refused: str | None = None

    @classmethod
    def of(cls, records: pd.DataFrame) -> "CrmRecords":
        """The records in a DataFrame with the columns `customer_id`, `time` and `bucket`.

        Of two rows of one customer and time the later row holds; a blank bucket is none. Raises JourneyLabError where a
        column is lacking or of another kind (times need a zone), LogError where a customer or a time is missing.
        """
        check_columns(records, COLUMNS, name="“records”")
        for column in ("customer_id", "time"):
            missing = records[column].isna()
            if missing.any():
                raise LogError(
                    f"“{column}” is missing in {missing.sum():,} of {counted(len(records), 'record')} of the CRM, "
                    f"first in row {int(missing.to_numpy().argmax()) + 1:,}. Fill it in, or remove these rows."
                )
        bucket = records["bucket"].astype(object).where(records["bucket"].notna(), "").astype(str).str.strip()
        rows = pd.DataFrame(
            {
                "customer_id": records["customer_id"].astype(str),
                "time": pd.to_datetime(records["time"], utc=True).dt.as_unit("us"),
                "bucket": bucket.astype(object).where(bucket != "", None),
            }
        ).sort_values(["customer_id", "time"], kind="stable")
        rows = rows[~rows.duplicated(["customer_id", "time"], keep="last")]
        before = rows.groupby("customer_id")["bucket"].shift()
        is_same = (rows["bucket"] == before) | (rows["bucket"].isna() & before.isna())
        return cls(rows[~is_same | ~rows.duplicated("customer_id")].reset_index(drop=True))

    @classmethod
    def from_log(cls, log: EventLog, *, column: str) -> "CrmRecords":
        """The records that the log carries: the `column` of its events that holds the CRM's bucket.

        Events where it is empty say nothing of the CRM. Raises LogError where the log has no such column.
        """
        if column not in log.events.columns:
            raise LogError(f"The log has no column “{column}”. {did_you_mean(column, log.events.columns)}")
        text = log.events[column].cast("string").strip()
        rows = log.events.mutate(bucket=text).filter(text != "")
        rows = rows.order_by("customer_id", "time", "seq").select(*COLUMNS)
        return cls.of(rows.to_pyarrow().to_pandas())

    def __len__(self) -> int:
        return len(self.table)

    def sentence(self) -> str:
        """How many moves of how many customers into how many buckets, from when to when."""
        if not len(self):
            return "No record of the CRM."
        customers, buckets = self.table["customer_id"].nunique(), self.table["bucket"].nunique()
        first, last = (written(self.table["time"].agg(end).floor("min")) for end in ("min", "max"))
        refused = f"; {self.refused}" if self.refused else ""
        return (
            f"{counted(len(self), 'move')} of {counted(customers, 'customer')} between {counted(buckets, 'bucket')} of "
            f"the CRM, from {first} to {last}{refused}."
        )

    def __repr__(self) -> str:
        return f"CrmRecords: {self.sentence()}"

    def _repr_html_(self) -> str:
        counts = self.table.groupby("bucket", sort=False)["customer_id"].agg(moves="size", customers="nunique")
        return html.card("CRM records", html.paragraph(self.sentence()), html.table(counts.reset_index(), csv=False))


def read_crm(
    source: object,
    *,
    window: Window,
    columns: Mapping[str, str] | None = None,
    timezone: str | None = None,
    time_unit: str | None = None,
    **how: Any,
) -> CrmRecords:
    """Read a table of the CRM's moves: who, when, into which bucket.

    Parameters
    ----------
    source, timezone, time_unit, **how
        As in `read_events`.
    window : Window
        Records at or after its end are not used. Those before its start are: they say where customers then were.
    columns : mapping, optional
        The names that the source has for ``customer_id``, ``time`` and ``bucket``, as in
        ``{"customer_id": "account", "time": "changed_at", "bucket": "stage"}``.

    Returns
    -------
    CrmRecords
        What cannot be used (no customer, no time, no bucket) is counted in ``refused``.

    Raises
    ------
    LogError
        As `read_events` does.
    """
    names = {name: name for name in COLUMNS} | dict(columns or {})
    mapped = {"customer_id": names["customer_id"]}
    if not how.get("unfold"):
        mapped |= {"time": names["time"], "event": names["bucket"]}
    log = read_events(
        source,
        columns=mapped,
        window=Window(min(BEGINNING, window.start), window.end),
        timezone=timezone,
        time_unit=time_unit,
        duplicates="keep",
        **how,
    )
    rows = log.events.order_by("customer_id", "time", "seq").select("customer_id", "time", bucket=log.events.event)
    records = CrmRecords.of(rows.to_pyarrow().to_pandas())
    return replace(records, refused=str(log.quarantine) if len(log.quarantine) else None)
