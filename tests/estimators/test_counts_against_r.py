"""Counts, days at risk, mean numbers of events, and ratios of means against R's survival.

Of the reference numbers these stay without a second source here, as nothing computes them: gamma frailty
(cgd/frailty.csv), Fine and Gray's model (mgus2_cr/finegray.csv), cmprsk's variance of an incidence, which counts with
one less at risk (mgus2_cr/cuminc.csv, var_aalen), parametric models with covariates (lung/aft_survreg.csv, of which
test_extrapolation.py has those without), and Uno's concordance (lung/concordance.csv, uno_c).
"""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from journeylab.estimators.aalen_johansen import AalenJohansen
from journeylab.estimators.rows_at_risk import RowsAtRisk

EXACT = {"rtol": 0, "atol": 1e-10}
JOURNEY = ["trial", "onboarding", "active", "expanding", "dormant", "lost_price", "lost_product", "lost_competitor"]


@pytest.fixture(scope="module")
def reference(shared):
    return lambda name: pd.read_csv(shared / "ref" / name)


@pytest.mark.parametrize("treated", [0, 1])
def test_the_mean_number_of_infections_and_its_clustered_error_agree_with_r(reference, treated):
    """survfit(Surv(entry, exit, status) ~ rx, id = id): the cumulative hazard of an event that comes again."""
    rows, expected = reference("cgd/data.csv"), reference("cgd/mcf.csv")
    rows, expected = rows[rows["rx"] == treated], expected[expected["group"] == treated]
    destination, times = np.where(rows["status"] == 1, 1, -1), expected["time"]
    fit = AalenJohansen.fit(rows["entry"], rows["exit"], 0 * destination, destination, n_states=2, ids=rows["id"])
    hazards = fit.cumulative_hazards()
    values = np.concatenate([[0.0], hazards.hazards[:, 0]])
    found = values[np.searchsorted(hazards.times, times, "right")]
    np.testing.assert_allclose(found, expected["mcf_cumhaz"], **EXACT)
    np.testing.assert_allclose(fit.hazard_errors(times)[:, 0], expected["robust_se_cumhaz"], **EXACT)
    np.testing.assert_array_equal(fit.at_risk(times)[:, 0], expected["n_risk"])


def exposure(rows):
    code = {state: position for position, state in enumerate(JOURNEY)}
    origin, destination = rows["from"].map(code), rows["to"].map(code).fillna(-1)
    given = {"entry": rows["entry"], "exit": rows["exit"], "origin": origin, "destination": destination}
    return RowsAtRisk.of({**given, "ids": rows["id"], "weights": None}, n_states=8)


def test_the_moves_of_a_journey_are_as_many_as_r_counts(reference):
    expected, rows = reference("journey/transitions.csv"), exposure(reference("journey/data.csv"))
    moves = np.zeros((8, 9), dtype=int)
    np.add.at(moves, (rows.origin, rows.destination), 1)
    names = [*JOURNEY, "(censored)"]
    cells = expected["from"].map(names.index), expected["to"].map(names.index)
    assert len(expected) == 72
    np.testing.assert_array_equal(moves[cells], expected["Freq"])


@pytest.mark.parametrize("persona", ["bargain", "builder", "explorer"])
def test_days_at_risk_in_each_stage_of_a_journey_are_those_of_r(reference, persona):
    expected, rows = reference("journey/person_time.csv"), reference("journey/data.csv")
    expected = expected[expected["persona"] == persona].set_index("from").loc[JOURNEY]
    found = exposure(rows[rows["persona"] == persona])
    days = np.bincount(found.origin, weights=found.exit - found.entry, minlength=8)
    np.testing.assert_array_equal(days, expected["person_days"])
    np.testing.assert_array_equal(np.bincount(found.origin, minlength=8), expected["n_spells"])


@pytest.mark.parametrize("horizon", [365, 730])
def test_the_test_and_the_ratio_of_two_restricted_means_agree_with_r(reference, horizon):
    rows, expected = reference("lung/data.csv"), reference("lung/rmst_diff.csv").set_index("tau").loc[horizon]
    means, errors = [], []
    for sex in (1, 2):
        one = rows[rows["sex"] == sex]
        arrays = (0 * one["time"], one["time"], 0 * one["time"], np.where(one["e"] == 1, 1, -1))
        mean, error = AalenJohansen.fit(*arrays, n_states=2).restricted_means(horizon, "greenwood")
        means.append(mean[0])
        errors.append(error[0])
    z = (means[1] - means[0]) / np.hypot(*errors)
    assert z == pytest.approx(expected["z"], abs=1e-10)
    assert 2 * norm.sf(abs(z)) == pytest.approx(expected["p"], abs=1e-10)
    assert means[1] / means[0] == pytest.approx(expected["ratio"], abs=1e-10)
    assert np.hypot(*np.divide(errors, means)) == pytest.approx(expected["se_log_ratio"], abs=1e-10)
