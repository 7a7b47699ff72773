"""Concordance against R, lifelines, and all pairs counted one by one."""

import numpy as np
import pandas as pd
import pytest
from lifelines.utils import concordance_index

from journeylab.estimators.concordance import Concordance
from journeylab.estimators.cox import fit_cox
from journeylab.estimators.risk_sets import EventRows


def rows_of(entry, exit_, event, **more):
    given = {"entry": entry, "exit": exit_, "event": event, "ids": None, "strata": None, "weights": None, **more}
    # ordered rows carry where they came from
    return EventRows.of(given, np.arange(len(exit_), dtype=float)[:, None])


def pair_by_pair(rows, risk):
    """(agreeing, pairs) by row."""
    agreeing, pairs = np.zeros((2, len(risk)))
    for i in np.flatnonzero(rows.event):
        stays = (rows.exit > rows.exit[i]) | ((rows.exit == rows.exit[i]) & ~rows.event)
        for j in np.flatnonzero(stays & (rows.entry < rows.exit[i]) & (rows.stratum == rows.stratum[i])):
            score = 1.0 if risk[i] > risk[j] else 0.5 if risk[i] == risk[j] else 0.0
            for one, other in ((i, j), (j, i)):
                agreeing[one] += rows.weight[other] * score
                pairs[one] += rows.weight[other]
    return agreeing, pairs


def test_concordance_agrees_with_r(shared):
    rows = pd.read_csv(shared / "ref" / "lung" / "data.csv")
    expected = pd.read_csv(shared / "ref" / "lung" / "concordance.csv").iloc[0]
    fit = fit_cox(rows[["age", "sex", "ph.ecog"]], entry=0 * rows["time"], exit=rows["time"], event=rows["e"])
    assert fit.concordance.estimate == pytest.approx(expected["concordance"], abs=1e-9)
    assert fit.concordance.standard_error == pytest.approx(expected["se"], abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_concordance_agrees_with_counting_all_pairs(seed):
    random = np.random.default_rng(seed)
    exit_ = random.integers(1, 15, 80)
    entry = np.where(random.random(80) < 0.4, np.floor(exit_ * random.random(80)), -1)
    more = {
        "ids": random.integers(0, 30, 80),
        "strata": random.integers(0, 3, 80),
        "weights": random.uniform(0.5, 2, 80),
    }
    rows = rows_of(entry, exit_, random.random(80) < 0.6, **more)
    risk = random.integers(-3, 5, len(rows.event)) / 2
    found = Concordance.of(rows, risk)
    agreeing, pairs = pair_by_pair(rows, risk)
    n_pairs = (rows.weight * pairs).sum() / 2
    estimate = (rows.weight * agreeing).sum() / 2 / n_pairs
    influence = rows.weight * (agreeing - estimate * pairs) / n_pairs
    error = np.sqrt((np.bincount(rows.codes, weights=influence) ** 2).sum())
    np.testing.assert_allclose([found.estimate, found.standard_error, found.n_pairs], [estimate, error, n_pairs])


def test_concordance_agrees_with_lifelines():
    random = np.random.default_rng(9)
    days, left, risk = random.exponential(5, 300), random.random(300) < 0.6, random.integers(0, 30, 300)
    rows = rows_of(0 * days, days, left)
    own = rows.columns[:, 0].astype(int)
    assert Concordance.of(rows, risk[own]).estimate == pytest.approx(concordance_index(days, -risk, left))


def test_perfect_reversed_and_empty_orders():
    rows = rows_of([0] * 4, [1, 2, 3, 4], [1, 1, 1, 0])
    assert Concordance.of(rows, -rows.exit).estimate == 1
    assert Concordance.of(rows, rows.exit).estimate == 0
    assert Concordance.of(rows, 0 * rows.exit).estimate == 0.5
    nobody = Concordance.of(rows_of([0, 3], [2, 5], [1, 0]), np.array([1.0, 2.0]))
    assert np.isnan([nobody.estimate, nobody.standard_error]).all()
    assert nobody.n_pairs == 0
