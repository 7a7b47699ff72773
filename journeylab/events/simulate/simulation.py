"""Simulation: a made-up log, its journey, and the truth behind it."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from journeylab.base import html
from journeylab.base.errors import JourneyLabError
from journeylab.base.files import replaced, write_text
from journeylab.base.words import counted
from journeylab.events.journey import Journey, read_journey
from journeylab.events.log import EventLog
from journeylab.events.reading import read_events
from journeylab.events.simulate.accounts import Accounts, draw_accounts, draw_attributes
from journeylab.events.simulate.activity import draw_activity
from journeylab.events.simulate.calendar import EXPORTED, WINDOW
from journeylab.events.simulate.dirt import CLEAN, DUPLICATE, draw_bots, draw_dirt, n_bots
from journeylab.events.simulate.draws import choose
from journeylab.events.simulate.happenings import INITIATOR_OF, INITIATORS, NAMES, channel_weights
from journeylab.events.simulate.histories import Histories, draw_histories, log_starts
from journeylab.events.simulate.milestones import draw_milestones
from journeylab.events.simulate.planted import PERSONAS, planted_table, silence_days
from journeylab.events.simulate.rows import NONE, Rows, together
from journeylab.events.simulate.table import Identities, batches
from journeylab.events.simulate.truth import Truth, spells_table

JOURNEY, STUDY = Path(__file__).with_name("journey.yml"), Path(__file__).with_name("study.yml")
EVENTS_PATH, CUSTOMERS_PATH = Path("data/raw/events.parquet"), Path("data/raw/customers.csv")
COLUMNS = {"customer_id": "customer_id", "time": "time", "event": "event"}

# Accounts are drawn in groups of this many, each with its own stream of random numbers: memory follows the group, not
# the log.
ACCOUNTS_PER_GROUP = 10_000


@dataclass(frozen=True, repr=False)
class Simulation:
    """A simulated log of business accounts over two years.

    raw: Arrow table of the lines as an export would hold them, in order of time; `time` is text (ISO 8601, offset Z).
        Some lines are of no use: without customer or event, with a time nobody can read, doubled, or after the window.
    customers: DataFrame, index customer_id: plan, segment, industry, country, seats, as known at the start. Bots have
        none of it.
    journey: the journey that the accounts travel, as journey.yml declares it.
    truth: what was planted and what happened; none of it is in `raw` or `customers`.
    """

    raw: pa.Table
    customers: pd.DataFrame
    journey: Journey
    truth: Truth

    @cached_property
    def log(self) -> EventLog:
        """The log that `read_events` makes of `raw`; lines of no use are in its quarantine."""
        return read_events(self.raw, columns=COLUMNS, window=(WINDOW.start, WINDOW.end), customers=self.customers)

    def __repr__(self) -> str:
        return (
            f"Simulation: {len(self.raw):,} rows of {len(self.truth.personas):,} simulated accounts and "
            f"{len(self.customers) - len(self.truth.personas):,} bots; window {self.truth.window}."
        )

    def _repr_html_(self) -> str:
        said = (
            f"{counted(len(self.raw), 'row')} of {counted(len(self.truth.personas), 'simulated account')} and "
            f"{counted(len(self.customers) - len(self.truth.personas), 'bot')}; window {self.truth.window}. "
            "No customer in it is real; what was planted is kept apart, in `truth`."
        )
        return html.card("Simulation", html.paragraph(said))

    def write(self, folder: str | Path) -> Path:
        """Write a study to `folder`; returns the folder.

        It holds journey.yml, study.yml, data/raw/events.parquet, data/raw/customers.csv. Each file is replaced in one
        step. The same simulation gives the same bytes with the same version of Arrow.
        """
        folder = Path(folder)
        for source in (JOURNEY, STUDY):
            write_text(folder / source.name, source.read_text(encoding="utf-8"))
        write_text(folder / CUSTOMERS_PATH, self.customers.to_csv(lineterminator="\n"))
        with replaced(folder / EVENTS_PATH) as temporary:
            # Ids and times rise row by row: written as what differs from the row before, they need little room.
            pq.write_table(
                self.raw,
                temporary,
                compression="zstd",
                store_schema=False,
                use_dictionary=[name for name in self.raw.column_names if name not in ("event_id", "time")],
                column_encoding={"event_id": "DELTA_BYTE_ARRAY", "time": "DELTA_BYTE_ARRAY"},
                dictionary_pagesize_limit=1 << 26,
                write_statistics=False,
            )
        return folder


def simulate_log(n_customers: int, *, seed: int) -> Simulation:
    """A simulated log of `n_customers` business accounts, from trial to partner, January 2024 to December 2025.

    Five planted personas of unequal size differ in behaviour and in how fast and by which way they leave each stage.
    About one account in six entered before the window. Accounts that work out of office hours wait longer for answers
    and are lost 1.35 times as fast. One bot per 250 accounts comes on top, with its own customer_id. The same arguments
    give the same log.

    Raises JourneyLabError unless `n_customers` is a whole number of at least 1 and `seed` one of at least 0.
    """
    _check(n_customers, name="n_customers", least=1)
    _check(seed, name="seed", least=0)
    journey = read_journey(JOURNEY)
    silence = silence_days(journey)
    groups = list(_groups(n_customers, seed=seed, silence=silence))
    rng = np.random.default_rng([seed, len(groups)])
    accounts = _joined(Accounts, [group.accounts for group in groups])
    histories = _joined(Histories, [group.histories for group in groups])
    starts = log_starts(histories, n_customers)
    found, wrong, numbers = _in_order(rng, [*(group.rows for group in groups), draw_bots(rng, n_customers)])
    identities = Identities(n_customers + n_bots(n_customers), accounts.n_contacts)
    raw = batches(found, wrong=wrong, numbers=numbers, accounts=accounts, identities=identities)
    names = np.array(identities.customers, dtype=object)
    index = pd.Index(names[:n_customers], name="customer_id")
    attributes = draw_attributes(rng, accounts.persona).set_axis(index, axis=0)
    truth = Truth(
        personas=pd.Series(np.array(PERSONAS, dtype=object)[accounts.persona], index=index, name="persona"),
        spells=spells_table(histories, starts, names),
        planted=planted_table(journey),
        window=WINDOW,
    )
    customers = attributes.reindex(pd.Index(names, name="customer_id"))
    return Simulation(pa.Table.from_batches(raw), customers, journey, truth)


@dataclass(frozen=True)
class _Group:
    accounts: Accounts
    histories: Histories
    rows: Rows


def _groups(n_customers: int, *, seed: int, silence: np.ndarray) -> Iterator[_Group]:
    for number, first in enumerate(range(0, n_customers, ACCOUNTS_PER_GROUP)):
        rng = np.random.default_rng([seed, number])
        accounts = draw_accounts(rng, min(ACCOUNTS_PER_GROUP, n_customers - first))
        histories = draw_histories(rng, accounts, silence=silence)
        starts = log_starts(histories, len(accounts))
        logged = histories.take((histories.entered >= starts[histories.account]) & (histories.entered < EXPORTED))
        found = together(
            [
                draw_milestones(rng, accounts, logged, starts=starts),
                draw_activity(rng, accounts, logged, silence=silence),
            ]
        )
        moved = histories.account + first
        yield _Group(
            accounts,
            Histories(moved, *(getattr(histories, field.name) for field in fields(Histories)[1:])),
            _dressed(rng, accounts, found, first=first),
        )


def _dressed(rng: np.random.Generator, accounts: Accounts, found: Rows, *, first: int) -> Rows:
    """`found` with channels, with accounts counted from `first`, and no contact where a system acts."""
    channel = choose(rng, channel_weights(), accounts.persona[found.account] * len(NAMES) + found.event)
    is_system = INITIATOR_OF[found.event] == INITIATORS.index("system")
    columns = {field.name: getattr(found, field.name) for field in fields(Rows)}
    columns["channel"] = channel.astype(np.int8)
    columns["contact"] = np.where(is_system, np.int8(NONE), found.contact)
    columns["account"] = (found.account + first).astype(np.int32)
    return Rows(**columns)


def _in_order(rng: np.random.Generator, parts: list[Rows]) -> tuple[Rows, np.ndarray, np.ndarray]:
    """All rows and the dirt in order of time; what is wrong with each; the number of each event, shared by
    duplicates."""
    good = together(parts)
    copied, kinds = draw_dirt(rng, len(good))
    source = np.concatenate([np.arange(len(good)), copied])
    wrong = np.concatenate([np.full(len(good), CLEAN, dtype=np.int8), kinds])
    order = np.argsort(good.time[source], kind="stable")
    source, wrong = source[order], wrong[order]
    is_new = wrong != DUPLICATE
    numbers = np.cumsum(is_new)
    number_of = np.empty(len(good), dtype=np.int64)
    number_of[source[wrong == CLEAN]] = numbers[wrong == CLEAN]
    return good.take(source), wrong, np.where(is_new, numbers, number_of[source])


def _joined(kind: type, parts: list) -> Accounts | Histories:
    return kind(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(kind)))


def _check(number: int, *, name: str, least: int) -> None:
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < least:
        raise JourneyLabError(f"“{name}” is “{number}”. Give a whole number of at least {least}.")
