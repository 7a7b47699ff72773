"""The river: each who set out is in one place on one day; losses count in the stage that they were lost from."""

import numpy as np
import pandas as pd
import pytest
from by_hand import JOURNEY

from journeylab.events.simulate import simulate_log
from journeylab.events.spells import find_spells
from journeylab.findings.occupancy import estimate_occupancy, estimate_river

ROWS = [
    *[(f"a{n}", "trial", 0, 10, "price") for n in range(40)],
    *[(f"a{n}", "trial", 20, 200, None) for n in range(10)],  # of those, ten are back on day 20
    *[(f"b{n}", "trial", 0, 5, "paid") for n in range(30)],
    *[(f"b{n}", "paid", 5, 25, "other") for n in range(10)],
    *[(f"b{n}", "paid", 5, 200, None) for n in range(10, 30)],
    *[(f"c{n}", "trial", 0, 200, None) for n in range(30)],
]


@pytest.fixture(scope="module")
def by_hand(spells_of):
    return estimate_river(spells_of(ROWS, end=200), times=["30d"])


def shares(river):
    rows = river.table[river.table["estimate"] > 0]
    return {(row.stage, row.to or row.kind): round(row.estimate, 9) for row in rows.itertuples(index=False)}


def test_everyone_is_in_one_place_and_the_lost_count_where_they_were_lost(by_hand):
    assert shares(by_hand) == {
        ("trial", "inside"): 0.4,
        ("trial", "price"): 0.3,
        ("paid", "inside"): 0.2,
        ("paid", "other"): 0.1,
    }
    assert by_hand.days == 30


def test_its_sentence_names_the_largest_loss_with_interval_and_base(by_hand):
    assert by_hand.sentence() == (
        "30 days after entering the journey 40% of 100 customers who set out are lost, and 60% are in a stage. The "
        "largest part was lost from Trial to Price: 30% (95% interval 22% to 40%)."
    )


def test_all_shares_are_of_the_last_day_that_enough_are_watched(spells_of):
    rows = [(f"a{n}", "trial", 0, 100, None) for n in range(20)]
    spells = spells_of(rows, end=100)
    assert estimate_river(spells, times=["30d", "90d", "180d"]).days == 90
    nobody = estimate_river(spells, times=["180d"])
    assert nobody.lacking == "Nobody was watched for 180 days after entering the journey."


def test_branches_together_are_what_occupancy_says_and_all_sum_to_one():
    simulation = simulate_log(300, seed=5)
    spells = find_spells(simulation.log, simulation.journey)
    river = estimate_river(spells, times=["90d"]).table
    occupancy = estimate_occupancy(spells, times=["90d"]).table
    assert river["estimate"].sum() == pytest.approx(1, abs=1e-12)
    lost = river[river["kind"] == "lost"].groupby("to")["estimate"].sum()
    inside = river[river["kind"] == "inside"].set_index("stage")["estimate"]
    both = pd.concat([inside, lost])
    expected = occupancy.set_index("state")["estimate"]
    # Not the same to the last digit: with more states, those who are watched for less weigh a little differently.
    np.testing.assert_allclose(both.reindex(expected.index).fillna(0), expected, atol=0.005)


def test_by_group_each_has_a_river_of_its_own(spells_of):
    spells = spells_of(ROWS, end=200)
    plan = pd.Series(
        {f"{kind}{n}": "large" if kind == "a" else "small" for kind in "abc" for n in range(40)}, name="plan"
    )
    river = estimate_river(spells, times=["30d"], by=plan)
    assert river.table.groupby("group")["estimate"].sum().round(9).to_dict() == {"large": 1.0, "small": 1.0}
    assert "of 40 customers who set out (large)" in river.sentence()
    assert set(river.table["stage"]) == set(JOURNEY.stage_names)
