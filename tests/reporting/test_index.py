"""The index says the bottom line of every report, and which reports are missing."""

from dataclasses import replace

import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from journeylab.reporting.index import Summary, summarise, to_index
from journeylab.reporting.method import Overview
from journeylab.reporting.page import Masthead

MASTHEAD = Masthead("Trials of 2025", "Trial to partner", "Plan the week", "2025-01-01", "2026-01-01")
OVERVIEW = Overview(
    sentence="9 events of 3 customers.",
    stages=pd.DataFrame({"stage": ["Trying"], "opened_by": ["trial_started"]}),
    doubts="1 warning.",
)


def cell(markdown, *tags):
    outputs = [new_output("execute_result", data={"text/markdown": markdown, "text/plain": "<Markdown>"})]
    made = new_code_cell("say()", outputs=outputs)
    made.metadata["tags"] = list(tags)
    return made


def test_a_notebook_in_brief_is_its_title_its_question_and_what_it_says_in_short():
    opening = new_markdown_cell("# Where?\n\nOf those who enter.\n\n## In short")
    notebook = new_notebook(
        cells=[opening, cell("**34%** are lost.", "in-short"), cell("more"), cell("Most early.", "in-short")]
    )
    assert summarise(notebook, name="02_where.ipynb", file="02_where.html") == Summary(
        "02_where.html", "Where?", "Of those who enter.", "**34%** are lost.\n\nMost early."
    )


def test_reports_come_with_their_bottom_line_and_missing_ones_with_the_reason():
    reports = [
        Summary("01.html", "Who?", "Who are <they>?", "**3** kinds."),
        Summary("02.html", "Where?", "", "", failure="Cell [2] of 3 failed: <x>"),
    ]
    page = to_index(reports, masthead=MASTHEAD, overview=OVERVIEW)
    assert '<a href="01.html">Who?</a>' in page
    assert "<p><strong>3</strong> kinds.</p>" in page
    assert "Who are &lt;they&gt;?" in page
    assert 'href="02.html"' not in page
    assert "<strong>Not finished.</strong> Cell [2] of 3 failed: &lt;x&gt;" in page


def test_what_is_tagged_as_the_bottom_line_leads_before_the_map_and_the_reports():
    lost = new_notebook(cells=[new_markdown_cell("# Lost?"), cell("**21%** leave.", "in-short", "bottom-line")])
    drawn = new_code_cell("everyone", outputs=[new_output("execute_result", data={"text/html": "<p>The map.</p>"})])
    drawn.metadata["tags"] = ["map"]
    how = new_notebook(cells=[new_markdown_cell("# How?"), cell("Slowly.", "in-short"), drawn])
    reports = [summarise(book, name=name, file=name) for name, book in (("01_how", how), ("02_lost", lost))]
    main = to_index(reports, masthead=MASTHEAD, overview=OVERVIEW).partition("<main")[2]
    texts = (
        "The bottom line", "<strong>21%</strong> leave.", "<p>The map.</p>", "All reports in short", "Slowly.",
        "<strong>21%</strong> leave.", "The journey at a glance",
    )  # fmt: skip
    place = 0
    for text in texts:
        place = main.index(text, place) + 1
    failed = summarise(lost, name="02_lost", file="02_lost", failure="Cell [1] failed.")
    assert "21%" not in to_index([failed], masthead=MASTHEAD, overview=OVERVIEW)


def test_journey_notes_and_doubts_stand_under_the_reports():
    page = to_index([], masthead=MASTHEAD, overview=replace(OVERVIEW, notes="Read *this* <now>."))
    assert "<p>9 events of 3 customers.</p>" in page
    assert "<td>Trying</td><td>trial_started</td>" in page
    assert "What the lint says of the journey’s definition and the data: 1 warning." in page
    assert "Read <em>this</em> &lt;now&gt;." in page


def test_the_map_comes_between_the_bottom_line_and_the_stages_where_there_is_one():
    drawn = new_code_cell("everyone", outputs=[new_output("execute_result", data={"text/html": "<p>The map.</p>"})])
    drawn.metadata["tags"] = ["map"]
    summary = summarise(new_notebook(cells=[new_markdown_cell("# How?"), drawn]), name="07_how.ipynb", file="07.html")
    page = to_index([summary], masthead=MASTHEAD, overview=OVERVIEW)
    main = page.partition("<main")[2]
    places = [main.index(text) for text in ("The bottom line", "<p>The map.</p>", "The journey at a glance")]
    assert places == sorted(places)
    contents = page.partition("<nav")[2].partition("</nav>")[0]
    assert '<a href="#the-journey-map">The journey map</a>' in contents
    assert "journey map" not in to_index([], masthead=MASTHEAD, overview=OVERVIEW)


def test_the_index_leads_to_the_data_and_to_the_words():
    page = to_index([], masthead=MASTHEAD, overview=OVERVIEW)
    assert '<a href="data-and-method.html">data and method</a>' in page
    assert '<a href="glossary.html">glossary</a>' in page
