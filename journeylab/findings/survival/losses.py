"""Losses by day: of the visits to a stage, what share has been lost so many days after entering, and how?"""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from journeylab.base.ordering import largest
from journeylab.base.words import counted, in_days, in_one_unit, percent
from journeylab.events.journey import SILENT
from journeylab.events.spells.exits import Exits
from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.exit_curves import DECLARED, NO_BRANCH, ExitCurves, StageExits, curve_to, with_declared
from journeylab.findings.finding import share_in_words, tidy

LOST = "lost"
_COLUMNS = "group stage kind horizon_days estimate lower upper half_days half_lower half_upper n customers at_risk note"


def merged_losses(exits: Exits) -> Iterator[tuple[str, Exits]]:
    """The visits with all losses counted as one, “lost”; then with those by a loss event as one, “declared”, beside
    silence."""
    if not exits.losses:
        return
    yield LOST, exits.merged(exits.losses, LOST)
    apart = with_declared(exits)
    yield from ((kind, apart) for kind in (DECLARED, SILENT) if kind in apart.ways)


def loss_cells(curves: Iterable[ExitCurves]) -> tuple[tuple[str, StageExits], ...]:
    """Each kind of loss of each curve with its visits, whose losses are merged; what is fitted once is fitted for all
    horizons."""
    cells: list[tuple[str, StageExits]] = []
    for curve in curves:
        fitted: dict[tuple[str, ...], StageExits] = {}
        for kind, exits in merged_losses(curve.exits):
            cell = fitted.setdefault(exits.ways, StageExits(exits, MIN_CUSTOMERS, curve.confidence))
            cells.append((kind, cell))
    return tuple(cells)


def losses_of(cells: Iterable[tuple[str, StageExits]], day: float, *, by: str | None) -> pd.DataFrame:
    """A row for each of `cells`: the share lost by `day`, and by when half of these were."""
    rows = []
    for kind, cell in cells:
        row = next(row for row in cell.rows([day]) if row["to"] == kind)
        half = (np.nan,) * 3
        if row["estimate"] > 0:
            last = cell.curves.read_on(day, min_at_risk=MIN_CUSTOMERS)
            half = cell.curves.half_by(last, 1 + cell.exits.ways.index(kind))
        halves = dict(zip(("half_days", "half_lower", "half_upper"), half, strict=True))
        rows.append({**row, **halves, "kind": kind})
    return tidy(rows, _COLUMNS, by=by)


def loss_curves(cells: Iterable[tuple[str, StageExits]]) -> pd.DataFrame:
    """What a figure draws: `group`, `stage`, `kind` (declared, silent), `days`, `estimate`, `lower`, `upper`, up to the
    last day with enough at risk."""
    parts = [pd.DataFrame(columns=["group", "stage", "kind", "days", "estimate", "lower", "upper"])]
    for kind, cell in cells:
        if kind != LOST and cell.exits.n:
            span = cell.exits.at_risk_span(MIN_CUSTOMERS)
            until = cell.curves.fitted.last_time if span is None else span[1]
            parts.append(curve_to(cell, until, kind).assign(kind=kind))
    return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)


def in_words(losses: pd.DataFrame, *, by: str | None, level: str) -> str:
    """The stage that loses most, how, and how soon; and the stages of which that cannot be told."""
    rows = losses[losses["kind"] == LOST]
    if rows.empty:
        return NO_BRANCH
    within = f"within {in_days(rows['horizon_days'].iloc[0])}"
    unknown = [f"{_place(row, by)} ({row['note']})" for _, row in rows[rows["estimate"].isna()].iterrows()]
    missing = f" Not known yet: {', '.join(unknown)}." if unknown else ""
    known = rows[rows["estimate"] > 0]
    if known.empty:
        return f"No stage is known to lose anybody {within} of entering it.{missing}"
    most = known.iloc[largest(known["estimate"])]
    base = counted(most["n"], "visit") + (f", {most['note']}" if most["note"] else "")
    (half, lower, upper), unit = in_one_unit([most["half_days"], most["half_lower"], most["half_upper"]])
    by_then = f"by day {half}" if unit == "days" else f"within {half} {unit}"
    return (
        f"{_place(most, by)} loses the largest share {within} of entering: "
        f"{share_in_words(most, level=level, base=base)}{_how(losses, most)}. Half of these are lost "
        f"{by_then} ({lower} to {upper})."
        f"{missing}"
    )


def _how(losses: pd.DataFrame, most: pd.Series) -> str:
    """How many of the visits in `most` are lost by a loss event, and how many to silence."""
    keys = [name for name in ("group", "stage") if name in losses]
    rows = losses[(losses[keys] == most[keys]).all(axis=1) & (losses["kind"] != LOST) & losses["estimate"].notna()]
    ways = {DECLARED: "by a loss event", SILENT: "to silence"}
    parts = [f"{percent(row['estimate'])} {ways[row['kind']]}" for _, row in rows.iterrows()]
    return f", {' and '.join(parts)}" if len(parts) > 1 else ""


def _place(row: pd.Series, by: str | None) -> str:
    return f"“{row['stage']}”" + (f" with {by} “{row['group']}”" if by else "")
