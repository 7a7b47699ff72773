"""What is shown does not hang on the last bits of a float: no word and no row changes when all numbers move by 1e-13
before anything is chosen by them.

The customers are planted so that much is equal: both plans live through the same, and of each stage as many are lost to
one branch as to the other, on the same days.
"""

import re
from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from by_hand import journeys_of
from scipy.sparse import csr_matrix

from journeylab.estimators.latent_class import Levels, Shares
from journeylab.findings.comparison import compare_groups
from journeylab.findings.dropoff import estimate_dropoff
from journeylab.findings.exit_curves import ExitCurves
from journeylab.findings.hazards import fit_hazards
from journeylab.findings.occupancy import estimate_occupancy
from journeylab.findings.paths import estimate_flow
from journeylab.findings.personas.change.drift import find_drift
from journeylab.findings.personas.change.sentences import drift_sentence, shares_sentence
from journeylab.findings.personas.description import PROFILES, sets_apart
from journeylab.findings.recovery import estimate_recovery
from journeylab.findings.survival import estimate_survival

pytestmark = pytest.mark.slow

HORIZONS = ["7d", "30d"]
# What was asked for, and so is equal or not, is no estimate.
ASKED = ("horizon_days", "days", "quantile", "landmark_days", "from_days")
FINDINGS = {
    "drop-off": lambda spells: estimate_dropoff(spells, horizons=HORIZONS),
    "drop-off by plan": lambda spells: estimate_dropoff(spells, horizons=HORIZONS, by="plan"),
    "recovery": lambda spells: estimate_recovery(spells, horizons=HORIZONS),
    "recovery by plan": lambda spells: estimate_recovery(spells, horizons=HORIZONS, by="plan"),
    "survival": lambda spells: estimate_survival(spells, by="plan"),
    "occupancy": lambda spells: estimate_occupancy(spells, times=HORIZONS),
    "occupancy by plan": lambda spells: estimate_occupancy(spells, times=HORIZONS, by="plan"),
    "flow": lambda spells: estimate_flow(spells),
    "comparison": lambda spells: compare_groups(spells, stage="trial", by="plan", horizon="30d"),
    "hazards": lambda spells: fit_hazards(spells, stage="trial", exit="price", covariates=["plan", "team"]),
}
# What a drop-off says besides its contract.
RANKINGS = {
    "places": lambda found: found.rank_stability("30d", seed=3),
    "unexplained": lambda found: found.unexplained("30d"),
    "in words": lambda found: found.unexplained_in_words("30d") + found.naive_in_words("30d"),
    "figure": lambda found: found.plot_vulnerability("30d", seed=3).alt,
}


@pytest.fixture(scope="module")
def spells():
    """Of 96 customers; half of those who are lost come back, wherever they were and whatever took them."""
    ends, rows = ("price", "other", "paid", "paid", "paid", None), []
    for number in range(96):
        name, fate, run = f"c{number:02}", number // 2 % 6, number // 12
        day, to = 3.3 + 2.7 * run, ends[fate]
        rows.append((name, "trial", 0.1 * run, 80.0 if to is None else day, to))
        if to == "paid":
            lost = ("price", "other", None)[fate - 2]
            rows.append((name, "paid", day, 80.0 if lost is None else 2 * day - 0.1 * run, lost))
        if to in ("price", "other") and run % 2:
            rows.append((name, "trial", day + 5, 80.0, None))
    names = pd.Index(sorted({name for name, *_ in rows}))
    attributes = pd.DataFrame({"plan": ["large", "small"] * 48, "team": ["yes", "yes", "no", "no"] * 24}, index=names)
    return replace(journeys_of(rows, end=80.0), customers=attributes)


@pytest.fixture(params=range(4))
def moved(request):
    """A function: numbers, each by a hair larger or smaller; exactly 0 and 1, and what is missing, stay."""
    random = np.random.default_rng(request.param)

    def move(values):
        values = np.asarray(values, dtype=float)
        inside = (values != 0) & (values != 1)
        return np.where(inside, values * (1 + 1e-13 * random.uniform(-1, 1, values.shape)), values)

    return move


@pytest.fixture
def on_another_processor(moved, monkeypatch):
    """A function: what `find` finds where all shares, and then all numbers in its tables, are moved by a hair."""
    shares = ExitCurves.shares

    def found(find, spells):
        with monkeypatch.context() as patch:
            patch.setattr(ExitCurves, "shares", lambda curves, days: tuple(map(moved, shares(curves, days))))
            finding = find(spells)
            finding = replace(finding, **{each.name: _moved(getattr(finding, each.name), moved)
                                          for each in fields(finding)
                                          if isinstance(getattr(finding, each.name), pd.DataFrame)})  # fmt: skip
            return shown(finding)

    return found


def _moved(table: pd.DataFrame, move) -> pd.DataFrame:
    numbers = [name for name in table.select_dtypes(np.float64) if name not in ASKED]
    return table.assign(**{name: move(table[name]) for name in numbers})


def shown(finding) -> dict:
    """All words and rows of a finding, without the tables for download, which are not rounded."""
    found = {
        "sentence": finding.sentence(),
        "lanes": finding.by_stage().to_dict(),
        "page": re.sub(r'href="data:[^"]*"', "", finding._repr_html_()),
        "figure": finding.plot().alt,
        "rows": rows_of(finding.table),
    }
    if hasattr(finding, "rank_stability"):
        for name, ranking in RANKINGS.items():
            told = ranking(finding)
            found[name] = rows_of(told) if isinstance(told, pd.DataFrame) else told
        if finding.by:
            found["differences"] = [*rows_of(finding.differences("30d")), finding.differences_in_words("30d")]
    return found


def rows_of(table: pd.DataFrame) -> list:
    """What says of what each row is."""
    return table.select_dtypes(exclude=np.float64).astype(str).to_numpy().tolist()


@pytest.mark.parametrize("name", FINDINGS)
def test_no_word_and_no_row_of_a_finding_hangs_on_the_last_bits(name, spells, on_another_processor):
    assert on_another_processor(FINDINGS[name], spells) == shown(FINDINGS[name](spells))


@pytest.mark.parametrize("kind", [Shares, Levels])
def test_of_two_cells_that_moved_as_far_the_drift_names_the_first_by_name(kind, moved):
    of_old, n = np.array([0.853, 0.147]), 1000
    now = np.repeat(np.eye(2), [889, 111], axis=0)
    encoding = SimpleNamespace(
        encode=lambda _: csr_matrix(now), variables=np.zeros(2, int), kept=(kind("channel", ("product", "mobile")),)
    )
    model = SimpleNamespace(log_shares=np.zeros(1), log_cells=moved(np.log(of_old))[:, None], n_rows=n)
    found = find_drift(model, encoding, None, np.ones((n, 1)))
    assert (found.loc[0, "part"], found.loc[0, "before"].round(9)) == ("mobile", 0.147)
    assert "mobile" in drift_sentence(found)


def test_of_two_shares_that_moved_as_far_the_first_is_named_first(moved):
    difference = moved([0.1, -0.1])
    shares = pd.DataFrame(
        {
            "persona": ["P1", "P2"],
            "name": ["Many", "Few"],
            "customers_before": 100,
            "customers": 100,
            "before": [0.4, 0.6],
            "now": [0.5, 0.5],
            "difference": difference,
            "lower": difference - 0.05,
            "upper": difference + 0.05,
            "is_beyond": True,
        }
    )
    for is_beyond in (True, False):
        assert re.findall(r"P\d", shares_sentence(shares.assign(is_beyond=is_beyond)))[0] == "P1"


def test_of_features_that_set_a_persona_apart_as_much_the_first_measured_is_named_first(moved):
    deltas = moved([0.4, -0.4, 0.4, 0.147])
    rows = [("P1", f"f{n}", "number", f"f{n}", 1.0, 2.0, np.nan, delta, 9, 9) for n, delta in enumerate(deltas)]
    apart = sets_apart(pd.DataFrame(rows, columns=list(PROFILES)), "P1")
    assert apart["feature"].tolist() == ["f0", "f1", "f2", "f3"]
