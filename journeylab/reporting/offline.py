"""Offline: does a page work without a network? It must fetch nothing, link nowhere, and run no script but our own."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

from markupsafe import Markup

from journeylab.base.errors import ReportError

TEMPLATES = Path(__file__).parent / "templates"
# The one script of our pages, and what the policy of a page must say to let it run.
_SOURCE = (TEMPLATES / "sort.js").read_text(encoding="utf-8")
SORTING = Markup(f"<script>{_SOURCE}</script>")
SORTING_POLICY = f"sha256-{base64.b64encode(hashlib.sha256(_SOURCE.encode()).digest()).decode()}"
_FETCHING = {"action", "background", "data", "formaction", "href", "ping", "poster", "src", "srcset", "xlink:href"}
_ACTIVE = {"base", "embed", "form", "frame", "iframe", "link", "object", "script"}

# Elements that show something and do nothing. What a cell shows may have these and no others.
_SHOWN_BY = """
a abbr article b bdi blockquote br caption circle cite clippath code col colgroup dd defs desc details div dl dt em
ellipse figcaption figure footer g h1 h2 h3 h4 h5 h6 header hr i image img kbd li line lineargradient marker mark ol p
path pattern polygon polyline pre q rect s samp section small span stop strong style sub summary sup svg symbol
table tbody td text textpath tfoot th thead time title tr tspan u ul use var wbr
"""
_SHOWING = set(_SHOWN_BY.split())
# The styles of our own map, whose explanations lie over its cells.
_MAP_STYLE = (TEMPLATES / "journey_map.css").read_text(encoding="utf-8").strip()
_VOID = {"br", "col", "hr", "img", "wbr"}
_MAY_STAY_OPEN = {"colgroup", "dd", "dt", "li", "p", "tbody", "td", "tfoot", "th", "thead", "tr"}
# Styles that lift something out of its place, over other parts of the page.
_OVERLAYING = re.compile(r"position\s*:\s*(?:fixed|absolute|sticky)|z-index|expression\(", re.IGNORECASE)


def check_offline(page: str, *, name: str) -> None:
    """Raise ReportError if the HTML `page` fetches anything, links to the network, or has an active element other than
    our own script."""
    reader = _Reader()
    reader.feed(page.replace(SORTING, "", 1))
    reader.close()
    if reader.found:
        raise ReportError(
            f"The page of “{name}” would not work offline: it has {reader.found[0]}. "
            "Remove the output that has it from the notebook, or show it as a picture or a table."
        )


def check_fragment(html: str) -> None:
    """Raise ReportError unless the HTML that a cell showed consists of elements that only show something, all closed,
    and of styles that leave everything else on the page alone."""
    reader = _FragmentReader()
    reader.feed(html)
    reader.close()
    problems = [*reader.problems, *(f"<{tag}> that is not closed" for tag in reader.open if tag not in _MAY_STAY_OPEN)]
    # What a browser reads as a comment hides the rest of the page where it has no end.
    if re.search(r"<!--(?!.*?-->)", html, re.DOTALL):
        problems.append("a comment without an end")
    if problems:
        raise ReportError(
            f"A cell shows HTML with {problems[0][:80]}, which a report does not take. "
            "Show the output as a picture or a table."
        )


class _FragmentReader(HTMLParser):
    """Collects what in the HTML of a cell does more than show something."""

    def __init__(self):
        super().__init__()
        self.problems: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _SHOWING | _ACTIVE:  # the active ones are refused with the whole page, by its name
            self.problems.append(f"<{tag}>")
        if tag not in _VOID:
            self.open.append(tag)
        for attribute, value in attrs:
            if attribute == "style" and _OVERLAYING.search(value or ""):
                self.problems.append(f"style=“{value}” in <{tag}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open[-1] != tag and self.open[-1] in _MAY_STAY_OPEN:
            self.open.pop()
        if self.open and self.open[-1] == tag:
            self.open.pop()
        elif tag not in _VOID:
            self.problems.append(f"</{tag}> that closes nothing")

    def handle_decl(self, decl: str) -> None:
        self.problems.append(f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        self.problems.append(f"<?{data}>")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "style" and _OVERLAYING.search(data.replace(_MAP_STYLE, "")):
            self.problems.append(f"“{data.strip()}” in a style")


class _Reader(HTMLParser):
    """Collects what in a page reaches the network."""

    def __init__(self):
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _ACTIVE:
            self.found.append(f"the element <{tag}>")
        for attribute, value in attrs:
            address = (value or "").strip().lower()
            leaves = re.match(r"//|[\w+.-]+:(?!\Z)", address) and not address.startswith("data:")
            if attribute.startswith("on") or (attribute in _FETCHING and leaves):
                self.found.append(f"{attribute}=“{address[:80]}” in <{tag}>")
            elif attribute == "style":
                self._read_style(address)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "style":
            self._read_style(data)

    def _read_style(self, style: str) -> None:
        reaching = re.search(r"@import|url\(\s*['\"]?(?!data:)", style, re.IGNORECASE)
        if reaching:
            self.found.append(f"“{style[reaching.start() :][:80]}” in a style")
