"""Feelings: how do customers say that they feel in each stage, when they are asked?"""

from dataclasses import dataclass, field

import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.ordering import settled
from journeylab.base.words import counted, listed, percent, with_sign
from journeylab.events.queries.scales import BEST, WORST, Scale
from journeylab.findings.finding import LaneName, StageFinding
from journeylab.findings.rows import ESTIMATE

FEELING, SCORE, NPS, RESPONSE = "feeling", "score", "nps", "response"
HIGH, LOW = "high", "low"
ALL, OUTSIDE = "all stages", "in no stage"
_TOO_FEW = "In no stage did enough customers answer to say how they feel."
_NUMBERS = {**ESTIMATE, "n": int, "customers": int}
COLUMNS = {**dict.fromkeys(("group", "stage", "measure"), object), **_NUMBERS, "mark": object, "note": object}
TOTALS = {**dict.fromkeys(("group", "place", "measure"), object), **_NUMBERS, "note": object}
CONTRASTS = {**dict.fromkeys(("group", HIGH, LOW), object), **_NUMBERS}


@dataclass(frozen=True)
class Feelings(StageFinding):
    """The scores that customers gave when asked, by the stage they were in.

    Attributes
    ----------
    table : DataFrame
        A row per (group,) stage and `measure`, with `estimate`, `lower`, `upper`. “feeling”: the mean answer from -2
        (worst) to 2 (best). “score”: the same on the scale as it was asked. “nps”, only on that scale: promoters minus
        detractors, in points. “response”: the share of the customers in the stage who answered there. `n`: answers; for
        “response”, customers in the stage. `customers`: who answered. `mark`: “high” or “low”, see `contrasts`. `note`
        says why an estimate is missing.
    overall : DataFrame
        The same by `place`: all stages together, and answers given in no stage (before the journey or after a loss,
        such as an exit survey), which have no response.
    contrasts : DataFrame
        Per (group) the stages with the highest and the lowest mean feeling, and the difference. Its interval allows for
        the two having been picked from all pairs of stages. The two are marked where it excludes 0.
    scale : Scale or None
        As declared; None where it is not.
    n_misfits : int
        Answers outside the scale; they are left out.
    doubt : str or None
        A sentence where the scale may be the wrong one.
    """

    overall: pd.DataFrame = field(repr=False)
    contrasts: pd.DataFrame = field(repr=False)
    scale: Scale | None
    n_misfits: int
    doubt: str | None

    def sentence(self) -> str:
        """Where customers feel best and worst, with interval and base, and who answered."""
        if self.lacking or self.scale is None:
            return str(self.lacking)
        total = self.overall[(self.overall["place"] == ALL) & (self.overall["measure"] == FEELING)]
        n, customers = (int(total[column].sum()) for column in ("n", "customers"))
        base = f"{counted(n, 'answer')} of {counted(customers, 'customer')} in a stage"
        main = self._groups_in_words() if self.by else self._best_and_worst()
        return " ".join([f"{base}, on a scale of {self.scale.words}.", *main, *self._remarks()])

    def by_stage(self) -> pd.DataFrame:
        """The lane `emotions`, with groups one for each: mean feeling, base and response; None where unknown."""
        lanes = {}
        for suffix, rows in self._by_group(self.table):
            stages = rows.groupby("stage", sort=False)
            lanes[LaneName.EMOTIONS + suffix] = {stage: self._cell(part.set_index("measure")) for stage, part in stages}
        return self._lanes(lanes)

    def feelings_by_stage(self) -> pd.DataFrame:
        """The rows of `table` for the measure “feeling”."""
        return self._of(FEELING)

    def plot(self, ax=None) -> Chart:
        """The mean feeling along the stages with intervals; gaps where it is unknown, the highest and lowest marked."""
        rows = self._of(FEELING)
        known = rows.dropna(subset=["estimate"])
        if known.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        points = [
            f"{row['stage']}{f', {row.group}' if self.by else ''}: {signed(row)}, n = {row['n']:,}"
            for _, row in known.iterrows()
        ]
        gaps = [stage for stage in self.stages if stage not in set(known["stage"])]
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
            alt=f"Mean feeling by stage, from -2 (worst) to 2 (best). {'; '.join(points)}.{missing}",
            ax=ax,
        )

    def _tables(self) -> dict[str, pd.DataFrame]:
        asked = f" Asked on a scale of {self.scale.words}." if self.scale else ""
        caption = f"Answers by stage, {self.confidence:.0%} intervals.{asked}"
        return {caption: self.table, "All together": self.overall}

    def _of(self, measure: str) -> pd.DataFrame:
        return self.table[self.table["measure"] == measure]

    def _best_and_worst(self) -> list[str]:
        """The stages with the highest and the lowest mean, and the net promoter score over all stages."""
        known = self._of(FEELING).dropna(subset=["estimate"])
        if len(self.contrasts):
            main = self._contrast(self.contrasts.iloc[0], known.set_index("stage"))
        elif known.empty:
            main = _TOO_FEW
        else:
            mean = self._mean(known.iloc[0])
            main = f"Only in “{known['stage'].iloc[0]}” did enough customers answer: from -2 to 2, {mean}."
        promoters = self.overall[(self.overall["place"] == ALL) & (self.overall["measure"] == NPS)]
        net = [f"The net promoter score over all stages is {_points(row)}."
               for _, row in promoters.dropna(subset=["estimate"]).iterrows()]  # fmt: skip
        return [main, *net]

    def _groups_in_words(self) -> list[str]:
        """The mean of each group over all stages, and in which groups stages differ."""
        known = self.overall[(self.overall["place"] == ALL) & (self.overall["measure"] == FEELING)]
        known = known.dropna(subset=["estimate"])
        if known.empty:
            return [_TOO_FEW]
        means = [f"{signed(row)} in “{row['group']}” (n = {row['n']:,})" for _, row in known.iterrows()]
        clear = self.contrasts[self.contrasts["lower"] > 0]
        pairs = [f"“{row[HIGH]}” and “{row[LOW]}” in “{row['group']}”" for _, row in clear.iterrows()]
        within = f"More than chance separates {listed(pairs)}." if pairs else "In no group does a stage stand out."
        return [f"Mean from -2 to 2 over all stages, {self.confidence:.0%} intervals: {'; '.join(means)}.", within]

    def _contrast(self, contrast: pd.Series, means: pd.DataFrame) -> str:
        high, low = (f"“{contrast[end]}” ({self._mean(means.loc[contrast[end]])})" for end in (HIGH, LOW))
        limits = f"{contrast['lower']:.1f} to {contrast['upper']:.1f}, allowing for all pairs of stages"
        difference = f"{contrast['estimate']:.1f} ({limits})"
        if contrast["lower"] > 0:
            return f"From -2 to 2, they feel best in {high} and worst in {low}: a difference of {difference}."
        return (
            f"No stage stands out: from -2 to 2, the mean is highest in {high} and lowest in {low}, but a difference "
            f"of {difference} may be chance."
        )

    def _remarks(self) -> list[str]:
        outside = self.overall[(self.overall["place"] == OUTSIDE) & (self.overall["measure"] == FEELING)]
        n = int(outside["n"].sum())
        mean = "" if self.by or outside["estimate"].isna().all() else f" (mean {signed(outside.iloc[0])})"
        remarks = [f"{counted(n, 'more answer')} came from customers who were in no stage then{mean}."] if n else []
        if self.n_misfits:
            remarks.append(f"Left out: {counted(self.n_misfits, 'answer')} outside the scale.")
        return remarks + ([self.doubt] if self.doubt else [])

    def _mean(self, row: pd.Series) -> str:
        limits = f"{with_sign(row['lower'], 1)} to {with_sign(row['upper'], 1)}"
        return f"mean {with_sign(row['estimate'], 1)}, {self.confidence:.0%} interval {limits}, n = {row['n']:,}"

    def _cell(self, rows: pd.DataFrame) -> str | None:
        feeling, response = rows.loc[FEELING], rows.loc[RESPONSE]
        if pd.isna(feeling["estimate"]) or self.scale is None:
            return None
        score = settled(rows.loc[SCORE, "estimate"])
        parts = [
            f"{signed(feeling)} from -2 to 2",
            f"mean {score:.1f} of {self.scale.worst:g} to {self.scale.best:g}",
            *([f"NPS {_points(rows.loc[NPS])}"] if NPS in rows.index else []),
            f"n = {feeling['n']:,}; {percent(response['estimate'])} of {counted(response['n'], 'customer')} answered",
            *([feeling["mark"]] if feeling["mark"] else []),
        ]
        return "; ".join(parts)


def signed(row: pd.Series) -> str:
    """An estimate of a feeling with its interval: “+0.8 (+0.5 to +1.1)”."""
    return f"{with_sign(row['estimate'], 1)} ({with_sign(row['lower'], 1)} to {with_sign(row['upper'], 1)})"


def _points(row: pd.Series) -> str:
    """An estimate in points with its interval: “+12 points (+5 to +19)”."""
    return f"{with_sign(row['estimate'])} points ({with_sign(row['lower'])} to {with_sign(row['upper'])})"
