"""Rows: how are the curves of journeys written down as tidy tables?"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from journeylab.base.durations import DAY
from journeylab.base.words import counted, on_day
from journeylab.events.journey import SILENT, Journey
from journeylab.events.spells.exits import TOO_EARLY
from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.finding import joined_notes, tidy
from journeylab.findings.occupancy.curves import JourneyCurves

N_DAYS_DRAWN = 100
_SHARES = "group state kind days estimate lower upper at_risk n note"
_MEANS = "group state kind from_days horizon_days estimate lower upper standard_error at_risk n note"
_DRAWN = "group state kind days estimate at_risk"


def share_rows(
    curves: Sequence[JourneyCurves], days: Sequence[float], *, of: Callable, by: str | None, journey: Journey
) -> pd.DataFrame:
    """A row per curve, state and day; `of` is a method of JourneyCurves, such as `JourneyCurves.shares`.

    Where it gives one column only, this is the state “lost”. Where silence, or the journey's completion, cannot show so
    soon, the note says it: the shares of all states sum to 1, so that of this one is 0, and means nothing.
    """
    rows = []
    for curve in curves:
        shares = dict(zip(("estimate", "lower", "upper"), of(curve, np.array(days)), strict=True))
        first_days = _first_days(curve, journey)
        for row in rows_of(curve, np.array(days), shares, is_merged=of is JourneyCurves.lost):
            first = first_days.get(row["state"], 0.0)
            if row["estimate"] == 0 and row["days"] < first < np.inf:
                row["note"] = joined_notes(f"{TOO_EARLY} {round(first, 1):g}", row["note"])
            rows.append(row)
    return tidy(rows, _SHARES, by=by)


def _first_days(curve: JourneyCurves, journey: Journey) -> dict[str, float]:
    """The day before which customers cannot be silent, or have completed the journey, by state; infinite where nobody
    ever has."""
    windows = [stage.silent_after_us / DAY for stage in journey.stages if stage.silent_after_us is not None]
    earliest = {SILENT: min(windows)} if windows else {}
    earliest |= {stage.name: np.inf for stage in journey.stages if stage.completes}
    return {state: min(day, curve.first_day(state)) for state, day in earliest.items()}


def mean_rows(curves: Sequence[JourneyCurves], horizon: float, *, by: str | None) -> pd.DataFrame:
    """A row per curve and state: mean days there until `horizon`."""
    rows = []
    for curve in curves:
        names = ("estimate", "lower", "upper", "standard_error")
        means = {name: values[None] for name, values in zip(names, curve.mean_days(horizon), strict=True)}
        for row in rows_of(curve, np.array([horizon]), means):
            rows.append({**row, "from_days": curve.begins, "horizon_days": horizon})
    return tidy(rows, _MEANS, by=by)


def drawn_rows(curves: Sequence[JourneyCurves], until: float, *, by: str | None) -> pd.DataFrame:
    """A row per curve, state and one of many evenly spaced days, until `until` and while enough are watched."""
    rows = []
    for curve in curves:
        ends = np.sort(curve.watched.until[curve.watched.since < curve.watched.until])
        last = min(until, ends[max(len(ends) - MIN_CUSTOMERS, 0)])
        days = np.linspace(curve.begins, max(last, curve.begins), N_DAYS_DRAWN + 1 if last > curve.begins else 1)
        rows += rows_of(curve, days, {"estimate": curve.fitted.occupancy(days)})
    return tidy(rows, _DRAWN, by=by)


def last_day(shares: pd.DataFrame, asked: tuple[float, ...]) -> float:
    """The last of the days asked for at which most groups are estimated on enough customers; failing that, at which any
    is at all; failing that, the last."""
    known = shares[shares["estimate"].notna()]
    if known.empty:
        return asked[-1]
    enough = known[known["at_risk"] >= MIN_CUSTOMERS].groupby("days").size()
    return float(enough[enough == enough.max()].index.max() if len(enough) else known["days"].max())


def rows_of(
    curve: JourneyCurves, days: np.ndarray, columns: dict[str, np.ndarray], *, is_merged: bool = False
) -> Iterator[dict]:
    """A row per state (one, “lost”, if they are merged) and day, with the values of `columns`, each (days, states)."""
    journeys, at_risk = curve.journeys, curve.n_watched(days)
    for code, state in enumerate(("lost",) if is_merged else journeys.states):
        kind = "branch" if is_merged or code >= journeys.n_stages else "stage"
        for row, day in enumerate(days):
            yield {
                "group": journeys.group,
                "state": state,
                "kind": kind,
                "days": day,
                **{name: values[row, code] for name, values in columns.items()},
                "at_risk": int(at_risk[row]),
                "n": curve.watched.n,
                "note": _note(curve, day, int(at_risk[row])),
            }


def _note(curve: JourneyCurves, day: float, at_risk: int) -> str | None:
    """Why there is no estimate for a day, or that few were watched so long."""
    if day < curve.begins:
        return f"customers are watched from day {curve.begins:,.1f} on"
    if day > curve.watched.last_day:
        return f"nobody was watched {on_day(curve.watched.last_day, preposition='after')}"
    if at_risk < MIN_CUSTOMERS:
        return f"only {at_risk:,} of {counted(curve.watched.n, 'customer')} watched so long"
    return None
