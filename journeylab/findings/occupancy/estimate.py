"""How the places of customers in their journey are estimated from their spells."""

from collections.abc import Iterable
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.events.spells import Spells
from journeylab.events.spells.transitions import Transitions, find_transitions
from journeylab.findings.arguments import MIN_CUSTOMERS, read_horizons
from journeylab.findings.grouping import By, Grouping, WatchedVisits, Where
from journeylab.findings.occupancy.curves import JourneyCurves
from journeylab.findings.occupancy.occupancy import Occupancy
from journeylab.findings.occupancy.tables import drawn_rows, last_day, mean_rows, share_rows


def estimate_occupancy(
    spells: Spells,
    *,
    times: Iterable[str | timedelta],
    by: By | None = None,
    where: Where | None = None,
    confidence: float = 0.95,
) -> Occupancy:
    """Where are customers at each of `times` after they entered the journey, and how long do they stay where?

    Parameters
    ----------
    spells : Spells
    times : list of str or timedelta
        Times since entering the journey, such as ``["30d", "90d"]``.
    by : Grouping, Series, str or list of these, optional
        Groups to compare: labels by customer, or a column of the customers' table; a list gives all combinations. The
        clock still starts at the journey's entry, but a customer is watched from when the label was known: a group's
        curves begin on the first day on which 10 of its customers are watched, where these are then.
    where : str or Series of bool, optional
        Only these customers: a condition on their columns, such as ``"seats > 10"``, or yes or no for each customer.
    confidence : float
        The level of all intervals.

    Returns
    -------
    Occupancy
        Empty where there is nobody to estimate from; `lacking` and the sentence then say why.

    Raises
    ------
    EstimateError
        No time; unknown `by`; no labelled customer has a spell; `confidence` not between 0 and 1.
    JourneyLabError
        A time that is not a duration.

    Notes
    -----
    The unit is the customer, and the clock starts when they first entered the journey. Between a loss and the return
    from it they are in the branch; a stage held for no time is passed through, not occupied. Customers whose journey
    began before the window are left out and counted. With groups, what is known of earlier visits counts in `reached`.

    Shares are Aalen-Johansen state occupation probabilities, customers being censored at the window's end; they need no
    Markov assumption. Standard errors are clustered by customer (infinitesimal jackknife), the error of where the
    journey begins included; intervals are logit, and Wilson's for a share of exactly 0 or 1. Mean days are the areas
    under the curves (restricted means), their limits those of the share of the time spent there.

    References
    ----------
    Aalen, Borgan & Gjessing (2008), Survival and Event History Analysis, section 3.4; Datta & Satten (2001), Statistics
    & Probability Letters 55:403-411; Andersen & Keiding (2012), Statistics in Medicine 31:1074-1088.

    Examples
    --------
    >>> import journeylab as jl
    >>> simulation = jl.simulate_log(200, seed=1)
    >>> spells = jl.find_spells(simulation.log, simulation.journey)
    >>> jl.estimate_occupancy(spells, times=["90d"]).losses[["state", "days", "at_risk", "n"]]
      state  days  at_risk    n
    0  lost  90.0      143  170
    """
    days = read_horizons(times, noun="time")
    watched = WatchedVisits.of(spells, by=by, where=where, confidence=confidence)
    journeys = find_transitions(watched.spells)
    parts = journeys_by_group(journeys, watched.grouping)
    found = [JourneyCurves.of(part, since, confidence, min_at_risk=MIN_CUSTOMERS) for part, since in parts]
    curves, journey = [curve for curve in found if curve], watched.spells.journey
    table = share_rows(curves, days, of=JourneyCurves.shares, by=watched.by, journey=journey)
    return Occupancy(
        **watched.about("Where customers are in their journey"),
        table=table,
        reached=share_rows(curves, days, of=JourneyCurves.reached, by=watched.by, journey=journey),
        losses=share_rows(curves, days, of=JourneyCurves.lost, by=watched.by, journey=journey),
        mean_days=mean_rows(curves, last_day(table, days), by=watched.by),
        drawn=drawn_rows(curves, days[-1], by=watched.by),
        times=days,
        n_left_out=journeys.n_left_out,
        lacking=None if curves else why_empty(watched, journeys),
    )


def journeys_by_group(journeys: Transitions, grouping: Grouping | None) -> list[tuple[Transitions, np.ndarray]]:
    """The journeys of each group (sorted), and the day from which each customer of it is watched."""
    if grouping is None:
        return [(journeys, journeys.since)]
    labels = grouping.labels.reindex(journeys.ids).to_numpy(dtype=object)
    since = journeys.since
    if grouping.known_at is not None:
        began = pd.to_datetime(journeys.began, unit="us", utc=True)
        known = pd.DatetimeIndex(grouping.known_at.reindex(journeys.ids))
        since = np.maximum(np.nan_to_num(((known - began) / pd.Timedelta(days=1)).to_numpy(dtype=float)), 0.0)
    groups = sorted({label for label in labels if not pd.isna(label)})
    return [(journeys.only(labels == group, group=group), since[labels == group]) for group in groups]


def why_empty(watched: WatchedVisits, journeys: Transitions) -> str:
    no_labels = watched.grouping is not None and watched.grouping.labels.empty
    if not journeys.n_left_out or len(journeys.ids) or no_labels:
        return watched.why_nobody()
    return (
        f"All journeys ({journeys.n_left_out:,}) began before the window, so it is not known how long they have lasted."
        " Let the window begin earlier, or ask for the time in each stage: estimate_survival(spells)."
    )
