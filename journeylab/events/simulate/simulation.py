"""Simulation: a made-up log, its journey, and the truth behind it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from journeylab.events.log import INITIATORS, EventLog
from journeylab.events.reading import read_events
from journeylab.events.simulate.accounts import Accounts, draw_accounts, draw_attributes
from journeylab.events.simulate.activity import draw_activity
from journeylab.events.simulate.arrays import choose
from journeylab.events.simulate.calendar import EXPORTED, WINDOW
from journeylab.events.simulate.crm import draw_crm
from journeylab.events.simulate.happenings import INITIATOR_OF, NAMES, channel_weights
from journeylab.events.simulate.histories import Histories, draw_histories, log_starts
from journeylab.events.simulate.milestones import draw_milestones
from journeylab.events.simulate.planted import PERSONAS, planted_table, silence_days
from journeylab.events.simulate.rows import NONE, Rows, draw_bots, draw_lines, n_bots
from journeylab.events.simulate.table import Identities, batches
from journeylab.events.simulate.truth import Truth, spells_table

JOURNEY, STUDY = Path(__file__).with_name("journey.yml"), Path(__file__).with_name("study.yml")
EVENTS_PATH, CUSTOMERS_PATH = Path("data/raw/events.parquet"), Path("data/raw/customers.csv")
CRM_PATH = Path("data/raw/crm.csv")
COLUMNS = {"customer_id": "customer_id", "time": "time", "event": "event"}

# Accounts are drawn in groups of this many, each with its own stream of random numbers: memory follows the group, not
# the log.
ACCOUNTS_PER_GROUP = 10_000


@dataclass(frozen=True, repr=False)
class Simulation:
    """A simulated log of business accounts over two years.

    Attributes
    ----------
    raw : Arrow table
        The lines of an export, in order of time; `time` is text (ISO 8601, offset Z). Some lines are of no use: without
        customer or event, with an unreadable time, twice, or after the window.
    customers : DataFrame
        Index customer_id: plan, segment, industry, country, seats, as known at the start. Bots have none of it.
    crm : DataFrame
        What the sales team entered into the CRM: `customer_id`, `time`, `bucket`; late, sometimes early, with gaps.
    journey : Journey
        The journey that the accounts travel, as journey.yml declares it.
    truth : Truth
        What was planted and what happened; none of it is in `raw` or `customers`.
    """

    raw: pa.Table
    customers: pd.DataFrame
    crm: pd.DataFrame
    journey: Journey
    truth: Truth

    @cached_property
    def log(self) -> EventLog:
        """The log that `read_events` makes of `raw`; lines of no use are in its quarantine."""
        return read_events(self.raw, columns=COLUMNS, window=(WINDOW.start, WINDOW.end), customers=self.customers)

    def sentence(self) -> str:
        """How many rows, accounts and bots were made up, and for which window."""
        n_accounts = len(self.truth.personas)
        return (
            f"{counted(len(self.raw), 'row')} of {counted(n_accounts, 'simulated account')} and "
            f"{counted(len(self.customers) - n_accounts, 'bot')}; window {self.truth.window}."
        )

    def __repr__(self) -> str:
        return f"Simulation: {self.sentence()}"

    def _repr_html_(self) -> str:
        note = "None of the customers is real. What was planted is in `truth`, not in the log."
        return html.card("Simulation", html.paragraph(f"{self.sentence()} {note}"))

    def write(self, folder: str | Path) -> Path:
        """Write a study to `folder`; returns the folder.

        It holds journey.yml, study.yml, and in data/raw events.parquet, customers.csv and crm.csv. Each file is
        replaced in one step. The same simulation gives the same bytes with the same version of Arrow.
        """
        folder = Path(folder)
        for source in (JOURNEY, STUDY):
            write_text(folder / source.name, source.read_text(encoding="utf-8"))
        write_text(folder / CUSTOMERS_PATH, self.customers.to_csv(lineterminator="\n"))
        write_text(folder / CRM_PATH, self.crm.to_csv(index=False, lineterminator="\n"))
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

    Five planted personas of unequal size differ in behaviour, in how fast they leave each stage, and by which exit.
    About one account in six entered before the window. Accounts that work out of office hours wait longer for answers
    and are lost 1.35 times as fast.

    Parameters
    ----------
    n_customers : int
        How many accounts, at least 1. One bot per 250 accounts comes on top, with its own customer_id.
    seed : int
        At least 0. The same arguments give the same log.

    Returns
    -------
    Simulation
        The log, its journey, and the truth behind it.

    Raises
    ------
    JourneyLabError
        Unless both are whole numbers of that size.
    """
    _check(n_customers, name="n_customers", minimum=1)
    _check(seed, name="seed", minimum=0)
    journey = read_journey(JOURNEY)
    groups = list(_groups(n_customers, seed=seed, silence=silence_days(journey)))
    rng = np.random.default_rng([seed, len(groups)])
    accounts = Accounts.joined([group.accounts for group in groups])
    histories = Histories.joined([group.histories for group in groups])
    lines = draw_lines(rng, Rows.joined([*(group.rows for group in groups), draw_bots(rng, n_customers)]))
    identities = Identities(n_customers + n_bots(n_customers), accounts.n_contacts)
    raw = pa.Table.from_batches(batches(lines, accounts=accounts, identities=identities))
    names = np.array(identities.customers, dtype=object)
    index = pd.Index(names[:n_customers], name="customer_id")
    attributes = draw_attributes(rng, accounts.persona).set_axis(index, axis=0)
    truth = Truth(
        personas=pd.Series(np.array(PERSONAS, dtype=object)[accounts.persona], index=index, name="persona"),
        spells=spells_table(histories, log_starts(histories, n_customers), names),
        planted=planted_table(journey),
        window=WINDOW,
    )
    # A stream of its own: what is drawn for the CRM changes nothing else.
    crm = draw_crm(np.random.default_rng([seed, len(groups), 1]), truth.spells, journey, WINDOW)
    return Simulation(raw, attributes.reindex(pd.Index(names, name="customer_id")), crm, journey, truth)


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
        logged = histories[(histories.entered >= starts[histories.account]) & (histories.entered < EXPORTED)]
        milestones = draw_milestones(rng, accounts, logged, starts=starts)
        rows = Rows.joined([milestones, draw_activity(rng, accounts, logged, silence=silence)])
        moved = replace(histories, account=histories.account + first)
        yield _Group(accounts, moved, _with_channels(rng, accounts, rows, first=first))


def _with_channels(rng: np.random.Generator, accounts: Accounts, rows: Rows, *, first: int) -> Rows:
    """`rows` with channels, with accounts counted from `first`, and no contact where a system acts."""
    channel = choose(rng, channel_weights(), accounts.persona[rows.account] * len(NAMES) + rows.event)
    is_system = INITIATOR_OF[rows.event] == INITIATORS.index("system")
    return replace(
        rows,
        account=(rows.account + first).astype(np.int32),
        contact=np.where(is_system, np.int8(NONE), rows.contact),
        channel=channel.astype(np.int8),
    )


def _check(number: int, *, name: str, minimum: int) -> None:
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < minimum:
        raise JourneyLabError(f"“{name}” is “{number}”. Give a whole number of at least {minimum}.")
