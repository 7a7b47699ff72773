"""What becomes of each persona, from the landmark on: by hand, and the same numbers as the findings that own them."""

import numpy as np
import pandas as pd
import pytest
from by_hand import JOURNEY, at, journeys_of

from journeylab.findings.dropoff import estimate_dropoff
from journeylab.findings.grouping import Grouping
from journeylab.findings.personas.cards.course import Course
from journeylab.findings.survival import estimate_survival

LANDMARK = 10


def known(labels: dict[str, str], day: float = LANDMARK) -> Grouping:
    series = pd.Series(labels)
    return Grouping("persona", series, pd.Series(at(day), index=series.index))


def journeys(rows, *, end: float = 1000.0):
    return journeys_of(rows, end=end)


def lost(counts: dict[str, int], *, day: float, still: int, prefix: str = "c") -> list[tuple]:
    """Customers who enter the trial on day 0 and are lost on `day` to each branch; `still` stay."""
    ways = [way for way, count in counts.items() for _ in range(count)]
    rows = [(f"{prefix}{number:02}", "trial", 0, day, way) for number, way in enumerate(ways)]
    return rows + [(f"{prefix}{len(ways) + number:02}", "trial", 0, 1000, None) for number in range(still)]


def all_of(rows: list[tuple], persona: str = "P1") -> dict[str, str]:
    return {row[0]: persona for row in rows}


def by_branch(course: Course, persona: str = "P1") -> dict:
    rows = course.losses[course.losses["persona"] == persona]
    return dict(zip(rows["branch"], rows["estimate"].round(9), strict=True))


def test_losses_are_shares_by_days_since_the_landmark():
    rows = lost({"price": 12}, day=20, still=0) + lost({"other": 6}, day=50, still=12, prefix="d")
    spells, personas = journeys(rows), known(all_of(rows))
    soon, later = (by_branch(Course.of(personas, spells, horizon=each)) for each in ("10d", "40d"))
    # Silence, of 30 days, of which 10 lie before the landmark, cannot show in 10 days: that is no 0%.
    assert soon == pytest.approx({"lost": 0.4, "price": 0.4, "other": 0.0, "silent": np.nan}, nan_ok=True)
    notes = Course.of(personas, spells, horizon="10d").losses.set_index("branch")["note"]
    assert notes["silent"] == "cannot show before day 20"
    assert notes["lost"] == "“silent” cannot show before day 20"
    assert later == {"lost": 0.6, "price": 0.4, "other": 0.2, "silent": 0.0}
    row = Course.of(personas, spells, horizon="40d").losses.iloc[0]
    # Wilson's interval would be 0.423 to 0.754; that of the curve, on the logit scale, is close to it.
    assert (row["lower"], row["upper"]) == pytest.approx((0.42, 0.76), abs=0.02)
    assert (row["customers"], row["at_risk"], row["horizon_days"]) == (30, 18, 40)


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ({"price": 12, "other": 6}, ["lost", "price", "other", "silent"]),
        ({"price": 3, "other": 3}, ["lost", "silent", "rare branches together"]),
        ({"price": 12, "other": 2}, ["lost", "silent", "rare branches together"]),
    ],
)
def test_branches_of_fewer_than_five_customers_are_told_together(counts, shown):
    rows = lost(counts, day=20, still=20)
    found = by_branch(Course.of(known(all_of(rows)), journeys(rows), horizon="30d"))
    assert list(found) == shown
    assert sum(share for branch, share in found.items() if branch != "lost") == pytest.approx(found["lost"])


def test_fewer_than_five_losses_in_all_are_not_told():
    rows = lost({"price": 2, "other": 1}, day=20, still=30)
    course = Course.of(known(all_of(rows)), journeys(rows), horizon="30d")
    few = course.losses[course.losses["branch"] != "silent"]
    assert few["note"].tolist() == ["fewer than 5 customers"] * 2
    assert few[["estimate", "lower", "upper"]].isna().all(axis=None)


def test_who_was_lost_by_the_landmark_is_not_followed_and_who_had_completed_cannot_be_lost():
    rows = lost({"price": 10}, day=20, still=10)
    rows += [(f"early{n}", "trial", 0, 5, "price") for n in range(7)]
    rows += [
        row
        for n in range(20)
        for row in [(f"done{n:02}", "trial", 0, 5, "partner"), (f"done{n:02}", "partner", 5, 1000, None)]
    ]
    course = Course.of(known(all_of(rows)), journeys(rows), horizon="30d")
    assert by_branch(course)["price"] == 10 / 40
    assert course.staying["estimate"].iloc[0] == 0.5
    assert course.losses["customers"].unique().tolist() == [40]


def test_only_the_first_loss_counts_and_what_ended_before_the_landmark_was_seen_then():
    rows = [row for n in range(12) for row in [
        (f"c{n:02}", "trial", 0, 20, "price"), (f"c{n:02}", "trial", 30, 60, "other"),
    ]]  # fmt: skip
    found = by_branch(Course.of(known(all_of(rows)), journeys(rows), horizon="90d"))
    assert found == {"lost": 1.0, "price": 1.0, "other": 0.0, "silent": 0.0}


def test_everyone_is_computed_from_all_not_averaged():
    rows, others = lost({"price": 10}, day=20, still=10), lost({"price": 5}, day=20, still=55, prefix="d")
    labels = all_of(rows) | all_of(others, "P2")
    course = Course.of(known(labels), journeys(rows + others), horizon="30d")
    assert [by_branch(course, persona)["lost"] for persona in ("P1", "P2", "everyone")] == pytest.approx(
        [0.5, 5 / 60, 15 / 80], abs=1e-9
    )
    assert course.staying["persona"].unique().tolist() == ["P1", "P2", "everyone"]


@pytest.fixture(scope="module")
def mixed():
    """160 customers who enter over 20 days, move on or are lost by turns, and their personas known on day 30."""
    random, rows = np.random.default_rng(5), []
    for n in range(160):
        start, length = n % 20, 5 + 80 * random.random()
        way = ["price", "paid", "other", "paid", None][n % 5]
        rows.append((f"c{n:03}", "trial", start, start + (length if way else 300), way))
        if way == "paid":
            rows.append((f"c{n:03}", "paid", start + length, start + length + 100 * random.random(), "price"))
            if n % 2 == 0:
                rows[-1] = (*rows[-1][:3], 400, None)
    labels = {f"c{n:03}": ("P1", "P2")[n % 3 == 0] for n in range(160)}
    return journeys(rows, end=400.0), known(labels, 30)


def test_time_and_losses_by_stage_are_those_of_the_findings_that_own_them(mixed):
    spells, personas = mixed
    stages = Course.of(personas, spells, horizon="60d").stages.set_index(["persona", "stage"])
    losses = estimate_dropoff(spells, horizons=["60d"], by=personas).losses.set_index(["group", "stage"])
    medians = estimate_survival(spells, by=personas).medians()
    medians = medians[medians["quantile"] == 0.5].set_index(["group", "stage"])
    for key in (("P1", "trial"), ("P2", "trial"), ("P1", "paid")):
        expected = losses.loc[key, ["estimate", "lower", "upper"]].to_numpy(dtype=float)
        np.testing.assert_allclose(
            stages.loc[key, ["lost", "lost_lower", "lost_upper"]].to_numpy(dtype=float), expected, atol=1e-12
        )
        expected = medians.loc[key, ["estimate", "lower", "upper"]].to_numpy(dtype=float)
        found = stages.loc[key, ["median_days", "median_lower", "median_upper"]].to_numpy(dtype=float)
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_stage_of_fewer_than_five_customers_is_suppressed():
    rows = lost({"price": 10}, day=20, still=10)
    rows = [("c00", "trial", 0, 20, "paid"), ("c00", "paid", 20, 1000, None), *rows[1:]]
    stages = Course.of(known(all_of(rows)), journeys(rows), horizon="30d").stages.set_index("stage")
    assert stages.loc["paid", "note"] == "fewer than 5 customers"
    assert stages.loc["paid"].drop(["persona", "note"]).isna().all()
    assert stages.loc["trial", "visits"] == 20


def test_the_typical_journey_is_told_in_words_with_its_share():
    rows = [
        row for n in range(12) for row in [(f"a{n:02}", "trial", 0, 20, "paid"), (f"a{n:02}", "paid", 20, 40, "price")]
    ]
    rows += [(f"b{n}", "trial", 0, 1000, None) for n in range(6)]
    rows += [
        row for n in range(5) for row in [(f"d{n}", "trial", 0, 9, "partner"), (f"d{n}", "partner", 9, 1000, None)]
    ]
    rows += [(f"e{n}", "trial", 0, 20, "other") for n in range(7)]
    paths = Course.of(known(all_of(rows)), journeys(rows), horizon="30d").paths
    assert dict(zip(paths["path"], paths["n"], strict=True)) == {
        "trial → paid → lost to price": 12,
        "trial → lost to other": 7,
        "trial (still there)": 6,
        "trial → partner": 5,
    }
    assert paths["share"].tolist() == pytest.approx([0.4, 7 / 30, 0.2, 1 / 6])
    # Wilson's interval for 12 of 30, worked out by hand.
    assert (paths["lower"][0], paths["upper"][0]) == pytest.approx((0.2459, 0.5768), abs=5e-4)


def test_ways_of_few_are_told_together_and_never_fewer_than_five():
    rows = lost({"price": 9, "other": 2}, day=20, still=6)
    paths = Course.of(known(all_of(rows)), journeys(rows), horizon="30d").paths
    assert dict(zip(paths["path"], paths["n"], strict=True)) == {"trial → lost to price": 9, "other ways": 8}


def test_spells_of_others_tell_nothing():
    rows = lost({"price": 9}, day=20, still=6)
    course = Course.of(known({"x": "P1"}), journeys([]), horizon="30d")
    for table in (course.paths, course.losses, course.stages, course.staying):
        assert table.empty
    assert len(Course.of(known(all_of(rows[:6])), journeys(rows), horizon="30d").paths) == 1


def test_the_journey_by_hand_has_the_branches_that_these_tests_name():
    assert JOURNEY.branches == ("price", "other", "silent")
