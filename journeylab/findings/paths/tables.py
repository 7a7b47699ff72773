"""Tables: the edges of all groups as tidy rows, by name."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from journeylab.estimators.intervals import wilson
from journeylab.events.exits import ways_out
from journeylab.events.journey import Journey
from journeylab.events.paths import ONGOING, SOURCES, Paths
from journeylab.findings.finding import tidy
from journeylab.findings.paths import edges
from journeylab.findings.paths.edges import BASE, DAYS, KINDS, SHARES, Edges

_NUMBERS = {**BASE, **SHARES, **DAYS}


def departures(found: Sequence[Paths], confidence: float, *, by: str | None) -> pd.DataFrame:
    """Where visits to each stage led."""
    return _named(found, edges.departures, confidence, ("stage", "to"), edges.kind_of, by)


def arrivals(found: Sequence[Paths], confidence: float, *, by: str | None) -> pd.DataFrame:
    """Where visits to each stage came from."""
    return _named(found, edges.arrivals, confidence, ("stage", "origin"), _kind_of_arrival, by)


def returns(found: Sequence[Paths], confidence: float, *, by: str | None) -> pd.DataFrame:
    """Which stage customers came back to after each branch, if any."""
    return _named(found, edges.returns, confidence, ("branch", "to"), _kind_of_return, by)


def shares(found: Sequence[Paths], journey: Journey, confidence: float, *, by: str | None) -> pd.DataFrame:
    """What became of visits to each stage, by kind: a row for each kind that was, or that the rules allow."""
    rows = []
    for paths in found:
        known = edges.moves_by_kind(paths).rows(confidence=confidence)
        known = {(row["base"], row["end"]): row for row in known.to_dict("records")}
        for place, stage in enumerate(paths.stages):
            base = next((row for (each, _), row in known.items() if each == place), None)
            for code, kind in enumerate(KINDS):
                row = known.get((place, code)) or _nobody(base, confidence)
                if row["moved"] or kind in _possible(journey, place):
                    rows.append({"group": paths.group, "stage": stage, "kind": kind, **row})
    return tidy(rows, {**dict.fromkeys(("group", "stage", "kind"), object), **_NUMBERS}, by=by)


def revisits(found: Sequence[Paths], confidence: float, *, by: str | None) -> pd.DataFrame:
    """Of the customers who came to each stage, how many came more than once."""
    rows = []
    for paths in found:
        cell, n_visits = np.unique(paths.customer * len(paths.stages) + paths.stage, return_counts=True)
        stage = cell % len(paths.stages)
        n = np.bincount(stage, minlength=len(paths.stages))
        again = np.bincount(stage, weights=n_visits > 1, minlength=len(paths.stages)).astype(int)
        lower, upper = wilson(again, n, confidence=confidence)
        estimate = np.divide(again, n, out=np.full(len(n), np.nan), where=n > 0)
        columns = {"stage": paths.stages, "n": n, "again": again, "estimate": estimate, "lower": lower, "upper": upper}
        rows += pd.DataFrame(columns).assign(group=paths.group).to_dict("records")
    columns = {"group": object, "stage": object, "n": int, "again": int}
    return tidy(rows, columns | dict.fromkeys(("estimate", "lower", "upper"), float), by=by)


def _named(
    found: Sequence[Paths],
    edges_of: Callable[[Paths], Edges],
    confidence: float,
    names: tuple[str, str],
    kind_of: Callable[[int, int, Paths], str],
    by: str | None,
) -> pd.DataFrame:
    rows = []
    for paths in found:
        for row in edges_of(paths).rows(confidence=confidence).to_dict("records"):
            base, end = int(row["base"]), int(row["end"])
            places = {names[0]: paths.places[base], names[1]: paths.places[end]}
            rows.append({"group": paths.group, **places, "kind": kind_of(base, end, paths), **row})
    return tidy(rows, {**dict.fromkeys(("group", *names, "kind"), object), **_NUMBERS}, by=by)


def _kind_of_arrival(_: int, origin: int, paths: Paths) -> str:
    if origin < len(paths.stages):
        return "move"
    return "entry" if paths.places[origin] in SOURCES else "return"


def _kind_of_return(_: int, end: int, paths: Paths) -> str:
    return ONGOING if paths.places[end] == ONGOING else "return"


def _possible(journey: Journey, place: int) -> set[str]:
    stage = journey.stage_names[place]
    ways = ways_out(journey, stage)
    ahead = len(journey.stages) - 1 - place if {"advanced", "completed"} & {*ways} else 0
    possible = {"forward": ahead > 0, "skip": ahead > 1, "back": "regressed" in ways, ONGOING: True}
    possible["lost"] = bool(journey.branches_from(stage))
    return {kind for kind, is_possible in possible.items() if is_possible}


def _nobody(base: dict | None, confidence: float) -> dict:
    """The row of a kind that nobody took so far."""
    n, customers = (base["n"], base["customers"]) if base else (0, 0)
    lower, upper = wilson(0, customers, confidence=confidence)
    missing = dict.fromkeys((name for name, kind in DAYS.items() if kind is float), np.nan)
    share = {"estimate": 0.0 if n else np.nan, "lower": float(lower), "upper": float(upper)}
    return {"n": n, "customers": customers, "moved": 0, "movers": 0, **share, **missing, "timed": 0}
