"""Thoughts: what do customers say in each stage, in their own words, and which themes recur in it?"""

from dataclasses import dataclass, field

import pandas as pd

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.base.ordering import ordered
from journeylab.base.words import counted, percent
from journeylab.findings.finding import NOT_MEASURED, LaneName, StageFinding, share_in_words

NO_THEME = "none of these"
_SHARE = "estimate lower upper n customers"
COLUMNS = f"group stage theme {_SHARE} note"
THEMES = f"theme words recurrence {_SHARE}"
PAINS = f"group stage theme {_SHARE} others difference difference_lower difference_upper n_others is_pain note"
QUOTES = "group stage theme quote source month"
_N_IN_CELL = 2


@dataclass(frozen=True)
class Thoughts(StageFinding):
    """What customers wrote while they were in a stage, redacted before anything else was done with it.

    Attributes
    ----------
    table : DataFrame
        A row per (group,) stage and theme: the share of the `n` texts written there, by `customers`, that belong to the
        theme (clustered by customer). “none of these”: texts with none of the words of any theme. Empty without themes.
    themes : DataFrame
        The same over all stages. `words`: the ten of most weight. `recurrence`: how much of them comes back when texts
        are left out, 0 to 1.
    pains : DataFrame
        A row per (group,) stage and theme: the share of the `n` texts written near a loss or with a low score that
        belong to the theme, and `others`, that share of the `n_others` texts of customers who were not lost from the
        stage. `is_pain`: whether the `difference` is above 0, allowing for all themes and stages.
    quotes : DataFrame
        Typical texts of each (group and) stage, and of each theme (`stage` or `theme` is None). No customer is quoted
        twice.
    languages : DataFrame
        How many texts are in which language.
    why_no_themes : str or None
        A sentence where there are none.
    language : str or None
        Of the texts in which themes were sought; texts in others are left out there.
    n_texts, customers : int
        All texts, and who wrote them.
    """

    themes: pd.DataFrame = field(repr=False)
    pains: pd.DataFrame = field(repr=False)
    quotes: pd.DataFrame = field(repr=False)
    languages: pd.DataFrame = field(repr=False)
    why_no_themes: str | None
    language: str | None
    n_texts: int
    customers: int

    def sentence(self) -> str:
        """How many wrote how much, in which language, and the commonest theme with its share."""
        base = f"{counted(self.n_texts, 'text')} of {counted(self.customers, 'customer')} written while in a stage"
        main = self.languages[self.languages["language"] == self.language]
        share = f", {percent(main['estimate'].iloc[0])} of them in {self.language}" if len(main) else ""
        return f"{base}{share}. {self.why_no_themes or self._commonest()}"

    def by_stage(self) -> pd.DataFrame:
        """Lanes `thoughts` (quotes) and `pain points`: the themes that are more frequent near a loss or with a low
        score than among customers who were not lost; with groups, a pair for each."""
        groups = sorted({*self.table["group"], *self.quotes["group"].dropna()}) if self.by else [None]
        lanes = {}
        for group in groups or [None]:
            quotes, pains = (
                rows if group is None else rows[rows["group"] == group] for rows in (self.quotes, self.pains)
            )
            suffix = f" ({group})" if group is not None else ""
            lanes[LaneName.THOUGHTS + suffix] = {stage: _quoted(quotes, stage) for stage in self.stages}
            lanes[LaneName.PAIN_POINTS + suffix] = {stage: self._pain_points(pains, stage) for stage in self.stages}
        return self._lanes(lanes)

    def plot(self, ax=None) -> Chart:
        """The share of each theme over all stages, with intervals."""
        if self.themes.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        shares = [f"{row['theme']} {share_in_words(row)}" for _, row in self.themes.iterrows()]
        n_texts = self.themes["n"].iloc[0]
        return charts.intervals(
            self.themes,
            label="theme",
            percent=True,
            x_label=f"share of {n_texts:,} texts ({self.confidence:.0%} intervals)",
            title="Themes in what customers write",
            alt=f"Themes in what customers write, share of {n_texts:,} texts. {'; '.join(shares)}.",
            ax=ax,
        )

    def _repr_html_(self) -> str:
        parts = [html.paragraph(self.sentence())]
        if len(self.themes):
            parts.append(html.table(self.themes, caption=f"Themes, {self.confidence:.0%} intervals"))
        for column in ("theme", "stage"):
            for name, rows in self.quotes.dropna(subset=[column]).groupby(column, sort=False):
                parts.append(html.heading(str(name)))
                parts += [html.quotation(row["quote"], origin=_origin(row)) for _, row in rows.iterrows()]
        if len(self.table):
            parts.append(html.table(self.table, caption="Themes by stage"))
        return self._card(*parts)

    def _pain_points(self, pains: pd.DataFrame, stage: str) -> str | None:
        if self.lacking:
            return None
        rows = pains[pains["stage"] == stage]
        if rows.empty:
            return f"{NOT_MEASURED}: no theme recurs in what customers write"
        here = ordered(rows[rows["is_pain"]], "difference").head(_N_IN_CELL)
        if here.empty:
            return f"{NOT_MEASURED}: {rows['note'].iloc[0] or 'no theme is more frequent near a loss'}"
        return "; ".join(
            f"{row['theme']}: {percent(row['estimate'])} near a loss or with a low score, {percent(row['others'])} of "
            f"others ({percent(row['lower'])} to {percent(row['upper'])}; {counted(row['n'], 'text')})"
            for _, row in here.iterrows()
        )

    def _commonest(self) -> str:
        themes = self.themes[self.themes["theme"] != NO_THEME]
        row = themes.iloc[0]
        share = share_in_words(row, within=f" of {counted(row['n'], 'text')}", level=self._level)
        return f"{len(themes)} themes recur in them. The commonest is “{row['theme']}”, with {share}."


def _quoted(quotes: pd.DataFrame, stage: str) -> str | None:
    rows = quotes[quotes["stage"] == stage]
    return " · ".join(f"“{row['quote']}” ({_origin(row)})" for _, row in rows.iterrows()) or None


def _origin(row: pd.Series) -> str:
    return ", ".join(part for part in (row["source"], row["month"]) if part)
