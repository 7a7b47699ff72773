"""Whose visits are asked about: groups of customers, and the customers that a finding is limited to."""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import pandas as pd

from journeylab.base import html
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.words import counted
from journeylab.events.features.attributes import tells_only_the_future
from journeylab.events.log import KNOWN_AT, EventLog, written
from journeylab.events.spells import Spells

# What customers can be chosen from.
Record = TypeVar("Record", Spells, EventLog)


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
    def of(cls, by: "By", spells: Spells | EventLog) -> "Grouping":
        """`by` as a Grouping: itself, labels by customer, a column of `spells.customers`, or a list of these.

        A list gives the groups of all its combinations that occur, as in “large · phone”; customers who lack one of the
        labels have none, and a label counts as known once all its parts are.

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
        if not isinstance(by, str):
            return cls._joined([cls.of(part, spells) for part in by])
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


By = Grouping | pd.Series | str | Sequence["Grouping | pd.Series | str"]
Where = str | pd.Series


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
        If `record` is a DataFrame, if `where` names a column that the customers lack or one that only the future tells,
        is no condition, or leaves nobody.
    """
    if isinstance(record, pd.DataFrame):
        raise EstimateError(
            f"The spells are a DataFrame of {len(record):,} rows, which no longer knows its journey and window. "
            "Give the Spells that find_spells returned, and choose customers with `where=`."
        )
    if where is None:
        return record
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
        if f"{column}_{KNOWN_AT}" in customers.columns or KNOWN_AT in customers.columns:
            raise EstimateError(
                f"“{column}” became known after the start for some customers, so who meets `where` was not known when "
                f"their visits began. Ask by it instead: by=“{column}”."
            )
        _check_no_future(column)
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
