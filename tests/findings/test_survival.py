"""Survival: the curves are those of a second source, and what was not reached is said to be so."""

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from scipy.stats import t
from statsmodels.duration.survfunc import CumIncidenceRight

from journeylab.base.errors import EstimateError
from journeylab.findings.dropoff import estimate_dropoff
from journeylab.findings.grouping import Grouping
from journeylab.findings.survival import estimate_survival

FOUR = [
    ("a", "trial", 0, 2, "price"),
    ("b", "trial", 1, 5, "advanced"),
    ("c", "trial", 0, 5, None),
    ("d", "trial", 0, 10, "price"),
]
START = pd.Timestamp("2025-01-01", tz="UTC")


def curve(finding, stage, state, column="estimate"):
    table = finding.table
    return table[(table["stage"] == stage) & (table["state"] == state)].set_index("days")[column]


def random_visits(seed, n, names, *, late=False, stage="paid"):
    random = np.random.default_rng(seed)
    length, way = random.integers(1, 30, n), random.integers(0, len(names), n)
    entered = random.integers(-8, 20, n) if late else np.zeros(n, int)
    length = np.maximum(length, 1 - entered)
    return [(f"c{i}", stage, int(entered[i]), int(entered[i] + length[i]), names[way[i]]) for i in range(n)]


def test_curves_are_those_worked_by_hand(spells_of):
    found = estimate_survival(spells_of(FOUR))
    assert curve(found, "trial", "inside").to_dict() == pytest.approx({0: 1, 2: 3 / 4, 4: 1 / 2, 10: 0})
    assert curve(found, "trial", "price").to_dict() == pytest.approx({0: 0, 2: 1 / 4, 4: 1 / 4, 10: 3 / 4})
    assert curve(found, "trial", "advanced").to_dict() == pytest.approx({0: 0, 2: 0, 4: 1 / 4, 10: 1 / 4})
    assert curve(found, "trial", "inside", "at_risk").tolist() == [4, 4, 3, 1]
    assert set(found.table["stage"]) == {"trial"}


@pytest.mark.parametrize("late", [False, True])
def test_one_way_out_is_kaplan_meier(spells_of, late):
    rows = random_visits(5, 80, [None, "other"], late=late)
    found = curve(estimate_survival(spells_of(rows)), "paid", "inside")
    entered, left = (np.array([row[place] for row in rows], float) for place in (2, 3))
    fitter = KaplanMeierFitter().fit(
        left - entered, [row[4] == "other" for row in rows], entry=np.where(entered < 0, -entered, -1) if late else None
    )
    there = fitter.survival_function_at_times(found.index.to_numpy()).to_numpy()
    assert found.to_numpy() == pytest.approx(there, abs=1e-12)


def test_several_ways_out_are_statsmodels_cumulative_incidence(spells_of):
    rows = [*random_visits(6, 200, [None, "advanced", "price", "other"]), ("last", "paid", 0, 90, None)]
    found = estimate_survival(spells_of(rows))
    codes = {None: 0, "advanced": 1, "price": 2, "other": 3}
    other = CumIncidenceRight(np.array([row[3] - row[2] for row in rows]), np.array([codes[row[4]] for row in rows]))
    for name, place in (("advanced", 0), ("price", 1), ("other", 2)):
        here = curve(found, "paid", name)
        there = other.cinc[place][np.searchsorted(other.times, here.index[1:-1], "right") - 1]
        assert here.to_numpy()[1:-1] == pytest.approx(there, abs=1e-12)


def test_at_any_day_the_states_sum_to_one(spells_of):
    rows = random_visits(7, 150, [None, "advanced", "price", "other"], late=True) + random_visits(8, 50, ["price"])
    found = estimate_survival(spells_of(rows)).table
    assert found.groupby(["stage", "days"])["estimate"].sum().to_numpy() == pytest.approx(1)
    assert ((found["lower"] <= found["estimate"]) & (found["estimate"] <= found["upper"])).all()


def test_medians_and_their_intervals_are_lifelines_where_customers_come_once(spells_of):
    """Greenwood's standard error, which lifelines takes, is the jackknife's for one visit each, without censoring."""
    random = np.random.default_rng(9)
    length = random.choice(np.arange(1, 200), 90, replace=False)
    rows = [(f"c{i}", "paid", 0, int(days), "other") for i, days in enumerate(length)]
    medians = estimate_survival(spells_of(rows)).medians().set_index("quantile")
    fitter = KaplanMeierFitter().fit(length)
    limits = fitter.confidence_interval_survival_function_
    below = [limits.index[np.argmax(limits.to_numpy()[1:, place] <= 0.5) + 1] for place in (0, 1)]
    assert medians.loc[0.5, ["estimate", "lower", "upper"]].tolist() == [fitter.median_survival_time_, *below]
    assert medians.loc[0.25, "estimate"] == np.sort(length)[22]


def test_what_was_not_reached_is_missing_and_says_so(spells_of):
    rows = [(f"c{i}", "trial", 0, 1 + i % 3 if i < 12 else 30, "price" if i < 12 else None) for i in range(30)]
    medians = estimate_survival(spells_of(rows)).medians().set_index("quantile")
    assert medians.loc[0.25, "estimate"] == 2
    assert np.isnan(medians.loc[0.5, "estimate"])
    assert medians["note"].tolist() == [None, "not reached", "not reached"]
    few = estimate_survival(spells_of(FOUR)).medians().set_index("quantile")
    assert few.loc[0.5, ["estimate", "lower"]].tolist() == [4, 2]
    assert np.isnan(few.loc[0.5, "upper"])
    assert few.loc[0.5, "note"] == "upper limit not reached; only 4 visits of 4 customers"


def test_the_limits_of_long_curves_come_from_every_day_not_from_the_days_shown(spells_of):
    rows = [(f"c{i}", "paid", 0, 1 + i, "other") for i in range(400)]
    found = estimate_survival(spells_of(rows))
    assert len(curve(found, "paid", "inside")) == 101
    medians = found.medians().set_index("quantile")
    assert medians.loc[0.5, "estimate"] == 200
    fitter = KaplanMeierFitter().fit(np.arange(1, 401))
    limits = fitter.confidence_interval_survival_function_
    below = [limits.index[np.argmax(limits.to_numpy()[1:, place] <= 0.5) + 1] for place in (0, 1)]
    assert medians.loc[0.5, ["lower", "upper"]].tolist() == below


def test_restricted_means_are_those_worked_by_hand(spells_of):
    """To day 10: 2 days at 1, 2 at 3/4, 6 at 1/2. With nobody censored it is the mean of the days, with its error."""
    means = estimate_survival(spells_of(FOUR)).restricted_means("10d")
    assert means.loc[0, ["estimate", "horizon_days", "n", "customers", "at_risk"]].tolist() == [6.5, 10, 4, 4, 1]
    lengths = np.array([1, 3, 4, 4, 8, 20])
    rows = [(f"c{i}", "paid", 0, int(days), "other") for i, days in enumerate(lengths)]
    mean = estimate_survival(spells_of(rows)).restricted_means("10d").iloc[0]
    within = np.minimum(lengths, 10)
    assert mean["estimate"] == pytest.approx(within.mean())
    assert mean["standard_error"] == pytest.approx(within.std() / np.sqrt(6))
    share, error = within.mean() / 10, t.isf(0.025, 5) * np.sqrt(6 / 5) * within.std() / np.sqrt(6) / 10
    odds = np.log(share / (1 - share)) + error / (share * (1 - share))
    assert mean["upper"] == pytest.approx(10 / (1 + np.exp(-odds)))


def test_a_restricted_mean_on_few_at_risk_carries_the_note_of_drop_off(spells_of):
    """Of 60 visits 9 are watched beyond day 40; later two are censored with one in 60 still inside."""
    rows = [(f"c{i:02}", "paid", 0, day, "other") for i, day in enumerate([*range(1, 52), *range(60, 69)])]
    means = estimate_survival(spells_of(rows)).restricted_means("65d").iloc[0]
    assert means["note"] is None  # nobody is censored: a plain mean
    rows[-1] = (*rows[-1][:3], 66, None)
    spells = spells_of(rows)
    means = estimate_survival(spells).restricted_means("68d").iloc[0]
    dropoff = estimate_dropoff(spells, horizons=["68d"]).losses.set_index("stage").loc["paid"]
    assert means["note"] == dropoff["note"] == "fewer than 10 at risk after day 51.0"
    assert np.isfinite(means["estimate"])
    rows = [(f"c{i:03}", "paid", 0, 1 + i % 40, "other") for i in range(600)] + [("d", "paid", 0, 60, None)]
    means = estimate_survival(spells_of(rows)).restricted_means("90d").iloc[0]
    assert means["note"] == "0.2% unresolved: fewer than 10 at risk after day 40.0"
    # What one in 601 may still add to the mean: 30 days at most.
    most = estimate_survival(spells_of(rows)).restricted_means("60d").iloc[0]
    assert means["estimate"] == pytest.approx(most["estimate"])
    assert means["upper"] == pytest.approx(most["upper"] + 30 / 601)


def test_a_restricted_mean_beyond_the_last_day_watched_is_missing(spells_of):
    rows = [
        ("a", "trial", 0, 2, "price"),
        ("b", "trial", 0, 5, None),
        ("c", "paid", 0, 3, "other"),
        ("d", "paid", 0, 4, "other"),
    ]
    means = estimate_survival(spells_of(rows)).restricted_means("30d").set_index("stage")
    assert np.isnan(means.loc["trial", ["estimate", "lower", "upper"]].astype(float)).all()
    assert means.loc["trial", "note"] == "nobody was watched after day 5.0; only 2 visits of 2 customers"
    assert means.loc["paid", "estimate"] == 3.5


def test_visits_of_one_customer_count_once_in_the_interval(spells_of):
    once = [(f"c{i}", "paid", 0, 1 + i % 7, ("price", "other", None)[i % 3]) for i in range(40)]
    twice = once + [(customer, stage, entered + 100, left + 100, way) for customer, stage, entered, left, way in once]
    single, double = (estimate_survival(spells_of(rows)).table for rows in (once, twice))
    columns = ["stage", "state", "days", "estimate", "lower", "upper"]
    pd.testing.assert_frame_equal(double[columns], single[columns])
    assert (double["n"] == 80).all()


def test_a_label_known_later_starts_the_clock_there(spells_of):
    labels = pd.Series(dict.fromkeys("abd", "x"))
    known = pd.Series(START + pd.Timedelta(days=3), index=labels.index)
    found = estimate_survival(spells_of(FOUR), by=Grouping("persona", labels, known))
    assert curve(found, "trial", "inside").to_dict() == pytest.approx({0: 1, 4: 1 / 2, 10: 0})
    assert found.medians()["note"].tolist() == [
        "only 2 visits of 2 customers; given still inside on day 2.0",
        "upper limit not reached; only 2 visits of 2 customers; given still inside on day 2.0",
        "upper limit not reached; only 2 visits of 2 customers; given still inside on day 2.0",
    ]
    assert found.title == "Time in each stage, by persona"


def test_the_sentence_names_number_interval_and_base(spells_of):
    rows = [(f"c{i}", "trial", 0, 1 + i % 5, "advanced") for i in range(30)]
    rows += [(f"c{i}", "paid", 1 + i % 5, 100, None) for i in range(30)]
    found = estimate_survival(spells_of(rows))
    assert found.sentence() == (
        "Half of those who enter a stage have left it, one way or another: “trial” after 3.0 days (95% interval 2.0 to "
        "4.0; 30 visits); “paid” not while watched (30 visits)."
    )
    labels = pd.Series({f"c{i}": "odd" if i % 2 else "even" for i in range(30)}, name="half")
    grouped = estimate_survival(spells_of(rows), by=labels, confidence=0.8)
    assert grouped.sentence() == (
        "Half of those who enter “trial” have left it, one way or another: half “even” after 3.0 days (80% interval "
        "2.0 to 4.0; 15 visits); half “odd” after 3.0 days (80% interval 2.0 to 4.0; 15 visits)."
    )


def test_the_lane_says_how_long_in_each_stage(spells_of):
    rows = [(f"c{i}", "trial", 0, 1 + i % 5, "advanced") for i in range(30)]
    lanes = estimate_survival(spells_of(rows)).by_stage()
    assert lanes["time in stage"].tolist() == [
        "half have left after 3.0 days (95% interval 2.0 to 4.0; 30 visits)", None, None, None,
    ]  # fmt: skip
    assert list(lanes.index) == ["trial", "paid", "plus", "partner"]


def test_a_stage_that_completes_the_journey_stays_and_has_no_median(spells_of):
    found = estimate_survival(spells_of([*FOUR, ("e", "partner", 0, 9, None), ("f", "partner", 0, 7, None)]))
    assert curve(found, "partner", "inside").to_dict() == {0: 1, 9: 1}
    assert set(found.medians()["stage"]) == {"trial"}
    only = estimate_survival(spells_of([("e", "partner", 0, 9, None)]))
    assert only.sentence() == "Nobody entered a stage that can be left."


def test_figures_stop_where_few_are_at_risk_and_carry_their_numbers_in_words(spells_of):
    rows = [(f"c{i}", "trial", 0, 1 + i, "price" if i % 4 else "advanced") for i in range(40)]
    found = estimate_survival(spells_of(rows))
    chart = found.plot()
    assert chart.alt == f"Share still inside each stage, by days since entering. {found.sentence()}"
    assert chart.axes.lines[0].get_xdata().max() == 31
    incidence = found.plot_incidence("trial")
    assert incidence.alt.startswith("Share that has left “trial” by each way. advanced 20.0% (10.")
    assert found.plot(chart.axes).axes is chart.axes


def test_groups_can_be_drawn_together_and_apart(spells_of):
    rows = [(f"c{i}", "trial", 0, 1 + i // 2, "price") for i in range(40)]
    found = estimate_survival(spells_of(rows), by=pd.Series({f"c{i}": str(i % 2) for i in range(40)}))
    axes = found.plot().axes
    assert found.plot(axes).axes is axes
    assert [panel.get_title(loc="left") for panel in found.plot_incidence("trial").axes.figure.axes] == ["0", "1"]
    assert found.plot_incidence("trial", axes).axes is axes


@pytest.mark.parametrize(
    ("decisions", "text"),
    [
        ({"confidence": 0}, "The confidence is 0. Give a share above 0 and below 1, such as 0.95."),
        ({"by": "plant"}, "The customers have no attribute “plant” to group by. Did you mean “plan”?"),
        (
            {"by": Grouping("persona", pd.Series({"y": "x", "z": "x"}))},
            "None of the customers with a label of “persona” (2) has a spell. Index the labels by customer_id.",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(spells_of, decisions, text):
    attributes = pd.DataFrame({"plan": ["s"] * 4}, index=pd.Index(list("abcd"), name="customer_id"))
    with pytest.raises(EstimateError) as error:
        estimate_survival(spells_of(FOUR, attributes=attributes), **decisions)
    assert str(error.value) == text


def test_spells_without_a_row_are_an_empty_result_that_says_so(spells_of):
    found = estimate_survival(spells_of([]))
    assert found.sentence() == found.lacking
    assert found.lacking == (
        "Nobody was in a stage while it was watched, so there is nothing to estimate. Look whether the log holds "
        "events that open the stages: lint_journey(journey, log=log) tells."
    )


def test_tables_without_a_row_have_the_columns_and_types_of_those_with_rows(spells_of):
    some, none = (estimate_survival(spells_of(rows)) for rows in (FOUR, []))
    for name in ("table", "quantiles"):
        pd.testing.assert_frame_equal(getattr(none, name), getattr(some, name)[:0], check_index_type=False)
    with_rows, without = (each.restricted_means("5d") for each in (some, none))
    pd.testing.assert_frame_equal(without, with_rows[:0], check_index_type=False)


def test_a_spell_that_was_over_when_watching_began_is_nobody_watched(spells_of):
    found = estimate_survival(spells_of([("a", "trial", -3, 0, "price")]))
    assert found.lacking.startswith("Nobody was in a stage while it was watched")
    labels, known = pd.Series({"a": "x"}), pd.Series({"a": START + pd.Timedelta(days=2)})
    by_persona = estimate_survival(spells_of(FOUR), by=Grouping("persona", labels, known))
    assert by_persona.sentence() == (
        "Nobody was in a stage when their persona was known or after, so there is nothing to compare by it. "
        "Look at when it became known."
    )


def test_where_no_stage_that_can_be_left_was_entered_the_figures_say_so(spells_of):
    only = estimate_survival(spells_of([("e", "partner", 0, 9, None)]))
    assert only.lacking is None
    assert only.plot().alt == only.plot_incidence().alt == "Nobody entered a stage that can be left."


def test_the_ways_out_shown_first_are_those_of_the_stage_with_most_visits_that_can_be_left(spells_of):
    rows = [*FOUR, ("e", "paid", 0, 1, "other"), *((f"p{i}", "partner", 0, 9, None) for i in range(9))]
    found = estimate_survival(spells_of(rows))
    assert found.plot_incidence().alt == found.plot_incidence("trial").alt
    by_name = estimate_survival(spells_of(rows), by=pd.Series({each: each for each in "abcde"}))
    assert by_name.plot_incidence().alt == by_name.plot_incidence("trial").alt


def test_the_incidence_of_a_stage_that_was_not_estimated_is_refused(spells_of):
    with pytest.raises(EstimateError) as error:
        estimate_survival(spells_of(FOUR)).plot_incidence("trail")
    assert str(error.value) == "No way out of the stage “trail” was estimated. Did you mean “trial”?"
