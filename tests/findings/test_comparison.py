"""Groups are compared on the same stretch of time, by tests that count customers, and small ones are left out."""

import dataclasses

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from matplotlib.colors import to_hex
from scipy.stats import f, t

from journeylab.base.errors import EstimateError, JourneyLabError
from journeylab.estimators.logrank import gray_test, logrank_test
from journeylab.events.simulate import simulate_log
from journeylab.events.spells import find_spells
from journeylab.findings.comparison import compare_groups
from journeylab.findings.grouping import Grouping

START = pd.Timestamp("2025-01-01", tz="UTC")


def visits(group, lengths, way="other", *, stage="plus", entered=0):
    """A visit of a customer each, named for their group; way None is ongoing."""
    ways = [way] * len(lengths) if isinstance(way, str) or way is None else way
    return [(f"{group}{i}", stage, entered, entered + days, ways[i]) for i, days in enumerate(lengths)]


def groups_of(rows) -> pd.Series:
    """The letter that each customer's name begins with."""
    names = sorted({row[0] for row in rows})
    return pd.Series([name[0] for name in names], index=names, name="plan")


def limits_of(mean: float, error: float, n: int, most: float) -> list[float]:
    """Limits on the logit scale of a share of `most`: Student's t, n - 1 degrees of freedom, error times n/(n - 1)."""
    share = mean / most
    margin = t.isf(0.025, n - 1) * np.sqrt(n / (n - 1)) * error / most / (share * (1 - share))
    return [float(most / (1 + np.exp(-(np.log(share / (1 - share)) + side)))) for side in (-margin, margin)]


def compared(spells_of, rows, horizon="10d", **given):
    return compare_groups(spells_of(rows), stage=rows[0][1], by=groups_of(rows), horizon=horizon, **given)


def by(table, **wanted):
    """The one row of `table` with these values."""
    kept = table.loc[np.logical_and.reduce([table[column] == value for column, value in wanted.items()])]
    assert len(kept) == 1
    return kept.iloc[0]


TEN = [*visits("a", range(1, 11)), *visits("b", range(2, 21, 2)), ("b9x", "plus", 0, 22, "other")]


def test_means_shares_and_differences_are_those_worked_by_hand(spells_of):
    """To day 10, a: mean of 1 .. 10 is 5.5; b: of 2, 4, 6, 8 and seven times 10 is 90 / 11. Nobody is censored, so the
    errors are those of plain means, and shares are counts."""
    found = compared(spells_of, TEN)
    a, b = np.arange(1, 11), np.array([2, 4, 6, 8] + [10] * 7)
    limits = {}
    for group, days in (("a", a), ("b", b)):
        row = by(found.table, group=group, to="inside")
        error = days.std() / np.sqrt(len(days))
        assert row["estimate"] == pytest.approx(days.mean())
        assert row["standard_error"] == pytest.approx(error)
        limits[group] = limits_of(days.mean(), error, len(days), 10)
        assert [row["lower"], row["upper"]] == pytest.approx(limits[group], rel=1e-6)
    assert by(found.table, group="a", to="other")["estimate"] == 1
    assert by(found.table, group="b", to="other")["estimate"] == pytest.approx(5 / 11)
    row = by(found.differences, to="inside")
    difference = 5.5 - 90 / 11  # a less b, the larger
    below = np.hypot(5.5 - limits["a"][0], limits["b"][1] - 90 / 11)
    above = np.hypot(limits["a"][1] - 5.5, 90 / 11 - limits["b"][0])
    assert (row["group"], row["reference"], row["n"]) == ("a", "b", 21)
    assert row[["estimate", "lower", "upper"]].tolist() == pytest.approx(
        [difference, difference - below, difference + above], rel=1e-6
    )
    assert by(found.differences, to="other")["estimate"] == pytest.approx(6 / 11)
    assert by(found.table, group="b", to="inside")[["n", "customers", "events", "at_risk"]].tolist() == [11, 11, 5, 7]


def test_nothing_after_the_horizon_is_looked_at(spells_of):
    later = [(name, stage, entered, left + 100 * (left > 10), way) for name, stage, entered, left, way in TEN]
    first, second = compared(spells_of, TEN), compared(spells_of, later)
    for table in ("table", "differences", "tests", "hazard_ratios"):
        pd.testing.assert_frame_equal(getattr(first, table), getattr(second, table))
    assert by(first.tests, to="at all")["events"] == 15


def test_tests_are_the_robust_ones_until_the_horizon(spells_of):
    random = np.random.default_rng(3)
    rows = [
        (f"{'ab'[i % 2]}{i % 40}", "plus", 40 * (i // 40), 40 * (i // 40) + int(random.integers(1, 40)), way)
        for i, way in enumerate(random.choice(["other", "regressed", "completed"], 120))
    ]
    found = compared(spells_of, rows, "30d")
    days = np.array([row[3] - row[2] for row in rows])
    codes = {"regressed": 1, "completed": 2, "other": 3}
    way = np.where(days <= 30, [codes[row[4]] for row in rows], -1)
    given = {"entry": np.full(120, -1), "exit": np.minimum(days, 30), "ids": [row[0] for row in rows]}
    names = [row[0][0] for row in rows]
    overall = by(found.tests, to="at all")
    assert overall["statistic"] == pytest.approx(logrank_test(names, event=way > 0, **given).statistic)
    for name, code in codes.items():
        expected = gray_test(names, destination=way, of_interest=code, **given)
        assert by(found.tests, to=name)["statistic"] == pytest.approx(expected.statistic)
    known = found.tests["p_value"].dropna().sort_values().to_numpy()
    holm = np.minimum(np.maximum.accumulate(known * np.arange(len(known), 0, -1)), 1)
    assert np.sort(found.tests["p_adjusted"].dropna()) == pytest.approx(holm)
    assert (found.tests["customers"].iloc[0], found.tests["n"].iloc[0]) == (40, 120)


def test_gap_times_of_repeated_infections_have_the_hazard_ratio_of_r(spells_of, shared):
    """R: coxph(Surv(gap, status) ~ rx, cluster = id) has other covariates too, so held against a fit on rx alone."""
    rows = pd.read_csv(shared / "ref" / "cgd" / "data.csv")
    labels = rows.drop_duplicates("id").set_index("id")["rx"].map({0: "placebo", 1: "drug"}).rename(str)
    table = [(str(row.id), "plus", row.entry, row.exit, "other" if row.status else None) for row in rows.itertuples()]
    found = compare_groups(spells_of(table), stage="plus", by=labels.rename("arm"), horizon="500d")
    gap = (rows["exit"] - rows["entry"]).to_numpy()
    test = logrank_test(rows["rx"], entry=0 * gap - 1, exit=gap, event=rows["status"], ids=rows["id"])
    assert found.tests["statistic"].iloc[0] == pytest.approx(test.statistic, rel=1e-9)
    assert found.tests[["n", "customers", "events"]].iloc[0].tolist() == [203, 128, 76]
    expected = pd.read_csv(shared / "ref" / "cgd" / "km_gap_cluster.csv")
    for name, group in (("placebo", 0), ("drug", 1)):
        row = expected[(expected["group"] == group) & (expected["time"] == 240)].iloc[0]
        at_240 = compare_groups(spells_of(table), stage="plus", by=labels.rename("arm"), horizon="240d").table
        assert by(at_240, group=name, to="other")["estimate"] == pytest.approx(1 - row["km_gap"], abs=1e-10)


def test_a_landmark_gives_the_hazard_ratio_of_r(spells_of, shared):
    """R's fit from day 30 on: patients alive then, by whether they had a new heart by then."""
    data = pd.read_csv(shared / "ref" / "heart" / "data.csv")
    data = data[data["id"] != 38]  # lived half a day longer in the reference
    patients = data.groupby("id").agg(exit=("exit", "max"), status=("status", "max"))
    by_30 = set(data[(data["transplant"] == 1) & (data["entry"] <= 30)]["id"])
    rows = [
        (str(name), "plus", 0, row.exit, "other" if row.status else None)
        for name, row in zip(patients.index, patients.itertuples(), strict=True)
    ]
    labels = pd.Series({str(name): "new heart" if name in by_30 else "waiting" for name in patients.index})
    known = pd.Series(START + pd.Timedelta(days=30), index=labels.index)
    found = compare_groups(
        spells_of(rows, end=3000), stage="plus", by=Grouping("heart", labels, known), horizon="2500d"
    )
    expected = pd.read_csv(shared / "ref" / "heart" / "cox_landmark.csv").set_index("model").loc["landmark_30"]
    ratio = found.hazard_ratios.iloc[0]
    direction = 1 if ratio["group"] == "new heart" else -1
    assert found.start_day == 30
    assert ratio["n"] == expected["n"]
    assert np.log(ratio["estimate"]) * direction == pytest.approx(expected["coef"], rel=1e-7)


def test_all_groups_start_on_the_day_when_each_has_enough_at_risk(spells_of):
    """Labels of a are known 5 days after entering, those of b 9 days: all are watched from day 9 on."""
    rows = [*visits("a", range(4, 24)), *visits("b", range(4, 24))]
    labels = groups_of(rows)
    known = START + pd.to_timedelta(np.where(labels == "a", 5, 9), unit="D")
    grouping = Grouping("persona", labels, pd.Series(known, index=labels.index))
    found = compare_groups(spells_of(rows), stage="plus", by=grouping, horizon="30d")
    assert found.start_day == 9
    assert found.tests["n"].iloc[0] == 28
    means = found.table[found.table["to"] == "inside"]
    assert means["estimate"].tolist() == pytest.approx([np.arange(10, 24).mean()] * 2)
    assert means["note"].tolist() == ["given still inside on day 9.0"] * 2
    assert found.differences["estimate"].abs().max() == pytest.approx(0)
    assert ", given still inside on day 9.0: persona “a” 16.5" in found.sentence()


def test_a_group_watched_too_late_for_the_horizon_has_no_figures(spells_of):
    """Nobody of it was watched before day 20: that all are inside until then is not known, but so by definition."""
    rows = [*visits("a", range(1, 31)), *visits("b", range(31, 61))]
    labels = groups_of(rows)
    known = pd.Series(START + pd.to_timedelta(np.where(labels == "a", 0, 20), unit="D"), index=labels.index)
    found = compare_groups(spells_of(rows), stage="plus", by=Grouping("plan", labels, known), horizon="10d")
    row = by(found.table, group="b", to="inside")
    assert np.isnan(row["estimate"])
    assert row["note"] == "nobody watched between day 0.0 and day 10: too few to compare"
    assert found.start_day is None
    assert "plan “b” not known (30 visits of 30 customers, too few to compare)." in found.sentence()
    assert found.differences.empty


def test_an_immortal_label_shows_no_difference_once_its_landmark_is_kept(spells_of):
    """“loyal” are those inside on day 20; of them and of others drawn by lot nothing differs."""
    random = np.random.default_rng(8)
    lengths = np.ceil(random.exponential(25, 400)).astype(int)
    rows = visits("c", lengths.tolist())
    names = [row[0] for row in rows]
    by_lot = random.random(400) < 0.5
    labels = pd.Series(np.where((lengths > 20) & by_lot, "loyal", "other"), index=names, name="label")
    easy = compare_groups(spells_of(rows), stage="plus", by=labels, horizon="60d")
    assert by(easy.tests, to="at all")["p_value"] < 1e-6
    landmark = Grouping("label", labels, pd.Series(START + pd.Timedelta(days=20), index=names))
    right = compare_groups(spells_of(rows), stage="plus", by=landmark, horizon="60d")
    assert by(right.tests, to="at all")["p_value"] > 0.05


def test_small_groups_stay_in_the_table_and_out_of_tests(spells_of):
    few, tiny = visits("c", [3, 4, 5, 6, 7]), visits("d", [3, 4])
    alone, found = compared(spells_of, TEN), compared(spells_of, TEN + few + tiny)
    pd.testing.assert_frame_equal(alone.tests, found.tests)
    pd.testing.assert_frame_equal(alone.differences, found.differences)
    row = by(found.table, group="c", to="inside")
    assert row["estimate"] == pytest.approx(5)
    assert row["note"] == "only 5 visits of 5 customers: too few to compare"
    row = by(found.table, group="d", to="inside")
    assert np.isnan(row["estimate"])
    assert row["note"] == "only 2 visits of 2 customers: too few to compare"
    assert "plan “d” not known (2 visits of 2 customers, too few to compare)." in found.sentence()


def test_a_group_that_nobody_left_is_compared_where_some_were_expected_to(spells_of):
    rows = [*visits("a", range(1, 41)), *visits("b", [50] * 20, way=None)]
    found = compared(spells_of, rows, "45d")
    assert by(found.tests, to="at all")["p_value"] < 0.001
    assert by(found.table, group="b", to="other")["estimate"] == 0
    assert by(found.table, group="b", to="other")["upper"] == pytest.approx(3.8415 / (20 + 3.8415), rel=1e-4)
    assert found.hazard_ratios.empty
    assert "by 2 robust tests, p adjusted for their number." in found.sentence()


def test_a_group_with_too_few_expected_to_leave_is_not_compared(spells_of):
    rows = [*visits("a", range(1, 31)), *visits("b", range(2, 32)), *visits("c", [1] * 12, way=None)]
    found = compared(spells_of, rows, "40d")
    note = by(found.table, group="c", to="inside")["note"]
    assert note == "0.2 expected to leave, fewer than 5: too few to compare"
    assert set(found.differences["group"]) | set(found.differences["reference"]) == {"a", "b"}
    assert by(found.tests, to="at all")["groups"] == 2


def test_without_two_large_groups_nothing_is_tested_and_it_is_said(spells_of):
    found = compared(spells_of, [*visits("a", range(1, 20)), *visits("b", [3, 4, 5, 6, 7])])
    assert found.tests["p_value"].isna().all()
    assert found.differences.empty
    assert "The groups are not tested: fewer than two groups are large enough." in found.sentence()


def test_where_the_factor_changes_with_time_the_sentence_says_so(spells_of):
    """In a all leave early or very late, in b all in the middle."""
    rows = [*visits("a", [*range(1, 16), *range(80, 95)]), *visits("b", range(30, 60))]
    found = compared(spells_of, rows, "100d")
    assert found.tests["proportional_p"].iloc[0] < 0.001
    assert by(found.hazard_ratios, to="at all")["group"] == "b"
    assert found.sentence().startswith("Mean days inside “plus” in the first 100 days: plan “a” ")
    assert "The factor changes with time (p < 0.001): read the means and the shares." in found.sentence()


def test_the_means_come_first_whatever_a_test_of_proportional_hazards_says(spells_of):
    random = np.random.default_rng(4)
    rows = [
        *visits("a", np.ceil(random.exponential(10, 80)).astype(int).tolist()),
        *visits("b", np.ceil(random.exponential(20, 60)).astype(int).tolist()),
    ]
    found = compared(spells_of, rows, "30d")
    ratio = by(found.hazard_ratios, to="at all")
    assert (ratio["group"], ratio["reference"]) == ("b", "a")
    assert ratio["lower"] < 0.5 < ratio["upper"] < 1
    mean_a, mean_b = (by(found.table, group=group, to="inside") for group in "ab")
    gap = by(found.differences, to="inside")
    tested = found.tests[found.tests["p_value"].notna()]
    assert tested["p_value"].iloc[0] < 0.01
    assert found.sentence() == (
        f"Mean days inside “plus” in the first 30 days: plan “a” "
        f"{mean_a['estimate']:.1f} (95% interval {mean_a['lower']:.1f} to {mean_a['upper']:.1f}; 80 visits of 80 "
        f"customers); plan “b” {mean_b['estimate']:.1f} (95% interval "
        f"{mean_b['lower']:.1f} to {mean_b['upper']:.1f}; 60 visits of 60 customers). “b” stays {gap['estimate']:.1f} "
        f"days more than “a” ({gap['lower']:+.1f} to {gap['upper']:+.1f} days). The groups differ in leaving at all "
        f"(p = {tested['p_adjusted'].iloc[0]:.3f}), by other (p = {tested['p_adjusted'].iloc[1]:.3f}), by 2 robust "
        f"tests, p adjusted for their number. Averaged over this time, against plan “a”: “b” {ratio['estimate']:.2f} "
        f"times as fast (95% interval {ratio['lower']:.2f} to {ratio['upper']:.2f}). No change of the factor with time "
        f"was seen (p = {found.tests['proportional_p'].iloc[0]:.3f}, {found.tests['events'].iloc[0]} left)."
    )


def test_groups_of_fewer_than_twenty_customers_are_estimated_and_not_tested(spells_of):
    """Of c there are 19 customers: means, differences and ratios, and no p anywhere."""
    rows = [*visits("a", range(1, 31)), *visits("b", range(2, 32)), *visits("c", range(3, 22))]
    found, large = compared(spells_of, rows, "40d"), compared(spells_of, rows[:60], "40d")
    for column in ("statistic", "p_value", "proportional_p", "n", "customers", "events", "groups"):
        assert found.tests[column].tolist() == pytest.approx(large.tests[column].tolist(), nan_ok=True)
    assert by(found.tests, to="at all")["note"] == "not tested: fewer than 20 customers in c"
    ratio = found.hazard_ratios[found.hazard_ratios["to"] == "at all"].set_index("group")
    assert ratio["estimate"].notna().all()
    assert ratio["p_value"].isna().to_dict() == {"b": False, "c": True}
    assert set(found.differences["group"]) | set(found.differences["reference"]) == {"a", "b", "c"}
    assert found.differences["estimate"].notna().all()
    both = compared(spells_of, [*visits("b", range(2, 21)), *visits("c", range(3, 22))], "40d")
    assert both.tests["p_value"].isna().all()
    assert both.hazard_ratios["p_value"].isna().all()
    assert by(both.hazard_ratios, to="at all")["lower"] > 0
    assert "The groups are not tested: not tested: fewer" not in both.sentence()
    assert "fewer than 20 customers in b, c" in both.sentence()


def test_a_horizon_nobody_was_watched_to_leaves_the_figures_missing_with_a_note(spells_of):
    rows = [*visits("a", [*range(1, 20), 20], way=["other"] * 10 + [None] * 10), *visits("b", range(2, 22))]
    found = compared(spells_of, rows, "60d")
    row = by(found.table, group="a", to="inside")
    assert np.isnan(row["estimate"])
    assert row["note"] == "nobody was watched after day 20.0"
    assert by(found.differences, to="inside")["note"] == "nobody was watched after day 20.0"
    assert np.isnan(by(found.differences, to="inside")["estimate"])


def test_few_at_risk_at_the_horizon_are_remarked(spells_of):
    rows = [*visits("a", range(1, 41), way=["other", None] * 20), *visits("b", range(2, 42))]
    found = compared(spells_of, rows, "35d")
    assert by(found.table, group="a", to="inside")["note"] == "fewer than 10 at risk after day 31.0"
    assert by(found.table, group="b", to="inside")["note"] is None


def test_the_order_of_the_spells_does_not_matter(spells_of):
    rows = [*TEN, *visits("c", range(3, 30), way=["other", "completed", None] * 9)]
    spells = spells_of(rows)
    order = np.random.default_rng(1).permutation(len(spells))
    shuffled = dataclasses.replace(spells, table=spells.table.take(pa.array(order)))
    first, second = (
        compare_groups(each, stage="plus", by=groups_of(rows), horizon="20d") for each in (spells, shuffled)
    )
    for table in ("table", "differences", "tests", "hazard_ratios"):
        pd.testing.assert_frame_equal(getattr(first, table), getattr(second, table), check_exact=True)


@pytest.mark.slow
def test_planted_personas_are_found_to_differ_with_their_landmark():
    simulation = simulate_log(1500, seed=3)
    spells = find_spells(simulation.log, simulation.journey)
    first = spells.to_pandas().groupby("customer_id")["entered"].min()
    labels = simulation.truth.personas[lambda each: each.index.isin(first.index)]
    grouping = Grouping("persona", labels, first[labels.index] + pd.Timedelta(days=14))
    found = compare_groups(spells, stage="onboarding", by=grouping, horizon="90d")
    no_sponsor = by(found.tests, to="no_sponsor")
    assert no_sponsor["p_adjusted"] < 1e-10
    shares = found.table[found.table["to"] == "no_sponsor"].set_index("group")["estimate"]
    assert shares.idxmax() == "A"
    complete = simulation.truth.spells
    complete = complete[complete["is_logged"] & (complete["stage"] == "onboarding")]
    complete = complete.assign(persona=complete["customer_id"].map(labels))
    truth = ((complete["to"] == "no_sponsor") & (complete["days"] <= 90)).groupby(complete["persona"]).mean()
    held = found.table[found.table["to"] == "no_sponsor"].set_index("group")
    assert ((held["lower"] <= truth) & (truth <= held["upper"])).sum() >= 4


def test_the_chance_of_a_plain_test_to_find_repeated_visits_different_is_not_ours(spells_of):
    """Each customer comes six times, always for as long: 40 customers are all that is known, not 240 visits."""
    random = np.random.default_rng(2)
    rows, names = [], {}
    for i in range(40):
        days, names[f"c{i}"] = int(np.ceil(random.exponential(20))), "ab"[i % 2]
        rows += [(f"c{i}", "plus", 150 * k, 150 * k + days, "other") for k in range(6)]
    found = compare_groups(spells_of(rows), stage="plus", by=pd.Series(names, name="plan"), horizon="100d")
    statistic = by(found.tests, to="at all")["statistic"]
    one_each = compare_groups(spells_of(rows[::6]), stage="plus", by=pd.Series(names, name="plan"), horizon="100d")
    assert statistic == pytest.approx(by(one_each.tests, to="at all")["statistic"])
    assert f.sf(statistic * 39 / 40, 1, 39) == pytest.approx(by(found.tests, to="at all")["p_value"])


EMPTY = pd.Series([], index=pd.Index([], dtype=object), dtype=object, name="plan")


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [
        (TEN, EMPTY, "Nobody has a known plan, so there is nothing to compare by it."),
        (
            [],
            EMPTY,
            "Nobody was in a stage while it was watched, so there is nothing to estimate. Look whether the log holds "
            "events that open the stages: lint_journey(journey, log=log) tells.",
        ),
        (
            visits("a", [3, 4], stage="trial"),
            pd.Series({"a0": "x", "a1": "y"}, name="plan"),
            "Nobody was watched inside “plus”, so there is nothing to compare.",
        ),
        (
            TEN,
            pd.Series("x", index=groups_of(TEN).index, name="plan"),
            "Only one group was watched inside “plus”, “x” with 21 visits, so there is nothing to compare.",
        ),
        (
            [("a", "plus", 0, 9, "other")],
            pd.Series({"a": "x"}, name="plan"),
            "Only one group was watched inside “plus”, “x” with 1 visit, so there is nothing to compare.",
        ),
        (
            TEN,
            Grouping("plan", groups_of(TEN), pd.Series(START + pd.Timedelta(days=99), index=groups_of(TEN).index)),
            "Nobody was inside “plus” when their plan was known or after, so there is nothing to compare by it. "
            "Look at when it became known.",
        ),
    ],
)
def test_what_is_lacking_is_said_and_the_finding_is_empty(spells_of, rows, labels, message):
    found = compare_groups(spells_of(rows), stage="plus", by=labels, horizon="10d")
    assert found.lacking == found.sentence() == found.plot().alt == found.plot_incidence().alt == message
    for table in (found.table, found.differences, found.tests, found.hazard_ratios):
        assert table.empty
    assert list(found.table) == list(
        compare_groups(spells_of(TEN), stage="plus", by=groups_of(TEN), horizon="9d").table
    )
    assert found.by_stage().isna().all(axis=None)
    assert message in found._repr_html_()


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"stage": "plas"}, EstimateError, "The journey has no stage “plas”. Did you mean “plus”?"),
        (
            {"stage": "partner"},
            EstimateError,
            "By the journey's rules nobody leaves “partner”. Choose a stage that can be left.",
        ),
        ({"by": "pln"}, EstimateError, "The customers have no attribute “pln” to group by. Did you mean “plan”?"),
        (
            {"by": pd.Series({"nobody": "x"}, name="plan")},
            EstimateError,
            "None of the customers with a label of “plan” (1) has a spell. Index the labels by customer_id.",
        ),
        (
            {"by": pd.Series([f"g{i // 10}" for i in range(130)], index=[f"a{i}" for i in range(130)], name="seats")},
            EstimateError,
            "“seats” has 13 groups of 10 customers or more, too many to compare in pairs. "
            "Merge them to at most 12; for a number, take its ranges.",
        ),
        (
            {"by": "tier"},
            EstimateError,
            "“tier” became known only after 120 of 130 visits had begun, first for customer “a10”: known 2025-01-11 "
            "00:00, watched from 2025-01-01 00:00. Who has it must have stayed that long, so it would seem to keep "
            "customers. Give Grouping(“tier”, labels, known_at), which starts the clock then, or an Exposure.",
        ),
        (
            {"horizon": "-5d"},
            JourneyLabError,
            "“-5d” is not a duration. Write a positive number and its unit, one of s, m, h, d, w: “30d”, “12h”.",
        ),
        ({"confidence": 1.5}, EstimateError, "The confidence is 1.5. Give a share above 0 and below 1, such as 0.95."),
    ],
)
def test_what_the_caller_can_mend_is_an_error(spells_of, given, error, message):
    names = [f"a{i}" for i in range(130)]
    known = START + pd.to_timedelta(np.where(np.arange(130) < 10, 0, 10), unit="D")
    attributes = pd.DataFrame({"plan": "x", "tier": "y", "tier_known_at": known}, index=names)
    spells = spells_of(visits("a", [20] * 130), attributes=attributes)
    with pytest.raises(error) as found:
        compare_groups(spells, **({"stage": "plus", "by": "plan", "horizon": "10d"} | given))
    assert str(found.value) == message


def test_the_picture_marks_who_is_not_compared(spells_of):
    found = compared(spells_of, [*TEN, *visits("c", [3, 4, 5, 6, 7])])
    axes = found.plot().axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c (not compared)"]
    tones = {place: to_hex(line.get_color()) for line in axes.lines for place in line.get_ydata()}
    assert tones == {0: "#0072b2", 1: "#0072b2", 2: "#5b6770"}
    assert found.plot_incidence().alt.startswith("Share that has left “plus” by each way. a, other: 100.0% (")
