"""What customers do in each stage: shares of customers, who begins contacts, and nothing of too few."""

from dataclasses import replace

import ibis
import numpy as np
import pandas as pd
import pytest

from journeylab.base.errors import JourneyError
from journeylab.events.journey import read_journey
from journeylab.events.log import EventLog
from journeylab.findings.touchpoints import estimate_touchpoints

START = pd.Timestamp("2025-01-01", tz="UTC")
STAGES = ["trial", "paid", "plus", "partner"]
SCHEMA = {"customer_id": "string", "event": "string", "channel": "string", "initiator": "string", "role": "string",
          "process": "string", "value": "float64", "time": "timestamp('UTC', 6)", "seq": "int64"}  # fmt: skip


def with_contacts(spells, *contacts):
    """`spells` whose journey declares these contacts."""
    journey = spells.journey.to_dict() | {"contacts": list(contacts)}
    return replace(spells, journey=read_journey(journey))


def log_of(rows, window) -> EventLog:
    columns = ["customer_id", "day", "event", "channel", "initiator", "role", "process", "value"]
    table = pd.DataFrame(rows, columns=columns)
    times = START + pd.to_timedelta(table.pop("day"), unit="D")
    table = table.assign(time=times, seq=np.arange(len(table)))
    return EventLog.from_events(ibis.memtable(table, schema=SCHEMA), window=window)


@pytest.fixture
def spells(spells_of):
    plans = pd.DataFrame({"plan": ["small", "large"] * 10}, index=pd.Index([f"c{i}" for i in range(20)]))
    return spells_of([(f"c{i}", "trial", 0, 10, None if i % 2 else "price") for i in range(20)], attributes=plans)


@pytest.fixture
def log(spells) -> EventLog:
    """20 customers: all start, 10 look on the web, 4 ask in the chat, and the company calls 5 of them twice."""
    rows = [(f"c{i}", 0, "start", "web", "customer", "user", "sales", 10.0 if i < 6 else None) for i in range(20)]
    rows += [(f"c{i}", 1, "look", "web", "customer", "user", "product", None) for i in range(10)]
    rows += [(f"c{i}", 2, "ask", "chat", "customer", "buyer", "service", None) for i in range(4)]
    rows += [(f"c{i}", day, "call", "phone", "company", None, "sales", None) for i in range(5) for day in (3, 4)]
    return log_of(rows, spells.window)


def row_of(found, kind: str, name: str) -> pd.Series:
    return found.table[(found.table["kind"] == kind) & (found.table["name"] == name)].iloc[0]


def test_a_share_is_of_the_customers_who_came_to_the_stage(spells, log):
    row = row_of(estimate_touchpoints(log, spells), "event", "look")
    # Wilson's limits for 10 of 20.
    assert (row["estimate"], row["n"], row["customers"]) == (0.5, 20, 10)
    assert (row["lower"], row["upper"]) == pytest.approx((0.2993, 0.7007), abs=1e-4)


def test_what_fewer_than_five_customers_did_is_left_out(spells, log):
    assert "ask" not in set(estimate_touchpoints(log, spells).table["name"])


def test_contacts_begun_by_the_company_are_a_share_of_the_declared_contacts(spells, log):
    row = row_of(estimate_touchpoints(log, with_contacts(spells, "ask", {"event": "call"})), "proactive", "proactive")
    # 4 questions by customers, 10 calls by the company; starts and looks are no contacts.
    assert (row["estimate"], row["n"], row["events"], row["customers"]) == (10 / 14, 14, 10, 5)


def test_a_contact_may_ask_for_columns(spells, log):
    by_phone = {"event": ["call", "ask"], "where": {"channel": "phone"}}
    row = row_of(estimate_touchpoints(log, with_contacts(spells, by_phone)), "proactive", "proactive")
    assert (row["estimate"], row["n"]) == (1.0, 10)
    with pytest.raises(JourneyError, match="The condition in “contacts”"):
        estimate_touchpoints(log, with_contacts(spells, {"event": "call", "where": {"colour": "red"}}))


def test_contacts_of_fewer_than_five_customers_are_left_out(spells, log):
    found = estimate_touchpoints(log, with_contacts(spells, "ask"))
    assert "proactive" not in set(found.table["kind"])
    assert "too few customers had one" in found.sentence()


def test_without_declared_contacts_nothing_is_said_of_who_begins_them(spells, log):
    found = estimate_touchpoints(log, spells)
    assert set(found.by_stage()["reactive : proactive"]) == {"not measured: no contacts are declared"}
    assert "proactive" not in set(found.table["kind"])
    assert "Who begins a contact is not measured, because journey.yml declares no contacts." in found.sentence()


def test_the_value_is_a_mean_over_all_who_came(spells, log):
    row = row_of(estimate_touchpoints(log, spells), "value", "value")
    assert (row["estimate"], row["n"], row["customers"]) == (3.0, 20, 6)


def test_the_lanes_say_share_interval_and_base_and_leave_out_what_opens_the_stage(spells, log):
    lanes = estimate_touchpoints(log, with_contacts(spells, "ask", "call")).by_stage()
    assert list(lanes.index) == STAGES
    assert lanes.loc["trial", "actions"] == "look 50% (30% to 70%; 20 customers)"
    assert lanes.loc["trial", "trigger seen"] == "100% (84% to 100%; 20 visits)"
    assert lanes.loc["trial", "reactive : proactive"] == "1 : 2.5; company 71% (45% to 88%; 14 contacts)"
    assert lanes.loc["trial", "roles"] == "user 100% (84% to 100%; 20 customers)"
    assert lanes.loc["trial", "value"] == "3 per customer (1 to 5; 20 customers)"
    assert lanes.loc["paid"].isna().all()


def test_groups_have_lanes_coverage_and_rows_of_their_own(spells, log):
    found = estimate_touchpoints(log, spells, by="plan")
    assert set(found.table["group"]) == {"small", "large"}
    assert found.by_stage().loc["trial", "actions (small)"] == "look 50% (24% to 76%; 10 customers)"
    assert found.coverage_in_words("large").startswith("sales 100% (72% to 100%; 10 customers); product 50%")
    assert found.title == "What customers do in each stage, by plan"


def test_the_sentence_has_numbers_intervals_and_bases(spells, log):
    assert estimate_touchpoints(log, with_contacts(spells, "ask", "call")).sentence() == (
        "What most customers do in a stage: “trial” look 50% (30% to 70%; 20 customers). "
        "Contacts begun by the company: “trial” 71% (45% to 88%; 14 contacts). All intervals are 95% intervals."
    )


def test_hostile_names_are_shortened_in_words_and_escaped_in_html(spells):
    name = "<script>alert(1)</script>" + "x" * 10_000
    rows = [(f"c{i}", 1, name, name, "customer", name, name, None) for i in range(20)]
    found = estimate_touchpoints(log_of(rows, spells.window), spells)
    assert len(found.by_stage().loc["trial", "actions"]) < 120
    assert "<script>" not in found._repr_html_()
    assert found.plot().png().startswith(b"\x89PNG")


def test_a_log_without_channels_and_initiators_leaves_those_lanes_empty(spells, log):
    bare = EventLog.from_events(log.events.select("customer_id", "time", "event", "seq"), window=log.window)
    found = estimate_touchpoints(bare, with_contacts(spells, "look"))
    assert found.by_stage().loc["trial"].dropna().index.tolist() == ["trigger seen", "actions"]
    assert found.sentence().endswith(
        "The log does not tell who began a contact, or too few customers had one. All intervals are 95% intervals."
    )
    assert found.coverage_in_words() == "The log does not name its sources"


def test_without_visits_it_is_empty_and_says_so(spells_of, log):
    found = estimate_touchpoints(log, spells_of([]))
    assert found.lacking == found.sentence() == found.plot().alt
    assert found.table.empty
    assert found.by_stage().isna().all(axis=None)


def test_its_figure_says_what_the_sentence_says(spells, log):
    found = estimate_touchpoints(log, spells)
    assert found.plot().alt == found.sentence()
    assert found.plot().png() == found.plot().png()
