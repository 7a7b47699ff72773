"""How long does a log take to become spells, and how much memory, next to merely sorting it?

    python benchmarks/spells.py [EVENTS ...]          by default 1,000,000 and 10,000,000

For each size a simulated log is written to a temporary folder and read in a process of its own. The yardstick is DuckDB
putting customer_id, time, event and seq of the same log in order of customer and time and streaming them out in full:
sorting into a table takes it a little longer. Both are taken in turns. Exits with 1 where a limit is passed.
"""

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from statistics import median
from time import perf_counter

from journeylab.events.simulate import simulate_log
from journeylab.events.spells import find_spells
from journeylab.study.study import open_study

SIZES = (1_000_000, 10_000_000)
EVENTS_PER_ACCOUNT = 112
TURNS = 5
MOST_TIMES_SORTING = 2.0
MOST_GROWTH = 12.0  # for ten times as many events


def main(sizes: list[int]) -> int:
    """Print one line per size and the growth between neighbours; 1 if a limit is passed, else 0."""
    measured = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            run("simulate", folder, str(size))
            measured.append(json.loads(run("measure", folder)))
        print(in_words(measured[-1]), flush=True)
    is_within = all(each["spells_s"] / each["sort_s"] <= MOST_TIMES_SORTING for each in measured)
    for (few, small), (many, large) in pairwise(zip(sizes, measured, strict=True)):
        growth, limit = large["spells_s"] / small["spells_s"], MOST_GROWTH * many / few / 10
        is_within &= growth <= limit
        print(f"{many / few:.3g} times the events take {growth:.1f} times as long (limit {limit:.1f})")
    return 0 if is_within else 1


def in_words(found: dict) -> str:
    """One measurement as a sentence."""
    ratio = found["spells_s"] / found["sort_s"]
    return (
        f"{found['events']:,} events to {found['spells']:,} spells: {found['spells_s']:.2f} s, "
        f"{ratio:.2f} times sorting ({found['sort_s']:.2f} s; limit {MOST_TIMES_SORTING:.1f}); peak memory "
        f"{found['peak_mb']:,.0f} MB, of which {found['read_mb']:,.0f} MB were there once the log was read"
    )


def run(*arguments: str) -> str:
    """What this file prints when run with `arguments` in a process of its own."""
    done = subprocess.run([sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def simulate(folder: str, size: str) -> None:
    """Write a simulated study with about `size` events to `folder`."""
    simulate_log(round(int(size) / EVENTS_PER_ACCOUNT), seed=1).write(folder)


def measure(folder: str) -> None:
    """Print times (medians, seconds) and peaks of memory for the study in `folder` as JSON."""
    study = open_study(folder)
    log, journey = study.log, study.journey
    n_events = int(log.events.count().to_pyarrow().as_py())
    read_mb = peak_mb()
    n_spells = len(find_spells(log, journey))
    found = {"events": n_events, "spells": n_spells, "read_mb": read_mb, "peak_mb": peak_mb()}
    columns = log.events.select("customer_id", "time", "event", "seq").order_by("customer_id", "time")
    turns = [
        (seconds(lambda: [0 for _ in columns.to_pyarrow_batches()]), seconds(lambda: find_spells(log, journey)))
        for _ in range(TURNS)
    ]
    sort_s, spells_s = (median(times) for times in zip(*turns, strict=True))
    print(json.dumps(found | {"sort_s": sort_s, "spells_s": spells_s}))


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    start = perf_counter()
    work()
    return perf_counter() - start


def peak_mb() -> float:
    """The most memory this process has held so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if sys.argv[1:2] == ["simulate"]:
        simulate(*sys.argv[2:])
    elif sys.argv[1:2] == ["measure"]:
        measure(*sys.argv[2:])
    else:
        sys.exit(main([int(size) for size in sys.argv[1:]] or list(SIZES)))
