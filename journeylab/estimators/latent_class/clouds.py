"""What would rows look like if each class were one continuous cloud: the same numbers, the same correlations, and
nothing that falls into kinds?

A cloud is a Gaussian copula (Nelsen 2006, section 2.10): every number, level and count keeps its margin exactly, and
any two go together as closely as they did, but by a Gaussian that has no lumps. A cut through such a cloud finds
segments, never kinds: what a mixture gains from cutting one is what it gains from nothing. With several classes there
is one cloud per class, with that class's margins and correlations.

Because ties weaken correlations, the Gaussian's are adjusted until the drawn values go together as the observed did
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
        blocks = {each.name: _amounts(each, observed) for each in encoding.kept}
        strata = {each.by for each in encoding.kept if isinstance(each, Bins) and each.by} - set(blocks)
        blocks |= {name: observed.numbers[name][:, None] for name in sorted(strata)}
        widths = [block.shape[1] for block in blocks.values()]
        first = dict(zip(blocks, np.cumsum([0, *widths[:-1]]).tolist(), strict=True))
        return cls(np.hstack(list(blocks.values())), encoding, first)

    def encode(self, values: np.ndarray) -> csr_matrix:
        """(rows, cells) of other `values` with the same columns."""
        return hstack([self._encoded(each, values) for each in self.encoding.kept], format="csr")

    @property
    def categories(self) -> list[int]:
        """The columns whose values are levels, without an order of their own."""
        return [self.first[each.name] for each in self.encoding.kept if isinstance(each, Levels)]

    def _encoded(self, each: Bins | Levels | Shares, values: np.ndarray) -> csr_matrix:
        column = self.first[each.name]
        if isinstance(each, Shares):
            return each.encode(csr_matrix(values[:, column : column + each.n_cells]))
        if isinstance(each, Bins):
            return each.encode(values[:, column], values[:, self.first[each.by]] if each.by else None)
        given = np.flatnonzero(values[:, column] >= 0)
        levels = values[given, column].astype(int)
        return csr_matrix((np.ones(len(given)), (given, levels)), shape=(len(values), each.n_cells))


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
        """The clouds of the classes to which `probabilities` (rows, classes) assign; every row is drawn once into a
        class, for the most probable one would cut the clouds off where they overlap."""
        drawn = random.random((len(probabilities), 1))
        labels = (probabilities.cumsum(axis=1) < drawn).sum(axis=1).clip(max=probabilities.shape[1] - 1)
        members, roots, ladders = [], [], []
        for number in np.unique(labels):
            rows = np.flatnonzero(labels == number)
            values = amounts.values[rows]
            places = _places(values, amounts.categories)
            members.append(rows)
            ladders.append(np.take_along_axis(values, np.argsort(places, axis=0, kind="stable"), axis=0))
            roots.append(_calibrated(places, random))
        return cls(amounts, tuple(members), tuple(roots), tuple(ladders))

    def draw(self, random: np.random.Generator) -> csr_matrix:
        """(rows, cells): as many rows as were observed, anew."""
        return self.amounts.encode(self.values(random))

    def values(self, random: np.random.Generator) -> np.ndarray:
        """The same before they are written into cells: (rows, columns), as `Amounts.values`."""
        drawn = np.empty_like(self.amounts.values)
        for rows, root, ladder in zip(self.members, self.roots, self.ladders, strict=True):
            drawn[rows] = _placed(ladder, _order(root, len(rows), random))
        return drawn


def _amounts(each: Bins | Levels | Shares, observed: Observed) -> np.ndarray:
    if isinstance(each, Shares):
        tally = observed.tallies[each.name]
        return each.gather(tally.counts, tally.names).toarray()
    if isinstance(each, Bins):
        values = observed.numbers[each.name]
        return np.where(np.isfinite(values), values, -np.inf)[:, None]
    cells = each.encode(observed.categories[each.name])
    given = np.asarray(cells.sum(axis=1)).ravel() > 0
    return np.where(given, cells @ np.arange(each.n_cells), -np.inf)[:, None]


def _places(values: np.ndarray, categories: list[int]) -> np.ndarray:
    """`values` with the levels of each category, missing among them, replaced by their place in an order: that in which
    the level tells most of the other columns (the first axis of a correspondence analysis: Greenacre 2017), so that as
    much of what goes with a category as a Gaussian can carry is kept."""
    if not categories:
        return values
    numeric = np.setdiff1d(np.arange(values.shape[1]), categories)
    blocks = {-1: _standardised(_scores(values[:, numeric]))}
    blocks |= {column: _standardised(_indicators(values[:, column])) for column in categories}
    places = values.copy()
    for column in categories:
        others = np.hstack([block for each, block in blocks.items() if each != column])
        found, level = np.unique(values[:, column], return_inverse=True)
        n = np.bincount(level)
        totals = np.stack([others[level == each].sum(axis=0) for each in range(len(found))])
        axis = np.linalg.svd(totals / np.sqrt(n)[:, None], full_matrices=False)[0][:, 0] / np.sqrt(n)
        places[:, column] = rankdata((axis * np.sign(axis[0])).round(9), method="dense")[level]
    return places


def _indicators(levels: np.ndarray) -> np.ndarray:
    return (levels[:, None] == np.unique(levels)).astype(float)


def _calibrated(places: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A root of the Gaussian correlations that make drawn values go together as `places` do."""
    scores = _scores(places)
    target, ladder = _correlations(scores), np.sort(scores, axis=0)
    wanted = target
    for _ in range(_ROUNDS):
        drawn = _placed(ladder, _order(_root(wanted), len(places), random))
        wanted = np.clip(wanted + target - _correlations(drawn), -0.999, 0.999)
    return _root(wanted)


def _scores(values: np.ndarray) -> np.ndarray:
    """Normal scores of each column, ties at their middle."""
    return ndtri((rankdata(values, axis=0) - 0.5) / len(values))


def _standardised(columns: np.ndarray) -> np.ndarray:
    centred = columns - columns.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    return centred / np.where(spread > 0, spread, 1.0)


def _correlations(scores: np.ndarray) -> np.ndarray:
    columns = _standardised(scores)
    found = columns.T @ columns / len(columns)
    np.fill_diagonal(found, 1.0)
    return found


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
    """`counts` (rows, cells) with every variable shuffled among the rows by itself, so that none goes with another."""
    starts = np.flatnonzero(np.diff(variables, prepend=-1))
    columns = counts.tocsc()
    blocks = [
        columns[:, start:stop].tocsr()[random.permutation(counts.shape[0])]
        for start, stop in zip(starts, [*starts[1:], len(variables)], strict=True)
    ]
    return hstack(blocks, format="csr")
