"""How validation is estimated from the spells of customers."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from journeylab.events.spells import Spells
from journeylab.findings.arguments import check_min_at_risk, read_horizons
from journeylab.findings.exit_curves import StageExits
from journeylab.findings.finding import tidy
from journeylab.findings.grouping import By, WatchedVisits, Where
from journeylab.findings.validation.proofs import find_proofs
from journeylab.findings.validation.tables import differences_of, losses_of, ratios_of, times_of, with_adjusted
from journeylab.findings.validation.validation import CLAIMS, Validation

NO_RULE = (
    "No stage of the journey declares a validation, so nothing can be proven. "
    "Say in journey.yml, under “validated_by”, by which event a customer proves what a stage is about."
)
_SHARES = "group stage to horizon_days estimate lower upper n customers events at_risk note"
_COUNTS = {
    **dict.fromkeys(("group", "stage", "validation"), object),
    "within_days": float,
    **dict.fromkeys(("triggered", *CLAIMS), int),
}
_TIMES = "group stage quantile estimate lower upper n customers note"
_LOSSES = "group stage to landmark_days horizon_days validated estimate lower upper n customers events at_risk note"
_DIFFERENCES = "group stage to landmark_days horizon_days estimate lower upper n note"
_RATIOS = "group stage to estimate lower upper p_value p_adjusted n customers events_before events_after note"


def estimate_validation(
    spells: Spells,
    *,
    horizons: Iterable[str | timedelta],
    by: By | None = None,
    where: Where | None = None,
    confidence: float = 0.95,
    min_at_risk: int = 10,
) -> Validation:
    """Of those who enter a stage, how many prove what it is about, how soon, and are those lost less who do?

    Parameters
    ----------
    spells : Spells
    horizons : list of str or timedelta
        Days after entering the stage, such as ``["30d", "90d"]``; for losses, after the landmark (see Notes).
    by : Grouping, Series, str or list of these, optional
        Groups to compare: labels by customer, or a column of the customers' table; a list gives all combinations.
    where : str or Series of bool, optional
        Only these customers: a condition on their columns, such as ``"seats > 10"``, or yes or no for each customer.
    confidence : float
        The level of all intervals.
    min_at_risk : int
        What has fewer customers is missing, with a note.

    Returns
    -------
    Validation
        Empty where no stage declares a validation, or nobody was watched in one that does; `lacking` then says so.

    Raises
    ------
    EstimateError
        No horizon; unknown `by`; no labelled customer has a spell; impossible `confidence` or `min_at_risk`.
    JourneyLabError
        A horizon that is not a duration.

    Notes
    -----
    Time to validation: Aalen-Johansen on the spell clock, in which leaving the stage unproven, by moving on or by being
    lost, competes; so the shares are of everybody who entered. Visits still inside and unproven are censored; those
    validated before they were watched enter only the counts.

    Losses of proven and unproven visits are never compared by how they ended up: only who stays long enough can be
    validated, so the validated would seem to stay though proving changed nothing (immortal time). Instead (1) from a
    landmark: of the visits still inside when the time to validate is over (`within`), the share lost in each of
    `horizons` after that, of those validated by then and of the others; (2) by Cox's model with validation as
    something that counts from the moment when it happens, for losses by a loss event and to silence apart: for a while
    after a validating event nobody can be silent, by definition. Both are associations.

    Errors are clustered by customer; the difference of two shares takes proven and unproven visits as independent.

    References
    ----------
    Anderson, Cain & Gelber (1983), Journal of Clinical Oncology 1:710-719 (landmark); Andersen & Gill (1982), Annals of
    Statistics 10:1100-1120.

    Examples
    --------
    >>> import journeylab as jl
    >>> simulation = jl.simulate_log(200, seed=1)
    >>> spells = jl.find_spells(simulation.log, simulation.journey)
    >>> jl.estimate_validation(spells, horizons=["30d"]).counts[["stage", "triggered", "validated"]].head(2)
            stage  triggered  validated
    0  evaluating        186         80
    1  onboarding        156         46
    """
    days = read_horizons(horizons)
    check_min_at_risk(min_at_risk)
    watched = WatchedVisits.of(spells, by=by, where=where, confidence=confidence)
    stages, name = watched.spells.journey.stages, watched.by
    is_ruled = any(stage.validated_by for stage in stages)
    every = find_proofs(watched.visits, watched.spells.journey)
    entered = [proofs for proofs in every if proofs.exits.n]
    levels: dict[str, Any] = {"min_at_risk": min_at_risk, "confidence": confidence}
    cells = tuple(StageExits(proofs.until_proven(), **levels) for proofs in entered)
    losses = [row for proofs in entered for row in losses_of(proofs, days, **levels)]
    ratios = with_adjusted([row for proofs in entered for row in ratios_of(proofs, confidence=confidence)])
    return Validation(
        **watched.about("Who proves what each stage is about"),
        table=tidy((row for cell in cells for row in cell.rows(days)), _SHARES, by=name),
        lacking=None if entered else watched.why_nobody() if is_ruled else NO_RULE,
        counts=tidy((proofs.counts() for proofs in every), _COUNTS, by=name),
        times=tidy((row for cell in cells for row in times_of(cell)), _TIMES, by=name),
        losses=tidy(losses, _LOSSES, by=name),
        differences=tidy(differences_of(losses), _DIFFERENCES, by=name),
        ratios=tidy(ratios, _RATIOS, by=name),
        horizons=days,
        unruled=tuple(stage.name for stage in stages if stage.validated_by is None),
        cells=cells,
    )
