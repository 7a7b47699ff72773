"""Intervals against published examples, statsmodels and hand algebra; against R in the tests of Aalen-Johansen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from journeylab.base.errors import EstimateError
from journeylab.estimators.intervals import (
    SCALES,
    benjamini_hochberg,
    curve_quantiles,
    difference_interval,
    holm,
    newcombe,
    normal_interval,
    normal_p_value,
    probability_interval,
    wilson,
)

Z = norm.ppf(0.975)


def test_each_scale_by_hand():
    # p = 1/2 with se = 0.1
    lower, upper = probability_interval(0.5, 0.1, scale="plain")
    assert (lower, upper) == (pytest.approx(0.5 - Z / 10), pytest.approx(0.5 + Z / 10))
    # the logit of 1/2 is 0, its error 0.1 / (1/2 x 1/2) = 0.4
    lower, upper = probability_interval(0.5, 0.1, scale="logit")
    assert (lower, upper) == (pytest.approx(1 / (1 + np.exp(0.4 * Z))), pytest.approx(1 / (1 + np.exp(-0.4 * Z))))
    # the log of 1/2 has the error 0.2
    lower, upper = probability_interval(0.5, 0.1, scale="log")
    assert (lower, upper) == (pytest.approx(0.5 * np.exp(-0.2 * Z)), pytest.approx(0.5 * np.exp(0.2 * Z)))
    # log(-log 1/2) has the error 0.2 / log 2
    lower, upper = probability_interval(0.5, 0.1)
    factor = np.exp(0.2 / np.log(2) * Z)
    assert (lower, upper) == (pytest.approx(0.5**factor), pytest.approx(0.5 ** (1 / factor)))


def test_the_logit_treats_a_probability_and_its_complement_alike():
    lower, upper = probability_interval([0.1, 0.9], [0.04, 0.04], scale="logit")
    assert lower[0] == pytest.approx(1 - upper[1])
    assert upper[0] == pytest.approx(1 - lower[1])


@pytest.mark.parametrize("scale", SCALES)
def test_a_standard_error_of_zero_inside_gives_a_point(scale):
    np.testing.assert_allclose(probability_interval(0.3, 0.0, scale=scale), (0.3, 0.3))


@pytest.mark.parametrize("scale", SCALES)
def test_an_estimate_of_zero_or_one_has_limits_only_if_its_base_is_known(scale):
    assert np.isnan(probability_interval([0, 1], [0, 0], scale=scale)).all()
    lower, upper = probability_interval([0, 1], [0, 0], scale=scale, n=30)
    wilson_upper = Z**2 / (30 + Z**2)
    np.testing.assert_allclose(lower, [0, 1 - wilson_upper])
    np.testing.assert_allclose(upper, [wilson_upper, 1])


def test_rounding_beyond_zero_and_one_is_forgiven():
    lower, upper = probability_interval([1 + 1e-15, -1e-17], [0.0, 0.0], n=[4, 0])
    assert upper[0] == 1
    assert np.isnan(lower[1])


@pytest.mark.parametrize("scale", SCALES)
def test_missing_numbers_give_missing_limits(scale):
    estimate, error = [np.nan, 0.5, 1.0, 0.2], [0.1, np.nan, np.nan, 0.1]
    lower, upper = probability_interval(estimate, error, scale=scale, n=[5, 5, 5, np.nan])
    assert np.isnan(lower).tolist() == np.isnan(upper).tolist() == [True, True, True, False]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from(SCALES), st.floats(0.5, 0.999))
def test_limits_stay_between_zero_and_one_and_hold_the_estimate(estimate, error, scale, confidence):
    lower, upper = probability_interval(estimate, error, scale=scale, confidence=confidence, n=20)
    assert 0 <= lower <= estimate + 1e-9
    assert estimate - 1e-9 <= upper <= 1


def test_wilson_agrees_with_newcombe_1998_and_statsmodels():
    # Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 3
    expected = [[0.2553, 0.0624, 0.0, 0.0061], [0.3662, 0.1605, 0.1611, 0.1718]]
    np.testing.assert_allclose(wilson([81, 15, 0, 1], [263, 148, 20, 29]), expected, atol=5e-5)
    for successes, n in ((3, 17), (0, 5), (5, 5), (999, 100_000)):
        expected = proportion_confint(successes, n, alpha=0.1, method="wilson")
        np.testing.assert_allclose(wilson(successes, n, confidence=0.9), expected, rtol=0, atol=1e-12)


def test_the_difference_of_shares_agrees_with_newcombe_1998_and_statsmodels():
    # Newcombe 1998, Statistics in Medicine 17:873-890, table II, method 10
    first, second = ([56, 9, 10, 10], [70, 10, 10, 10]), ([48, 3, 0, 0], [80, 10, 20, 10])
    difference, lower, upper = newcombe(first, second)
    np.testing.assert_allclose(difference, [0.2, 0.6, 1, 1])
    np.testing.assert_allclose(lower, [0.0524, 0.1705, 0.6791, 0.6075], atol=5e-5)
    np.testing.assert_allclose(upper, [0.3339, 0.8090, 1.0, 1.0], atol=5e-5)
    expected = confint_proportions_2indep(7, 34, 1, 34, method="newcomb", compare="diff")
    np.testing.assert_allclose(newcombe((7, 34), (1, 34))[1:], expected, rtol=0, atol=1e-12)


def test_shares_of_nothing_are_missing():
    assert np.isnan(wilson(0, 0)).all()
    assert np.isnan(newcombe((0, 0), (3, 4))).all()


def test_the_difference_of_estimates_with_symmetric_limits_adds_their_squares():
    difference, lower, upper = difference_interval((5.0, 2.0, 8.0), (1.0, -3.0, 5.0))
    assert (difference, lower, upper) == (4.0, -1.0, 9.0)


def test_normal_intervals_and_p_values():
    lower, upper = normal_interval([10.0, np.nan], [2.0, 1.0])
    np.testing.assert_allclose([lower, upper], [[10 - 2 * Z, np.nan], [10 + 2 * Z, np.nan]])
    np.testing.assert_allclose(normal_p_value([Z, -Z, 0, 1, np.nan], [1, 1, 1, 0, 1]), [0.05, 0.05, 1, np.nan, np.nan])


def test_the_difference_of_restricted_means_agrees_with_r(shared):
    header, *rows = (shared / "ref" / "lung" / "rmst_diff.csv").read_text().split()
    assert header.startswith("tau,diff_2_minus_1,se,z,p")
    for row in rows:
        _, difference, error, _, p, *_ = (float(each) for each in row.split(","))
        assert normal_p_value(difference, error) == pytest.approx(p, abs=1e-10)


def test_quantiles_invert_the_curve_and_its_limits():
    times = [1, 2, 3, 4]
    curve, lower, upper = [0.9, 0.6, 0.5, 0.2], [np.nan, 0.4, 0.3, 0.1], [np.nan, 0.8, 0.7, 0.55]
    middle, low, high = curve_quantiles(times, curve, lower, upper, shares=[0.1, 0.25, 0.5, 0.75, 0.9])
    assert middle.tolist() == [1, 2, 3, 4, np.inf]
    assert low.tolist() == [2, 2, 2, 4, 4]
    assert high.tolist() == [2, 3, np.inf, np.inf, np.inf]


def test_quantiles_of_a_missing_curve_are_missing_and_of_an_empty_one_not_reached():
    missing = np.full(3, np.nan)
    assert np.isnan(curve_quantiles([1, 2, 3], missing, missing, missing, shares=0.5)).all()
    assert np.isinf(curve_quantiles([], [], [], [], shares=[0.5])).all()


def test_a_share_that_is_rounded_still_counts_as_reached():
    curve = 1 - np.cumsum([0.1] * 9)  # 0.1 + 0.1 + 0.1 is not 0.3 in floating point
    middle, _, _ = curve_quantiles(np.arange(1, 10), curve, curve, curve, shares=np.arange(1, 10) / 10)
    assert middle.tolist() == list(range(1, 10))


def test_adjusted_p_values_by_hand():
    p_values = [0.01, np.nan, 0.04, 0.03]
    np.testing.assert_allclose(holm(p_values), [0.03, np.nan, 0.06, 0.06])
    np.testing.assert_allclose(benjamini_hochberg(p_values), [0.03, np.nan, 0.04, 0.04])
    assert np.isnan(holm([np.nan, np.nan])).all()
    assert holm([]).shape == benjamini_hochberg([]).shape == (0,)


@pytest.mark.parametrize("n", [1, 2, 9, 200])
def test_adjusted_p_values_agree_with_statsmodels_to_the_last_digit(n):
    p_values = np.random.default_rng(n).random(n).round(2) ** 3
    for adjust, method in ((holm, "holm"), (benjamini_hochberg, "fdr_bh")):
        np.testing.assert_array_equal(adjust(p_values), multipletests(p_values, method=method)[1])


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: probability_interval(1.2, 0.1), "A probability is outside 0 to 1: 1.2. Give shares, not percent."),
        (lambda: probability_interval(0.2, -0.1), "A standard error is negative: -0.1. Give 0 or more."),
        (
            lambda: probability_interval(0.2, 0.1, scale="probit"),
            "There is no scale “probit” for intervals. Known: log-log, logit, log, plain.",
        ),
        (
            lambda: probability_interval(0.2, 0.1, confidence=95),
            "The confidence is 95. Give a share above 0 and below 1, such as 0.95.",
        ),
        (lambda: wilson(5, 4), "There are 5 successes of 4. Give counts from 0 to n."),
        (lambda: wilson(-1, 4), "There are -1 successes of 4. Give counts from 0 to n."),
        (lambda: holm([0.5, 1.5]), "A p-value is outside 0 to 1: 1.5. Give shares, not percent."),
        (
            lambda: curve_quantiles([1], [0.5], [0.4], [0.6], shares=[1.0]),
            "The shares asked for are [1.0]. Give shares above 0 and below 1, as 0.5 (median).",
        ),
    ],
)
def test_mistakes_are_explained(ask, message):
    with pytest.raises(EstimateError) as caught:
        ask()
    assert str(caught.value) == message
