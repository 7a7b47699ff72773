"""Logs of customers who are of one kind, each a continuum of another shape: in none are there personas to be found."""

import numpy as np
import pandas as pd

from journeylab.events.log import EventLog
from journeylab.events.reading import read_events

EVENTS = ("searched", "exported", "called", "asked", "shared", "planned", "invited", "paid")
CHANNELS, CHANNEL_SHARES = ("web", "mobile", "phone", "mail"), (0.5, 0.25, 0.15, 0.1)
SHARES = np.array((0.30, 0.20, 0.15, 0.10, 0.10, 0.05, 0.05, 0.05))
PER_CUSTOMER, DAYS, WINDOW = 16, 30, ("2024-01-01", "2025-01-01")
KINDS = ("independent", "one gradient", "two gradients", "three factors", "season", "even spread", "channel")


def continuum(kind: str, *, n: int, seed: int) -> EventLog:
    """A log of `n` customers of one kind; see `KINDS`."""
    random = np.random.default_rng([seed, KINDS.index(kind)])
    day = random.integers(0, 300, n)
    rates = np.log(SHARES * PER_CUSTOMER) + _apart(kind, day, random)
    if kind == "even spread":
        ends, place = random.dirichlet(np.ones(len(SHARES)), 2), random.random((n, 1))
        rates = np.log((place * ends[0] + (1 - place) * ends[1]) * PER_CUSTOMER)
    counts = random.poisson(np.exp(rates).clip(max=400))
    customer, event = np.repeat(np.arange(n), counts.sum(axis=1)), np.repeat(np.tile(np.arange(8), n), counts.ravel())
    own = random.integers(0, 4, n)
    entry, channel = (random.choice(4, size, p=CHANNEL_SHARES) for size in (n, len(customer)))
    if kind == "channel":
        entry, channel = own, own[customer]
    start = (np.datetime64("2024-01-02") + day.astype("timedelta64[D]")).astype("datetime64[s]")
    ids = np.array([f"c{number:05}" for number in range(n)], dtype=object)
    table = pd.DataFrame(
        {
            "customer_id": np.concatenate([ids, ids[customer]]),
            "time": np.concatenate([start, start[customer] + random.integers(60, DAYS * 86_400, len(customer))]),
            "event": np.concatenate([np.full(n, "signed_up", dtype=object), np.array(EVENTS, dtype=object)[event]]),
            "channel": np.array(CHANNELS, dtype=object)[np.concatenate([entry, channel])],
        }
    )
    return read_events(table, columns={name: name for name in table}, window=WINDOW, timezone="UTC")


def _apart(kind: str, day: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(customers, events) how far each customer's log rates are from the common ones."""
    n, n_events = len(day), len(SHARES)
    if kind == "one gradient":
        return np.log(random.gamma(1.5, 1 / 1.5, (n, 1)))
    if kind == "two gradients":
        both = 0.8 * random.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], n)
        return np.where(np.arange(n_events) < 4, both[:, :1], both[:, 1:])
    if kind == "three factors":
        weights = random.normal(size=(3, n_events))
        return random.normal(size=(n, 3)) @ (0.9 * weights / np.sqrt((weights**2).sum(axis=0)))
    if kind == "season":
        phase = random.uniform(0, 2 * np.pi, n_events)
        return 0.9 * np.sin(2 * np.pi * day[:, None] / 300 * random.choice([1, 2]) + phase)
    return np.zeros((n, n_events))
