"""Cox: by what factor do covariates change how fast something happens?"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from journeylab.base.errors import EstimateError
from journeylab.base.words import counted
from journeylab.estimators.arrays import numbers
from journeylab.estimators.chi_squared import ChiSquared
from journeylab.estimators.concordance import Concordance
from journeylab.estimators.intervals import normal_interval
from journeylab.estimators.partial_likelihood import PartialLikelihood, Risks
from journeylab.estimators.proportional_hazards import ProportionalHazardsTest
from journeylab.estimators.risk_sets import EventRows, RiskSets

TIES = ("efron", "breslow")
MOST_STEPS = 40
MOST_HALVINGS = 20
SETTLED = 1e-9  # change of the log likelihood, relative to it, after which R's coxph stops
LEVEL = 1e-13  # the same where nothing is left to gain
LONG = 1e-3  # a step, in units of the log factor between the extremes of a covariate
FEW_EVENTS = 10


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

    def proportional_hazards_test(self, *, clock: str = "km", robust: bool = False) -> ProportionalHazardsTest:
        """The score test of each covariate x g(time): exact, as R's cox.zph, or robust; see `proportional_hazards`.

        clock: g. `km`: 1 - Kaplan-Meier just before; `rank` among all ends of rows; `log`; `identity`.
        robust: by residuals summed over individuals: the one to use if they come back, as their rows are not
            independent. Takes some dozens of individuals.
        """
        self._check_bounded()
        return ProportionalHazardsTest.of(self.names, self._risks, clock=clock, robust=robust)

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
    _check_identified(names, null)
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
    """The risks and coefficients of most likelihood, and which coefficients have no bound.

    Where the likelihood only levels off as a coefficient grows, each step is as long as the last however little it
    gains, so that where R stops tells nothing, and the climb goes on until nothing is gained.
    """
    reach = np.ptp(null.likelihood.rows.columns, axis=0)
    risks, coefficients = _climbed(null, np.zeros(len(reach)), settled=SETTLED)
    if _is_endless(risks, null, reach).any():
        farther, far = _climbed(risks, coefficients, settled=LEVEL)
        is_endless = _is_endless(farther, null, reach)
        if is_endless.any():
            return farther, far, is_endless
    return risks, coefficients, np.zeros(len(reach), dtype=bool)


def _climbed(risks: Risks, coefficients: np.ndarray, *, settled: float) -> tuple[Risks, np.ndarray]:
    """Newton's method, a step that does not climb being cut to 1/2, 1/6, 1/24 ... of it, until all is `settled`.

    So does R's coxph (survival, agfit4.c): stopping where it stops, results agree with its own digit by digit.
    """
    for _ in range(MOST_STEPS):
        step = _step(risks)
        for halvings in range(MOST_HALVINGS):
            climbed = risks.likelihood.at(coefficients + step)
            gain = climbed.log_likelihood - risks.log_likelihood if climbed.is_sound else -np.inf
            is_settled = climbed.is_sound and abs(gain) <= settled * abs(climbed.log_likelihood)
            if gain >= 0 or is_settled:
                break
            step = step / (halvings + 2)
        else:
            return risks, coefficients
        risks, coefficients = climbed, coefficients + step
        if is_settled:
            break
    return risks, coefficients


def _step(risks: Risks) -> np.ndarray:
    """Newton's step from here, (covariates,)."""
    # scaled, as a covariate that says ever less must not be lost among those in larger units
    scale = np.sqrt(np.maximum(np.diag(risks.information), np.finfo(float).tiny))
    return np.linalg.lstsq(risks.information / np.outer(scale, scale), risks.score / scale, rcond=None)[0] / scale


def _is_endless(risks: Risks, null: Risks, reach: np.ndarray) -> np.ndarray:
    """Which coefficients would still take a long step, or have no information left but rounding, (covariates,)."""
    # Where those at risk hardly differ any more, what information is left is rounding.
    is_spent = np.diag(risks.information) <= 1e-12 * np.diag(null.information)
    return (np.abs(_step(risks) * reach) > LONG) | is_spent


def _covariances(risks: Risks, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From the information, and robust, of the `known` coefficients; those of the others missing."""
    rows, cells = risks.likelihood.rows, np.ix_(known, known)
    covariance, robust = np.full((2, len(known), len(known)), np.nan)
    if not known.any():
        return covariance, robust
    covariance[cells] = np.linalg.inv(risks.information[cells])
    robust[cells] = rows.clustered_variance(risks.residuals[:, known] @ covariance[cells])
    return covariance, robust


def _checked_covariates(covariates: ArrayLike) -> tuple[tuple[str, ...], np.ndarray]:
    names = getattr(covariates, "columns", None)
    values = np.asarray(covariates)
    if values.ndim != 2 or values.shape[1] == 0:
        raise EstimateError(f"The covariates have the shape {values.shape}. Give rows x covariates, at least one.")
    names = [f"covariate {column + 1}" for column in range(values.shape[1])] if names is None else names
    names = tuple(str(name) for name in names)
    return names, np.column_stack([numbers(name, column) for name, column in zip(names, values.T, strict=True)])


def _check_identified(names: tuple[str, ...], null: Risks) -> None:
    rows, information = null.likelihood.rows, null.information
    scale = np.sqrt(np.maximum(np.diag(information), 0.0))
    # what is left of the variance of a covariate that varies between those at risk together by rounding only
    rounding = 1e-14 * rows.weight[rows.event].sum() * np.ptp(rows.columns, axis=0) ** 2
    flat = [name for name, one, least in zip(names, scale, rounding, strict=True) if one**2 <= least]
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
            f"There {'is' if n_events == 1 else 'are'} {counted(n_events, 'event')} for "
            f"{counted(len(names), 'covariate')}, fewer than {FEW_EVENTS} for each: the factors may be far off."
        )
    return tuple(notes)
