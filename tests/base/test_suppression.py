"""Suppression: counts of too few people are missing, and cannot be told from the rest."""

import numpy as np
import pandas as pd

from journeylab.base.suppression import suppressed

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


def test_where_nothing_else_could_go_with_it_the_total_does():
    assert hidden((4, 0, 4, 0), people=[(9, 0, 4, 0)]) == [[None, 0, None, 0]]


def test_a_row_of_too_few_is_missing_as_a_whole():
    assert hidden((4, 0, 3, 1), (30, 10, 10, 10)) == [[None, None, None, None], [30, 10, 10, 10]]


def test_it_is_people_that_count_not_what_they_did():
    assert hidden((30, 10, 9, 11), people=[(20, 10, 2, 11)]) == [[30, None, None, 11]]
