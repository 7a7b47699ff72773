"""Gray's test against cmprsk, its residuals against numerical derivatives, and simulation."""

import numpy as np
import pandas as pd
import pytest

from journeylab.base.errors import EstimateError
from journeylab.estimators.logrank import gray_test


@pytest.mark.parametrize("cause", [1, 2])
def test_grays_test_agrees_with_cmprsk(shared, cause):
    rows = pd.read_csv(shared / "ref" / "mgus2_cr" / "data.csv")
    expected = pd.read_csv(shared / "ref" / "mgus2_cr" / "gray_test.csv").set_index("cause").loc[cause]
    destination = rows["to"].map({"pcm": 1, "death": 2}).fillna(0)
    spells = {"entry": 0 * rows["exit"], "exit": rows["exit"], "destination": destination}
    found = gray_test(rows["sex"], **spells, of_interest=cause)
    assert found.statistic == pytest.approx(expected["gray_chisq"], abs=1e-9)
    assert found.p_value == pytest.approx(expected["p"], abs=1e-9)
    assert found.degrees_of_freedom == expected["df"]
    robust = gray_test(rows["sex"], **spells, of_interest=cause, ids=rows["id"])
    # one row each: both variances estimate the same
    assert robust.statistic == pytest.approx(found.statistic, rel=0.03)
    assert robust.is_robust


def study(seed, n_rows, n_groups=3):
    random = np.random.default_rng(seed)
    days, watched = np.ceil(2 * random.exponential(10, n_rows)) / 2, random.uniform(3, 25, n_rows)
    destination = np.where(days <= watched, random.integers(1, 3, n_rows), 0)
    exit_ = np.minimum(days, np.ceil(watched))
    entry = np.where(random.random(n_rows) < 0.3, exit_ * random.random(n_rows) * 0.8, -1)
    return random.integers(0, n_groups, n_rows), entry, exit_, destination


def score(weight, group, entry, exit_, destination):
    """Observed less expected, written out time by time for weighted rows."""
    incidence, staying, total = np.zeros(3), np.ones(3), np.zeros(3)
    count = lambda rows: np.bincount(group[rows], weights=weight[rows], minlength=3)  # noqa: E731
    for time in np.unique(exit_[destination > 0]):
        at_risk = count((entry < time) & (exit_ >= time))
        moved, others = (count((exit_ == time) & (destination == way)) for way in (1, 2))
        subset = np.divide(at_risk * (1 - incidence), staying, out=np.zeros(3), where=staying > 0)
        total += moved - moved.sum() * subset / subset.sum()
        hazard = np.divide(1.0, at_risk, out=np.zeros(3), where=at_risk > 0)
        incidence, staying = incidence + staying * moved * hazard, staying * (1 - (moved + others) * hazard)
    return total


def test_the_robust_variance_is_nearly_that_of_numerical_derivatives():
    group, entry, exit_, destination = rows = study(3, 250)
    derivatives = []
    for individual in range(250):
        own = np.where(np.arange(250) == individual, 1e-5, 0)
        derivatives.append((score(1 + own, *rows) - score(1 - own, *rows)) / 2e-5)
    variance = np.transpose(derivatives) @ np.array(derivatives)
    given = {"entry": entry, "exit": exit_, "destination": destination, "of_interest": 1}
    robust = gray_test(group, **given, ids=np.arange(250))
    difference = robust.observed - robust.expected
    np.testing.assert_allclose(difference, score(np.ones(250), *rows), rtol=0, atol=1e-10)
    expected = difference[:2] @ np.linalg.solve(variance[:2, :2], difference[:2])
    assert robust.statistic == pytest.approx(expected, rel=0.1)
    assert gray_test(group, **given).statistic == pytest.approx(expected, rel=0.15)


def test_strata_add_up():
    parts = [study(seed, 80) for seed in (1, 2)]
    group, entry, exit_, destination = (np.concatenate(each) for each in zip(*parts, strict=True))
    strata = np.repeat(["x", "y"], 80)
    together = gray_test(group, entry=entry, exit=exit_, destination=destination, of_interest=2, strata=strata)
    alone = [
        gray_test(group, entry=entry, exit=exit_, destination=destination, of_interest=2)
        for group, entry, exit_, destination in parts
    ]
    np.testing.assert_allclose(together.observed, alone[0].observed + alone[1].observed)
    np.testing.assert_allclose(together.expected, alone[0].expected + alone[1].expected, rtol=0, atol=1e-12)


def test_with_one_destination_and_two_groups_it_points_where_the_log_rank_test_does():
    group, entry, exit_, destination = study(5, 200, n_groups=2)
    found = gray_test(group, entry=0 * entry, exit=exit_, destination=np.minimum(destination, 1), of_interest=1)
    assert found.observed.sum() == pytest.approx(found.expected.sum())
    assert 0 < found.p_value < 1


def test_permuted_rows_give_identical_statistics():
    rows = study(8, 120)
    ids = np.arange(120) % 40
    order = np.random.default_rng(1).permutation(120)
    for named in (None, ids):
        found = [
            gray_test(
                rows[0][each],
                entry=rows[1][each],
                exit=rows[2][each],
                destination=rows[3][each],
                of_interest=1,
                ids=None if named is None else named[each],
            ).statistic
            for each in (np.arange(120), order)
        ]
        assert found[0] == found[1]


def test_repeated_spells_of_one_customer_are_not_taken_for_independent():
    random, rejected = np.random.default_rng(4), {"by row": 0, "by customer": 0}
    ids = np.repeat(np.arange(80), 5)
    for _ in range(150):
        group, lean = random.integers(0, 2, 80)[ids], random.choice([0.15, 0.85], 80)[ids]
        days, watched = random.exponential(1, 400), random.uniform(0.5, 4, 400)
        destination = np.where(days <= watched, np.where(random.random(400) < lean, 1, 2), -1)
        spells = {"entry": 0 * days, "exit": np.minimum(days, watched), "destination": destination, "of_interest": 1}
        rejected["by row"] += int(gray_test(group, **spells).p_value < 0.05)
        rejected["by customer"] += int(gray_test(group, **spells, ids=ids).p_value < 0.05)
    assert rejected["by row"] > 20
    assert rejected["by customer"] <= 15


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"of_interest": 3}, "Nobody leaves by exit 3. Choose another, or watch longer."),
        ({"of_interest": 0}, "The exit of interest is 0. Choose one of the codes above 0."),
        (
            {"destination": [1, 0.5, 2]},
            "“destination” has an unknown code in 1 of 3 rows, first in row 1: 0.5. "
            "Use whole numbers above 0, and 0 or -1 where watching ended.",
        ),
        ({"groups": ["a"] * 3}, "There is one group, “a”. Give two or more to compare."),
    ],
)
def test_mistakes_are_explained(changes, message):
    rows = {"groups": ["a", "b", "b"], "entry": [0] * 3, "exit": [1, 2, 3], "destination": [1, 0, 2], "of_interest": 1}
    rows = {**rows, **changes}
    with pytest.raises(EstimateError) as caught:
        gray_test(rows.pop("groups"), **rows)
    assert str(caught.value) == message
