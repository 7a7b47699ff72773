"""Comparisons and hazards keep the contract of findings, each in the one stage that it is about."""

import dataclasses

import pandas as pd
import pytest

from journeylab.base.charts import Chart
from journeylab.events.queries.covariates import Exposure
from journeylab.findings.comparison import compare_groups
from journeylab.findings.finding import Finding
from journeylab.findings.hazards import fit_hazards

STAGES = ["trial", "paid", "plus", "partner"]
CASES = Exposure(
    "case",
    pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(0, 80, 3)],
            "time": pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(range(27), unit="D"),
        }
    ),
)
FINDINGS = {
    "comparison": lambda spells: compare_groups(spells, stage="trial", by="plan", horizon="30d"),
    "hazards": lambda spells: fit_hazards(spells, stage="trial", exit="price", covariates=["plan", CASES]),
}


@pytest.fixture(params=FINDINGS)
def finding(request, spells_of) -> Finding:
    ways = [("price", 5), ("advanced", 6), ("advanced", 9), (None, 90), ("price", 12)]
    rows = [(f"c{i}", "trial", i % 10, i % 10 + ways[i % 5][1], ways[i % 5][0]) for i in range(80)]
    plans = pd.DataFrame({"plan": ["<b>small</b>", "large"] * 40}, index=pd.Index([f"c{i}" for i in range(80)]))
    return FINDINGS[request.param](spells_of(rows, attributes=plans))


def test_it_is_a_frozen_finding_with_a_title(finding):
    assert isinstance(finding, Finding)
    assert "“trial”" in finding.title
    assert finding.lacking is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        finding.title = "another"


def test_its_table_is_tidy_with_interval_and_base(finding):
    table = finding.table
    estimate = "estimate" if "estimate" in table else "hazard_ratio"
    assert {"lower", "upper", "n", "customers", "events"} <= set(table)
    assert list(table.index) == list(range(len(table)))
    keys = [column for column in ("group", "stage", "to", "covariate", "level") if column in table]
    assert not table.duplicated(keys).any()
    known = table.dropna(subset=["lower", "upper"])
    assert len(known) >= 2
    assert ((known["lower"] <= known[estimate]) & (known[estimate] <= known["upper"])).all()


def test_its_sentence_is_one_paragraph_with_a_number_an_interval_and_a_base(finding):
    sentence = finding.sentence()
    assert sentence.endswith(".")
    assert "\n" not in sentence
    for part in ("95% interval", "visits", "customers"):
        assert part in sentence
    for slip in ("np.", "nan", "caus", "significan"):
        assert slip not in sentence


def test_its_lanes_are_indexed_by_the_stages_of_the_journey_in_order(finding):
    lanes = finding.by_stage()
    assert lanes.index.name == "stage"
    assert list(lanes.index) == STAGES
    assert lanes.loc["trial"].notna().all()
    assert lanes.drop(index="trial").isna().all(axis=None)


def test_its_figure_carries_its_message_in_words(finding):
    chart = finding.plot()
    assert isinstance(chart, Chart)
    assert any(character.isdigit() for character in chart.alt)
    assert chart.png().startswith(b"\x89PNG")
    assert finding.plot(chart.axes).axes is chart.axes


def test_its_html_is_escaped_and_holds_title_and_sentence(finding):
    shown = finding._repr_html_()
    assert finding.title in shown
    assert "<b>small</b>" not in shown
    assert "jl-table" in shown


def test_it_is_the_same_each_time(finding):
    assert finding.sentence() == finding.sentence()
    assert finding.plot().png() == finding.plot().png()
