"""Silences: when they begin and how they end, worked by hand; they tile the time in the stages."""

import numpy as np
import pytest
from hypothesis import given, settings
from spell_logs import journey_of, log_of
from test_spells_properties import journeys, rows

from journeylab.base.errors import JourneyError
from journeylab.events.journey import Journey
from journeylab.events.queries.silences import find_silences, scale_silence
from journeylab.events.spells import find_spells

JOURNEY = journey_of(
    [
        {"name": "trial", "opened_by": [{"event": "start"}], "silent_after": "10d"},
        {"name": "paid", "opened_by": [{"event": "buy"}], "silent_after": "1d"},
        {"name": "plus", "opened_by": [{"event": "upgrade"}]},
    ],
    [{"name": "price", "from": ["trial"], "when": {"event": "cancel"}}],
)


def silences_of(*events, longer_than=None, window=(0, 100)) -> dict[str, list[tuple]]:
    """By stage the silences as (watched from, length, how it ended)."""
    names = ("customer_id", "event", "day", "initiator")
    log = log_of([dict(zip(names, event, strict=False)) for event in events], window)
    found = find_silences(log, JOURNEY, longer_than=longer_than or {"trial": 0, "paid": 0})
    return {
        each.stage: [
            (entry, length, (None, *each.ways, None)[way])
            for entry, length, way in zip(each.entry, each.exit, each.destination, strict=True)
        ]
        for each in found
    }


def test_silences_end_with_a_return_a_loss_or_the_window():
    found = silences_of(
        *[("a", "start", 0), ("a", "look", 3), ("a", "look", 40), ("a", "cancel", 45), ("a", "look", 50)],
        *[("b", "start", 20), ("b", "buy", 25)],
    )
    assert found == {
        "trial": [(-1, 3, "returned"), (-1, 37, "returned"), (-1, 5, "lost"), (-1, 5, "returned")],
        "paid": [(-1, 75, None)],
    }


def test_what_the_company_does_breaks_no_silence_unless_it_moves_the_customer():
    found = silences_of(
        *[("a", "start", 0, "company"), ("a", "look", 7, "company"), ("a", "look", 9), ("a", "buy", 30, "company")],
        *[("b", "start", 0), ("b", "cancel", 12, "company")],
    )
    assert found == {
        "trial": [(-1, 9, "returned"), (-1, 21, "moved"), (-1, 12, "lost")],
        "paid": [(-1, 70, None)],
    }


def test_only_silences_longer_than_asked_for_are_found_by_stage():
    events = [("a", "start", 0), ("a", "look", 5), ("a", "look", 11), ("a", "buy", 12), ("a", "look", 14)]
    assert silences_of(*events, longer_than={"trial": 5}) == {"trial": [(-1, 6, "returned")]}
    found = silences_of(*events, longer_than={"paid": 0.5, "trial": 6})
    assert found == {"trial": [], "paid": [(-1, 2, "returned"), (-1, 86, None)]}
    assert list(found) == ["trial", "paid"]


def test_silences_running_when_the_window_begins_are_watched_from_then():
    found = silences_of(("a", "start", 0), ("a", "look", 3), ("a", "look", 30), window=(10, 50))
    assert found["trial"] == [(7, 27, "returned"), (-1, 20, None)]
    assert silences_of(("a", "start", 0), ("a", "look", 10), window=(10, 50))["trial"] == [(-1, 40, None)]


def test_customers_are_told_apart():
    names = ("customer_id", "event", "day")
    events = [("a", "start", 0), ("a", "look", 3), ("b", "start", 1)]
    log = log_of([dict(zip(names, event, strict=True)) for event in events])
    assert find_silences(log, JOURNEY, longer_than={"trial": 0})[0].customers.tolist() == [0, 0, 1]


def test_a_log_without_a_journey_has_no_silences():
    assert silences_of(("a", "look", 3)) == {"trial": [], "paid": []}


@pytest.mark.slow
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(journeys(), rows())
def test_silences_tile_the_time_in_each_stage(journey, events):
    """Without losses to silence: as long together as the spells, and as many lost and ongoing ends as those have."""
    plain = journey.to_dict()
    quiet = Journey.model_validate({**plain, "stages": [{**each, "silent_after": None} for each in plain["stages"]]})
    log = log_of(events, (-2, 25))
    spells = find_spells(log, quiet).to_pandas()
    for each in find_silences(log, journey, longer_than=dict.fromkeys(journey.stage_names, 0)):
        visits = spells[spells["stage"] == each.stage]
        assert each.exit.sum() == pytest.approx(visits["days"].sum())
        assert (each.destination < 0).sum() == (visits["outcome"] == "ongoing").sum()
        assert each.count("lost") <= (visits["outcome"] == "lost").sum()
        assert (each.exit > 0).all()


def test_the_batches_change_nothing():
    events = [(f"c{i}", name, day) for i in range(20) for name, day in (("start", i), ("look", 2 * i), ("buy", 3 * i))]
    log = log_of([dict(zip(("customer_id", "event", "day"), event, strict=True)) for event in events])
    whole, parts = (
        find_silences(log, JOURNEY, longer_than={"trial": 0}, batch_rows=rows)[0] for rows in (1_000_000, 7)
    )
    for name in ("entry", "exit", "destination", "customers"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))


def test_windows_are_scaled_and_written_as_durations():
    scaled = scale_silence(JOURNEY, 0.25)
    assert [stage.silent_after for stage in scaled.stages] == ["2.5d", "0.25d", None]
    assert scale_silence(JOURNEY, 1) is JOURNEY
    third = scale_silence(JOURNEY, 1 / 3).stages[1]
    assert third.silent_after == "28800.000000s"
    assert third.silent_after_us == 28_800_000_000
    assert scaled.stages[2] == JOURNEY.stages[2]
    assert scaled.loss_branches == JOURNEY.loss_branches


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        (0, "Silence cannot last 0 times as long. Give a factor above 0, such as 0.5 or 2."),
        (float("nan"), "Silence cannot last nan times as long. Give a factor above 0, such as 0.5 or 2."),
        (1e-13, "“10d” times 1e-13 is less than a microsecond. Give a larger factor."),
    ],
)
def test_windows_cannot_be_scaled_to_nothing(factor, text):
    with pytest.raises(JourneyError) as error:
        scale_silence(JOURNEY, factor)
    assert str(error.value) == text


def test_stages_that_the_journey_lacks_are_refused():
    with pytest.raises(JourneyError) as error:
        silences_of(("a", "start", 0), longer_than={"trail": 1})
    assert str(error.value) == "The journey has no stage “trail”. Did you mean “trial”?"
