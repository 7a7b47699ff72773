"""Is what journeylab says true? Held against made-up logs whose truth is known.

    python benchmarks/truth.py [--logs N]          by default 200, about half an hour

(a) No count in the headline of drop-off is below what was seen. (b) The place named first truly is. (c) 95% intervals
hold the truth, with 20, 30, 60 and 200 customers too. (d) Tests of groups that are alike seldom find a difference. (e)
Of two places exactly tied none is called first. Each rate comes with its target, the error of so many trials, and a
verdict. Exits with 1 where a rate misses its target by more than that error.
"""

import argparse
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pandas as pd
from truth_groups import ALARMED, HELD, Claim, of_personas, of_visits
from truth_logs import TIED, MadeUp, names

from journeylab.findings.comparison import Comparison, compare_groups
from journeylab.findings.dropoff import DropOff, estimate_dropoff
from journeylab.findings.survival import estimate_survival

LOGS, CUSTOMERS, CUSTOMERS_OF_TRUTH = 200, 200, 60_000
# Personas take seconds a log, so they are asked for in fewer.
PERSONA_SHARE = 10
# Some of those made up have left before the window, so that of 24 customers about 20 are seen.
SIZES, GROUP_SIZES = (20, 30, 60, 200), (24, 40, 200)
HORIZONS = {"30d": 30.0, "60d": 60.0, "90d": 90.0}
MEAN_TO, COMPARED_TO = "90d", "60d"
LEVEL = 0.05
NEVER, FIRST, CALLED_FIRST = (0.0, 0.0), (0.95, 1.0), (0.0, 0.05)


def main(n_logs: int) -> int:
    """Print the table; 1 if a target is missed, else 0."""
    values, targets = seen(n_logs)
    print(f"{'':72} {'rate':>7} {'of':>7}  {'target':12} verdict")
    verdicts = []
    for name in sorted(values):
        rate, n, target = float(np.mean(values[name])), len(values[name]), targets[name]
        verdicts.append(verdict(rate, n, target))
        wanted = "" if target is None else f"{target[0]:.0%} to {target[1]:.0%}"
        print(f"{name:72} {rate:7.1%} {n:7,}  {wanted:12} {verdicts[-1]}")
    return int("missed" in verdicts)


def verdict(rate: float, n: int, target: tuple[float, float] | None) -> str:
    """Whether a rate of n trials is within its target, or outside by no more than chance alone brings."""
    if target is None:
        return ""
    nearest = float(np.clip(rate, *target))
    error = 1.96 * np.sqrt(nearest * (1 - nearest) / n)
    return "met" if rate == nearest else "met, within its error" if abs(rate - nearest) <= error else "missed"


def seen(n_logs: int) -> tuple[dict[str, list[bool]], dict[str, tuple[float, float] | None]]:
    """By what was asked, whether it was so in each trial; and its target."""
    values, targets = defaultdict(list), {}
    asked: dict[Callable[[int], Iterator[Claim]], int] = {
        **dict.fromkeys((of_headline, of_tie, of_small_samples, of_equal_groups, of_visits), n_logs),
        of_personas: n_logs // PERSONA_SHARE,
    }
    for claims, n in asked.items():
        for seed in range(n):
            for name, value, target in claims(seed):
                values[name].append(value)
                targets[name] = target
    return values, targets


def of_headline(seed: int) -> Iterator[Claim]:
    """(a) and (b)."""
    made = MadeUp.of(CUSTOMERS, seed=seed)
    dropoff = estimate_dropoff(made.spells(), horizons=list(HORIZONS))
    for horizon, day in HORIZONS.items():
        rows = dropoff.vulnerability(horizon).set_index(["stage", "branch"])
        counts = made.seen(day).reindex(rows.index, fill_value=0)
        least = rows["estimate"].fillna(rows["at_least"])
        is_below = (least < counts["visits"]) | (rows["customers_lost"] < counts["customers"])
        yield "(a) a count of losses is below what was seen", bool(is_below.any()), NEVER
    place, day = headline(dropoff)
    if "depends" not in dropoff.sentence():
        lost = made.lost_visits(day)
        yield "(b) the place named first truly is", lost.get(place, 0) == lost.max(), FIRST
    number = re.search(r"about ([\d,]+) visits", dropoff.sentence())
    if number:
        n_seen = made.seen(day)["visits"].get(place, 0)
        yield "(a) the headline's number is below what was seen", int(number[1].replace(",", "")) < n_seen, NEVER


def headline(dropoff: DropOff) -> tuple[tuple[str, str], float]:
    """Stage and branch that come first at the horizon of the sentence, and that horizon in days."""
    said = re.search(r"within (\d+) days", dropoff.sentence())
    horizon = f"{said[1]}d" if said and f"{said[1]}d" in HORIZONS else list(HORIZONS)[-1]
    first = dropoff.vulnerability(horizon).iloc[0]
    return (first["stage"], first["branch"]), HORIZONS[horizon]


def of_tie(seed: int) -> Iterator[Claim]:
    """(e): from trial as many are lost to price as to rival, and both lose more than any other place."""
    made = MadeUp.of(CUSTOMERS, seed=seed, ways=TIED)
    dropoff = estimate_dropoff(made.spells(), horizons=["60d"])
    first = dropoff.rank_stability("60d", seed=seed).iloc[0]
    yield "(e) one of two tied places is called first", first["rank_upper"] == 1, CALLED_FIRST


@cache
def truth() -> pd.DataFrame:
    """What is true of the visits that begin in the window: a row for each stage; shares, mean days and median."""
    visits = MadeUp.of(CUSTOMERS_OF_TRUTH, seed=2**20).begun
    rows = {}
    for stage, here in visits.groupby("stage"):
        rows[stage] = {("median", ""): here["days"].median()}
        for day in HORIZONS.values():
            rows[stage] |= {("mean", day): here["days"].clip(upper=day).mean()}
            is_within = here["days"] <= day
            rows[stage] |= {(way, day): ((here["to"] == way) & is_within).mean() for way in ("price", "rival")}
    return pd.DataFrame(rows).T


def of_small_samples(seed: int) -> Iterator[Claim]:
    """(c) by number of customers, in the two stages that are open from the start."""
    true = truth()
    for size in SIZES:
        spells = MadeUp.of(size, seed=seed).spells()
        survival = estimate_survival(spells)
        table = estimate_dropoff(spells, horizons=list(HORIZONS), min_at_risk=5 if size < 50 else 10).table
        means, medians = survival.restricted_means(MEAN_TO), survival.medians()
        for row in means[means["stage"].isin(("trial", "using")) & means["lower"].notna()].itertuples():
            held = row.lower <= true.loc[row.stage, ("mean", HORIZONS[MEAN_TO])] <= row.upper
            yield f"(c) held: restricted mean, {size} customers", held, HELD
        halves = medians[(medians["quantile"] == 0.5) & medians["stage"].isin(("trial", "using"))]
        for row in halves[halves["estimate"].notna()].itertuples():
            middle = true.loc[row.stage, ("median", "")]
            # On whole days the limits lie a little further out than need be.
            held = not (row.lower > middle or row.upper < middle)
            yield f"(c) held: median, {size} customers", held, (HELD[0], 0.99)
        # Whether one moves on from using to expert or is done depends on the date, so only losses are asked about.
        asked = table["stage"].isin(("trial", "using")) & (table["kind"] == "lost") & table["lower"].notna()
        for row in table[asked].itertuples():
            share = true.loc[row.stage].get((row.to, row.horizon_days), np.nan)
            if share > 0:
                held = row.lower <= share <= row.upper
                yield f"(c) held: incidence, {size} customers", held, (HELD[0], 0.98)


def of_equal_groups(seed: int) -> Iterator[Claim]:
    """(d) by number of customers in each of two groups drawn at random; and that there is no test below 20."""
    for size in GROUP_SIZES:
        yield from _alarms(seed, size, f", {size} customers a group")
    small = _compared(seed, 15)
    yield "(d) groups of 15 customers are tested", bool(small.tests["p_value"].notna().any()), NEVER


def _alarms(seed: int, size: int, who: str) -> Iterator[Claim]:
    found = _compared(seed, size)
    for row in found.tests[found.tests["p_value"].notna()].itertuples():
        yield f"(d) false alarm: {row.test}{who}", row.p_value < LEVEL, ALARMED
        if row.to == "at all":
            yield f"(d) false alarm: proportional hazards{who}", row.proportional_p < LEVEL, ALARMED
    for row in found.hazard_ratios[found.hazard_ratios["p_value"].notna()].itertuples():
        yield f"(d) false alarm: Cox{who}", row.p_value < LEVEL, ALARMED
    for row in found.differences[found.differences["lower"].notna()].itertuples():
        what = "mean days" if row.to == "inside" else "shares"
        yield f"(c) held: no difference in {what}{who}", row.lower <= 0 <= row.upper, (HELD[0], 0.98)


def _compared(seed: int, size: int) -> Comparison:
    spells = MadeUp.of(2 * size, seed=seed).spells()
    labels = np.random.default_rng([seed, size]).permutation(np.repeat(["a", "b"], size))
    group = pd.Series(labels, index=names(2 * size), name="group")
    return compare_groups(spells, stage="trial", by=group, horizon=COMPARED_TO)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--logs", type=int, default=LOGS, metavar="N", help=f"how many logs of each kind; {LOGS}")
    sys.exit(main(parser.parse_args().logs))
