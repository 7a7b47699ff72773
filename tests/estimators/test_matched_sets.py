"""Matched sets: odds ratios are those of Cox's model with the sets as strata, errors count sets and individuals."""

import numpy as np
import pytest

from journeylab.base.errors import EstimateError
from journeylab.estimators.cox import fit_cox
from journeylab.estimators.matched_sets import MatchedSets

Z2 = 1.959963984540054**2


def compared(ids, traits, **details):
    """Odds ratios of `traits`, bool (traits, sets, members)."""
    trait, members = np.nonzero(np.reshape(traits, (len(traits), -1)))
    return MatchedSets(np.asarray(ids)).odds_ratios(members, trait, n_traits=len(traits), **details)


def by_cox(ids, has, individuals):
    """The same by `fit_cox`: coefficient, robust variance with `individuals`, (sets, members), as clusters."""
    there = ids >= 0
    case = np.zeros(ids.shape, bool)
    case[:, 0] = True
    rows = {"entry": np.zeros(there.sum()), "exit": np.ones(there.sum()), "event": case[there]}
    strata = np.broadcast_to(np.arange(len(ids))[:, None], ids.shape)[there]
    cox = fit_cox(has[there][:, None].astype(float), **rows, strata=strata, ids=individuals[there])
    return cox.coefficients[0], cox.robust_covariance[0, 0]


def drawn(seed, *, n_sets=150, n_individuals=80):
    """Sets of a case and one to three controls; individuals are in several; cases have the trait more often."""
    random = np.random.default_rng(seed)
    ids = np.array([random.permutation(n_individuals)[:4] for _ in range(n_sets)])
    ids[random.random(ids.shape) < 0.2] = -1
    ids[:, 0] = random.integers(n_individuals, n_individuals + 20, n_sets)
    ids[ids[:, 1:].max(axis=1) < 0, 1] = 0
    chance = np.where(np.arange(4) == 0, 0.5, 0.3)
    return ids, (random.random(ids.shape) < chance) & (ids >= 0)


def test_of_pairs_only_those_that_differ_count():
    """McNemar: 12 pairs where only the case has it, 5 where only the control has, 9 where both have, 4 where none."""
    has = [[True, False]] * 12 + [[False, True]] * 5 + [[True, True]] * 9 + [[False, False]] * 4
    found = compared(np.arange(60).reshape(30, 2), [has])
    margin = np.array([-1, 1]) * np.sqrt(Z2 * (1 / 12 + 1 / 5))
    assert found.estimate == pytest.approx([12 / 5])
    assert np.log([found.lower[0], found.upper[0]]) == pytest.approx(np.log(12 / 5) + margin)
    assert (found.n_informative[0], found.cases[0], found.controls[0]) == (17, 21, 14)


@pytest.mark.parametrize("seed", range(4))
def test_ratios_and_errors_are_those_of_cox_s_model_with_the_sets_as_strata(seed):
    """Clustered by set and by individual: the variance by set, and by individual, less that by member."""
    ids, has = drawn(seed)
    found = compared(ids, [has])
    sets, members = np.indices(ids.shape)[0], np.arange(ids.size).reshape(ids.shape)
    (coefficient, by_set), (_, by_individual), (_, by_member) = (
        by_cox(ids, has, each) for each in (sets, ids, members)
    )
    assert np.log(found.estimate[0]) == pytest.approx(coefficient, rel=1e-9)
    error = np.log(found.upper[0] / found.lower[0]) / (2 * np.sqrt(Z2))
    assert error**2 == pytest.approx(max(by_set + by_individual - by_member, by_set), rel=1e-9)


def test_individuals_in_many_sets_widen_the_interval():
    """The same ten individuals are the controls of all sets; five of them have the trait."""
    random = np.random.default_rng(3)
    ids = np.column_stack([np.arange(10, 110), np.array([random.permutation(10)[:4] for _ in range(100)])])
    has = np.column_stack([random.random(100) < 0.5, ids[:, 1:] < 5])
    apart = np.where(np.arange(5) == 0, ids, 1000 + np.arange(500).reshape(100, 5))
    together, as_if_apart = compared(ids, [has]), compared(apart, [has])
    assert together.estimate == pytest.approx(as_if_apart.estimate)
    assert together.upper[0] / together.lower[0] > 1.2 * as_if_apart.upper[0] / as_if_apart.lower[0]


def test_many_traits_at_once_are_each_as_alone():
    ids, _ = drawn(9)
    traits = [drawn(9 + place)[1] & (ids >= 0) for place in range(5)]
    together = compared(ids, traits)
    for place, has in enumerate(traits):
        alone = compared(ids, [has])
        for name in ("estimate", "lower", "upper", "p_values"):
            assert getattr(together, name)[place] == pytest.approx(getattr(alone, name)[0], rel=1e-10)


def test_a_ratio_without_bound_has_one_limit_by_the_score_test():
    """n pairs where only the case has it: the score test does not refuse ratios above n / z squared."""
    n = 20
    found = compared(np.arange(4 * n).reshape(2 * n, 2), [[[True, False]] * n + [[False, False]] * n] * 2)
    assert np.isinf(found.estimate).all()
    assert found.lower == pytest.approx([n / Z2] * 2, rel=1e-6)
    assert np.isinf(found.upper).all()
    turned = compared(np.arange(2 * n).reshape(n, 2), [[[False, True]] * n])
    assert (turned.estimate[0], turned.lower[0]) == (0, 0)
    assert turned.upper[0] == pytest.approx(Z2 / n, rel=1e-6)
    assert turned.p_values == pytest.approx(found.p_values[:1])


def test_a_trait_that_all_or_none_have_tells_nothing():
    found = compared(np.arange(8).reshape(4, 2), [np.ones((4, 2), bool), np.zeros((4, 2), bool)])
    assert np.isnan([found.estimate, found.lower, found.upper, found.p_values]).all()
    assert found.n_informative.tolist() == [0, 0]
    assert found.cases.tolist() == [4, 0]


def test_without_sets_or_traits_there_is_nothing_to_find():
    nobody = MatchedSets(np.zeros((0, 5), np.int64))
    nothing = np.zeros(0, np.int64)
    assert nobody.odds_ratios(nothing, nothing, n_traits=0).estimate.tolist() == []
    assert np.isnan(nobody.odds_ratios(nothing, nothing, n_traits=2).estimate).all()
    assert (nobody.n_cases, nobody.n_controls) == (0, 0)


@pytest.mark.slow
def test_traits_that_mean_nothing_seldom_seem_to():
    """1,500 traits of which 30% of the members of 150 sets of five have each; 5% of them, give or take 1.2."""
    random = np.random.default_rng(1)
    found = compared(np.arange(750).reshape(150, 5), random.random((1500, 150, 5)) < 0.3)
    assert 0.035 < (found.p_values < 0.05).mean() < 0.065
    assert 0.935 < ((found.lower < 1) & (found.upper > 1)).mean() < 0.965


def test_a_set_needs_its_case():
    with pytest.raises(EstimateError) as caught:
        MatchedSets(np.array([[0, 1], [-1, 2]]))
    assert str(caught.value) == "In 1 of 2 matched sets the first member, the case, is missing. Give each set its case."
    with pytest.raises(EstimateError) as caught:
        MatchedSets(np.arange(3))
    assert str(caught.value) == "The matched sets have the shape (3,). Give sets x members, the case first."
