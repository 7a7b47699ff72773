"""Rows: how are the curves of journeys written down as tidy tables?"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.finding import tidy
from journeylab.findings.occupancy.curves import JourneyCurves

# Curves begin where so many customers are watched; estimates on fewer are noted, and not drawn.
N_DAYS_DRAWN = 100
_WHERE = dict.fromkeys(("group", "state", "kind"), object)
_ESTIMATE = dict.fromkeys(("estimate", "lower", "upper"), float)
_BASE = {"at_risk": int, "n": int, "note": object}
_SHARES = {**_WHERE, "days": float, **_ESTIMATE, **_BASE}
_MEANS = {**_WHERE, "from_days": float, "horizon_days": float, **_ESTIMATE, "standard_error": float, **_BASE}
_DRAWN = {**_WHERE, "days": float, "estimate": float, "at_risk": int}


def share_rows(
    curves: Sequence[JourneyCurves], asked: tuple[float, ...], *, of: Callable, by: str | None
) -> pd.DataFrame:
    """A row per curve, state and day asked for; `of` is a method of JourneyCurves, such as `JourneyCurves.shares`.

    Where it gives one column only, this is the state “lost”.
    """
    rows = []
    for curve in curves:
        estimate, lower, upper = of(curve, np.array(asked))
        at_risk = curve.n_watched(np.array(asked))
        rows += [
            {
                **place,
                "days": day,
                "estimate": estimate[row, code],
                "lower": lower[row, code],
                "upper": upper[row, code],
                **_base(curve, day, int(at_risk[row])),
            }
            for code, place in (_places(curve) if of is not JourneyCurves.lost else _lost(curve))
            for row, day in enumerate(asked)
        ]
    return tidy(rows, _SHARES, by=by)


def mean_rows(curves: Sequence[JourneyCurves], horizon: float, *, by: str | None) -> pd.DataFrame:
    """A row per curve and state: mean days there until `horizon`."""
    rows = []
    for curve in curves:
        found = dict(zip(("estimate", "lower", "upper", "standard_error"), curve.mean_days(horizon), strict=True))
        base = _base(curve, horizon, int(curve.n_watched(np.array(horizon))))
        length = {"from_days": curve.begins, "horizon_days": horizon}
        rows += [
            {**place, **length, **{name: values[code] for name, values in found.items()}, **base}
            for code, place in _places(curve)
        ]
    return tidy(rows, _MEANS, by=by)


def drawn_rows(curves: Sequence[JourneyCurves], until: float, *, by: str | None) -> pd.DataFrame:
    """A row per curve, state and one of many evenly spaced days, until `until` and while enough are watched."""
    rows = []
    for curve in curves:
        ends = np.sort(curve.watched.until[curve.watched.since < curve.watched.until])
        last = min(until, ends[max(len(ends) - MIN_CUSTOMERS, 0)])
        shown = np.linspace(curve.begins, max(last, curve.begins), N_DAYS_DRAWN + 1 if last > curve.begins else 1)
        estimate, at_risk = curve.estimates(shown), curve.n_watched(shown)
        rows += [
            {**place, "days": day, "estimate": estimate[row, code], "at_risk": int(at_risk[row])}
            for code, place in _places(curve)
            for row, day in enumerate(shown)
        ]
    return tidy(rows, _DRAWN, by=by)


def last_day(shares: pd.DataFrame, asked: tuple[float, ...]) -> float:
    """The last of the days asked for at which most groups are estimated on enough customers; failing that, at which any
    is at all; failing that, the last."""
    known = shares[shares["estimate"].notna()]
    if known.empty:
        return asked[-1]
    enough = known[known["at_risk"] >= MIN_CUSTOMERS].groupby("days").size()
    return float(enough[enough == enough.max()].index.max() if len(enough) else known["days"].max())


def _places(curve: JourneyCurves) -> list[tuple[int, dict]]:
    """The position of each state, with the cells that say whose and which it is."""
    journeys = curve.journeys
    return [
        (code, {"group": journeys.group, "state": state, "kind": "stage" if code < journeys.n_stages else "branch"})
        for code, state in enumerate(journeys.states)
    ]


def _lost(curve: JourneyCurves) -> list[tuple[int, dict]]:
    return [(0, {"group": curve.journeys.group, "state": "lost", "kind": "branch"})]


def _base(curve: JourneyCurves, day: float, at_risk: int) -> dict:
    n, note = curve.watched.n, None
    if day < curve.begins:
        note = f"customers are watched from day {curve.begins:,.1f} on"
    elif day > curve.watched.last_day:
        note = f"nobody was watched after day {curve.watched.last_day:,.1f}"
    elif at_risk < MIN_CUSTOMERS:
        note = f"only {at_risk:,} of {n:,} customer{'' if n == 1 else 's'} watched so long"
    return {"at_risk": at_risk, "n": n, "note": note}
