"""Index: what is the bottom line of all the reports, and which report says more?"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from jinja2 import Environment, FileSystemLoader
from nbformat import NotebookNode

from journeylab.base import html
from journeylab.reporting.page import TEMPLATES, Masthead, check_offline, furnish, opening
from journeylab.reporting.prose import Prose

NAME = "index.html"


@dataclass(frozen=True)
class Summary:
    """One report in brief.

    file: name of its page.
    title: the notebook's title.
    question: the Markdown under the title.
    in_short: the Markdown that its cells tagged `in-short` gave.
    failure: why there is no such page, or None.
    """

    file: str
    title: str
    question: str
    in_short: str
    failure: str | None = None


@dataclass(frozen=True)
class Overview:
    """What the index says of journey and data, besides the reports.

    sentence: what was read, in words.
    stages: DataFrame, one row per stage in journey order.
    reading: DataFrame, what became of the rows read.
    lint: DataFrame, one row per remark on the journey; may be empty.
    notes: Markdown that the study's authors want read, or None.
    """

    sentence: str
    stages: pd.DataFrame
    reading: pd.DataFrame
    lint: pd.DataFrame
    notes: str | None = None


def summarise(notebook: NotebookNode, *, name: str, file: str, failure: str | None = None) -> Summary:
    """What the executed `notebook`, whose file is `name` and whose page is `file`, says in brief."""
    title, question, cells = opening(notebook, name=name)
    said = [
        "".join(output.data["text/markdown"])
        for cell in cells
        if cell.cell_type == "code" and "in-short" in cell.metadata.get("tags", [])
        for output in cell.outputs
        if "text/markdown" in output.get("data", {})
    ]
    return Summary(file, title, question, "\n\n".join(said), failure)


def to_index(reports: Sequence[Summary], *, masthead: Masthead, overview: Overview) -> str:
    """The page that leads to all reports, in the order given: the same bytes for the same reports."""
    prose = Prose()
    jinja = furnish(Environment(loader=FileSystemLoader(TEMPLATES)), prose)
    page = jinja.get_template("overview.html.j2").render(
        title="What we found",
        masthead=masthead,
        reports=reports,
        overview=overview,
        stages=html.table(overview.stages),
        reading=html.table(overview.reading),
        lint=html.table(overview.lint, csv=False) if len(overview.lint) else None,
    )
    check_offline(page, name=NAME)
    return page
