"""Occupancy: shares on the journey clock are those worked by hand, and sum to one."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from by_hand import at, journeys_of
from matplotlib.colors import to_hex

from journeylab.base.charts import Chart
from journeylab.base.errors import EstimateError
from journeylab.estimators.intervals import probability_interval, wilson
from journeylab.events.spells.transitions import find_transitions
from journeylab.findings.finding import Finding
from journeylab.findings.grouping import Grouping
from journeylab.findings.occupancy import estimate_occupancy

# a is lost to price; b goes on to paid; c too, is lost there, and comes back; d stays. All are watched for 100 days.
FOUR = [
    ("a", "trial", 0, 2, "price"),
    *[("b", "trial", 0, 5, "paid"), ("b", "paid", 5, 100, None)],
    *[("c", "trial", 0, 5, "paid"), ("c", "paid", 5, 10, "other"), ("c", "paid", 20, 100, None)],
    ("d", "trial", 0, 100, None),
]
STAGES = ["trial", "paid", "plus", "partner"]
STATES = [*STAGES, "price", "other", "silent"]


def shares(table, day, column="estimate") -> dict:
    """What is not 0 on that day, by state."""
    found = table[table["days"] == day].set_index("state")[column]
    return found[found != 0].to_dict()


def cell(table, state, day) -> pd.Series:
    return table[(table["state"] == state) & (table["days"] == day)].iloc[0]


def random_journeys(seed, n, *, end=60):
    """Customers who begin on any day, move on or are lost at random on whole days, and may come back."""
    random = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        day, stage = int(random.integers(0, end)), "trial"
        while True:
            left, to = day + int(random.integers(0, 15)), ["paid", "plus", "price", "other"][random.integers(4)]
            to = "other" if to == stage or (to, stage) in (("paid", "plus"), ("price", "plus")) else to
            if left >= end:
                rows.append((f"c{i}", stage, day, end, None))
                break
            rows.append((f"c{i}", stage, day, left, to))
            day = left + int(random.integers(1, 20)) if to in ("price", "other") else left
            stage = "paid" if to in ("price", "other") else to
            if day >= end:
                break
    return rows


def test_without_censoring_the_shares_are_plain_ones():
    found = estimate_occupancy(journeys_of(FOUR), times=["30d", "1d", "5d", "15d"])
    assert found.times == (1, 5, 15, 30)
    assert shares(found.table, 1) == {"trial": 1}
    assert shares(found.table, 5) == {"trial": 0.25, "paid": 0.5, "price": 0.25}
    assert shares(found.table, 15) == {"trial": 0.25, "paid": 0.25, "price": 0.25, "other": 0.25}
    assert shares(found.table, 30) == {"trial": 0.25, "paid": 0.5, "price": 0.25}
    assert list(found.table["state"].unique()) == STATES
    assert set(found.table.loc[found.table["kind"] == "branch", "state"]) == {"price", "other", "silent"}


def test_between_a_loss_and_the_return_the_customer_is_lost():
    found = estimate_occupancy(journeys_of(FOUR), times=["5d", "15d", "30d"])
    assert shares(found.losses, 5) == {"lost": 0.25}
    assert shares(found.losses, 15) == {"lost": 0.5}
    assert shares(found.losses, 30) == {"lost": 0.25}


def test_intervals_of_plain_shares_are_those_of_a_binomial_and_wilsons_at_the_ends():
    found = estimate_occupancy(journeys_of(FOUR), times=["15d"], confidence=0.9)
    share, lost = cell(found.table, "trial", 15), found.losses.iloc[0]
    for row, estimate in ((share, 0.25), (lost, 0.5)):
        error = np.sqrt(estimate * (1 - estimate) / 4)
        limits = probability_interval(estimate, error, scale="logit", confidence=0.9)
        assert row[["lower", "upper"]].tolist() == pytest.approx(np.array(limits))
    never = cell(found.table, "partner", 15)
    assert never[["estimate", "lower", "upper"]].tolist() == [0, 0, wilson(0, 4, confidence=0.9)[1]]


def test_mean_days_are_the_areas_under_the_shares_and_fill_the_time():
    """In the first 30 days: trial 2 + 5 + 5 + 30, paid 25 + 15, price 28, other 10."""
    means = estimate_occupancy(journeys_of(FOUR), times=["30d"]).mean_days.set_index("state")
    assert means["estimate"].to_dict() == {
        **dict.fromkeys(STATES, 0),
        "trial": 10.5,
        "paid": 10,
        "price": 7,
        "other": 2.5,
    }
    in_trial = np.array([2, 5, 5, 30])
    assert means.loc["trial", "standard_error"] == pytest.approx(in_trial.std() / 2)
    limits = np.array(probability_interval(10.5 / 30, in_trial.std() / 2 / 30, scale="logit")) * 30
    assert means.loc["trial", ["lower", "upper"]].tolist() == pytest.approx(limits)
    assert means.loc["plus", ["lower", "upper"]].tolist() == pytest.approx([0, wilson(0, 4)[1] * 30])
    assert means.loc["trial", ["from_days", "horizon_days", "n", "at_risk"]].tolist() == [0, 30, 4, 4]
    assert (means["lower"] >= 0).all()
    assert (means["upper"] <= 30).all()


def test_who_was_ever_there_is_counted_after_they_left():
    found = estimate_occupancy(journeys_of(FOUR), times=["5d", "30d"])
    assert shares(found.reached, 5) == {"trial": 1, "paid": 0.5, "price": 0.25}
    assert shares(found.reached, 30) == {"trial": 1, "paid": 0.5, "price": 0.25, "other": 0.25}


def test_customers_whose_window_ends_are_censored():
    """The window ends on day 10; b, who came on day 6, is watched for 4 days. Of the 3 in trial on day 4, a moves on;
    on day 8 the only one left there is lost."""
    rows = [
        *[("a", "trial", 0, 4, "paid"), ("a", "paid", 4, 10, None)],
        ("b", "trial", 6, 10, None),
        ("c", "trial", 0, 8, "price"),
    ]
    found = estimate_occupancy(journeys_of(rows, end=10), times=["3d", "4d", "9d", "11d"])
    assert shares(found.table, 3) == {"trial": 1}
    assert shares(found.table, 4) == pytest.approx({"trial": 2 / 3, "paid": 1 / 3})
    assert shares(found.table, 9) == pytest.approx({"paid": 1 / 3, "price": 2 / 3})
    assert cell(found.table, "trial", 4)[["at_risk", "n", "note"]].tolist() == [
        3,
        3,
        "only 3 of 3 customers watched so long",
    ]
    assert cell(found.table, "trial", 9)["at_risk"] == 2
    beyond = found.table[found.table["days"] == 11]
    assert beyond[["estimate", "lower", "upper"]].isna().all(axis=None)
    assert set(beyond["note"]) == {"nobody was watched after day 10.0"}
    assert set(found.mean_days["horizon_days"]) == {9}


def test_a_stage_held_for_no_time_is_passed_through_but_was_reached():
    rows = [
        *[("a", "trial", 0, 0, "paid"), ("a", "paid", 0, 5, "plus"), ("a", "plus", 5, 5, "price")],
        ("b", "trial", 0, 100, None),
    ]
    found = estimate_occupancy(journeys_of(rows), times=["1d", "5d"])
    assert shares(found.table, 1) == {"trial": 0.5, "paid": 0.5}
    assert shares(found.table, 5) == {"trial": 0.5, "price": 0.5}
    assert shares(found.reached, 1) == {"trial": 1, "paid": 0.5}
    assert shares(found.reached, 5) == {"trial": 1, "paid": 0.5, "plus": 0.5, "price": 0.5}


def test_journeys_that_began_before_the_window_are_left_out_and_counted():
    rows = [*FOUR, ("e", "trial", -5, 50, "price"), ("f", "trial", -5, -2, "price"), ("f", "paid", 3, 100, None)]
    found = estimate_occupancy(journeys_of(rows), times=["15d"])
    assert found.n_left_out == 2
    pd.testing.assert_frame_equal(found.table, estimate_occupancy(journeys_of(FOUR), times=["15d"]).table)
    assert found.sentence().endswith(" Left out: 2 customers whose journey began before the window.")


def test_customers_may_begin_anywhere_and_the_error_of_that_is_counted():
    rows = [(f"c{i}", "paid" if i < 12 else "trial", 0, 100, None) for i in range(40)]
    share = cell(estimate_occupancy(journeys_of(rows), times=["10d"]).table, "paid", 10)
    limits = probability_interval(0.3, np.sqrt(0.3 * 0.7 / 40), scale="logit")
    assert share[["estimate", "lower", "upper"]].tolist() == pytest.approx(np.array([0.3, *limits]))


def test_at_any_day_the_shares_sum_to_one_and_lie_in_their_intervals():
    found = estimate_occupancy(journeys_of(random_journeys(1, 120), end=60), times=["2d", "10d", "40d", "59d"])
    assert found.table.groupby("days")["estimate"].sum().to_numpy() == pytest.approx(1)
    assert found.mean_days["estimate"].sum() == pytest.approx(found.mean_days["horizon_days"].iloc[0])
    for table in (found.table, found.reached, found.losses, found.mean_days):
        assert (table["lower"] <= table["estimate"] + 1e-12).all()
        assert (table["estimate"] <= table["upper"] + 1e-12).all()
    lost = found.table[found.table["kind"] == "branch"].groupby("days")["estimate"].sum()
    assert found.losses["estimate"].to_numpy() == pytest.approx(lost.to_numpy())


def test_what_is_never_left_is_reached_as_often_as_it_is_held_and_reaching_never_falls():
    rows = [(c, s, a, b, "partner" if to == "plus" else to) for c, s, a, b, to in random_journeys(2, 90) if s != "plus"]
    last = {c: b for c, _, _, b, to in rows if to == "partner"}
    rows = [row for row in rows if row[2] < last.get(row[0], np.inf)]
    rows += [(customer, "partner", day, 60, None) for customer, day in last.items()]
    found = estimate_occupancy(journeys_of(rows, end=60), times=[f"{day}d" for day in range(1, 50, 6)])
    held, reached = (table[table["state"] == "partner"] for table in (found.table, found.reached))
    columns = ["estimate", "lower", "upper"]
    np.testing.assert_allclose(reached[columns], held[columns], atol=1e-12)
    assert (found.reached["estimate"] >= found.table["estimate"] - 1e-12).all()
    assert (found.reached.groupby("state")["estimate"].diff().dropna() >= -1e-12).all()


def test_what_all_were_watched_for_is_a_plain_share_whatever_came_later():
    rows = random_journeys(3, 100, end=60)
    early = {customer for customer, _, entered, _, _ in rows if entered <= 30}
    first = {}
    for customer, _, entered, _, _ in rows:
        first.setdefault(customer, entered)
    rows = [row for row in rows if first[row[0]] <= 30 and row[0] in early]
    found = estimate_occupancy(journeys_of(rows, end=60), times=["11d", "30d"])
    journeys = find_transitions(journeys_of(rows, end=60))
    for day in (11, 30):
        here = (journeys.entry <= day) & (journeys.exit > day)
        here |= (journeys.exit == journeys.until[journeys.customer]) & (journeys.exit == day)
        counts = np.bincount(journeys.origin[here], minlength=len(STATES)) / journeys.n
        estimate = found.table[found.table["days"] == day]["estimate"].to_numpy()
        assert estimate == pytest.approx(counts, abs=1e-12)


def test_a_label_known_later_starts_the_curves_there_on_the_same_clock():
    """Known on day 3 of each journey: a was lost before that; who is labelled is watched from then on."""
    labels = pd.Series(dict.fromkeys("abcd", "x"))
    grouping = Grouping("persona", labels, pd.Series(at(3), index=labels.index))
    found = estimate_occupancy(journeys_of(FOUR), times=["1d", "3d", "5d", "30d"], by=grouping)
    assert found.title == "Where customers are in their journey, by persona"
    early = found.table[found.table["days"] == 1]
    assert early["estimate"].isna().all()
    assert set(early["note"]) == {"customers are watched from day 3.0 on"}
    assert shares(found.table, 3) == {"trial": 0.75, "price": 0.25}
    assert cell(found.table, "plus", 3)[["at_risk", "upper"]].tolist() == [4, wilson(0, 4)[1]]
    assert shares(found.table, 5) == {"trial": 0.25, "paid": 0.5, "price": 0.25}
    assert shares(found.reached, 5) == {"trial": 1, "paid": 0.5, "price": 0.25}
    means = found.mean_days.set_index("state")
    assert (means[["from_days", "horizon_days"]] == [3, 30]).all(axis=None)
    assert means["estimate"].sum() == 27
    assert means.loc["trial", "estimate"] == (2 + 2 + 27) / 4
    assert found.by_stage().loc["trial", "mean time (x)"].startswith("7.8 of the days 3 to 30 (")


def test_labels_known_at_different_times_begin_when_ten_are_watched():
    """c0 to c19, all lost on day 20 but known on the day of their number; c15 to c19 are known when all are lost."""
    rows = [(f"c{i}", "trial", 0, 20 if i < 15 else 14, "price") for i in range(20)]
    labels = pd.Series("x", index=[f"c{i}" for i in range(20)])
    known = pd.Series([at(i) for i in range(20)], index=labels.index)
    found = estimate_occupancy(
        journeys_of(rows), times=["8d", "10d", "14d", "20d"], by=Grouping("persona", labels, known)
    )
    assert found.table.loc[found.table["days"] == 8, "estimate"].isna().all()
    assert shares(found.table, 10) == {"trial": 1}
    assert shares(found.table, 14) == {"trial": 1}
    assert shares(found.table, 20) == {"price": 1}
    assert cell(found.table, "trial", 10)["at_risk"] == 10
    assert cell(found.table, "trial", 20)["at_risk"] == 20


def test_labels_known_before_the_journey_count_from_its_entry():
    labels = pd.Series(dict.fromkeys("abcd", "x"))
    early = Grouping("persona", labels, pd.Series(at(-30), index=labels.index))
    found = estimate_occupancy(journeys_of(FOUR), times=["15d"], by=early)
    plain = estimate_occupancy(journeys_of(FOUR), times=["15d"])
    pd.testing.assert_frame_equal(found.table.drop(columns="group"), plain.table)


def test_groups_are_estimated_apart_and_customers_without_label_left_out():
    found = estimate_occupancy(journeys_of(FOUR), times=["30d"], by=pd.Series({"a": "x", "b": "x", "d": "y"}))
    assert found.table["group"].unique().tolist() == ["x", "y"]
    assert shares(found.table[found.table["group"] == "x"], 30) == {"paid": 0.5, "price": 0.5}
    assert shares(found.table[found.table["group"] == "y"], 30) == {"trial": 1}
    assert found.table[found.table["group"] == "y"][["lower", "upper"]].isna().all(axis=None)


def test_the_order_of_the_spells_does_not_matter():
    spells = journeys_of(random_journeys(4, 60), end=60)
    order = np.random.default_rng(5).permutation(len(spells))
    mixed = dataclasses.replace(spells, table=spells.table.take(order))
    one, other = (estimate_occupancy(each, times=["10d", "30d"]) for each in (spells, mixed))
    for name in ("table", "reached", "mean_days", "losses", "drawn"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)


def test_curves_are_drawn_while_ten_customers_are_watched():
    rows = [(f"c{i}", "trial", 2 * i, 40, None) for i in range(20)]
    drawn = estimate_occupancy(journeys_of(rows, end=40), times=["35d"]).drawn
    assert drawn["days"].max() == 22
    assert drawn["at_risk"].min() == 10
    assert drawn["at_risk"].max() == 20
    assert drawn.groupby("days")["estimate"].sum().to_numpy() == pytest.approx(1)


def test_the_sentence_and_the_lanes_carry_number_interval_and_base():
    rows = [(f"{row[0]}{i}", *row[1:]) for i in range(10) for row in FOUR]
    found = estimate_occupancy(journeys_of(rows), times=["5d", "30d"])
    assert found.sentence() == (
        "30 days after entering the journey, 25.0% (95% interval 14.0% to 40.5%) of 40 customers are lost and not "
        "back on that day (40 were watched so long, most of them are away, lost to “price”: 25.0%, most of the others "
        "are in “paid”: 50.0%). The stage that takes most of this time is “trial”: 10.5 days on average (7.3 to 14.2)."
    )
    lanes = found.by_stage()
    assert lanes.loc["paid"].to_dict() == {
        "mean time": "10.0 of the first 30 days (7.0 to 13.5; 40 customers)",
        "ever reached": "50.0% within 30 days (35.0% to 65.0%; 40 customers)",
    }
    by_group = estimate_occupancy(journeys_of(rows), times=["30d"], by=pd.Series({f"a{i}": "x" for i in range(10)}))
    assert by_group.sentence() == (
        "30 days after entering the journey, 100.0% (95% interval 72.2% to 100.0%) of 10 customers with group “x” are "
        "lost and not back on that day (10 were watched so long, most of them are away, lost to “price”: 100.0%)."
    )


def test_groups_of_few_customers_are_drawn_in_grey_with_their_number():
    rows = [(f"{row[0]}{i}", *row[1:]) for i in range(10) for row in FOUR]
    kinds = pd.Series({row[0]: "few" if row[0] in ("a1", "b1", "c1") else "many" for row in rows}, name="kind")
    found = estimate_occupancy(journeys_of(rows), times=["30d"], by=kinds)
    few, many = found.plot().axes.figure.axes
    assert [panel.get_title(loc="left") for panel in (few, many)] == ["few (few: 3 customers)", "many"]
    assert {to_hex(line.get_color()) for line in few.lines} == {"#5b6770"}
    assert "#5b6770" not in {to_hex(line.get_color()) for line in many.lines}


@pytest.mark.slow
def test_the_finding_keeps_the_contract():
    rows = [(f"{row[0]}{i}", *row[1:]) for i in range(10) for row in FOUR]
    for by in (None, pd.Series({f"{row[0]}{i}": "<b>x</b>" if i % 2 else "y" for i in range(10) for row in FOUR})):
        found = estimate_occupancy(journeys_of(rows), times=["5d", "30d"], by=by)
        assert isinstance(found, Finding)
        assert {"state", "days", "estimate", "lower", "upper", "at_risk", "n"} <= set(found.table)
        assert list(found.table.index) == list(range(len(found.table)))
        assert list(found.by_stage().index) == STAGES
        assert found.by_stage().index.name == "stage"
        assert found.by_stage().loc["partner"].isna().all()
        assert "95% interval" in found.sentence()
        assert "nan" not in found.sentence()
        chart = found.plot()
        assert isinstance(chart, Chart)
        assert any(character.isdigit() for character in chart.alt)
        assert chart.png() == found.plot().png()
        assert found.plot(chart.axes).axes is chart.axes
        assert "<b>x" not in found._repr_html_()
        assert found.title in found._repr_html_()


def test_shares_that_do_not_sum_to_one_are_refused():
    found = estimate_occupancy(journeys_of(FOUR), times=["15d"])
    with pytest.raises(EstimateError) as error:
        dataclasses.replace(found, table=found.table.iloc[1:])
    assert str(error.value) == (
        "The shares of all states on day 15 sum to 0.75, not to 1. A customer must be in exactly one state: look at "
        "the spells with find_flaws."
    )


@pytest.mark.parametrize(
    ("decisions", "text"),
    [
        ({"times": []}, "No time is given. Name one or more, such as times=[“30d”, “90d”]."),
        ({"confidence": 1}, "The confidence is 1. Give a share above 0 and below 1, such as 0.95."),
        ({"by": "plan"}, "The customers have no attribute “plan” to group by. None is known."),
        (
            {"by": pd.Series({"nobody": "x"}, name="persona")},
            "None of the customers with a label of “persona” (1) has a spell. Index the labels by customer_id.",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(decisions, text):
    with pytest.raises(EstimateError) as error:
        estimate_occupancy(journeys_of(FOUR), **{"times": ["30d"], **decisions})
    assert str(error.value) == text


@pytest.mark.parametrize(
    ("rows", "by", "text"),
    [
        (
            [],
            None,
            "Nobody was in a stage while it was watched, so there is nothing to estimate. Look whether the log holds "
            "events that open the stages: lint_journey(journey, log=log) tells.",
        ),
        (
            [("a", "trial", -5, 100, None)],
            None,
            "All journeys (1) began before the window, so it is not known how long they have lasted. "
            "Let the window begin earlier, or ask for the time in each stage: estimate_survival(spells).",
        ),
        (
            FOUR,
            Grouping("persona", pd.Series({"a": "x"}), pd.Series({"a": at(2000)})),
            "Nobody was in a stage when their persona was known or after, so there is nothing to compare by it. "
            "Look at when it became known.",
        ),
    ],
)
def test_where_nobody_can_be_followed_the_finding_is_empty_and_says_why(rows, by, text):
    found = estimate_occupancy(journeys_of(rows), times=["30d"], by=by)
    assert found.lacking == found.sentence() == text
    assert found.table.empty
    assert {"state", "days", "estimate", "lower", "upper", "at_risk", "n", "note"} <= set(found.table)
    assert found.by_stage().isna().all(axis=None)
    assert found.plot().alt == text


def test_if_nobody_was_watched_so_long_the_sentence_says_so():
    found = estimate_occupancy(journeys_of(FOUR, end=100), times=["200d"])
    assert found.sentence() == "Nobody was watched for 200 days after entering the journey."


def test_silence_and_completion_that_cannot_show_yet_say_so():
    rows = [(f"a{i}", "trial", 0, 30, "silent") for i in range(12)]
    rows += [(f"b{i}", "trial", 0, 50, "partner") for i in range(12)] + [
        (f"c{i}", "trial", 0, 90, None) for i in range(9)
    ]
    rows += [(f"b{i}", "partner", 50, 90, None) for i in range(12)]
    found = estimate_occupancy(journeys_of(rows), times=["20d", "40d", "60d"])
    for table in (found.table, found.reached):
        silent, partner = (table[table["state"] == state].set_index("days") for state in ("silent", "partner"))
        assert silent["note"].tolist()[0] == "cannot show before day 30"
        assert partner["note"].tolist()[:2] == ["cannot show before day 50"] * 2
        assert "cannot show" not in str(silent["note"].tolist()[1:] + partner["note"].tolist()[2:])
    assert found.table.groupby("days")["estimate"].sum().tolist() == pytest.approx([1, 1, 1])
    assert "on that day" in found.sentence()
