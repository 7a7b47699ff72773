"""Drop-off of real logs: the ledger adds up, and numbers that are known from elsewhere come out."""

import pandas as pd
import pytest

from journeylab import (
    Grouping,
    estimate_dropoff,
    estimate_survival,
    find_spells,
    open_study,
    read_events,
    read_journey,
)
from journeylab.events.spells.exits import check_ledger, ledger_parts
from journeylab.findings.recovery import estimate_recovery
from journeylab.findings.segments import find_cohorts

pytestmark = pytest.mark.slow

END = [
    {"name": "declined", "when": {"event": "A_DECLINED"}},
    {"name": "cancelled", "when": {"event": "A_CANCELLED"}},
]
LOAN = {
    "journeylab": 1,
    "name": "Loan application",
    "goal": "I want the loan, soon",
    "movement": "free",
    "stages": [
        {"name": "applied", "opened_by": {"event": "A_SUBMITTED"}},
        {"name": "accepted", "opened_by": {"event": "A_ACCEPTED"}},
        {"name": "offered", "opened_by": {"event": "O_SENT"}},
        {"name": "answered", "opened_by": {"event": "O_SENT_BACK"}},
        {"name": "approved", "opened_by": {"event": "A_APPROVED"}, "completes": True},
    ],
    "loss_branches": END,
}
# An application that has an offer, until it ends; validated by a further offer.
OFFERS = {
    "journeylab": 1,
    "name": "Offers of a loan",
    "goal": "I want the loan, soon",
    "stages": [
        {"name": "offered", "opened_by": {"event": "O_SENT"}, "validated_by": {"event": "O_SENT"}},
        {"name": "approved", "opened_by": {"event": "A_APPROVED"}, "completes": True},
    ],
    "loss_branches": END,
}


@pytest.fixture(scope="module")
def loans(shared):
    return read_events(
        shared / "data" / "bpi2012_loan" / "events.parquet",
        columns={"customer_id": "case_id", "event": "activity", "time": "timestamp"},
        window=("2011-09-30", "2012-04-01"),
    )


def adds_up(found):
    check_ledger(found.ledger)
    ledger = found.ledger
    return (ledger["entered"] == ledger[ledger_parts(ledger)].sum(axis=1)).all() and ledger["entered"].sum() > 0


def test_every_application_is_declined_cancelled_approved_or_open_as_the_bank_counted_them(loans):
    found = estimate_dropoff(find_spells(loans, read_journey(LOAN)), horizons=["30d"])
    assert adds_up(found)
    ledger = found.ledger.set_index("stage")
    assert ledger.loc["applied", "entered"] == 13_087
    assert (ledger["declined"].sum(), ledger["cancelled"].sum()) == (7_635, 2_807)
    assert ledger["ongoing"].drop("approved").sum() == 399
    assert 13_087 - 7_635 - 2_807 - 399 == ledger["completed"].sum() == 2_246


def test_of_the_applications_with_an_offer_more_than_a_quarter_got_two_or_more(loans):
    visits = find_spells(loans, read_journey(OFFERS)).to_pandas()
    offered = visits[visits["stage"] == "offered"]
    assert offered["customer_id"].nunique() == len(offered) == 5_015
    assert offered["validated"].notna().sum() == 1_438


def test_the_median_of_offers_does_not_stand_on_the_few_watched_from_their_start(loans):
    """Labels known three days after applying: a tenth of the offers is watched from its start, many of these sent and
    answered at once. Without late entry half of all offers have ended after about 10 days."""
    stages = [stage for stage in LOAN["stages"] if stage["name"] != "accepted"]
    spells = find_spells(loans, read_journey(LOAN | {"stages": stages}))
    first = spells.to_pandas().groupby("customer_id")["entered"].min()
    labels = Grouping("persona", first.map(lambda _: "P1"), first + pd.Timedelta(days=3))
    plain, late = (estimate_survival(spells, by=by).medians().set_index(["stage", "quantile"]) for by in (None, labels))
    median = late.loc[("offered", 0.5)]
    assert median["estimate"] == pytest.approx(plain.loc[("offered", 0.5), "estimate"], rel=0.15)
    assert median["note"].startswith("given still inside on day ")


def test_the_ledger_of_the_university_adds_up_for_all_and_by_cohort(project, shared):
    study = open_study(project / "examples" / "oulad", data=shared / "data" / "oulad")
    spells = find_spells(study.log, study.journey)
    assert adds_up(estimate_dropoff(spells, horizons=["90d"]))
    cohorts = find_cohorts(spells, every="quarter")
    grouped = estimate_dropoff(spells, horizons=["90d"], by=cohorts)
    assert adds_up(grouped)
    whole = estimate_dropoff(spells, horizons=["90d"]).ledger.drop(columns="stage").sum()
    assert (grouped.ledger.drop(columns=["group", "stage"]).sum() == whole).all()


def test_the_ledger_of_the_sample_adds_up_for_all_and_by_attribute(project):
    study = open_study(project)
    spells = find_spells(study.log, study.journey)
    assert adds_up(estimate_dropoff(spells, horizons=["90d"]))
    assert adds_up(estimate_dropoff(spells, horizons=["90d"], by="segment"))
    losses = estimate_dropoff(spells, horizons=["90d"]).ledger[list(study.journey.branches)].sum().sum()
    assert estimate_recovery(spells, horizons=["90d"]).overall["n"].item() == losses
