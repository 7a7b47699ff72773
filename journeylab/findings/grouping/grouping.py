"""Whose visits are asked about: groups of customers, and the customers that a finding is limited to."""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import pandas as pd

from journeylab.base import html
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.kinds import checked_class
from journeylab.base.words import counted
from journeylab.events.features.attributes import tells_only_the_future
from journeylab.events.log import KNOWN_AT, EventLog, written
from journeylab.events.spells import Spells
from journeylab.findings.arguments import check_confidence
from journeylab.findings.grouping.foresight import future_in_words

# What customers can be chosen from.
Record = TypeVar("Record", Spells, EventLog)


@checked_class
@dataclass(frozen=True)
class Grouping:
    """Labels by customer, and when each label became known.

    Parameters
    ----------
    name : str
        What the groups are, such as “persona”.
    labels : Series of str
        Indexed by customer_id; customers without a label are absent.
    known_at : Series of datetime64[us, UTC], optional
        With the same index. None where each label was known at the customer's first event.
    lacking : str, optional
        Why no customer has a label, in a sentence, where the data do not allow any.
    is_of_entry : bool
        Whether the labels follow from how customers came in, as those of `find_cohorts` do, and so hold no future.

    Raises
    ------
    EstimateError
        If a customer has two labels, or a label but no time when it became known.

    Examples
    --------
    >>> import pandas as pd
    >>> Grouping("plan", pd.Series({"ann": "large", "bob": "small"})).labels["ann"]
    'large'
    """

    name: str
    labels: pd.Series
    known_at: pd.Series | None = None
    lacking: str | None = None
    is_of_entry: bool = False

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

    @property
    def may_know_the_future(self) -> bool:
        """Whether only the data can tell: labels that do not follow from entering, and do not say since when."""
        return self.known_at is None and not self.is_of_entry

    @classmethod
    def of(cls, by: "By", spells: Spells | EventLog) -> "Grouping":
        """`by` as a Grouping.

        Parameters
        ----------
        by : Grouping, Series, str or list of these
            A Grouping, labels by customer, or the name of a column of `spells.customers`. A list gives all its
            combinations that occur, as in “large · phone”; customers who lack one of the labels have none, and a label
            counts as known once all its parts are.
        spells : Spells or EventLog

        Raises
        ------
        EstimateError
            If the column does not exist, if its times cannot be read, or if labels are named for what only the future
            tells, such as “tenure” or “churned”, and nothing says when they became known.

        Notes
        -----
        A column `NAME_known_at`, or else `known_at`, of `spells.customers` says when the labels of the column NAME
        became known (times, or text in ISO 8601; without a zone they are UTC). Without either they count as known at
        the start, which is what a table of customers holds.
        """
        if isinstance(by, pd.Series):
            by = cls(str(by.name or "group"), by.dropna().astype(str))
        if isinstance(by, Grouping):
            if by.known_at is None:
                check_no_future(by.name, fix=f"Give jl.Grouping(“{by.name}”, labels, known_at), which says since when")
            return by
        if not isinstance(by, str):
            return cls._joined([cls.of(part, spells) for part in by])
        customers = spells.customers
        if by not in customers.columns:
            raise EstimateError(
                f"The customers have no attribute “{by}” to group by. {did_you_mean(by, attribute_names(customers))}"
            )
        labels = customers[by].dropna().astype(str)
        times = known_at_column(by, customers)
        if times is None:
            check_no_future(by)
            return cls(by, labels)
        return cls(by, labels, _read_times(customers[times].reindex(labels.index)))

    @classmethod
    def _joined(cls, parts: "list[Grouping]") -> "Grouping":
        if not parts:
            raise EstimateError("`by` is an empty list. Name one column or more to group by, or leave `by` out.")
        labels = pd.concat([part.labels for part in parts], axis=1, join="inner", keys=range(len(parts)))
        dated = [part.known_at.reindex(labels.index) for part in parts if part.known_at is not None]
        known_at = pd.concat(dated, axis=1).max(axis=1) if dated else None
        name = " and ".join(part.name for part in parts)
        return cls(name, labels.agg(" · ".join, axis=1).astype(object), known_at)

    def apply(self, spells: pd.DataFrame) -> pd.DataFrame:
        """The visits of labelled customers with a column `group`, each watched only from when its label was known.

        Parameters
        ----------
        spells : DataFrame
            Visits, with the columns of spells.

        Returns
        -------
        DataFrame
            A visit that had ended by then is left out: its customer could not yet have been in the group. Otherwise
            labels learned later would lend customers immortal time. A visit that was running joins the risk set late,
            at the age it had (left truncation): what is estimated before the youngest such age is conditional on still
            being inside the stage at that age.
        """
        grouped = spells.assign(group=spells["customer_id"].map(self.labels))
        grouped = grouped[grouped["group"].notna()]
        if self.known_at is None:
            return grouped
        known = grouped["customer_id"].map(self.known_at)
        is_later = (grouped["left"] > known) | (grouped["entered"] >= known)
        visits, known = grouped[is_later], known[is_later]
        return visits.assign(observed_from=visits["observed_from"].where(visits["observed_from"] >= known, known))

    def _repr_html_(self) -> str:
        known = "at the first event of the customer"
        if self.known_at is not None and len(self.known_at):
            known = f"between {written(self.known_at.min().floor('D'))} and {written(self.known_at.max().ceil('D'))}"
        sentence = f"{counted(len(self.labels), 'customer')}; each label became known {known}."
        groups = self.labels.value_counts().rename_axis(self.name).rename("customers").reset_index()
        return html.card(f"Groups by {self.name}", html.paragraph(sentence), html.table(groups, csv=False))


def check_no_future(name: str, *, fix: str | None = None) -> None:
    """Raise EstimateError where `name` is that of something that only the future tells.

    `fix`: the first thing to do about it, where it is no column of the customers' table.
    """
    if tells_only_the_future(name):
        fix = fix or f"Say in a column “{name}_{KNOWN_AT}” when each value became known"
        raise EstimateError(
            f"The customers’ attribute “{name}” is named for something that only the future tells, so customers would "
            f"be grouped by how they end up. {fix}, rename it for what it holds, or group by something else."
        )


def known_at_column(name: str, customers: pd.DataFrame) -> str | None:
    """The column of `customers` that says when the values of the column `name` became known; None without one."""
    return next((column for column in (f"{name}_{KNOWN_AT}", KNOWN_AT) if column in customers.columns), None)


def attribute_names(customers: pd.DataFrame) -> list[str]:
    """The columns of `customers` but those that say when others became known."""
    return [column for column in customers.columns if not str(column).endswith(KNOWN_AT)]


def _read_times(times: pd.Series) -> pd.Series:
    """`times` in UTC, missing where they are missing. Raises EstimateError for what is not a time."""
    if not pd.api.types.is_datetime64_any_dtype(times):
        # Of mixed kinds, such as timestamps beside None, ISO 8601 is what all are written in.
        times = times.map(str, na_action="ignore")
    utc_times = pd.to_datetime(times, utc=True, format="ISO8601", errors="coerce")
    unread = times.notna() & utc_times.isna()
    if unread.any():
        raise EstimateError(
            f"“{times.name}” of customer “{times.index[unread][0]}” is “{times[unread].iloc[0]}”, which is not a time. "
            "Write times as in “2025-01-31 14:00”, in UTC."
        )
    return utc_times


By: TypeAlias = Grouping | pd.Series | str | Sequence[Grouping | pd.Series | str]
Where: TypeAlias = str | pd.Series


def select(record: Record, where: Where | None) -> Record:
    """`record` (spells or a log) with only the customers that `where` holds for; all of them without `where`.

    Parameters
    ----------
    record : Spells or EventLog
    where : str or Series of bool, optional
        A condition on the columns of `record.customers` as pandas' `query` takes it, such as
        ``"seats > 10 and country == 'DE'"``, or for each customer (index customer_id) whether to keep them.

    Raises
    ------
    EstimateError
        If `where` is not a condition, leaves nobody, or names a column that the customers lack or that only the future
        tells.
    """
    if where is None:
        return record
    if isinstance(where, pd.Series):
        check_no_future(str(where.name or ""), fix="Choose customers by what was known when they came")
    chosen = where if isinstance(where, pd.Series) else _condition(where, record.customers)
    if not pd.api.types.is_bool_dtype(chosen.dtype):
        raise EstimateError(
            f"`where` gives {chosen.dtype} values, not yes or no for each customer. "
            "Compare with something, as in “seats > 10”."
        )
    customers = chosen.index[chosen.fillna(False).to_numpy(dtype=bool)]
    if not len(record.customers.index.intersection(customers)):
        raise EstimateError(
            f"`where` leaves none of the {counted(len(record.customers), 'customer')}. Ask for something that occurs."
        )
    return record.only(customers=customers)


def _condition(where: str, customers: pd.DataFrame) -> pd.Series:
    """Whether `where` holds, for each of `customers`."""
    for column in _columns_in(where, customers):
        if known_at_column(column, customers):
            raise EstimateError(
                f"“{column}” became known after the start for some customers, so who meets `where` was not known when "
                f"their visits began. Ask by it instead: by=“{column}”."
            )
        check_no_future(column)
    try:
        chosen = customers.eval(where, engine="python")
    except (NameError, SyntaxError, TypeError, ValueError, AttributeError, KeyError) as error:
        raise EstimateError(
            f"`where` is “{where}”, which cannot be asked of the customers ({error}). "
            f"Use their columns: {', '.join(map(str, customers.columns)) or 'they have none'}."
        ) from error
    return chosen if isinstance(chosen, pd.Series) else pd.Series(chosen, index=customers.index)


def _columns_in(where: str, customers: pd.DataFrame) -> list[str]:
    quoted = re.findall(r"`([^`]*)`", where)
    try:
        names = {node.id for node in ast.walk(ast.parse(where.replace("`", " "))) if isinstance(node, ast.Name)}
    except SyntaxError:
        names = set()
    return [str(column) for column in customers.columns if column in names or column in quoted]


def watched(spells: Spells, by: By | None) -> pd.DataFrame:
    """The spells to estimate from, with a column `group` if `by` is given; see `Grouping.apply`.

    There may be none: `why_nobody` says why. Raises EstimateError where there are spells and labels, but no labelled
    customer has a spell.
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


def why_nobody(spells: Spells, grouping: Grouping | None, *, inside: str = "in a stage") -> str:
    """Where no visit of `spells` was watched, a sentence that says why. `inside`: where nobody was."""
    if grouping is None or not len(spells):
        return (
            "Nobody was in a stage while it was watched, so there is nothing to estimate. Look whether the log holds "
            "events that open the stages: lint_journey(journey, log=log) tells."
        )
    if grouping.lacking:
        return grouping.lacking
    if grouping.labels.empty:
        return f"Nobody has a known {grouping.name}, so there is nothing to compare by it."
    return (
        f"Nobody was {inside} when their {grouping.name} was known or after, so there is nothing to compare by it. "
        "Look at when it became known."
    )


@dataclass(frozen=True)
class WatchedVisits:
    """The visits that a finding is made from.

    spells: those of the chosen customers. grouping: the groups asked for, or None. visits: the rows of the spells that
    were watched; with groups, those of labelled customers, with a column `group`.
    """

    spells: Spells
    grouping: Grouping | None
    visits: pd.DataFrame
    confidence: float

    @classmethod
    def of(cls, spells: Spells, *, by: By | None, where: Where | None, confidence: float) -> "WatchedVisits":
        """The visits that the arguments of a finding ask for; see `select`, `Grouping.of` and `watched`."""
        check_confidence(confidence)
        chosen = select(spells, where)
        grouping = None if by is None else Grouping.of(by, chosen)
        return cls(chosen, grouping, watched(chosen, grouping), confidence)

    @property
    def by(self) -> str | None:
        """What the groups are, or None."""
        return self.grouping.name if self.grouping else None

    def about(self, title: str) -> dict[str, Any]:
        """What a `StageFinding` says of itself: title, groups and what is doubtful about them, stages and period."""
        title = f"{title}, by {self.by}" if self.by else title
        may_know = self.grouping is not None and self.grouping.may_know_the_future
        doubt = future_in_words(str(self.by), self.visits, self.spells) if may_know else None
        notes, stages, period = (doubt,) if doubt else (), self.spells.journey.stage_names, self.spells.window
        given = {"by": self.by, "confidence": self.confidence}
        return {"title": title, "notes": notes, "stages": stages, "period": period, **given}

    def why_nobody(self) -> str:
        """Why there are no visits, in a sentence, where that is so."""
        return why_nobody(self.spells, self.grouping)
