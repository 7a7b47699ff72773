"""A log written to a file is read from there as it was, by several at once, and nothing else is taken for a log."""

import duckdb
import pandas as pd
import pytest

from journeylab.base.errors import StudyError
from journeylab.events.log import Window
from journeylab.events.reading import read_events, read_log, write_log

YEAR = Window.from_times("2024-01-01", "2025-01-01")
ROWS = pd.DataFrame(
    {
        "customer_id": ["ada", "bob", "", "ada"],
        "time": ["2024-01-01T12:00:00Z", "2024-01-02T12:00:00Z", "2024-01-03T12:00:00Z", "2026-01-01T12:00:00Z"],
        "event": ["looked", "bought", "looked", "looked"],
        "odd “name”": [1.5, None, 2.0, 3.0],
        "reason": ["a", "b", "c", "d"],
    }
)


@pytest.fixture
def written(tmp_path):
    log = read_events(ROWS, window=YEAR)
    return log, write_log(log, tmp_path / "kept/log.duckdb")


def in_order(log):
    return log.events.order_by("seq").to_pandas()


def test_events_and_quarantine_are_read_as_they_were_written(written):
    log, path = written
    again = read_log(path, window=YEAR)
    assert again.events.schema() == log.events.schema()
    pd.testing.assert_frame_equal(in_order(again), in_order(log))
    pd.testing.assert_frame_equal(again.quarantine.counts, log.quarantine.counts)
    pd.testing.assert_frame_equal(again.quarantine.rows.to_pandas(), log.quarantine.rows.to_pandas())
    assert again.sentence() == log.sentence()
    assert list(again.customers.index) == ["ada", "bob"]


def test_several_read_it_at_once_and_cut_it_as_they_like(written):
    path = written[1]
    first, second = read_log(path, window=YEAR), read_log(path, window=YEAR)
    assert len(first.only(customers=["ada"])) == 1
    assert len(second.before("2024-01-02")) == 1
    assert len(first) == len(second) == 2


def test_the_file_is_only_read(written):
    path = written[1]
    log, before = read_log(path, window=YEAR), path.read_bytes()
    assert len(log.only(customers=["ada"])) == 1
    with pytest.raises(duckdb.InvalidInputException, match="read-only"):
        log.events.get_backend().con.execute("CREATE TABLE more AS SELECT 1")
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("content", [b"", b"no engine's file", None])
def test_a_file_that_holds_no_log_is_refused(tmp_path, content):
    path = tmp_path / "log.duckdb"
    if content is None:
        duckdb.connect(path).execute("CREATE TABLE other AS SELECT 1").close()
    else:
        path.write_bytes(content)
    with pytest.raises(StudyError) as refused:
        read_log(path, window=YEAR)
    assert str(refused.value) == "“log.duckdb” is not a log, or is damaged. Delete it, and read the log again."


def test_a_received_file_reaches_no_other_file(tmp_path):
    secret, path = tmp_path / "secret.csv", tmp_path / "log.duckdb"
    secret.write_text("customer_id\nann\n")
    made = duckdb.connect(path)
    for name in ("log_events", "log_quarantine", "log_dated"):
        made.execute(f"CREATE VIEW {name} AS FROM read_csv('{secret}')")
    made.close()
    with pytest.raises(StudyError, match="is not a log, or is damaged"):
        read_log(path, window=YEAR)


def test_where_there_is_no_file_python_says_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_log(tmp_path / "log.duckdb", window=YEAR)
    assert not list(tmp_path.iterdir())
