"""Units of drop-off, and what is said where some visits are unresolved."""

import numpy as np
import pandas as pd
import pytest

from journeylab.base.errors import EstimateError
from journeylab.findings.dropoff import estimate_dropoff

COMES_TWICE = [
    row
    for i in range(20)
    for row in [
        (f"c{i}", "trial", 0, 5, "advanced" if i < 12 else "price"),
        (f"c{i}", "trial", 20, 24, "price" if i < 6 else "advanced"),
    ]
]


def test_an_unknown_unit_is_refused(spells_of):
    with pytest.raises(EstimateError) as error:
        estimate_dropoff(spells_of(COMES_TWICE), horizons=["9d"], unit="heads")
    assert str(error.value) == "The unit is “heads”. Use “visits”, “first_visits” or “customers”."


def test_customers_are_lost_once_however_often_their_visits_are(spells_of):
    """8 of 20 first visits are lost on day 5, 6 second ones on day 24 after entering first: 14 customers by then."""
    visits, first, customers = (
        estimate_dropoff(spells_of(COMES_TWICE), horizons=["9d", "25d"], unit=unit)
        for unit in ("visits", "first_visits", "customers")
    )
    for found, n, lost in ((visits, 40, [14, 14]), (first, 20, [8, 8]), (customers, 20, [8, 14])):
        rows = found.table[(found.table["stage"] == "trial") & (found.table["to"] == "price")]
        assert rows["n"].tolist() == [n, n]
        assert (rows["estimate"] * n).tolist() == pytest.approx(lost)
    # Fourteen customers were seen to be lost within nine days of entering, some on their second visit.
    assert visits.vulnerability("9d").loc[0, ["estimate", "customers_lost", "customers_seen"]].tolist() == [14, 14, 14]
    assert set(customers.table["kind"]) == {"lost"}
    assert customers.losses.set_index(["stage", "horizon_days"]).loc[("trial", 25), "estimate"] == pytest.approx(0.7)
    assert customers.vulnerability("25d", branches="together").loc[0, "estimate"] == pytest.approx(14)
    assert customers.sentence() == (
        "The largest single exit is “price” in “trial”: 70% of 20 customers (95% interval 47% to 86%) are lost to it "
        "within 25 days of first entering, about 14 customers (14 to 17)."
    )


def test_customers_are_not_compared_between_groups(spells_of):
    labels = pd.Series({f"c{i}": "ab"[i % 2] for i in range(20)}, name="half")
    found = estimate_dropoff(spells_of(COMES_TWICE), horizons=["9d"], unit="customers", by=labels)
    with pytest.raises(EstimateError, match="Differences are between shares of visits"):
        found.differences("9d")


def nearly_over(n_inside, *, n=400):
    """Of `n` visits to trial a quarter is lost to price on day 5, most advance on day 8, `n_inside` are inside."""
    ways = ["price"] * (n // 4) + [None] * n_inside + ["advanced"] * (n - n // 4 - n_inside)
    return [(f"c{i}", "trial", 0, {"price": 5, None: 20, "advanced": 8}[way], way) for i, way in enumerate(ways)]


def test_two_points_may_be_unresolved_and_no_more(spells_of):
    """8 of 400 are 2 points: the estimate stands, with limits that hold both ends. With 9 there are bounds alone."""
    rows = {}
    for n_inside in (8, 9):
        found = estimate_dropoff(spells_of(nearly_over(n_inside), end=20), horizons=["8d", "25d"])
        table = found.table.set_index(["stage", "to", "horizon_days"])
        rows[n_inside] = table.loc[("trial", "price", 25)]
        early = table.loc[("trial", "price", 8)]
        assert early[["at_least", "at_most", "note"]].isna().all()
    assert rows[8]["estimate"] == pytest.approx(0.25)
    assert rows[8][["at_least", "at_most"]].tolist() == pytest.approx([0.25, 0.27])
    assert rows[8]["lower"] == pytest.approx(early["lower"])
    assert rows[8]["upper"] == pytest.approx(early["upper"] + 0.02)
    assert rows[8]["note"] == "2.0% unresolved: fewer than 10 at risk after day 8.0"
    assert rows[9][["estimate", "lower", "upper"]].isna().all()
    assert rows[9][["at_least", "at_most"]].tolist() == pytest.approx([0.25, 0.2725])
    assert rows[9]["note"] == "fewer than 10 at risk after day 8.0"


def test_a_place_without_an_estimate_that_may_be_first_takes_the_horizon_off_the_headline(spells_of):
    rows = nearly_over(9)
    found = estimate_dropoff(spells_of(rows, end=20), horizons=["8d", "25d"])
    assert "within 8 days of entering" in found.sentence()
    assert found.sentence("25d") == (
        "At least 100 of 400 visits are lost to “price” in “trial” within 25 days of entering; how many cannot be "
        "estimated yet: fewer than 10 at risk after day 8.0."
    )
    first = found.rank_stability("25d", seed=1).iloc[0]
    assert first[["rank", "branch", "rank_lower"]].tolist() == [1, "price", 1]
    assert first[["at_least", "at_most"]].tolist() == pytest.approx([100, 109])


def test_bounds_that_are_handed_on_do_not_tell_of_fewer_than_five(spells_of):
    rows = [
        (f"c{i}", "trial", 0, 5 if i < 20 else 20, "price" if i < 3 else "advanced" if i < 20 else None)
        for i in range(29)
    ]
    found = estimate_dropoff(spells_of(rows, end=20), horizons=["25d"])
    price, shown = (
        each.table.set_index(["stage", "to"]).loc[("trial", "price")] for each in (found, found.for_export())
    )
    assert price["at_least"] == pytest.approx(3 / 29)
    assert np.isnan(shown["at_least"])
    ranked = found.for_export().vulnerability("25d")
    ranked = ranked[ranked["branch"] == "price"].iloc[0]
    assert ranked[["at_least", "at_most", "customers_lost", "customers_seen", "events"]].isna().all()
