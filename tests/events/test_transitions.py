"""The journey clock: who held which stage or branch from when to when, worked by hand, and tiling each journey."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from spell_logs import journey_of, log_of
from test_spells_properties import journeys, rows, windows

from journeylab.base.errors import EstimateError
from journeylab.events.spells import find_spells
from journeylab.events.spells.transitions import find_transitions

JOURNEY = journey_of(
    [
        {"name": "trial", "opened_by": [{"event": ["start", "both"]}], "silent_after": "10d"},
        {"name": "paid", "opened_by": [{"event": ["buy", "purchase", "both"]}]},
        {"name": "partner", "opened_by": [{"event": "refer"}], "completes": True},
    ],
    [{"name": "price", "when": {"event": "cancel"}}],
)


def transitions_of(*events):
    return find_transitions(
        find_spells(log_of([{"customer_id": c, "event": e, "day": d} for c, e, d in events]), JOURNEY)
    )


def named(found, customer) -> list[tuple]:
    """Rows of one customer: state, from day, to day, next state."""
    states = (*found.states, None)
    return [
        (states[found.origin[row]], found.entry[row], found.exit[row], states[found.destination[row]])
        for row in np.flatnonzero(found.ids[found.customer] == customer)
    ]


def test_between_a_loss_and_the_return_the_customer_is_in_the_branch():
    found = transitions_of(
        ("a", "start", 4), ("a", "buy", 9), ("a", "cancel", 12), ("a", "buy", 24), ("a", "refer", 30)
    )
    assert found.states == ("trial", "paid", "partner", "price", "silent")
    assert found.n_stages == 3
    assert named(found, "a") == [
        ("trial", 0, 5, "paid"),
        ("paid", 5, 8, "price"),
        ("price", 8, 20, "paid"),
        ("paid", 20, 26, "partner"),
        ("partner", 26, 96, None),
    ]


def test_the_last_loss_lasts_to_the_windows_end():
    found = transitions_of(("a", "start", 0), ("a", "look", 30))
    assert named(found, "a") == [
        ("trial", 0, 10, "silent"),
        ("silent", 10, 30, "trial"),
        ("trial", 30, 40, "silent"),
        ("silent", 40, 100, None),
    ]


def test_a_stage_held_for_no_time_is_a_row_of_no_length():
    found = transitions_of(("a", "both", 3))
    assert named(found, "a") == [("trial", 0, 0, "paid"), ("paid", 0, 97, None)]


def test_whose_journey_began_before_the_window_is_left_out_and_counted():
    found = transitions_of(
        ("in", "start", 5), ("inside", "start", -5), ("back", "start", -20), ("back", "cancel", -15), ("back", "buy", 3)
    )
    assert found.ids.tolist() == ["in"]
    assert found.n == 1
    assert found.n_left_out == 2


def test_who_comes_to_a_state_holds_it_to_the_end():
    found = transitions_of(
        *[("a", "start", 0), ("a", "buy", 5), ("a", "cancel", 8), ("a", "buy", 20)],
        *[("b", "both", 0), ("c", "start", 0), ("c", "cancel", 2)],
    )
    until = found.until_reached("paid")
    assert named(until, "a") == [("trial", 0, 5, "paid"), ("paid", 5, 100, None)]
    assert named(until, "b") == [("trial", 0, 0, "paid"), ("paid", 0, 100, None)]
    assert named(until, "c") == [("trial", 0, 2, "price"), ("price", 2, 100, None)]
    assert named(found.until_reached("trial"), "b") == [("trial", 0, 100, None)]
    assert named(found.until_reached("silent"), "a") == named(found, "a")


def test_watched_from_a_day_on_keeps_the_clock():
    found = transitions_of(("a", "start", 0), ("a", "buy", 5), ("b", "start", 60), ("b", "buy", 61))
    later = found.watched_from(np.array([5, 7]))
    assert named(later, "a") == [("paid", 5, 100, None)]
    assert named(later, "b") == [("paid", 7, 40, None)]
    assert later.n_watched(np.array([5, 6, 7, 8, 40, 41])).tolist() == [0, 1, 1, 2, 2, 1]
    assert later.n_watched(np.array([5, 40]), just="after").tolist() == [1, 1]
    assert (later.day_with(1), later.day_with(2), later.day_with(10)) == (5, 7, 7)
    assert later.last_day == 100
    gone = found.watched_from(np.array([0, 40]))
    assert (gone.n, gone.last_day) == (1, 100)


def test_a_group_has_its_customers_only():
    found = transitions_of(("a", "start", 0), ("b", "start", 60), ("b", "buy", 61))
    group = found.only(np.array([False, True]), group="late")
    assert (group.group, group.n, group.ids.tolist()) == ("late", 1, ["b"])
    assert named(group, "b") == named(found, "b")


def test_the_order_of_the_rows_does_not_matter():
    events = [("a", "start", 0), ("a", "buy", 5), ("a", "cancel", 8), ("b", "start", 1), ("b", "look", 30)]
    spells = find_spells(log_of([{"customer_id": c, "event": e, "day": d} for c, e, d in events]), JOURNEY)
    mixed = replace(spells, table=spells.table.take([3, 1, 2, 0]))
    for customer in "ab":
        assert named(find_transitions(mixed), customer) == named(find_transitions(spells), customer)


def test_no_spells_have_no_transitions():
    found = transitions_of(("a", "look", 3))
    assert (found.n, found.n_left_out, len(found.entry)) == (0, 0, 0)
    assert np.isnan(found.last_day)


@pytest.mark.slow
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(journeys(), rows(), windows())
def test_each_customer_is_in_one_state_at_any_time(journey, events, window):
    found = find_transitions(find_spells(log_of(events, window), journey))
    for customer in range(len(found.ids)):
        mine = found.customer == customer
        entry, leaving = found.entry[mine], found.exit[mine]
        assert entry[0] == 0
        assert leaving[-1] == found.until[customer]
        assert (entry[1:] == leaving[:-1]).all()
        assert (entry <= leaving).all()
        assert (found.origin[mine][1:] == found.destination[mine][:-1]).all()
        assert found.destination[mine][-1] == -1
    for state in found.states:
        until = found.until_reached(state)
        assert set(until.customer) == set(found.customer)


def test_names_that_the_journey_lacks_are_refused():
    spells = find_spells(log_of([{"customer_id": "a", "event": "start", "day": 0}]), JOURNEY)
    table = spells.table.set_column(2, "stage", pa.array(["trail"]))
    with pytest.raises(EstimateError) as error:
        find_transitions(replace(spells, table=table))
    assert str(error.value) == (
        "The spells name the stage “trail”, which the journey lacks. Did you mean “trial”? "
        "Find the spells again with this journey."
    )
