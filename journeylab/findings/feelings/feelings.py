"""Feelings: how do customers say that they feel in each stage, when they are asked?"""

from dataclasses import dataclass, field

import pandas as pd

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.base.ordering import settled
from journeylab.base.words import counted, listed, percent, with_sign
from journeylab.events.queries.scales import BEST, WORST, Scale
from journeylab.findings.finding import Finding, LaneName

FEELING, SCORE, NPS, RESPONSE = MEASURES = ("feeling", "score", "nps", "response")
HIGH, LOW = "high", "low"
ALL, OUTSIDE = "all stages", "in no stage"
_LIMITS = ("estimate", "lower", "upper")
_NUMBERS = dict.fromkeys(_LIMITS, float)
COLUMNS = {"group": object, "stage": object, "measure": object, **_NUMBERS, "n": int, "customers": int,
           "mark": object, "note": object}  # fmt: skip
_TOO_FEW = "In no stage did enough customers answer to say how they feel."
TOTALS = {"group": object, "place": object, "measure": object, **_NUMBERS, "n": int, "customers": int, "note": object}
CONTRASTS = {"group": object, "high": object, "low": object, **_NUMBERS, "n": int, "customers": int}


@dataclass(frozen=True)
class Feelings(Finding):
    """Scores that customers gave when asked, by the stage they were in.

    table: a row per (group,) stage and `measure`, with `estimate`, `lower`, `upper`: “feeling”, the mean answer from -2
        (worst) to 2 (best); “score”, the same on the scale as it was asked; “nps”, only on that scale, promoters minus
        detractors in points; “response”, the share of the customers in the stage who answered there. `n`: answers, for
        “response” customers in the stage; `customers`: who answered. `mark`: “high” or “low”, see `contrasts`. `note`
        says why an estimate is missing.
    overall: the same by `place`: all stages together, and answers given in no stage (before the journey or after a
        loss, such as an exit survey); these have no response.
    contrasts: per (group) the stages with the highest and the lowest mean feeling, and how far they are apart; the
        interval allows for the two having been picked from all pairs of stages. They are marked where it excludes 0.
    n_misfits: answers that the scale has no room for, left out. doubt: a sentence where the scale may be the wrong one.
    scale: as declared, None where it is not. by: what the groups are, or None. stages: of the journey.
    confidence: of the intervals.
    """

    overall: pd.DataFrame = field(repr=False)
    contrasts: pd.DataFrame = field(repr=False)
    scale: Scale | None
    n_misfits: int
    doubt: str | None
    by: str | None
    stages: tuple[str, ...] = field(repr=False)
    confidence: float

    def sentence(self) -> str:
        """Where customers feel best and worst, with interval and base, and who answered."""
        if self.lacking:
            return self.lacking
        return " ".join([self._base(), *self._told(), *self._remarks()])

    def by_stage(self) -> pd.DataFrame:
        """The lane `emotions`, with groups one for each: mean feeling, base, response. None where nothing is known."""
        groups = list(dict.fromkeys(self.table["group"])) if self.by else [None]
        lanes = {}
        for group in groups:
            rows = self.table[self.table["group"] == group] if self.by else self.table
            cells = {stage: self._cell(part.set_index("measure")) for stage, part in rows.groupby("stage", sort=False)}
            lanes[LaneName.EMOTIONS + (f" ({group})" if self.by else "")] = [cells.get(stage) for stage in self.stages]
        return pd.DataFrame(lanes, index=pd.Index(self.stages, name="stage"), dtype=object)

    def feelings_by_stage(self) -> pd.DataFrame:
        """The rows of `table` for the measure “feeling”."""
        return self._of(FEELING)

    def plot(self, ax=None) -> Chart:
        """The mean feeling along the stages, with intervals, and gaps where nothing is known; high and low marked."""
        rows = self._of(FEELING)
        if rows["estimate"].isna().all():
            return charts.note(self.sentence(), title=self.title, ax=ax)
        known = rows.dropna(subset=["estimate"])
        told = [f"{_place(row, self.by)} {signed(row)}, n = {row['n']:,}" for _, row in known.iterrows()]
        gaps = [each for each in self.stages if each not in set(known["stage"])]
        missing = f" Not measured: {', '.join(gaps)}." if gaps else ""
        return charts.moods(
            rows,
            stage="stage",
            y="estimate",
            lower="lower",
            upper="upper",
            mark=None if self.by else "mark",
            by="group" if self.by else None,
            ends=(WORST, BEST),
            y_label=f"mean answer, -2 to 2 ({self.confidence:.0%} intervals)",
            title=self.title,
            alt=f"Mean feeling by stage, from -2 (worst) to 2 (best). {'; '.join(told)}.{missing}",
            ax=ax,
        )

    def _repr_html_(self) -> str:
        tables = [html.table(self.table, caption=self._caption()), html.table(self.overall, caption="All together")]
        return self._card(html.paragraph(self.sentence()), *tables)

    def _of(self, measure: str) -> pd.DataFrame:
        return self.table[self.table["measure"] == measure]

    def _caption(self) -> str:
        asked = f" Asked on a scale of {self.scale.words}." if self.scale else ""
        return f"Answers by stage, {self.confidence:.0%} intervals.{asked}"

    def _base(self) -> str:
        total = self.overall[self.overall["place"] == ALL]
        n, customers = (int(total.loc[total["measure"] == FEELING, column].sum()) for column in ("n", "customers"))
        base = f"{counted(n, 'answer')} of {counted(customers, 'customer')} in a stage"
        return f"{base}, on a scale of {self.scale.words}."

    def _told(self) -> list[str]:
        """A sentence or two: the high, the low and the net promoter score; with groups, all stages of each together."""
        total = self.overall[self.overall["place"] == ALL].dropna(subset=["estimate"])
        feelings, promoters = (total[total["measure"] == measure] for measure in (FEELING, NPS))
        if not self.by:
            net = [f"The net promoter score over all stages is {points(row)}." for _, row in promoters.iterrows()]
            apart = [self._contrast(row) for _, row in self.contrasts.iterrows()]
            return [*(apart or [self._single()]), *net]
        if feelings.empty:
            return [_TOO_FEW]
        told = [f"{signed(row)} in “{row['group']}” (n = {row['n']:,})" for _, row in feelings.iterrows()]
        apart = self.contrasts[self.contrasts["lower"] > 0]
        stands = [f"of “{row['high']}” and “{row['low']}” in “{row['group']}”" for _, row in apart.iterrows()]
        within = "In no group does a stage stand out."
        if stands:
            within = f"Beyond chance are the differences {listed(stands)}."
        return [f"Mean from -2 to 2 over all stages, {self.confidence:.0%} intervals: {'; '.join(told)}.", within]

    def _contrast(self, contrast: pd.Series) -> str:
        rows = self._of(FEELING).set_index("stage")
        high, low = (f"“{contrast[end]}” ({self._mean(rows.loc[contrast[end]])})" for end in ("high", "low"))
        limits = f"{contrast['lower']:.1f} to {contrast['upper']:.1f}, allowing for all pairs of stages"
        apart = f"{contrast['estimate']:.1f} apart ({limits})"
        if contrast["lower"] > 0:
            return f"From -2 to 2, they feel best in {high} and worst in {low}: {apart}."
        return (
            f"No stage stands out: from -2 to 2, the mean is highest in {high} and lowest in {low}, but {apart} is not "
            "beyond chance."
        )

    def _single(self) -> str:
        rows = self._of(FEELING).dropna(subset=["estimate"])
        if rows.empty:
            return _TOO_FEW
        return (
            f"Only in “{rows['stage'].iloc[0]}” did enough customers answer: from -2 to 2, {self._mean(rows.iloc[0])}."
        )

    def _remarks(self) -> list[str]:
        outside = self.overall[(self.overall["place"] == OUTSIDE) & (self.overall["measure"] == FEELING)]
        n = int(outside["n"].sum())
        mean = "" if self.by or outside["estimate"].isna().all() else f" (mean {signed(outside.iloc[0])})"
        remarks = [f"{counted(n, 'more answer')} came from customers in no stage then{mean}."] if n else []
        if self.n_misfits:
            remarks.append(f"{counted(self.n_misfits, 'answer')} outside the scale left out.")
        return remarks + ([self.doubt] if self.doubt else [])

    def _mean(self, row: pd.Series) -> str:
        return f"mean {with_sign(row['estimate'], 1)}, {self.confidence:.0%} interval {_range(row)}, n = {row['n']:,}"

    def _cell(self, rows: pd.DataFrame) -> str | None:
        feeling, response = rows.loc[FEELING], rows.loc[RESPONSE]
        if pd.isna(feeling["estimate"]):
            return None
        score = rows.loc[SCORE]
        parts = [
            f"{signed(feeling)} from -2 to 2",
            f"mean {settled(score['estimate']):.1f} of {self.scale.worst:g} to {self.scale.best:g}",
            *([f"NPS {points(rows.loc[NPS])}"] if NPS in rows.index else []),
            f"n = {feeling['n']:,}; {percent(response['estimate'])} of {counted(response['n'], 'customer')} answered",
            *([feeling["mark"]] if feeling["mark"] else []),
        ]
        return "; ".join(parts)


def signed(row: pd.Series) -> str:
    """An estimate of a feeling with its interval: “+0.8 (+0.5 to +1.1)”."""
    return f"{with_sign(row['estimate'], 1)} ({with_sign(row['lower'], 1)} to {with_sign(row['upper'], 1)})"


def points(row: pd.Series) -> str:
    """An estimate in points with its interval: “+12 points (+5 to +19)”."""
    return f"{with_sign(row['estimate'])} points ({with_sign(row['lower'])} to {with_sign(row['upper'])})"


def _range(row: pd.Series) -> str:
    return f"{with_sign(row['lower'], 1)} to {with_sign(row['upper'], 1)}"


def _place(row: pd.Series, by: str | None) -> str:
    return f"{row['stage']}, {row['group']}:" if by else f"{row['stage']}:"
