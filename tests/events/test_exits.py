"""Exits: visits on the spell clock, and whether they carry an estimate."""

import numpy as np
import pandas as pd
import pytest

from journeylab.base.errors import EstimateError
from journeylab.events.journey import Journey
from journeylab.events.spells.exits import Exits, find_exits, join_exits, possible_exits

START = pd.Timestamp("2025-01-01", tz="UTC")


def journey(movement="forward", **branch):
    return Journey.model_validate(
        {
            "journeylab": 1,
            "name": "small",
            "goal": "g",
            "movement": movement,
            "stages": [
                {"name": "first", "opened_by": [{"event": "a"}], "silent_after": "9d"},
                {"name": "second", "opened_by": [{"event": "b"}]},
                {"name": "done", "opened_by": [{"event": "c"}], "completes": True},
            ],
            "loss_branches": [
                {"name": "price", "from": ["first"], "when": {"event": "p"}, **branch},
                {"name": "other", "when": {"event": "o"}},
            ],
        }
    )


def visits(*rows):
    """(customer, stage, entered, observed_from, left, outcome, to), times in days."""
    table = pd.DataFrame(rows, columns=["customer_id", "stage", "entered", "observed_from", "left", "outcome", "to"])
    times = {name: START + pd.to_timedelta(table[name], unit="D") for name in ("entered", "observed_from", "left")}
    return table.assign(**times)


def exits(entry, leaving, destination, customers=None):
    n = len(leaving)
    arrays = np.array(entry, float), np.array(leaving, float), np.array(destination)
    return Exits("first", None, ("advanced", "other"), *arrays, np.array(customers or range(n)), earliest={})


def test_the_possible_exits_follow_from_the_rules():
    forward = journey()
    assert possible_exits(forward, "first") == ("advanced", "completed", "price", "other", "silent")
    assert possible_exits(forward, "second") == ("completed", "other")
    assert possible_exits(forward, "done") == ()
    assert possible_exits(journey("free"), "second") == ("regressed", "completed", "other")


def test_each_stage_gets_its_visits_in_days_with_the_way_they_ended():
    found = find_exits(
        visits(
            ("b", "first", 0, 0, 0, "lost", "other"),
            ("b", "second", 2, 2, 5.5, "ongoing", None),
            ("a", "first", 1, 1, 3, "advanced", "second"),
            ("a", "second", 3, 3, 4, "completed", "done"),
        ),
        journey(),
    )
    first, second, done = found
    assert [each.stage for each in found] == ["first", "second", "done"]
    assert first.entry.tolist() == [-1, -1]
    assert first.exit.tolist() == [0, 2]
    assert [first.ways[code - 1] for code in first.destination] == ["other", "advanced"]
    assert second.exit.tolist() == [3.5, 1]
    assert second.destination.tolist() == [-1, second.ways.index("completed") + 1]
    assert second.customers.tolist() == first.customers.tolist()
    assert (done.n, done.n_customers, done.ways) == (0, 0, ())


def test_a_visit_watched_late_enters_the_risk_set_at_the_age_it_had():
    first = find_exits(
        visits(("a", "first", -4, 0, 3, "lost", "price"), ("b", "first", 0, 0, 9, "ongoing", None)), journey()
    )[0]
    assert first.entry.tolist() == [4, -1]
    assert first.at_risk(np.array([0, 4, 4.5, 7, 7.5, 9, 9.5])).tolist() == [1, 1, 2, 2, 1, 1, 0]


def test_a_visit_that_ended_when_its_watching_began_was_never_at_risk():
    first = find_exits(
        visits(("a", "first", -4, 0, 0, "lost", "price"), ("b", "first", 0, 0, 0, "lost", "price")), journey()
    )[0]
    assert (first.n, first.entry.tolist(), first.exit.tolist()) == (1, [-1], [0])


def test_groups_are_apart_and_sorted_and_a_stage_nobody_of_a_group_entered_is_there():
    table = visits(("a", "first", 0, 0, 1, "lost", "price"), ("b", "second", 0, 0, 1, "ongoing", None))
    found = find_exits(table.assign(group=["y", "x"]), journey())
    assert [(each.group, each.stage, each.n) for each in found] == [
        ("x", "first", 0), ("x", "second", 1), ("x", "done", 0),
        ("y", "first", 1), ("y", "second", 0), ("y", "done", 0),
    ]  # fmt: skip


def test_a_way_that_was_taken_against_the_rules_stays_in_the_books():
    second = find_exits(visits(("a", "second", 0, 0, 1, "lost", "price")), journey())[1]
    assert second.ways == ("completed", "price", "other")
    assert second.count("price") == 1


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            ("a", "frist", 0, 0, 1, "ongoing", None),
            "The spells name the stage “frist”, which the journey lacks. Did you mean “first”? "
            "Find the spells again with this journey.",
        ),
        (
            ("a", "first", 0, 0, 1, "lost", "prices"),
            "The spells name the loss branch “prices”, which the journey lacks. Did you mean “price”? "
            "Find the spells again with this journey.",
        ),
    ],
)
def test_spells_of_another_journey_are_refused(row, text):
    with pytest.raises(EstimateError) as error:
        find_exits(visits(row), journey())
    assert str(error.value) == text


def test_counts_include_the_horizon_itself():
    found = exits([-1, -1, -1], [3, 5, 5], [1, 1, 2])
    assert (found.count("advanced"), found.count("advanced", within=5), found.count("advanced", within=4.9)) == (
        2,
        2,
        1,
    )
    assert found.count("price") == 0


def test_merged_ways_become_one_and_the_others_stay():
    found = exits([-1] * 4, [1, 2, 3, 4], [1, 2, -1, 1]).merged(("other",), "lost")
    assert found.ways == ("advanced", "lost")
    assert found.destination.tolist() == [1, 2, -1, 1]


def test_an_estimate_needs_enough_at_risk_at_the_day():
    found = exits([-1] * 5, [2, 4, 6, 8, 10], [1, -1, 1, 1, -1])
    assert found.why_missing([6, 6.5], min_at_risk=3) == [None, "fewer than 3 at risk after day 6.0"]
    assert found.why_missing([4.5], min_at_risk=6) == ["only 5 visits of 5 customers"]


def test_the_span_with_enough_at_risk_starts_where_the_risk_set_has_grown():
    found = exits([-1, 3, 3, 4], [1, 9, 9, 11], [1, 1, 1, -1])
    assert found.at_risk_span(1) == (3, 11)
    assert found.at_risk_span(2) == (3, 9)
    assert found.at_risk_span(3) == (4, 9)
    assert found.at_risk_span(4) is None
    assert found.why_missing([2, 4, 9, 9.5], min_at_risk=3) == [
        "fewer than 3 at risk until day 4.0",
        "fewer than 3 at risk until day 4.0",
        None,
        "fewer than 3 at risk after day 9.0",
    ]
    assert found.why_missing([9], min_at_risk=4) == ["never as many as 4 at risk"]


def test_of_several_spans_that_with_most_exits_counts():
    found = exits([-1, -1, -1, 20, 20], [1, 2, 2, 30, 30], [1, 1, 2, 1, -1])
    assert found.at_risk_span(2) == (-1, 2)
    assert exits([-1, -1, 20, 20], [1, 2, 30, 30], [1, -1, 1, 1]).at_risk_span(2) == (20, 30)


def test_visits_after_a_day_are_those_still_inside_then():
    found = exits([-1, -1, 2, 7], [3, 5, 9, 9], [1, 2, -1, 1])
    later = found.after(3)
    assert (later.entry.tolist(), later.exit.tolist(), later.destination.tolist()) == ([3, 3, 7], [5, 9, 9], [2, -1, 1])
    assert later.condition == "given still inside on day 3.0"
    assert found.after(-1) is found


def test_a_plain_share_needs_nobody_left_at_risk():
    found = exits([-1] * 3, [1, 2, 9], [1, 2, -1])
    assert found.why_missing([9, 9.5], min_at_risk=3) == [None, "fewer than 3 at risk after day 1.0"]


def test_visits_of_few_customers_do_not_carry_an_estimate():
    found = exits([-1] * 3, [1, 2, 9], [1, 2, -1], customers=[7, 7, 7])
    assert found.why_missing([1], min_at_risk=2) == ["only 3 visits of 1 customer"]
    assert exits([], [], []).why_missing([1, 2], min_at_risk=1) == ["nobody entered"] * 2


def test_where_nobody_was_watched_from_entering_everything_is_conditional_on_the_first_day_watched():
    assert exits([30, 31.5], [40, 50], [1, 1]).condition == "given still inside on day 30.0"
    assert exits([-1, 31.5], [40, 50], [1, 1]).condition is None


def test_what_a_visit_is_worth_goes_with_it():
    table = visits(("a", "first", 0, 0, 9, "lost", "price"), ("b", "first", 0, 0, 3, "ongoing", None))
    first, second, _ = find_exits(table.assign(value=[7.0, None]), journey())
    assert first.value.tolist()[0] == 7
    assert np.isnan(first.value[1])
    assert (first.after(5).value.tolist(), second.value.tolist()) == ([7], [])
    assert find_exits(table, journey())[0].value is None


def test_groups_joined_are_the_visits_of_both_with_the_ways_of_either():
    one = exits([-1, 2], [3, 5], [2, -1], customers=[0, 1])
    other = Exits("first", "y", ("price", "other"), *(np.array([each]) for each in (-1.0, 4.0, 1, 7)), earliest={})
    both = join_exits([one, other], ("advanced", "price", "other"), group="both")
    assert (both.stage, both.group, both.ways) == ("first", "both", ("advanced", "price", "other"))
    assert both.losses == ("price", "other")
    assert both.entry.tolist() == [-1, 2, -1]
    assert [both.ways[code - 1] if code > 0 else None for code in both.destination] == ["other", None, "price"]
    assert both.customers.tolist() == [0, 1, 7]
