"""Voices: what did customers answer and write, and in which stage were they when they did?

A voice belongs to the stage the customer was in at that time: from entering it, that instant included, until leaving
it, not included, for the event that ends a visit belongs to the next one. Only what comes with a loss belongs to the
stage that was lost, for there is no next one. The engine joins; only answers, and a bounded number of texts, leave it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from journeylab.base.documents import check_document, read_document
from journeylab.base.errors import EstimateError
from journeylab.events.journey import SILENT
from journeylab.events.journey.conditions import Condition, holds
from journeylab.events.log import TIME, EventLog
from journeylab.events.queries.texts import first_texts, has_texts, written_by_customers

Asked = str | Sequence[str] | Mapping[str, Any]
_INSTANT = pd.Timedelta(microseconds=1)
_STATEMENTS = ("customer_id", "group", "stage", "time", "text", "channel")


def has_scores(log: EventLog) -> bool:
    """Whether the log has a column for scores that holds numbers."""
    return "score" in log.events.columns and log.events.score.type().is_numeric()


def find_scores(log: EventLog, visits: pd.DataFrame, *, asked: Asked | None = None) -> pd.DataFrame:
    """Every score that customers gave within the window, by customer and time: `customer_id`, `time` (UTC), `score`,
    `spell` and `stage` (None and missing where the customer was in none of `visits`, rows of the spells' table).

    asked: which events carry the score: a name, a list of names, or a condition as in journey.yml; all that have a
    score if not given. Rows that the company, a third party or a system initiated are left out: a lead score that a CRM
    computes is nobody's feeling. A customer who answers twice has two rows.

    Raises EstimateError where `asked` is no condition, JourneyError for a column in it that the log lacks.
    """
    if not has_scores(log):
        return _typed_scores(pd.DataFrame(columns=["customer_id", "time", "score", "spell"]), visits)
    events = log.events.drop_null("score")
    is_score = events.time >= log.window.start
    if events.score.type().is_floating():
        is_score &= ~events.score.isnan()
    if "initiator" in events.columns:
        is_score &= (events.initiator == "customer").fill_null(True)
    if asked is not None:
        is_score &= holds(events, _condition(asked), owner="the question asked")
    answers = events.filter(is_score).select("customer_id", "time", "seq", score=events.score.cast("double"))
    stays = _joinable(_stays(visits))
    within = _within(answers, stays)
    found = answers.left_join(stays, within).order_by("customer_id", "time", "seq", "score")
    return _typed_scores(found.select("customer_id", "time", "score", "spell").to_pyarrow().to_pandas(), visits)


def find_statements(log: EventLog, visits: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """The texts that customers wrote during `visits` (rows of the spells' table, watched from `observed_from` on), one
    row each, by stage, customer and time: `customer_id`, `group` (None without groups), `stage`, `time`, `text`,
    `channel`.

    Whose texts, with whose consent, and how many at most of each stage is told by `journeylab.events.queries.texts`.
    """
    if visits.empty or not has_texts(log):
        return _typed_statements(pd.DataFrame(columns=list(_STATEMENTS)))
    stages = _in_order(visits["stage"])
    labels = visits["group"].astype(object) if "group" in visits else pd.Series("", index=visits.index, dtype=object)
    here = pd.DataFrame({"place": stages.codes, "customer_id": visits["customer_id"].astype(object), "group": labels})
    first = here.drop_duplicates(["place", "customer_id"]).set_index("customer_id")
    groups = {int(place): of_place["group"] for place, of_place in first.groupby("place")}
    stays = _joinable(_stays(visits).assign(place=stages.codes))
    written = written_by_customers(log)
    during = written.inner_join(stays, _within(written, stays)).select(*written.columns, "place")
    found = first_texts(log, during, groups, seed=seed)
    found = found.assign(stage=stages.categories.to_numpy(object)[found["place"]])
    return _typed_statements(found if "group" in visits else found.assign(group=None))


def _condition(asked: Asked) -> Condition:
    document = read_document(asked if isinstance(asked, Mapping) else {"event": asked}, error=EstimateError)
    return check_document(document, Condition, error=EstimateError)


def _stays(visits: pd.DataFrame) -> pd.DataFrame:
    """From when until when, not included, each visit is its customer's place: `stayed` (who), `spell`, `since`,
    `until`; in the order of `visits`."""
    is_lost = (visits["outcome"] == "lost") & (visits["to"] != SILENT)
    following = visits.groupby("customer_id", observed=True, sort=False)["entered"].shift(-1)
    takes_last = (is_lost & ~(following == visits["left"])).to_numpy(dtype=bool)
    return pd.DataFrame(
        {
            "stayed": visits["customer_id"].to_numpy(object),
            "spell": visits["spell"].to_numpy(np.int64),
            "since": visits["observed_from"].dt.as_unit("us").array,
            "until": visits["left"].where(~takes_last, visits["left"] + _INSTANT).dt.as_unit("us").array,
        }
    )


def _joinable(stays: pd.DataFrame) -> ibis.Table:
    kinds = {"stayed": pa.string(), "since": TIME, "until": TIME}
    cast = {name: pa.array(stays[name]).cast(kinds.get(name, pa.int64())) for name in stays}
    return ibis.memtable(pa.table(cast))


def _within(events: ibis.Table, stays: ibis.Table) -> list:
    """What says that an event lies within a stay of its customer."""
    return [events.customer_id == stays.stayed, events.time >= stays.since, events.time < stays.until]


def _in_order(stages: pd.Series) -> pd.Categorical:
    """`stages` in the order of the journey, where they know it."""
    return pd.Categorical(stages, categories=None if hasattr(stages, "cat") else stages.unique())


def _typed_statements(found: pd.DataFrame) -> pd.DataFrame:
    time = pd.to_datetime(found["time"], utc=True).dt.as_unit("us")
    return found[list(_STATEMENTS)].astype(dict.fromkeys(_STATEMENTS, object)).assign(time=time)


def _typed_scores(found: pd.DataFrame, visits: pd.DataFrame) -> pd.DataFrame:
    places = visits[["customer_id", "spell", "stage"]].astype({"customer_id": object, "stage": object})
    kinds = {"customer_id": object, "score": "float64", "spell": "Int64"}
    time = pd.to_datetime(found["time"], utc=True).dt.as_unit("us")
    typed = found.astype(kinds).assign(time=time)
    placed = typed.merge(places.astype({"spell": "Int64"}), on=["customer_id", "spell"], how="left")
    return placed.assign(stage=placed["stage"].astype(object).where(placed["stage"].notna(), None))
