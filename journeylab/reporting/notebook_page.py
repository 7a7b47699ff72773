"""Notebook page: how does an executed notebook become one HTML file that needs no network and no notebook?"""

import re
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup
from nbconvert.exporters import TemplateExporter
from nbconvert.filters import Highlight2HTML, strip_ansi
from nbformat import NotebookNode

from journeylab.reporting.offline import TEMPLATES
from journeylab.reporting.page import Masthead, finished, furnish
from journeylab.reporting.prose import Prose, split_title

_LONGEST_CAPTION = 240


@dataclass(frozen=True)
class Picture:
    """What stands with a figure. `words`: the whole alternative text if the caption holds only its beginning."""

    number: int
    alt: str
    caption: str
    words: str | None
    width: int | None


def to_html(notebook: NotebookNode, *, name: str, masthead: Masthead, reports: str = "") -> str:
    """The page of an executed notebook: the same bytes for the same outputs.

    name: the notebook's file name; the footer names it, and it stands in for a missing title.
    reports: the way from the page to the folder of all reports, such as "../../reports/"; empty within it.

    What customers wrote stays text: plain texts, Markdown, alternative texts and code are escaped; only what cells
    showed as HTML is taken as HTML. Raises ReportError if that refers to the network or holds an active element.
    """
    title, lede, cells = opening(notebook, name=name)
    exporter = _Exporter(Prose(masthead.titles))
    exporter.environment.globals |= {"masthead": masthead, "title": title, "lede": lede, "name": name}
    exporter.environment.globals["reports"] = reports
    page, _ = exporter.from_notebook_node(NotebookNode({**notebook, "cells": cells}))
    return finished(page, name=name)


def opening(notebook: NotebookNode, *, name: str) -> tuple[str, str, list[NotebookNode]]:
    """The notebook's title, the Markdown that stands under it before any other heading, and the cells without these
    two.

    A notebook that does not open with a first-level heading is titled by its file's `name`.
    """
    cells = list(notebook.cells)
    title, under = split_title(cells[0].source) if cells and cells[0].cell_type == "markdown" else (None, "")
    if title is None:
        return Path(name).stem.lstrip("0123456789_- ").replace("_", " ").capitalize(), "", cells
    lede, *rest = re.split(r"^(?=#+ )", under, maxsplit=1, flags=re.MULTILINE)
    return title, lede.strip(), [NotebookNode({**cells[0], "source": "".join(rest)}), *cells[1:]]


class _Exporter(TemplateExporter):
    """nbconvert's exporter with our own template, which extends none of nbconvert's."""

    output_mimetype = "text/html"
    file_extension = ".html"

    def __init__(self, prose: Prose):
        self._prose = prose
        super().__init__(
            template_name="report", extra_template_basedirs=[str(TEMPLATES)], extra_template_paths=[str(TEMPLATES)]
        )

    def _create_environment(self) -> Environment:
        made = furnish(super()._create_environment(), self._prose)
        highlight, pictures = Highlight2HTML(pygments_lexer="ipython3"), []
        made.filters["plain"] = strip_ansi
        made.globals["picture"] = lambda output, mime: _picture(output, mime, pictures)
        # Long lines scroll, which the keyboard must be able to do too.
        made.filters["highlighted"] = lambda code: Markup(highlight(code).replace("<pre>", '<pre tabindex="0">', 1))
        return made


def _picture(output: NotebookNode, mime: str, before: list[Picture]) -> Picture:
    """What stands with the figure in `output`, numbered after those `before` it, which it joins."""
    number = len(before) + 1
    alt = "".join(output.data.get("text/plain", "")).strip()
    if re.fullmatch(r"<.*>|", alt, re.DOTALL):  # the bare repr of a figure says nothing
        alt = f"Figure {number}, which has no description."
        caption, words = "", None
    elif len(alt) <= _LONGEST_CAPTION and "\n" not in alt:
        caption, words = alt, None
    else:
        caption, words = re.split(r"(?<=[.!?])(?=\s)|(?=\n)", alt, maxsplit=1)[0], alt
    width = output.get("metadata", {}).get(mime, {}).get("width")
    picture = Picture(number, alt, caption, words, width)
    before.append(picture)
    return picture
