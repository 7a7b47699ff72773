"""Would a plainer method see the same kinds of customer?"""

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from journeylab.events.features import Features

METHOD = "k-means on logged, scaled features"
COLUMNS = {"method": object, "personas": int, "agreement": float, "n": int}
MAX_ROWS = 5_000
_STARTS = 10


def second_opinion(features: Features, labels: np.ndarray, n_personas: int, *, seed: int) -> pd.DataFrame:
    """How far k-means with as many groups agrees with `labels`: a row with the columns of `COLUMNS`.

    agreement: the adjusted Rand index, 1 for the same groups, about 0 for no more than chance (Hubert and Arabie 1985).
    n: customers compared, a sample of at most 5,000. With one persona there is nothing to agree on, and no row.
    """
    if n_personas < 2:
        return pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)
    rows = np.arange(len(labels))
    if len(rows) > MAX_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(len(labels), size=MAX_ROWS, replace=False))
    groups = KMeans(n_personas, n_init=_STARTS, random_state=seed).fit_predict(logged_and_scaled(features, rows))
    agreement = adjusted_rand_score(labels[rows], groups)
    return pd.DataFrame([(METHOD, n_personas, agreement, len(rows))], columns=list(COLUMNS)).astype(COLUMNS)


def logged_and_scaled(features: Features, rows: np.ndarray) -> np.ndarray:
    """(rows, columns): the numbers of `features` and its counts among all events (those among some only repeat them),
    log(1 + x), each with mean 0 and spread 1; missing values are the column's mean, negative ones 0."""
    values = np.hstack([features.numbers.to_numpy(dtype=float)[rows], *plain_counts(features, rows)])
    known = np.isfinite(values)
    n_known = known.sum(axis=0).clip(1)
    mean = np.where(known, values, 0.0).sum(axis=0) / n_known
    logged = np.log1p(np.where(known, values, mean).clip(min=0))
    spread = logged.std(axis=0)
    return (logged - logged.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def plain_counts(features: Features, rows: np.ndarray) -> list[np.ndarray]:
    """(rows, names) of each set of counts among all events."""
    place = np.full(len(features.customers), -1)
    place[rows] = np.arange(len(rows))
    blocks = []
    for each in (each for each in features.counts if not each.given):
        block, here = np.zeros((len(rows), len(each.names))), place[each.rows] >= 0
        block[place[each.rows[here]], each.columns[here]] = each.counts[here]
        blocks.append(block)
    return blocks
