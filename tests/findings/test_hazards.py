"""Hazard ratios agree with R, and what became known later never speaks for the time before."""

import dataclasses

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from journeylab.base.errors import EstimateError
from journeylab.estimators.cox import fit_cox
from journeylab.events.queries.covariates import Exposure
from journeylab.events.simulate import simulate_log
from journeylab.events.spells import find_spells
from journeylab.findings.grouping import Grouping
from journeylab.findings.hazards import fit_hazards

START = pd.Timestamp("2025-01-01", tz="UTC")


def days_after(days) -> pd.DatetimeIndex:
    return START + pd.to_timedelta(days, unit="D")


def exposure(first_days: dict, name="case") -> Exposure:
    return Exposure(
        name, pd.DataFrame({"customer_id": list(first_days), "time": days_after(list(first_days.values()))})
    )


def ratios(found) -> pd.DataFrame:
    """The rows that are no reference, by covariate and level."""
    return found.table[found.table["level"] != found.table["reference"]].set_index(["covariate", "level"])


def hearts(spells_of, shared):
    """The Stanford heart transplants as visits: spells, the day of each transplant, and R's fits."""
    data = pd.read_csv(shared / "ref" / "heart" / "data.csv")
    patients = data.groupby("id").agg(
        exit=("exit", "max"), status=("status", "max"), age=("age", "first"), surgery=("surgery", "first")
    )
    rows = [(str(row.Index), "plus", 0, row.exit, "other" if row.status else None) for row in patients.itertuples()]
    attributes = pd.DataFrame({"age": patients["age"], "year": data.groupby("id")["year"].first()})
    attributes["surgery"] = patients["surgery"].map({0: "no", 1: "yes"})
    spells = spells_of(rows, attributes=attributes.set_axis([str(name) for name in attributes.index]), end=3000)
    transplants = data[data["transplant"] == 1]
    fits = pd.read_csv(shared / "ref" / "heart" / "cox.csv").set_index(["model", "term"])
    return spells, {str(row.id): row.entry for row in transplants.itertuples()}, fits


def test_a_transplant_that_counts_once_it_happened_has_the_ratio_of_r(spells_of, shared):
    spells, transplants, fits = hearts(spells_of, shared)
    found = fit_hazards(
        spells, stage="plus", exit="other", covariates=["age", "year", "surgery", exposure(transplants, "new heart")]
    )
    expected = fits.loc["time_varying_correct"]
    spread = spells.customers[["age", "year"]].std()
    logs = np.log(ratios(found)["hazard_ratio"])
    assert logs.index.get_level_values(0).tolist() == ["age", "year", "surgery", "new heart"]
    per_unit = logs.to_numpy() / [spread["age"], spread["year"], 1, 1]
    assert per_unit == pytest.approx(expected["coef"].to_numpy(), rel=1e-6)
    assert found.events == expected["nevent"].iloc[0]
    assert (found.n, found.customers) == (103, 103)
    new_heart = ratios(found).loc[("new heart", "after")]
    assert (new_heart["n"], new_heart["reference"]) == (69, "before")


def test_taken_as_known_from_the_start_the_same_transplants_would_seem_to_save(spells_of, shared):
    """What a plain label does: R's immortal-time biased fit. With its landmark the same label shows nothing."""
    spells, transplants, fits = hearts(spells_of, shared)
    names = spells.customers.index
    ever = pd.Series(["yes" if name in transplants else "no" for name in names], index=names, name="ever")
    expected = fits.loc[("ever_only_IMMORTAL", "ever")]
    easy = ratios(fit_hazards(spells, stage="plus", exit="other", covariates=[ever]))
    coefficient = np.log(easy["hazard_ratio"].iloc[0])
    assert coefficient * (1 if easy.index[0] == ("ever", "yes") else -1) == pytest.approx(expected["coef"], rel=1e-7)
    by_30 = pd.Series(["yes" if transplants.get(name, 99) <= 30 else "no" for name in names], index=names)
    landmark = Grouping("new heart", by_30, pd.Series(START + pd.Timedelta(days=30), index=names))
    right = fit_hazards(spells, stage="plus", exit="other", covariates=[landmark])
    expected = pd.read_csv(shared / "ref" / "heart" / "cox_landmark.csv").set_index("model").loc["landmark_30"]
    assert (right.n, right.events) == (expected["n"], expected["nevent"])
    level = ratios(right).index[0][1]
    coefficient = np.log(ratios(right)["hazard_ratio"].iloc[0]) * (1 if level == "yes" else -1)
    assert coefficient == pytest.approx(expected["coef"], rel=1e-7)
    assert right.notes == ("Left out: 24 visits whose “new heart” was not known before they ended.",)


def test_gap_times_of_repeated_infections_have_r_s_ratios_and_clustered_errors(spells_of, shared):
    """R: coxph(Surv(stop - start, status) ~ rx + age, cluster = id)."""
    data = pd.read_csv(shared / "ref" / "cgd" / "data.csv")
    expected = pd.read_csv(shared / "ref" / "cgd" / "cox.csv").set_index(["model", "term"])
    expected = expected.loc["gap_time_marginal_cluster"]
    rows = [(str(row.id), "plus", row.entry, row.exit, "other" if row.status else None) for row in data.itertuples()]
    attributes = data.drop_duplicates("id").set_index("id")[["rx", "age"]]
    spells = spells_of(rows, attributes=attributes.set_axis([str(name) for name in attributes.index]))
    found = fit_hazards(spells, stage="plus", exit="other", covariates=["rx", "age"])
    spread, table = attributes["age"].std(), ratios(found)
    sign = 1 if table.index[0] == ("rx", "1") else -1
    logs = np.log(table[["hazard_ratio", "lower", "upper"]])
    errors = (logs["upper"] - logs["lower"]) / (2 * 1.959963984540054)
    assert logs["hazard_ratio"].to_numpy() * [sign, 1 / spread] == pytest.approx(expected["coef"].to_numpy(), rel=1e-6)
    assert errors.to_numpy() / [1, spread] == pytest.approx(expected["se_robust"].to_numpy(), rel=1e-6)
    assert table["p_value"].to_numpy() == pytest.approx(expected["p"].to_numpy(), rel=1e-5)
    assert table.index[1] == ("age", f"per {spread:.3g} more (1 SD)")
    assert (found.n, found.customers, found.events) == (203, 128, 76)


def test_an_exposure_that_does_nothing_shows_nothing_though_its_customers_stay_longer(spells_of):
    """Half open a case on some day, if they are still there; who has one has therefore stayed."""
    random = np.random.default_rng(5)
    stay = np.ceil(random.exponential(30, 600)).astype(int)
    day = random.integers(1, 60, 600)
    had = (day < stay) & (random.random(600) < 0.7)
    spells = spells_of([(f"c{i}", "plus", 0, int(days), "other") for i, days in enumerate(stay)])
    names = [f"c{i}" for i in range(600)]
    case = exposure({name: int(at) for name, at, yes in zip(names, day, had, strict=True) if yes})
    right = ratios(fit_hazards(spells, stage="plus", exit="other", covariates=[case])).iloc[0]
    assert right["lower"] < 1 < right["upper"]
    ever = pd.Series(np.where(had, "yes", "no"), index=names, name="ever")
    easy = fit_hazards(spells, stage="plus", exit="other", covariates=[ever]).table
    assert easy.loc[easy["level"] == "yes", "upper"].iloc[0] < 0.7
    assert right["n"] == had.sum()


@pytest.mark.slow
def test_planted_hazards_are_recovered():
    """Exponential times to price and to no sponsor, so the planted ratio is that of the scales; three errors wide."""
    simulation = simulate_log(3000, seed=4)
    spells = find_spells(simulation.log, simulation.journey)
    persona = Grouping("persona", simulation.truth.personas)
    scale = simulation.truth.planted.set_index(["stage", "exit", "persona"])["scale_days"]
    for stage, way, level in (("evaluating", "price", "B"), ("onboarding", "no_sponsor", "C")):
        found = ratios(fit_hazards(spells, stage=stage, exit=way, covariates=[persona], confidence=0.997))
        found = found.loc[("persona", level)]
        assert found["reference"] == "A"
        assert found["lower"] < scale[stage, way, "A"] / scale[stage, way, level] < found["upper"]
        assert found["p_value"] < 1e-6


def test_most_frequent_level_is_the_reference_and_levels_have_their_base(spells_of):
    rows = [(f"c{i}", "plus", 0, 3 + i % 17, "other" if i % 3 else None) for i in range(60)]
    plans = ["big"] * 15 + ["small"] * 40 + ["tiny"] * 5
    attributes = pd.DataFrame({"plan": plans}, index=[f"c{i}" for i in range(60)])
    found = fit_hazards(spells_of(rows, attributes=attributes), stage="plus", exit="lost", covariates="plan")
    assert found.table[["level", "reference"]].to_numpy().tolist() == [
        ["small", "small"],
        ["big", "small"],
        ["tiny", "small"],
    ]
    assert found.table["n"].tolist() == [40, 15, 5]
    assert found.table["events"].tolist() == [26, 10, 4]
    untested = "not tested: fewer than 20 customers"
    assert found.table["note"].tolist() == ["reference", untested, f"only 5 customers; {untested}"]
    assert found.table["p_value"].isna().all()
    assert found.table["hazard_ratio"].notna().all()
    assert found.checks["note"].tolist() == [untested]
    assert found.checks["proportional_p"].isna().all()
    assert found.table["hazard_ratio"].iloc[0] == 1
    assert found.table[["lower", "upper", "p_value"]].iloc[0].isna().all()


def test_lost_is_by_whichever_branch(spells_of):
    rows = [(f"c{i}", "paid", 0, 1 + i, ["price", "other", "advanced", None][i % 4]) for i in range(40)]
    attributes = pd.DataFrame({"plan": ["x", "y", "y", "x", "x"] * 8}, index=[f"c{i}" for i in range(40)])
    spells = spells_of(rows, attributes=attributes)
    found = fit_hazards(spells, stage="paid", exit="lost", covariates=["plan"])
    assert found.events == 20
    column = (attributes["plan"] == "y").to_numpy(float)[:, None]
    days, event = np.arange(1, 41), [i % 4 < 2 for i in range(40)]
    cox = fit_cox(column, entry=0 * days - 1, exit=days, event=event, ids=np.arange(40))
    assert ratios(found)["hazard_ratio"].iloc[0] == pytest.approx(np.exp(cox.coefficients[0]))
    assert fit_hazards(spells, stage="paid", exit="advanced", covariates=["plan"]).events == 10


def test_a_level_without_an_event_has_the_ratio_zero_no_interval_and_a_note(spells_of):
    rows = [(f"c{i}", "plus", 0, 3 + i % 17, None if i < 20 else "other") for i in range(60)]
    attributes = pd.DataFrame({"plan": ["safe"] * 20 + ["plain"] * 40}, index=[f"c{i}" for i in range(60)])
    found = fit_hazards(spells_of(rows, attributes=attributes), stage="plus", exit="other", covariates=["plan"])
    row = ratios(found).iloc[0]
    assert row["hazard_ratio"] == 0
    assert np.isnan([row["lower"], row["upper"], row["p_value"]]).all()
    assert row["note"] == "no event"
    assert found.checks["proportional_p"].isna().all()
    assert found.sentence() == (
        "How many times as fast “plus” is left by “other” (40 of 60 visits of 60 customers): plan “safe” against "
        "“plain” 0.00 (no interval). These are associations, the other covariates held. The factor of “plan: safe” has "
        "no bound: those who leave and those who stay hardly share its values. “plan” looks computed from the future: "
        "nobody with “safe” left “plus”, where about 13 were to be expected at the pace of all customers. Say in "
        "`known_at` since when each value was known, or leave it out."
    )
    assert found.plot().png().startswith(b"\x89PNG")


def test_few_events_and_ratios_that_change_with_time_are_said(spells_of):
    rows = [(f"a{i}", "plus", 0, day, "other") for i, day in enumerate([*range(1, 16), *range(80, 95)])]
    rows += [(f"b{i}", "plus", 0, day, "other") for i, day in enumerate(range(30, 60))]
    labels = pd.Series({row[0]: row[0][0] for row in rows}, name="plan")
    found = fit_hazards(spells_of(rows), stage="plus", exit="other", covariates=[labels])
    assert found.checks["proportional_p"].iloc[0] < 0.001
    assert found.notes[0] == "The ratio of “plan” changes with time (p < 0.001): read it as an average over time."
    few = fit_hazards(spells_of([*rows[12:18], *rows[30:32]]), stage="plus", exit="other", covariates=[labels])
    assert few.notes[-1] == ("There are 8 events for 1 covariate, fewer than 10 for each: the factors may be far off.")


def test_customers_who_come_back_are_one_in_the_check_of_proportional_hazards(spells_of, shared):
    data = pd.read_csv(shared / "ref" / "cgd" / "data.csv")
    rows = [(str(row.id), "plus", row.entry, row.exit, "other" if row.status else None) for row in data.itertuples()]
    attributes = data.drop_duplicates("id").set_index("id")[["age"]]
    spells = spells_of(rows, attributes=attributes.set_axis([str(name) for name in attributes.index]))
    found = fit_hazards(spells, stage="plus", exit="other", covariates=["age"]).checks["proportional_p"].iloc[0]
    gap = data["exit"] - data["entry"]
    cox = fit_cox(data[["age"]], entry=0 * gap - 1, exit=gap, event=data["status"], ids=data["id"])
    robust, exact = (cox.proportional_hazards_test(robust=each).p_values[0] for each in (True, False))
    assert found == pytest.approx(robust, rel=1e-9)
    assert abs(robust - exact) > 0.01


def test_customers_who_come_once_have_the_exact_check_though_an_exposure_cuts_their_visits(spells_of):
    """Every second customer has a case after two days, and none leaves before the third."""
    rows = [(f"c{i}", "plus", 0, 3 + i % 17, "other" if i % 3 else None) for i in range(60)]
    found = fit_hazards(
        spells_of(rows),
        stage="plus",
        exit="other",
        covariates=[exposure({f"c{i}": 2 for i in range(0, 60, 2)})],
    )
    whole = [(0, 3 + i % 17, i % 3 > 0, 0) for i in range(1, 60, 2)]
    cut = [(0, 2, False, 0) for _ in range(0, 60, 2)] + [(2, 3 + i % 17, i % 3 > 0, 1) for i in range(0, 60, 2)]
    entry, exit_, event, exposed = np.array(whole + cut, float).T
    cox = fit_cox(exposed[:, None], entry=entry, exit=exit_, event=event)
    assert found.checks["proportional_p"].iloc[0] == pytest.approx(cox.proportional_hazards_test().p_values[0])


def test_visits_without_a_covariate_are_left_out_and_counted(spells_of):
    rows = [(f"c{i}", "plus", 0, 3 + i % 17, "other") for i in range(60)]
    attributes = pd.DataFrame(
        {"plan": [None] * 5 + ["x", "y"] * 27 + ["x"], "seats": [*range(58), None, None]},
        index=[f"c{i}" for i in range(60)],
    )
    found = fit_hazards(
        spells_of(rows, attributes=attributes), stage="plus", exit="other", covariates=["plan", "seats"]
    )
    assert found.notes[0] == "Left out: 5 visits without “plan”; 2 visits without “seats”."
    assert found.n == 53


def test_the_order_of_the_spells_does_not_matter(spells_of):
    rows = [(f"c{i}", "plus", 0, 3 + i % 17, "other" if i % 3 else None) for i in range(60)]
    attributes = pd.DataFrame({"plan": ["x", "y", "x"] * 20}, index=[f"c{i}" for i in range(60)])
    spells = spells_of(rows, attributes=attributes)
    shuffled = dataclasses.replace(
        spells, table=spells.table.take(pa.array(np.random.default_rng(1).permutation(len(spells))))
    )
    case = exposure({f"c{i}": 2 + i % 5 for i in range(0, 60, 2)})
    first, second = (
        fit_hazards(each, stage="plus", exit="other", covariates=["plan", case]) for each in (spells, shuffled)
    )
    pd.testing.assert_frame_equal(first.table, second.table, check_exact=True)


def test_what_customers_met_before_stands_beside_how_they_leave_several_later_stages(spells_of):
    """A demo in trial, of half of them; after it they leave paid and plus half as fast, each at its own pace."""
    random, rows = np.random.default_rng(6), []
    for i in range(600):
        entered = 5.0
        rows.append((f"c{i}", "trial", 0, entered, "paid"))
        for stage, mean in (("paid", 10), ("plus", 40)):
            left = entered + np.ceil(random.exponential(mean * (2 if i % 2 else 1)))
            to = "other" if stage == "plus" or random.random() < 0.5 else "plus"
            rows.append((f"c{i}", stage, entered, left, to))
            entered = left
            if to == "other":
                break
    attributes = pd.DataFrame({"plan": random.choice(["x", "y"], 600)}, index=[f"c{i}" for i in range(600)])
    spells, demo = spells_of(rows, attributes=attributes), exposure({f"c{i}": 2 for i in range(1, 600, 2)}, "demo")
    found = fit_hazards(spells, stage=["plus", "paid"], exit="lost", covariates=[demo, "plan"])
    assert (found.left_stages, found.stage) == (("paid", "plus"), "paid and plus")
    row = ratios(found).loc[("demo", "after")]
    assert row["lower"] < 0.5 < row["upper"] < 0.7
    both = pd.DataFrame([row for row in rows if row[1] != "trial"], columns=["who", "stage", "entered", "left", "to"])
    columns = np.column_stack(
        [both["who"].str[1:].astype(int) % 2, both["who"].map(attributes["plan"]) == found.table["level"].iloc[-1]]
    )
    cox = fit_cox(
        columns.astype(float),
        entry=0 * both["left"] - 1,
        exit=both["left"] - both["entered"],
        event=both["to"] == "other",
        ids=both["who"],
        strata=both["stage"],
    )
    assert np.log(ratios(found)["hazard_ratio"]).to_numpy() == pytest.approx(cox.coefficients, rel=1e-8)
    assert found.sentence().startswith("How many times as fast “paid” and “plus” are left by “lost” (")
    assert found.by_stage()["hazard ratios (lost)"].notna().to_dict() == {
        "trial": False, "paid": True, "plus": True, "partner": False
    }  # fmt: skip
    with pytest.raises(EstimateError, match="`stage` is an empty list"):
        fit_hazards(spells, stage=[], exit="lost", covariates=[demo])


SOME = [(f"c{i}", "plus", 0, 3 + i % 17, "other" if i % 3 else None) for i in range(30)]
PLANS = pd.DataFrame(
    {
        "plan": ["x", "y", "x"] * 10,
        "same": "z",
        "tenure": range(30),
        "plan_again": ["x", "y", "x"] * 10,
        "tier": ["a", "b"] * 15,
        "tier_known_at": days_after([0] * 20 + [2] * 10),
    },
    index=[f"c{i}" for i in range(30)],
)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"stage": "plas"}, "The journey has no stage “plas”. Did you mean “plus”?"),
        ({"exit": "othr"}, "“plus” has no way out “othr”. Did you mean “other”?"),
        ({"covariates": ["pln"]}, "The customers have no attribute “pln”. Did you mean “plan”?"),
        ({"covariates": []}, "No covariate is given. Name one or more, such as covariates=[“plan”]."),
        ({"covariates": ["plan", "plan"]}, "Two covariates are called “plan”. Leave one out, or rename it."),
        (
            {"covariates": ["same"]},
            "All 30 visits have the same “same”, “z”. Leave it out, or watch more customers.",
        ),
        (
            {"covariates": ["tenure"]},
            "The attribute “tenure” cannot be a covariate: named for something that only the future tells. "
            "Leave it out; what became known later can be a Grouping with `known_at`, or an Exposure.",
        ),
        (
            {"covariates": ["tier"]},
            "“tier” became known only after 10 of 30 visits had begun, first for customer “c20”: known 2025-01-03 "
            "00:00, watched from 2025-01-01 00:00. Who has it must have stayed that long, so it would seem to keep "
            "customers. Give Grouping(“tier”, labels, known_at), which starts the clock then, or an Exposure.",
        ),
        (
            {"covariates": ["plan", "plan_again"]},
            "“plan_again: y” is determined by the covariates before it. Leave one of them out.",
        ),
        (
            {"covariates": [exposure({"c0": 900})]},
            "Of the time watched, none is after “case”, so before and after cannot be compared. Leave it out.",
        ),
        (
            {"covariates": [exposure({f"c{i}": -5 for i in range(30)})]},
            "Of the time watched, all is after “case”, so before and after cannot be compared. Leave it out.",
        ),
        ({"confidence": 0}, "The confidence is 0. Give a share above 0 and below 1, such as 0.95."),
    ],
)
def test_what_the_caller_can_mend_is_an_error(spells_of, given, message):
    spells = spells_of(SOME, attributes=PLANS)
    with pytest.raises(EstimateError) as error:
        fit_hazards(spells, **({"stage": "plus", "exit": "other", "covariates": ["plan"]} | given))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("rows", "exit_", "covariate", "message"),
    [
        (SOME, "completed", "plan", "Nobody left “plus” by “completed” in 30 visits, so there is nothing to compare."),
        (
            [("c0", "plus", 0, 9, "other"), ("c0", "plus", 20, 29, "other")],
            "other",
            "plan",
            "Only one customer was watched inside “plus”, so there is nothing to compare.",
        ),
        ([], "other", "plan", "Nobody was watched inside “plus”, so there is nothing to compare."),
        (
            SOME,
            "other",
            Grouping("late", PLANS["plan"], pd.Series(days_after([99] * 30), index=PLANS.index)),
            "No visit to “plus” has all of the covariates: 30 visits whose “late” was not known before they ended.",
        ),
    ],
)
def test_what_is_lacking_is_said_and_the_finding_is_empty(spells_of, rows, exit_, covariate, message):
    found = fit_hazards(spells_of(rows, attributes=PLANS), stage="plus", exit=exit_, covariates=[covariate])
    assert found.lacking == found.sentence() == found.plot().alt == message
    assert found.table.empty
    assert found.checks.empty
    assert list(found.table) == list(
        fit_hazards(spells_of(SOME, attributes=PLANS), stage="plus", exit="other", covariates=["plan"]).table
    )
    assert found.by_stage().isna().all(axis=None)
    assert message in found._repr_html_()


def test_the_forest_is_drawn_around_one_and_cut_where_it_would_squash_the_rest(spells_of):
    rows = [(f"c{i}", "plus", 0, 3 + i % 17, "other" if i > 25 or i % 9 == 0 else None) for i in range(60)]
    attributes = pd.DataFrame({"plan": ["x"] * 25 + ["y"] * 35}, index=[f"c{i}" for i in range(60)])
    found = fit_hazards(spells_of(rows, attributes=attributes), stage="plus", exit="other", covariates=["plan"])
    chart = found.plot()
    assert ratios(found)["upper"].iloc[0] > 10 or ratios(found)["upper"].iloc[0] < 1
    assert chart.axes.get_xlim()[1] < 11
    assert [label.get_text() for label in chart.axes.get_yticklabels()] == ["plan “x” against “y”"]
    assert chart.alt == found.sentence()
