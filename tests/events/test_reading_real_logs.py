"""Reading: three real logs, with every row accounted for. Counts by hand from the files with DuckDB and pandas."""

import pandas as pd
import pytest

from journeylab.events.log import EventLog
from journeylab.events.reading import read_events

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def retail(shared) -> EventLog:
    return read_events(
        shared / "data" / "online_retail_uci" / "line_items.parquet",
        columns={"customer_id": "CustomerID", "time": "InvoiceDate", "event": {"constant": "purchase"}},
        window=("2010-12-01", "2011-12-10"),
        timezone="Europe/London",
    )


def test_invoice_lines_without_customer_and_repeated_ones_are_accounted_for(retail, shared):
    # 5,268 lines repeat an earlier one; 43 of them have no customer either.
    source = pd.read_parquet(shared / "data" / "online_retail_uci" / "line_items.parquet")
    assert source.duplicated().sum() == 5_268
    assert (source.duplicated() & source["CustomerID"].notna()).sum() == 5_225
    assert retail.quarantine.counts["rows"].to_list() == [135_080, 0, 0, 5_225, 0]
    assert (retail.rows_read, len(retail), retail.n_customers) == (541_909, 401_604, 4_372)


def test_cancellations_can_be_told_by_quantity_and_london_summers_are_an_hour_ahead(retail):
    events = retail.events
    cancelled = events.InvoiceNo.startswith("C")
    assert events.filter(cancelled).count().to_pyarrow().as_py() == 8_872
    assert events.filter(cancelled & (events.Quantity >= 0)).count().to_pyarrow().as_py() == 0
    # The file says 2011-06-01 07:37.
    june = events.filter(events.InvoiceNo == "555156").time.min().to_pyarrow()
    assert june.as_py() == pd.Timestamp("2011-06-01 06:37", tz="UTC")


def test_loan_applications_carry_their_zone_and_the_window_divides_them(shared):
    path = shared / "data" / "bpi2012_loan" / "events.parquet"
    columns = {"customer_id": "case_id", "time": "timestamp", "event": "activity", "value": "amount_req"}
    log = read_events(path, columns=columns, window=("2011-10-01", "2012-02-01"))
    source = pd.read_parquet(path, columns=["timestamp"])["timestamp"]
    assert log.rows_read == 262_200
    assert log.quarantine.counts["rows"].to_list() == [0, 0, 0, 0, int((source >= "2012-02-01T00:00Z").sum())]
    assert log.events_by_month()["history"].to_list() == [4, 0, 0, 0, 0]
    assert len(read_events(path, columns=columns, window=("2011-10-01", "2012-04-01"))) == 262_200


def test_enrolments_dated_by_day_keep_their_order_and_their_attributes(shared):
    folder = shared / "data" / "oulad"
    log = read_events(
        folder / "events.parquet",
        columns={"time": "timestamp"},
        window=("2013-01-01", "2015-01-01"),
        timezone="UTC",
        customers=folder / "customers.parquet",
        duplicates="keep",
    )
    source = pd.read_parquet(folder / "events.parquet")
    assert log.rows_read == 266_313 == len(log) + len(log.quarantine)
    assert len(log.quarantine) == int((source["timestamp"] >= "2015-01-01").sum())
    first = log.events.order_by("seq").limit(1000).to_pyarrow()["customer_id"].to_pylist()
    assert first == source["customer_id"].head(1000).to_list()
    assert len(log.customers) == 32_593
    assert log.customers.index.is_monotonic_increasing
    assert log.customers["studied_credits"].dtype == "int64"
