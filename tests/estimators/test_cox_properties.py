"""Cox's model by hand, against lifelines, what it says of doubtful fits, and every mistake."""

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from journeylab.base.errors import EstimateError
from journeylab.estimators.cox import fit_cox


def study(seed=0, n_rows=200):
    random = np.random.default_rng(seed)
    covariates = pd.DataFrame({"age": random.normal(40, 10, n_rows), "is_new": random.integers(0, 2, n_rows)})
    days = random.exponential(np.exp(-0.03 * covariates["age"] + 0.5 * covariates["is_new"]) * 30)
    watched = random.uniform(1, 20, n_rows)
    return covariates, {"entry": 0 * days, "exit": np.minimum(days, watched), "event": days <= watched}


def test_a_tiny_study_by_hand():
    # the likelihood of b is e^b / (e^b + 2) x 1 / (1 + 1) ..., largest where e^b / (e^b + 2) + e^b / (e^b + 1) = 1
    fit = fit_cox([[1], [0], [1], [0]], entry=[0] * 4, exit=[1, 2, 3, 4], event=[1, 1, 0, 0])
    factor = np.exp(fit.coefficients[0])
    # day 1: two with x = 1, two without; day 2: one with, two without, and it is one without who leaves
    assert 2 * factor / (2 * factor + 2) + factor / (factor + 2) == pytest.approx(1)


def test_coefficients_agree_with_lifelines():
    covariates, spells = study()
    table = covariates.assign(days=spells["exit"], left=spells["event"])
    second = CoxPHFitter(baseline_estimation_method="breslow").fit(table, "days", "left")
    fit = fit_cox(covariates, **spells)
    np.testing.assert_allclose(fit.coefficients, second.params_, rtol=1e-5)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_score_and_information_are_the_derivatives_of_the_likelihood(ties):
    covariates, spells = study(n_rows=60)
    spells = {**spells, "exit": np.ceil(spells["exit"])}
    weights = np.random.default_rng(1).uniform(0.5, 2, 60)
    likelihood = fit_cox(covariates, **spells, weights=weights, ties=ties)._risks.likelihood
    here, step = np.array([0.02, -0.3]), 1e-5
    risks = likelihood.at(here)
    for position, direction in enumerate(np.eye(2)):
        up, down = (likelihood.at(here + sign * step * direction) for sign in (1, -1))
        slope = (up.log_likelihood - down.log_likelihood) / (2 * step)
        assert risks.score[position] == pytest.approx(slope, rel=1e-5)
        np.testing.assert_allclose(risks.information[position], (down.score - up.score) / (2 * step), rtol=1e-5)
    np.testing.assert_allclose(risks.residuals.sum(axis=0), risks.score, rtol=1e-9)


def test_robust_errors_are_nearly_those_of_leaving_individuals_out():
    covariates, spells = study()
    ids = np.arange(200) // 2
    fit = fit_cox(covariates, **spells, ids=ids)
    without = []
    for individual in range(100):
        kept = ids != individual
        without.append(fit_cox(covariates[kept], **{name: each[kept] for name, each in spells.items()}).coefficients)
    jackknife = np.sqrt(99 / 100 * ((np.array(without) - np.mean(without, axis=0)) ** 2).sum(axis=0))
    np.testing.assert_allclose(fit.robust_standard_errors, jackknife, rtol=0.1)
    assert (fit.n_rows, fit.n_ids) == (200, 100)


def test_permuted_rows_give_identical_numbers():
    covariates, spells = study()
    spells = {**spells, "exit": np.ceil(spells["exit"])}
    order, ids = np.random.default_rng(3).permutation(200), np.arange(200) // 3
    one = fit_cox(covariates, **spells, ids=ids)
    other = fit_cox(covariates.iloc[order], **{name: each[order] for name, each in spells.items()}, ids=ids[order])
    for name in ("coefficients", "standard_errors", "robust_standard_errors", "log_likelihood", "p_values"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_hazard_ratios_come_with_robust_limits():
    covariates, spells = study()
    fit = fit_cox(covariates, **spells)
    ratios, lower, upper = fit.hazard_ratios(confidence=0.9)
    np.testing.assert_allclose(ratios, np.exp(fit.coefficients))
    np.testing.assert_allclose(np.log(upper / lower), 2 * 1.6448536269514722 * fit.robust_standard_errors)
    assert fit.names == ("age", "is_new")
    assert fit.notes == ()


def test_rows_without_length_or_weight_are_left_out():
    covariates, spells = study(n_rows=50)
    more = {name: np.append(each, [5, 3]) for name, each in spells.items()}
    more["entry"][-2:], more["exit"][-2:], more["event"] = [5, 1], [5, 3], np.append(spells["event"], [True, True])
    table = pd.concat([covariates, covariates.iloc[:2]])
    fit = fit_cox(table, **more, weights=np.append(np.ones(51), 0))
    np.testing.assert_allclose(fit.coefficients, fit_cox(covariates, **spells).coefficients, rtol=1e-12)
    assert fit.n_rows == 50


def test_a_factor_without_bound_is_said():
    # all four with x = 1 leave before anyone else does
    covariates = pd.DataFrame({"age": [30, 41, 35, 60, 33, 42, 51, 29, 47, 38], "x": [1] * 4 + [0] * 6})
    fit = fit_cox(covariates, entry=[0] * 10, exit=range(1, 11), event=[1] * 6 + [0] * 4)
    assert fit.coefficients[1] == np.inf
    assert np.isnan([fit.standard_errors[1], fit.robust_standard_errors[1], fit.p_values[1]]).all()
    assert np.isfinite([fit.coefficients[0], fit.standard_errors[0], fit.robust_standard_errors[0]]).all()
    assert fit.notes == (
        "The factor of “x” has no bound: those who leave and those who stay hardly share its values.",
        "There are 6 events for 2 covariates, fewer than 10 for each: the factors may be far off.",
    )
    with pytest.raises(EstimateError) as caught:
        fit.proportional_hazards_test()
    assert str(caught.value) == "The factor of “x” has no bound, so this is not defined. Fit without it."
    never = fit_cox(1 - covariates[["x"]], entry=[0] * 10, exit=range(1, 11), event=[1] * 4 + [0] * 6)
    assert never.coefficients[0] == -np.inf
    assert never.hazard_ratios()[0][0] == 0


def test_a_steep_but_bounded_factor_is_not_taken_for_endless():
    covariates, spells = study(n_rows=400)
    fit = fit_cox(covariates.assign(age=covariates["age"] / 10_000), **spells)
    expected = fit_cox(covariates, **spells)
    np.testing.assert_allclose(fit.coefficients, expected.coefficients * [10_000, 1], rtol=1e-9)
    assert fit.notes == ()


def test_one_far_off_value_neither_breaks_the_search_nor_drowns_the_others():
    """Its risk is e^595 times another's. The likelihood is written out row by row, in logarithms, and maximised."""
    value = np.array([31, 21, 16, 32, 22, 28, 5000, 21, 22, 30, 20, 29])
    entry, exit_ = np.array([0, 1, 0, 0, 0, 5, 6, 7, 0, 9, 0, 11]), np.arange(1, 13)

    def loss(factor):
        return sum(
            logsumexp(factor * value[(entry < time) & (exit_ >= time)]) - factor * value[time - 1]
            for time in range(1, 11)
        )

    best = minimize_scalar(loss, bounds=(0.05, 0.2), method="bounded", options={"xatol": 1e-9})
    fit = fit_cox(value[:, None], entry=entry, exit=exit_, event=exit_ <= 10)
    assert fit.coefficients[0] == pytest.approx(best.x, rel=1e-6)
    assert fit.log_likelihood == pytest.approx(-best.fun, rel=1e-12)


def test_a_covariate_in_small_units_beside_one_in_large_ones_does_vary():
    covariates, spells = study()
    fit = fit_cox(covariates * [1e7, 1e-7], **spells)
    np.testing.assert_allclose(fit.coefficients * [1e7, 1e-7], fit_cox(covariates, **spells).coefficients, rtol=1e-9)


def test_groups_apart_though_they_enter_late_have_a_factor_without_bound():
    """Whoever of b is at risk leaves before any of a does; so nothing holds the factor, also not rounding."""
    group, entry, exit_ = np.tile([1.0, 0.0], 20), np.repeat(np.arange(20) * 2.0, 2), np.repeat(np.arange(20) * 2.0, 2)
    exit_ = exit_ + np.tile([1.0, 2.0], 20)
    fit = fit_cox(group[:, None], entry=entry, exit=exit_, event=np.ones(40))
    assert fit.coefficients[0] == np.inf
    assert fit.notes[0].startswith("The factor of “covariate 1” has no bound")


def test_numbers_of_one_are_written_in_the_singular():
    covariates, spells = study(n_rows=12)
    event = np.arange(12) == np.argmin(spells["exit"])
    fit = fit_cox(covariates[["age"]], **{**spells, "event": event})
    assert fit.notes[-1] == "There is 1 event for 1 covariate, fewer than 10 for each: the factors may be far off."


def test_one_individual_has_no_robust_error():
    covariates, spells = study(n_rows=30)
    fit = fit_cox(covariates, **spells, ids=["a"] * 30)
    assert np.isnan(fit.robust_standard_errors).all()
    assert np.isfinite(fit.standard_errors).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ties": "exact"}, "There is no way “exact” to treat ties. Known: efron, breslow."),
        (
            {"covariates": [1, 2, 3, 4]},
            "The covariates have the shape (4,). Give rows x covariates, at least one.",
        ),
        (
            {"covariates": [[1], [2], [3]]},
            "The arrays differ in length: covariates 3, entry 4, exit 4, event 4. Give one value per row to each.",
        ),
        (
            {"covariates": pd.DataFrame({"age": [1, None, 3, 4]})},
            "“age” is missing or infinite in 1 of 4 rows, first in row 1. Leave these rows out, or fill them in.",
        ),
        (
            {"covariates": pd.DataFrame({"plan": ["a", "b", "b", "c"]})},
            "“plan” is not numeric. Convert it to numbers, times to one unit such as days.",
        ),
        (
            {"covariates": [[1, 2], [2, 2], [3, 2], [4, 2]]},
            "“covariate 2” does not vary among those at risk when something happens. "
            "Leave it out, or merge its values.",
        ),
        (
            {"covariates": pd.DataFrame({"a": [1, 2, 3, 5], "b": [0, 1, 0, 1], "c": [1, 3, 3, 6]})},
            "“c” is determined by the covariates before it. Leave one of them out.",
        ),
        (
            {"event": [0, 0, 0, 0]},
            "Nothing happens: none of 4 rows at risk ends in an event. Leave this out, or watch longer.",
        ),
        (
            {"weights": [1, 1, -1, 1]},
            "“weights” is negative in 1 of 4 rows, first in row 2: -1. Use 0 to leave a row out.",
        ),
    ],
)
def test_mistakes_are_explained(changes, message):
    rows = {"covariates": [[1], [2], [3], [4]], "entry": [0] * 4, "exit": [1, 2, 3, 4], "event": [1, 1, 1, 0]}
    rows = {**rows, **changes}
    with pytest.raises(EstimateError) as caught:
        fit_cox(rows.pop("covariates"), **rows)
    assert str(caught.value) == message


def test_questions_that_cannot_be_answered_are_explained():
    covariates, spells = study(n_rows=30)
    fit = fit_cox(covariates, **spells)
    with pytest.raises(EstimateError) as caught:
        fit.proportional_hazards_test(clock="square")
    assert str(caught.value) == "There is no clock “square”. Known: km, rank, log, identity."
    at_zero = fit_cox(covariates, entry=spells["entry"] - 1, exit=np.floor(spells["exit"]), event=spells["event"])
    with pytest.raises(EstimateError) as caught:
        at_zero.proportional_hazards_test(clock="log")
    assert str(caught.value) == "Something happens at time 0, which has no logarithm. Choose another clock."


@pytest.mark.parametrize("unit", [1.0, -1.0, 37.5])
@pytest.mark.parametrize("n", [2, 4, 15, 40])
def test_groups_of_which_one_has_left_before_the_other_begins_have_a_factor_without_bound(n, unit):
    """The information then shrinks to rounding before the steps do."""
    group = unit * np.repeat([0.0, 1.0], n)[:, None]
    fit = fit_cox(group, entry=np.full(2 * n, -1), exit=np.arange(1, 2 * n + 1), event=np.ones(2 * n))
    assert fit.coefficients[0] == -np.inf * unit
    assert np.isnan(fit.robust_standard_errors[0])
    assert fit.notes[0].startswith("The factor of “covariate 1” has no bound")
