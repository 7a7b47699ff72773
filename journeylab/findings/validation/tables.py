"""Rows: how soon stages are proven, and how losses differ between visits that were and that were not."""

from collections.abc import Iterator, Sequence

import numpy as np

from journeylab.base.errors import EstimateError
from journeylab.base.words import counted
from journeylab.estimators.cox import fit_cox
from journeylab.estimators.intervals import curve_quantiles, difference_interval, holm
from journeylab.events.journey import SILENT
from journeylab.events.queries.covariates import RiskRows
from journeylab.events.spells.exits import Exits
from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.exit_curves import StageExits
from journeylab.findings.validation.proofs import DECLARED, VALIDATED, Proofs

QUANTILES = (0.25, 0.5, 0.75)
NO_BOUND = "no bound: while both were at risk, only proven or only unproven visits were lost"
BY_DEFINITION = "in part by definition: what validates also breaks the silence"
_WHOSE = dict.fromkeys(("group", "stage"), object)
_SHARE = dict.fromkeys(("estimate", "lower", "upper"), float)
_BASE = {**dict.fromkeys(("n", "customers", "events", "at_risk"), int), "note": object}
SHARES = {**_WHOSE, "to": object, "horizon_days": float, **_SHARE, **_BASE}
TIMES = {**_WHOSE, "quantile": float, **_SHARE, "n": int, "customers": int, "note": object}
_CELL = {**_WHOSE, "to": object, "landmark_days": float, "horizon_days": float}
LOSSES = {**_CELL, "validated": object, **_SHARE, **_BASE}
DIFFERENCES = {**_CELL, **_SHARE, "n": int, "note": object}
RATIOS = {
    **_WHOSE,
    "to": object,
    **_SHARE,
    **dict.fromkeys(("p_value", "p_adjusted"), float),
    **dict.fromkeys(("n", "customers", "events_before", "events_after"), int),
    "note": object,
}


def times_of(cell: StageExits) -> Iterator[dict]:
    """A row for each of `QUANTILES`: by which day that share of all who entered was validated."""
    exits = cell.kept
    found = np.full((3, len(QUANTILES)), np.nan)
    if exits.n and exits.few(cell.least) is None:
        times = cell.curves.fitted.times
        place = 1 + exits.ways.index(VALIDATED)
        share, lower, upper = (each[:, place] for each in cell.curves.shares(times))
        # The more is validated, the sooner: the upper limit of the share gives the lower limit of the day.
        found[:] = curve_quantiles(times, 1 - share, 1 - upper, 1 - lower, shares=QUANTILES)
    found = np.where(np.isinf(found), np.nan, found)
    for quantile, estimate, lower, upper in zip(QUANTILES, *found, strict=True):
        reached = None if exits.n and not np.isnan(estimate) else "not reached" if exits.n else "nobody entered"
        yield {
            **_whose(exits),
            "quantile": quantile,
            **dict(zip(_SHARE, (estimate, lower, upper), strict=True)),
            **_of(exits),
            "note": exits.few(cell.least) if exits.n and exits.few(cell.least) else reached or exits.condition,
        }


def losses_of(proofs: Proofs, horizons: Sequence[float], *, least: int, confidence: float) -> list[dict]:
    """A row for each kind of loss and horizon, of those validated (“yes”) and of the others (“no”), from the landmark
    on; none where there is no landmark, or where nobody can be lost."""
    rows = []
    for name, part in zip(("yes", "no"), proofs.after_landmark() or (), strict=False):
        for row in sorted(StageExits(part, least, confidence).rows(horizons), key=lambda row: row["to"] == SILENT):
            if row["to"] in (DECLARED, SILENT):
                rows.append({**row, "validated": name, "landmark_days": proofs.within})
    return rows


def differences_of(losses: list[dict]) -> Iterator[dict]:
    """A row for each pair of rows of `losses`: the share lost of those validated, less that of the others."""
    others = {tuple(row[name] for name in _CELL): row for row in losses if row["validated"] == "no"}
    for row in losses:
        if row["validated"] == "yes":
            other = others[tuple(row[name] for name in _CELL)]
            pair = (tuple(each[name] for name in _SHARE) for each in (row, other))
            notes = dict.fromkeys(each["note"] for each in (row, other) if each["note"])
            yield {
                **{name: row[name] for name in _CELL},
                **dict(zip(_SHARE, map(float, difference_interval(*pair)), strict=True)),
                "n": row["n"] + other["n"],
                "note": _noted(*notes, BY_DEFINITION if row["to"] == SILENT else None),
            }


def ratios_of(proofs: Proofs, *, confidence: float) -> Iterator[dict]:
    """A row for each kind of loss: how many times as fast visits are lost once validated as before."""
    exits = proofs.exits
    for kind, is_lost in proofs.losses():
        rows = RiskRows.of(exits.entry, exits.exit, is_lost, [proofs.after])
        after = rows.exposed[:, 0]
        figures, note = [np.nan] * 4, _few(exits, is_lost)
        if note is None:
            figures, note = _fitted(rows, exits, confidence)
        yield {
            **_whose(exits),
            "to": kind,
            **dict(zip((*_SHARE, "p_value"), figures, strict=True)),
            **_of(exits),
            "events_before": int((rows.event & ~after).sum()),
            "events_after": int((rows.event & after).sum()),
            "note": _noted(note, BY_DEFINITION if kind == SILENT else None),
        }


def with_adjusted(rows: list[dict]) -> list[dict]:
    """`rows` with `p_adjusted`, by Holm among all of them."""
    adjusted = holm([row["p_value"] for row in rows])
    return [{**row, "p_adjusted": float(each)} for row, each in zip(rows, adjusted, strict=True)]


def _fitted(rows: RiskRows, exits: Exits, confidence: float) -> tuple[list[float], str | None]:
    times = {"entry": rows.entry, "exit": rows.exit, "event": rows.event}
    try:
        cox = fit_cox(rows.exposed.astype(float), **times, ids=exits.customers[rows.visit])
    except EstimateError:
        # Cox's model refuses a covariate that is the same for all who are at risk together whenever someone leaves.
        return [np.nan] * 4, "never some validated and others not when one was lost"
    ratio = [float(each[0]) for each in (*cox.hazard_ratios(confidence=confidence), cox.p_values)]
    return ratio, None if np.isfinite(ratio[1]) else NO_BOUND


def _few(exits: Exits, is_lost: np.ndarray) -> str | None:
    n_customers = len(np.unique(exits.customers[is_lost]))
    return f"only {counted(n_customers, 'customer')} lost so" if n_customers < MIN_CUSTOMERS else None


def _whose(exits: Exits) -> dict:
    return {"group": exits.group, "stage": exits.stage}


def _of(exits: Exits) -> dict:
    return {"n": exits.n, "customers": exits.n_customers}


def _noted(*notes: str | None) -> str | None:
    return "; ".join(note for note in notes if note) or None
