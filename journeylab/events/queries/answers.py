"""Answers: what did customers answer and write, and in which stage were they when they did?

An answer belongs to the stage the customer was in at that time: from entering it, that instant included, until leaving
it, not included, for the event that ends a visit belongs to the next one. Only what comes with a loss belongs to the
stage that was lost, for there is no next one. The engine joins; only answers, and a bounded number of texts, leave it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import numpy as np
import pandas as pd

from journeylab.base.documents import check_document, read_document
from journeylab.base.errors import EstimateError
from journeylab.events.journey import SILENT
from journeylab.events.journey.conditions import Condition, holds
from journeylab.events.log import EventLog
from journeylab.events.queries.event_windows import is_within, spans_table
from journeylab.events.queries.texts import by_customers, first_texts, has_texts, typed, written_by_customers
from journeylab.events.spells.signals import CUSTOMER

Asked = str | Sequence[str] | Mapping[str, Any]
_INSTANT = pd.Timedelta(microseconds=1)
_STATEMENTS = ["customer_id", "group", "stage", "time", "text", "channel", "score"]


def has_scores(log: EventLog) -> bool:
    """Whether the log has a column for scores that holds numbers."""
    return "score" in log.events.columns and log.events.score.type().is_numeric()


def find_scores(log: EventLog, visits: pd.DataFrame, *, asked: Asked | None = None) -> pd.DataFrame:
    """Every score that customers gave within the window, by customer and time: `customer_id`, `time` (UTC), `score`,
    `spell` and `stage` (None and missing where the customer was in none of `visits`, rows of the spells' table).

    asked: which events carry the score: a name, a list of names, or a condition as in journey.yml. Their scores are
    the customers' own, whoever initiated the event: a survey comes with a ticket that the company closes. If not given,
    all events that have a score carry it, but those that the company, a third party or a system initiated: a lead score
    that a CRM computes is not what a customer feels. A customer who answers twice has two rows.

    Raises EstimateError where `asked` is no condition, JourneyError for a column in it that the log lacks.
    """
    if not has_scores(log):
        return _with_stages(pd.DataFrame(columns=["customer_id", "time", "score", "spell"]), visits)
    events = _scored(log)
    if asked is None:
        events = by_customers(events)
    else:
        events = events.filter(holds(events, as_condition(asked), owner="the question asked"))
    answers = events.select("customer_id", "time", "seq", score=events.score.cast("double"))
    spans = _spans(visits, spell=visits["spell"].to_numpy(np.int64))
    scores = answers.left_join(spans, is_within(answers, spans)).order_by("customer_id", "time", "seq", "score")
    return _with_stages(scores.select("customer_id", "time", "score", "spell").to_pyarrow().to_pandas(), visits)


def scores_of_others(log: EventLog) -> pd.DataFrame:
    """The events within the window whose scores `find_scores` leaves out unless they are `asked` for, because a
    customer did not initiate them: columns `event` and `scores`, the most first."""
    if not has_scores(log) or "initiator" not in log.events.columns:
        return pd.DataFrame({"event": pd.Series(dtype=object), "scores": pd.Series(dtype="int64")})
    events = _scored(log)
    others = events.filter((events.initiator != CUSTOMER).fill_null(False))
    counts = others.group_by("event").aggregate(scores=others.count())
    return counts.order_by([ibis.desc("scores"), "event"]).to_pyarrow().to_pandas()


def _scored(log: EventLog) -> ibis.Table:
    """The events within the window that have a score."""
    events = log.events.drop_null("score")
    events = events.filter(events.time >= log.window.start)
    return events.filter(~events.score.isnan()) if events.score.type().is_floating() else events


def find_statements(log: EventLog, visits: pd.DataFrame, *, seed: int, asked: Asked | None = None) -> pd.DataFrame:
    """The texts that customers wrote during `visits` (rows of the spells' table, watched from `observed_from` on), one
    row each, by stage, customer and time: `customer_id`, `group` (None without groups), `stage`, `time`, `text`,
    `channel`, `score` (given with the text; missing where none was). Texts on the events `asked` are the customers'
    own, whoever initiated the event, as in `find_scores`.

    `journeylab.events.queries.texts` says whose texts, with whose consent, and how many at most of each stage.
    """
    if visits.empty or not has_texts(log):
        return typed(pd.DataFrame(columns=_STATEMENTS))
    # In the order of the journey, where the column of stages has it.
    names = None if hasattr(visits["stage"], "cat") else visits["stage"].unique()
    stages = pd.Categorical(visits["stage"], categories=names)
    labels = visits["group"].astype(object) if "group" in visits else pd.Series("", index=visits.index, dtype=object)
    here = pd.DataFrame({"place": stages.codes, "customer_id": visits["customer_id"].astype(object), "group": labels})
    first = here.drop_duplicates(["place", "customer_id"]).set_index("customer_id")
    groups = {int(place): of_place["group"] for place, of_place in first.groupby("place")}
    spans = _spans(visits, place=stages.codes.astype(np.int64))
    written = written_by_customers(log, asked=None if asked is None else as_condition(asked))
    during = written.inner_join(spans, is_within(written, spans)).select(*written.columns, "place")
    texts = first_texts(log, during, groups, seed=seed)
    texts = texts.assign(stage=stages.categories.to_numpy(object)[texts["place"]])
    return typed((texts if "group" in visits else texts.assign(group=None))[_STATEMENTS])


def as_condition(when: Asked) -> Condition:
    """The condition that `when` is: the name of an event, a list of names, or a mapping as in journey.yml.

    Raises EstimateError where it is none.
    """
    document = read_document(when if isinstance(when, Mapping) else {"event": when}, error=EstimateError)
    return check_document(document, Condition, error=EstimateError)


def _spans(visits: pd.DataFrame, **columns: np.ndarray) -> ibis.Table:
    """From when until when, not included, an answer belongs to each visit."""
    is_lost = (visits["outcome"] == "lost") & (visits["to"] != SILENT)
    following = visits.groupby("customer_id", observed=True, sort=False)["entered"].shift(-1)
    takes_last = (is_lost & ~(following == visits["left"])).to_numpy(dtype=bool)
    until = visits["left"].where(~takes_last, visits["left"] + _INSTANT)
    times = (time.dt.as_unit("us") for time in (visits["observed_from"], until))
    return spans_table(visits["customer_id"].to_numpy(object), *times, **columns)


def _with_stages(scores: pd.DataFrame, visits: pd.DataFrame) -> pd.DataFrame:
    scores = typed(scores.astype({"score": "float64", "spell": "Int64"}))
    stages = visits[["customer_id", "spell", "stage"]].astype(
        {"customer_id": object, "spell": "Int64", "stage": object}
    )
    scores = scores.merge(stages, on=["customer_id", "spell"], how="left")
    return scores.assign(stage=scores["stage"].astype(object).where(scores["stage"].notna(), None))
