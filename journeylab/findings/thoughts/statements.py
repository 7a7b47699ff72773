"""Statements: what customers wrote while in a stage, redacted before anything else is done with it; its language."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from journeylab.base.language import language_of
from journeylab.base.redaction import LABELS, Redactor
from journeylab.events.log import EventLog
from journeylab.events.queries.answers import Asked, find_statements
from journeylab.events.queries.people import find_names
from journeylab.events.queries.texts import has_texts
from journeylab.findings.grouping import WatchedVisits

MAX_TEXTS = 10_000
UNKNOWN = "not told"
MARK = re.compile(rf"\[(?:{'|'.join(LABELS)})\]")


@dataclass(frozen=True, eq=False)
class Statements:
    """rows: DataFrame `customer_id`, `group`, `stage`, `time`, `text` (redacted), `channel`, `score`, `language` (None
    where it cannot be told), by stage, customer and time. redactor: knows the names that the customers' table holds.

    lacking: why there is none, or None.
    """

    rows: pd.DataFrame
    redactor: Redactor
    lacking: str | None

    @classmethod
    def of(
        cls, log: EventLog, watched: WatchedVisits, *, seed: int, names: Iterable[str] = (), asked: Asked | None = None
    ) -> "Statements":
        """The statements of customers who were watched in a stage; `names`: more words to redact as names; `asked`: see
        `find_statements`.

        Of more than 10,000 texts so many are drawn at random, by `seed`.
        """
        redactor = Redactor.of({*find_names(log.customers), *names})
        rows = find_statements(log, watched.visits, seed=seed, asked=asked)
        if len(rows) > MAX_TEXTS:
            drawn = np.random.default_rng(seed).choice(len(rows), MAX_TEXTS, replace=False)
            rows = rows.iloc[np.sort(drawn)].reset_index(drop=True)
        texts = redactor.redact_each(rows["text"], rows["customer_id"])
        rows = rows.assign(text=pd.Series(texts, dtype=object), group=rows["group"].where(rows["group"].notna(), ""))
        languages = pd.Series([language_of(MARK.sub(" ", text)) for text in texts], index=rows.index, dtype=object)
        return cls(rows.assign(language=languages), redactor, _lacking(log, watched, rows))

    @property
    def language(self) -> str | None:
        """The one most are written in; None where it can be told of none."""
        counts = self.rows["language"].value_counts()
        return None if counts.empty else min(counts.index[counts == counts.max()])

    def languages(self) -> pd.DataFrame:
        """The commonest first: `language`, `n` texts, `customers`, `estimate`: the share of all texts."""
        named = self.rows.assign(language=self.rows["language"].fillna(UNKNOWN)).groupby("language")["customer_id"]
        counts = named.agg(n="size", customers="nunique").reset_index()
        counts = counts.sort_values(["n", "language"], ascending=[False, True], kind="stable", ignore_index=True)
        return counts.assign(estimate=counts["n"] / max(len(self.rows), 1)).astype({"language": object})


def _lacking(log: EventLog, watched: WatchedVisits, rows: pd.DataFrame) -> str | None:
    if watched.visits.empty:
        return watched.why_nobody()
    if not has_texts(log):
        return "The log has no texts, so nothing is known of what customers say. Name their column “text” when reading."
    if rows.empty:
        return "No customer wrote anything that may be shown while in a stage, so nothing is known of what they say."
    return None
