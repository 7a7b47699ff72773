"""How visits become a flow through the stages."""

from types import MappingProxyType

import pandas as pd
import pyarrow.compute as pc

from journeylab.events.queries.paths import find_paths
from journeylab.events.spells import Spells
from journeylab.findings.grouping import By, WatchedVisits, Where
from journeylab.findings.paths import tables
from journeylab.findings.paths.balance import build_balance
from journeylab.findings.paths.flow import Flow


def estimate_flow(
    spells: Spells, *, by: By | None = None, where: Where | None = None, confidence: float = 0.95
) -> Flow:
    """From which stage do customers go to which, so far, and by which ways from the first stage to the end?

    The unit is the visit (spell); shares are of the visits to the stage, with standard errors clustered by customer.
    They count what was seen so far, and do not estimate what will become of those still inside: for these see
    `estimate_dropoff` and `estimate_survival`. A visit that was running when watching began counts, its time does not.
    The ways (`Flow.variants`) are of customers whose journey began in the window.

    Parameters
    ----------
    spells : Spells
    by : Grouping, Series, str or list of these, optional
        Groups to estimate one by one: labels by customer, a column of `spells.customers`, or a list for all
        combinations. Customers whose label became known later are watched from then on: see `Grouping.apply`.
    where : str or Series of bool, optional
        Only these customers, such as ``"seats > 10"``.
    confidence : float
        Of the intervals.

    Returns
    -------
    Flow
        Empty where nobody was watched, or nobody with a label of `by`; `lacking` then says why.

    Raises
    ------
    EstimateError
        If `by` or `where` is unknown, no label is of a customer with a spell, `confidence` is not between 0 and 1, or
        the spells do not follow from one another.

    Examples
    --------
    >>> import journeylab as jl
    >>> made = jl.simulate_log(200, seed=1)
    >>> flow = jl.estimate_flow(jl.find_spells(made.log, made.journey))
    >>> flow.variants(3)["customers"].sum() == flow.variants(3)["n"].max()
    np.True_
    """
    watched = WatchedVisits.of(spells, by=by, where=where, confidence=confidence)
    journey, name = spells.journey, watched.by
    groups = find_paths(watched.visits, journey, from_start=_watched_from_start(watched.spells))
    shares, arrivals = tables.shares(groups, journey, confidence, by=name), tables.arrivals(groups, confidence, by=name)
    return Flow(
        **watched.about("Ways through the stages"),
        table=tables.departures(groups, confidence, by=name),
        lacking=None if len(watched.visits) else watched.why_nobody(),
        shares=shares,
        arrivals=arrivals,
        returns=tables.returns(groups, confidence, by=name),
        balance=build_balance(shares, arrivals),
        revisits=tables.revisits(groups, confidence, by=name),
        paths=tuple(groups),
        n_left_out=sum(int((~paths.is_from_start).sum()) for paths in groups),
        titles=MappingProxyType({name: journey.title(name) for name in (*journey.stage_names, *journey.branches)}),
        completing=frozenset(stage.name for stage in journey.stages if stage.completes),
    )


def _watched_from_start(spells: Spells) -> pd.Series:
    """The customers whose entry into the journey was watched."""
    table = spells.table
    is_first = pc.and_(pc.equal(table["spell"], 1), pc.is_null(table["returned_from"]))
    is_inside = pc.greater_equal(table["entered"], pc.cast(spells.window.start.to_datetime64(), table["entered"].type))
    return table.filter(pc.and_(is_first, is_inside))["customer_id"].to_pandas()
