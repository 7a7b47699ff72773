"""Variants: ways are counted by customers, the rare ones together."""

import numpy as np
import pytest
from by_hand import journeys_of
from test_flow import random_journeys

from journeylab.base.errors import EstimateError
from journeylab.estimators.intervals import wilson
from journeylab.findings.paths import estimate_flow
from journeylab.findings.paths.variants import how_many_to_name


def group(name, n, *visits):
    """`n` customers with the same visits (stage, entered, left, to)."""
    return [(f"{name}{i}", *visit) for i in range(n) for visit in visits]


# 10 are lost at once, 8 go on to the end, 6 come back from a loss and stay, 4 stay in the trial, 2 skip to plus.
ROWS = [
    *group("a", 10, ("trial", 0, 5, "price")),
    *group("b", 8, ("trial", 0, 5, "paid"), ("paid", 5, 30, "partner"), ("partner", 30, 100, None)),
    *group("c", 6, ("trial", 0, 5, "price"), ("trial", 20, 30, "paid"), ("paid", 30, 100, None)),
    *group("d", 4, ("trial", 40, 100, None)),
    *group("e", 2, ("trial", 0, 5, "plus"), ("plus", 5, 100, None)),
]


def test_the_most_frequent_ways_come_first_and_the_rest_together():
    found = estimate_flow(journeys_of(ROWS)).variants()
    assert found["way"].tolist() == [
        "trial",
        "trial → paid → partner",
        "trial → lost (price) → trial → paid",
        "2 other variants",
    ]
    assert found["ended"].tolist() == ["lost to price", "completed", "ongoing", "various"]
    assert found["customers"].tolist() == [10, 8, 6, 6]
    assert found["variants"].tolist() == [1, 1, 1, 2]
    assert (found["n"] == 30).all()
    assert found["median_days"].tolist() == [5, 30, 100, 60]
    assert found["lower"].tolist() == wilson(np.array([10, 8, 6, 6]), 30)[0].tolist()


def test_fewer_can_be_asked_for():
    found = estimate_flow(journeys_of(ROWS)).variants(1)
    assert found["way"].tolist() == ["trial", "4 other variants"]
    assert found["customers"].tolist() == [10, 20]


def test_collapsed_ways_join_those_that_differ_in_loops_only():
    shown = estimate_flow(journeys_of(ROWS + group("f", 9, ("trial", 0, 5, "paid"), ("paid", 5, 100, None))))
    assert shown.variants(1, loops="collapsed").iloc[0][["way", "ended", "customers"]].tolist() == [
        "trial → paid",
        "ongoing",
        15,
    ]


def test_customers_whose_journey_began_before_the_window_are_left_out_and_counted():
    found = estimate_flow(journeys_of([*ROWS, ("old", "trial", -5, 10, "price"), ("back", "trial", -9, -5, "price"),
                                       ("back", "trial", 3, 9, "price")]))  # fmt: skip
    assert found.n_left_out == 2
    assert found.variants()["n"].iloc[0] == 30
    assert "Left out: 2 customers whose journey began before the window." in found._repr_html_()


@pytest.mark.parametrize(
    ("counts", "most", "kept"),
    [
        ([10, 8, 6], 10, 3),
        ([10, 8, 6], 2, 2),
        ([10, 8, 3, 2], 10, 2),
        ([10, 8, 3], 10, 1),
        ([10, 3], 10, 0),
        ([3, 1], 10, 0),
        ([7], 10, 1),
    ],
)
def test_the_rest_is_never_of_one_to_four(counts, most, kept):
    assert how_many_to_name(np.array(counts), most) == kept


@pytest.mark.parametrize("loops", ["shown", "collapsed"])
@pytest.mark.parametrize("seed", range(4))
def test_every_customer_is_in_one_variant(seed, loops):
    spells = journeys_of(random_journeys(seed, 200), end=60)
    found = estimate_flow(spells).variants(12, loops=loops)
    first = spells.to_pandas().drop_duplicates("customer_id")
    began = first["returned_from"].isna() & (first["entered"] >= spells.window.start)
    assert found["customers"].sum() == began.sum() == found["n"].iloc[0]
    assert (found["customers"] >= 5).all()
    assert found["customers"].iloc[:-1].is_monotonic_decreasing


def test_none_is_no_number_of_variants():
    with pytest.raises(EstimateError) as error:
        estimate_flow(journeys_of(ROWS)).variants(0)
    assert str(error.value) == "0 variants were asked for. Ask for 1 or more."
