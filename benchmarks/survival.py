"""How long do the estimators take on a million spells, next to what lifelines and statsmodels take for their part?

    python benchmarks/survival.py [SPELLS]          by default 1,000,000

Spells of customers who move among eight states, on whole days, each customer up to ten times. All packages run in this
one process, in turns, on the same rows: what they can do of it, and on fewer rows where a package would take minutes.
Exits with 1 where a limit is passed.
"""

import sys
import warnings
from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
import pandas as pd
from lifelines import AalenJohansenFitter, CoxPHFitter, KaplanMeierFitter
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from journeylab.estimators.aalen_johansen import AalenJohansen
from journeylab.estimators.cox import fit_cox

SPELLS, N_STATES, LAST_DAY, MOST_VISITS = 1_000_000, 8, 730, 10
TURNS = 3
REPORTED = np.array([30.0, 90.0, 180.0, 365.0])
LIMITS = {"curve": 0.5, "jackknife": 0.5, "cox": 5.0}  # seconds for a million spells
FEW = 20_000  # rows for what is slow
Contest = tuple[str, Callable[[], object], dict[str, Callable[[], object]]]


def main(n_spells: int) -> int:
    """Print what was measured; 1 if a limit is passed, else 0."""
    visits = made_up(n_spells)
    scale = max(n_spells / SPELLS, 0.01)
    n_customers = len(np.unique(visits["customer"]))
    print(f"{len(visits['exit']):,} spells of {n_customers:,} customers in {N_STATES} states, by day")
    curve, fitted = seconds(lambda: estimated(visits))
    jackknife, _ = seconds(lambda: estimated(visits).standard_errors([REPORTED[1]]))
    jackknife -= curve
    several, _ = seconds(lambda: estimated(visits).standard_errors(REPORTED))
    cox, _ = seconds(lambda: cox_model(visits))
    measured = {"curve": curve, "jackknife": jackknife, "cox": cox}
    print(f"point estimates on {len(fitted.times):,} days: {curve:.2f} s (limit {LIMITS['curve']:g})")
    print(f"clustered jackknife at one time: {jackknife:.2f} s more (limit {LIMITS['jackknife']:g})")
    print(f"clustered jackknife at {len(REPORTED)} times: {(several - curve) / len(REPORTED):.2f} s for each")
    print(f"Cox with late entry, two covariates, clusters: {cox:.2f} s (limit {LIMITS['cox']:g})")
    compare(visits)
    return 0 if all(measured[name] <= limit * scale for name, limit in LIMITS.items()) else 1


def compare(visits: dict[str, np.ndarray]) -> None:
    """Print how many times as long other packages take for what they can do, on the same rows."""
    few = {name: column[:FEW] for name, column in visits.items()}
    for what, ours, others in (*_curves(visits, few), *_models(visits, few)):
        here, _ = seconds(ours)
        for name, theirs in others.items():
            there, _ = seconds(theirs, turns=1)
            print(f"{what}: {here:.3f} s; {name}: {there:.3f} s, {there / here:.3g} times as long", flush=True)


def _curves(visits: dict[str, np.ndarray], few: dict[str, np.ndarray]) -> list[Contest]:
    days, ways = _ways(visits)
    some_days, some_ways = _ways(few)
    left = (ways > 0).astype(int)
    return [
        (
            "one way out, curve with errors",
            lambda: one_stage(days, left, 2),
            {
                "lifelines' KaplanMeierFitter": lambda: KaplanMeierFitter().fit(days, left),
                "statsmodels' SurvfuncRight": lambda: SurvfuncRight(days, left),
            },
        ),
        (
            "two ways out, incidence with errors",
            lambda: one_stage(days, ways, 3),
            {"statsmodels' CumIncidenceRight": lambda: CumIncidenceRight(days, ways)},
        ),
        (
            f"the same, first {FEW:,} spells",
            lambda: one_stage(some_days, some_ways, 3),
            {"lifelines' AalenJohansenFitter": lambda: _lifelines_incidence(some_days, some_ways)},
        ),
    ]


def _models(visits: dict[str, np.ndarray], few: dict[str, np.ndarray]) -> list[Contest]:
    return [
        (
            "Cox with late entry, clustered",
            lambda: cox_model(visits),
            {"statsmodels' PHReg, not clustered": lambda: _phreg(visits)},
        ),
        (
            f"the same, first {FEW:,} spells",
            lambda: cox_model(few),
            {"lifelines' CoxPHFitter": lambda: _lifelines_cox(few)},
        ),
    ]


def made_up(n_spells: int) -> dict[str, np.ndarray]:
    """Spells on the journey clock, whole days: each customer stays some days in a state, then moves, or is lost."""
    random = np.random.default_rng(1)
    n_customers = n_spells // 4
    visits = random.integers(1, MOST_VISITS, n_customers)
    customer = np.repeat(np.arange(n_customers), visits)
    first = np.cumsum(visits) - visits
    place = np.arange(len(customer)) - first[customer]
    lasted = random.integers(1, 120, len(customer))
    since = np.where(random.random(n_customers) < 0.2, random.integers(1, 60, n_customers), 0)
    until = np.cumsum(lasted)
    until += since[customer] - np.repeat(until[first] - lasted[first], visits)
    entry = until - lasted
    kept = np.flatnonzero(entry < LAST_DAY)[:n_spells]
    state = place * (1 + customer % (N_STATES - 2)) % (N_STATES - 1)  # the last state is being lost
    is_last = np.append(place[1:] == 0, True)
    destination = np.where(is_last, N_STATES - 1, np.append(state[1:], 0))
    destination = np.where(until > LAST_DAY, -1, destination)
    columns = {
        "customer": customer,
        "entry": entry.astype(float),
        "exit": np.minimum(until, LAST_DAY).astype(float),
        "origin": state,
        "destination": destination,
        "plan": (customer % 3 == 0).astype(float),
        "seats": random.gamma(2.0, 10.0, n_customers)[customer],
    }
    return {name: column[kept] for name, column in columns.items()}


def estimated(visits: dict[str, np.ndarray]) -> AalenJohansen:
    """The curves of all states on every day."""
    found = AalenJohansen.fit(
        *(visits[name] for name in ("entry", "exit", "origin", "destination")),
        n_states=N_STATES,
        ids=visits["customer"],
        initial_state=np.eye(N_STATES)[0],
    )
    found.occupancy(found.times)
    return found


def one_stage(days: np.ndarray, way: np.ndarray, n_states: int) -> AalenJohansen:
    """Incidence on the spell clock with errors on every day; way 0 is censored, 1 and above are ways out."""
    entry, origin = np.full(len(days), -1.0), np.zeros(len(days), int)
    found = AalenJohansen.fit(
        entry, days, origin, np.where(way > 0, way, -1), n_states=n_states, initial_state=np.eye(n_states)[0]
    )
    found.standard_errors(found.times)
    return found


def cox_model(visits: dict[str, np.ndarray]) -> np.ndarray:
    """Cox's model of leaving a state: its robust errors."""
    times = {name: visits[name] for name in ("entry", "exit")}
    return fit_cox(
        _covariates(visits), **times, event=visits["destination"] >= 0, ids=visits["customer"]
    ).robust_standard_errors


def seconds(work: Callable[[], object], *, turns: int = TURNS) -> tuple[float, object]:
    """The median time that `work` takes, and what it gives."""
    times = []
    for _ in range(turns):
        start = perf_counter()
        found = work()
        times.append(perf_counter() - start)
    return median(times), found


def _covariates(visits: dict[str, np.ndarray]) -> np.ndarray:
    return np.column_stack([visits["plan"], visits["seats"]])


def _ways(visits: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Days until leaving, and whether by moving (1), by being lost (2), or not yet (0)."""
    way = np.where(visits["destination"] == N_STATES - 1, 2, 1)
    return visits["exit"] - visits["entry"], np.where(visits["destination"] < 0, 0, way)


def _lifelines_incidence(days: np.ndarray, ways: np.ndarray) -> AalenJohansenFitter:
    with warnings.catch_warnings():  # it says that it moves ties apart at random
        warnings.simplefilter("ignore")
        return AalenJohansenFitter(seed=1).fit(days, ways, event_of_interest=1)


def _lifelines_cox(visits: dict[str, np.ndarray]) -> CoxPHFitter:
    named = {name: visits[name] for name in ("customer", "entry", "exit", "plan", "seats")}
    table = pd.DataFrame({**named, "left": visits["destination"] >= 0})
    return CoxPHFitter().fit(table, "exit", "left", entry_col="entry", cluster_col="customer")


def _phreg(visits: dict[str, np.ndarray]) -> object:
    left, entry = (visits["destination"] >= 0).astype(int), visits["entry"] + 1e-9  # it takes entry as closed
    return PHReg(visits["exit"], _covariates(visits), status=left, entry=entry, ties="efron").fit()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else SPELLS))
