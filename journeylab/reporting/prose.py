"""Prose: how does Markdown become HTML if any HTML in it must stay text?"""

import re
from collections.abc import Callable, Mapping

import mistune
from markupsafe import Markup, escape
from mistune.plugins import import_plugin

SCROLLS = 'tabindex="0" role="region" aria-label="Table"'
_TITLE = re.compile(r"\s*#\s+(.+?)\s*#*\s*(?:\n|\Z)")
# What a link may lead to: a place on the same page, or another page of the same reports.
_WITHIN = re.compile(r"#|\w[\w-]*\.html(?:#|\Z)")
_QUOTED = re.compile(r"“([^“”]*)”")
_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~&])")


class Prose:
    """Markdown to HTML, as a Jinja filter. HTML in the Markdown is shown as text; only places on the page and
    other pages of the reports are linked.

    One instance serves one page: it collects the page's headings as `sections` (dicts of `level`, `id`, `text`), in
    order. Names in quotes that are among `titles` are shown by their titles, without quotes: what readers meet are the
    labels of journey.yml, not the names in it.
    """

    def __init__(self, titles: Mapping[str, str] | None = None):
        self.titles = titles or {}
        self.sections: list[dict] = []
        self._render = mistune.Markdown(
            _Renderer(self.sections), plugins=[import_plugin("table"), import_plugin("def_list")]
        )

    def __call__(self, markdown: str) -> Markup:
        return Markup(self._render(self.titled(markdown, escape=lambda title: _MARKS.sub(r"\\\1", title))))

    def titled(self, text: str, *, escape: Callable[[str], str] = str) -> str:
        """`text` with titles for the names in quotes."""
        return _QUOTED.sub(lambda name: escape(self.titles[name[1]]) if name[1] in self.titles else name[0], text)

    def plain(self, markdown: str) -> str:
        """The text of `markdown` without any mark-up, escaped."""
        return str(escape(self(markdown).striptags()))

    def contents(self) -> list[dict]:
        """The sections of the second level, for the list of contents."""
        return [section for section in self.sections if section["level"] == 2]

    def has(self, identity: str) -> bool:
        """Whether a heading with this id has been rendered."""
        return any(section["id"] == identity for section in self.sections)


def split_title(markdown: str) -> tuple[str | None, str]:
    """The text of the first-level heading that opens `markdown` (None if none does), and the Markdown under it."""
    heading = _TITLE.match(markdown)
    if heading is None:
        return None, markdown
    return re.sub(r"[*_`]", "", heading[1]), markdown[heading.end() :].strip()


class _Renderer(mistune.HTMLRenderer):
    def __init__(self, sections: list[dict]):
        super().__init__(escape=True)
        self._sections = sections

    def heading(self, text: str, level: int, **_) -> str:
        words = str(Markup(text).striptags())
        slug = identity = re.sub(r"\W+", "-", words.lower()).strip("-") or "section"
        taken = {section["id"] for section in self._sections} | {"main", "contents"}
        number = 1
        while identity in taken:
            number += 1
            identity = f"{slug}-{number}"
        self._sections.append({"level": level, "id": identity, "text": words})
        return f'<h{level} id="{identity}">{text}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        if not _WITHIN.match(url):
            address = mistune.escape(url)
            return address if text == address else f"{text} ({address})"
        return super().link(text, url, title)

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return super().image(text, url, title) if url.startswith("data:image/") else mistune.escape(text)

    def table(self, text: str) -> str:
        return f'<div class="table" {SCROLLS}><table>\n{text}</table></div>\n'
