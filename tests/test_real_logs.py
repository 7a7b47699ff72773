"""Real logs, from file to finding: numbers that are known from elsewhere come out."""

import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from journeylab import estimate_dropoff, find_spells, open_study, read_events, read_journey
from journeylab.estimators.aalen_johansen import AalenJohansen

WITHDRAWAL = {
    "journeylab": 1,
    "name": "Withdrawal from module start",
    "goal": "I want to finish this module",
    "stages": [
        {"name": "studying", "opened_by": {"event": "module_started"}},
        {"name": "passed", "opened_by": {"event": ["result_pass", "result_distinction"]}, "completes": True},
    ],
    "loss_branches": [
        {"name": "withdrew", "when": {"event": "unregistered"}},
        {"name": "failed", "when": {"event": "result_fail"}},
    ],
}
LOAN = {
    "journeylab": 1,
    "name": "Loan application",
    "goal": "I want the loan, soon",
    "movement": "free",
    "stages": [
        {"name": "applied", "opened_by": {"event": "A_SUBMITTED"}},
        {"name": "preaccepted", "opened_by": {"event": "A_PREACCEPTED"}},
        {"name": "accepted", "opened_by": {"event": "A_ACCEPTED"}},
        {"name": "offered", "opened_by": {"event": "O_SENT"}},
        {"name": "answered", "opened_by": {"event": "O_SENT_BACK"}},
        {"name": "approved", "opened_by": {"event": "A_APPROVED"}, "completes": True},
    ],
    "loss_branches": [
        {"name": "declined", "when": {"event": "A_DECLINED"}},
        {"name": "cancelled", "when": {"event": "A_CANCELLED"}},
    ],
}
WHOLESALE = {
    "journeylab": 1,
    "name": "Wholesale customers",
    "goal": "Keep my shop stocked",
    "stages": [{"name": "buying", "opened_by": {"event": "purchase"}, "silent_after": "120d"}],
}


@pytest.fixture(scope="module")
def studying(project, shared):
    """Visits to `studying` of those whose registration is dated, which is what the known numbers count."""
    log = open_study(project / "examples" / "oulad", data=shared / "data" / "oulad").log
    registered = log.events.filter(log.events.event == "registered").customer_id.to_pyarrow().to_pylist()
    spells = find_spells(log.only(customers=registered), read_journey(WITHDRAWAL))
    visits = spells.to_pandas()
    return spells, visits[visits["stage"] == "studying"]


def test_withdrawal_from_module_start_by_our_estimator(studying):
    visits = studying[1]
    withdrew = (visits["to"] == "withdrew").to_numpy()
    assert (len(visits), withdrew.sum()) == (29_252, 6_924)
    fitted = AalenJohansen.fit(
        np.zeros(len(visits)),
        visits["days"].to_numpy(),
        np.zeros(len(visits), dtype=int),
        np.where(withdrew, 1, -1),
        n_states=2,
        initial_state=[1.0, 0.0],
    )
    assert np.round(fitted.occupancy(np.array([60.0, 150.0]))[:, 0], 4).tolist() == [0.8934, 0.8153]


def test_withdrawal_from_module_start_by_lifelines(studying):
    visits = studying[1]
    fitter = KaplanMeierFitter()
    fitter.fit(visits["days"].to_numpy(), (visits["to"] == "withdrew").to_numpy())
    assert np.round(fitter.survival_function_at_times([60, 150]).to_numpy(), 4).tolist() == [0.8934, 0.8153]


def test_the_finding_says_the_same_while_nobody_has_left_otherwise(studying):
    table = estimate_dropoff(studying[0], horizons=["60d", "150d"]).table
    withdrew = table[(table["stage"] == "studying") & (table["to"] == "withdrew")]
    assert np.round(1 - withdrew["estimate"].to_numpy(), 4).tolist() == [0.8934, 0.8153]


def test_loan_applications_end_as_the_bank_counted_them(shared):
    log = read_events(
        shared / "data" / "bpi2012_loan" / "events.parquet",
        columns={"customer_id": "case_id", "event": "activity", "time": "timestamp"},
        window=("2011-09-30", "2012-04-01"),
    )
    ledger = estimate_dropoff(find_spells(log, read_journey(LOAN)), horizons=["30d"]).ledger.set_index("stage")
    assert ledger.loc["applied", "entered"] == 13_087
    assert (ledger["declined"].sum(), ledger["cancelled"].sum()) == (7_635, 2_807)
    assert ledger["ongoing"].drop("approved").sum() == 399
    # Back and forth between offers: applications that had been answered and went back to a new offer.
    assert ledger.loc["answered", "regressed"] == 368
    assert ledger.loc["offered", "entered"] == 5_015 + 368


def test_wholesale_customers_are_lost_to_silence_only(shared):
    log = read_events(
        shared / "data" / "online_retail_uci" / "line_items.parquet",
        columns={"customer_id": "CustomerID", "time": "InvoiceDate", "event": {"constant": "purchase"}},
        window=("2010-12-01", "2011-12-10"),
        timezone="Europe/London",
    )
    visits = find_spells(log, read_journey(WHOLESALE)).to_pandas()
    assert visits["customer_id"].nunique() == log.n_customers == 4_372
    assert set(visits["outcome"]) == {"lost", "ongoing"}
    assert visits["events"].sum() == len(log)
    lost = visits[visits["outcome"] == "lost"]
    assert ((lost["left"] - lost["last_event"]).dt.days == 120).all()
