"""Differences of two shares: interval and p agree, known cases come out, and chance is taken for chance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from journeylab.estimators.differences import share_difference, share_difference_p_value
from journeylab.estimators.intervals import newcombe, probability_interval


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
