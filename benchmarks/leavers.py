"""How often does an event that means nothing seem to go with being lost, and how often is a true ratio held?

    python benchmarks/leavers.py [RUNS]          by default 400, some three minutes

Each run makes up customers in a trial which they leave by cancelling, mostly soon, or by buying, mostly late; many who
cancelled come back for a second trial. Three events happen to them: “looked”, at a rate of each customer's own, and
“mail”, sent by the company, have nothing to do with leaving; for 14 days after “trouble” customers cancel three times
as fast. Who buys stayed longer and so has nearly always looked: the usual recipe, odds of ever having had the event in
those who were lost against those who bought, finds that looking keeps customers. Exits with 1 where a rate is outside
its limits.
"""

import sys
from collections import defaultdict

import numpy as np
import pandas as pd

from journeylab import find_spells, read_events
from journeylab.events.journey import Journey
from journeylab.events.log import EventLog
from journeylab.findings.leavers import Leavers, compare_leavers

RUNS, N_CUSTOMERS, N_DAYS, WINDOW_DAYS = 400, 500, 120, 200
STEP = 0.05  # days
RATIO, WITHIN = 3.0, 14
CANCEL_EARLY, CANCEL_LATE, BUY_LATE, LATE = 0.03, 0.003, 0.05, 20
RATES = {"looked": 0.13, "mail": 0.1, "trouble": 0.03}  # per day
START = pd.Timestamp("2025-01-01", tz="UTC")
JOURNEY = Journey.model_validate(
    {
        "journeylab": 1,
        "name": "made up",
        "goal": "Know the truth",
        "stages": [
            {"name": "trial", "opened_by": [{"event": "start"}]},
            {"name": "paid", "opened_by": [{"event": "buy"}], "completes": True},
        ],
        "loss_branches": [{"name": "cancelled", "when": {"event": "cancel"}}],
    }
)
HELD, ALARMED = (0.92, 0.98), (0.03, 0.07)


def main(runs: int) -> int:
    """Print what was found; 1 if a rate is outside its limits, else 0."""
    is_within = True
    found, recipe = rates(runs)
    for name, (rate, (low, high)) in found.items():
        error = np.sqrt(rate * (1 - rate) / runs)
        print(f"{name}: {rate:.1%}, give or take {1.96 * error:.1%} (to lie between {low:.0%} and {high:.0%})")
        is_within &= low <= rate <= high
    for event, ratio in recipe.items():
        print(f"for comparison, the usual recipe's odds ratio of “{event}”: {ratio:.2f} (median)")
    return 0 if is_within else 1


def rates(runs: int) -> tuple[dict[str, tuple[float, tuple[float, float]]], dict[str, float]]:
    """By what was asked, the share of `runs` where it was so and its limits; and the recipe's median odds ratios."""
    hits, naive = defaultdict(list), []
    for seed in range(runs):
        table = compared(seed).table.set_index("event")
        for event in ("looked", "mail"):
            hits[f"false alarm: “{event}”, p below 0.05", ALARMED].append(table.loc[event, "p_value"] < 0.05)
        trouble = table.loc["trouble"]
        hits["held: the ratio of “trouble”", HELD].append(trouble["lower"] <= RATIO <= trouble["upper"])
        naive.append(table["naive"])
    found = {name: (float(np.mean(each)), limits) for (name, limits), each in hits.items()}
    return found, pd.concat(naive, axis=1).median(axis=1).to_dict()


def compared(seed: int) -> Leavers:
    """The finding on one made-up log."""
    log = made_up(seed)
    return compare_leavers(log, find_spells(log, JOURNEY), before=f"{WITHIN}d", seed=seed)


def made_up(seed: int) -> EventLog:
    """A log of customers, of whom most who cancel come back once."""
    random = np.random.default_rng(seed)
    pace = random.gamma(6.0, 1 / 6, N_CUSTOMERS)
    first = random.uniform(0, WINDOW_DAYS - 30, N_CUSTOMERS)
    customer = np.arange(N_CUSTOMERS)
    visit, left, is_lost = _visits(random, customer, first, pace)
    back = is_lost & (random.random(N_CUSTOMERS) < 0.6)
    again, _, _ = _visits(random, customer[back], left[back] + random.uniform(5, 40, back.sum()), pace)
    table = pd.concat([visit, again], ignore_index=True)
    table = table[table["day"] < WINDOW_DAYS]
    return read_events(
        pd.DataFrame(
            {
                "customer_id": [f"c{number:03}" for number in table["customer"]],
                "time": START + pd.to_timedelta(table["day"], unit="D"),
                "event": table["event"],
                "initiator": np.where(table["event"] == "mail", "company", "customer"),
            }
        ),
        columns={"customer_id": "customer_id", "time": "time", "event": "event"},
        window=(START, START + pd.Timedelta(days=WINDOW_DAYS)),
    )


def _visits(
    random: np.random.Generator, customer: np.ndarray, entered: np.ndarray, pace: np.ndarray
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Events of a visit of each `customer` from day `entered` on, the day when it was left, and whether lost."""
    n, days = len(customer), np.arange(0, N_DAYS, STEP)
    events = {}
    for name, rate in RATES.items():
        own = rate * (pace[customer] if name == "looked" else np.ones(n))
        counts = random.poisson(own * N_DAYS)
        events[name] = (np.repeat(np.arange(n), counts), random.uniform(0, N_DAYS, counts.sum()))
    after = np.zeros((n, len(days) + 1))
    of, at = events["trouble"]
    begins = np.ceil(at / STEP).astype(int).clip(max=len(days))
    ends = np.ceil((at + WITHIN) / STEP).astype(int).clip(max=len(days))
    np.add.at(after, (of, begins), 1)
    np.add.at(after, (of, ends), -1)
    raised = np.where(after.cumsum(axis=1)[:, :-1] > 0, RATIO, 1.0)
    cancel = (np.where(days < LATE, CANCEL_EARLY, CANCEL_LATE) * raised * STEP).cumsum(axis=1)
    buy = np.where(days < LATE, 0, BUY_LATE * STEP).cumsum()
    lost = STEP * (cancel < random.exponential(size=(n, 1))).sum(axis=1) + random.uniform(0, STEP, n)
    bought = STEP * (buy < random.exponential(size=(n, 1))).sum(axis=1)
    stay, is_lost = np.minimum(lost, bought), lost < bought
    rows = [pd.DataFrame({"customer": customer, "day": entered, "event": "start"})]
    rows.append(
        pd.DataFrame({"customer": customer, "day": entered + stay, "event": np.where(is_lost, "cancel", "buy")})
    )
    for name, (of, at) in events.items():
        kept = at < stay[of]
        rows.append(pd.DataFrame({"customer": customer[of], "day": entered[of] + at, "event": name})[kept])
    return pd.concat(rows, ignore_index=True), entered + stay, is_lost


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else RUNS))
