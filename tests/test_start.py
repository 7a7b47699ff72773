"""Starting is quick: help, a new study and mistakes in the command load none of the libraries that analyse."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

# Of seaborn a part, because seaborn itself is registered before it is loaded.
HEAVY = ("seaborn.utils", "scipy", "sklearn", "matplotlib", "jsonschema", "nbformat", "pandas", "ibis", "duckdb")
COMMAND = """\
import sys
from journeylab.cli import app
try:
    app(sys.argv[2:])
except SystemExit as left:
    code = left.code
"""


def loaded(code: str, *arguments: object, cwd=None) -> set[str]:
    """Which of `HEAVY` a fresh interpreter has loaded once it has run `code`."""
    write = (
        f"\nimport sys\nwith open(sys.argv[1], 'w') as file:\n    print(*{{*{HEAVY}}} & {{*sys.modules}}, file=file)"
    )
    names = cwd / "loaded.txt"
    command = [sys.executable, "-c", code + write, names, *arguments]
    subprocess.run(list(map(str, command)), check=True, cwd=cwd, capture_output=True)
    return set(names.read_text().split())


def test_importing_the_package_loads_nothing_heavy(tmp_path):
    assert loaded("import journeylab", cwd=tmp_path) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["init", "study"],
        ["init", "study", "--template", "none"],
        ["check", "--nonsense"],
        ["check", "--study", "nowhere"],
    ],
    ids=" ".join,
)
def test_commands_that_read_no_data_load_nothing_heavy(tmp_path, arguments):
    assert loaded(COMMAND, *arguments, cwd=tmp_path) == set()


def test_a_study_is_opened_without_the_libraries_that_draw_figures_and_write_pages(tmp_path):
    assert not loaded("import journeylab as jl\njl.open_study", cwd=tmp_path) & {
        "seaborn.utils",
        "jsonschema",
        "nbformat",
    }
