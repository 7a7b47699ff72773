"""Drop-off: the ledger adds up, and the shares lost are right under censoring, late entry and other ways out."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.duration.survfunc import CumIncidenceRight

from journeylab.base.errors import EstimateError, JourneyLabError
from journeylab.events.spells.exits import check_ledger
from journeylab.findings.dropoff import estimate_dropoff
from journeylab.findings.grouping import Grouping

FOUR = [
    ("a", "trial", 0, 2, "price"),
    ("b", "trial", 1, 5, "advanced"),
    ("c", "trial", 0, 5, None),
    ("d", "trial", 0, 10, "price"),
]
START = pd.Timestamp("2025-01-01", tz="UTC")


def share(finding, stage, to, day, column="estimate", **group):
    table = finding.table
    rows = (table["stage"] == stage) & (table["to"] == to) & (table["horizon_days"] == day)
    for name, value in group.items():
        rows &= table[name] == value
    return table.loc[rows, column].item()


def test_shares_are_those_worked_by_hand(spells_of):
    """Day 2: 1 of 4 leaves. Day 4: 1 of 3 of the 3/4 inside. Day 5: one is censored. Day 10: the last, of 1/2."""
    found = estimate_dropoff(spells_of(FOUR), horizons=["3d", "10d"], min_at_risk=1)
    assert share(found, "trial", "price", 3) == pytest.approx(1 / 4)
    assert share(found, "trial", "advanced", 3) == 0
    assert share(found, "trial", "advanced", 10) == pytest.approx(1 / 4)
    assert share(found, "trial", "price", 10) == pytest.approx(3 / 4)
    assert share(found, "trial", "price", 10, "crude") == 2 / 4
    assert [share(found, "trial", "price", 10, each) for each in ("n", "customers", "events", "at_risk")] == [
        4,
        4,
        2,
        1,
    ]
    lost = found.losses.set_index(["stage", "horizon_days"])["estimate"]
    assert lost["trial", 10] == pytest.approx(3 / 4)


def test_the_ledger_counts_every_visit_once_and_shows_stages_nobody_entered(spells_of):
    rows = [*FOUR, ("b", "paid", 5, 9, "regressed"), ("b", "trial", 9, 10, None), ("e", "trial", -3, 8, "other")]
    ledger = estimate_dropoff(spells_of(rows), horizons=["3d"]).ledger.set_index("stage")
    assert list(ledger) == [
        "entered",
        "advanced",
        "regressed",
        "completed",
        "price",
        "other",
        "silent",
        "ongoing",
        "already_inside",
    ]
    assert ledger.loc["trial"].tolist() == [6, 1, 0, 0, 2, 1, 0, 2, 1]
    assert ledger.loc["paid"].tolist() == [1, 0, 1, 0, 0, 0, 0, 0, 0]
    assert ledger.loc["plus"].tolist() == [0] * 9
    assert list(ledger.index) == ["trial", "paid", "plus", "partner"]


ways = st.sampled_from(["advanced", "regressed", "completed", "price", "other", "silent", None])
visit = st.tuples(
    st.sampled_from("abcdef"),
    st.sampled_from(["trial", "paid", "plus", "partner"]),
    st.integers(-5, 20),
    st.integers(0, 20),
    ways,
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(visits=st.lists(visit, min_size=1, max_size=40), split=st.booleans())
def test_the_ledger_adds_up_and_no_share_exceeds_what_left(spells_of, visits, split):
    rows = [
        (customer, stage, entered, max(entered + length, 1), way) for customer, stage, entered, length, way in visits
    ]
    labels = pd.Series(dict.fromkeys("abcdef", "x") | {"a": "y"}, name="group")
    found = estimate_dropoff(spells_of(rows), horizons=["2d", "9d"], by=labels if split else None, min_at_risk=1)
    check_ledger(found.ledger)
    assert found.ledger["entered"].sum() == len(rows)
    known = found.table.dropna(subset="estimate")
    per_stage = known.groupby([*(["group"] if split else []), "stage", "horizon_days"])["estimate"].sum()
    assert (per_stage <= 1 + 1e-9).all()
    bounded = known.dropna(subset=["lower", "upper"])
    assert ((bounded["lower"] <= bounded["estimate"] + 1e-9) & (bounded["estimate"] <= bounded["upper"] + 1e-9)).all()


def test_a_ledger_that_does_not_add_up_is_refused():
    ledger = pd.DataFrame({"stage": ["trial"], "entered": [10], "advanced": [4], "regressed": [0], "completed": [0],
                           "price": [3], "ongoing": [2], "already_inside": [1]})  # fmt: skip
    with pytest.raises(EstimateError) as error:
        check_ledger(ledger)
    assert str(error.value) == (
        "The ledger of stage “trial” does not add up: 10 entered, and 9 advanced, regressed, completed, were lost or "
        "are ongoing. Every visit must have exactly one outcome: find the spells again."
    )


def test_shares_agree_with_statsmodels_where_ways_compete(spells_of):
    random = np.random.default_rng(3)
    length, way = random.integers(1, 40, 300), random.integers(0, 4, 300)
    length[0], way[0] = 50, 0  # statsmodels divides by zero where the last at risk all leave
    names = [None, "advanced", "price", "other"]
    rows = [(f"c{i}", "paid", 0, int(length[i]), names[way[i]]) for i in range(300)]
    found = estimate_dropoff(spells_of(rows), horizons=["7d", "20d", "30d"])
    other = CumIncidenceRight(length, way)
    for place, name in enumerate(names[1:]):
        for day in (7, 20, 30):
            there = other.cinc[place][np.searchsorted(other.times, day, "right") - 1]
            assert share(found, "paid", name, day) == pytest.approx(there, abs=1e-12)


def test_without_censoring_the_interval_is_that_of_a_share_on_the_logit_scale(spells_of):
    rows = [(f"c{i}", "trial", 0, 1 + i, "price" if i < 8 else "advanced") for i in range(16)]
    found = estimate_dropoff(spells_of(rows), horizons=["20d"])
    factor = np.exp(norm.isf(0.025) * np.sqrt(0.5 * 0.5 / 16) / (0.5 * 0.5))
    assert share(found, "trial", "price", 20) == pytest.approx(0.5)
    assert share(found, "trial", "price", 20, "lower") == pytest.approx(1 / (1 + factor))
    assert share(found, "trial", "price", 20, "upper") == pytest.approx(factor / (1 + factor))


def test_visits_of_one_customer_count_once_in_the_interval(spells_of):
    once = [(f"c{i}", "paid", i, i + 1 + i % 7, ("price", "other", None)[i % 3]) for i in range(40)]
    twice = once + [(customer, stage, entered + 100, left + 100, way) for customer, stage, entered, left, way in once]
    single, double = (estimate_dropoff(spells_of(rows), horizons=["4d"]) for rows in (once, twice))
    for column in ("estimate", "lower", "upper"):
        assert share(double, "paid", "price", 4, column) == pytest.approx(share(single, "paid", "price", 4, column))
    assert share(double, "paid", "price", 4, "n") == 80
    assert share(double, "paid", "price", 4, "customers") == 40


def test_a_visit_running_at_the_windows_start_is_at_risk_only_from_its_age_then(spells_of):
    """Day 2: a leaves of a and b. Late, who entered 3 days before the window, joins then. Day 5: late of b and late."""
    rows = [("a", "trial", 0, 2, "price"), ("b", "trial", 0, 9, None), ("late", "trial", -3, 2, "price")]
    found = estimate_dropoff(spells_of(rows), horizons=["2d", "5d"], min_at_risk=1)
    assert share(found, "trial", "price", 2) == pytest.approx(1 / 2)
    assert share(found, "trial", "price", 5) == pytest.approx(1 / 2 + 1 / 2 * 1 / 2)
    assert found.ledger.loc[0, "already_inside"] == 1


def test_a_way_out_nobody_took_has_wilsons_upper_bound(spells_of):
    rows = [(f"c{i}", "trial", 0, 1 + i, "advanced") for i in range(20)]
    found = estimate_dropoff(spells_of(rows), horizons=["30d"])
    z2 = norm.isf(0.025) ** 2
    assert share(found, "trial", "price", 30) == 0
    assert share(found, "trial", "price", 30, "lower") == 0
    assert share(found, "trial", "price", 30, "upper") == pytest.approx(z2 / (20 + z2))


def test_an_estimate_on_too_few_at_risk_is_missing_and_says_so(spells_of):
    rows = [(f"c{i}", "trial", 0, 5 if i < 15 else 40, "price" if i < 10 else None) for i in range(20)]
    found = estimate_dropoff(spells_of(rows), horizons=["5d", "30d"])
    assert share(found, "trial", "price", 5) == pytest.approx(0.5)
    assert np.isnan([share(found, "trial", "price", 30, each) for each in ("estimate", "lower", "upper")]).all()
    assert share(found, "trial", "price", 30, "note") == "fewer than 10 at risk after day 5.0"
    assert share(found, "trial", "price", 30, "crude") == 0.5
    assert share(found, "plus", "other", 30, "note") == "nobody entered"


def test_a_small_group_is_missing_rather_than_noise(spells_of):
    rows = [(f"c{i}", "trial", 0, 1 + i % 4, "price") for i in range(30)]
    labels = pd.Series({f"c{i}": "few" if i < 4 else "many" for i in range(30)}, name="size")
    found = estimate_dropoff(spells_of(rows), horizons=["2d"], by=labels)
    assert np.isnan(share(found, "trial", "price", 2, group="few"))
    assert share(found, "trial", "price", 2, "note", group="few") == "only 4 visits of 4 customers"
    assert share(found, "trial", "price", 2, group="many") == pytest.approx(14 / 26)


def test_a_label_known_later_starts_the_clock_there(spells_of):
    """Labels known on day 3: whoever was lost before is in no group; the estimate is given being inside on day 3."""
    rows = [("a", "trial", 0, 2, "price"), ("b", "trial", 0, 5, "price"), ("c", "trial", 0, 9, "advanced")]
    labels = pd.Series(dict.fromkeys("abc", "x"))
    known = pd.Series(START + pd.Timedelta(days=3), index=labels.index)
    found = estimate_dropoff(spells_of(rows), horizons=["6d"], by=Grouping("persona", labels, known), min_at_risk=1)
    assert found.ledger.set_index("stage").loc["trial", ["entered", "already_inside"]].tolist() == [2, 2]
    assert share(found, "trial", "price", 6) == pytest.approx(1 / 2)
    assert share(found, "trial", "price", 6, "note") == "given still inside on day 3.0"
    assert found.title == "Drop-off by stage and branch, by persona"


def many(n=40):
    """Of n customers a quarter is lost to price on day 5, a quarter to other on day 6, the rest advance on day 8; of
    those a tenth is lost to price in paid on day 20 after entering, nobody else leaves."""
    rows = []
    for i in range(n):
        way, length = [("price", 5), ("other", 6), ("advanced", 8), ("advanced", 8)][i % 4]
        rows.append((f"c{i:02}", "trial", 0, length, way))
        if way == "advanced":
            rows.append((f"c{i:02}", "paid", 8, 28 if i % 20 == 2 else 100, "price" if i % 20 == 2 else None))
    return rows


def test_vulnerability_ranks_stage_and_branch_by_visits_lost(spells_of):
    found = estimate_dropoff(spells_of(many(), end=100), horizons=["7d", "30d"])
    ranked = found.vulnerability("30d")
    assert ranked.loc[:2, ["rank", "stage", "branch"]].to_numpy().tolist() == [
        [1, "trial", "price"], [2, "trial", "other"], [3, "paid", "price"],
    ]  # fmt: skip
    assert ranked.loc[:2, "estimate"].tolist() == pytest.approx([10, 10, 2])
    assert ranked.loc[2, ["share", "customers"]].tolist() == pytest.approx([0.1, 20])
    # Ten were seen to be lost, more than the lower limit of the share makes of 40.
    assert ranked.loc[0, "lower"] == 10 > ranked.loc[0, "share_lower"] * 40
    assert ranked.loc[0, "upper"] == pytest.approx(ranked.loc[0, "share_upper"] * 40)
    assert ranked.loc[:2, "customers_lost"].tolist() == pytest.approx([10, 10, 2])
    missing = ranked[ranked["rank"].isna()]
    assert missing["stage"].tolist() == ["plus"]
    assert missing["note"].tolist() == ["nobody entered"]


def test_the_sentence_names_number_interval_and_base(spells_of):
    found = estimate_dropoff(spells_of(many(), end=100), horizons=["7d", "30d"])
    assert found.sentence() == (
        "The largest single exit is “price” in “trial”: 25% of 40 visits (95% interval 14% to 41%) are lost to it "
        "within 30 days of entering, about 10 visits (10 to 16), by about 10 different customers."
    )
    assert found.sentence("30d") == found.sentence()
    assert "are lost to it within 7 days of entering" in found.sentence("7d")
    with pytest.raises(EstimateError, match="was estimated for the horizons 7d, 30d, not for “9d”"):
        found.sentence("9d")
    labels = pd.Series({f"c{i:02}": "odd" if i % 2 else "even" for i in range(40)}, name="half")
    grouped = estimate_dropoff(spells_of(many(), end=100), horizons=["7d"], by=labels, confidence=0.9)
    assert grouped.sentence() == (
        "The largest single exit is “price” in “trial” among customers with half “even”: 50% of 20 visits (90% "
        "interval 32% to 68%) are lost to it within 7 days of entering, about 10 visits (10 to 14), by about 10 "
        "different customers."
    )


def test_the_sentence_says_when_nothing_can_be_estimated_or_nobody_was_lost(spells_of):
    assert estimate_dropoff(spells_of(FOUR), horizons=["3d"]).sentence() == (
        "How many are lost cannot be estimated yet: only 4 visits of 4 customers."
    )
    kept = [(f"c{i}", "trial", 0, 9, "advanced") for i in range(12)]
    assert estimate_dropoff(spells_of(kept), horizons=["3d", "9d"]).sentence() == (
        "No customer was lost within 9 days of entering in any stage where that can be estimated."
    )


def test_lanes_say_how_many_are_lost_and_by_which_branch_most(spells_of):
    lanes = estimate_dropoff(spells_of(many(), end=100), horizons=["7d", "30d"]).by_stage()
    assert list(lanes.index) == ["trial", "paid", "plus", "partner"]
    assert lanes.loc["trial"].tolist() == ["50% within 30 days (35% to 65%; 40 visits)", "price (25%)"]
    assert lanes.loc["paid", "main branch"] == "price (10%)"
    assert lanes.loc["plus"].tolist() == [None, None]


def test_figures_carry_their_numbers_in_words(spells_of):
    found = estimate_dropoff(spells_of(many(), end=100), horizons=["7d", "30d"])
    assert found.plot(horizon="7d").alt.startswith(
        "Share of visits lost within 7 days of entering, highest first. trial, price: 25% (14% to 41%) of 40; "
    )
    assert found.plot_ledger().alt == (
        "What became of those who entered, so far. trial: 40 entered, 20 advanced, 10 price, 10 other; "
        "paid: 20 entered, 2 price, 18 ongoing."
    )
    axes = found.plot().axes
    assert found.plot(axes).axes is axes


def test_where_no_loss_can_be_estimated_the_figure_is_the_ledger(spells_of):
    found = estimate_dropoff(spells_of(FOUR), horizons=["3d"])
    assert found.plot().alt == (
        "What became of those who entered, so far. trial: 4 entered, 1 advanced, 2 price, 1 ongoing."
    )


def test_figures_of_groups_show_the_groups_of_a_stage_side_by_side(spells_of):
    labels = pd.Series({f"c{i:02}": "odd" if i % 2 else "even" for i in range(40)}, name="half")
    found = estimate_dropoff(spells_of(many(), end=100), horizons=["7d"], by=labels)
    assert found.plot().alt == (
        "Share of visits lost within 7 days of entering, highest first. trial, even: 50% (29% to 71%) of 20; "
        "trial, odd: 50% (29% to 71%) of 20; paid, even: 0% (0% to 28%) of 10; paid, odd: 0% (0% to 28%) of 10."
    )
    shown = [label.get_text() for label in found.plot_ledger().axes.get_yticklabels()]
    assert shown == ["trial · even", "trial · odd", "paid · even", "paid · odd"]


def test_the_result_does_not_depend_on_the_order_of_rows(spells_of):
    rows = many()
    found, again = (estimate_dropoff(spells_of(each), horizons=["7d", "30d"]) for each in (rows, rows[::-1]))
    pd.testing.assert_frame_equal(found.table, again.table, check_exact=True)


@pytest.mark.parametrize(
    ("decisions", "text"),
    [
        ({"horizons": []}, "No horizon is given. Name one or more, such as horizons=[“30d”, “90d”]."),
        (
            {"horizons": ["30"]},
            "“30” is not a duration. Write a positive number and its unit, one of s, m, h, d, w: “30d”, “12h”.",
        ),
        (
            {"horizons": [30]},
            "“30” is not a duration. Write a positive number and its unit, one of s, m, h, d, w: “30d”, “12h”.",
        ),
        ({"confidence": 95}, "The confidence is 95. Give a share above 0 and below 1, such as 0.95."),
        ({"min_at_risk": 0}, "`min_at_risk` is 0, less than 1. An estimate needs someone at risk."),
        ({"by": "plant"}, "The customers have no attribute “plant” to group by. Did you mean “plan”?"),
        (
            {"by": pd.Series({"z": "x"}, name="persona")},
            "None of the customers with a label of “persona” (1) has a spell. Index the labels by customer_id.",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(spells_of, decisions, text):
    attributes = pd.DataFrame({"plan": ["s"] * 4}, index=pd.Index(list("abcd"), name="customer_id"))
    with pytest.raises(JourneyLabError) as error:
        estimate_dropoff(spells_of(FOUR, attributes=attributes), **{"horizons": ["3d"], **decisions})
    assert str(error.value) == text


def test_spells_without_a_row_are_an_empty_result_that_says_so(spells_of):
    found = estimate_dropoff(spells_of([]), horizons=["3d"])
    assert found.sentence() == found.lacking
    assert found.lacking == (
        "Nobody was in a stage while it was watched, so there is nothing to estimate. Look whether the log holds "
        "events that open the stages: lint_journey(journey, log=log) tells."
    )
    assert found.ledger["stage"].tolist() == ["trial", "paid", "plus", "partner"]
    assert not found.ledger.drop(columns="stage").to_numpy().any()
    assert set(found.table["note"]) == {"nobody entered"}
    assert found.vulnerability("3d")["rank"].isna().all()


def test_the_ledger_of_groups_with_nobody_in_them_has_its_columns_and_no_row(spells_of):
    nobody = pd.Series([], index=pd.Index([], dtype=object), dtype=object, name="plan")
    found = estimate_dropoff(spells_of(FOUR), horizons=["3d"], by=nobody)
    whole = estimate_dropoff(spells_of(FOUR), horizons=["3d"])
    assert list(found.ledger) == ["group", *whole.ledger]
    assert list(found.losses) == ["group", *whole.losses]
    assert (len(found.ledger), len(found.losses), len(found.vulnerability("3d"))) == (0, 0, 0)
    check_ledger(found.ledger)


def test_a_horizon_that_was_not_estimated_is_refused(spells_of):
    with pytest.raises(EstimateError) as error:
        estimate_dropoff(spells_of(FOUR), horizons=["3d", "2w"]).vulnerability("30d")
    assert str(error.value) == (
        "Drop-off was estimated for the horizons 3d, 14d, not for “30d”. Ask for one of these, or estimate it again "
        "with this horizon among them."
    )


def test_a_few_who_came_back_early_do_not_decide_for_those_watched_from_later_on(spells_of):
    """Labels known on day 10: 12 visits join at that age; two win-backs, watched from day 0, leave a day later."""
    rows = [(f"c{i}", "trial", 0, 12 + i, "price" if i < 6 else "advanced") for i in range(12)]
    rows += [(f"c{i}", "trial", 30, 31, "other") for i in range(2)]
    labels = pd.Series({f"c{i}": "x" for i in range(12)})
    known = pd.Series(START + pd.Timedelta(days=10), index=labels.index)
    found = estimate_dropoff(spells_of(rows), horizons=["5d", "14d"], by=Grouping("persona", labels, known))
    assert share(found, "trial", "price", 5, "note") == "fewer than 10 at risk until day 10.0"
    assert share(found, "trial", "price", 14) == pytest.approx(3 / 12)
    assert share(found, "trial", "price", 14, "n") == 12
    assert share(found, "trial", "price", 14, "note") == "given still inside on day 10.0"
    assert share(found, "trial", "other", 14, "crude") == 2 / 14
    assert found.ledger.loc[0, ["entered", "already_inside"]].tolist() == [14, 12]
    assert (
        "are lost to it within 14 days of entering (given still inside on day 10.0), about 3 visits (3 to 7), by about "
        "3 different customers." in found.sentence()
    )
    assert (
        found.by_stage()
        .loc["trial", "lost (x)"]
        .endswith("12 visits, “silent” cannot show before day 30; given still inside on day 10.0)")
    )
