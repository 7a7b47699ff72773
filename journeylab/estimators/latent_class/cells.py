"""How do numbers, categories and counts of each customer become one sparse matrix of counts in cells?

Three kinds of variable, each learned from some customers and applicable to others:

- `Bins`: a number as the quantile bin that it falls in. A number that grows with activity is binned among customers who
  are equally active, so that heavy use alone does not make every such number high together.
- `Levels`: a category as its level; rare and unseen levels are pooled.
- `Shares`: how a customer's counts divide over several cells (events by channel, moves from one state to the next),
  with the counts scaled down to what they are worth.

**What counts are worth.** The events of one customer resemble each other, so that forty events are not forty
independent observations. If two events of one customer agree more often than chance by the correlation r, n of them
are worth n / (1 + (n - 1) r): the design effect of Dirichlet-multinomial counts (Brier 1980; Rao and Scott 1981).
So heavy users are not a persona of their own merely because their counts are large. r is measured from pairs of events:
(agreement within customers - agreement by chance) / (1 - agreement by chance).
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix, diags

N_BINS = 5
N_STRATA = 20
MAX_LEVELS = 12
RARE = 0.01
OTHER = "other"


@dataclass(frozen=True)
class Bins:
    """A number in quantile bins.

    edges: (strata, bins - 1); bin b of a stratum holds values between edges b - 1 and b. Where edges coincide a value
        spans several bins and counts in equal parts in each.
    stratum_edges: cut points of the number that stratifies (empty: one stratum).
    """

    name: str
    edges: np.ndarray
    stratum_edges: np.ndarray
    by: str | None = None

    @classmethod
    def fit(cls, name: str, values: np.ndarray, by: tuple[str, np.ndarray] | None = None) -> "Bins":
        """Learn the edges of `values` (nan where missing), within quantile bins of the number `by` = (its name, its
        values)."""
        quantiles = np.arange(1, N_BINS) / N_BINS
        is_known = np.isfinite(values)
        if by is None:
            edges = np.unique(np.quantile(values[is_known], quantiles)) if is_known.any() else np.empty(0)
            # An edge at the highest value would leave the bin above it empty.
            edges = edges[edges < values[is_known].max()] if is_known.any() else edges
            return cls(name, edges[None, :], np.empty(0))
        stratum_edges = np.unique(np.quantile(by[1], np.arange(1, N_STRATA) / N_STRATA))
        strata = np.searchsorted(stratum_edges, by[1], side="left")
        everyone = np.quantile(values[is_known], quantiles) if is_known.any() else np.zeros(len(quantiles))
        edges = np.array(
            [
                np.quantile(values[within], quantiles) if (within := is_known & (strata == stratum)).any() else everyone
                for stratum in range(len(stratum_edges) + 1)
            ]
        )
        return cls(name, edges, stratum_edges, by[0])

    @property
    def n_cells(self) -> int:
        """Number of bins."""
        return self.edges.shape[1] + 1

    def encode(self, values: np.ndarray, by: np.ndarray | None = None) -> csr_matrix:
        """(rows, bins): one count per known value, split over the bins that the value spans; `by` stratifies."""
        rows = np.flatnonzero(np.isfinite(values))
        strata = np.zeros(len(rows), int) if by is None else np.searchsorted(self.stratum_edges, by[rows], side="left")
        edges, value = self.edges[strata], values[rows, None]
        # A value that equals several edges spans the bins from `lowest` to `highest`.
        lowest = (edges < value).sum(axis=1)
        highest = (edges <= value).sum(axis=1) if self.by else lowest
        width = highest - lowest + 1
        start = np.repeat(np.cumsum(width) - width, width)
        columns = np.repeat(lowest, width) + np.arange(width.sum()) - start
        counts = np.repeat(1 / width, width)
        return csr_matrix((counts, (np.repeat(rows, width), columns)), shape=(len(values), self.n_cells))


@dataclass(frozen=True)
class Levels:
    """A category: one cell per level; the last is `other` where rare levels were pooled."""

    name: str
    levels: tuple[str, ...]

    @classmethod
    def fit(cls, name: str, values: np.ndarray) -> "Levels":
        """Learn the levels of `values` (text; None where missing): the twelve most frequent that 1% hold, the rest
        pooled."""
        levels, n = np.unique(values[_given(values)].astype(str), return_counts=True)
        return cls(name, _frequent(levels, n, n.sum()))

    @property
    def n_cells(self) -> int:
        """Number of levels."""
        return len(self.levels)

    def encode(self, values: np.ndarray) -> csr_matrix:
        """(rows, levels): one count per given value. A level never seen counts as `other`, or as missing if there is
        none."""
        column = {level: position for position, level in enumerate(self.levels)}
        fallback = column.get(OTHER, -1)
        columns = np.array(
            [column.get(str(value), fallback) if value is not None else -1 for value in values], dtype=int
        )
        rows = np.flatnonzero((columns >= 0) & _given(values))
        return csr_matrix((np.ones(len(rows)), (rows, columns[rows])), shape=(len(values), self.n_cells))


@dataclass(frozen=True)
class Shares:
    """Counts that divide over cells.

    correlation: how much more often than by chance two counts of one customer fall in one cell (0 to 1).
    """

    name: str
    cells: tuple[str, ...]
    correlation: float = 0.0

    @classmethod
    def fit(cls, name: str, counts: csr_matrix, names: tuple[str, ...]) -> "Shares":
        """Learn which cells to keep (the twelve that most customers use and at least 1% of them, the rest pooled), and
        the correlation. `counts` is (rows, names)."""
        n_users = np.asarray((counts > 0).sum(axis=0)).ravel()
        shares = cls(name, _frequent(np.array(names, dtype=str), n_users, counts.shape[0]))
        return shares.measured(shares.gather(counts, names))

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.cells)

    def gather(self, counts: csr_matrix, names: tuple[str, ...]) -> csr_matrix:
        """`counts` by the kept cells, whole counts; cells not kept go to `other`, or nowhere if there is none."""
        column = {cell: position for position, cell in enumerate(self.cells)}
        columns = np.array([column.get(name, column.get(OTHER, -1)) for name in names], dtype=int)
        used = np.flatnonzero(columns >= 0)
        chooser = csr_matrix((np.ones(len(used)), (used, columns[used])), shape=(len(names), self.n_cells))
        return (counts @ chooser).tocsr()

    def measured(self, gathered: csr_matrix, belonging: np.ndarray | None = None) -> "Shares":
        """The same with the correlation measured from `gathered`: in all rows together, or within classes whose
        probabilities `belonging` (rows, classes) gives, where what differs between classes is no correlation."""
        if belonging is None:
            belonging = np.ones((gathered.shape[0], 1))
        total = np.asarray(gathered.sum(axis=1)).ravel()
        several = total >= 2
        if not several.any():
            return replace(self, correlation=0.0)
        # Pairs of one row's counts in the same cell, of all its pairs: sum of k (k - 1) / (n (n - 1)) over its cells k.
        squares = np.asarray(gathered.multiply(gathered).sum(axis=1)).ravel()
        n = total[several]
        agreement = (squares[several] - n) / (n * (n - 1))
        # Two counts of different rows agree by chance: the sum of the squared shares of the cells, by class.
        by_class = (gathered.T @ belonging) + 1e-9
        chance = belonging[several] @ ((by_class / by_class.sum(axis=0)) ** 2).sum(axis=0)
        # r = (agreement - chance) / (1 - chance), rows weighted by their counts
        possible = float(n @ (1 - chance))
        correlation = float(n @ (agreement - chance)) / possible if possible > 0 else 0.0
        return replace(self, correlation=min(max(correlation, 0.0), 1.0))

    def encode(self, gathered: csr_matrix) -> csr_matrix:
        """(rows, cells): each row's counts scaled down to what they are worth, n / (1 + (n - 1) r) in all."""
        total = np.asarray(gathered.sum(axis=1)).ravel()
        worth = 1 / (1 + np.clip(total - 1, 0, None) * self.correlation)
        return (diags(worth) @ gathered).tocsr()


def _frequent(names: np.ndarray, n: np.ndarray, base: int) -> tuple[str, ...]:
    """The names frequent enough for a cell of their own, by how many use them, then `other` if that leaves any out."""
    order = np.lexsort((names, -n))
    ranked = [(str(names[position]), n[position]) for position in order if n[position] > 0]
    frequent = [name for name, count in ranked if count >= RARE * base and name != OTHER][:MAX_LEVELS]
    return (*frequent, OTHER) if len(ranked) > len(frequent) else tuple(frequent)


def _given(values: np.ndarray) -> np.ndarray:
    return np.array([value is not None for value in values], dtype=bool)
