"""Covariates: what was known of a visit, and since when, so that nothing known later speaks for the time before?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from journeylab.base import html
from journeylab.base.documents import check_document, read_document
from journeylab.base.durations import DAY
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.words import counted
from journeylab.events.journey.conditions import Condition, holds
from journeylab.events.log import KNOWN_AT, EventLog, written

NEVER = np.inf
_COLUMNS = ("customer_id", "time")


@dataclass(frozen=True, eq=False)
class Exposure:
    """Something that happens to customers at times of their own, such as a first support case: counts from then on.

    name: what it is. times: DataFrame `customer_id`, `time` (UTC); a customer may have several rows, or none. A visit
    is exposed after the customer's first time, be it within the visit or before it; what happens at that very time is
    not yet.

    Raises EstimateError where a column is lacking, a customer or a time is missing, or times have no time zone.
    """

    name: str
    times: pd.DataFrame

    def __post_init__(self) -> None:
        for column in _COLUMNS:
            if column not in self.times.columns:
                raise EstimateError(
                    f"The times of “{self.name}” have no column “{column}”. "
                    f"{did_you_mean(column, self.times.columns)} Name the columns customer_id and time."
                )
            missing = self.times[column].isna()
            if missing.any():
                raise EstimateError(
                    f"“{column}” is missing in {missing.sum():,} of {len(self.times):,} times of “{self.name}”. "
                    "Leave these rows out."
                )
        if not isinstance(self.times["time"].dtype, pd.DatetimeTZDtype):
            raise EstimateError(
                f"The times of “{self.name}” are {self.times['time'].dtype}, not times in a time zone. "
                "Convert them with pandas.to_datetime(..., utc=True)."
            )

    @classmethod
    def to(cls, when: str | Sequence[str] | Mapping[str, Any], *, log: EventLog, name: str | None = None) -> "Exposure":
        """Exposure to events of `log`: `when` is the name of an event, a list of names, or a condition as in
        journey.yml, such as {"event": "ticket_opened", "where": {"priority": "high"}}.

        Events before the window count too. Raises EstimateError where `when` is no condition, or no event is meant;
        JourneyError for a column that the log lacks.
        """
        document = read_document(when if isinstance(when, Mapping) else {"event": when}, error=EstimateError)
        condition = check_document(document, Condition, error=EstimateError)
        name = name or condition.words
        events = log.events.filter(holds(log.events, condition, owner=f"the exposure “{name}”"))
        first = events.group_by("customer_id").aggregate(time=events.time.min()).order_by("customer_id")
        times = first.to_pyarrow().to_pandas()
        if times.empty:
            raise EstimateError(
                f"No event of the log is “{name}”. Look at the names of its events: log.events_by_type()."
            )
        return cls(name, times)

    def days(self, visits: pd.DataFrame) -> np.ndarray:
        """Days from entering each visit to the customer's first time, (visits,): negative before, infinite if never."""
        first = visits["customer_id"].map(self._first)
        after = (first - visits["entered"]).dt.as_unit("us").astype("int64").to_numpy() / DAY
        return np.where(first.isna(), NEVER, after)

    def sentence(self) -> str:
        """How many times of how many customers, from when to when."""
        if not len(self.times):
            return f"“{self.name}” happened to nobody."
        first, last = (written(self.times["time"].agg(end).floor("min")) for end in ("min", "max"))
        n = self.times["customer_id"].nunique()
        times = counted(len(self.times), "time")
        return f"“{self.name}” happened to {counted(n, 'customer')}, {times}, from {first} to {last}."

    def __repr__(self) -> str:
        return f"Exposure: {self.sentence()}"

    def _repr_html_(self) -> str:
        said = "A visit counts as exposed from the customer’s first time on, and not before."
        return html.card("Exposure", html.paragraph(self.sentence()), html.paragraph(said))

    @cached_property
    def _first(self) -> pd.Series:
        return self.times.groupby("customer_id")["time"].min()


@dataclass(frozen=True, eq=False)
class RiskRows:
    """Visits cut at the times when what is known of them changes: arrays (rows,).

    visit: position of the visit. entry, exit, event: at risk on (entry, exit], and whether it ended as asked.
    exposed: bool (rows, exposures): whether each of them had happened before the row's time at risk.
    """

    visit: np.ndarray
    entry: np.ndarray
    exit: np.ndarray
    event: np.ndarray
    exposed: np.ndarray

    @classmethod
    def of(cls, entry: np.ndarray, exit_: np.ndarray, event: np.ndarray, exposed_after: list[np.ndarray]) -> "RiskRows":
        """The rows of visits at risk on (entry, exit], each cut at those of its days `exposed_after` that lie within.

        A negative entry is that of a visit watched from its start; days before day 0 expose it from its start.
        """
        visit = np.arange(len(entry))
        for after in exposed_after:
            cut = np.flatnonzero((entry < after[visit]) & (after[visit] >= 0) & (after[visit] < exit_))
            at = after[visit[cut]]
            later = (visit[cut], at, exit_[cut], event[cut])
            exit_, event = exit_.copy(), event.copy()
            exit_[cut], event[cut] = at, False
            joined = zip((visit, entry, exit_, event), later, strict=True)
            visit, entry, exit_, event = (np.concatenate(pair) for pair in joined)
        order = np.lexsort((entry, visit))
        visit, entry, exit_, event = (column[order] for column in (visit, entry, exit_, event))
        exposed = np.empty((len(visit), len(exposed_after)), bool)
        for place, after in enumerate(exposed_after):
            exposed[:, place] = (after[visit] <= entry) | (after[visit] < 0)
        return cls(visit, entry, exit_, event, exposed)


def check_known_in_time(name: str, visits: pd.DataFrame, customers: pd.DataFrame) -> None:
    """Raise EstimateError where the attribute `name` of `customers` became known after a visit was first watched.

    When it became known is told by a column `NAME_known_at` or `known_at` of `customers`; without one it counts as
    known at the start, which is what a table of customers holds.
    """
    column = next((each for each in (f"{name}_{KNOWN_AT}", KNOWN_AT) if each in customers.columns), None)
    if column is None:
        return
    known = pd.to_datetime(visits["customer_id"].map(customers[column]), utc=True)
    late = (known > visits["observed_from"]) & visits["customer_id"].map(customers[name]).notna()
    if late.any():
        first = visits[late].iloc[0]
        raise EstimateError(
            f"“{name}” became known only after {late.sum():,} of {len(visits):,} visits had begun, first for customer "
            f"“{first['customer_id']}”: known {known[late].iloc[0]:%Y-%m-%d %H:%M}, watched from "
            f"{first['observed_from']:%Y-%m-%d %H:%M}. Who has it must have stayed that long, so it would seem to keep "
            f"customers. Give Grouping(“{name}”, labels, known_at), which starts the clock then, or an Exposure."
        )
