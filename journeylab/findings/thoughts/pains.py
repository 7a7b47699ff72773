"""Pains: which themes are more frequent near a loss, or with a low score, than among those who were not lost?"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from journeylab.estimators.intervals import difference_interval
from journeylab.estimators.shares import clustered_share
from journeylab.events.journey import SILENT
from journeylab.events.queries.scales import Scale, promotion
from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.rows import estimated
from journeylab.findings.thoughts.themes import Themes


def find_pains(
    themed: pd.DataFrame,
    visits: pd.DataFrame,
    themes: Themes,
    stages: tuple[str, ...],
    *,
    near: pd.Timedelta,
    scale: Scale | None,
    confidence: float,
) -> Iterator[dict]:
    """Rows of `Thoughts.pains`. `themed`: texts with their `theme`, by number; `visits`: those in which they were
    written."""
    if not themes.words or themed.empty:
        return
    is_lost, before = _before_a_loss(themed, visits)
    is_pain = (is_lost & (before <= near)) | _is_low(themed["score"].to_numpy(float), scale)
    # What was written long before a loss stands on neither side.
    sides = themed.assign(side=np.select([is_pain, ~is_lost], ["near", "other"], "neither"))
    groups = sorted(themed["group"].unique())
    # The interval of a difference allows for all of them having been looked at.
    level = 1 - (1 - confidence) / (len(themes.words) * len(stages) * len(groups))
    for group in groups:
        for stage in stages:
            here = sides[(sides["group"] == group) & (sides["stage"] == stage)]
            for row in _rows(here, themes, confidence=confidence, level=level):
                yield {"group": group, "stage": stage, **row}


def _rows(texts: pd.DataFrame, themes: Themes, *, confidence: float, level: float) -> Iterator[dict]:
    """A row for each theme, of the texts of one group and stage."""
    near, others = (texts[texts["side"] == side] for side in ("near", "other"))
    note = _few(near, others)
    for number, name in enumerate(themes.names):
        share, share_of_others = ((_share(part, number, confidence, note)) for part in (near, others))
        wide = (_share(part, number, level, note) for part in (near, others))
        difference, lower, upper = map(float, difference_interval(*wide))
        yield {
            "theme": name,
            **estimated(share),
            "n": len(near),
            "customers": near["customer_id"].nunique(),
            "others": float(share_of_others[0]),
            "n_others": len(others),
            "difference": difference,
            "difference_lower": lower,
            "difference_upper": upper,
            "is_pain": lower > 0,
            "note": note,
        }


def _few(near: pd.DataFrame, others: pd.DataFrame) -> str | None:
    """Which of the two were written by too few to be compared."""
    for texts, when in ((near, "near a loss or with a low score"), (others, "and were not lost")):
        if texts["customer_id"].nunique() < MIN_CUSTOMERS:
            return f"fewer than {MIN_CUSTOMERS} customers wrote {when}"
    return None


def _share(texts: pd.DataFrame, theme: int, confidence: float, note: str | None) -> tuple:
    """The share of `texts` with the theme, with limits; missing where a note says why."""
    ids = pd.factorize(texts["customer_id"])[0]
    is_there = (texts["theme"] == theme).to_numpy()
    return (np.nan, np.nan, np.nan) if note else clustered_share(is_there, ids, confidence=confidence)


def _before_a_loss(texts: pd.DataFrame, visits: pd.DataFrame) -> tuple[np.ndarray, pd.Series]:
    """Whether the visit in which each text was written ended in a loss, and how long before that it was written; before
    silence, how long before the last sign of life."""
    keys = ["customer_id", "stage"]
    is_lost = (visits["outcome"] == "lost").to_numpy()
    gone = visits["left"].where(visits["to"] != SILENT, visits["last_event"])
    ends = visits[keys].astype(object).assign(entered=visits["entered"], is_lost=is_lost, gone=gone)
    written = texts[[*keys, "time"]].astype(dict.fromkeys(keys, object)).assign(row=np.arange(len(texts)))
    pairs = pd.merge_asof(
        written.sort_values("time", kind="stable"),
        ends.sort_values("entered", kind="stable"),
        left_on="time",
        right_on="entered",
        by=keys,
    ).sort_values("row")
    before = (pairs["gone"] - pairs["time"]).set_axis(texts.index)
    return pairs["is_lost"].fillna(False).to_numpy(bool), before


def _is_low(scores: np.ndarray, scale: Scale | None) -> np.ndarray:
    """Which scores are low: detractors, or answers below the middle of the scale."""
    if scale is None:
        return np.zeros(len(scores), bool)
    return scale.holds(scores) & ((promotion(scores) if scale.is_recommendation else scale.feeling(scores)) < 0)
