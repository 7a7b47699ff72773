"""Proportional hazards: the robust test against the same model with rows cut at every event, by hand and by lot.

The exact test is held against R in test_cox.py.
"""

import numpy as np
import pytest
from scipy.stats import chi2, f, norm

from journeylab.estimators.cox import fit_cox
from journeylab.estimators.partial_likelihood import PartialLikelihood
from journeylab.estimators.proportional_hazards import CLOCKS, transformed_time
from journeylab.estimators.risk_sets import EventRows, RiskSets


def repeated(seed, *, n_ids=40, n_rows=120):
    """Rows of individuals who come back, with ties, late entry, strata and weights."""
    random = np.random.default_rng(seed)
    ids = random.integers(0, n_ids, n_rows)
    x = np.column_stack([ids % 2, random.normal(size=n_rows)])
    days = np.ceil(random.exponential(8, n_rows) * random.gamma(2, 0.5, n_ids)[ids])
    entry = np.where(random.random(n_rows) < 0.3, np.floor(days * random.random(n_rows) * 0.9), -1)
    return x, {
        "entry": entry,
        "exit": days,
        "event": random.random(n_rows) < 0.7,
        "ids": ids,
        "strata": ids % 3,
        "weights": random.uniform(0.5, 2, n_rows),
    }


def cut_at_events(x, rows, coefficients, clock_at, ties):
    """Score, information and residuals by individual of covariates x and x g(t), each row cut at every event's time."""
    times = np.unique(rows["exit"][rows["event"]])
    pieces = [
        (place, max(begin, entry), min(end, exit_), event and end >= exit_, clock_at(min(end, exit_), stratum))
        for place, (entry, exit_, event, stratum) in enumerate(
            zip(rows["entry"], rows["exit"], rows["event"], rows["strata"], strict=True)
        )
        for begin, end in zip([-1, *times], [*times, np.inf], strict=True)
        if max(begin, entry) < min(end, exit_)
    ]
    place, entry, exit_, event, clock = (np.array(column) for column in zip(*pieces, strict=True))
    given = {"entry": entry, "exit": exit_, "event": event}
    given |= {name: rows[name][place] for name in ("ids", "strata", "weights")}
    cut = EventRows.of(given, np.column_stack([x[place], x[place] * clock[:, None]]))
    risks = PartialLikelihood(cut, RiskSets.of(cut), ties).at(np.append(coefficients, 0 * coefficients))
    return risks.score, risks.information, cut.summed_by_id(risks.residuals)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("clock", CLOCKS)
def test_both_variances_are_those_of_the_model_with_rows_cut_at_every_event(clock, ties):
    x, rows = repeated(3)
    fit = fit_cox(x, **rows, ties=ties)
    likelihood = fit._risks.likelihood
    sets, clocks = likelihood.sets, transformed_time(likelihood, clock)
    clocks = clocks - np.average(clocks, weights=sets.n_events)
    known = {(sets.stratum[cell], sets.times[cell]): clocks[cell] for cell in range(sets.n_cells)}
    clock_at = lambda time, stratum: known.get((stratum, time), 0.0)  # noqa: E731 - where nothing happens it is not used
    score, information, residuals = cut_at_events(x, rows, fit.coefficients, clock_at, ties)
    fitted = np.linalg.solve(information[:2, :2], information[:2, 2:])
    influence = residuals[:, 2:] - residuals[:, :2] @ fitted
    variances = {False: information[2:, 2:] - information[2:, :2] @ fitted, True: influence.T @ influence}
    for robust, variance in variances.items():
        found = fit.proportional_hazards_test(clock=clock, robust=robust)
        assert found.overall.statistic == pytest.approx(score[2:] @ np.linalg.solve(variance, score[2:]), rel=1e-9)
        np.testing.assert_allclose(found.statistics, score[2:] ** 2 / np.diag(variance), rtol=1e-9)
        few = f.sf(found.statistics * (fit.n_ids - 1) / fit.n_ids, 1, fit.n_ids - 1)
        np.testing.assert_allclose(found.p_values, few if robust else chi2.sf(found.statistics, 1))
        assert (found.is_robust, found.clock, found.names) == (robust, clock, fit.names)


def test_a_tiny_study_by_hand():
    # day 1: one of two with x = 1 leaves, two with x = 0 stay, of whom one is watched till 1.5; day 2: of one each, the
    # one with x = 0 leaves. At the factor 1 the score is 1/2 - 1/2 = 0, the information 1/4 on either day.
    rows = {"entry": [0] * 4, "exit": [1, 3, 1.5, 2], "event": [1, 0, 0, 1]}
    fit = fit_cox([[1], [1], [0], [0]], **rows, ids=["a", "b", "c", "d"])
    assert fit.coefficients[0] == 0
    # the clock runs from -1/2 to 1/2: the score is -1/4 - 1/4, its information (1/4 + 1/4)/4, and none is beta's
    exact = fit.proportional_hazards_test(clock="identity")
    assert exact.statistics[0] == pytest.approx((1 / 2) ** 2 / (1 / 8))
    # on day 1 each has the hazard 1/4, on day 2 1/2; clock x (left - hazard) x (own x - 1/2), summed over the days
    parts = {"a": -3 / 16, "b": 1 / 16 - 1 / 8, "c": -1 / 16, "d": -1 / 4 - 1 / 16 + 1 / 8}
    robust = fit.proportional_hazards_test(clock="identity", robust=True)
    assert robust.statistics[0] == pytest.approx((1 / 2) ** 2 / sum(part**2 for part in parts.values()))
    together = fit_cox([[1], [1], [0], [0]], **rows, ids=["a", "b", "c", "a"])
    variance = (parts["a"] + parts["d"]) ** 2 + parts["b"] ** 2 + parts["c"] ** 2
    found = together.proportional_hazards_test(clock="identity", robust=True)
    assert found.overall.statistic == pytest.approx((1 / 2) ** 2 / variance)


def test_rows_written_twice_tell_the_robust_test_no_more_than_once():
    x, rows = repeated(5)
    once = fit_cox(x, **rows, ties="breslow").proportional_hazards_test(robust=True)
    doubled = {name: np.tile(column, 2) for name, column in rows.items()}
    twice = fit_cox(np.tile(x, (2, 1)), **doubled, ties="breslow")
    np.testing.assert_allclose(twice.proportional_hazards_test(robust=True).statistics, once.statistics, rtol=1e-9)
    exact = fit_cox(x, **rows, ties="breslow").proportional_hazards_test().statistics
    np.testing.assert_allclose(twice.proportional_hazards_test().statistics, 2 * exact, rtol=1e-9)


def test_where_everybody_comes_once_both_tests_nearly_agree():
    random = np.random.default_rng(8)
    x = np.column_stack([random.integers(0, 2, 3000), random.normal(size=3000)])
    days = random.exponential(np.where(x[:, 0] > 0, 4 * random.random(3000), 3))
    fit = fit_cox(x, entry=0 * days, exit=days, event=random.random(3000) < 0.8)
    exact, robust = (fit.proportional_hazards_test(robust=each) for each in (False, True))
    np.testing.assert_allclose(robust.statistics, exact.statistics, rtol=0.15)
    assert exact.p_values[0] < 1e-6


def test_one_individual_is_no_test_and_permuted_rows_change_nothing():
    x, rows = repeated(7)
    alone = fit_cox(x, **{**rows, "ids": np.zeros(120)}).proportional_hazards_test(robust=True)
    assert np.isnan([*alone.statistics, *alone.p_values, alone.overall.statistic, alone.overall.p_value]).all()
    order = np.random.default_rng(1).permutation(120)
    one = fit_cox(x, **rows).proportional_hazards_test(robust=True)
    other = fit_cox(x[order], **{name: column[order] for name, column in rows.items()})
    np.testing.assert_array_equal(one.statistics, other.proportional_hazards_test(robust=True).statistics)


@pytest.mark.slow
def test_on_repeated_visits_the_exact_test_rejects_too_often_and_the_robust_one_does_not():
    """Visits of a customer last alike, but exponentially long each, in groups by lot: hazards are proportional."""
    rejected = {False: 0, True: 0}
    for seed in range(200):
        random = np.random.default_rng(seed)
        alike = np.sqrt(0.8) * random.standard_normal((100, 1)) + np.sqrt(0.2) * random.standard_normal((100, 4))
        group, days = random.random(100) < 0.5, -norm.logsf(alike)
        fit = fit_cox(
            np.repeat(group, 4)[:, None].astype(float),
            entry=np.zeros(400),
            exit=days.ravel(),
            event=np.ones(400),
            ids=np.repeat(np.arange(100), 4),
        )
        for robust in rejected:
            rejected[robust] += fit.proportional_hazards_test(robust=robust).overall.p_value < 0.05
    assert rejected[False] > 0.15 * 200
    assert rejected[True] < 0.09 * 200
