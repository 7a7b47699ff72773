"""Feelings: how do customers say that they feel in each stage, when they are asked?"""

from dataclasses import dataclass, field

import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.ordering import settled
from journeylab.base.words import counted, listed, percent, with_sign
from journeylab.events.queries.scales import BEST, WORST, Scale
from journeylab.findings.finding import LaneName, StageFinding

FEELING, SCORE, NPS, RESPONSE = "feeling", "score", "nps", "response"
HIGH, LOW = "high", "low"
ALL, OUTSIDE, GONE = "all stages", "in no stage", "after a loss"
_TOO_FEW = "In no stage did enough customers answer to say how they feel."
_NUMBERS = "estimate lower upper n customers"
TABLES = {
    "table": f"group stage measure {_NUMBERS} mark note",
    "gone": f"group stage measure {_NUMBERS} note",
    "overall": f"group place measure {_NUMBERS} note",
    "contrasts": f"group {HIGH} {LOW} {_NUMBERS}",
    "gaps": f"group {_NUMBERS}",
}


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
    gone : DataFrame
        A row per (group and) stage: the “feeling” of customers who had been lost from it, in answers given in no stage.
    overall : DataFrame
        The same by `place`: all stages together; in no stage (before the journey or after a loss, such as an exit
        survey); and, of these, after a loss. Only the first have a response.
    contrasts : DataFrame
        Per (group) the stages with the highest and the lowest mean feeling, and the difference. Its interval allows for
        the two having been picked from all pairs of stages. Each of the two is marked where it differs so from every
        other stage.
    gaps : DataFrame
        Per (group) how much better those inside a stage feel than those who had been lost: the difference of the means.
    scale : Scale or None
        As declared; None where it is not.
    n_misfits : int
        Answers outside the scale; they are left out.
    doubt : str or None
        A sentence where the scale may be the wrong one.
    """

    gone: pd.DataFrame = field(repr=False)
    overall: pd.DataFrame = field(repr=False)
    contrasts: pd.DataFrame = field(repr=False)
    gaps: pd.DataFrame = field(repr=False)
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
        """The lane `emotions`, with groups one for each: mean feeling, base and response, and the mean of those who had
        been lost; None where unknown."""
        lanes = {}
        for suffix, rows, gone in self._by_group(self.table, self.gone):
            means = gone.set_index("stage")
            stages = rows.groupby("stage", sort=False)
            lanes[LaneName.EMOTIONS + suffix] = {
                stage: self._cell(part.set_index("measure"), means.loc[stage]) for stage, part in stages
            }
        return self._lanes(lanes)

    def feelings_by_stage(self) -> pd.DataFrame:
        """The rows of `table` for the measure “feeling”, and beside them the mean of those who had been lost: `gone`,
        `gone_lower`, `gone_upper`, `gone_n`."""
        keys = [name for name in ("group", "stage") if name in self.gone]
        names = {"estimate": "gone", "lower": "gone_lower", "upper": "gone_upper", "n": "gone_n"}
        return self._of(FEELING).merge(self.gone[[*keys, *names]].rename(columns=names), on=keys, how="left")

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
        gone = self.gone if not self.by and self.gone["estimate"].notna().any() else self.gone.iloc[:0]
        if len(gone):
            after = gone.dropna(subset=["estimate"])
            lost = [f"{row['stage']}: {signed(row)}, n = {row['n']:,}" for _, row in after.iterrows()]
            missing += f" Those who had been lost from it: {'; '.join(lost)}."
            rows = pd.concat([rows.assign(who="in the stage"), gone.assign(mark=None, who="lost from it")])
        return charts.moods(
            rows,
            mark=None if self.by else "mark",
            by="group" if self.by else "who" if len(gone) else None,
            ends=(WORST, BEST),
            y_label=f"mean answer, -2 to 2 ({self.confidence:.0%} intervals)",
            title=self.title,
            alt=f"Mean feeling by stage, from -2 (worst) to 2 (best). {'; '.join(points)}.{missing}",
            ax=ax,
        )

    def _tables(self) -> dict[str, pd.DataFrame]:
        asked = f" Asked on a scale of {self.scale.words}." if self.scale else ""
        caption = f"Answers by stage, {self.confidence:.0%} intervals.{asked}"
        return {caption: self.table, "Those who had been lost": self.gone, "All together": self.overall}

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
        return [main, *([gap] if (gap := self.gap_in_words()) else []), *net]

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
        counts = self.overall[self.overall["measure"] == FEELING].groupby("place")["n"].sum()
        n_gone = int(counts.get(GONE, 0)) if len(self.gaps) and not self.by else 0
        n = int(counts.get(OUTSIDE, 0)) - n_gone
        remarks = [f"{counted(n, 'more answer')} came from customers who were in no stage then."] if n else []
        if self.n_misfits:
            remarks.append(f"Left out: {counted(self.n_misfits, 'answer')} outside the scale.")
        return remarks + ([self.doubt] if self.doubt else [])

    def gap_in_words(self) -> str:
        """How much worse customers feel who have been lost than those inside; empty where that is not known."""
        if self.by or self.gaps.empty:
            return ""
        means = self.overall[self.overall["measure"] == FEELING].set_index("place")
        gone, inside, gap = means.loc[GONE], means.loc[ALL], self.gaps.iloc[0]
        size = f"{abs(gap['estimate']):.1f} ({_limits(gap)})"
        values = f"mean {signed(gone)}, n = {gone['n']:,}, against {signed(inside)}"
        if gap["lower"] > 0 or gap["upper"] < 0:
            how = "worse" if gap["lower"] > 0 else "better"
            return f"Those who had been lost feel {how} than those inside a stage: {values}, a difference of {size}."
        return f"Those who had been lost: {values}; a difference of {size} may be chance."

    def _mean(self, row: pd.Series) -> str:
        limits = f"{with_sign(row['lower'], 1)} to {with_sign(row['upper'], 1)}"
        return f"mean {with_sign(row['estimate'], 1)}, {self.confidence:.0%} interval {limits}, n = {row['n']:,}"

    def _cell(self, rows: pd.DataFrame, gone: pd.Series) -> str | None:
        feeling, response = rows.loc[FEELING], rows.loc[RESPONSE]
        lost = [] if pd.isna(gone["estimate"]) else [f"lost from here {signed(gone)}, n = {gone['n']:,}"]
        if pd.isna(feeling["estimate"]) or self.scale is None:
            return lost[0] if lost else None
        score = settled(rows.loc[SCORE, "estimate"])
        parts = [
            f"{signed(feeling)} from -2 to 2",
            f"mean {score:.1f} of {self.scale.worst:g} to {self.scale.best:g}",
            *([f"NPS {_points(rows.loc[NPS])}"] if NPS in rows.index else []),
            f"n = {feeling['n']:,}; {percent(response['estimate'])} of {counted(response['n'], 'customer')} answered",
            *lost,
            *([feeling["mark"]] if feeling["mark"] else []),
        ]
        return "; ".join(parts)


def signed(row: pd.Series) -> str:
    """An estimate of a feeling with its interval: “+0.8 (+0.5 to +1.1)”."""
    return f"{with_sign(row['estimate'], 1)} ({with_sign(row['lower'], 1)} to {with_sign(row['upper'], 1)})"


def _limits(gap: pd.Series) -> str:
    """The limits of the size of a difference, the smaller first."""
    sign = -1 if gap["estimate"] < 0 else 1
    return " to ".join(f"{limit:.1f}" for limit in sorted((sign * gap["lower"], sign * gap["upper"])))


def _points(row: pd.Series) -> str:
    """An estimate in points with its interval: “+12 points (+5 to +19)”."""
    return f"{with_sign(row['estimate'])} points ({with_sign(row['lower'])} to {with_sign(row['upper'])})"
