"""Cox: by what factor do covariates change how fast something happens?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from journeylab.base.errors import EstimateError
from journeylab.base.words import counted
from journeylab.estimators.arrays import ROUNDING, numbers
from journeylab.estimators.intervals import normal_interval, robust_p_value, robust_quantile
from journeylab.estimators.partial_likelihood import PartialLikelihood, Risks
from journeylab.estimators.proportional_hazards import ProportionalHazardsTest
from journeylab.estimators.risk_sets import EventRows, RiskSets

TIES = ("efron", "breslow")
MOST_STEPS = 40
MOST_HALVINGS = 20
SETTLED = 1e-9  # R's coxph stops when a step changes the log likelihood by a smaller share than this
NO_GAIN = 1e-13  # a smaller share than this is no gain at all
LONG_STEP = 1e-3  # a step, in units of the log factor between the extremes of a covariate
FEW_EVENTS = 10


@dataclass(frozen=True, eq=False)
class Cox:
    """A fitted proportional-hazards model.

    names, coefficients: (covariates,); exp(coefficient) is the factor per unit. A coefficient without bound (monotone
        likelihood) is infinite, its errors are missing, and `notes` says so.
    covariance: (covariates, covariates), from the information; takes rows as independent.
    robust_covariance: the same from score residuals summed over individuals (Lin & Wei 1989); missing with one
        individual.
    n_rows, n_ids, n_events: rows, individuals and events in the fit.
    notes: sentences that say why the fit is doubtful; empty if it is not.
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

    def hazard_ratios(self, *, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """exp(coefficients) with limits by robust errors: three arrays (covariates,)."""
        limits = normal_interval(self.coefficients, self.robust_standard_errors, confidence=confidence)
        return np.exp(self.coefficients), *(np.exp(limit) for limit in limits)

    def ratios(self, *, confidence: float = 0.95) -> tuple[np.ndarray, ...]:
        """`hazard_ratios` and `p_values` that allow for few individuals: four arrays (covariates,).

        By `intervals.robust_quantile` and `robust_p_value`: with 50 individuals or more the numbers are the same.
        """
        margin = robust_quantile(self.n_ids, confidence=confidence) * self.robust_standard_errors
        limits = (self.coefficients - margin, self.coefficients + margin)
        statistic = (self.coefficients / self.robust_standard_errors) ** 2
        p_values = robust_p_value(statistic, 1, self.n_ids)
        return np.exp(self.coefficients), *(np.exp(limit) for limit in limits), p_values

    def proportional_hazards_test(self, *, clock: str = "km", robust: bool = False) -> ProportionalHazardsTest:
        """The score test of each covariate x g(time): exact, as R's cox.zph, or robust; see `proportional_hazards`.

        Parameters
        ----------
        clock : {"km", "rank", "log", "identity"}
            g. `km` is 1 - Kaplan-Meier just before the time; `rank` is the rank among the ends of all rows.
        robust : bool
            Sum residuals over individuals. Use it if individuals come back, because then their rows are not
            independent. It needs some dozens of individuals.

        Raises
        ------
        EstimateError
            If a coefficient has no bound, or the clock is unknown.
        """
        for name, coefficient in zip(self.names, self.coefficients, strict=True):
            if np.isinf(coefficient):
                raise EstimateError(f"The factor of “{name}” has no bound, so this is not defined. Fit without it.")
        return ProportionalHazardsTest.of(self.names, self._risks, clock=clock, robust=robust)


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

    Parameters
    ----------
    covariates : (rows, covariates)
        Numbers, or a table with named columns. A row's values hold while it is at risk, so a covariate that changes
        takes several rows of one individual.
    entry, exit : (rows,)
        Each row is at risk on (entry, exit]. Entry may be negative, see `AalenJohansen.fit`. Rows with
        entry = exit >= 0 are left out.
    event : (rows,)
        1 if the row ended in the event, 0 if watching ended.
    ids : (rows,), optional
        The individual that a row belongs to. Robust errors sum an individual's rows first. Without ids each row is an
        individual of its own.
    strata : (rows,), optional
        Each stratum has its own baseline.
    weights : (rows,), optional
        0 or more; 0 leaves a row out.
    ties : {"efron", "breslow"}
        How events at one time are treated.

    Raises
    ------
    EstimateError
        If arrays differ in length or have missing or impossible values, if nothing happens, or if a covariate does not
        vary among those at risk together or is a sum of others.
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
    )


def _maximised(null: Risks) -> tuple[Risks, np.ndarray, np.ndarray]:
    """The risks and coefficients of most likelihood, and which coefficients have no bound.

    Where the likelihood only levels off as a coefficient grows, each step is as long as the last, however little it
    gains. Where R stops then means nothing, so the climb goes on until nothing is gained.
    """
    reach = np.ptp(null.likelihood.rows.columns, axis=0)
    risks, coefficients = _climbed(null, np.zeros(len(reach)), settled=SETTLED)
    if _is_endless(risks, null, reach).any():
        farther, far = _climbed(risks, coefficients, settled=NO_GAIN)
        is_endless = _is_endless(farther, null, reach)
        if is_endless.any():
            return farther, far, is_endless
    return risks, coefficients, np.zeros(len(reach), dtype=bool)


def _climbed(risks: Risks, coefficients: np.ndarray, *, settled: float) -> tuple[Risks, np.ndarray]:
    """Newton's method, until a step changes the log likelihood by a smaller share than `settled`.

    A step that does not climb is cut to 1/2, 1/6, 1/24 ... of it. R's coxph does the same (survival, agfit4.c), so
    results agree with R's digit by digit.
    """
    for _ in range(MOST_STEPS):
        step = _step(risks)
        for halvings in range(MOST_HALVINGS):
            climbed = risks.likelihood.at(coefficients + step)
            gain = climbed.log_likelihood - risks.log_likelihood if climbed.is_usable else -np.inf
            is_settled = climbed.is_usable and abs(gain) <= settled * abs(climbed.log_likelihood)
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
    # Information and score are scaled, so that a covariate in small units is not lost among those in large ones.
    scale = np.sqrt(np.maximum(np.diag(risks.information), np.finfo(float).tiny))
    return np.linalg.lstsq(risks.information / np.outer(scale, scale), risks.score / scale, rcond=None)[0] / scale


def _is_endless(risks: Risks, null: Risks, reach: np.ndarray) -> np.ndarray:
    """Which coefficients would still take a long step, or have no information left but rounding, (covariates,)."""
    is_spent = np.diag(risks.information) <= ROUNDING * np.diag(null.information)
    return (np.abs(_step(risks) * reach) > LONG_STEP) | is_spent


def _covariances(risks: Risks, is_bounded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From the information, and robust, of the coefficients with a bound; those of the others are missing."""
    rows, cells = risks.likelihood.rows, np.ix_(is_bounded, is_bounded)
    covariance, robust = np.full((2, len(is_bounded), len(is_bounded)), np.nan)
    if not is_bounded.any():
        return covariance, robust
    # The robust covariance is the sum over individuals of the outer square of (summed score residuals x covariance).
    covariance[cells] = np.linalg.inv(risks.information[cells])
    robust[cells] = rows.clustered_variance(risks.residuals[:, is_bounded] @ covariance[cells])
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
    # This much information remains of a covariate that only rounding makes vary among those at risk together.
    rounding = 1e-14 * rows.weight[rows.event].sum() * np.ptp(rows.columns, axis=0) ** 2
    flat = [name for name, spread, limit in zip(names, scale, rounding, strict=True) if spread**2 <= limit]
    if flat:
        raise EstimateError(
            f"“{flat[0]}” does not vary among those at risk when something happens. Leave it out, or merge its values."
        )
    correlation = information / np.outer(scale, scale)
    for position, name in enumerate(names, start=1):
        if np.linalg.matrix_rank(correlation[:position, :position], tol=1e-9, hermitian=True) < position:
            raise EstimateError(f"“{name}” is determined by the covariates before it. Leave one of them out.")


def _notes(names: tuple[str, ...], is_endless: np.ndarray, n_events: int) -> tuple[str, ...]:
    notes = [
        f"The factor of “{name}” has no bound: those who leave and those who stay hardly share its values."
        for name, has_no_bound in zip(names, is_endless, strict=True)
        if has_no_bound
    ]
    if n_events < FEW_EVENTS * len(names):
        notes.append(
            f"There {'is' if n_events == 1 else 'are'} {counted(n_events, 'event')} for "
            f"{counted(len(names), 'covariate')}, fewer than {FEW_EVENTS} for each: the factors may be far off."
        )
    return tuple(notes)
