"""Aalen-Johansen against R's survival and cmprsk.

Of the reference numbers these have no counterpart here, as nothing computes them: cumulative hazards, transition
probabilities of etm, and Greenwood's errors. Where R's intervals are built on the latter, so are those compared
with them.
"""

import numpy as np
import pandas as pd
import pytest

from journeylab.estimators.aalen_johansen import AalenJohansen
from journeylab.estimators.intervals import curve_quantiles, probability_interval

EXACT = {"rtol": 0, "atol": 1e-10}
JOURNEY = ["trial", "onboarding", "active", "expanding", "dormant", "lost_price", "lost_product", "lost_competitor"]
EXITS = ["(s0)", "dormant", "lost_competitor", "lost_price", "lost_product", "other_move"]
DISEASE = ["(s0)", "pcm", "death"]
LATE = r"The initial state is estimated from the \d+ rows at risk at the first move, time 1. \d+ of \d+ individuals"


@pytest.fixture(scope="module")
def reference(shared):
    return lambda name: pd.read_csv(shared / "ref" / name)


def journey_fit(rows, **decisions):
    code = {state: position for position, state in enumerate(JOURNEY)}
    origin, destination = rows["from"].map(code), rows["to"].map(code).fillna(-1)
    return AalenJohansen.fit(rows["entry"], rows["exit"], origin, destination, n_states=8, ids=rows["id"], **decisions)


def disease_fit(rows):
    destination = rows["to"].map({"pcm": 1, "death": 2}).fillna(-1)
    return AalenJohansen.fit(rows["entry"], rows["exit"], 0 * rows["entry"], destination, n_states=3, ids=rows["id"])


def survival_fit(rows, *, late=False, **decisions):
    entry = rows["entry"] if late else 0 * rows["time"]
    destination = np.where(rows["e"] == 1, 1, -1)
    return AalenJohansen.fit(entry, rows["time"], 0 * rows["time"], destination, n_states=2, **decisions)


def assert_as_many_at_risk(fit, expected, states):
    """Rows at risk just before each time of a move, where R reports it."""
    counts = expected.pivot(index="time", columns="state", values="n_risk")[states]
    at_moves = counts.index.isin(fit.times)
    assert at_moves.any()
    positions = np.searchsorted(fit.times, counts.index[at_moves])
    np.testing.assert_array_equal(fit.integral.at_risk[positions], counts[at_moves])


def greenwood(fit):
    """Greenwood's error of survival at the times of moves, on which R's limits of quantiles are built."""
    moved, at_risk = fit.integral.moved[:, 0], fit.integral.at_risk[:, 0]
    stayed = at_risk - moved
    terms = np.divide(moved, at_risk * stayed, out=np.zeros_like(moved), where=stayed > 0)
    return fit.occupancy(fit.times)[:, 0] * np.sqrt(np.cumsum(terms))


def wide(table, column, states):
    """Reference numbers as times x states."""
    return table.pivot(index="time", columns="state", values=column)[states].to_numpy()


@pytest.mark.parametrize("group", ["all", "bargain", "builder", "explorer"])
def test_occupancy_of_a_journey_agrees_with_r(reference, group):
    rows, expected = reference("journey/data.csv"), reference("journey/aj.csv")
    if group == "all":
        expected = expected[expected["fit"] == "p0_estimated"]
    else:
        rows = rows[rows["persona"] == group]
        expected = expected[(expected["fit"] == "p0_estimated_by_persona") & (expected["group"] == group)]
    with pytest.warns(UserWarning, match=LATE):
        fit = journey_fit(rows)
    times = np.unique(expected["time"])
    np.testing.assert_allclose(fit.occupancy(times), wide(expected, "pstate", JOURNEY), **EXACT)
    np.testing.assert_allclose(fit.standard_errors(times), wide(expected, "se_ij", JOURNEY), **EXACT)
    assert_as_many_at_risk(fit, expected, JOURNEY)
    known = journey_fit(rows, initial_state=fit.initial_state.probabilities)
    np.testing.assert_allclose(known.standard_errors(times), wide(expected, "se_ij_p0fixed", JOURNEY), **EXACT)


def test_the_estimated_initial_state_of_a_journey_agrees_with_r(reference):
    rows, expected = reference("journey/data.csv"), reference("journey/p0.csv")
    expected = expected[expected["fit"] == "p0_estimated"].set_index("state")["p0"].loc[JOURNEY]
    with pytest.warns(UserWarning, match=LATE):
        fit = journey_fit(rows)
    np.testing.assert_allclose(fit.initial_state.probabilities, expected, **EXACT)


def test_occupancy_of_a_journey_with_a_known_initial_state_agrees_with_r(reference):
    expected = reference("journey/aj.csv").query("fit == 'p0_given_.8_.2'")
    fit = journey_fit(reference("journey/data.csv"), initial_state=[0.8, 0.2, 0, 0, 0, 0, 0, 0])
    times = np.unique(expected["time"])
    np.testing.assert_allclose(fit.occupancy(times), wide(expected, "pstate", JOURNEY), **EXACT)
    np.testing.assert_allclose(fit.standard_errors(times), wide(expected, "se_ij", JOURNEY), **EXACT)


def test_occupancy_of_a_weighted_journey_agrees_with_r(reference):
    rows, expected = reference("journey/data.csv"), reference("journey/aj.csv").query("fit == 'weighted_p0_estimated'")
    with pytest.warns(UserWarning, match=LATE):
        fit = journey_fit(rows, weights=rows["weight"])
    times = np.unique(expected["time"])
    np.testing.assert_allclose(fit.occupancy(times), wide(expected, "pstate", JOURNEY), **EXACT)
    np.testing.assert_allclose(fit.standard_errors(times), wide(expected, "se_ij", JOURNEY), **EXACT)


@pytest.mark.parametrize("horizon", [90, 180, 365])
@pytest.mark.parametrize("group", ["all", "bargain", "builder", "explorer", "weighted"])
def test_expected_time_in_each_stage_of_a_journey_agrees_with_r(reference, group, horizon):
    rows, expected = reference("journey/data.csv"), reference("journey/rmst.csv")
    name = {"all": "p0_estimated", "weighted": "weighted"}.get(group, "by_persona")
    expected = expected[(expected["fit"] == name) & (expected["tau"] == horizon)]
    if name == "by_persona":
        rows, expected = rows[rows["persona"] == group], expected[expected["group"] == group]
    expected = expected.set_index("state").loc[JOURNEY]
    with pytest.warns(UserWarning, match=LATE):
        fit = journey_fit(rows, weights=rows["weight"] if group == "weighted" else None)
    means, errors = fit.restricted_means(horizon)
    np.testing.assert_allclose(means, expected["rmst"], **EXACT)
    if group != "weighted":  # R's own error is wrong there; test_influence.py has a second source
        np.testing.assert_allclose(errors, expected["se_ij"], **EXACT)


@pytest.mark.parametrize("persona", ["bargain", "builder", "explorer"])
def test_exits_from_a_stage_on_the_spell_clock_agree_with_r(reference, persona):
    rows = reference("journey/data.csv")
    rows = rows[(rows["from"] == "active") & (rows["persona"] == persona)]
    expected = reference("journey/active_exit_cif_gaptime.csv")
    expected = expected[expected["persona"] == persona]
    days = rows["exit"] - rows["entry"]
    code = {state: position for position, state in enumerate(EXITS)}
    destination = [-1 if pd.isna(to) else code.get(to, code["other_move"]) for to in rows["to"]]
    arrays = (0 * days - 1.0, days, 0 * days, destination)
    times = np.unique(expected["time"])
    clustered = AalenJohansen.fit(*arrays, n_states=6, ids=rows["id"])
    np.testing.assert_allclose(clustered.occupancy(times), wide(expected, "cif", EXITS), **EXACT)
    np.testing.assert_allclose(clustered.standard_errors(times), wide(expected, "se_cluster_customer", EXITS), **EXACT)
    by_row = AalenJohansen.fit(*arrays, n_states=6)
    np.testing.assert_allclose(by_row.standard_errors(times), wide(expected, "se_spell", EXITS), **EXACT)


@pytest.mark.parametrize("group", ["all", "F", "M"])
def test_competing_risks_agree_with_r(reference, group):
    rows, expected = reference("mgus2_cr/data.csv"), reference("mgus2_cr/aj.csv")
    expected = expected[expected["group"] == group]
    fit = disease_fit(rows if group == "all" else rows[rows["sex"] == group])
    times = np.unique(expected["time"])
    np.testing.assert_allclose(fit.occupancy(times), wide(expected, "pstate", DISEASE), **EXACT)
    np.testing.assert_allclose(fit.standard_errors(times), wide(expected, "se_ij", DISEASE), **EXACT)
    assert_as_many_at_risk(fit, expected, DISEASE)


@pytest.mark.parametrize("group", ["all", "F", "M"])
def test_restricted_means_under_competing_risks_agree_with_r(reference, group):
    rows, expected = reference("mgus2_cr/data.csv"), reference("mgus2_cr/rmst.csv")
    expected = expected[expected["group"] == group]
    fit = disease_fit(rows if group == "all" else rows[rows["sex"] == group])
    for horizon, numbers in expected.groupby("tau"):
        means, errors = fit.restricted_means(horizon)
        np.testing.assert_allclose(means, numbers.set_index("state")["rmst"].loc[DISEASE], **EXACT)
        np.testing.assert_allclose(errors, numbers.set_index("state")["se_ij"].loc[DISEASE], **EXACT)


def test_incidence_agrees_with_cmprsk_and_one_minus_kaplan_meier_is_above_it(reference):
    rows = reference("mgus2_cr/data.csv")
    for name, numbers in reference("mgus2_cr/cuminc.csv").groupby("group_cause"):
        sex, cause = name.split()
        found = disease_fit(rows[rows["sex"] == sex]).occupancy(numbers["time"])[:, int(cause)]
        np.testing.assert_allclose(found, numbers["cif"], **EXACT)
    expected = reference("mgus2_cr/one_minus_km.csv")
    incidence = disease_fit(rows).occupancy(expected["time"])[:, 1]
    np.testing.assert_allclose(incidence, expected["aj_cif_pcm"], **EXACT)
    alone = AalenJohansen.fit(
        rows["entry"], rows["exit"], 0 * rows["exit"], np.where(rows["to"] == "pcm", 1, -1), n_states=2
    )
    np.testing.assert_allclose(alone.occupancy(expected["time"])[:, 1], expected["one_minus_km_pcm"], **EXACT)
    assert (expected["one_minus_km_pcm"] > incidence).all()


@pytest.mark.parametrize(
    ("name", "scale", "method"),
    [
        ("km_greenwood_log", "log", "greenwood"),
        ("km_greenwood_loglog", "log-log", "greenwood"),
        ("km_greenwood_plain", "plain", "greenwood"),
        ("km_delayed_entry_loglog", "log-log", "greenwood"),
        ("km_weighted_robust_loglog", "log-log", "jackknife"),
        ("km_cluster_inst_loglog", "log-log", "jackknife"),
    ],
)
@pytest.mark.parametrize("sex", [1, 2])
def test_kaplan_meier_and_its_intervals_agree_with_r(reference, name, scale, method, sex):
    rows, expected = reference("lung/data.csv"), reference("lung/km.csv")
    rows = rows[rows["sex"] == sex]
    expected = expected[(expected["fit"] == name) & (expected["group"] == sex)]
    fit = survival_fit(
        rows,
        late="delayed" in name,
        weights=rows["w"] if "weighted" in name else None,
        ids=rows["inst"] if "cluster" in name else None,
    )
    survival = fit.occupancy(expected["time"])[:, 0]
    np.testing.assert_allclose(survival, expected["surv"], **EXACT)
    known = expected["se"].notna().to_numpy()  # where survival is 0, R gives none
    error = expected["se"]
    if method == "jackknife":
        error = fit.standard_errors(expected["time"])[:, 0]
        np.testing.assert_allclose(error[known], expected["se"][known], **EXACT)
    lower, upper = probability_interval(survival, error, scale=scale)
    np.testing.assert_allclose(lower[known], expected["lower"][known], **EXACT)
    np.testing.assert_allclose(upper[known], expected["upper"][known], **EXACT)


def test_restricted_means_and_their_difference_agree_with_r(reference):
    rows = reference("lung/data.csv")
    difference = reference("lung/rmst_diff.csv").set_index("tau")
    for horizon, numbers in reference("lung/rmst.csv").groupby("tau"):
        groups = (rows[rows["sex"] == sex] for sex in numbers["group"])
        first, second = (survival_fit(group).restricted_means(horizon)[0][0] for group in groups)
        np.testing.assert_allclose([first, second], numbers["rmst"], **EXACT)
        assert second - first == pytest.approx(difference["diff_2_minus_1"][horizon], abs=1e-10)
        assert second / first == pytest.approx(difference["ratio"][horizon], abs=1e-10)


def test_medians_and_their_limits_agree_with_r(reference):
    rows = reference("lung/data.csv")
    for sex, numbers in reference("lung/quantiles.csv").groupby("group"):
        fit = survival_fit(rows[rows["sex"] == sex])
        curve = fit.occupancy(fit.times)[:, 0]
        limits = probability_interval(curve, greenwood(fit))
        found = curve_quantiles(fit.times, curve, *limits, shares=numbers["prob"])
        for values, column in zip(found, ("q", "lower", "upper"), strict=True):
            np.testing.assert_array_equal(values, numbers[column])


@pytest.mark.parametrize("treated", [0, 1])
def test_repeated_spells_clustered_by_patient_agree_with_r(reference, treated):
    rows, expected = reference("cgd/data.csv"), reference("cgd/km_gap_cluster.csv")
    rows, expected = rows[rows["rx"] == treated], expected[expected["group"] == treated]
    days, destination = rows["exit"] - rows["entry"], np.where(rows["status"] == 1, 1, -1)
    fit = AalenJohansen.fit(0 * days - 1, days, 0 * days, destination, n_states=2, ids=rows["id"])
    times = expected["time"]
    np.testing.assert_allclose(fit.occupancy(times)[:, 0], expected["km_gap"], **EXACT)
    np.testing.assert_allclose(fit.standard_errors(times)[:, 0], expected["se_cluster_id"], **EXACT)
