"""What describes each persona: how does it differ from the other customers, which rule describes it, what is one of
its customers like, and what did people write about it?

Differences are effect sizes with their bases. There are no p-values: these features made the groups.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from journeylab.base.ordering import largest, order, settled, smallest
from journeylab.base.tables import table_of
from journeylab.events.features import Features
from journeylab.findings.personas.measures import COUNTED, NUMBER, SHARE, Measured, find_measures, part_of
from journeylab.findings.personas.notes import NOTES
from journeylab.findings.personas.rules import RULES, find_rules

PROFILES = {
    **dict.fromkeys(("persona", "feature", "kind", "family"), object),
    **dict.fromkeys(("inside", "others", "lift", "delta"), float),
    **dict.fromkeys(("n", "n_others"), int),
}
EXEMPLARS = dict.fromkeys(("persona", "feature", "value"), object)
# Below this a difference is negligible (Romano et al. 2006).
NEGLIGIBLE = 0.147
MAX_CUSTOMERS = 8_000
# Numbers of the exemplar that are shown.
_SHOWN = ("events", "active_days", "contacts", "roles_in_play", "typical_gap_days", "company_events", "score")
_MAIN = {
    "event": "most frequent event",
    "channel": "main channel",
    "process": "main process",
    "hours": "mostly active in",
}


@dataclass(frozen=True)
class Description:
    """What personas are like.

    Attributes
    ----------
    profiles : DataFrame
        Each persona beside the other customers, one row per persona and feature; see `compare_measures`.
    rules : DataFrame
        The best plain rule of each persona, and how often it is right; see `rules.find_rules`.
    exemplars : DataFrame
        `persona`, `feature`, `value`: a typical customer in rounded numbers; see `find_exemplars`.
    notes : DataFrame
        `persona`, `kind` (note, evidence), `text`, `source`, `date`: what people wrote; see `Personas.named`.
    """

    profiles: pd.DataFrame = field(default_factory=partial(table_of, (), PROFILES))
    rules: pd.DataFrame = field(default_factory=partial(table_of, (), RULES))
    exemplars: pd.DataFrame = field(default_factory=partial(table_of, (), EXEMPLARS))
    notes: pd.DataFrame = field(default_factory=partial(table_of, (), NOTES))


def describe(features: Features, labels: np.ndarray, ids: list[str], *, rows: np.ndarray, seed: int) -> Description:
    """What sets the personas `ids` apart; `labels` numbers the persona of each customer of `features`.

    Only the customers at `rows` are looked at (a sample, where there are many). Rules are of behaviour, and of the
    attributes that made the personas.
    """
    measures, labels = tuple(find_measures(features, rows)), labels[rows]
    done = tuple(measured for measured in measures if measured.family not in features.attributes)
    return Description(
        profiles=compare_measures(measures, labels, ids),
        rules=find_rules(done, labels, ids, seed=seed),
        exemplars=find_exemplars(done, labels, ids, seed=seed),
    )


def compare_measures(measures: Iterable[Measured], labels: np.ndarray, ids: list[str]) -> pd.DataFrame:
    """One row per persona and feature, in that order, with the columns of `PROFILES`.

    kind: `number` (inside and others are medians), `share` (mean shares of a customer's counts) or `level` (share of
        customers); lift is inside / others for shares and levels.
    delta: Cliff's delta, the probability that a customer of the persona has more than another customer, less the
        probability of having less; from -1 to 1.
    n, n_others: customers of the persona and others in whom the feature is known.
    """
    rows: list[tuple] = []
    for measured in measures:
        known = np.isfinite(measured.amounts)
        rows += _compared(measured, measured.amounts[known], labels[known], ids)
    table = table_of(rows, PROFILES)
    table["persona"] = pd.Categorical(table["persona"], ids, ordered=True)
    return table.sort_values("persona", kind="stable", ignore_index=True).astype({"persona": object})


def sets_apart(profiles: pd.DataFrame, persona: str, *, at_most: int = 5) -> pd.DataFrame:
    """The features by which `persona` differs most from the others, largest |delta| first; at most two of one family,
    none with a negligible difference."""
    own = profiles[(profiles["persona"] == persona) & (settled(profiles["delta"].abs()) >= NEGLIGIBLE)]
    own = own.iloc[order(own["delta"].abs())]
    return own[own.groupby("family").cumcount() < 2].head(at_most).reset_index(drop=True)


def _compared(measured: Measured, values: np.ndarray, labels: np.ndarray, ids: list[str]) -> Iterator[tuple]:
    """Each persona with the others: Cliff's delta from the mean rank of the persona's customers among all."""
    ranks, total = rankdata(values), len(values)
    typical = np.median if measured.kind == NUMBER else np.mean
    for number, persona in enumerate(ids):
        is_own = labels == number
        n, n_others = int(is_own.sum()), int(total - is_own.sum())
        if n == 0 or n_others == 0:
            continue
        above = ranks[is_own].sum() - n * (n + 1) / 2
        inside, others = float(typical(values[is_own])), float(typical(values[~is_own]))
        lift = inside / others if measured.kind != NUMBER and others > 0 else np.nan
        delta = 2 * above / (n * n_others) - 1
        yield (persona, measured.feature, measured.kind, measured.family, inside, others, lift, delta, n, n_others)


def find_exemplars(measures: Sequence[Measured], labels: np.ndarray, ids: list[str], *, seed: int) -> pd.DataFrame:
    """The exemplar of each persona: rows `persona`, `feature` and `value`, in words and rounded.

    It is the real customer who is nearest to the middle of the persona: with the smallest mean distance between their
    rank among all customers and the persona's median rank, over all measures, each weighed by how far that median is
    from all customers'. Of more than 8,000 customers so many are drawn by `seed`.

    So that nobody is recognised, numbers are rounded to one digit and shares to the nearest tenth. Neither the id nor
    any attribute is shown: a few of them together may point to one person.
    """
    drawn = np.sort(np.random.default_rng(seed).permutation(len(labels))[:MAX_CUSTOMERS])
    ranks = np.array([_ranks(measured.amounts[drawn]) for measured in measures]).reshape(len(measures), len(drawn))
    rows = []
    for number, persona in enumerate(ids):
        own = np.flatnonzero(labels[drawn] == number)
        if len(own):
            typical = int(own[smallest(_distances(ranks[:, own]))])
            rows += [(persona, *shown) for shown in _shown(measures, int(drawn[typical]))]
    return table_of(rows, EXEMPLARS)


def _ranks(amounts: np.ndarray) -> np.ndarray:
    """Mid-ranks from 0 to 1 among the known; missing where missing."""
    known, ranks = np.isfinite(amounts), np.full(len(amounts), np.nan)
    ranks[known] = (rankdata(amounts[known]) - 0.5) / max(1, known.sum())
    return ranks


def _distances(ranks: np.ndarray) -> np.ndarray:
    """How far each customer (a column) is from the middle of all; what is not known counts as a half."""
    known = np.isfinite(ranks)
    middle = np.array(
        [np.median(row[is_known]) if is_known.any() else 0.5 for row, is_known in zip(ranks, known, strict=True)]
    )
    apart = np.where(known, np.abs(ranks - middle[:, None]), 0.5)
    weights = 0.1 + np.abs(middle - 0.5)
    return (weights @ apart) / weights.sum()


def _shown(measures: Sequence[Measured], customer: int) -> Iterator[tuple[str, str]]:
    """(feature, value) of the customer at that position."""
    for measured in measures:
        amount = measured.amounts[customer]
        if measured.kind == NUMBER and measured.family in _SHOWN and np.isfinite(amount):
            is_count = measured.feature in COUNTED and "between" not in measured.feature
            yield measured.feature, about(amount, whole=is_count)
    for family, words in _MAIN.items():
        parts = [measured for measured in measures if measured.kind == SHARE and measured.family == family]
        shares = [float(np.nan_to_num(part.amounts[customer])) for part in parts]
        if parts and max(shares) > 0:
            main = largest(shares)
            yield words, f"{part_of(parts[main].feature)} ({tenths(shares[main])})"


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
