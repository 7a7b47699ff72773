"""Every finding keeps the contract: title, tidy table with interval and base, sentence, lanes, figure, HTML."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from journeylab.base.charts import Chart
from journeylab.events.log import Window
from journeylab.findings.dropoff import estimate_dropoff
from journeylab.findings.finding import Finding
from journeylab.findings.grouping import Grouping
from journeylab.findings.recovery import estimate_recovery
from journeylab.findings.survival import estimate_survival

START = pd.Timestamp("2025-01-01", tz="UTC")
STAGES = ["trial", "paid", "plus", "partner"]
FINDINGS = {
    "drop-off": lambda spells, by: estimate_dropoff(spells, horizons=["7d", "30d"], by=by),
    "recovery": lambda spells, by: estimate_recovery(spells, horizons=["7d", "30d"], by=by),
    "survival": lambda spells, by: estimate_survival(spells, by=by),
}


@pytest.fixture(params=[None, "plan"], ids=["all together", "by group"])
def by(request):
    return request.param


@pytest.fixture(params=FINDINGS)
def finding(request, spells_of, by) -> Finding:
    ways = [("price", 5), ("advanced", 6), ("advanced", 9), (None, 90)]
    rows = []
    for i in range(80):
        way, length = ways[i % 4]
        rows.append((f"c{i}", "trial", i % 10, i % 10 + length, way))
        if way == "advanced":
            rows.append((f"c{i}", "paid", i % 10 + length, 100, "other" if i % 8 == 1 else None))
    plans = pd.DataFrame({"plan": ["<b>small</b>", "large"] * 40}, index=pd.Index([f"c{i}" for i in range(80)]))
    return FINDINGS[request.param](spells_of(rows, attributes=plans), by)


def test_it_is_a_frozen_finding_with_a_title(finding, by):
    assert isinstance(finding, Finding)
    assert finding.title
    assert (f"by {by}" in finding.title) == (by is not None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        finding.title = "another"


def test_its_table_is_tidy_with_interval_and_base(finding, by):
    table = finding.table
    assert {"stage", "estimate", "lower", "upper"} <= set(table)
    assert {"n", "at_risk"} & set(table)
    assert ("group" in table) == (by is not None)
    assert list(table.index) == list(range(len(table)))
    keys = [column for column in ("group", "stage", "to", "state", "horizon_days", "days") if column in table]
    assert not table.duplicated(keys).any()
    known = table.dropna(subset=["estimate", "lower", "upper"])
    assert len(known)
    assert ((known["lower"] <= known["estimate"]) & (known["estimate"] <= known["upper"])).all()
    assert all(table[column].dtype == np.float64 for column in ("estimate", "lower", "upper"))


def test_its_sentence_is_one_paragraph_with_a_number_an_interval_and_a_base(finding):
    sentence = finding.sentence()
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "95% interval" in sentence
    assert "visits" in sentence
    assert "np." not in sentence
    assert "nan" not in sentence


def test_its_lanes_are_indexed_by_the_stages_of_the_journey_in_order(finding):
    lanes = finding.by_stage()
    assert lanes.index.name == "stage"
    assert list(lanes.index) == STAGES
    assert lanes.loc["trial"].notna().any()
    assert lanes.loc["partner"].isna().all()


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


def test_it_says_what_was_observed_under_its_title_and_nothing_where_that_is_not_known(finding):
    assert finding.period == Window(START, START + pd.Timedelta(days=1000))
    line = "<p><small>Observed from 2025-01-01 to 2027-09-28.</small></p>"
    shown = finding._repr_html_()
    assert f"</h3>{line}<p>" in shown
    assert dataclasses.replace(finding, period=None)._repr_html_() == shown.replace(line, "")


def test_it_is_the_same_each_time(finding):
    assert finding.sentence() == finding.sentence()
    assert finding.plot().png() == finding.plot().png()


NOBODY = pd.Index([], dtype=object, name="customer_id")
NO_LABEL = Grouping(
    "persona", pd.Series([], index=NOBODY, dtype=object), pd.Series([], index=NOBODY, dtype="datetime64[us, UTC]")
)


LACKS = {
    "no spell": ([], None),
    "no spell, by group": ([], NO_LABEL),
    "no label": ([("a", "trial", 0, 5, "price")], NO_LABEL),
}


@pytest.fixture(params=LACKS)
def lacks(request, spells_of):
    """Spells, and groups of which there may be none, where one of the two holds nothing."""
    rows, grouping = LACKS[request.param]
    return spells_of(rows), grouping


@pytest.mark.parametrize("name", FINDINGS)
def test_without_data_it_is_empty_and_says_what_is_lacking(name, lacks):
    spells, grouping = lacks
    found = FINDINGS[name](spells, grouping)
    assert found.lacking.startswith("Nobody ")
    assert found.sentence() == found.lacking
    assert found.plot().alt == found.lacking
    assert found.plot(found.plot().axes).png().startswith(b"\x89PNG")
    assert found.lacking in found._repr_html_()
    assert found.period == spells.window
    assert "Observed from 2025-01-01 to 2027-09-28." in found._repr_html_()
    assert found.table["estimate"].isna().all()
    assert all(found.table[column].dtype == np.float64 for column in ("estimate", "lower", "upper"))
    assert ("group" in found.table) == (grouping is not None)
    assert list(found.by_stage().index) == STAGES
    assert found.by_stage().index.name == "stage"
    assert found.by_stage().isna().all(axis=None)
