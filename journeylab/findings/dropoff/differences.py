"""Differences: which groups of customers are lost more than the others, and where?"""

from collections.abc import Iterator, Sequence

import numpy as np

from journeylab.base.words import on_day
from journeylab.estimators.intervals import holm
from journeylab.estimators.shares import share_difference, share_difference_p_value
from journeylab.events.spells.exits import Exits, join_exits
from journeylab.findings.exit_curves import ExitCurves, StageExits, whose

LOST = "lost"
OTHERS = "all others"
COLUMNS = (
    "group reference stage to horizon_days estimate lower upper share share_reference p_value p_adjusted "
    "n customers n_reference customers_reference note"
)


def find_differences(cells: Sequence[StageExits], day: float, *, order: Sequence[str], confidence: float) -> list[dict]:
    """A row for each stage, group and way of being lost (“lost”: any of them): the share lost within `day` days less
    that of all other groups together; see `DropOff.differences`. `order`: all exits there are.

    p-values are adjusted by Holm over all rows, which are one family.
    """
    stages = dict.fromkeys(cell.entered.stage for cell in cells)
    pairs = [
        pair for stage in stages for pair in _pairs([cell for cell in cells if cell.entered.stage == stage], order)
    ]
    compared = [comparison for pair in pairs for comparison in _compared(*pair, day, order)]
    sides = (np.array([each[side] for each in compared]).reshape(-1, 3).T for side in (1, 2))
    arms, others = ((share, error, base) for share, error, base in sides)
    limits = np.transpose(share_difference(arms, others, confidence=confidence)).reshape(-1, 3)
    p_values = share_difference_p_value(arms, others)
    return [
        {
            **row,
            **dict(zip(("estimate", "lower", "upper"), difference, strict=True)),
            "share": float(arm[0]),
            "share_reference": float(other[0]),
            "p_value": p_value,
            "p_adjusted": p_adjusted,
        }
        for (row, arm, other), difference, p_value, p_adjusted in zip(
            compared, limits.tolist(), p_values.tolist(), holm(p_values).tolist(), strict=True
        )
    ]


def _pairs(cells: Sequence[StageExits], order: Sequence[str]) -> Iterator[tuple[StageExits, StageExits]]:
    """Each group of one stage and all others; of two groups, the second and the first only."""
    entered = [cell for cell in cells if cell.entered.n]
    for position, cell in enumerate(entered):
        rest = [other for other in entered if other is not cell]
        if not rest or (len(entered) == 2 and position == 0):
            continue
        reference = rest[0].entered.group if len(rest) == 1 else OTHERS
        others = join_exits([other.entered for other in rest], order, group=reference)
        yield cell, StageExits(others, cell.min_at_risk, cell.confidence)


def _compared(
    cell: StageExits, rest: StageExits, day: float, order: Sequence[str]
) -> Iterator[tuple[dict, np.ndarray, np.ndarray]]:
    """For each way of being lost the row of one group in one stage without its figures, and (share, standard error,
    base) of the group and of the rest.

    Both sides are watched from the day on from which each has enough at risk.
    """
    sides = [join_exits([side.entered], order, group=side.entered.group) for side in (cell, rest)]
    start = max((span[0] for exits in sides if (span := exits.at_risk_span(cell.min_at_risk))), default=-1.0)
    first, second = sides = [exits.after(start) for exits in sides]
    reasons = [(exits.group, exits.why_missing([day], min_at_risk=cell.min_at_risk)[0]) for exits in sides]
    missing = "; ".join(f"{group}: {reason}" for group, reason in reasons if reason)
    ways = [LOST, *(way for way in order if any(way in exits.losses for exits in sides))]
    arms = [_arm(exits, ways, None if missing else day, cell.confidence) for exits in sides]
    too_early = {way for exits in sides for way, first_day in exits.earliest.items() if day < first_day}
    row = {
        **whose(first),
        "reference": second.group,
        "horizon_days": day,
        "n_reference": second.n,
        "customers_reference": second.n_customers,
        "note": missing or (f"given still inside {on_day(start)}" if start >= 0 else None),
    }
    for way, arm, other in zip(ways, *arms, strict=True) if len(ways) > 1 else ():
        if way in too_early:
            yield {**row, "to": way, "note": missing or "cannot show so soon"}, *np.full((2, 3), np.nan)
        else:
            yield {**row, "to": way}, arm, other


def _arm(exits: Exits, ways: Sequence[str], day: float | None, confidence: float) -> np.ndarray:
    """By exit, the first of which is any loss: share lost, its standard error (clustered jackknife), and the base of a
    share of 0; missing without a day."""
    if day is None:
        return np.full((len(ways), 3), np.nan)
    arm = np.tile([0.0, 0.0, exits.n_customers_known(day)], (len(ways), 1))
    if exits.losses:
        sets = [exits.losses, *([way] if way in exits.losses else [] for way in ways[1:])]
        arm[:, :2] = np.transpose(ExitCurves.of(exits, confidence).shares_of(sets, day))
    return arm
