"""What sets each persona apart from the other customers? Effect sizes with their bases; no p-values: these features
made the groups."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from journeylab.base.ordering import order, settled
from journeylab.events.features import Features
from journeylab.findings.personas.measures import Measured, find_measures

COLUMNS = ["persona", "feature", "kind", "family", "inside", "others", "lift", "delta", "n", "n_others"]
# Below this a difference is negligible (Romano et al. 2006).
NEGLIGIBLE = 0.147


def profile(features: Features, labels: np.ndarray, ids: list[str], *, rows: np.ndarray) -> pd.DataFrame:
    """One row per persona and feature, in that order, with the columns of `COLUMNS`.

    kind: `number` (inside and others are medians), `share` (mean shares of a customer's counts) or `level` (share of
        customers); lift is inside / others for shares and levels.
    delta: Cliff's delta, the probability that a customer of the persona has more than another customer, less the
        probability of having less; from -1 to 1.
    n, n_others: customers of the persona and others in whom the feature is known.
    `labels` numbers the persona of each customer of `features`; only `rows` are compared (a sample of many).
    """
    return compare_measures(find_measures(features, rows), labels[rows], ids)


def compare_measures(measures: Iterable[Measured], labels: np.ndarray, ids: list[str]) -> pd.DataFrame:
    """As `profile`, from the measures of customers and the number of each customer's persona."""
    found = []
    for measured in measures:
        known = np.isfinite(measured.amounts)
        if known.any():
            found += _compared(measured, measured.amounts[known], labels[known], ids)
    table = pd.DataFrame(found, columns=COLUMNS)
    table["persona"] = pd.Categorical(table["persona"], ids, ordered=True)
    return table.sort_values("persona", kind="stable", ignore_index=True).astype({"persona": object})


def sets_apart(profiles: pd.DataFrame, persona: str, *, at_most: int = 5) -> pd.DataFrame:
    """The features by which `persona` differs most from the others, largest |delta| first; at most two of one family,
    none with a negligible difference."""
    own = profiles[(profiles["persona"] == persona) & (settled(profiles["delta"].abs()) >= NEGLIGIBLE)]
    own = own.iloc[order(own["delta"].abs())]
    return own[own.groupby("family").cumcount() < 2].head(at_most).reset_index(drop=True)


def _compared(measured: Measured, values: np.ndarray, labels: np.ndarray, ids: list[str]) -> list[dict]:
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
        row = (persona, measured.feature, measured.kind, measured.family, inside, others, lift, delta, n, n_others)
        found.append(dict(zip(COLUMNS, row, strict=True)))
    return found
