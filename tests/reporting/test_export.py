"""Every page is whole or absent, two exports are equal to the byte, and a failure is told after everything else is
written."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from journeylab.base.errors import ReportError
from journeylab.reporting.export import write_reports
from journeylab.reporting.method import Overview
from journeylab.reporting.page import Masthead

pytestmark = pytest.mark.slow

MASTHEAD = Masthead("Trials of 2025", "Trial to partner", "Plan the week", "2025-01-01", "2026-01-01")
OVERVIEW = Overview("9 events.", (), "Nothing to fix.")


def write(path, *sources, title="# Why?"):
    in_short = new_code_cell("display({'text/markdown': '**34%** are lost.'}, raw=True)")
    in_short.metadata["tags"] = ["in-short"]
    nbformat.write(new_notebook(cells=[new_markdown_cell(title), in_short, *map(new_code_cell, sources)]), path)


def export(notebooks, folder):
    return write_reports(sorted(notebooks.glob("*.ipynb")), folder=folder, masthead=MASTHEAD, overview=OVERVIEW)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A folder of reports from two notebooks, one of which failed, what was raised, and the notebooks."""
    notebooks, folder = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("study") / "reports"
    write(notebooks / "01_who.ipynb", "print({'a', 'b', 'c'})", title="# Who?")
    write(notebooks / "02_why.ipynb", "share = 1 / 0", "print(share)")
    folder.mkdir()
    (folder / "mine.txt").write_text("stays")
    (folder / "02_why.html").write_text("an earlier report")
    with pytest.raises(ReportError) as caught:
        export(notebooks, folder)
    return folder, str(caught.value), notebooks


def test_a_failure_names_notebook_and_cell_and_says_where_the_copy_is(exported):
    _, told, _ = exported
    assert told == (
        "1 of 2 notebooks failed; all other reports are written.\n\n"
        "02_why.ipynb, Cell [2] of 3 failed: ZeroDivisionError: division by zero\n"
        "    share = 1 / 0\n"
        "Its copy, as far as it came: reports/02_why.failed.ipynb\n\n"
        "Fix the cells, then make the reports again."
    )


def test_the_other_reports_are_written_and_the_copy_of_the_failed_one_is_kept(exported):
    folder, *_ = exported
    assert sorted(path.name for path in folder.iterdir()) == [
        "01_who.html",
        "02_why.failed.ipynb",
        "02_why.html",
        "data-and-method.html",
        "glossary.html",
        "index.html",
        "mine.txt",
    ]
    partial = nbformat.read(folder / "02_why.failed.ipynb", as_version=4)
    assert [cell.execution_count for cell in partial.cells[1:]] == [1, 2, None]


def test_what_was_there_stays_and_the_index_leads_to_nothing_outdated(exported):
    folder, *_ = exported
    assert (folder / "mine.txt").read_text() == "stays"
    assert (folder / "02_why.html").read_text() == "an earlier report"
    index = (folder / "index.html").read_text()
    assert 'href="01_who.html"' in index
    assert 'href="02_why.html"' not in index
    assert "Cell [2] of 3 failed: ZeroDivisionError: division by zero" in index


def test_mended_the_same_notebooks_give_the_same_bytes_and_the_failed_copy_goes(exported, tmp_path):
    folder, _, notebooks = exported
    before = (folder / "01_who.html").read_bytes()
    write(notebooks / "02_why.ipynb", "share = 1 / 2")
    assert export(notebooks, folder) == folder / "index.html"
    assert (folder / "01_who.html").read_bytes() == before
    assert not (folder / "02_why.failed.ipynb").exists()
    assert "34% are lost.</a>" in (folder / "index.html").read_text()
    export(notebooks, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in folder.glob("*.html")
    }


def test_a_notebook_whose_page_every_study_has_is_refused(tmp_path):
    write(tmp_path / "glossary.ipynb")
    with pytest.raises(ReportError) as caught:
        export(tmp_path, tmp_path / "reports")
    assert str(caught.value) == (
        "The page of “glossary.ipynb” would be glossary.html, which every study has already. "
        "Give the notebook another name, such as 08_who_comes_back.ipynb."
    )
    assert not (tmp_path / "reports").exists()


def test_without_notebooks_there_is_nothing_to_export(tmp_path):
    with pytest.raises(ReportError) as caught:
        export(tmp_path, tmp_path / "reports")
    assert str(caught.value) == "There is no notebook to run. Put one into the study's folder “notebooks”."
    assert not (tmp_path / "reports").exists()
