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
