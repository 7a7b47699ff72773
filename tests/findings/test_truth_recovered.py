"""What was planted in simulated logs is found again: drop-off and survival against complete, uncensored histories."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from journeylab.events.simulate import simulate_log
from journeylab.events.spells import COLUMNS, Spells, find_spells
from journeylab.findings.dropoff import estimate_dropoff
from journeylab.findings.survival import estimate_survival

pytestmark = pytest.mark.slow

HORIZONS = ["30d", "90d", "180d"]


@pytest.fixture(scope="module")
def simulation():
    return simulate_log(2000, seed=11)


@pytest.fixture(scope="module")
def spells(simulation):
    return find_spells(simulation.log, simulation.journey)


def true_shares(simulation) -> pd.Series:
    """Share of all visits, followed to their end, that left by each way; index stage, way, days."""
    stages = list(simulation.journey.stage_names)
    rows = pd.concat([simulation.truth.incidence(stage, HORIZONS) for stage in stages[:-1]])
    place = {stage: place for place, stage in enumerate(stages)}

    def way(row):
        if row.to not in place:
            return row.to
        if row.to == stages[-1]:
            return "completed"
        return "advanced" if place[row.to] > place[row.stage] else "regressed"

    rows = rows.assign(to=[way(row) for row in rows.itertuples()])
    return rows.set_index(["stage", "to", "horizon_days"])["share"]


def estimated(found) -> pd.DataFrame:
    return found.table.set_index(["stage", "to", "horizon_days"])


def test_drop_off_holds_the_truth_in_its_intervals_and_is_far_nearer_than_the_crude_share(simulation, spells):
    table = estimated(estimate_dropoff(spells, horizons=HORIZONS))
    truth = true_shares(simulation).reindex(table.index)
    known = table["estimate"].notna() & (truth > 0)
    table, truth = table[known], truth[known]
    assert len(table) > 60
    assert ((table["lower"] <= truth) & (truth <= table["upper"])).mean() > 0.95
    assert (table["estimate"] - truth).abs().mean() < 0.01
    assert (table["estimate"] - truth).abs().mean() < (table["crude"] - truth).abs().mean() / 5


def test_the_most_vulnerable_stage_and_branch_is_the_planted_one(simulation, spells):
    worst = estimate_dropoff(spells, horizons=HORIZONS).vulnerability("30d").iloc[0]
    complete = simulation.truth.spells
    lost = complete[(complete["outcome"] == "lost") & (complete["days"] <= 30)]
    most = lost.groupby(["stage", "to"]).size().idxmax()
    assert (worst["stage"], worst["branch"]) == most


def test_the_days_until_half_have_left_are_those_of_complete_histories(simulation, spells):
    medians = estimate_survival(spells).medians()
    half = medians[medians["quantile"] == 0.5].set_index("stage")
    complete = simulation.truth.spells
    truth = complete[complete["entered"] < simulation.truth.window.end].groupby("stage")["days"].median()
    for stage, row in half.iterrows():
        assert row["lower"] <= truth[stage] <= row["upper"]


def test_ninety_five_percent_intervals_hold_the_planted_truth_about_so_often():
    """Eight logs of 600 accounts against the shares among 20,000 made by the same hazards."""
    truth = true_shares(simulate_log(20_000, seed=99))
    held = []
    for seed in range(8):
        simulation = simulate_log(600, seed=seed)
        observed = simulation.truth.observed().reindex(columns=list(COLUMNS)).assign(events=1)
        table = pa.Table.from_pandas(observed, preserve_index=False)
        spells = Spells(table, simulation.journey, simulation.truth.window, pd.DataFrame())
        found = estimated(estimate_dropoff(spells, horizons=HORIZONS))
        here = truth.reindex(found.index)
        known = found["estimate"].notna() & (here > 0)
        held.append(((found["lower"] <= here) & (here <= found["upper"]))[known])
    assert 0.92 < np.concatenate(held).mean() < 0.98
