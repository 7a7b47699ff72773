"""Texts: what have customers written, in their own words, and may it be quoted?"""

import re
from collections.abc import Mapping

import ibis
import numpy as np
import pandas as pd

from journeylab.events.log import EventLog
from journeylab.events.queries.roles import before

CONSENT = "consent"
MAX_WRITERS, MAX_TEXTS = 2_000, 20
_YES = ("true", "t", "yes", "y", "1", "1.0")
COLUMNS = ("customer_id", "time", "text", "channel")


def has_texts(log: EventLog) -> bool:
    """Whether the log has a column for texts."""
    return "text" in log.events.columns


def find_texts(log: EventLog, groups: pd.Series, *, seed: int, until: pd.Series | None = None) -> pd.DataFrame:
    """The texts of the customers in `groups` (Series customer_id -> group), one row each, by customer and time.

    Columns `customer_id`, `group`, `time` (UTC), `text`, `channel` (None where the log has none). Only what customers
    wrote: rows that the company, a third party or a system initiated are left out, and so are texts that are empty.

    Where the events, the customers or both have a column `consent`, only texts with a yes in each of them are here
    (true, yes, 1; nothing is no).
    until: Series customer_id -> time; only texts before it. Of more than 2,000 writers in a group so many are drawn by
    `seed`, and of more than 20 texts of one of them the first 20 are taken: a quote needs no more.
    """
    if not has_texts(log) or groups.empty:
        return _typed(pd.DataFrame(columns=[*COLUMNS, "group"]))
    rows = written_by_customers(log)
    if until is not None:
        rows = before(rows, until)
    found = first_texts(log, rows.mutate(place=ibis.literal(0)), {0: groups}, seed=seed)
    return _typed(found)


def written_by_customers(log: EventLog) -> ibis.Table:
    """The events with a text that a customer wrote and, where they tell of consent, may be shown: `COLUMNS`, `seq`."""
    events = log.events
    rows = events.filter((events.text.strip() != "").fill_null(False))
    if "initiator" in rows.columns:
        rows = rows.filter((rows.initiator == "customer").fill_null(True))
    if CONSENT in rows.columns:
        rows = rows.filter(rows[CONSENT].cast("string").lower().isin(_YES).fill_null(False))
    if "channel" not in rows.columns:
        rows = rows.mutate(channel=ibis.null("string"))
    return rows.select(*COLUMNS, "seq")


def first_texts(log: EventLog, rows: ibis.Table, groups: Mapping[int, pd.Series], *, seed: int) -> pd.DataFrame:
    """The texts among `rows` (of `written_by_customers`, with a number `place`) of the customers in the groups of each
    place, as many of them and of their texts as `find_texts` says, for each place anew.

    Columns: `place`, `customer_id`, `group`, `time`, `text`, `channel`, by place, customer and time.
    """
    writers = rows.select("place", "customer_id").distinct().to_pyarrow().to_pandas()
    writers = writers[_consenting(log, writers["customer_id"])]
    of_place = dict(tuple(writers.groupby("place")["customer_id"]))
    asked = []
    for place, of_customer in groups.items():
        wrote = of_customer[of_customer.index.isin(of_place.get(place, ()))]
        drawn = np.array(_drawn(wrote, seed), dtype=object)
        own = {"place": np.full(len(drawn), place, np.int64), "customer_id": drawn}
        asked.append(pd.DataFrame({**own, "group": wrote.loc[drawn].to_numpy(object)}))
    asked = pd.concat(asked, ignore_index=True)
    chosen = ibis.memtable(asked[["place", "customer_id"]], schema={"place": "int64", "customer_id": "string"})
    rows = rows.semi_join(chosen, ["place", "customer_id"])
    order = ibis.window(group_by=["place", "customer_id"], order_by=["time", "seq", "text", "channel"])
    rows = rows.mutate(number=ibis.row_number().over(order)).filter(lambda table: table.number < MAX_TEXTS)
    found = rows.order_by("place", "customer_id", "number").select("place", *COLUMNS).to_pyarrow().to_pandas()
    return found.merge(asked, how="left", on=["place", "customer_id"])


def _consenting(log: EventLog, writers: pd.Series) -> np.ndarray:
    if CONSENT not in log.customers.columns:
        return np.ones(len(writers), dtype=bool)
    said = log.customers[CONSENT].map(lambda value: str(value).strip().lower() in _YES)
    return said.reindex(writers).fillna(False).to_numpy(dtype=bool)


def _drawn(groups: pd.Series, seed: int) -> list[str]:
    drawn = []
    for number, (_, members) in enumerate(groups.groupby(groups, sort=True)):
        customers = np.sort(members.index.to_numpy(dtype=object))
        if len(customers) > MAX_WRITERS:
            customers = np.random.default_rng([seed, number]).choice(customers, MAX_WRITERS, replace=False)
        drawn += list(customers)
    return sorted(drawn)


def _typed(found: pd.DataFrame) -> pd.DataFrame:
    kinds = {"customer_id": object, "group": object, "text": object, "channel": object}
    time = pd.to_datetime(found["time"], utc=True).dt.as_unit("us")
    return found.astype(kinds).assign(time=time)[["customer_id", "group", "time", "text", "channel"]]


def find_names(customers: pd.DataFrame) -> frozenset[str]:
    """Names that the customers' table holds: what no quote may show.

    They are the values of columns called for it, such as `name`, `last_name`, `contact` or `company`; of persons the
    single words too, of companies, whose names are made of common words, the whole name only.
    """
    found: set[str] = set()
    for column in customers.columns:
        if named := _NAMED.search(str(column)):
            values = {" ".join(str(value).split()) for value in customers[column].dropna().unique()}
            found |= values
            if not _COMPANY.search(named[0]):
                found |= {word for value in values for word in value.split()}
    return frozenset(found)


_COMPANY = re.compile(r"company|organi[sz]ation|account|firm|employer", re.IGNORECASE)
_NAMED = re.compile(
    r"(?:^|_)(?:(?:account|company|organi[sz]ation|firm|employer)(?:_?name)?$|(?:first|last|full|user|sur|nick|family|given)?_?names?$"
    r"|contact$|person$|owner$)",
    re.IGNORECASE,
)
