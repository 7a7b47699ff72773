"""The jackknife's variance at all times at once equals that at each time by itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeylab.estimators.aalen_johansen import AalenJohansen
from journeylab.estimators.jackknife_curve import curve_variance, has_one_state_to_leave


def spells(seed, n_rows, *, continuous, late, weighted):
    random = np.random.default_rng(seed)
    days, watched = random.exponential(6, n_rows), random.uniform(0, 12, n_rows)
    cause = random.integers(1, 3, n_rows)
    exit_, destination = np.minimum(days, watched), np.where(days <= watched, cause, -1)
    if not continuous:
        exit_ = np.floor(exit_)
    entry = np.where(late & (exit_ > 0) & (random.random(n_rows) < 0.5), exit_ * random.random(n_rows), -1.0)
    weights = random.uniform(0.2, 2, n_rows) if weighted else None
    ids = random.integers(0, max(n_rows // 3, 2), n_rows)
    return AalenJohansen.fit(entry, exit_, 0 * exit_, destination, n_states=3, ids=ids, weights=weights)


def one_by_one(fit):
    influence, columns = fit._influence, np.arange(3)
    emphases = (np.eye(step + 1)[step] for step in range(len(fit.times) + 1))
    return np.array([influence.sum_of_squares(influence.by_individual(emphasis, columns)) for emphasis in emphases])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(2, 60), st.booleans(), st.booleans(), st.booleans())
def test_the_whole_curve_equals_time_by_time(seed, n_rows, continuous, late, weighted):
    fit = spells(seed, n_rows, continuous=continuous, late=late, weighted=weighted)
    found = curve_variance(fit._influence, np.arange(3))
    np.testing.assert_allclose(found, one_by_one(fit), rtol=1e-8, atol=1e-13)


@pytest.mark.parametrize("weighted", [False, True])
def test_standard_errors_at_many_times_equal_those_at_few(weighted):
    fit = spells(4, 500, continuous=True, late=True, weighted=weighted)
    times = np.linspace(0, fit.last_time, 60)
    few = np.concatenate([fit.standard_errors([time]) for time in times])
    np.testing.assert_allclose(fit.standard_errors(times), few, rtol=0, atol=1e-10)


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_permuted_rows_give_an_identical_curve(named, weighted):
    random = np.random.default_rng(3)
    days, ids, weights = random.exponential(5, 300), random.integers(0, 90, 300), random.uniform(0.5, 2, 300)
    destination = random.choice([-1, 1, 2], 300)

    def errors(order):
        fit = AalenJohansen.fit(
            *(0 * days, days[order], 0 * days, destination[order]),
            n_states=3,
            ids=ids[order] if named else None,
            weights=weights[order] if weighted else None,
        )
        return fit.standard_errors(np.linspace(0, 20, 50))

    np.testing.assert_array_equal(errors(np.arange(300)), errors(random.permutation(300)))


def test_only_one_state_to_leave_will_do():
    journey = AalenJohansen.fit([0, 1], [1, 2], [0, 1], [1, -1], n_states=2, initial_state=[1, 0])
    assert not has_one_state_to_leave(journey._influence)
    assert has_one_state_to_leave(spells(1, 9, continuous=True, late=False, weighted=False)._influence)


def test_one_individual_with_thousands_of_spells_is_no_trap():
    random = np.random.default_rng(1)
    days = random.exponential(5, 3000)
    ids = np.where(np.arange(3000) < 2900, 0, np.arange(3000))
    fit = AalenJohansen.fit(0 * days, days, 0 * days, np.ones(3000), n_states=2, ids=ids)
    times = np.linspace(0, 20, 50)
    few = np.concatenate([fit.standard_errors([time]) for time in times])
    np.testing.assert_allclose(fit.standard_errors(times), few, rtol=0, atol=1e-9)
