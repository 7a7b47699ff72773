"""The ledger: whatever the journey and the log, every visit that was watched has exactly one outcome."""

import pandas as pd
import pytest
from hypothesis import given, settings
from spell_logs import journey_of, log_of
from test_spells_properties import TIMES, by_the_reference, journeys, rows, windows

from journeylab.events.spells import COLUMNS, find_spells
from journeylab.events.spells.exits import MOVES, build_ledger, check_ledger, find_exits, ledger_parts


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(journeys(), rows(), windows())
def test_the_ledger_adds_up_on_random_journeys(journey, events, window):
    """Of 200 random journeys and logs: in every stage, in all, and against the spells counted one by one.

    The spells are the reference's; those of the engine equal them (test_spells_properties) and take longer to find.
    """
    found = pd.DataFrame(by_the_reference(events, journey, window), columns=list(COLUMNS))
    visits = found.assign(**{name: pd.to_datetime(found[name], unit="us", utc=True) for name in TIMES})
    watched = visits[(visits["left"] > visits["observed_from"]) | (visits["observed_from"] == visits["entered"])]
    exits = find_exits(visits, journey)
    ledger = build_ledger(exits, journey)
    check_ledger(ledger)
    assert (ledger["entered"] == ledger[ledger_parts(ledger)].sum(axis=1)).all()
    assert ledger["entered"].sum() == len(watched)
    for outcome in (*MOVES, "ongoing"):
        assert ledger[outcome].sum() == (watched["outcome"] == outcome).sum()
    for branch in journey.branches:
        assert ledger[branch].sum() == ((watched["outcome"] == "lost") & (watched["to"] == branch)).sum()
    assert ledger["stage"].tolist() == list(journey.stage_names)
    people = build_ledger(exits, journey, unit="customers")
    assert (people.drop(columns="stage") <= ledger.drop(columns="stage")).all(axis=None)


def test_customers_who_come_again_count_once_in_the_ledger_of_customers():
    journey = journey_of([{"name": "first", "opened_by": [{"event": "a"}], "silent_after": "2d"}])
    from_silence = [{"customer_id": "x", "event": "a", "day": day} for day in (0, 9, 20)]
    other = [{"customer_id": "y", "event": "a", "day": 29.5}]
    spells = find_spells(log_of([*from_silence, *other], (0, 30)), journey)
    exits = find_exits(spells.to_pandas(), spells.journey)
    counted, people = (build_ledger(exits, journey, unit=unit).iloc[0] for unit in ("visits", "customers"))
    assert counted[["entered", "silent", "ongoing"]].tolist() == [4, 3, 1]
    assert people[["entered", "silent", "ongoing"]].tolist() == [2, 1, 1]


def test_a_row_with_missing_counts_cannot_be_checked_and_the_others_are():
    ledger = pd.DataFrame(
        {"stage": ["a", "b"], "entered": [9.0, 7.0], "advanced": [float("nan"), 4.0], "ongoing": [2.0, 3.0]}
    )
    check_ledger(ledger)
