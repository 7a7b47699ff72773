"""Reading: files, tables and databases give the same log, stored for as long as it is needed, with its customers."""

import gc
import gzip
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from journeylab.events.log import EventLog
from journeylab.events.reading import Source, read_events

NOON = "2024-01-01T12:00:00Z"
YEAR = ("2024-01-01", "2025-01-01")


def rows(**columns) -> pd.DataFrame:
    """Two usable rows, with `columns` in place of or beside theirs."""
    return pd.DataFrame({"customer_id": ["ada", "bob"], "time": NOON, "event": ["looked", "bought"]} | columns)


def read(source, **arguments) -> EventLog:
    return read_events(source, **({"window": YEAR} | arguments))


def column(log: EventLog, name: str) -> list:
    return log.events.order_by("seq").to_pyarrow()[name].to_pylist()


def reasons(log: EventLog) -> dict[str, int]:
    counts = log.quarantine.counts
    assert log.rows_read == len(log) + len(log.quarantine)
    return dict(counts[counts["rows"] > 0].itertuples(index=False))


def write_csv(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def same(log: EventLog) -> bool:
    found = log.events.order_by("seq").to_pyarrow().to_pylist()
    return [(row["customer_id"], row["event"], row["seq"]) for row in found] == [
        ("ada", "looked", 0),
        ("bob", "bought", 1),
    ]


@pytest.mark.slow
def test_files_of_each_kind_give_the_same_log(tmp_path):
    rows().to_csv(tmp_path / "a.csv", index=False)
    rows().to_csv(tmp_path / "a.csv.gz", index=False)
    rows().to_csv(tmp_path / "a.tsv", index=False, sep="\t")
    rows().to_csv(tmp_path / "semicolon.csv", index=False, sep=";")
    rows().to_parquet(tmp_path / "a.parquet")
    rows().to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    for name in ("a.csv", "a.csv.gz", "a.tsv", "semicolon.csv", "a.parquet", "a.jsonl"):
        assert same(read(tmp_path / name)), name
        assert same(read(str(tmp_path / name))), name


@pytest.mark.slow
def test_tables_of_each_kind_give_the_same_log():
    arrow = pa.Table.from_pandas(rows(), preserve_index=False)
    assert same(read(arrow))
    assert same(read(arrow.to_reader()))
    assert same(read(rows().set_index("customer_id")))
    assert same(read(ibis.memtable(arrow)))
    database = ibis.duckdb.connect()
    assert same(read(database.create_table("log", ibis.memtable(arrow)).filter(ibis._.event != "nothing")))


def test_columns_without_any_value_are_kept():
    arrow = pa.table({"customer_id": ["ada"], "time": [NOON], "event": ["looked"], "note": pa.nulls(1)})
    assert column(read(arrow), "note") == [None]
    assert column(read(arrow.to_reader()), "note") == [None]


def test_the_files_of_a_glob_follow_each_other_by_name_and_lacking_columns_are_null(tmp_path):
    write_csv(tmp_path / "2.csv", "customer_id,time,event,page", f"bob,{NOON},bought,a")
    with gzip.open(tmp_path / "1.csv.gz", "wt") as file:
        file.write(f"time,customer_id,event\n{NOON},ada,looked\n")
    log = read(tmp_path / "*.csv*")
    assert same(log)
    assert column(log, "page") == [None, "a"]


def test_ids_in_text_files_stay_as_they_are_written(tmp_path):
    path = write_csv(tmp_path / "log.csv", "customer_id,time,event,n", f"007,{NOON},1,1", f"8,{NOON},2,2")
    log = read(path)
    assert (column(log, "customer_id"), column(log, "event"), column(log, "n")) == (["007", "8"], ["1", "2"], [1, 2])


def test_ids_that_a_tool_wrote_with_decimals_lose_them(tmp_path):
    path = write_csv(tmp_path / "log.csv", "customer_id,time,event", f"17850.0,{NOON},x", f",{NOON},x")
    log = read(path)
    assert (column(log, "customer_id"), reasons(log)) == (["17850"], {"missing customer": 1})


def test_a_column_that_turns_out_to_be_text_late_in_the_file_is_text(tmp_path):
    lines = [f"{number},{NOON},x,{number}" for number in range(21_000)]
    log = read(write_csv(tmp_path / "log.csv", "customer_id,time,event,n", *lines, f"last,{NOON},x,many"))
    assert len(log) == 21_001
    assert column(log, "n")[-2:] == ["20999", "many"]


def test_no_line_of_a_file_is_passed_over(tmp_path):
    path = write_csv(
        tmp_path / "log.csv", "customer_id,time,event", f"#1,{NOON},x", f"#2,{NOON},x", f'"a ""b""",{NOON},x'
    )
    assert column(read(path), "customer_id") == ["#1", "#2", 'a "b"']


def test_json_lines_may_differ_in_keys_and_types(tmp_path):
    path = write_csv(
        tmp_path / "log.jsonl",
        '{"customer_id": 1, "time": "2024-01-01T00:00:00+02:00", "event": "x", "at": {"page": "a"}}',
        '{"customer_id": "007", "time": "2024-01-02T00:00:00Z", "event": "y", "late": 3}',
        '{"customer_id": null, "time": 3, "event": "y"}',
    )
    log = read(path)
    assert column(log, "customer_id") == ["1", "007"]
    assert column(log, "late") == [None, 3]
    assert column(log, "at.page") == ["a", None]
    assert reasons(log) == {"missing customer": 1}


def test_several_sources_make_one_log_each_with_its_own_columns_and_clock():
    shop = pd.DataFrame({"client": [7], "ts": [pd.Timestamp("2024-03-01 09:00")], "n": [1]})
    log = read(
        [
            rows(),
            Source(
                shop,
                columns={"customer_id": "client", "time": "ts", "event": {"constant": "bought"}},
                timezone="Asia/Tokyo",
            ),
            Source(rows(time=[1709251200, None], n=["a", "b"]), time_unit="s"),
        ]
    )
    assert column(log, "customer_id") == ["ada", "bob", "7", "ada"]
    assert [time.isoformat() for time in column(log, "time")][2:] == ["2024-03-01T00:00:00+00:00"] * 2
    assert (column(log, "n"), column(log, "seq")) == ([None, None, "1", "a"], [0, 1, 2, 3])
    assert reasons(log) == {"unreadable time": 1}


def test_a_row_that_two_sources_share_is_a_duplicate():
    assert reasons(read([rows(), rows()])) == {"duplicate": 2}


@pytest.mark.slow
def test_rows_keep_the_order_of_a_large_source(tmp_path):
    count = 400_000
    table = pa.table(
        {"customer_id": pa.array(np.arange(count) % 1000), "number": np.arange(count), "event": ["x"] * count}
    )
    table = table.append_column("time", pa.array(np.full(count, 1709251200), pa.timestamp("s", tz="UTC")))
    pyarrow.parquet.write_table(table, tmp_path / "log.parquet", row_group_size=50_000)
    events = read(tmp_path / "log.parquet").events
    assert events.filter(events.seq != events.number).count().to_pyarrow().as_py() == 0


# The store


def test_logs_do_not_disturb_each_other_and_can_be_joined_with_tables():
    first, second = read(rows()), read(rows(event="left"))
    assert (column(first, "event"), column(second, "event")) == (["looked", "bought"], ["left", "left"])
    asked = ibis.memtable({"customer_id": ["ada"]})
    assert first.events.semi_join(asked, "customer_id").count().to_pyarrow().as_py() == 1
    assert first.events.get_backend() is not second.events.get_backend()


@pytest.mark.slow
def test_the_stored_rows_go_with_the_last_table_that_refers_to_them(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    log = read(rows())
    events = log.events
    assert len(list(tmp_path.iterdir())) == 1
    del log
    gc.collect()
    assert events.count().to_pyarrow().as_py() == 2
    del events
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_the_same_source_gives_the_same_log():
    source = rows(customer_id=["bob", "bob"], event="x", value=[2, 1])
    first, second = (read(source).events.to_pyarrow() for _ in range(2))
    assert first.equals(second)


# Customers


def test_without_a_table_the_customers_are_those_of_the_log():
    customers = read(rows(customer_id=["bob", "ada"])).customers
    assert (list(customers.index), customers.index.name, customers.shape) == (["ada", "bob"], "customer_id", (2, 0))


def test_customers_come_from_a_table_by_index_or_column():
    by_column = pd.DataFrame({"customer_id": ["bob", "ada", "cy"], "plan": ["pro", "free", "pro"]})
    for table in (
        by_column,
        by_column.set_index("customer_id"),
        pa.Table.from_pandas(by_column),
        ibis.memtable(by_column),
    ):
        customers = read(rows(), customers=table).customers
        assert customers["plan"].to_dict() == {"ada": "free", "bob": "pro", "cy": "pro"}
        assert list(customers.index) == ["ada", "bob", "cy"]


def test_customers_come_from_files_and_their_ids_stay_as_written(tmp_path):
    source = rows(customer_id=["007", "008"])
    write_csv(tmp_path / "customers.csv", "account,country", "007,NA", "008,")
    pd.DataFrame({"account": ["007", "008"], "country": ["NA", None]}).to_parquet(tmp_path / "customers.parquet")
    for name in ("customers.csv", "customers.parquet"):
        customers = read(source, customers={"path": tmp_path / name, "key": "account"}).customers
        assert customers["country"].fillna("-").to_dict() == {"007": "NA", "008": "-"}


def test_a_customer_that_the_table_lacks_is_there_without_attributes():
    customers = read(rows(), customers=pd.DataFrame({"plan": ["pro"]}, index=["ada"])).customers
    assert customers["plan"].fillna("-").to_dict() == {"ada": "pro", "bob": "-"}


def test_numbers_as_ids_fit_whether_they_are_whole_or_not():
    customers = read(
        rows(customer_id=[1, 2]), customers=pd.DataFrame({"customer_id": [1.0, 2.0], "plan": [5, 6]})
    ).customers
    assert customers["plan"].to_dict() == {"1": 5, "2": 6}
