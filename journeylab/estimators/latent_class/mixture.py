"""Latent classes: which few kinds of customer would make the counts in each row look independent within a kind?

A row holds counts in cells; cells are grouped in variables; within a class each variable is one multinomial,
independent of the others. Numbers enter as the quantile bin they fall in, a category as its level, a Markov chain as
one multinomial per state left (`journeylab.estimators.latent_class.cells` writes such rows). A variable in which a row
holds nothing says nothing about its class, so that missing values are absent and never imputed.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from journeylab.base.errors import EstimateError

MAX_ROWS = 50_000
_SHORT_ROWS, _SHORT_STARTS, _SHORT_STEPS = 2_500, 24, 20
_KEPT_STARTS, _FULL_STEPS = 2, 10
_MAX_STEPS, _TOLERANCE = 200, 1e-5


@dataclass(frozen=True)
class LatentClass:
    """A fitted latent-class model; classes are ordered by size, the largest first.

    log_shares: (classes,) log of the share of each class.
    log_cells: (cells, classes) log probability of each cell within its variable, per class.
    variables: (cells,) the variable that each cell belongs to, as 0, 0, 0, 1, 1, ...
    log_likelihood: of the rows fitted, without the multinomial coefficients (they are the same whatever the number of
    classes).
    n_rows: number of rows fitted.
    converged: whether the last step gained less than 0.00001 log-likelihood per row.
    """

    log_shares: np.ndarray
    log_cells: np.ndarray
    variables: np.ndarray
    log_likelihood: float
    n_rows: int
    converged: bool

    @classmethod
    def fit(cls, counts: csr_matrix, variables: np.ndarray, *, n_classes: int, seed: int) -> "LatentClass":
        """Fit `n_classes` classes to `counts`, (rows, cells), non-negative, by expectation-maximisation from many
        starts.

        24 short starts on at most 2,500 rows; the better of the best two, after some steps on all rows, is refined.
        Every class is smoothed by one count per variable, spread as in all rows together. Neither the order of the rows
        nor anything but `seed` and the rows' content changes the result. Raises EstimateError for arguments that
        contradict each other.
        """
        _check(counts, variables, n_classes)
        rows = counts[canonical_rows(counts)]
        work = _Mixture.of(rows, variables)
        if n_classes == 1:
            return work.result(work.pooled[:, None], np.zeros(1), converged=True)
        random = np.random.default_rng([seed, n_classes])
        short = random.permutation(rows.shape[0])[:_SHORT_ROWS]
        cells, shares = _Mixture.of(rows[np.sort(short)], variables).short_climbs(n_classes, random)
        return work.climb(*work.best(cells, shares, _FULL_STEPS))

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.log_shares)

    @property
    def n_parameters(self) -> int:
        """Free parameters: shares, and for each class and variable one less than the variable has cells."""
        n_variables = len(np.unique(self.variables))
        return self.n_classes - 1 + self.n_classes * (len(self.variables) - n_variables)

    @property
    def bic(self) -> float:
        """Bayesian information criterion, -2 log L + p log n (Schwarz 1978); lower is better."""
        return -2 * self.log_likelihood + self.n_parameters * np.log(self.n_rows)

    @property
    def adjusted_bic(self) -> float:
        """BIC with the sample size adjusted to (n + 2) / 24 (Sclove 1987); finds more classes than BIC."""
        return -2 * self.log_likelihood + self.n_parameters * np.log((self.n_rows + 2) / 24)

    def probabilities(self, counts: csr_matrix, *, batch: int = 100_000) -> np.ndarray:
        """(rows, classes): how probable each class is for each row of `counts`; rows sum to 1. Rows need not have been
        fitted."""
        found = np.empty((counts.shape[0], self.n_classes))
        for first in range(0, counts.shape[0], batch):
            scores = counts[first : first + batch] @ self.log_cells + self.log_shares
            found[first : first + batch] = _normalised(scores)[0]
        return found

    def labels(self, counts: csr_matrix) -> np.ndarray:
        """(rows,): the most probable class of each row of `counts`, 0 for the largest class; of equals the larger
        class."""
        return self.probabilities(counts).argmax(axis=1)


def canonical_rows(counts: csr_matrix, *, at_most: int | None = None, seed: int = 0) -> np.ndarray:
    """Row numbers in an order that depends on what the rows hold, never on how they came; a random `at_most` of them if
    given.

    Rows are ordered by two fixed random projections of their content; rows with equal content are interchangeable.
    """
    counts = counts.sorted_indices()
    directions = np.random.default_rng(0).random((counts.shape[1], 2))
    keys = counts @ directions
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    if at_most is None or at_most >= len(order):
        return order
    chosen = np.random.default_rng(seed).choice(len(order), size=at_most, replace=False)
    return order[np.sort(chosen)]


def certainty(probabilities: np.ndarray) -> np.ndarray:
    """(classes,): mean probability of their own class among the rows assigned to each class; nan where none is.

    1 means that every row clearly belongs where it was put (average posterior probability, Nagin 2005, who asks for
    .7).
    """
    labels = probabilities.argmax(axis=1)
    n_classes = probabilities.shape[1]
    n = np.bincount(labels, minlength=n_classes)
    total = np.bincount(labels, weights=probabilities.max(axis=1), minlength=n_classes)
    return np.divide(total, n, out=np.full(n_classes, np.nan), where=n > 0)


def relative_entropy(probabilities: np.ndarray) -> float:
    """1 - entropy / log(classes), averaged over rows: 1 where all rows are certain, 0 where all are a toss-up; 1 for
    one class (Ramaswamy et al. 1993)."""
    n_classes = probabilities.shape[1]
    if n_classes == 1:
        return 1.0
    information = probabilities * np.log(np.clip(probabilities, 1e-300, None))
    return float(1 + information.sum() / (len(probabilities) * np.log(n_classes)))


@dataclass(frozen=True)
class _Mixture:
    """Rows ready for expectation-maximisation, for one start or many side by side."""

    rows: csr_matrix
    turned: csr_matrix
    variables: np.ndarray
    edges: np.ndarray
    pooled: np.ndarray

    @classmethod
    def of(cls, rows: csr_matrix, variables: np.ndarray) -> "_Mixture":
        edges = np.flatnonzero(np.diff(variables, prepend=-1))
        # Half a count per cell keeps a cell that these rows never use from having probability zero.
        totals = np.asarray(rows.sum(axis=0)).ravel()[:, None] + 0.5
        return cls(rows, rows.T.tocsr(), variables, edges, _within(totals, variables, edges)[:, 0])

    def short_climbs(self, n_classes: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """The best two of many short climbs, each from classes drawn around randomly chosen rows: (cells, starts x
        classes) and (starts, classes)."""
        centres = random.integers(self.rows.shape[0], size=_SHORT_STARTS * n_classes)
        cells = self._smoothed(self.rows[centres].T.toarray(), 2.0)
        shares = np.full((_SHORT_STARTS, n_classes), 1 / n_classes)
        return self.best(cells, shares, _SHORT_STEPS, keep=_KEPT_STARTS)

    def best(
        self, cells: np.ndarray, shares: np.ndarray, steps: int, *, keep: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        """The best `keep` of several starts after some steps side by side."""
        for _ in range(steps):
            cells, shares, reached = self._step(cells, shares)
        best = np.argsort(-reached, kind="stable")[:keep]
        blocks = cells.reshape(len(cells), *shares.shape)
        return blocks[:, best].reshape(len(cells), -1), shares[best]

    def climb(self, cells: np.ndarray, shares: np.ndarray) -> LatentClass:
        """Expectation-maximisation from one start until a step gains less than the tolerance."""
        before, converged = -np.inf, False
        for _ in range(_MAX_STEPS):
            cells, shares, reached = self._step(cells, shares)
            converged = bool(reached[0] - before < _TOLERANCE * self.rows.shape[0])
            if converged:
                break
            before = reached[0]
        return self.result(cells, np.log(shares[0]), converged=converged)

    def result(self, cells: np.ndarray, log_shares: np.ndarray, *, converged: bool) -> LatentClass:
        log_cells = np.log(cells)
        # Size decides the order; the content of the cells breaks ties, so that no order of starts can.
        order = np.lexsort((*log_cells[::-1], -log_shares.round(12)))
        scores = self.rows @ log_cells + log_shares
        log_likelihood = float(_normalised(scores)[1].sum())
        return LatentClass(
            log_shares[order], log_cells[:, order], self.variables, log_likelihood, self.rows.shape[0], converged
        )

    def _step(self, cells: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One step for all starts: new cells, new shares, and the smoothed log-likelihood of each start before the
        step."""
        n_starts, n_classes = shares.shape
        log_cells = np.log(cells)
        scores = (self.rows @ log_cells).reshape(-1, n_starts, n_classes) + np.log(shares)
        belonging, per_row = _normalised(scores)
        prior = (self.pooled @ log_cells).reshape(n_starts, n_classes).sum(axis=1)
        reached = per_row.sum(axis=0) + prior + np.log(shares).mean(axis=1)
        sizes = belonging.sum(axis=0)
        new_shares = (sizes + 1 / n_classes) / (len(belonging) + 1)
        totals = self.turned @ belonging.reshape(len(belonging), -1)
        return self._smoothed(totals, 1.0), new_shares, reached

    def _smoothed(self, totals: np.ndarray, weight: float) -> np.ndarray:
        """Totals as probabilities within each variable, after `weight` counts spread as in all rows together."""
        return _within(totals + weight * self.pooled[:, None], self.variables, self.edges)


def _within(totals: np.ndarray, variables: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return totals / np.add.reduceat(totals, edges, axis=0)[variables]


def _normalised(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log scores over the last axis as probabilities, and the log of their sum."""
    highest = scores.max(axis=-1, keepdims=True)
    weights = np.exp(scores - highest)
    total = weights.sum(axis=-1, keepdims=True)
    return weights / total, (np.log(total) + highest)[..., 0]


def _check(counts: csr_matrix, variables: np.ndarray, n_classes: int) -> None:
    if n_classes < 1:
        raise EstimateError(f"A latent-class model with “{n_classes}” classes was asked for. Ask for 1 or more.")
    if counts.shape[0] < n_classes:
        raise EstimateError(
            f"{n_classes} classes cannot be fitted to {counts.shape[0]} rows. Ask for fewer classes, or give more rows."
        )
    if counts.shape[1] != len(variables):
        raise EstimateError(
            f"The counts have {counts.shape[1]} cells, but {len(variables)} cells were given a variable. "
            "Name one variable per cell."
        )
    if len(variables) == 0 or variables[0] != 0 or not np.isin(np.diff(variables), (0, 1)).all():
        raise EstimateError(
            "The cells are not grouped by variable. Number the variables 0, 0, 1, 1, 1, 2, ... in order."
        )
    if counts.nnz and (not np.isfinite(counts.data).all() or counts.data.min() < 0):
        raise EstimateError(
            "The counts hold numbers that are negative or not finite. Leave missing cells out of the matrix."
        )
