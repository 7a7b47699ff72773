"""Control sampling: who was there, and stayed, when something happened to someone else?

Sampling from risk sets (incidence density sampling): each case gets controls of its own, drawn by lot from those under
observation at the same time to whom it did not happen then. Who is drawn may become a case later, and may be drawn for
several cases: that is what makes the odds ratio a ratio of hazards (Lubin & Gail 1984, Biometrics 40:63-75).
"""

from dataclasses import dataclass

import numpy as np

NOBODY = -1
WIDTH, ROUNDS = 16, 30
# Where fewer of those drawn from are at risk than this share, all are looked at instead.
SPARSE = 0.05


@dataclass(frozen=True, eq=False)
class ControlPool:
    """Rows from which controls may be drawn, sorted by their last time.

    row: position of the row as it came. first, last: int64, it can be a control at times t with first < t <= last.
    owner: int64, whose the row is. firsts: `first`, sorted by itself.
    """

    row: np.ndarray
    first: np.ndarray
    last: np.ndarray
    owner: np.ndarray
    firsts: np.ndarray

    @classmethod
    def of(cls, first: np.ndarray, last: np.ndarray, owner: np.ndarray) -> "ControlPool":
        """The pool of rows that can be controls at times t with first < t <= last; those that never can are left
        out."""
        row = np.flatnonzero(last > first)
        row = row[np.argsort(last[row], kind="stable")]
        return cls(row, first[row], last[row], owner[row], np.sort(first[row]))

    def n_at_risk(self, times: np.ndarray) -> np.ndarray:
        """How many rows could be controls at each of `times`, (times,)."""
        return np.searchsorted(self.firsts, times, "left") - np.searchsorted(self.last, times, "left")

    def draw(self, times: np.ndarray, owners: np.ndarray, n: int, *, random: np.random.Generator) -> np.ndarray:
        """For each case up to `n` rows of different owners, none the case's own: positions (cases, n), filled up by
        `NOBODY`.

        times, owners: (cases,). Drawn one after the other, each row that could be a control as likely as any other;
        where there are not more than `n` owners, one row of each.
        """
        picks = np.full((len(times), n), NOBODY)
        n_picked = np.zeros(len(times), np.int64)
        begin, n_all = np.searchsorted(self.last, times, "left"), len(self.row)
        is_sparse = self.n_at_risk(times) < np.maximum(SPARSE * (n_all - begin), 2 * n + 2)
        for _ in range(ROUNDS):
            cases = np.flatnonzero((n_picked < n) & ~is_sparse)
            if not len(cases):
                break
            for shares in random.random((WIDTH, len(cases))):
                drawn = begin[cases] + (shares * (n_all - begin[cases])).astype(np.int64)
                is_new = (self._owners(picks[cases]) != self.owner[drawn, None]).all(axis=1)
                is_new &= (self.owner[drawn] != owners[cases]) & (self.first[drawn] < times[cases])
                good = cases[is_new & (n_picked[cases] < n)]
                picks[good, n_picked[good]] = drawn[is_new & (n_picked[cases] < n)]
                n_picked[good] += 1
        for case in np.flatnonzero(n_picked < n):
            more = self._listed(begin[case], times[case], picks[case], owners[case], random)
            more = more[: n - n_picked[case]]
            picks[case, n_picked[case] : n_picked[case] + len(more)] = more
        return np.where(picks == NOBODY, NOBODY, self.row[picks]) if n_all else picks

    def _owners(self, picks: np.ndarray) -> np.ndarray:
        """Whose the picked rows are, `NOBODY` where none is."""
        return np.where(picks == NOBODY, NOBODY, self.owner[picks])

    def _listed(self, begin: int, time: int, picked: np.ndarray, owner: int, random: np.random.Generator) -> np.ndarray:
        """All rows that could still be picked, one for each owner, in an order drawn by lot."""
        at_risk = begin + np.flatnonzero(self.first[begin:] < time)
        taken = np.append(self._owners(picked), owner) if len(self.row) else [owner]
        left = random.permutation(at_risk[~np.isin(self.owner[at_risk], taken)])
        return left[np.sort(np.unique(self.owner[left], return_index=True)[1])]
