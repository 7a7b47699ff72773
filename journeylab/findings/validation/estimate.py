"""How validation is estimated from the spells of customers."""

from collections.abc import Iterable
from datetime import timedelta

from journeylab.events.spells import Spells
from journeylab.findings.arguments import check_confidence, check_least, read_horizons
from journeylab.findings.exit_curves import StageExits
from journeylab.findings.finding import tidy
from journeylab.findings.grouping import By, Grouping, Where, select, watched, why_nobody
from journeylab.findings.validation.proofs import VALIDATED, find_proofs
from journeylab.findings.validation.tables import (
    DIFFERENCES,
    LOSSES,
    RATIOS,
    SHARES,
    TIMES,
    differences_of,
    losses_of,
    ratios_of,
    times_of,
    with_adjusted,
)
from journeylab.findings.validation.validation import Validation

NO_RULE = (
    "No stage of the journey declares a validation, so nothing can be proven. "
    "Say in journey.yml, under “validated_by”, by which event a customer proves what a stage is about."
)
_COUNTS = {
    **dict.fromkeys(("group", "stage", "validation"), object),
    "within_days": float,
    **dict.fromkeys(("triggered", VALIDATED, "left_unproven", "out_of_time", "not_yet"), int),
}


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

    Time to validation: Aalen-Johansen on the spell clock, in which leaving the stage unproven, by moving on or by being
    lost, competes; so the shares are of everybody who entered. Visits still inside and unproven are censored; those
    validated before they were watched enter only the counts.

    Losses of proven and unproven visits are never compared by how they ended up: only who stays long enough can be
    validated, so the validated would seem to stay though proving changed nothing (immortal time). Instead (1) from a
    landmark: of the visits still inside when the time to validate is over (`within`), the share lost in each of
    `horizons` after that, of those validated by then and of the others; (2) by Cox's model with validation as
    something that counts from the moment when it happens, for losses by a loss event and to silence apart: for a while
    after a validating event nobody can be silent, by definition. Both are associations.

    horizons: durations after entering, and for losses after the landmark. by: a Grouping, a Series of labels by
    customer, or a column of `spells.customers`. Errors are clustered by customer; the difference of two shares takes
    proven and unproven visits as independent. What lacks customers (`min_at_risk`) is missing, with a note.

    Where no stage declares a validation, or nobody was watched in one that does, the finding is empty and `lacking`
    says so. Raises EstimateError: no horizon, unknown `by`, labels of nobody with a spell, impossible `confidence` or
    `min_at_risk`; JourneyLabError: a horizon that is no duration.
    Source: Anderson, Cain & Gelber (1983), Journal of Clinical Oncology 1:710-719 (landmark); Andersen & Gill (1982),
    Annals of Statistics 10:1100-1120.
    """
    asked = read_horizons(horizons)
    check_confidence(confidence)
    check_least(min_at_risk)
    spells = select(spells, where)
    grouping = None if by is None else Grouping.of(by, spells)
    is_ruled = any(stage.validated_by for stage in spells.journey.stages)
    every = find_proofs(watched(spells, grouping), spells.journey)
    found = [proofs for proofs in every if proofs.exits.n]
    cells = [StageExits(proofs.until_proven(), min_at_risk, confidence) for proofs in found]
    losses = [row for each in found for row in losses_of(each, asked, least=min_at_risk, confidence=confidence)]
    ratios = with_adjusted([row for each in found for row in ratios_of(each, confidence=confidence)])
    name = grouping.name if grouping else None
    return Validation(
        title="Who proves what each stage is about" + (f", by {name}" if name else ""),
        table=tidy((row for cell in cells for row in cell.rows(asked)), SHARES, by=name),
        lacking=None if found else why_nobody(spells, grouping) if is_ruled else NO_RULE,
        period=spells.window,
        counts=tidy((_counted(proofs) for proofs in every), _COUNTS, by=name),
        times=tidy((row for cell in cells for row in times_of(cell)), TIMES, by=name),
        losses=tidy(losses, LOSSES, by=name),
        differences=tidy(differences_of(losses), DIFFERENCES, by=name),
        ratios=tidy(ratios, RATIOS, by=name),
        horizons=asked,
        confidence=confidence,
        by=name,
        stages=spells.journey.stage_names,
        unruled=tuple(stage.name for stage in spells.journey.stages if stage.validated_by is None),
        cells=tuple(cells),
    )


def _counted(proofs) -> dict:
    whose = {"group": proofs.exits.group, "stage": proofs.exits.stage}
    return {**whose, "validation": proofs.rule.words, "within_days": proofs.within, **proofs.counts()}
