"""One file per notebook: complete in itself, escaped, navigable, the same bytes each time."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from journeylab.base import html
from journeylab.base.errors import ReportError
from journeylab.reporting.notebook_page import to_html
from journeylab.reporting.offline import SORTING, check_offline
from journeylab.reporting.page import Masthead
from journeylab.reporting.prose import Prose

MASTHEAD = Masthead("Trials of 2025", "Trial to partner", "Plan the week", "2025-01-01", "2026-01-01")
HOSTILE = "<script>alert('x')</script>"
PIXEL = "iVBORw0KGgo="


@pytest.fixture
def tiny():
    return pd.DataFrame({"stage": ["trial"], "share": [0.25]})


def shown(*, tags=(), source="1 + 1", metadata=None, **data):
    """A code cell that showed `data`, with MIME types written like text_html."""
    mime = {name.replace("_", "/"): value for name, value in data.items()}
    cell = new_code_cell(source, outputs=[new_output("execute_result", data=mime, metadata=metadata or {})])
    cell.metadata["tags"] = list(tags)
    return cell


def page(*cells, title="# Where do we lose them?", masthead=MASTHEAD):
    return to_html(new_notebook(cells=[new_markdown_cell(title), *cells]), name="02_drop_off.ipynb", masthead=masthead)


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.seen = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def of(self, tag):
        return [attributes for name, attributes in self.seen if name == tag]


def test_the_page_says_title_study_window_and_how_it_was_made():
    text = page(title="# Where do *we* lose them?\n\nOf those who **enter** a stage.")
    assert "<h1>Where do we lose them?</h1>" in text
    assert "<title>Where do we lose them? · Trials of 2025</title>" in text
    assert "<p>Of those who <strong>enter</strong> a stage.</p>" in text
    assert "<time>2025-01-01</time> up to <time>2026-01-01</time>" in text
    assert "<dd>Trial to partner</dd>" in text
    assert "from a copy of the notebook <code>02_drop_off.ipynb</code>, run from top to bottom" in text
    assert '<html lang="en">' in text
    assert '<a class="skip" href="#main">' in text


def test_a_notebook_without_a_heading_is_titled_by_its_file():
    text = to_html(new_notebook(cells=[shown(text_plain="2")]), name="02_drop_off.ipynb", masthead=MASTHEAD)
    assert "<h1>Drop off</h1>" in text


def test_only_a_study_that_calls_itself_simulated_gets_the_badge():
    made_up = Masthead("Workspace (Simulated)", "Trial", "Plan", "2025-01-01", "2026-01-01")
    assert "badge" in [attributes.get("class") for attributes in Tags(page(masthead=made_up)).of("span")]
    assert "badge" not in [attributes.get("class") for attributes in Tags(page()).of("span")]


def test_the_policy_forbids_everything_but_pictures_styles_and_one_script_inside_the_file():
    policies = [
        each["content"] for each in Tags(page()).of("meta") if each.get("http-equiv") == "Content-Security-Policy"
    ]
    script = re.search(r"<script>(.+?)</script>", page(), re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policies == [
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    ]
    assert len(script) < 2000


def test_contents_lead_to_the_sections_and_equal_headings_keep_apart():
    text = page(
        new_markdown_cell("## Why ask\n\n### Detail"), new_markdown_cell("## Doubts"), new_markdown_cell("## Doubts")
    )
    links = re.findall(r'<li><a href="#(.+?)">(.+?)</a></li>', text)
    assert links == [("why-ask", "Why ask"), ("doubts", "Doubts"), ("doubts-2", "Doubts")]
    assert [each["id"] for each in Tags(text).of("h2")] == ["contents", "why-ask", "doubts", "doubts-2"]


def test_what_customers_wrote_is_text_wherever_it_comes_out():
    stream = new_output("stream", name="stdout", text=HOSTILE)
    error = new_output("error", ename="ValueError", evalue=HOSTILE, traceback=[])
    text = page(
        new_markdown_cell(f"## A heading {HOSTILE}\n\n{HOSTILE}\n\n[{HOSTILE}](javascript:alert(1))"),
        shown(text_plain=HOSTILE),
        shown(text_markdown=f"**34%** {HOSTILE}", tags=["in-short"]),
        shown(image_png=PIXEL, text_plain=f'{HOSTILE}" onerror="alert(1)'),
        shown(text_html=html.paragraph(HOSTILE)),
        new_code_cell(f"'{HOSTILE}'", outputs=[stream, error]),
    )
    assert text.count("<script") == 1
    assert "<script>alert" not in text
    assert "javascript:alert" not in "".join(str(attributes) for _, attributes in Tags(text).seen)
    assert "&lt;script&gt;" in text
    alts = [each["alt"] for each in Tags(text).of("img")]
    assert alts == [f'{HOSTILE}" onerror="alert(1)']


def test_nothing_turns_the_direction_of_what_stands_around_it():
    turned = "annexe\u202efdp.exe"
    text = page(
        new_markdown_cell(turned),
        shown(text_plain=turned),
        shown(text_html=f"<p>{turned}</p>"),
        shown(image_png=PIXEL, text_plain=turned),
        new_code_cell(f"'{turned}'"),
        title=f"# {turned}",
    )
    assert "\u202e" not in text
    assert text.count("annexe[U+202E]fdp.exe") >= 7


def test_a_script_of_ours_that_a_cell_shows_is_refused_too():
    with pytest.raises(ReportError, match="it has the element <script>"):
        page(shown(text_html=SORTING))


def test_a_page_leads_to_the_others_from_wherever_it_lies():
    links = [each["href"] for each in Tags(page()).of("a")]
    assert links == ["#main", "index.html", "data-and-method.html", "glossary.html"]
    notebook = new_notebook(cells=[new_markdown_cell("# Why?")])
    elsewhere = to_html(notebook, name="01.ipynb", masthead=MASTHEAD, reports="../../reports/")
    assert [each["href"] for each in Tags(elsewhere).of("a")][1:] == [f"../../reports/{link}" for link in links[1:]]


def test_results_come_out_by_what_says_most_and_never_vanish():
    text = page(
        shown(text_html="<p>rich</p>", text_plain="poor-1"),
        shown(text_markdown="*said*", text_plain="poor-2"),
        shown(text_plain="only this"),
        new_code_cell(
            "print(1)",
            outputs=[new_output("stream", text="printed"), new_output("stream", name="stderr", text="warned")],
        ),
        new_code_cell("x", outputs=[new_output("display_data", data={"text/plain": "displayed"})]),
    )
    assert "<p>rich</p>" in text
    assert "<em>said</em>" in text
    assert [word in text for word in ("only this", "printed", "displayed")] == [True] * 3
    assert [word in text for word in ("poor-1", "poor-2", "warned")] == [False] * 3


def test_figures_are_numbered_and_described():
    sized = {"image/png": {"width": 760}}
    long = "Half have left.\nEvaluating 51%\nAdopting 68%"
    text = page(
        shown(image_png=f"{PIXEL}\n", text_plain="34% are lost.", metadata=sized),
        shown(image_png=PIXEL, text_plain=long),
        shown(image_png=PIXEL, text_plain="<Figure size 640x480 with 1 Axes>"),
    )
    first, second, third = Tags(text).of("img")
    assert first == {"src": f"data:image/png;base64,{PIXEL}", "alt": "34% are lost.", "width": "760"}
    assert second["alt"] == long
    assert third["alt"] == "Figure 3, which has no description."
    assert '<span class="number">Figure 1</span> 34% are lost.</figcaption>' in text
    assert f"Figure 2</span> Half have left.<details><summary>The figure in words</summary><p>{long}</p>" in text


def test_code_is_folded_away_and_the_settings_stand_at_the_end():
    made = page(shown(source="seed = 7", tags=["parameters"]), shown(text_plain="2"))
    assert all("open" not in folded for folded in Tags(made).of("details"))
    assert made.index("2</pre>") < made.index("Settings</summary>")


def test_readers_meet_the_labels_of_the_journey_and_not_its_names():
    titles = {"no_sponsor": "No <sponsor> *yet*", "trial": "Trial"}
    masthead = replace(MASTHEAD, titles=titles)
    cells = [
        shown(text_markdown="Lost in “trial” to “no_sponsor”, not “else”."),
        shown(text_html="<table><tr><td>no_sponsor</td><td>no_sponsors</td></tr></table>"),
        shown(image_png="aGk=", text_plain="Lost to “no_sponsor”."),
    ]
    made = page(*cells, masthead=masthead)
    assert "Lost in Trial to No &lt;sponsor&gt; *yet*, not “else”." in made
    assert "<td>No &lt;sponsor&gt; *yet*</td><td>no_sponsors</td>" in made
    assert 'alt="Lost to No &lt;sponsor&gt; *yet*."' in made


def test_in_short_is_set_off_and_labelled_once():
    assert '<p class="label">In short</p>' in page(shown(text_markdown="34%", tags=["in-short"]))
    assert '<p class="label">' not in page(
        new_markdown_cell("## In short"), shown(text_markdown="34%", tags=["in-short"])
    )


def test_tables_scroll_in_a_box_that_the_keyboard_reaches(tiny):
    text = page(
        shown(text_html=html.table(tiny)), shown(text_html=tiny.to_html()), new_markdown_cell("| a |\n|---|\n| 1 |")
    )
    boxes = [each for each in Tags(text).of("div") if each.get("class") in ("jl-table", "table")]
    assert [each["tabindex"] for each in boxes] == ["0"] * 3
    data = next(each["href"] for each in Tags(text).of("a") if each.get("class") == "jl-data")
    assert base64.b64decode(data.partition("base64,")[2]).decode() == "stage,share\ntrial,0.25\n"


def test_what_a_table_carries_for_jupyterlab_is_left_out(tiny):
    shown_there = html.table(tiny)
    assert shown_there.startswith(f'<div class="jl-table">{html.FLUSH_LEFT}<table>')
    assert html.FLUSH_LEFT not in page(shown(**{"text/html": shown_there}))


def test_cells_with_much_text_get_room_and_long_words_may_break_on_paper():
    word = "unbroken" * 3
    rows = pd.DataFrame({word: [1], "said": ["short words, but a good many"], "code": [word], "n": ["x"]})
    text = page(shown(text_html=html.table(rows, csv=False)))
    assert f'<th class="number word">{word}</th><th>said</th><th>code</th><th>n</th>' in text
    assert '<td class="number">1</td><td class="long">short words, but a good many</td>' in text
    assert f'<td class="word">{word}</td><td>x</td>' in text


@pytest.mark.parametrize(
    ("fragment", "found"),
    [
        ('<img src="https://example.org/x.png">', "src=“https://example.org/x.png” in <img>"),
        ('<a href="//example.org">x</a>', "href=“//example.org” in <a>"),
        ("<script>1</script>", "the element <script>"),
        ('<b onclick="x()">x</b>', "onclick=“x()” in <b>"),
        ("<style>@import 'x.css';</style>", "“@import 'x.css';” in a style"),
        ('<p style="background: url(x.png)">x</p>', "“url(x.png)” in a style"),
    ],
)
def test_a_page_that_would_reach_out_is_refused(fragment, found):
    with pytest.raises(ReportError) as caught:
        page(shown(text_html=fragment))
    assert str(caught.value) == (
        f"The page of “02_drop_off.ipynb” would not work offline: it has {found}. "
        "Remove the output that has it from the notebook, or show it as a picture or a table."
    )


@pytest.mark.parametrize(
    "fragment",
    [
        '<meta http-equiv="refresh" content="0;url=x.html">',
        '<div style="position: fixed; top: 0">forged</div>',
        '<div style="Z-INDEX:9">forged</div>',
        "<style>p { position:absolute }</style>",
        "</div></main>forged",
        "<div>not closed",
        "<b>not closed",
        "<!-- hides the rest",
        "<!DOCTYPE html>",
        "<dialog open>forged</dialog>",
        "<input value=forged>",
        "<button>forged</button>",
        "<video></video>",
        "<template>x</template>",
        "<noscript>x</noscript>",
        "<textarea>",
        "<plaintext>",
        "<xmp>",
        "<math><mtext></mtext></math>",
    ],
)
def test_a_cell_whose_html_does_more_than_show_something_is_refused(fragment):
    with pytest.raises(ReportError, match=r"does not take\. Show the output as a picture or a table\.$"):
        page(shown(text_html=fragment))


@pytest.mark.parametrize(
    "fragment", ["<ul><li>a<li>b</ul>", "<p>a<br/>b", "<table><tr><td>1<td>2</table>", "<!-- a -->b"]
)
def test_a_cell_may_leave_open_what_browsers_close_themselves(fragment):
    assert "</html>" in page(shown(text_html=fragment))


@pytest.mark.parametrize(
    "address", ["../../secret", "/etc/passwd", "x.html?y=1", "file.csv", "%2e%2e/x", "\\\\host\\x"]
)
def test_a_link_to_anything_but_these_pages_is_shown_as_text(address):
    assert f'href="{address}' not in str(Prose()(f"[read on]({address})"))


def test_addresses_are_shown_but_lead_nowhere_outside():
    text = page(
        new_markdown_cell(
            "See [R](https://r-project.org), <https://x.org> and [below](#doubts). ![p](https://x.org/p.png)"
        )
    )
    assert "See R (https://r-project.org), https://x.org and" in text
    assert {each["href"] for each in Tags(text).of("a")} == {
        "#main",
        "index.html",
        "#doubts",
        "data-and-method.html",
        "glossary.html",
    }
    check_offline(text, name="x")


def test_the_same_outputs_make_the_same_bytes_and_tell_nothing_of_the_machine(project):
    cells = [shown(text_markdown="34%", tags=["in-short"]), new_markdown_cell("## Why"), new_markdown_cell("## How")]
    assert page(*cells) == page(*cells)
    assert str(project) not in page(*cells)
