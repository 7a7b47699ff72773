"""How recovery is estimated from the spells of customers."""

from collections.abc import Iterable
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.events.log import EventLog
from journeylab.events.queries.returns import ANY_BRANCH, ANY_STAGE, Absences, find_absences, find_returns
from journeylab.events.spells import Spells
from journeylab.findings.arguments import check_min_at_risk, read_horizons
from journeylab.findings.exit_curves import StageExits, whose
from journeylab.findings.finding import tidy
from journeylab.findings.grouping import By, WatchedVisits, Where, why_nobody
from journeylab.findings.recovery.activity import ACTIVITY, activity_of, with_signs_of_life
from journeylab.findings.recovery.recovery import Recovery

_COLUMNS = "group stage to horizon_days estimate lower upper crude n customers events at_risk note"
_WAITS = "group stage to horizon_days estimate lower upper n customers events note"
# With fewer returns, half of them is hardly a number.
FEWEST_RETURNS = 5


def estimate_recovery(
    spells: Spells,
    *,
    horizons: Iterable[str | timedelta],
    by: By | None = None,
    where: Where | None = None,
    log: EventLog | None = None,
    confidence: float = 0.95,
    min_at_risk: int = 10,
) -> Recovery:
    """Of the customers lost from each stage to each branch, how many come back within each of `horizons`, and how soon?

    Parameters
    ----------
    spells : Spells
    horizons : list of str or timedelta
        Days since the loss, such as ``["30d", "90d"]``.
    by : Grouping, Series, str or list of these, optional
        Groups to compare: labels by customer, or a column of the customers' table; a list gives all combinations. A
        label that became known while a customer was away counts from then on.
    where : str or Series of bool, optional
        Only these customers: a condition on their columns, such as ``"seats > 10"``, or yes or no for each customer.
    log : EventLog, optional
        The log of these spells. With it the finding also knows who went on as before after a loss, and so was not away.
    confidence : float
        The level of all intervals.
    min_at_risk : int
        Estimates are missing, with a note, where fewer customers were lost, or fewer losses are watched so long.

    Returns
    -------
    Recovery
        Empty where nobody was lost, or nobody with a label; `lacking` then says why.

    Raises
    ------
    EstimateError
        No horizon; unknown `by`; no labelled customer has a spell; `confidence` not between 0 and 1; `min_at_risk`
        below 1.
    JourneyLabError
        A horizon that is not a duration.

    Notes
    -----
    The unit is the loss, on the clock of days since it; customers not yet back at the window's end are censored
    (Kaplan-Meier; nothing competes with coming back). Standard errors are clustered by customer, intervals logit. A
    customer lost to silence was lost so many days after their last event as the stage is silent after.

    Examples
    --------
    >>> import journeylab as jl
    >>> simulation = jl.simulate_log(200, seed=1)
    >>> spells = jl.find_spells(simulation.log, simulation.journey)
    >>> jl.estimate_recovery(spells, horizons=["30d"]).overall[["stage", "to", "n"]]
           stage    to    n
    0  any stage  lost  164
    """
    days = read_horizons(horizons)
    check_min_at_risk(min_at_risk)
    watched = WatchedVisits.of(spells, by=by, where=where, confidence=confidence)
    away = find_absences(watched.spells)
    away = with_signs_of_life(away, log, watched.spells.window)
    absences = watched.grouping.apply(away) if watched.grouping else away
    cells = [StageExits(exits, min_at_risk, confidence) for exits in find_returns(absences, watched.spells.journey)]
    overall = [cell for cell in cells if cell.entered.stage == ANY_STAGE]
    return Recovery(
        **watched.about("Recovery after a loss"),
        table=tidy(_rows([cell for cell in cells if cell not in overall], days), _COLUMNS, by=watched.by),
        lacking=None if len(absences) else _why_nobody(watched, away),
        overall=tidy(_rows(overall, days), _COLUMNS, by=watched.by),
        waits=tidy((_wait(cell, days) for cell in cells), _WAITS, by=watched.by),
        horizons=days,
        branches=watched.spells.journey.branches,
        activity=tidy(activity_of(absences, watched.spells.journey, confidence), ACTIVITY, by=watched.by),
    )


def _rows(cells: Iterable[StageExits], horizons: tuple[float, ...]) -> list[dict]:
    return [{**row, "to": _branch(cell)} for cell in cells for row in cell.rows(horizons)]


def _branch(cell: StageExits) -> str:
    return cell.entered.branch if isinstance(cell.entered, Absences) else ANY_BRANCH


def _wait(cell: StageExits, horizons: tuple[float, ...]) -> dict:
    """The row of `waits` of one stage and branch."""
    exits = cell.exits
    reasons = {day: cell.why_unknown(day) for day in horizons}
    day = max((day for day, why in reasons.items() if why is None), default=horizons[-1])
    n_back = exits.count(exits.ways[0], within=day)
    note = reasons[day]
    if note is None and n_back < FEWEST_RETURNS:
        note = f"fewer than {FEWEST_RETURNS} came back" if n_back else "nobody came back"
    limits = (np.nan, np.nan, np.nan) if note else cell.curves.half_by(day, 1)
    return {
        **whose(exits),
        "to": _branch(cell),
        "horizon_days": day,
        **dict(zip(("estimate", "lower", "upper"), limits, strict=True)),
        "events": n_back,
        "note": note or exits.condition,
    }


def _why_nobody(watched: WatchedVisits, away: pd.DataFrame) -> str:
    if len(watched.spells) and (away.empty or watched.grouping is None):
        return "Nobody was lost, so nobody could come back."
    return why_nobody(watched.spells, watched.grouping, inside="away")
