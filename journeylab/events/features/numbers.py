"""How many events has each customer by the landmark, how far apart, on how many days, with whom, and how content?"""

import ibis
import numpy as np
import pandas as pd

from journeylab.events.features.first_events import FirstEvents, Ordered

_DAY = 86_400
_MILLION = 1_000_000
_LARGEST = 1e12
_SCORED = ("score", "value")


def numbers(first: FirstEvents) -> tuple[pd.DataFrame, dict[str, str]]:
    """One row per customer, and which numbers are to be judged among the equally active; see `Features`."""
    n = len(first.customers)
    table = pd.DataFrame(_of_order(first.ordered, n, dates_only=first.dates_only), index=pd.RangeIndex(n))
    people = _people(first)
    for at, (name, column) in enumerate(people.items(), start=1):
        table.insert(at, name, column.reindex(table.index).fillna(0.0))
    for name, column in _of_all(first).items():
        table[name] = column.reindex(table.index)
    if "company_events" in table:
        table["company_events"] = table["company_events"].fillna(0.0)
    among = {name: "events" for name in ("contacts", "value", "company_events") if name in table}
    return table.set_index(first.customers), among


def _of_order(events: Ordered, n: int, *, dates_only: bool) -> dict[str, np.ndarray]:
    """What follows from the times of the events: arrays (n,), nan where unknown. Of dates only, no hours."""
    position, second = events.position, events.second
    total = np.bincount(position, minlength=n).astype(float)
    follows = position[1:] == position[:-1]
    gap = (second[1:] - second[:-1])[follows]
    after = position[1:][follows]
    # The shortest gap that the log can tell from none: without it, one gap of none would make the mean none.
    least = _DAY if dates_only else 1
    # Rounded to millionths the logarithms add up to the same in any order.
    log_gap = np.bincount(after, weights=np.round(np.log(gap + least) * _MILLION), minlength=n)
    longest = np.full(n, np.nan)
    if len(gap):
        starts = np.flatnonzero(np.diff(after, prepend=-1))
        longest[after[starts]] = np.maximum.reduceat(gap, starts)
    day = np.floor_divide(second, _DAY)
    is_new_day = np.concatenate(([True], ~follows | (day[1:] != day[:-1])))[: len(position)]
    several, some = np.where(total > 1, total - 1, np.nan), np.where(total > 0, total, np.nan)
    typical = np.exp(log_gap / several / _MILLION) / _DAY
    table = {
        "events": total,
        "typical_gap_days": np.round(typical - 1, 6) if dates_only else typical,
        "active_days": np.bincount(position[is_new_day], minlength=n).astype(float),
        "longest_gap_days": longest / _DAY,
    }
    if not dates_only:
        table["out_of_hours_share"] = np.bincount(position[events.hours > 0], minlength=n) / some
    return table


def _people(first: FirstEvents) -> pd.DataFrame:
    """How many contacts and how many roles took part, by position; customers without an event are absent."""
    own, people = first.own, {}
    for column, name in {"contact_id": "contacts", "role": "roles_in_play"}.items():
        if column in own.columns:
            # Counting what is distinct already takes an engine half as long as counting distinct values.
            distinct = own.select("position", column).distinct()
            counted = distinct.group_by("position").aggregate(n=distinct[column].count())
            people[name] = _fetched(counted)["n"]
    return pd.DataFrame(people)


def _of_all(first: FirstEvents) -> pd.DataFrame:
    """Numbers for which the company's events count too, by position; customers without an event are absent.

    Sums are taken in whole millionths: those do not depend on the order in which an engine adds.
    """
    rows, measures = first.rows, {}
    if "initiator" in first.kinds:
        measures["company_events"] = rows.by_company.cast("int64").sum()
    for column in _SCORED:
        if column in rows.columns:
            usable = (rows[column].abs() < _LARGEST).ifelse(rows[column], None)
            measures[f"{column}_sum"] = (usable * _MILLION).round().cast("int64").cast("decimal(38, 0)").sum()
            measures[f"{column}_count"] = usable.count()
    if not measures:
        return pd.DataFrame()
    sums = _fetched(rows.group_by("position").aggregate(**measures))
    table = sums[[name for name in sums if name == "company_events"]]
    for column in _SCORED:
        if f"{column}_sum" in sums:
            n = sums[f"{column}_count"].replace(0, np.nan)
            table = table.assign(**{column: sums[f"{column}_sum"] / _MILLION / (n if column == "score" else n / n)})
    return table


def _fetched(by_position: ibis.Table) -> pd.DataFrame:
    return by_position.to_pyarrow().to_pandas().set_index("position").astype(float)
