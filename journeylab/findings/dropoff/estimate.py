"""How drop-off is estimated from the spells of customers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.events.features.attributes import tells_only_the_future
from journeylab.events.log import KNOWN_AT, EventLog
from journeylab.events.spells import Spells
from journeylab.events.spells.exits import Exits, build_ledger, find_exits
from journeylab.findings.arguments import check_min_at_risk, read_horizons
from journeylab.findings.dropoff import tables
from journeylab.findings.dropoff.differences import LOST
from journeylab.findings.dropoff.dropoff import DropOff
from journeylab.findings.dropoff.reasons import decided_by_company, named_for_a_reason, unexplained_branches
from journeylab.findings.dropoff.steadiness import with_silence
from journeylab.findings.dropoff.units import CustomersLost, Unit, check_unit, first_visits
from journeylab.findings.exit_curves import StageExits
from journeylab.findings.finding import tidy
from journeylab.findings.grouping import By, WatchedVisits, Where, known_at_column

_VISIT = ["customer_id", "spell"]
_COLUMNS = (
    "group stage to kind horizon_days estimate lower upper at_least at_most crude n customers events at_risk note"
)


def estimate_dropoff(
    spells: Spells,
    *,
    horizons: Iterable[str | timedelta],
    unit: Unit = "visits",
    by: By | None = None,
    where: Where | None = None,
    value: pd.Series | str | None = None,
    log: EventLog | None = None,
    confidence: float = 0.95,
    min_at_risk: int = 10,
) -> DropOff:
    """Of those who enter each stage, how many are lost, by which branch, within each of `horizons`?

    Parameters
    ----------
    spells : Spells
    horizons : list of str or timedelta
        Days after entering the stage, such as ``["30d", "90d"]``.
    unit : {"visits", "first_visits", "customers"}
        What is counted: every visit; each customer's first visit to the stage; or customers, who are lost if one of
        their visits is, on the clock of days since they first entered. With “customers” the table has losses only.
    by : Grouping, Series, str or list of these, optional
        Groups to compare: labels by customer, or a column of the customers' table; a list gives all combinations.
        Where a label became known after the journey began (personas), its customers are watched from then on.
    where : str or Series of bool, optional
        Only these customers: a condition on their columns, such as ``"seats > 10"``, or yes or no for each customer.
    value : Series or str, optional
        What customers are worth, in any one unit, 0 or more, known when a visit begins: a numeric column of
        `spells.customers`, a Series by customer_id, or one by customer_id and spell such as `score_value` gives. Visits
        without a value are left out of what is said of value, and of nothing else.
    log : EventLog, optional
        The log of these spells. With it the sentence also says whether the same exit is the largest with every silence
        window half and twice as long. That reads the log once.
    confidence : float
        The level of all intervals.
    min_at_risk : int
        An estimate is missing, with a note, if fewer customers came, or if too much is unresolved after the last time
        with as many visits at risk; see Notes.

    Returns
    -------
    DropOff
        Empty where nobody was watched in any stage, or nobody with a label of `by`; `lacking` then says why.

    Raises
    ------
    EstimateError
        No horizon; unknown `unit`, `by` or `value`; no customer with a label or value has a spell; values that are not
        numbers, or negative; a `log` with another window; `confidence` not between 0 and 1; `min_at_risk` below 1.
    JourneyLabError
        A horizon that is not a duration.

    Notes
    -----
    The unit is by default the visit (spell), on the spell clock; standard errors are clustered by customer
    (infinitesimal jackknife), intervals logit. Shares are Aalen-Johansen cumulative incidences: other exits compete,
    ongoing visits are censored at the window's end, visits already running at its start enter the risk set late. An
    exit that nobody took has the share 0 and Wilson's upper bound over the customers who were not censored before the
    horizon.

    Let t be the last day with `min_at_risk` at risk, F(t) the share out by an exit and S(t) the share inside. A later
    horizon is estimated where S(t) is at most 2 points; the interval then holds F(t) to F(t) + S(t) with their limits.
    Otherwise these are bounds, `at_least` and `at_most`. Where all were watched from entering and none was censored
    before the horizon, the estimate is a plain share of `n`. Silence has no estimate before it can show. Where
    the risk set is too small at first, and grows by late entry, estimates are conditional on being inside when it is
    large enough, which the note says.

    References
    ----------
    Aalen, Borgan & Gjessing (2008), Survival and Event History Analysis, section 3.4; Andersen & Keiding (2012),
    Statistics in Medicine 31:1074-1088.

    Examples
    --------
    >>> import journeylab as jl
    >>> simulation = jl.simulate_log(200, seed=1)
    >>> spells = jl.find_spells(simulation.log, simulation.journey)
    >>> dropoff = jl.estimate_dropoff(spells, horizons=["30d", "90d"])
    >>> dropoff.ledger[["stage", "entered", "advanced", "ongoing"]].head(2)
            stage  entered  advanced  ongoing
    0  evaluating      186       128        9
    1  onboarding      156        71       11
    """
    days = read_horizons(horizons)
    check_min_at_risk(min_at_risk)
    check_unit(unit)
    watched = WatchedVisits.of(spells, by=by, where=where, confidence=confidence)
    visits = watched.visits if value is None else _with_values(watched.visits, value, watched.spells)
    entered = _Counted.of(watched, visits, unit=unit, min_at_risk=min_at_risk, confidence=confidence)
    journey, apart = watched.spells.journey, decided_by_company(watched.spells.journey)

    def places_and_losses(other: Spells) -> tuple[pd.DataFrame, pd.DataFrame]:
        again = WatchedVisits.of(other, by=by, where=where, confidence=confidence)
        cut = _Counted.of(again, again.visits, unit=unit, min_at_risk=min_at_risk, confidence=confidence)
        return tables.places(cut.table(days, by=watched.by), apart), cut.losses(days, by=watched.by)

    table, losses = entered.table(days, by=watched.by), entered.losses(days, by=watched.by)
    places = tables.places(table, apart)
    return DropOff(
        **watched.about("Drop-off by stage and branch"),
        table=table,
        lacking=None if any(cell.n for cell in entered.exits) else watched.why_nobody(),
        ledger=build_ledger(entered.exits, journey),
        losses=losses,
        horizons=days,
        unexplained_branches=unexplained_branches(journey),
        by_company=apart,
        only_named=named_for_a_reason(journey),
        value=None if value is None else _name_of(value),
        unit=unit,
        cells=entered.cells,
        any_loss=entered.any_loss,
        customers_lost=entered.customers,
        places=places,
        steadiness=with_silence(places_and_losses, (places, losses), log, watched.spells),
        people=build_ledger(entered.exits, journey, unit="customers"),
        completing=frozenset(stage.name for stage in journey.stages if stage.completes),
    )


@dataclass(frozen=True)
class _Counted:
    """What is counted, in one unit: the exits, and the cells and customers of `DropOff`."""

    exits: list[Exits]
    customers: CustomersLost
    cells: tuple[StageExits, ...]
    any_loss: tuple[StageExits, ...]

    @classmethod
    def of(
        cls, watched: WatchedVisits, visits: pd.DataFrame, *, unit: Unit, min_at_risk: int, confidence: float
    ) -> "_Counted":
        spells = watched.spells
        if unit == "first_visits":
            visits = first_visits(visits, spells.table.select(["customer_id", "spell", "stage"]).to_pandas())
        exits = find_exits(visits, spells.journey)
        customers = CustomersLost(visits, spells.journey, spells.window.end, min_at_risk, confidence)
        if unit == "customers":
            return cls(exits, customers, customers.by_branch, customers.any_loss)
        cells, any_loss = (
            tuple(StageExits(cell, min_at_risk, confidence) for cell in part) for part in (exits, map(_any_loss, exits))
        )
        return cls(exits, customers, cells, any_loss)

    def table(self, days: tuple[float, ...], *, by: str | None) -> pd.DataFrame:
        return tidy((row for cell in self.cells for row in cell.rows(days)), _COLUMNS, by=by)

    def losses(self, days: tuple[float, ...], *, by: str | None) -> pd.DataFrame:
        rows = (row for cell in self.any_loss for row in cell.rows(days) if row["to"] == LOST)
        return tidy(rows, _COLUMNS, by=by)


def _any_loss(exits: Exits) -> Exits:
    return exits.merged(exits.losses, LOST) if exits.losses else exits


def _name_of(value: pd.Series | str) -> str:
    """What the values are called."""
    return value if isinstance(value, str) else str(value.name or "value")


def _with_values(visits: pd.DataFrame, value: pd.Series | str, spells: Spells) -> pd.DataFrame:
    """`visits` with a column `value`, missing where it is not known; see `estimate_dropoff`.

    A column of the customers' table with a time when it became known (NAME_known_at or known_at) is the value of visits
    that began at that time or after, and of no earlier ones.
    """
    name = _name_of(value)
    series, known_at = _value_column(value, spells.customers) if isinstance(value, str) else (value, None)
    _check_values(name, series, visits)
    if isinstance(series.index, pd.MultiIndex):
        by_visit = series.rename("value").rename_axis(_VISIT).reset_index()
        worth = visits[_VISIT].merge(by_visit, on=_VISIT, how="left", validate="many_to_one")["value"]
    else:
        worth = visits["customer_id"].map(series)
    worth = worth.to_numpy(dtype=float)
    if known_at is not None:
        known = pd.to_datetime(visits["customer_id"].map(known_at), utc=True)
        worth = np.where((visits["entered"] >= known).to_numpy(), worth, np.nan)
    return visits.assign(value=worth)


def _value_column(name: str, customers: pd.DataFrame) -> tuple[pd.Series, pd.Series | None]:
    if name not in customers.columns:
        known = [column for column in customers.columns if pd.api.types.is_numeric_dtype(customers[column])]
        raise EstimateError(f"The customers have no attribute “{name}” to value them by. {did_you_mean(name, known)}")
    times = known_at_column(name, customers)
    if times is not None:
        return customers[name], customers[times]
    if tells_only_the_future(name):
        raise EstimateError(
            f"The customers’ attribute “{name}” is named for something that only the future tells: those who stayed "
            f"longer would be worth more. Say in a column “{name}_{KNOWN_AT}” when each value became known, rename it "
            "for what it holds, or give what they were worth on entering: score_value(log, spells)."
        )
    return customers[name], None


def _check_values(name: str, values: pd.Series, visits: pd.DataFrame) -> None:
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        raise EstimateError(
            f"The values “{name}” are {values.dtype}, not numbers. Give what each customer is worth, in one unit."
        )
    wrong = (values < 0) | np.isinf(values.astype(float))
    if wrong.any():
        raise EstimateError(
            f"{wrong.sum():,} of the values “{name}” are negative or infinite, first {values[wrong].iloc[0]:g} for "
            f"“{values.index[wrong][0]}”. Give 0 or more; leave out what is not known."
        )
    twice = values.index[values.index.duplicated()]
    if len(twice):
        raise EstimateError(f"“{twice[0]}” has more than one value of “{name}”. Give each one row.")
    if len(visits) and len(values) and not visits["customer_id"].isin(values.index.get_level_values(0)).any():
        raise EstimateError(
            f"None of the customers with a value of “{name}” has a spell. Index the values by customer_id, or by "
            "customer_id and spell."
        )
