"""Course: which way do customers of each persona go, how long do they stay, and by which branch are they lost?

A persona is known from the landmark on, so what became of customers is counted from then on: in the days since the
landmark for the journey as a whole, and by stage with those who were already inside watched from the landmark on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from journeylab.base.durations import DAY, days
from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.tables import table_of
from journeylab.estimators.intervals import wilson
from journeylab.events.journey import SILENT, Journey
from journeylab.events.queries.paths import Paths, find_paths, find_ways
from journeylab.events.spells import Spells
from journeylab.events.spells.exits import MOVES, Earliest, Exits, find_exits, join_exits
from journeylab.findings.exit_curves import ExitCurves, StageExits, with_enough_at_risk
from journeylab.findings.finding import joined_notes
from journeylab.findings.grouping import Grouping, watched

EVERYONE, ANY_BRANCH, OTHER_BRANCHES, OTHER_WAYS = "everyone", "lost", "rare branches together", "other ways"
CONFIDENCE, MIN_AT_RISK, N_PATHS = 0.95, 10, 4
_COMPLETED = MOVES[2]
_FEW = f"fewer than {MIN_SHOWN} customers"
_LIMITS = ("estimate", "lower", "upper")
PATHS = {
    **dict.fromkeys(("persona", "path"), object),
    **dict.fromkeys(("n", "customers"), int),
    **dict.fromkeys(("share", "lower", "upper"), float),
}
LOSSES = {
    **dict.fromkeys(("persona", "branch"), object),
    **dict.fromkeys(("horizon_days", *_LIMITS), float),
    **dict.fromkeys(("customers", "at_risk"), int),
    "note": object,
}
_MEDIAN, _LOST = ("median_days", "median_lower", "median_upper"), ("lost", "lost_lower", "lost_upper")
STAGES = {
    **dict.fromkeys(("persona", "stage"), object),
    **dict.fromkeys((*_MEDIAN, *_LOST, "visits", "customers"), float),
    "note": object,
}
STAYING = {"persona": object, **dict.fromkeys(("days", *_LIMITS), float), "at_risk": int}


@dataclass(frozen=True)
class Course:
    """What became of the customers of each persona; every table has a column `persona`.

    paths: `path`, the stages in the order in which they were first visited and how that ended so far; `n` of
        `customers` went so, `share` with `lower` and `upper` (Wilson). The four most frequent; those that fewer than
        five customers went are together, as `other ways`.
    losses: share lost within `horizon_days` of the landmark by each `branch`, “lost” by any: Aalen-Johansen with
        completion competing, 95% interval; `customers` followed from the landmark on, `at_risk` at the horizon.
        Branches that took fewer than five customers are one row, `rare branches together`. Rows of `everyone` are of
        all who have a persona.
    stages: `median_days` until half have left the stage, and the share `lost` within the horizon of entering it, each
        with its interval, by `visits` of `customers`; those inside at the landmark are watched from then on.
    staying: the share neither lost nor completed so many days after the landmark.
    horizon_days: how far losses are looked at.
    """

    paths: pd.DataFrame
    losses: pd.DataFrame
    stages: pd.DataFrame
    staying: pd.DataFrame
    horizon_days: float

    @classmethod
    def of(cls, personas: Grouping, spells: Spells, *, horizon: str | timedelta) -> "Course":
        """The course of the customers with a persona; `personas` tells since when each is known."""
        visits, horizon_days = spells.to_pandas(), days(horizon)
        own = visits.assign(group=visits["customer_id"].map(personas.labels))
        own = own[own["group"].notna()]
        followed = _since_landmark(own, personas.known_at, spells.journey, spells.window.end)
        if len(followed) > 1:
            order = (_COMPLETED, *spells.journey.branches)
            followed = [*followed, join_exits(followed, order, group=EVERYONE)]
        by_stage = find_exits(watched(spells, personas), spells.journey) if len(own) else []
        return cls(
            paths=table_of(_path_rows(own, spells.journey), PATHS),
            losses=table_of((row for exits in followed for row in _loss_rows(exits, horizon_days)), LOSSES),
            stages=table_of((_stage_row(exits, horizon_days) for exits in by_stage if exits.n and exits.ways), STAGES),
            staying=table_of((row for exits in followed for row in _staying_rows(exits)), STAYING),
            horizon_days=horizon_days,
        )


def _since_landmark(own: pd.DataFrame, known_at: pd.Series, journey: Journey, end: pd.Timestamp) -> list[Exits]:
    """For each persona, its customers from the landmark until lost or completed: the whole journey as one stage.

    Everybody is followed from day 0. Who had completed the journey by then leaves on day 0; who was lost by then is not
    there.
    """
    known = own["customer_id"].map(known_at)
    ended = own["outcome"].isin(["lost", _COMPLETED])
    lost_before = own.loc[(own["outcome"] == "lost") & (own["left"] <= known), "customer_id"].unique()
    is_followed = ~own["customer_id"].isin(lost_before)
    own, ended = own[is_followed], ended[is_followed]
    first = own[ended].sort_values(["customer_id", "left"]).drop_duplicates("customer_id").set_index("customer_id")
    groups = own.drop_duplicates("customer_id").set_index("customer_id")["group"].sort_index()
    landmark = known_at.reindex(groups.index)
    left = first["left"].reindex(groups.index)
    entered = own.groupby("customer_id")["entered"].min().reindex(groups.index)
    before = ((landmark - entered) / pd.Timedelta(microseconds=DAY)).to_numpy(dtype=float)
    exit_days = np.maximum((left.fillna(end) - landmark) / pd.Timedelta(microseconds=DAY), 0.0).to_numpy(dtype=float)
    way = first["to"].astype(object).where(first["outcome"] == "lost", _COMPLETED).reindex(groups.index)
    completes = any(stage.completes for stage in journey.stages)
    ways = (_COMPLETED, *journey.branches) if completes else tuple(journey.branches)
    destination = way.map({name: code for code, name in enumerate(ways, start=1)}).fillna(-1).to_numpy(dtype=np.int64)
    number, followed = np.arange(len(groups)), []
    for group in sorted(groups.unique()):
        rows = (groups == group).to_numpy()
        entry = np.full(rows.sum(), -1.0)
        columns = (entry, exit_days[rows], destination[rows], number[rows])
        earliest = _earliest(journey, columns, ways, before=float(before[rows].max()))
        followed.append(Exits("journey", group, ways, *columns, earliest=earliest))
    return followed


def _earliest(
    journey: Journey, columns: tuple[np.ndarray, ...], ways: tuple[str, ...], *, before: float
) -> dict[str, Earliest]:
    """Silence shows when the shortest window has passed, of which `before` days at most lie before the landmark, and
    not later than it was seen."""
    if SILENT not in ways:
        return {}
    _, leaving, destination, _ = columns
    shortest = min(stage.silent_after_us for stage in journey.stages if stage.silent_after_us is not None) / DAY
    seen = leaving[destination == ways.index(SILENT) + 1]
    return {SILENT: Earliest(SILENT, float(seen.min(initial=max(shortest - before, 0.0))))}


def _loss_rows(exits: Exits, horizon: float) -> Iterator[dict]:
    branches = exits.losses
    if not branches:
        return
    yield _loss_row(exits.merged(branches, ANY_BRANCH), ANY_BRANCH, horizon)
    pooled = _rare(exits, horizon)
    if pooled:
        exits = exits.merged(pooled, OTHER_BRANCHES)
    for branch in exits.losses:
        yield _loss_row(exits, branch, horizon)


def _rare(exits: Exits, horizon: float) -> tuple[str, ...]:
    """Branches to be shown as one, so that neither it nor what is left of the sum stands for one to four customers."""
    counts = {branch: exits.count(branch, within=horizon) for branch in exits.losses}
    pooled = [branch for branch, count in counts.items() if 0 < count < MIN_SHOWN]
    others = sorted((count, branch) for branch, count in counts.items() if count >= MIN_SHOWN)
    while pooled and others and sum(counts[branch] for branch in pooled) < MIN_SHOWN:
        pooled.append(others.pop(0)[1])
    return tuple(branch for branch in exits.losses if branch in pooled)


def _loss_row(exits: Exits, branch: str, horizon: float) -> dict:
    rows = StageExits(exits, MIN_AT_RISK, CONFIDENCE).rows([horizon])
    row = next(row for row in rows if row["to"] == branch)
    base = {"customers": exits.n_customers, "at_risk": row["at_risk"]}
    if 0 < row["events"] < MIN_SHOWN:
        row = {"note": _FEW}
    limits = {name: row.get(name, np.nan) for name in _LIMITS}
    return {"persona": exits.group, "branch": branch, "horizon_days": horizon, **limits, **base, "note": row["note"]}


def _staying_rows(exits: Exits) -> Iterator[tuple]:
    if exits.n < MIN_SHOWN:
        return
    curve = ExitCurves.of(exits, CONFIDENCE)
    drawn_days = curve.days()
    estimate, lower, upper = (share[:, 0] for share in curve.shares(drawn_days))
    for row in zip(drawn_days, estimate, lower, upper, exits.at_risk(drawn_days), strict=True):
        if row[-1] >= MIN_AT_RISK or row[0] == 0:
            yield (exits.group, *row)


def _stage_row(entered: Exits, horizon: float) -> dict:
    row: dict[str, Any] = {"persona": entered.group, "stage": entered.stage}
    if entered.n_customers < MIN_SHOWN:
        return {**row, "note": _FEW}
    row |= {"visits": entered.n, "customers": entered.n_customers}
    exits = with_enough_at_risk(entered, MIN_AT_RISK)
    if few := exits.few(MIN_AT_RISK):
        return {**row, "note": few}
    curve = ExitCurves.of(exits, CONFIDENCE)
    row |= {name: days[0] for name, days in zip(_MEDIAN, curve.days_until((0.5,)), strict=True)}
    notes = [] if np.isfinite(row["median_days"]) else ["half have not left yet"]
    if exits.losses:
        lost = _loss_row(exits.merged(exits.losses, ANY_BRANCH), ANY_BRANCH, horizon)
        row |= {name: lost.get(limit) for name, limit in zip(_LOST, _LIMITS, strict=True)}
        notes += [lost["note"]] if lost["note"] else []
    is_told = any(exits.condition in note for note in notes) if exits.condition else True
    return {**row, "note": joined_notes(*notes, None if is_told else exits.condition)}


def _path_rows(own: pd.DataFrame, journey: Journey) -> Iterator[tuple]:
    for paths in find_paths(own, journey, from_start=own["customer_id"].unique()) if len(own) else ():
        ways = find_ways(paths, loops="collapsed")
        taken, counts = np.unique(ways.way, return_counts=True)
        words = [_in_words(paths, ways.steps(way), journey) for way in taken]
        most_first = sorted(zip((-counts).tolist(), words, strict=True))[:N_PATHS]
        shown = [(path, -count) for count, path in most_first if -count >= MIN_SHOWN]
        rest = paths.n_customers - sum(count for _, count in shown)
        while shown and 0 < rest < MIN_SHOWN:
            rest += shown.pop()[1]
        for path, count in [*shown, *([(OTHER_WAYS, rest)] if rest else [])]:
            n = paths.n_customers
            yield (paths.group, path, count, n, count / n, *wilson(count, n))


def _in_words(paths: Paths, steps: tuple[int, ...], journey: Journey) -> str:
    *stages, end = (paths.places[step] for step in steps)
    if end in journey.branches:
        return " → ".join([*stages, f"lost to {end}"])
    is_there = journey.stages[journey.position(stages[-1])].completes
    return " → ".join(stages) + ("" if is_there else " (still there)")
