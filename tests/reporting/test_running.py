"""Copies of notebooks are run from top to bottom; a failing one is named with its cell and stops nothing else."""

import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from journeylab.base.errors import ReportError
from journeylab.reporting.running import read_notebook, run_notebooks

pytestmark = pytest.mark.slow

SOURCES = {
    "01_good.ipynb": [
        "import os, sys",
        "",
        "print(os.getcwd())",
        "print(os.environ['ASKED'], os.environ['PYTHONHASHSEED'])",
    ],
    "02_broken.ipynb": ["first = 1", "second = 2\nthird = 3\n\n1 / 0\nfifth = 5", "never = 'run'"],
    "03_warned.ipynb": ["import sys\nprint(sys.executable)", "print('careful', file=sys.stderr)"],
    "04_dead.ipynb": ["import os", "os._exit(9)", "print('never')"],
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The runs by file name, how they were reported, the working directory and the folder of the notebooks."""
    folder, notebooks = tmp_path_factory.mktemp("reports"), tmp_path_factory.mktemp("notebooks")
    for name, sources in SOURCES.items():
        cells = [new_markdown_cell("# Why?"), *map(new_code_cell, sources)]
        nbformat.write(new_notebook(cells=cells), notebooks / name)
    steps = []
    found = run_notebooks(
        sorted(notebooks.glob("*.ipynb")),
        folder=folder,
        variables={"ASKED": "given"},
        step=lambda path, done, total: steps.append((path.name, done, total)),
    )
    return {run.path.name: run for run in found}, steps, folder, notebooks


def printed(run):
    return [output.text.strip() for cell in run.notebook.cells for output in cell.get("outputs", [])]


def test_kernels_work_in_the_folder_with_the_variables_and_a_fixed_hash_seed(runs):
    found, _, folder, _ = runs
    assert found["01_good.ipynb"].failure is None
    assert printed(found["01_good.ipynb"]) == [str(folder), "given 0"]


def test_the_kernel_is_the_running_interpreter(runs):
    found, *_ = runs
    assert printed(found["03_warned.ipynb"])[0] == sys.executable


def test_a_failing_cell_is_named_as_jupyter_numbers_it_and_the_copy_is_kept_so_far(runs):
    found, *_ = runs
    broken = found["02_broken.ipynb"]
    assert str(broken.failure) == "Cell [2] of 3 failed: ZeroDivisionError: division by zero"
    assert broken.failure.begins == "second = 2\nthird = 3\n\n…"
    assert [cell.execution_count for cell in broken.notebook.cells[1:]] == [1, 2, None]


def test_a_kernel_that_dies_is_told_like_a_failing_cell(runs):
    found, *_ = runs
    assert (
        str(found["04_dead.ipynb"].failure)
        == "Cell [2] of 3 failed: the kernel died, most often because memory ran out"
    )


def test_progress_is_told_by_cells_with_code(runs):
    _, steps, *_ = runs
    assert [step for step in steps if step[0] == "01_good.ipynb"] == [("01_good.ipynb", done, 3) for done in (1, 2, 3)]
    assert [step for step in steps if step[0] == "02_broken.ipynb"] == [("02_broken.ipynb", 1, 3)]


def test_the_notebooks_themselves_stay_as_they_were(runs):
    *_, notebooks = runs
    for name, sources in SOURCES.items():
        cells = nbformat.read(notebooks / name, as_version=4).cells[1:]
        assert [cell.source for cell in cells] == sources
        assert all(cell.execution_count is None and not cell.outputs for cell in cells)


def test_what_is_no_notebook_is_named(tmp_path):
    (tmp_path / "05_text.ipynb").write_text("only words")
    with pytest.raises(ReportError) as caught:
        read_notebook(tmp_path / "05_text.ipynb")
    assert str(caught.value) == (
        "“05_text.ipynb” cannot be read as a Jupyter notebook. "
        "Open it in JupyterLab and save it again, or take it out of the folder."
    )
