"""Horizons that suit the data are proposed; those that are too short or too long are named, with what to write."""

import pytest
from by_hand import journey_of, log_of

from journeylab.base.errors import EstimateError
from journeylab.base.suppression import MIN_SHOWN
from journeylab.events.spells import find_spells
from journeylab.findings.horizons import find_horizons, lint_horizons

STAGES = [
    {"name": "trial", "opened_by": [{"event": "start"}], "silent_after": "45d"},
    {"name": "paid", "opened_by": [{"event": "buy"}]},
    {"name": "partner", "opened_by": [{"event": "refer"}], "completes": True},
]
JOURNEY = journey_of(STAGES, [{"name": "price", "when": {"event": "cancel"}}])


def spells(*, end=400.0, completed=110, stages=STAGES, n_completed=20, open_since=None):
    """20 cancel on day 8; `n_completed` buy on day 20 and refer on day `completed`; 20 buy on day 20 and stay there."""
    rows = []
    for kind, n, events in (
        ("lost", 20, [("start", 0), ("cancel", 8)]),
        ("done", n_completed, [("start", 0), ("buy", 20), ("refer", completed)]),
        ("stay", 20, [("start", open_since or 0), ("buy", 20 + (open_since or 0))]),
    ):
        rows += [
            {"customer_id": f"{kind} {i:02}", "event": event, "day": day + i % 3}
            for i in range(n)
            for event, day in events
        ]
    return find_spells(log_of(rows, end=end), journey_of(stages, [{"name": "price", "when": {"event": "cancel"}}]))


def doubts(horizons, found):
    return lint_horizons(horizons, found).table.set_index("rule")


def test_what_is_proposed_reaches_beyond_silence_and_the_fastest_completion_and_is_not_doubted():
    found = spells()
    proposed = find_horizons(found)
    assert proposed == ("60d", "90d", "120d")
    assert not lint_horizons(proposed, found)


def test_a_horizon_below_a_silence_window_is_named_with_stage_number_and_fix():
    row = doubts(["30d", "120d"], spells()).loc["horizon-before-silence"]
    assert row["problem"] == "Within 30 days nobody can be lost to silence in “trial” (silent after 45 days)."
    assert row["fix"].startswith("Write 60d or longer instead.")
    assert row["where"] == "horizons[0]"
    assert lint_horizons(["45d", "120d"], spells()).table.empty, "as long as the window is long enough"


def test_a_longest_horizon_below_the_fastest_completion_is_named():
    row = doubts(["60d", "90d"], spells()).loc["horizon-before-completion"]
    assert row["problem"] == (
        "Within 90 days of entering the journey, the longest horizon, nobody of the 20 who complete it has done so: "
        "the fastest took 110 days, half of them 110 days."
    )
    assert row["fix"].startswith("Add 120d or longer.")
    assert "horizon-before-completion" not in doubts(["60d", "120d"], spells()).index


def test_small_counts_of_those_who_complete_are_not_told():
    assert doubts(["60d"], spells(n_completed=MIN_SHOWN - 1)).empty


def test_a_horizon_past_what_is_watched_is_named():
    found = spells(end=130, completed=100)
    row = doubts(["60d", "120d"], found).loc["horizon-past-watched"]
    assert row["problem"].startswith("Within 120 days the losses cannot be estimated in “paid” (enough were watched to")
    assert row["fix"].startswith("Write 90d or less instead")
    row = doubts(["60d", "365d"], found).loc["horizon-past-window"]
    assert row["problem"] == "365 days is longer than what was observed: 130 days."


def test_a_journey_without_silence_or_completion_has_horizons_too():
    stages = [{key: value for key, value in STAGES[0].items() if key != "silent_after"}, STAGES[1]]
    found = spells(stages=stages)
    assert find_horizons(found)
    assert not lint_horizons(find_horizons(found), found)


def test_a_horizon_that_is_none_is_refused():
    with pytest.raises(EstimateError, match="No horizon is given"):
        lint_horizons([], spells())
