"""Ratios of totals: the limits count individuals, however many of a total each of them has."""

import numpy as np
import pytest

from journeylab.base.errors import EstimateError
from journeylab.estimators.intervals import wilson
from journeylab.estimators.ratios import ratio_of_totals
from journeylab.estimators.shares import clustered_share


def test_the_ratio_is_that_of_the_sums():
    assert ratio_of_totals([1, 0, 3], [2, 2, 4])[0] == 0.5


def test_the_limits_agree_with_those_of_a_share_of_single_rows():
    parts, totals = np.array([1, 0, 3, 2]), np.array([2, 3, 4, 6])
    rows = [
        (hit < part, whose)
        for whose, (part, total) in enumerate(zip(parts, totals, strict=True))
        for hit in range(total)
    ]
    by_rows = clustered_share([hit for hit, _ in rows], [whose for _, whose in rows])
    # The two differ by (n - 1) / n in the variance of n independent rows, n = 15.
    assert ratio_of_totals(parts, totals) == pytest.approx(by_rows, abs=0.02)


def test_one_of_each_gives_wilsons_limits_but_for_the_sample_variance():
    parts = np.array([1.0] * 30 + [0.0] * 70)
    lower, upper = wilson(30 * 0.99, 99)
    assert ratio_of_totals(parts, np.ones(100))[1:] == pytest.approx((float(lower), float(upper)), abs=1e-9)


def test_a_share_of_nothing_or_all_stands_on_as_many_as_there_are_individuals():
    assert ratio_of_totals([0, 0], [50, 50])[1:] == pytest.approx(tuple(map(float, wilson(0, 2))))
    assert ratio_of_totals([50, 50], [50, 50])[1:] == pytest.approx(tuple(map(float, wilson(2, 2))))


def test_individuals_without_a_total_do_not_count():
    assert ratio_of_totals([1, 0, 0], [2, 3, 0]) == ratio_of_totals([1, 0], [2, 3])
    assert np.isnan(ratio_of_totals([0], [0])).all()


@pytest.mark.parametrize(
    ("parts", "totals", "text"),
    [
        ([1], [1, 2], "There are 1 parts and 2 totals. Give one total for each part."),
        ([3], [2], "There is a part of 3 in a total of 2. Give parts from 0 to the total."),
    ],
)
def test_what_cannot_be_is_refused(parts, totals, text):
    with pytest.raises(EstimateError) as caught:
        ratio_of_totals(parts, totals)
    assert str(caught.value) == text
