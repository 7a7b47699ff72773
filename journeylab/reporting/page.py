"""Page: what do all pages of a report share, and how is one rendered that needs no network?"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

from journeylab.base.html import FLUSH_LEFT, visible
from journeylab.base.version import VERSION
from journeylab.reporting.offline import SORTING, SORTING_POLICY, TEMPLATES, check_fragment, check_offline
from journeylab.reporting.prose import SCROLLS, Prose

# The pages that every folder of reports has.
PAGES = {"index": "index.html", "method": "data-and-method.html", "glossary": "glossary.html"}
_CELL = re.compile(r"<(td|th)(?: class=\"(\w+)\")?>([^<]*)")
_LONG_TEXT, _LONG_WORD = 25, re.compile(r"\S{22}")
_DATAFRAME = re.compile(r'<table[^>]*class="dataframe.*?</table>', re.DOTALL)


@dataclass(frozen=True)
class Masthead:
    """What heads every page: the names of study and journey, the customers' goal, and the window's two ends as text;
    and the titles of the journey's stages and branches, by their names."""

    study: str
    journey: str
    goal: str
    start: str
    end: str
    titles: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_simulated(self) -> bool:
        """Whether the study's name says that its customers are made up."""
        return "simulated" in self.study.lower()


def render(template: str, *, name: str, title: str, masthead: Masthead, prose: Prose, **parts: object) -> str:
    """The page `name` from our `template` and its `parts`."""
    jinja = furnish(Environment(loader=FileSystemLoader(TEMPLATES)), prose)
    return finished(jinja.get_template(template).render(title=title, masthead=masthead, **parts), name=name)


def furnish(made: Environment, prose: Prose) -> Environment:
    """`made` with what all pages share; it then escapes whatever is not said to be HTML. `prose` serves one page."""
    made.autoescape = True
    made.globals |= {"version": VERSION, "prose": prose, "sorting": SORTING}
    made.globals |= {"pages": PAGES, "reports": "", "sorting_policy": SORTING_POLICY}
    made.filters |= {
        "prose": prose,
        "fragment": lambda shown: _fragment(shown, prose.titles),
        "titled": prose.titled,
        "plain_text": lambda markdown: Markup(prose.plain(markdown)),
        "unbroken": lambda text: "".join(text.split()),
        "base64": lambda text: base64.b64encode("".join(text).encode()).decode(),
    }
    return made


def finished(page: str, *, name: str) -> str:
    """The `page` whose file is `name` as it is written: complete in itself, and nothing in it turns the direction of
    its surroundings."""
    check_offline(page, name=name)
    return visible(page)


def _fragment(html: str, titles: Mapping[str, str]) -> Markup:
    """HTML that a cell showed, its tables in boxes that scroll and that the keyboard reaches, long texts given room,
    and names in cells by their titles."""
    html = "".join(html)
    check_fragment(html)
    html = html.replace(FLUSH_LEFT, "").replace('<div class="jl-table">', f'<div class="jl-table" {SCROLLS}>')
    html = _DATAFRAME.sub(lambda table: f'<div class="table" {SCROLLS}>{table[0]}</div>', html)
    titled = _CELL.sub(lambda cell: _by_title(cell, titles), html)
    return Markup(_CELL.sub(_roomy, titled))


def _by_title(cell: re.Match, titles: Mapping[str, str]) -> str:
    text = cell[3]
    title = titles.get(unescape(text))
    return cell[0] if title is None else f"{cell[0].removesuffix(text)}{escape(title)}"


def _roomy(cell: re.Match) -> str:
    """The opening of a table's cell and its text, marked where the text is long, or a word that paper may have to
    break."""
    tag, given, text = cell.groups()
    is_long = tag == "td" and not given and len(text) >= _LONG_TEXT
    marks = [
        *([given] if given else []),
        *(["long"] if is_long else []),
        *(["word"] if _LONG_WORD.search(text) else []),
    ]
    return f'<{tag} class="{" ".join(marks)}">{text}' if marks else cell[0]
