"""Experiences: what customers had met in one stage, as exposures for a later one."""

import pandas as pd
import pytest
from by_hand import JOURNEY, log_of

from journeylab.base.errors import JourneyError
from journeylab.events.queries.experiences import find_experiences
from journeylab.events.spells import find_spells
from journeylab.findings.hazards import fit_hazards


def studied(n: int = 60):
    """All try and buy on day 10; half had a demo before, a third a call that the company made; half of those without a
    demo cancel on day 20. All look, nobody else asks; some have a demo only after buying."""
    rows = []
    for i in range(n):
        name = f"c{i:02}"
        had_demo = i % 2 == 0
        rows += [
            {"customer_id": name, "event": event, "day": day} for event, day in (("start", 0), ("look", 1), ("buy", 10))
        ]
        rows += [{"customer_id": name, "event": "demo", "day": 3.0 if had_demo else 12.0}]
        rows += [{"customer_id": name, "event": "recorded", "day": 3.5}] if had_demo else []
        rows += [{"customer_id": name, "event": "call", "day": 5, "initiator": "company"}] if i % 3 == 0 else []
        rows += [{"customer_id": name, "event": "cancel", "day": 20, "reason": "price"}] if i % 4 == 1 else []
        rows += [{"customer_id": name, "event": "look", "day": 80}]
    rows += [{"customer_id": "c00", "event": "rare", "day": 2}]
    log = log_of([{"initiator": "customer", "reason": None} | row for row in rows])
    return log, find_spells(log, JOURNEY)


def test_only_what_some_had_met_in_that_stage_and_others_not_is_taken():
    log, spells = studied()
    found = find_experiences(log, spells, stage="trial", before="paid")
    # All look, one had something rare, nobody had “buy” as an experience, and “recorded” is the demo once more.
    assert [exposure.name for exposure in found] == ["call", "demo"]
    demo = found[1].times
    assert len(demo) == 30
    # Demos after buying happened in another stage.
    assert (demo["time"] < spells.window.start + pd.Timedelta(days=10)).all()


def test_at_most_so_many_are_taken_those_that_split_most_evenly():
    log, spells = studied()
    assert [exposure.name for exposure in find_experiences(log, spells, stage="trial", before="paid", most=1)] == [
        "demo"
    ]


def test_they_go_into_a_model_of_the_later_stage_together():
    log, spells = studied()
    met = find_experiences(log, spells, stage="trial", before="paid")
    found = fit_hazards(spells, stage="paid", exit="lost", covariates=list(met))
    said = found.strongest_in_words()
    assert said.startswith("“paid”, left by “lost” (15 of 60 visits): ")
    assert "after “demo”" in said or "after “call”" in said


def test_too_few_customers_leave_nothing_to_compare():
    log, spells = studied(12)
    assert find_experiences(log, spells, stage="trial", before="paid") == ()


def test_a_stage_that_is_not_there_is_refused():
    with pytest.raises(JourneyError, match="The journey has no stage “trail”"):
        find_experiences(*studied(12), stage="trail", before="paid")
