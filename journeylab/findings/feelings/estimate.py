"""How the scores that customers gave become feelings by stage."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from journeylab.base.errors import EstimateError
from journeylab.base.ordering import order
from journeylab.base.words import counted
from journeylab.estimators.intervals import wilson
from journeylab.estimators.means import clustered_mean, mean_difference
from journeylab.events.log import EventLog
from journeylab.events.queries.answers import Asked, find_scores, has_scores
from journeylab.events.queries.scales import BEST, WORST, Scale, promotion
from journeylab.events.spells import Spells
from journeylab.findings.arguments import MIN_CUSTOMERS, check_confidence
from journeylab.findings.feelings.feelings import (
    ALL,
    COLUMNS,
    CONTRASTS,
    FEELING,
    HIGH,
    LOW,
    NPS,
    OUTSIDE,
    RESPONSE,
    SCORE,
    TOTALS,
    Feelings,
)
from journeylab.findings.finding import tidy
from journeylab.findings.grouping import By, Grouping, Where, select, watched, why_nobody

# More misfits than this share of the answers: the scale is the wrong one.
MOST_MISFITS = 0.05
_ENOUGH_TO_DOUBT = 30
_UNKNOWN = {"estimate": np.nan, "lower": np.nan, "upper": np.nan}


@dataclass(frozen=True, eq=False)
class Panel:
    """What is asked of each group.

    visits: watched ones. answers: of `find_scores`, those on the scale, with a column `group`. scale: theirs.
    """

    visits: pd.DataFrame
    answers: pd.DataFrame
    scale: Scale
    confidence: float
    least: int

    def of(self, group: str | None) -> "Panel":
        """The part of one group."""
        visits = self.visits[self.visits["group"] == group]
        answers = self.answers[self.answers["group"] == group]
        return Panel(visits, answers, self.scale, self.confidence, self.least)

    def within(self, stage: str | None) -> pd.DataFrame:
        """The answers in one stage, or in any where None."""
        is_here = self.answers["stage"].notna() if stage is None else self.answers["stage"] == stage
        return self.answers[is_here]

    def entrants(self, stage: str | None) -> int:
        """How many customers were in the stage, or in any where None, while it was watched."""
        here = self.visits if stage is None else self.visits[self.visits["stage"] == stage]
        return int(here["customer_id"].nunique())

    def means(self, answers: pd.DataFrame) -> Iterator[dict]:
        """A row for each kind of mean; missing where too few customers answered."""
        customers = int(answers["customer_id"].nunique())
        note = None
        if customers < self.least:
            note = f"fewer than {self.least} customers answered" if customers else "nobody answered"
        scores, ids = answers["score"].to_numpy(float), pd.factorize(answers["customer_id"])[0]
        kinds = {FEELING: (self.scale.feeling(scores), (WORST, BEST)), SCORE: (scores, self.scale.ends)}
        if self.scale.is_recommendation:
            kinds[NPS] = (promotion(scores), (-100.0, 100.0))
        for measure, (values, bounds) in kinds.items():
            numbers = _UNKNOWN
            if note is None:
                mean = clustered_mean(np.clip(values, *bounds), ids, bounds=bounds, confidence=self.confidence)
                numbers = dict(zip(_UNKNOWN, mean, strict=True))
            yield {"measure": measure, **numbers, "n": len(answers), "customers": customers, "note": note}

    def response(self, answers: pd.DataFrame, n: int) -> dict:
        """The share of `n` customers who answered; missing where there are too few."""
        customers = int(answers["customer_id"].nunique())
        numbers, note = _UNKNOWN, f"fewer than {self.least} customers in the stage" if n else "nobody in the stage"
        if n >= self.least:
            lower, upper = wilson(customers, n, confidence=self.confidence)
            numbers, note = {"estimate": customers / n, "lower": float(lower), "upper": float(upper)}, None
        return {"measure": RESPONSE, **numbers, "n": n, "customers": customers, "note": note}

    def contrast(self, stages: tuple[str, ...]) -> dict | None:
        """The stages with the highest and the lowest mean, and their distance; None where fewer than two are known."""
        felt = {}
        for stage in stages:
            here = self.within(stage)
            if here["customer_id"].nunique() >= self.least:
                felt[stage] = (self.scale.feeling(here["score"]), here["customer_id"].to_numpy(object).astype(str))
        if len(felt) < 2:
            return None
        ranked = [list(felt)[place] for place in order([feeling.mean() for feeling, _ in felt.values()])]
        high, low = ranked[0], ranked[-1]
        # Bonferroni: the two were picked out of all pairs of stages.
        n_pairs = len(list(combinations(felt, 2)))
        level = 1 - (1 - self.confidence) / n_pairs
        apart = mean_difference(felt[high], felt[low], bounds=(WORST, BEST), confidence=level)
        base = {"n": len(felt[high][0]) + len(felt[low][0]), "customers": len({*felt[high][1], *felt[low][1]})}
        return {"high": high, "low": low, **dict(zip(_UNKNOWN, apart, strict=True)), **base}


def estimate_feelings(
    log: EventLog,
    spells: Spells,
    *,
    scale: Scale | str | None,
    asked: Asked | None = None,
    by: By | None = None,
    where: Where | None = None,
    confidence: float = 0.95,
    min_customers: int = MIN_CUSTOMERS,
) -> Feelings:
    """How do customers feel in each stage, by the scores they gave while they were in it?

    scale: on which the score was asked: nps (0 to 10), csat (1 to 5), csat7 (1 to 7), ces (1 to 7, 7 is easy), or its
        two ends, the worst answer first: “-2..2”, “7..1”. None: not declared; then the finding is empty and says so.
    asked: which events carry the score, where several kinds do: a name, names, or a condition as in journey.yml.
    by: a Grouping, a Series of labels by customer or a column of `spells.customers`; answers count from when the label
        was known.

    Each answer counts once; intervals are clustered by customer (Student's quantile, within the scale). A score belongs
    to the stage the customer was in then; see `journeylab.events.queries.answers`. Customers in a stage who did not
    answer may feel otherwise: the response rate says how many they are. Estimates on fewer than `min_customers`
    customers are missing, with a note. Where the log has no score, or nobody was in a stage, the finding is empty and
    `lacking` says so.

    Raises EstimateError for an unknown scale or `by`, an `asked` that is no condition, `confidence` not between 0 and
    1, and where more than 5% of the answers lie outside the scale.
    """
    check_confidence(confidence)
    declared = None if scale is None else Scale.of(scale)
    spells = select(spells, where)
    log = select(log, where)
    grouping = None if by is None else Grouping.of(by, spells)
    visits = watched(spells, grouping)
    answers = find_scores(log, spells.to_pandas(), asked=asked)
    lacking = _lacking(log, spells, grouping, visits, answers, declared)
    name, stages = grouping.name if grouping else None, spells.journey.stage_names
    panel = None if lacking else _panel(visits, answers, grouping, declared, confidence, min_customers)
    rows, totals, contrasts = _estimates(panel, stages) if panel else ([], [], [])
    return Feelings(
        title="How customers feel" + (f", by {name}" if name else ""),
        table=tidy(rows, COLUMNS, by=name),
        overall=tidy(totals, TOTALS, by=name),
        contrasts=tidy(contrasts, CONTRASTS, by=name),
        scale=declared,
        n_misfits=0 if lacking else int((~declared.holds(answers["score"])).sum()),
        doubt=_doubt(panel) if panel else None,
        by=name,
        stages=stages,
        confidence=confidence,
        lacking=lacking,
        period=spells.window,
    )


def _lacking(
    log: EventLog,
    spells: Spells,
    grouping: Grouping | None,
    visits: pd.DataFrame,
    answers: pd.DataFrame,
    scale: Scale | None,
) -> str | None:
    if not len(visits):
        return why_nobody(spells, grouping)
    if not has_scores(log):
        return (
            "The log has no scores, so nothing is known of what customers feel. Name their column “score” when reading."
        )
    if answers.empty:
        return "No customer gave a score within the window, so nothing is known of what they feel."
    if scale is None:
        return (
            f"The log holds {counted(len(answers), 'score')}, but nobody has said on which scale they were asked. "
            "Add a line such as “score: {scale: nps}” to study.yml."
        )
    return None


def _panel(
    visits: pd.DataFrame,
    answers: pd.DataFrame,
    grouping: Grouping | None,
    scale: Scale,
    confidence: float,
    least: int,
) -> Panel:
    fits = scale.holds(answers["score"])
    if (~fits).mean() > MOST_MISFITS:
        raise EstimateError(
            f"{(~fits).sum():,} of {len(answers):,} answers lie outside the scale “{scale.name}”, "
            f"{scale.ends[0]:g} to {scale.ends[1]:g}; the first is {answers['score'][~fits].iloc[0]:g}. "
            "Declare the scale on which they were asked, or say with `asked` which events are meant."
        )
    answers = answers[fits]
    columns = ["customer_id", "spell", "observed_from"]
    since = visits[columns].astype({"customer_id": object, "spell": "Int64"})
    placed = answers.merge(since, on=["customer_id", "spell"], how="left")
    if grouping is None:
        return Panel(visits.assign(group=""), placed.assign(group=""), scale, confidence, least)
    labelled = placed.assign(group=placed["customer_id"].map(grouping.labels))
    # An answer in a stage counts from when it was watched on; one given in no stage from when the label was known.
    counts = labelled["stage"].isna() | (labelled["time"] >= labelled["observed_from"])
    if grouping.known_at is not None:
        counts &= ~(labelled["time"] < labelled["customer_id"].map(grouping.known_at))
    return Panel(visits, labelled[counts & labelled["group"].notna()], scale, confidence, least)


def _estimates(panel: Panel, stages: tuple[str, ...]) -> tuple[list[dict], list[dict], list[dict]]:
    """Rows of `Feelings.table`, `overall` and `contrasts`."""
    rows, totals, contrasts = [], [], []
    for group in sorted(panel.visits["group"].unique()):
        part = panel.of(group)
        contrast = part.contrast(stages)
        marks = {contrast["high"]: HIGH, contrast["low"]: LOW} if contrast and contrast["lower"] > 0 else {}
        contrasts += [{"group": group, **contrast}] if contrast else []
        for stage in stages:
            here = part.within(stage)
            for row in (*part.means(here), part.response(here, part.entrants(stage))):
                mark = marks.get(stage) if row["measure"] == FEELING else None
                rows.append({"group": group, "stage": stage, "mark": mark, **row})
        everywhere = part.within(None)
        totals += [
            {"group": group, "place": ALL, **row}
            for row in (*part.means(everywhere), part.response(everywhere, part.entrants(None)))
        ]
        outside = part.answers[part.answers["stage"].isna()]
        totals += [{"group": group, "place": OUTSIDE, **row} for row in part.means(outside)]
    return rows, totals, contrasts


def _doubt(panel: Panel) -> str | None:
    """Whether the answers use so little of the scale that it may be the wrong one."""
    scores, (low, high) = panel.answers["score"], panel.scale.ends
    if len(scores) >= _ENOUGH_TO_DOUBT and scores.max() <= (low + high) / 2:
        found = f"No answer is above {scores.max():g}, though the scale goes up to {high:g}"
        return f"{found}: look whether it is the right one."
    return None
