"""What would rows look like if each class were one continuum: the same shares, what goes together still going together,
and nothing that falls into kinds?

Each row of a cloud has a few hidden numbers of its own, its factors. They tilt how its counts divide, smoothly and in
every variable at once (a latent trait model with logistic-normal shares: Aitchison and Shen 1980; Bartholomew, Knott
and Moustaki 2011, chapter 4), and the row's counts are then drawn. So a cloud is drawn at the level of what customers
tend to do, and carries the noise of counts as real customers do. The parts of the model:

- *Trend.* Shares may change smoothly with when the row began: a season is no kind of customer.
- *Factors.* Counts of two different variables go together only through what they have in common; what is in common to
  all pairs of variables gives the factors and their weights (principal axes, with the block of each variable itself
  left open, because noise is in there). As many are kept as are stronger than where variables are shuffled (parallel
  analysis: Horn 1965).
- *Shape.* A factor is spread as a Gaussian, up to evenly between two ends, or up to exponentially to one side, as flat
  and as skewed as the rows show it to be.
- *Resemblance.* Counts of one row resemble each other more than the factors explain: Dirichlet-multinomial noise.

A cut through a cloud finds segments, never kinds: what a mixture gains from cutting one is what it gains from nothing.
Each row keeps how many counts it has in each variable, and where it has none.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import log_ndtr, ndtr, ndtri
from scipy.stats import rankdata

from journeylab.estimators.latent_class.amounts import Amounts, edges_of, within_variables
from journeylab.estimators.latent_class.trend import find_trend

MOST_FACTORS = 8
WIDEST = 2.0
_ROUNDS, _AXIS_ROUNDS, _SHUFFLES, _LOOKS = 8, 12, 4, 3
_SMALLEST, _LARGEST_TILT, _STRONGEST = 1e-6, 8.0, 0.95


@dataclass(frozen=True)
class Cloud:
    """One continuum.

    rows: (k,) the positions of its rows. totals: (k, variables).
    shares: (k, kinds) what each row would tend to do with all factors at 0: shares within each variable.
    weights: (kinds, factors) how strongly each factor tilts each kind.
    slopes: (variables, factors) how much of the place of a number, as a normal score, each factor makes up; 0 for what
        has no order.
    flatness: (factors,) 0 for a Gaussian, 1 for an even spread.
    skewness: (factors,) 0 for a Gaussian, 1 or -1 for an exponential to one side.
    activity: (k,) how many counts each row has, as a normal score.
    pulls: (factors,) how each factor goes with activity, from -1 to 1.
    resemblance: (variables,) how much counts of one row agree beyond what factors and trend explain.
    """

    rows: np.ndarray
    totals: np.ndarray
    shares: np.ndarray
    weights: np.ndarray
    slopes: np.ndarray
    flatness: np.ndarray
    skewness: np.ndarray
    activity: np.ndarray
    pulls: np.ndarray
    resemblance: np.ndarray
    variables: np.ndarray

    def tendencies(self, factors: np.ndarray) -> np.ndarray:
        """(k, kinds) shares of rows with these (k, factors) factors."""
        tilt = np.clip(factors @ self.weights.T, -_LARGEST_TILT, _LARGEST_TILT)
        tendencies, edges = (
            within_variables(self.shares * np.exp(tilt), self.variables),
            [*edges_of(self.variables), None],
        )
        for variable in np.flatnonzero(self.slopes.any(axis=1)):
            own, slopes = slice(edges[variable], edges[variable + 1]), self.slopes[variable]
            # A number is what its factors make of it, and a rest: which kind it is follows from where the two lie.
            bounds = ndtri(np.cumsum(self.shares[:, own], axis=1)[:, :-1].clip(_SMALLEST, 1 - _SMALLEST))
            below = ndtr((bounds - (factors @ slopes)[:, None]) / np.sqrt(1 - slopes @ slopes))
            tendencies[:, own] = np.diff(below, axis=1, prepend=0.0, append=1.0)
        return tendencies

    def factors(self, random: np.random.Generator) -> np.ndarray:
        """(k, factors) factors of new rows, with mean 0 and variance 1."""
        own = random.standard_normal((len(self.rows), len(self.flatness))) * np.sqrt(1 - self.pulls**2)
        peaked = self.activity[:, None] * self.pulls + own
        even = np.sqrt(12) * (ndtr(peaked) - 0.5)
        side = np.where(self.skewness < 0, -1.0, 1.0)
        lopsided = -side * (log_ndtr(-side * peaked) + 1)
        factors = peaked + self.flatness * (even - peaked) + np.abs(self.skewness) * (lopsided - peaked)
        return factors / np.sqrt((factors**2).mean(axis=0)).clip(_SMALLEST) if factors.size else factors

    def draw(self, random: np.random.Generator) -> np.ndarray:
        """(k, kinds) counts of new rows."""
        tendencies = self.tendencies(self.factors(random))
        counts, edges = np.zeros_like(tendencies), [*edges_of(self.variables), len(self.variables)]
        for variable, (start, stop) in enumerate(pairwise(edges)):
            filled = np.flatnonzero(self.totals[:, variable] > 0)
            own, r = tendencies[filled, start:stop], self.resemblance[variable]
            if r > _SMALLEST:
                own = random.standard_gamma(np.maximum(own * (1 - r) / r, _SMALLEST)) + _SMALLEST**4
                own = own / own.sum(axis=1, keepdims=True)
            counts[filled, start:stop] = random.multinomial(self.totals[filled, variable].astype(int), own)
        return counts


@dataclass(frozen=True)
class Clouds:
    """One continuum per class, to draw rows from."""

    amounts: Amounts
    clouds: tuple[Cloud, ...]

    @classmethod
    def fit(cls, amounts: Amounts, probabilities: np.ndarray, *, random: np.random.Generator) -> "Clouds":
        """The clouds of the classes to which `probabilities` (rows, classes) assign.

        The class of every row is drawn. The most probable class would cut the clouds off where they overlap.
        """
        uniform = random.random((len(probabilities), 1))
        labels = (probabilities.cumsum(axis=1) < uniform).sum(axis=1).clip(max=probabilities.shape[1] - 1)
        clouds = [_fitted(amounts, np.flatnonzero(labels == number), random) for number in np.unique(labels)]
        return cls(amounts, tuple(clouds))

    def draw(self, random: np.random.Generator) -> csr_matrix:
        """(rows, cells): as many new rows as were observed."""
        return self.amounts.encode(self.values(random))

    def values(self, random: np.random.Generator) -> np.ndarray:
        """The same rows before they are written into cells: (rows, kinds), as `Amounts.values`."""
        values = np.empty_like(self.amounts.values)
        for cloud in self.clouds:
            values[cloud.rows] = cloud.draw(random)
        return values


@dataclass(frozen=True)
class _Residuals:
    """How far rows are from what is expected of them, and how much each counts.

    scaled: (rows, kinds) share less expected share, over the root of the mean share. weights: (rows, variables).
    """

    scaled: np.ndarray
    weights: np.ndarray
    variables: np.ndarray

    def in_common(self) -> np.ndarray:
        """(kinds, kinds) covariances of kinds of two variables, which noise of counts does not change; 0 within one."""
        weighted = self.scaled * self.weights[:, self.variables]
        pairs = (self.weights.T @ self.weights).clip(_SMALLEST)
        common = weighted.T @ weighted / pairs[np.ix_(self.variables, self.variables)]
        return np.where(self.variables[:, None] == self.variables, 0.0, common)

    def shuffled(self, random: np.random.Generator) -> "_Residuals":
        """The same with each variable shuffled among the rows by itself."""
        orders = np.array([random.permutation(len(self.weights)) for _ in range(self.weights.shape[1])]).T
        scaled = np.take_along_axis(self.scaled, orders[:, self.variables], axis=0)
        return _Residuals(scaled, np.take_along_axis(self.weights, orders, axis=0), self.variables)

    def pulls(self, activity: np.ndarray, loadings: np.ndarray) -> np.ndarray:
        """(factors,) how the factors go with the activity of rows, each from -1 to 1."""
        weights = self.weights[:, self.variables]
        with_activity = (weights * self.scaled * activity[:, None]).sum(axis=0) / weights.sum(axis=0).clip(_SMALLEST)
        return np.clip(np.linalg.lstsq(loadings, with_activity, rcond=None)[0], -_STRONGEST, _STRONGEST)

    def scores(self, loadings: np.ndarray) -> np.ndarray:
        """(rows, factors) where each row seems to be on each factor."""
        weights = self.weights[:, self.variables]
        return (weights * self.scaled) @ loadings / (weights @ loadings**2).clip(_SMALLEST)


def _fitted(amounts: Amounts, rows: np.ndarray, random: np.random.Generator) -> Cloud:
    """The cloud of some rows."""
    values, totals, variables = amounts.values[rows], amounts.totals[rows], amounts.variables
    weights = amounts.worth(totals)
    shares, mean = find_trend(values, totals, weights, variables, None if amounts.when is None else amounts.when[rows])
    observed = values / np.maximum(totals, 1)[:, variables]
    residuals = _residuals(observed, shares, mean, totals, weights, variables)
    loadings = _loadings(residuals, random)
    n_factors = loadings.shape[1]
    activity = ndtri((rankdata(totals.sum(axis=1)) - 0.5) / len(rows))
    slopes = _slopes(mean, loadings, amounts)
    cloud = Cloud(
        *(rows, totals, shares, np.zeros((len(variables), n_factors)), slopes),
        *(np.zeros(n_factors), np.zeros(n_factors)),
        *(activity, residuals.pulls(activity, loadings), np.zeros(totals.shape[1])),
        variables,
    )
    target = _Target(shares, mean, loadings)
    cloud = _resembling(target.calibrated(cloud, random), values, random)
    if not n_factors:
        return cloud
    return target.calibrated(_shaped(cloud, residuals, target, random), random)


def _residuals(
    observed: np.ndarray,
    shares: np.ndarray,
    mean: np.ndarray,
    totals: np.ndarray,
    weights: np.ndarray,
    variables: np.ndarray,
) -> _Residuals:
    known = (totals > 0)[:, variables]
    return _Residuals(np.where(known, observed - shares, 0.0) / np.sqrt(mean), weights, variables)


def _loadings(residuals: _Residuals, random: np.random.Generator) -> np.ndarray:
    """(kinds, factors) what each factor adds to each kind, over the root of its mean share."""
    common = residuals.in_common()
    strength = np.linalg.eigvalsh(common)[::-1][:MOST_FACTORS]
    by_chance = np.max(
        [np.linalg.eigvalsh(residuals.shuffled(random).in_common())[::-1][:MOST_FACTORS] for _ in range(_SHUFFLES)],
        axis=0,
    )
    n_factors = int(np.cumprod(strength > by_chance).sum())
    is_own = residuals.variables[:, None] == residuals.variables
    loadings = np.zeros((len(common), n_factors))
    for _ in range(_AXIS_ROUNDS if n_factors else 0):
        values, vectors = np.linalg.eigh(np.where(is_own, loadings @ loadings.T, common))
        top = vectors[:, ::-1][:, :n_factors]
        loadings = top * np.sqrt(values[::-1][:n_factors].clip(0))
    # Which way an axis points is a processor's choice.
    largest = np.abs(loadings).round(9).argmax(axis=0)
    return loadings * np.where(loadings[largest, np.arange(n_factors)] < 0, -1.0, 1.0)


def _slopes(mean: np.ndarray, loadings: np.ndarray, amounts: Amounts) -> np.ndarray:
    """(variables, factors) the slopes of the numbers under which their kinds have these loadings."""
    slopes, edges = np.zeros((len(amounts.edges), loadings.shape[1])), [*amounts.edges, None]
    for variable in np.flatnonzero(amounts.is_ordered) if loadings.shape[1] else ():
        own = slice(edges[variable], edges[variable + 1])
        # What one unit of slope adds to each kind: the density of a Gaussian where the kind begins, less where it ends.
        bounds = ndtri(np.cumsum(mean[own])[:-1].clip(_SMALLEST, 1 - _SMALLEST))
        added = -np.diff(np.exp(-(bounds**2) / 2) / np.sqrt(2 * np.pi), prepend=0.0, append=0.0)
        slopes[variable] = added @ (loadings[own] * np.sqrt(mean[own])[:, None]) / max(added @ added, _SMALLEST)
        slopes[variable] *= min(1.0, _STRONGEST / max(np.sqrt(slopes[variable] @ slopes[variable]), _SMALLEST))
    return slopes


@dataclass(frozen=True)
class _Target:
    """What drawn rows are to have: `shares` (rows, kinds), `mean` shares (kinds,), and `loadings` (kinds, factors)."""

    shares: np.ndarray
    mean: np.ndarray
    loadings: np.ndarray

    def calibrated(self, cloud: Cloud, random: np.random.Generator) -> Cloud:
        """The cloud with weights and shares under which what it draws comes out so."""
        if not self.loadings.shape[1]:
            return cloud
        root, factors = np.sqrt(self.mean)[:, None], cloud.factors(random)
        weights, shift = _in_one_piece(self.loadings / root, self.mean, cloud.variables), np.zeros(len(self.mean))
        for _ in range(_ROUNDS):
            shares = within_variables(self.shares * np.exp(shift), cloud.variables)
            tendencies = replace(cloud, weights=weights, shares=shares).tendencies(factors)
            reached = (tendencies - tendencies.mean(axis=0)).T @ factors / len(factors) / root
            weights = _in_one_piece(weights + (self.loadings - reached) / root, self.mean, cloud.variables)
            change = np.log(self.shares.mean(axis=0) / tendencies.mean(axis=0).clip(_SMALLEST))
            is_number = (cloud.slopes**2).sum(axis=1) > 0
            shift = np.where(is_number[cloud.variables], 0.0, shift + change)
        return replace(cloud, weights=weights, shares=within_variables(self.shares * np.exp(shift), cloud.variables))


def _in_one_piece(weights: np.ndarray, mean: np.ndarray, variables: np.ndarray) -> np.ndarray:
    """(kinds, factors) `weights`, made smaller in each variable until its shares are still one continuum.

    A share whose log odds are Gaussian has one peak as long as their standard deviation is at most the root of 2;
    beyond, it gets two, and soon is no continuum. Real clouds of log rates go up to about 2.
    """
    edges, share = edges_of(variables), mean[:, None]
    middle = np.add.reduceat(share * weights, edges, axis=0)[variables]
    spread = 2 * np.sqrt(np.add.reduceat(share * (weights - middle) ** 2, edges, axis=0))
    return weights * np.minimum(1, WIDEST / spread.clip(_SMALLEST))[variables]


def _resembling(cloud: Cloud, values: np.ndarray, random: np.random.Generator) -> Cloud:
    """The cloud with the agreement of a row's counts that its tendencies do not explain; see `Shares.measured`."""
    chance = np.add.reduceat(cloud.tendencies(cloud.factors(random)) ** 2, edges_of(cloud.variables), axis=1)
    pairs = np.add.reduceat(values**2 - values, edges_of(cloud.variables), axis=1)
    several = cloud.totals >= 2
    agreement = pairs / np.maximum(cloud.totals * (cloud.totals - 1), 1)
    weight = np.where(several, cloud.totals, 0.0)
    possible = (weight * (1 - chance)).sum(axis=0)
    beyond = (weight * (agreement - chance)).sum(axis=0) / possible.clip(_SMALLEST)
    return replace(cloud, resemblance=np.where(several.any(axis=0), beyond, 0.0).clip(0, 0.95))


def _shaped(cloud: Cloud, residuals: _Residuals, target: _Target, random: np.random.Generator) -> Cloud:
    """The cloud with factors as flat and as skewed as they look: in between what a Gaussian, an even spread and an
    exponential look like in rows with so many counts."""
    none, full = np.zeros(target.loadings.shape[1]), np.ones(target.loadings.shape[1])
    skewness, kurtosis = _looks(residuals.scores(target.loadings))
    side = np.where(skewness < 0, -1.0, 1.0)

    def looks(flat: np.ndarray, skewed: np.ndarray) -> np.ndarray:
        other = target.calibrated(replace(cloud, flatness=flat, skewness=skewed), random)
        drawn = []
        for _ in range(_LOOKS):
            observed = other.draw(random) / np.maximum(cloud.totals, 1)[:, cloud.variables]
            again = _residuals(observed, target.shares, target.mean, cloud.totals, residuals.weights, cloud.variables)
            drawn.append(_looks(again.scores(target.loadings)))
        return np.mean(drawn, axis=0)

    gaussian, even, lopsided = looks(none, none), looks(full, none), looks(none, side)
    # Spread evenly between two extremes is one factor, the strongest.
    flatness = np.where(np.arange(len(none)) == 0, _way(kurtosis, gaussian[1], even[1]), 0.0)
    return replace(cloud, flatness=flatness, skewness=side * _way(skewness, gaussian[0], lopsided[0]))


def _way(value: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """How far `value` is on the way from `start` to `end`, from 0 to 1."""
    length = end - start
    return ((value - start) / np.where(np.abs(length) > _SMALLEST, length, np.inf)).clip(0, 1)


def _looks(scores: np.ndarray) -> np.ndarray:
    """(2, factors) skewness of each column, and kurtosis less a Gaussian's."""
    centred = scores - scores.mean(axis=0)
    variance = (centred**2).mean(axis=0).clip(_SMALLEST)
    return np.stack([(centred**3).mean(axis=0) / variance**1.5, (centred**4).mean(axis=0) / variance**2 - 3])
