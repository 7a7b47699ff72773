"""What the simulator is made of: draws from many distributions at once, and the calendar of working people."""

import numpy as np
import pandas as pd
import pytest

from journeylab.events.simulate import language
from journeylab.events.simulate.arrays import choose, counter
from journeylab.events.simulate.calendar import (
    DAY,
    HOUR,
    WINDOW,
    at_working_time,
    is_out_of_hours,
    next_office_morning,
    season,
)


def test_each_row_is_drawn_from_its_own_weights_and_what_has_no_weight_never_comes():
    weights = np.array([[0.0, 3.0, 1.0, 0.0], [0.1, 0.1, 0.1, 0.0], [0.0, 0.0, 0.0, 2.0]])
    rows = np.repeat([2, 0, 1], 20_000)
    drawn = choose(np.random.default_rng(0), weights, rows)
    shares = pd.crosstab(rows, drawn, normalize="index").to_numpy()
    expected = [[0, 0.75, 0.25, 0], [1 / 3, 1 / 3, 1 / 3, 0], [0, 0, 0, 1]]
    np.testing.assert_allclose(shares, expected, atol=0.015)
    assert (shares[np.array(expected) == 0] == 0).all()


def test_the_counter_starts_anew_in_each_run():
    assert counter(np.array([2, 0, 3])).tolist() == [0, 1, 0, 1, 2]
    assert counter(np.array([], dtype=int)).tolist() == []


def test_office_people_work_on_weekdays_by_day_and_nobody_is_moved_by_more_than_two_days():
    rng = np.random.default_rng(1)
    times = rng.integers(-100 * DAY, 700 * DAY, size=20_000)
    office = at_working_time(rng, times, np.zeros(len(times)))
    evening = at_working_time(rng, times, np.ones(len(times)))
    assert not is_out_of_hours(office).any()
    assert is_out_of_hours(evening).all()
    assert max(np.abs(office - times).max(), np.abs(evening - times).max()) < 2 * DAY


@pytest.mark.parametrize(
    ("asked", "answered_from"),
    [
        ("2024-03-01 19:00", "2024-03-04 08:00"),  # Friday evening: Monday
        ("2024-03-02 12:00", "2024-03-04 08:00"),  # Saturday
        ("2024-03-03 12:00", "2024-03-04 08:00"),  # Sunday
        ("2024-03-05 06:00", "2024-03-05 08:00"),  # Tuesday morning: the same day
        ("2024-03-05 20:00", "2024-03-06 08:00"),  # Tuesday evening: the next day
    ],
)
def test_the_next_office_morning_skips_the_weekend(asked, answered_from):
    seconds = [
        int((pd.Timestamp(time, tz="UTC") - WINDOW.start) / pd.Timedelta(seconds=1)) for time in (asked, answered_from)
    ]
    assert next_office_morning(np.array(seconds[:1])).tolist() == seconds[1:]


def test_august_is_quieter_than_october():
    august, october = (
        int((pd.Timestamp(day, tz="UTC") - WINDOW.start) / pd.Timedelta(seconds=1)) + HOUR
        for day in ("2025-08-01", "2025-10-01")
    )
    quiet, busy = season(np.array([august, october]))
    assert (quiet, busy) == (0.65, 1.15)


def test_a_sentence_says_its_topic_in_its_mood():
    rng = np.random.default_rng(2)
    topic = np.full(200, language.TOPICS.index("price"))
    unhappy = {language.sentences()[place] for place in language.draw_sentences(rng, topic, topic * 0)}
    assert "I am frustrated: the price per seat has become far too high for us. I expected much better." in set(
        language.sentences()
    )
    assert len(language.sentences()) == len(set(language.sentences())) == len(language.TOPICS) * 3 * 4 * 6 * 5
    assert all("price" in each or "seats" in each or "invoice" in each or "increase" in each for each in unhappy)
