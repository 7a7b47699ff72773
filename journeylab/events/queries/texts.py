"""Texts: what have customers written, in their own words, and may it be quoted?"""

from collections.abc import Mapping

import ibis
import numpy as np
import pandas as pd

from journeylab.events.journey.conditions import Condition, holds
from journeylab.events.log import EventLog
from journeylab.events.queries.people import before
from journeylab.events.spells.signals import CUSTOMER

CONSENT = "consent"
MAX_WRITERS, MAX_TEXTS = 2_000, 20
_YES = ("true", "t", "yes", "y", "1", "1.0")
COLUMNS = ("customer_id", "time", "text", "channel", "score")


def has_texts(log: EventLog) -> bool:
    """Whether the log has a column for texts."""
    return "text" in log.events.columns


def find_texts(log: EventLog, groups: pd.Series, *, seed: int, until: pd.Series | None = None) -> pd.DataFrame:
    """The texts of the customers in `groups` (Series customer_id -> group), one row each, by customer and time.

    Columns `customer_id`, `group`, `time` (UTC), `text`, `channel` (None where the log has none). Only what customers
    wrote: rows that the company, a third party or a system initiated are left out, and so are texts that are empty.

    Where the events, the customers or both have a column `consent`, only texts with a yes in each of them are here
    (true, yes, 1; an empty cell is a no).
    until: Series customer_id -> time; only texts before it. Of more than 2,000 writers in a group so many are drawn at
    random by `seed`, and of more than 20 texts of one of them the first 20 are taken: a quote needs no more.
    """
    columns = ["customer_id", "group", "time", "text", "channel"]
    if not has_texts(log) or groups.empty:
        return typed(pd.DataFrame(columns=columns))
    rows = written_by_customers(log)
    if until is not None:
        rows = before(rows, until)
    return typed(first_texts(log, rows.mutate(place=ibis.literal(0)), {0: groups}, seed=seed)[columns])


def written_by_customers(log: EventLog, *, asked: Condition | None = None) -> ibis.Table:
    """The events with a text by a customer, with consent where the events record it: `COLUMNS`, `seq`. What answers the
    question `asked` is a customer's, whoever initiated the event."""
    rows = by_customers(log.events, asked)
    rows = rows.filter((rows.text.strip() != "").fill_null(False))
    if CONSENT in rows.columns:
        rows = rows.filter(rows[CONSENT].cast("string").lower().isin(_YES).fill_null(False))
    if "channel" not in rows.columns:
        rows = rows.mutate(channel=ibis.null("string"))
    has_scores = "score" in rows.columns and rows.score.type().is_numeric()
    rows = rows.mutate(score=rows.score.cast("float64") if has_scores else ibis.null("float64"))
    return rows.select(*COLUMNS, "seq")


def by_customers(events: ibis.Table, asked: Condition | None = None) -> ibis.Table:
    """The `events` that customers initiated, or for which no initiator is known, and those that meet `asked`."""
    if "initiator" not in events.columns:
        return events
    is_own = (events.initiator == CUSTOMER).fill_null(True)
    return events.filter(is_own | holds(events, asked, owner="the question asked") if asked else is_own)


def first_texts(log: EventLog, rows: ibis.Table, groups: Mapping[int, pd.Series], *, seed: int) -> pd.DataFrame:
    """The texts among `rows` (of `written_by_customers`, with a number `place`) of the customers in the groups of each
    place, as many of them and of their texts as `find_texts` says, for each place anew.

    Columns: `place`, `customer_id`, `group`, `time`, `text`, `channel`, `score`, by place, customer and time.
    """
    writers = rows.select("place", "customer_id").distinct().to_pyarrow().to_pandas()
    writers = writers[_consenting(log, writers["customer_id"])]
    writers_of = dict(tuple(writers.groupby("place")["customer_id"]))
    chosen = []
    for place, group in groups.items():
        ids = _drawn(group[group.index.isin(writers_of.get(place, ()))], seed)
        chosen.append(pd.DataFrame({"place": place, "customer_id": ids, "group": group.loc[ids].to_numpy(object)}))
    chosen = pd.concat(chosen, ignore_index=True).astype({"place": "int64", "customer_id": object})
    keys = ibis.memtable(chosen[["place", "customer_id"]], schema={"place": "int64", "customer_id": "string"})
    rows = rows.semi_join(keys, ["place", "customer_id"])
    order = ibis.window(group_by=["place", "customer_id"], order_by=["time", "seq", "text", "channel"])
    rows = rows.mutate(number=ibis.row_number().over(order)).filter(lambda table: table.number < MAX_TEXTS)
    texts = rows.order_by("place", "customer_id", "number").select("place", *COLUMNS).to_pyarrow().to_pandas()
    return texts.merge(chosen, how="left", on=["place", "customer_id"])


def _consenting(log: EventLog, writers: pd.Series) -> np.ndarray:
    if CONSENT not in log.customers.columns:
        return np.ones(len(writers), dtype=bool)
    consent = log.customers[CONSENT].map(lambda value: str(value).strip().lower() in _YES)
    return consent.reindex(writers).fillna(False).to_numpy(dtype=bool)


def _drawn(groups: pd.Series, seed: int) -> list[str]:
    """The customers of each group, at most `MAX_WRITERS` of them, drawn by `seed`; sorted."""
    ids = []
    for number, (_, members) in enumerate(groups.groupby(groups, sort=True)):
        customers = np.sort(members.index.to_numpy(dtype=object))
        if len(customers) > MAX_WRITERS:
            customers = np.random.default_rng([seed, number]).choice(customers, MAX_WRITERS, replace=False)
        ids += list(customers)
    return sorted(ids)


def typed(rows: pd.DataFrame) -> pd.DataFrame:
    """`rows` with UTC times in microseconds and text as objects, also where there is no row."""
    time = pd.to_datetime(rows["time"], utc=True).dt.as_unit("us")
    kinds = {name: object for name in ("customer_id", "group", "stage", "text", "channel") if name in rows}
    return rows.astype(kinds).assign(time=time)
