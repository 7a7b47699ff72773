"""Shares: Wilson's limits for the effective number of trials; of differences interval and p agree."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from journeylab.base.errors import EstimateError
from journeylab.estimators.intervals import newcombe, probability_interval, wilson
from journeylab.estimators.shares import (
    clustered_share,
    ratio_of_totals,
    share_difference,
    share_difference_p_value,
)


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


def test_the_ratio_is_that_of_the_sums():
    assert ratio_of_totals([1, 0, 3], [2, 2, 4])[0] == 0.5


def test_the_limits_agree_with_those_of_a_share_of_single_rows():
    parts, totals = np.array([1, 0, 3, 2]), np.array([2, 3, 4, 6])
    rows = [
        (hit < part, whose)
        for whose, (part, total) in enumerate(zip(parts, totals, strict=True))
        for hit in range(total)
    ]
    by_rows = clustered_share([hit for hit, _ in rows], [whose for _, whose in rows])
    # The two differ by (n - 1) / n in the variance of n independent rows, n = 15.
    assert ratio_of_totals(parts, totals) == pytest.approx(by_rows, abs=0.02)


def test_one_of_each_gives_wilsons_limits_but_for_the_sample_variance():
    parts = np.array([1.0] * 30 + [0.0] * 70)
    lower, upper = wilson(30 * 0.99, 99)
    assert ratio_of_totals(parts, np.ones(100))[1:] == pytest.approx((float(lower), float(upper)), abs=1e-9)


def test_a_share_of_nothing_or_all_stands_on_as_many_as_there_are_individuals():
    assert ratio_of_totals([0, 0], [50, 50])[1:] == pytest.approx(tuple(map(float, wilson(0, 2))))
    assert ratio_of_totals([50, 50], [50, 50])[1:] == pytest.approx(tuple(map(float, wilson(2, 2))))


def test_individuals_without_a_total_do_not_count():
    assert ratio_of_totals([1, 0, 0], [2, 3, 0]) == ratio_of_totals([1, 0], [2, 3])
    assert np.isnan(ratio_of_totals([0], [0])).all()


@pytest.mark.parametrize(
    ("parts", "totals", "text"),
    [
        ([1], [1, 2], "There are 1 parts and 2 totals. Give one total for each part."),
        ([3], [2], "There is a part of 3 in a total of 2. Give parts from 0 to the total."),
    ],
)
def test_what_cannot_be_is_refused(parts, totals, text):
    with pytest.raises(EstimateError) as caught:
        ratio_of_totals(parts, totals)
    assert str(caught.value) == text


def of(successes, n):
    """(share, its binomial error, base)."""
    share = np.asarray(successes) / n
    return share, np.sqrt(share * (1 - share) / n), np.full(share.shape, float(n))


def test_large_shares_give_the_normal_p():
    first, second = of(5_150, 10_000), of(5_000, 10_000)
    z = 0.015 / np.hypot(first[1], second[1])
    assert share_difference_p_value(first, second) == pytest.approx(2 * norm.sf(z), rel=1e-3)


def test_none_of_few_is_not_taken_for_certain():
    """0 of 12 against 5 of 100: from the errors alone, one of which is 0, p would be 0.02."""
    first, second = of(0, 12), of(5, 100)
    difference, lower, upper = share_difference(first, second)
    assert (float(difference), bool(lower < 0 < upper)) == (-0.05, True)
    assert share_difference_p_value(first, second) > 0.3


def test_none_against_none_is_the_interval_of_newcombe_and_no_difference():
    assert np.allclose(share_difference(of(0, 12), of(0, 30)), newcombe((0, 12), (0, 30)))
    assert share_difference_p_value(of(0, 12), of(0, 30)) == 1.0


def test_the_order_changes_the_sign_only():
    first, second = of(12, 60), of(30, 70)
    forth, back = share_difference(first, second), share_difference(second, first)
    assert np.allclose(forth, [-back[0], -back[2], -back[1]])
    assert share_difference_p_value(first, second) == pytest.approx(share_difference_p_value(second, first))


def test_a_missing_share_gives_a_missing_difference():
    nothing = (np.array([np.nan]), np.array([np.nan]), np.array([10.0]))
    assert np.isnan(share_difference(nothing, of([3], 9))).all()
    assert np.isnan(share_difference_p_value(nothing, of([3], 9))).all()


def test_no_rows_give_no_p():
    empty = (np.empty(0),) * 3
    assert share_difference_p_value(empty, empty).shape == (0,)


def test_what_is_certain_has_a_p_of_hardly_more_than_0():
    assert 0 <= share_difference_p_value(of(9_000, 10_000), of(1_000, 10_000)) < 1e-200


def test_the_limits_of_each_share_are_those_of_the_logit_scale():
    nothing = (np.zeros(3), np.zeros(3), np.full(3, 1e18))
    shares = (np.array([0.0, 0.3, 1.0]), np.array([0.0, 0.1, 0.0]), np.full(3, 20.0))
    _, lower, upper = share_difference(shares, nothing, confidence=0.9)
    wanted = probability_interval(*shares[:2], scale="logit", confidence=0.9, n=20)
    assert np.allclose([lower, upper], wanted, atol=1e-8)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.integers(1, 80), st.integers(1, 80), st.floats(0, 1), st.floats(0, 1), st.sampled_from([0.5, 0.8, 0.95, 0.99])
)
def test_the_interval_excludes_0_just_where_p_is_below_its_level(n, m, first, second, confidence):
    arms = of(round(first * n), n), of(round(second * m), m)
    _, lower, upper = share_difference(*arms, confidence=confidence)
    p_value = float(share_difference_p_value(*arms))
    assert 0 <= p_value <= 1
    if abs(p_value - (1 - confidence)) > 1e-6:
        assert (lower > 0 or upper < 0) == (p_value < 1 - confidence)


def test_of_shares_that_are_alike_about_one_in_twenty_seems_to_differ():
    random = np.random.default_rng(5)
    first, second = (random.binomial(n, 0.2, 4000) for n in (60, 300))
    p_values = share_difference_p_value(of(first, 60), of(second, 300))
    assert 0.035 < (p_values < 0.05).mean() < 0.06
