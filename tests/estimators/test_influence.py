"""The jackknife against numerical derivatives, leave-one-out, the binomial, and the coverage of its intervals."""

import numpy as np
import pytest

from journeylab.estimators import influence
from journeylab.estimators.aalen_johansen import AalenJohansen
from journeylab.estimators.intervals import probability_interval

TIMES = [2, 5, 9, 14]


def wandering(n_individuals, seed):
    """Rows of individuals who wander among four states on whole days: ties, returns, late entry, censoring."""
    random, rows = np.random.default_rng(seed), []
    for individual in range(n_individuals):
        day, state = int(random.integers(-1, 3)), int(random.integers(0, 2))
        for _ in range(random.integers(1, 6)):
            until = max(day, 0) + int(random.integers(1, 5))
            to = int(random.choice([other for other in (-1, 0, 1, 2, 3) if other != state]))
            rows.append((day, until, state, to, individual))
            if to in (-1, 3):
                break
            day, state = until, to
    return np.array(rows)


ROWS = wandering(40, seed=3)
WEIGHTS = np.random.default_rng(8).uniform(0.5, 2, 40)[ROWS[:, 4]]


def fit(weights, start=(0.5, 0.5, 0, 0)):
    entry, exit_, origin, destination, ids = ROWS.T
    return AalenJohansen.fit(
        entry, exit_, origin, destination, n_states=4, ids=ids, weights=weights, initial_state=start
    )


def derivatives(quantity, weights, start, step=1e-5):
    """d quantity / d weight x weight of each individual, by central differences."""
    each = []
    for individual in range(40):
        own = np.where(ROWS[:, 4] == individual, step, 0.0)
        up, down = (quantity(fit(weights * (1 + sign * own), start)) for sign in (1, -1))
        each.append((up - down) / (2 * step))
    return np.array(each)


@pytest.mark.filterwarnings("ignore:The initial state is estimated")
@pytest.mark.parametrize("start", [(0.5, 0.5, 0, 0), None], ids=["known start", "estimated start"])
@pytest.mark.parametrize("weights", [np.ones(len(ROWS)), WEIGHTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize(
    ("quantity", "errors"),
    [
        (lambda one: one.occupancy(TIMES), lambda one: one.standard_errors(TIMES)),
        (lambda one: one.restricted_means(11)[0], lambda one: one.restricted_means(11)[1]),
    ],
    ids=["occupancy", "restricted means"],
)
def test_the_jackknife_is_the_sum_of_squared_derivatives(quantity, errors, weights, start):
    expected = np.sqrt((derivatives(quantity, weights, start) ** 2).sum(axis=0))
    found = errors(fit(weights, start))
    assert (found > 0).sum() >= found.size / 2
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


def test_weights_of_one_change_nothing():
    found, expected = fit(np.ones(len(ROWS))), fit(None)
    np.testing.assert_allclose(found.standard_errors(TIMES), expected.standard_errors(TIMES), rtol=0, atol=1e-14)


def test_whole_weights_count_as_copies_of_individuals_in_the_estimate():
    twice = np.where(ROWS[:, 4] % 2 == 0, 2, 1)
    rows = np.repeat(ROWS, twice, axis=0)
    copies = AalenJohansen.fit(*rows.T[:4], n_states=4, initial_state=(0.5, 0.5, 0, 0))
    np.testing.assert_allclose(fit(twice).occupancy(TIMES), copies.occupancy(TIMES), rtol=0, atol=1e-14)


def test_influences_sum_to_nothing_and_their_squares_to_the_variance():
    each = fit(None).influence(TIMES, 3)
    assert each.shape == (40, 4)
    np.testing.assert_allclose(each.sum(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(np.sqrt((each**2).sum(axis=0)), fit(None).standard_errors(TIMES)[:, 3], rtol=1e-12)


def test_the_states_at_one_time_have_the_influences_of_each_alone_and_errors_of_their_sums():
    fitted = fit(None)
    each = fitted.influence_by_state(TIMES[1])
    for state in range(4):
        np.testing.assert_allclose(each[:, state], fitted.influence([TIMES[1]], state)[:, 0], rtol=1e-12, atol=1e-15)
    errors = fitted.errors_of_sums(TIMES[1], [[3], [0, 2], []])
    together = fitted.influence([TIMES[1]], [0, 2])[:, 0]
    expected = [fitted.standard_errors([TIMES[1]])[0, 3], np.sqrt((together**2).sum()), 0.0]
    np.testing.assert_allclose(errors, expected, rtol=1e-12)


def test_what_is_not_known_at_one_time_is_missing():
    fitted = fit(None)
    assert np.isnan(fitted.influence_by_state(fitted.last_time + 1)).all()
    assert np.isnan(fitted.errors_of_sums(fitted.last_time + 1, [[3]])).all()


def test_leaving_each_individual_out_gives_nearly_the_same_error():
    entry, exit_, origin, destination, ids = wandering(400, seed=1).T
    start = (0.5, 0.5, 0, 0)
    full = AalenJohansen.fit(entry, exit_, origin, destination, n_states=4, ids=ids, initial_state=start)
    without = []
    for individual in range(400):
        kept = ids != individual
        part = AalenJohansen.fit(
            *(each[kept] for each in (entry, exit_, origin, destination)), n_states=4, initial_state=start
        )
        without.append(part.occupancy([6])[0])
    jackknife = np.sqrt(399 / 400 * ((np.array(without) - np.mean(without, axis=0)) ** 2).sum(axis=0))
    np.testing.assert_allclose(full.standard_errors([6])[0], jackknife, rtol=0.02)


def test_without_censoring_or_returns_the_jackknife_is_binomial():
    days = np.arange(1, 21)
    exits = AalenJohansen.fit(0 * days, days, 0 * days, 1 + days % 2, n_states=3)
    shares = exits.occupancy([7, 20])
    expected = np.sqrt(shares * (1 - shares) / 20)
    np.testing.assert_allclose(exits.standard_errors([7, 20]), expected, rtol=0, atol=1e-12)


def test_large_problems_are_computed_in_parts_with_the_same_result(monkeypatch):
    whole = fit(None).standard_errors(TIMES)
    monkeypatch.setattr(influence, "MOST_CELLS", 1)
    np.testing.assert_allclose(fit(None).standard_errors(TIMES), whole, rtol=0, atol=1e-14)


def test_intervals_hold_the_truth_when_individuals_come_back():
    # every individual has its own haste, shared by its six spells: rows are not independent
    random, held = np.random.default_rng(11), {"by individual": 0, "by row": 0}
    ids, truth = np.repeat(np.arange(120), 6), (np.exp(-0.3) + np.exp(-3.0)) / 2
    for _ in range(300):
        haste = random.choice([0.3, 3.0], 120)[ids]
        days, watched = random.exponential(1 / haste), random.uniform(0.5, 3, len(ids))
        rows = (0 * days, np.minimum(days, watched), 0 * days, np.where(days <= watched, 1, -1))
        for name, whose in (("by individual", ids), ("by row", None)):
            one = AalenJohansen.fit(*rows, n_states=2, ids=whose)
            lower, upper = probability_interval(one.occupancy(1.0)[:, 0], one.standard_errors(1.0)[:, 0])
            held[name] += int(lower[0] <= truth <= upper[0])
    assert 0.92 <= held["by individual"] / 300 <= 0.98
    assert held["by row"] / 300 < 0.75
