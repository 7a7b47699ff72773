"""Differences: which groups of customers are lost more than the others, and where?"""

from collections.abc import Iterator, Sequence

import numpy as np

from journeylab.estimators.intervals import holm
from journeylab.estimators.shares import share_difference, share_difference_p_value
from journeylab.events.spells.exits import Exits, join_exits
from journeylab.findings.exit_curves import ExitCurves, StageExits

LOST = "lost"
OTHERS = "all others"
COLUMNS = {
    **dict.fromkeys(("group", "reference", "stage", "to"), object),
    "horizon_days": float,
    **dict.fromkeys(("estimate", "lower", "upper", "share", "share_reference", "p_value", "p_adjusted"), float),
    **dict.fromkeys(("n", "customers", "n_reference", "customers_reference"), int),
    "note": object,
}


def find_differences(cells: Sequence[StageExits], day: float, *, order: Sequence[str], confidence: float) -> list[dict]:
    """A row for each stage, group and way of being lost (“lost”: any of them): the share lost within `day` days less
    that of all other groups together; see `DropOff.differences`. `order`: all ways out there are.

    p-values are adjusted by Holm over all rows, which are one family.
    """
    stages = dict.fromkeys(cell.entered.stage for cell in cells)
    pairs = [
        pair for stage in stages for pair in _pairs([cell for cell in cells if cell.entered.stage == stage], order)
    ]
    found = [each for pair in pairs for each in _compared(*pair, day, order)]
    arms = [tuple(np.array([each[side] for each in found]).reshape(-1, 3).T) for side in ("arm", "other")]
    limits = np.transpose(share_difference(*arms, confidence=confidence))
    p_values = share_difference_p_value(*arms)
    figures = zip(limits.reshape(-1, 3).tolist(), p_values.tolist(), holm(p_values).tolist(), strict=True)
    return [
        {
            **each["row"],
            **dict(zip(("estimate", "lower", "upper"), three, strict=True)),
            "share": float(each["arm"][0]),
            "share_reference": float(each["other"][0]),
            "p_value": p_value,
            "p_adjusted": p_adjusted,
        }
        for each, (three, p_value, p_adjusted) in zip(found, figures, strict=True)
    ]


def _pairs(cells: Sequence[StageExits], order: Sequence[str]) -> Iterator[tuple[StageExits, StageExits]]:
    """Each group of one stage and all others; of two, the second and the first, as the other way round says the same
    once more."""
    entered = [cell for cell in cells if cell.entered.n]
    for place, cell in enumerate(entered):
        rest = [each for each in entered if each is not cell]
        if not rest or (len(entered) == 2 and place == 0):
            continue
        reference = rest[0].entered.group if len(rest) == 1 else OTHERS
        others = join_exits([each.entered for each in rest], order, group=reference)
        yield cell, StageExits(others, cell.least, cell.confidence)


def _compared(cell: StageExits, rest: StageExits, day: float, order: Sequence[str]) -> Iterator[dict]:
    """For each way of being lost the `row` of one group in one stage without its figures, and (share, standard error,
    base) of the group, `arm`, and the rest, `other`.

    Both sides are watched from the day on from which each has enough at risk.
    """
    sides = [join_exits([each.entered], order, group=each.entered.group) for each in (cell, rest)]
    start = max((stretch[0] for exits in sides if (stretch := exits.at_risk_span(cell.least))), default=-1.0)
    sides = [exits.after(start) for exits in sides]
    why = [(exits.group, exits.why_missing([day], min_at_risk=cell.least)[0]) for exits in sides]
    missing = "; ".join(f"{group}: {reason}" for group, reason in why if reason)
    note = missing or (f"given still inside on day {start:,.1f}" if start >= 0 else None)
    ways = [LOST, *(way for way in order if any(way in exits.losses for exits in sides))]
    arms = [_arm(exits, ways, None if missing else day, cell.confidence) for exits in sides]
    first, second = sides
    base = {"n": first.n, "customers": first.n_customers}
    base |= {"n_reference": second.n, "customers_reference": second.n_customers}
    for way, arm, other in zip(ways, *arms, strict=True) if len(ways) > 1 else ():
        row = {"group": first.group, "reference": second.group, "stage": first.stage, "to": way, "horizon_days": day}
        yield {"row": {**row, **base, "note": note}, "arm": arm, "other": other}


def _arm(exits: Exits, ways: Sequence[str], day: float | None, confidence: float) -> np.ndarray:
    """By way, the first of which is any: share lost, its standard error (clustered jackknife), and what a share of 0
    stands on; missing without a day."""
    found = np.full((len(ways), 3), np.nan)
    if day is None:
        return found
    found[:] = 0.0, 0.0, exits.n_customers_known(day)
    if exits.losses:
        sets = [exits.losses, *([way] if way in exits.losses else [] for way in ways[1:])]
        found[:, :2] = np.transpose(ExitCurves.of(exits, confidence).shares_of(sets, day))
    return found
