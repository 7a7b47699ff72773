"""Rows: which events go with being lost, and which were the last before it?"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from journeylab.base.words import counted
from journeylab.estimators.intervals import benjamini_hochberg, wilson
from journeylab.events.queries.event_windows import COMPANY, CUSTOMER
from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.leavers.matching import Matched

NO_EVENT = "no event of their own"
KEYS = dict.fromkeys(("group", "stage", "branch", "event", "initiator"), object)
SHARES = dict.fromkeys(("estimate", "lower", "upper"), float)
ASSOCIATIONS = {
    **KEYS,
    **SHARES,
    **dict.fromkeys(("p_value", "q_value"), float),
    **dict.fromkeys(("n", "exposed_cases", "controls", "exposed_controls"), int),
    "naive": float,
    "note": object,
}
LAST = {**KEYS, "last": int, **SHARES, "n": int, "stayed": float, "controls": int, "note": object}


@dataclass(frozen=True, eq=False)
class Seen:
    """What the looks at one cell hold: arrays (rows,); see `EventWindows`. kinds: all kinds, as cells of a row."""

    look: np.ndarray
    kind: np.ndarray
    is_nearest: np.ndarray
    kinds: list[dict]

    @property
    def is_own(self) -> np.ndarray:
        """Which kinds are not the company's."""
        return np.array([kind["initiator"] != COMPANY for kind in self.kinds], bool)

    def counts(self, rows: np.ndarray) -> np.ndarray:
        """How many of the `rows` (mask) are of each kind."""
        return np.bincount(self.kind[rows], minlength=len(self.kinds))


def associations(matched: Matched, seen: Seen, naive: np.ndarray, *, confidence: float) -> Iterator[dict]:
    """A row for each kind of event that any member of the sets had. `naive`: the plain odds ratio of each kind."""
    sets = matched.sets
    found = sets.odds_ratios(matched.place_of(seen.look), seen.kind, n_traits=len(seen.kinds), confidence=confidence)
    n_customers = len(np.unique(sets.ids[:, 0]))
    few = f"only {counted(n_customers, 'customer')} lost so" if n_customers < MIN_CUSTOMERS else None
    for place in np.flatnonzero(found.cases + found.controls):
        n_telling = int(found.n_informative[place])
        is_known = few is None and n_telling >= MIN_CUSTOMERS
        columns = (found.estimate, found.lower, found.upper, found.p_values)
        figures = [float(column[place]) if is_known else np.nan for column in columns]
        yield {
            **cell_of(matched),
            **seen.kinds[place],
            **dict(zip(("estimate", "lower", "upper", "p_value"), figures, strict=True)),
            "n": sets.n_cases,
            "exposed_cases": int(found.cases[place]),
            "controls": sets.n_controls,
            "exposed_controls": int(found.controls[place]),
            "naive": float(naive[place]),
            "note": few or _doubt(n_telling, float(found.estimate[place])),
        }


def with_q(rows: list[dict]) -> list[dict]:
    """`rows` with `q_value`: the p-values adjusted for the false discovery rate among all of them."""
    adjusted = benjamini_hochberg([row["p_value"] for row in rows])
    return [{**row, "q_value": float(q_value)} for row, q_value in zip(rows, adjusted, strict=True)]


def last_events(matched: Matched, seen: Seen, *, confidence: float) -> Iterator[dict]:
    """A row for each kind of event that was the last of its side, and one for those who did nothing of their own."""
    sets = matched.sets
    if not sets.n_cases:
        return
    is_case = matched.place_of(seen.look) % matched.members.shape[1] == 0
    cases, controls = (seen.counts(seen.is_nearest & whose) for whose in (is_case, ~is_case))
    rows = [(seen.kinds[place], cases[place], controls[place], None) for place in np.flatnonzero(cases + controls)]
    none = (sets.n_cases - cases[seen.is_own].sum(), sets.n_controls - controls[seen.is_own].sum())
    for kind, n_last, n_stayed, note in [*rows, ({"event": None, "initiator": CUSTOMER}, *none, NO_EVENT)]:
        yield {
            **cell_of(matched),
            **kind,
            "last": int(n_last),
            **share(n_last, sets.n_cases, confidence=confidence),
            "n": sets.n_cases,
            "stayed": float(n_stayed / sets.n_controls),
            "controls": sets.n_controls,
            "note": note,
        }


def cell_of(matched) -> dict:
    """Group, stage and branch, as cells of a row."""
    return {"group": matched.visits.group, "stage": matched.visits.stage, "branch": matched.branch}


def share(count: int, n: int, *, confidence: float) -> dict:
    """`count` of `n` as a share with Wilson's limits, as cells of a row."""
    lower, upper = wilson(count, n, confidence=confidence)
    return {"estimate": float(count / n), "lower": float(lower), "upper": float(upper)}


def _doubt(n_telling: int, estimate: float) -> str | None:
    if n_telling < MIN_CUSTOMERS:
        return f"told by only {counted(n_telling, 'matched set')}"
    if estimate == 0:
        return "no bound: none of the lost had it where some of their set did"
    return "no bound: all of the lost had it where some of their set did not" if estimate == np.inf else None
