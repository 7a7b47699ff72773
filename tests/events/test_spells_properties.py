"""What holds for the spells of any journey and any log: the reference's, tiling time, whatever the rows' order."""

from datetime import timedelta
from itertools import zip_longest

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_spells import Event, spells_of
from spell_logs import DAY, DAY_ZERO, journey_of, log_of

from journeylab.events.journey import Journey
from journeylab.events.queries.silences import scale_silence
from journeylab.events.spells import OUTCOMES, Spells, find_spells, find_spells_under

pytestmark = pytest.mark.slow

STAGES = ("first", "second", "third", "fourth")
EVENTS = ("a", "b", "c", "d", "e")
TIMES = ["entered", "left", "observed_from", "validated", "last_event"]
modest = settings(max_examples=15, deadline=None, derandomize=True, database=None)


@st.composite
def conditions(draw) -> dict:
    """A condition on one event or two, now and then with text, a list, or bounds."""
    event = draw(
        st.one_of(st.sampled_from(EVENTS), st.lists(st.sampled_from(EVENTS), min_size=1, max_size=2, unique=True))
    )
    above, below = st.integers(0, 1), st.integers(2, 3)
    bounds = st.sampled_from([("above",), ("below",), ("above", "below")]).flatmap(
        lambda sides: st.fixed_dictionaries({side: {"above": above, "below": below}[side] for side in sides})
    )
    reason = st.one_of(st.sampled_from("xy"), st.just(["x", "y"]))
    amount = st.one_of(st.integers(1, 3), bounds)
    where = draw(st.one_of(st.just({}), st.fixed_dictionaries({}, optional={"reason": reason, "amount": amount})))
    return {"event": event, "where": where}


@st.composite
def journeys(draw) -> Journey:
    """Two to four stages with all kinds of rules, and up to three loss branches."""
    names = STAGES[: draw(st.integers(2, 4))]
    silences = st.one_of(st.none(), st.sampled_from(["1d", "2d", "5d"]))
    stages = []
    for name in names:
        stage = {
            "name": name,
            "opened_by": draw(st.lists(conditions(), min_size=1, max_size=2)),
            "reopened_by": draw(st.lists(conditions(), max_size=1)),
            "completes": draw(st.sampled_from([False, False, False, True])),
        }
        if draw(st.booleans()):
            within = draw(st.one_of(st.none(), st.sampled_from(["1d", "3d"])))
            stage["validated_by"] = draw(conditions()) | {"at_least": draw(st.integers(1, 3)), "within": within}
        stages.append(stage | {"silent_after": None if stage["completes"] else draw(silences)})
    origins = st.one_of(st.none(), st.lists(st.sampled_from(names), min_size=1, unique=True))
    whens = draw(st.lists(st.tuples(origins, conditions()), max_size=3))
    branches = [{"name": f"branch {at}", "from": origin, "when": when} for at, (origin, when) in enumerate(whens)]
    return journey_of(stages, branches, draw(st.sampled_from(["forward", "free"])))


@st.composite
def rows(draw) -> list[dict]:
    """Up to ten customers' events on days 0 to 20, in halves, so that ties and exact silences are common."""
    event = st.fixed_dictionaries(
        {
            "event": st.sampled_from(EVENTS),
            "day": st.integers(0, 40).map(lambda halves: halves / 2),
            "initiator": st.sampled_from(["customer", None, "company", "system", "customer"]),
            "reason": st.sampled_from(["x", "y", None]),
            "amount": st.sampled_from([1.0, 2.0, 3.0, None]),
        }
    )
    customers = draw(st.lists(st.lists(event, min_size=1, max_size=14), min_size=1, max_size=10))
    mixed = [{"customer_id": f"account-{at}", **each} for at, events in enumerate(customers) for each in events]
    return [{**row, "seq": seq} for seq, row in enumerate(draw(st.permutations(mixed)))]


@st.composite
def windows(draw) -> tuple[float, float]:
    """From before all events to after all of them, up to a day after the last event can be."""
    end = draw(st.integers(41, 50)) / 2
    return draw(st.one_of(st.just(-2.0), st.integers(0, 40).map(lambda halves: halves / 2))), end


def in_microseconds(spells: Spells) -> list[dict]:
    """Rows of `spells`, times in microseconds since day zero, missing cells None."""
    return [
        row | {key: (row[key] - DAY_ZERO) // timedelta(microseconds=1) for key in TIMES if row[key] is not None}
        for row in spells.table.to_pylist()
    ]


def by_the_reference(events: list[dict], journey: Journey, window: tuple[float, float]) -> list[dict]:
    """The same rows from the reference."""
    start, end = (int(day * DAY) for day in window)
    found = []
    for customer in sorted({row["customer_id"] for row in events}):
        own = sorted(
            (row for row in events if row["customer_id"] == customer), key=lambda row: (row["day"], row["seq"])
        )
        passing = [Event(int(row["day"] * DAY), row["event"], row["initiator"], row) for row in own]
        for spell, each in enumerate(spells_of(passing, journey, start, end), start=1):
            derived = {"observed_from": max(each.entered, start), "days": (each.left - each.entered) / DAY}
            found.append({"customer_id": customer, "spell": spell, **vars(each), **derived})
            del found[-1]["proofs"]
    return found


@settings(modest, max_examples=40)
@given(journeys(), rows(), windows())
def test_the_kernel_gives_what_the_reference_gives(journey, events, window):
    assert in_microseconds(find_spells(log_of(events, window), journey)) == by_the_reference(events, journey, window)


@modest
@given(journeys(), rows(), windows())
def test_spells_tile_each_customers_time_in_the_journey(journey, events, window):
    found = in_microseconds(find_spells(log_of(events, window), journey))
    start, end = (int(day * DAY) for day in window)
    for each, following in zip_longest(found, found[1:]):
        assert each["entered"] <= each["left"] <= end
        assert each["observed_from"] == max(each["entered"], start)
        assert (each["outcome"] == "ongoing") == (each["to"] is None)
        if following is None or following["customer_id"] != each["customer_id"]:
            assert each["outcome"] in ("lost", "ongoing")
            continue
        assert following["spell"] == each["spell"] + 1
        if each["outcome"] == "lost":
            assert following["entered"] >= each["left"]
            assert following["returned_from"] == each["to"]
        else:
            assert following["entered"] == each["left"]
            assert following["stage"] == each["to"]
            assert following["returned_from"] is None


@modest
@given(journeys(), rows(), windows(), st.randoms(use_true_random=False))
def test_spells_do_not_depend_on_the_order_of_rows_once_seq_is_given(journey, events, window, random):
    shuffled = random.sample(events, len(events))
    assert find_spells(log_of(shuffled, window), journey).table == find_spells(log_of(events, window), journey).table


@modest
@given(journeys(), rows(), windows(), st.integers(1, 20))
def test_spells_do_not_depend_on_the_size_of_batches(journey, events, window, batch_rows):
    log = log_of(events, window)
    assert find_spells(log, journey, batch_rows=batch_rows).table == find_spells(log, journey).table


@settings(modest, max_examples=10)
@given(journeys(), rows(), windows())
def test_each_customer_has_the_spells_they_would_have_alone(journey, events, window):
    log = log_of(events, window)
    alone = [find_spells(log.only(customers=[customer]), journey).to_pandas() for customer in log.customers.index]
    assert find_spells(log, journey).to_pandas().equals(pd.concat(alone, ignore_index=True))


def test_random_logs_reach_every_outcome_and_every_way_back():
    reached = set()

    @settings(modest, max_examples=50)
    @given(journeys(), rows(), windows())
    def collect(journey, events, window):
        for spell in by_the_reference(events, journey, window):
            reached.add(spell["outcome"])
            reached.update(
                claim
                for claim, is_true in {
                    "back from silence": spell["returned_from"] == "silent",
                    "won back": spell["returned_from"] not in ("silent", None),
                    "validated": spell["validated"] is not None,
                    "no time at all": spell["entered"] == spell["left"],
                    "entered late": spell["observed_from"] > spell["entered"],
                    "no event of their own": spell["events"] == 0,
                }.items()
                if is_true
            )

    collect()
    claims = {"back from silence", "won back", "validated", "no time at all", "entered late", "no event of their own"}
    assert reached == set(OUTCOMES) | claims


@settings(modest, max_examples=12)
@given(journeys(), rows(), windows(), st.integers(1, 20))
def test_one_reading_serves_journeys_that_differ_in_their_silences(journey, events, window, batch_rows):
    log, plain = log_of(events, window), journey.to_dict()
    never = Journey.model_validate({**plain, "stages": [{**stage, "silent_after": None} for stage in plain["stages"]]})
    under = [never, scale_silence(journey, 3), journey, scale_silence(journey, 0.5)]
    found = find_spells_under(log, under, batch_rows=batch_rows)
    assert [spells.journey for spells in found] == under
    assert [spells.table for spells in found] == [find_spells(log, each).table for each in under]
