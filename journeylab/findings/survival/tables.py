"""Rows of the tables of time in stage: what does each curve say, of how many, and what must a reader know?"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from journeylab.base.words import counted
from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.exit_curves import ExitCurves
from journeylab.findings.finding import tidy

INSIDE = "inside"
QUANTILES = (0.25, 0.5, 0.75)
# Curves begin where so many visits are at risk, and are drawn, not computed, only as long as they are; fewer customers
# than that are noted as few, and drawn in grey.
NOT_REACHED, NO_UPPER_LIMIT = "not reached", "upper limit not reached"
_WHOSE = dict.fromkeys(("group", "stage"), object)
_ESTIMATE = dict.fromkeys(("estimate", "lower", "upper"), float)
_BASE = dict.fromkeys(("n", "customers"), int)
_STATES = {**_WHOSE, "state": object, "days": float, **_ESTIMATE, "at_risk": int, "n": int}
QUANTILE_COLUMNS = {**_WHOSE, "quantile": float, **_ESTIMATE, **_BASE, "note": object}
MEAN_COLUMNS = {
    **_WHOSE, "horizon_days": float, **_ESTIMATE, "standard_error": float, **_BASE, "at_risk": int, "note": object,
}  # fmt: skip


def states_of(curves: tuple[ExitCurves, ...], *, by: str | None) -> pd.DataFrame:
    """The curves one after the other, a row per state and day."""
    if not curves:
        return tidy([], _STATES, by=by)
    table = pd.concat([_curve(curve) for curve in curves], ignore_index=True)
    return table if by else table.drop(columns="group")


def _curve(curve: ExitCurves) -> pd.DataFrame:
    shown, states = curve.days(), (INSIDE, *curve.exits.ways)
    estimates = zip(("estimate", "lower", "upper"), curve.shares(shown), strict=True)
    return pd.DataFrame(
        {
            "group": curve.exits.group,
            "stage": curve.exits.stage,
            "state": np.repeat(states, len(shown)),
            "days": np.tile(shown, len(states)),
            **{name: values.T.ravel() for name, values in estimates},
            "at_risk": np.tile(curve.exits.at_risk(shown), len(states)),
            "n": curve.exits.n,
        }
    )


def quantiles_of(curve: ExitCurves) -> list[dict]:
    rows = []
    for share, estimate, lower, upper in zip(QUANTILES, *curve.days_until(QUANTILES), strict=True):
        missed = NOT_REACHED if np.isnan(estimate) else NO_UPPER_LIMIT if np.isnan(upper) else None
        found = {"quantile": share, "estimate": estimate, "lower": lower, "upper": upper}
        rows.append({**whose(curve), **found, **base_of(curve), "note": note_of(curve, missed)})
    return rows


def note_of(curve: ExitCurves, missed: str | None) -> str | None:
    """What a reader must know: what is missing, that few came, what the estimate is conditional on."""
    return "; ".join(part for part in (missed, curve.exits.few(MIN_CUSTOMERS), curve.exits.condition) if part) or None


def remarks_in(note: str | None) -> str:
    """What a note says beside that something was not reached, to go on with in a sentence."""
    parts = note.split("; ") if note else []
    return "".join(f", {part}" for part in parts if part not in (NOT_REACHED, NO_UPPER_LIMIT))


def whose(curve: ExitCurves) -> dict:
    return {"group": curve.exits.group, "stage": curve.exits.stage}


def base_of(curve: ExitCurves) -> dict:
    return {"n": curve.exits.n, "customers": curve.exits.n_customers}


def whose_are_few(curves: Iterable[ExitCurves]) -> dict[tuple[str | None, str], str]:
    """How few came, in words, by (group, stage), where fewer than `MIN_CUSTOMERS` customers did."""
    found = {(curve.exits.group, curve.exits.stage): curve.exits.few(MIN_CUSTOMERS) for curve in curves}
    return {whose: few for whose, few in found.items() if few}


def drawable(rows: pd.DataFrame, curves: Iterable[ExitCurves]) -> pd.DataFrame:
    """The rows with enough at risk to be worth drawing, and those of curves of few, which are drawn as such."""
    enough = rows[(rows["at_risk"] >= MIN_CUSTOMERS) | _are_few(rows, whose_are_few(curves))]
    return enough if len(enough) else rows


def named_if_few(rows: pd.DataFrame, curves: Iterable[ExitCurves], *, column: str | None = None) -> pd.DataFrame:
    """The rows with a column `is_few`; where that is so, the name in `column` says of how many customers.

    Without `column` it is the group, or, where there are no groups, the stage.
    """
    customers = {(curve.exits.group, curve.exits.stage): curve.exits.n_customers for curve in curves}
    column = column or ("group" if "group" in rows else "stage")
    is_few = _are_few(rows, whose_are_few(curves))
    names = [
        f"{name} (few: {counted(customers[whose], 'customer')})" if few else name
        for name, whose, few in zip(rows[column], _keys(rows), is_few, strict=True)
    ]
    return rows.assign(**{column: pd.Series(names, index=rows.index, dtype=object)}, is_few=is_few)


def _are_few(rows: pd.DataFrame, few: dict) -> np.ndarray:
    return np.fromiter((whose in few for whose in _keys(rows)), bool, len(rows))


def _keys(rows: pd.DataFrame) -> list[tuple[str | None, str]]:
    groups = rows["group"] if "group" in rows else [None] * len(rows)
    return list(zip(groups, rows["stage"], strict=True))
