"""The worked cases of golden/funnel_cases.yaml: find_attempts and the reference give what they name."""

import re
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
import yaml
from reference_steps import Event, attempts_of
from spell_logs import DAY, DAY_ZERO, log_of

from journeylab.events.steps import StepRules, find_attempts, read_rules

GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "funnel_cases.yaml"
WORKED = yaml.safe_load(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.is_file() else {"cases": [], "window": "60d"}
OBSERVED = (0, 1000)


def asked() -> list[tuple[dict, str, str, dict]]:
    """(case, order, entry, what is expected) for everything that the cases say."""
    found = []
    for case in WORKED["cases"]:
        for order in ("ordered", "strict", "unordered"):
            expected = case.get(order)
            if expected is None:
                continue
            by_entry = expected if "reached" not in expected else dict.fromkeys(("first", "best"), expected)
            found += [(case, order, entry, wanted) for entry, wanted in by_entry.items()]
    return found


ASKED = asked()
cases = pytest.mark.parametrize(
    ("case", "order", "entry", "expected"),
    ASKED,
    ids=[f"{case['name']}-{order}-{entry}" for case, order, entry, _ in ASKED],
)


def rows_of(case: dict) -> list[dict]:
    """`name@day` as rows of one customer."""
    parts = [re.fullmatch(r"(\w+)@([\d.]+)", written).groups() for written in case["events"]]
    return [{"customer_id": "one", "event": name, "day": float(day)} for name, day in parts]


def rules_for(case: dict, order: str, entry: str) -> StepRules:
    window, exclude = case.get("window", WORKED["window"]), case.get("exclude", ())
    return read_rules(case["steps"], window=window, order=order, entry=entry, exclude=exclude)


def assert_as_worked(times: list[float], ended_by: str, expected: dict) -> None:
    """`times`: days of the steps reached. A case names what matters to it."""
    assert len(times) == expected["reached"]
    if "times" in expected:
        assert [after - before for before, after in pairwise(times)] == expected["times"]
    if "ended_by" in expected:
        assert ended_by == expected["ended_by"]


def test_there_are_cases_where_the_shared_folder_is(shared):
    assert (shared / "golden" / "funnel_cases.yaml").is_file()
    assert len(ASKED) > 20


@cases
def test_find_attempts_gives_the_worked_attempt(case, order, entry, expected):
    rules = rules_for(case, order, entry)
    log = log_of(rows_of(case), OBSERVED)
    found = find_attempts(log, rules).to_pandas()
    steps = [column for column in found if column[0].isdigit()]
    reached = [found["entered"].iloc[0], *found[steps].iloc[0].dropna()]
    assert len(found) == 1
    days = [(time - DAY_ZERO) / pd.Timedelta(days=1) for time in reached]
    assert_as_worked(days, found["ended_by"].iloc[0], expected)


@cases
def test_the_reference_gives_the_worked_attempt(case, order, entry, expected):
    events = [Event(int(row["day"] * DAY), row["event"]) for row in rows_of(case)]
    found = attempts_of(events, rules_for(case, order, entry), start=0, end=OBSERVED[1] * DAY)
    assert len(found) == 1
    assert_as_worked([time / DAY for time in found[0].times.values()], found[0].ended, expected)
