"""Matching: who survived, was split or merged, came or went, on counts that can be checked by hand."""

import numpy as np
import pandas as pd
import pytest

from journeylab.findings.personas.change.drift import fixed_shares
from journeylab.findings.personas.change.matching import (
    Crossing,
    cross,
    find_links,
    fresh_ids,
    lineage_table,
    permanent_ids,
)

NO_VERDICTS = {"old": {}, "new": {}}


def crossing(counts, *, before=None, moved=None) -> Crossing:
    counts = np.array(counts)
    n_old, n_new = counts.shape
    return Crossing(
        tuple(f"P{place + 1}" for place in range(n_old)),
        tuple(f"P{place + 1}" for place in range(n_new)),
        counts,
        np.full(n_old, np.nan) if before is None else np.array(before),
        np.zeros(n_old, int) if moved is None else np.array(moved),
    )


def told(found: Crossing, used=()) -> list[tuple]:
    """(change, old, new, id) of each row of the lineage."""
    links = find_links(found)
    table = lineage_table(links, found, permanent_ids(links, found, used), verdicts=NO_VERDICTS)
    return list(table[["change", "old", "new", "id"]].itertuples(index=False, name=None))


def test_the_same_customers_are_the_same_personas_whatever_their_order():
    assert told(crossing([[0, 60], [100, 0]])) == [("survived", "P1", "P2", "P1"), ("survived", "P2", "P1", "P2")]


def test_the_jaccard_coefficient_is_both_over_either_with_its_interval():
    row = crossing([[40, 10], [10, 40]]).table().iloc[0]
    assert (row["n_both"], row["n_old"], row["n_new"]) == (40, 50, 50)
    assert row["jaccard"] == pytest.approx(40 / 60)
    assert (row["of_old"], row["of_new"]) == (0.8, 0.8)
    # Wilson's limits for 40 of 60, by hand: (p + z²/2n -+ z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n).
    assert (row["lower"], row["upper"]) == pytest.approx((0.5404, 0.7727), abs=1e-3)


def test_one_persona_that_falls_in_halves_is_split_and_its_id_is_gone_for_good():
    assert told(crossing([[50, 45, 0], [0, 5, 100]])) == [
        ("split", "P1", "P1", "P3"),
        ("split", "P1", "P2", "P4"),
        ("survived", "P2", "P3", "P2"),
    ]


def test_a_persona_from_which_a_small_part_comes_off_survives():
    assert told(crossing([[80, 20]])) == [("survived", "P1", "P1", "P1"), ("split", "P1", "P2", "P2")]


def test_two_personas_that_become_one_are_merged():
    assert told(crossing([[50, 0], [45, 0], [0, 100]])) == [
        ("merged", "P1", "P1", "P4"),
        ("merged", "P2", "P1", "P4"),
        ("survived", "P3", "P2", "P3"),
    ]


def test_a_small_persona_that_is_swallowed_is_merged_into_the_survivor():
    assert told(crossing([[100], [20]])) == [("survived", "P1", "P1", "P1"), ("merged", "P2", "P1", "P1")]


def test_what_made_an_old_persona_grow_is_new_and_no_part_of_it():
    assert told(crossing([[70, 30, 0], [0, 0, 100]], before=[0.41, 0.59], moved=[1, -1])) == [
        ("survived", "P1", "P1", "P1"),
        ("survived", "P2", "P3", "P2"),
        ("new", None, "P2", "P3"),
    ]
    assert told(crossing([[70, 30, 0], [0, 0, 100]]))[1] == ("split", "P1", "P2", "P3")


def test_an_old_persona_that_all_but_vanished_is_gone_wherever_its_rest_went():
    assert told(crossing([[100], [8]], before=[0.6, 0.4], moved=[1, -1])) == [
        ("survived", "P1", "P1", "P1"),
        ("gone", "P2", None, "P2"),
    ]


def test_personas_that_have_nothing_in_common_are_gone_and_new():
    found = crossing([[20, 20, 20], [20, 20, 20], [20, 20, 20]])
    assert [row[0] for row in told(found)] == ["gone"] * 3 + ["new"] * 3
    assert [row[3] for row in told(found)] == ["P1", "P2", "P3", "P4", "P5", "P6"]


def test_a_lone_pair_survives_from_a_half_on():
    assert told(crossing([[60, 0], [50, 110]]))[0][0] == "survived"  # 60 of 110 = .55
    assert told(crossing([[45, 30, 0], [30, 45, 0], [0, 0, 90]]))[0][0] != "survived"  # 45 of 105 = .43


def test_an_id_once_used_is_never_used_again():
    found = crossing([[50, 45, 0], [0, 5, 100]])
    assert [row[3] for row in told(found, used=["P1", "P2", "P3", "P7"])] == ["P8", "P9", "P2"]
    assert fresh_ids(("P1", "P2"), kept={"P2": "P1"}, used=["P1", "P2", "P3"]) == {"P1": "P4", "P2": "P1"}


def test_ids_that_are_permanent_already_stay():
    links = find_links(found := Crossing(("P1",), ("P1", "P6"), np.array([[80, 20]]), np.ones(1), np.zeros(1)))
    assert permanent_ids(links, found, ["P1", "P2", "P5"]) == {"P1": "P1", "P6": "P6"}


def test_only_customers_whom_both_definitions_judge_are_counted():
    before = pd.Series({"a": "P1", "b": "P1", "c": "P2"})
    now = pd.Series({"b": "P2", "c": "P1", "d": "P1"})
    found = cross(before, now, old=["P1", "P2"], new=["P1", "P2"])
    assert found.counts.tolist() == [[0, 1], [1, 0]]


def test_shares_at_the_fixed_definition_are_told_with_the_interval_of_their_difference():
    found = pd.DataFrame({"persona": ["P1", "P2"], "name": ["many", "few"], "n": [56, 14], "customers": 70})
    assigned = pd.DataFrame({"n": [48, 32], "customers": 80})
    table = fixed_shares(found, assigned)
    # Newcombe (1998, table II): 56/70 - 48/80 = .2000, method 10: .0524 to .3339.
    assert table.loc[0, ["difference", "lower", "upper"]].tolist() == pytest.approx([-0.2, -0.3339, -0.0524], abs=1e-4)
    assert table.loc[1, ["difference", "lower", "upper"]].tolist() == pytest.approx([0.2, 0.0524, 0.3339], abs=1e-4)
    assert table["is_beyond"].tolist() == [True, True]


def test_the_old_persona_survives_even_where_more_arrived_than_it_has():
    found = crossing([[60, 85, 0], [0, 0, 60]], before=[0.5, 0.5], moved=[1, -1])
    assert told(found) == [("survived", "P1", "P1", "P1"), ("survived", "P2", "P3", "P2"), ("new", None, "P2", "P3")]


def test_a_persona_that_itself_grew_is_not_taken_for_an_arrival():
    found = crossing([[45, 9, 0], [0, 46, 90]], before=[0.6, 0.4], moved=[-1, 1])
    assert told(found) == [("survived", "P1", "P1", "P1"), ("survived", "P2", "P3", "P2"), ("new", None, "P2", "P3")]


def test_what_hardly_accounts_for_the_growth_is_a_part():
    found = crossing([[60, 0, 0], [0, 15, 125]], before=[0.6, 0.4], moved=[-1, 1])
    assert told(found)[1:] == [("split", "P2", "P2", "P3"), ("survived", "P2", "P3", "P2")]
