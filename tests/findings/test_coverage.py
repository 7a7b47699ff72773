"""Intervals hold the truth, and groups that are alike seldom seem to differ: the benchmark in short, limits wide."""

import runpy

import pytest

RUNS = 100


@pytest.fixture(scope="module")
def rates(project):
    return runpy.run_path(str(project / "benchmarks" / "coverage.py"))["rates"](RUNS)


def test_intervals_hold_the_truth_about_as_often_as_they_say(rates):
    held = {name: rate for name, (rate, _) in rates.items() if name.startswith("held")}
    assert len(held) >= 10
    assert {name: rate for name, rate in held.items() if not 0.88 <= rate <= 1} == {}


def test_groups_drawn_by_lot_seem_to_differ_about_as_seldom_as_they_should(rates):
    alarms = {name: rate for name, (rate, _) in rates.items() if name.startswith("false alarm")}
    assert len(alarms) >= 8
    assert {name: rate for name, rate in alarms.items() if rate > 0.11} == {}
    assert rates["for comparison, false alarm: plain log-rank"][0] > 0.08
    assert rates["found: groups that differ"][0] > 0.7
