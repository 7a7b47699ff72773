"""What customers' visits show of a journey: events before entry, losses that are none, parts of days."""

import pandas as pd
import pytest
from by_hand import journey_of, log_of

import journeylab as jl
from journeylab.events.lint import lint_journey, lint_spells
from journeylab.events.reading import Source, read_events

JOURNEY = journey_of(
    [
        {"name": "trial", "opened_by": [{"event": "start"}], "silent_after": "36h"},
        {"name": "paid", "opened_by": [{"event": "buy"}], "validated_by": {"event": "use", "within": "2d"}},
    ],
    [{"name": "churn", "from": ["trial", "paid"], "when": {"event": "churned"}}],
)


def rows_of(customer: int, *events: tuple[str, float], **columns: str) -> list[dict]:
    return [{"customer_id": f"c{customer:02}", "event": event, "day": day} | columns for event, day in events]


def remarks(rows: list[dict]) -> list[tuple[str, str]]:
    log = log_of(rows)
    table = lint_spells(log, jl.find_spells(log, JOURNEY)).table
    return list(zip(table["rule"], table["problem"], strict=True))


def test_many_events_before_entry_are_told_with_the_commonest():
    rows = [row for n in range(5) for row in rows_of(n, ("use", 1), ("use", 2), ("ask", 3), ("start", 4), ("use", 4.5))]
    # One who never comes in has no entry, and counts for nothing.
    rows += rows_of(9, *[("use", day) for day in range(30)])
    assert remarks(rows) == [
        (
            "before-entry",
            "15 of 25 events (60%) lie before the customer’s entry into the journey, most of them “use” (10). No "
            "finding looks at them.",
        )
    ]


def test_a_few_events_before_entry_are_not_worth_a_remark():
    rows = rows_of(1, ("use", 1), ("start", 2), *[("use", 2 + n / 10) for n in range(1, 12)])
    assert remarks(rows) == []


def test_history_before_the_window_is_not_taken_for_events_before_entry():
    rows = [row for n in range(5) for row in rows_of(n, ("start", -9), ("use", -8), ("churned", -7), ("start", 4))]
    assert remarks(rows) == []


def losses(n_that_go_on: int, n: int = 12, **columns: str) -> list[dict]:
    """Customers with four uses before a loss on day 20, some with two uses after it."""
    rows = []
    for number in range(n):
        rows += rows_of(number, ("buy", 15), *[("use", 16 + day) for day in range(4)], ("churned", 20))
        if number < n_that_go_on:
            rows += rows_of(number, ("use", 25), ("use", 30), ("use", 31), **columns)
    return rows


def test_a_loss_after_which_most_go_on_as_before_is_perhaps_none():
    assert remarks(losses(7)) == [
        (
            "loss-goes-on",
            "After 7 of 12 losses to “churn” the customer went on: in the 30 days after it they did at least half as "
            "much as in the 30 days before. Perhaps churned is not a loss.",
        )
    ]


def test_a_loss_after_which_half_or_fewer_go_on_or_that_few_had_is_left_alone():
    assert remarks(losses(6)) == []
    assert remarks(losses(9, n=9)) == []


def test_what_the_company_does_after_a_loss_is_not_the_customer_going_on():
    assert remarks(losses(12, initiator="company")) == []


def test_parts_of_days_cannot_be_seen_where_there_are_only_dates():
    rows = rows_of(1, ("start", 0), ("buy", 1), ("use", 2), ("churned", 3))
    table = lint_journey(JOURNEY, log=log_of(rows)).table
    assert table["rule"].tolist().count("part-of-a-day") == 1
    row = table[table["rule"] == "part-of-a-day"].iloc[0]
    assert row["problem"] == ("“36h” in stage “trial” is not a whole number of days, and the log has only dates.")
    timed = lint_journey(JOURNEY, log=log_of([*rows, *rows_of(2, ("start", 0.5))])).table
    assert "part-of-a-day" not in set(timed["rule"])


@pytest.mark.parametrize("order", [1, -1])
def test_a_source_of_dates_among_times_is_a_warning(order):
    table = pd.DataFrame({"customer_id": "a", "event": "start", "time": ["2025-02-01"]})
    sources = [Source(table), Source(table.assign(time="2025-02-01 10:30"))][::order]
    log = read_events(sources, window=("2025-01-01", "2025-03-01"), timezone="UTC")
    rows = lint_journey(JOURNEY, log=log).table
    row = rows[rows["rule"] == "dates-among-times"].iloc[0]
    assert row["problem"].startswith("The DataFrame has only dates, where other sources have times")
    assert row["where"] == "the log"


def test_events_of_which_only_dates_are_known_are_named():
    days = pd.date_range("2025-03-20", periods=20, freq="D")  # clocks change on the 30th
    signed = pd.DataFrame({"event": "start", "time": days.strftime("%Y-%m-%d")})
    used = pd.DataFrame({"event": "use", "time": (days + pd.Timedelta(hours=9, minutes=5)).strftime("%Y-%m-%d %H:%M")})
    table = pd.concat([signed, used], ignore_index=True).assign(customer_id="a")
    log = read_events(table, window=("2025-01-01", "2025-05-01"), timezone="Europe/Lisbon")
    rows = lint_journey(JOURNEY, log=log).table
    assert rows.loc[rows["rule"] == "dates-among-times", "problem"].tolist() == [
        "All 20 events “start” come at the same time of day, to the second. Perhaps only their dates are known, and "
        "not their order among what else happened on the day."
    ]
