"""Intervals hold the truth, and groups that are alike seldom seem to differ: the benchmark in short, limits wide."""

import runpy

import pytest

pytestmark = pytest.mark.slow

RUNS, PERSONA_RUNS = 100, 15


@pytest.fixture(scope="module")
def benchmark(project):
    return runpy.run_path(str(project / "benchmarks" / "interval_coverage.py"))


@pytest.fixture(scope="module")
def rates(benchmark):
    return benchmark["rates"](RUNS)


def test_intervals_hold_the_truth_about_as_often_as_they_say(rates):
    held = {name: rate for name, (rate, _) in rates.items() if name.startswith("held")}
    assert len(held) >= 10
    assert {name: rate for name, rate in held.items() if not 0.88 <= rate <= 1} == {}


def test_groups_drawn_by_lot_seem_to_differ_about_as_seldom_as_they_should(rates):
    alarms = {name: rate for name, (rate, _) in rates.items() if name.startswith("false alarm")}
    assert len(alarms) >= 12
    assert {name: rate for name, rate in alarms.items() if rate > 0.11} == {}
    assert rates["for comparison, false alarm: plain log-rank"][0] > 0.08
    assert rates["found: groups that differ"][0] > 0.7


def test_personas_that_have_nothing_to_do_with_leaving_seldom_seem_to(benchmark):
    """Found by the first days and compared from then on; by whole lives, those who stay long always seem to differ."""
    rates = benchmark["rates"](PERSONA_RUNS, claims=benchmark["of_personas"])
    assert rates["personas: two or more are found"][0] > 0.9
    alarms = {name: rate for name, (rate, _) in rates.items() if name.startswith("false alarm")}
    assert len(alarms) == 5
    assert {name: rate for name, rate in alarms.items() if rate > 0.2} == {}
    assert rates["for comparison, false alarm: whole-life groups, plain log-rank"][0] > 0.95
