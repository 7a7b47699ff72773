"""Risk sets: at each time that something happens, who could it have happened to?"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from journeylab.base.errors import EstimateError
from journeylab.estimators.arrays import distinct, numbers, one_length, refuse, row_weights, times_at_risk


@dataclass(frozen=True, eq=False)
class EventRows:
    """Rows at risk on (entry, exit] that end in an event or in the end of watching.

    They are sorted by their content, so that sums over them do not depend on the order in which they came.

    entry, exit, weight: float64 (rows,). event: bool (rows,).
    stratum, codes: int64 (rows,), which stratum and which individual a row belongs to. Without strata all rows are in
        one, and without ids each row is an individual of its own.
    columns: float64 (rows, columns), what the rows are compared by: covariates, or the code of a group.
    """

    entry: np.ndarray
    exit: np.ndarray
    event: np.ndarray
    weight: np.ndarray
    stratum: np.ndarray
    codes: np.ndarray
    columns: np.ndarray

    @classmethod
    def of(cls, rows: dict[str, ArrayLike | None], columns: np.ndarray) -> "EventRows":
        """The rows, checked, without those that are never at risk: weight 0, or no length (unless entered before 0).

        rows: `entry`, `exit`, `event`; `ids`, `strata`, `weights` or None; and, under the caller's name for it, what
            `columns`, (rows, columns), was made from. Raises EstimateError if the arrays differ in length, have
            missing or impossible values, or nothing happens.
        """
        arrays, n_rows = one_length(**rows), len(columns)
        entry, exit_ = times_at_risk(arrays["entry"], arrays["exit"])
        event = _events(arrays["event"])
        weight = row_weights(arrays["weights"]) if "weights" in arrays else np.ones(n_rows)
        no_strata, has_ids = np.zeros(n_rows, dtype=np.int64), "ids" in arrays
        stratum = distinct("strata", arrays["strata"])[1] if "strata" in arrays else no_strata
        codes = distinct("ids", arrays["ids"])[1] if has_ids else stratum
        at_risk = np.flatnonzero(((exit_ > entry) | (entry < 0)) & (weight > 0))
        if not event[at_risk].any():
            raise EstimateError(
                f"Nothing happens: none of {len(at_risk)} rows at risk ends in an event. "
                "Leave this out, or watch longer."
            )
        # Without ids only the content of the rows sorts them.
        keys = [*columns.T, weight, event, exit_, entry, codes, stratum]
        order = at_risk[np.lexsort([key[at_risk] for key in keys])]
        codes = codes[order] if has_ids else np.arange(len(order))
        return cls(entry[order], exit_[order], event[order], weight[order], stratum[order], codes, columns[order])

    @cached_property
    def n_ids(self) -> int:
        """How many individuals have rows at risk."""
        return int((np.bincount(self.codes) > 0).sum())

    def clustered_variance(self, residuals: np.ndarray) -> np.ndarray:
        """Sum over individuals of the outer square of their summed residuals; missing with one individual."""
        summed = self.summed_by_id(residuals)
        return summed.T @ summed if self.n_ids > 1 else np.full((summed.shape[1],) * 2, np.nan)

    def summed_by_id(self, values: np.ndarray) -> np.ndarray:
        """Sums of (rows, columns) over each individual's rows, 0 for those without rows at risk: (ids, columns)."""
        return np.stack([np.bincount(self.codes, weights=column) for column in values.T], axis=1)


@dataclass(frozen=True, eq=False)
class RiskSets:
    """The risk set of each cell. There is one cell for each stratum and distinct time of an event in it, in this order.

    stratum: int64 (cells,). times: float64 (cells,).
    first, last: int64 (rows,); a row is at risk in the cells from `first` up to, not including, `last`.
    cell: int64 (events,), the cells of the rows that end in an event, in the rows' order.
    event: bool (rows,).
    """

    stratum: np.ndarray
    times: np.ndarray
    first: np.ndarray
    last: np.ndarray
    cell: np.ndarray
    event: np.ndarray

    @classmethod
    def of(cls, rows: EventRows) -> "RiskSets":
        """The risk sets of these rows."""
        times, rank = np.unique(np.concatenate([rows.exit, rows.entry]), return_inverse=True)
        entry = rows.stratum * len(times) + rank[len(rows.exit) :]
        exit_ = rows.stratum * len(times) + rank[: len(rows.exit)]
        cells, cell = np.unique(exit_[rows.event], return_inverse=True)
        stratum, position = np.divmod(cells, len(times))
        first, last = np.searchsorted(cells, entry, "right"), np.searchsorted(cells, exit_, "right")
        return cls(stratum, times[position], first, last, cell, rows.event)

    @property
    def n_cells(self) -> int:
        """How many strata and distinct times there are."""
        return len(self.times)

    @cached_property
    def n_events(self) -> np.ndarray:
        """How many rows end in an event in each cell, int64 (cells,)."""
        return np.bincount(self.cell, minlength=self.n_cells)

    def of_those_at_risk(self, values: np.ndarray) -> np.ndarray:
        """Sum of `values`, (rows,), over the risk set of each cell: (cells,)."""
        stayed, not_yet = self._stayed_and_not_yet(values)
        return stayed - not_yet

    def least_share(self, values: np.ndarray) -> float:
        """The least share, over the cells, that those at risk have of the `values` (above 0) of all who end no earlier.

        `of_those_at_risk` takes a difference of two such sums. The smaller the share, the more digits it loses.
        """
        if not self.first.any():  # nobody enters late, so nothing is subtracted
            return 1.0
        stayed, not_yet = self._stayed_and_not_yet(values)
        return float(((stayed - not_yet) / stayed).min())

    def of_those_at_risk_by_adding(self, values: np.ndarray) -> np.ndarray:
        """As `of_those_at_risk`, without differences, and so without their loss of digits, but many times as slow.

        Each row's cells are split into stretches of 1, 2, 4, ... cells that begin at multiples of their length. Values
        are summed by stretch, and the sums of long stretches are then added to those of the short ones within them.
        """
        n_levels = int(self.n_cells).bit_length()
        size = 1 << n_levels
        stretches = np.zeros(2 * size)
        begin, end = self.first + size, self.last + size
        # Up the tree: a row's cells from `begin` up to `end` lose a stretch at either end that has no partner.
        for _ in range(n_levels + 1):
            is_open = begin < end
            left, right = is_open & (begin % 2 == 1), is_open & (end % 2 == 1)
            for stretch, rows in ((begin, left), (end - 1, right)):
                stretches += np.bincount(stretch[rows], weights=values[rows], minlength=2 * size)
            begin, end = (begin + left) // 2, (end - right) // 2
        # Down the tree: what a long stretch has, both of its halves have.
        for level in range(n_levels):
            longer = slice(1 << level, 2 << level)
            stretches[2 << level : 4 << level] += np.repeat(stretches[longer], 2)
        return stretches[size : size + self.n_cells]

    def _stayed_and_not_yet(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sums over the rows that end no earlier than each cell, and over those of them that enter no earlier."""
        size = self.n_cells + 1
        # Summed from the end, where risk sets are small, so that their sums are not differences of large ones.
        stayed = np.bincount(self.last, weights=values, minlength=size)[::-1].cumsum()[::-1]
        not_yet = np.bincount(self.first, weights=values, minlength=size)[::-1].cumsum()[::-1]
        return stayed[1:], not_yet[1:]

    def of_events(self, values: np.ndarray) -> np.ndarray:
        """Sum of `values`, (rows,), over the rows that end in an event in each cell: (cells,)."""
        return np.bincount(self.cell, weights=values[self.event], minlength=self.n_cells)

    def over_time_at_risk(self, values: np.ndarray) -> np.ndarray:
        """Sum of `values`, (cells, columns), over the cells in which each row is at risk: (rows, columns)."""
        running = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
        return running[self.last] - running[self.first]


def _events(event: np.ndarray) -> np.ndarray:
    event = numbers("event", event)
    fix = "Use 1 where it happened and 0 where watching ended."
    refuse("“event” is neither 0 nor 1", event, (event != 0) & (event != 1), fix)
    return event == 1
