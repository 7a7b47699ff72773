"""Cox's model against R's survival, lifelines, numerical derivatives and hand algebra."""

import numpy as np
import pandas as pd
import pytest

from journeylab.estimators.cox import fit_cox
from journeylab.estimators.intervals import ChiSquared

# No number of R's is 0, so all are held to their own size.
CLOSE = {"rtol": 1e-8, "atol": 0}
EXACT = {"rtol": 1e-12, "atol": 0}
LUNG, GAMMOPATHY = ["age", "sex", "ph.ecog"], ["age", "male", "mspike"]


@pytest.fixture(scope="module")
def reference(shared):
    return lambda name: pd.read_csv(shared / "ref" / name)


def assert_agrees(fit, expected):
    """Every number of R's fit: coefficients, errors, log likelihoods and counts."""
    expected = expected.set_index("term").loc[list(fit.names)]
    np.testing.assert_allclose(fit.coefficients, expected["coef"], **CLOSE)
    np.testing.assert_allclose(fit.standard_errors, expected["se_naive"], **CLOSE)
    if expected["se_robust"].notna().all():
        np.testing.assert_allclose(fit.robust_standard_errors, expected["se_robust"], **CLOSE)
        np.testing.assert_allclose(fit.coefficients / fit.robust_standard_errors, expected["z"], **CLOSE)
        np.testing.assert_allclose(fit.p_values, expected["p"], **CLOSE)
    np.testing.assert_allclose(fit.log_likelihood, expected["loglik"].iloc[0], **EXACT)
    null = fit._risks.likelihood.at(np.zeros(len(fit.names)))
    np.testing.assert_allclose(null.log_likelihood, expected["loglik0"].iloc[0], **EXACT)
    assert (fit.n_rows, fit.n_events) == (expected["n"].iloc[0], expected["nevent"].iloc[0])


def lung_fit(rows, covariates=LUNG, *, late=False, **decisions):
    entry = rows["entry"] if late else 0 * rows["time"]
    return fit_cox(rows[covariates], entry=entry, exit=rows["time"], event=rows["e"], **decisions)


@pytest.mark.parametrize(
    ("model", "decisions"),
    [
        ("efron", {}),
        ("breslow", {"ties": "breslow"}),
        ("strata_sex", {"covariates": ["age", "ph.ecog"], "strata": "sex"}),
        ("cluster_inst", {"ids": "inst"}),
        ("delayed_entry", {"late": True}),
        ("weights_robust", {"weights": "w"}),
    ],
)
def test_models_of_lung_cancer_agree_with_r(reference, model, decisions):
    rows, expected = reference("lung/data.csv"), reference("lung/cox.csv")
    columns = {name: rows[column] for name, column in decisions.items() if name in ("strata", "ids", "weights")}
    assert_agrees(lung_fit(rows, **{**decisions, **columns}), expected[expected["model"] == model])


@pytest.mark.parametrize(
    ("model", "to", "decisions"),
    [
        ("cs_pcm_efron", "pcm", {}),
        ("cs_death_efron", "death", {}),
        ("cs_death_breslow", "death", {"ties": "breslow"}),
        ("cs_death_efron_robust", "death", {}),
        ("cs_death_strata_sex", "death", {"covariates": ["age", "mspike"], "strata": "sex"}),
    ],
)
def test_models_of_gammopathy_agree_with_r(reference, model, to, decisions):
    rows, expected = gammopathy(reference), reference("mgus2_cr/cox.csv")
    strata = rows[decisions["strata"]] if "strata" in decisions else None
    fit = fit_cox(
        rows[decisions.get("covariates", GAMMOPATHY)],
        entry=rows["entry"],
        exit=rows["exit"],
        event=rows["to"] == to,
        strata=strata,
        ties=decisions.get("ties", "efron"),
    )
    assert_agrees(fit, expected[expected["model"] == model])


def gammopathy(reference):
    rows = reference("mgus2_cr/data.csv")
    return rows.assign(male=1 * (rows["sex"] == "M")).dropna(subset=["mspike"])


@pytest.mark.parametrize(
    ("model", "clock", "decisions"),
    [
        ("andersen_gill_cluster", "total", {"ids": "id"}),
        ("andersen_gill_cluster_breslow", "total", {"ids": "id", "ties": "breslow"}),
        ("andersen_gill_cluster_center", "total", {"ids": "center"}),
        ("pwp_total_time", "total", {"ids": "id", "strata": "enum"}),
        ("pwp_gap_time", "gap", {"ids": "id", "strata": "enum"}),
        ("gap_time_marginal_cluster", "gap", {"ids": "id"}),
    ],
)
def test_models_of_repeated_infections_with_late_entry_and_clusters_agree_with_r(reference, model, clock, decisions):
    rows, expected = reference("cgd/data.csv"), reference("cgd/cox.csv")
    begun = rows["entry"] if clock == "gap" else 0
    columns = {name: rows[column] for name, column in decisions.items() if name != "ties"}
    spells = {"entry": rows["entry"] - begun, "exit": rows["exit"] - begun, "event": rows["status"]}
    fit = fit_cox(rows[["rx", "age"]], **spells, **{**decisions, **columns})
    assert_agrees(fit, expected[expected["model"] == model])


@pytest.mark.parametrize("kind", ["clockforward", "clockreset", "markov_check"])
@pytest.mark.parametrize(
    "transition", ["active->dormant", "active->expanding", "dormant->active", "trial->lost_price", "onboarding->active"]
)
def test_models_of_transitions_of_a_journey_agree_with_r(reference, transition, kind):
    rows, expected = reference("journey/data.csv"), reference("journey/cox.csv")
    origin, destination = transition.split("->")
    rows = rows[rows["from"] == origin]
    rows = rows.assign(
        builder=1 * (rows["persona"] == "builder"), explorer=1 * (rows["persona"] == "explorer"), t_in=rows["entry"]
    )
    begun = rows["entry"] if kind == "clockreset" else 0
    fit = fit_cox(
        rows[["builder", "explorer", "t_in"] if kind == "markov_check" else ["builder", "explorer"]],
        entry=rows["entry"] - begun,
        exit=rows["exit"] - begun,
        event=rows["to"] == destination,
        ids=rows["id"],
    )
    assert_agrees(fit, expected[expected["model"] == f"{transition} {kind}"])


def test_covariates_that_change_and_those_with_immortal_time_agree_with_r(reference):
    rows, expected = reference("heart/data.csv"), reference("heart/cox.csv")
    rows = rows.assign(tr=rows["transplant"])
    patients = rows.groupby("id").agg(
        **{name: (name, "last") for name in ("age", "year", "surgery", "status", "exit")}, ever=("tr", "max")
    )
    patients = patients.assign(entry=0)
    for model, table, covariates in (
        ("time_varying_correct", rows, ["age", "year", "surgery", "tr"]),
        ("time_varying_only", rows, ["tr"]),
        ("ever_transplanted_IMMORTAL_TIME_BIAS", patients, ["age", "year", "surgery", "ever"]),
        ("ever_only_IMMORTAL", patients, ["ever"]),
    ):
        fit = fit_cox(table[covariates], entry=table["entry"], exit=table["exit"], event=table["status"])
        assert_agrees(fit, expected[expected["model"] == model])


@pytest.mark.parametrize("landmark", [30, 60])
def test_models_from_a_landmark_agree_with_r(reference, landmark):
    rows, expected = reference("heart/data.csv"), reference("heart/cox_landmark.csv")
    by = rows[(rows["transplant"] == 1) & (rows["entry"] <= landmark)]["id"]
    patients = rows.groupby("id").agg(exit=("exit", "max"), status=("status", "max")).query("exit > @landmark")
    patients = patients.assign(by=1 * patients.index.isin(by))
    fit = fit_cox(
        patients[["by"]], entry=0 * patients["exit"] + landmark, exit=patients["exit"], event=patients["status"]
    )
    assert_agrees(fit, expected[expected["model"] == f"landmark_{landmark}"])


@pytest.mark.parametrize("clock", ["identity", "km", "rank", "log"])
def test_the_test_of_proportional_hazards_agrees_with_r(reference, clock):
    gammopathies = gammopathy(reference)
    spells = {"entry": gammopathies["entry"], "exit": gammopathies["exit"], "event": gammopathies["to"] == "death"}
    fits = {
        "lung": lung_fit(reference("lung/data.csv")),
        "mgus2_cr": fit_cox(gammopathies[GAMMOPATHY], **spells),
    }
    for folder, fit in fits.items():
        expected = reference(f"{folder}/cox_zph.csv")
        expected = expected[expected["transform"] == clock].set_index("term")
        found = fit.proportional_hazards_test(clock=clock)
        np.testing.assert_allclose(found.statistics, expected.loc[list(found.names), "chisq"], **CLOSE)
        np.testing.assert_allclose(found.p_values, expected.loc[list(found.names), "p"], **CLOSE)
        assert found.overall.statistic == pytest.approx(expected.loc["GLOBAL", "chisq"], rel=1e-8)
        assert found.overall.degrees_of_freedom == expected.loc["GLOBAL", "df"] == 3


def score_test(fit, *, robust):
    """The statistic of the test of all coefficients being 0."""
    null = fit._risks.likelihood.at(np.zeros(len(fit.names)))
    variance = null.likelihood.rows.clustered_variance(null.residuals) if robust else null.information
    return ChiSquared.of(null.score, variance).statistic


def test_score_information_and_residuals_without_effects_agree_with_score_tests_of_r(reference):
    rows = reference("lung/data.csv")
    expected = reference("lung/logrank_delayed_entry.csv")["chisq"].iloc[0]
    late = lung_fit(rows, ["sex"], late=True, ties="breslow")
    assert score_test(late, robust=False) == pytest.approx(expected, rel=1e-9)
    rows, expected = reference("cgd/data.csv"), reference("cgd/robust_logrank.csv").set_index("test")["chisq"]
    spells = {"entry": 0 * rows["exit"], "exit": rows["exit"] - rows["entry"], "event": rows["status"]}
    model = fit_cox(rows[["rx"]], **spells, ids=rows["id"], ties="breslow")
    names = {False: "score_naive(=logrank up to ties)", True: "score_robust_cluster_id"}
    for robust, name in names.items():
        assert score_test(model, robust=robust) == pytest.approx(expected[name], rel=1e-9)
    rows = reference("journey/data.csv").query("`from` == 'active'")
    expected = reference("journey/logrank_active_dormant.csv").set_index("test")["chisq"]
    personas = pd.get_dummies(rows["persona"])[["builder", "explorer"]]
    spells = {"entry": 0 * rows["exit"], "exit": rows["exit"] - rows["entry"], "event": rows["to"] == "dormant"}
    model = fit_cox(personas, **spells, ids=rows["id"], ties="breslow")
    names = {False: "active->dormant gap time logrank(score) naive", True: "robust score cluster(id)"}
    for robust, name in names.items():
        assert score_test(model, robust=robust) == pytest.approx(expected[name], rel=1e-9)
