"""The plan of features: other customers are described by the same ones, and what is new is counted and told."""

import pandas as pd
import pytest

from journeylab.events.features import apply_plan, find_features
from journeylab.events.features.attributes import tells_only_the_future
from journeylab.events.log import EventLog
from journeylab.events.reading import read_events

WINDOW = ("2024-01-01", "2025-01-01")
COLUMNS = ("customer_id", "time", "event", "channel", "initiator", "contact_id", "role", "score")
OLD = [
    ("ada", "2024-01-01 09:00", "started", "web", "customer", "a", "buyer", 4.0),
    ("ada", "2024-01-02 09:00", "opened", "web", "customer", "a", "buyer", None),
    ("ada", "2024-01-03 09:00", "called", "phone", "customer", "b", "user", None),
    ("bob", "2024-01-01 09:00", "started", "web", "customer", "c", "user", None),
    ("bob", "2024-01-02 09:00", "opened", "phone", "customer", "c", "user", None),
    ("bob", "2024-01-03 09:00", "opened", "web", "customer", "c", "user", None),
]
# “texted” by “sms” in the role “coach” is new, and so is “called” after “started”.
NEW = [
    ("cid", "2024-05-01 09:00", "started", "web", "customer", "a", "buyer", None),
    ("cid", "2024-05-02 09:00", "texted", "sms", "customer", "a", "coach", None),
    ("cid", "2024-05-03 09:00", "called", "phone", "customer", "a", "buyer", None),
    ("cid", "2024-05-04 09:00", "texted", "sms", "customer", "a", "coach", None),
]
ENTERED = {"ada": "2024-01-01 09:00", "bob": "2024-01-01 09:00", "cid": "2024-05-01 09:00"}


def log_of(rows, columns=COLUMNS, customers=None) -> EventLog:
    table = pd.DataFrame(rows, columns=list(COLUMNS))[list(columns)]
    named = {column: column for column in columns}
    return read_events(table, columns=named, window=WINDOW, timezone="UTC", customers=customers)


def entries(*customers: str) -> pd.DataFrame:
    times = pd.to_datetime([ENTERED[each] for each in customers], utc=True)
    return pd.DataFrame({"customer_id": list(customers), "entered": times})


def attributes(**columns) -> pd.DataFrame:
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def old():
    return find_features(log_of(OLD), entries("ada", "bob"), within="30d")


@pytest.fixture(scope="module")
def new(old):
    return apply_plan(old.plan, log_of(NEW), entries("cid"))


def of(features, name) -> dict:
    each = next(each for each in features.counts if each.name == name)
    return {each.names[column]: int(n) for column, n in zip(each.columns, each.counts, strict=True)}


@pytest.mark.slow
def test_the_plan_gives_the_customers_it_was_learned_from_the_same_features(old):
    again = apply_plan(old.plan, log_of(OLD), entries("ada", "bob"))
    pd.testing.assert_frame_equal(again.table, old.table, check_exact=True)
    assert again.unseen.empty
    assert [(each.name, each.names) for each in again.counts] == [(each.name, each.names) for each in old.counts]


def test_other_customers_have_the_same_columns(old, new):
    assert list(new.table.columns) == list(old.table.columns)
    assert new.milestones == old.milestones


def test_unseen_values_count_as_nothing_and_are_told(new):
    assert of(new, "event") == {"started": 1, "called": 1}
    assert of(new, "channel") == {"web": 1, "phone": 1}
    told = new.unseen.set_index(["feature", "value"])
    assert told.loc[("event", "texted")].to_list() == [2, 4, "events"]
    assert told.loc[("channel", "sms")].to_list() == [2, 4, "events"]
    assert told.loc[("role", "coach")].to_list() == [1, 2, "contacts"]


def test_a_move_never_seen_is_told_as_a_move(new):
    # With “texted” left aside, “called” came right after “started”.
    told = new.unseen[new.unseen["feature"] == "next after started"]
    assert told[["value", "n", "of", "unit"]].to_numpy().tolist() == [["called", 1, 1, "moves"]]


def test_an_unseen_event_still_happened(new):
    # Four events a day apart.
    assert new.numbers.loc["cid", ["events", "active_days"]].tolist() == [4, 4]
    assert new.numbers.loc["cid", "typical_gap_days"] == pytest.approx(1 + 1 / 86_400)


def test_what_a_log_lacks_is_missing_for_everyone_and_told(old):
    plain = apply_plan(old.plan, log_of(NEW, columns=("customer_id", "time", "event")), entries("cid"))
    assert plain.numbers.loc["cid", ["contacts", "score", "company_events"]].isna().all()
    lacking = plain.unseen[plain.unseen["value"].isna()]
    assert set(lacking["feature"]) == {
        *("channel", "initiator", "role", "contacts", "roles_in_play", "score", "company_events")
    }
    assert (lacking["n"] == 1).all()


def test_groups_stay_the_processes_they_were():
    columns = {each: each for each in ("customer_id", "time", "event", "process")}

    def log(rows):
        table = pd.DataFrame(rows, columns=list(columns))
        return read_events(table, columns=columns, window=WINDOW, timezone="UTC")

    first = [("ada", f"2024-01-0{day} 09:00", f"e{day % 4}", "sales" if day % 2 else "service") for day in range(1, 7)]
    old = find_features(log(first), entries("ada"), within="30d")
    assert (old.plan.habits.by, old.plan.habits.groups) == ("process", ("sales", "service"))
    second = [
        ("cid", f"2024-05-0{day} 09:00", "e1", process) for day, process in enumerate(["sales", "legal"], start=1)
    ]
    new = apply_plan(old.plan, log(second), entries("cid"))
    # “e1” under “legal” is in no group, not in another one.
    assert new.plan.habits.groups_of(
        pd.DataFrame({"event": ["e1", "e1", "e9"], "process": ["sales", "legal", "sales"], "by_company": False})
    ).tolist() == ["sales", None, None]
    assert new.unseen[["feature", "value", "n", "of"]].to_numpy().tolist() == [["process", "legal", 1, 2]]


@pytest.mark.slow
def test_attributes_keep_their_kind_and_unseen_levels_are_missing():
    ids = ["ada", "bob", *(f"c{number}" for number in range(10))]
    start = pd.DataFrame({"customer_id": ids, "entered": pd.Timestamp("2024-01-01", tz="UTC")})
    customers = pd.DataFrame(
        {"customer_id": ids, "plan": ["solo", "team"] * 6, "tier": [1, 2] * 6, "seats": range(12), "events": range(12)}
    )
    makers = ("plan", "tier", "seats", "events")
    old = find_features(log_of(OLD, customers=customers), start, within="30d", make_from_attributes=makers)
    assert old.plan.attributes == ("seats", "events (attribute)")
    assert old.plan.levels == {"plan": ("solo", "team"), "tier": ("1", "2")}
    # Six tiers would be a number if they were learned from these customers.
    changed = customers.assign(plan="gold", tier=[1, 2, 3, 4, 5, 6] * 2, seats=["many", *range(1, 12)])
    new = apply_plan(old.plan, log_of(OLD, customers=changed), start)
    assert new.categories["plan"].isna().all()
    assert new.categories["tier"].tolist()[:4] == ["1", "2", None, None]
    assert new.numbers["seats"].isna().tolist() == [True] + [False] * 11
    assert new.numbers["events (attribute)"].tolist() == list(range(12))
    told = {(row.feature, row.value): (row.n, row.of, row.unit) for row in new.unseen.itertuples()}
    assert told[("plan", "gold")] == (12, 12, "customers")
    assert told[("tier", "3")] == (2, 12, "customers")
    assert told[("seats", "many")] == (1, 12, "customers")


@pytest.mark.slow
def test_an_attribute_that_is_gone_is_missing_and_told():
    customers = pd.DataFrame({"customer_id": ["ada", "bob"], "plan": ["solo", "team"]})
    old = find_features(
        log_of(OLD, customers=customers), entries("ada", "bob"), within="30d", make_from_attributes=["plan"]
    )
    new = apply_plan(old.plan, log_of(NEW), entries("cid"))
    assert new.categories["plan"].isna().all()
    row = new.unseen[new.unseen["feature"] == "plan"].iloc[0]
    assert (row["value"], row["n"], row["of"], row["unit"]) == (None, 1, 1, "customers")


@pytest.mark.slow
def test_further_features_are_asked_for_again():
    def extra(customers, answers):
        known = pd.Timestamp("2024-01-01", tz="UTC")
        return pd.DataFrame({"customer_id": customers, "answer": answers, "known_at": known})

    old = find_features(log_of(OLD), entries("ada", "bob"), within="30d", extra=extra(["ada", "bob"], ["yes", "no"]))
    new = apply_plan(old.plan, log_of(NEW), entries("cid"), extra=extra(["cid"], ["yes"]))
    assert new.categories["answer"].tolist() == ["yes"]


@pytest.mark.parametrize("name", ["tenure_days", "last_seen", "churned", "lost", "total_orders", "ltv"])
def test_names_that_only_the_future_tells(name):
    assert tells_only_the_future(name)


@pytest.mark.parametrize("name", ["plan", "seats", "region", "altvalue"])
def test_names_that_were_known_at_the_start(name):
    assert not tells_only_the_future(name)
