"""How the time in each stage is estimated from the spells of customers."""

from journeylab.events.spells import Spells
from journeylab.events.spells.exits import MOVES, find_exits
from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.exit_curves import ExitCurves, with_enough_at_risk
from journeylab.findings.grouping import By, WatchedVisits, Where
from journeylab.findings.survival.survival import Survival
from journeylab.findings.survival.tables import quantiles_of, states_of


def estimate_survival(
    spells: Spells, *, by: By | None = None, where: Where | None = None, confidence: float = 0.95
) -> Survival:
    """How long do customers stay in each stage, and by which exits do they leave it?

    Parameters
    ----------
    spells : Spells
    by : Grouping, Series, str or list of these, optional
        Groups to compare: labels by customer, or a column of the customers' table; a list gives all combinations.
        Where a label became known after the journey began (personas), its customers are watched from then on.
    where : str or Series of bool, optional
        Only these customers: a condition on their columns, such as ``"seats > 10"``, or yes or no for each customer.
    confidence : float
        The level of all intervals.

    Returns
    -------
    Survival
        Where fewer than 10 visits were at risk at first and more later, a curve starts with the latter, given being
        inside then, and a note says so; so too where fewer than a fifth of the most there are later were at risk, and
        more than a tenth of all would count as gone for what these few did. Empty where nobody was watched in any
        stage, or nobody with a label of `by`; `lacking` then says why.

    Raises
    ------
    EstimateError
        Unknown `by`; no labelled customer has a spell; `confidence` not between 0 and 1.

    Notes
    -----
    Aalen-Johansen on the spell clock, with every exit from the stage as a state of its own: the exits compete, visits
    ongoing at the window's end are censored there, visits that had begun before they were watched enter the risk set
    late. Standard errors are clustered by customer (infinitesimal jackknife); intervals are log(-log) for staying,
    logit for each exit, and, for a share of exactly 0 or 1, Wilson's over the customers who were not censored before.

    References
    ----------
    Aalen, Borgan & Gjessing (2008), Survival and Event History Analysis, section 3.4; Andersen & Keiding (2012),
    Statistics in Medicine 31:1074-1088.

    Examples
    --------
    >>> import journeylab as jl
    >>> simulation = jl.simulate_log(200, seed=1)
    >>> spells = jl.find_spells(simulation.log, simulation.journey)
    >>> jl.estimate_survival(spells).medians()[["stage", "quantile", "n"]].head(3)
            stage  quantile    n
    0  evaluating      0.25  186
    1  evaluating      0.50  186
    2  evaluating      0.75  186
    """
    watched = WatchedVisits.of(spells, by=by, where=where, confidence=confidence)
    journey = watched.spells.journey
    entered = [exits for exits in find_exits(watched.visits, journey) if exits.n]
    curves = tuple(ExitCurves.of(with_enough_at_risk(exits, MIN_CUSTOMERS), confidence) for exits in entered)
    return Survival(
        **watched.about("Time in each stage"),
        table=states_of(curves, by=watched.by),
        lacking=None if entered else watched.why_nobody(),
        ways=(*MOVES, *journey.branches),
        quantiles=quantiles_of(curves, by=watched.by),
        curves=curves,
    )
