"""Refusals: are the rows that could not be used so many, or so much alike, that the rest is not the whole?"""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from journeylab.base.words import counted, listed, percent
from journeylab.events.lint.remarks import Remark, warning
from journeylab.events.lint.written_times import Unread, kinds_of_unread
from journeylab.events.log import MISSING_CUSTOMER, MISSING_EVENT, UNREADABLE_TIME, EventLog
from journeylab.events.queries.months import rows_by_source, unread_times

# What each reason says of which column. Duplicates and what comes after the window are refused rightly.
_COLUMNS = {MISSING_CUSTOMER: "customer_id", UNREADABLE_TIME: "time", MISSING_EVENT: "event"}
# A single row is no pattern. More are told from this share of all rows on; and where they gather: so many rows of a
# month or source, so many times the share of all.
_FEWEST, _LEAST_SHARE = 2, 0.01
_GATHERED_ROWS, _GATHERED_TIMES = 5, 3
_LOOKED_AT = 200_000


def refusals_not_at_random(log: EventLog, refused: pd.DataFrame, months: pd.Series) -> Iterator[Remark]:
    """Reasons for which 1% or more of all rows are refused, or many rows of one month or one source.

    refused: as `refused_by_month` counts the rows. months: how many events were accepted of each month.
    """
    for reason, column in _COLUMNS.items():
        rows = refused[refused["reason"] == reason]
        n = int(rows["rows"].sum())
        if n < _FEWEST:
            continue
        kinds = kinds_of_unread(unread_times(log, limit=_LOOKED_AT), log.window) if reason == UNREADABLE_TIME else []
        overall = n / log.rows_read
        by_month = _gathered(*_by_month(rows, refused, months, kinds), overall=overall)
        by_source = _gathered(rows.groupby("source")["rows"].sum(), rows_by_source(log), overall=overall)
        if overall >= _LEAST_SHARE or by_month or by_source:
            yield warning(
                "refused-rows",
                f"events: {column}",
                f"{counted(n, 'row')} of {log.rows_read:,} ({percent(overall)}) are refused: {_why(rows, kinds)}."
                f"{_where(by_month, by_source)}{_cut(months, by_month)}",
                kinds[0].fix if kinds else f"Look at log.quarantine.rows. Fill in “{column}”, or correct `columns`.",
            )


def _by_month(
    rows: pd.DataFrame, refused: pd.DataFrame, months: pd.Series, kinds: list[Unread]
) -> tuple[pd.Series, pd.Series]:
    """How many of the refused `rows`, and how many rows in all, are of each month, as far as they name it."""
    parts = [rows.groupby("month")["rows"].sum(), refused.groupby("month")["rows"].sum(), months]
    of_reason, others, accepted = (part.rename(_month).astype(float) for part in parts)
    total = accepted.add(others, fill_value=0)
    for kind in kinds:
        guessed = pd.Series(kind.months, dtype=float)
        of_reason, total = of_reason.add(guessed, fill_value=0), total.add(guessed, fill_value=0)
    return of_reason, total


def _month(time: pd.Timestamp) -> str:
    return time.isoformat()[:7]


def _gathered(refused: pd.Series, rows: pd.Series, *, overall: float) -> dict[str, float]:
    """The share refused where it is far above the `overall` share; empty if there is but one place to be."""
    share = (refused / rows).dropna()
    gathered = share[share >= max(_LEAST_SHARE, min(_GATHERED_TIMES * overall, (1 + overall) / 2))].sort_index()
    is_many = len(rows) > 1 and bool((refused[gathered.index] >= _GATHERED_ROWS).any())
    return {str(place): float(part) for place, part in gathered.items()} if is_many else {}


def _why(rows: pd.DataFrame, kinds: list[Unread]) -> str:
    if not kinds:
        lacks = _COLUMNS[rows["reason"].iloc[0]].removesuffix("_id")
        first, last = _month(rows["month"].min()), _month(rows["month"].max())
        return f"they name no {lacks}, from {first} to {last}"
    parts = [
        f"{kind.n:,} are {kind.kind}" + (f", for example “{kind.example}”" if kind.example.strip() else "")
        for kind in kinds[:3]
    ]
    rest = [f"{sum(kind.n for kind in kinds[3:]):,} are written otherwise"] if len(kinds) > 3 else []
    return f"the time cannot be read. {listed([*parts, *rest])}"


def _where(months: dict[str, float], sources: dict[str, float]) -> str:
    parts = []
    if months:
        parts.append(f"{_shares(months)} of the rows of {_spans(list(months))}")
    if sources:
        parts.append(f"{_shares(sources)} of the rows of {listed([_file(label) for label in sources])}")
    return f" They are not spread evenly: {listed(parts)}." if parts else ""


def _file(label: str) -> str:
    """A source's name in a report: of a path only the end, which is not of one machine."""
    return f"“{'/'.join(Path(label.strip('“”')).parts[-2:])}”" if label.startswith("“") else label


def _shares(shares: dict[str, float]) -> str:
    low, high = percent(min(shares.values()), 0), percent(max(shares.values()), 0)
    return high if low == high else f"{low} to {high}"


def _spans(months: list[str]) -> str:
    """Months in a row as one span: “2025-06 to 2025-12”."""
    spans: list[list[str]] = []
    for month in months:
        follows = spans and pd.Period(spans[-1][-1], "M") + 1 == pd.Period(month, "M")
        spans = [*spans[:-1], [spans[-1][0], month]] if follows else [*spans, [month]]
    shown = [" to ".join(span) for span in spans]
    return listed(shown if len(shown) < 5 else [*shown[:3], f"{len(shown) - 3} more spans"])


def _cut(accepted: pd.Series, months: dict[str, float]) -> str:
    """That the log ends, or begins, with what was refused."""
    if not months or accepted.empty:
        return ""
    first, last = _month(accepted.index.min()), _month(accepted.index.max())
    if last < max(months):
        return f" So the end of the log is missing: its last event that can be used is of {last}."
    if first > min(months):
        return f" So the beginning of the log is missing: its first event that can be used is of {first}."
    return ""
