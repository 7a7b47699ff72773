"""Partial likelihood: given who could have left at each time, how likely is it that those left who did?

Cox 1972, JRSS B 34:187-220; ties as Efron 1977, JASA 72:557-565, or Breslow 1974. With Efron, the d rows that leave
at one time leave one after the other in d steps; at step l = 0 .. d - 1 each of them is still at risk with the
probability 1 - l/d. With Breslow all d are at risk throughout.

With the risk r = w exp(x b) of each row, R the risk set of a step and w the mean weight of those who leave, the log
likelihood is  sum over leavers of w x b  -  sum over steps of w log(sum over R of r).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from journeylab.estimators.risk_sets import EventRows, RiskSets

MOST_EXPONENT = 300.0
LEAST_SHARE = 1e-7


@dataclass(frozen=True, eq=False)
class PartialLikelihood:
    """The likelihood of coefficients, given rows whose columns are the covariates.

    rows: the rows at risk. sets: their risk sets. ties: `efron` or `breslow`.
    """

    rows: EventRows
    sets: RiskSets
    ties: str

    @cached_property
    def centred(self) -> np.ndarray:
        """Covariates less their weighted means, which the likelihood does not depend on: (rows, covariates)."""
        return self.rows.columns - np.average(self.rows.columns, axis=0, weights=self.rows.weight)

    def at(self, coefficients: np.ndarray) -> "Risks":
        """The risks that `coefficients` give."""
        exponent = np.clip(self.centred @ coefficients, -MOST_EXPONENT, MOST_EXPONENT)
        return Risks(self, exponent, self.rows.weight * np.exp(exponent))

    @cached_property
    def step_cell(self) -> np.ndarray:
        """The cell of each step, (steps,): as many steps in each cell as rows leave."""
        return np.repeat(np.arange(self.sets.n_cells), self.sets.n_events)

    @cached_property
    def step_gone(self) -> np.ndarray:
        """The share of a cell's leavers no longer at risk at each step, (steps,)."""
        if self.ties == "breslow":
            return np.zeros(len(self.step_cell))
        begins = np.cumsum(self.sets.n_events) - self.sets.n_events
        position = np.arange(len(self.step_cell)) - begins[self.step_cell]
        return position / self.sets.n_events[self.step_cell]

    @cached_property
    def step_weight(self) -> np.ndarray:
        """The mean weight of the leavers of each step's cell, (steps,)."""
        return (self.sets.of_events(self.rows.weight) / self.sets.n_events)[self.step_cell]


@dataclass(frozen=True, eq=False)
class Risks:
    """Each row's risk under some coefficients, and the likelihood and its derivatives there.

    exponent: (rows,). risk: (rows,), weight x exp(exponent).
    """

    likelihood: PartialLikelihood
    exponent: np.ndarray
    risk: np.ndarray

    @cached_property
    def is_usable(self) -> bool:
        """Whether all risk sets still have a risk. Rounding leaves none where risks differ by too much."""
        return bool(self._total.min() > 0 and (np.diag(self.information) >= 0).all())

    @cached_property
    def log_likelihood(self) -> float:
        """The log partial likelihood."""
        rows = self.likelihood.rows
        # sum of w x b over those who leave, less w log(total risk) over the steps
        of_leavers = (rows.weight * self.exponent)[rows.event].sum()
        return float(of_leavers - (self.likelihood.step_weight * np.log(self._total)).sum())

    @cached_property
    def score(self) -> np.ndarray:
        """Its first derivative, (covariates,)."""
        return self.contributions.sum(axis=0)

    @cached_property
    def contributions(self) -> np.ndarray:
        """The score by cell: the leavers' covariates less their means over the risk set, (cells, covariates)."""
        of_leavers = [self._of_events(column) for column in self.likelihood.centred.T]
        return np.stack(of_leavers, axis=1) - self._by_cell(self.likelihood.step_weight[:, None] * self.mean)

    @cached_property
    def mean(self) -> np.ndarray:
        """Means of the covariates over the risk set at each step, sum(r x) / sum(r): (steps, covariates)."""
        return np.stack([self._summed(column) for column in self.likelihood.centred.T], axis=1) / self._total[:, None]

    @cached_property
    def information(self) -> np.ndarray:
        """Minus the second derivative, (covariates, covariates)."""
        return self.spread(np.ones(self.likelihood.sets.n_cells))[0]

    def spread(self, *weights: np.ndarray) -> list[np.ndarray]:
        """Variance of the covariates over the risk sets, summed over the steps with each of `weights`, (cells,)."""
        n_columns = self.likelihood.centred.shape[1]
        sums = [np.empty((n_columns, n_columns)) for _ in weights]
        for one in range(n_columns):
            for other in range(one + 1):
                # w [ sum(r x y) / sum(r) - mean(x) mean(y) ] at each step
                product = self._summed(self.likelihood.centred[:, one] * self.likelihood.centred[:, other])
                product /= self._total
                variance = self.likelihood.step_weight * (product - self.mean[:, one] * self.mean[:, other])
                for total, weight in zip(sums, weights, strict=True):
                    total[one, other] = total[other, one] = (weight[self.likelihood.step_cell] * variance).sum()
        return sums

    @cached_property
    def residuals(self) -> np.ndarray:
        """Score residuals x weight, (rows, covariates): they sum to the score.

        A leaver's covariates less the mean over its risk set, minus the same expected of each row at risk, to which a
        leaver belongs at step l of d with 1 - l/d (Therneau & Grambsch 2000, Modeling Survival Data, section 4.6).
        """
        return self.weighted_residuals(np.ones(self.likelihood.sets.n_cells))

    def weighted_residuals(self, weights: np.ndarray) -> np.ndarray:
        """The same where each cell's part in the score is multiplied by its `weights`, (cells,): (rows, covariates)."""
        likelihood, sets, event = self.likelihood, self.likelihood.sets, self.likelihood.rows.event
        # The hazard of each step, w / sum(r), and hazard x mean: both are expected of a row as long as it is at risk.
        hazard = (weights[likelihood.step_cell] * likelihood.step_weight / self._total)[:, None]
        gone = likelihood.step_gone[:, None]
        by_cell = self._by_cell(np.column_stack([hazard, hazard * self.mean, gone * hazard, gone * hazard * self.mean]))
        n_columns = likelihood.centred.shape[1]
        while_gone = by_cell[:, n_columns + 1 :]
        expected = sets.over_time_at_risk(by_cell[:, : n_columns + 1])
        # Of its own cell's steps a leaver takes part at step l with 1 - l/d only.
        expected[event] -= while_gone[sets.cell]
        # expected of each row: r x (x sum of hazards - sum of hazard x mean)
        expected = likelihood.centred * expected[:, :1] - expected[:, 1:]
        residuals = -self.risk[:, None] * expected
        # observed of each leaver: w (x - mean over its cell's steps)
        mean = self._by_cell(self.mean) / sets.n_events[:, None]
        weight = (likelihood.rows.weight[event] * weights[sets.cell])[:, None]
        residuals[event] += weight * (likelihood.centred[event] - mean[sets.cell])
        return residuals

    @cached_property
    def _is_lossy(self) -> bool:
        """Whether risks differ and rows enter late so much that the fast way to sum would lose too many digits."""
        return self.likelihood.sets.least_share(self.risk) < LEAST_SHARE

    @cached_property
    def _total(self) -> np.ndarray:
        return self._summed(np.ones(len(self.risk)))

    def _summed(self, column: np.ndarray) -> np.ndarray:
        """Sum of risk x column over those at risk at each step, (steps,)."""
        likelihood, values = self.likelihood, self.risk * column
        leaving = likelihood.sets.of_events(values)
        if self._is_lossy:
            at_risk = likelihood.sets.of_those_at_risk_by_adding(values)
        else:
            at_risk = likelihood.sets.of_those_at_risk(values)
        return at_risk[likelihood.step_cell] - likelihood.step_gone * leaving[likelihood.step_cell]

    def _of_events(self, column: np.ndarray) -> np.ndarray:
        return self.likelihood.sets.of_events(self.likelihood.rows.weight * column)

    def _by_cell(self, values: np.ndarray) -> np.ndarray:
        """Sums of (steps, columns) over each cell's steps: (cells, columns)."""
        begins = np.cumsum(self.likelihood.sets.n_events) - self.likelihood.sets.n_events
        return np.add.reduceat(values, begins, axis=0)
