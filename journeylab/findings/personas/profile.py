"""What sets each persona apart from the other customers? Effect sizes with their bases; no p-values: these features
made the groups."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from journeylab.events.features import Features

COLUMNS = ["persona", "feature", "kind", "family", "inside", "others", "lift", "delta", "n", "n_others"]
# Below this a difference is negligible (Romano et al. 2006).
NEGLIGIBLE = 0.147
_RARE = 0.01
_NEXT = "next after"
_LABELS = {
    "events": "events",
    "contacts": "people involved",
    "typical_gap_days": "days between events",
    "active_days": "active days",
    "longest_gap_days": "longest gap in days",
    "company_events": "company-initiated events",
    "score": "survey score",
    "value": "value",
}


@dataclass(frozen=True)
class _Measured:
    feature: str
    family: str
    kind: str
    amounts: np.ndarray


def profile(features: Features, labels: np.ndarray, ids: list[str], *, rows: np.ndarray) -> pd.DataFrame:
    """One row per persona and feature, in that order, with the columns of `COLUMNS`.

    kind: `number` (inside and others are medians), `share` (mean shares of a customer's counts) or `level` (share of
        customers); lift is inside / others for shares and levels.
    delta: Cliff's delta, the probability that a customer of the persona has more than another customer, less the
        probability of having less; from -1 to 1.
    n, n_others: customers of the persona and others in whom the feature is known.
    `labels` numbers the persona of each customer of `features`; only `rows` are compared (a sample of many).
    """
    found = []
    for measured in _measures(features, rows):
        known = np.isfinite(measured.amounts)
        if known.any():
            found += _compared(measured, measured.amounts[known], labels[rows][known], ids)
    table = pd.DataFrame(found, columns=COLUMNS)
    table["persona"] = pd.Categorical(table["persona"], ids, ordered=True)
    return table.sort_values("persona", kind="stable", ignore_index=True).astype({"persona": object})


def sets_apart(profiles: pd.DataFrame, persona: str, *, at_most: int = 5) -> pd.DataFrame:
    """The features by which `persona` differs most from the others, largest |delta| first; at most two of one family,
    none with a negligible difference."""
    own = profiles[(profiles["persona"] == persona) & (profiles["delta"].abs() >= NEGLIGIBLE)]
    own = own.iloc[np.argsort(-own["delta"].abs().to_numpy().round(9), kind="stable")]
    return own[own.groupby("family").cumcount() < 2].head(at_most).reset_index(drop=True)


def _measures(features: Features, rows: np.ndarray) -> Iterator[_Measured]:
    for name, column in features.numbers.items():
        yield _Measured(_LABELS.get(name, name), name, "number", column.to_numpy(dtype=float)[rows])
    for name, column in features.categories.items():
        levels = column.iloc[rows]
        known = levels.notna().to_numpy()
        shares = levels.value_counts(normalize=True)
        for level in sorted(shares.index[shares >= _RARE]):
            yield _Measured(f"{name}: {level}", name, "level", np.where(known, (levels == level).to_numpy(), np.nan))
    n = len(features.customers)
    for each in features.counts:
        # Kinds and channels within a group of events are in the counts of all events too, in simpler words.
        if each.given and not each.name.startswith(_NEXT):
            continue
        total = np.bincount(each.rows, weights=each.counts, minlength=n)[rows]
        for place, what in enumerate(each.names):
            here = each.columns == place
            if here.sum() >= _RARE * n and what not in features.milestones:
                count = np.bincount(each.rows[here], weights=each.counts[here], minlength=n)[rows]
                share = np.divide(count, total, out=np.full(len(rows), np.nan), where=total > 0)
                yield _Measured(f"{each.name}: {what}", _NEXT if each.given else each.name, "share", share)


def _compared(measured: _Measured, values: np.ndarray, labels: np.ndarray, ids: list[str]) -> list[dict]:
    """Each persona with the others: Cliff's delta from the mean rank of the persona's customers among all."""
    ranks, total = rankdata(values), len(values)
    typical = np.median if measured.kind == "number" else np.mean
    found = []
    for number, persona in enumerate(ids):
        own = labels == number
        n, n_others = int(own.sum()), int(total - own.sum())
        if n == 0 or n_others == 0:
            continue
        above = ranks[own].sum() - n * (n + 1) / 2
        inside, others = float(typical(values[own])), float(typical(values[~own]))
        lift = inside / others if measured.kind != "number" and others > 0 else np.nan
        delta = 2 * above / (n * n_others) - 1
        found.append(
            dict(
                zip(
                    COLUMNS,
                    (
                        persona,
                        measured.feature,
                        measured.kind,
                        measured.family,
                        inside,
                        others,
                        lift,
                        delta,
                        n,
                        n_others,
                    ),
                    strict=True,
                )
            )
        )
    return found
