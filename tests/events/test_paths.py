"""Paths: each visit knows where it came from and led to, and each customer's way is the one walked step by step."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from spell_logs import at, journey_of, log_of
from test_spells_properties import journeys, rows, windows

from journeylab.base.errors import EstimateError
from journeylab.events.queries.paths import ONGOING, find_paths, find_ways
from journeylab.events.spells import find_spells

JOURNEY = journey_of(
    [
        {"name": "trial", "opened_by": [{"event": ["start", "both"]}], "silent_after": "10d"},
        {"name": "paid", "opened_by": [{"event": ["buy", "both"]}], "reopened_by": [{"event": "downgrade"}]},
        {"name": "plus", "opened_by": [{"event": "upgrade"}]},
        {"name": "partner", "opened_by": [{"event": "refer"}], "completes": True},
    ],
    [{"name": "price", "when": {"event": "cancel"}}],
)
# One goes back and forth, one is lost and comes back, one falls silent, one skips to the end.
EVENTS = [
    *[("a", "start", 0), ("a", "buy", 5), ("a", "upgrade", 8), ("a", "downgrade", 20), ("a", "upgrade", 30)],
    *[("b", "start", 0), ("b", "cancel", 2), ("b", "start", 7), ("b", "buy", 9), ("b", "cancel", 10)],
    *[("c", "start", 50), ("d", "start", 90), ("d", "refer", 95)],
]


def spells_of(events, *, journey=JOURNEY, window=(0, 100)):
    return find_spells(log_of([{"customer_id": c, "event": e, "day": d} for c, e, d in events], window), journey)


def paths_of(spells, *, from_start=None):
    visits = spells.to_pandas()
    customers = visits["customer_id"].unique() if from_start is None else from_start
    return find_paths(visits, spells.journey, from_start=customers)[0]


def trips(paths, codes):
    return [paths.places[code] for code in codes]


def ways_in_words(paths, loops):
    ways = find_ways(paths, loops=loops)
    return [trips(paths, ways.steps(way)) for way in ways.way]


def test_each_visit_says_where_it_came_from_and_where_it_led():
    paths = paths_of(spells_of(EVENTS))
    assert trips(paths, paths.stage) == [
        *["trial", "paid", "plus", "paid", "plus"],
        *["trial", "trial", "paid"],
        *["trial", "trial", "partner"],
    ]
    assert trips(paths, paths.source) == [
        *["first entry", "trial", "paid", "plus", "paid"],
        *["first entry", "price", "trial"],
        *["first entry", "first entry", "trial"],
    ]
    assert trips(paths, paths.target) == [
        *["paid", "plus", "paid", "plus", "ongoing"],
        *["price", "paid", "price"],
        *["silent", "partner", "ongoing"],
    ]
    assert paths.days.tolist() == [5, 3, 12, 10, 70, 2, 2, 1, 10, 5, 5]
    assert paths.away[paths.away == paths.away].tolist() == [5]
    assert (paths.n, paths.n_customers) == (11, 4)


def test_a_path_ends_with_the_loss_or_on_entering_the_stage_that_completes_or_with_the_window():
    paths = paths_of(spells_of(EVENTS))
    assert ((paths.ended - paths.watched) / 86_400_000_000).tolist() == [100, 10, 10, 5]


def test_after_each_loss_it_is_known_whether_the_customer_came_back_and_where():
    paths = paths_of(spells_of(EVENTS))
    lost, stage = paths.returned_to
    assert lost.tolist() == [5, 7, 8]
    assert trips(paths, stage) == ["trial", "ongoing", "ongoing"]


def test_what_began_before_the_window_comes_from_outside():
    found = spells_of(
        [("in", "start", -5), ("back", "start", -20), ("back", "cancel", -15), ("back", "buy", 3), ("new", "start", 1)]
    )
    paths = paths_of(found, from_start=["new"])
    assert trips(paths, paths.source) == ["earlier loss", "already inside", "first entry"]
    assert paths.is_whole.tolist() == [True, False, True]
    assert paths.is_from_start.tolist() == [False, False, True]


def test_a_group_watched_from_later_on_begins_in_the_stage_where_its_customers_then_are():
    visits = spells_of(EVENTS).to_pandas()
    kept = visits[(visits["customer_id"] == "a") & (visits["left"] > at(10))].assign(group="x")
    later = kept.assign(observed_from=kept["observed_from"].clip(lower=at(10)))
    (paths,) = find_paths(later, JOURNEY, from_start=["a"])
    assert paths.group == "x"
    assert trips(paths, paths.source) == ["already inside", "plus", "paid"]
    # Watched from the moment on when the customer came: the visit before is not there to have come from.
    (exact,) = find_paths(kept[kept["left"] > at(20)].iloc[:1], JOURNEY, from_start=["a"])
    assert trips(exact, exact.source) == ["already inside"]


def test_ways_show_each_visit_and_each_loss_that_was_come_back_from():
    assert ways_in_words(paths_of(spells_of(EVENTS)), "shown") == [
        ["trial", "paid", "plus", "paid", "plus", "ongoing"],
        ["trial", "price", "trial", "paid", "price"],
        ["trial", "silent"],
        ["trial", "partner", "ongoing"],
    ]


def test_collapsed_ways_name_each_stage_once_where_it_was_first_visited():
    assert ways_in_words(paths_of(spells_of(EVENTS)), "collapsed") == [
        ["trial", "paid", "plus", "ongoing"],
        ["trial", "paid", "price"],
        ["trial", "silent"],
        ["trial", "partner", "ongoing"],
    ]


def test_no_visits_have_no_ways():
    paths = paths_of(spells_of([("a", "look", 3)]))
    ways = find_ways(paths, loops="shown")
    assert (paths.n, paths.n_customers, len(ways.way)) == (0, 0, 0)


def test_loops_are_shown_or_collapsed():
    with pytest.raises(EstimateError) as error:
        find_ways(paths_of(spells_of(EVENTS)), loops="show")
    assert str(error.value) == "Loops cannot be “show”. Did you mean “shown”?"


def test_visits_that_do_not_follow_from_one_another_are_refused():
    spells = spells_of(EVENTS)
    broken = replace(spells, table=spells.table.filter(np.arange(len(spells)) != 1))
    with pytest.raises(EstimateError) as error:
        paths_of(broken)
    assert str(error.value) == (
        "The visits of customer “a” do not follow from one another: one does not begin where the one before it led. "
        "Find the spells again; find_flaws(spells) lists what else is wrong."
    )


def test_names_that_the_journey_lacks_are_refused():
    spells = spells_of([("a", "start", 0)])
    with pytest.raises(EstimateError) as error:
        paths_of(replace(spells, table=spells.table.set_column(2, "stage", pa.array(["trail"]))))
    assert str(error.value) == (
        "The spells name the stage “trail”, which the journey lacks. Did you mean “trial”? "
        "Find the spells again with this journey."
    )


def walked(visits) -> dict[str, tuple[str, ...]]:
    """The ways of all customers, walked row by row."""
    ways = {}
    for row in visits.sort_values(["customer_id", "spell"]).to_dict("records"):
        steps = ways.setdefault(row["customer_id"], [])
        if isinstance(row["returned_from"], str) and steps:
            steps[-1] = row["returned_from"]
            steps.append(row["stage"])
        else:
            steps[-1:] = [row["stage"]]
        steps.append(row["to"] if row["outcome"] == "lost" else ONGOING)
    return {customer: tuple(steps) for customer, steps in ways.items()}


@settings(max_examples=20, deadline=None, derandomize=True, database=None)
@given(journeys(), rows(), windows())
def test_ways_of_random_journeys_are_those_walked_row_by_row(journey, events, window):
    visits = find_spells(log_of(events, window), journey).to_pandas()
    (paths,) = find_paths(visits, journey, from_start=[])
    expected = walked(visits)
    assert [tuple(steps) for steps in ways_in_words(paths, "shown")] == [expected[key] for key in sorted(expected)]
    firsts = [
        tuple(dict.fromkeys(step for step in way[:-1] if step in journey.stage_names)) for way in expected.values()
    ]
    collapsed = ways_in_words(paths, "collapsed")
    assert Counter(tuple(steps[:-1]) for steps in collapsed) == Counter(firsts)
    assert [steps[-1] for steps in collapsed] == [expected[key][-1] for key in sorted(expected)]


@settings(max_examples=20, deadline=None, derandomize=True, database=None)
@given(journeys(), rows(), windows())
def test_in_random_journeys_what_stages_send_is_what_stages_receive(journey, events, window):
    visits = find_spells(log_of(events, window), journey).to_pandas()
    (paths,) = find_paths(visits, journey, from_start=[])
    n_stages = len(paths.stages)
    moved, came = paths.target < n_stages, paths.source < n_stages
    sent = Counter(zip(paths.stage[moved].tolist(), paths.target[moved].tolist(), strict=True))
    assert sent == Counter(zip(paths.source[came].tolist(), paths.stage[came].tolist(), strict=True))
    assert (paths.target == len(paths.places) - 1).sum() <= paths.n_customers
