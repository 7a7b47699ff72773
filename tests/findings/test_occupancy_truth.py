"""Occupancy holds the truth: complete histories of simulated logs, and how often intervals hold what was planted."""

import numpy as np
import pandas as pd
import pytest

from journeylab.events.simulate import simulate_log
from journeylab.events.spells import find_spells
from journeylab.events.spells.transitions import Transitions
from journeylab.findings.occupancy import estimate_occupancy
from journeylab.findings.occupancy.curves import JourneyCurves

pytestmark = pytest.mark.slow

# What a customer does next, by state, in a journey of two stages and two branches: of the first branch some return,
# nobody of the second. Stays are whole days, so that ties are common; customers differ in pace: it is not Markov.
NEXT = np.array([[0, 0.6, 0.4, 0], [0, 0, 0.6, 0.4], [0.3, 0.5, 0, 0.2], [0, 0, 0, 1]])
PACE = np.array([8.0, 8.0, 15.0, np.inf])
N_MOVES = 40


def made_up(n: int, *, seed: int, last_day: float) -> Transitions:
    """`n` journeys, each watched for a whole number of days up to `last_day`, drawn evenly; all to the end if that is
    beyond 1,000."""
    random = np.random.default_rng(seed)
    until = np.full(n, last_day) if last_day > 1000 else random.integers(1, last_day + 1, n).astype(float)
    pace = random.gamma(2, 0.5, n)
    state, day = (random.random(n) > 0.8).astype(int), np.zeros(n)
    columns = []
    for _ in range(N_MOVES):
        stays = np.floor(random.exponential(size=n) * PACE[state] / pace)
        chosen = (random.random(n)[:, None] > np.cumsum(NEXT[state], axis=1)[:, :3]).sum(axis=1)
        leaves = np.minimum(day + stays, until)
        goes = np.where(day + stays < until, chosen, -1)
        columns.append((day, leaves, state, goes, np.arange(n)))
        day, state = leaves, np.where(goes < 0, state, chosen)
    entry, leaving, origin, goes, customer = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    kept = (entry < leaving) | ((entry == leaving) & (goes >= 0))
    order = np.argsort(customer[kept], kind="stable")
    rows = (column[kept][order] for column in (entry, leaving, origin, goes, customer))
    start = np.zeros(n)
    return Transitions(
        ("a", "b", "left", "gone"), 2, None, *rows, np.arange(n), start.astype(np.int64), start, until, 0
    )


def test_ninety_five_percent_intervals_hold_the_truth_about_so_often():
    """250 samples of 150 journeys with repeated stays, ties, censoring, and in half of them late entry."""
    days = np.array([5.0, 20.0, 35.0])
    complete = made_up(40_000, seed=1, last_day=2000.0)
    whole = JourneyCurves.of(complete, complete.since, 0.95, min_at_risk=10)
    truth = (whole.fitted.occupancy(days), whole.reached(days)[0], whole.lost(days)[0], whole.mean_days(35.0)[0])
    held = [[], [], [], []]
    for seed in range(250):
        journeys, random = made_up(150, seed=seed + 2, last_day=60), np.random.default_rng(seed)
        late = np.where(random.random(150) < 0.4, 0, random.integers(0, 20, 150)) * (seed % 2)
        curves = JourneyCurves.of(journeys, late.astype(float), 0.95, min_at_risk=10)
        found = (curves.shares(days), curves.reached(days), curves.lost(days), curves.mean_days(35.0)[:3])
        for place, (_, lower, upper) in enumerate(found):
            held[place].append((lower <= truth[place] + 1e-12) & (truth[place] <= upper + 1e-12))
    for each in held:
        assert 0.93 < np.mean(each) < 0.97


def test_the_shares_of_complete_histories_lie_in_the_intervals():
    """All whose journey began in the window are followed to the end in the truth, and cut at the window in the log."""
    simulation, times = simulate_log(1500, seed=21), [30, 90, 180, 365, 540]
    found = estimate_occupancy(find_spells(simulation.log, simulation.journey), times=[f"{day}d" for day in times])
    complete, window = simulation.truth.spells, simulation.truth.window
    began = complete[complete["spell"] == 1].set_index("customer_id")["entered"]
    began = began[(began >= window.start) & (began < window.end)]
    assert found.table["n"].iloc[0] == len(began)
    complete = complete[complete["customer_id"].isin(began.index)]
    since = complete["customer_id"].map(began)
    entered, left = ((complete[name] - since) / pd.Timedelta(days=1) for name in ("entered", "left"))
    held = []
    for day in times:
        last = complete[entered <= day].groupby("customer_id").tail(1)
        state = last["stage"].where((left[last.index] > day) | (last["outcome"] == "ongoing"), last["to"])
        truth = state.value_counts(normalize=True)
        ever = complete[entered <= day].groupby("stage")["customer_id"].nunique() / len(began)
        for table, true in ((found.table, truth), (found.reached, ever)):
            rows = table[table["days"] == day].set_index("state")
            rows = rows[rows.index.isin(true.index) & (true.reindex(rows.index) < 1)]
            held += list((rows["lower"] <= true[rows.index]) & (true[rows.index] <= rows["upper"]))
    assert len(held) > 60
    assert np.mean(held) > 0.95
