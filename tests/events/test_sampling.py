"""Was a log sampled by when journeys ended? Made-up journeys whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from by_hand import at, journey_of, log_of

import journeylab as jl
from journeylab.base.durations import DAY, since_1970
from journeylab.events.lint import lint_spells
from journeylab.events.queries.sampling import Sampling, sampling_of
from journeylab.findings.segments import find_cohorts

END = 720
JOURNEY = journey_of(
    [
        {"name": "booked", "opened_by": [{"event": "book"}]},
        {"name": "stayed", "opened_by": [{"event": "arrive"}], "completes": True},
    ],
    [{"name": "canceled", "when": {"event": "cancel"}}],
)


def ordinary(random: np.random.Generator, n: int) -> Sampling:
    """Journeys that begin at any time of the window, at a pace of their own log, some never ending."""
    entered = np.sort(random.uniform(0, END, n))
    stay = random.weibull(random.uniform(0.6, 1.6), n) * random.uniform(5, 300)
    stay[random.random(n) < random.uniform(0, 0.5)] = np.inf
    return sampled(entered, entered + stay)


def sampled(entered: np.ndarray, ended: np.ndarray) -> Sampling:
    microseconds = [(np.minimum(days, END) * DAY).astype(np.int64) for days in (entered, ended)]
    return sampling_of(*microseconds, END * DAY)


def by_arrival(random: np.random.Generator, n: int, first: float = 300, last: float = END) -> tuple:
    """Bookings that are in the log because their arrival lies between `first` and `last`."""
    booked = random.uniform(-400, END, n)
    arrival = booked + random.exponential(90, n)
    is_there = (arrival >= first) & (arrival < last)
    return booked[is_there], arrival[is_there]


def test_an_ordinary_log_is_hardly_ever_taken_for_one_sampled_by_end():
    random = np.random.default_rng(11)
    alarms = sum(ordinary(random, int(random.integers(50, 2000))).problem() is not None for _ in range(200))
    assert alarms <= 2


def test_a_log_sampled_by_arrival_is_recognised():
    random = np.random.default_rng(12)
    for _ in range(50):
        booked, arrival = by_arrival(random, 3000)
        found = sampled(booked[booked >= 0], arrival[booked >= 0])
        assert found.lacks_early_ends
        assert found.lacks_late_journeys


def test_early_cancellations_do_not_hide_that_nobody_is_on_the_way_at_the_end():
    random = np.random.default_rng(13)
    booked, arrival = by_arrival(random, 3000)
    is_known = booked >= 0
    booked, arrival = booked[is_known], arrival[is_known]
    canceled = random.random(len(booked)) < 0.4
    ended = np.where(canceled, booked + (arrival - booked) * random.random(len(booked)), arrival)
    found = sampled(booked, ended)
    assert not found.lacks_early_ends
    assert "still on the way on" in found.problem()


@pytest.mark.parametrize("more_days", [0, 60, 300])
def test_a_window_that_goes_on_after_the_last_arrival_hides_nothing(more_days):
    random = np.random.default_rng(16)
    booked, arrival = by_arrival(random, 900, first=0, last=END - more_days)
    # A third is canceled on the way; who had booked before the window began is not among those whose coming was seen.
    canceled = random.random(len(booked)) < 0.3
    ended = np.where(canceled, booked + (arrival - booked) * random.random(len(booked)), arrival)
    assert sampled(booked[booked >= 0], ended[booked >= 0]).lacks_late_journeys


def test_journeys_that_the_calendar_ends_are_not_taken_for_sampled():
    random = np.random.default_rng(14)
    registered = random.uniform(0, 240, 800)
    assert sampled(registered, np.full(800, 700.0)).problem() is None


def test_a_log_whose_first_half_is_known_by_hand():
    # Forty customers, one a day, each on the way for ten days; the window ends on day 40.
    entered = np.arange(40.0)
    found = sampling_of((entered * DAY).astype(int), (np.minimum(entered + 10, 40) * DAY).astype(int), 40 * DAY)
    assert f"{found.first_end:%Y-%m-%d}" == "1970-01-11"
    # Nobody of the ten who came before day 10 should have left by then: all stay for ten days.
    assert found.ended == 0
    assert (found.n_inside, found.problem()) == (10, None)
    # Nobody of the first half stays longer than ten days: when the window ends, those of day 31 to 39 should be inside.
    # When the last one comes, on day 39, those of day 30 to 39 should.
    assert (found.inside, f"{found.late:%Y-%m-%d}") in [(9, "1970-02-10"), (10, "1970-02-09")]


@pytest.fixture(scope="module")
def bookings():
    random = np.random.default_rng(15)
    booked, arrival = by_arrival(random, 1500)
    rows = []
    for number, (first, last) in enumerate(zip(booked, arrival, strict=True)):
        if first >= 0:
            rows += [
                {"customer_id": f"c{number:05}", "event": "book", "day": first},
                {"customer_id": f"c{number:05}", "event": "cancel" if number % 3 == 0 else "arrive", "day": last},
            ]
    log = log_of(rows, end=END)
    return log, jl.find_spells(log, JOURNEY)


def test_cohorts_of_such_a_log_are_not_compared_and_a_sentence_says_why(bookings):
    _, spells = bookings
    cohorts = find_cohorts(spells, every="quarter")
    assert cohorts.labels.empty
    dropoff = jl.estimate_dropoff(spells, horizons=["90d"], by=cohorts)
    for sentence in (dropoff.sentence(), dropoff.differences_in_words("90d")):
        assert "Customers are not compared by entry quarter." in sentence
        assert "no journey ended before 2025-10-" in sentence


def test_other_findings_by_such_cohorts_say_why_too(bookings):
    log, spells = bookings
    cohorts = find_cohorts(spells, every="year")
    findings = [
        jl.estimate_survival(spells, by=cohorts),
        jl.compare_groups(spells, stage="booked", by=cohorts, horizon="90d"),
        jl.estimate_funnel(log, ["book", "arrive"], window="90d", by=cohorts),
    ]
    for finding in findings:
        assert finding.sentence().startswith("Customers are not compared by entry year.")


def test_the_lint_says_so_too(bookings):
    log, spells = bookings
    (row,) = lint_spells(log, spells).table.itertuples()
    assert (row.rule, row.severity, row.where) == ("sampled-by-end", "warning", "the log")
    assert row.fix == "Export every customer who came within the window, whether or not the journey has ended."


def test_the_cohorts_of_an_ordinary_log_are_compared():
    made = jl.simulate_log(300, seed=3)
    spells = jl.find_spells(made.log, made.journey)
    assert find_cohorts(spells, every="quarter").lacking is None
    assert since_1970(spells.window.end) > since_1970(at(0))
    assert "sampled-by-end" not in set(lint_spells(made.log, spells).table["rule"])
    assert isinstance(find_cohorts(spells).labels, pd.Series)
