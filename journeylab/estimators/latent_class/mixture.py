"""Latent classes: which few kinds of customer would make the counts in each row look independent within a kind?

A row has counts in cells; cells are grouped in variables; within a class each variable is one multinomial,
independent of the others. Numbers enter as the quantile bin they fall in, a category as its level, a Markov chain as
one multinomial per state left (`journeylab.estimators.latent_class.cells` writes such rows). A variable in which a row
has no counts says nothing about its class, so missing values are absent and never imputed.

With the share s of each class and the probability q of each cell in it, the likelihood of a row of counts n is the sum
over classes of s x product over cells of q^n.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from journeylab.base.errors import EstimateError
from journeylab.base.ordering import largest_of_rows, order, settled

MAX_ROWS = 10_000
STARTS, SHORT_STARTS = 24, 12
_SHORT_ROWS, _SHORT_STEPS = 2_500, (8, 12)
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
    def fit(
        cls, counts: csr_matrix, variables: np.ndarray, *, n_classes: int, seed: int, starts: int = STARTS
    ) -> "LatentClass":
        """Fit `n_classes` classes to `counts`, (rows, cells), non-negative, by expectation-maximisation from many
        starts.

        There are `starts` short starts on at most 2,500 rows. The better of the best two, after some steps on all rows,
        is refined. All is in double precision, so that processors that round differently do not choose different
        starts. Every class is smoothed by one count per variable, spread as in all rows together. Only `seed` and the
        rows' content change the result, not their order. Raises EstimateError for arguments that contradict each other.
        """
        _check(counts, variables, n_classes)
        rows = counts[canonical_rows(counts)]
        work = _Mixture.of(rows, variables)
        if n_classes == 1:
            return work.single()
        random = np.random.default_rng([seed, n_classes])
        short = random.permutation(rows.shape[0])[:_SHORT_ROWS]
        few = _Mixture.of(rows[np.sort(short)], variables)
        cells, shares = few.short_climbs(n_classes, starts, random)
        return work.climb(*work.best(cells, shares, _FULL_STEPS))

    def refined(self, counts: csr_matrix) -> "LatentClass":
        """The same number of classes, fitted to other rows, `counts`, by expectation-maximisation from this model
        alone."""
        _check(counts, self.variables, self.n_classes)
        work = _Mixture.of(counts[canonical_rows(counts)], self.variables)
        if self.n_classes == 1:
            return work.single()
        return work.climb(np.exp(self.log_cells), np.exp(self.log_shares)[:, None])

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
        probabilities = np.empty((counts.shape[0], self.n_classes))
        for first in range(0, counts.shape[0], batch):
            scores = counts[first : first + batch] @ self.log_cells + self.log_shares
            probabilities[first : first + batch] = _normalised(scores)[0]
        return probabilities

    def labels(self, counts: csr_matrix) -> np.ndarray:
        """(rows,): the most probable class of each row of `counts`, 0 for the largest class; of equals the larger
        class."""
        return largest_of_rows(self.probabilities(counts))


def canonical_rows(counts: csr_matrix, *, at_most: int | None = None, seed: int = 0) -> np.ndarray:
    """Row numbers, sorted by the rows' content and not by how they came; a random `at_most` of them if given.

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


@dataclass(frozen=True)
class _Mixture:
    """Rows ready for expectation-maximisation, for one start or many side by side.

    Starts stand side by side within a class: `cells` is (cells, classes x starts), `shares` (classes, starts).
    """

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

    def short_climbs(self, n_classes: int, starts: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """The best two of many short climbs: (cells, classes x 2) and (classes, 2).

        Each begins from classes around randomly chosen rows. The worse ones are dropped on the way.
        """
        centres = random.integers(self.rows.shape[0], size=n_classes * starts)
        cells = self._smoothed(self.rows[centres].T.toarray(), 2.0)
        shares = np.full((n_classes, starts), 1 / n_classes)
        for steps, keep in zip(_SHORT_STEPS, (max(starts // 3, _KEPT_STARTS), _KEPT_STARTS), strict=True):
            cells, shares = self.best(cells, shares, steps, keep=min(keep, starts))
        return cells, shares

    def best(
        self, cells: np.ndarray, shares: np.ndarray, steps: int, *, keep: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        """The best `keep` of several starts after some steps side by side."""
        for _ in range(steps):
            cells, shares, reached = self._step(cells, shares)
        best = order(reached)[:keep]
        blocks = cells.reshape(len(cells), *shares.shape)
        return blocks[:, :, best].reshape(len(cells), -1), shares[:, best]

    def single(self) -> LatentClass:
        """The model with one class."""
        return self.result(self.pooled[:, None], np.zeros(1), converged=True)

    def climb(self, cells: np.ndarray, shares: np.ndarray) -> LatentClass:
        """Expectation-maximisation from one start until a step gains less than the tolerance."""
        before, converged = -np.inf, False
        for _ in range(_MAX_STEPS):
            cells, shares, reached = self._step(cells, shares)
            converged = bool(reached[0] - before < _TOLERANCE * self.rows.shape[0])
            if converged:
                break
            before = reached[0]
        return self.result(cells, np.log(shares[:, 0]), converged=converged)

    def result(self, cells: np.ndarray, log_shares: np.ndarray, *, converged: bool) -> LatentClass:
        log_cells = np.log(cells)
        # Size decides the order; the content of the cells breaks ties, so that no order of starts can.
        by_size = np.lexsort((*settled(log_cells)[::-1], -settled(log_shares)))
        scores = self.rows @ log_cells + log_shares
        log_likelihood = float(_normalised(scores)[1].sum())
        return LatentClass(
            log_shares[by_size], log_cells[:, by_size], self.variables, log_likelihood, self.rows.shape[0], converged
        )

    def _step(self, cells: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One step for all starts: new cells, new shares, and the smoothed log-likelihood of each start before the
        step."""
        n_classes, n_starts = shares.shape
        # E step: log s + sum over cells of n log q, as probabilities over the classes
        log_cells, log_shares = np.log(cells), np.log(shares)
        scores = (self.rows @ log_cells).reshape(-1, n_classes, n_starts)
        scores += log_shares
        belonging, per_row = _normalised(scores)
        # what the smoothing counts add to the log-likelihood: cells as in all rows, shares alike
        prior = (self.pooled[:, None] * log_cells).sum(axis=0).reshape(n_classes, n_starts).sum(axis=0)
        reached = per_row.sum(axis=0) + prior + log_shares.mean(axis=0)
        # M step: shares from the sums of probabilities, cells from the counts weighted by them
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
    """Log scores over the classes (axis 1) as probabilities, and the log of their sum; writes into `scores`."""
    highest = scores.max(axis=1, keepdims=True)
    scores -= highest
    np.exp(scores, out=scores)
    total = scores.sum(axis=1, keepdims=True)
    scores /= total
    return scores, (np.log(total) + highest)[:, 0]


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
        raise EstimateError("Some counts are negative or not finite. Leave missing cells out of the matrix.")
