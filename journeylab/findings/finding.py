"""What do all findings share? The contract they keep, and the tidy tables they hold."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from journeylab.base import html
from journeylab.base.charts import Chart
from journeylab.base.words import percent
from journeylab.estimators.intervals import wilson
from journeylab.events.log import Window

# The columns of an estimate in a tidy table.
ESTIMATE = dict.fromkeys(("estimate", "lower", "upper"), float)

Row = pd.Series | Mapping[str, Any]


@dataclass(frozen=True)
class Finding(ABC):
    """An answer: a title, a tidy table, a sentence and a figure.

    title: what was asked, in a few words.
    table: tidy DataFrame, one row per estimate, with `lower`, `upper` and its base (`n` or `at_risk`).
    lacking: where the data lack what the question needs, a sentence that says what; the finding is then empty: tables
        with their columns and without estimates, the same sentence, a figure that says it. None otherwise.
    period: what was observed, the window of the spells or the log that it was found in; None where that is not known.
    """

    title: str
    table: pd.DataFrame
    lacking: str | None = field(default=None, kw_only=True)
    period: Window | None = field(default=None, kw_only=True)

    @abstractmethod
    def sentence(self) -> str:
        """The main result in plain words: number, interval, base."""

    @abstractmethod
    def by_stage(self) -> pd.DataFrame:
        """Index `stage` in journey order; a column per lane of the journey map."""

    @abstractmethod
    def plot(self, ax=None) -> Chart:
        """Draw the main result, into matplotlib `ax` if given."""

    def _repr_html_(self) -> str:
        return self._card(html.paragraph(self.sentence()), html.table(self.table))

    def _card(self, *parts: str) -> str:
        """The card of every finding: title, where it is known the period in small print, and `parts`, which are HTML
        already."""
        if self.period is None:
            return html.card(self.title, *parts)
        observed = html.escape(f"Observed from {self.period}.")
        return html.card(self.title, f"<p><small>{observed}</small></p>", *parts)


def tidy(rows: Iterable[Mapping], columns: Mapping[str, type], *, by: str | None) -> pd.DataFrame:
    """`rows` as a table with these columns of these types, the same where there is no row; without `by`, without the
    column `group`."""
    table = pd.DataFrame(list(rows), columns=list(columns)).astype(dict(columns))
    return table if by else table.drop(columns="group")


def estimated(limits: Iterable[float]) -> dict[str, float]:
    """An estimate with its lower and upper limit, as cells of a row."""
    return dict(zip(ESTIMATE, map(float, limits), strict=True))


def wilson_share(count: float, n: int, *, confidence: float) -> dict[str, float]:
    """`count` of `n` as a share with Wilson's limits, as cells of a row; missing where `n` is 0."""
    return estimated((count / n if n else np.nan, *wilson(count, n, confidence=confidence)))


def limits_in_words(row: Row) -> str:
    """The limits of a share: “9% to 15%”."""
    return f"{percent(row['lower'])} to {percent(row['upper'])}"


def by_group(table: pd.DataFrame, by: str | None) -> list[tuple[str | None, pd.DataFrame]]:
    """Each group of `table`, in order of appearance, with its rows; without `by` all rows, of the group None."""
    if by is None:
        return [(None, table)]
    return [(group, table[table["group"] == group]) for group in dict.fromkeys(table["group"])]


def lane(name: str, group: str | None) -> str:
    """What a lane of the journey map is called, for all customers or one `group`."""
    return name if group is None else f"{name} ({group})"


def lanes_by_stage(lanes: Mapping[str, Mapping[str, str | None]], stages: Sequence[str]) -> pd.DataFrame:
    """`lanes`, each with its cells by stage, as `Finding.by_stage` returns them; None where a stage has no cell."""
    columns = {name: [cells.get(stage) for stage in stages] for name, cells in lanes.items()}
    return pd.DataFrame(columns, index=pd.Index(stages, name="stage"), dtype=object)
