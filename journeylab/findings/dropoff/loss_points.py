"""Loss points: at which stage, and by which branch, are most visits lost, and how sure is that order?

A loss point is a stage with one of its branches, or with all of them together. What is lost there within a horizon is
the share lost times what entered: visits, or what customers are worth. All points are estimated from the same
customers, so their errors are correlated: each estimate comes with the influence of every customer on it
(`estimators.influence`), and the products of these are the covariances.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csc_array

from journeylab.base.ordering import order
from journeylab.estimators.rank_sets import rank_sets
from journeylab.findings.exit_curves import NUMBERS, ExitCurves, StageExits

N_RESAMPLES = 2000
TOP = 3
# Added to variances, as a share of them, where estimates are collinear but for rounding.
_RIDGE = 1e-10


@dataclass(frozen=True, eq=False)
class LossPoint:
    """What is lost at one point within a horizon.

    cell: the stage, and the group. branch: the branch, or None for all together. share, lower, upper: of the visits, or
    of their value; between share_at_least and share_at_most it lies where something is unresolved. total: visits, or
    what these are worth. seen: how much of it was seen to be lost there.
    ids, influence: for each customer who entered the influence on the share, or, where that is missing, on
    share_at_least; member: what each is of the total. cannot_show: nobody can be lost this way so
    soon. note: why there is no estimate, or on what it is conditional.
    """

    cell: StageExits
    branch: str | None
    share: float
    lower: float
    upper: float
    share_at_least: float
    share_at_most: float
    total: float
    seen: float
    ids: np.ndarray
    influence: np.ndarray
    member: np.ndarray
    n: int
    customers: int
    cannot_show: bool
    note: str | None

    @property
    def lost(self) -> float:
        """How much is lost: the share of the total, and no less than was seen."""
        return float(np.maximum(self.share * self.total, self.seen))

    @property
    def bounds(self) -> tuple[float, float]:
        """Between what `lost` is known to lie, where something is unresolved; else missing."""
        if not self.n or self.cannot_show or (np.isfinite(self.share) and np.isnan(self.share_at_least)):
            return np.nan, np.nan
        at_least = max(np.nan_to_num(self.share_at_least) * self.total, self.seen)
        return at_least, max(np.nan_to_num(self.share_at_most, nan=1.0) * self.total, at_least)

    @property
    def moved(self) -> np.ndarray:
        """How far each customer moves `lost`, if they were there once more: through the share, and as one of all."""
        share = self.share_at_least if np.isnan(self.share) else self.share
        return self.total * self.influence + share * self.member


def find_loss_points(
    cells: Sequence[StageExits], day: float, *, together: bool, by_value: bool = False
) -> list[LossPoint]:
    """The loss points of `cells` at the horizon `day`, in their order; a stage without a branch has none."""
    return [point for cell in cells for point in _points_of(cell, day, together, by_value)]


def _points_of(cell: StageExits, day: float, together: bool, by_value: bool) -> Iterator[LossPoint]:
    exits, why = cell.exits, cell.why_missing(day)
    lost = exits.merged(exits.losses, "lost") if together and exits.losses else exits
    value = exits.value if by_value else None
    assert value is not None or not by_value, "losses in value are asked for where visits have values"
    weights = None if value is None else np.nan_to_num(value, nan=0.0)
    worth = np.ones(exits.n) if weights is None else weights
    ids, code = np.unique(exits.customers, return_inverse=True)
    # What each customer is of the total: their visits, or what these are worth.
    member = np.bincount(code, weights=worth, minlength=len(ids))
    has_value = np.ones(exits.n, bool) if value is None else np.isfinite(value)
    base = (int(has_value.sum()), len(np.unique(exits.customers[has_value])))
    if why is None and weights is not None and not weights.any():
        why = "nothing of value entered"
    shape = (len(lost.ways) + 1,)
    numbers, notes = np.full((len(NUMBERS), *shape), np.nan), np.full(shape, why, dtype=object)
    influences = np.zeros((len(ids), *shape))
    if exits.n and (weights is None or weights.any()):
        is_plain = weights is None and not together
        curves = cell.curves if is_plain else ExitCurves.of(lost, cell.confidence, weights=weights)
        numbers, notes = (part[..., 0, :] for part in curves.estimates([day], min_at_risk=cell.min_at_risk))
        until = curves.read_on(day, min_at_risk=cell.min_at_risk)
        influences[np.searchsorted(ids, curves.fitted.ids)] = curves.fitted.influence_by_state(until)
    for branch in lost.losses:
        state = lost.ways.index(branch) + 1
        share, lower, upper, at_least, at_most = numbers[:, state].tolist()
        yield LossPoint(
            cell,
            None if together else branch,
            share,
            lower,
            upper,
            at_least,
            at_most,
            float(member.sum()),
            float(worth[lost.ended_by(branch) & (lost.exit <= day)].sum()),
            ids,
            influences[:, state],
            member,
            *base,
            lost.cannot_show(branch, day),
            cell.note_of(numbers[0, state], notes[state]),
        )


@dataclass(frozen=True, eq=False)
class JointEstimate:
    """The estimates of several loss points, and how they vary together between samples of customers."""

    points: Sequence[LossPoint]

    @cached_property
    def lost(self) -> np.ndarray:
        """How much is lost at each point, (points,)."""
        return np.array([point.lost for point in self.points])

    @cached_property
    def covariance(self) -> np.ndarray:
        """Of `lost`, (points, points): the infinitesimal jackknife, the number of all customers taken as it is.

        Customers who never entered a stage count as well: how many come there varies between samples.
        """
        ids = np.concatenate([np.zeros(0, dtype=np.int64), *(point.ids for point in self.points)])
        column = np.repeat(np.arange(len(self.points)), [len(point.ids) for point in self.points])
        moved = np.concatenate([np.zeros(0), *(point.moved for point in self.points)])
        present, row = np.unique(ids, return_inverse=True)
        shape = (len(present), len(self.points))
        table = csc_array((np.nan_to_num(moved), (row, column)), shape=shape)
        mean = np.asarray(table.sum(axis=0)).ravel() / max(len(present), 1)
        return (table.T @ table).toarray() - len(present) * np.outer(mean, mean)

    def resampled(self, *, seed: int) -> np.ndarray:
        """`lost` at each point in so many other samples like this one, (resamples, points).

        A multiplier bootstrap by customer, on the log scale, so that nothing falls below 0: every customer gets one
        normal weight for all points. What comes of these weights is normal with `covariance`, and is drawn directly.
        A point where nobody was lost keeps its 0, as in any bootstrap; one that cannot be estimated stays missing.
        """
        losing = np.flatnonzero(np.nan_to_num(self.lost) > 0)
        drawn = np.tile(self.lost, (N_RESAMPLES, 1))
        if len(losing):
            # Covariance on the log scale (delta method).
            relative = self.covariance[np.ix_(losing, losing)] / np.outer(self.lost[losing], self.lost[losing])
            ridge = _RIDGE * (1.0 + np.diag(relative))
            root = np.linalg.cholesky(relative + np.diag(ridge))
            normal = np.random.default_rng(seed).standard_normal((N_RESAMPLES, len(losing)))
            drawn[:, losing] = self.lost[losing] * np.exp(normal @ root.T)
        return drawn

    def ranks(self, *, seed: int) -> np.ndarray:
        """The rank of each point in each resample, (resamples, points): 1 is where most is lost.

        A point without an estimate stands where the least that is lost there puts it.
        """
        drawn = self.resampled(seed=seed)
        drawn = np.where(np.isnan(drawn), np.nan_to_num(self.bounds[:, 0], nan=-1.0), drawn)
        ranking = order(drawn)
        ranks = np.empty_like(ranking)
        np.put_along_axis(ranks, ranking, np.arange(1, drawn.shape[1] + 1)[None], axis=1)
        return ranks

    @cached_property
    def bounds(self) -> np.ndarray:
        """`LossPoint.bounds` of each point, (points, 2)."""
        return np.array([point.bounds for point in self.points]).reshape(-1, 2)

    def rank_sets(self, *, confidence: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """The best and the worst rank of each point, all compared at once; see `estimators.rank_sets`."""
        missing = np.isnan(self.lost)
        lower, upper = (np.where(missing, np.nan_to_num(bound), self.lost) for bound in self.bounds.T)
        return rank_sets(lower, upper, self.covariance, confidence=confidence, seed=seed)

    def ratio(self, part: np.ndarray, whole: np.ndarray) -> tuple[float, float]:
        """What share of all that is lost at the points `whole` is lost at the points `part`, both bool (points,), and
        its standard error; missing where nothing is lost, and where the estimate of one of `whole` is missing."""
        lost = np.where([point.cannot_show for point in self.points], 0.0, self.lost)
        total = lost[whole].sum()
        if not total > 0:
            return float("nan"), float("nan")
        share = lost[part & whole].sum() / total
        slope = ((part & whole) - share * whole) / total
        return float(share), float(np.sqrt(max(slope @ self.covariance @ slope, 0.0)))
