"""Controls were there and stayed, are drawn alike, and never belong to the case."""

import numpy as np
import pytest

from journeylab.estimators.control_sampling import NOBODY, ControlPool


def drawn(first, last, times, owners, n, *, owner=None, seed=1):
    owner = np.arange(len(first)) if owner is None else np.array(owner)
    pool = ControlPool.of(np.array(first), np.array(last), owner)
    return pool.draw(np.array(times), np.array(owners), n, random=np.random.default_rng(seed))


def test_controls_came_before_and_had_not_left():
    """At time 5 only rows 1 and 3 can be controls: row 0 left before, row 2 came at that very time."""
    picks = drawn([-1, -1, 5, 4], [4, 5, 9, 9], [5], [99], 3)
    assert sorted(picks[0].tolist()) == [NOBODY, 1, 3]


def test_nobody_is_their_own_control_nor_twice_in_a_set():
    picks = drawn([-1] * 6, [9] * 6, [5], [7], 5, owner=[7, 7, 8, 8, 8, 9])
    owners = {2: 8, 3: 8, 4: 8, 5: 9}
    assert sorted(owners[pick] for pick in picks[0] if pick != NOBODY) == [8, 9]


def test_all_are_taken_where_there_are_not_more():
    assert sorted(drawn([-1] * 4, [9] * 4, [5], [0], 4)[0].tolist()) == [NOBODY, 1, 2, 3]
    assert drawn([], [], [5], [0], 2).tolist() == [[NOBODY, NOBODY]]
    assert drawn([3], [3], [3], [9], 2).tolist() == [[NOBODY, NOBODY]]


@pytest.mark.parametrize("n_others", [0, 4000])
def test_each_that_was_there_is_as_likely_as_any_other(n_others):
    """Of 40 rows at risk four are drawn 5,000 times: 500 times each, give or take 85; so too where most of the rows
    came later, and those at risk have to be searched for."""
    first, last = [-1] * 40 + [50] * n_others, [100] * (40 + n_others)
    picks = drawn(first, last, [10] * 5000, [99_999] * 5000, 4)
    counts = np.bincount(picks.ravel(), minlength=40)
    assert len(counts) == 40
    assert (np.abs(counts - 500) < 85).all()
    assert all(len(set(row)) == 4 for row in picks.tolist())


def test_how_many_were_there_is_counted():
    pool = ControlPool.of(np.array([-1, -1, 5, 4]), np.array([4, 5, 9, 9]), np.arange(4))
    assert pool.n_at_risk(np.array([1, 5, 6, 10])).tolist() == [2, 2, 2, 0]


def test_the_same_seed_draws_the_same():
    many = ([-1] * 100, list(range(50, 150)), list(range(20, 40)), list(range(20)), 4)
    assert (drawn(*many) == drawn(*many)).all()
    assert (drawn(*many) != drawn(*many, seed=2)).any()


def test_controls_reach_the_time_of_the_case_between_the_dates_asked_for():
    """Rows that began on days 0, 10, .. 90; at age 5 those of days 30 to 50 are on days 35 to 55."""
    origin = np.arange(0, 100, 10)
    pool = ControlPool.of(np.full(10, -1), np.full(10, 9), np.arange(10), origin)
    bounds = (np.array([35]), np.array([56]))
    picks = pool.draw(np.array([5]), np.array([99]), 4, random=np.random.default_rng(1), calendar_between=bounds)
    assert sorted(picks[0].tolist()) == [NOBODY, 3, 4, 5]
    many = ControlPool.of(np.full(1000, -1), np.full(1000, 9), np.arange(1000), np.tile(origin, 100))
    picks = many.draw(
        np.array([5] * 50), np.arange(1000, 1050), 3, random=np.random.default_rng(1), calendar_between=bounds
    )
    assert set(np.tile(origin, 100)[picks].ravel()) == {30, 40, 50}
