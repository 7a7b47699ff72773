"""Every finding keeps the contract: title, tidy table with interval and base, sentence, lanes, figure, HTML; by groups
as in all customers together, and where there is nothing to find."""

import dataclasses
import inspect

import numpy as np
import pandas as pd
import pytest
from by_hand import JOURNEY, log_of, spells_of
from nouns import FINDINGS, FINDINGS_BY_GROUP, HOSTILE, find_in, finding_classes

from journeylab.base import html
from journeylab.base.charts import Chart
from journeylab.findings.finding import Finding
from journeylab.findings.grouping import Grouping

pytestmark = pytest.mark.slow

# What a table tells rows apart by; the first is the name of its groups.
KEYS = (
    "group", "stage", "state", "kind", "to", "branch", "event", "initiator", "name", "measure", "theme", "bucket",
    "step", "persona", "covariate", "level", "factor", "horizon_days", "days",
)  # fmt: skip
# What an estimate is called, and what it is an estimate of.
ESTIMATES = ("estimate", "hazard_ratio", "share", "difference")
BASES = {"n", "at_risk"}
CASES = [(name, None) for name in FINDINGS] + [(name, "plan") for name in FINDINGS_BY_GROUP]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}{' by group' * (case[1] is not None)}")
def case(request, noun_study, findings) -> tuple[str, str | None, Finding]:
    """A finding, with the name of its class and what it was grouped by."""
    name, by = request.param
    if by is None:
        return name, by, findings[name]
    customers = noun_study.log.customers.index
    plans = pd.Series(["<b>small</b>" if place % 2 else "large" for place in range(len(customers))], customers)
    return name, by, find_in(noun_study, name, plans.rename(by))


def test_every_finding_of_the_package_is_tested_here():
    concrete = {name for name, kind in finding_classes().items() if not inspect.isabstract(kind)}
    assert concrete == set(FINDINGS)


def test_it_is_a_frozen_finding_with_a_title(case):
    name, by, finding = case
    assert isinstance(finding, finding_classes()[name])
    assert finding.lacking is None
    assert finding.title
    assert (f"by {by}" in finding.title) == (by is not None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        finding.title = "another"


def test_its_table_is_tidy_with_interval_and_base(case):
    _, by, finding = case
    table = finding.table
    assert list(table.index) == list(range(len(table)))
    assert not table.duplicated([key for key in KEYS if key in table]).any()
    assert BASES & set(table)
    if by is not None:
        assert "group" in table
    estimate = next(column for column in ESTIMATES if column in table)
    known = table.dropna(subset=[estimate, "lower", "upper"])
    assert len(known)
    assert (known["lower"] <= known[estimate] + 1e-12).all()
    assert (known[estimate] <= known["upper"] + 1e-12).all()
    assert all(table[column].dtype == np.float64 for column in (estimate, "lower", "upper"))


def test_its_sentence_is_one_paragraph_with_numbers_in_it_and_no_slip(case):
    sentence = case[2].sentence()
    assert sentence.rstrip("”").endswith(".")
    assert any(character.isdigit() for character in sentence)
    for slip in ("\n", "np.", "nan", "caus", "significan"):
        assert slip not in sentence


def test_its_lanes_are_indexed_by_the_stages_of_the_journey_in_order(case, noun_study):
    lanes = case[2].by_stage()
    assert lanes.index.name == "stage"
    assert list(lanes.index) == list(noun_study.journey.stage_names)


def test_its_figure_carries_its_message_in_words(case):
    chart = case[2].plot()
    assert isinstance(chart, Chart)
    assert any(character.isdigit() for character in chart.alt)
    assert case[2].plot(chart.axes).axes is chart.axes


def test_its_html_holds_title_and_period_and_is_escaped(case, noun_study):
    shown = case[2]._repr_html_()
    assert HOSTILE not in shown
    assert "<b>small</b>" not in shown
    assert HOSTILE not in case[2].title or "&lt;script&gt;" in shown
    assert case[2].period == noun_study.window
    line = f"<p><small>Observed from {noun_study.window}.</small></p>"
    assert f"</h3>{line}" in shown
    assert dataclasses.replace(case[2], period=None)._repr_html_() == shown.replace(line, "")


def test_it_is_the_same_each_time(case):
    _, by, finding = case
    assert finding.sentence() == finding.sentence()
    chart, again = finding.plot(), finding.plot()
    assert chart.alt == again.alt
    picture = chart.png()
    assert picture.startswith(b"\x89PNG")
    # To draw takes longest here; a figure by groups is drawn by the same functions.
    assert by is not None or again.png() == picture


NOBODY = pd.Index([], dtype=object, name="customer_id")
NO_LABEL = Grouping(
    "persona", pd.Series([], index=NOBODY, dtype=object), pd.Series([], index=NOBODY, dtype="datetime64[us, UTC]")
)
LACKS = {
    "no spell": ([], None),
    "no spell, by group": ([], NO_LABEL),
    "no label": ([("a", "trial", 0, 5, "price")], NO_LABEL),
}


@pytest.fixture(scope="module")
def one_look():
    """A log of one event that means nothing to the journey."""
    return log_of([{"customer_id": "a", "event": "look", "day": 1}], end=1000)


@pytest.mark.parametrize("lacks", LACKS)
@pytest.mark.parametrize("name", FINDINGS_BY_GROUP)
def test_where_there_is_nothing_to_find_it_is_empty_and_says_what_is_lacking(name, lacks, one_look):
    rows, by = LACKS[lacks]
    spells = spells_of(rows)
    finding = FINDINGS_BY_GROUP[name](one_look, spells, by)
    assert finding.lacking.endswith(".")
    assert finding.sentence() == finding.lacking
    assert finding.plot().alt == finding.lacking
    assert lacks != "no spell" or finding.plot(finding.plot().axes).png().startswith(b"\x89PNG")
    assert html.escape(finding.lacking) in finding._repr_html_()
    assert finding.period == spells.window
    assert "Observed from 2025-01-01 to 2027-09-28." in finding._repr_html_()
    assert finding.table["estimate"].isna().all()
    assert all(finding.table[column].dtype == np.float64 for column in ("estimate", "lower", "upper"))
    assert ("group" in finding.table) == (by is not None)
    assert list(finding.by_stage().index) == list(JOURNEY.stage_names)
    assert finding.by_stage().index.name == "stage"
    assert finding.by_stage().isna().all(axis=None)
