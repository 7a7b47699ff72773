"""Draws: how are many categories drawn at once, each row from its own distribution?"""

import numpy as np


def choose(rng: np.random.Generator, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """For each of `rows`, a column of `weights` (rows x columns, not negative) drawn with that row's weights.

    One sorted array holds all rows' cumulative shares, row r's between r and r + 1, so that one binary search draws
    all.
    """
    cumulative = np.cumsum(weights, axis=1, dtype=float)
    cumulative /= cumulative[:, -1:]
    # Rounding must not hand a row's last sliver to a column without weight, nor to the next row.
    cumulative[cumulative > 1 - 1e-12] = 1.0
    n_columns = weights.shape[1]
    ladder = (cumulative + np.arange(len(weights))[:, None]).ravel()
    return np.searchsorted(ladder, rows + (1 - 1e-9) * rng.random(len(rows)), side="right") - rows * n_columns


def counter(lengths: np.ndarray) -> np.ndarray:
    """0, 1, ... within each run: for lengths 2, 3 it is 0 1 0 1 2."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)
