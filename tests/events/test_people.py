"""People: a role counts when somebody in it did something in time; names are those that the customers' table holds."""

import pandas as pd
import pytest

from journeylab.events.log import EventLog
from journeylab.events.queries.people import find_names, find_roles
from journeylab.events.reading import read_events

COLUMNS = ["customer_id", "time", "initiator", "contact_id", "role"]
ROWS = [
    ("a", "2025-01-02", "customer", "a-1", "user"),
    ("a", "2025-01-03", "customer", "a-1", "user"),
    ("a", "2025-01-03", "customer", "a-2", "user"),
    ("a", "2025-01-03", None, "a-3", "buyer"),
    ("a", "2025-01-03", "customer", "a-4", "auditor"),
    ("a", "2025-01-03", "company", "a-5", "detractor"),
    ("b", "2025-01-02", "customer", None, "coach"),
    ("b", "2025-02-02", "customer", "b-1", "buyer"),
    ("c", "2025-01-02", "customer", "c-1", None),
]
UNTIL = pd.Series(pd.to_datetime(["2025-02-01", "2025-02-02", "2025-02-01"], utc=True), index=["a", "b", "c"])


def log_of(*, without=()) -> EventLog:
    table = pd.DataFrame(ROWS, columns=COLUMNS).assign(event="met").drop(columns=list(without))
    columns = {name: name for name in ("customer_id", "time", "event")}
    return read_events(table, columns=columns, window=("2025-01-01", "2025-07-01"), timezone="UTC")


def test_each_role_seen_by_then_is_a_row_with_its_people():
    assert find_roles(log_of(), until=UNTIL).to_numpy().tolist() == [
        ["a", "buyer", 1],
        ["a", "user", 2],
        ["a", "auditor", 1],
        ["b", "coach", 1],
    ]


def test_only_customers_with_a_time_are_looked_at():
    assert find_roles(log_of(), until=UNTIL[["b"]])["customer_id"].unique().tolist() == ["b"]


def test_where_contacts_are_not_told_apart_a_role_is_one_person():
    found = find_roles(log_of(without=["contact_id"]), until=UNTIL)
    assert found["people"].tolist() == [1, 1, 1, 1]


def test_a_log_that_names_no_role_has_none():
    assert find_roles(log_of(without=["role"]), until=UNTIL) is None
    assert find_roles(log_of(), until=UNTIL[["c"]]) is None


@pytest.mark.parametrize(
    ("column", "names"),
    [
        ("last_name", {"Ada  Lovelace": {"Ada Lovelace", "Ada", "Lovelace"}}),
        ("name", {"Ada": {"Ada"}}),
        ("contact", {"Ada": {"Ada"}}),
        ("company", {"The Planning Company": {"The Planning Company"}}),
        ("account_name", {"Acme Tools": {"Acme Tools"}}),
        ("plan", {"team": set()}),
        ("rename_count", {"three": set()}),
    ],
)
def test_names_are_the_values_of_columns_called_for_them(column, names):
    for value, expected in names.items():
        assert find_names(pd.DataFrame({column: [value, None]})) == expected
