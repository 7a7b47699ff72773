"""Spells: what the worked cases leave open, one claim at a time, and how spells are shown and kept."""

import hashlib

import ibis
import pyarrow as pa
import pytest
from spell_logs import at, journey_of, log_of, window_of

from journeylab.base.errors import JourneyError, StudyError
from journeylab.base.tables import check_columns
from journeylab.events.journey import Journey
from journeylab.events.journey.conditions import Condition, holds
from journeylab.events.spells import COLUMNS, OUTCOMES, find_spells, read_spells

TRIAL = {"name": "trial", "opened_by": [{"event": "start"}], "silent_after": "10d"}
PAID = {"name": "paid", "opened_by": [{"event": "buy"}]}
CANCEL = {"name": "quit", "when": {"event": "cancel"}}


def rows(*events: str, customer: str = "one") -> list[dict]:
    """Rows from `name@day`, or `name@day!` where the company initiated the event."""
    found = []
    for event in events:
        name, day = event.rstrip("!").split("@")
        initiator = "company" if event.endswith("!") else "customer"
        found.append({"customer_id": customer, "event": name, "day": float(day), "initiator": initiator})
    return found


def visits(journey: Journey, *events: str, window: tuple[float, float] = (0, 100)) -> list[tuple]:
    """The spells of one customer as (stage, entered, left, outcome, to, returned_from), times in days."""
    spells = find_spells(log_of(rows(*events), window), journey)
    return [
        (*(row[key] if key not in ("entered", "left") else days(row[key]) for key in KEYS),)
        for row in spells.table.to_pylist()
    ]


KEYS = ("stage", "entered", "left", "outcome", "to", "returned_from")


def days(time) -> float | None:
    return None if time is None else (time - at(0)).total_seconds() / 86_400


def counts(journey: Journey, *events: str, window: tuple[float, float] = (0, 100)) -> list[tuple]:
    """The same spells as (events, last_event, validated), times in days."""
    spells = find_spells(log_of(rows(*events), window), journey)
    return [(row["events"], days(row["last_event"]), days(row["validated"])) for row in spells.table.to_pylist()]


def test_company_events_neither_break_silence_nor_count():
    journey = journey_of([TRIAL])
    assert visits(journey, "start@0", "mail@9!", "mail@12!") == [("trial", 0, 10, "lost", "silent", None)]
    assert counts(journey, "start@0", "mail@9!", "mail@12!") == [(1, 0, None)]


def test_a_silent_customer_is_not_returned_by_the_company():
    found = visits(journey_of([TRIAL]), "start@0", "mail@15!", "use@20", window=(0, 25))
    assert found == [("trial", 0, 10, "lost", "silent", None), ("trial", 20, 25, "ongoing", None, "silent")]


def test_silence_runs_from_a_company_initiated_opening():
    journey = journey_of([TRIAL])
    assert visits(journey, "start@3!", "use@13") == [("trial", 3, 23, "lost", "silent", None)]
    assert visits(journey, "start@3!", "use@14")[0] == ("trial", 3, 13, "lost", "silent", None)
    assert counts(journey, "use@0", "start@3!") == [(0, None, None)]


def test_a_company_initiated_opening_after_silence_starts_a_new_spell():
    found = visits(journey_of([TRIAL, PAID]), "start@0", "buy@30!")
    assert found == [("trial", 0, 10, "lost", "silent", None), ("paid", 30, 100, "ongoing", None, "silent")]


def test_an_event_without_initiator_is_the_customers():
    events = rows("start@0", "use@8")
    log = log_of([events[0], events[1] | {"initiator": None}])
    assert find_spells(log, journey_of([TRIAL])).table["events"].to_pylist() == [2]


def test_a_log_without_initiators_holds_customer_events_only():
    log = log_of([{"customer_id": "one", "event": "start", "day": 0}, {"customer_id": "one", "event": "use", "day": 8}])
    assert find_spells(log, journey_of([TRIAL])).table["events"].to_pylist() == [2]


def test_a_loss_event_does_not_return_the_silent_customer_but_the_next_event_does():
    found = visits(journey_of([TRIAL], [CANCEL]), "start@0", "cancel@20", "cancel@21", "use@22", window=(0, 25))
    assert found == [("trial", 0, 10, "lost", "silent", None), ("trial", 22, 25, "ongoing", None, "silent")]


def test_a_loss_event_revives_nobody_whatever_stage_it_is_of():
    journey = journey_of([TRIAL, PAID], [CANCEL | {"from": ["paid"]}])
    assert len(visits(journey, "start@0", "cancel@20", window=(0, 25))) == 1
    returned = visits(journey, "start@0", "cancel@20", "use@21", window=(0, 25))[1]
    assert returned == ("trial", 21, 25, "ongoing", None, "silent")


def test_a_returning_event_neither_opens_nor_validates():
    stage = TRIAL | {"validated_by": {"event": "use"}}
    assert counts(journey_of([stage]), "start@0", "use@20", window=(0, 25)) == [(1, 0, None), (1, 20, None)]


def test_silence_at_the_windows_end_needs_more_than_its_time():
    assert visits(journey_of([TRIAL]), "start@0", window=(0, 10)) == [("trial", 0, 10, "ongoing", None, None)]
    assert visits(journey_of([TRIAL]), "start@0", window=(0, 10.5)) == [("trial", 0, 10, "lost", "silent", None)]


def test_reopening_moves_back_only_customers_inside_a_later_stage():
    journey = journey_of([TRIAL | {"reopened_by": [{"event": "undo"}]}, PAID], [CANCEL])
    assert visits(journey, "buy@0", "undo@5", window=(0, 6)) == [
        ("paid", 0, 5, "regressed", "trial", None),
        ("trial", 5, 6, "ongoing", None, None),
    ]
    assert visits(journey, "undo@0") == []
    assert visits(journey, "buy@0", "cancel@1", "undo@5") == [("paid", 0, 1, "lost", "quit", None)]
    assert visits(journey, "start@0", "undo@5", window=(0, 6)) == [("trial", 0, 6, "ongoing", None, None)]


def test_in_free_movement_too_reopening_brings_back_and_never_forward():
    journey = journey_of(
        [TRIAL | {"reopened_by": [{"event": "undo"}]}, PAID | {"reopened_by": [{"event": "redo"}]}], movement="free"
    )
    assert visits(journey, "redo@0", "start@1", "redo@2", window=(0, 6)) == [("trial", 1, 6, "ongoing", None, None)]
    assert visits(journey, "buy@0", "undo@5", window=(0, 6)) == [
        ("paid", 0, 5, "regressed", "trial", None),
        ("trial", 5, 6, "ongoing", None, None),
    ]


def test_nothing_ends_a_stage_that_completes():
    done = {"name": "done", "opened_by": [{"event": "sign"}], "completes": True}
    for movement in ("forward", "free"):
        journey = journey_of([TRIAL, done, PAID], [CANCEL], movement)
        found = visits(journey, "start@0", "sign@1", "buy@2", "cancel@3", "start@4")
        assert found == [("trial", 0, 1, "completed", "done", None), ("done", 1, 100, "ongoing", None, None)]
        assert visits(journey, "sign@1", "use@50") == [("done", 1, 100, "ongoing", None, None)]


def test_one_event_may_open_several_stages_and_the_first_visit_has_no_length():
    journey = journey_of([TRIAL, {"name": "paid", "opened_by": [{"event": ["buy", "start"]}]}])
    assert visits(journey, "start@2") == [
        ("trial", 2, 2, "advanced", "paid", None),
        ("paid", 2, 100, "ongoing", None, None),
    ]
    assert counts(journey, "start@2") == [(0, None, None), (1, 2, None)]


def test_one_event_may_lose_a_customer_and_win_them_back():
    journey = journey_of([TRIAL, {"name": "paid", "opened_by": [{"event": "cancel"}]}], [CANCEL])
    assert visits(journey, "start@2", "cancel@4") == [
        ("trial", 2, 4, "lost", "quit", None),
        ("paid", 4, 100, "ongoing", None, "quit"),
    ]


def test_only_the_first_spell_after_a_loss_is_a_return():
    found = visits(journey_of([TRIAL, PAID], [CANCEL]), "start@0", "cancel@1", "start@5", "buy@6")
    assert [visit[-1] for visit in found] == [None, "quit", None]


def test_events_at_one_time_are_counted_in_their_order():
    assert counts(journey_of([TRIAL, PAID]), "start@1", "use@1", "buy@1", "use@1", "use@2") == [
        (2, 1, None),
        (3, 2, None),
    ]


def test_seq_orders_events_at_one_time():
    first, second = rows("start@1", "buy@1")
    log = log_of([first | {"seq": 2}, second | {"seq": 1}])
    assert find_spells(log, journey_of([TRIAL, PAID])).table["stage"].to_pylist() == ["paid"]


def test_validation_counts_from_after_the_opening_to_the_ending_event():
    stage = TRIAL | {"validated_by": {"event": ["start", "use", "buy"], "at_least": 2, "within": "7d"}}
    journey = journey_of([stage, PAID])
    assert counts(journey, "start@0", "use@1")[0][2] is None
    assert counts(journey, "start@0", "use@1", "use@7", "use@8")[0][2] == 7
    assert counts(journey, "start@0", "use@1", "use@7.5")[0][2] is None
    assert counts(journey, "start@0", "use@1", "buy@2")[0] == (2, 1, 2)


def test_company_events_may_validate_until_the_customer_is_silent():
    journey = journey_of([TRIAL | {"validated_by": {"event": "call"}}])
    assert counts(journey, "start@0", "call@10!", "use@30")[0][2] == 10
    assert counts(journey, "start@0", "call@11!", "use@30")[0][2] is None


def test_what_ended_before_the_window_is_left_out_and_what_runs_is_entered_late():
    journey = journey_of([TRIAL, PAID], [CANCEL])
    log = log_of(rows("start@0", "cancel@3", "start@4", "buy@20", "cancel@25", "buy@28"), (20, 30))
    found = find_spells(log, journey).table.to_pylist()
    assert [(row["spell"], row["stage"], days(row["entered"]), days(row["observed_from"])) for row in found] == [
        (1, "paid", 20, 20),
        (2, "paid", 28, 28),
    ]
    late = find_spells(log_of(rows("start@12", "use@19", "use@21", "buy@25"), (20, 30)), journey).table.to_pylist()
    assert [(days(row["observed_from"]), row["days"], row["events"]) for row in late] == [(20, 13, 3), (25, 5, 1)]


def test_a_spell_that_ends_as_the_window_starts_is_kept():
    found = visits(journey_of([TRIAL, PAID]), "start@12", "buy@20", window=(20, 30))
    assert found[0] == ("trial", 12, 20, "advanced", "paid", None)


def test_rules_may_be_more_than_one_word_holds():
    stages = [
        {
            "name": f"stage {number}",
            "opened_by": [{"event": f"open {number}"}],
            "validated_by": {"event": f"prove {number}"},
            "silent_after": "30d",
        }
        for number in range(70)
    ]
    branches = [{"name": f"branch {number}", "when": {"event": f"leave {number}"}} for number in range(80)]
    events = [f"{verb} {number}@{number}" for number in range(70) for verb in ("open", "prove")]
    spells = find_spells(log_of(rows(*events, "leave 79@75", "open 3@80")), journey_of(stages, branches)).table
    assert spells["stage"].to_pylist() == [*(f"stage {number}" for number in range(70)), "stage 3"]
    assert [days(time) for time in spells["validated"].to_pylist()] == [*range(70), None]
    assert spells["to"].to_pylist()[-2:] == ["branch 79", None]


def test_a_customer_may_have_more_events_than_a_batch():
    log = log_of(rows("start@0", *["use@1"] * 50, "buy@2") + rows("start@0", customer="two"))
    journey = journey_of([TRIAL, PAID])
    small = find_spells(log, journey, batch_rows=10)
    assert small.table["events"].to_pylist() == [51, 1, 1]
    assert small.table == find_spells(log, journey).table


@pytest.mark.parametrize("events", [[], ["use@1"], ["mail@1!"]])
def test_where_nothing_opens_there_is_an_empty_table_of_the_same_kind(events):
    journey = journey_of([TRIAL, PAID], [CANCEL])
    nothing = find_spells(log_of(rows(*events)), journey)
    something = find_spells(log_of(rows("start@0")), journey)
    assert len(nothing) == 0
    assert nothing.table.schema == something.table.schema
    check_columns(nothing.to_pandas(), COLUMNS, name="the spells")
    assert repr(nothing) == "Spells: 0 spells of 0 customers, from 2025-01-01 to 2025-04-11."


def test_columns_keep_their_contract_and_know_all_names_of_the_journey():
    spells = find_spells(log_of(rows("start@0", "buy@5")), journey_of([TRIAL, PAID], [CANCEL])).to_pandas()
    check_columns(spells, COLUMNS, name="the spells")
    assert list(spells.columns) == list(COLUMNS)
    assert list(spells["stage"].cat.categories) == ["trial", "paid"]
    assert list(spells["outcome"].cat.categories) == list(OUTCOMES)
    assert list(spells["to"].cat.categories) == ["trial", "paid", "quit", "silent"]
    assert list(spells["returned_from"].cat.categories) == ["quit", "silent"]


def test_spells_are_shown_in_words_and_by_stage_and_outcome():
    spells = find_spells(log_of(rows("start@0", "buy@5") + rows("start@0", customer="two")), journey_of([TRIAL, PAID]))
    assert repr(spells) == "Spells: 3 spells of 2 customers, from 2025-01-01 to 2025-04-11."
    assert len(spells) == 3
    shown = spells._repr_html_()
    assert "3 spells of 2 customers, from 2025-01-01 to 2025-04-11." in shown
    cells = [f'<td class="number">{number}</td>' for number in (2, 1, 0, 0, 1, 0)]
    assert f"<td>trial</td>{''.join(cells)}" in shown


def test_written_spells_are_read_back_the_same(tmp_path):
    log = log_of(rows("start@0", "buy@5", "cancel@9") + rows("start@0", "use@20", customer="two"))
    spells = find_spells(log, journey_of([TRIAL, PAID], [CANCEL]))
    path = spells.write(tmp_path / "spells.parquet")
    again = read_spells(path, journey=spells.journey, window=spells.window, customers=spells.customers)
    assert again.table == spells.table
    assert again.to_pandas().dtypes.equals(spells.to_pandas().dtypes)
    other = spells.write(tmp_path / "other.parquet")
    assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(other.read_bytes()).digest()


def test_spells_of_another_journey_or_window_are_refused(tmp_path):
    spells = find_spells(log_of(rows("start@0")), journey_of([TRIAL]))
    path = spells.write(tmp_path / "spells.parquet")
    message = (
        "“spells.parquet” does not hold the spells of journey “test” from {}. "
        "Delete it, and find the spells again from the log."
    )
    with pytest.raises(StudyError) as refused:
        read_spells(path, journey=journey_of([TRIAL, PAID]), window=spells.window, customers=spells.customers)
    assert str(refused.value) == message.format("2025-01-01 to 2025-04-11")
    with pytest.raises(StudyError) as refused:
        read_spells(path, journey=spells.journey, window=window_of(0, 50), customers=spells.customers)
    assert str(refused.value) == message.format("2025-01-01 to 2025-02-20")


def test_a_condition_on_a_column_that_the_log_lacks_is_refused():
    wrong = {"name": "price", "when": {"event": "cancel", "where": {"raeson": "price"}}}
    with pytest.raises(JourneyError) as refused:
        find_spells(
            log_of([{"customer_id": "one", "day": 0, "event": "start", "reason": ""}]), journey_of([TRIAL], [wrong])
        )
    assert str(refused.value) == (
        "loss_branches[0].when: The condition in “when” of loss branch “price” (cancel, where raeson is price) asks "
        "for the column “raeson”, which the log lacks. Did you mean “reason”?"
    )


def test_bounds_on_a_column_of_text_are_refused():
    wrong = {"name": "trial", "opened_by": [{"event": "start", "where": {"reason": {"above": 3}}}]}
    with pytest.raises(JourneyError) as refused:
        find_spells(log_of([{"customer_id": "one", "day": 0, "event": "start", "reason": "4"}]), journey_of([wrong]))
    assert str(refused.value) == (
        "stages[0].opened_by[0]: The condition in “opened_by” of stage “trial” (start, where reason is above 3) sets "
        "bounds on the column “reason”, whose type is string, not a number. "
        "List the values that are meant, or convert the column when reading the log."
    )


TABLE = pa.table(
    {
        "event": ["cancel"] * 4,
        "text": ["7", "price", "true", None],
        "whole": pa.array([7, 1, 0, None], pa.int64()),
        "real": [7.0, 7.5, float("nan"), None],
        "flag": [True, False, True, None],
        "day": pa.array([0, 1, 2, None], pa.date32()),
    }
)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, [0, 1, 2, 3]),
        ({"text": "price"}, [1]),
        ({"text": ["price", "7"]}, [0, 1]),
        ({"text": 7}, [0]),
        ({"text": True}, [2]),
        ({"text": "Price"}, []),
        ({"whole": 7}, [0]),
        ({"whole": "7"}, [0]),
        ({"whole": ["7", 1, "price"]}, [0, 1]),
        ({"whole": "price"}, []),
        ({"whole": 7.5}, []),
        ({"whole": True}, [1]),
        ({"real": 7}, [0]),
        ({"real": {"above": 7}}, [1]),
        ({"real": {"below": 7.5}}, [0]),
        ({"whole": {"above": 0, "below": 7}}, [1]),
        ({"flag": True}, [0, 2]),
        ({"flag": "false"}, [1]),
        ({"flag": 1}, [0, 2]),
        ({"flag": "maybe"}, []),
        ({"day": "1970-01-02"}, [1]),
        ({"text": "7", "whole": 7}, [0]),
        ({"text": "7", "whole": 1}, []),
    ],
    ids=str,
)
def test_where_compares_like_with_like_and_an_empty_cell_never_matches(where, expected):
    events = ibis.memtable(TABLE)
    condition = Condition.model_validate({"event": "cancel", "where": where})
    found = events.select(is_met=holds(events, condition, owner="a test")).to_pyarrow()["is_met"].to_pylist()
    assert [row for row, is_met in enumerate(found) if is_met] == expected
    assert None not in found
