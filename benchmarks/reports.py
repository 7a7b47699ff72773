"""How long do the reports of the shipped sample take, and how much of that is the starting of kernels?

    python benchmarks/reports.py

A copy of the sample's study is reported twice, the second time warm: log, spells and personas lie in data/processed.
Beside that, the same command makes the reports of as many notebooks, each of which only imports journeylab and draws
one figure; and their kernels are run alone, without command and pages. Asked for: at most 60 s on 2 cores, and at most
1.5 times the time of such kernels, run the same way.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from journeylab.reporting.running import run_notebooks

PROJECT = Path(__file__).parents[1]
IMPORT_AND_DRAW = """\
import pandas as pd
import journeylab as jl
from journeylab.base import charts
charts.lines(
    pd.DataFrame({"day": [1, 2], "customers": [3, 4]}),
    x="day", y="customers", x_label="day", y_label="customers", title="Customers", alt="3, then 4 customers.",
)"""


def main() -> None:
    notebooks = sorted((PROJECT / "notebooks").glob("*.ipynb"))
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder) / "study"
        for name in ("study.yml", "journey.yml", "notes.yml", "data/raw", "notebooks"):
            copied = shutil.copytree if (PROJECT / name).is_dir() else shutil.copyfile
            (study / name).parent.mkdir(parents=True, exist_ok=True)
            copied(PROJECT / name, study / name)
        make_reports(study)
        reports = measured(lambda: make_reports(study))
        paths = [study / "notebooks" / notebook.name for notebook in notebooks]
        for path in paths:
            nbformat.write(new_notebook(cells=[new_code_cell(IMPORT_AND_DRAW)]), path)
        same_way = measured(lambda: make_reports(study))
        kernels = measured(lambda: run_kernels(paths))
    print(f"cores {os.cpu_count()}, notebooks {len(notebooks)}")
    print(f"{'':42s}   elapsed   of processors   reports in times of it")
    show("reports, warm", reports, reports)
    show("notebooks that import and draw one figure", same_way, reports)
    show("their kernels alone", kernels, reports)


def show(name: str, seconds: tuple[float, float], reports: tuple[float, float]) -> None:
    """Print a line: the seconds, and how often they go into those of the reports."""
    ratios = ", ".join(f"{each / other:.2f}" for each, other in zip(reports, seconds, strict=True))
    print(f"{name:42s} {seconds[0]:7.1f} s {seconds[1]:13.1f} s   {ratios}")


def measured(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds that `work` takes by the clock, and seconds of processors in the processes that it starts."""
    begun, used = time.perf_counter(), of_processors()
    work()
    return time.perf_counter() - begun, of_processors() - used


def of_processors() -> float:
    """Seconds of processors that this process's children have used until now."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def make_reports(study: Path) -> None:
    """Make the reports of `study` in a process of its own, as `make reports` does."""
    subprocess.run(
        [Path(sys.executable).with_name("journeylab"), "report", "--study", study],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def run_kernels(paths: list[Path]) -> None:
    """Run the notebooks as reports are made of them."""
    runs = run_notebooks(paths, folder=paths[0].parent)
    assert all(run.failure is None for run in runs)


if __name__ == "__main__":
    main()
