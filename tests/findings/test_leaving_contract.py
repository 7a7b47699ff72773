"""What leavers did, and validation, keep the contract of findings."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from journeylab.base.charts import Chart
from journeylab.events.journey import Journey
from journeylab.events.reading import read_events
from journeylab.events.spells import find_spells
from journeylab.findings.finding import Finding
from journeylab.findings.leavers import compare_leavers
from journeylab.findings.validation import estimate_validation

START = pd.Timestamp("2025-01-01", tz="UTC")
STAGES = ["trial", "paid"]
JOURNEY = Journey.model_validate(
    {
        "journeylab": 1,
        "name": "by hand",
        "goal": "Keep the contract",
        "stages": [
            {"name": "trial", "opened_by": [{"event": "start"}], "validated_by": {"event": "use", "within": "6d"}},
            {"name": "paid", "opened_by": [{"event": "buy"}], "completes": True},
        ],
        "loss_branches": [{"name": "price", "when": {"event": "cancel"}}],
    }
)
FINDINGS = {
    "leavers": lambda log, spells, by: compare_leavers(log, spells, before="5d", seed=1, by=by),
    "validation": lambda _, spells, by: estimate_validation(spells, horizons=["7d", "30d"], by=by),
}


@pytest.fixture(scope="module")
def studied():
    """Log and spells of 120 customers; most who complain cancel, most who do not buy, some of both stay."""
    random, rows = np.random.default_rng(3), []
    for number in range(120):
        name, complains = f"c{number:03}", number % 2 == 0
        ends = ("cancel", "cancel", "buy", None) if complains else ("buy", "buy", "cancel", None)
        end, day = ends[number // 2 % 4], float(random.uniform(8, 30))
        rows += [(name, "start", 0), (name, "use", 1 + number % 9)] if number % 3 else [(name, "start", 0)]
        rows += [(name, "<i>complain</i>", day - 1)] if complains else [(name, "look", day - 1)]
        rows += [(name, end, day)] if end else []
    table = pd.DataFrame(rows, columns=["customer_id", "event", "day"])
    table["time"] = START + pd.to_timedelta(table["day"], unit="D")
    plans = pd.DataFrame({"plan": ["<b>small</b>", "large"] * 60}, index=[f"c{number:03}" for number in range(120)])
    names = {name: name for name in ("customer_id", "event", "time")}
    customers = plans.rename_axis("customer_id")
    window = (START, START + pd.Timedelta(days=90))
    log = read_events(table.drop(columns="day"), columns=names, window=window, customers=customers)
    return log, find_spells(log, JOURNEY)


@pytest.fixture(params=[None, "plan"], ids=["all together", "by group"])
def by(request):
    return request.param


@pytest.fixture(params=FINDINGS)
def finding(request, studied, by) -> Finding:
    return FINDINGS[request.param](*studied, by)


def test_it_is_a_frozen_finding_with_a_title(finding, by):
    assert isinstance(finding, Finding)
    assert finding.lacking is None
    assert (f"by {by}" in finding.title) == (by is not None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        finding.title = "another"


def test_its_table_is_tidy_with_interval_and_base(finding, by):
    table = finding.table
    assert {"stage", "estimate", "lower", "upper", "n"} <= set(table)
    assert ("group" in table) == (by is not None)
    assert list(table.index) == list(range(len(table)))
    keys = [each for each in ("group", "stage", "branch", "event", "initiator", "to", "horizon_days") if each in table]
    assert not table.duplicated(keys).any()
    known = table.dropna(subset=["estimate", "lower", "upper"])
    assert len(known) >= 2
    assert ((known["lower"] <= known["estimate"]) & (known["estimate"] <= known["upper"])).all()
    assert all(table[column].dtype == np.float64 for column in ("estimate", "lower", "upper"))


def test_its_sentence_is_one_paragraph_with_a_number_an_interval_and_a_base(finding):
    sentence = finding.sentence()
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "95% interval" in sentence
    assert "np." not in sentence
    assert "nan" not in sentence


def test_its_lanes_are_indexed_by_the_stages_of_the_journey_in_order(finding):
    lanes = finding.by_stage()
    assert lanes.index.name == "stage"
    assert list(lanes.index) == STAGES
    assert lanes.loc["trial"].notna().any()
    assert lanes.loc["paid"].isna().all()


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
    assert "<i>complain</i>" not in shown
    assert "jl-table" in shown


def test_it_is_the_same_each_time(finding):
    assert finding.sentence() == finding.sentence()
    assert finding.plot().png() == finding.plot().png()
