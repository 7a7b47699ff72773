"""Does another processor change a word or a row of the notebooks?

    python benchmarks/processors.py [notebook ...]

A processor chooses how sums are split and rounded, and so the last bits of a float. Here this one is told to work as
others do: with the kernels of OpenBLAS that older ones get, without numpy's vector instructions, without those of the
C library, on one thread and on two. Each time the notebooks run on a fresh copy of the sample's study, so that nothing
kept in data/processed goes from one setting to the next, and what their cells show is compared with what they were
committed with, as `make test` does (see conftest.py). Any difference is printed and makes the exit code 1.
"""

import difflib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from numpy._core import _multiarray_umath as numpy_core

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "tests"))

from nbval_tolerance import TEXTS, is_close  # noqa: E402

STUDY = ("study.yml", "journey.yml", "notes.yml", "data/raw", "notebooks")
# What numpy may use beyond its baseline, of what this processor has.
DISPATCHED = [name for name in numpy_core.__cpu_dispatch__ if numpy_core.__cpu_features__.get(name)]
OLD_LIBRARY = "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-FMA4,-AVX"
SETTINGS = {
    "as it is": {},
    "Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
    "Nehalem": {"OPENBLAS_CORETYPE": "Nehalem"},
    "Prescott": {"OPENBLAS_CORETYPE": "Prescott"},
    "no AVX512": {"NPY_DISABLE_CPU_FEATURES": " ".join(name for name in DISPATCHED if name != "X86_V3")},
    "no AVX2": {"NPY_DISABLE_CPU_FEATURES": " ".join(DISPATCHED)},
    "old libm": {"GLIBC_TUNABLES": OLD_LIBRARY},
    "1 thread": {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    "2 threads": {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"},
    "oldest": {
        "OPENBLAS_CORETYPE": "Prescott",
        "NPY_DISABLE_CPU_FEATURES": " ".join(DISPATCHED),
        "GLIBC_TUNABLES": OLD_LIBRARY,
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    },
}


def main() -> int:
    names = sys.argv[1:] or sorted(path.name for path in (PROJECT / "notebooks").glob("*.ipynb"))
    print(f"{'':9s}" + "".join(f"{name[:2]:>10s}" for name in names), flush=True)
    differences = []
    for setting, variables in SETTINGS.items():
        found = compared(names, variables)
        cells = ("same" if not found[name] else f"{len(found[name])} differ" for name in names)
        print(f"{setting:9s}" + "".join(f"{cell:>10s}" for cell in cells), flush=True)
        differences += [f"{setting}, {name}, {line}" for name in names for line in found[name]]
    print("\n".join(differences))
    return 1 if differences else 0


def compared(names: list[str], variables: dict[str, str]) -> dict[str, list[str]]:
    """Notebook -> the cells that show something else than was committed, after a run with the environment `variables`
    instead of whatever this process was started with."""
    of_all = {name for setting in SETTINGS.values() for name in setting}
    environment = {name: value for name, value in os.environ.items() if name not in of_all} | variables
    with tempfile.TemporaryDirectory() as folder:
        for name in STUDY:
            copied = shutil.copytree if (PROJECT / name).is_dir() else shutil.copyfile
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            copied(PROJECT / name, Path(folder) / name)
        subprocess.run(
            [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", "--log-level", "ERROR"]
            + [f"notebooks/{name}" for name in names],
            cwd=folder,
            env=environment,
            check=True,
        )
        return {
            name: list(differing(*(nbformat.read(place / "notebooks" / name, 4) for place in (PROJECT, Path(folder)))))
            for name in names
        }


def differing(committed: nbformat.NotebookNode, run: nbformat.NotebookNode) -> Iterator[str]:
    """The cells of which the texts differ, with the first words that do."""
    for place, cells in enumerate(zip(committed.cells, run.cells, strict=True)):
        before, after = (list(texts(cell)) for cell in cells)
        if len(before) != len(after):
            yield f"cell {place}: {len(before)} texts became {len(after)}"
            continue
        for old, new in zip(before, after, strict=True):
            if not is_close(new, old):
                lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
                changed = [line[:200] for line in lines if not line.startswith(("---", "+++", "@@"))]
                yield f"cell {place}: {' '.join(changed[:4])}"
                break


def texts(cell: nbformat.NotebookNode) -> Iterator[str]:
    """What the cell shows as text, kind by kind."""
    for output in cell.get("outputs", []):
        if "text" in output:
            yield output.text
        yield from (output.data[kind] for kind in TEXTS if kind in output.get("data", {}))


if __name__ == "__main__":
    sys.exit(main())
