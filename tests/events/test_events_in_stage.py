"""Touchpoints: an event belongs to the visit that holds its time; counts are of different customers."""

import ibis
import pandas as pd
import pytest

from journeylab.events.journey import Condition, read_journey
from journeylab.events.log import EventLog, Window
from journeylab.events.queries.entries import find_triggers
from journeylab.events.queries.events_in_stage import find_sides, find_sources, find_touchpoints
from journeylab.events.reading import read_events
from journeylab.events.spells import find_spells

JOURNEY = read_journey(
    {
        "journeylab": 1,
        "name": "two stages",
        "goal": "Try, then buy",
        "stages": [
            {"name": "trial", "opened_by": [{"event": "start"}], "silent_after": "10d"},
            {"name": "paid", "opened_by": [{"event": "buy"}], "silent_after": "30d"},
        ],
        "loss_branches": [{"name": "gone", "when": {"event": "cancel"}}],
    }
)
START = pd.Timestamp("2025-01-01", tz="UTC")


def journey_with(contacts):
    return JOURNEY.model_copy(update={"contacts": tuple(contacts)})


# Customer, day, event, channel, initiator, role, value.
ROWS = [
    ("a", 0, "start", "web", "customer", "user", None),
    ("a", 1, "look", "web", "customer", "user", None),
    ("a", 2, "call", "phone", "company", "coach", None),
    ("a", 3, "buy", "web", "customer", "buyer", 50.0),
    ("a", 4, "look", "app", None, "user", None),
    ("a", 5, "cancel", "web", "customer", "buyer", None),
    ("a", 6, "look", "web", "customer", "user", None),
    ("b", 0, "start", "web", "customer", None, None),
    ("b", 20, "look", "web", "system", "user", None),
]


@pytest.fixture
def log() -> EventLog:
    columns = ["customer_id", "day", "event", "channel", "initiator", "role", "value"]
    rows = pd.DataFrame(ROWS, columns=columns)
    rows = rows.assign(time=START + pd.to_timedelta(rows.pop("day"), unit="D"), seq=range(len(rows)))
    schema = {"customer_id": "string", "event": "string", "channel": "string", "initiator": "string", "role": "string",
              "value": "float64", "time": "timestamp('UTC', 6)", "seq": "int64"}  # fmt: skip
    window = Window(START, START + pd.Timedelta(days=40))
    return EventLog.from_events(ibis.memtable(rows, schema=schema), window=window)


@pytest.fixture
def visits(log) -> pd.DataFrame:
    return find_spells(log, JOURNEY).to_pandas()


def counts(found: pd.DataFrame, stage: str, kind: str) -> dict[str, tuple[int, int]]:
    rows = found[(found["stage"] == stage) & (found["kind"] == kind)]
    return dict(zip(rows["name"], zip(rows["events"], rows["customers"], strict=True), strict=True))


def test_an_event_belongs_to_the_stage_that_holds_its_time_and_the_one_that_ends_a_visit_to_the_next(log, visits):
    found = find_touchpoints(log, visits)
    assert counts(found, "trial", "event") == {"start": (2, 2), "look": (2, 2)}
    assert counts(found, "paid", "event") == {"buy": (1, 1), "look": (1, 1)}


def test_what_the_company_did_is_no_action_and_shows_nobodys_role_but_its_channel_counts(log, visits):
    found = find_touchpoints(log, visits)
    assert "call" not in counts(found, "trial", "event")
    assert counts(found, "trial", "role") == {"user": (3, 2)}
    assert counts(found, "trial", "channel") == {"web": (4, 2), "phone": (1, 1)}


def test_the_names_come_by_customers_then_alphabetically(log, visits):
    found = find_touchpoints(log, visits)
    rows = found[(found["stage"] == "trial") & (found["kind"] == "event")]
    assert list(rows["name"]) == ["look", "start"]


def test_groups_are_counted_apart(log, visits):
    found = find_touchpoints(log, visits.assign(group=visits["customer_id"].map({"a": "one", "b": "two"})))
    starts = found[found["name"] == "start"]
    assert dict(zip(starts["group"], starts["customers"], strict=True)) == {"one": 1, "two": 1}


def test_sides_count_what_customer_and_company_began_and_nothing_of_systems(log, visits):
    contacts = [Condition(event=["start", "look", "call", "buy"])]
    found = find_sides(log, visits, journey_with(contacts)).set_index(["stage", "customer_id"])
    assert tuple(found.loc[("trial", "a"), ["reactive", "proactive"]]) == (2, 1)
    assert tuple(found.loc[("trial", "b"), ["reactive", "proactive"]]) == (1, 0)
    assert tuple(found.loc[("paid", "a"), ["reactive", "proactive"]]) == (2, 0)


def test_only_declared_contacts_count_and_without_any_no_side_is_known(log, visits):
    found = find_sides(log, visits, journey_with([Condition(event="call")])).set_index(["stage", "customer_id"])
    assert tuple(found.loc[("trial", "a"), ["reactive", "proactive"]]) == (0, 1)
    assert find_sides(log, visits, JOURNEY)[["reactive", "proactive"]].isna().all(axis=None)


def test_the_value_is_the_sum_in_the_stage_and_missing_where_none_has_one(log, visits):
    found = find_sides(log, visits, JOURNEY).set_index(["stage", "customer_id"])["value"]
    assert found[("paid", "a")] == 50.0
    assert pd.isna(found[("trial", "a")])


def test_a_trigger_is_seen_where_the_stage_was_opened_by_its_event_but_not_on_a_return_after_silence(log, visits):
    seen = find_triggers(log, visits, JOURNEY)
    told = list(zip(visits["customer_id"], visits["stage"], seen, strict=True))
    # b fell silent on day 10; only a system's event on day 20 brings b back.
    assert told == [("a", "trial", True), ("a", "paid", True), ("b", "trial", True), ("b", "trial", False)]


def test_sources_tell_of_how_many_customers_the_log_knows_from_where(log, visits):
    found = find_sources(log, visits).set_index("source")
    assert (found["group"] == "").all()
    assert found["customers"].to_dict() == {"web": 2, "app": 1, "phone": 1}
    assert found["events"].to_dict() == {"web": 7, "app": 1, "phone": 1}


def test_sources_are_told_for_each_group_as_for_its_customers_alone(log, visits):
    grouped = visits.assign(group=visits["customer_id"].map({"a": "one", "b": "two"}))
    found = find_sources(log, grouped)
    assert list(found["group"].unique()) == ["one", "two"]
    for group, own in grouped.groupby("group"):
        alone = find_sources(log, own.drop(columns="group")).drop(columns="group")
        together = found[found["group"] == group].drop(columns="group").reset_index(drop=True)
        pd.testing.assert_frame_equal(together, alone)


def test_a_log_that_tells_neither_channels_nor_initiators_nor_roles_says_so_with_nothing(log, visits):
    bare = EventLog.from_events(log.events.select("customer_id", "time", "event", "seq"), window=log.window)
    assert set(find_touchpoints(bare, visits)["kind"]) == {"event"}
    assert find_sides(bare, visits, JOURNEY)[["reactive", "proactive", "value"]].isna().all(axis=None)
    assert find_sources(bare, visits).empty


def test_in_a_log_of_dates_the_order_of_the_day_decides_which_stage_an_event_belongs_to():
    rows = [
        ("a", 0, "start"),
        ("a", 3, "look"),  # in the trial: on the day of the move, but before it
        ("a", 3, "buy"),
        ("a", 3, "call"),
        ("a", 5, "look"),  # before the loss of that day
        ("a", 5, "cancel"),
        ("a", 5, "look"),  # after it: in no stage
        ("b", 1, "look"),  # before they came
        ("b", 1, "start"),
        ("b", 1, "buy"),
        ("b", 1, "cancel"),
    ]
    table = pd.DataFrame(rows, columns=["customer_id", "day", "event"])
    table["time"] = (START + pd.to_timedelta(table.pop("day"), unit="D")).dt.strftime("%Y-%m-%d")
    log = read_events(table, window=("2025-01-01", "2025-02-10"), timezone="Europe/Lisbon", duplicates="keep")
    found = find_touchpoints(log, find_spells(log, JOURNEY).to_pandas(), JOURNEY)
    assert counts(found, "trial", "event") == {"start": (2, 2), "look": (1, 1)}
    assert counts(found, "paid", "event") == {"buy": (2, 2), "call": (1, 1), "look": (1, 1)}
