"""Suppression: counts of too few people are missing, and cannot be told from the rest."""

import numpy as np
import pandas as pd

from journeylab.base.suppression import shown_count, suppressed, without_few

PARTS = ["won", "lost", "open"]


def hidden(*rows, people=None):
    """The counts (all, won, lost, open) of `rows` as they may be handed on; of as many people, unless told."""
    counts = pd.DataFrame(rows, columns=["all", *PARTS]).assign(stage="s")
    people = counts if people is None else pd.DataFrame(people, columns=["all", *PARTS])
    shown = suppressed(counts, people, total="all", parts=PARTS)
    assert shown["stage"].tolist() == ["s"] * len(rows)
    return shown[["all", *PARTS]].astype(float).replace({np.nan: None}).to_numpy().tolist()


def test_counts_of_five_or_more_and_zeros_stay_as_they_are():
    counts = pd.DataFrame({"all": [11], "won": [6], "lost": [0], "open": [5]})
    pd.testing.assert_frame_equal(suppressed(counts, counts, total="all", parts=PARTS), counts)


def test_two_small_counts_are_missing():
    assert hidden((17, 10, 4, 3)) == [[17, 10, None, None]]


def test_one_small_count_takes_the_next_smallest_with_it_lest_the_total_tells():
    assert hidden((19, 10, 3, 6)) == [[19, 10, None, None]]


def test_what_goes_with_it_has_a_mark_of_its_own_and_is_never_told_as_few():
    counts = pd.DataFrame({"all": [13_087, 30], "won": [7_367, 30], "lost": [5_719, 0], "open": [1, 0]})
    shown = suppressed(counts, counts, total="all", parts=PARTS)
    assert shown["also_hidden"].tolist() == ["lost", None]
    words = [[shown_count(row, part) for part in ("all", *PARTS)] for _, row in shown.iterrows()]
    assert words == [["13,087", "7,367", "a hidden number", "fewer than 5"], ["30", "30", "0", "0"]]


def test_a_table_without_few_loses_all_numbers_of_a_few_but_not_what_was_asked():
    rows = {"stage": ["a", "b"], "quantile": [0.5, 0.5], "estimate": [3.0, 4.0], "n": [9, 9], "customers": [4, 5]}
    shown = without_few(pd.DataFrame(rows))
    assert shown.loc[0, ["estimate", "n", "customers"]].isna().all()
    assert shown["quantile"].tolist() == [0.5, 0.5]
    assert shown.loc[1, ["estimate", "n", "customers"]].tolist() == [4, 9, 5]
    pd.testing.assert_frame_equal(without_few(pd.DataFrame({"x": [1]})), pd.DataFrame({"x": [1]}))


def test_where_nothing_else_could_go_with_it_the_total_does():
    assert hidden((4, 0, 4, 0), people=[(9, 0, 4, 0)]) == [[None, 0, None, 0]]


def test_a_row_of_too_few_is_missing_as_a_whole():
    assert hidden((4, 0, 3, 1), (30, 10, 10, 10)) == [[None, None, None, None], [30, 10, 10, 10]]


def test_it_is_people_that_count_not_what_they_did():
    assert hidden((30, 10, 9, 11), people=[(20, 10, 2, 11)]) == [[30, None, None, 11]]
