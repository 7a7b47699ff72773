"""Offline: is a page complete in itself? It fetches nothing, leads nowhere outside, and runs no script but our own."""

import base64
import hashlib
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from markupsafe import Markup

from journeylab.base.errors import ReportError

TEMPLATES = Path(__file__).parent / "templates"
_FETCHING = {"action", "background", "data", "formaction", "href", "ping", "poster", "src", "srcset", "xlink:href"}
_ACTIVE = {"base", "embed", "form", "frame", "iframe", "link", "object", "script"}


@dataclass(frozen=True)
class Script:
    """The one script of our pages: its `element`, and what the `policy` of a page must say to let it run."""

    element: Markup
    policy: str

    @classmethod
    def from_file(cls, path: Path) -> "Script":
        """The script in the file at `path`, which may not end its own element."""
        source = path.read_text(encoding="utf-8")
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        return cls(Markup(f"<script>{source}</script>"), f"sha256-{digest}")


def check_offline(page: str, *, name: str) -> None:
    """Raise ReportError if the HTML `page` would fetch from outside, leads there, or holds an active element
    besides the one script of our own."""
    reader = _Reader()
    reader.feed(page.replace(SORTING.element, "", 1))
    reader.close()
    if reader.found:
        raise ReportError(
            f"The page of “{name}” would not be complete in itself: it holds {reader.found[0]}. "
            "Take the output that brings it out of the notebook, or show it as a picture or a table."
        )


SORTING = Script.from_file(TEMPLATES / "sort.js")


class _Reader(HTMLParser):
    """Reads a page for what reaches out of it."""

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
