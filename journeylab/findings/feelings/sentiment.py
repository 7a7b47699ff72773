"""Sentiment: how do texts sound to a machine? A makeshift where nobody was asked; never mixed with asked scores."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.base.errors import EstimateError
from journeylab.base.ordering import largest, smallest
from journeylab.base.words import counted, with_sign
from journeylab.estimators.means import clustered_mean
from journeylab.events.log import EventLog
from journeylab.events.spells import Spells
from journeylab.findings.exits import check_confidence
from journeylab.findings.feelings.statements import Statements
from journeylab.findings.finding import Finding, Grouping, tidy

try:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
except ImportError:  # the extra [text] is not installed
    SentimentIntensityAnalyzer = None

LANGUAGE, BOUNDS = "English", (-1.0, 1.0)
FEWEST = 10
_CAUTION = (
    "Read by a machine (VADER, English only), which takes many complaints for neutral or better: "
    "these are no answers that customers gave."
)
COLUMNS = {
    **dict.fromkeys(("group", "stage"), object),
    **dict.fromkeys(("estimate", "lower", "upper"), float),
    **dict.fromkeys(("n", "customers", "left_out"), int),
    "note": object,
}


@dataclass(frozen=True)
class Sentiment(Finding):
    """The tone of texts by stage, as a machine reads it.

    table: a row per (group and) stage: mean tone from -1 to 1 of `n` texts in English by `customers`, clustered by
        customer; `left_out`: texts in another language, or too short to tell. `note` says why an estimate is missing.
    by: what the groups are, or None. stages: of the journey. confidence: of the intervals.
    """

    by: str | None
    stages: tuple[str, ...] = field(repr=False)
    confidence: float

    def sentence(self) -> str:
        """Where the tone is best and worst, with interval and base, and what that is worth."""
        if self.lacking:
            return self.lacking
        n, left_out = (int(self.table[column].sum()) for column in ("n", "left_out"))
        base = f"{counted(n, 'text')} in {LANGUAGE} ({counted(left_out, 'other')} left out)"
        known = self.table.dropna(subset=["estimate"])
        if known.empty:
            return f"In no stage did enough customers write to tell the tone of their texts: {base}. {_CAUTION}"
        ends = [known.iloc[end(known["estimate"])] for end in (largest, smallest)]
        high, low = (f"{_place(row, self.by)} ({self._mean(row)})" for row in ends)
        told = f"highest in {high}" + (f" and lowest in {low}" if len(known) > 1 else "")
        return f"The machine-read tone of texts, from -1 to 1, is {told}; {base}. {_CAUTION}"

    def by_stage(self) -> pd.DataFrame:
        """The lane `tone of texts (machine-read)`, with groups one for each; None where too few wrote."""
        groups = list(dict.fromkeys(self.table["group"])) if self.by else [None]
        lanes = {}
        for group in groups:
            rows = self.table[self.table["group"] == group] if self.by else self.table
            known = rows.dropna(subset=["estimate"]).set_index("stage")
            cells = [self._cell(known.loc[stage]) if stage in known.index else None for stage in self.stages]
            lanes["tone of texts (machine-read)" + (f" ({group})" if self.by else "")] = cells
        return pd.DataFrame(lanes, index=pd.Index(self.stages, name="stage"), dtype=object)

    def plot(self, ax=None) -> Chart:
        """The mean tone along the stages, with intervals, and gaps where too few wrote."""
        if self.table["estimate"].isna().all():
            return charts.note(self.sentence(), title=self.title, ax=ax)
        known = self.table.dropna(subset=["estimate"])
        told = "; ".join(f"{_place(row, self.by)}: {self._cell(row)}" for _, row in known.iterrows())
        return charts.moods(
            self.table,
            stage="stage",
            y="estimate",
            lower="lower",
            upper="upper",
            by="group" if self.by else None,
            ends=BOUNDS,
            y_label=f"tone, -1 to 1 ({self.confidence:.0%} intervals)",
            title=self.title,
            alt=f"Tone of texts by stage as a machine reads it, from -1 to 1; not asked. {told}.",
            ax=ax,
        )

    def _repr_html_(self) -> str:
        caption = f"Tone of texts, machine-read (VADER), {self.confidence:.0%} intervals"
        return self._card(html.paragraph(self.sentence()), html.table(self.table, caption=caption))

    def _mean(self, row: pd.Series) -> str:
        return f"mean {with_sign(row['estimate'], 2)}, {self.confidence:.0%} interval {_limits(row)}, n = {row['n']:,}"

    def _cell(self, row: pd.Series) -> str:
        return f"{with_sign(row['estimate'], 2)} ({_limits(row)}) from -1 to 1, read by machine; n = {row['n']:,}"


def estimate_sentiment(
    log: EventLog,
    spells: Spells,
    *,
    seed: int,
    by: Grouping | pd.Series | str | None = None,
    names: Iterable[str] = (),
    confidence: float = 0.95,
) -> Sentiment:
    """How do the texts that customers wrote in each stage sound to a machine?

    Asked scores (`estimate_feelings`) say how customers feel; this is a makeshift, and is never mixed with them. Needs
    the package vaderSentiment, the extra [text] of journeylab. It knows English only: texts whose language is told to
    be another, or cannot be told, are refused and counted; where none is left, `lacking` says so. Texts are those of
    `find_thoughts`, redacted; `seed`, `by` and `names` mean the same. Means on fewer than 10 customers are missing.

    Raises EstimateError where the package is not installed, for an unknown `by`, and for `confidence` not between 0
    and 1. Source: Hutto & Gilbert (2014), VADER, ICWSM, pages 216-225 (the compound score).
    """
    if SentimentIntensityAnalyzer is None:
        raise EstimateError(
            "The tone of texts is read by the package vaderSentiment, which is not installed. "
            "Install journeylab with its extra, as in “pip install 'journeylab[text]'”, or ask customers for scores."
        )
    check_confidence(confidence)
    grouping = None if by is None else Grouping.of(by, spells)
    statements = Statements.of(log, spells, grouping, seed=seed, names=names)
    rows, stages = statements.rows, spells.journey.stage_names
    is_read = (rows["language"] == LANGUAGE).to_numpy(dtype=bool)
    lacking = statements.lacking
    if lacking is None and not is_read.any():
        lacking = (
            f"None of the {counted(len(rows), 'text')} is told to be in {LANGUAGE}, and the tone of texts is read in "
            "no other language. Ask customers for scores."
        )
    tones = pd.Series(np.nan, index=rows.index)
    tones[is_read] = tone_of(rows["text"][is_read].tolist())
    groups = [] if lacking else sorted(rows["group"].unique())
    estimates = [_estimate(rows, tones, group, stage, confidence=confidence) for group in groups for stage in stages]
    name = grouping.name if grouping else None
    return Sentiment(
        title="The tone of what customers write, machine-read" + (f", by {name}" if name else ""),
        table=tidy(estimates, COLUMNS, by=name),
        by=name,
        stages=stages,
        confidence=confidence,
        lacking=lacking,
        period=spells.window,
    )


def tone_of(texts: list[str]) -> np.ndarray:
    """The tone of each text in English from -1 to 1 (VADER's compound score)."""
    if not texts:
        return np.zeros(0)
    reader = SentimentIntensityAnalyzer()
    return np.array([reader.polarity_scores(text)["compound"] for text in texts])


def _estimate(rows: pd.DataFrame, tones: pd.Series, group: str, stage: str, *, confidence: float) -> dict:
    is_here = (rows["group"] == group) & (rows["stage"] == stage)
    here, tone = rows[is_here & tones.notna()], tones[is_here & tones.notna()]
    n, customers = len(here), int(here["customer_id"].nunique())
    numbers, note = (np.nan, np.nan, np.nan), f"fewer than {FEWEST} customers wrote in {LANGUAGE}"
    if customers >= FEWEST:
        ids = pd.factorize(here["customer_id"])[0]
        numbers, note = clustered_mean(tone, ids, bounds=BOUNDS, confidence=confidence), None
    base = {"n": n, "customers": customers, "left_out": int(is_here.sum()) - n, "note": note}
    return {"group": group, "stage": stage, **dict(zip(("estimate", "lower", "upper"), numbers, strict=True)), **base}


def _place(row: pd.Series, by: str | None) -> str:
    return f"“{row['stage']}”, {row['group']}" if by else f"“{row['stage']}”"


def _limits(row: pd.Series) -> str:
    return f"{with_sign(row['lower'], 2)} to {with_sign(row['upper'], 2)}"
