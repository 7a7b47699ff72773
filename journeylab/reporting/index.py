"""Index: what did we find, what is to be done about it, and which report has the details?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nbformat import NotebookNode

from journeylab.reporting.method import Overview
from journeylab.reporting.notebook_page import opening
from journeylab.reporting.page import PAGES, Masthead, render
from journeylab.reporting.prose import Prose

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z“*])")
# How many sentences of the bottom line stand under the headline; the others say how sure it is.
_LEDE = 2
# The cells of notebooks that the index shows, by their tags: in words, and as pictures.
WORDS = ("in-short", "bottom-line", "headline", "who", "said", "unknown")
PICTURES = ("river", "wall")
TILES = {"who": "Who", "said": "What they say", "unknown": "What nobody knows"}


class Shown(NamedTuple):
    """A picture that a cell showed: PNG in base64, and what it shows in words."""

    png: str
    alt: str


@dataclass(frozen=True)
class Summary:
    """One report in brief.

    file: name of its page.
    title: the notebook's title, which is its question.
    words: the Markdown that its cells with one of the tags `WORDS` gave, by tag.
    pictures: what its cells with one of the tags `PICTURES` drew, by tag.
    failure: why there is no such page, or None.
    """

    file: str
    title: str
    words: dict[str, str]
    pictures: dict[str, Shown]
    failure: str | None = None

    @property
    def answer(self) -> str:
        """The first sentence of what it says in short; its title, where it says nothing."""
        return _SENTENCE.split(self.words.get("in-short", "").strip(), maxsplit=1)[0] or self.title


def summarise(notebook: NotebookNode, *, name: str, file: str, failure: str | None = None) -> Summary:
    """What the executed `notebook`, whose file is `name` and whose page is `file`, says in brief."""
    title, _, cells = opening(notebook, name=name)
    words = {tag: "\n\n".join(_shown(cells, tag=tag, mime="text/markdown")) for tag in WORDS}
    pictures = {}
    for tag in PICTURES:
        drawn = [_shown(cells, tag=tag, mime=mime) for mime in ("image/png", "text/plain")]
        if all(drawn):
            pictures[tag] = Shown("".join(drawn[0][-1].split()), drawn[1][-1])
    return Summary(file, title, {tag: text for tag, text in words.items() if text}, pictures, failure)


def _shown(cells: Sequence[NotebookNode], *, tag: str, mime: str) -> list[str]:
    """What the cells with this tag showed, in this form."""
    return [
        "".join(output.data[mime])
        for cell in cells
        if cell.cell_type == "code" and tag in cell.metadata.get("tags", [])
        for output in cell.outputs
        if mime in output.get("data", {})
    ]


def to_index(reports: Sequence[Summary], *, masthead: Masthead, overview: Overview) -> str:
    """The page that leads to all reports: what was found and what to do, a row for each report with its answer, and
    who is in these numbers; the same bytes for the same reports."""
    leading = _first(reports, "bottom-line")
    sentences = _SENTENCE.split(leading.words["bottom-line"].strip()) if leading else []
    headline = next((report.words["headline"] for report in reports if "headline" in report.words), "")
    return render(
        "overview.html.j2",
        name=PAGES["index"],
        title=headline or "What we found",
        masthead=masthead,
        prose=Prose(masthead.titles),
        reports_made=reports,
        leading=leading,
        lede=" ".join(sentences[:_LEDE]),
        how_sure=" ".join(sentences[_LEDE:]),
        tiles=[(title, report, report.words[tag]) for tag, title in TILES.items() if (report := _first(reports, tag))],
        river=_drawing(reports, "river"),
        wall=_drawing(reports, "wall"),
        actions=sorted(overview.actions, key=lambda action: action.place not in headline),
        overview=overview,
    )


def _first(reports: Sequence[Summary], tag: str) -> Summary | None:
    return next((report for report in reports if tag in report.words and report.failure is None), None)


def _drawing(reports: Sequence[Summary], tag: str) -> tuple[Summary, Shown] | None:
    return next(((report, report.pictures[tag]) for report in reports if tag in report.pictures), None)
