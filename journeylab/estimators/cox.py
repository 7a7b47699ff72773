"""Cox: by what factor do covariates change how fast something happens?"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2, norm, rankdata

from journeylab.base.errors import EstimateError
from journeylab.estimators.arrays import numbers
from journeylab.estimators.concordance import Concordance
from journeylab.estimators.intervals import normal_interval
from journeylab.estimators.partial_likelihood import PartialLikelihood, Risks
from journeylab.estimators.risk_sets import EventRows, RiskSets

TIES = ("efron", "breslow")
CLOCKS = ("km", "rank", "log", "identity")
MOST_STEPS = 40
MOST_HALVINGS = 20
SETTLED = 1e-18  # what another step would add to the log likelihood
ROUNDING = 1e-12
FEW_EVENTS = 10


@dataclass(frozen=True)
class ChiSquared:
    """A test: chi-squared `statistic`, `degrees_of_freedom` and `p_value`; missing where it cannot be computed."""

    statistic: float
    degrees_of_freedom: int
    p_value: float

    @classmethod
    def of(cls, score: np.ndarray, variance: np.ndarray) -> "ChiSquared":
        """The test of `score` = 0, given its variance."""
        scale = np.sqrt(np.maximum(np.diag(variance), 0))
        if not scale.min() > 0 or np.linalg.matrix_rank(variance / np.outer(scale, scale), tol=1e-10) < len(score):
            return cls(float("nan"), len(score), float("nan"))
        statistic = float(score @ np.linalg.solve(variance, score))
        return cls(statistic, len(score), float(chi2.sf(statistic, len(score))))


@dataclass(frozen=True, eq=False)
class ProportionalHazardsTest:
    """Is each covariate's factor the same at all times? A small p speaks against it.

    names: (covariates,). statistics, p_values: (covariates,), each with one degree of freedom, the others held.
    overall: for all together. clock: the transformed time in which a trend was looked for.
    """

    names: tuple[str, ...]
    statistics: np.ndarray
    p_values: np.ndarray
    overall: ChiSquared
    clock: str


@dataclass(frozen=True, eq=False)
class Baseline:
    """The cumulative hazard of someone with covariates `at`, just after each time of an event, stratum by stratum.

    stratum: (times,), labels. times, cumulative_hazard: (times,). at: (covariates,).
    """

    stratum: np.ndarray
    times: np.ndarray
    cumulative_hazard: np.ndarray
    at: np.ndarray


@dataclass(frozen=True, eq=False)
class Cox:
    """A fitted proportional-hazards model.

    names, coefficients: (covariates,); exp(coefficient) is the factor per unit. A coefficient that the data push
        beyond all bounds (monotone likelihood) is infinite, its errors missing, and `notes` says so.
    covariance: (covariates, covariates), from the information; rows taken as independent.
    robust_covariance: the same from score residuals summed over individuals (Lin & Wei 1989); missing with one
        individual.
    n_rows, n_ids, n_events: what the fit stands on.
    notes: sentences on what makes the fit doubtful; empty if nothing does.
    """

    names: tuple[str, ...]
    coefficients: np.ndarray
    covariance: np.ndarray
    robust_covariance: np.ndarray
    n_rows: int
    n_ids: int
    n_events: int
    notes: tuple[str, ...]
    _risks: Risks
    _null: Risks

    @property
    def standard_errors(self) -> np.ndarray:
        """From the information, (covariates,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def robust_standard_errors(self) -> np.ndarray:
        """From score residuals summed over individuals, (covariates,): the ones to show if individuals come back."""
        return np.sqrt(np.diag(self.robust_covariance))

    @property
    def p_values(self) -> np.ndarray:
        """Two-sided, each coefficient being 0, by robust errors: (covariates,)."""
        return 2 * norm.sf(np.abs(self.coefficients / self.robust_standard_errors))

    @property
    def log_likelihood(self) -> float:
        """The log partial likelihood at the coefficients."""
        return self._risks.log_likelihood

    @property
    def null_log_likelihood(self) -> float:
        """The log partial likelihood with all coefficients 0."""
        return self._null.log_likelihood

    def hazard_ratios(self, *, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """exp(coefficients) with limits by robust errors: three arrays (covariates,)."""
        limits = normal_interval(self.coefficients, self.robust_standard_errors, confidence=confidence)
        return np.exp(self.coefficients), *(np.exp(limit) for limit in limits)

    def score_test(self, *, robust: bool) -> ChiSquared:
        """The test of all coefficients being 0; `robust`: by score residuals summed over individuals.

        With groups as covariates and Breslow's ties this is the log-rank test but for its correction for ties.
        """
        if not robust:
            return ChiSquared.of(self._null.score, self._null.information)
        return ChiSquared.of(self._null.score, self._null.likelihood.rows.clustered_variance(self._null.residuals))

    def baseline(self, at: ArrayLike | None = None) -> Baseline:
        """The cumulative hazard for covariates `at`, (covariates,): their weighted means if not given."""
        self._check_bounded()
        likelihood, sets = self._risks.likelihood, self._risks.likelihood.sets
        at = likelihood.means if at is None else np.asarray(at, dtype=np.float64)
        if at.shape != self.coefficients.shape:
            raise EstimateError(
                f"“at” has the shape {at.shape}, not {self.coefficients.shape}. Give one value per covariate."
            )
        hazard = self._risks.hazard * np.exp((at - likelihood.means) @ self.coefficients)
        running = np.cumsum(hazard)
        begins = np.flatnonzero(np.diff(sets.stratum, prepend=-1))
        earlier = np.repeat(running[begins] - hazard[begins], np.diff(np.append(begins, sets.n_cells)))
        return Baseline(likelihood.rows.strata[sets.stratum], sets.times, running - earlier, at)

    def proportional_hazards_test(self, *, clock: str = "km") -> ProportionalHazardsTest:
        """The exact score test of each covariate x g(time), as R's cox.zph.

        Grambsch & Therneau 1994, Biometrika 81:515-526.
        clock: g. `km`: 1 - Kaplan-Meier just before; `rank` among all ends of rows; `log`; `identity`.
        """
        if clock not in CLOCKS:
            raise EstimateError(f"There is no clock “{clock}”. Known: {', '.join(CLOCKS)}.")
        self._check_bounded()
        time = _transformed_time(self._risks.likelihood, clock)
        score = (time[:, None] * self._risks.contributions).sum(axis=0)
        cross, square = self._risks.spread(time, time**2)
        variance = square - cross @ np.linalg.solve(self._risks.information, cross)
        each = [ChiSquared.of(score[[one]], variance[[one]][:, [one]]) for one in range(len(score))]
        statistics, p_values = np.array([test.statistic for test in each]), np.array([test.p_value for test in each])
        return ProportionalHazardsTest(self.names, statistics, p_values, ChiSquared.of(score, variance), clock)

    @cached_property
    def concordance(self) -> Concordance:
        """How often, of two rows that can be compared, the one at higher risk leaves first."""
        return Concordance.of(self._risks.likelihood.rows, self._risks.exponent)

    def _check_bounded(self) -> None:
        for name, coefficient in zip(self.names, self.coefficients, strict=True):
            if np.isinf(coefficient):
                raise EstimateError(f"The factor of “{name}” has no bound, so this is not defined. Fit without it.")


def fit_cox(
    covariates: ArrayLike,
    *,
    entry: ArrayLike,
    exit: ArrayLike,  # noqa: A002
    event: ArrayLike,
    ids: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    ties: str = "efron",
) -> Cox:
    """Fit Cox's model by maximum partial likelihood.

    covariates: (rows, covariates) numbers, or a table whose columns are named; a row's values hold while it is at risk,
        so a covariate that changes takes several rows of one individual.
    entry, exit, event: at risk on (entry, exit]; 1 if the row ended in the event. Entry may be negative, see
        `AalenJohansen.fit`. Rows with entry = exit >= 0 or weight 0 are left out.
    ids: who a row belongs to; robust errors sum an individual's rows first. Without, each row is its own.
    strata: each has its own baseline. weights: 0 or more. ties: `efron` or `breslow`.

    Raises EstimateError if arrays differ in length or hold missing or impossible values, if nothing happens, or if a
    covariate does not vary among those at risk together or is a sum of others.
    """
    if ties not in TIES:
        raise EstimateError(f"There is no way “{ties}” to treat ties. Known: {', '.join(TIES)}.")
    names, columns = _checked_covariates(covariates)
    arrays = {"covariates": columns[:, 0], "entry": entry, "exit": exit, "event": event}
    rows = EventRows.of({**arrays, "ids": ids, "strata": strata, "weights": weights}, columns)
    likelihood = PartialLikelihood(rows, RiskSets.of(rows), ties)
    null = likelihood.at(np.zeros(len(names)))
    _check_identified(names, null.information)
    risks, coefficients, is_endless = _maximised(null)
    covariance, robust = _covariances(risks, ~is_endless)
    return Cox(
        names=names,
        coefficients=np.where(is_endless, np.copysign(np.inf, coefficients), coefficients),
        covariance=covariance,
        robust_covariance=robust,
        n_rows=len(rows.event),
        n_ids=rows.n_ids,
        n_events=int(rows.event.sum()),
        notes=_notes(names, is_endless, int(rows.event.sum())),
        _risks=risks,
        _null=null,
    )


def _maximised(null: Risks) -> tuple[Risks, np.ndarray, np.ndarray]:
    """Newton's method from 0, halving steps that do not climb: risks, coefficients, and which of these have no bound.

    Where the likelihood only levels off as a coefficient grows, each step is as long as the last however little it
    gains.
    """
    likelihood = null.likelihood
    reach = np.ptp(likelihood.rows.columns, axis=0)
    risks, coefficients = null, np.zeros(len(reach))
    for _ in range(MOST_STEPS):
        # scaled, as a covariate that says ever less must not be lost among those in larger units
        scale = np.sqrt(np.maximum(np.diag(risks.information), np.finfo(float).tiny))
        step = np.linalg.lstsq(risks.information / np.outer(scale, scale), risks.score / scale, rcond=None)[0] / scale
        if float(step @ risks.score) < SETTLED:
            break
        for _ in range(MOST_HALVINGS):
            climbed = likelihood.at(coefficients + step)
            if climbed.log_likelihood >= risks.log_likelihood * (1 + ROUNDING):
                break
            step = step / 2
        risks, coefficients = climbed, coefficients + step
    # Where those at risk hardly differ any more, what information is left is rounding.
    is_spent = np.diag(risks.information) <= 1e-12 * np.diag(null.information)
    return risks, coefficients, (np.abs(step * reach) > 1e-3) | is_spent


def _covariances(risks: Risks, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From the information, and robust, of the `known` coefficients; those of the others missing."""
    rows, cells = risks.likelihood.rows, np.ix_(known, known)
    covariance, robust = np.full((2, len(known), len(known)), np.nan)
    if not known.any():
        return covariance, robust
    covariance[cells] = np.linalg.inv(risks.information[cells])
    robust[cells] = rows.clustered_variance(risks.residuals[:, known] @ covariance[cells])
    return covariance, robust


def _transformed_time(likelihood: PartialLikelihood, clock: str) -> np.ndarray:
    """g(time) of each cell, (cells,)."""
    sets, rows = likelihood.sets, likelihood.rows
    if clock == "identity":
        return sets.times
    if clock == "log":
        if sets.times.min() <= 0:
            raise EstimateError("Something happens at time 0, which has no logarithm. Choose another clock.")
        return np.log(sets.times)
    if clock == "rank":
        ends, rank = np.unique(rows.exit, return_inverse=True)
        ranks = np.empty(len(ends))
        ranks[rank] = rankdata(rows.exit)
        return ranks[np.searchsorted(ends, sets.times)]
    pooled = RiskSets.of(replace(rows, stratum=np.zeros_like(rows.stratum)))
    at_risk = pooled.of_those_at_risk(np.ones(len(rows.event)))
    before = np.concatenate([[1.0], np.cumprod(1 - pooled.n_events / at_risk)[:-1]])
    return 1.0 - before[np.searchsorted(pooled.times, sets.times)]


def _checked_covariates(covariates: ArrayLike) -> tuple[tuple[str, ...], np.ndarray]:
    names = getattr(covariates, "columns", None)
    values = np.asarray(covariates)
    if values.ndim != 2 or values.shape[1] == 0:
        raise EstimateError(f"The covariates have the shape {values.shape}. Give rows x covariates, at least one.")
    names = [f"covariate {column + 1}" for column in range(values.shape[1])] if names is None else names
    names = tuple(str(name) for name in names)
    return names, np.column_stack([numbers(name, column) for name, column in zip(names, values.T, strict=True)])


def _check_identified(names: tuple[str, ...], information: np.ndarray) -> None:
    scale = np.sqrt(np.maximum(np.diag(information), 0.0))
    largest = np.abs(information).max()
    flat = [name for name, one in zip(names, scale, strict=True) if one**2 <= 1e-12 * max(largest, 1e-300)]
    if flat:
        raise EstimateError(
            f"“{flat[0]}” does not vary among those at risk when something happens. Leave it out, or merge its values."
        )
    kept: list[int] = []
    for position, name in enumerate(names):
        kept.append(position)
        part = (information / np.outer(scale, scale))[np.ix_(kept, kept)]
        if np.linalg.matrix_rank(part, tol=1e-9, hermitian=True) < len(kept):
            raise EstimateError(f"“{name}” is determined by the covariates before it. Leave one of them out.")


def _notes(names: tuple[str, ...], is_endless: np.ndarray, n_events: int) -> tuple[str, ...]:
    notes = [
        f"The factor of “{name}” has no bound: those who leave and those who stay hardly share its values."
        for name, endless in zip(names, is_endless, strict=True)
        if endless
    ]
    if n_events < FEW_EVENTS * len(names):
        notes.append(
            f"There are {n_events} events for {len(names)} covariates, fewer than {FEW_EVENTS} for each: "
            "the factors may be far off."
        )
    return tuple(notes)
