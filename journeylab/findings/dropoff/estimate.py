"""How drop-off is estimated from the spells of customers."""

import re
from collections.abc import Iterable
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.events.features.attributes import tells_only_the_future
from journeylab.events.journey import SILENT, Journey
from journeylab.events.log import KNOWN_AT
from journeylab.events.spells import Spells
from journeylab.events.spells.exits import Exits, build_ledger, find_exits
from journeylab.findings.arguments import check_confidence, check_min_at_risk, read_horizons
from journeylab.findings.dropoff import tables
from journeylab.findings.dropoff.differences import LOST
from journeylab.findings.dropoff.dropoff import DropOff
from journeylab.findings.dropoff.units import CustomersLost, Unit, check_unit, first_visits
from journeylab.findings.exit_curves import StageExits
from journeylab.findings.finding import tidy
from journeylab.findings.grouping import By, WatchedVisits, Where, known_at_column

# Names for the reason that nobody wrote down.
_NO_REASON = re.compile(
    r"(all[ _-]?)?others?([ _-]reasons?)?|unknown([ _-]reasons?)?|unspecified|misc(ellaneous)?|not[ _-]stated"
    r"|no[ _-](reason|answer)([ _-](given|stated))?",
    re.IGNORECASE,
)

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
        numbers, or negative; `confidence` not between 0 and 1; `min_at_risk` below 1.
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
    check_confidence(confidence)
    check_min_at_risk(min_at_risk)
    check_unit(unit)
    watched = WatchedVisits.of(spells, by=by, where=where)
    journey, visits = watched.spells.journey, watched.visits
    if value is not None:
        visits = _with_values(visits, value, watched.spells)
    if unit == "first_visits":
        every_visit = watched.spells.table.select(["customer_id", "spell", "stage"]).to_pandas()
        visits = first_visits(visits, every_visit)
    exits = find_exits(visits, journey)
    customers = CustomersLost(visits, journey, watched.spells.window.end, min_at_risk, confidence)
    if unit == "customers":
        cells, any_loss = customers.by_branch, customers.any_loss
    else:
        cells = tuple(StageExits(cell, min_at_risk, confidence) for cell in exits)
        any_loss = tuple(StageExits(_any_loss(cell), min_at_risk, confidence) for cell in exits)
    losses = (row for cell in any_loss for row in cell.rows(days) if row["to"] == LOST)
    table = tidy((row for cell in cells for row in cell.rows(days)), _COLUMNS, by=watched.by)
    return DropOff(
        **watched.about("Drop-off by stage and branch"),
        table=table,
        lacking=None if any(cell.n for cell in exits) else watched.why_nobody(),
        ledger=build_ledger(exits, journey),
        losses=tidy(losses, _COLUMNS, by=watched.by),
        horizons=days,
        confidence=confidence,
        unexplained_branches=unexplained_branches(journey),
        value=None if value is None else _name_of(value),
        unit=unit,
        cells=cells,
        any_loss=any_loss,
        customers_lost=customers,
        places=tables.places(table),
        people=build_ledger(exits, journey, unit="customers"),
        completing=frozenset(stage.name for stage in journey.stages if stage.completes),
    )


def _any_loss(exits: Exits) -> Exits:
    return exits.merged(exits.losses, LOST) if exits.losses else exits


def unexplained_branches(journey: Journey) -> tuple[str, ...]:
    """The branches of `journey` that give no reason, in its order.

    Silence; branches named for having none, such as “other” or “unknown”; and those that take the rest: without a
    condition on columns, on an event of which another branch takes some by such a condition.
    """
    branches = journey.loss_branches
    with_condition = {event for branch in branches if branch.when.where for event in branch.when.events}
    without_reason = [
        branch.name
        for branch in branches
        if _NO_REASON.fullmatch(branch.name)
        or (not branch.when.where and with_condition.intersection(branch.when.events))
    ]
    return tuple(name for name in journey.branches if name in without_reason or name == SILENT)


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
