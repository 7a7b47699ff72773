"""Funnel: shares of closed attempts, the curve with those in progress, times, losses, groups, words, figure."""

import dataclasses

import by_hand
import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml
from lifelines import KaplanMeierFitter
from statsmodels.duration.survfunc import CumIncidenceRight
from statsmodels.stats.proportion import proportion_confint

from journeylab.base.charts import Chart
from journeylab.base.errors import EstimateError, JourneyLabError
from journeylab.events.journey import Journey
from journeylab.events.log import EventLog, Window
from journeylab.events.steps import build_steps
from journeylab.findings.finding import Finding
from journeylab.findings.funnel import Funnel, estimate_funnel
from journeylab.findings.grouping import Grouping

START = pd.Timestamp("2025-01-01", tz="UTC")
DAY = pd.Timedelta(days=1)


def log_of(histories: dict[str, str], *, end: float = 100, customers: pd.DataFrame | None = None) -> EventLog:
    """A log of `event@day` by customer, observed from day 0 to `end`."""
    rows = [
        (customer, float(each.partition("@")[2]), each.partition("@")[0])
        for customer, written in histories.items()
        for each in written.split()
    ]
    return log_of_rows(rows, end=end, customers=customers)


def log_of_rows(rows: list[tuple], *, end: float = 100, customers: pd.DataFrame | None = None) -> EventLog:
    """A log of (customer, day, event), observed from day 0 to `end`."""
    table = pa.table(
        {
            "customer_id": pa.array([customer for customer, _, _ in rows], pa.string()),
            "time": pa.array([START + day * DAY for _, day, _ in rows], pa.timestamp("us", "UTC")),
            "event": pa.array([event for _, _, event in rows], pa.string()),
            "seq": pa.array(range(len(rows)), pa.int64()),
        }
    )
    return EventLog.from_events(ibis.memtable(table), window=Window(START, START + end * DAY), customers=customers)


# Ten days to go from a over b to c; p, q, r, s are closed, t and u in progress.
BY_HAND = {"p": "a@0 b@1 c@5", "q": "a@0 b@3", "r": "a@2 b@4 d@6 c@7", "s": "a@4", "t": "a@95 b@96", "u": "a@90"}


@pytest.fixture
def funnel() -> Funnel:
    return estimate_funnel(log_of(BY_HAND), ["a", "b", "c"], window="10d", exclude="d")


# --- shares ---


def test_closed_attempts_are_judged_and_the_others_are_in_progress(funnel):
    counts = ["step", "label", "kind", "entered", "n", "customers", "reached", "in_progress", "in_progress_reached"]
    assert funnel.table[counts].to_numpy().tolist() == [
        [1, "a", "entry", 6, 4, 4, 4, 2, 2],
        [2, "b", "step", 6, 4, 4, 3, 2, 1],
        [3, "c", "conversion", 6, 4, 4, 1, 2, 0],
    ]
    assert funnel.table["estimate"].tolist() == [1.0, 0.75, 0.25]
    assert funnel.table["of_previous"].tolist()[1:] == [0.75, pytest.approx(1 / 3)]


def test_intervals_are_wilsons(funnel):
    for row, (successes, n) in {1: (3, 4), 2: (1, 4)}.items():
        expected = proportion_confint(successes, n, method="wilson")
        assert tuple(funnel.table.loc[row, ["lower", "upper"]]) == pytest.approx(expected)
    expected = proportion_confint(1, 3, method="wilson")
    assert tuple(funnel.table.loc[2, ["of_previous_lower", "of_previous_upper"]]) == pytest.approx(expected)


def test_medians_are_days_from_entering_and_from_the_step_before(funnel):
    assert funnel.table["median_days"].tolist() == [0.0, 2.0, 5.0]
    assert funnel.table["median_days_from_previous"].tolist()[1:] == [2.0, 4.0]


def test_losses_say_where_and_how_attempts_ended_and_add_up(funnel):
    shown = funnel.losses[["step", "after", "ended_by", "attempts", "n", "estimate"]]
    assert shown.to_numpy().tolist() == [
        [1, "a", "time passed", 1, 4, 0.25],
        [2, "b", "time passed", 1, 4, 0.25],
        [2, "b", "d", 1, 4, 0.25],
    ]


def test_a_funnel_that_does_not_add_up_cannot_be_made(funnel):
    with pytest.raises(EstimateError) as error:
        dataclasses.replace(funnel, losses=funnel.losses.iloc[:2])
    assert str(error.value) == (
        "The funnel does not add up: 4 attempts are closed, but 1 converted and 2 lost are 3. "
        "Estimate it again from the log."
    )


def test_optional_steps_have_a_row_and_the_next_step_is_measured_from_the_needed_one():
    histories = {"p": "a@0 b@1 c@2", "q": "a@0 c@3", "r": "a@0 b@1", "s": "a@0 c@1 b@2"}
    found = estimate_funnel(log_of(histories), ["a", {"event": "b", "optional": True}, "c"], window="10d")
    assert found.table["kind"].tolist() == ["entry", "optional", "conversion"]
    assert found.table["reached"].tolist() == [4, 2, 3]
    assert found.table["of_previous"].tolist()[1:] == [0.5, 0.75]
    assert found.losses[["after", "attempts"]].to_numpy().tolist() == [["a", 1]]


def test_unordered_each_step_has_its_share_and_all_together_convert():
    histories = {"p": "a@0 c@1 b@4", "q": "a@0 c@2", "r": "a@0 b@3", "s": "a@0"}
    found = estimate_funnel(log_of(histories), ["a", "b", "c"], window="10d", order="unordered")
    assert found.table[["step", "label", "kind", "reached", "median_days"]].to_numpy().tolist() == [
        [1, "a", "entry", 4, 0.0],
        [2, "b", "step", 2, 3.0],
        [3, "c", "step", 2, 1.0],
        [4, "all steps", "conversion", 1, 4.0],
    ]
    assert found.table["of_previous"].isna().all()
    assert found.losses[["after", "attempts"]].to_numpy().tolist() == [["1 of 3 steps", 1], ["2 of 3 steps", 2]]


def test_every_attempt_counts_and_its_interval_counts_customers():
    # Four attempts each of customers who always, and who never convert.
    always = " ".join(f"a@{day} b@{day + 1}" for day in (0, 20, 40, 60))
    never = " ".join(f"a@{day}" for day in (0, 20, 40, 60))
    histories = {f"{kind} {number}": written for number in range(10) for kind, written in (("x", always), ("y", never))}
    every = estimate_funnel(log_of(histories), ["a", "b"], window="10d", entry="every").table.iloc[1]
    first = estimate_funnel(log_of(histories), ["a", "b"], window="10d").table.iloc[1]
    assert (every["n"], every["customers"], every["estimate"]) == (80, 20, 0.5)
    assert (every["lower"], every["upper"]) == pytest.approx((first["lower"], first["upper"]), abs=0.015)


@pytest.mark.slow
def test_the_finding_counts_as_the_worked_cases_do(shared):
    worked = yaml.safe_load((shared / "golden" / "funnel_cases.yaml").read_text(encoding="utf-8"))
    for case in worked["cases"]:
        for order in {"ordered", "strict"} & case.keys():
            expected = case[order].get("first", case[order])
            log = log_of({"one": " ".join(case["events"])}, end=1000)
            exclude = case.get("exclude", ())
            found = estimate_funnel(log, case["steps"], window=worked["window"], order=order, exclude=exclude)
            assert found.table["reached"].sum() == expected["reached"], case["name"]
            assert found.losses["ended_by"].tolist() in ([], ["time passed"], ["something else"], case.get("exclude"))


# --- the curve ---


@pytest.fixture(scope="module")
def simulated() -> tuple[pd.DataFrame, EventLog]:
    """Customers who enter at any time, convert after some 40 days, and now and then cancel before."""
    random = np.random.default_rng(5)
    table = pd.DataFrame(
        {
            "customer": [f"c{number}" for number in range(600)],
            "entered": random.uniform(0, 100, 600).round(4),
            "converts": random.exponential(40, 600).round(4),
            "cancels": random.exponential(60, 600).round(4),
        }
    )
    rows = []
    for each in table.itertuples():
        happened = ((0.0, "a"), (each.converts, "b"), (each.cancels, "x"))
        rows += [(each.customer, each.entered + day, event) for day, event in happened if each.entered + day < 100]
    return table, log_of_rows(rows)


def test_without_competition_the_curve_is_kaplan_and_meiers(simulated):
    table, log = simulated
    row = estimate_funnel(log, ["a", "b"], window="30d").table.iloc[1]
    watched = np.minimum(100 - table["entered"], 30)
    exact = KaplanMeierFitter().fit(np.minimum(table["converts"], watched), table["converts"] <= watched)
    assert row["curve"] == pytest.approx(1 - exact.predict(30), abs=1e-9)
    assert row["at_risk"] == ((watched >= 30) & (table["converts"] >= 30)).sum()
    assert row["curve_lower"] < row["curve"] < row["curve_upper"]
    assert row["curve_upper"] - row["curve_lower"] < row["upper"] - row["lower"]


def test_with_exclusions_the_curve_is_aalen_and_johansens(simulated):
    table, log = simulated
    row = estimate_funnel(log, ["a", "b"], window="30d", exclude="x").table.iloc[1]
    watched = np.minimum(100 - table["entered"], 30)
    first = table[["converts", "cancels"]].min(axis=1)
    status = np.where(first > watched, 0, np.where(table["converts"] < table["cancels"], 1, 2))
    exact = CumIncidenceRight(np.minimum(first, watched), status)
    assert row["curve"] == pytest.approx(exact.cinc[0][-1], abs=1e-9)


def test_counting_those_in_progress_as_lost_would_be_wrong_and_the_curve_is_not(simulated):
    _, log = simulated
    row = estimate_funnel(log, ["a", "b"], window="60d").table.iloc[1]
    truth = 1 - np.exp(-60 / 40)
    crude = (row["reached"] + row["in_progress_reached"]) / row["entered"]
    assert crude < truth - 0.1
    assert row["lower"] < truth < row["upper"]
    assert row["curve_lower"] < truth < row["curve_upper"]


def test_an_attempt_interrupted_or_gone_past_an_optional_step_waits_for_it_no_longer():
    # Half of all are interrupted on day 1; those in progress are as the others were.
    histories = {f"c{i}": f"a@{day} {'x' if i % 2 else 'b'}@{day + 1}" for i, day in enumerate([0] * 30 + [95] * 30)}
    row = estimate_funnel(log_of(histories), ["a", "b"], window="10d", order="strict").table.iloc[1]
    assert (row["estimate"], row["curve"], row["at_risk"]) == (0.5, 0.5, 0)
    passed = {f"c{i}": f"a@{day} c@{day + 1}" for i, day in enumerate([0] * 30 + [95] * 30)}
    steps = ["a", {"event": "b", "optional": True}, "c"]
    row = estimate_funnel(log_of(passed), steps, window="10d").table.iloc[1]
    assert (row["estimate"], row["curve"], row["at_risk"]) == (0.0, 0.0, 0)


@pytest.mark.parametrize("more", [{"entry": "best"}, {"exclude": [{"event": "x", "removes": True}]}])
def test_where_the_future_chooses_the_attempts_the_curve_is_of_closed_ones(simulated, more):
    table = estimate_funnel(simulated[1], ["a", "b"], window="30d", **more).table
    assert table["in_progress"].min() > 0
    assert table["curve"].tolist() == table["estimate"].tolist()
    assert table["curve_lower"].tolist() == table["lower"].tolist()


def test_the_curve_is_missing_where_too_few_were_watched_that_long():
    few = {f"c{number}": f"a@{90 + number / 2}" for number in range(19)}
    row = estimate_funnel(log_of(few), ["a", "b"], window="9d").table.iloc[1]
    assert (row["n"], row["note"]) == (2, "fewer than 10 at risk after day 5.5")
    assert np.isnan(row["curve"])
    row = estimate_funnel(log_of(BY_HAND), ["a", "b", "c"], window="10d").table.iloc[2]
    assert row["note"] == "only 6 attempts of 6 customers"


def test_the_curve_is_the_share_where_no_attempt_is_in_progress():
    closed = {name: BY_HAND[name] for name in "pqrs"}
    table = estimate_funnel(log_of(closed), ["a", "b", "c"], window="10d").table
    assert table["curve"].tolist() == table["estimate"].tolist() == [1.0, 0.75, 0.5]


# --- time to convert ---


def test_time_to_convert_is_told_of_those_who_did_and_of_everyone():
    histories = {f"c{number}": f"a@0 b@{number}" for number in range(1, 5)} | {
        f"d{number}": "a@0" for number in range(4)
    }
    days = estimate_funnel(log_of(histories), ["a", "b"], window="10d").days_to_convert([0.25, 0.5, 0.75])
    assert days[["among", "quantile", "n"]].to_numpy().tolist() == [
        *(["those who reached it", share, 4] for share in (0.25, 0.5, 0.75)),
        *(["everyone who entered", share, 8] for share in (0.25, 0.5, 0.75)),
    ]
    assert days["estimate"].tolist()[:5] == [1.0, 2.0, 3.0, 2.0, 4.0]
    assert np.isnan(days["estimate"].iloc[5])
    assert days["note"].iloc[5] == "not reached by so many within 10 days"
    known = days.dropna(subset=["estimate", "lower", "upper"])
    assert ((known["lower"] <= known["estimate"]) & (known["estimate"] <= known["upper"])).all()


def test_times_of_everyone_use_those_in_progress(simulated):
    table, log = simulated
    days = estimate_funnel(log, ["a", "b"], window="60d").days_to_convert([0.5])
    watched = np.minimum(100 - table["entered"], 60)
    exact = KaplanMeierFitter().fit(np.minimum(table["converts"], watched), table["converts"] <= watched)
    everyone = days.set_index("among").loc["everyone who entered"]
    assert everyone["estimate"] == pytest.approx(exact.median_survival_time_)
    assert everyone["lower"] < 40 * np.log(2) < everyone["upper"]
    assert days.set_index("among").loc["those who reached it", "estimate"] < 22


def test_nobody_reached_it_is_no_time():
    log = log_of({"p": "a@0", "q": "b@0"})
    days = estimate_funnel(log, ["a", "b"], window="10d").days_to_convert([0.5])
    assert days["note"].tolist() == ["nobody reached it", "not reached by so many within 10 days"]
    assert days["estimate"].isna().all()


@pytest.mark.parametrize(("shares", "said"), [([0.5, 1.0], "0.5, 1"), ([], "none")])
def test_shares_that_no_time_has_are_refused(funnel, shares, said):
    with pytest.raises(EstimateError) as error:
        funnel.days_to_convert(shares)
    assert str(error.value) == (
        f"The shares asked for are {said}. Give shares above 0 and below 1, such as 0.5 for the median."
    )


# --- groups ---


def test_groups_are_estimated_apart_and_who_has_no_label_is_left_out_and_counted():
    plans = pd.DataFrame({"plan": ["small", "small", "large", None]}, index=pd.Index(list("pqrs"), name="customer_id"))
    closed = {name: BY_HAND[name] for name in "pqrs"}
    found = estimate_funnel(log_of(closed, customers=plans), ["a", "b", "c"], window="10d", by="plan")
    assert found.by == "plan"
    assert found.title == "Funnel from “a” to “c”, by plan"
    assert found.table[["group", "step", "n", "reached"]].to_numpy().tolist() == [
        ["large", 1, 1, 1],
        ["large", 2, 1, 1],
        ["large", 3, 1, 1],
        ["small", 1, 2, 2],
        ["small", 2, 2, 2],
        ["small", 3, 2, 1],
    ]
    assert found.losses[["group", "after", "attempts"]].to_numpy().tolist() == [["small", "b", 1]]
    assert found.left_out.to_numpy().tolist() == [["no known plan", 1, 1]]


@pytest.fixture
def persona() -> Grouping:
    """A persona for p, q and r, known from day 10 on."""
    names = pd.Index(["p", "q", "r"], name="customer_id")
    return Grouping("persona", pd.Series("P1", index=names), pd.Series(START + 10 * DAY, index=names))


def test_attempts_that_began_before_the_label_was_known_are_left_out_and_counted(persona):
    log = log_of({"p": "a@0 b@1 a@20 b@25", "q": "a@10 b@12", "r": "a@0 a@30", "s": "a@50"})
    by_entry = {
        entry: estimate_funnel(log, ["a", "b"], window="10d", entry=entry, by=persona)
        for entry in ("first", "best", "every")
    }
    left_out = {entry: found.left_out["attempts"].tolist() for entry, found in by_entry.items()}
    assert left_out == {"first": [1, 2], "best": [1], "every": [1, 2]}
    assert {entry: found.table["n"].iloc[0] for entry, found in by_entry.items()} == {"first": 1, "best": 3, "every": 3}
    assert by_entry["best"].table["reached"].tolist() == [3, 2]
    assert by_entry["first"].left_out["reason"].tolist() == ["no known persona", "began before the persona was known"]


def test_removed_attempts_are_left_out_and_counted():
    exclude = [{"event": "d", "removes": True, "label": "Refunded"}]
    found = estimate_funnel(log_of(BY_HAND), ["a", "b", "c"], window="10d", exclude=exclude)
    assert found.left_out.to_numpy().tolist() == [["removed by “Refunded”", 1, 1]]
    assert found.table["n"].tolist() == [3, 3, 3]


# --- words, lanes, figure ---


def test_it_keeps_the_contract_of_findings(funnel):
    assert isinstance(funnel, Finding)
    assert list(funnel.table.index) == [0, 1, 2]
    assert all(funnel.table[column].dtype == np.float64 for column in ("estimate", "lower", "upper"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        funnel.title = "another"


def test_the_sentence_tells_share_interval_base_and_where_the_others_end(funnel):
    assert funnel.sentence() == (
        "25% of 4 customers (95% interval 4.6% to 70%) went from “a” to “c” within 10 days. "
        "Most of the others got no further than “b”: 2 (1 time passed and 1 d). 2 attempts are still in progress."
    )


def test_the_sentence_gives_the_curve_where_there_is_one(simulated):
    sentence = estimate_funnel(simulated[1], ["a", "b"], window="30d", entry="every").sentence()
    assert sentence == (
        "53% of 436 attempts of 436 customers (95% interval 48% to 57%) went from “a” to “b” within 30 days. "
        "Most of the others got no further than “a”: 206 (time passed). 164 attempts are still "
        "in progress; with these, as long as they were watched, the share is 54% (49% to 58%)."
    )


def test_the_sentence_of_groups_names_each(persona):
    log = log_of({"p": "a@0 b@1", "q": "a@20 b@25", "r": "a@30"})
    assert estimate_funnel(log, ["a", "b"], window="10d", by=persona, order="unordered").sentence() == (
        "Share that goes from “a” to all 2 steps within 10 days: persona “P1” 50% of 2 customers (95% interval 9.5% to "
        "90.5%). 1 attempt left out: began before the persona was known."
    )


def test_the_sentence_says_when_it_is_too_early_and_which_event_is_missing():
    found = estimate_funnel(log_of({"p": "a@95 b@96"}), ["a", "zzz"], window="10d")
    assert found.sentence() == (
        "How many go from “a” to “zzz” within 10 days cannot be told yet: no attempt has had its whole time. "
        "1 attempt is still in progress. The log has no event “zzz”."
    )
    assert found.plot().alt == found.sentence()
    assert found.table["estimate"].isna().all()


def test_steps_that_open_stages_have_a_lane_in_the_journey_map():
    journey = Journey.model_validate(
        {
            "journeylab": 1,
            "name": "test",
            "goal": "test lanes",
            "stages": [{"name": f"stage {event}", "opened_by": {"event": event}} for event in "abc"],
        }
    )
    lanes = estimate_funnel(log_of(BY_HAND), build_steps(journey), window="10d").by_stage()
    assert lanes.index.name == "stage"
    assert lanes["funnel"].to_dict() == {
        "stage a": None,
        "stage b": "reached by 75% of 4 customers (95% interval 30% to 95.4%)",
        "stage c": "reached by 50% of 4 customers (95% interval 15% to 85%)",
    }


def test_a_funnel_of_plain_events_says_nothing_of_stages(funnel):
    lanes = funnel.by_stage()
    assert lanes.shape == (0, 0)
    assert lanes.index.name == "stage"


def test_the_figure_carries_its_numbers_in_words(funnel):
    chart = funnel.plot()
    assert isinstance(chart, Chart)
    assert chart.alt == (
        "Share that reaches each step within 10 days. a: 4 entered; b: 75% (30% to 95.4%), 3 of 4; "
        "c: 25% (4.6% to 70%), 1 of 4."
    )
    assert chart.png() == funnel.plot().png()
    assert funnel.plot(chart.axes).axes is chart.axes


def test_what_customers_are_called_is_escaped():
    plans = pd.DataFrame({"plan": ["<b>x</b>"] * 4}, index=pd.Index(list("pqrs"), name="customer_id"))
    closed = {name: BY_HAND[name] for name in "pqrs"}
    steps = ["a", {"event": "b", "label": "<i>b</i>"}]
    shown = estimate_funnel(log_of(closed, customers=plans), steps, window="10d", by="plan")._repr_html_()
    assert "<b>x" not in shown
    assert "<i>b" not in shown
    assert "jl-table" in shown


# --- what is lacking, what is refused ---

NOBODY = pd.Index([], dtype=object, name="customer_id")
NO_LABEL = Grouping(
    "persona", pd.Series([], index=NOBODY, dtype=object), pd.Series([], index=NOBODY, dtype="datetime64[us, UTC]")
)
LATE = Grouping("persona", pd.Series({"p": "P1"}), pd.Series({"p": START + 99 * DAY}))
LACKING = {
    "nobody entered": (
        ["zzz", "b"],
        None,
        "Nobody did “zzz” in the log's window, so there is no funnel to estimate. The log has no event “zzz”.",
    ),
    "nobody entered in time": (
        ["early", "b"],
        None,
        "Nobody did “early” in the log's window, so there is no funnel to estimate.",
    ),
    "no label": (["a", "b"], NO_LABEL, "Nobody has a known persona, so there is nothing to compare by it."),
    "labels too late": (
        ["a", "b"],
        LATE,
        "Nobody who did “a” is left to judge (1 attempt: no known persona; 1 attempt: began before the persona was "
        "known). The entry “every” looks at later attempts too.",
    ),
}


@pytest.mark.parametrize("name", LACKING)
def test_without_attempts_it_is_empty_and_says_why(name):
    steps, by, text = LACKING[name]
    found = estimate_funnel(log_of({"p": "early@-3 a@0 b@1", "q": "a@0"}), steps, window="10d", by=by)
    assert found.lacking == found.sentence() == found.plot().alt == text
    assert text.split("“")[0] in found._repr_html_()
    assert len(found.table) == len(found.losses) == len(found.days_to_convert()) == 0
    assert ("group" in found.table) == ("group" in found.losses) == (by is not None)
    assert found.table["estimate"].dtype == np.float64
    assert found.by_stage().index.name == "stage"


def test_a_log_without_events_lacks_what_a_funnel_needs():
    found = estimate_funnel(log_of({}), ["a", "b"], window="10d")
    assert found.lacking == (
        "Nobody did “a” in the log's window, so there is no funnel to estimate. The log has no event “a” and “b”."
    )


REFUSED = {
    "window": (
        {"window": "soon"},
        "“soon” is not a duration. Write a positive number and its unit, one of s, m, h, d, w: “30d”, “12h”.",
    ),
    "confidence": ({"confidence": 95}, "The confidence is 95. Give a share above 0 and below 1, such as 0.95."),
    "group": ({"by": "pln"}, "The customers have no attribute “pln” to group by. Did you mean “plan”?"),
    "labels of others": (
        {"by": pd.Series({"x": "small"}, name="plan")},
        "None of the customers with a label of “plan” (1) is in the log. Index the labels by customer_id.",
    ),
    "order": (
        {"order": "any"},
        "order: “order” must be ordered or strict or unordered, found “any”. Known: ordered, strict, unordered.",
    ),
    "mistyped": (
        {"exclude": "d_"},
        "The log has no event “d_”, which exclusion 1 of the funnel names. Did you mean “d”?",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_input_is_refused_in_words(name):
    more, text = REFUSED[name]
    plans = pd.DataFrame({"plan": ["small"] * 6}, index=pd.Index(list("pqrstu"), name="customer_id"))
    with pytest.raises(JourneyLabError) as error:
        estimate_funnel(log_of(BY_HAND, customers=plans), ["a", "b"], **({"window": "10d"} | more))
    assert str(error.value) == text


def test_steps_are_checked_before_the_log_is_read():
    with pytest.raises(EstimateError) as error:
        estimate_funnel(None, ["a"], window="10d")
    assert str(error.value) == (
        "A funnel leads from one step to another, found 1 step. Name two or more in order, such as "
        "steps=[“signed_up”, “purchased”]."
    )


def test_a_window_shorter_than_the_fastest_way_gives_no_share_of_0():
    rows = [{"customer_id": f"c{i:02}", "event": "start", "day": 0} for i in range(30)]
    rows += [{"customer_id": f"c{i:02}", "event": "look", "day": 3} for i in range(20)]
    rows += [{"customer_id": f"c{i:02}", "event": "pass", "day": 40 + i} for i in range(12)]
    log = by_hand.log_of(rows)
    found = estimate_funnel(log, ["start", "look", "pass"], window="30d")
    last = found.table.iloc[-1]
    assert last[["estimate", "lower", "upper", "curve"]].isna().all()
    assert last["note"] == "cannot show before day 40: the fastest took so long"
    assert found.table.iloc[1]["estimate"] == pytest.approx(20 / 30)
    assert found.sentence() == (
        "Nobody can go from “start” to “pass” within 30 days: the fastest took 40 days. 12 attempts of 30 got there "
        "later. Give a longer window, such as 60d."
    )
    assert "0%" not in found.plot().alt.replace("20%", "")
    never = estimate_funnel(by_hand.log_of(rows[:50]), ["start", "look"], window="1d")
    assert "the fastest took 3 days" in never.sentence()
    nobody = estimate_funnel(
        by_hand.log_of([*rows[:50], {"customer_id": "x", "event": "pass", "day": 1}]), ["start", "pass"], window="9d"
    )
    assert nobody.table.iloc[-1]["estimate"] == 0, "nobody ever goes there: that is known"
