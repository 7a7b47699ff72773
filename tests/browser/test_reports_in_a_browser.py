"""Reports as a reader meets them: in a browser, offline, with and without scripts, wide, narrow and on paper."""

import base64
import csv
import io
import itertools
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from hostile_study import BIDI, FORMULA, SCRIPT
from opened_page import Opened

from journeylab.events.journey import read_journey

pytestmark = pytest.mark.slow
PROJECT = Path(__file__).parents[2]
NOTEBOOKS = [path.stem for path in sorted((PROJECT / "notebooks").glob("*.ipynb")) if path.stem[:2] not in ("00", "90")]
PAGES = ["index", "data-and-method", "glossary", *NOTEBOOKS]
# What takes a browser long is tried on pages that between them hold every kind of part: tables, figures, cards, a map.
VARIED = ["index", "data-and-method", "02_personas", "04_loss_branches", "06_paths_and_funnels", "07_journey_map"]
FEW = ["index", "02_personas", "07_journey_map"]
KILOBYTE = 1000
TABLES = """[...document.querySelectorAll('.jl-table')].map(box => [
    [...box.querySelectorAll('tbody tr')].map(row => [...row.cells].map(cell => cell.textContent)),
    box.querySelector('a.jl-data')?.href])"""


# Of the module, so that all that is asked of one page is asked in turn, and most of it in one window.
@pytest.fixture(scope="module", params=PAGES)
def path(request, reports) -> Path:
    return reports / f"{request.param}.html"


@pytest.fixture(scope="module")
def titles(reports) -> dict[str, str]:
    """What readers meet instead of the names in journey.yml, which the data keep."""
    journey = read_journey(reports.parent / "journey.yml")
    return {name: journey.title(name) for name in (*journey.stage_names, *journey.branches)}


@pytest.fixture(scope="module")
def page(browser, path):
    """The page at `path`, for those who only look."""
    with Opened(browser, path) as opened:
        yield opened.page


def test_every_notebook_has_its_page_and_each_page_is_tested_here(reports):
    assert sorted(page.stem for page in reports.glob("*.html")) == sorted(PAGES)


def check_page_is_quiet(browser, path, **options):
    with Opened(browser, path, **options) as opened:
        assert opened.requests == [path.as_uri()]
        assert opened.complaints == []
        assert opened.page.title().partition(" ·")[0] == opened.page.locator("h1").inner_text()


def test_a_page_asks_for_nothing_and_complains_of_nothing(browser, path):
    check_page_is_quiet(browser, path)


@pytest.mark.parametrize("name", FEW)
def test_without_scripts_a_page_asks_for_nothing_and_complains_of_nothing(browser, reports, name):
    check_page_is_quiet(browser, reports / f"{name}.html", java_script_enabled=False)


# In the dark only colours differ, and the page is the same.
@pytest.mark.parametrize(
    ("name", "scheme", "rules"),
    [(name, "light", {}) for name in VARIED] + [(name, "dark", {"runOnly": ["color-contrast"]}) for name in FEW],
)
def test_axe_finds_nothing_serious(browser, reports, name, scheme, rules):
    # The policy of the pages would not let axe in.
    with Opened(browser, reports / f"{name}.html", color_scheme=scheme, bypass_csp=True) as opened:
        opened.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        violations = Axe().run(opened.page, options={"resultTypes": ["violations"], **rules}).response["violations"]
    serious = [
        (each["id"], each["nodes"][0]["target"]) for each in violations if each["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_no_window_is_too_narrow_and_the_keyboard_reaches_what_scrolls(page):
    unreachable = """[...document.querySelectorAll('*')].filter(box =>
        box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX === 'auto' && box.tabIndex < 0
    ).map(box => box.outerHTML.slice(0, 80))"""
    for width in (1600, 800, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(unreachable) == []


def test_headings_are_in_order_and_the_language_is_told(page):
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert page.locator("html").get_attribute("lang") == "en"
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))


def test_every_picture_says_in_words_what_it_shows(page):
    words = page.evaluate("[...document.images].map(image => [image.alt, image.naturalWidth])")
    assert all(len(alt) > 20 and width > 0 for alt, width in words)


def test_every_link_leads_somewhere(page, path):
    links = page.evaluate("[...document.links].map(link => link.getAttribute('href'))")
    anchors = set(page.evaluate("[...document.querySelectorAll('[id]')].map(each => '#' + each.id)"))
    nowhere = [
        link
        for link in links
        if not (link in anchors or link.startswith("data:text/csv") or (path.parent / link).is_file())
    ]
    assert nowhere == []


def test_what_is_hostile_is_shown_as_text(page):
    assert page.locator("img[src=x], svg[onload], b[onmouseover]").count() == 0
    assert page.locator("script").count() == 1
    handlers = "[...document.querySelectorAll('*')].filter(e => e.getAttributeNames().some(n => n.startsWith('on')))"
    assert page.evaluate(f"{handlers}.length") == 0
    text = page.locator("body").inner_text()
    assert SCRIPT in text
    assert not set(BIDI) & set("\u202e\u2066") & set(text)
    assert "[U+202E]gnp.exe[U+2066]" in text


def test_the_data_under_a_table_are_what_the_table_shows_and_no_formulas(page, titles):
    for shown, link in page.evaluate(TABLES):
        if link is None:
            continue
        _, *rows = csv.reader(io.StringIO(base64.b64decode(link.partition("base64,")[2]).decode()))
        assert not any(cell.startswith(("=", "@", "+")) for row in rows for cell in row)
        if shown != [["no rows"]]:
            assert len(rows) == len(shown)
            for row, cells in zip(rows, shown, strict=True):
                pairs = zip(row, cells, strict=True)
                assert all(is_shown(value, cell) or cell == titles.get(value) for value, cell in pairs), (row, cells)


def is_shown(value: str, cell: str) -> bool:
    """Whether a cell shows this value of the data, rounded to what the cell shows."""
    if cell == "–":
        return value in ("", "–")
    number = re.fullmatch(r"-?[\d,]+(\.\d+)?(e[+-]\d+)?", cell)
    if not number:
        return cell[:10] == value.removeprefix("'")[:10]
    said, true = float(cell.replace(",", "")), float(value)
    return said == pytest.approx(true, rel=6e-3, abs=0.5 if abs(true) >= 1000 else 0)


def test_a_heading_sorts_its_table_up_down_and_back(browser, reports):
    first = """[...document.querySelector('.jl-table tbody').rows].map(row => row.cells[1].textContent)"""
    with Opened(browser, reports / "data-and-method.html") as opened:
        column, asked = opened.page.locator(".jl-table th").nth(1), opened.page.evaluate(first)
        button = column.locator("button")
        assert button.inner_text() == "rows"
        states, seen = [], []
        for _ in range(3):
            button.press("Enter")
            states.append(column.get_attribute("aria-sort"))
            seen.append(opened.page.evaluate(first))
        assert opened.complaints == []
    numbers = sorted(int(text.replace(",", "")) for text in asked)
    assert states == ["ascending", "descending", None]
    assert [int(text.replace(",", "")) for text in seen[0]] == numbers
    assert [int(text.replace(",", "")) for text in seen[1]] == numbers[::-1]
    assert seen[2] == asked


def test_without_scripts_a_table_is_as_it_was_written(browser, reports):
    with Opened(browser, reports / "data-and-method.html", java_script_enabled=False) as opened:
        assert opened.page.locator("th button").count() == 0
        assert opened.page.locator(".jl-table th").nth(1).inner_text() == "rows"


@pytest.mark.parametrize("name", FEW)
def test_a_page_prints_to_paper_and_its_footer_needs_no_sheet_of_its_own(browser, reports, name):
    with Opened(browser, reports / f"{name}.html") as opened:
        printed = opened.page.pdf(format="A4")
        opened.page.evaluate("document.querySelector('footer').remove()")
        without = opened.page.pdf(format="A4")
    assert 1 <= n_sheets(without) <= n_sheets(printed) <= n_sheets(without) + 1


def test_paper_cuts_nothing_off(browser, path):
    # What a sheet of A4 leaves between its margins, at 96 dots to the inch.
    with Opened(browser, path, viewport={"width": 643, "height": 900}) as opened:
        opened.page.emulate_media(media="print")
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= 643


def n_sheets(printed: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", printed))


def test_pages_are_small(path):
    assert path.stat().st_size < (500 if path.stem == "index" else 1000) * KILOBYTE


def test_formulas_reach_no_file_that_a_spreadsheet_opens(reports):
    for page in reports.glob("*.html"):
        for encoded in re.findall(r"base64,([A-Za-z0-9+/=]+)\" ?>?Data", page.read_text(encoding="utf-8")):
            assert f"\n{FORMULA}" not in base64.b64decode(encoded).decode()
