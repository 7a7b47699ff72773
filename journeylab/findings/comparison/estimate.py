"""How groups of customers are compared in one stage."""

from datetime import timedelta

import pandas as pd

from journeylab.base.durations import days
from journeylab.base.errors import EstimateError
from journeylab.base.words import counted
from journeylab.events.queries.covariates import check_known_in_time
from journeylab.events.spells import Spells
from journeylab.events.spells.exits import MOVES, Exits, find_exits, visits_to
from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.comparison.arms import Arms
from journeylab.findings.comparison.comparison import Comparison
from journeylab.findings.comparison.verdicts import judged
from journeylab.findings.finding import tidy
from journeylab.findings.grouping import By, WatchedVisits, Where, why_nobody

MOST_GROUPS = 12
_TABLE = "group stage measure to horizon_days estimate lower upper standard_error n customers at_risk events note"
_DIFFERENCES = "group reference stage measure to horizon_days estimate lower upper n customers note"
_TESTS = "stage to test statistic degrees_of_freedom p_value p_adjusted proportional_p groups n customers events note"
_RATIOS = "stage to group reference estimate lower upper p_value n customers events"


def compare_groups(
    spells: Spells,
    *,
    stage: str,
    by: By,
    where: Where | None = None,
    horizon: str | timedelta,
    confidence: float = 0.95,
) -> Comparison:
    """Do groups of customers differ in how long they stay in `stage`, and by which exits they leave it?

    Parameters
    ----------
    spells : Spells
    stage : str
    by : Grouping, Series, str or list of these
        Groups to compare: labels by customer, or a column of the customers' table known at the start; a list gives all
        combinations.
    where : str or Series of bool, optional
        Only these customers: a condition on their columns, such as ``"seats > 10"``, or yes or no for each customer.
    horizon : str or timedelta
        How far to look after entering, such as ``"90d"``. Visits still running then count as still inside; means,
        shares, tests and factors are all of this one period.
    confidence : float
        The level of all intervals.

    Returns
    -------
    Comparison
        Groups with fewer than 10 customers, never as many as 10 visits at risk, or fewer than 5 expected to leave if
        all groups were alike, stay in the table and are not compared; no figure is shown for fewer than 5 customers.
        Groups with fewer than 20 customers are compared, and not tested.
        Empty where nobody of a known group was watched inside, or one group only; `lacking` then says so.

    Raises
    ------
    EstimateError
        No such stage or no exit from it; unknown `by`; labels known too late; no labelled customer has a spell; more
        than 12 groups that could be compared; impossible `confidence`.
    JourneyLabError
        A horizon that is not a duration.

    Notes
    -----
    Where labels became known late (personas), or visits were running before the window, all groups are watched from
    one common day after entering on: the first on which each has 10 visits at risk. All is then given still inside on
    that day, as `start_day` and the notes say.

    Customers who come back are one cluster in every error and test. Restricted means and incidence: Aalen-Johansen with
    the infinitesimal jackknife; means on the logit scale of the time there is, by Student's t; their differences: Zou &
    Donner. Tests and hazard ratios allow for few customers: G/(G - 1), and F or t with G - d degrees of freedom. A
    restricted mean needs no assumption, so it comes first; a hazard ratio is an average over the time if it changes.

    References
    ----------
    Zou & Donner 2008, Statistics in Medicine 27:1693-1702. Few clusters: Cameron & Miller 2015, Journal of Human
    Resources 50:317-372. Tests: Lin & Wei 1989, JASA 84:1074-1078; Gray 1988, Annals
    of Statistics 16:1141-1154. Proportional hazards: Grambsch & Therneau 1994, Biometrika 81:515-526.

    Examples
    --------
    >>> import journeylab as jl
    >>> simulation = jl.simulate_log(200, seed=1)
    >>> spells = jl.find_spells(simulation.log, simulation.journey)
    >>> comparison = jl.compare_groups(spells, stage="evaluating", by="plan", horizon="30d")
    >>> comparison.tests[["to", "test", "groups", "n"]].head(2)
             to              test  groups    n
    0    at all  log-rank, robust       3  178
    1  advanced      Gray, robust       3  178
    """
    day = days(horizon)
    watched = WatchedVisits.of(spells, by=by, where=where, confidence=confidence)
    journey, name = watched.spells.journey, watched.by
    inside = visits_to(watched.spells.to_pandas(), journey, stage)
    for column in [by] if isinstance(by, str) else by if isinstance(by, list | tuple) else []:
        if isinstance(column, str):
            check_known_in_time(inside, watched.spells.customers, column)
    visits = visits_to(watched.visits, journey, stage)
    _check_number(visits, name)
    groups = [exits for exits in find_exits(visits, journey) if exits.n]
    lacking = _lacking(groups, stage) if groups else _why_nobody(watched, stage, inside)
    ways = (*MOVES, *journey.branches)
    all_arms = Arms.of([] if lacking else groups, ways=ways, horizon=day, confidence=confidence)
    tests, ratios, arms = judged(all_arms)
    return Comparison(
        **{**watched.about(""), "title": f"“{stage}” compared by {name}"},
        table=tidy(arms.rows(), _TABLE, by=name),
        lacking=lacking,
        differences=tidy(arms.differences(), _DIFFERENCES, by=name),
        tests=tidy(tests, _TESTS, by=name),
        hazard_ratios=tidy(ratios, _RATIOS, by=name),
        stage=stage,
        horizon_days=day,
        start_day=arms.start if arms.start >= 0 else None,
    )


def _lacking(groups: list[Exits], stage: str) -> str | None:
    if len(groups) > 1:
        return None
    only = f"“{groups[0].group}” with {counted(groups[0].n, 'visit')}"
    return f"Only one group was watched inside “{stage}”, {only}, so there is nothing to compare."


def _why_nobody(watched: WatchedVisits, stage: str, inside: pd.DataFrame) -> str:
    if len(watched.spells) and watched.grouping and len(watched.grouping.labels) and inside.empty:
        return f"Nobody was watched inside “{stage}”, so there is nothing to compare."
    return why_nobody(watched.spells, watched.grouping, inside=f"inside “{stage}”")


def _check_number(visits: pd.DataFrame, by: str | None) -> None:
    customers = visits.groupby("group")["customer_id"].nunique()
    n_large = int((customers >= MIN_CUSTOMERS).sum())
    if n_large > MOST_GROUPS:
        raise EstimateError(
            f"“{by}” has {n_large} groups of {MIN_CUSTOMERS} customers or more, too many to compare in pairs. "
            f"Merge them to at most {MOST_GROUPS}; for a number, take its ranges."
        )
