"""Covariates: what was known of a visit, and since when, so that nothing is used before it was known?"""

from dataclasses import dataclass
from datetime import timedelta

import ibis
import numpy as np
import pandas as pd

from journeylab.base import html
from journeylab.base.durations import DAY, microseconds
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.kinds import checked_class
from journeylab.base.words import counted
from journeylab.events.journey.conditions import holds
from journeylab.events.log import KNOWN_AT, EventLog, written
from journeylab.events.queries.answers import Asked, as_condition
from journeylab.events.spells import Spells


@checked_class
@dataclass(frozen=True, eq=False)
class Exposure:
    """Something that happens to customers at times of their own, such as a first support case: counts from then on.

    A visit is exposed after the customer's first time, be it within the visit or before it; not yet at that very time.

    Parameters
    ----------
    name : str
        What it is.
    times : DataFrame
        ``customer_id``, ``time`` (UTC); a customer may have several rows, or none.

    Raises
    ------
    EstimateError
        If a column is lacking, a customer or a time is missing, or times have no time zone.
    """

    name: str
    times: pd.DataFrame

    def __post_init__(self) -> None:
        for column in ("customer_id", "time"):
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
    def to(cls, when: Asked, *, log: EventLog, name: str | None = None) -> "Exposure":
        """Exposure to events of a log, those before the window too.

        Parameters
        ----------
        when : str, list of str or mapping
            The name of an event, a list of names, or a condition as in journey.yml, such as
            ``{"event": "ticket_opened", "where": {"priority": "high"}}``.
        log : EventLog
        name : str, optional
            What to call it; by default the condition in words.

        Raises
        ------
        EstimateError
            If `when` is no condition, or no event meets it.
        JourneyError
            If it asks for a column that the log lacks.
        """
        condition = as_condition(when)
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
        first = visits["customer_id"].map(self.times.groupby("customer_id")["time"].min())
        after = (first - visits["entered"]).dt.as_unit("us").astype("int64").to_numpy() / DAY
        return np.where(first.isna(), np.inf, after)

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
        rule = "A visit counts as exposed from the customer’s first time on, and not before."
        return html.card("Exposure", html.paragraph(self.sentence()), html.paragraph(rule))


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
            day = after[visit[cut]]
            later = (visit[cut], day, exit_[cut], event[cut])
            exit_, event = exit_.copy(), event.copy()
            exit_[cut], event[cut] = day, False
            joined = zip((visit, entry, exit_, event), later, strict=True)
            visit, entry, exit_, event = (np.concatenate(pair) for pair in joined)
        order = np.lexsort((entry, visit))
        visit, entry, exit_, event = (column[order] for column in (visit, entry, exit_, event))
        columns = [(after[visit] <= entry) | (after[visit] < 0) for after in exposed_after]
        exposed = np.column_stack(columns) if columns else np.zeros((len(visit), 0), bool)
        return cls(visit, entry, exit_, event, exposed)


def check_known_in_time(visits: pd.DataFrame, customers: pd.DataFrame, name: str) -> None:
    """Raise EstimateError where the attribute `name` of `customers` became known after a visit was first watched.

    A column `NAME_known_at` or `known_at` of `customers` says when it became known; without one it counts as known at
    the start, which is what a table of customers holds.
    """
    column = next((column for column in (f"{name}_{KNOWN_AT}", KNOWN_AT) if column in customers.columns), None)
    if column is None:
        return
    known_at = pd.to_datetime(visits["customer_id"].map(customers[column]), utc=True)
    late = (known_at > visits["observed_from"]) & visits["customer_id"].map(customers[name]).notna()
    if late.any():
        first = visits[late].iloc[0]
        raise EstimateError(
            f"“{name}” became known only after {late.sum():,} of {len(visits):,} visits had begun, first for customer "
            f"“{first['customer_id']}”: known {known_at[late].iloc[0]:%Y-%m-%d %H:%M}, watched from "
            f"{first['observed_from']:%Y-%m-%d %H:%M}. Who has it must have stayed that long, so it would seem to keep "
            f"customers. Give Grouping(“{name}”, labels, known_at), which starts the clock then, or an Exposure."
        )


def score_value(
    log: EventLog, spells: Spells, *, column: str = "value", within: str | timedelta | None = None
) -> pd.Series:
    """What each customer was worth when a visit began: the sum of a column of the log up to then.

    Parameters
    ----------
    log : EventLog
    spells : Spells
    column : str
        The column of the log's events to add up.
    within : str or timedelta, optional
        Only events at most so long before entering count, as "90d".

    Returns
    -------
    Series
        By customer_id and spell, in the order of `spells`; 0 where nothing was recorded. The event that opened the
        visit counts, and history before the window does. Nothing later does: a sum up to the loss would grow with
        every day a customer stays, and so make long visits look precious.

    Raises
    ------
    EstimateError
        If the log has no such column, or one that holds no numbers.
    """
    events = log.events
    if column not in events.columns:
        raise EstimateError(f"The log has no column “{column}”. {did_you_mean(column, events.columns)}")
    kind = events[column].type()
    if not kind.is_numeric():
        raise EstimateError(
            f"The column “{column}” of the log holds {kind}, not numbers. Name the column that holds what was paid."
        )
    visits = spells.table.select(["customer_id", "spell", "entered"]).to_pandas()
    if within is not None:
        visits["since"] = visits["entered"] - pd.Timedelta(microseconds=microseconds(within))
    paid = events.select("customer_id", "time", worth=events[column].cast("float64")).drop_null("worth")
    paid = paid.filter(~paid.worth.isnan())
    begun = ibis.memtable(visits)
    pairs = begun.join(paid, [begun.customer_id == paid.customer_id, paid.time <= begun.entered], rname="{name}_paid")
    if within is not None:
        pairs = pairs.filter(pairs.time >= pairs.since)
    # Sums of floats depend on the order of rows, which an engine does not promise: in whole millionths they do not.
    millionths = (pairs.worth * 1_000_000).round().cast("int64").sum()
    sums = pairs.group_by("customer_id", "spell").aggregate(sum=millionths).to_pyarrow().to_pandas()
    index = pd.MultiIndex.from_frame(visits[["customer_id", "spell"]])
    values = sums.set_index(["customer_id", "spell"])["sum"].reindex(index).fillna(0).to_numpy(dtype=np.float64)
    return pd.Series(values / 1_000_000, index=index, name=column)
