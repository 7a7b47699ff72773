"""Shares of clustered trials: Wilson's limits for as many independent trials as know the same."""

import numpy as np
import pytest

from journeylab.base.errors import EstimateError
from journeylab.estimators.intervals import wilson
from journeylab.estimators.shares import clustered_share


def limits(successes: float, n: float) -> tuple[float, float]:
    lower, upper = wilson(successes, n)
    return float(lower), float(upper)


def test_one_trial_each_gives_wilsons_limits():
    found = clustered_share([1, 0, 0, 1, 0], ["a", "b", "c", "d", "e"])
    assert found == pytest.approx((0.4, *limits(2, 5)))


def test_copies_of_each_trial_tell_nothing_new():
    # The variance between customers is 31/7 times that of 32 independent trials: they are worth 32 x 7/31 of these.
    share, *found = clustered_share(np.repeat([1, 0, 0, 1, 0, 1, 0, 0], 4), np.repeat(np.arange(8), 4))
    assert share == 0.375
    assert found == pytest.approx(limits(0.375 * 32 * 7 / 31, 32 * 7 / 31))


def test_customers_whose_trials_balance_out_know_no_more_than_independent_ones():
    assert clustered_share([1, 0, 1, 0, 1, 0], [1, 1, 2, 2, 3, 3]) == pytest.approx((0.5, *limits(3, 6)))


def test_of_none_or_all_as_many_count_as_there_are_customers():
    assert clustered_share([0, 0, 0, 0], [1, 1, 2, 2]) == pytest.approx((0.0, *limits(0, 2)))
    assert clustered_share([1, 1, 1, 1], [1, 1, 2, 3]) == pytest.approx((1.0, *limits(3, 3)))
    assert clustered_share([1, 0, 1, 1], [7, 7, 7, 7]) == pytest.approx((0.75, *limits(0.75, 1)))


def test_of_nothing_nothing_is_known():
    assert np.isnan(clustered_share([], [])).all()


def test_the_interval_holds_the_truth_as_often_as_it_says():
    random = np.random.default_rng(1)
    held = {"clustered": 0, "as if independent": 0}
    for _ in range(400):
        chances = random.beta(1.5, 3.0, 120)
        ids = np.repeat(np.arange(120), random.integers(1, 12, 120))
        hits = random.random(len(ids)) < chances[ids]
        _, lower, upper = clustered_share(hits, ids)
        held["clustered"] += lower <= 1 / 3 <= upper
        low, high = wilson(hits.sum(), len(hits))
        held["as if independent"] += low <= 1 / 3 <= high
    assert 0.92 <= held["clustered"] / 400 <= 0.975
    assert held["as if independent"] / 400 < 0.85


def test_arrays_of_different_length_are_refused():
    with pytest.raises(EstimateError) as error:
        clustered_share([1, 0], [1])
    assert str(error.value) == "There are 2 successes and 1 ids. Give one id for each."
