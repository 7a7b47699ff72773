"""Differences: which groups of customers are lost more than the others, and where?"""

from collections.abc import Iterator, Sequence

import numpy as np

from journeylab.base.words import on_day, percent
from journeylab.estimators.intervals import holm
from journeylab.estimators.shares import Share, share_difference, share_difference_p_value
from journeylab.events.spells.exits import join_exits
from journeylab.findings.exit_curves import StageExits, whose
from journeylab.findings.finding import joined_notes

LOST = "lost"
OTHERS = "all others"
COLUMNS = (
    "group reference stage to horizon_days estimate lower upper share share_reference p_value p_adjusted "
    "n customers n_reference customers_reference note"
)


def find_differences(cells: Sequence[StageExits], day: float, *, order: Sequence[str], confidence: float) -> list[dict]:
    """A row for each stage, group and way of being lost (“lost”: any of them): the share lost within `day` days less
    that of all other groups together; see `DropOff.differences`. `order`: all exits there are.

    p-values are adjusted over all rows, any loss first: see `gate_kept`.
    """
    stages = dict.fromkeys(cell.entered.stage for cell in cells)
    pairs = [
        pair for stage in stages for pair in _pairs([cell for cell in cells if cell.entered.stage == stage], order)
    ]
    compared = [comparison for pair in pairs for comparison in _compared(*pair, day, order)]
    sides = (np.array([each[side] for each in compared]).reshape(-1, 3).T for side in (1, 2))
    arms, others = ((share, error, base) for share, error, base in sides)
    unresolved = np.array([each[3] for each in compared]).reshape(-1, 2).T
    limits = np.transpose(share_difference(arms, others, confidence=confidence)).reshape(-1, 3)
    limits += np.stack([np.zeros(len(limits)), -unresolved[1], unresolved[0]], axis=1)
    p_values = _p_values(arms, others, unresolved)
    return [
        {
            **row,
            **dict(zip(("estimate", "lower", "upper"), difference, strict=True)),
            "share": float(arm[0]),
            "share_reference": float(other[0]),
            "p_value": p_value,
            "p_adjusted": p_adjusted,
        }
        for (row, arm, other, _), difference, p_value, p_adjusted in zip(
            compared,
            limits.tolist(),
            p_values.tolist(),
            gate_kept([row for row, *_ in compared], p_values),
            strict=True,
        )
    ]


def _p_values(arms: Share, others: Share, unresolved: np.ndarray) -> np.ndarray:
    """Of each difference being none, whatever becomes of the share `unresolved` of either side, (2, rows)."""
    more, fewer = (
        (np.minimum(side[0] + left, 1.0), *side[1:]) for side, left in zip((arms, others), unresolved, strict=True)
    )
    extremes = ((arms, others), (more, others), (arms, fewer))
    p_values = np.max([share_difference_p_value(*pair) for pair in extremes], axis=0)
    can_be_none = (more[0] - others[0]) * (arms[0] - fewer[0]) <= 0
    return np.where(can_be_none & np.isfinite(p_values), 1.0, p_values)


def gate_kept(rows: Sequence[dict], p_values: np.ndarray) -> list[float]:
    """Adjusted p-values of `rows`: that of any loss in each stage and group by Bonferroni over these, and those of the
    branches there by Holm, at the same share of the level, but never below that of any loss.

    So a branch is looked at only where losses differ at all, and the chance of one false difference or more stays
    below the level (Meinshausen 2008, Biometrika 95:265-278).
    """
    adjusted, cells = np.full(len(rows), np.nan), [(row["stage"], row["group"]) for row in rows]
    gates = [at for at, row in enumerate(rows) if row["to"] == LOST and not np.isnan(p_values[at])]
    for gate in gates:
        branches = [at for at, cell in enumerate(cells) if cell == cells[gate] and at != gate]
        adjusted[gate] = min(1.0, len(gates) * p_values[gate])
        by_branch = np.minimum(1.0, len(gates) * holm(p_values[branches]))
        adjusted[branches] = np.where(np.isnan(by_branch), np.nan, np.maximum(by_branch, adjusted[gate]))
    return adjusted.tolist()


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
) -> Iterator[tuple[dict, np.ndarray, np.ndarray, tuple[float, float]]]:
    """For each way of being lost the row of one group in one stage without its figures, (share, standard error, base)
    of the group and of the rest, and the share of either that is unresolved.

    Both sides are watched from the day on from which each has enough at risk.
    """
    sides = [join_exits([side.entered], order, group=side.entered.group) for side in (cell, rest)]
    start = max((span[0] for exits in sides if (span := exits.at_risk_span(cell.min_at_risk))), default=-1.0)
    first, second = sides = [exits.after(start) for exits in sides]
    levels = [StageExits(exits, cell.min_at_risk, cell.confidence) for exits in sides]
    reasons = [(exits.group, level.why_unknown(day)) for exits, level in zip(sides, levels, strict=True)]
    missing = "; ".join(f"{group}: {reason}" for group, reason in reasons if reason)
    ways = [LOST, *(way for way in order if any(way in exits.losses for exits in sides))]
    left = (0.0, 0.0) if missing else (levels[0].unresolved(day), levels[1].unresolved(day))
    untold = f"up to {percent(max(left))} unresolved" if max(left) > 0 else None
    arms = [_arm(level, ways, None if missing else day) for level in levels]
    row = {
        **whose(first),
        "reference": second.group,
        "horizon_days": day,
        "n_reference": second.n,
        "customers_reference": second.n_customers,
        "note": missing or joined_notes(f"given still inside {on_day(start)}" if start >= 0 else None, untold),
    }
    for way, arm, other in zip(ways, *arms, strict=True) if len(ways) > 1 else ():
        early = [exits.too_early(way, day) for exits in sides if exits.cannot_show(way, day)]
        if early:
            yield {**row, "to": way, "note": missing or early[0]}, *np.full((2, 3), np.nan), left
        else:
            yield {**row, "to": way}, arm, other, left


def _arm(level: StageExits, ways: Sequence[str], day: float | None) -> np.ndarray:
    """By exit, the first of which is any loss: share lost, its standard error (clustered jackknife), and the base of a
    share of 0; missing without a day."""
    if day is None:
        return np.full((len(ways), 3), np.nan)
    exits = level.exits
    arm = np.tile([0.0, 0.0, exits.n_customers_known(day)], (len(ways), 1))
    if exits.losses:
        until = level.curves.read_on(day, min_at_risk=level.min_at_risk)
        sets = [exits.losses, *([way] if way in exits.losses else [] for way in ways[1:])]
        arm[:, :2] = np.transpose(level.curves.shares_of(sets, until))
    return arm
