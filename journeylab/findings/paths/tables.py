"""Tables: the edges of all groups as tidy rows, by name."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from journeylab.base.suppression import MIN_SHOWN
from journeylab.estimators.intervals import wilson
from journeylab.events.journey import Journey
from journeylab.events.queries.paths import ONGOING, SOURCES, Paths
from journeylab.events.spells.exits import possible_exits
from journeylab.findings.finding import tidy
from journeylab.findings.paths import edges
from journeylab.findings.paths.edges import BASE, DAYS, KINDS, SHARES, Edges
from journeylab.findings.paths.variants import how_many_to_name

OTHERS = f"others, some of fewer than {MIN_SHOWN} customers"

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
    ways = possible_exits(journey, stage)
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


def pooled(rows: pd.DataFrame, *, base: str, end: str) -> pd.DataFrame:
    """`rows` with those of fewer than five `movers` added up within each (group and) `base`, as “others, some
    of fewer than 5 customers” in the column `end`; with the next smallest among them, where else the sum could be told
    from the rest.

    The sum keeps `moved` and `estimate`; how many customers they were, intervals and days are then missing.
    """
    keys = [column for column in ("group", base) if column in rows]
    parts = [_pooled(part, end) for _, part in rows.groupby(keys, sort=False, observed=True)]
    return pd.concat(parts, ignore_index=True) if parts else rows


def hidden(rows: pd.DataFrame, count: str, *told: str) -> pd.DataFrame:
    """`rows` with the column `count`, and what is `told` of it, missing where it is of one to four."""
    is_few = (rows[count] > 0) & (rows[count] < MIN_SHOWN)
    columns = {column: rows[column].astype("Float64" if column != count else "Int64") for column in (count, *told)}
    return rows.assign(**{column: values.mask(is_few) for column, values in columns.items()})


def _pooled(rows: pd.DataFrame, end: str) -> pd.DataFrame:
    ordered = rows.sort_values("movers", ascending=False, kind="stable")
    n_named = how_many_to_name(ordered["movers"].to_numpy(), len(ordered))
    few = ordered.iloc[n_named:]
    if few.empty:
        return rows
    kept = rows.drop(index=few.index).astype({"movers": "Int64", "timed": "Int64"})
    known = {
        column: few[column].iloc[0] for column in ("group", "n", "customers", *_bases(rows, end)) if column in rows
    }
    sums = {end: OTHERS, "kind": "various", "moved": few["moved"].sum(), "estimate": few["estimate"].sum()}
    added = pd.DataFrame([known | sums]).reindex(columns=rows.columns)
    return pd.concat([kept, added.astype(kept.dtypes.to_dict())], ignore_index=True)


def _bases(rows: pd.DataFrame, end: str) -> list[str]:
    return [column for column in ("stage", "branch") if column in rows and column != end]
