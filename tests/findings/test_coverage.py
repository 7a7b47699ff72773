"""Intervals hold the truth, and groups that are alike seldom seem to differ: the benchmark in short, limits wide."""

import importlib

import numpy as np
import pytest

pytestmark = pytest.mark.slow

RUNS, PERSONA_RUNS, FEW_RUNS = 100, 15, 20


@pytest.fixture(scope="module")
def benchmark(project):
    """The module `truth` of the benchmarks, which finds its neighbours beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(project / "benchmarks"))
        yield importlib.import_module("truth")


def rates_of(claims, runs: int) -> dict[str, float]:
    """By what was asked, how often it was so."""
    answers = [(name, value) for seed in range(runs) for name, value, _ in claims(seed)]
    return {name: float(np.mean([value for each, value in answers if each == name])) for name, _ in answers}


@pytest.fixture(scope="module")
def rates(benchmark):
    return rates_of(benchmark.of_visits, RUNS)


def test_intervals_hold_the_truth_about_as_often_as_they_say(rates):
    held = {name: rate for name, rate in rates.items() if name.startswith("held")}
    assert len(held) >= 10
    assert {name: rate for name, rate in held.items() if not 0.88 <= rate <= 1} == {}


def test_groups_drawn_at_random_seem_to_differ_about_as_seldom_as_they_should(rates):
    alarms = {name: rate for name, rate in rates.items() if name.startswith("false alarm")}
    assert len(alarms) >= 12
    assert {name: rate for name, rate in alarms.items() if rate > 0.11} == {}
    assert rates["for comparison, false alarm: plain log-rank"] > 0.08
    assert rates["found: groups that differ"] > 0.7


def test_personas_that_have_nothing_to_do_with_leaving_seldom_seem_to(benchmark):
    """Found by the first days and compared from then on; by whole lives, those who stay long always seem to differ."""
    rates = rates_of(benchmark.of_personas, PERSONA_RUNS)
    assert rates["personas: two or more are found"] > 0.9
    alarms = {name: rate for name, rate in rates.items() if name.startswith("false alarm")}
    assert len(alarms) == 5
    assert {name: rate for name, rate in alarms.items() if rate > 0.2} == {}
    assert rates["for comparison, false alarm: whole-life groups, plain log-rank"] > 0.95


def test_with_few_customers_intervals_hold_and_tests_are_not_liberal(benchmark):
    """Twenty logs tell gross faults only; the benchmark itself asks two hundred."""
    rates = rates_of(benchmark.of_small_samples, FEW_RUNS) | rates_of(benchmark.of_equal_groups, FEW_RUNS)
    held = {name: rate for name, rate in rates.items() if name.startswith("(c) held")}
    assert len(held) == 18
    assert {name: rate for name, rate in held.items() if rate < 0.85} == {}
    alarms = {name: rate for name, rate in rates.items() if name.startswith("(d) false alarm")}
    assert len(alarms) == 12
    assert {name: rate for name, rate in alarms.items() if rate > 0.2} == {}
    assert rates["(d) groups of 15 customers are tested"] == 0


def test_the_headline_is_never_below_what_was_seen(benchmark):
    rates = rates_of(benchmark.of_headline, FEW_RUNS)
    assert rates["(a) a count of losses is below what was seen"] == 0
    assert rates["(b) the place named first truly is"] > 0.8
    assert rates_of(benchmark.of_tie, FEW_RUNS)["(e) one of two tied places is called first"] < 0.2
