"""Reports made again on the same data are the same to the byte; one more event changes what it changes, no more."""

import difflib
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from typer.testing import CliRunner

from journeylab.cli import app

pytestmark = pytest.mark.slow

STUDY = """\
study: Trials of 2025
journey: journey.yml
events:
  - {path: data/raw/events.csv, columns: {customer_id: account, event: action, time: ts}, timezone: UTC}
window: {start: 2025-01-01, end: 2025-04-01}
horizons: [30d]
"""
JOURNEY = """\
journeylab: 1
name: Trial to partner
goal: Plan the week
stages:
  - {name: trying, opened_by: [{event: started}], silent_after: 30d}
  - {name: paying, opened_by: [{event: paid}], completes: true}
loss_branches:
  - {name: price, when: {event: cancelled}}
"""
EVENTS = "account,action,ts\nann,started,2025-01-02\nann,paid,2025-01-12\nbob,started,2025-01-09\n"
COUNTS = """\
import journeylab as jl
study = jl.open_study("..")
jl.Table(study.log.events_by_type())"""
VISITS = "jl.Table(study.spells.to_pandas()[['customer_id', 'stage', 'events', 'outcome']])"
FIGURE = "jl.estimate_survival(study.spells).plot()"


def pages_of(folder, events):
    (folder / "data/raw/events.csv").write_text(events)
    result = CliRunner().invoke(app, ["report", "--study", str(folder)])
    assert result.exit_code == 0, result.output
    return {page.name: page.read_text(encoding="utf-8") for page in sorted((folder / "reports").glob("*.html"))}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The pages made twice on the same data in two places, and once with one more event: a look around by bob."""
    pages = []
    for number in range(2):
        folder = tmp_path_factory.mktemp(f"study-{number}")
        for inner in ("data/raw", "notebooks"):
            (folder / inner).mkdir(parents=True)
        (folder / "study.yml").write_text(STUDY)
        (folder / "journey.yml").write_text(JOURNEY)
        codes = [new_code_cell(source, id=f"cell-{place}") for place, source in enumerate((COUNTS, VISITS, FIGURE))]
        notebook = new_notebook(cells=[new_markdown_cell("# Who comes?", id="title"), *codes])
        nbformat.write(notebook, folder / "notebooks/01_who.ipynb")
        pages.append(pages_of(folder, EVENTS))
    return (*pages, pages_of(folder, EVENTS + "bob,looked,2025-01-10\n"))


def changed(before, after):
    """The texts of a page that differ, without the data behind the links: (gone, come)."""
    texts = [[text for text in re.split(r"<[^>]*>|\n", page) if text.strip()] for page in (before, after)]
    told = list(difflib.ndiff(*texts))
    return [[line[2:] for line in told if line.startswith(sign)] for sign in ("- ", "+ ")]


def test_the_same_data_give_the_same_bytes_wherever_the_study_lies(made):
    one, other, _ = made
    assert list(one) == ["01_who.html", "data-and-method.html", "glossary.html", "index.html"]
    assert one == other


def test_one_more_event_changes_its_row_its_visit_and_nothing_else_in_a_report(made):
    _, before, after = made
    gone, come = changed(before["01_who.html"], after["01_who.html"])
    assert gone == ["1"]
    assert sorted(come) == sorted(["looked", "1", "1", "2025-01-10", "2025-01-10", "2"])


def test_one_more_event_changes_no_word_of_what_was_decided(made):
    _, before, after = made
    assert before["glossary.html"] == after["glossary.html"]
    gone, come = changed(before["index.html"], after["index.html"])
    read = "3 visits to the stages of the journey, from {0} events of 2 customers. {0} rows read, no row refused."
    ((was,), (is_now,)) = gone, come
    assert was.startswith(read.format(3))
    assert is_now.startswith(read.format(4))
    assert was.removeprefix(read.format(3)) == is_now.removeprefix(read.format(4))
    parts = [page["data-and-method.html"].partition('id="what-was-decided"')[2] for page in (before, after)]
    sections = [part.partition("</section>")[0] for part in parts]
    assert sections[0] == sections[1] != ""
