"""Flow: every visit comes from somewhere and leads somewhere, and the shares are those counted by hand."""

import dataclasses
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from by_hand import JOURNEY, at, journey_of, journeys_of, log_of

from journeylab import find_spells, read_events, read_journey, simulate_log
from journeylab.base.charts import Chart
from journeylab.base.errors import EstimateError
from journeylab.estimators.intervals import probability_interval, wilson
from journeylab.findings.finding import Finding
from journeylab.findings.grouping import Grouping
from journeylab.findings.paths import estimate_flow
from journeylab.findings.paths.edges import Edges

STAGES = ["trial", "paid", "plus", "partner"]
# Of ten trials six go on (one of them straight to plus), two are lost to price (one of whom comes back), two stay.
TEN = [
    *[row for i in range(5) for row in ((f"c{i}", "trial", 0, 10 + i, "paid"), (f"c{i}", "paid", 10 + i, 100, None))],
    *[("c5", "trial", 0, 40, "plus"), ("c5", "plus", 40, 50, "paid"), ("c5", "paid", 50, 60, "plus")],
    *[("c5", "plus", 60, 70, "partner"), ("c5", "partner", 70, 100, None)],
    *[("c6", "trial", 5, 8, "price"), ("c6", "trial", 20, 100, None)],
    *[("c7", "trial", 5, 9, "price"), ("c8", "trial", 90, 100, None)],
]


def row(table, **cells) -> pd.Series:
    (found,) = [each for _, each in table.iterrows() if all(each[name] == value for name, value in cells.items())]
    return found


def _paid(customer, day):
    return [(customer, "trial", 0, day, "paid"), (customer, "paid", day, 100, None)]


def random_journeys(seed, n, *, end=60):
    """Customers who begin on any day, go to any stage or are lost at random, and may come back."""
    random = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        day, stage = int(random.integers(-10, end)), "trial"
        while day < end:
            left = day + int(random.integers(0, 15))
            to = [*(each for each in STAGES if each != stage), "price", "other"][random.integers(5)]
            rows.append((f"c{i}", stage, day, min(left, end), to if left < end else None))
            if left >= end:
                break
            day = left + int(random.integers(1, 20)) if to in ("price", "other") else left
            stage = "paid" if to in ("price", "other") else to
            if stage == "partner":
                rows.append((f"c{i}", stage, day, end, None))
                break
    return rows


def test_visits_lead_where_they_are_counted_to_lead():
    found = estimate_flow(journeys_of(TEN))
    trial = found.table[found.table["stage"] == "trial"].set_index("to")
    assert trial["moved"].to_dict() == {"paid": 5, "plus": 1, "price": 2, "ongoing": 2}
    assert trial["kind"].to_dict() == {"paid": "forward", "plus": "skip", "price": "lost", "ongoing": "ongoing"}
    assert (trial["n"] == 10).all()
    assert (trial["customers"] == 9).all()
    assert trial["estimate"].tolist() == [0.5, 0.1, 0.2, 0.2]
    assert row(found.table, stage="plus", to="paid")["kind"] == "back"
    assert row(found.table, stage="plus", to="partner")["kind"] == "forward"


def test_the_days_of_a_move_are_those_of_who_moved_and_was_watched_from_the_beginning():
    found = estimate_flow(journeys_of([*TEN, ("old", "trial", -50, 30, "paid"), ("old", "paid", 30, 100, None)]))
    moved = row(found.table, stage="trial", to="paid")
    assert (moved["moved"], moved["timed"]) == (6, 5)
    assert (moved["median_days"], moved["first_quartile_days"], moved["third_quartile_days"]) == (12, 11, 13)
    two = estimate_flow(journeys_of([*_paid("a", 2), *_paid("b", 3)]))
    days = row(two.table, stage="trial", to="paid")
    assert days[["median_days", "first_quartile_days", "third_quartile_days"]].tolist() == [2.5, 2.25, 2.75]


def test_arrivals_tell_first_entries_moves_and_returns_apart():
    found = estimate_flow(journeys_of([*TEN, ("old", "trial", -50, 100, None)]))
    trial = found.arrivals[found.arrivals["stage"] == "trial"].set_index("origin")
    assert trial["moved"].to_dict() == {"price": 1, "first entry": 9, "already inside": 1}
    assert trial["kind"].to_dict() == {"price": "return", "first entry": "entry", "already inside": "entry"}
    assert trial["median_days"]["price"] == 12
    paid = found.arrivals[found.arrivals["stage"] == "paid"].set_index("origin")
    assert paid["moved"].to_dict() == {"trial": 5, "plus": 1}


def test_win_backs_are_shares_of_the_losses():
    found = estimate_flow(journeys_of(TEN)).returns
    assert list(found["to"]) == ["trial", "ongoing"]
    assert found["estimate"].tolist() == [0.5, 0.5]
    assert found["n"].tolist() == [2, 2]
    assert found["median_days"].iloc[0] == 12


def test_the_balance_adds_up_by_hand():
    found = estimate_flow(journeys_of(TEN)).balance.set_index("stage")
    assert found.loc["trial"].to_dict() == {
        "visits": 10,
        "first_entries": 9,
        "already_inside": 0,
        "earlier_losses": 0,
        "came_back": 1,
        "moved_in": 0,
        "forward": 5,
        "skip": 1,
        "back": 0,
        "lost": 2,
        "ongoing": 2,
    }
    assert found.loc["plus", ["visits", "moved_in", "forward", "back"]].tolist() == [2, 2, 1, 1]


def test_shares_have_a_row_for_each_way_the_rules_allow_if_only_for_nobody():
    found = estimate_flow(journeys_of(TEN)).shares
    assert list(found.loc[found["stage"] == "trial", "kind"]) == ["forward", "skip", "lost", "ongoing"]
    assert list(found.loc[found["stage"] == "paid", "kind"]) == ["forward", "skip", "lost", "ongoing"]
    skip = row(found, stage="paid", kind="skip")
    assert (skip["estimate"], skip["lower"]) == (0, 0)
    assert skip["upper"] == wilson(0, 6)[1]


def test_where_each_customer_came_once_the_interval_is_that_of_a_binomial():
    rows = [(f"c{i}", "trial", 0, 5, "price" if i < 3 else "other") for i in range(10)]
    found = row(estimate_flow(journeys_of(rows)).table, to="price")
    # The variance of a mean over 10 customers, with 9 in the denominator.
    expected = probability_interval(0.3, np.sqrt(0.3 * 0.7 / 9), scale="logit")
    assert np.allclose([found["lower"], found["upper"]], expected, rtol=1e-12)


def test_visits_of_one_customer_count_as_one_customer():
    once = [(f"c{i}", "trial", 0, 5, "price" if i < 10 else "other") for i in range(20)]
    twice = [(c, s, day, day + 5, to) for c, s, _, _, to in once for day in (0, 20)]
    alone, repeated = (row(estimate_flow(journeys_of(rows)).table, to="price") for rows in (once, twice))
    assert (repeated["n"], repeated["customers"]) == (40, 20)
    assert np.allclose([repeated["lower"], repeated["upper"]], [alone["lower"], alone["upper"]], rtol=1e-12)


@pytest.mark.slow
def test_clustered_limits_hold_the_truth_as_often_as_they_say():
    random = np.random.default_rng(5)
    held = []
    for _ in range(600):
        customer = np.repeat(np.arange(80), random.integers(1, 6, 80))
        leaning = random.beta(2, 3, 80)[customer]
        end = (random.random(len(customer)) < leaning).astype(int)
        edges = Edges(customer, np.zeros_like(customer), end, np.full(len(customer), np.nan), 2)
        found = edges.rows(confidence=0.95).set_index("end").loc[1]
        held.append(found["lower"] <= 0.4 <= found["upper"])
    assert 0.93 <= np.mean(held) <= 0.97


@pytest.mark.parametrize("seed", range(10))
def test_random_journeys_add_up_by_stage_branch_and_group(seed):
    spells = journeys_of(random_journeys(seed, 60), end=60)
    visits = spells.to_pandas()
    labels = pd.Series({f"c{i}": f"g{i % 3}" for i in range(60)})
    known = pd.Series({f"c{i}": at(i % 40) for i in range(60)})
    for by in (None, labels, Grouping("late", labels, known)):
        found = estimate_flow(spells, by=by)
        balance = found.balance
        assert (balance["visits"] == balance[["forward", "skip", "back", "lost", "ongoing"]].sum(axis=1)).all()
        whose = [column for column in ("group", "stage") if column in found.table]
        assert (found.table.groupby(whose)["estimate"].sum().sub(1).abs() < 1e-12).all()
    whole = estimate_flow(spells)
    counts = visits.groupby(["stage", "outcome"]).size().unstack(fill_value=0).reindex(STAGES, fill_value=0)
    assert whole.balance.set_index("stage")["lost"].tolist() == counts["lost"].tolist()
    assert whole.balance["visits"].sum() == len(visits)


@pytest.mark.parametrize("seed", range(3))
def test_simulated_journeys_add_up_and_agree_with_their_spells(seed):
    simulation = simulate_log(150, seed=seed)
    spells = find_spells(simulation.log, simulation.journey)
    found, visits = estimate_flow(spells), spells.to_pandas()
    pairs = visits[visits["outcome"].isin(["advanced", "regressed", "completed"])].groupby(
        ["stage", "to"], observed=True
    )
    moved = found.table[found.table["kind"].isin(["forward", "skip", "back"])].set_index(["stage", "to"])["moved"]
    assert moved.to_dict() == pairs.size().to_dict()


@pytest.mark.slow
def test_loan_applications_go_back_and_forth_as_the_bank_saw_them(shared):
    log = read_events(
        shared / "data" / "bpi2012_loan" / "events.parquet",
        columns={"customer_id": "case_id", "event": "activity", "time": "timestamp"},
        window=("2011-09-30", "2012-04-01"),
    )
    steps = ["A_SUBMITTED", "A_PREACCEPTED", "A_ACCEPTED", "O_SENT", "O_SENT_BACK", "A_APPROVED"]
    names = ["applied", "preaccepted", "accepted", "offered", "answered", "approved"]
    stages = [{"name": name, "opened_by": {"event": event}} for name, event in zip(names, steps, strict=True)]
    journey = {
        "journeylab": 1,
        "name": "Loan",
        "goal": "I want the loan",
        "movement": "free",
        "stages": [*stages[:-1], {**stages[-1], "completes": True}],
        "loss_branches": [{"name": each, "when": {"event": f"A_{each.upper()}"}} for each in ("declined", "cancelled")],
    }
    found = estimate_flow(find_spells(log, read_journey(journey)))
    assert row(found.arrivals, stage="applied", origin="first entry")["moved"] == 13_087
    assert row(found.table, stage="answered", to="offered")["moved"] == 368
    assert row(found.table, stage="offered", to="approved")["moved"] == 131
    lost = found.table[found.table["kind"] == "lost"].groupby("to")["moved"].sum()
    assert lost.to_dict() == {"declined": 7_635, "cancelled": 2_807}
    ways = found.variants(1000)
    assert ways["customers"].sum() == ways["n"].iloc[0] == 13_087


def test_loops_are_counted_by_customers_who_came_to_a_stage_again():
    found = estimate_flow(journeys_of(TEN)).revisits.set_index("stage")
    assert found["n"].tolist() == [9, 6, 1, 1]
    assert found["again"].tolist() == [1, 0, 1, 0]
    assert found.loc["trial", "estimate"] == 1 / 9
    assert found.loc["trial", "upper"] == wilson(1, 9)[1]


def test_a_group_whose_label_came_later_is_watched_from_then_on():
    spells = journeys_of(TEN)
    late = Grouping("size", pd.Series({"c5": "large"}), pd.Series({"c5": at(45)}))
    found = estimate_flow(spells, by=late)
    assert found.balance.set_index("stage")["visits"].tolist() == [0, 1, 2, 1]
    assert row(found.arrivals, stage="plus", origin="already inside")["moved"] == 1
    assert row(found.table, stage="plus", to="paid")["timed"] == 0
    assert found.variants(1)["way"].tolist() == ["1 variant"]


def test_what_does_not_add_up_is_refused():
    found = estimate_flow(journeys_of(TEN))
    texts = {
        "balance": (
            found.balance.assign(forward=found.balance["forward"] + 1),
            "The flow at stage “trial” does not add up: 10 visits, and 11 went on, were lost or are ongoing. "
            "Every visit must come from somewhere and lead somewhere: find the spells again.",
        ),
        "arrivals": (
            found.arrivals[found.arrivals["origin"] != "trial"],
            "The flow at “paid” does not add up: 5 were sent to it, and 0 arrived. "
            "Every visit must come from somewhere and lead somewhere: find the spells again.",
        ),
        "returns": (
            found.returns.iloc[:1],
            "The flow at “price” does not add up: 2 were sent to it, and 1 arrived. "
            "Every visit must come from somewhere and lead somewhere: find the spells again.",
        ),
    }
    for name, (table, text) in texts.items():
        with pytest.raises(EstimateError) as error:
            replace(found, **{name: table})
        assert str(error.value) == text


def many(n=40):
    """`n` customers: three of four go on to paid, every eighth from there to plus and back; the others are lost."""
    rows = []
    for i in range(n):
        rows.append((f"c{i}", "trial", i % 10, i % 10 + 10, "price" if i % 4 == 0 else "paid"))
        if i % 4:
            rows.append((f"c{i}", "paid", i % 10 + 10, 30 if i % 8 == 1 else 100, "plus" if i % 8 == 1 else None))
        if i % 8 == 1:
            rows += [(f"c{i}", "plus", 30, 40, "paid"), (f"c{i}", "paid", 40, 100, None)]
    return rows


def test_its_sentences_have_number_and_base_and_no_interval_on_what_is_so_far():
    found = estimate_flow(journeys_of(many()))
    assert found.sentence() == (
        "The most frequent move so far is from “trial” to “paid”: 75% of 40 visits. The largest share goes back from "
        "“plus”: 100% of 5 visits. None of all 80 visits skipped a stage."
    )
    assert found.sentence_of_variants() == (
        "The most frequent way so far is “trial → paid”, then ongoing: 62% of 40 customers."
    )


def test_its_sentence_compares_groups_in_the_same_move():
    plans = pd.Series({f"c{i}": "large" if i % 2 else "small" for i in range(40)}, name="plan")
    found = estimate_flow(journeys_of(many()), by=plans)
    assert found.sentence() == (
        "The most frequent move so far is from “trial” to “paid”: 100% of 20 visits with plan “large”; 50% of 20 "
        "visits with plan “small”."
    )


def test_nothing_is_said_of_fewer_than_five_customers():
    found = estimate_flow(journeys_of(TEN[:2]))
    assert found.sentence() == (
        "The most frequent move so far is from “trial” to “paid”: fewer than 5 of 1 customer. From no stage did 5 "
        "customers or more go back. None of all 2 visits skipped a stage."
    )
    assert found.sentence_of_variants() == "No way was taken by 5 of 1 customer or more."
    assert found.by_stage().loc["trial", "forward"] == "fewer than 5 customers so far (of 1 visit)"
    assert "fewer than 5 forward" in found.plot().alt


def test_nobody_who_moved_is_said():
    found = estimate_flow(journeys_of([("a", "trial", 0, 100, None)]))
    assert found.sentence() == "Nobody has moved from one stage to another so far, in 1 visit."


def test_its_lanes_say_forward_skip_back_and_still_inside_in_words():
    lanes = estimate_flow(journeys_of(many())).by_stage()
    assert list(lanes.columns) == ["forward", "skip", "back", "still inside"]
    assert lanes.loc["trial"].tolist() == [
        "75% so far (40 visits)",
        "0% so far (40 visits)",
        None,
        "0% so far (40 visits)",
    ]
    assert lanes.loc["plus", "back"] == "100% so far (5 visits)"
    assert lanes.loc["partner"].isna().all()


def test_what_few_customers_did_is_added_up_before_it_is_handed_on():
    rows = [
        *[(f"a{i}", "trial", 0, 5, "price") for i in range(7)],
        *[(f"b{i}", "trial", 0, 5, "other") for i in range(3)],
        *[(f"c{i}", "trial", 0, 100, None) for i in range(20)],
    ]
    found = estimate_flow(journeys_of(rows)).pooled()
    # Three alone could be told from the rest, so the next smallest goes with them.
    assert found["to"].tolist() == ["ongoing", "others, some of fewer than 5 customers"]
    assert found["moved"].tolist() == [20, 10]
    assert found["estimate"].sum() == pytest.approx(1)
    assert found["movers"].isna().tolist() == [False, True]
    html = estimate_flow(journeys_of(rows))._repr_html_()
    assert "others, some of fewer than 5 customers" in html
    assert "<td>other</td>" not in html


def test_how_many_came_again_is_not_told_of_few():
    found = estimate_flow(journeys_of(TEN)).pooled("revisits").set_index("stage")
    assert found["again"].isna().tolist() == [True, False, True, False]
    assert found["estimate"].isna().tolist() == [True, False, True, False]
    assert found["n"].tolist() == [9, 6, 1, 1]


def test_a_table_that_a_flow_does_not_have_is_refused():
    with pytest.raises(EstimateError) as error:
        estimate_flow(journeys_of(TEN)).pooled("return")
    assert str(error.value) == "A flow has no table “return”. Did you mean “returns”?"


@pytest.fixture(params=[None, "plan"], ids=["all together", "by group"])
def by(request):
    return request.param


@pytest.fixture
def finding(by) -> Finding:
    plans = pd.DataFrame({"plan": ["<b>small</b>", "large"] * 20}, index=pd.Index([f"c{i}" for i in range(40)]))
    spells = replace(journeys_of(many()), customers=plans)
    return estimate_flow(spells, by=by)


def test_it_keeps_the_contract_of_findings(finding, by):
    assert isinstance(finding, Finding)
    assert ("by plan" in finding.title) == (by is not None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        finding.title = "another"
    table = finding.table
    assert ("group" in table) == (by is not None)
    assert list(table.index) == list(range(len(table)))
    assert not table.duplicated([column for column in ("group", "stage", "to") if column in table]).any()
    known = table.dropna(subset=["lower", "upper"])
    assert ((known["lower"] <= known["estimate"]) & (known["estimate"] <= known["upper"])).all()
    assert all(table[column].dtype == np.float64 for column in ("estimate", "lower", "upper"))
    for slip in ("np.", "nan", "caus", "significan", "\n"):
        assert slip not in finding.sentence() + finding.sentence_of_variants()
    lanes = finding.by_stage()
    assert lanes.index.name == "stage"
    assert list(lanes.index) == STAGES
    assert "<b>small</b>" not in finding._repr_html_()


def test_its_figure_carries_its_message_in_words_and_is_the_same_each_time(finding):
    chart = finding.plot()
    assert isinstance(chart, Chart)
    assert any(character.isdigit() for character in chart.alt)
    assert chart.png().startswith(b"\x89PNG")
    assert finding.plot(chart.axes).axes is chart.axes
    assert finding.plot().png() == finding.plot().png()


def test_the_flow_of_one_group_can_be_drawn(by, finding):
    if by:
        assert "20 visits" in finding.plot(group="large").alt
        with pytest.raises(EstimateError) as error:
            finding.plot(group="larg")
        assert str(error.value) == "There is no group “larg” in this flow. Did you mean “large”?"
    else:
        assert finding.plot().alt == (
            "Where visits to each stage led, so far. Trial, 40 visits: 30 forward (75%), 10 lost (25%); Paid, 35 "
            "visits: 5 forward (14%), 30 still inside (86%); Plus, 5 visits: 5 back (100%)."
        )


@pytest.mark.parametrize("labels", [None, {}])
def test_without_anybody_it_is_empty_and_says_why(labels):
    grouping = (
        None
        if labels is None
        else Grouping("persona", pd.Series(labels, dtype=object), pd.Series(labels, dtype="datetime64[us, UTC]"))
    )
    found = estimate_flow(journeys_of([] if labels is None else TEN), by=grouping)
    assert found.lacking.startswith("Nobody ")
    assert found.sentence() == found.sentence_of_variants() == found.plot().alt == found.lacking
    assert found.lacking in found._repr_html_()
    assert len(found.table) == len(found.variants()) == 0
    assert ("group" in found.table) == (grouping is not None)
    assert all(found.table[column].dtype == np.float64 for column in ("estimate", "lower", "upper"))
    assert list(found.by_stage().index) == STAGES
    assert found.by_stage().isna().all(axis=None)
    assert JOURNEY.stage_names == tuple(STAGES)


def test_its_arguments_are_checked():
    with pytest.raises(EstimateError) as error:
        estimate_flow(journeys_of(TEN), confidence=95)
    assert str(error.value) == "The confidence is 95. Give a share above 0 and below 1, such as 0.95."


def test_where_hardly_anyone_took_the_same_way_each_stage_is_told_once():
    # Ten customers who go to and fro between trial and paid, each another number of times.
    rows = []
    for number in range(10):
        rows += [(f"c{number}", "start", 0), (f"c{number}", "buy", 1)]
        rows += [(f"c{number}", "downgrade" if turn % 2 else "buy", 1 + turn) for turn in range(1, number + 1)]
    table = [{"customer_id": customer, "event": event, "day": day} for customer, event, day in rows]
    journey = journey_of(
        [
            {"name": "trial", "opened_by": [{"event": "start"}], "reopened_by": [{"event": "downgrade"}]},
            {"name": "paid", "opened_by": [{"event": "buy"}]},
        ]
    )
    found = estimate_flow(find_spells(log_of(table), journey))
    assert found.sentence_of_variants() == (
        "No way was taken by 5 of 10 customers or more, if each return to a stage counts. Each stage told once, the "
        "most frequent way so far is “trial → paid”, then ongoing: 100% of 10 customers."
    )
