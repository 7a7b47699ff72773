"""The index says the bottom line of every report, and which reports are missing."""

import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from journeylab.reporting.index import Overview, Summary, summarise, to_index
from journeylab.reporting.page import Masthead

MASTHEAD = Masthead("Trials of 2025", "Trial to partner", "Plan the week", "2025-01-01", "2026-01-01")
NOTHING = pd.DataFrame(columns=["severity", "where", "found", "mend"])
OVERVIEW = Overview(
    sentence="9 events of 3 customers.",
    stages=pd.DataFrame({"stage": ["Trying"], "opened_by": ["trial_started"]}),
    reading=pd.DataFrame({"part": ["read"], "rows": [9]}),
    lint=NOTHING,
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


def test_journey_data_and_lint_stand_under_the_reports():
    page = to_index([], masthead=MASTHEAD, overview=OVERVIEW)
    assert "<p>9 events of 3 customers.</p>" in page
    assert "<td>Trying</td><td>trial_started</td>" in page
    assert "Nothing to mend." in page
    remarks = pd.DataFrame([["warning", "journey.yml:3", "No <event>.", "Name one."]], columns=NOTHING.columns)
    page = to_index(
        [], masthead=MASTHEAD, overview=Overview("x", OVERVIEW.stages, OVERVIEW.reading, remarks, "Read *this*.")
    )
    assert "<td>No &lt;event&gt;.</td><td>Name one.</td>" in page
    assert "Read <em>this</em>." in page
