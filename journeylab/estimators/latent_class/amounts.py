"""What did each row do, as whole counts that can be drawn anew, before they are written into the model's cells?"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import block_diag
from scipy.sparse import csr_matrix

from journeylab.estimators.latent_class.cells import Bins, Levels, Shares
from journeylab.estimators.latent_class.encoding import Encoding, Observed


@dataclass(frozen=True)
class Amounts:
    """Whole counts of some rows, and how to read them into cells.

    values: (rows, kinds) whole counts. A number or a category counts once, as one of the kinds of entry that occur in
    its cells (a value that spans several bins is a kind of its own); missing counts nowhere.
    variables: (kinds,) the variable of each kind, 0, 0, 1, ... entries: (kinds, cells) what one count of a kind
    writes into each cell. correlations: (variables,) how much two counts of a row agree beyond chance; see `Shares`.
    encoding: the variables. when: (rows,) when each row began, in any unit; None where that is unknown.
    """

    values: np.ndarray
    variables: np.ndarray
    entries: np.ndarray
    correlations: np.ndarray
    encoding: Encoding
    when: np.ndarray | None = None

    @classmethod
    def of(cls, observed: Observed, encoding: Encoding, when: np.ndarray | None = None) -> "Amounts":
        """The counts of the rows `observed`."""
        blocks = [_block(variable, encoding.encode_one(variable, observed)) for variable in encoding.kept]
        values, entries = [block[0] for block in blocks], [block[1] for block in blocks]
        correlations = [variable.correlation if isinstance(variable, Shares) else 0.0 for variable in encoding.kept]
        variables = np.repeat(np.arange(len(blocks)), [block.shape[1] for block in values])
        return cls(np.hstack(values), variables, block_diag(*entries), np.array(correlations), encoding, when)

    @property
    def is_ordered(self) -> np.ndarray:
        """(variables,) whether the kinds of a variable have an order: those of numbers, from low to high."""
        return np.array([isinstance(variable, Bins) for variable in self.encoding.kept])

    @property
    def edges(self) -> np.ndarray:
        """(variables,) the first kind of each variable."""
        return edges_of(self.variables)

    @property
    def totals(self) -> np.ndarray:
        """(rows, variables) how many counts each row has in each variable."""
        return np.add.reduceat(self.values, self.edges, axis=1)

    def worth(self, totals: np.ndarray) -> np.ndarray:
        """(rows, variables) what `totals` counts are worth, n / (1 + (n - 1) r); see `cells`."""
        return totals / (1 + np.clip(totals - 1, 0, None) * self.correlations)

    def encode(self, values: np.ndarray) -> csr_matrix:
        """(rows, cells) of other `values` with the same columns."""
        totals = np.add.reduceat(values, self.edges, axis=1)
        each = self.worth(totals) / np.maximum(totals, 1)
        return csr_matrix((values * each[:, self.variables]) @ self.entries)


def _block(variable: Bins | Levels | Shares, written: csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """(rows, kinds) counts, and (kinds, cells) what one of each kind writes; `written` holds whole counts of shares,
    and the cells of a number or a category."""
    cells = written.toarray()
    if isinstance(variable, Shares):
        return cells, np.eye(variable.n_cells)
    given = cells.any(axis=1)
    entries, kind = np.unique(cells[given], axis=0, return_inverse=True)
    values = np.zeros((len(cells), len(entries)))
    values[np.flatnonzero(given), kind.ravel()] = 1.0
    from_low_to_high = np.argsort(entries @ np.arange(variable.n_cells), kind="stable")
    return values[:, from_low_to_high], entries[from_low_to_high]


def within_variables(totals: np.ndarray, variables: np.ndarray) -> np.ndarray:
    """(rows, kinds) as shares within each variable."""
    return totals / np.add.reduceat(totals, edges_of(variables), axis=1)[:, variables]


def edges_of(variables: np.ndarray) -> np.ndarray:
    """The first position of each variable in `variables`, 0, 0, 1, ..."""
    return np.flatnonzero(np.diff(variables, prepend=-1))
