"""What do all findings share? The contract they keep, the groups they can be asked by, the spells they watch."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from journeylab.base import html
from journeylab.base.charts import Chart
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.words import counted
from journeylab.events.features.attributes import KNOWN_AT, tells_only_the_future
from journeylab.events.log import EventLog, Window, written
from journeylab.events.spells import Spells


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


@dataclass(frozen=True)
class Grouping:
    """Labels by customer, and when each label became known.

    name: what the groups are, as in "persona".
    labels: Series of strings indexed by customer_id; customers without a label are absent.
    known_at: Series of UTC times with the same index, or None where each label was known at the customer's first event.

    Raises EstimateError where a customer has two labels, or a label but no time when it became known.
    """

    name: str
    labels: pd.Series
    known_at: pd.Series | None = None

    def __post_init__(self) -> None:
        twice = self.labels.index[self.labels.index.duplicated()]
        if len(twice):
            raise EstimateError(
                f"Customer “{twice[0]}” has more than one label of “{self.name}”. Give each customer one row."
            )
        if self.known_at is None:
            return
        undated = self.labels.index.difference(self.known_at.dropna().index)
        if len(undated):
            raise EstimateError(
                f"Customer “{undated[0]}” has a label of “{self.name}”, but `known_at` does not say since when. "
                "Give a time for each labelled customer."
            )

    @classmethod
    def of(cls, by: "Grouping | pd.Series | str", spells: Spells | EventLog) -> "Grouping":
        """`by` as a Grouping: itself, a Series of labels by customer, or the name of a column of `spells.customers`.

        When the labels of the column NAME became known is told by a column `NAME_known_at`, or else `known_at`, of
        `spells.customers` (times, or text in ISO 8601; without a zone they are UTC); where neither is there, they count
        as known at the start, which is what a table of customers holds. Raises EstimateError for a column that is not
        there, for times that cannot be read, and, unless it is told when it became known, for a column named for what
        only the future tells, such as “tenure” or “churned” (see `journeylab.events.features`).
        """
        if isinstance(by, Grouping):
            return by
        if isinstance(by, pd.Series):
            return cls(str(by.name or "group"), by.dropna().astype(str))
        customers = spells.customers
        if by not in customers.columns:
            known = [column for column in customers.columns if not str(column).endswith(KNOWN_AT)]
            raise EstimateError(f"The customers have no attribute “{by}” to group by. {did_you_mean(by, known)}")
        labels = customers[by].dropna().astype(str)
        dated = next((each for each in (f"{by}_{KNOWN_AT}", KNOWN_AT) if each in customers.columns), None)
        if dated is None:
            _check_no_future(by)
            return cls(by, labels)
        return cls(by, labels, _read_times(customers[dated].reindex(labels.index)))

    def apply(self, spells: pd.DataFrame) -> pd.DataFrame:
        """`spells` of labelled customers with a column `group`; each is watched only from when its label was known on.

        A spell that had ended by then is left out: its customer could not yet have been in the group. This is what
        keeps labels learned later from lending customers immortal time. A spell that had begun by then, and went on,
        joins the risk set late, at the age it had (left truncation): what is estimated before the youngest such age is
        conditional on still being inside the stage at that age.
        """
        grouped = spells.assign(group=spells["customer_id"].map(self.labels))
        grouped = grouped[grouped["group"].notna()]
        if self.known_at is None:
            return grouped
        known = grouped["customer_id"].map(self.known_at)
        is_later = (grouped["left"] > known) | (grouped["entered"] >= known)
        kept, known = grouped[is_later], known[is_later]
        return kept.assign(observed_from=kept["observed_from"].where(kept["observed_from"] >= known, known))

    def _repr_html_(self) -> str:
        known = "at the first event of the customer"
        if self.known_at is not None and len(self.known_at):
            known = f"between {written(self.known_at.min().floor('D'))} and {written(self.known_at.max().ceil('D'))}"
        said = f"{counted(len(self.labels), 'customer')}; each label became known {known}."
        groups = self.labels.value_counts().rename_axis(self.name).rename("customers").reset_index()
        return html.card(f"Groups by {self.name}", html.paragraph(said), html.table(groups, csv=False))


def _check_no_future(by: str) -> None:
    if tells_only_the_future(by):
        raise EstimateError(
            f"The customers’ attribute “{by}” is named for something that only the future tells. Who stayed long, or "
            f"was lost, would be grouped by just that. Say in a column “{by}_{KNOWN_AT}” when each value became known, "
            "rename it for what it holds, or group by something else."
        )


def _read_times(times: pd.Series) -> pd.Series:
    """`times` in UTC, missing where they are missing. Raises EstimateError for what is no time."""
    if not pd.api.types.is_datetime64_any_dtype(times):
        # Of mixed kinds, such as timestamps beside None, ISO 8601 is what all are written in.
        times = times.map(str, na_action="ignore")
    read = pd.to_datetime(times, utc=True, format="ISO8601", errors="coerce")
    unread = times.notna() & read.isna()
    if unread.any():
        raise EstimateError(
            f"“{times.name}” of customer “{times.index[unread][0]}” is “{times[unread].iloc[0]}”, which is no time. "
            "Write times as in “2025-01-31 14:00”, in UTC."
        )
    return read


def watched(spells: Spells, by: Grouping | pd.Series | str | None) -> pd.DataFrame:
    """The spells to estimate from, with a column `group` if `by` is given; see `Grouping.apply`.

    There may be none: `why_nobody` says why. Raises EstimateError where there are spells and labels, but none of the
    labels is of a customer who has a spell.
    """
    visits = spells.to_pandas()
    if by is None:
        return visits
    grouping = Grouping.of(by, spells)
    if len(visits) and len(grouping.labels) and not visits["customer_id"].isin(grouping.labels.index).any():
        raise EstimateError(
            f"None of the customers with a label of “{grouping.name}” ({len(grouping.labels):,}) has a spell. "
            "Index the labels by customer_id."
        )
    return grouping.apply(visits)


def why_nobody(spells: Spells, grouping: Grouping | None) -> str:
    """Why no visit of `spells` was watched, in a sentence, where that is so."""
    if grouping is None or not len(spells):
        return (
            "Nobody was in a stage while it was watched, so there is nothing to estimate. Look whether the log holds "
            "events that open the stages: lint_journey(journey, log=log) tells."
        )
    if grouping.labels.empty:
        return f"Nobody has a known {grouping.name}, so there is nothing to compare by it."
    return (
        f"Nobody was in a stage when their {grouping.name} was known or after, so there is nothing to compare by it. "
        "Look at when it became known."
    )


def tidy(rows: Iterable[Mapping], columns: Mapping[str, type], *, by: str | None) -> pd.DataFrame:
    """`rows` as a table with these columns of these types, the same where there is no row; without `by`, without the
    column `group`."""
    table = pd.DataFrame(list(rows), columns=list(columns)).astype(dict(columns))
    return table if by else table.drop(columns="group")
