"""Counts and days at risk against R's survival.

These reference numbers are not used, as nothing here computes them: gamma frailty (cgd/frailty.csv), mean numbers of
events (cgd/mcf.csv), Fine and Gray's model (mgus2_cr/finegray.csv), cmprsk's variance of an incidence, which counts one
less at risk (mgus2_cr/cuminc.csv, var_aalen), parametric models (lung/aft_survreg.csv), and concordance
(concordance.csv).
"""

import numpy as np
import pandas as pd
import pytest

from journeylab.estimators.rows_at_risk import RowsAtRisk

JOURNEY = ["trial", "onboarding", "active", "expanding", "dormant", "lost_price", "lost_product", "lost_competitor"]


@pytest.fixture(scope="module")
def reference(shared):
    return lambda name: pd.read_csv(shared / "ref" / name)


def rows_at_risk(rows):
    code = {state: position for position, state in enumerate(JOURNEY)}
    origin, destination = rows["from"].map(code), rows["to"].map(code).fillna(-1)
    given = {"entry": rows["entry"], "exit": rows["exit"], "origin": origin, "destination": destination}
    return RowsAtRisk.of({**given, "ids": rows["id"], "weights": None}, n_states=8)


def test_the_moves_of_a_journey_are_as_many_as_r_counts(reference):
    expected, rows = reference("journey/transitions.csv"), rows_at_risk(reference("journey/data.csv"))
    moves = np.zeros((8, 9), dtype=int)
    np.add.at(moves, (rows.origin, rows.destination), 1)
    names = [*JOURNEY, "(censored)"]
    cells = expected["from"].map(names.index), expected["to"].map(names.index)
    assert len(expected) == 72
    np.testing.assert_array_equal(moves[cells], expected["Freq"])


@pytest.mark.parametrize("persona", ["bargain", "builder", "explorer"])
def test_days_at_risk_in_each_stage_of_a_journey_are_those_of_r(reference, persona):
    expected, rows = reference("journey/person_time.csv"), reference("journey/data.csv")
    expected = expected[expected["persona"] == persona].set_index("from").loc[JOURNEY]
    found = rows_at_risk(rows[rows["persona"] == persona])
    days = np.bincount(found.origin, weights=found.exit - found.entry, minlength=8)
    np.testing.assert_array_equal(days, expected["person_days"])
    np.testing.assert_array_equal(np.bincount(found.origin, minlength=8), expected["n_spells"])
