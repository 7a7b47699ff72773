"""Ordering: numbers that differ only by rounding errors are equal, and nothing else is."""

import re

import numpy as np
import pandas as pd
import pytest

from journeylab.base.ordering import (
    largest,
    largest_of_rows,
    order,
    order_of_p,
    ordered,
    settled,
    smallest,
)

THIRD = 0.1 + 0.2  # which is not 0.3


@pytest.mark.parametrize("number", [0.3, 1.0, 9.99999999999, 12.5, 1024.0, 4.2e12, -0.7, -310.4])
def test_what_differs_by_rounding_errors_settles_on_one_number(number):
    assert len(set(settled(number * (1 + 1e-13 * np.arange(-3, 4))))) == 1
    assert settled(number) == pytest.approx(number, rel=1e-9)


def test_below_one_nine_decimals_count_and_above_nine_digits():
    assert settled([0.1234567894, 0.1234567896]).tolist() == [0.123456789, 0.12345679]
    assert settled([123456.7894, 123456.78949]).tolist() == [123456.789, 123456.789]
    assert settled(1e-17) == settled(-1e-17) == 0
    assert not np.signbit(settled(-1e-17))


def test_what_is_missing_or_infinite_stays():
    np.testing.assert_equal(settled([np.nan, np.inf, -np.inf]), [np.nan, np.inf, -np.inf])


def test_a_limit_that_is_reached_but_for_rounding_is_reached():
    assert settled(0.8 - 1e-16) >= 0.8
    assert not settled(0.8 - 1e-8) >= 0.8


def test_equals_stand_as_given_or_by_name_and_missing_ones_last():
    values = [np.nan, THIRD, 0.5, 0.3]
    assert order(values).tolist() == [2, 1, 3, 0]
    assert order(values, ["d", "c", "b", "a"]).tolist() == [2, 3, 1, 0]
    assert order(values, smallest=True).tolist() == [1, 3, 2, 0]
    assert order([-np.inf, np.nan, np.inf]).tolist() == [2, 0, 1]


def test_numbers_halfway_between_two_of_nine_digits_are_equal_too():
    halfway = 1 / 1024  # 0.0009765625
    assert order([halfway - 1e-17, halfway, halfway + 1e-17]).tolist() == [0, 1, 2]
    assert order([halfway - 1e-17, halfway + 1e-17], smallest=True).tolist() == [0, 1]


def test_each_row_is_put_in_order_by_itself():
    rows = np.array([[0.3, THIRD, 0.5], [0.5, THIRD, 0.3]])
    assert order(rows).tolist() == [[2, 0, 1], [0, 1, 2]]
    assert largest_of_rows(np.array([[0.3, THIRD], [THIRD, 0.3]])).tolist() == [0, 0]


def test_the_largest_and_the_smallest_are_the_first_of_equals():
    assert (largest([np.nan, 0.3, THIRD]), largest([THIRD, 0.3], ["b", "a"])) == (1, 1)
    assert (smallest([np.nan, THIRD, 0.3]), smallest([THIRD, 0.3], ["b", "a"])) == (1, 1)


def test_of_missing_values_none_is_the_largest():
    why = "All values are missing, so that none is first. Leave out what is missing before asking."
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        largest([np.nan, np.nan])


def test_tiny_p_values_are_told_apart_and_equal_ones_are_not():
    assert order_of_p([1e-20, 1e-40, 0.0, np.nan, 0.5]).tolist() == [2, 1, 0, 4, 3]
    assert order_of_p([1e-20 * (1 + 1e-13), 1e-20]).tolist() == [0, 1]


def test_rows_keep_their_labels():
    table = pd.DataFrame({"stage": ["a", "b", "c"], "share": [0.3, THIRD, 0.4]}, index=[7, 8, 9])
    assert ordered(table, "share").index.tolist() == [9, 7, 8]
    assert ordered(table, "share", smallest=True).index.tolist() == [7, 8, 9]
