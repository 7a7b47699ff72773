"""Tables: the edges of all groups as tidy rows, by name."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from journeylab.base.suppression import MIN_SHOWN
from journeylab.events.journey import Journey
from journeylab.events.queries.paths import ONGOING, SOURCES, Paths
from journeylab.events.spells.exits import possible_exits
from journeylab.findings.finding import tidy
from journeylab.findings.paths.edges import DAYS, NUMBERS, Edges
from journeylab.findings.paths.variants import how_many_to_name
from journeylab.findings.rows import wilson_share

KINDS = ("forward", "skip", "back", "lost", ONGOING)
OTHERS = f"others, some of fewer than {MIN_SHOWN} customers"


def departures(groups: Sequence[Paths], confidence: float, *, by: str | None) -> pd.DataFrame:
    """Where visits to each stage led; days inside, of visits watched from their beginning."""
    edges = [Edges(paths.customer, paths.stage, paths.target, _inside(paths), len(paths.places)) for paths in groups]
    return _named(groups, edges, ("stage", "to"), _kind_of_departure, confidence, by)


def arrivals(groups: Sequence[Paths], confidence: float, *, by: str | None) -> pd.DataFrame:
    """Where visits to each stage came from; days away, of visits after a loss."""
    edges = [Edges(paths.customer, paths.stage, paths.source, paths.away, len(paths.places)) for paths in groups]
    return _named(groups, edges, ("stage", "origin"), _kind_of_arrival, confidence, by)


def returns(groups: Sequence[Paths], confidence: float, *, by: str | None) -> pd.DataFrame:
    """Which stage customers came back to after each branch, or `ongoing`; days away."""
    edges = []
    for paths in groups:
        lost, stage = paths.returned_to
        days = np.where(stage < len(paths.stages), np.append(paths.away, np.nan)[lost + 1], np.nan)
        edges.append(Edges(paths.customer[lost], paths.target[lost], stage, days, len(paths.places)))
    return _named(groups, edges, ("branch", "to"), _kind_of_return, confidence, by)


def shares(groups: Sequence[Paths], journey: Journey, confidence: float, *, by: str | None) -> pd.DataFrame:
    """What became of visits to each stage, by kind: a row for each kind that was, or that the rules allow."""
    rows = []
    for paths in groups:
        ends = range(len(paths.places))
        kinds = np.array(
            [[KINDS.index(_kind_of_departure(stage, end, paths)) for end in ends] for stage in range(len(paths.stages))]
        )
        edges = Edges(paths.customer, paths.stage, kinds[paths.stage, paths.target], _inside(paths), len(KINDS))
        found = {(row["base"], row["end"]): row for row in edges.rows(confidence=confidence).to_dict("records")}
        for position, stage in enumerate(paths.stages):
            nobody = _nobody(paths.customer[paths.stage == position], confidence)
            for code, kind in enumerate(KINDS):
                row = found.get((position, code), nobody)
                if row["moved"] or kind in _possible(journey, position):
                    rows.append({"group": paths.group, "stage": stage, "kind": kind, **row})
    return tidy(rows, f"group stage kind {NUMBERS}", by=by)


def revisits(groups: Sequence[Paths], confidence: float, *, by: str | None) -> pd.DataFrame:
    """Of the customers who came to each stage, how many came more than once."""
    rows = []
    for paths in groups:
        cell, n_visits = np.unique(paths.customer * len(paths.stages) + paths.stage, return_counts=True)
        for position, stage in enumerate(paths.stages):
            visits = n_visits[cell % len(paths.stages) == position]
            n, again = len(visits), int((visits > 1).sum())
            share = wilson_share(again, n, confidence=confidence)
            rows.append({"group": paths.group, "stage": stage, "n": n, "again": again, **share})
    return tidy(rows, "group stage n again estimate lower upper", by=by)


def pooled(rows: pd.DataFrame, *, base: str, end: str) -> pd.DataFrame:
    """`rows` with those of fewer than five `movers` added up within each (group and) `base`, as “others, some
    of fewer than 5 customers” in the column `end`; with the next smallest among them, where else the sum could be told
    from the rest.

    The sum keeps `moved` and `estimate`; how many customers they were, intervals and days are then missing.
    """
    keys = [column for column in ("group", base) if column in rows]
    parts = [_pooled(part, keys, end) for _, part in rows.groupby(keys, sort=False, observed=True)]
    return pd.concat(parts, ignore_index=True) if parts else rows


def hidden(rows: pd.DataFrame, count: str, *columns: str) -> pd.DataFrame:
    """`rows` with `count`, and the `columns` that go with it, missing where it is one to four."""
    is_few = (rows[count] > 0) & (rows[count] < MIN_SHOWN)
    kinds = {count: "Int64", **dict.fromkeys(columns, "Float64")}
    return rows.assign(**{column: rows[column].astype(kind).mask(is_few) for column, kind in kinds.items()})


def _pooled(rows: pd.DataFrame, keys: list[str], end: str) -> pd.DataFrame:
    by_size = rows.sort_values("movers", ascending=False, kind="stable")
    few = by_size.iloc[how_many_to_name(by_size["movers"].to_numpy(), len(by_size)) :]
    if few.empty:
        return rows
    named = rows.drop(index=few.index).astype({"movers": "Int64", "timed": "Int64"})
    sums = {end: OTHERS, "kind": "various", "moved": few["moved"].sum(), "estimate": few["estimate"].sum()}
    added = few.iloc[:1][[*keys, "n", "customers"]].assign(**sums).reindex(columns=rows.columns)
    return pd.concat([named, added.astype(named.dtypes.to_dict())], ignore_index=True)


def _named(
    groups: Sequence[Paths],
    edges: Sequence[Edges],
    names: tuple[str, str],
    kind_of: Callable[[int, int, Paths], str],
    confidence: float,
    by: str | None,
) -> pd.DataFrame:
    """The rows of the `edges` of each group; `names`: the columns of base and end."""
    rows = []
    for paths, of_group in zip(groups, edges, strict=True):
        for row in of_group.rows(confidence=confidence).to_dict("records"):
            base, end = int(row["base"]), int(row["end"])
            places = {names[0]: paths.places[base], names[1]: paths.places[end]}
            rows.append({"group": paths.group, **places, "kind": kind_of(base, end, paths), **row})
    return tidy(rows, f"group {' '.join(names)} kind {NUMBERS}", by=by)


def _inside(paths: Paths) -> np.ndarray:
    """Days inside of each visit; missing unless it was watched from its beginning."""
    return np.where(paths.is_whole, paths.days, np.nan)


def _kind_of_departure(stage: int, end: int, paths: Paths) -> str:
    if end >= len(paths.stages):
        return ONGOING if paths.places[end] == ONGOING else "lost"
    if end <= stage:
        return "back"
    return "forward" if end == stage + 1 else "skip"


def _kind_of_arrival(_: int, origin: int, paths: Paths) -> str:
    if origin < len(paths.stages):
        return "move"
    return "entry" if paths.places[origin] in SOURCES else "return"


def _kind_of_return(_: int, end: int, paths: Paths) -> str:
    return ONGOING if paths.places[end] == ONGOING else "return"


def _possible(journey: Journey, position: int) -> set[str]:
    """The kinds of departure from a stage that the journey's rules allow."""
    stage = journey.stage_names[position]
    exits = possible_exits(journey, stage)
    ahead = len(journey.stages) - 1 - position if {"advanced", "completed"} & {*exits} else 0
    possible = {"forward": ahead > 0, "skip": ahead > 1, "back": "regressed" in exits, ONGOING: True}
    possible["lost"] = bool(journey.branches_from(stage))
    return {kind for kind, is_possible in possible.items() if is_possible}


def _nobody(customers: np.ndarray, confidence: float) -> dict:
    """The row of a kind that none of the visits, by these customers, had so far."""
    n_customers = len(np.unique(customers))
    counts = {"n": len(customers), "customers": n_customers, "moved": 0, "movers": 0, "timed": 0}
    return {**counts, **wilson_share(0, n_customers, confidence=confidence), **dict.fromkeys(DAYS, np.nan)}
