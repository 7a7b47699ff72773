"""The index opens with what was found, says each report's answer, and which reports are missing."""

from dataclasses import replace

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from journeylab.reporting.index import Shown, Summary, summarise, to_index
from journeylab.reporting.method import Action, Overview
from journeylab.reporting.page import Masthead

MASTHEAD = Masthead("Trials of 2025", "Trial to partner", "Plan the week", "2025-01-01", "2026-01-01")
ACTIONS = (Action("Trying", "Show the <price>", "growth"), Action("Paying", None, "sales"))
OVERVIEW = Overview(sentence="9 events of 3 customers.", actions=ACTIONS, doubts="1 warning.")
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="


def cell(markdown, *tags):
    outputs = [new_output("execute_result", data={"text/markdown": markdown, "text/plain": "<Markdown>"})]
    made = new_code_cell("say()", outputs=outputs)
    made.metadata["tags"] = list(tags)
    return made


def drawing(tag, alt):
    data = {"image/png": PIXEL, "text/plain": alt}
    made = new_code_cell("draw()", outputs=[new_output("execute_result", data=data)])
    made.metadata["tags"] = [tag]
    return made


def index_of(*reports, overview=OVERVIEW):
    return to_index(reports, masthead=MASTHEAD, overview=overview)


def test_a_notebook_in_brief_is_its_title_and_what_its_tagged_cells_gave():
    opening = new_markdown_cell("# Where?\n\nOf those who enter.\n\n## In short")
    cells = [opening, cell("**34%** are lost. Most early.", "in-short"), cell("more"), cell("Why?", "in-short", "who")]
    brief = summarise(new_notebook(cells=[*cells, drawing("river", "A river.")]), name="02_where.ipynb", file="02.html")
    words = {"in-short": "**34%** are lost. Most early.\n\nWhy?", "who": "Why?"}
    assert brief == Summary("02.html", "Where?", words, {"river": Shown(PIXEL, "A river.")})
    assert brief.answer == "**34%** are lost."


def test_each_report_is_reached_by_its_answer_and_missing_ones_say_why():
    page = index_of(
        Summary("01.html", "Who?", {"in-short": "**3** kinds <b>. Two are large."}, {}),
        Summary("02.html", "Where?", {}, {}, failure="Cell [2] of 3 failed: <x>"),
        Summary("03.html", "How <fast>?", {}, {}),
    )
    assert '<a href="01.html">3 kinds &lt;b&gt;.</a>' in page
    assert '<a href="03.html">How &lt;fast&gt;?</a>' in page
    assert 'href="02.html"' not in page
    assert "<strong>Not finished.</strong> Cell [2] of 3 failed: &lt;x&gt;" in page


def test_the_headline_is_the_title_and_what_matters_comes_before_the_reports():
    lost = Summary("02.html", "Lost?", {"bottom-line": "**21%** leave.", "unknown": "A third."}, {})
    drawn = {"river": Shown(PIXEL, "A river."), "wall": Shown(PIXEL, "A map.")}
    found = Summary("07.html", "How?", {"headline": "16 of 100 are lost in Paying", "in-short": "Slowly."}, drawn)
    page = index_of(lost, found)
    assert "<h1>16 of 100 are lost in Paying</h1>" in page
    place = 0
    texts = ("<strong>21%</strong> leave.", 'alt="A river."', "What nobody knows", "A third.", "What to do next",
             "Nobody has proposed anything for Paying yet.", "Show the &lt;price&gt;", "Slowly.", 'alt="A map."',
             "9 events of 3 customers.")  # fmt: skip
    for text in texts:
        place = page.index(text, place) + 1
    failed = replace(lost, failure="Cell [1] failed.")
    assert "21%" not in index_of(failed)
    assert "<h1>What we found</h1>" in index_of(failed)


def test_notes_and_doubts_stand_under_the_reports_with_the_way_to_data_and_words():
    page = index_of(overview=replace(OVERVIEW, notes="Read *this* <now>."))
    assert "What the lint says of the journey’s definition and the data: 1 warning." in page
    assert "Read <em>this</em> &lt;now&gt;." in page
    assert '<a href="data-and-method.html">data and method</a>' in page
    assert '<a href="glossary.html">glossary</a>' in page
