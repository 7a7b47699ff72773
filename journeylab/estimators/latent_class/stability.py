"""Would the same classes appear in other customers? In resampled ones, and in each half of them."""

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_matrix

from journeylab.estimators.latent_class.mixture import SHORT_STARTS, LatentClass
from journeylab.estimators.latent_class.threads import side_by_side


def overlap(labels: np.ndarray, others: np.ndarray, n: int) -> np.ndarray:
    """(n, n) Jaccard's coefficients of the groups of `labels` (rows) with those of `others`: customers in both, as a
    share of those in either; 0 where both are empty."""
    both = np.zeros((n, n))
    np.add.at(both, (labels, others), 1)
    either = both.sum(axis=1, keepdims=True) + both.sum(axis=0) - both
    return np.divide(both, either, out=np.zeros_like(both), where=either > 0)


def bootstrap_jaccard(
    counts: csr_matrix,
    model: LatentClass,
    *,
    units: np.ndarray,
    replicates: int,
    seed: int,
    tell: Callable[[], None],
) -> np.ndarray:
    """(replicates, classes): how far each class of `model` is found again in resampled rows (Hennig 2007).

    Rows are drawn with replacement, as many as there are; where several rows are of one unit, units are drawn whole
    (`units`: (rows,) numbers 0, 1, ...). As many classes are fitted anew, from short starts that know nothing of
    `model`; all rows are assigned by them; and each class takes Jaccard's coefficient with the new class most like it.
    `tell` is called after each replicate.
    """
    labels, jaccard = model.labels(counts), np.empty((replicates, model.n_classes))

    def again(number: int) -> np.ndarray:
        rows = _resampled(units, np.random.default_rng([seed, model.n_classes, number]))
        return _refitted(counts[rows], model, seed=seed).labels(counts)

    for number, others in enumerate(side_by_side(again, replicates)):
        jaccard[number] = overlap(labels, others, model.n_classes).max(axis=1)
        tell()
    return jaccard


def split_half_jaccard(
    counts: csr_matrix,
    model: LatentClass,
    *,
    units: np.ndarray,
    splits: int,
    seed: int,
    tell: Callable[[], None],
) -> np.ndarray:
    """(splits, classes): how far two halves of the units agree on each class of `model`.

    As many classes are fitted to each half, and all rows assigned by both. For each class of `model`, the class of the
    first half most like it is compared with the class of the second half most like that one. `tell` is called after
    each split.
    """
    labels, n, found = model.labels(counts), model.n_classes, np.empty((splits, model.n_classes))
    for number in range(splits):
        order = np.random.default_rng([seed, n, number, 2]).permutation(int(units.max()) + 1)
        is_first = (order < len(order) / 2)[units]
        if min(is_first.sum(), (~is_first).sum()) < n:
            found[number] = np.nan
            continue
        one, other = (_refitted(counts[half], model, seed=seed).labels(counts) for half in (is_first, ~is_first))
        found[number] = overlap(one, other, n)[overlap(labels, one, n).argmax(axis=1)].max(axis=1)
        tell()
    return found


def _resampled(units: np.ndarray, random: np.random.Generator) -> np.ndarray:
    n_units = int(units.max()) + 1
    times = np.bincount(random.integers(n_units, size=n_units), minlength=n_units)[units]
    return np.repeat(np.arange(len(units)), times)


def _refitted(rows: csr_matrix, model: LatentClass, *, seed: int) -> LatentClass:
    return LatentClass.fit(rows, model.variables, n_classes=model.n_classes, seed=seed, starts=SHORT_STARTS)
