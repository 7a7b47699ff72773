"""How long does a funnel take, beside ClickHouse's windowFunnel and plain SQL, and do they count the same?

    python benchmarks/funnel.py [EVENTS]          by default 10,000,000

Events are drawn at random into a Parquet file in a temporary folder: 20 kinds, four of them steps, a tenth as many
customers, one year. All read that file anew each time, in turns: journeylab (the attempts, best of each customer, as
windowFunnel means them; and then the whole finding, first attempts, with intervals), ClickHouse (package chdb, a
development dependency in the group “bench”), and DuckDB by SQL alone. Times are ratios of what passed within one run;
exits with 1 where the attempts take more than twice as long as ClickHouse, or where counts that must agree do not.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import duckdb
import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from journeylab.base.durations import DAY
from journeylab.events.log import EventLog, Window
from journeylab.events.steps import find_attempts, read_rules
from journeylab.findings.funnel import estimate_funnel

try:
    import chdb
except ImportError:
    chdb = None

EVENTS = 10_000_000
EVENTS_PER_CUSTOMER = 10
KINDS = 20
STEPS = [f"event_{number}" for number in range(4)]
SHARES = (0.10, 0.08, 0.08, 0.08)
WINDOW = "30d"
TURNS = 5
MOST_TIMES_CLICKHOUSE = 2.0
START = "2025-01-01"
# All attempts of a year of events are closed by then, so that nothing is in progress and counts can be compared.
END = "2026-03-01"
OURS_BEST, OURS_FIRST = "journeylab, best attempts", "journeylab, whole finding (first)"
SQL, CLICKHOUSE = "DuckDB, plain SQL (first)", "ClickHouse, windowFunnel"
EXPLAINED = (
    "windowFunnel gives each customer the furthest that any of their attempts got, which is our entry “best”; first "
    "attempts get less far. Events at one time it takes in the order of the steps, journeylab in the order of the log. "
    "It knows neither attempts in progress nor when steps were reached."
)


def main(n_events: int) -> int:
    """Print what was counted and how long it took; 1 if a limit is passed or counts differ, else 0."""
    with tempfile.TemporaryDirectory() as folder:
        path = draw_events(Path(folder) / "events.parquet", n_events)
        asked = {OURS_BEST: best_attempts, OURS_FIRST: first_attempts, SQL: by_sql}
        if chdb is None:
            print("ClickHouse is left out: chdb is not installed. It is in the group bench: uv sync --group bench.")
        else:
            asked[CLICKHOUSE] = window_funnel
        counts, seconds, processor = measured({name: lambda work=work: work(path) for name, work in asked.items()})
    print(f"{n_events:,} events; customers by the number of steps that they reached within {WINDOW}:")
    for name, reached in counts.items():
        print(f"  {name:34} {'  '.join(f'{step}: {n:,}' for step, n in reached.items())}")
    for name in counts:
        print(f"  {name:34} {median(seconds[name]):6.2f} s, {median(processor[name]):6.2f} s of processor time")
    return judged(counts, seconds, processor)


def judged(counts: dict, seconds: dict, processor: dict) -> int:
    """Print what agrees, what differs and why, and the ratios; 1 if a limit is passed or counts differ, else 0."""
    is_right = counts[OURS_FIRST] == counts[SQL]
    print(f"First attempts: {'the same' if is_right else 'NOT the same'} counts as plain SQL gives.")
    print(in_words(OURS_FIRST, SQL, seconds, processor))
    if CLICKHOUSE not in counts:
        return 0 if is_right else 1
    is_alike = counts[OURS_BEST] == counts[CLICKHOUSE]
    print(f"Best attempts: {'the same' if is_alike else 'NOT the same'} counts as windowFunnel gives.")
    print(EXPLAINED)
    print(in_words(OURS_FIRST, CLICKHOUSE, seconds, processor))
    print(in_words(OURS_BEST, CLICKHOUSE, seconds, processor) + f" The limit is {MOST_TIMES_CLICKHOUSE:g} times.")
    is_fast = ratio(seconds[OURS_BEST], seconds[CLICKHOUSE]) <= MOST_TIMES_CLICKHOUSE
    return 0 if is_right and is_alike and is_fast else 1


def in_words(name: str, other: str, seconds: dict, processor: dict) -> str:
    """How long one took beside another."""
    by_clock, by_processor = (ratio(times[name], times[other]) for times in (seconds, processor))
    return f"{name}: {by_clock:.2f} times as long as {other} ({by_processor:.2f} times the processor time)."


def ratio(times: list[float], others: list[float]) -> float:
    """The median over turns of how many times as long one took as the other."""
    return median(one / other for one, other in zip(times, others, strict=True))


def measured(asked: dict[str, Callable[[], dict]]) -> tuple[dict, dict, dict]:
    """What each of `asked` counted, and seconds and processor time of `TURNS` turns, after one to warm up."""
    counts = {name: work() for name, work in asked.items()}
    seconds, processor = {name: [] for name in asked}, {name: [] for name in asked}
    for _ in range(TURNS):
        for name, work in asked.items():
            start, start_processor = perf_counter(), process_time()
            work()
            seconds[name].append(perf_counter() - start)
            processor[name].append(process_time() - start_processor)
    return counts, seconds, processor


def draw_events(path: Path, n_events: int) -> Path:
    """A Parquet file of `n_events` random events, in order of time."""
    random = np.random.default_rng(7)
    n_customers = n_events // EVENTS_PER_CUSTOMER
    start = (pd.Timestamp(START, tz="UTC") - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(microseconds=1)
    others = (1 - sum(SHARES)) / (KINDS - len(SHARES))
    kinds = random.choice(KINDS, n_events, p=[*SHARES, *[others] * (KINDS - len(SHARES))])
    ids = pa.array([f"customer-{number:08d}" for number in range(n_customers)])
    table = pa.table(
        {
            "customer_id": ids.take(pa.array(random.integers(0, n_customers, n_events))),
            "time": pa.array(np.sort(random.integers(0, 365 * DAY, n_events)) + start).cast(pa.timestamp("us", "UTC")),
            "event": pa.array([f"event_{number}" for number in range(KINDS)]).take(pa.array(kinds)),
            "seq": pa.array(np.arange(n_events)),
        }
    )
    pq.write_table(table, path)
    return path


def log_of(path: Path) -> EventLog:
    """The file as a log, read by the engine whenever it is asked."""
    events = ibis.duckdb.connect().read_parquet(str(path))
    no_attributes = pd.DataFrame(index=pd.Index([], dtype=object, name="customer_id"))
    return EventLog.from_events(events, window=Window.from_times(START, END), customers=no_attributes)


def best_attempts(path: Path) -> dict[int, int]:
    """How many customers' best attempts reached so many steps."""
    found = find_attempts(log_of(path), read_rules(STEPS, window=WINDOW, entry="best"))
    return no_further([int(found.is_reached(step).sum()) for step in range(len(STEPS))])


def first_attempts(path: Path) -> dict[int, int]:
    """How many customers' first attempts reached so many steps, by the finding."""
    return no_further(estimate_funnel(log_of(path), STEPS, window=WINDOW).table["reached"].tolist())


def window_funnel(path: Path) -> dict[int, int]:
    """ClickHouse's levels above 0. It is given the events that are steps alone, which it reads fastest."""
    conditions = ", ".join(f"event = '{step}'" for step in STEPS)
    listed = ", ".join(f"'{step}'" for step in STEPS)
    micros = "toUInt64(toUnixTimestamp64Micro(time))"
    found = chdb.query(
        f"""SELECT level, count() FROM (
                SELECT customer_id, windowFunnel({30 * DAY})({micros}, {conditions}) AS level
                FROM file('{path}', Parquet) WHERE event IN ({listed}) GROUP BY customer_id)
            WHERE level > 0 GROUP BY level ORDER BY level""",
        "CSV",
    )
    return {int(level): int(n) for level, n in (line.split(",") for line in str(found).split())}


def by_sql(path: Path) -> dict[int, int]:
    """First attempts by a join for each step, as one writes it by hand."""
    joins = "".join(
        f""", step_{at} AS (
            SELECT customer_id, any_value(entered) AS entered, min(time) AS time FROM events
            JOIN (SELECT customer_id, entered, time AS before FROM step_{at - 1}) USING (customer_id)
            WHERE event = '{step}' AND time > before AND time <= entered + INTERVAL 30 DAY GROUP BY customer_id)"""
        for at, step in enumerate(STEPS)
        if at
    )
    counts = ", ".join(f"(SELECT count(*) FROM step_{at})" for at in range(len(STEPS)))
    listed = ", ".join(f"'{step}'" for step in STEPS)
    with duckdb.connect() as connection:
        reached = connection.execute(
            f"""WITH events AS MATERIALIZED (
                    SELECT customer_id, time, event FROM '{path}' WHERE event IN ({listed})),
                step_0 AS (
                    SELECT customer_id, min(time) AS entered, min(time) AS time FROM events
                    WHERE event = '{STEPS[0]}' GROUP BY customer_id){joins}
                SELECT {counts}"""
        ).fetchone()
    return no_further(reached)


def no_further(reached: Sequence[int]) -> dict[int, int]:
    """How many stopped at each number of steps, from how many reached each step."""
    return {at + 1: here - there for at, (here, there) in enumerate(pairwise([*reached, 0]))}


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS))
