"""Rows: what does one line of the simulated log hold, before it becomes text, and which lines are of no use?

Useless lines are only ever added: none replaces a good one, so the truth stays what it is.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from journeylab.events.simulate.arrays import Records, counter
from journeylab.events.simulate.calendar import DAY, END, HOUR
from journeylab.events.simulate.happenings import code

NONE = -1
_TYPES = {"time": np.int64, "account": np.int32, "text": np.int32, "value": np.float32}

CLEAN, NO_CUSTOMER, BAD_TIME, NO_EVENT, DUPLICATE = range(5)
_SHARES = {NO_CUSTOMER: 0.002, BAD_TIME: 0.001, NO_EVENT: 0.0005, DUPLICATE: 0.003}
ACCOUNTS_PER_BOT = 250


@dataclass(frozen=True)
class Rows(Records):
    """Events as small numbers, one array per column: positions in the lists of names, NONE where a cell is empty.

    account, time (seconds since the window's start), event, contact (position within the account), channel, reason,
    topic, text, score, value (not a number where empty).
    """

    account: np.ndarray
    time: np.ndarray
    event: np.ndarray
    contact: np.ndarray
    channel: np.ndarray
    reason: np.ndarray
    topic: np.ndarray
    text: np.ndarray
    score: np.ndarray
    value: np.ndarray

    @classmethod
    def of(cls, account: np.ndarray, time: np.ndarray, event: ArrayLike, **cells: ArrayLike) -> Self:
        """Rows with these cells; all others are empty."""
        cells = {"value": np.nan, "account": account, "time": time, "event": event, **cells}
        shape = (len(account),)
        return cls(
            *(
                np.broadcast_to(cells.get(field.name, NONE), shape).astype(_TYPES.get(field.name, np.int8))
                for field in fields(cls)
            )
        )


@dataclass(frozen=True)
class Lines(Records):
    """The lines of the log, in order of time: `rows`, what is `wrong` with each (CLEAN to DUPLICATE), and the `number`
    of its event, which duplicates share."""

    rows: Rows
    wrong: np.ndarray
    number: np.ndarray


def n_bots(n_customers: int) -> int:
    """How many bots come with `n_customers` accounts: one in 250, at least one."""
    return max(1, n_customers // ACCOUNTS_PER_BOT)


def draw_bots(rng: np.random.Generator, n_customers: int) -> Rows:
    """Visits of machines: hundreds of pages, half a minute apart, at night, never anything that opens a stage.

    Bots are customers of their own, numbered after the real ones; no persona and no spell belongs to them.
    """
    bots = n_bots(n_customers)
    length = rng.integers(150, 450, size=bots)
    begun = rng.integers(0, END // DAY - 1, size=bots) * DAY + rng.integers(0, 5 * HOUR, size=bots)
    account = n_customers + np.repeat(np.arange(bots), length)
    time = np.repeat(begun, length) + 30 * counter(length)
    event = np.where(rng.random(len(time)) < 0.9, code("page_viewed"), code("pricing_viewed"))
    return Rows.of(account, time, event)


def draw_lines(rng: np.random.Generator, good: Rows) -> Lines:
    """The lines of a log that holds all `good` rows, and copies of some of them with something wrong."""
    kinds = np.concatenate([np.full(round(len(good) * share), kind, dtype=np.int8) for kind, share in _SHARES.items()])
    source = np.concatenate([np.arange(len(good)), rng.integers(len(good), size=len(kinds))])
    wrong = np.concatenate([np.full(len(good), CLEAN, dtype=np.int8), kinds])
    order = np.argsort(good.time[source], kind="stable")
    source, wrong = source[order], wrong[order]
    is_new = wrong != DUPLICATE
    numbers = np.cumsum(is_new)
    number_of = np.empty(len(good), dtype=np.int64)
    number_of[source[wrong == CLEAN]] = numbers[wrong == CLEAN]
    return Lines(good[source], wrong, np.where(is_new, numbers, number_of[source]))
