"""The log: which events of which customers were observed, in which window, and which rows could not be used."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from zoneinfo import ZoneInfo, available_timezones

import ibis
import pandas as pd
import pyarrow as pa

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.base.errors import LogError, did_you_mean
from journeylab.base.kinds import checked_class
from journeylab.base.words import counted, listed

REQUIRED = ("customer_id", "time", "event")
INITIATORS = ("customer", "company", "third_party", "system")
# A column `NAME_known_at` of the customers' table, or `known_at`, says when the attribute NAME became known.
KNOWN_AT = "known_at"
# Times in every table of the engine.
TIME = pa.timestamp("us", "UTC")
# Why a row is refused.
MISSING_CUSTOMER, UNREADABLE_TIME, MISSING_EVENT = "missing customer", "unreadable time", "missing event"
DUPLICATE, AFTER_WINDOW = "duplicate", "after the window"
REASONS = (MISSING_CUSTOMER, UNREADABLE_TIME, MISSING_EVENT, DUPLICATE, AFTER_WINDOW)


@checked_class
@dataclass(frozen=True)
class Window:
    """What was observed: from `start` up to, not including, `end` (both UTC).

    Nothing was observed after `end`, which does not mean that nothing happened. Raises LogError unless `start` comes
    before `end`.
    """

    start: pd.Timestamp
    end: pd.Timestamp

    def __post_init__(self) -> None:
        if self.start == self.end:
            raise LogError(f"The window starts and ends {written(self.start)}, so it is empty. Move the end.")
        if self.end < self.start:
            raise LogError(
                f"The window ends {written(self.end)}, before it starts, {written(self.start)}. "
                "Swap the two, or move the end."
            )

    @classmethod
    def from_times(
        cls, start: str | date | pd.Timestamp, end: str | date | pd.Timestamp, *, timezone: str | None = None
    ) -> "Window":
        """The window between two times.

        Parameters
        ----------
        start, end : str, date or Timestamp
            Times such as "2025-01-31" or "2025-01-31T12:00+01:00"; a date is its midnight.
        timezone : str, optional
            The zone of times that name none; UTC by default.

        Raises
        ------
        LogError
            For anything that cannot be read as a time.
        """
        return cls(as_utc(start, timezone=timezone), as_utc(end, timezone=timezone))

    @property
    def days(self) -> float:
        """The window's length in days."""
        return (self.end - self.start) / pd.Timedelta(days=1)

    def __str__(self) -> str:
        return f"{written(self.start)} to {written(self.end)}"

    def _repr_html_(self) -> str:
        sentence = f"From {written(self.start)} up to, not including, {written(self.end)} (UTC): {self.days:g} days."
        return html.card("Observed window", html.paragraph(sentence))


@dataclass(frozen=True, eq=False)
class Quarantine:
    """Rows that were read but cannot be used, with the reason.

    counts: DataFrame, one row per reason of `REASONS` (in that order, zero included), columns `reason`, `rows`.
    rows: Ibis table of the refused rows as they were read (with the source's column names), plus the column `reason`; a
        column that the source itself calls `reason` is named `source_reason`.
    read: Ibis table of all rows that were read, the accepted too: `source` (its name in messages), `time` (UTC),
        `unread` (how a time that cannot be read is written) and `reason` (null where accepted). None where nothing was
        read.
    """

    counts: pd.DataFrame
    rows: ibis.Table
    read: ibis.Table | None = None

    @classmethod
    def from_counts(
        cls, counts: Mapping[str | None, int], rows: ibis.Table, *, read: ibis.Table | None = None
    ) -> "Quarantine":
        """The quarantine with `counts` rows by reason; a reason that is not named has none."""
        by_reason = pd.DataFrame({"reason": REASONS, "rows": [counts.get(reason, 0) for reason in REASONS]})
        return cls(by_reason, rows, read)

    def __len__(self) -> int:
        return int(self.counts["rows"].sum())

    def __str__(self) -> str:
        if not len(self):
            return "no row refused"
        reasons = ", ".join(f"{row.rows:,} {row.reason}" for row in self.counts.itertuples() if row.rows)
        return f"{len(self):,} refused ({reasons})"

    def __repr__(self) -> str:
        return f"Quarantine: {self}"


@dataclass(frozen=True, eq=False)
class EventLog:
    """Events of customers within a window, normalised when they are read.

    Attributes
    ----------
    events : Ibis table
        Columns `customer_id` (string), `time` (timestamp, microseconds, UTC), `event` (string), `seq` (int64, order
        within one time), and any of `event_id`, `channel`, `process`, `initiator`, `contact_id`, `role`, `value`,
        `score`, `text`; other columns are kept as they were read. The rows are in no particular order.
    customers : DataFrame
        Index `customer_id`; attributes known at the start of each customer's journey. May have no column. It has every
        customer of the log, and those of the customers' table without an event.
    window : Window
        What was observed. Events before its start are history; none is at or after its end.
    quarantine : Quarantine
        The rows that were refused at reading.
    rows_read : int
        How many rows were read: events + rows quarantined. `before` and `only` leave this number and the quarantine as
        they are, and `n_left_out` counts the rows that they left out.
    dated : tuple of str
        Names of the sources that have only dates, where others have times of day too.
    """

    events: ibis.Table
    customers: pd.DataFrame
    window: Window
    quarantine: Quarantine
    rows_read: int
    dated: tuple[str, ...] = ()

    @classmethod
    def from_events(cls, events: ibis.Table, *, window: Window, customers: pd.DataFrame | None = None) -> "EventLog":
        """A log from a table that is normalised already, on any backend, such as a cluster. Nothing is copied.

        Nothing is refused either: the caller vouches that no customer, time or event is missing, that no event is at or
        after the window's end, and that no row is there twice.

        Parameters
        ----------
        events : ibis.Table
            Columns as `EventLog` describes them.
        window : Window
            What was observed.
        customers : DataFrame, optional
            Attributes by `customer_id`; by default the customers of the events, without attributes.

        Raises
        ------
        LogError
            When one of the columns `customer_id`, `time`, `event`, `seq` is missing or of another type.
        """
        for column, fits in _TYPES.items():
            if column not in events.columns:
                raise LogError(f"The table of events has no column “{column}”. {did_you_mean(column, events.columns)}")
            if not fits(events[column].type()):
                raise LogError(
                    f"Column “{column}” of the table of events holds {events[column].type()}. "
                    "Read the table with `read_events`, which converts it."
                )
        if customers is None:
            customers = pd.DataFrame(index=customer_ids(events))
        quarantine = Quarantine.from_counts({}, events.filter(ibis.literal(False)).mutate(reason=ibis.literal("")))
        return cls(events, customers, window, quarantine, int(events.count().to_pyarrow().as_py()))

    def __len__(self) -> int:
        return self._totals["events"]

    @property
    def n_customers(self) -> int:
        """How many customers have an event in the log."""
        return self._totals["customers"]

    @property
    def dates_only(self) -> bool:
        """Whether the log has only dates: each is stored as its midnight in UTC, so that every day has 24 hours, and
        nothing can be said of times of day, nor of the order of what happened on one day."""
        return self._totals["events"] > 0 and self._totals["times_of_day"] == 0

    @property
    def n_left_out(self) -> int:
        """How many usable rows `before` and `only` left out; 0 for a log as it was read."""
        return self.rows_read - len(self.quarantine) - len(self)

    def before(self, time: str | date | pd.Timestamp) -> "EventLog":
        """The log as it was known at `time`: events at or after it are left out, and the window ends there.

        Parameters
        ----------
        time : str, date or Timestamp
            After the window's start and not after its end; UTC where it names no zone.

        Returns
        -------
        EventLog
            `customers` stays as it is, because it says what was known at the start.

        Raises
        ------
        LogError
            For a time outside the window.
        """
        time = as_utc(time)
        if not self.window.start < time <= self.window.end:
            raise LogError(
                f"The log cannot be cut at {written(time)}: the window runs from {written(self.window.start)} to "
                f"{written(self.window.end)}. Choose a time after its start and not after its end."
            )
        return replace(self, events=self.events.filter(self.events.time < time), window=Window(self.window.start, time))

    def only(self, *, customers: Iterable[str]) -> "EventLog":
        """The log of these customers alone. Raises LogError when none of them is in the log."""
        wanted = sorted({customers} if isinstance(customers, str) else set(customers))
        found = self.customers.loc[self.customers.index.isin(wanted)]
        if not len(found):
            raise LogError(
                f"None of the customers asked for ({len(wanted):,}) is in the log. Use ids from `log.customers.index`."
            )
        # A long list of literals is slow to compile; the engine joins it as a table.
        table = ibis.memtable(pd.DataFrame({"customer_id": wanted}), schema={"customer_id": "string"})
        return replace(self, events=self.events.semi_join(table, "customer_id"), customers=found)

    def summary(self) -> pd.DataFrame:
        """What became of the rows read: one row each for all, the accepted, and every reason to refuse; columns `part`,
        `rows` and `share` of the rows read. A cut log has the further row "left out"."""
        counts = self.quarantine.counts
        parts = ["read", "accepted", *("refused: " + counts["reason"])]
        rows = [self.rows_read, len(self), *counts["rows"]]
        if self.n_left_out:
            parts, rows = [*parts, "left out"], [*rows, self.n_left_out]
        return pd.DataFrame({"part": parts, "rows": rows, "share": [count / self.rows_read for count in rows]})

    def events_by_type(self) -> pd.DataFrame:
        """One row per event name, the most frequent first: `event`, `events`, `customers`, `first`, `last` (UTC)."""
        counted = self.events.group_by("event").aggregate(
            events=self.events.count(),
            customers=self.events.customer_id.nunique(),
            first=self.events.time.min(),
            last=self.events.time.max(),
        )
        return counted.order_by(ibis.desc("events"), "event").to_pyarrow().to_pandas()

    def columns_filled(self) -> pd.DataFrame:
        """One row per column of the events, in their order, besides `seq`: `column`, `events` in which it holds
        something, and their `share` of all."""
        columns = [column for column in self.events.columns if column != "seq"]
        counts = self.events.aggregate(**{column: self.events[column].count() for column in columns}).to_pyarrow()
        filled = pd.DataFrame({"column": columns, "events": [counts[column][0].as_py() for column in columns]})
        return filled.assign(share=filled["events"] / max(len(self), 1))

    def events_by_month(self) -> pd.DataFrame:
        """One row per calendar month (UTC) that has events, in order: `month` (its first instant), `events`,
        `customers`, and `history`, how many of the events come before the window's start."""
        counted = self.events.group_by(month=self.events.time.truncate("month").cast("timestamp('UTC', 6)")).aggregate(
            events=self.events.count(),
            customers=self.events.customer_id.nunique(),
            history=(self.events.time < self.window.start).sum(),
        )
        return counted.order_by("month").to_pyarrow().to_pandas()

    def sentence(self) -> str:
        """How many events of how many customers, from when to when, and how many rows were refused."""
        totals, history = self._totals, self._totals["history"]
        before = f" ({history:,} of them before the window)" if history else ""
        span = f", from {written(totals['first'])} to {written(totals['last'])}" if totals["events"] else ""
        cut = f"; {self.n_left_out:,} left out of this part of the log" if self.n_left_out else ""
        return (
            f"{counted(totals['events'], 'event')} of {counted(totals['customers'], 'customer')}{span}{before}; "
            f"window {self.window}; {counted(self.rows_read, 'row')} read, {self.quarantine}{cut}."
            f"{self.dates_in_words()}"
        )

    def dates_in_words(self) -> str:
        """What to know where the log, or a part of it, has dates without times of day; empty where it has times. It
        begins with a space, to follow another sentence."""
        if self.dates_only:
            return (
                " The log has only dates: days are days on the calendar, nothing is said of hours, and the order of "
                "what happened on one day is that of the source."
            )
        if self.dated:
            sources = listed(self.dated)
            has = "has" if len(self.dated) == 1 else "have"
            return (
                f" {sources} {has} only dates, where other sources have times: what they tell of a day stands before "
                "all else of that day, and its true order is not known."
            )
        return ""

    def plot(self) -> Chart:
        """Events in each calendar month (UTC), from history to the window's end."""
        months = self.events_by_month().assign(month=lambda table: table["month"].dt.tz_localize(None))
        fewest, most = (months["events"].agg(find) for find in ("min", "max"))
        return charts.lines(
            months,
            x="month",
            y="events",
            x_label="month",
            y_label="events",
            title="Events by month",
            alt=f"Events by month, {months['month'].min():%Y-%m} to {months['month'].max():%Y-%m}: from {fewest:,} to "
            f"{most:,} a month. Window {self.window}.",
        )

    def __repr__(self) -> str:
        return f"EventLog: {self.sentence()}"

    def _repr_html_(self) -> str:
        return html.card(
            "Interaction log", html.paragraph(self.sentence()), html.table(self.summary(), caption="What was read")
        )

    @cached_property
    def _totals(self) -> dict:
        totals = self.events.aggregate(
            events=self.events.count(),
            customers=self.events.customer_id.nunique(),
            first=self.events.time.min(),
            last=self.events.time.max(),
            history=(self.events.time < self.window.start).sum().fill_null(0),
            times_of_day=(self.events.time.epoch_seconds() % 86_400 != 0).sum().fill_null(0),
        )
        return totals.to_pyarrow().to_pylist()[0]


_TYPES = {
    "customer_id": lambda kind: kind.is_string(),
    "time": lambda kind: kind.is_timestamp() and kind.timezone is not None,
    "event": lambda kind: kind.is_string(),
    "seq": lambda kind: kind.is_integer(),
}


def customer_ids(events: ibis.Table) -> pd.Index:
    """The customers of `events`, each once, in the order of their ids."""
    ids = events.select("customer_id").distinct().order_by("customer_id").to_pyarrow()["customer_id"]
    return pd.Index(ids.to_pandas(), name="customer_id")


def as_utc(time: str | date | pd.Timestamp, *, timezone: str | None = None) -> pd.Timestamp:
    """`time` as a Timestamp in UTC; without a zone it is read in `timezone`, or in UTC.

    Where clocks are set forward, a time that the zone skips moves on by the gap; where they are set back, a time that
    occurs twice is the later one, as for the events themselves. Raises LogError for anything that is not a time.
    """
    try:
        stamp = pd.Timestamp(time)
    except (ValueError, TypeError, OverflowError):
        stamp = pd.NaT
    if stamp is pd.NaT or isinstance(time, int | float):
        raise LogError(f"“{time}” is not a time. Write one such as “2025-01-31” or “2025-01-31T12:00+01:00”.")
    if stamp.tzinfo is None:
        zone = check_timezone(timezone) or "UTC"
        localized = stamp.tz_localize(zone, nonexistent="NaT", ambiguous=False)
        # What the zone skips has the offset of the time before: so it moves on by the gap, however long that is.
        skipped = pd.Timestamp(stamp.to_pydatetime().replace(tzinfo=ZoneInfo(zone)))
        stamp = skipped if localized is pd.NaT else localized
    return stamp.tz_convert("UTC").as_unit("us")


def check_timezone(timezone: str | None) -> str | None:
    """`timezone` itself, or LogError when it names no time zone."""
    if timezone is not None and timezone not in (zones := available_timezones()):
        close = did_you_mean(timezone, zones)
        close = close if close.startswith("Did") else "Write a name such as “Europe/Berlin” or “UTC”."
        raise LogError(f"“{timezone}” is not a time zone. {close}")
    return timezone


def written(time: pd.Timestamp) -> str:
    """`time` as a date, with minutes or more only where it is not midnight: what messages show."""
    time = pd.Timestamp(time)
    if time == time.normalize():
        return time.isoformat()[:10]
    return f"{time:%Y-%m-%d %H:%M:%S}" if time.second else f"{time:%Y-%m-%d %H:%M}"
