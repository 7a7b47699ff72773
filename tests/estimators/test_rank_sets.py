"""Rank sets hold the true ranks, all of them together, as often as they say."""

import numpy as np
import pytest

from journeylab.estimators.rank_sets import rank_sets


def sets_of(estimates, covariance, **given):
    values = np.asarray(estimates, dtype=float)
    return rank_sets(values, values, np.asarray(covariance, dtype=float), confidence=0.95, seed=1, **given)


def test_two_are_compared_by_the_two_sided_normal_quantile():
    # The difference of 5.6 has the standard error 2 * sqrt(2): 1.98 of them, beyond 1.96; 5.4 is not.
    assert [ranks.tolist() for ranks in sets_of([15.7, 10.0], np.diag([4.0, 4.0]))] == [[1, 2], [1, 2]]
    assert [ranks.tolist() for ranks in sets_of([15.3, 10.0], np.diag([4.0, 4.0]))] == [[1, 1], [2, 2]]


def test_estimates_that_move_together_are_ranked_by_their_difference():
    together = [[4.0, 3.99], [3.99, 4.0]]
    assert [ranks.tolist() for ranks in sets_of([11.0, 10.0], together)] == [[1, 2], [1, 2]]


def test_a_quantity_between_bounds_can_be_first_or_last():
    best, worst = rank_sets(
        np.array([20.0, 5.0, 1.0]), np.array([20.0, 60.0, 1.0]), np.zeros((3, 3)), confidence=0.95, seed=1
    )
    assert (best.tolist(), worst.tolist()) == ([1, 1, 3], [2, 2, 3])


def test_what_does_not_vary_is_ranked_as_it_is_and_equals_share_their_ranks():
    assert [ranks.tolist() for ranks in sets_of([3.0, 3.0, 1.0], np.zeros((3, 3)))] == [[1, 1, 3], [2, 2, 3]]
    assert [ranks.tolist() for ranks in sets_of([3.0], [[1.0]])] == [[1], [1]]
    assert [ranks.tolist() for ranks in sets_of([], np.zeros((0, 0)))] == [[], []]


@pytest.mark.parametrize("means", [[10.0, 10.0, 9.0, 2.0], [10.0] * 6])
def test_true_ranks_lie_in_the_sets_in_at_least_95_of_100_trials(means):
    means, generator, n_right = np.array(means), np.random.default_rng(7), 0
    covariance = np.diag(np.full(len(means), 1.0)) + 0.3
    ties_best = 1 + (means[None, :] > means[:, None]).sum(axis=1)
    ties_worst = (means[None, :] >= means[:, None]).sum(axis=1)
    for _ in range(400):
        best, worst = sets_of(generator.multivariate_normal(means, covariance), covariance)
        n_right += bool((best <= ties_best).all() and (worst >= ties_worst).all())
    assert n_right / 400 > 0.925
