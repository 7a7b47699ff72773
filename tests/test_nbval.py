"""nbval, as the plugin nbval_tolerance sets it up, forgives the last digits of floats and nothing else."""

import base64
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

pytestmark = pytest.mark.slow

TABLE = "<td>{}</td><a href='data:text/csv;base64,{}'>Data</a>"


def table(share):
    return TABLE.format(share, base64.b64encode(f"share\n{share}\n".encode()).decode())


def show(mime, text):
    return f"display({{{mime!r}: {text!r}}}, raw=True)"


def shown(source, *, count=1, **data):
    mime = {name.replace("_", "/"): value for name, value in data.items()}
    return new_code_cell(source, execution_count=count, outputs=[new_output("display_data", data=mime)])


def printed(source, text):
    return new_code_cell(source, execution_count=1, outputs=[new_output("stream", text=text)])


# Name of a notebook -> its one cell, whose committed output differs from what the cell shows as the name says.
EQUAL = {
    "last_digits": shown(show("text/plain", "34.0000001% of 1,204"), text_plain="34.0000002% of 1,204"),
    "last_digits_printed": printed("print(0.1 + 0.2)", "0.3\n"),
    "last_digits_of_data": shown(show("text/html", table(0.25000000001)), text_html=table(0.25)),
    "picture": shown(show("image/png", "iVBORw0KGgo="), image_png="iVBORw0KGgp="),
}
DIFFERENT = {
    "number": shown(show("text/markdown", "34.1% are lost"), text_markdown="34.2% are lost"),
    "count": shown(show("text/plain", "1000001 customers"), text_plain="1000000 customers"),
    "word": shown(show("text/plain", "34.1% are lost"), text_plain="34.1% are won"),
    "data": shown(show("text/html", TABLE.format(1, "MS41")), text_html=TABLE.format(1, "MS42")),
    "kind": shown(show("text/plain", "1"), text_plain="1", text_html="1"),
    "picture_gone": shown("None", image_png="iVBORw0KGgo=", text_plain="34%"),
    "printed": printed("print('a')", "b\n"),
    "never_run": new_code_cell("1 + 1"),
    "error": new_code_cell("1 / 0", execution_count=1),
}


@pytest.fixture(scope="module")
def outcomes(project, tmp_path_factory):
    """What nbval said of each notebook: passed or failed."""
    folder = tmp_path_factory.mktemp("notebooks")
    for name in ("conftest.py", "tests/nbval_tolerance.py"):
        shutil.copy(project / name, folder)
    # One notebook, so that one kernel serves them all: every cell stands by itself.
    cells = {**EQUAL, **DIFFERENT}
    nbformat.write(new_notebook(cells=list(cells.values())), folder / "all.ipynb")
    options = ["--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "-rA", "--tb=no", "-q", "--color=no"]
    command = [sys.executable, "-m", "pytest", *options, "all.ipynb"]
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False).stdout
    told = re.findall(r"^(PASSED|FAILED) all\.ipynb::Cell (\d+)", said, re.MULTILINE)
    numbered = {int(number): outcome for outcome, number in told}
    assert len(numbered) == len(cells), said
    return {name: numbered[place] for place, name in enumerate(cells)}


@pytest.mark.parametrize("name", EQUAL)
def test_outputs_that_differ_in_what_says_nothing_pass(outcomes, name):
    assert outcomes[name] == "PASSED"


@pytest.mark.parametrize("name", DIFFERENT)
def test_outputs_that_differ_fail(outcomes, name):
    assert outcomes[name] == "FAILED"
