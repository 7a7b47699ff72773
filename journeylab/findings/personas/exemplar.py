"""Exemplars: what is one customer like who is as typical of a persona as any, told so that nobody is recognised?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from journeylab.base.ordering import largest, smallest
from journeylab.base.suppression import MIN_SHOWN
from journeylab.events.features import Features
from journeylab.findings.personas.measures import COUNTED, LEVEL, NUMBER, SHARE, Measured, find_measures, part_of
from journeylab.findings.personas.profile import compare_measures
from journeylab.findings.personas.rules import find_rules

COLUMNS = {"persona": object, "feature": object, "value": object}
MAX_CUSTOMERS = 8_000
# Numbers that are told; of attributes only levels are, as long as enough customers share them.
_TOLD = ("events", "active_days", "contacts", "roles_in_play", "typical_gap_days", "company_events", "score")
_MAIN = {
    "event": "most frequent event",
    "channel": "main channel",
    "process": "main process",
    "hours": "mostly active in",
}
_PATH = "stage path"


def find_exemplars(measures: Sequence[Measured], labels: np.ndarray, ids: list[str], *, seed: int) -> pd.DataFrame:
    """The exemplar of each persona: rows `persona`, `feature` and `value`, in words and rounded.

    It is the real customer who lies nearest to the middle of the persona: with the smallest mean distance between their
    rank among all customers and the persona's median rank, over all measures, each weighed by how far that median lies
    from all customers'. Of more than 8,000 customers so many are drawn by `seed`.

    Numbers are told to one digit, shares to the nearest tenth, levels only as long as five customers of the persona
    share all that are told; the id is not told, and neither are numbers among the attributes.
    """
    drawn = np.sort(np.random.default_rng(seed).permutation(len(labels))[:MAX_CUSTOMERS])
    ranks = np.array([_ranks(each.amounts[drawn]) for each in measures]).reshape(len(measures), len(drawn))
    rows = []
    for number, persona in enumerate(ids):
        own = np.flatnonzero(labels[drawn] == number)
        if len(own):
            typical = int(own[smallest(_distances(ranks[:, own]))])
            rows += [(persona, *told) for told in _told(measures, drawn, typical, own)]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def no_exemplars() -> pd.DataFrame:
    """The table without a row."""
    return pd.DataFrame(columns=list(COLUMNS), dtype=object)


def _ranks(amounts: np.ndarray) -> np.ndarray:
    """Mid-ranks from 0 to 1 among the known; missing where missing."""
    known, found = np.isfinite(amounts), np.full(len(amounts), np.nan)
    found[known] = (rankdata(amounts[known]) - 0.5) / max(1, known.sum())
    return found


def _distances(ranks: np.ndarray) -> np.ndarray:
    """How far each customer (a column) lies from the middle of all; what is not known counts as a half."""
    known = np.isfinite(ranks)
    middle = np.array(
        [np.median(row[is_known]) if is_known.any() else 0.5 for row, is_known in zip(ranks, known, strict=True)]
    )
    apart = np.where(known, np.abs(ranks - middle[:, None]), 0.5)
    weights = 0.1 + np.abs(middle - 0.5)
    return (weights @ apart) / weights.sum()


def _told(measures: Sequence[Measured], drawn: np.ndarray, typical: int, own: np.ndarray):
    """Yield (feature, value) of the customer at `typical`, a position in `drawn`, as are `own`."""
    place = drawn[typical]
    for each in measures:
        if each.kind == NUMBER and each.family in _TOLD and np.isfinite(each.amounts[place]):
            yield (
                each.feature,
                about(each.amounts[place], whole=each.feature in COUNTED and "between" not in each.feature),
            )
    for family, words in _MAIN.items():
        parts = [each for each in measures if each.kind == SHARE and each.family == family]
        shares = [float(np.nan_to_num(each.amounts[place])) for each in parts]
        if parts and max(shares) > 0:
            main = largest(shares)
            yield words, f"{part_of(parts[main].feature)} ({tenths(shares[main])})"
    alike = own
    for each in measures:
        if each.kind == LEVEL and each.amounts[place] == 1:
            narrower = alike[each.amounts[drawn[alike]] == 1]
            if len(narrower) >= MIN_SHOWN:
                alike = narrower
                yield each.family, part_of(each.feature)


def about(amount: float, *, whole: bool = False) -> str:
    """`amount` to one digit; counts below ten as they are.

    >>> about(44), about(7, whole=True), about(0.137)
    ('about 40', '7', 'about 0.1')
    """
    if whole and amount < 10:
        return f"{amount:.0f}"
    return f"about {float(f'{amount:.1g}'):,g}"


def tenths(share: float) -> str:
    """`share` to the nearest tenth: “about 30%”; “under 5%” below that."""
    return f"about {round(10 * share) * 10}%" if share >= 0.05 else "under 5%"


@dataclass(frozen=True)
class Description:
    """Tables that tell of personas.

    profiles: see `profile.profile`. rules: see `rules.find_rules`. exemplars: see `exemplar.find_exemplars`.
    """

    profiles: pd.DataFrame
    rules: pd.DataFrame
    exemplars: pd.DataFrame


def describe(features: Features, labels: np.ndarray, ids: list[str], *, rows: np.ndarray, seed: int) -> Description:
    """`labels` numbers the persona, in `ids`, of each customer of `features`; only `rows` are looked at (a sample of
    many)."""
    measures, own = tuple(find_measures(features, rows)), labels[rows]
    return Description(
        profiles=compare_measures(measures, own, ids),
        rules=find_rules(measures, own, ids, seed=seed),
        exemplars=find_exemplars(measures, own, ids, seed=seed),
    )
