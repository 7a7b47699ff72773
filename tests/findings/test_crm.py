"""CRM comparison: agreement, lags and mismatches as counted by hand; nothing in the export runs as a formula."""

import csv
import dataclasses

import numpy as np
import pandas as pd
import pytest
from by_hand import JOURNEY, at, journeys_of
from statsmodels.stats.inter_rater import cohens_kappa

from journeylab.base.charts import Chart
from journeylab.base.errors import EstimateError, JourneyLabError
from journeylab.estimators.intervals import wilson
from journeylab.events.queries.crm_records import CrmRecords
from journeylab.findings.crm import compare_crm
from journeylab.findings.finding import Finding

BUCKETS = {"trial": "SQL", "paid": "Won", "plus": "Key account"}
HELD = JOURNEY.model_copy(
    update={
        "stages": tuple(stage.model_copy(update={"crm_bucket": BUCKETS.get(stage.name)}) for stage in JOURNEY.stages)
    }
)
STAGES = list(JOURNEY.stage_names)
# Ten in trial (six of them SQL, one Won, three unknown to the CRM), ten in paid (eight Won, two still SQL), and five
# lost, of whom two are still Won.
ROWS = [
    *[(f"t{i}", "trial", 0, 100, None) for i in range(10)],
    *[row for i in range(10) for row in ((f"p{i}", "trial", 0, 20, "paid"), (f"p{i}", "paid", 20, 100, None))],
    *[(f"l{i}", "trial", 0, 50, "price") for i in range(5)],
]
RECORDS = [
    *[(f"t{i}", 2 + i, "SQL") for i in range(6)],
    ("t6", 10, "Won"),
    *[(f"p{i}", -3, "SQL") for i in range(10)],
    *[(f"p{i}", 20 + i, "Won") for i in range(8)],
    *[(f"l{i}", 40, "Won") for i in range(2)],
    *[(f"l{i}", 60, "Lost") for i in range(2, 5)],
    ("stranger", 5, "SQL"),
]


def spells_of(rows, *, journey=HELD):
    return dataclasses.replace(journeys_of(rows), journey=journey)


def records_of(rows):
    table = pd.DataFrame([(c, at(d), b) for c, d, b in rows], columns=["customer_id", "time", "bucket"])
    return table.astype({"time": "datetime64[us, UTC]"})


def check(rows=ROWS, records=RECORDS, **options):
    return compare_crm(spells_of(rows), records_of(records), **options)


def row(table, **cells) -> pd.Series:
    (found,) = [each for _, each in table.iterrows() if all(each[name] == value for name, value in cells.items())]
    return found


def test_agreement_is_the_share_of_those_inside_whom_the_crm_holds_there():
    found = check().table
    assert found["stage"].tolist() == ["trial", "paid", "plus", "all stages"]
    trial = row(found, stage="trial")
    assert (trial["n"], trial["recorded"], trial["agreeing"], trial["estimate"]) == (10, 7, 6, 0.6)
    assert [trial["lower"], trial["upper"]] == [float(limit) for limit in wilson(6, 10)]
    everyone = row(found, stage="all stages")
    assert (everyone["n"], everyone["agreeing"]) == (20, 14)
    assert row(found, stage="plus")["n"] == 0
    assert np.isnan(row(found, stage="plus")["estimate"])


def test_the_matrix_counts_customers_now_and_days_over_the_window():
    found = check().matrix
    assert found["bucket"].unique().tolist() == ["SQL", "Won", "Key account", "Lost", "no record"]
    assert found["stage"].unique().tolist() == [*STAGES, "lost"]
    assert row(found, stage="trial", bucket="SQL")["customers"] == 6
    assert row(found, stage="trial", bucket="no record")["customers"] == 3
    assert row(found, stage="lost", bucket="Won")["customers"] == 2
    assert row(found, stage="lost", bucket="Won")["n"] == 5
    # Ten in the bucket for the 20 days of their trial, six from day 2 to 7 on.
    assert row(found, stage="trial", bucket="SQL")["customer_days"] == 10 * 20 + sum(98 - i for i in range(6))
    assert found["customer_days"].sum() == 25 * 100


def test_days_that_agree_are_a_share_of_all_days_inside():
    paid = row(check().table, stage="paid")
    days = np.array([80 - i for i in range(8)] + [0, 0])
    share = days.sum() / 800
    assert paid["days_estimate"] == pytest.approx(share)
    error = np.sqrt(((days - share * 80) ** 2).sum() * 10 / 9) / 800
    logit = np.log(share / (1 - share)) + 1.959963984540054 * error / (share * (1 - share)) * np.array([-1, 1])
    assert [paid["days_lower"], paid["days_upper"]] == pytest.approx((1 / (1 + np.exp(-logit))).tolist())


def test_kappa_is_cohens_over_those_whom_the_crm_knows():
    found = check().kappa.iloc[0]
    # Trial: 6 SQL, 1 Won; paid: 2 SQL, 8 Won. Observed 14/17, by chance (7 * 8 + 10 * 9) / 17².
    by_chance = (7 * 8 + 10 * 9) / 17**2
    assert (found["when"], found["n"]) == ("at 2025-04-11", 17)
    assert found["observed"] == pytest.approx(14 / 17)
    assert found["by_chance"] == pytest.approx(by_chance)
    assert found["estimate"] == pytest.approx((14 / 17 - by_chance) / (1 - by_chance))
    second = cohens_kappa([[6, 1], [2, 8]])
    assert [found["estimate"], found["lower"]] == pytest.approx([second.kappa, second.kappa_low])
    assert found["upper"] == pytest.approx(min(second.kappa_upp, 1))


@pytest.mark.slow
def test_kappa_over_time_follows_each_customer_as_its_derivative_says():
    found = check().kappa.iloc[1]
    assert (found["when"], found["customers"]) == ("over time", 19)
    # The jackknife proper, leaving out one customer at a time, as a second source.
    without = []
    for customer in {c for c, *_ in ROWS if c not in ("t7", "t8", "t9", "l2", "l3", "l4")}:
        kept = [each for each in ROWS if each[0] != customer]
        without.append(check(kept).kappa.iloc[1]["estimate"])
    n = len(without)
    error = np.sqrt((n - 1) / n * ((np.array(without) - np.mean(without)) ** 2).sum())
    assert (found["upper"] - found["lower"]) / (2 * 1.959963984540054) == pytest.approx(error, rel=0.15)


def test_kappa_is_missing_where_there_is_nothing_to_agree_about():
    found = check([("a", "trial", 0, 100, None)], [("a", 1, "SQL")])
    assert found.kappa["estimate"].isna().all()
    assert found.kappa["observed"].tolist() == [1, 1]
    assert "kappa" not in found.sentence()


def test_lags_are_of_first_visits_negative_where_the_crm_was_earlier_and_waiting_where_it_was_not_yet():
    found = check().lags
    paid = row(found, stage="paid")
    assert (paid["n"], paid["moved"], paid["earlier"], paid["not_yet"]) == (10, 8, 0, 2)
    # Half of ten had been moved after 0, 1, 2, 3, 4 days; the two not moved yet are still waiting.
    assert (paid["estimate"], paid["first_quartile"], paid["third_quartile"]) == (4, 2, 7)
    assert paid["median_moved"] == 3.5
    trial = row(found, stage="trial")
    assert (trial["n"], trial["moved"], trial["earlier"], trial["not_yet"]) == (25, 16, 10, 9)
    assert trial["first_quartile"] == -3


def test_a_visit_whose_beginning_was_not_watched_has_no_lag():
    found = check([("a", "trial", -5, 10, "paid"), ("a", "paid", 10, 100, None)], [("a", 1, "SQL"), ("a", 12, "Won")])
    assert found.lags["n"].tolist() == [0, 1, 0]


def test_mismatches_name_whom_to_correct_since_when_and_why():
    found = check().mismatches
    assert list(found.columns) == ["customer_id", "stage", "expected", "bucket", "since", "days", "why"]
    assert found["customer_id"].tolist() == ["t7", "t8", "t9", "t6", "p8", "p9", "l0", "l1"]
    t6, p8, l0 = (found.set_index("customer_id").loc[each] for each in ("t6", "p8", "l0"))
    assert t6.tolist() == ["trial", "SQL", "Won", at(10), 90, "another bucket"]
    assert p8.tolist() == ["paid", "Won", "SQL", at(20), 80, "another bucket"]
    assert l0[["stage", "bucket", "since", "why"]].tolist() == ["lost", "Won", at(50), "lost to price"]
    assert found.set_index("customer_id").loc["t7", ["since", "why"]].tolist() == [at(0), "no record"]


def test_another_moment_can_be_asked_for():
    found = check(at="2025-01-16")
    assert row(found.table, stage="trial")["n"] == 25
    assert row(found.table, stage="trial")["agreeing"] == 16
    assert set(found.mismatches["stage"]) == {"trial"}
    for moment in ("2025-01-01", "2025-04-12"):
        with pytest.raises(EstimateError) as error:
            check(at=moment)
        assert str(error.value) == (
            f"The moment to compare at, {moment}, is not in the window, 2025-01-01 to 2025-04-11. "
            "Name a time after its start and not after its end."
        )


def test_the_export_is_whole_and_harmless(tmp_path):
    rows = [("=1+1", "trial", 0, 100, None), ("b", "trial", 0, 100, None)]
    found = check(rows, [("=1+1", 1, "@Won"), ("b", 1, "SQL")])
    path = found.write(tmp_path / "mismatches.csv")
    assert list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) == [
        {
            "customer_id": "'=1+1",
            "stage": "trial",
            "expected": "SQL",
            "bucket": "'@Won",
            "since": "2025-01-02T00:00:00+0000",
            "days": "99.0",
            "why": "another bucket",
        }
    ]


def test_its_sentence_has_number_interval_and_base():
    found = check()
    assert found.sentence() == (
        "On 2025-04-11 the CRM holds 70% of 20 customers in the bucket of the stage they are in (95% interval 48% to "
        "85%; Cohen’s kappa 0.64, 0.28 to 1.00). It has no record of 3. Of 35 moves to a stage the CRM made 24, and "
        "not yet 11. The latest are those to “trial”, by a median of 4 days. To be corrected: 8 customers, 2 of them "
        "lost and still in the bucket of a stage."
    )
    assert found.n_strangers == 1


def test_its_lanes_say_how_far_the_crm_agrees():
    lanes = check().by_stage()
    assert list(lanes.columns) == ["CRM agreement"]
    assert lanes["CRM agreement"].tolist() == [
        "60% (31% to 83%; 10 customers)",
        "80% (49% to 94.3%; 10 customers)",
        None,
        None,
    ]
    few = check([("a", "trial", 0, 100, None)], [("a", 1, "SQL")])
    assert few.by_stage().loc["trial", "CRM agreement"] == "fewer than 5 customers inside"


def test_groups_are_checked_one_by_one():
    groups = pd.Series({**{f"t{i}": "<b>t</b>" for i in range(10)}, **{f"p{i}": "p" for i in range(10)}}, name="half")
    found = check(by=groups)
    assert row(found.table, group="<b>t</b>", stage="trial")["n"] == 10
    assert row(found.table, group="p", stage="paid")["agreeing"] == 8
    assert row(found.lags, group="p", stage="paid")["n"] == 10
    assert list(found.by_stage().columns) == ["CRM agreement (<b>t</b>)", "CRM agreement (p)"]
    assert "20%" not in found.sentence()
    assert "with half “p”" in found.sentence()
    assert "<b>t</b>" not in found._repr_html_()
    assert found.plot().png().startswith(b"\x89PNG")


def test_it_keeps_the_contract_of_findings():
    found = check()
    assert isinstance(found, Finding)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.title = "another"
    known = found.table.dropna(subset=["estimate"])
    assert ((known["lower"] <= known["estimate"]) & (known["estimate"] <= known["upper"])).all()
    assert all(found.table[column].dtype == np.float64 for column in ("estimate", "lower", "upper"))
    for chart in (found.plot(), found.plot_lags()):
        assert isinstance(chart, Chart)
        assert any(character.isdigit() for character in chart.alt)
        assert chart.png().startswith(b"\x89PNG")
    assert found.plot(found.plot().axes).png() == found.plot(found.plot().axes).png()
    html = found._repr_html_()
    assert found.title in html
    assert "t7" not in html


def test_cells_of_few_customers_are_not_written_in_the_figure():
    written = {text.get_text() for text in check().plot().axes.texts}
    assert {"6 (60%)", "8 (80%)", "<5"} <= written
    assert not any(text.startswith(("1 (", "2 (", "3 (")) for text in written)


NO_CRM = (
    "There is no record of the CRM in this study, so it cannot be compared with what customers do. Name a table of its "
    "moves, or the column of the events that holds them, under “crm” in study.yml."
)
NO_BUCKET = (
    "No stage of the journey says which bucket of the CRM it is, so there is nothing to compare the CRM’s records "
    "with. Add “crm_bucket” to the stages in the journey’s file."
)
NOBODY = (
    "Nobody was in a stage while it was watched, so there is nothing to estimate. Look whether the log holds events "
    "that open the stages: lint_journey(journey, log=log) tells."
)


@pytest.mark.parametrize(
    ("rows", "journey", "records", "text"),
    [(ROWS, HELD, None, NO_CRM), (ROWS, JOURNEY, RECORDS, NO_BUCKET), ([], HELD, RECORDS, NOBODY)],
)
def test_without_what_it_needs_it_is_empty_and_says_what_is_lacking(rows, journey, records, text):
    found = compare_crm(spells_of(rows, journey=journey), None if records is None else records_of(records))
    assert found.lacking == found.sentence() == found.plot().alt == found.plot_lags().alt == text
    assert text in found._repr_html_().replace("&quot;", '"')
    assert len(found.table) == len(found.matrix) == len(found.lags) == len(found.mismatches) == 0
    assert all(found.table[column].dtype == np.float64 for column in ("estimate", "lower", "upper"))
    assert list(found.by_stage().index) == STAGES
    assert found.by_stage().isna().all(axis=None)


def test_records_and_spells_without_a_common_customer_are_refused():
    with pytest.raises(EstimateError) as error:
        check(ROWS, [("x-1", 3, "SQL")])
    assert str(error.value) == (
        "None of the CRM’s customers (1) has a spell: the CRM has “x-1”, the spells “t0”. "
        "Name the column of the CRM that holds the log’s ids."
    )


def test_customers_whom_where_leaves_out_are_no_strangers():
    spells = spells_of(ROWS)
    customers = pd.DataFrame(index=pd.Index(sorted({customer for customer, *_ in ROWS}), name="customer_id"))
    spells, records = dataclasses.replace(spells, customers=customers), records_of(RECORDS)
    in_trial = pd.Series(True, index=pd.Index([f"t{i}" for i in range(10)]))
    found = compare_crm(spells, records, where=in_trial)
    assert found.table["n"].tolist() == [10, 0, 0, 10]
    assert found.n_strangers == 1
    # The CRM knows none of these three, but it knows others of the log: the ids are right.
    unrecorded = compare_crm(spells, records[records["customer_id"] != "stranger"], where=in_trial["t7":"t9"])
    assert unrecorded.n_strangers == 0
    assert unrecorded.mismatches["why"].tolist() == ["no record"] * 3


def test_records_lacking_a_column_are_refused():
    with pytest.raises(JourneyLabError) as error:
        compare_crm(spells_of(ROWS), records_of(RECORDS).rename(columns={"bucket": "buckets"}))
    assert str(error.value) == "“records” lacks the column “bucket”. Did you mean “buckets”?"


def test_prepared_records_do_as_well():
    prepared = CrmRecords.of(records_of(RECORDS))
    assert compare_crm(spells_of(ROWS), prepared).sentence() == check().sentence()


def test_the_order_of_the_records_does_not_matter():
    mixed = records_of(RECORDS).sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(compare_crm(spells_of(ROWS), mixed).matrix, check().matrix)
