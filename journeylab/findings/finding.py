"""What do all findings share? The contract they keep, and the tidy tables they hold."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from journeylab.base import html
from journeylab.base.charts import Chart
from journeylab.events.log import Window


class LaneName:
    """What `Finding.by_stage` calls its columns, as far as the journey map has a row for them."""

    TIME_IN_STAGE, MEAN_TIME, EVER_REACHED = "time in stage", "mean time", "ever reached"
    TRIGGER_SEEN, VALIDATED, CRM_AGREEMENT = "trigger seen", "validated", "CRM agreement"
    ACTIONS, TOUCHPOINTS, PROACTIVE = "actions", "touchpoints", "reactive : proactive"
    MOMENTS, THOUGHTS, EMOTIONS = "moments", "thoughts", "emotions"
    THEMES, PAIN_POINTS, BEFORE_A_LOSS = "themes", "pain points", "before a loss"
    FORWARD, SKIP, BACK, STILL_INSIDE = "forward", "skip", "back", "still inside"
    LOST, MAIN_BRANCH, DECLARED_LOSSES = "lost", "main branch", "declared losses"
    SILENCE, BACK_AFTER_LOSS, BACK_AFTER_SILENCE = "lost by silence window", "back after loss", "back after silence"
    ROLES, VALUE = "roles", "value"


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

    def losses_by_branch(self) -> pd.DataFrame | None:
        """The shares lost, for a finding that estimates them; None otherwise.

        One row per (`group`,) `stage`, branch `to` and `horizon_days`: `estimate`, `lower`, `upper` and `n` visits.
        """
        return None

    def feelings_by_stage(self) -> pd.DataFrame | None:
        """The mean feeling from -2 to 2, for a finding that estimates it; None otherwise.

        One row per (`group` and) `stage`, with `estimate`, `lower`, `upper`, `n` answers and `mark` (“high”, “low”).
        """
        return None

    def coverage_in_words(self, group: str | None = None) -> str | None:  # noqa: ARG002
        """Which source of the log covers which share of customers (of `group`), separated by semicolons; None for a
        finding that does not tell."""
        return None

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
