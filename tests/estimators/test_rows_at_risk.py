"""Which rows are at risk, which never are, and every mistake that arrays can have."""

import numpy as np
import pandas as pd
import pytest

from journeylab.base.errors import EstimateError
from journeylab.estimators.aalen_johansen import AalenJohansen
from journeylab.estimators.arrays import canonical_order, distinct

ROWS = {"entry": [0, 0, 1], "exit": [1, 5, 5], "origin": [0, 0, 1], "destination": [1, -1, 0], "n_states": 2}


def fit(**changes):
    return AalenJohansen.fit(**{**ROWS, "initial_state": [1, 0], **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"exit": [1, 5]},
            "The arrays differ in length: entry 3, exit 2, origin 3, destination 3. Give one value per row to each.",
        ),
        (
            {"ids": ["a", "b"]},
            "The arrays differ in length: entry 3, exit 3, origin 3, destination 3, ids 2. "
            "Give one value per row to each.",
        ),
        ({"entry": [[0, 0, 1]]}, "“entry” has 2 dimensions, not 1. Give one value per row."),
        ({"exit": ["a", "b", "c"]}, "“exit” is not numeric. Convert it to numbers, times to one unit such as days."),
        (
            {"exit": np.array(["2024-01-01"] * 3, dtype="datetime64[D]")},
            "“exit” is not numeric. Convert it to numbers, times to one unit such as days.",
        ),
        (
            {"entry": [0, np.nan, 1]},
            "“entry” is missing or infinite in 1 of 3 rows, first in row 1. Leave these rows out, or fill them in.",
        ),
        (
            {"exit": [None, 5, 5]},
            "“exit” is missing or infinite in 1 of 3 rows, first in row 0. Leave these rows out, or fill them in.",
        ),
        (
            {"exit": [1, 5, -2]},
            "“exit” is negative in 1 of 3 rows, first in row 2: -2. "
            "Count time from 0; only “entry” may be negative, for rows watched from their start.",
        ),
        (
            {"entry": [0, 6, 7]},
            "2 of 3 rows end before they begin, first row 1: entry 6, exit 5. Swap the two, or leave the rows out.",
        ),
        (
            {"origin": [0, 0, 2]},
            "“origin” has an unknown state in 1 of 3 rows, first in row 2: 2. With n_states=2 use 0 to 1.",
        ),
        (
            {"origin": [0, -1, 1]},
            "“origin” has an unknown state in 1 of 3 rows, first in row 1: -1. With n_states=2 use 0 to 1.",
        ),
        (
            {"destination": [1, 0.5, -2]},
            "“destination” has an unknown state in 2 of 3 rows, first in row 1: 0.5. "
            "With n_states=2 use 0 to 1, or -1 where watching ended.",
        ),
        (
            {"destination": [1, -1, np.nan]},
            "“destination” is missing or infinite in 1 of 3 rows, first in row 2. "
            "Leave these rows out, or fill them in.",
        ),
        (
            {"destination": [0, -1, 0]},
            "1 of 3 rows move from a state to itself, first row 0: state 0. "
            "End such a row with destination -1 and go on with a new row from there.",
        ),
        ({"n_states": 0}, "There must be at least 1 state, not 0. Set n_states to how many there are."),
        (
            {"weights": [1, -0.5, 1]},
            "“weights” is negative in 1 of 3 rows, first in row 1: -0.5. Use 0 to leave a row out.",
        ),
        (
            {"weights": [1, np.inf, np.nan]},
            "“weights” is missing or infinite in 2 of 3 rows, first in row 1. Leave these rows out, or fill them in.",
        ),
        (
            {"ids": ["a", None, "b"]},
            "“ids” is missing in 1 of 3 rows, first in row 1. Fill it in, or leave these rows out.",
        ),
        (
            {"ids": [1.0, np.nan, np.nan]},
            "“ids” is missing in 2 of 3 rows, first in row 1. Fill it in, or leave these rows out.",
        ),
        (
            {"ids": pd.array(["a", pd.NA, "b"])},
            "“ids” is missing in 1 of 3 rows, first in row 1. Fill it in, or leave these rows out.",
        ),
        (
            {"ids": np.array(["a", 1, "b"], dtype=object)},
            "“ids” mixes kinds of values that cannot be sorted. Make them all text.",
        ),
        (
            {"weights": [0, 0, 0]},
            "There is nothing to estimate from: of 3 rows, none was at risk for any time with a weight above 0. "
            "Leave this group out, or watch longer.",
        ),
        (
            {"entry": [], "exit": [], "origin": [], "destination": []},
            "There is nothing to estimate from: of 0 rows, none was at risk for any time with a weight above 0. "
            "Leave this group out, or watch longer.",
        ),
        (
            {"entry": [1, 5, 5]},
            "There is nothing to estimate from: of 3 rows, none was at risk for any time with a weight above 0. "
            "Leave this group out, or watch longer.",
        ),
    ],
)
def test_mistakes_are_explained(changes, message):
    with pytest.raises(EstimateError) as caught:
        fit(**changes)
    assert str(caught.value) == message


def test_what_came_in_is_not_written_to():
    arrays = {name: np.array(values, dtype=float) for name, values in ROWS.items() if name != "n_states"}
    before = {name: values.copy() for name, values in arrays.items()}
    fit(**arrays, ids=np.array([3, 1, 2]), weights=np.array([1.0, 0, 2])).standard_errors([1])
    for name, values in arrays.items():
        np.testing.assert_array_equal(values, before[name])


def test_rows_without_weight_or_length_are_never_at_risk():
    extra = {"entry": [0, 0, 1, 3], "exit": [1, 5, 5, 3], "origin": [0, 0, 1, 0], "destination": [1, -1, 0, 1]}
    assert fit(**extra).integral.at_risk.tolist() == fit().integral.at_risk.tolist() == [[2, 0], [1, 1]]
    np.testing.assert_array_equal(fit(**extra).occupancy([1, 5]), fit().occupancy([1, 5]))
    unweighted = fit(**extra, weights=[1, 1, 0, 1])
    assert unweighted.integral.at_risk.tolist() == [[2, 0]]


def test_a_state_held_for_no_time_is_passed_through():
    # 0 -> 1 on day 2, out of 1 to 2 on the same day; and a second individual who stays
    rows = {"entry": [0, 2, 2, 0], "exit": [2, 2, 6, 6], "origin": [0, 1, 2, 0], "destination": [1, 2, -1, -1]}
    passing = fit(**rows, ids=["a", "a", "a", "b"], n_states=3, initial_state=[1, 0, 0])
    np.testing.assert_array_equal(passing.occupancy([2, 6]), [[0.5, 0, 0.5], [0.5, 0, 0.5]])
    # without ids nobody knows that the rows belong together
    np.testing.assert_array_equal(fit(**rows, n_states=3, initial_state=[1, 0, 0]).occupancy([2]), [[0.5, 0.5, 0]])


def test_passing_through_several_states_at_once_does_not_depend_on_the_order_of_rows():
    # a: 0 -> 1 -> 2 -> 1 -> 3, all on day 2; b: 0 -> 1 -> 0 on day 2, so b never left; c stays
    rows = np.array(
        [
            *[(0, 2, 0, 1, 0), (2, 2, 1, 2, 0), (2, 2, 2, 1, 0), (2, 2, 1, 3, 0), (2, 6, 3, -1, 0)],
            *[(0, 2, 0, 1, 1), (2, 2, 1, 0, 1), (2, 6, 0, -1, 1), (0, 6, 0, -1, 2)],
        ]
    )
    for seed in range(10):
        entry, exit_, origin, destination, ids = np.random.default_rng(seed).permutation(rows).T
        passing = AalenJohansen.fit(entry, exit_, origin, destination, n_states=4, ids=ids, initial_state=[1, 0, 0, 0])
        np.testing.assert_allclose(passing.occupancy([6]), [[2 / 3, 0, 0, 1 / 3]])
        assert passing.rows.origin.tolist().count(0) == 4


def test_empty_spells_on_the_spell_clock_do_not_touch_others_of_the_same_individual():
    rows = {"entry": [-1, 3, -1], "exit": [3, 3, 5], "origin": [0, 0, 0], "destination": [1, 2, -1]}
    spells = fit(**rows, ids=[7, 7, 7], n_states=3, initial_state=[1, 0, 0])
    np.testing.assert_array_equal(spells.occupancy([3]), [[0.5, 0.5, 0]])


@pytest.mark.parametrize("kind", [np.int8, np.uint64, np.int64, np.float64, str, object])
def test_individuals_are_told_apart_whatever_names_them(kind):
    ids = np.array([3, 120, 3, 5]).astype(kind)
    labels, codes = distinct("ids", ids)
    np.testing.assert_array_equal(labels[codes], ids)
    assert len(labels) == 3
    assert distinct("ids", np.array([-128, 127, 0] * 100, dtype=np.int8))[0].tolist() == [-128, 0, 127]


def test_rows_are_ordered_by_the_last_key_first_however_many_values_there_are():
    random = np.random.default_rng(2)
    keys = [random.integers(0, 5, 50) for _ in range(3)]
    expected = np.lexsort(keys)
    for n_values in (5, 2**40):
        order = canonical_order([(key, n_values) for key in keys])
        for key in keys:
            np.testing.assert_array_equal(key[order], key[expected])
