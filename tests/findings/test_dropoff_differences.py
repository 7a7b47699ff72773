"""Differences between groups: each against the others, with one family of tests, and small groups left out."""

import numpy as np
import pandas as pd
import pytest

from journeylab.estimators.intervals import holm
from journeylab.estimators.shares import share_difference, share_difference_p_value
from journeylab.findings.dropoff import estimate_dropoff
from journeylab.findings.grouping import Grouping

START = pd.Timestamp("2025-01-01", tz="UTC")


def rows(*groups):
    """Visits to trial on day 0 by groups (name, lost to price on day 5, advanced on day 8), and the labels."""
    visits, labels = [], {}
    for name, n_lost, n_moved in groups:
        for i in range(n_lost + n_moved):
            labels[f"{name}{i}"] = name
            visits.append((f"{name}{i}", "trial", 0, 5 if i < n_lost else 8, "price" if i < n_lost else "advanced"))
    return visits, pd.Series(labels, name="plan")


def of(lost, n):
    share = np.array([lost / n])
    return share, np.sqrt(share * (1 - share) / n), np.array([float(n)])


def test_each_group_is_compared_with_all_others_together(spells_of):
    visits, plan = rows(("a", 30, 30), ("b", 10, 50), ("c", 12, 48))
    found = estimate_dropoff(spells_of(visits), horizons=["9d"], by=plan).differences("9d")
    price = found[(found["stage"] == "trial") & (found["to"] == "price")].set_index("group")
    assert price.loc["a", ["reference", "share", "share_reference"]].tolist() == ["all others", 0.5, 22 / 120]
    assert price.loc["a", ["n", "customers", "n_reference", "customers_reference"]].tolist() == [60, 60, 120, 120]
    wanted = share_difference(of(30, 60), of(22, 120))
    assert price.loc["a", ["estimate", "lower", "upper"]].tolist() == pytest.approx([float(each[0]) for each in wanted])
    assert price.loc["a", "p_value"] == pytest.approx(float(share_difference_p_value(of(30, 60), of(22, 120))[0]))
    # Of trial a customer can be lost to price, other and silence; the other stages nobody entered.
    assert found["to"].tolist() == ["lost", "price", "other", "silent"] * 3
    gate, branches = 3 * found.loc[0, "p_value"], 3 * holm(found.loc[1:2, "p_value"].to_numpy())
    wanted = [min(gate, 1), *np.clip(branches, min(gate, 1), 1), np.nan]
    assert found["p_adjusted"].head(4).tolist() == pytest.approx(wanted, nan_ok=True)
    # Nobody is silent after nine days: there is nothing to compare.
    assert (found["p_value"].isna() == (found["to"] == "silent")).all()


def test_a_branch_differs_only_where_any_loss_does(spells_of):
    """Of plan a more are lost to price, of plan b as many more to other: all in all they are lost alike."""
    visits = [(f"a{i}", "trial", 0, 5, "price" if i < 30 else "advanced") for i in range(60)]
    visits += [(f"b{i}", "trial", 0, 5, "other" if i < 30 else "advanced") for i in range(60)]
    plan = pd.Series({row[0]: row[0][0] for row in visits}, name="plan")
    found = estimate_dropoff(spells_of(visits), horizons=["9d"], by=plan).differences("9d").set_index("to")
    assert found.loc[["price", "other"], "p_value"].max() < 1e-6
    assert found.loc[["lost", "price", "other"], "p_adjusted"].tolist() == [1, 1, 1]


def test_two_groups_are_compared_once(spells_of):
    visits, plan = rows(("a", 30, 30), ("b", 10, 50))
    found = estimate_dropoff(spells_of(visits), horizons=["9d"], by=plan)
    assert found.differences("9d")[["group", "reference"]].drop_duplicates().to_numpy().tolist() == [["b", "a"]]
    assert found.differences_in_words("9d") == (
        "Of 3 differences in what is lost within 9 days of entering, by plan, 2 have a p below 0.05 (adjusted "
        "for all of them, any loss first, then the branches). The largest: “b” is lost in “trial” by -33 points "
        "against “a” (95% interval -48 to -16, for this one alone; 17% of 60 visits, 50% of 60)."
    )


def test_groups_alike_are_not_told_apart(spells_of):
    visits, plan = rows(("a", 15, 45), ("b", 16, 44))
    found = estimate_dropoff(spells_of(visits), horizons=["9d"], by=plan)
    assert found.differences_in_words("9d") == (
        "Of 3 differences in what is lost within 9 days of entering, by plan, none has a p below 0.05 (smallest "
        "p 0.83, adjusted for all of them, any loss first, then the branches). The largest: “b” is lost in “trial” by "
        "+2 points against “a” (95% interval -14 to +17, for this one alone; 27% of 60 visits, 25% of 60)."
    )
    assert found.plot_differences("9d").alt == found.differences_in_words("9d")


def test_a_group_too_small_is_missing_and_no_test(spells_of):
    visits, plan = rows(("a", 30, 30), ("b", 10, 50), ("c", 2, 2))
    found = estimate_dropoff(spells_of(visits), horizons=["9d"], by=plan).differences("9d")
    small = found[found["group"] == "c"]
    assert small[["estimate", "p_value", "p_adjusted", "share"]].isna().all(axis=None)
    assert set(small["note"]) == {"c: only 4 visits of 4 customers"}
    tested = found["p_value"].notna()
    assert tested.sum() == 6
    assert found.loc[tested, "p_adjusted"].min() == pytest.approx(2 * found["p_value"].min(), rel=0.01)


def test_both_sides_are_watched_from_the_day_on_from_which_both_can_be(spells_of):
    """The label of b is known on day 6 only: by then those of a who are lost to price have gone as well."""
    visits, plan = rows(("a", 30, 30), ("b", 10, 50))
    known = pd.Series(START, index=plan.index).where(plan == "a", START + pd.Timedelta(days=6))
    found = estimate_dropoff(spells_of(visits), horizons=["8d"], by=Grouping("plan", plan, known)).differences("8d")
    first = found.iloc[0]
    assert first[["n", "n_reference", "share", "share_reference"]].tolist() == [50, 30, 0, 0]
    assert (first["note"], first["p_value"]) == ("given still inside on day 6.0", 1.0)


def test_customers_count_not_their_visits(spells_of):
    once, plan = rows(("a", 15, 15), ("b", 10, 20))
    twice = once + [(customer, stage, 100 + entered, 100 + left, way) for customer, stage, entered, left, way in once]
    found, doubled = (
        estimate_dropoff(spells_of(each), horizons=["9d"], by=plan).differences("9d") for each in (once, twice)
    )
    for column in ("estimate", "lower", "upper", "p_value"):
        assert doubled[column].tolist() == pytest.approx(found[column].tolist(), nan_ok=True)
    assert doubled["n"].tolist() == (2 * found["n"]).tolist()


def test_without_groups_there_is_nothing_to_compare(spells_of):
    found = estimate_dropoff(spells_of(rows(("a", 3, 3))[0]), horizons=["9d"])
    assert len(found.differences("9d")) == 0
    assert found.differences_in_words("9d") == "There are no groups to compare: ask for drop-off with `by`."
    assert found.plot_differences("9d").alt == found.differences_in_words("9d")
    one, plan = rows(("a", 10, 10))
    alone = estimate_dropoff(spells_of(one), horizons=["9d"], by=plan)
    assert alone.differences_in_words("9d") == "No two groups by plan are large enough to be compared in any stage."


def test_of_many_groups_there_is_a_tile_each(spells_of):
    visits, plan = rows(*((name, 10, 10) for name in "abcdefg"))
    found = estimate_dropoff(spells_of(visits), horizons=["9d"], by=plan)
    assert [label.get_text() for label in found.plot().axes.get_yticklabels()] == list("abcdefg")


@pytest.mark.slow
def test_where_groups_are_drawn_by_lot_hardly_ever_one_is_told_apart(spells_of):
    """Adjusted for their family, at most one in twenty may be found different falsely: 5 of 25 would be an accident."""
    random, alarms = np.random.default_rng(1), 0
    for _ in range(25):
        ways = random.choice(["price", "other", "advanced"], 120)
        visits = [(f"c{i}", "trial", 0, int(random.integers(1, 20)), ways[i]) for i in range(120)]
        plan = pd.Series(random.choice(["a", "b", "c"], 120), index=[f"c{i}" for i in range(120)])
        table = estimate_dropoff(spells_of(visits), horizons=["12d"], by=plan).differences("12d")
        alarms += bool((table["p_adjusted"] < 0.05).any())
    assert alarms < 5


def test_a_stage_that_nearly_everybody_has_left_is_compared_at_long_horizons_too(spells_of):
    """Of 200 of each plan one is still inside on day 100, when watching ends: at most half a point is unresolved."""
    visits = [
        (
            f"{plan}{i}",
            "trial",
            0,
            20 if i < n else 25 if i < 199 else 100,
            "price" if i < n else "advanced" if i < 199 else None,
        )
        for plan, n in (("a", 120), ("b", 60))
        for i in range(200)
    ]
    plan = pd.Series({row[0]: row[0][0] for row in visits}, name="plan")
    found = estimate_dropoff(spells_of(visits, end=100), horizons=["30d", "180d"], by=plan)
    early, late = (found.differences(day).set_index("to").loc["price"] for day in ("30d", "180d"))
    assert late["estimate"] == pytest.approx(early["estimate"], abs=1e-9)
    assert late["estimate"] == pytest.approx(-0.3, abs=1e-9)
    assert late["lower"] == pytest.approx(early["lower"] - 0.005, abs=1e-6)
    assert late["upper"] == pytest.approx(early["upper"] + 0.005, abs=1e-6)
    assert early["p_value"] <= late["p_value"] < 0.001
    assert (early["note"], late["note"]) == (None, "up to 0.5% unresolved")
