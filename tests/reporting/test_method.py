"""The page on data and method shows its parts in order, as text; the glossary says each word once."""

import re

import pandas as pd

from journeylab.base.html import Table
from journeylab.reporting.method import GLOSSARY, MethodSection, to_glossary, to_method
from journeylab.reporting.page import Masthead

MASTHEAD = Masthead("Trials of 2025", "Trial to partner", "Plan the week", "2025-01-01", "2026-01-01")


def test_parts_come_in_order_with_their_tables_and_stay_text():
    files = Table(pd.DataFrame({"file": ["=<b>.csv"]}), "Files")
    page = to_method(
        [MethodSection("What was read", ("3 rows <all>.",), (files,)), MethodSection("Versions")], masthead=MASTHEAD
    )
    assert re.findall(r"<h2 id=\"([\w-]+)\"", page) == ["contents", "what-was-read", "versions"]
    assert "<p>3 rows &lt;all&gt;.</p>" in page
    assert "<caption>Files</caption>" in page
    assert "<td>=&lt;b&gt;.csv</td>" in page
    assert page == to_method(
        [MethodSection("What was read", ("3 rows <all>.",), (files,)), MethodSection("Versions")], masthead=MASTHEAD
    )


def test_the_glossary_explains_every_term_once():
    terms = re.findall(r"^(?!#)(.+)\n: ", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)
    page = to_glossary(masthead=MASTHEAD)
    assert re.findall(r"<dt>(.+?)</dt>", page.partition("<main")[2]) == terms
    assert len(set(terms)) == len(terms) > 30
