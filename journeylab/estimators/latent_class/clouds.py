"""What would rows look like if each class were one continuous cloud: the same numbers, the same correlations, and
nothing that falls into kinds?

A cloud is a Gaussian copula (Nelsen 2006, section 2.10): every number, level and count keeps its margin exactly, and
any two correlate as closely as they did, but by a Gaussian that has no lumps. A cut through such a cloud finds
segments, never kinds: what a mixture gains from cutting one is what it gains from nothing. With several classes there
is one cloud per class, with that class's margins and correlations.

Because ties weaken correlations, the Gaussian's are adjusted until the drawn values correlate as the observed did
(NORTA: Cario and Nelson 1997). A continuum of another shape, such as customers spread evenly between two extremes, is
no cloud in this sense, and a mixture may gain from it what a Gaussian one does not give.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, hstack
from scipy.special import ndtri
from scipy.stats import rankdata

from journeylab.estimators.latent_class.cells import Bins, Levels, Shares
from journeylab.estimators.latent_class.encoding import Encoding, Observed

_ROUNDS = 2
_SMALLEST_EIGENVALUE = 1e-6


@dataclass(frozen=True)
class Amounts:
    """What is observed of some rows as one dense table, and how to read it back into cells.

    values: (rows, columns); missing is -inf, so that it ranks lowest and keeps its share of the margin.
    encoding: the variables. first: name of a number or variable -> its first column.
    """

    values: np.ndarray
    encoding: Encoding
    first: dict[str, int]

    @classmethod
    def of(cls, observed: Observed, encoding: Encoding) -> "Amounts":
        """One column per number and category, one per cell of counts."""
        blocks = {variable.name: _amounts(variable, observed) for variable in encoding.kept}
        strata = {variable.by for variable in encoding.kept if isinstance(variable, Bins) and variable.by} - set(blocks)
        blocks |= {name: observed.numbers[name][:, None] for name in sorted(strata)}
        widths = [block.shape[1] for block in blocks.values()]
        first = dict(zip(blocks, np.cumsum([0, *widths[:-1]]).tolist(), strict=True))
        return cls(np.hstack(list(blocks.values())), encoding, first)

    def encode(self, values: np.ndarray) -> csr_matrix:
        """(rows, cells) of other `values` with the same columns."""
        return hstack([self._encoded(variable, values) for variable in self.encoding.kept], format="csr")

    @property
    def categories(self) -> list[int]:
        """The columns whose values are levels, without an order of their own."""
        return [self.first[variable.name] for variable in self.encoding.kept if isinstance(variable, Levels)]

    def _encoded(self, variable: Bins | Levels | Shares, values: np.ndarray) -> csr_matrix:
        column = self.first[variable.name]
        if isinstance(variable, Shares):
            return variable.encode(csr_matrix(values[:, column : column + variable.n_cells]))
        if isinstance(variable, Bins):
            return variable.encode(values[:, column], values[:, self.first[variable.by]] if variable.by else None)
        given = np.flatnonzero(values[:, column] >= 0)
        levels = values[given, column].astype(int)
        return csr_matrix((np.ones(len(given)), (given, levels)), shape=(len(values), variable.n_cells))


@dataclass(frozen=True)
class Clouds:
    """One cloud per class, ready to be drawn from.

    amounts: what was observed. members: per class, the rows that belong to it. roots: per class, a square root of the
    Gaussian's correlations, (columns, columns). ladders: per class, its values from the lowest to the highest, each
    column for itself.
    """

    amounts: Amounts
    members: tuple[np.ndarray, ...]
    roots: tuple[np.ndarray, ...]
    ladders: tuple[np.ndarray, ...]

    @classmethod
    def fit(cls, amounts: Amounts, probabilities: np.ndarray, *, random: np.random.Generator) -> "Clouds":
        """The clouds of the classes to which `probabilities` (rows, classes) assign.

        The class of every row is drawn. The most probable class would cut the clouds off where they overlap.
        """
        uniform = random.random((len(probabilities), 1))
        labels = (probabilities.cumsum(axis=1) < uniform).sum(axis=1).clip(max=probabilities.shape[1] - 1)
        members, roots, ladders = [], [], []
        for number in np.unique(labels):
            rows = np.flatnonzero(labels == number)
            values = amounts.values[rows]
            ordered = _with_ordered_levels(values, amounts.categories)
            members.append(rows)
            ladders.append(np.take_along_axis(values, np.argsort(ordered, axis=0, kind="stable"), axis=0))
            roots.append(_calibrated(ordered, random))
        return cls(amounts, tuple(members), tuple(roots), tuple(ladders))

    def draw(self, random: np.random.Generator) -> csr_matrix:
        """(rows, cells): as many new rows as were observed."""
        return self.amounts.encode(self.values(random))

    def values(self, random: np.random.Generator) -> np.ndarray:
        """The same rows before they are written into cells: (rows, columns), as `Amounts.values`."""
        values = np.empty_like(self.amounts.values)
        for rows, root, ladder in zip(self.members, self.roots, self.ladders, strict=True):
            values[rows] = _placed(ladder, _order(root, len(rows), random))
        return values


def _amounts(variable: Bins | Levels | Shares, observed: Observed) -> np.ndarray:
    if isinstance(variable, Shares):
        tally = observed.tallies[variable.name]
        return variable.gather(tally.counts, tally.names).toarray()
    if isinstance(variable, Bins):
        values = observed.numbers[variable.name]
        return np.where(np.isfinite(values), values, -np.inf)[:, None]
    cells = variable.encode(observed.categories[variable.name])
    is_given = np.asarray(cells.sum(axis=1)).ravel() > 0
    return np.where(is_given, cells @ np.arange(variable.n_cells), -np.inf)[:, None]


def _with_ordered_levels(values: np.ndarray, categories: list[int]) -> np.ndarray:
    """`values` with the levels of each category, missing as one of them, replaced by their rank in an order.

    It is the order in which the level says most about the other columns (the first axis of a correspondence analysis:
    Greenacre 2017). So the Gaussian keeps as much as it can of what is associated with a category.
    """
    if not categories:
        return values
    numeric = np.setdiff1d(np.arange(values.shape[1]), categories)
    blocks = {-1: _standardised(_scores(values[:, numeric]))}
    blocks |= {column: _standardised(_indicators(values[:, column])) for column in categories}
    ordered = values.copy()
    for column in categories:
        others = np.hstack([block for name, block in blocks.items() if name != column])
        level = np.unique(values[:, column], return_inverse=True)[1]
        n = np.bincount(level)
        totals = np.stack([others[level == number].sum(axis=0) for number in range(len(n))])
        # the first left singular vector of level means, rows weighted by the square root of their number
        axis = np.linalg.svd(totals / np.sqrt(n)[:, None], full_matrices=False)[0][:, 0] / np.sqrt(n)
        ordered[:, column] = rankdata((axis * np.sign(axis[0])).round(9), method="dense")[level]
    return ordered


def _indicators(levels: np.ndarray) -> np.ndarray:
    return (levels[:, None] == np.unique(levels)).astype(float)


def _calibrated(values: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A root of the Gaussian correlations under which drawn values correlate as `values` do."""
    scores = _scores(values)
    target, ladder = _correlations(scores), np.sort(scores, axis=0)
    correlations = target
    for _ in range(_ROUNDS):
        # NORTA: add what the drawn values fall short of the target by.
        drawn = _placed(ladder, _order(_root(correlations), len(values), random))
        correlations = np.clip(correlations + target - _correlations(drawn), -0.999, 0.999)
    return _root(correlations)


def _scores(values: np.ndarray) -> np.ndarray:
    """Normal scores of each column, ties at their middle."""
    return ndtri((rankdata(values, axis=0) - 0.5) / len(values))


def _standardised(columns: np.ndarray) -> np.ndarray:
    centred = columns - columns.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    return centred / np.where(spread > 0, spread, 1.0)


def _correlations(scores: np.ndarray) -> np.ndarray:
    columns = _standardised(scores)
    correlations = columns.T @ columns / len(columns)
    np.fill_diagonal(correlations, 1.0)
    return correlations


def _root(correlations: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh((correlations + correlations.T) / 2)
    # The symmetric root is the only one that does not depend on which eigenvectors a processor finds, and which way
    # they point.
    root = (vectors * np.sqrt(values.clip(_SMALLEST_EIGENVALUE))) @ vectors.T
    return root / np.sqrt((root**2).sum(axis=1, keepdims=True))


def _order(root: np.ndarray, n: int, random: np.random.Generator) -> np.ndarray:
    """Which of `n` drawn rows is the lowest in each column, which the second lowest, and so on."""
    return np.argsort(random.standard_normal((n, len(root))) @ root.T, axis=0)


def _placed(ladder: np.ndarray, order: np.ndarray) -> np.ndarray:
    placed = np.empty_like(ladder)
    np.put_along_axis(placed, order, ladder, axis=0)
    return placed


def independent(counts: csr_matrix, variables: np.ndarray, random: np.random.Generator) -> csr_matrix:
    """`counts` (rows, cells) with every variable shuffled among the rows by itself, so that they are independent."""
    starts = np.flatnonzero(np.diff(variables, prepend=-1))
    columns = counts.tocsc()
    blocks = [
        columns[:, start:stop].tocsr()[random.permutation(counts.shape[0])]
        for start, stop in zip(starts, [*starts[1:], len(variables)], strict=True)
    ]
    return hstack(blocks, format="csr")
