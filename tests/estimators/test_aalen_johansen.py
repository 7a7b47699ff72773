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


def test_incidences_and_greenwood_errors_agree_with_statsmodels(spells):
    days, cause = spells
    second = CumIncidenceRight(days, cause)
    fit = AalenJohansen.fit(0 * days - 1, days, 0 * days, np.where(cause > 0, cause, -1), n_states=4)
    times = second.times[: np.searchsorted(second.times, fit.last_time, "right")]
    np.testing.assert_allclose(fit.occupancy(times)[:, 1:], np.transpose(second.cinc)[: len(times)], **EXACT)
    # its variances are Aalen's rather than multinomial, so they agree but roughly
    greenwood = fit.standard_errors(times, "greenwood")[:, 1:]
    np.testing.assert_allclose(greenwood, np.transpose(second.cinc_se)[: len(times)], rtol=0.1, atol=1e-3)


def test_a_tiny_study_by_hand():
    # one leaves on day 0 by exit 1, one on day 2 by exit 2, one is censored on day 2, one leaves on day 5 by exit 1
    fit = AalenJohansen.fit([-1, -1, -1, -1], [0, 2, 2, 5], [0] * 4, [1, 2, -1, 1], n_states=3)
    np.testing.assert_allclose(
        fit.occupancy([0, 1, 2, 5, 9]),
        [[3 / 4, 1 / 4, 0], [3 / 4, 1 / 4, 0], [1 / 2, 1 / 4, 1 / 4], [0, 3 / 4, 1 / 4], [0, 3 / 4, 1 / 4]],
    )
    # day 0: sqrt(1/4 3/4 / 4)
    np.testing.assert_allclose(fit.standard_errors([0])[0], [np.sqrt(3) / 8, np.sqrt(3) / 8, 0])
    np.testing.assert_allclose(fit.standard_errors([0], "greenwood")[0], [np.sqrt(3) / 8, np.sqrt(3) / 8, 0])
    # 2 days at 3/4, 1 day at 1/2
    np.testing.assert_allclose(fit.restricted_means(3)[0], [2.0, 0.75, 0.25])
    assert fit.at_risk([0, 2, 5, 6])[:, 0].tolist() == [4, 3, 1, 0]
    assert fit.at_risk([0, 2, 5], just="after")[:, 0].tolist() == [3, 1, 0]
    assert [fit.last_time_with(n) for n in (1, 3, 4)] == [5.0, 2.0, 0.0]
    assert np.isnan(fit.last_time_with(5))
    assert np.isnan(fit.last_time_with(1, state=1))  # nobody was ever watched there


def test_simultaneous_moves_use_one_risk_set():
    # on day 1 one moves 0 to 1 and one moves 1 to 2; the newcomer in 1 cannot move on at once
    fit = AalenJohansen.fit([0, 0, 0], [1, 1, 2], [0, 1, 0], [1, 2, -1], n_states=3, start=[0.5, 0.5, 0])
    np.testing.assert_allclose(fit.occupancy([1])[0], [0.25, 0.25, 0.5])


def test_moves_come_before_the_ends_of_watching_and_those_before_entries():
    fit = AalenJohansen.fit([0, 0, 1], [1, 1, 2], [0, 0, 0], [1, -1, -1], n_states=2)
    assert fit.occupancy([1])[0, 0] == 0.5


def test_a_spell_left_at_time_zero_counts_on_the_spell_clock():
    fit = AalenJohansen.fit([-1.0, -1.0], [0, 3], [0, 0], [1, -1], n_states=2)
    assert fit.occupancy([0]).tolist() == [[0.5, 0.5]]


def test_first_passage_counts_each_individual_until_the_state_is_first_reached():
    # a: 0 -> 1 -> 0 -> 1; b: 0 -> 2. Ever in 1 by day 9: one of two, though a's second visit is in the rows
    arrays = ([0, 1, 2, 0], [1, 2, 3, 9], [0, 1, 0, 0], [1, 0, 1, 2])
    fit = AalenJohansen.fit(*arrays, n_states=3, ids=["a", "a", "a", "b"], start=[1, 0, 0])
    reached = fit.first_passage(1)
    np.testing.assert_allclose(reached.occupancy([0.5, 1, 9])[:, 1], [0, 0.5, 0.5])
    assert fit.first_passage(2).occupancy([9])[0, 2] == 0.5
    np.testing.assert_allclose(reached.standard_errors([9])[0, 1], np.sqrt(0.5 * 0.5 / 2))


def test_first_passage_keeps_those_who_begin_in_the_state():
    fit = AalenJohansen.fit([0, 0, 1], [4, 1, 4], [0, 1, 0], [-1, 0, -1], n_states=2, ids=[1, 2, 2])
    np.testing.assert_allclose(fit.first_passage(1).occupancy([1, 4]), [[0.5, 0.5], [0.5, 0.5]])
    np.testing.assert_allclose(fit.first_passage(1).standard_errors([4])[0], [np.sqrt(1 / 8)] * 2)


def test_a_landmark_follows_only_those_who_are_there():
    # after day 1: a and b are in 1; a goes on to 2 on day 3; c, in 0, does not count, though it moves from 1 to 2 later
    entry, exit_ = [0, 1, 0, 1, 0, 2, 3], [1, 3, 1, 9, 2, 3, 9]
    origin, destination = [0, 1, 0, 1, 0, 1, 2], [1, 2, 1, -1, 1, 2, -1]
    fit = AalenJohansen.fit(entry, exit_, origin, destination, n_states=3, ids=list("aabbccc"), start=[1, 0, 0])
    later = fit.landmark(1, 1)
    np.testing.assert_allclose(later.occupancy([1, 2, 3]), [[0, 1, 0], [0, 1, 0], [0, 0.5, 0.5]])
    assert np.isnan(later.occupancy([0.5])).all()
    np.testing.assert_allclose(later.restricted_means(5)[0], [0, 2 + 1, 1])
    assert later.ids.tolist() == ["a", "b"]
    np.testing.assert_allclose(fit.transition_probabilities(1, 3)[1], [0, 1 / 3, 2 / 3])


def test_pseudo_values_average_to_the_estimate_and_without_censoring_are_what_happened():
    days = np.array([1.0, 2.0, 2.0, 7.0])
    fit = AalenJohansen.fit(0 * days, days, [0] * 4, [1, 2, 1, 1], n_states=3, ids=list("wxyz"))
    np.testing.assert_allclose(fit.pseudo_values([2, 5], 1).T, [[1, 0, 1, 0], [1, 0, 1, 0]], atol=1e-12)
    censored = AalenJohansen.fit(0 * days, days, [0] * 4, [1, -1, 1, 1], n_states=3)
    np.testing.assert_allclose(censored.pseudo_values([2, 5], 1).mean(axis=0), censored.occupancy([2, 5])[:, 1])


def test_quantiles_not_reached_are_infinite():
    fit = AalenJohansen.fit([0] * 4, [1, 2, 3, 4], [0] * 4, [1, -1, -1, -1], n_states=2)
    middle, lower, upper = fit.quantiles([0.25, 0.5])
    assert middle.tolist() == [1.0, np.inf]
    assert lower.tolist() == [1.0, 1.0]
    assert upper.tolist() == [np.inf, np.inf]


def test_nothing_is_estimated_before_the_clock_or_past_the_last_watched_time():
    fit = AalenJohansen.fit([0, 0], [1, 5], [0, 0], [1, -1], n_states=2)
    assert np.isnan(fit.occupancy([-0.5, 5.5])).all()
    assert np.isnan(fit.standard_errors([5.5])).all()
    assert np.isnan(fit.standard_errors([5.5], "greenwood")).all()
    assert np.isnan(fit.restricted_means(6)).all()
    assert np.isnan(fit.influence([5.5], 0)).all()
    settled = AalenJohansen.fit([0, 0], [1, 5], [0, 0], [1, 1], n_states=2)
    assert settled.occupancy([99]).tolist() == [[0, 1]]


def test_if_nobody_moves_all_stay():
    fit = AalenJohansen.fit([-1, -1, 2], [3, 4, 9], [0, 1, 0], [-1, -1, -1], n_states=2, start=[0.5, 0.5])
    assert fit.times.tolist() == []
    assert fit.occupancy([0, 9]).tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert fit.standard_errors([0, 9]).tolist() == [[0, 0], [0, 0]]
    assert fit.standard_errors([0, 9], "greenwood").tolist() == [[0, 0], [0, 0]]
    assert fit.restricted_means(4)[0].tolist() == [2, 2]
    assert fit.cumulative_hazards().hazards.shape == (0, 0)
    assert AalenJohansen.fit([0, 0], [3, 4], [0, 0], [-1, -1], n_states=2).quantiles([0.5])[0].tolist() == [np.inf]


def test_one_individual_has_no_jackknife():
    fit = AalenJohansen.fit([0, 0], [3, 4], [0, 0], [1, -1], n_states=2, ids=["a", "a"])
    assert fit.occupancy([3]).tolist() == [[0.5, 0.5]]
    assert np.isnan(fit.standard_errors([3])).all()
    assert np.isnan(fit.restricted_means(4)[1]).all()
    assert np.isnan(fit.standard_errors(np.linspace(0, 4, 40))).all()
    assert fit.standard_errors([3], "greenwood")[0, 0] == pytest.approx(np.sqrt(1 / 8))


def test_an_estimated_start_under_late_entry_warns():
    with pytest.warns(UserWarning, match="The start is estimated") as caught:
        AalenJohansen.fit([0, 0, 6], [5, 8, 9], [0, 1, 1], [1, 0, -1], n_states=2, ids=[1, 2, 3])
    assert str(caught[0].message) == (
        "The start is estimated from the 2 rows at risk at the first move, time 5; 1 of 3 individuals enter later. "
        "Give start= if it is known."
    )
    assert caught[0].filename == __file__


@pytest.fixture
def fit():
    return AalenJohansen.fit([0, 0], [1, 5], [0, 0], [1, -1], n_states=2)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda fit: fit.standard_errors([1], "bootstrap"),
            "There is no method “bootstrap” for standard errors. Known: jackknife, greenwood.",
        ),
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
        (lambda fit: fit.first_passage(-1), "There is no state -1. The states are 0 to 1."),
        (lambda fit: fit.landmark(1, 1), "Nobody is at risk in state 1 just after time 1. Choose another."),
        (
            lambda fit: fit.at_risk([1], just="at"),
            "Rows are counted just “before” or “after” a time, not “at”. Use one of the two.",
        ),
        (
            lambda fit: fit.transition_probabilities(4, 2),
            "Transition probabilities were asked for from 4 to 2. "
            "Choose times in this order between 0 and 5, while anyone was watched.",
        ),
        (
            lambda fit: fit.quantiles([0, 0.5]),
            "The shares asked for are [0.0, 0.5]. Give shares above 0 and below 1, as 0.5 (median).",
        ),
        (
            lambda _: AalenJohansen.fit([0], [1], [0], [1], n_states=2, weights=[2]).pseudo_values([1], 0),
            "Pseudo-values of a weighted fit are not defined. Fit without weights.",
        ),
        (
            lambda _: AalenJohansen.fit([0], [1], [0], [1], n_states=2, start=[1, 0, 0]),
            "“start” has the shape (3,), not (2,). Give one probability per state.",
        ),
        (
            lambda _: AalenJohansen.fit([0], [1], [0], [1], n_states=2, start=[0.5, 0.4]),
            "“start” holds [0.5, 0.4], not probabilities that sum to 1. Mend it, or leave it out.",
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
    fit = AalenJohansen.fit(entry, exit_, origin, destination, n_states=4, ids=ids, start=[1, 0, 0, 0])
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
            start=[1, 0, 0, 0],
        )
        days = np.arange(int(fit.last_time) + 1)
        return fit.occupancy(days), fit.standard_errors(days), fit.standard_errors(days, "greenwood"), days

    for one, other in zip(numbers(np.arange(len(rows))), numbers(random.permutation(len(rows))), strict=True):
        np.testing.assert_array_equal(one, other)
