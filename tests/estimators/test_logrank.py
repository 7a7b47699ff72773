"""Log-rank tests against R's survival, statsmodels, Cox's score, hand algebra and simulation."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import survdiff

from journeylab.base.errors import EstimateError
from journeylab.estimators.cox import fit_cox
from journeylab.estimators.logrank import logrank_test


def exact(expected):
    return pytest.approx(expected, rel=1e-12, abs=1e-9)


@pytest.fixture(scope="module")
def reference(shared):
    return lambda name: pd.read_csv(shared / "ref" / name)


def lung(reference, by, **decisions):
    rows = reference("lung/data.csv")
    strata = rows[decisions.pop("within")] if "within" in decisions else None
    return logrank_test(
        rows[by], entry=0 * rows["time"], exit=rows["time"], event=rows["e"], strata=strata, **decisions
    )


@pytest.mark.parametrize(
    ("name", "decisions"),
    [
        ("logrank_sex", {"by": "sex"}),
        ("logrank_sex_strata_ecog", {"by": "sex", "within": "ph.ecog"}),
        ("logrank_ecog(4 groups)", {"by": "ph.ecog"}),
    ],
)
def test_log_rank_tests_of_lung_cancer_agree_with_r(reference, name, decisions):
    expected = reference("lung/logrank.csv").set_index("test").loc[name]
    found = lung(reference, **decisions)
    assert found.statistic == exact(expected["chisq"])
    assert found.degrees_of_freedom == expected["df"]
    assert found.p_value == exact(expected["p"])
    assert not found.is_robust


def test_log_rank_tests_of_gammopathy_agree_with_r(reference, shared):
    rows = reference("mgus2_cr/data.csv")
    # one name holds commas
    lines = (line.rsplit(",", 3) for line in (shared / "ref/mgus2_cr/logrank.csv").read_text().splitlines()[1:])
    expected = {name: float(statistic) for name, statistic, _, _ in lines}
    age = pd.cut(rows["age"], [0, 60, 70, 80, 200]).astype(str)
    death, spell = rows["to"] == "death", {"entry": 0 * rows["exit"], "exit": rows["exit"]}
    found = {
        "logrank_death_sex": logrank_test(rows["sex"], event=death, **spell),
        "logrank_death_sex_strata_agegrp(0,60,70,80,200]": logrank_test(rows["sex"], event=death, strata=age, **spell),
        "logrank_death_agegrp4": logrank_test(age, event=death, **spell),
    }
    assert set(found) | {"peto_rho1_any_sex"} == set(expected)
    for name, test in found.items():
        assert test.statistic == exact(expected[name])


def test_robust_log_rank_tests_of_repeated_spells_agree_with_r(reference):
    rows = reference("journey/data.csv")
    rows = rows[rows["from"] == "active"]
    expected = reference("journey/logrank_active_dormant.csv").set_index("test")["chisq"]
    spells = {"entry": 0 * rows["exit"] - 1, "exit": rows["exit"] - rows["entry"], "event": rows["to"] == "dormant"}
    assert logrank_test(rows["persona"], **spells).statistic == exact(expected["survdiff"])
    robust = logrank_test(rows["persona"], **spells, ids=rows["id"])
    assert robust.statistic == exact(expected["robust score cluster(id)"])
    assert robust.is_robust
    rows, expected = reference("cgd/data.csv"), reference("cgd/robust_logrank.csv").set_index("test")["chisq"]
    spells = {"entry": 0 * rows["exit"], "exit": rows["exit"] - rows["entry"], "event": rows["status"]}
    assert logrank_test(rows["rx"], **spells, ids=rows["id"]).statistic == exact(expected["score_robust_cluster_id"])


@pytest.mark.parametrize("seed", range(4))
def test_late_entry_and_strata_agree_with_statsmodels(seed):
    random = np.random.default_rng(seed)
    days = 1 + np.floor(random.exponential(9, 150))
    entry, left = np.floor(days * random.random(150) * 0.9), random.random(150) < 0.7
    group, stratum = random.integers(0, 3, 150), random.integers(0, 2, 150)
    # it takes rows as at risk from their entry on, here only after it; and late entry and strata only one at a time
    found = logrank_test(group, entry=entry, exit=days, event=left)
    expected, p_value = survdiff(days, left, group, entry=entry + 0.5)
    assert (found.statistic, found.p_value) == (pytest.approx(expected, rel=1e-9), pytest.approx(p_value, rel=1e-9))
    found = logrank_test(group, entry=0 * days, exit=days, event=left, strata=stratum)
    expected, p_value = survdiff(days, left, group, strata=stratum)
    assert (found.statistic, found.p_value) == (pytest.approx(expected, rel=1e-9), pytest.approx(p_value, rel=1e-9))


def test_without_ties_it_is_the_score_of_coxs_model_by_row_and_by_individual():
    random = np.random.default_rng(6)
    days, group, ids = random.exponential(9, 90), random.integers(0, 2, 90), random.integers(0, 30, 90)
    rows = {"entry": days * random.random(90), "exit": days, "event": random.random(90) < 0.7, "strata": ids % 2}
    null = fit_cox(group[:, None], **rows, ids=ids)._risks.likelihood.at(np.zeros(1))
    by_row = null.score[0] ** 2 / null.information[0, 0]
    assert logrank_test(group, **rows).statistic == pytest.approx(by_row, rel=1e-9)
    by_individual = null.score[0] ** 2 / null.likelihood.rows.clustered_variance(null.residuals)[0, 0]
    assert logrank_test(group, **rows, ids=ids).statistic == pytest.approx(by_individual, rel=1e-9)


def test_a_tiny_study_by_hand():
    # day 1: one of a's two leaves, 4 at risk; day 2: one of b's two leaves, 3 at risk; the rest stay
    found = logrank_test(["a", "a", "b", "b"], entry=[0] * 4, exit=[1, 3, 2, 3], event=[1, 0, 1, 0])
    np.testing.assert_allclose(found.observed, [1, 1])
    np.testing.assert_allclose(found.expected, [1 / 2 + 1 / 3, 1 / 2 + 2 / 3])
    assert found.statistic == pytest.approx((1 - 5 / 6) ** 2 / (1 / 4 + 2 / 9))
    assert found.groups.tolist() == ["a", "b"]


def test_permuted_rows_and_renamed_groups_give_identical_statistics():
    random = np.random.default_rng(2)
    days, group, ids = random.integers(1, 9, 80), random.integers(0, 3, 80), random.integers(0, 25, 80)
    left = random.random(80) < 0.6
    order = random.permutation(80)
    for named in (None, ids):
        ids_then = None if named is None else named[order]
        one = logrank_test(group, entry=0 * days, exit=days, event=left, ids=named)
        other = logrank_test(group[order], entry=0 * days, exit=days[order], event=left[order], ids=ids_then)
        assert one.statistic == other.statistic


def test_repeated_spells_of_one_customer_are_not_taken_for_independent():
    # no difference between groups, but each of 80 customers has a pace of its own for 5 spells
    random, rejected = np.random.default_rng(4), {"by row": 0, "by customer": 0}
    ids = np.repeat(np.arange(80), 5)
    for _ in range(200):
        group, pace = random.integers(0, 2, 80)[ids], random.choice([0.2, 3.0], 80)[ids]
        days, watched = random.exponential(1 / pace), random.uniform(0.5, 4, 400)
        spells = {"entry": 0 * days, "exit": np.minimum(days, watched), "event": days <= watched}
        rejected["by row"] += int(logrank_test(group, **spells).p_value < 0.05)
        rejected["by customer"] += int(logrank_test(group, **spells, ids=ids).p_value < 0.05)
    assert rejected["by row"] > 40
    assert rejected["by customer"] <= 20


def test_groups_that_cannot_be_compared_have_no_statistic():
    # b enters after the only event
    alone = logrank_test(["a", "a", "b"], entry=[0, 0, 5], exit=[1, 3, 9], event=[1, 0, 0])
    assert np.isnan([alone.statistic, alone.p_value]).all()
    assert alone.degrees_of_freedom == 0
    # one individual has no error
    single = logrank_test(["a", "a", "b"], entry=[0, 0, 0], exit=[1, 3, 9], event=[1, 0, 1], ids=[1, 1, 1])
    assert np.isnan([single.statistic, single.p_value]).all()
    # everyone leaves at once
    at_once = logrank_test(["a", "b"], entry=[0, 0], exit=[1, 1], event=[1, 1])
    assert np.isnan([at_once.statistic, at_once.p_value]).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"groups": ["a", "a"]}, "There is one group, “a”. Give two or more to compare."),
        (
            {"groups": ["a", None]},
            "“groups” is missing in 1 of 2 rows, first in row 1. Fill it in, or leave these rows out.",
        ),
        (
            {"event": [1, 2]},
            "“event” is neither 0 nor 1 in 1 of 2 rows, first in row 1: 2. "
            "Use 1 where it happened and 0 where watching ended.",
        ),
        (
            {"event": [0, 0]},
            "Nothing happens: none of 2 rows at risk ends in an event. Leave this out, or watch longer.",
        ),
        (
            {"strata": ["x"]},
            "The arrays differ in length: groups 2, entry 2, exit 2, event 2, strata 1. "
            "Give one value per row to each.",
        ),
        (
            {"exit": [1, -1]},
            "“exit” is negative in 1 of 2 rows, first in row 1: -1. "
            "Count time from 0; only “entry” may be negative, for rows watched from their start.",
        ),
    ],
)
def test_mistakes_are_explained(changes, message):
    rows = {"groups": ["a", "b"], "entry": [0, 0], "exit": [1, 2], "event": [1, 0], **changes}
    with pytest.raises(EstimateError) as caught:
        logrank_test(rows.pop("groups"), **rows)
    assert str(caught.value) == message
