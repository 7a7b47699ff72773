"""Features: only what was known at the landmark, counted right, whatever the order of rows."""

import re

import numpy as np
import pandas as pd
import pytest

from journeylab.base.errors import EstimateError
from journeylab.events.features import find_features, is_protected
from journeylab.events.features.attributes import check_known_by_landmark
from journeylab.events.features.first_events import check_rows
from journeylab.events.log import EventLog
from journeylab.events.reading import read_events

WINDOW = ("2024-01-01", "2025-01-01")
COLUMNS = ("customer_id", "time", "event", "process", "channel", "initiator", "contact_id", "role", "score", "value")
ROWS = [
    ("ada", "2023-12-31 23:59", "visited", "sales", "web", "customer", "a", "buyer", 1.0, 50.0),
    ("ada", "2024-01-01 00:00", "started", "sales", "web", "customer", "a", "buyer", None, 1.5),
    ("ada", "2024-01-01 09:00", "opened", "sales", "web", "customer", "a", "buyer", None, 2.0),
    ("ada", "2024-01-03 09:00", "called", "service", "phone", "customer", "b", "user", 3.0, None),
    ("ada", "2024-01-03 10:00", "mailed", "marketing", "email", "company", None, None, None, None),
    ("ada", "2024-01-06 12:00", "opened", "sales", "app", "customer", "b", "user", 4.0, None),
    ("ada", "2024-01-31 00:00", "called", "service", "phone", "customer", "c", "coach", 9.0, 7.0),
    ("bob", "2024-01-05 12:00", "started", "sales", "web", "customer", "q", "user", None, None),
]
ENTRIES = pd.DataFrame(
    {"customer_id": ["bob", "ada"], "entered": pd.to_datetime(["2024-01-05 12:00", "2024-01-01 00:00"], utc=True)}
)


def log_of(rows, columns=COLUMNS, customers=None) -> EventLog:
    table = pd.DataFrame(rows, columns=list(columns))
    named = {column: column for column in columns}
    return read_events(table, columns=named, window=WINDOW, timezone="UTC", customers=customers)


@pytest.fixture(scope="module")
def log() -> EventLog:
    return log_of(ROWS)


@pytest.fixture(scope="module")
def features(log):
    return find_features(log, ENTRIES, within="30d")


def counted(features, name) -> dict:
    """Counts of `name` as {customer: {what: n}}."""
    each = next(each for each in features.counts if each.name == name)
    found = {}
    for row, column, n in zip(each.rows, each.columns, each.counts, strict=True):
        found.setdefault(features.customers[row], {})[each.names[column]] = int(n)
    return found


def test_numbers_are_those_of_the_first_days_alone(features):
    assert list(features.customers) == ["ada", "bob"]
    ada, bob = features.numbers.loc["ada"], features.numbers.loc["bob"]
    assert (ada["events"], ada["contacts"], ada["active_days"], ada["company_events"]) == (4, 2, 3, 1)
    # Gaps of 9 hours, 2 days, 3 days and 3 hours.
    gaps = np.array([9, 48, 75]) * 3600
    assert ada["typical_gap_days"] == pytest.approx(np.exp(np.log(gaps + 1).mean()) / 86_400, rel=1e-6)
    assert ada["longest_gap_days"] == pytest.approx(75 / 24)
    assert (ada["score"], ada["value"]) == (3.5, 3.5)
    # A buyer and a user; two of four events on a Saturday or at night.
    assert (ada["roles_in_play"], ada["out_of_hours_share"]) == (2, 0.5)
    assert (bob["events"], bob["contacts"], bob["company_events"]) == (1, 1, 0)
    assert bob[["typical_gap_days", "longest_gap_days", "score", "value"]].isna().all()


def test_counts_leave_out_the_companys_events_and_what_came_later(features):
    assert counted(features, "event") == {"ada": {"started": 1, "opened": 2, "called": 1}, "bob": {"started": 1}}
    assert counted(features, "channel") == {"ada": {"web": 2, "phone": 1, "app": 1}, "bob": {"web": 1}}
    # 2024-01-06 was a Saturday; midnight is no working hour.
    assert counted(features, "hours") == {
        "ada": {"evening or night": 1, "working hours": 2, "weekend": 1},
        "bob": {"working hours": 1},
    }
    assert counted(features, "role") == {"ada": {"buyer": 1, "user": 1}, "bob": {"user": 1}}


def test_groups_are_counted_too_for_people_to_read(features):
    assert counted(features, "group") == {"ada": {"sales": 3, "service": 1}, "bob": {"sales": 1}}
    assert "group" in features.shown


def test_moves_go_from_one_group_to_another(features):
    # Sales, sales, service, sales: one move each way, and each way has a single destination, so nothing to tell.
    assert not [each.name for each in features.counts if each.name.startswith("next after")]
    more = [*ROWS, ("bob", "2024-01-06 12:00", "praised", "social", "web", "customer", "q", "user", None, None)]
    features = find_features(log_of(more), ENTRIES, within="30d")
    assert counted(features, "next after sales") == {"ada": {"service": 1}, "bob": {"social": 1}}


def test_the_channel_is_told_for_events_that_do_not_decide_it(features):
    assert counted(features, "channel of opened") == {"ada": {"web": 1, "app": 1}}
    assert [each.name for each in features.counts if each.name.startswith("channel of")] == ["channel of opened"]


def test_groups_are_the_events_where_the_log_names_no_process():
    columns = ("customer_id", "time", "event")
    rows = [("ada", f"2024-01-02 0{hour}:00", event) for hour, event in enumerate("xyxzz")]
    features = find_features(log_of(rows, columns), ENTRIES, within="30d")
    assert counted(features, "next after x") == {"ada": {"y": 1, "z": 1}}
    assert list(features.numbers.columns) == [
        "events",
        "typical_gap_days",
        "active_days",
        "longest_gap_days",
        "out_of_hours_share",
    ]


def test_rare_events_are_one_group_where_there_are_many():
    columns = ("customer_id", "time", "event")
    names = [*"abcdefg" * 2, *"hij"]
    rows = [("ada", f"2024-01-02 00:{minute:02}", name) for minute, name in enumerate(names)]
    features = find_features(log_of(rows, columns), ENTRIES, within="30d")
    assert counted(features, "kind of other") == {"ada": {"h": 1, "i": 1, "j": 1}}
    assert counted(features, "next after g") == {"ada": {"a": 1, "other": 1}}


def test_milestones_that_hardly_anyone_repeats_are_no_kind_of_event(features, log):
    without = find_features(log, ENTRIES, within="30d", milestones=("started", "opened"))
    assert without.milestones == ("started",)
    assert not [each.name for each in without.counts if each.name == "kind of sales"]
    assert counted(features, "kind of sales") == {"ada": {"started": 1, "opened": 2}, "bob": {"started": 1}}


def test_rows_after_the_landmark_change_nothing(features, log):
    dropped = find_features(log_of([*ROWS[:6], ROWS[7]]), ENTRIES, within="30d")
    cut = find_features(log.before(pd.Timestamp("2024-02-04 12:00", tz="UTC")), ENTRIES, within="30d")
    pd.testing.assert_frame_equal(features.table, dropped.table, check_exact=True)
    pd.testing.assert_frame_equal(features.table, cut.table, check_exact=True)


def test_the_order_of_rows_changes_nothing():
    random = np.random.default_rng(3)
    times = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(900) * 44, unit="min")
    rows = [
        (f"c{random.integers(40)}", str(time), random.choice(list("abcdef")), float(random.normal())) for time in times
    ]
    entries = pd.DataFrame(
        {"customer_id": [f"c{number}" for number in range(40)], "entered": pd.Timestamp("2024-01-01", tz="UTC")}
    )
    columns = ("customer_id", "time", "event", "score")
    first = find_features(log_of(rows, columns), entries, within="30d")
    shuffled = [rows[place] for place in random.permutation(900)]
    second = find_features(log_of(shuffled, columns), entries.sample(frac=1, random_state=1), within="30d")
    pd.testing.assert_frame_equal(first.table, second.table, check_exact=True)
    assert [each.name for each in first.counts] == [each.name for each in second.counts]


def test_entries_may_be_an_arrow_table_and_customers_may_do_nothing(log):
    pyarrow = pytest.importorskip("pyarrow")
    entries = pd.concat([ENTRIES, pd.DataFrame({"customer_id": ["cid"], "entered": ENTRIES["entered"][:1]})])
    features = find_features(log, pyarrow.Table.from_pandas(entries, preserve_index=False), within="30d")
    assert features.table.loc["cid", ["events", "contacts", "company_events", "event: started"]].tolist() == [
        0,
        0,
        0,
        0,
    ]


def test_attributes_are_sorted_by_what_they_hold():
    ids = ["ada", "bob", *(f"c{number}" for number in range(2, 30))]
    customers = pd.DataFrame(
        {
            "plan": ["basic", None] * 15,
            "seats": range(30),
            "tier": [1, 2] * 15,
            "is_partner": [True, False] * 15,
            "tenure_days": range(30),
            "signed": pd.Timestamp("2024-01-01", tz="UTC"),
            "company": [f"Company {number}" for number in range(30)],
            "fax": None,
            "events": range(30),
        },
        index=pd.Index(ids, name="customer_id"),
    )
    entries = pd.DataFrame({"customer_id": ids, "entered": pd.Timestamp("2024-01-01", tz="UTC")})
    features = find_features(log_of(ROWS, customers=customers.reset_index()), entries, within="30d")
    assert list(features.categories.columns) == ["entry channel", "entry month", "plan", "tier", "is_partner"]
    assert features.attributes == (
        "entry channel",
        "entry month",
        "seats",
        "events (attribute)",
        "plan",
        "tier",
        "is_partner",
    )
    assert set(features.attributes) <= set(features.shown)
    assert features.categories.loc["ada"].tolist() == ["web", "2024-01", "basic", "1", "True"]
    assert features.categories.loc["bob", "plan"] is None
    assert list(features.numbers.columns[-2:]) == ["seats", "events (attribute)"]
    reasons = dict(zip(features.unused["column"], features.unused["reason"], strict=True))
    assert reasons["tenure_days"] == "named for something that only the future tells"
    assert reasons["company"] == "too many different values"
    assert reasons["fax"] == "no value"


def customers_with(**columns) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": ["ada", "bob"], **columns})


def test_attributes_are_features_only_where_they_are_named():
    log = log_of(ROWS, customers=customers_with(plan=["solo", "team"], size=["s", "l"]))
    features = find_features(log, ENTRIES, within="30d", make_from_attributes=["plan"])
    assert features.attributes == ("entry channel", "entry month", "size")
    assert "plan" not in features.shown
    assert features.plan.levels == {"plan": ("solo", "team")}
    with pytest.raises(
        EstimateError, match=r"^Personas are to be made from the attribute “plann”.*Did you mean “plan”\?$"
    ):
        find_features(log, ENTRIES, within="30d", make_from_attributes=["plann"])
    future = log_of(ROWS, customers=customers_with(tenure=["a", "b"]))
    with pytest.raises(EstimateError, match="cannot be a feature: named for something that only the future tells"):
        find_features(future, ENTRIES, within="30d", make_from_attributes=["tenure"])


def test_what_is_protected_is_left_out_and_never_a_feature():
    log = log_of(ROWS, customers=customers_with(Gender=["f", "m"], plan=["solo", "team"]))
    features = find_features(log, ENTRIES, within="30d")
    assert "Gender" not in features.categories
    assert features.unused.to_dict("records") == [{"column": "Gender", "reason": "protected"}]
    shown = find_features(log, ENTRIES, within="30d", show_protected=["Gender"])
    assert shown.protected == ("Gender",)
    assert {"Gender"} <= set(shown.attributes) & set(shown.shown)
    with pytest.raises(EstimateError, match=r"^Personas are to be made from “Gender”, which is protected"):
        find_features(log, ENTRIES, within="30d", make_from_attributes=["Gender"])
    with pytest.raises(EstimateError, match=r"^Personas are to be made from “age_band”, which is protected"):
        find_features(log, ENTRIES, within="30d", extra=extra(["2024-01-02"] * 2, age_band=["a", "b"]))
    open_to_all = find_features(log, ENTRIES, within="30d", make_from_attributes=["Gender"], protected=["plan"])
    assert set(open_to_all.plan.levels) == {"Gender"}
    assert open_to_all.unused["column"].tolist() == ["plan"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *(
            (name, True)
            for name in ("gender", "SEX", "customer_age", "AgeBand", "ageband", "age_band_2", "maritalStatus")
        ),
        *((name, True) for name in ("date_of_birth", "Religion", "ETHNICITY", "sexual_orientation", "is_pregnant")),
        *((name, False) for name in ("usage", "page", "stage", "engagement", "agency", "racer", "manager", "plan", "")),
    ],
)
def test_protected_names_are_found_by_their_words(name, expected):
    assert is_protected(name) is expected


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])
def test_hours_are_no_feature_of_a_log_with_only_dates(zone):
    rows = [(*row[:1], row[1][:10], *row[2:]) for row in ROWS]
    rows += [("bob", "2024-07-05", *ROWS[1][2:])]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    log = read_events(table, columns={each: each for each in COLUMNS}, window=WINDOW, timezone=zone)
    entries = pd.DataFrame(
        {"customer_id": ["bob", "ada"], "entered": pd.to_datetime(["2024-01-05", "2024-01-01"]).tz_localize(zone)}
    )
    features = find_features(log, entries.assign(entered=entries["entered"].dt.tz_convert("UTC")), within="30d")
    assert "hours" not in {counts.name for counts in features.counts}
    assert "out_of_hours_share" not in features.numbers


def test_hours_are_a_feature_where_one_event_has_a_time(features):
    assert "hours" in {counts.name for counts in features.counts}
    assert "out_of_hours_share" in features.numbers


def extra(known_at, **columns) -> pd.DataFrame:
    table = pd.DataFrame({"visits": [7.0, 8.0], **columns}, index=pd.Index(["ada", "bob"], name="customer_id"))
    return table.assign(known_at=pd.to_datetime(known_at, utc=True, format="ISO8601"))


def test_extra_features_known_at_the_landmark_are_used(log):
    table = extra(["2024-01-31 00:00", "2024-02-01"])
    features = find_features(log, ENTRIES, within="30d", extra=table)
    # Two different values make a category.
    assert features.categories["visits"].tolist() == ["7", "8"]


def test_extra_features_of_customers_without_a_landmark_are_passed_over():
    landmarks = pd.Series({"ada": pd.Timestamp("2024-01-31", tz="UTC")})
    found = check_known_by_landmark(extra(["2024-01-02", "2025-06-01"]), landmarks, within="30d")
    assert found["visits"].to_dict() == {"ada": 7.0}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            extra(["2024-01-31 00:01", "2024-01-06"]),
            "The feature “visits” has 1 rows known later than 30d after entry: for customer “ada” it became known "
            "2024-01-31 00:01, the landmark is 2024-01-31 00:00. "
            "Leave such values empty, or ask for a longer `within`.",
        ),
        (
            extra([None, "2024-01-06"]),
            "When “visits” became known is missing for 1 customers, first for “ada”. "
            "Fill “known_at”, or leave the value empty.",
        ),
        (
            extra(["2024-01-02", "2024-01-06"]).drop(columns="known_at"),
            "When the feature “visits” became known is not said. "
            "Add the column “known_at” or “visits_known_at” (UTC times).",
        ),
        (
            extra(["2024-01-02", "2024-01-06"]).assign(known_at="2024-01-02"),
            "The column “known_at” of `features` holds object, not times in a time zone. "
            "Convert it with pandas.to_datetime(..., utc=True).",
        ),
        (
            extra(["2024-01-02", "2024-01-06"], churned=[1, 0]),
            "The feature “churned” is named for something that only the future tells. "
            "Personas are formed from what was known at the landmark: leave it out, or name it for what it holds.",
        ),
        (
            pd.concat([extra(["2024-01-02", "2024-01-06"])] * 2),
            "Customer “ada” has several rows in `features`. Give one row per customer.",
        ),
    ],
)
def test_features_not_known_by_the_landmark_are_refused(log, table, message):
    with pytest.raises(EstimateError, match=f"^{re.escape(message)}$"):
        find_features(log, ENTRIES, within="30d", extra=table)


def test_each_feature_may_have_its_own_time_of_knowing(log):
    table = extra(["2025-01-01", "2025-01-01"])
    table["visits_known_at"] = pd.Timestamp("2024-01-02", tz="UTC")
    assert find_features(log, ENTRIES, within="30d", extra=table).categories["visits"].tolist() == ["7", "8"]


def test_a_row_later_than_the_landmark_raises(log):
    events = log.events
    message = (
        "2 events at or after their customer's landmark were about to become features. "
        "Features may use only what was known by then: leave these rows out."
    )
    with pytest.raises(EstimateError, match=f"^{re.escape(message)}$"):
        check_rows(events.mutate(landmark=events.time).filter(events.event == "called"))


def test_a_customer_enters_once(log):
    message = "Customer “ada” enters twice in the table of entries. Give one row per customer."
    with pytest.raises(EstimateError, match=f"^{re.escape(message)}$"):
        find_features(log, pd.concat([ENTRIES, ENTRIES[1:]]), within="30d")
