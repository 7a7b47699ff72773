"""Are two variables still associated within a class, although the model takes them to be independent there?"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import ndtri

from journeylab.base.ordering import largest
from journeylab.estimators.latent_class.mixture import LatentClass


@dataclass(frozen=True)
class Dependence:
    """What the model leaves unexplained within one class.

    largest: the largest absolute correlation of a cell of one variable with a cell of another, after what the class
        explains. between: positions of these two variables. share: share of the pairs of variables whose largest
        correlation is beyond what chance gives in 95% of classes of this size (Bonferroni over all pairs of cells).
    All are nan, and `between` None, where the class has fewer than 30 rows or there is one variable.
    """

    largest: float
    between: tuple[int, int] | None
    share: float


MIN_ROWS = 30


def local_dependence(counts: csr_matrix, model: LatentClass) -> list[Dependence]:
    """Per class of `model`, the bivariate residuals of the rows assigned to it.

    A row's residual in a cell is its count less what the class expects of the row's counts in that variable; residuals
    of two cells are correlated over rows (after the bivariate residuals of Vermunt and Magidson 2005, as correlations,
    which do not grow with the number of rows).
    """
    labels, cells = model.labels(counts), np.exp(model.log_cells)
    edges = np.flatnonzero(np.diff(model.variables, prepend=-1))
    return [
        _within_class(counts[labels == number].toarray(), cells[:, number], model.variables, edges)
        for number in range(model.n_classes)
    ]


def _within_class(rows: np.ndarray, cells: np.ndarray, variables: np.ndarray, edges: np.ndarray) -> Dependence:
    if len(rows) < MIN_ROWS or len(edges) < 2:
        return Dependence(np.nan, None, np.nan)
    # residual: count less (the row's counts in the variable x the class's probability of the cell)
    total = np.add.reduceat(rows, edges, axis=1)[:, variables]
    residuals = rows - total * cells
    residuals -= residuals.mean(axis=0)
    # correlations of the residuals over rows
    length = np.sqrt((residuals**2).sum(axis=0))
    residuals /= np.where(length > 0, length, 1.0)
    size = np.abs(residuals.T @ residuals)
    # Of a pair of variables, the pair of cells that go together most.
    pairs = np.maximum.reduceat(np.maximum.reduceat(size, edges, axis=0), edges, axis=1)
    first, second = np.triu_indices(len(edges), k=1)
    sizes = pairs[first, second]
    place = largest(sizes)
    n_cells = np.diff([*edges, len(variables)])
    by_chance = -ndtri(0.025 / (n_cells[first] * n_cells[second]).sum()) / np.sqrt(len(rows))
    return Dependence(float(sizes[place]), (int(first[place]), int(second[place])), float((sizes > by_chance).mean()))
