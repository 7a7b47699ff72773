"""Refusals: are the rows that could not be used so many, or so much alike, that the rest is not the whole?"""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from journeylab.base.words import counted, listed, percent
from journeylab.events.lint.remarks import Remark, warning
from journeylab.events.lint.written_times import Unread, kinds_of_unread
from journeylab.events.log import MISSING_CUSTOMER, MISSING_EVENT, UNREADABLE_TIME, EventLog
from journeylab.events.queries.months import unread_times

# What each reason says of which column. Duplicates and what comes after the window are refused rightly.
_COLUMNS = {MISSING_CUSTOMER: "customer_id", UNREADABLE_TIME: "time", MISSING_EVENT: "event"}
# From this share on refusals are told; and where they gather: so many rows, at least this share of a month or source.
_TOLD, _GATHERED_ROWS, _GATHERED_SHARE = 0.01, 5, 0.05
_LOOKED_AT = 200_000


def refusals_not_at_random(log: EventLog, read: pd.DataFrame) -> Iterator[Remark]:
    """Reasons for which 1% or more of all rows are refused, or many rows of one month or one source.

    read: the rows by `source`, `reason` and `month`, as `rows_read_by_month` counts them.
    """
    total = int(read["rows"].sum())
    for reason, column in _COLUMNS.items():
        refused = read[read["reason"] == reason]
        n = int(refused["rows"].sum())
        if not n:
            continue
        kinds = kinds_of_unread(unread_times(log, limit=_LOOKED_AT), log.window) if reason == UNREADABLE_TIME else []
        months = _gathered(_by_month(read, reason, kinds), overall=n / total)
        sources = _gathered(_by_source(read, reason), overall=n / total)
        if n >= _TOLD * total or months or sources:
            yield warning(
                "refused-rows",
                f"events: {column}",
                f"{counted(n, 'row')} of {total:,} ({percent(n / total)}) are refused: {_why(reason, kinds)}."
                f"{_where(months, sources)}{_cut(read, months)}",
                kinds[0].fix if kinds else f"Look at log.quarantine.rows. Fill in “{column}”, or correct `columns`.",
            )


def _by_month(read: pd.DataFrame, reason: str, kinds: list[Unread]) -> pd.DataFrame:
    """Rows `refused` for `reason` and of how many (`rows`) by month, as far as times or their texts name it."""
    dated = read.dropna(subset="month")
    rows = dated.groupby("month")["rows"].sum()
    refused = dated[dated["reason"] == reason].groupby("month")["rows"].sum()
    for kind in kinds:
        guessed = pd.Series(kind.months, dtype="int64")
        rows, refused = rows.add(guessed, fill_value=0), refused.add(guessed, fill_value=0)
    table = pd.DataFrame({"rows": rows, "refused": refused}).fillna(0)
    return table.set_index(table.index.map(lambda month: f"{month:%Y-%m}"))


def _by_source(read: pd.DataFrame, reason: str) -> pd.DataFrame:
    rows = read.groupby("source")["rows"].sum()
    refused = read[read["reason"] == reason].groupby("source")["rows"].sum()
    return pd.DataFrame({"rows": rows, "refused": refused}).fillna(0)


def _gathered(places: pd.DataFrame, *, overall: float) -> dict[str, float]:
    """The share refused in those of `places` where it is far above the `overall` share; empty if there is but one."""
    share = places["refused"] / places["rows"]
    least = max(_GATHERED_SHARE, min(2 * overall, (1 + overall) / 2))
    gathered = share[share >= least].sort_index()
    is_many = len(places) > 1 and bool((places["refused"][gathered.index] >= _GATHERED_ROWS).any())
    return gathered.to_dict() if is_many else {}


def _why(reason: str, kinds: list[Unread]) -> str:
    if not kinds:
        return f"{'no customer' if reason == MISSING_CUSTOMER else 'no event'} is named"
    parts = [f"{kind.n:,} are {kind.kind}, for example “{kind.example}”" for kind in kinds[:3]]
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


def _cut(read: pd.DataFrame, months: dict[str, float]) -> str:
    """That the log ends, or begins, with what was refused."""
    accepted = read.loc[read["reason"].isna() & read["month"].notna(), "month"]
    if not months or accepted.empty:
        return ""
    first, last = (f"{month:%Y-%m}" for month in (accepted.min(), accepted.max()))
    if last < max(months):
        return f" So the end of the log is missing: its last event that can be used is of {last}."
    if first > min(months):
        return f" So the beginning of the log is missing: its first event that can be used is of {first}."
    return ""
