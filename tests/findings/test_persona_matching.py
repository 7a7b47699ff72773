"""Matching: who survived, was split or merged, came or went, on counts that can be checked by hand."""

from dataclasses import replace

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
from journeylab.findings.personas.change.sentences import lineage_sentence, shares_sentence

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


def test_one_limit_holds_for_every_pair_alone_or_not():
    # 60 of 110 = .55 and 110 of 160 = .69: alone or not, a persona is the same from .6 on.
    assert told(crossing([[60, 0], [50, 110]])) == [
        ("merged", "P1", "P1", "P3"),
        ("survived", "P2", "P2", "P2"),
    ]
    assert told(crossing([[60, 0], [40, 110]]))[0] == ("survived", "P1", "P1", "P1")
    assert told(crossing([[45, 30, 0], [30, 45, 0], [0, 0, 90]]))[0][0] != "survived"  # 45 of 105 = .43


@pytest.mark.parametrize(
    ("counts", "change", "how_sure"),
    [
        # 220 of 359 = .613, .56 to .66; 114 of 123 = .93, .87 to .96 (Wilson).
        ([[220, 99, 33], [7, 0, 243]], "survived", "probable"),
        ([[114, 5], [4, 479]], "survived", "clear"),
        # Of the new P1 60 of 110 were of the old P1: .545, .45 to .64; of 1,000 times as many .545 is clear.
        ([[60, 0, 60], [50, 110, 0]], "split", "probable"),
        ([[6000, 0, 6000], [5000, 11000, 0]], "split", "clear"),
        # Of the old P1 12 of 20 are in the new P1.
        ([[12, 4, 4], [0, 200, 0], [0, 0, 200], [400, 0, 0]], "merged", "probable"),
        # At most 20 of 60 go anywhere: .33, .23 to .46. And 4 of 10: .4, .17 to .69.
        ([[20, 20, 20], [20, 20, 20], [20, 20, 20]], "gone", "clear"),
        ([[4, 3, 3], [30, 20, 20], [20, 30, 20], [20, 20, 30]], "gone", "probable"),
    ],
)
def test_each_link_says_whether_its_interval_is_clear_of_the_limit(counts, change, how_sure):
    found = crossing(counts)
    links = find_links(found)
    row = lineage_table(links, found, permanent_ids(links, found, ()), verdicts=NO_VERDICTS).iloc[0]
    assert (row["old"], row["change"], row["how_sure"]) == ("P1", change, how_sure)


def test_where_ids_are_permanent_the_same_id_is_the_same_persona_and_no_other_is():
    found = Crossing(("P1", "P2"), ("P1", "P3"), np.array([[30, 70], [100, 0]]), np.ones(2), np.zeros(2))
    links = find_links(found, by_id=True)
    table = lineage_table(links, found, {"P1": "P1", "P3": "P3"}, verdicts=NO_VERDICTS)
    rows = [tuple(row) for row in table[["id", "change", "old", "how_sure"]].to_numpy()]
    assert rows == [
        ("P1", "survived", "P1", "probable"),
        ("P3", "split", "P1", "clear"),
        ("P1", "merged", "P2", "clear"),
    ]
    assert "P1 keeps its id, but shares only 15% with what it was (0.11 to 0.21)." in lineage_sentence(table, 200)


def test_the_sentence_tells_survivors_from_probable_ones_and_where_an_old_one_went():
    found = crossing([[220, 99, 33], [7, 0, 243]])
    links = find_links(found)
    verdicts = {"old": {"P1": "good", "P2": "good"}, "new": {"P1": "good", "P2": "good", "P3": "poor"}}
    names = {"old": {}, "new": {"P1": "Evening", "P2": "Busy", "P3": "Phone-led"}}
    table = lineage_table(links, found, permanent_ids(links, found, ()), verdicts=verdicts, names=names)
    assert table[["id", "name"]].to_numpy().tolist() == [["P1", "Evening"], ["P3", "Busy"], ["P2", "Phone-led"]]
    assert lineage_sentence(table, 602) == (
        "Of 2 personas 1 survived: P2 (Jaccard 0.86, 0.81 to 0.89). 1 probably survived: P1 (Jaccard 0.61, 0.56 to "
        "0.66); the interval reaches below 0.60, from which on a persona is the same. Out of P1 came P3: 28% of the "
        "old P1. The verdict of P2 was “good”, and is “poor” now. Counted are 602 customers whom both definitions "
        "judge."
    )


def test_who_came_since_is_compared_with_who_was_there_before_and_nobody_counts_twice():
    # 131 of the 503 of before are P2, 73 of the 403 who came since; in all 204 of 906, which hides it.
    before = pd.DataFrame({"persona": ["P1", "P2", "P3", "P4"], "name": list("abcd")})
    before = before.assign(n=[172, 131, 100, 100], customers=503)
    since = pd.DataFrame({"n": [150, 73, 90, 90], "customers": 403})
    row = fixed_shares(before, since).iloc[1]
    assert (row["now"], row["before"]) == pytest.approx((0.1811, 0.2604), abs=1e-4)
    # z = .0793 / sqrt(.2252 x .7748 (1/503 + 1/403)) = 2.84: p = .0045, and four times that.
    assert row["p_adjusted"] == pytest.approx(4 * 0.00453, abs=1e-4)
    assert row["is_beyond"]
    nested = before.assign(n=[322, 204, 190, 190], customers=906)
    assert not fixed_shares(before, nested[["n", "customers"]])["is_beyond"].any()
    assert shares_sentence(fixed_shares(before, since)) == (
        "By the old definition, 1 of 4 shares moved by more than chance explains: P2 b, from 26% to 18%, −8 points "
        "(−13 to −2)."
    )


def test_an_id_once_used_is_never_used_again():
    found = crossing([[50, 45, 0], [0, 5, 100]])
    assert [row[3] for row in told(found, used=["P1", "P2", "P3", "P7"])] == ["P8", "P9", "P2"]
    assert fresh_ids(("P1", "P2"), kept={"P2": "P4"}, used=["P4", "A"], letters=True) == {"P1": "B", "P2": "P4"}
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


def test_whether_a_persona_fell_to_half_is_asked_of_those_who_came_since():
    # 25 of 100 in all; of those who came since 10%, and before it was 40%.
    found = crossing([[75], [25]], before=[0.6, 0.4], moved=[1, -1])
    assert told(found)[1][0] == "merged"
    assert told(replace(found, now=np.array([0.9, 0.1])))[1] == ("gone", "P2", None, "P2")


def test_a_persona_that_itself_grew_is_not_taken_for_an_arrival():
    found = crossing([[45, 9, 0], [0, 46, 90]], before=[0.6, 0.4], moved=[-1, 1])
    assert told(found) == [("survived", "P1", "P1", "P1"), ("survived", "P2", "P3", "P2"), ("new", None, "P2", "P3")]


def test_what_hardly_accounts_for_the_growth_is_a_part():
    found = crossing([[60, 0, 0], [0, 15, 125]], before=[0.6, 0.4], moved=[-1, 1])
    assert told(found)[1:] == [("split", "P2", "P2", "P3"), ("survived", "P2", "P3", "P2")]
