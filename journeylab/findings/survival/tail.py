"""Tails: which parametric model fits the time in a stage, and what does it say of days when nobody was watched?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from lifelines import ExponentialFitter, LogLogisticFitter, LogNormalFitter, WeibullFitter
from lifelines.exceptions import ConvergenceError
from scipy.special import expit, log_ndtr

from journeylab.events.spells.exits import Exits

# Step for the derivative of the scores, near the cube root of the rounding of floats.
_STEP = 1e-5


@dataclass(frozen=True)
class Family:
    """Log times that are `location + scale * y`, of one distribution of y (as in R's survreg).

    words: its name in a sentence. fit: lifelines' fitter. parameters: location and scale from what that has fitted.
    hazard, cumulative: log hazard and cumulative hazard by y; with `_slope` their derivatives.
    """

    words: str
    fitter: type
    parameters: Callable
    hazard: Callable
    hazard_slope: Callable
    cumulative: Callable
    cumulative_slope: Callable


def _mills(y: np.ndarray) -> np.ndarray:
    """Hazard of the standard normal distribution."""
    return np.exp(-(y**2) / 2 - np.log(2 * np.pi) / 2 - log_ndtr(-y))


_EXTREME_VALUE = (lambda y: y, np.ones_like, np.exp, np.exp)
FAMILIES = {
    "weibull": Family("Weibull", WeibullFitter, lambda f: (np.log(f.lambda_), 1 / f.rho_), *_EXTREME_VALUE),
    "lognormal": Family(
        "log-normal",
        LogNormalFitter,
        lambda f: (f.mu_, f.sigma_),
        lambda y: np.log(_mills(y)),
        lambda y: _mills(y) - y,
        lambda y: -log_ndtr(-y),
        _mills,
    ),
    "loglogistic": Family(
        "log-logistic",
        LogLogisticFitter,
        lambda f: (np.log(f.alpha_), 1 / f.beta_),
        lambda y: -np.logaddexp(0, -y),
        lambda y: expit(-y),
        lambda y: np.logaddexp(0, y),
        expit,
    ),
    "exponential": Family("exponential", ExponentialFitter, lambda f: (np.log(f.lambda_), 1.0), *_EXTREME_VALUE),
}


@dataclass(frozen=True)
class Tail:
    """A model of the time from entering a stage to leaving it by any exit.

    model: a key of `FAMILIES`. location, scale: of log days. log_likelihood: of the exits after day 0.
    inside: share of the visits, watched from their start, that did not end at the moment of entering (spells of no
        length): no model of positive times holds these, so they are taken as observed, and the model is of the others.
    begin: the day on which all estimates are conditional; 0 where visits were watched from their start.
    covariance: of (inside, location, log scale), clustered by customer.
    """

    model: str
    location: float
    scale: float
    log_likelihood: float
    inside: float
    begin: float
    covariance: np.ndarray

    @property
    def aic(self) -> float:
        """Akaike's criterion: the lower, the better the model fits the days watched. Says nothing of later days.

        The share `inside` is the same with all models, and not counted among the parameters.
        """
        return 2 * _n_free(self.model) - 2 * self.log_likelihood

    def shares(self, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Share still inside on each of `days` (at or after `begin`) with standard errors (delta method)."""
        here, slope = self._cumulative(np.asarray(days, dtype=float))
        start, start_slope = self._cumulative(np.array([self.begin]))
        share = self.inside * np.exp(start - here)
        gradient = np.column_stack([share / self.inside, share[:, None] * (start_slope - slope)])
        return share, np.sqrt(np.einsum("di,ij,dj->d", gradient, self.covariance, gradient))

    def _cumulative(self, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        theta = np.array([self.location, np.log(self.scale)])
        return _cumulative(FAMILIES[self.model], theta, days)


def fit_tail(exits: Exits, model: str) -> Tail | None:
    """The model fitted to `exits` by maximum likelihood (lifelines), with late entry; None where that did not converge.

    Of `exits` some must have ended after day 0, not all on one day. Standard errors are the sandwich's: the scores
    of a customer's visits are summed (Lin & Wei 1989, JASA 84:1074-1078), as lifelines' take visits for independent.
    """
    family, rows = FAMILIES[model], exits.exit > 0
    entry, leaving, left = np.maximum(exits.entry, 0.0)[rows], exits.exit[rows], exits.destination[rows] > 0
    # Days in units of their mean, so that the search starts near its end whatever the stage.
    unit = leaving.mean()
    try:
        fitted = family.fitter().fit(leaving / unit, left, entry=entry / unit)
    except ConvergenceError:
        return None
    location, scale = family.parameters(fitted)
    theta = np.array([location + np.log(unit), np.log(scale)], dtype=float)
    free, visits = _n_free(model), (entry, leaving, left)
    # lifelines stops a few digits short of the maximum: one Newton step takes it there.
    scores, information = _scores_and_information(family, theta, visits, free)
    if not (np.isfinite(information).all() and np.linalg.eigvalsh(information).min() > 0):
        return None
    theta[:free] += np.linalg.solve(information, scores.sum(axis=0))
    influence = np.zeros((exits.n, 3))
    inside, influence[:, 0] = _inside(exits)
    scores, information = _scores_and_information(family, theta, visits, free)
    influence[rows, 1 : 1 + free] = np.linalg.solve(information, scores.T).T
    of_customers = np.column_stack([np.bincount(exits.customers, column) for column in influence.T])
    return Tail(
        model=model,
        location=float(theta[0]),
        scale=float(np.exp(theta[1])),
        log_likelihood=float(fitted.log_likelihood_ - left.sum() * np.log(unit)),
        inside=inside,
        begin=max(float(exits.entry.min()), 0.0),
        covariance=of_customers.T @ of_customers,
    )


def _inside(exits: Exits) -> tuple[float, np.ndarray]:
    """The share of visits that did not end at the moment of entering, with the influence of each visit on it."""
    from_start = exits.entry < 0
    if not from_start.any():
        return 1.0, np.zeros(exits.n)
    stayed = (exits.exit > 0) | (exits.destination < 0)
    share = float(stayed[from_start].mean())
    return share, np.where(from_start, stayed - share, 0.0) / from_start.sum()


def _cumulative(family: Family, theta: np.ndarray, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative hazard on `days`, with its derivatives by location and log scale: (days, 2). Zero on day 0."""
    scale = np.exp(theta[1])
    begun = days > 0
    y = (np.log(np.where(begun, days, 1.0)) - theta[0]) / scale
    slope = family.cumulative_slope(y)
    derivatives = np.column_stack([-slope / scale, -y * slope])
    return np.where(begun, family.cumulative(y), 0.0), np.where(begun[:, None], derivatives, 0.0)


def _scores(family: Family, theta: np.ndarray, entry: np.ndarray, leaving: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Derivatives of each visit's log likelihood by location and log scale: (visits, 2)."""
    scale = np.exp(theta[1])
    y = (np.log(leaving) - theta[0]) / scale
    slope = family.hazard_slope(y)
    of_exit = np.column_stack([-slope / scale, -y * slope - 1])
    during = _cumulative(family, theta, leaving)[1] - _cumulative(family, theta, entry)[1]
    return left[:, None] * of_exit - during


def _scores_and_information(
    family: Family, theta: np.ndarray, visits: tuple[np.ndarray, ...], free: int
) -> tuple[np.ndarray, np.ndarray]:
    """Each visit's scores of the `free` parameters, and the observed information, from differences of the scores."""
    columns = []
    for step in _STEP * np.eye(2):
        above, below = (_scores(family, theta + sign * step, *visits).sum(axis=0) for sign in (1, -1))
        columns.append((above - below) / (2 * _STEP))
    hessian = np.column_stack(columns)
    information = -((hessian + hessian.T) / 2)[:free, :free]
    return _scores(family, theta, *visits)[:, :free], information


def _n_free(model: str) -> int:
    return 1 if model == "exponential" else 2
