"""Concordance: of two who can be compared, how often does the one at higher risk leave first?"""

from dataclasses import dataclass

import numpy as np

from journeylab.estimators.risk_sets import EventRows


@dataclass(frozen=True)
class Concordance:
    """Harrell's concordance: 0.5 is no better than chance, 1 perfect.

    Two rows of one stratum can be compared if one leaves while the other is at risk and stays beyond that time (or is
    watched until it). Pairs at equal risk count one half (Harrell et al. 1982, JAMA 247:2543-2546).

    estimate: the share; missing if no two rows can be compared. standard_error: jackknife, by individual.
    n_pairs: the weight of pairs compared.
    """

    estimate: float
    standard_error: float
    n_pairs: float

    @classmethod
    def of(cls, rows: EventRows, risk: np.ndarray) -> "Concordance":
        """The concordance of `risk`, (rows,), with the order of leaving."""
        agreeing, pairs = _sums_over_partners(rows, risk)
        n_pairs = float((rows.weight * pairs).sum() / 2)
        if n_pairs == 0:
            return cls(float("nan"), float("nan"), 0.0)
        estimate = float((rows.weight * agreeing).sum() / 2 / n_pairs)
        influence = rows.weight * (agreeing - estimate * pairs) / n_pairs
        summed = rows.summed_by_id(influence[:, None])[:, 0]
        error = float(np.sqrt((summed**2).sum())) if rows.n_ids > 1 else float("nan")
        return cls(estimate, error, n_pairs)


def _sums_over_partners(rows: EventRows, risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row, over the rows it can be compared with: weight of those that agree with the risk, and of all.

    While i leaves at t, row j of its stratum stays if it was entered before t and ends after t, or at t without
    leaving.
    """
    _, rank = np.unique(np.round(risk, 12), return_inverse=True)
    agreeing, pairs = np.zeros(len(risk)), np.zeros(len(risk))
    left = np.flatnonzero(rows.event)
    times, moment = np.unique(np.concatenate([rows.entry, rows.exit]), return_inverse=True)
    entry, exit_ = np.split(moment + np.tile(rows.stratum, 2) * len(times), 2)
    # who leaves comes before who is watched until the same time, so that the latter are among those who stay
    end = 2 * exit_ + ~rows.event
    stratum_end = (rows.stratum[left] + 1) * len(times)
    for key, own, close, sign in (
        (end, 2 * exit_[left], 2 * stratum_end, 1),
        (entry, exit_[left] - 1, stratum_end, -1),
    ):
        order = np.argsort(key, kind="stable")
        begin, until = np.searchsorted(key[order], own, "right"), np.searchsorted(key[order], close)
        below, equal, total = _sums_by_rank(rank[order], rows.weight[order], begin, until, rank[left])
        agreeing[left] += sign * (below + equal / 2)
        pairs[left] += sign * total
    leavings = np.sort(exit_[left], kind="stable")
    order = left[np.argsort(exit_[left], kind="stable")]
    begin, until = np.searchsorted(leavings, entry, "right"), np.searchsorted(2 * leavings, end, "left")
    below, equal, total = _sums_by_rank(rank[order], rows.weight[order], begin, np.maximum(until, begin), rank)
    agreeing += total - below - equal / 2
    return agreeing, pairs + total


def _sums_by_rank(
    ranks: np.ndarray, weights: np.ndarray, begin: np.ndarray, until: np.ndarray, asked: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each question, over positions begin to until: weight of ranks below the one asked, equal to it, and in all.

    A wavelet matrix (Claude, Navarro & Ordóñez 2015, Information Systems 47:15-32): bit by bit from the highest,
    positions are parted into those with a 0 and those with a 1, and each question follows its own bit.
    """
    below = np.zeros(len(asked))
    total = _between(weights, begin, until)
    for bit in reversed(range(int(max(ranks.max(), asked.max())).bit_length())):
        is_zero = (ranks >> bit) & 1 == 0
        n_zeros = np.concatenate([[0], np.cumsum(is_zero)])
        is_one = (asked >> bit) & 1 == 1
        below += np.where(is_one, _between(np.where(is_zero, weights, 0.0), begin, until), 0.0)
        begin = np.where(is_one, n_zeros[-1] + begin - n_zeros[begin], n_zeros[begin])
        until = np.where(is_one, n_zeros[-1] + until - n_zeros[until], n_zeros[until])
        parted = np.concatenate([np.flatnonzero(is_zero), np.flatnonzero(~is_zero)])
        ranks, weights = ranks[parted], weights[parted]
    return below, _between(weights, begin, until), total


def _between(weights: np.ndarray, begin: np.ndarray, until: np.ndarray) -> np.ndarray:
    running = np.concatenate([[0.0], np.cumsum(weights)])
    return running[until] - running[begin]
