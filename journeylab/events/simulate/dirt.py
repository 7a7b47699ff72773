"""Dirt: which rows and customers of the simulated log are of no use, as in every real one?

Dirt is only ever added: it never replaces a good row, so the truth stays what it is.
"""

import numpy as np

from journeylab.events.simulate.calendar import DAY, END, HOUR
from journeylab.events.simulate.draws import counter
from journeylab.events.simulate.happenings import code
from journeylab.events.simulate.rows import Rows, rows

CLEAN, NO_CUSTOMER, BAD_TIME, NO_EVENT, DUPLICATE = range(5)
_SHARES = {NO_CUSTOMER: 0.002, BAD_TIME: 0.001, NO_EVENT: 0.0005, DUPLICATE: 0.003}
BAD_TIMES = ("0000-00-00T00:00:00Z", "not available", "2024-13-45T99:99:99Z", "yesterday, 3 pm")
ACCOUNTS_PER_BOT = 250


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
    return rows(account, time, event)


def draw_dirt(rng: np.random.Generator, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Which rows (positions) are copied as dirt, and what is wrong with each copy."""
    spoilt = [np.full(round(n_rows * share), kind, dtype=np.int8) for kind, share in _SHARES.items()]
    wrong = np.concatenate(spoilt)
    return rng.integers(n_rows, size=len(wrong)), wrong
