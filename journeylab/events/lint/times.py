"""Times: which are impossible, which rows look alike only because their times are days, and where is a column empty?"""

from collections.abc import Iterator

import ibis
import pandas as pd

from journeylab.base.words import counted, listed, percent
from journeylab.events.lint.remarks import Remark, warning
from journeylab.events.lint.written_times import number_means
from journeylab.events.log import AFTER_WINDOW, DUPLICATE, EventLog, written

TIME = "events: time"
# Events are far from the rest if as many days without any event lie between.
_FAR = pd.Timedelta(days=730)
# A month of a column is empty where the events of one name have it elsewhere, and here so many have it so seldom.
_USUAL, _EMPTY, _EVENTS, _MONTHS = 0.9, 0.1, 5, 3
_MEANT = (
    (("0001-01-01",), "the earliest time that many programs know"),
    (("1899-12-30", "1899-12-31", "1900-01-01", "1900-01-02", "1904-01-01"), "day 0 of a spreadsheet"),
    (("1969-12-31", "1970-01-01", "1970-01-02"), "the number 0, counted from 1970"),
    (("1980-01-01", "1980-01-06", "2000-01-01", "2001-01-01"), "where a clock without a battery begins"),
    (
        ("9999-12-31", "9999-01-01", "2099-12-31", "2099-01-01", "2999-12-31", "2100-01-01"),
        "what is written for “no end”",
    ),
)


def far_times(log: EventLog, refused: pd.DataFrame, months: pd.Series) -> Iterator[Remark]:
    """Events years before the window or years after it, with nothing in between.

    refused: as `refused_by_month` counts the rows. months: how many events were accepted of each month.
    """
    later = refused[refused["reason"] == AFTER_WINDOW].groupby("month")["rows"].sum()
    before = _beyond(months[months.index <= log.window.start].sort_index(ascending=False), log.window.start)
    after = _beyond(later.sort_index(), log.window.end)
    for beyond, side in ((before, "before the window"), (after, "after the window")):
        if len(beyond):
            yield _far(log, beyond, side)


def _beyond(months: pd.Series, edge: pd.Timestamp) -> pd.Series:
    """The `months`, going away from `edge`, after the first long time without any."""
    last = edge
    for at, month in enumerate(months.index):
        if abs(month - last) > _FAR:
            return months[at:]
        last = month
    return months[:0]


def _far(log: EventLog, months: pd.Series, side: str) -> Remark:
    assert log.quarantine.read is not None, "its rows were counted"
    is_before = side.startswith("before")
    rows = log.quarantine.read
    rows = rows.filter((rows.reason == AFTER_WINDOW).fill_null(True))
    limit = ibis.literal(max(months.index) + pd.DateOffset(months=1) if is_before else min(months.index))
    rows = rows.filter(rows.time < limit if is_before else rows.time >= limit)
    common = rows.group_by("time").aggregate(n=rows.count()).order_by([ibis.desc("n"), "time"]).limit(1)
    time = common.to_pyarrow()["time"].to_pandas()[0]
    years = abs((log.window.start if is_before else log.window.end) - time).days / 365.25
    fate = "count as history, so that their customers seem silent since then" if is_before else "are refused"
    meant = _meant(time, log)
    return warning(
        "far-times",
        TIME,
        f"{counted(int(months.sum()), 'event')} lie years {side} with nothing in between, most often at "
        f"{written(time)}, {years:,.0f} years {side}. They {fate}. {meant or 'Such times are seldom real'}.",
        "Correct them, or leave the time empty in the source: such rows are refused, and counted as such.",
    )


def _meant(time: pd.Timestamp, log: EventLog) -> str | None:
    """What a time far from the rest probably stands for."""
    microseconds = int(time.as_unit("us").asm8.view("i8"))
    for unit in (1_000_000, 1_000, 1):
        meaning = number_means(microseconds / unit, log.window) if microseconds % unit == 0 else None
        if meaning:
            return f"Its number, {microseconds // unit}, fits if it is {meaning}: the unit is mixed in this column"
    for days, meaning in _MEANT:
        if f"{time:%Y-%m-%d}".zfill(10) in days:
            return f"This is {meaning}, and stands for a time that nobody knew"
    return None


def repeats_by_day(log: EventLog) -> Iterator[Remark]:
    """Equal rows that were refused in a log that knows only days: they may be two things of one day."""
    n = int(log.quarantine.counts.set_index("reason")["rows"][DUPLICATE])
    if n and "event_id" not in log.events.columns and log.dates_only:
        yield warning(
            "equal-rows-by-day",
            TIME,
            f"{counted(n, 'row')} ({percent(n / log.rows_read)}) were refused as duplicates, but the "
            "times are days: who did the same thing twice in one day has two equal rows.",
            "If these are two events, keep them: duplicates: keep in study.yml. Or map an event_id.",
        )


def empty_months(fills: pd.DataFrame) -> Iterator[Remark]:
    """Columns that are empty for a month or more in events that have them otherwise.

    fills: by `event` and `month`, as `fill_by_month` counts them. A column that begins later than the log is no gap.
    """
    often = fills[fills["events"] >= _EVENTS]
    for name in [column.removeprefix("filled_") for column in fills if column.startswith("filled_")]:
        share = often[f"filled_{name}"] / often["events"]
        filled = (
            often[share >= _USUAL].groupby("event", as_index=False).agg(n=("month", "size"), since=("month", "min"))
        )
        empty = often[share < _EMPTY].merge(filled, on="event")
        empty = empty[empty["month"] > empty["since"]]
        n_empty = empty.groupby("event")["month"].transform("size")
        gaps = empty[(empty["n"] >= _MONTHS) & (empty["n"] >= n_empty)]
        if len(gaps):
            yield _empty(name, gaps)


def _empty(name: str, gaps: pd.DataFrame) -> Remark:
    """The remark on the column `name`, which is empty in `gaps`: rows of `fill_by_month`."""
    events = gaps.groupby("event")["events"].sum()
    event = str(events.index[events == events.max()][0])
    others = f" and in {counted(len(events) - 1, 'other event')}" if len(events) > 1 else ""
    months = [f"{month:%Y-%m}" for month in gaps.loc[gaps["event"] == event, "month"]]
    shown = listed([*months[:3], f"{len(months) - 3} more months"] if len(months) > 3 else months)
    return warning(
        "empty-months",
        f"events: {name}",
        f"“{name}” is empty in the {counted(int(events.max()), 'event')} “{event}” of {shown}, and filled in those of "
        f"other months{others}. What is asked of it is not known for that time.",
        "Find out whether the source has it for these months, and read it again.",
    )
