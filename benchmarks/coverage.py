"""How often do 95% intervals hold the truth, and how often do groups that are alike seem to differ?

    python benchmarks/coverage.py [RUNS]          by default 1,000, two or three minutes

Each run makes up customers who come three times to one stage, on whole days (so that many leave on the same day), some
of them before the window (late entry), some still inside at its end. How long the visits of one customer last is
correlated, and so is how they end; but any one visit lasts exponentially long and ends by price with one probability,
whatever the others do. So the truth is known in closed form, and every visit counts for it alike. Exits with 1 where a
rate is outside its limits.
"""

import gc
import sys
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.stats import norm

from journeylab.estimators.logrank import logrank_test
from journeylab.events.covariates import Exposure
from journeylab.events.exits import find_exits
from journeylab.events.journey import Journey
from journeylab.events.log import Window
from journeylab.events.spells import COLUMNS, Spells
from journeylab.findings.comparison import Comparison, compare_groups
from journeylab.findings.finding import Grouping
from journeylab.findings.hazards import fit_hazards
from journeylab.findings.survival import estimate_survival

RUNS, N_CUSTOMERS, N_VISITS = 1000, 150, 3
RATE, RATIO, EXPOSED_RATIO = 0.03, 1.6, 2.0  # per day; of group b to group a; after the exposure to before
PRICE, CORRELATION = 0.4, 0.5
HORIZON, APART, LONGEST, WINDOW_DAYS, KNOWN_AFTER = 60, 120, 110, 300, 15
START = pd.Timestamp("2025-01-01", tz="UTC")
STAGES = [{"name": "trial", "opened_by": [{"event": "start"}]}, {"name": "paid", "opened_by": [{"event": "buy"}]}]
JOURNEY = Journey.model_validate(
    {
        "journeylab": 1,
        "name": "made up",
        "goal": "Know the truth",
        "stages": STAGES,
        "loss_branches": [{"name": "price", "from": ["trial"], "when": {"event": "cancel"}}],
    }
)
HELD, ALARMED = (0.93, 0.97), (0.03, 0.07)


def main(runs: int) -> int:
    """Print each rate with its error; 1 if one is outside its limits, else 0."""
    is_within = True
    for name, (rate, limits) in rates(runs).items():
        error = np.sqrt(rate * (1 - rate) / runs)
        said = "" if limits is None else f" (to lie between {limits[0]:.0%} and {limits[1]:.0%})"
        print(f"{name}: {rate:.1%}, give or take {1.96 * error:.1%}{said}")
        is_within &= limits is None or limits[0] <= rate <= limits[1]
    return 0 if is_within else 1


def rates(runs: int, *, first: int = 0) -> dict[str, tuple[float, tuple[float, float] | None]]:
    """By what was asked, the share of `runs` where it was so, and between what limits it should lie, if any."""
    gc.freeze()  # statsmodels collects garbage at each adjustment of p, which takes longer than all else here
    seen, limits = defaultdict(list), {}
    for seed in range(first, first + runs):
        for name, value, wanted in (*_held(seed), *_alarmed(seed)):
            seen[name].append(value)
            limits[name] = wanted
    return {name: (float(np.mean(values)), limits[name]) for name, values in seen.items()}


def _held(seed: int) -> Iterator[tuple[str, bool, tuple[float, float]]]:
    """Whether intervals hold the truth: groups that differ, visits that are exposed, and all visits together.

    Limits of a median are whole days here, so they lie a little further out than need be.
    """
    spells, group = journeys(seed, ratio=RATIO)
    found = compare_groups(spells, stage="trial", by=group, horizon=f"{HORIZON}d")
    yield from _of_comparison(found)
    spells, group, exposure = exposed_journeys(seed)
    table = fit_hazards(spells, stage="trial", exit="price", covariates=[group, exposure]).table
    for row in table[table["lower"].notna()].itertuples():
        truth = {"a": 1 / RATIO, "b": RATIO}.get(row.level, EXPOSED_RATIO)
        yield f"held: hazard ratio of {row.covariate}", row.lower <= truth <= row.upper, HELD
    median = estimate_survival(journeys(seed, ratio=1.0)[0]).medians().set_index("quantile").loc[0.5]
    truth = np.ceil(np.log(2) / RATE)
    yield "held: median", not (median["lower"] > truth or median["upper"] < truth), (HELD[0], 0.99)


def _of_comparison(found: Comparison) -> Iterator[tuple[str, bool, tuple[float, float]]]:
    """Of means, shares and differences, and, whatever the test of proportional hazards says, of the ratio."""
    truths = {group: truth(RATE * ratio) for group, ratio in (("a", 1.0), ("b", RATIO))}
    for row in found.table.itertuples():
        yield f"held: {row.measure} {row.to}", row.lower <= truths[row.group][row.to] <= row.upper, HELD
    for row in found.differences.itertuples():
        difference = truths[row.group][row.to] - truths[row.reference][row.to]
        yield f"held: difference of {row.measure} {row.to}", row.lower <= difference <= row.upper, HELD
    yield "found: groups that differ", bool((found.tests["p_adjusted"] < 0.05).any()), None
    for row in found.hazard_ratios[found.hazard_ratios["to"] == "at all"].itertuples():
        ratio = RATIO if row.group == "b" else 1 / RATIO
        yield "held: ratio at all, where proportional", row.lower <= ratio <= row.upper, HELD


def _alarmed(seed: int) -> Iterator[tuple[str, bool, tuple[float, float] | None]]:
    """Whether groups drawn by lot seem to differ: known from the start, and known some days after first entering."""
    spells, group = journeys(seed, ratio=1.0)
    visits = spells.to_pandas()
    known = visits.groupby("customer_id")["entered"].min() + pd.Timedelta(days=KNOWN_AFTER)
    for name, grouping in (("", group), (", landmark", Grouping("group", group[known.index], known))):
        found = compare_groups(spells, stage="trial", by=grouping, horizon=f"{HORIZON}d")
        tests = found.tests[found.tests["p_value"].notna()]
        yield f"false alarm: any test, adjusted{name}", bool((tests["p_adjusted"] < 0.05).any()), ALARMED
        for row in tests.itertuples():
            yield f"false alarm: {row.test}, {row.to}{name}", row.p_value < 0.05, ALARMED
        yield f"hazards not proportional, falsely{name}", tests["proportional_p"].iloc[0] < 0.05, None
    exits = find_exits(visits, JOURNEY)[0]
    rows = {"entry": exits.entry, "exit": exits.exit, "event": exits.destination > 0}
    plain = logrank_test(group[visits["customer_id"]].to_numpy(), **rows).p_value
    yield "for comparison, false alarm: plain log-rank", plain < 0.05, None


def truth(rate: float) -> dict[str, float]:
    """Of visits left at `rate`, on whole days: mean days inside until the horizon, and the share out by each way."""
    out = 1 - np.exp(-rate * HORIZON)
    inside = np.exp(-rate * np.arange(HORIZON)).sum()
    return {"inside": inside, "advanced": (1 - PRICE) * out, "price": PRICE * out}


def journeys(seed: int, *, ratio: float) -> tuple[Spells, pd.Series]:
    """Made-up spells, and customers by lot in groups a and b, the latter leaving `ratio` times as fast."""
    random = np.random.default_rng(seed)
    entered, is_b, hazard, way = _drawn(random)
    return _spells(entered, hazard / (RATE * np.where(is_b, ratio, 1.0)[:, None]), way), _labels(is_b)


def exposed_journeys(seed: int) -> tuple[Spells, pd.Series, Exposure]:
    """The same with an exposure of most customers on a day of the window, after which they leave faster."""
    random = np.random.default_rng([seed, 1])
    entered, is_b, hazard, way = _drawn(random)
    day = np.where(random.random(N_CUSTOMERS) < 0.7, random.integers(0, WINDOW_DAYS, N_CUSTOMERS), 10 * WINDOW_DAYS)
    until = np.maximum(day[:, None] - entered, 0)
    rate = RATE * np.where(is_b, RATIO, 1.0)[:, None]
    before = rate * until
    lasted = np.where(hazard <= before, hazard / rate, until + (hazard - before) / (rate * EXPOSED_RATIO))
    exposed = np.flatnonzero(day < WINDOW_DAYS)
    times = pd.DataFrame({"customer_id": _names(exposed), "time": START + pd.to_timedelta(day[exposed], unit="D")})
    return _spells(entered, lasted, way), _labels(is_b), Exposure("case", times)


def _drawn(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Days of entering, membership of b, cumulative hazard at leaving, and whether by price: by customer and visit."""
    offset = random.integers(-100, 20, N_CUSTOMERS)
    entered = offset[:, None] + APART * np.arange(N_VISITS)
    return entered, random.random(N_CUSTOMERS) < 0.5, -norm.logsf(_alike(random)), norm.cdf(_alike(random)) < PRICE


def _alike(random: np.random.Generator) -> np.ndarray:
    """Standard normal by customer and visit, correlated within customers."""
    of_customer = random.standard_normal((N_CUSTOMERS, 1))
    of_visit = random.standard_normal((N_CUSTOMERS, N_VISITS))
    return np.sqrt(CORRELATION) * of_customer + np.sqrt(1 - CORRELATION) * of_visit


def _spells(entered: np.ndarray, lasted: np.ndarray, is_price: np.ndarray) -> Spells:
    customer, entered = np.repeat(np.arange(N_CUSTOMERS), N_VISITS), entered.ravel()
    left = entered + np.maximum(np.ceil(lasted.ravel()), 1).astype(np.int64)
    end = np.minimum(entered + LONGEST, WINDOW_DAYS)
    is_ongoing, left = left >= end, np.minimum(left, end)
    way = np.where(is_price.ravel(), "price", "paid").astype(object)
    kept = (left > 0) & (entered < WINDOW_DAYS)
    moment = {
        name: START + pd.to_timedelta(day[kept], unit="D") for name, day in (("entered", entered), ("left", left))
    }
    table = pd.DataFrame({"customer_id": _names(customer[kept]), "stage": "trial", **moment}).assign(
        observed_from=lambda rows: rows["entered"].clip(lower=START),
        days=(left - entered)[kept].astype(float),
        outcome=np.where(is_ongoing, "ongoing", np.where(is_price.ravel(), "lost", "advanced"))[kept],
        to=np.where(is_ongoing, None, way)[kept],
    )
    table = pa.Table.from_pandas(table.reindex(columns=list(COLUMNS)), preserve_index=False)
    return Spells(table, JOURNEY, Window(START, START + pd.Timedelta(days=WINDOW_DAYS)), pd.DataFrame())


def _names(customers: np.ndarray) -> np.ndarray:
    return np.array([f"c{number:03}" for number in range(N_CUSTOMERS)], object)[customers]


def _labels(is_b: np.ndarray) -> pd.Series:
    return pd.Series(np.where(is_b, "b", "a"), index=_names(np.arange(N_CUSTOMERS)), name="group")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else RUNS))
