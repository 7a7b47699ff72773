"""Aalen-Johansen by hand, against lifelines and statsmodels, what is missing, and what always holds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from statsmodels.duration.survfunc import CumIncidenceRight

from journeylab.base.errors import EstimateError
from journeylab.estimators.aalen_johansen import AalenJohansen

EXACT = {"rtol": 0, "atol": 1e-10}


@pytest.fixture(scope="module")
def spells():
    """400 spells with three ways out, on whole days, so that most times are tied."""
    random = np.random.default_rng(5)
    days = np.floor(random.exponential(20, 400))
    watched = np.floor(random.uniform(0, 60, 400))
    cause = random.integers(1, 4, 400)
    return np.minimum(days, watched), np.where(days <= watched, cause, 0)


def test_survival_and_late_entry_agree_with_lifelines(spells):
    days, cause = spells
    entry = np.where(np.arange(400) % 3 == 0, np.floor(days / 2), -1.0)
    kept = days > entry
    entry, days, left = entry[kept], days[kept], cause[kept] > 0
    fit = AalenJohansen.fit(entry, days, 0 * days, np.where(left, 1, -1), n_states=2)
    second = KaplanMeierFitter().fit(days + 1, left, entry=entry + 1)
    expected = second.survival_function_at_times(fit.times + 1).to_numpy()
    np.testing.assert_allclose(fit.occupancy(fit.times)[:, 0], expected, **EXACT)


def test_incidences_agree_with_statsmodels_and_their_errors_roughly(spells):
    days, cause = spells
    second = CumIncidenceRight(days, cause)
    fit = AalenJohansen.fit(0 * days - 1, days, 0 * days, np.where(cause > 0, cause, -1), n_states=4)
    times = second.times[: np.searchsorted(second.times, fit.last_time, "right")]
    np.testing.assert_allclose(fit.occupancy(times)[:, 1:], np.transpose(second.cinc)[: len(times)], **EXACT)
    # Its variances are Aalen's and not the jackknife's.
    errors = fit.standard_errors(times)[:, 1:]
    np.testing.assert_allclose(errors, np.transpose(second.cinc_se)[: len(times)], rtol=0.1, atol=1e-3)


def test_a_tiny_study_by_hand():
    # one leaves on day 0 by exit 1, one on day 2 by exit 2, one is censored on day 2, one leaves on day 5 by exit 1
    fit = AalenJohansen.fit([-1, -1, -1, -1], [0, 2, 2, 5], [0] * 4, [1, 2, -1, 1], n_states=3)
    np.testing.assert_allclose(
        fit.occupancy([0, 1, 2, 5, 9]),
        [[3 / 4, 1 / 4, 0], [3 / 4, 1 / 4, 0], [1 / 2, 1 / 4, 1 / 4], [0, 3 / 4, 1 / 4], [0, 3 / 4, 1 / 4]],
    )
    # day 0: sqrt(1/4 3/4 / 4)
    np.testing.assert_allclose(fit.standard_errors([0])[0], [np.sqrt(3) / 8, np.sqrt(3) / 8, 0])
    # 2 days at 3/4, 1 day at 1/2
    np.testing.assert_allclose(fit.restricted_means(3)[0], [2.0, 0.75, 0.25])
    assert fit.times.tolist() == [0, 2, 5]
    assert fit.integral.at_risk[:, 0].tolist() == [4, 3, 1]


def test_simultaneous_moves_use_one_risk_set():
    # on day 1 one moves 0 to 1 and one moves 1 to 2; the newcomer in 1 cannot move on at once
    fit = AalenJohansen.fit([0, 0, 0], [1, 1, 2], [0, 1, 0], [1, 2, -1], n_states=3, initial_state=[0.5, 0.5, 0])
    np.testing.assert_allclose(fit.occupancy([1])[0], [0.25, 0.25, 0.5])


def test_moves_come_before_the_ends_of_watching_and_those_before_entries():
    fit = AalenJohansen.fit([0, 0, 1], [1, 1, 2], [0, 0, 0], [1, -1, -1], n_states=2)
    assert fit.occupancy([1])[0, 0] == 0.5


def test_a_spell_left_at_time_zero_counts_on_the_spell_clock():
    fit = AalenJohansen.fit([-1.0, -1.0], [0, 3], [0, 0], [1, -1], n_states=2)
    assert fit.occupancy([0]).tolist() == [[0.5, 0.5]]


def test_nothing_is_estimated_before_the_clock_or_past_the_last_watched_time():
    fit = AalenJohansen.fit([0, 0], [1, 5], [0, 0], [1, -1], n_states=2)
    assert np.isnan(fit.occupancy([-0.5, 5.5])).all()
    assert np.isnan(fit.standard_errors([5.5])).all()
    assert np.isnan(fit.restricted_means(6)).all()
    assert np.isnan(fit.influence([5.5], 0)).all()
    settled = AalenJohansen.fit([0, 0], [1, 5], [0, 0], [1, 1], n_states=2)
    assert settled.occupancy([99]).tolist() == [[0, 1]]


def test_if_nobody_moves_all_stay():
    fit = AalenJohansen.fit([-1, -1, 2], [3, 4, 9], [0, 1, 0], [-1, -1, -1], n_states=2, initial_state=[0.5, 0.5])
    assert fit.times.tolist() == []
    assert fit.occupancy([0, 9]).tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert fit.standard_errors([0, 9]).tolist() == [[0, 0], [0, 0]]
    assert fit.restricted_means(4)[0].tolist() == [2, 2]


def test_one_individual_has_no_jackknife():
    fit = AalenJohansen.fit([0, 0], [3, 4], [0, 0], [1, -1], n_states=2, ids=["a", "a"])
    assert fit.occupancy([3]).tolist() == [[0.5, 0.5]]
    assert np.isnan(fit.standard_errors([3])).all()
    assert np.isnan(fit.restricted_means(4)[1]).all()
    assert np.isnan(fit.standard_errors(np.linspace(0, 4, 40))).all()


def test_an_estimated_initial_state_under_late_entry_warns():
    with pytest.warns(UserWarning, match="The initial state is estimated") as caught:
        AalenJohansen.fit([0, 0, 6], [5, 8, 9], [0, 1, 1], [1, 0, -1], n_states=2, ids=[1, 2, 3])
    assert str(caught[0].message) == (
        "The initial state is estimated from the 2 rows at risk at the first move, time 5. "
        "1 of 3 individuals enter later. Give initial_state= if it is known."
    )
    assert caught[0].filename == __file__


@pytest.fixture
def fit():
    return AalenJohansen.fit([0, 0], [1, 5], [0, 0], [1, -1], n_states=2)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda fit: fit.occupancy([1, np.nan]),
            "The times asked for are [1, nan]. Give one finite number, or a list of them.",
        ),
        (
            lambda fit: fit.occupancy(["30d"]),
            "The times asked for are ['30d']. Give one finite number, or a list of them.",
        ),
        (
            lambda fit: fit.restricted_means(0),
            "The horizon is 0, not after the clock's start, 0. Give a later horizon.",
        ),
        (lambda fit: fit.influence([1], 2), "There is no state 2. The states are 0 to 1."),
        (lambda fit: fit.errors_of_sums(1, [[-1]]), "There is no state -1. The states are 0 to 1."),
        (
            lambda _: AalenJohansen.fit([0], [1], [0], [1], n_states=2, initial_state=[1, 0, 0]),
            "“initial_state” has the shape (3,), not (2,). Give one probability per state.",
        ),
        (
            lambda _: AalenJohansen.fit([0], [1], [0], [1], n_states=2, initial_state=[0.5, 0.4]),
            "“initial_state” is [0.5, 0.4], not probabilities that sum to 1. Fix it, or leave it out.",
        ),
    ],
)
def test_mistakes_are_explained(fit, ask, message):
    with pytest.raises(EstimateError) as caught:
        ask(fit)
    assert str(caught.value) == message


@st.composite
def histories(draw):
    """Rows of a few individuals who wander among four states on whole days and are watched for a while."""
    rows = []
    for individual in range(draw(st.integers(2, 6))):
        day, state = draw(st.integers(0, 2)), 0
        for _ in range(draw(st.integers(1, 5))):
            until = day + draw(st.integers(1, 4))
            to = draw(st.sampled_from([other for other in (-1, 0, 1, 2, 3) if other != state]))
            rows.append((day, until, state, to, individual))
            if to in (-1, 3):
                break
            day, state = until, to
    return np.array(rows)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(histories())
def test_probabilities_sum_to_one_and_the_last_state_only_fills(rows):
    entry, exit_, origin, destination, ids = rows.T
    fit = AalenJohansen.fit(entry, exit_, origin, destination, n_states=4, ids=ids, initial_state=[1, 0, 0, 0])
    days = np.arange(int(fit.last_time) + 1)
    occupancy, errors = fit.occupancy(days), fit.standard_errors(days)
    np.testing.assert_allclose(occupancy.sum(axis=1), 1, rtol=0, atol=1e-12)
    assert ((occupancy > -1e-12) & (occupancy < 1 + 1e-12)).all()
    assert (np.diff(occupancy[:, 3]) > -1e-12).all()
    assert np.isfinite(errors).all()
    if fit.last_time > 0:
        means, _ = fit.restricted_means(fit.last_time)
        assert means.sum() == pytest.approx(fit.last_time)
        # on whole days the restricted mean is the sum of the days' occupancies
        np.testing.assert_allclose(means, occupancy[:-1].sum(axis=0), rtol=0, atol=1e-9)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(histories(), st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_permuted_rows_give_identical_numbers(rows, seed, named, weighted):
    random = np.random.default_rng(seed)
    weights = random.uniform(0.1, 3, len(rows))

    def numbers(order):
        entry, exit_, origin, destination, ids = rows[order].T
        fit = AalenJohansen.fit(
            *(entry, exit_, origin, destination),
            n_states=4,
            ids=ids if named else None,
            weights=weights[order] if weighted else None,
            initial_state=[1, 0, 0, 0],
        )
        days = np.arange(int(fit.last_time) + 1)
        return fit.occupancy(days), fit.standard_errors(days), days

    for one, other in zip(numbers(np.arange(len(rows))), numbers(random.permutation(len(rows))), strict=True):
        np.testing.assert_array_equal(one, other)
