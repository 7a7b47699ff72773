"""Every noun shows itself in JupyterLab: how much of what, from when to when, and nothing in it but text."""

import importlib
import inspect
import pkgutil
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from matplotlib.text import Text
from nouns import HOSTILE, UNDRAWN

import journeylab as jl
from journeylab.base import charts
from journeylab.findings.finding import Finding
from journeylab.study.notes import Notes

pytestmark = pytest.mark.slow

SHOWN = "&lt;script&gt;alert(1)&lt;/script&gt;"
# Of this kind are all findings; the others are parts of what is shown here, or have tests of their own.
NOT_SHOWN = {"Finding", "StageFinding", "Labelled", "CardPart", "MapComparison", "Sprint", "SprintChange"}
# The period that a noun tells of, as it says it; all findings say it in one way.
OBSERVED = r"Observed from 2024-01-01 to 2026-01-01\. "
PERIODS = {
    "CrmRecords": r"from 2023-\d\d-\d\d .* to 2025-\d\d-\d\d",
    "EventLog": r"window 2024-01-01 to 2026-01-01",
    "Exposure": r"from 2023-\d\d-\d\d .* to 2025-\d\d-\d\d",
    "Grouping": r"became known at the first event of the customer",
    "JourneyMap": r"2024-01-01 up to 2026-01-01",
    "MapChange": r"data up to 2026-01-01",
    "Notes": r"dated 2025-11-04\.",
    "Simulation": r"window 2024-01-01 to 2026-01-01",
    "Spells": r"from 2024-01-01 to 2026-01-01",
    "Study": r"window 2024-01-01 to 2026-01-01",
    "Window": r"From 2024-01-01 up to, not including, 2026-01-01 \(UTC\): 731 days",
}
# Nouns in which nothing is counted: a path, or what a table or figure is given.
UNCOUNTED = {"Source", "Table", "Chart"}
# Nouns without any text of a customer's or of whoever wrote the journey, in this study.
WITHOUT_NAMES = {"Window", "EventLog", "Lint", "Simulation", "Personas", "PersonaChange", "Assignment", "Quotes"}


class Reader(HTMLParser):
    """The text of a fragment, and its elements."""

    def __init__(self, shown: str):
        super().__init__()
        self.elements, self.texts = set(), []
        self.feed(shown)

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data):
        if self.cdata_elem is None:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def shown_classes() -> dict[str, type]:
    """Every public class of the package that shows itself in JupyterLab, by its name."""
    modules = [importlib.import_module(each.name) for each in pkgutil.walk_packages(jl.__path__, "journeylab.")]
    return {
        name: noun
        for module in modules
        for name, noun in inspect.getmembers(module, inspect.isclass)
        if noun.__module__ == module.__name__ and name[0] != "_" and name not in NOT_SHOWN
        if hasattr(noun, "_repr_html_") or hasattr(noun, "_repr_mimebundle_")
    }


CLASSES = shown_classes()


def shown(noun) -> str:
    """What JupyterLab shows of it."""
    if isinstance(noun, charts.Chart):
        return noun._repr_mimebundle_()[0]["text/plain"]
    return noun._repr_html_()


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_noun_shows_itself_as_text_and_says_how_much_of_what_from_when_to_when(nouns, name):
    html = shown(nouns[name])
    if name == "Chart":
        assert html == UNDRAWN  # words for a picture are no HTML
        return
    read = Reader(html)
    assert not read.elements & {"script", "img", "iframe", "object"}
    assert HOSTILE not in html
    assert (SHOWN in html) == (name not in WITHOUT_NAMES)
    assert name in UNCOUNTED or re.search(r"\d", read.text) or "Nothing to fix" in read.text
    is_finding = issubclass(CLASSES[name], Finding)
    assert re.search(OBSERVED if is_finding else PERIODS.get(name, ""), read.text)


@pytest.mark.parametrize("name", [name for name in sorted(CLASSES) if hasattr(CLASSES[name], "plot")])
def test_a_figure_of_a_noun_lacks_no_letter(nouns, name):
    chart = nouns[name].plot()
    assert chart.png().startswith(b"\x89PNG")  # a lacking letter is a warning, and warnings are errors
    drawn = " ".join(each.get_text() for each in chart.axes.figure.findobj(Text))
    assert not {"🧨", "评"} & set(drawn)


def test_a_study_that_is_shown_reads_its_log_and_finds_nothing(noun_study):
    opened = jl.open_study(noun_study.folder)
    text = Reader(opened._repr_html_()).text
    assert "37,703 events of 301 customers" in text
    assert "Accounts: 301, by the customers’ “account”." in text
    assert "Spells: study.spells finds them." in text
    assert "Personas: study.personas finds them." in text
    assert not {"spells", "personas", "lint"} & set(vars(opened))


def test_a_study_tells_of_what_was_found_before(noun_study, nouns):  # noqa: ARG001 -- they are made of it
    text = Reader(noun_study._repr_html_()).text
    assert f"Spells: {noun_study.spells.sentence()}" in text
    assert "Personas: 1 of 176 customers." in text


def test_what_has_no_time_or_remark_says_so():
    times = pd.DataFrame({"customer_id": [], "time": pd.to_datetime([], utc=True)})
    assert Reader(jl.Exposure("a call", times)._repr_html_()).text.startswith("Exposure “a call” happened to nobody.")
    assert "No remark. Add what no log shows in notes.yml." in Reader(Notes()._repr_html_()).text
    told = Reader(jl.Source(pd.DataFrame({"a": [1, 2]}), timezone="UTC")._repr_html_()).text
    assert told == "Source of a log DataFrame of 2 rows and 1 column; times in UTC. Columns as read_events says."
