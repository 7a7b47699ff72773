"""Drift: the test is the chi-squared test where rows are single counts, and keeps its level where they are not."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.stats import chi2_contingency, kstest

from journeylab.estimators.drift import cell_drift


def rows_of(*n: int) -> csr_matrix:
    """Rows with a single count each, n[0] of them in the first cell, and so on."""
    return csr_matrix(np.repeat(np.eye(len(n)), n, axis=0))


def test_the_distance_is_the_share_that_would_have_to_move():
    found = cell_drift(rows_of(50, 30, 20), np.array([0.4, 0.3, 0.3]), n_before=100)
    assert found.distance == pytest.approx(0.1)
    np.testing.assert_allclose(found.now, [0.5, 0.3, 0.2])
    assert (found.n, found.n_before) == (100, 100)


@pytest.mark.parametrize(("now", "before"), [((60, 140), (50, 200)), ((400, 380), (100, 140))])
def test_of_two_cells_it_is_pearsons_test(now, before):
    found = cell_drift(rows_of(*now), np.array(before) / sum(before), n_before=sum(before))
    exact = chi2_contingency([now, before], correction=False).pvalue
    # Pearson's takes the variance of both samples together, this one that of the new one.
    assert np.log(found.p_value) == pytest.approx(np.log(exact), rel=0.15)


def test_nothing_has_drifted_where_all_is_as_before():
    found = cell_drift(rows_of(50, 50), np.array([0.5, 0.5]), n_before=80)
    assert (found.distance, found.p_value) == (0.0, 1.0)
    # |X| of a normal X with variance .25 (1/100 + 1/80): half of it twice.
    assert found.expected == pytest.approx(np.sqrt(2 / np.pi * 0.25 * (1 / 100 + 1 / 80)))
    assert np.isnan(found.limit(0.05))


def test_the_limit_is_the_drift_in_the_same_direction_at_which_the_test_has_that_level():
    before = np.array([0.4, 0.3, 0.3])
    found = cell_drift(rows_of(60, 30, 10), before, n_before=100)
    limit = found.limit(0.01)
    # Two cells and equal changes: Pearson's z is the distance over its standard error, so the limit is 2.576 of these.
    two = cell_drift(rows_of(600, 400), np.array([0.5, 0.5]), n_before=1000)
    assert two.limit(0.01) == pytest.approx(2.5758 * np.sqrt(0.24 * (1 / 1000 + 1 / 1000)), rel=0.01)
    assert (found.distance > limit) == (found.p_value < 0.01)
    assert found.limit(found.p_value) == pytest.approx(found.distance)
    assert found.limit(0.05) < limit


def test_without_counts_it_is_missing():
    found = cell_drift(csr_matrix((3, 2)), np.array([0.5, 0.5]), n_before=80)
    assert np.isnan([found.distance, found.expected, found.limit(0.05), found.p_value]).all()
    assert found.n == 0


def test_where_nothing_varies_there_is_no_test():
    found = cell_drift(rows_of(9, 0), np.array([1.0, 0.0]), n_before=80)
    assert (found.distance, found.expected) == (0.0, 0.0)
    assert np.isnan([found.p_value, found.limit(0.05)]).all()


@pytest.mark.slow
def test_it_keeps_its_level_where_the_counts_of_a_row_resemble_each_other():
    random = np.random.default_rng(5)
    p_values = []
    for _ in range(400):
        # Each row has its own shares: forty events of a customer are not forty independent ones.
        counts = [
            np.array([random.multinomial(n, random.dirichlet([2, 1, 1])) for n in 1 + random.poisson(8, size=150)])
            for _ in range(2)
        ]
        before = counts[0].sum(axis=0) / counts[0].sum()
        found = cell_drift(csr_matrix(counts[1]), before, n_before=150)
        p_values.append(found.p_value)
    # Of 400 tests at 5%, 20 are expected, with a standard deviation of 4.4.
    assert 9 <= np.sum(np.array(p_values) < 0.05) <= 31
    assert kstest(p_values, "uniform").pvalue > 0.01
