"""Made-up groups and personas whose truth is known in closed form: what is asked of them by `truth.py`.

Each run makes up customers who come three times to one stage, on whole days (so that many leave on the same day), some
of them before the window (late entry), some still inside at its end. How long the visits of one customer last is
correlated, and so is how they end; but any one visit lasts exponentially long and ends by price with one probability,
whatever the others do. So the truth is known in closed form, and every visit counts for it alike.

Personas are found in made-up logs of customers who behave in two ways that have nothing to do with how long they stay.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.stats import norm

from journeylab.estimators.cox import fit_cox
from journeylab.estimators.logrank import logrank_test
from journeylab.events.journey import Journey
from journeylab.events.log import EventLog, Window
from journeylab.events.queries.covariates import Exposure
from journeylab.events.reading import read_events
from journeylab.events.spells import COLUMNS, Spells, find_spells
from journeylab.events.spells.exits import find_exits
from journeylab.findings.comparison import Comparison, compare_groups
from journeylab.findings.grouping import Grouping
from journeylab.findings.hazards import fit_hazards
from journeylab.findings.personas import find_personas
from journeylab.findings.survival import estimate_survival

N_CUSTOMERS, N_VISITS = 150, 3
RATE, RATIO, EXPOSED_RATIO = 0.03, 1.6, 2.0  # per day; of group b to group a; after the exposure to before
PRICE, CORRELATION = 0.4, 0.5
HORIZON, APART, LONGEST, WINDOW_DAYS, KNOWN_AFTER = 60, 120, 110, 300, 15
N_BEHAVING, WITHIN, ACTIVE_DAYS = 240, 14, 45
ACTS = (1.8, 0.7)  # a day, of customers of either kind
HABITS = ((0.75, 0.15, 0.1), (0.1, 0.15, 0.75))  # by kind, how they are shared among the events below
EVENTS, CHANNELS = ("browsed", "asked", "called"), ("web", "mail", "phone")
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


Claim = tuple[str, bool, tuple[float, float] | None]  # what is asked, whether it was so, and limits of how often


def of_visits(seed: int) -> Iterator[Claim]:
    """What is asked of made-up spells."""
    yield from _held(seed)
    yield from _alarmed(seed)


def of_personas(seed: int) -> Iterator[Claim]:
    """Whether personas seem to differ in how customers leave, though neither has to do with the other.

    They are found by the first days, without the proof by resampling, and compared from then on. Beside them, what is
    wrong: groups by what customers did in all their time in the journey, compared from its start.
    """
    log = behaviour(seed)
    spells = find_spells(log, JOURNEY)
    personas = find_personas(log, JOURNEY, within=f"{WITHIN}d", seed=seed, max_personas=3, replicates=0)
    yield "personas: two or more are found", len(personas.table) > 1, None
    if len(personas.table) > 1:
        found = compare_groups(spells, stage="trial", by=personas.grouping(), horizon=f"{HORIZON}d")
        yield from _of_alarms(found, ", personas")
    acts = log.events.group_by("customer_id").aggregate(acts=log.events.count()).execute()
    is_busy = acts.set_index("customer_id")["acts"].transform(lambda count: count > count.median())
    plain = _plain_log_rank(spells.to_pandas(), is_busy)
    yield "for comparison, false alarm: whole-life groups, plain log-rank", plain, None


def _held(seed: int) -> Iterator[Claim]:
    """Whether intervals hold the truth: groups that differ, visits that are exposed, and all visits together.

    And whether hazards, which are proportional, seem not to be, the covariates being of influence.

    Limits of a median are whole days here, so they lie a little further out than need be.
    """
    spells, group = journeys(seed, ratio=RATIO)
    found = compare_groups(spells, stage="trial", by=group, horizon=f"{HORIZON}d")
    yield from _of_comparison(found)
    spells, group, exposure = exposed_journeys(seed)
    hazards = fit_hazards(spells, stage="trial", exit="price", covariates=[group, exposure])
    for row in hazards.table[hazards.table["lower"].notna()].itertuples():
        truth = {"a": 1 / RATIO, "b": RATIO}.get(row.level, EXPOSED_RATIO)
        yield f"held: hazard ratio of {row.covariate}", row.lower <= truth <= row.upper, HELD
    for row in hazards.checks.itertuples():
        yield f"false alarm: hazards of {row.covariate} not proportional", row.proportional_p < 0.05, ALARMED
    median = estimate_survival(journeys(seed, ratio=1.0)[0]).medians().set_index("quantile").loc[0.5]
    truth = np.ceil(np.log(2) / RATE)
    yield "held: median", not (median["lower"] > truth or median["upper"] < truth), (HELD[0], 0.99)


def _of_comparison(found: Comparison) -> Iterator[Claim]:
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


def _alarmed(seed: int) -> Iterator[Claim]:
    """Whether groups drawn at random seem to differ: known from the start, and known some days after first entering."""
    spells, group = journeys(seed, ratio=1.0)
    visits = spells.to_pandas()
    known = visits.groupby("customer_id")["entered"].min() + pd.Timedelta(days=KNOWN_AFTER)
    for name, grouping in (("", group), (", landmark", Grouping("group", group[known.index], known))):
        yield from _of_alarms(compare_groups(spells, stage="trial", by=grouping, horizon=f"{HORIZON}d"), name)
    yield "for comparison, false alarm: plain log-rank", _plain_log_rank(visits, group), None
    exits = find_exits(visits, JOURNEY)[0]
    rows = {"entry": exits.entry, "exit": exits.exit, "event": exits.destination > 0}
    cox = fit_cox((group[visits["customer_id"]] == "b").to_numpy(float)[:, None], **rows)
    exact = cox.proportional_hazards_test().overall.p_value
    yield "for comparison, false alarm: hazards not proportional, exact test", exact < 0.05, None


def _of_alarms(found: Comparison, name: str) -> Iterator[Claim]:
    """Whether groups seem to differ in any way, in each, and in hazards that are not proportional."""
    tests = found.tests[found.tests["p_value"].notna()]
    if tests.empty:
        return
    yield f"false alarm: any test, adjusted{name}", bool((tests["p_adjusted"] < 0.05).any()), ALARMED
    for row in tests.itertuples():
        yield f"false alarm: {row.test}, {row.to}{name}", row.p_value < 0.05, ALARMED
    yield f"false alarm: hazards not proportional{name}", tests["proportional_p"].iloc[0] < 0.05, ALARMED


def _plain_log_rank(visits: pd.DataFrame, group: pd.Series) -> bool:
    """Whether visits to the trial seem to differ by group, taken for independent."""
    visits = visits[visits["stage"] == "trial"]
    exits = find_exits(visits, JOURNEY)[0]
    rows = {"entry": exits.entry, "exit": exits.exit, "event": exits.destination > 0}
    return logrank_test(group[visits["customer_id"]].to_numpy(), **rows).p_value < 0.05


def truth(rate: float) -> dict[str, float]:
    """Of visits left at `rate`, on whole days: mean days inside until the horizon, and the share out by each way."""
    out = 1 - np.exp(-rate * HORIZON)
    inside = np.exp(-rate * np.arange(HORIZON)).sum()
    return {"inside": inside, "advanced": (1 - PRICE) * out, "price": PRICE * out}


def journeys(seed: int, *, ratio: float) -> tuple[Spells, pd.Series]:
    """Made-up spells, and customers at random in groups a and b, the latter leaving `ratio` times as fast."""
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


def behaviour(seed: int) -> EventLog:
    """A made-up log of customers who come up to three times and act in one of two ways in their first weeks inside.

    How long they stay, and how it ends, is as in `journeys`, whatever they do.
    """
    random = np.random.default_rng([seed, 2])
    n = N_BEHAVING
    entered = random.integers(0, 60, n)[:, None] + APART * np.arange(N_VISITS)
    lasted = np.ceil(-norm.logsf(_alike(random, n)) / RATE).astype(np.int64).clip(1)
    ending = np.where(norm.cdf(_alike(random, n)) < PRICE, "cancel", "buy")
    customer = np.repeat(np.arange(n), N_VISITS)
    is_ended = lasted.ravel() <= LONGEST
    marks = [(customer, entered.ravel(), "start"), (customer, (entered + lasted).ravel(), ending.ravel())]
    starts, ends = (pd.DataFrame({"customer_id": who, "day": day, "event": what}) for who, day, what in marks)
    kind = (random.random(n) < 0.5).astype(int)
    inside = np.minimum(lasted.ravel(), ACTIVE_DAYS)
    visit = np.repeat(np.arange(len(customer)), random.poisson(np.array(ACTS)[kind[customer]] * inside))
    who = customer[visit]
    what = (random.random(len(who))[:, None] > np.cumsum(HABITS, axis=1)[kind[who], :-1]).sum(axis=1)
    day = entered.ravel()[visit] + inside[visit] * random.uniform(0.01, 0.99, len(who))
    acts = {"customer_id": who, "day": day, "event": np.array(EVENTS)[what], "channel": np.array(CHANNELS)[what]}
    rows = pd.concat([starts, ends[is_ended], pd.DataFrame(acts)])
    rows["customer_id"] = _names(rows["customer_id"].to_numpy())
    rows["time"] = START + pd.to_timedelta((rows["day"] * 86_400).round(), unit="s")
    columns = ["customer_id", "time", "event", "channel"]
    rows = rows.loc[rows["day"] < WINDOW_DAYS, columns].sort_values(["customer_id", "time"], kind="stable")
    return read_events(rows, columns={}, window=(START, START + pd.Timedelta(days=WINDOW_DAYS)))


def _drawn(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Days of entering, membership of b, cumulative hazard at leaving, and whether by price: by customer and visit."""
    offset = random.integers(-100, 20, N_CUSTOMERS)
    entered = offset[:, None] + APART * np.arange(N_VISITS)
    of_b = random.random(N_CUSTOMERS) < 0.5
    return entered, of_b, -norm.logsf(_alike(random)), norm.cdf(_alike(random)) < PRICE


def _alike(random: np.random.Generator, n_customers: int = N_CUSTOMERS) -> np.ndarray:
    """Standard normal by customer and visit, correlated within customers."""
    of_customer = random.standard_normal((n_customers, 1))
    of_visit = random.standard_normal((n_customers, N_VISITS))
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
    return np.array([f"c{number:03}" for number in range(max(N_CUSTOMERS, N_BEHAVING))], object)[customers]


def _labels(is_b: np.ndarray) -> pd.Series:
    return pd.Series(np.where(is_b, "b", "a"), index=_names(np.arange(N_CUSTOMERS)), name="group")
