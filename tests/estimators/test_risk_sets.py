"""Sums over risk sets: the fast way and the one without loss of digits, against sums written out."""

import numpy as np
import pytest

from journeylab.estimators.risk_sets import EventRows, RiskSets


def risk_sets(seed, n_rows, *, n_strata=2):
    random = np.random.default_rng(seed)
    exit_ = random.integers(1, 30, n_rows)
    entry = np.where(random.random(n_rows) < 0.5, np.floor(exit_ * random.random(n_rows)), -1)
    given = {"entry": entry, "exit": exit_, "event": np.append(random.random(n_rows - 1) < 0.6, 1)}
    given |= {"ids": None, "strata": random.integers(0, n_strata, n_rows), "weights": None}
    rows = EventRows.of(given, np.zeros((n_rows, 1)))
    return rows, RiskSets.of(rows)


def written_out(rows, sets, values):
    return [
        values[(rows.stratum == stratum) & (rows.entry < time) & (rows.exit >= time)].sum()
        for stratum, time in zip(sets.stratum, sets.times, strict=True)
    ]


@pytest.mark.parametrize("n_rows", [1, 2, 3, 7, 40, 200])
@pytest.mark.parametrize("seed", range(3))
def test_both_ways_give_the_sums_written_out(seed, n_rows):
    rows, sets = risk_sets(seed, n_rows)
    values = np.random.default_rng(9).uniform(1, 2, len(rows.event))
    expected = written_out(rows, sets, values)
    np.testing.assert_allclose(sets.of_those_at_risk(values), expected, rtol=1e-12)
    np.testing.assert_allclose(sets.of_those_at_risk_by_adding(values), expected, rtol=1e-14)
    assert sets.least_share(values) > 0.001


def test_by_adding_small_sums_before_large_ones_are_kept():
    rows, sets = risk_sets(4, 200)
    values = np.exp(4 * rows.entry)  # whoever comes later is at a far higher risk
    expected = np.array(written_out(rows, sets, values))
    np.testing.assert_allclose(sets.of_those_at_risk_by_adding(values), expected, rtol=1e-13)
    assert np.abs(sets.of_those_at_risk(values) / expected - 1).max() > 0.1
    assert sets.least_share(values) < 1e-12
