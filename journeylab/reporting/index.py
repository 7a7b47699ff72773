"""Index: what is the bottom line of all reports, and which report has the details?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nbformat import NotebookNode

from journeylab.base import html
from journeylab.reporting.method import Overview
from journeylab.reporting.notebook_page import opening
from journeylab.reporting.page import PAGES, Masthead, render
from journeylab.reporting.prose import Prose


@dataclass(frozen=True)
class Summary:
    """One report in brief.

    file: name of its page.
    title: the notebook's title.
    question: the Markdown under the title.
    in_short: the Markdown that its cells tagged `in-short` gave.
    failure: why there is no such page, or None.
    map: the HTML that its cell tagged `map` showed; None where it has none.
    bottom_line: the part of `in_short` whose cells are also tagged `bottom-line`; the index opens with it.
    """

    file: str
    title: str
    question: str
    in_short: str
    failure: str | None = None
    map: str | None = None
    bottom_line: str = ""


def summarise(notebook: NotebookNode, *, name: str, file: str, failure: str | None = None) -> Summary:
    """What the executed `notebook`, whose file is `name` and whose page is `file`, says in brief."""
    title, question, cells = opening(notebook, name=name)
    in_short, leading = (_shown(cells, tag=tag, mime="text/markdown") for tag in ("in-short", "bottom-line"))
    maps = _shown(cells, tag="map", mime="text/html")
    in_brief = Summary(file, title, question, "\n\n".join(in_short), failure)
    return in_brief if failure else replace(in_brief, map=next(iter(maps), None), bottom_line="\n\n".join(leading))


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
    """The page that leads to all reports: the bottom line, the map, then each report in the order given; the same
    bytes for the same reports. Where no report has a bottom line, all of them in short are it."""
    return render(
        "overview.html.j2",
        name=PAGES["index"],
        title="What we found",
        masthead=masthead,
        prose=Prose(),
        summaries=reports,
        overview=overview,
        stages=html.table(overview.stages),
    )
