"""Control sampling: who was there, and stayed, when something happened to someone else?

Sampling from risk sets (incidence density sampling): each case gets controls of its own, drawn at random from those
under observation at the same time to whom it did not happen then. A control may become a case later, and may be drawn
for several cases. That is what makes the odds ratio a ratio of hazards (Lubin & Gail 1984, Biometrics 40:63-75).
"""

from dataclasses import dataclass

import numpy as np

NOBODY = -1
WIDTH, ROUNDS = 16, 30
# Where a smaller share than this of those drawn from are at risk, all are listed instead of drawn and checked.
SPARSE = 0.05


@dataclass(frozen=True, eq=False)
class ControlPool:
    """Rows from which controls may be drawn, sorted by their last time.

    row: position of the row as it came. first, last: int64, it can be a control at times t with first < t <= last.
    owner: int64, the individual whose row it is. origin: int64, when its clock began, on the calendar's clock. firsts:
    `first`, sorted by itself.
    """

    row: np.ndarray
    first: np.ndarray
    last: np.ndarray
    owner: np.ndarray
    origin: np.ndarray
    firsts: np.ndarray

    @classmethod
    def of(
        cls, first: np.ndarray, last: np.ndarray, owner: np.ndarray, origin: np.ndarray | None = None
    ) -> "ControlPool":
        """The pool of rows that can be controls at times t with first < t <= last; those that never can are left
        out. Without `origin` all clocks began at 0."""
        row = np.flatnonzero(last > first)
        row = row[np.argsort(last[row], kind="stable")]
        origin = np.zeros_like(first) if origin is None else origin
        return cls(row, first[row], last[row], owner[row], origin[row], np.sort(first[row]))

    def n_at_risk(self, times: np.ndarray) -> np.ndarray:
        """How many rows could be controls at each of `times`, (times,)."""
        return np.searchsorted(self.firsts, times, "left") - np.searchsorted(self.last, times, "left")

    def draw(
        self,
        times: np.ndarray,
        owners: np.ndarray,
        n: int,
        *,
        random: np.random.Generator,
        calendar_between: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> np.ndarray:
        """For each case up to `n` rows of different owners, none of them the case's: positions (cases, n).

        times, owners: (cases,). calendar_between: two arrays (cases,); a control reaches the case's time, on the
        calendar's clock, at the first of these or after and before the second. `NOBODY` fills up. Rows are drawn one
        after the other, each that could be a control as likely as any other. Where there are not more than `n` owners,
        one row of each is taken.
        """
        picks = np.full((len(times), n), NOBODY)
        n_picked = np.zeros(len(times), np.int64)
        begin, n_all = np.searchsorted(self.last, times, "left"), len(self.row)
        # The clocks of a case's controls begin from `since` on and before `until`.
        bounds = calendar_between or (np.full(len(times), -np.inf), np.full(len(times), np.inf))
        since, until = (bound - times for bound in bounds)
        is_sparse = self.n_at_risk(times) < np.maximum(SPARSE * (n_all - begin), 2 * n + 2)
        for _ in range(ROUNDS):
            cases = np.flatnonzero((n_picked < n) & ~is_sparse)
            if not len(cases):
                break
            for shares in random.random((WIDTH, len(cases))):
                # A row that ends late enough; it is picked if it begins early enough and its owner is a new one.
                row = begin[cases] + (shares * (n_all - begin[cases])).astype(np.int64)
                is_picked = (self._owners(picks[cases]) != self.owner[row, None]).all(axis=1)
                is_picked &= (self.owner[row] != owners[cases]) & (self.first[row] < times[cases])
                is_picked &= n_picked[cases] < n
                is_picked &= (since[cases] <= self.origin[row]) & (self.origin[row] < until[cases])
                served = cases[is_picked]
                picks[served, n_picked[served]] = row[is_picked]
                n_picked[served] += 1
        for case in np.flatnonzero(n_picked < n):
            late = slice(begin[case], None)
            is_at_risk = (self.first[late] < times[case]) & (since[case] <= self.origin[late])
            at_risk = begin[case] + np.flatnonzero(is_at_risk & (self.origin[late] < until[case]))
            rows = self._listed(at_risk, picks[case], owners[case], random)[: n - n_picked[case]]
            picks[case, n_picked[case] : n_picked[case] + len(rows)] = rows
        return np.where(picks == NOBODY, NOBODY, self.row[picks]) if n_all else picks

    def _owners(self, picks: np.ndarray) -> np.ndarray:
        """The owners of the picked rows, `NOBODY` where none is picked."""
        return np.where(picks == NOBODY, NOBODY, self.owner[picks])

    def _listed(self, at_risk: np.ndarray, picked: np.ndarray, owner: int, random: np.random.Generator) -> np.ndarray:
        """All rows `at_risk` that could still be picked, one for each owner, in random order."""
        taken = np.append(self._owners(picked), owner) if len(self.row) else [owner]
        left = random.permutation(at_risk[~np.isin(self.owner[at_risk], taken)])
        return left[np.sort(np.unique(self.owner[left], return_index=True)[1])]
