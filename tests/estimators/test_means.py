"""Means with limits that count individuals: against statsmodels, by hand, and in made-up answers."""

import re

import numpy as np
import pytest
import statsmodels.api as sm

from journeylab.base.errors import EstimateError
from journeylab.estimators.intervals import wilson
from journeylab.estimators.means import clustered_mean, mean_difference

RANDOM = np.random.default_rng(8)
IDS = np.repeat(np.arange(30), RANDOM.integers(1, 6, 30))
VALUES = np.clip(RANDOM.normal(0.3, 0.5, 30)[IDS] + RANDOM.normal(0, 0.4, len(IDS)), -2, 2)


def clustered_regression(values, ids, other=None):
    """Estimate and limits of the last coefficient, as statsmodels has it, with G/(G - 1) and G - 1 degrees alone."""
    columns = np.ones((len(values), 1)) if other is None else np.column_stack([np.ones(len(values)), other])
    fitted = sm.OLS(values, columns).fit(
        cov_type="cluster", cov_kwds={"groups": ids, "use_correction": False, "df_correction": True}, use_t=True
    )
    g = len(np.unique(ids))
    estimate, error = fitted.params[-1], fitted.bse[-1] * np.sqrt(g / (g - 1))
    width = (fitted.conf_int()[-1][1] - estimate) / fitted.bse[-1]
    return [estimate, estimate - width * error, estimate + width * error]


def test_mean_and_limits_agree_with_a_clustered_regression():
    found = clustered_mean(VALUES, IDS, bounds=(-2, 2))
    assert found == pytest.approx(clustered_regression(VALUES, IDS), rel=1e-10)


def test_a_difference_agrees_with_a_clustered_regression_where_both_hold_the_same_individuals():
    is_first = RANDOM.random(len(IDS)) < 0.5
    found = mean_difference((VALUES[is_first], IDS[is_first]), (VALUES[~is_first], IDS[~is_first]), bounds=(-2, 2))
    assert found == pytest.approx(clustered_regression(VALUES, IDS, is_first.astype(float)), rel=1e-10)


def test_with_one_answer_each_it_is_students_interval():
    # 1, 2, 3: mean 2, standard error 1/sqrt(3), t(2) at 97.5% = 4.302653
    mean, lower, upper = clustered_mean([1, 2, 3], ["a", "b", "c"], bounds=(-9, 9))
    assert (mean, upper - mean, mean - lower) == pytest.approx((2, 4.3026527 / 3**0.5, 4.3026527 / 3**0.5))


def test_limits_stay_within_the_bounds():
    assert clustered_mean([1, 2, 3], list("abc"), bounds=(1, 3))[1:] == (1, 3)


def test_saying_the_same_thing_again_tells_nothing_more():
    once = clustered_mean([1.0, -1.0, 0.5], [0, 1, 2], bounds=(-2, 2))
    assert clustered_mean([1.0, -1.0, 0.5] * 4, [0, 1, 2] * 4, bounds=(-2, 2)) == pytest.approx(once)


def test_where_all_answers_are_alike_the_interval_is_not_a_point():
    mean, lower, upper = clustered_mean([2.0] * 12, np.arange(12), bounds=(-2, 2))
    assert (mean, upper) == (2, 2)
    assert lower == pytest.approx(-2 + 4 * float(wilson(12, 12)[0]))


def test_where_all_individuals_are_alike_the_interval_is_not_a_point_either():
    alike = clustered_mean([2.0, 0.0] * 12, np.repeat(np.arange(12), 2), bounds=(-2, 2))
    assert alike[1:] == pytest.approx([-2 + 4 * float(limit) for limit in wilson(9, 12)])
    difference = mean_difference(([2.0] * 12, range(12)), ([1.0] * 12, range(12)), bounds=(-2, 2))
    assert difference[1] < 0.5 < 1 < difference[2]


def test_one_individual_has_a_mean_without_limits_and_none_has_none():
    assert np.isnan(clustered_mean([1, 2], ["a", "a"], bounds=(0, 2))[1:]).all()
    assert clustered_mean([1, 2], ["a", "a"], bounds=(0, 2))[0] == 1.5
    assert np.isnan(clustered_mean([], [], bounds=(0, 2))).all()
    assert np.isnan(mean_difference(([], []), ([1], ["a"]), bounds=(0, 2))).all()
    assert mean_difference(([2], ["a"]), ([1], ["a"]), bounds=(0, 2))[0] == 1
    assert np.isnan(mean_difference(([2], ["a"]), ([1], ["a"]), bounds=(0, 2))[1:]).all()


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    random, held = np.random.default_rng(5), 0
    for _ in range(600):
        ids = np.repeat(np.arange(25), random.integers(1, 5, 25))
        values = np.clip(random.normal(0, 0.6, 25)[ids] + random.normal(0, 0.6, len(ids)), -2, 2)
        _, lower, upper = clustered_mean(values, ids, bounds=(-2, 2))
        held += lower <= 0 <= upper
    assert 0.92 <= held / 600 <= 0.98


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: clustered_mean([1, 2], ["a"], bounds=(0, 2)), "There are 2 values and 1 ids. Give one id for each."),
        (lambda: clustered_mean([3], ["a"], bounds=(0, 2)), "A value is 3, outside its bounds 0 to 2."),
        (
            lambda: clustered_mean([1, 2], list("ab"), bounds=(0, 3), confidence=95),
            "The confidence is 95. Give a share above 0 and below 1, such as 0.95.",
        ),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(EstimateError, match=f"^{re.escape(message)}$"):
        call()
