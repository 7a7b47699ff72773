"""The check of spells: those found in any log are valid; what is broken by hand is named, with its example."""

from dataclasses import replace
from functools import cache

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from spell_logs import at, journey_of, log_of
from test_spells_properties import journeys, rows, windows

from journeylab.events.journey import Journey
from journeylab.events.spells import Spells, find_spells
from journeylab.events.spells.spell_check import find_flaws

JOURNEY = journey_of(
    [
        {"name": "trial", "opened_by": [{"event": "start"}], "silent_after": "30d"},
        {"name": "paid", "opened_by": [{"event": "buy"}], "reopened_by": [{"event": "downgrade"}]},
        {"name": "plus", "opened_by": [{"event": "upgrade"}]},
        {"name": "partner", "opened_by": [{"event": "refer"}], "completes": True},
    ],
    [{"name": "price", "from": ["trial", "paid"], "when": {"event": "cancel"}}],
)
EVENTS = [
    *[("a", "start", 0), ("a", "buy", 10), ("a", "upgrade", 20), ("a", "downgrade", 30), ("a", "cancel", 40)],
    *[("a", "buy", 50), ("a", "refer", 60)],
    *[("b", "start", 5), ("b", "look", 60)],
]


@cache
def valid() -> Spells:
    """a: trial, paid, plus, paid, lost to price, paid, partner; b: trial, silent, trial."""
    return find_spells(log_of([{"customer_id": c, "event": e, "day": d} for c, e, d in EVENTS]), JOURNEY)


def broken(row: int, **cells) -> Spells:
    """The valid spells with other cells in one row."""
    spells = valid()
    table = spells.to_pandas()
    for column, value in cells.items():
        if isinstance(table[column].dtype, pd.CategoricalDtype):
            table[column] = table[column].astype(object)
        table.loc[row, column] = value
    return replace(spells, table=pa.Table.from_pandas(table, preserve_index=False))


def errors(spells: Spells) -> dict:
    cases = find_flaws(spells).cases
    cases = cases[cases["severity"] == "error"]
    return {(row.customer_id, row.spell, row.flaw): row.problem for row in cases.itertuples()}


@pytest.mark.slow
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(journeys(), rows(), windows())
def test_spells_found_in_any_log_are_valid(journey, events, window):
    flaws = find_flaws(find_spells(log_of(events, window), journey))
    assert flaws.is_valid, flaws.cases.to_string()


def test_valid_spells_are_said_to_be_so():
    flaws = find_flaws(valid())
    assert flaws.is_valid
    assert flaws.sentence() == "8 spells of 2 customers without overlap, gap or impossible move."
    assert (flaws.table["spells"] == 0).all()
    assert repr(flaws) == f"SpellFlaws: {flaws.sentence()}"


def test_moves_are_counted_in_the_journeys_order():
    moves = find_flaws(valid()).transitions
    assert moves.to_dict("split")["data"] == [
        ["trial", "paid", 1, 1, 10.0],
        ["trial", "silent", 2, 1, 30.0],
        ["paid", "plus", 1, 1, 10.0],
        ["paid", "partner", 1, 1, 10.0],
        ["paid", "price", 1, 1, 10.0],
        ["plus", "paid", 1, 1, 10.0],
        ["partner", "ongoing", 1, 1, 40.0],
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("row", "cells", "flaw", "problem"),
    [
        (1, {"stage": None}, "missing cell", "missing: stage"),
        (1, {"to": None}, "missing cell", "missing: to"),
        (1, {"stage": "payed", "to": "price"}, "unknown name", "unknown: stage “payed”"),
        (1, {"outcome": "won"}, "unknown name", "unknown: outcome “won”"),
        (1, {"spell": 7}, "out of order", "numbered 7, but it is the customer's number 2 in time"),
        (1, {"left": at(5)}, "backwards", "left 2025-01-06, before it was entered, 2025-01-11"),
        (
            2,
            {"entered": at(15)},
            "overlap",
            "“plus” was entered 2025-01-16, but an earlier spell lasted until 2025-01-21",
        ),
        (
            2,
            {"entered": at(25)},
            "gap",
            "“paid” was left by moving on 2025-01-21, but “plus” was entered 2025-01-26",
        ),
        (
            2,
            {"outcome": "advanced"},
            "impossible move",
            "advanced from “plus” to “paid”, which should be called regressed",
        ),
        (
            2,
            {"to": "trial"},
            "impossible move",
            "regressed from “plus” to “trial”, which no rule of the journey allows",
        ),
        (3, {"to": "silent"}, "impossible move", "lost from “paid” to “silent”, which no rule of the journey allows"),
        (3, {"to": "trial"}, "impossible move", "lost from “paid” to “trial”, which no rule of the journey allows"),
        (
            1,
            {"to": "partner", "outcome": "completed"},
            "broken sequence",
            "completed to “partner”, but the next spell is in “plus”",
        ),
        (
            4,
            {"outcome": "ongoing", "to": None},
            "broken sequence",
            "ongoing in “paid”, but the next spell is in “partner”",
        ),
        (
            4,
            {"returned_from": "silent"},
            "broken sequence",
            "back from “silent”, but the spell before says: lost to “price”",
        ),
        (
            4,
            {"returned_from": None},
            "broken sequence",
            "back from no loss, but the spell before says: lost to “price”",
        ),
        (
            1,
            {"returned_from": "price"},
            "broken sequence",
            "back from “price”, but the spell before says: advanced to “paid”",
        ),
        (
            5,
            {"left": at(101)},
            "outside the window",
            "lasted 2025-03-02 to 2025-04-12, but the window is 2025-01-01 to 2025-04-11",
        ),
        (5, {"left": at(99)}, "outside the window", "ongoing, but left 2025-04-10, before the window's end"),
        (
            1,
            {"observed_from": at(12)},
            "wrong clock",
            "entered 2025-01-11, observed from 2025-01-13, the window is 2025-01-01 to 2025-04-11",
        ),
        (1, {"days": 11.0}, "wrong clock", "11 days, but 10 by its times"),
        (
            6,
            {"last_event": at(6)},
            "wrong silence",
            "lost 29 days after the last event, but silence in “trial” is a loss after 30d",
        ),
    ],
)
def test_each_break_is_named_in_words(row, cells, flaw, problem):
    spells = broken(row, **cells)
    customer = "b" if row > 5 else "a"
    problems = [text for (who, _, what), text in errors(spells).items() if (who, what) == (customer, flaw)]
    assert problem in problems
    assert not find_flaws(spells).is_valid


def test_a_spell_that_outlasts_the_silence_is_named():
    spells = broken(0, left=at(40), days=40.0, last_event=at(0), outcome="lost", to="price")
    assert errors(spells)["a", 1, "wrong silence"] == (
        "lost 40 days after the last event, but silence in “trial” is a loss after 30d"
    )


def test_stages_that_nothing_opens_cannot_be_entered_from_outside():
    plain = JOURNEY.to_dict()
    del plain["stages"][1]["opened_by"]
    spells = replace(valid(), journey=Journey.model_validate(plain))
    told = errors(replace(spells, table=spells.table.slice(1, 1)))
    assert told["a", 2, "impossible move"] == "“paid” was entered from outside, but nothing opens that stage"
    told = errors(replace(spells, table=spells.table.slice(4, 1)))
    assert told["a", 5, "impossible move"] == (
        "“paid” was entered after a loss to “price”, but nothing opens that stage"
    )


def test_rows_in_disorder_are_named():
    spells = valid()
    mixed = replace(spells, table=spells.table.take([1, 0, *range(2, 8)]))
    assert errors(mixed) == {
        ("a", 2, "out of order"): "in row 0, but the customer's spell before it is in row 1",
        ("a", 3, "out of order"): "in row 2, but the customer's spell before it is in row 0",
    }


def test_a_customer_with_an_unusable_row_is_left_out_of_the_other_checks():
    spells = broken(1, stage=None, left=at(5))
    assert set(errors(spells)) == {("a", 2, "missing cell")}


def test_spells_of_no_length_and_late_entries_are_remarks():
    events = [("a", "start", -3), ("b", "both", 2)]
    journey = journey_of(
        [
            {"name": "trial", "opened_by": [{"event": ["start", "both"]}]},
            {"name": "paid", "opened_by": [{"event": "both"}]},
        ]
    )
    check = find_flaws(find_spells(log_of([{"customer_id": c, "event": e, "day": d} for c, e, d in events]), journey))
    assert check.is_valid
    assert check.sentence() == (
        "3 spells of 2 customers without overlap, gap or impossible move. "
        "Worth knowing: zero length (1), late entry (1)."
    )
    cases = check.cases.set_index("flaw")
    assert cases.loc["zero length", "problem"] == "entered and left 2025-01-03"
    assert check.table.set_index("flaw").loc["late entry", "example"] == ("spell 1 of customer “a”: entered 2024-12-29")


def test_errors_are_counted_with_their_first_example():
    check = find_flaws(broken(2, entered=at(25), days=5.0, observed_from=at(25)))
    assert check.sentence() == "Errors in 8 spells of 2 customers: gap (1)."
    assert check.table.set_index("flaw").loc["gap", "example"] == (
        "spell 3 of customer “a”: “paid” was left by moving on 2025-01-21, but “plus” was entered 2025-01-26"
    )


def test_no_spells_are_valid():
    spells = valid()
    check = find_flaws(replace(spells, table=spells.table.slice(0, 0)))
    assert check.sentence() == "0 spells of 0 customers without overlap, gap or impossible move."
    assert check.transitions.empty


def test_its_html_is_escaped_and_holds_its_sentence():
    shown = find_flaws(broken(1, stage="<b>paid</b>"))._repr_html_()
    assert "Errors in 8 spells" in shown
    assert "<b>paid" not in shown


def test_what_is_shown_names_no_customer_but_the_table_does():
    found = find_flaws(broken(1, stage="nowhere"))
    present = found.table[found.table["spells"] > 0]
    name = found.cases["customer_id"].iloc[0]
    assert present["example"].str.contains(f"“{name}”").any()
    assert f"“{name}”" not in found._repr_html_()
