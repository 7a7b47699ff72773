"""Attempts: which of the walks through a funnel count, and what became of each?"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa

from journeylab.base.durations import DAY, LONG_AGO, NEVER, all_since_1970, since_1970
from journeylab.events.log import EventLog
from journeylab.events.steps.rows import StepRows, absent_events, find_rows
from journeylab.events.steps.rules import StepRules
from journeylab.events.steps.walk import CONVERTED, EXCLUDED, INTERRUPTED, RAN_OUT, Walks, walk_steps

_PER_ATTEMPT = ("customer", "times", "ended", "ended_at", "is_early")


@dataclass(frozen=True, eq=False)
class Attempts:
    """Attempts to get through a funnel: each customer's together, customers in the engine's order.

    rules: of the funnel. end: the window's end, microseconds since 1970 UTC; after it nothing was observed.
    ids: customers with an attempt. customer: whose each attempt is, a position in `ids`, int64 [n].
    times: when each step was reached, microseconds, NEVER where it was not, int64 [n, n_steps].
    ended: how each attempt ended: CONVERTED, RAN_OUT (its time passed, or has not yet), INTERRUPTED, or EXCLUDED +
        position of the exclusion, int64 [n]. ended_at: when; NEVER for RAN_OUT, int64 [n].
    is_early: whether it began before the customer's label was known, see `find_attempts`, bool [n].
    absent: names of events that the rules ask for and that occur nowhere in the log.
    """

    rules: StepRules
    end: int
    ids: pa.Array
    customer: np.ndarray
    times: np.ndarray
    ended: np.ndarray
    ended_at: np.ndarray
    is_early: np.ndarray
    absent: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.customer)

    def only(self, chosen: np.ndarray) -> "Attempts":
        """The `chosen` attempts, bool [n] or positions; customers keep their positions in `ids`."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in _PER_ATTEMPT})

    @cached_property
    def entered(self) -> np.ndarray:
        """When each attempt began, microseconds, int64 [n]."""
        return self.times[:, 0]

    @cached_property
    def is_closed(self) -> np.ndarray:
        """Whether all of each attempt's time was observed: an event at its last moment would be in the log."""
        return self.entered + self.rules.window_us < self.end

    @cached_property
    def is_converted(self) -> np.ndarray:
        """Whether each attempt reached all steps that are needed."""
        return self.ended == CONVERTED

    @cached_property
    def is_removed(self) -> np.ndarray:
        """Whether an exclusion ended each attempt that takes it out of the base."""
        removes = [exclusion.removes for exclusion in self.rules.exclude]
        return np.array([*[False] * EXCLUDED, *removes])[self.ended]

    def is_reached(self, step: int) -> np.ndarray:
        """Whether each attempt reached the step at this position."""
        return self.times[:, step] != NEVER

    def days_to(self, step: int) -> np.ndarray:
        """Days from entering to the step at this position; infinite where it was not reached."""
        return days_between(self.entered, self.times[:, step])

    def exit_name(self, ended: int) -> str:
        """What a code of `ended` is called."""
        if ended >= EXCLUDED:
            return self.rules.exclude[ended - EXCLUDED].title
        return {CONVERTED: "converted", RAN_OUT: "time passed", INTERRUPTED: "something else"}[ended]

    def to_pandas(self) -> pd.DataFrame:
        """One row per attempt, by customer and time.

        Columns: `customer_id`; `attempt`, from 1 within the customer; `entered`; `reached`, how many steps it reached,
        optional ones included; for each later step, named by number and label, when it was reached; `ended_by`
        (“converted”, “time passed”, “something else” or an exclusion; None while in progress); `ended`, when (missing
        where time passed); `is_closed`.
        """
        is_open = ~self.is_closed & (self.ended == RAN_OUT)
        ended_by = [None if open_ else self.exit_name(code) for code, open_ in zip(self.ended, is_open, strict=True)]
        steps = {
            f"{at + 1} {step.title}": _as_times(self.times[:, at]) for at, step in enumerate(self.rules.steps) if at
        }
        table = {
            "customer_id": self.ids.take(pa.array(self.customer)).to_pandas(),
            "entered": _as_times(self.entered),
            "reached": (self.times != NEVER).sum(axis=1),
            **steps,
            "ended_by": pd.Series(ended_by, dtype=object),
            "ended": _as_times(self.ended_at),
            "is_closed": self.is_closed,
        }
        attempts = pd.DataFrame(table).sort_values(["customer_id", "entered"], kind="stable", ignore_index=True)
        attempts.insert(1, "attempt", attempts.groupby("customer_id").cumcount() + 1)
        return attempts


def find_attempts(
    log: EventLog, rules: StepRules, *, known_at: pd.Series | None = None, batch_rows: int = 1_000_000
) -> Attempts:
    """The attempts of `log`'s customers to get through the funnel of `rules`, those that `rules.entry` names.

    An attempt begins with an event of the first step within the window; what came before the window's start is not
    seen. `first`: each customer's first. `every`: one after the other; the next begins after the event that converted,
    at or after the one that ended it otherwise, or after its time has passed, so that attempts of one customer (with
    `same`: for one value) never overlap. `best`: of all that could begin, that which reached most of the steps that are
    needed, the earliest of equals; attempts that were removed, or whose time has not passed, stand back behind all
    others, for what may still come of them must not decide which is looked at.

    `known_at` (times by customer_id): attempts that begin before are marked `is_early`, and of the best stand back
    too; a customer without a time has none that is early. `batch_rows` bounds memory and changes no result.
    Raises what `find_rows` and `absent_events` do.
    """
    end = since_1970(log.window.end)
    parts = [
        _chosen(rows, rules, end=end, known_since=_known_since(rows.ids, known_at))
        for rows in find_rows(log, rules, batch_rows=batch_rows)
    ]
    none = {name: np.zeros(0, np.int64) for name in _PER_ATTEMPT}
    none |= {"times": np.zeros((0, len(rules.steps)), np.int64), "is_early": np.zeros(0, bool)}
    columns = {name: np.concatenate([none[name], *(getattr(part, name) for part in parts)]) for name in none}
    offsets = np.cumsum([0, *(len(part.ids) for part in parts)])[:-1]
    columns["customer"] += np.repeat(offsets, np.array([len(part) for part in parts], int))
    ids = pa.chunked_array([part.ids for part in parts], pa.string()).combine_chunks()
    return Attempts(rules, end, ids, **columns, absent=absent_events(log, rules))


def _chosen(rows: StepRows, rules: StepRules, *, end: int, known_since: np.ndarray) -> Attempts:
    """The attempts of a batch that count. `known_since`: by customer, when their label was known."""
    entries = np.flatnonzero(rows.bits & 1)
    if rules.entry == "first":
        entries = _first_entries(rows, entries)
    walks = walk_steps(rows, rules, entries)
    attempts = _attempts(rows, rules, walks, end=end, known_since=known_since)
    if rules.entry == "best":
        return attempts.only(_best(rows, walks, attempts))
    return attempts.only(_one_after_the_other(rows, rules, walks)) if rules.entry == "every" else attempts


def _attempts(rows: StepRows, rules: StepRules, walks: Walks, *, end: int, known_since: np.ndarray) -> Attempts:
    time = np.append(rows.time, NEVER)
    whose = rows.customer[_sequence(rows, walks.entry)]
    # Of the batch's customers, those who entered: `whose` ascends.
    is_another = np.diff(whose, prepend=-1) > 0
    return Attempts(
        rules,
        end,
        rows.ids.take(pa.array(whose[is_another])),
        np.cumsum(is_another) - 1,
        time[walks.step_row],
        walks.ended,
        time[walks.end_row],
        rows.time[walks.entry] < known_since[whose],
    )


def _first_entries(rows: StepRows, entries: np.ndarray) -> np.ndarray:
    """The first of `entries` of each customer by time and seq, ascending."""
    customer = rows.customer[_sequence(rows, entries)]
    if len(rows.customer) > len(rows.ids):
        entries = entries[np.lexsort((rows.seq[entries], rows.time[entries], customer))]
    return entries[np.flatnonzero(np.diff(customer, prepend=-1))]


def _best(rows: StepRows, walks: Walks, attempts: Attempts) -> np.ndarray:
    """Positions of the one attempt of each customer to look at, by customer."""
    required = list(attempts.rules.required)
    n_missed = (attempts.times[:, required] == NEVER).sum(axis=1)
    stands_back = attempts.is_early * 4 + attempts.is_removed * 2 + ~attempts.is_closed
    rank = (attempts.customer * 8 + stands_back) * (len(required) + 1) + n_missed
    # Attempts come by sequence and time: only several sequences of a customer leave the order of time to be found.
    is_split = len(rows.customer) > len(rows.ids)
    when = (rows.seq[walks.entry], rows.time[walks.entry])
    order = np.lexsort((*when, rank)) if is_split else np.argsort(rank, kind="stable")
    return order[np.flatnonzero(np.diff(attempts.customer[order], prepend=-1))]


def _one_after_the_other(rows: StepRows, rules: StepRules, walks: Walks) -> np.ndarray:
    """Which of all attempts that could begin do, where none begins while another of its sequence runs: positions."""
    sequence = _sequence(rows, walks.entry)
    following = np.searchsorted(walks.entry, _free_again(rows, rules, walks))
    is_there = following < len(walks.entry)
    is_there[is_there] = sequence[following[is_there]] == sequence[is_there]
    begins = np.zeros(len(walks.entry), bool)
    at = np.flatnonzero(np.diff(sequence, prepend=-1))
    while len(at):
        begins[at] = True
        at = following[at[is_there[at]]]
    return np.flatnonzero(begins)


def _free_again(rows: StepRows, rules: StepRules, walks: Walks) -> np.ndarray:
    """The row from which on another attempt may begin."""
    free = walks.end_row + (walks.ended == CONVERTED)
    ran_out = np.flatnonzero(walks.ended == RAN_OUT)
    entry = walks.entry[ran_out]
    low, high = entry + 1, rows.first[_sequence(rows, entry) + 1]
    deadline = rows.time[entry] + rules.window_us
    # The first row after the deadline, by halving: times ascend within a sequence only.
    while (is_between := low < high).any():
        middle = (low + high) // 2
        is_later = is_between & (rows.time[np.minimum(middle, len(rows) - 1)] > deadline)
        high = np.where(is_later, middle, high)
        low = np.where(is_between & ~is_later, middle + 1, low)
    free[ran_out] = low
    return free


def _sequence(rows: StepRows, row: np.ndarray) -> np.ndarray:
    return np.searchsorted(rows.first, row, side="right") - 1


def _known_since(ids: pa.Array, known_at: pd.Series | None) -> np.ndarray:
    if known_at is None:
        return np.full(len(ids), LONG_AGO)
    times = known_at.reindex(ids.to_pandas())
    return np.where(times.isna(), LONG_AGO, all_since_1970(times))


def days_between(since: np.ndarray, until: np.ndarray) -> np.ndarray:
    """Days from one time to another, both in microseconds; infinite where the second is NEVER."""
    return np.where(until == NEVER, np.inf, (until - since) / DAY)


def _as_times(microseconds: np.ndarray) -> pd.Series:
    mask = microseconds == NEVER
    times = pa.array(np.where(mask, 0, microseconds), mask=mask).cast(pa.timestamp("us", "UTC"))
    return times.to_pandas()
