"""Thoughts: what do customers say in each stage, in their own words, and which themes recur in it?"""

from dataclasses import dataclass, field

import pandas as pd

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.base.ordering import ordered
from journeylab.base.words import counted, percent
from journeylab.findings.finding import Finding, LaneName

NO_THEME = "none of these"
_SHARE = {"estimate": float, "lower": float, "upper": float, "n": int, "customers": int}
COLUMNS = {"group": object, "stage": object, "theme": object, **_SHARE, "note": object}
THEMES = {"theme": object, "words": object, "recurrence": float, **_SHARE}
QUOTES = {"group": object, "stage": object, "theme": object, "quote": object, "source": object, "month": object}
_N_IN_CELL = 2


@dataclass(frozen=True)
class Thoughts(Finding):
    """What customers wrote while they were in a stage; redacted before it was read.

    table: a row per (group,) stage and theme: the share of the `n` texts written there, by `customers`, that belong to
        the theme (clustered by customer); “none of these” holds none of the words of any. Empty without themes.
    themes: the same over all stages; `words`: the ten weightiest; `recurrence`: how much of them recurs when texts are
        left out, 0 to 1.
    quotes: typical texts of each (group and) stage, and of each theme (`stage` or `theme` is None); no customer is
        quoted twice. languages: how many texts are in which.
    why_no_themes: a sentence where there are none. language: of the texts that themes were sought in; those in others
    are left out there. by: what the groups are, or None. stages: of the journey. n_texts by `customers` in all.
    confidence: of the intervals.
    """

    themes: pd.DataFrame = field(repr=False)
    quotes: pd.DataFrame = field(repr=False)
    languages: pd.DataFrame = field(repr=False)
    why_no_themes: str | None
    language: str | None
    n_texts: int
    customers: int
    by: str | None
    stages: tuple[str, ...] = field(repr=False)
    confidence: float

    def sentence(self) -> str:
        """How many wrote how much, in which language, and the commonest theme with its share."""
        if self.lacking:
            return self.lacking
        base = f"{counted(self.n_texts, 'text')} of {counted(self.customers, 'customer')} written while in a stage"
        told = self.languages[self.languages["language"] == self.language]
        share = f", {percent(told['estimate'].iloc[0])} of them told to be in {self.language}" if len(told) else ""
        return f"{base}{share}. {self.why_no_themes or self._commonest()}"

    def by_stage(self) -> pd.DataFrame:
        """Lanes `thoughts` (quotes) and `themes` (the two commonest of the stage); with groups, a pair for each."""
        groups = sorted({*self.table["group"], *self.quotes["group"].dropna()}) if self.by else [None]
        lanes = {}
        for group in groups:
            suffix = f" ({group})" if self.by else ""
            lanes[LaneName.THOUGHTS + suffix] = [self._quoted(stage, group) for stage in self.stages]
            lanes[LaneName.THEMES + suffix] = [self._main_themes(stage, group) for stage in self.stages]
        lanes = lanes or dict.fromkeys((LaneName.THOUGHTS, LaneName.THEMES), [None] * len(self.stages))
        return pd.DataFrame(lanes, index=pd.Index(self.stages, name="stage"), dtype=object)

    def plot(self, ax=None) -> Chart:
        """The share of each theme over all stages, with intervals."""
        if self.themes.empty:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        told = [f"{row['theme']} {_share(row)}" for _, row in self.themes.iterrows()]
        return charts.intervals(
            self.themes,
            label="theme",
            x="estimate",
            lower="lower",
            upper="upper",
            percent=True,
            x_label=f"share of {self.themes['n'].iloc[0]:,} texts ({self.confidence:.0%} intervals)",
            title="Themes in what customers write",
            alt=f"Themes in what customers write, share of {self.themes['n'].iloc[0]:,} texts. {'; '.join(told)}.",
            ax=ax,
        )

    def _repr_html_(self) -> str:
        parts = [html.paragraph(self.sentence())]
        if len(self.themes):
            parts.append(html.table(self.themes, caption=f"Themes, {self.confidence:.0%} intervals"))
        for column in ("theme", "stage"):
            for place, rows in self.quotes.dropna(subset=[column]).groupby(column, sort=False):
                parts.append(html.heading(str(place)))
                parts += [html.quotation(row["quote"], origin=_origin(row)) for _, row in rows.iterrows()]
        if len(self.table):
            parts.append(html.table(self.table, caption="Themes by stage"))
        return self._card(*parts)

    def _commonest(self) -> str:
        row = self.themes[self.themes["theme"] != NO_THEME].iloc[0]
        n = len(self.themes) - (self.themes["theme"] == NO_THEME).sum()
        return (
            f"{n} themes recur in them; the commonest, “{row['theme']}”, is that of {percent(row['estimate'])} of "
            f"{counted(row['n'], 'text')} ({self.confidence:.0%} interval {percent(row['lower'])} to "
            f"{percent(row['upper'])})."
        )

    def _of(self, rows: pd.DataFrame, stage: str, group: str | None) -> pd.DataFrame:
        here = rows[rows["stage"] == stage]
        return here[here["group"] == group] if group is not None else here

    def _quoted(self, stage: str, group: str | None) -> str | None:
        rows = self._of(self.quotes, stage, group)
        return " · ".join(f"“{row['quote']}” ({_origin(row)})" for _, row in rows.iterrows()) or None

    def _main_themes(self, stage: str, group: str | None) -> str | None:
        rows = self._of(self.table, stage, group).dropna(subset=["estimate"])
        rows = ordered(rows[rows["theme"] != NO_THEME], "estimate")
        told = [f"{row['theme']}: {_share(row)}" for _, row in rows.head(_N_IN_CELL).iterrows()]
        return f"{'; '.join(told)}; n = {counted(rows['n'].iloc[0], 'text')}" if told else None


def _share(row: pd.Series) -> str:
    return f"{percent(row['estimate'])} ({percent(row['lower'])} to {percent(row['upper'])})"


def _origin(row: pd.Series) -> str:
    return ", ".join(part for part in (row["source"], row["month"]) if part)
