"""Walk: starting from an event of the first step, how far does an attempt get, and how does it end?

All attempts advance together, one step at a time: each looks up the next event of any step that it wants, in tables
made once for the batch. What is wanted next depends only on the step just reached (ordered, strict), or on what is
still missing (unordered).
"""

from dataclasses import dataclass

import numpy as np

from journeylab.events.steps.rows import StepRows
from journeylab.events.steps.rules import StepRules

# The row of a step that was not reached, or of an event that did not come.
NOT_REACHED = -1
# How an attempt ended; EXCLUDED + 1 and so on are the further exclusions.
CONVERTED, RAN_OUT, INTERRUPTED, EXCLUDED = range(4)


@dataclass(frozen=True)
class Walks:
    """Attempts as arrays, one for each entry. entry: its row, int64 [n].

    step_row: row at which each step was reached, or NOT_REACHED, int64 [n, n_steps].
    ended: how the attempt ended: CONVERTED, RAN_OUT (the window closed, or no event was left), INTERRUPTED (strict
        order), or EXCLUDED + position of the exclusion, int64 [n].
    end_row: row of the event that ended it, or NOT_REACHED where none did, int64 [n].
    """

    entry: np.ndarray
    step_row: np.ndarray
    ended: np.ndarray
    end_row: np.ndarray


@dataclass(frozen=True)
class _Wants:
    """Which steps are wanted, as bits. at_entry: after the first step. needed: the steps that are not optional.
    after: what is wanted once a step is reached, int64 [n_steps]; None where all that is missing is."""

    at_entry: int
    needed: int
    after: np.ndarray | None

    @classmethod
    def of(cls, rules: StepRules) -> "_Wants":
        n_steps = len(rules.steps)
        needed = sum(1 << at for at in rules.required)
        if rules.order == "unordered":
            return cls((1 << n_steps) - 2, needed, None)
        after = np.zeros(n_steps, np.int64)
        for at in range(n_steps - 1):
            following = next(step for step in rules.required if step > at)
            after[at] = (1 << following + 1) - (1 << at + 1)
        return cls(int(after[0]), needed, after)

    def then(self, wanted: np.ndarray, reached: np.ndarray) -> np.ndarray:
        """What is wanted after `reached` where `wanted` was."""
        return wanted & ~(np.int64(1) << reached) if self.after is None else self.after[reached]

    def is_over(self, wanted: np.ndarray) -> np.ndarray:
        """Whether no step that is needed is wanted any more."""
        return (wanted & self.needed) == 0

    def reached(self, bits: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """The step that an event with these `bits` reaches, or NOT_REACHED: the first wanted step that it meets,
        those that are needed before optional ones."""
        met = bits & wanted
        met = np.where(met & self.needed, met & self.needed, met)
        lowest = met & -met
        return np.where(met == 0, NOT_REACHED, np.bitwise_count(lowest - 1).astype(np.int64))


class _Lookup:
    """The next row after a given one that has a bit; the number of rows where there is none."""

    def __init__(self, bits: np.ndarray, bit: int) -> None:
        has_bit = (bits >> bit & 1).astype(bool)
        self._rows = np.append(np.flatnonzero(has_bit), len(bits))
        self._seen = np.cumsum(has_bit, dtype=np.int32)

    def after(self, row: np.ndarray) -> np.ndarray:
        return self._rows[self._seen[row]]


def walk_steps(rows: StepRows, rules: StepRules, entries: np.ndarray) -> Walks:
    """The attempts that begin at the rows `entries`, which must meet the first step; ascending."""
    wants, n_steps = _Wants.of(rules), len(rules.steps)
    bits = rows.bits.astype(np.int64)
    deadline = rows.time[entries] + rules.window_us
    last = rows.first[np.searchsorted(rows.first, entries, side="right")]
    excluded, exclusion = _next_exclusion(rows, rules, entries, bits)
    is_excluded = _is_in_time(rows, excluded, last, deadline)
    limit = np.where(is_excluded, excluded, last)

    step_row = np.full((len(entries), n_steps), NOT_REACHED)
    step_row[:, 0] = entries
    ended = np.where(is_excluded, EXCLUDED + exclusion, RAN_OUT)
    end_row = np.where(is_excluded, excluded, NOT_REACHED)
    lookups = {step: _Lookup(bits, step) for step in range(1, n_steps)} if rules.order != "strict" else None

    who, here = np.arange(len(entries)), entries
    wanted = np.full(len(entries), wants.at_entry)
    while len(who):
        # In strict order whatever comes next counts, otherwise the next event of a wanted step.
        following = here + 1 if lookups is None else _earliest(lookups, here, wanted, n_rows=len(rows))
        goes_on = _is_in_time(rows, following, limit[who], deadline[who])
        who, here, wanted = who[goes_on], following[goes_on], wanted[goes_on]
        step = wants.reached(bits[here], wanted)
        if lookups is None:
            stopped = who[step == NOT_REACHED]
            ended[stopped], end_row[stopped] = INTERRUPTED, here[step == NOT_REACHED]
            who, here, wanted, step = (column[step != NOT_REACHED] for column in (who, here, wanted, step))
        step_row[who, step] = here
        wanted = wants.then(wanted, step)
        is_over = wants.is_over(wanted)
        ended[who[is_over]], end_row[who[is_over]] = CONVERTED, here[is_over]
        who, here, wanted = (column[~is_over] for column in (who, here, wanted))
    return Walks(entries, step_row, ended, end_row)


def _earliest(lookups: dict[int, _Lookup], here: np.ndarray, wanted: np.ndarray, *, n_rows: int) -> np.ndarray:
    """The first row after `here` that has any of the bits `wanted`."""
    by_all, by_any = np.bitwise_and.reduce(wanted), np.bitwise_or.reduce(wanted)
    row = np.full(len(here), n_rows)
    for step, lookup in lookups.items():
        if by_all >> step & 1:
            row = np.minimum(row, lookup.after(here))
        elif by_any >> step & 1:
            some = np.flatnonzero(wanted >> step & 1)
            row[some] = np.minimum(row[some], lookup.after(here[some]))
    return row


def _next_exclusion(
    rows: StepRows, rules: StepRules, entries: np.ndarray, bits: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The next row after each entry that meets an exclusion, and which: the first of those listed."""
    first, which = np.full(len(entries), len(rows)), np.zeros(len(entries), np.int64)
    for at in range(len(rules.exclude)):
        row = _Lookup(bits, len(rules.steps) + at).after(entries)
        which = np.where(row < first, at, which)
        first = np.minimum(first, row)
    return first, which


def _is_in_time(rows: StepRows, row: np.ndarray, limit: np.ndarray, deadline: np.ndarray) -> np.ndarray:
    """Whether each `row` comes before the row `limit` and not after the `deadline`."""
    is_before = row < limit
    return is_before & (rows.time[np.where(is_before, row, 0)] <= deadline)
