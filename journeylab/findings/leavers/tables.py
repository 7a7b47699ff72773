"""Rows: which events go with being lost, and which were the last before it?"""

from collections.abc import Iterator

import numpy as np

from journeylab.base.words import counted
from journeylab.estimators.intervals import benjamini_hochberg
from journeylab.events.queries.event_windows import CUSTOMER
from journeylab.findings.arguments import MIN_CUSTOMERS, why_not_tested
from journeylab.findings.finding import joined_notes
from journeylab.findings.leavers.matching import Matched
from journeylab.findings.leavers.visits import Seen
from journeylab.findings.rows import wilson_share

NO_EVENT = "no event of their own"
NO_KIND = {"event": None, "initiator": CUSTOMER}
ASSOCIATIONS = (
    "group stage branch event initiator estimate lower upper p_value q_value n exposed_cases controls exposed_controls "
    "naive note"
)
LAST = "group stage branch event initiator last estimate lower upper n stayed controls note"


def associations(matched: Matched, seen: Seen, naive: np.ndarray, *, confidence: float) -> Iterator[dict]:
    """A row for each kind of event that any member of the sets had. `naive`: the plain odds ratio of each kind."""
    sets = matched.sets
    ratios = sets.odds_ratios(matched.place_of(seen.look), seen.kind, n_traits=len(seen.kinds), confidence=confidence)
    n_customers = len(np.unique(sets.ids[:, 0]))
    few = f"only {counted(n_customers, 'customer')} lost so" if n_customers < MIN_CUSTOMERS else None
    untested = why_not_tested(n_customers)
    numbers = {"estimate": ratios.estimate, "lower": ratios.lower, "upper": ratios.upper, "p_value": ratios.p_values}
    for kind in np.flatnonzero(ratios.cases + ratios.controls):
        n_sets = int(ratios.n_informative[kind])
        is_known = few is None and n_sets >= MIN_CUSTOMERS
        yield {
            **matched.name,
            **seen.kinds[kind],
            **{name: float(values[kind]) if is_known else np.nan for name, values in numbers.items()},
            **({"p_value": np.nan} if untested else {}),
            "n": sets.n_cases,
            "exposed_cases": int(ratios.cases[kind]),
            "controls": sets.n_controls,
            "exposed_controls": int(ratios.controls[kind]),
            "naive": float(naive[kind]),
            "note": few or joined_notes(_doubt(n_sets, float(ratios.estimate[kind])), untested if is_known else None),
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
    cases, controls = (seen.counts(seen.is_nearest & of_side) for of_side in (is_case, ~is_case))
    rows = [(seen.kinds[kind], cases[kind], controls[kind], None) for kind in np.flatnonzero(cases + controls)]
    none = (sets.n_cases - cases[seen.is_own].sum(), sets.n_controls - controls[seen.is_own].sum())
    for kind, n_last, n_stayed, note in [*rows, (NO_KIND, *none, NO_EVENT)]:
        share = wilson_share(n_last, sets.n_cases, confidence=confidence)
        stayed = {"stayed": float(n_stayed / sets.n_controls), "controls": sets.n_controls}
        yield {**matched.name, **kind, "last": int(n_last), **share, "n": sets.n_cases, **stayed, "note": note}


def _doubt(n_sets: int, estimate: float) -> str | None:
    """Why the estimate of an odds ratio is missing, or lacks a bound."""
    if n_sets < MIN_CUSTOMERS:
        return f"only {counted(n_sets, 'matched set')} can tell"
    if estimate == 0:
        return "no bound: in each set that can tell, the lost customer did not have it"
    return "no bound: in each set that can tell, the lost customer had it" if estimate == np.inf else None
