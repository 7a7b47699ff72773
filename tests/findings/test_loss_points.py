"""The most vulnerable places: ranked by customers or by value, and how sure the order is."""

import numpy as np
import pandas as pd
import pytest

from journeylab.base.errors import EstimateError
from journeylab.events.spells.exits import Exits
from journeylab.findings.dropoff import estimate_dropoff
from journeylab.findings.dropoff.loss_points import JointEstimate, find_loss_points
from journeylab.findings.exit_curves import StageExits


def random_rows(n, *, seed=4):
    """Rows (customer, stage, entered, left, way): of `n` customers about a third is lost to price in trial."""
    random = np.random.default_rng(seed)
    ways = np.array(["price", "other", "advanced", None], dtype=object)
    rows = []
    for i in range(n):
        length, way = int(random.integers(1, 25)), ways[random.choice(4, p=[0.33, 0.17, 0.4, 0.1])]
        rows.append((f"c{i}", "trial", 0, length, way))
        if way == "advanced":
            after = int(random.integers(1, 60))
            rows.append((f"c{i}", "paid", length, length + after, random.choice(["price", "other", "advanced"])))
    return rows


def test_stages_may_be_ranked_with_their_branches_together(spells_of):
    found = estimate_dropoff(spells_of(random_rows(200)), horizons=["15d"])
    together = found.vulnerability("15d", branches="together").set_index("stage")
    losses = found.losses.set_index("stage")
    assert together["branch"].unique().tolist() == ["lost"]
    for column, other in (("share", "estimate"), ("share_lower", "lower"), ("share_upper", "upper")):
        assert together.loc["trial", column] == pytest.approx(losses.loc["trial", other])
    assert together.loc["trial", "estimate"] == pytest.approx(losses.loc["trial", "estimate"] * 200)


def test_value_lost_counts_those_who_are_worth_more_for_more(spells_of):
    """On day 5 two of four are lost: one is worth 10, one 30, of 100 in all; on day 9 the one worth 50 is."""
    rows = [
        ("a", "trial", 0, 5, "price"), ("b", "trial", 0, 5, "other"),
        ("c", "trial", 0, 9, "price"), ("d", "trial", 0, 20, "advanced"),
    ]  # fmt: skip
    seats = pd.DataFrame({"seats": [10, 30, 50, 10]}, index=pd.Index(list("abcd"), name="customer_id"))
    found = estimate_dropoff(spells_of(rows, attributes=seats), horizons=["6d", "10d"], value="seats", min_at_risk=1)
    lost = found.vulnerability("10d", measure="value").set_index("branch")
    lost = lost[lost["stage"] == "trial"]
    assert lost.loc["price", ["estimate", "share", "total"]].tolist() == pytest.approx([60, 0.6, 100])
    assert lost.loc["other", "estimate"] == pytest.approx(30)
    first = found.vulnerability("6d", measure="value").iloc[0]
    assert first[["stage", "branch", "estimate", "customers", "n"]].tolist() == ["trial", "other", 30, 4, 4]
    by_head = found.vulnerability("10d").set_index(["stage", "branch"])["estimate"]
    assert by_head["trial", "price"] == pytest.approx(2)


def test_where_all_come_once_and_are_worth_the_same_value_says_what_visits_say(spells_of):
    rows = random_rows(120)
    worth = pd.Series(3.0, index=[f"c{i}" for i in range(120)], name="worth")
    found = estimate_dropoff(spells_of(rows), horizons=["15d"], value=worth)
    visits, value = (found.vulnerability("15d", measure=each) for each in ("visits", "value"))
    for column in ("share_lower", "share_upper"):
        assert value[column].tolist() == pytest.approx(visits[column].tolist(), nan_ok=True)
    for column in ("estimate", "total"):
        assert value[column].tolist() == pytest.approx((3 * visits[column]).tolist(), nan_ok=True)
    assert value[["rank", "stage", "branch", "n"]].equals(visits[["rank", "stage", "branch", "n"]])


def test_a_value_by_visit_is_that_on_entering_and_a_missing_one_is_left_out(spells_of):
    rows = [("a", "trial", 0, 5, "price"), ("a", "trial", 10, 30, "other"), ("b", "trial", 0, 40, "advanced"),
            ("c", "trial", 0, 3, "price")]  # fmt: skip
    index = pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["customer_id", "spell"])
    found = estimate_dropoff(
        spells_of(rows), horizons=["50d"], value=pd.Series([1.0, 3.0, 4.0], index=index), min_at_risk=1
    )
    lost = found.vulnerability("50d", measure="value").iloc[0]
    # The visits are worth 1, 3 and 4; of these 8 a share of 3/8 is lost to other: 3.
    assert lost[["branch", "share", "estimate", "total"]].tolist() == ["other", 3 / 8, 3, 8]
    assert lost[["customers", "n"]].tolist() == [2, 3]
    assert found.value == "value"


def test_a_value_known_later_is_that_of_later_visits_only(spells_of):
    rows = [("a", "trial", 0, 5, "price"), ("a", "trial", 10, 15, "other"), ("b", "trial", 0, 5, "advanced")]
    customers = pd.DataFrame(
        {"plan_price": [10.0, 10.0], "plan_price_known_at": [pd.Timestamp("2025-01-08", tz="UTC")] * 2},
        index=pd.Index(["a", "b"], name="customer_id"),
    )
    found = estimate_dropoff(
        spells_of(rows, attributes=customers), horizons=["9d"], value="plan_price", min_at_risk=1
    ).vulnerability("9d", measure="value")
    assert found.loc[0, ["branch", "estimate", "n", "customers"]].tolist() == ["other", 10, 1, 1]


def test_nothing_of_value_is_said_where_nobody_who_entered_is_worth_anything(spells_of):
    worth = pd.Series(0.0, index=[f"c{i}" for i in range(40)], name="worth")
    found = estimate_dropoff(spells_of(random_rows(40)), horizons=["9d"], value=worth)
    table = found.vulnerability("9d", measure="value")
    assert table["rank"].isna().all()
    assert set(table.loc[table["stage"] == "trial", "note"]) == {"nothing of value entered"}
    assert "worth" not in found.sentence()


def test_a_customer_who_is_lost_twice_loses_the_value_of_two_visits(spells_of):
    rows = [(f"c{i}", "trial", start, start + 5, "price") for i in range(20) for start in (0, 10)]
    rows += [(f"c{i}", "trial", 0, 5, "advanced") for i in range(20, 30)]
    worth = pd.Series(3.0, index=[f"c{i}" for i in range(30)], name="worth")
    found = estimate_dropoff(spells_of(rows), horizons=["9d"], value=worth)
    lost = found.vulnerability("9d", measure="value").iloc[0]
    assert lost[["estimate", "total", "n", "customers"]].tolist() == pytest.approx([120, 150, 50, 30])
    assert "about 120 of 150" in found.sentence()


def test_the_sentence_says_where_most_value_is_lost(spells_of):
    rows = [(f"c{i}", "trial", 0, 5, "price" if i < 8 else "other" if i < 12 else "advanced") for i in range(40)]
    seats = pd.Series([1] * 8 + [10] * 4 + [1] * 28, index=[f"c{i}" for i in range(40)], name="seats")
    assert estimate_dropoff(spells_of(rows), horizons=["9d"], value=seats).sentence() == (
        "The largest single exit is “price” in “trial”: 20% of 40 visits (95% interval 10% to 35%) are lost to it "
        "within 9 days of entering, about 8 visits (8 to 14), by about 8 different customers. By seats, most is lost "
        "in “trial” to “other”: about 40 of 76 (40 to 58; 40 visits of 40 customers)."
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("seat", "The customers have no attribute “seat” to value them by. Did you mean “seats”?"),
        (
            "lifetime_value",
            "The customers’ attribute “lifetime_value” is named for something that only the future tells: those who "
            "stayed longer would be worth more. Say in a column “lifetime_value_known_at” when each value became "
            "known, rename it for what it holds, or give what they were worth on entering: score_value(log, spells).",
        ),
        (
            "plan",
            "The values “plan” are object, not numbers. Give what each customer is worth, in one unit.",
        ),
        (
            pd.Series({"a": -2.0, "b": 1.0}, name="profit"),
            "1 of the values “profit” are negative or infinite, first -2 for “a”. Give 0 or more; leave out what is "
            "not known.",
        ),
        (pd.Series([1.0, 2.0], index=["a", "a"]), "“a” has more than one value of “value”. Give each one row."),
        (
            pd.Series({"z": 2.0}, name="seats"),
            "None of the customers with a value of “seats” has a spell. Index the values by customer_id, or by "
            "customer_id and spell.",
        ),
    ],
)
def test_values_that_are_none_are_refused(spells_of, value, text):
    customers = pd.DataFrame(
        {"seats": [1], "plan": ["s"], "lifetime_value": [5.0]}, index=pd.Index(["a"], name="customer_id")
    )
    with pytest.raises(EstimateError) as error:
        estimate_dropoff(spells_of([("a", "trial", 0, 5, "price")], attributes=customers), horizons=["9d"], value=value)
    assert str(error.value) == text


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"branches": "all"}, "`branches` is “all”. Use “each” or “together”."),
        ({"measure": "seats"}, "`measure` is “seats”. Use “visits” or “value”."),
        ({"measure": "value"}, "No values were given. Estimate drop-off with `value`, what customers are worth."),
    ],
)
def test_a_ranking_that_does_not_exist_is_refused(spells_of, asked, text):
    found = estimate_dropoff(spells_of([("a", "trial", 0, 5, "price")]), horizons=["9d"])
    with pytest.raises(EstimateError) as error:
        found.vulnerability("9d", **asked)
    assert str(error.value) == text


def test_a_clear_first_place_is_told_and_a_tie_is_not(spells_of):
    clear = [(f"c{i}", "trial", 0, 5, "price" if i < 60 else "other" if i < 65 else "advanced") for i in range(100)]
    found = estimate_dropoff(spells_of(clear), horizons=["9d"])
    table = found.rank_stability("9d", seed=1)
    assert table.loc[0, ["branch", "first", "top_3", "rank_lower", "rank_upper"]].tolist() == ["price", 1, 1, 1, 1]
    assert found.stability_in_words("9d", seed=1) == (
        "“price” in “trial” comes first within 9 days, also when all places are compared at once."
    )
    tied = [(f"c{i}", "trial", 0, 5, "price" if i < 30 else "other" if i < 60 else "advanced") for i in range(100)]
    found = estimate_dropoff(spells_of(tied), horizons=["9d"])
    assert found.rank_stability("9d", seed=1)["first"].head(2).tolist() == pytest.approx([0.5, 0.5], abs=0.04)
    assert found.stability_in_words("9d", seed=1) == (
        "“price” in “trial” has the most losses within 9 days (rank 1 to 2 when all places are compared at once), but "
        "cannot be told from “other” in “trial” (rank 1 to 2)."
    )


def test_the_same_seed_gives_the_same_ranks_and_what_was_estimated_stays(spells_of):
    found = estimate_dropoff(spells_of(random_rows(80)), horizons=["9d"])
    table = found.rank_stability("9d", seed=3)
    pd.testing.assert_frame_equal(table, found.rank_stability("9d", seed=3))
    assert not table["first"].equals(found.rank_stability("9d", seed=4)["first"])
    plain = found.vulnerability("9d")
    pd.testing.assert_frame_equal(table[list(plain)], plain)
    known = table["estimate"].notna()
    assert table.loc[~known, ["first", "rank_lower"]].isna().all(axis=None)
    assert ((table["rank_lower"] <= table["rank_upper"]) | ~known).all()
    assert table.loc[known, "first"].sum() == pytest.approx(1)


@pytest.mark.slow
def test_ranks_hold_as_often_as_in_a_bootstrap_that_estimates_anew():
    """250 resamples of 150 customers, each estimated from scratch, against the influence of the customers."""
    cells = simulated_cells(150)
    joint = JointEstimate(find_loss_points(cells, 20.0, together=False))
    random = np.random.default_rng(11)
    again = []
    for _ in range(250):
        drawn = random.integers(0, 150, 150)
        places = find_loss_points([resampled(each, drawn) for each in cells], 20.0, together=False)
        again.append([place.lost for place in places])
    again = np.array(again)
    assert np.sqrt(np.diag(joint.covariance)) == pytest.approx(again.std(axis=0), rel=0.12)
    correlation = joint.covariance / np.sqrt(np.outer(*[np.diag(joint.covariance)] * 2))
    assert np.abs(correlation - np.corrcoef(again.T)).max() < 0.2
    first = (joint.ranks(seed=2) == 1).mean(axis=0)
    assert np.abs(first - np.bincount(again.argmax(axis=1), minlength=4) / 250).max() < 0.08


def simulated_cells(n):
    random = np.random.default_rng(8)
    cells = []
    for stage, present in (("trial", np.arange(n)), ("paid", random.permutation(n)[: n // 2])):
        ids = np.sort(np.concatenate([present, present[: n // 5]]))  # some come twice
        exits = Exits(
            stage,
            None,
            ("advanced", "price", "other"),
            np.full(len(ids), -1.0),
            random.integers(1, 40, len(ids)).astype(float),
            random.choice([-1, 1, 2, 3], len(ids), p={"trial": [0.2, 0.3, 0.3, 0.2]}.get(stage, [0.1, 0.1, 0.6, 0.2])),
            ids,
            earliest={},
        )
        cells.append(StageExits(exits, 5, 0.95))
    return cells


def resampled(cell, drawn):
    """The visits of the customers `drawn`, each drawing a customer of its own."""
    rows = [np.flatnonzero(cell.entered.customers == customer) for customer in drawn]
    who = np.repeat(np.arange(len(drawn)), [len(each) for each in rows])
    picked = cell.entered.only(np.concatenate(rows))
    columns = {name: getattr(picked, name) for name in ("entry", "exit", "destination")}
    return StageExits(
        Exits(picked.stage, None, picked.ways, **columns, customers=who, earliest={}), cell.min_at_risk, cell.confidence
    )


def test_figures_say_where_most_is_lost_and_how_sure_that_is(spells_of):
    found = estimate_dropoff(spells_of(random_rows(200)), horizons=["15d"])
    chart = found.plot_vulnerability("15d", seed=1)
    assert chart.alt.startswith("How many visits are lost, most first. 1. “trial” to “price”: ")
    assert "first in" in chart.axes.get_yticklabels()[0].get_text()
    nothing = estimate_dropoff(spells_of([]), horizons=["30d"])
    assert nothing.plot_vulnerability("30d", seed=1).alt == nothing.lacking
    assert nothing.stability_in_words("30d", seed=1) == nothing.lacking


def test_a_funnel_chart_takes_for_lost_who_is_still_inside(spells_of):
    """Of 20 in paid 15 came lately and are inside: not moved on. In trial half are lost at once."""
    rows = [(f"c{i}", "trial", 0, 2, "price" if i % 2 else "advanced") for i in range(40)]
    rows += [(f"c{2 * i}", "paid", 2, 6 if i >= 15 else 10, "advanced" if i >= 15 else None) for i in range(20)]
    found = estimate_dropoff(spells_of(rows, end=10), horizons=["5d"])
    table = found.against_naive("5d").set_index("stage")
    assert table.loc["trial", ["entered", "moved_on", "ongoing", "naive", "crude", "estimate"]].tolist() == [
        40, 20, 0, 0.5, 0.5, 0.5,
    ]  # fmt: skip
    assert table.loc["paid", ["entered", "moved_on", "ongoing", "naive", "crude", "estimate"]].tolist() == [
        20, 5, 15, 0.75, 0, 0,
    ]  # fmt: skip
    assert found.naive_in_words("5d") == (
        "Counting who moved on, the largest share seems to be lost in “paid”: 75% of 20 visits have not moved on. But "
        "15 of them are still inside, and not everyone was watched for equally long. Estimated within 5 days of "
        "entering, the largest share is lost in “trial” instead: 50% (35% to 65%) of 40 visits."
    )
    assert found.plot_against_naive("5d").alt == found.naive_in_words("5d")
    nobody = estimate_dropoff(spells_of([]), horizons=["5d"])
    assert nobody.plot_against_naive("5d").alt == nobody.lacking


def test_where_nobody_is_inside_any_more_the_naive_count_is_still_one_of_whatever_happened_when(spells_of):
    rows = [(f"c{i}", "trial", 0, 50 if i < 15 else 2, "price" if i < 20 else "advanced") for i in range(40)]
    rows += [(f"c{i}", "paid", 0, 2, "price" if i < 16 else "advanced") for i in range(40)]
    found = estimate_dropoff(spells_of(rows), horizons=["9d"])
    assert found.naive_in_words("9d") == (
        "Counting who moved on, the largest share seems to be lost in “trial”: 50% of 40 visits have not moved on. "
        "None of them is still inside, and the count includes all that happened, however late. Estimated within 9 days "
        "of entering, the largest share is lost in “paid” instead: 40% (26% to 56%) of 40 visits."
    )


def test_where_all_counts_are_too_small_to_be_handed_on_there_is_no_naive_view(spells_of):
    rows = [(f"c{i}", "trial", 0, 5, ("price", "other", "advanced")[i % 3]) for i in range(12)]
    found = estimate_dropoff(spells_of(rows), horizons=["9d"]).for_export()
    assert found.naive_in_words("9d") == (
        "The naive view cannot be compared with an estimate: no stage has enough customers for both."
    )


def test_counting_misleads_only_where_visits_are_still_going_on_and_another_place_is_named(spells_of):
    trial = [(f"c{i}", "trial", 0, 2, "price" if i < 20 else "advanced") for i in range(40)]
    inside = [(f"c{i}", "paid", 2, 1000, None) for i in range(20, 40)]
    late = [(f"c{i}", "paid", 995, 1000, None) for i in range(40, 60)]
    assert estimate_dropoff(spells_of(trial + inside), horizons=["5d"]).counting_misleads("5d")
    assert estimate_dropoff(spells_of(trial + late), horizons=["5d"]).counting_misleads("5d")
    # Here nobody is inside any more, so that nothing but the horizon can differ.
    over = [(f"c{i}", "trial", 0, 50 if i < 15 else 2, "price" if i < 20 else "advanced") for i in range(40)]
    over += [(f"c{i}", "paid", 0, 2, "price" if i < 16 else "advanced") for i in range(40)]
    assert not estimate_dropoff(spells_of(over), horizons=["9d"]).counting_misleads("9d")
    assert not estimate_dropoff(spells_of(trial), horizons=["5d"]).counting_misleads("5d")
    assert not estimate_dropoff(spells_of([]), horizons=["5d"]).counting_misleads("5d")


def test_those_who_stay_in_the_stage_that_completes_the_journey_are_at_the_goal(spells_of):
    rows = [(f"c{i}", "trial", 0, 5, "completed") for i in range(12)]
    rows += [(f"c{i}", "partner", 5, 1000, None) for i in range(12)]
    alt = estimate_dropoff(spells_of(rows), horizons=["9d"]).plot_ledger().alt
    assert "partner: 12 entered, 12 at the goal" in alt
    assert "ongoing" not in alt
