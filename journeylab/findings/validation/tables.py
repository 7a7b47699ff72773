"""Tables: how soon stages are proven, and how losses differ between visits that were and that were not."""

from collections.abc import Iterator, Sequence

import numpy as np

from journeylab.base.errors import EstimateError
from journeylab.base.words import counted
from journeylab.estimators.cox import fit_cox
from journeylab.estimators.intervals import difference_interval, holm
from journeylab.events.journey import SILENT
from journeylab.events.queries.covariates import RiskRows
from journeylab.events.spells.exits import Exits
from journeylab.findings.arguments import MIN_CUSTOMERS, why_not_tested
from journeylab.findings.exit_curves import DECLARED, QUANTILES, StageExits, whose
from journeylab.findings.finding import joined_notes
from journeylab.findings.validation.proofs import VALIDATED, Proofs

NO_BOUND = "no bound: while both were at risk, only proven or only unproven visits were lost"
BY_DEFINITION = "in part by definition: what validates also breaks the silence"
LIMITS = ("estimate", "lower", "upper")
CELL = ("group", "stage", "to", "landmark_days", "horizon_days")


def times_of(cell: StageExits) -> Iterator[dict]:
    """A row for each of `QUANTILES`: by which day that share of all who entered was validated."""
    exits = cell.exits
    few = exits.few(cell.min_at_risk) if exits.n else "nobody entered"
    state = 1 + exits.ways.index(VALIDATED)
    days = np.full((3, len(QUANTILES)), np.nan) if few else cell.curves.days_until(QUANTILES, state=state)
    for quantile, *limits in zip(QUANTILES, *days, strict=True):
        note = few or ("not reached" if np.isnan(limits[0]) else exits.condition)
        yield {**whose(exits), "quantile": quantile, **dict(zip(LIMITS, limits, strict=True)), "note": note}


def losses_of(proofs: Proofs, horizons: Sequence[float], *, min_at_risk: int, confidence: float) -> list[dict]:
    """A row for each kind of loss and horizon, of those validated (“yes”) and of the others (“no”), from the landmark
    on; none where there is no landmark, or where nobody can be lost."""
    rows = []
    for name, part in zip(("yes", "no"), proofs.after_landmark() or (), strict=False):
        shares = StageExits(part, min_at_risk, confidence).rows(horizons)
        for kind in (DECLARED, SILENT):
            rows += [{**row, "validated": name, "landmark_days": proofs.within} for row in shares if row["to"] == kind]
    return rows


def differences_of(losses: list[dict]) -> Iterator[dict]:
    """A row for each pair of rows of `losses`: the share lost of those validated, less that of the others."""
    others = {tuple(row[name] for name in CELL): row for row in losses if row["validated"] == "no"}
    for row in losses:
        if row["validated"] == "yes":
            cell = {name: row[name] for name in CELL}
            pair = (row, others[tuple(cell.values())])
            limits = difference_interval(*(tuple(side[name] for name in LIMITS) for side in pair))
            notes = dict.fromkeys(side["note"] for side in pair)
            yield {
                **cell,
                **dict(zip(LIMITS, map(float, limits), strict=True)),
                "n": sum(side["n"] for side in pair),
                "note": joined_notes(*notes, BY_DEFINITION if row["to"] == SILENT else None),
            }


def ratios_of(proofs: Proofs, *, confidence: float) -> Iterator[dict]:
    """A row for each kind of loss: how many times as fast visits are lost once validated as before."""
    exits = proofs.exits
    for kind, is_lost in proofs.losses():
        rows = RiskRows.of(exits.entry, exits.exit, is_lost, [proofs.after])
        after = rows.exposed[:, 0]
        n_customers = len(np.unique(exits.customers[is_lost]))
        few = [np.nan] * 4, f"only {counted(n_customers, 'customer')} lost this way"
        ratio, note = _fitted(rows, exits, confidence) if n_customers >= MIN_CUSTOMERS else few
        untested = why_not_tested(min(len(np.unique(exits.customers[rows.visit[at]])) for at in (after, ~after)))
        if untested and np.isfinite(ratio[-1]):
            ratio, note = [*ratio[:-1], np.nan], joined_notes(note, untested)
        yield {
            **whose(exits),
            "to": kind,
            **dict(zip((*LIMITS, "p_value"), ratio, strict=True)),
            "events_before": int((rows.event & ~after).sum()),
            "events_after": int((rows.event & after).sum()),
            "note": joined_notes(note, BY_DEFINITION if kind == SILENT else None),
        }


def with_adjusted(rows: list[dict]) -> list[dict]:
    """`rows` with `p_adjusted`, by Holm among all of them."""
    adjusted = holm([row["p_value"] for row in rows])
    return [{**row, "p_adjusted": float(p_value)} for row, p_value in zip(rows, adjusted, strict=True)]


def _fitted(rows: RiskRows, exits: Exits, confidence: float) -> tuple[list[float], str | None]:
    event, ids = rows.event, exits.customers[rows.visit]
    try:
        cox = fit_cox(rows.exposed.astype(float), entry=rows.entry, exit=rows.exit, event=event, ids=ids)
    except EstimateError:
        # Cox's model refuses a covariate that is the same for all who are at risk together whenever someone leaves.
        return [np.nan] * 4, "never some validated and others not when one was lost"
    ratio = [float(column[0]) for column in cox.ratios(confidence=confidence)]
    return ratio, None if np.isfinite(ratio[1]) else NO_BOUND
