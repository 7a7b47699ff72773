"""Steps: which attempts count, how far each gets, how it ends; what the engine fetches; what is refused."""

from datetime import timedelta
from operator import itemgetter

import ibis
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_steps import Event, attempts_of
from spell_logs import DAY, DAY_ZERO, at, journey_of, log_of

from journeylab.base.errors import EstimateError, JourneyError, JourneyLabError
from journeylab.events.log import EventLog
from journeylab.events.steps import Attempts, StepRules, build_steps, find_attempts, read_rules
from journeylab.events.steps.attempts import NEVER
from journeylab.events.steps.rows import rows_of as step_rows_of
from journeylab.events.steps.walk import CONVERTED, EXCLUDED, INTERRUPTED, RAN_OUT

START, END = 0, 100
LETTERS = "abcdef"


def rows_of(written: str, customer: str = "one", **more) -> list[dict]:
    """`name@day` or `name@day(value)` as rows of one customer; the value is that of “reason”."""
    rows = []
    for each in written.split():
        event, _, rest = each.partition("@")
        day, _, value = rest.partition("(")
        rows.append({"customer_id": customer, "event": event, "day": float(day), **more})
        if "(" in written:
            rows[-1]["reason"] = value.rstrip(")") or None
    return rows


def attempts_in(written: str, steps: str = "a b c", *, window: str = "10d", **more) -> list[tuple]:
    """What became of the one customer's attempts: (days of the steps reached by position, how it ended)."""
    rules = read_rules(steps.split(), window=window, **more)
    return told(find_attempts(log_of(rows_of(written), (START, END)), rules))


def told(attempts: Attempts) -> list[tuple]:
    found = []
    for row in range(len(attempts)):
        reached = [step for step in range(attempts.times.shape[1]) if attempts.is_reached(step)[row]]
        days = {step: (attempts.times[row, step] - attempts.entered[0]) / DAY for step in reached}
        found.append((days, attempts.exit_name(attempts.ended[row])))
    return found


# --- how far an attempt gets ---


def test_each_step_is_the_first_of_its_events_after_the_one_before():
    assert attempts_in("a@0 c@1 b@2 b@3 c@4 c@5") == [({0: 0, 1: 2, 2: 4}, "converted")]


def test_what_an_event_can_reach_it_reaches_once():
    rules = read_rules([["a", "b"], ["a", "b"], "b"], window="10d")
    found = find_attempts(log_of(rows_of("a@0 b@1"), (START, END)), rules)
    assert told(found) == [({0: 0, 1: 1}, "time passed")]


def test_at_one_time_the_order_of_the_log_decides():
    assert attempts_in("a@1 b@1 c@1") == [({0: 0, 1: 0, 2: 0}, "converted")]
    assert attempts_in("c@1 b@1 a@1") == [({0: 0}, "time passed")]


def test_exactly_the_window_is_within_it_and_a_millisecond_more_is_not():
    assert attempts_in("a@0 b@10", "a b") == [({0: 0, 1: 10}, "converted")]
    assert attempts_in("a@0 b@10.00000001157", "a b") == [({0: 0}, "time passed")]


def test_strictly_nothing_else_that_the_customer_does_comes_between():
    assert attempts_in("a@0 x@1 b@2", "a b", order="strict") == [({0: 0}, "something else")]
    assert attempts_in("a@0 a@1 b@2", "a b", order="strict") == [({0: 0}, "something else")]
    assert attempts_in("a@0 b@1 a@2", "a b", order="strict") == [({0: 0, 1: 1}, "converted")]


def test_strictly_what_the_company_does_may_come_between_unless_it_is_a_step():
    rows = [*rows_of("a@0"), *rows_of("mail@1", initiator="company"), *rows_of("b@2")]
    rules = read_rules(["a", "b"], window="10d", order="strict")
    assert told(find_attempts(log_of(rows), rules)) == [({0: 0, 1: 2}, "converted")]
    rows[1]["event"] = "a"
    assert told(find_attempts(log_of(rows), rules)) == [({0: 0}, "something else")]


def test_unordered_the_first_step_enters_and_the_others_follow_in_any_order():
    assert attempts_in("c@0 a@1 c@2 b@4", order="unordered") == [({0: 0, 1: 3, 2: 1}, "converted")]
    assert attempts_in("c@0 b@1 a@2", order="unordered") == [({0: 0}, "time passed")]


def test_unordered_an_event_counts_for_the_first_step_listed_that_is_missing():
    rules = read_rules(["a", ["b", "c"], "b"], window="10d", order="unordered")
    assert told(find_attempts(log_of(rows_of("a@0 b@1 b@2")), rules)) == [({0: 0, 1: 1, 2: 2}, "converted")]


OPTIONAL = ["a", {"event": "x", "optional": True}, {"event": "y", "optional": True}, "b"]


@pytest.mark.parametrize(
    ("written", "reached"),
    [
        ("a@0 b@1", {0: 0, 3: 1}),
        ("a@0 x@1 b@2", {0: 0, 1: 1, 3: 2}),
        ("a@0 x@1 x@2 y@3 b@4", {0: 0, 1: 1, 2: 3, 3: 4}),
        ("a@0 y@1 x@2 b@3", {0: 0, 2: 1, 3: 3}),
        ("a@0 b@1 x@2", {0: 0, 3: 1}),
        ("x@0 a@1 b@2", {0: 0, 3: 1}),
    ],
)
def test_optional_steps_count_in_their_place_and_hinder_none(written, reached):
    rules = read_rules(OPTIONAL, window="10d")
    assert told(find_attempts(log_of(rows_of(written)), rules)) == [(reached, "converted")]


def test_an_event_that_could_be_optional_or_needed_is_the_needed_step():
    rules = read_rules(["a", {"event": "b", "optional": True}, "b"], window="10d")
    assert told(find_attempts(log_of(rows_of("a@0 b@1")), rules)) == [({0: 0, 2: 1}, "converted")]


def test_strictly_an_optional_step_may_be_left_out_but_not_come_late():
    rules = read_rules(OPTIONAL, window="10d", order="strict")
    assert told(find_attempts(log_of(rows_of("a@0 y@1 b@2")), rules)) == [({0: 0, 2: 1, 3: 2}, "converted")]
    assert told(find_attempts(log_of(rows_of("a@0 y@1 x@2 b@3")), rules)) == [({0: 0, 2: 1}, "something else")]


# --- exclusions ---


def test_an_exclusion_ends_the_attempt_between_its_first_and_last_step():
    assert attempts_in("a@0 d@1 b@2", "a b", exclude="d") == [({0: 0}, "d")]
    assert attempts_in("d@0 a@1 b@2 d@3", "a b", exclude="d") == [({0: 0, 1: 1}, "converted")]
    assert attempts_in("a@0 d@11", "a b", exclude="d") == [({0: 0}, "time passed")]


def test_an_event_that_is_a_step_and_an_exclusion_excludes():
    assert attempts_in("a@0 b@1", "a b", exclude="b") == [({0: 0}, "b")]


def test_of_two_exclusions_in_one_event_the_first_listed_counts():
    exclude = [{"event": "x", "label": "late"}, {"event": ["d", "x"], "label": "both"}]
    assert attempts_in("a@0 x@1", "a b", exclude=exclude) == [({0: 0}, "late")]
    assert attempts_in("a@0 d@1", "a b", exclude=exclude) == [({0: 0}, "both")]


def test_an_interruption_before_an_exclusion_is_what_ended_the_attempt():
    assert attempts_in("a@0 x@1 d@2", "a b", order="strict", exclude="d") == [({0: 0}, "something else")]


def test_attempts_that_an_exclusion_removes_say_so():
    rules = read_rules(["a", "b"], window="10d", exclude=[{"event": "d", "removes": True}, "e"])
    rows = [*rows_of("a@0 d@1", "p"), *rows_of("a@0 e@1", "q"), *rows_of("a@0 b@1", "r")]
    found = find_attempts(log_of(rows), rules)
    assert found.ids.take(pa.array(found.customer[found.is_removed])).to_pylist() == ["p"]


# --- which attempts count ---


def test_the_first_attempt_is_looked_at_even_where_a_later_one_gets_further():
    assert attempts_in("a@0 a@20 b@25", "a b") == [({0: 0}, "time passed")]


def test_the_best_attempt_gets_furthest_and_of_equals_is_the_earliest():
    assert attempts_in("a@0 a@20 b@25", "a b", entry="best") == [({0: 0, 1: 5}, "converted")]
    assert attempts_in("a@0 a@2 b@5", "a b", entry="best") == [({0: 0, 1: 5}, "converted")]


def test_what_may_still_come_does_not_decide_which_attempt_is_the_best():
    # The attempt of day 95 has converted, but that of day 0 is the one whose 10 days are over.
    assert attempts_in("a@0 a@95 b@96", "a b", entry="best") == [({0: 0}, "time passed")]
    assert attempts_in("a@92 a@95 b@96", "a b", entry="best") == [({0: 0, 1: 4}, "converted")]


def test_the_best_attempt_is_not_one_that_an_exclusion_removed():
    exclude = [{"event": "d", "removes": True}]
    assert attempts_in("a@0 b@1 d@2 a@20", entry="best", exclude=exclude) == [({0: 0}, "time passed")]


def test_every_attempt_counts_that_begins_while_none_is_running():
    found = attempts_in("a@0 a@5 b@6 c@7 a@8 a@18 a@19", entry="every")
    assert found == [({0: 0, 1: 6, 2: 7}, "converted"), ({0: 8}, "time passed"), ({0: 19}, "time passed")]


def test_the_event_that_converts_begins_no_attempt_and_the_one_that_excludes_may():
    assert attempts_in("a@0 a@1 a@2 a@3", "a a", entry="every") == [
        ({0: 0, 1: 1}, "converted"),
        ({0: 2, 1: 3}, "converted"),
    ]
    found = attempts_in("a@0 r@1 b@2", "a b", entry="every", exclude="r")
    assert found == [({0: 0}, "r")]
    rules = read_rules([["a", "r"], "b"], window="10d", entry="every", exclude="r")
    found = find_attempts(log_of(rows_of("a@0 r@1 b@2")), rules)
    assert told(found) == [({0: 0}, "r"), ({0: 1, 1: 2}, "converted")]


def test_strictly_what_interrupts_may_begin_the_next_attempt():
    found = attempts_in("a@0 a@1 b@2", "a b", order="strict", entry="every")
    assert found == [({0: 0}, "something else"), ({0: 1, 1: 2}, "converted")]


def test_an_attempt_begins_within_the_window():
    rows = rows_of("a@-5 b@1 a@2 b@3")
    found = find_attempts(log_of(rows, (START, END)), read_rules(["a", "b"], window="10d"))
    assert told(found) == [({0: 0, 1: 1}, "converted")]
    assert found.entered.tolist() == [(at(2) - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(microseconds=1)]


def test_an_attempt_is_closed_when_even_its_last_moment_was_observed():
    rows = [*rows_of("a@89.5", "p"), *rows_of("a@90", "q")]
    found = find_attempts(log_of(rows, (START, END)), read_rules(["a", "b"], window="10d"))
    assert found.to_pandas()["is_closed"].tolist() == [True, False]


# --- a property held constant ---


def test_all_steps_of_an_attempt_have_the_same_value():
    same = {"same": "reason"}
    assert attempts_in("a@0(x) b@1(y) b@2(x)", "a b", **same) == [({0: 0, 1: 2}, "converted")]
    assert attempts_in("a@0(x) a@1(y) b@2(y)", "a b", **same) == [({0: 0}, "time passed")]
    assert attempts_in("a@0(x) a@1(y) b@2(y)", "a b", entry="best", **same) == [({0: 0, 1: 1}, "converted")]
    assert attempts_in("a@0(y) a@1(x) b@2(x) b@3(y)", "a b", entry="every", **same) == [
        ({0: 0, 1: 1}, "converted"),
        ({0: -1, 1: 2}, "converted"),
    ]


def test_the_first_attempt_of_several_values_is_the_first_in_time():
    assert attempts_in("a@0(z) a@0(b) b@1(z)", "a b", same="reason") == [({0: 0, 1: 1}, "converted")]


def test_an_event_without_a_value_is_no_step_but_excludes_whatever_the_value():
    same = {"same": "reason"}
    assert attempts_in("a@0() a@1(x) b@2() b@3(x)", "a b", **same) == [({0: 0, 1: 2}, "converted")]
    assert attempts_in("a@0(x) d@1() b@2(x)", "a b", exclude="d", **same) == [({0: 0}, "d")]
    assert attempts_in("a@0(x) d@1(y) b@2(x)", "a b", exclude="d", **same) == [({0: 0, 1: 2}, "converted")]


def test_strictly_only_events_of_the_same_value_come_between():
    assert attempts_in("a@0(x) q@1(y) b@2(x)", "a b", order="strict", same="reason") == [({0: 0, 1: 2}, "converted")]


# --- conditions, labels, stages ---


def test_a_step_may_ask_for_columns_and_for_one_of_several_conditions():
    rows = [
        *rows_of("a@0"),
        *rows_of("b@1", amount=1.0),
        *rows_of("b@2", amount=5.0),
        *rows_of("c@3", seats=7),
    ]
    asked = ["a", {"event": "b", "where": {"amount": {"above": 2}}}]
    assert told(find_attempts(log_of(rows), read_rules(asked, window="10d"))) == [({0: 0, 1: 2}, "converted")]
    asked[1] = asked[1] | {"or": {"event": "b", "where": {"amount": 1}}}
    assert told(find_attempts(log_of(rows), read_rules(asked, window="10d"))) == [({0: 0, 1: 1}, "converted")]


def test_the_stages_of_a_journey_are_steps():
    journey = journey_of(
        [
            {
                "name": "trial",
                "label": "Trying",
                "opened_by": [{"event": "a"}, {"event": "b", "where": {"reason": "x"}}],
            },
            {"name": "paid", "opened_by": [{"event": "c"}]},
        ]
    )
    steps = build_steps(journey)
    assert [(step.title, step.stage) for step in steps] == [("Trying", "trial"), ("Paid", "paid")]
    assert steps[0].words == "a or b, where reason is x"
    found = find_attempts(log_of(rows_of("b@0() b@1(x) c@2()")), read_rules(steps, window="10d"))
    assert told(found) == [({0: 0, 1: 1}, "converted")]


def test_names_conditions_and_steps_say_the_same():
    step = read_rules(["a", "b"], window="10d").steps[0]
    condition = journey_of([{"name": "s", "opened_by": [{"event": "a"}]}]).stages[0].opened_by[0]
    for same in ("a", ["a"], {"event": "a"}, condition, step):
        assert read_rules([same, "b"], window=timedelta(days=10)).steps[0] == step
    assert read_rules(["a", "b"], window="10d", exclude="c").exclude[0].title == "c"


# --- what comes out ---


def test_attempts_are_shown_as_a_table():
    steps = ["a", {"event": "b", "label": "Bought"}]
    rows = [*rows_of("a@0 b@1 a@2 d@3", "p"), *rows_of("a@95", "q"), *rows_of("b@1", "nobody")]
    found = find_attempts(log_of(rows, (START, END)), read_rules(steps, window="10d", entry="every", exclude="d"))
    shown = found.to_pandas()
    assert list(shown) == [
        "customer_id", "attempt", "entered", "reached", "2 Bought", "ended_by", "ended", "is_closed",
    ]  # fmt: skip
    times = ["entered", "2 Bought", "ended"]
    assert all(isinstance(shown[column].dtype, pd.DatetimeTZDtype) for column in times)
    shown[times] = (shown[times] - DAY_ZERO) / pd.Timedelta(days=1)
    assert shown.astype(object).where(shown.notna(), None).to_numpy().tolist() == [
        ["p", 1, 0, 2, 1, "converted", 1, True],
        ["p", 2, 2, 1, None, "d", 3, True],
        ["q", 1, 95, 1, None, None, None, False],
    ]


def test_nobody_enters_where_nobody_did_the_first_step():
    found = find_attempts(log_of(rows_of("b@0")), read_rules(["a", "b"], window="10d"))
    assert len(found) == len(found.ids) == 0
    assert found.absent == ("a",)
    assert list(found.to_pandas()["customer_id"]) == []


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 1000])
def test_batches_change_nothing(batch_rows):
    rows = [row for number in range(7) for row in rows_of("a@0 b@1 c@2 a@30 b@40", f"c{number}")]
    rules = read_rules(["a", "b", "c"], window="10d", entry="every")
    found = find_attempts(log_of(rows), rules, batch_rows=batch_rows)
    assert sorted(found.ids.to_pylist()) == [f"c{number}" for number in range(7)]
    assert found.customer.tolist() == [number for number in range(7) for _ in range(2)]
    assert found.ended.tolist() == [CONVERTED, RAN_OUT] * 7
    assert found.to_pandas()["customer_id"].tolist() == [f"c{number}" for number in range(7) for _ in range(2)]


def test_customers_whose_ids_have_the_same_hash_are_told_apart():
    days = [0, 1, 2, 3]
    table = pa.table(
        {
            "hash": pa.array([7] * 4, pa.int64()),
            "customer_id": ["p", "q", "p", "q"],
            "time": pa.array([at(day) for day in days], pa.timestamp("us", "UTC")),
            "seq": days,
            "bits": pa.array([1, 1, 2, 2], pa.int8()),
        }
    )
    found = step_rows_of(table)
    assert found.ids.to_pylist() == ["p", "q"]
    assert found.first.tolist() == [0, 2, 4]
    assert found.seq.tolist() == [0, 2, 1, 3]


def test_what_the_funnel_does_not_ask_for_stays_in_the_engine(monkeypatch):
    fetched = []
    to_batches = ibis.expr.types.Table.to_pyarrow_batches

    def spied(table, **more):
        fetched.append(table.count().to_pyarrow().as_py())
        return to_batches(table, **more)

    monkeypatch.setattr(ibis.expr.types.Table, "to_pyarrow_batches", spied)
    rows = [*rows_of("a@0 x@1 x@2 b@3", "p"), *rows_of("x@0 b@1", "q")]
    find_attempts(log_of(rows), read_rules(["a", "b"], window="10d"))
    find_attempts(log_of(rows), read_rules(["a", "b"], window="10d", order="strict"))
    assert fetched == [3, 4]


# --- the reference ---


@st.composite
def asked(draw) -> StepRules:
    """Any funnel: two to five steps that may mean the same events, some optional, with up to two exclusions."""
    order = draw(st.sampled_from(["ordered", "strict", "unordered"]))
    names = st.lists(st.sampled_from("abcd"), min_size=1, max_size=2, unique=True)
    steps = [{"event": draw(names), "optional": draw(st.sampled_from([False, False, True]))} for _ in range(5)]
    steps = steps[: draw(st.integers(2, 5))]
    steps[0]["optional"] = steps[-1]["optional"] = False
    exclude = [
        {"event": draw(st.sampled_from("dbe")), "removes": draw(st.booleans()), "label": f"exclusion {at}"}
        for at in range(draw(st.integers(0, 2)))
    ]
    return read_rules(
        steps,
        window=f"{draw(st.integers(1, 8))}d",
        order=order,
        entry=draw(st.sampled_from(["first", "best", "every"])),
        exclude=exclude,
        same=draw(st.sampled_from([None, "reason"])),
    )


@st.composite
def histories(draw) -> list[list[tuple]]:
    """For up to six customers up to twelve events: (day, event, initiator, value), in the log's order."""
    event = st.tuples(
        st.integers(-2, 14),
        st.sampled_from(LETTERS),
        st.sampled_from([None, "customer", "customer", "company"]),
        st.sampled_from(["x", "x", "y", None]),
    )
    return draw(st.lists(st.lists(event, max_size=12), min_size=1, max_size=6))


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(rules=asked(), customers=histories(), batch_rows=st.sampled_from([1, 5, 1000]), known=st.integers(-3, 20))
def test_the_kernel_and_the_plain_loop_agree_on_every_funnel(rules, customers, batch_rows, known):
    rows = [
        {"customer_id": f"c{number}", "event": event, "day": day, "initiator": initiator, "reason": value}
        for number, events in enumerate(customers)
        for day, event, initiator, value in events
    ]
    if not rows:
        return
    # Customers c0, c1 and so on have a label from that day on; from 15 on no one has one.
    names = [f"c{number}" for number in range(len(customers))]
    known_at = None if known > 14 else pd.Series(at(known), index=names, dtype="datetime64[us, UTC]")
    found = find_attempts(log_of(rows, (0, 12)), rules, known_at=known_at, batch_rows=batch_rows)
    zero = (DAY_ZERO - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(microseconds=1)
    customer_of = itemgetter(0)
    got = [
        (
            found.ids[int(found.customer[row])].as_py(),
            {step: int(time) - zero for step, time in enumerate(found.times[row]) if time != NEVER},
            found.exit_name(found.ended[row]),
            None if found.ended[row] == RAN_OUT else int(found.ended_at[row]) - zero,
        )
        for row in range(len(found))
    ]
    expected = []
    for name, events in zip(names, customers, strict=True):
        plain = [Event(day * DAY, *rest) for day, *rest in events]
        since = None if known_at is None else known * DAY
        attempts = attempts_of(plain, rules, start=0, end=12 * DAY, known=since)
        expected += [(name, attempt.times, attempt.ended, attempt.ended_at) for attempt in attempts]
    assert sorted(got, key=customer_of) == expected


def test_the_codes_of_endings_are_what_tables_say():
    rules = read_rules(["a", "b"], window="1d", exclude=["c", {"event": "d", "label": "Gone"}])
    found = find_attempts(log_of(rows_of("a@0")), rules)
    said = [found.exit_name(code) for code in (CONVERTED, RAN_OUT, INTERRUPTED, EXCLUDED, EXCLUDED + 1)]
    assert said == ["converted", "time passed", "something else", "c", "Gone"]


def test_labels_known_later_mark_what_began_before():
    rows = [*rows_of("a@0", "p"), *rows_of("a@0 a@20", "q"), *rows_of("a@0", "r")]
    known_at = pd.Series([at(0), at(1)], index=["p", "q"], dtype="datetime64[us, UTC]")
    first = find_attempts(log_of(rows), read_rules(["a", "b"], window="10d"), known_at=known_at)
    early = pd.Series(first.is_early, index=first.ids.take(pa.array(first.customer)).to_pylist())
    assert early.to_dict() == {"p": False, "q": True, "r": False}
    best = find_attempts(log_of(rows), read_rules(["a", "b"], window="10d", entry="best"), known_at=known_at)
    assert best.is_early.tolist() == [False, False, False]
    assert (best.to_pandas()["entered"] - DAY_ZERO).dt.days.tolist() == [0, 20, 0]


# --- what is refused ---


@pytest.fixture
def log() -> EventLog:
    return log_of(rows_of("signed_up@0 bought_2@1"))


REFUSED = {
    "no step": (
        ([],),
        {},
        "A funnel leads from one step to another, found 0 steps. Name two or more in order, such as "
        "steps=[“signed_up”, “purchased”].",
    ),
    "one step": (
        ("signed_up",),
        {},
        "A funnel leads from one step to another, found 1 step. Name two or more in order, such as "
        "steps=[“signed_up”, “purchased”].",
    ),
    "a number": (
        (["signed_up", 3],),
        {},
        "steps[1]: Item 2 of “steps” must be a mapping of keys to values, found the number 3. Write it like "
        "{event: signed_up, where: {plan: team}, label: Signed up}.",
    ),
    "several problems": (
        ([{"evnt": "signed_up"}, "bought"],),
        {"order": "strct", "entry": "last"},
        "steps[0]: The key “event” of a step is missing. Add “event: …” here.\n"
        "steps[0].evnt: Unknown key “evnt” of a step. Did you mean “event”?\n"
        "order: “order” must be ordered or strict or unordered, found “strct”. Did you mean “strict”?\n"
        "entry: “entry” must be first or best or every, found “last”. Known: first, best, every.",
    ),
    "first optional": (
        ([{"event": "a", "optional": True}, "b"],),
        {},
        "The first step (“a”) is optional, but it is where attempts begin. Make it a step that counts, or leave it "
        "out.",
    ),
    "last optional": (
        (["a", {"event": "b", "optional": True}],),
        {},
        "The last step (“b”) is optional, but it is where attempts convert. Make it a step that counts, or leave it "
        "out.",
    ),
    "nothing to convert to": (
        (["a", {"event": "b", "optional": True}],),
        {"order": "unordered"},
        "All steps but the first (“a”) are optional, so nothing is left to convert to. Make one of them a step that "
        "counts.",
    ),
    "too many": (
        (["a"] * 60,),
        {"exclude": ["b"] * 4},
        "The funnel has 64 conditions, steps and exclusions together, and 63 are possible. Name several events in one "
        "step, or cut the funnel in two.",
    ),
    "an exclusion without event": (
        (["a", "b"],),
        {"exclude": {"removes": True}},
        "exclude[0]: The key “event” of an exclusion is missing. Add “event: …” here.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_rules_that_make_no_funnel_are_refused(name):
    given, more, text = REFUSED[name]
    with pytest.raises(EstimateError) as error:
        read_rules(*given, window="10d", **more)
    assert str(error.value) == text


def test_a_window_without_unit_is_refused():
    with pytest.raises(JourneyLabError) as error:
        read_rules(["a", "b"], window="30")
    assert str(error.value) == (
        "“30” is not a duration. Write a positive number and its unit, one of s, m, h, d, w: “30d”, “12h”."
    )


@pytest.mark.parametrize("name", ["sined_up", "Signed Up", "signed-up"])
def test_an_event_that_looks_mistyped_is_refused(log, name):
    with pytest.raises(EstimateError) as error:
        find_attempts(log, read_rules([name, "bought_2"], window="10d"))
    assert str(error.value) == (
        f"The log has no event “{name}”, which step 1 of the funnel names. Did you mean “signed_up”?"
    )


@pytest.mark.parametrize("name", ["bought_3", "paid"])
def test_an_event_that_nobody_did_is_no_mistake_and_named(log, name):
    found = find_attempts(log, read_rules(["signed_up", name], window="10d"))
    assert told(found) == [({0: 0}, "time passed")]
    assert found.absent == (name,)


def test_columns_that_the_log_lacks_are_refused(log):
    with pytest.raises(EstimateError) as error:
        find_attempts(log, read_rules(["signed_up", "bought_2"], window="10d", same="custmer_id"))
    assert str(error.value) == (
        "All steps must have the same “custmer_id”, which the log lacks. Did you mean “customer_id”?"
    )
    with pytest.raises(JourneyError) as error:
        find_attempts(log, read_rules(["signed_up", {"event": "bought_2", "where": {"sec": 1}}], window="10d"))
    assert str(error.value) == (
        "The condition in step 2 of the funnel (bought_2, where sec is 1) asks for the column “sec”, which the log "
        "lacks. Did you mean “seq”?"
    )
