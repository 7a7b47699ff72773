"""Rules: do a few plain conditions describe a persona, and how often are they right?

A rule is at most three conditions that all hold, found on one half of the customers and checked on the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from journeylab.base.tables import table_of
from journeylab.estimators.intervals import wilson
from journeylab.findings.personas.measures import LEVEL, SHARE, Measured, bound_in_words

MOST_CONDITIONS, MAX_CUSTOMERS, BEAM = 3, 8_000, 20
# A rule with a worse balance of precision and recall is not shown.
WORTH_SHOWING = 0.6
# A further condition must add so much to F1 where the rule is found.
_GAIN = 0.02
_SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_QUANTILES = np.linspace(0.1, 0.9, 9)
RULES = {
    **dict.fromkeys(("persona", "rule"), object),
    "conditions": int,
    **dict.fromkeys(("precision", "precision_lower", "precision_upper"), float),
    **dict.fromkeys(("recall", "recall_lower", "recall_upper"), float),
    "f1": float,
    **dict.fromkeys(("n_matching", "n", "customers"), int),
}


@dataclass(frozen=True, eq=False)
class _Condition:
    measured: Measured
    bound: float
    is_above: bool

    @property
    def words(self) -> str:
        return bound_in_words(self.measured, self.bound, is_above=self.is_above)

    def holds(self, rows: np.ndarray) -> np.ndarray:
        amounts = self.measured.amounts[rows]
        if self.measured.kind == SHARE and self.bound == 0:
            return amounts > 0 if self.is_above else amounts == 0
        return amounts >= self.bound if self.is_above else amounts < self.bound


def find_rules(measures: Sequence[Measured], labels: np.ndarray, ids: list[str], *, seed: int) -> pd.DataFrame:
    """The best rule of each persona, one row each, with the columns of `RULES`; none where there is one persona.

    labels: (customers,) the number of each customer's persona in `ids`; at most 8,000 of them, drawn by `seed`, are
        used. Half of each persona's serve to find the rule with the best F1, 2 precision recall / (precision + recall).
    precision: of the `n_matching` customers in the other half whom the rule fits, the share who are of the persona;
    recall: of the `n` of the persona there, the share whom it fits; each with its 95% interval (Wilson). `customers` is
    the size of that half. `conditions`: how many the rule has. Bounds are round numbers, and a customer in whom a
    feature is not known meets no condition on it.
    """
    if len(ids) < 2:
        return table_of((), RULES)
    drawn = np.random.default_rng(seed).permutation(len(labels))[:MAX_CUSTOMERS]
    drawn = drawn[np.argsort(labels[drawn], kind="stable")]
    learning, checking = np.sort(drawn[::2]), np.sort(drawn[1::2])
    conditions, met = _conditions(measures, learning)
    rows = []
    for number, persona in enumerate(ids):
        rule = [conditions[row] for row in _best(met, (labels[learning] == number).astype(np.float32))]
        fits = np.all([part.holds(checking) for part in rule], axis=0) if rule else np.zeros(len(checking), bool)
        words = ", and ".join(part.words for part in rule)
        checked = _checked(fits, labels[checking] == number)
        rows.append({"persona": persona, "rule": words, "conditions": len(rule), **checked})
    return table_of(rows, RULES)


def rule_in_words(row: pd.Series) -> str:
    """A row of the rules as a sentence; where the rule describes the persona badly, or fits everybody, that there is
    none."""
    persona, share = row["persona"], row["n"] / row["customers"]
    if not row["f1"] >= WORTH_SHOWING:
        return (
            f"No rule of at most three conditions describes {persona} well: the best reaches an F1 of "
            f"{np.nan_to_num(row['f1']):.2f}, and {WORTH_SHOWING:.2f} is needed."
        )
    if not row["precision_lower"] > share:
        return (
            f"No rule of at most three conditions describes {persona}: of those whom the best one fits "
            f"{row['precision']:.0%} are {persona}, of all {share:.0%}."
        )
    precision, recall = (
        f"{row[share]:.0%} ({row[f'{share}_lower']:.0%} to {row[f'{share}_upper']:.0%})"
        for share in ("precision", "recall")
    )
    return (
        f"{row['rule'][0].upper()}{row['rule'][1:]}: {precision} of the {row['n_matching']:,} customers like that are "
        f"{persona} (precision), and {recall} of {row['n']:,} {persona} are like that (recall); checked on "
        f"{row['customers']:,} customers who did not help to find the rule."
    )


def _conditions(measures: Sequence[Measured], rows: np.ndarray) -> tuple[list[_Condition], np.ndarray]:
    """Conditions that some of the customers `rows` meet and others do not, and who does: (conditions, customers)."""
    conditions, met = [], []
    for measured in measures:
        for bound in _bounds(measured, rows):
            for condition in (_Condition(measured, bound, True), _Condition(measured, bound, False)):
                holds = condition.holds(rows)
                if 0 < holds.sum() < len(rows):
                    conditions.append(condition)
                    met.append(holds)
    return conditions, np.array(met, dtype=np.float32).reshape(len(conditions), len(rows))


def _bounds(measured: Measured, rows: np.ndarray) -> list[float]:
    if measured.kind == LEVEL:
        return [1.0]
    if measured.kind == SHARE:
        return list(_SHARES)
    known = measured.amounts[rows]
    known = known[np.isfinite(known)]
    if not len(known):
        return []
    return sorted({float(f"{bound:.2g}") for bound in np.quantile(known, _QUANTILES, method="higher")})


def _best(met: np.ndarray, is_own: np.ndarray) -> tuple[int, ...]:
    """The conditions (rows of `met`) that together give the best F1: a beam search, one condition more at a time."""
    best: tuple[int, ...] = ()
    beam, fits, best_f1 = [best], np.ones((1, len(is_own)), dtype=np.float32), 0.0
    for _ in range(MOST_CONDITIONS if len(met) else 0):
        # Sums of ones and zeros are exact: the same in whatever order they are added.
        true, size = (fits * is_own) @ met.T, fits @ met.T
        f1 = (2 * true / (size + is_own.sum())).round(6)
        order = np.argsort(-f1, axis=None, kind="stable")[: 4 * BEAM]
        longer: list[tuple[int, ...]] = []
        grown = []
        for parent, condition in zip(*np.unravel_index(order, f1.shape), strict=True):
            rule = tuple(sorted({*beam[parent], int(condition)}))
            if len(rule) > len(beam[parent]) and rule not in longer and len(longer) < BEAM:
                longer.append(rule)
                grown.append(fits[parent] * met[condition])
        if not longer or f1.flat[order[0]] < best_f1 + _GAIN:
            break
        best, best_f1 = longer[0], float(f1.flat[order[0]])
        beam, fits = longer, np.array(grown)
    return best


def _checked(fits: np.ndarray, is_own: np.ndarray) -> dict:
    true, n_matching, n = int((fits & is_own).sum()), int(fits.sum()), int(is_own.sum())
    checked: dict[str, float] = {"n_matching": n_matching, "n": n, "customers": len(fits)}
    for name, base in (("precision", n_matching), ("recall", n)):
        lower, upper = wilson(true, base) if base else (np.nan, np.nan)
        checked |= {name: true / base if base else np.nan, f"{name}_lower": float(lower), f"{name}_upper": float(upper)}
    return {**checked, "f1": 2 * true / (n_matching + n) if n_matching + n else np.nan}
