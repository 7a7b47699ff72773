"""Rows of the tables of time in stage: what does each curve say, of how many, and what must a reader know?"""

import numpy as np
import pandas as pd

from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.exit_curves import QUANTILES, ExitCurves, whose
from journeylab.findings.finding import joined_notes, tidy

INSIDE = "inside"
NOT_REACHED, NO_UPPER_LIMIT = "not reached", "upper limit not reached"
_STATES = "group stage state days estimate lower upper at_risk n"
_QUANTILES = "group stage quantile estimate lower upper n customers note"
_MEANS = "group stage horizon_days estimate lower upper standard_error n customers at_risk note"


def states_of(curves: tuple[ExitCurves, ...], *, by: str | None) -> pd.DataFrame:
    """The curves one after the other, a row per state and day."""
    if not curves:
        return tidy([], _STATES, by=by)
    table = pd.concat([_curve(curve) for curve in curves], ignore_index=True)
    return table if by else table.drop(columns="group")


def _curve(curve: ExitCurves) -> pd.DataFrame:
    days, states = curve.days(), (INSIDE, *curve.exits.ways)
    estimates = zip(("estimate", "lower", "upper"), curve.shares(days), strict=True)
    return pd.DataFrame(
        {
            "group": curve.exits.group,
            "stage": curve.exits.stage,
            "state": np.repeat(states, len(days)),
            "days": np.tile(days, len(states)),
            **{name: values.T.ravel() for name, values in estimates},
            "at_risk": np.tile(curve.exits.at_risk(days), len(states)),
            "n": curve.exits.n,
        }
    )


def quantiles_of(curves: tuple[ExitCurves, ...], *, by: str | None) -> pd.DataFrame:
    """When a quarter, half, and three quarters had left, of each curve that can be left."""
    rows = []
    for curve in (curve for curve in curves if curve.exits.ways):
        for quantile, estimate, lower, upper in zip(QUANTILES, *curve.days_until(QUANTILES), strict=True):
            missed = NOT_REACHED if np.isnan(estimate) else NO_UPPER_LIMIT if np.isnan(upper) else None
            limits = {"quantile": quantile, "estimate": estimate, "lower": lower, "upper": upper}
            note = joined_notes(missed, curve.exits.few(MIN_CUSTOMERS), curve.exits.condition)
            rows.append({**whose(curve.exits), **limits, "note": note})
    return tidy(rows, _QUANTILES, by=by)


def means_of(curves: tuple[ExitCurves, ...], day: float, *, by: str | None) -> pd.DataFrame:
    """The mean days inside in the first `day` days, of each curve."""
    rows = []
    for curve in curves:
        names = ("estimate", "lower", "upper", "standard_error")
        numbers, why = curve.restricted_mean(day, min_at_risk=MIN_CUSTOMERS)
        row = {**whose(curve.exits), "horizon_days": day, **dict(zip(names, numbers, strict=True))}
        few = curve.exits.few(MIN_CUSTOMERS)
        note = joined_notes(why, few if few != why else None, curve.exits.condition)
        rows.append({**row, "at_risk": int(curve.exits.at_risk(day)), "note": note})
    return tidy(rows, _MEANS, by=by)


def remarks_in(note: str | None) -> str:
    """What a note says except that something was not reached, to continue a sentence."""
    parts = note.split("; ") if note else []
    return "".join(f", {part}" for part in parts if part not in (NOT_REACHED, NO_UPPER_LIMIT))


def drawable(rows: pd.DataFrame, curves: tuple[ExitCurves, ...]) -> pd.DataFrame:
    """The rows with enough at risk to be worth drawing, and all those of few customers, with a column `customers`."""
    rows = with_customers(rows, curves)
    enough = rows[(rows["at_risk"] >= MIN_CUSTOMERS) | (rows["customers"] < MIN_CUSTOMERS)]
    return enough if len(enough) else rows


def with_customers(rows: pd.DataFrame, curves: tuple[ExitCurves, ...]) -> pd.DataFrame:
    """`rows` with a column `customers`, how many customers are behind each."""
    customers = {(curve.exits.group, curve.exits.stage): curve.exits.n_customers for curve in curves}
    groups = rows["group"] if "group" in rows else [None] * len(rows)
    return rows.assign(customers=[customers[key] for key in zip(groups, rows["stage"], strict=True)])
