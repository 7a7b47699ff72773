"""Trend: which shares are expected of rows that began when they did?"""

from itertools import pairwise

import numpy as np

from journeylab.estimators.latent_class.amounts import edges_of, within_variables

_KNOTS, _ROWS_PER_KNOT, _SMALLEST = 12, 60, 1e-6


def find_trend(
    values: np.ndarray, totals: np.ndarray, weights: np.ndarray, variables: np.ndarray, when: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """(rows, kinds) shares expected of rows that began when they did, and (kinds,) the shares of all together.

    Shares run in straight lines between up to twelve times. What the lines explain by chance stays in: so a cloud has a
    little more in it than the rows have, and a claim a little more to beat.
    """
    scale = (weights / np.maximum(totals, 1))[:, variables]
    mean = within_variables((values * scale).sum(axis=0)[None, :] + _SMALLEST, variables)[0]
    shares = np.repeat(mean[None, :], len(values), axis=0)
    basis = None if when is None else _lines(when)
    if basis is None:
        return shares, mean
    edges = [*edges_of(variables), len(variables)]
    for variable, (start, stop) in enumerate(pairwise(edges)):
        known = np.flatnonzero(totals[:, variable] > 0)
        if len(known) < 2 * basis.shape[1] + 2:
            continue
        weight = weights[known, variable][:, None]
        apart = values[known, start:stop] / totals[known, variable][:, None] - mean[start:stop]
        own = basis[known] - np.average(basis[known], axis=0, weights=weight[:, 0])
        slopes = np.linalg.lstsq(own * np.sqrt(weight), apart * np.sqrt(weight), rcond=None)[0]
        shares[:, start:stop] += (basis - basis[known].mean(axis=0)) @ slopes
    return within_variables(shares.clip(_SMALLEST), variables), mean


def _lines(when: np.ndarray) -> np.ndarray | None:
    """(rows, knots - 1) the hat functions of times between which lines run; None for too few rows or times."""
    n = min(_KNOTS, len(when) // _ROWS_PER_KNOT)
    knots = np.unique(np.quantile(when, np.linspace(0, 1, n))) if n > 1 else np.empty(0)
    if len(knots) < 2:
        return None
    return np.stack([np.interp(when, knots, hat) for hat in np.eye(len(knots))[1:]], axis=1)
