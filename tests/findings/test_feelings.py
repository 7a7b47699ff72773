"""Feelings: means by stage with clustered limits, response, net promoters, gaps, highs and lows."""

import re

import numpy as np
import pandas as pd
import pytest
from by_hand import LOST_TO_PRICE, journey_of

from journeylab.base.errors import EstimateError
from journeylab.estimators.intervals import wilson
from journeylab.estimators.means import clustered_mean, mean_difference
from journeylab.events.reading import read_events
from journeylab.events.simulate import simulate_log
from journeylab.events.spells import find_spells
from journeylab.findings.feelings import Feelings, estimate_feelings
from journeylab.findings.grouping import Grouping

START = pd.Timestamp("2025-01-01", tz="UTC")
STAGES = ["trial", "paid", "partner"]
JOURNEY = journey_of(
    [
        {"name": "trial", "opened_by": [{"event": "start"}]},
        {"name": "paid", "opened_by": [{"event": "buy"}]},
        {"name": "partner", "opened_by": [{"event": "refer"}], "completes": True},
    ],
    [LOST_TO_PRICE],
)
# In the trial each of 20 customers answers 10, 9 and 3 in turn; in paid 12 of them answer 8 and 2.
TRIAL, PAID = [10, 9, 3], [8, 2]


def rows_of(trial=TRIAL, paid=PAID) -> list[tuple]:
    rows = []
    for number in range(20):
        name = f"c{number:02}"
        rows += [(name, "start", number, None), (name, "buy", number + 10, None), (name, "cancel", number + 60, None)]
        rows += [(name, "survey", number + 1 + place, score) for place, score in enumerate(trial)]
        rows += [(name, "survey", number + 20 + place, score) for place, score in enumerate(paid) if number < 12]
    return [*rows, ("c00", "survey", 99, 1.0)]


def studied(rows, *, without=(), attributes=None):
    table = pd.DataFrame(rows, columns=["customer_id", "event", "day", "score"])
    table["time"] = START + pd.to_timedelta(table["day"], unit="D")
    names = {name: name for name in ("customer_id", "event", "time")}
    window = (START, START + pd.Timedelta(days=120))
    kept = table.drop(columns=["day", *without])
    log = read_events(kept, columns=names, window=window, customers=attributes)
    return log, find_spells(log, JOURNEY)


def feelings(rows=None, *, scale="nps", without=(), attributes=None, **asked) -> Feelings:
    rows = rows_of() if rows is None else rows
    return estimate_feelings(*studied(rows, without=without, attributes=attributes), scale=scale, **asked)


def row(found, stage, measure) -> pd.Series:
    table = found.table
    return table[(table["stage"] == stage) & (table["measure"] == measure)].iloc[0]


def numbers(row) -> list[float]:
    return row[["estimate", "lower", "upper"]].astype(float).tolist()


def test_the_mean_counts_answers_and_its_limits_count_customers():
    found = row(feelings(), "trial", "feeling")
    # (10 + 9 + 3) / 3 = 22/3 of 10; every customer says the same, so limits are as narrow as one customer's mean tells
    assert found["estimate"] == pytest.approx(-2 + 4 * 22 / 30)
    assert (found["n"], found["customers"]) == (60, 20)
    ids = np.repeat(np.arange(20), 3)
    expected = clustered_mean(np.tile([2, 1.6, -0.8], 20), ids, bounds=(-2, 2))
    assert numbers(found) == pytest.approx(expected)


def test_the_score_is_told_on_its_own_scale_too():
    assert row(feelings(), "trial", "score")["estimate"] == pytest.approx(22 / 3)
    assert row(feelings(), "paid", "score")["estimate"] == pytest.approx(5)


def test_promoters_minus_detractors_are_told_only_where_the_scale_is_nps():
    # two of three promote, one detracts
    assert row(feelings(), "trial", "nps")["estimate"] == pytest.approx(100 / 3)
    assert row(feelings(), "paid", "nps")["estimate"] == pytest.approx(-50)
    assert set(feelings(scale="0..10").table["measure"]) == {"feeling", "score", "response"}


def test_the_response_is_of_all_customers_in_the_stage():
    found = row(feelings(), "paid", "response")
    lower, upper = wilson(12, 20)
    assert numbers(found) == pytest.approx([0.6, float(lower), float(upper)])
    assert (found["n"], found["customers"]) == (20, 12)


def test_where_nobody_answered_is_a_gap():
    found = feelings()
    gap = row(found, "partner", "feeling")
    assert np.isnan(gap["estimate"])
    assert (gap["n"], gap["note"]) == (0, "nobody answered")
    assert row(found, "partner", "response")["note"] == "nobody in the stage"
    assert found.by_stage().loc["partner"].isna().all()
    assert found.plot().alt.endswith("Not measured: partner.")


def test_too_few_customers_are_a_gap_too():
    found = feelings(min_customers=13)
    assert row(found, "paid", "feeling")["note"] == "fewer than 13 customers answered"
    assert np.isnan(numbers(row(found, "paid", "feeling"))).all()


def test_high_and_low_are_marked_with_their_distance_clustered():
    found = feelings(rows_of(paid=[2, 3]))
    contrast = found.contrasts.iloc[0]
    assert (contrast["high"], contrast["low"]) == ("trial", "paid")
    trial = (np.tile([2, 1.6, -0.8], 20), np.repeat(np.arange(20), 3))
    paid = (np.tile([-1.2, -0.8], 12), np.repeat(np.arange(12), 2))
    assert numbers(contrast) == pytest.approx(mean_difference(trial, paid, bounds=(-2, 2)))
    assert (row(found, "trial", "feeling")["mark"], row(found, "paid", "feeling")["mark"]) == ("high", "low")


def test_stages_that_differ_no_more_than_by_chance_are_not_marked():
    rows = [each for each in rows_of(trial=[], paid=[]) if each[1] != "survey"]
    random = np.random.default_rng(2)
    for number in range(20):
        rows += [(f"c{number:02}", "survey", number + day, int(random.integers(0, 11))) for day in (1, 20)]
    found = feelings(rows)
    assert found.table["mark"].isna().all()
    assert "No stage stands out" in found.sentence()


def test_a_stage_is_marked_only_where_it_differs_from_every_other_one():
    # The trial is best by far; paid and partner do not differ, so that neither of them is marked low.
    rows = rows_of(trial=[10, 10, 9], paid=[3, 4])
    rows = [each for each in rows if each[1] != "cancel"]
    for number in range(12):
        name = f"c{number:02}"
        rows += [(name, "refer", number + 50, None), (name, "survey", number + 51, 3), (name, "survey", number + 52, 4)]
    found = feelings(rows)
    marks = {stage: row(found, stage, "feeling")["mark"] for stage in STAGES}
    assert marks == {"trial": "high", "paid": None, "partner": None}
    assert found.contrasts.iloc[0]["lower"] > 0


def gone_rows() -> list[tuple]:
    """All are lost from paid on day 60 or later; twelve of them answer 1 and 2 after that."""
    rows = [each for each in rows_of() if each[2] != 99]
    return rows + [(f"c{n:02}", "survey", n + 61 + day, score) for n in range(12) for day, score in enumerate((1, 2))]


def test_those_who_had_been_lost_stand_beside_those_inside_by_the_stage_they_left():
    found = feelings(gone_rows())
    gone = found.gone.set_index("stage")
    assert gone.loc["paid", ["n", "customers"]].tolist() == [24, 12]
    assert gone.loc["paid", "estimate"] == pytest.approx(-2 + 4 * 0.15)
    assert gone.loc["trial", "note"] == "nobody answered"
    assert found.by_stage().loc["paid", "emotions"].endswith("; lost from here -1.4 (-1.8 to -0.3), n = 24")
    beside = found.feelings_by_stage().set_index("stage")
    assert beside.loc["paid", ["gone", "gone_n"]].tolist() == pytest.approx([-1.4, 24])
    assert "Those who had been lost from it: paid: -1.4 (-1.8 to -0.3), n = 24." in found.plot().alt


def test_how_much_worse_those_feel_who_had_been_lost_is_said_with_its_interval():
    found = feelings(gone_rows())
    gap = found.gaps.iloc[0]
    assert gap["estimate"] == pytest.approx((-2 + 4 * (20 * 22 + 12 * 10) / 840) + 1.4)
    assert found.gap_in_words().startswith(
        "Those who had been lost feel worse than those inside a stage: mean -1.4 (-1.8 to -0.3), n = 24, against "
    )
    assert found.gap_in_words() in found.sentence()
    # Before anybody was lost, nothing is said of it.
    assert feelings().gap_in_words() == ""


def test_answers_in_no_stage_are_told_apart():
    outside = feelings().overall.query("place == 'in no stage' and measure == 'feeling'").iloc[0]
    assert (outside["n"], outside["customers"]) == (1, 1)
    assert "1 more answer came from customers who were in no stage then." in feelings().sentence()


def test_all_stages_together_are_computed_and_not_averaged():
    total = feelings().overall.query("place == 'all stages' and measure == 'score'").iloc[0]
    assert total["estimate"] == pytest.approx((20 * 22 + 12 * 10) / 84)
    assert total["n"] == 84


def test_answers_outside_the_scale_are_left_out_and_told():
    found = feelings([*rows_of(), ("c00", "survey", 2, 99)])
    assert found.n_misfits == 1
    assert row(found, "trial", "feeling")["n"] == 60
    assert found.sentence().endswith("Left out: 1 answer outside the scale.")


def test_a_scale_that_many_answers_do_not_fit_is_refused():
    message = (
        "72 of 85 answers lie outside the scale “csat”, 1 to 5; the first is 10. "
        "Declare the scale on which they were asked, or say with `asked` which events are meant."
    )
    rows = [each if each[3] != 3 else (*each[:3], 9) for each in rows_of(paid=[3, 2])]
    with pytest.raises(EstimateError, match=f"^{re.escape(message)}$"):
        feelings(rows, scale="csat")


def test_a_scale_of_which_only_the_lower_half_is_used_is_doubted():
    found = feelings(rows_of(trial=[5, 4], paid=[3]))
    assert found.sentence().endswith(
        "No answer is above 5, though the scale goes up to 10. Check that it is the right one."
    )


def test_a_scale_whose_best_is_the_lower_number_turns_round():
    assert row(feelings(scale="10..0"), "trial", "feeling")["estimate"] == pytest.approx(2 - 4 * 22 / 30)


def test_groups_are_told_apart_from_when_their_label_was_known():
    labels = pd.Series({f"c{number:02}": "<b>x</b>" if number < 10 else "y" for number in range(20)}, name="plan")
    found = feelings(by=labels)
    assert (found.table["group"] == "y").sum() == len(found.table) / 2
    known = pd.Series(START + pd.Timedelta(days=15), index=labels.index)
    late = feelings(by=Grouping("plan", labels, known))
    first = late.table.query("group == '<b>x</b>' and stage == 'trial' and measure == 'feeling'").iloc[0]
    # those who had left the trial by day 15 are out, and so is what others said there before
    assert first["customers"] == 0
    paid = late.table.query("group == '<b>x</b>' and stage == 'paid' and measure == 'feeling'").iloc[0]
    assert (paid["n"], paid["customers"]) == (20, 10)
    assert "<b>" not in found._repr_html_()
    assert list(found.by_stage().columns) == ["emotions (<b>x</b>)", "emotions (y)"]
    assert "95% intervals" in found.sentence()


def test_the_sentence_tells_base_interval_and_doubt():
    assert feelings(rows_of(paid=[2, 3])).sentence() == (
        "84 answers of 20 customers in a stage, on a scale of NPS, 0 (worst) to 10 (best). From -2 to 2, they feel "
        "best in “trial” (mean +0.9, 95% interval +0.1 to +1.5, n = 60) and worst in “paid” (mean -1.0, 95% interval "
        "-1.6 to +0.1, n = 24): a difference of 1.9 (0.5 to 2.8, allowing for all pairs of stages). The net promoter "
        "score over all stages is -5 points (-15 to +6). 1 more answer came from customers who were in no stage then."
    )


def test_the_lane_tells_mean_base_and_response():
    assert feelings().by_stage().loc["paid", "emotions"] == (
        "+0.0 (-1.0 to +1.0) from -2 to 2; mean 5.0 of 0 to 10; NPS -50 points (-82 to +6); n = 24; "
        "60% of 20 customers answered"
    )


@pytest.mark.slow
def test_it_keeps_the_contract():
    found = feelings()
    assert list(found.table.index) == list(range(len(found.table)))
    assert not found.table.duplicated(["stage", "measure"]).any()
    assert list(found.by_stage().index) == STAGES
    assert found.plot().png() == feelings().plot().png()
    assert found.plot(found.plot().axes).png().startswith(b"\x89PNG")
    known = found.table.dropna(subset=["estimate"])
    assert ((known["lower"] <= known["estimate"] + 1e-12) & (known["estimate"] <= known["upper"] + 1e-12)).all()
    assert "jl-table" in found._repr_html_()


LACKS = {
    "no column": ({"without": ["score"]}, "The log has no scores, so it cannot tell what customers feel. "
                  "Name their column “score” when reading."),
    "no answer": ({"rows": [("a", "start", 1, np.nan), ("b", "start", 1, np.nan)]},
                  "No customer gave a score within the window, so the log cannot tell what they feel."),
    "no scale": ({"scale": None}, "The log has 85 scores, but their scale is not declared. "
                 "Add a line such as “score: {scale: nps}” to study.yml."),
    "nobody": ({"rows": [("a", "look", 1, 5.0)]},
               "Nobody was in a stage while it was watched, so there is nothing to estimate. Look whether the log "
               "holds events that open the stages: lint_journey(journey, log=log) tells."),
}  # fmt: skip


@pytest.mark.parametrize("name", LACKS)
def test_what_is_lacking_is_said(name):
    given, why = LACKS[name]
    found = feelings(**given)
    assert (found.lacking, found.sentence()) == (why, why)
    assert found.plot().alt == why
    assert why in found._repr_html_().replace("&quot;", '"')
    assert found.table["estimate"].dtype == np.float64
    assert found.table.empty
    assert list(found.by_stage().index) == STAGES
    assert found.by_stage().isna().all(axis=None)


@pytest.mark.slow
def test_known_moods_are_recovered_from_a_simulated_log():
    made = simulate_log(400, seed=4)
    found = estimate_feelings(made.log, find_spells(made.log, made.journey), scale="nps", asked="survey_answered")
    total = found.overall.set_index(["place", "measure"])["estimate"]
    # who has just left says so: exit surveys come when the customer is in no stage
    assert total["in no stage", "feeling"] < 0 < total["all stages", "feeling"]
    assert found.table["estimate"].notna().any()


def test_scores_that_came_with_events_of_the_company_are_not_passed_over_in_silence():
    rows = pd.DataFrame(rows_of(), columns=["customer_id", "event", "day", "score"])
    rows["time"] = START + pd.to_timedelta(rows.pop("day"), unit="D")
    rows["initiator"] = np.where(rows["event"] == "survey", "company", "customer")
    log = read_events(rows, window=(START, START + pd.Timedelta(days=120)))
    spells = find_spells(log, journey_of([{"name": "trial", "opened_by": [{"event": "start"}]}]))
    found = estimate_feelings(log, spells, scale="nps")
    assert found.lacking == (
        "No customer gave a score within the window, so the log cannot tell what they feel. But 85 scores came with "
        "events that customers did not initiate, most with “survey”. If these are answers of customers, name the event "
        "in study.yml: “score: {scale: nps, event: survey}”."
    )
    named = estimate_feelings(log, spells, scale="nps", asked="survey")
    assert named.lacking is None
    assert row(named, "trial", "score")["n"] == 85
