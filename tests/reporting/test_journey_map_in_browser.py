"""The map in a browser: no request, no error, keyboard and hover show the base, one sheet of A3, any width."""

import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from journeylab.events.simulate import simulate_log
from journeylab.events.spells import find_spells
from journeylab.findings.dropoff import estimate_dropoff
from journeylab.findings.survival import estimate_survival
from journeylab.findings.touchpoints import estimate_touchpoints
from journeylab.reporting.journey_map import build_map

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    """The map of 150 simulated customers, as a page."""
    made = simulate_log(150, seed=7)
    spells = find_spells(made.log, made.journey)
    findings = [
        estimate_dropoff(spells, horizons=["30d", "90d"]),
        estimate_survival(spells),
        estimate_touchpoints(made.log, spells),
    ]
    return build_map(spells, findings, log=made.log).write(tmp_path_factory.mktemp("map") / "map.html")


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("needs Chromium (apt-get install chromium), which is not installed")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def opened(browser, page_file):
    """A function: the page in a window of this width; whatever it asks for or complains of is noted."""
    pages = []

    def open_page(width: int):
        page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
        page.noted = []
        page.on("request", lambda request: page.noted.append(request.url))
        page.on("console", lambda message: page.noted.append(message.text))
        page.goto(page_file.as_uri())
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.context.close()


def test_it_asks_for_nothing_but_itself_and_complains_of_nothing(opened, page_file):
    assert opened(1600).noted == [page_file.as_uri()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_mend(browser, page_file, scheme):
    # axe is a script, and the page allows none: only here is that passed over.
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert [found["id"] for found in Axe().run(page).response["violations"]] == []
    context.close()


@pytest.mark.parametrize("width", [420, 1000, 1600])
def test_no_width_needs_scrolling_sideways(opened, width):
    page = opened(width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_hover_and_focus_show_interval_and_base(opened):
    page = opened(1600)
    cell = page.locator("td.jm-cell").first
    assert not cell.locator(".jm-tip").is_visible()
    cell.hover()
    assert cell.locator(".jm-tip").is_visible()
    page.mouse.move(1, 1)
    assert not cell.locator(".jm-tip").is_visible()
    cell.focus()
    assert cell.locator(".jm-tip").is_visible()
    assert "visits)" in cell.locator(".jm-tip").inner_text()


def test_it_prints_on_one_sheet_of_a3(opened):
    sheet = opened(1600).pdf(prefer_css_page_size=True)
    assert sheet.count(b"/Type /Page\n") == 1
    box = sheet[sheet.index(b"/MediaBox [") :].split(b"]")[0].split()
    assert [round(float(each)) for each in box[-2:]] == [1191, 842]


def test_the_table_says_what_the_cells_say(opened):
    page = opened(1600)
    page.locator("details.jm-more summary").first.click()
    rows = page.locator("details.jm-more tbody tr").count()
    rows -= page.locator("details.jm-more tbody tr", has_text="not measured").count()
    items = page.locator(".jm-tip p").count()
    header = page.locator(".jm-facts div").count() - 1  # “data up to” stands in the header alone
    assert rows == items + header
