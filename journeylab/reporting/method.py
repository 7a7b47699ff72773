"""Data and method: which data and decisions are the reports based on, and what do their words mean?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from journeylab.base import html
from journeylab.reporting.offline import TEMPLATES
from journeylab.reporting.page import PAGES, Masthead, render
from journeylab.reporting.prose import Prose

GLOSSARY = TEMPLATES / "glossary.md"


@dataclass(frozen=True)
class MethodSection:
    """One part of the page on data and method: its `title`, `paragraphs` of plain text, and `tables`."""

    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[html.Table, ...] = field(default=(), repr=False)


class Action(NamedTuple):
    """What somebody has proposed to do at a stage, the `place`; `text` and `owner` are None where nobody has."""

    place: str
    text: str | None
    owner: str | None


@dataclass(frozen=True)
class Overview:
    """What the index and the page on data and method say about the journey and the data.

    sentence: what was read, in words.
    actions: what to do next, a row per stage in journey order.
    doubts: in a few words, what is doubtful about the journey.
    notes: Markdown that the study's authors want read, or None.
    parts: the page on data and method, part by part.
    """

    sentence: str
    actions: tuple[Action, ...]
    doubts: str
    notes: str | None = None
    parts: tuple[MethodSection, ...] = ()


def to_method(parts: Sequence[MethodSection], *, masthead: Masthead) -> str:
    """The page on data and method, its parts in the order given: the same bytes for the same parts."""
    sections = [
        {
            "heading": f"## {part.title}",
            "paragraphs": part.paragraphs,
            "tables": [html.table(table.rows, caption=table.caption) for table in part.tables],
        }
        for part in parts
    ]
    name = PAGES["method"]
    return render(
        "method.html.j2", name=name, title="Data and method", masthead=masthead, prose=Prose(), parts=sections
    )


def to_glossary(*, masthead: Masthead) -> str:
    """The page that says what the words of the reports mean."""
    terms = GLOSSARY.read_text(encoding="utf-8")
    name = PAGES["glossary"]
    return render("glossary.html.j2", name=name, title="Glossary", masthead=masthead, prose=Prose(), terms=terms)
