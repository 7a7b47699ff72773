"""How the scores that customers gave become feelings by stage."""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd

from journeylab.base.errors import EstimateError
from journeylab.base.ordering import order
from journeylab.base.words import counted
from journeylab.estimators.means import clustered_mean, mean_difference
from journeylab.events.log import EventLog
from journeylab.events.queries.answers import Asked, find_scores, has_scores, scores_of_others
from journeylab.events.queries.scales import BEST, WORST, Scale, promotion
from journeylab.events.spells import Spells
from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.feelings import feelings as result
from journeylab.findings.feelings.feelings import FEELING, GONE, HIGH, LOW, NPS, RESPONSE, SCORE, Feelings
from journeylab.findings.finding import tidy
from journeylab.findings.grouping import By, Grouping, WatchedVisits, Where, select
from journeylab.findings.rows import ESTIMATE, estimated, wilson_share

# More misfits than this share of the answers: the scale is the wrong one.
MOST_MISFITS = 0.05
_ENOUGH_TO_DOUBT = 30
_UNKNOWN = dict.fromkeys(ESTIMATE, np.nan)


@dataclass(frozen=True, eq=False)
class Panel:
    """Customers who were in a stage, and what some of them answered.

    visits: watched ones. answers: of `find_scores`, those on the scale; `lost_from`: for those given in no stage, the
    stage from which the customer was lost last. Both have a column `group`.
    """

    visits: pd.DataFrame
    answers: pd.DataFrame
    scale: Scale
    confidence: float
    min_customers: int

    def only(self, column: str, value: str) -> "Panel":
        """The part of one stage or group."""
        visits, answers = (rows[rows[column] == value] for rows in (self.visits, self.answers))
        return replace(self, visits=visits, answers=answers)

    def rows(self) -> list[dict]:
        """A row for each measure."""
        return [*self.means(), self._response()]

    def means(self) -> list[dict]:
        """A row for each kind of mean; missing where too few customers answered."""
        base = {"n": len(self.answers), "customers": self.n_answering}
        note = None
        if self.n_answering < self.min_customers:
            note = f"fewer than {self.min_customers} customers answered" if self.n_answering else "nobody answered"
        scores, ids = self.answers["score"].to_numpy(float), pd.factorize(self.answers["customer_id"])[0]
        kinds = {FEELING: (self.scale.feeling(scores), (WORST, BEST)), SCORE: (scores, self.scale.ends)}
        if self.scale.is_recommendation:
            kinds[NPS] = (promotion(scores), (-100.0, 100.0))
        rows = []
        for measure, (values, bounds) in kinds.items():
            numbers = _UNKNOWN
            if note is None:
                mean = clustered_mean(np.clip(values, *bounds), ids, bounds=bounds, confidence=self.confidence)
                numbers = estimated(mean)
            rows.append({"measure": measure, **numbers, **base, "note": note})
        return rows

    @property
    def n_answering(self) -> int:
        """How many customers answered."""
        return int(self.answers["customer_id"].nunique())

    def _response(self) -> dict:
        """The share of the customers who answered; missing where there are too few customers."""
        n = int(self.visits["customer_id"].nunique())
        numbers, note = wilson_share(self.n_answering, n, confidence=self.confidence), None
        if n < self.min_customers:
            numbers = _UNKNOWN
            note = f"fewer than {self.min_customers} customers in the stage" if n else "nobody in the stage"
        return {"measure": RESPONSE, **numbers, "n": n, "customers": self.n_answering, "note": note}

    def contrast(self, stages: tuple[str, ...]) -> tuple[dict | None, dict[str, str]]:
        """The stages with the highest and the lowest mean, and the difference (None where fewer than two are known);
        and the mark of the highest and of the lowest, where it differs from every other stage."""
        parts = {stage: self.only("stage", stage) for stage in stages}
        parts = {stage: part for stage, part in parts.items() if part.n_answering >= self.min_customers}
        if len(parts) < 2:
            return None, {}
        means = [part.scale.feeling(part.answers["score"]).mean() for part in parts.values()]
        ranked = [list(parts)[place] for place in order(means)]
        high, low = ranked[0], ranked[-1]
        # Bonferroni: the two were picked out of all pairs of stages.
        level = 1 - (1 - self.confidence) / len(list(combinations(parts, 2)))
        above = [parts[high].difference(parts[other], level)["lower"] > 0 for other in ranked[1:]]
        below = [parts[other].difference(parts[low], level)["lower"] > 0 for other in ranked[:-1]]
        marks = {**({high: HIGH} if all(above) else {}), **({low: LOW} if all(below) else {})}
        return {HIGH: high, LOW: low, **parts[high].difference(parts[low], level)}, marks

    def difference(self, other: "Panel", level: float) -> dict:
        """The mean feeling here less that of `other`, with limits and base."""
        ids = [part.answers["customer_id"].to_numpy(object).astype(str) for part in (self, other)]
        pair = [(self.scale.feeling(part.answers["score"]), of) for part, of in zip((self, other), ids, strict=True)]
        difference = mean_difference(*pair, bounds=(WORST, BEST), confidence=level)
        return {**estimated(difference), "n": sum(map(len, ids)), "customers": len({*ids[0], *ids[1]})}


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

    Each answer counts once; intervals are clustered by customer (Student's quantile, within the scale). A score belongs
    to the stage that the customer was in then; see `journeylab.events.queries.answers`. Customers in a stage who did
    not answer may feel otherwise: the response rate says how many they are.

    Parameters
    ----------
    log : EventLog
    spells : Spells
        Those of `log`.
    scale : Scale, str or None
        The scale of the scores: nps (0 to 10), csat (1 to 5), csat7 (1 to 7), ces (1 to 7, 7 is easy), or its two ends,
        the worst answer first: “-2..2”, “7..1”. None: not declared; then the finding is empty and says so.
    asked : str, list of str or mapping, optional
        The events that carry the score, if several kinds do: a name, names, or a condition as in journey.yml.
    by : Grouping, Series, str or list of these, optional
        Groups to estimate one by one: labels by customer, a column of `spells.customers`, or a list for all
        combinations. Answers count from when the label was known.
    where : str or Series of bool, optional
        Only these customers, such as ``"seats > 10"``.
    confidence : float
        Of the intervals.
    min_customers : int
        Estimates on fewer customers are missing, with a note.

    Returns
    -------
    Feelings
        Empty where the log has no score or nobody was in a stage; `lacking` then says so.

    Raises
    ------
    EstimateError
        If the scale is unknown, more than 5% of the answers lie outside it, `asked` is no condition, `by` or `where`
        is unknown, or `confidence` is not between 0 and 1.
    JourneyError
        If `asked` names a column that the log lacks.

    Examples
    --------
    >>> import journeylab as jl
    >>> made = jl.simulate_log(200, seed=1)
    >>> feelings = jl.estimate_feelings(made.log, jl.find_spells(made.log, made.journey), scale="nps")
    >>> list(feelings.by_stage().columns)
    ['emotions']
    """
    declared = None if scale is None else Scale.of(scale)
    watched, log = WatchedVisits.of(spells, by=by, where=where, confidence=confidence), select(log, where)
    answers = find_scores(log, watched.spells.to_pandas(), asked=asked)
    lacking = watched.why_nobody() if watched.visits.empty else _lacking(log, answers, declared)
    fits = declared.holds(answers["score"]) if declared and not lacking else np.ones(len(answers), bool)
    panel, rows = None, {name: [] for name in result.TABLES}
    if declared and not lacking:
        _check_fit(answers, fits, declared)
        visits, answers = _grouped(watched.visits, answers[fits], watched.grouping)
        panel = Panel(visits, _with_losses(answers, watched.spells), declared, confidence, min_customers)
        rows = _estimates(panel, spells.journey.stage_names)
    return Feelings(
        **watched.about("How customers feel"),
        **{name: tidy(rows[name], columns, by=watched.by) for name, columns in result.TABLES.items()},
        scale=declared,
        n_misfits=int((~fits).sum()),
        doubt=_doubt(panel) if panel else None,
        lacking=lacking,
    )


def _lacking(log: EventLog, answers: pd.DataFrame, scale: Scale | None) -> str | None:
    if not has_scores(log):
        return "The log has no scores, so it cannot tell what customers feel. Name their column “score” when reading."
    if answers.empty:
        return f"No customer gave a score within the window, so the log cannot tell what they feel.{_of_others(log)}"
    if scale is None:
        return (
            f"The log has {counted(len(answers), 'score')}, but their scale is not declared. "
            "Add a line such as “score: {scale: nps}” to study.yml."
        )
    return None


def _of_others(log: EventLog) -> str:
    """Where others than customers initiated events with scores: which, and what to do if these are answers."""
    others = scores_of_others(log)
    if others.empty:
        return ""
    event, total = others["event"].iloc[0], int(others["scores"].sum())
    return (
        f" But {counted(total, 'score')} came with events that customers did not initiate, most with “{event}”. If "
        f"these are answers of customers, name the event in study.yml: “score: {{scale: nps, event: {event}}}”."
    )


def _check_fit(answers: pd.DataFrame, fits: np.ndarray, scale: Scale) -> None:
    """Raise EstimateError where so many answers lie outside the scale that it must be the wrong one."""
    if (~fits).mean() > MOST_MISFITS:
        raise EstimateError(
            f"{(~fits).sum():,} of {len(answers):,} answers lie outside the scale “{scale.name}”, "
            f"{scale.ends[0]:g} to {scale.ends[1]:g}; the first is {answers['score'][~fits].iloc[0]:g}. "
            "Declare the scale on which they were asked, or say with `asked` which events are meant."
        )


def _grouped(
    visits: pd.DataFrame, answers: pd.DataFrame, grouping: Grouping | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`visits` and `answers` with a column `group`; answers from when their visit was watched and their label known."""
    if grouping is None:
        return visits.assign(group=""), answers.assign(group="")
    columns = ["customer_id", "spell", "observed_from"]
    since = visits[columns].astype({"customer_id": object, "spell": "Int64"})
    answers = answers.merge(since, on=["customer_id", "spell"], how="left")
    answers = answers.assign(group=answers["customer_id"].map(grouping.labels))
    # An answer in a stage counts from when it was watched on; one given in no stage from when the label was known.
    counts = answers["stage"].isna() | (answers["time"] >= answers["observed_from"])
    if grouping.known_at is not None:
        counts &= ~(answers["time"] < answers["customer_id"].map(grouping.known_at))
    return visits, answers[counts & answers["group"].notna()]


def _with_losses(answers: pd.DataFrame, spells: Spells) -> pd.DataFrame:
    """`answers` with `lost_from`: of one given in no stage, the stage from which the customer was lost last."""
    visits = spells.to_pandas()
    lost = visits[visits["outcome"] == "lost"].astype({"customer_id": object, "stage": object})
    lost = lost[["customer_id", "left", "stage"]].rename(columns={"stage": "lost_from"}).sort_values("left")
    told = answers.assign(row=np.arange(len(answers))).sort_values("time", kind="stable")
    told = pd.merge_asof(told, lost, left_on="time", right_on="left", by="customer_id").sort_values("row")
    return told.assign(lost_from=told["lost_from"].where(told["stage"].isna(), None)).drop(columns=["row", "left"])


def _estimates(panel: Panel, stages: tuple[str, ...]) -> dict[str, list[dict]]:
    """The rows of each of `result.TABLES`."""
    rows: dict[str, list[dict]] = {name: [] for name in result.TABLES}
    for group in sorted(panel.visits["group"].unique()):
        part = panel.only("group", group)
        contrast, marks = part.contrast(stages)
        rows["contrasts"] += [{"group": group, **contrast}] if contrast else []
        for stage in stages:
            for row in part.only("stage", stage).rows():
                mark = marks.get(stage) if row["measure"] == FEELING else None
                rows["table"].append({"group": group, "stage": stage, "mark": mark, **row})
            gone = replace(part, answers=part.answers[part.answers["lost_from"] == stage])
            rows["gone"] += [
                {"group": group, "stage": stage, **row} for row in gone.means() if row["measure"] == FEELING
            ]
        is_outside, is_gone = part.answers["stage"].isna(), part.answers["lost_from"].notna()
        inside, outside, gone = (
            replace(part, answers=part.answers[which]) for which in (~is_outside, is_outside, is_gone)
        )
        rows["overall"] += [{"group": group, "place": result.ALL, **row} for row in inside.rows()]
        rows["overall"] += [{"group": group, "place": result.OUTSIDE, **row} for row in outside.means()]
        rows["overall"] += [{"group": group, "place": GONE, **row} for row in gone.means()]
        if min(inside.n_answering, gone.n_answering) >= part.min_customers:
            rows["gaps"].append({"group": group, **inside.difference(gone, part.confidence)})
    return rows


def _doubt(panel: Panel) -> str | None:
    """Whether the answers use so little of the scale that it may be the wrong one."""
    scores, (low, high) = panel.answers["score"], panel.scale.ends
    if len(scores) < _ENOUGH_TO_DOUBT or scores.max() > (low + high) / 2:
        return None
    return f"No answer is above {scores.max():g}, though the scale goes up to {high:g}. Check that it is the right one."
