"""The change between two sprints in sentences: number, interval, base."""

import pandas as pd

from journeylab.base.ordering import largest, order
from journeylab.base.words import counted, listed, percent, with_sign
from journeylab.findings.personas.change.matching import GONE, MERGED, NEW, SPLIT, SURVIVED
from journeylab.findings.personas.number import DO_NOT_USE, PATTERN

_N_FEATURES = 4
NO_LOG = "Shares at the fixed definition and drift need the new log. Give `log=`."


def lineage_sentence(lineage: pd.DataFrame, customers: int) -> str:
    """What became of each persona."""
    n_old = lineage["old"].nunique()
    by_change = {change: lineage[lineage["change"] == change] for change in (SURVIVED, SPLIT, MERGED, NEW, GONE)}
    parts = [_survived(by_change[SURVIVED])]
    parts += [f"out of {old} came {_named(rows)}" for old, rows in by_change[SPLIT].groupby("old", sort=False)]
    merged = by_change[MERGED].groupby("id", sort=False)
    parts += [f"{listed(list(rows['old']))} went into {new}" for new, rows in merged]
    parts += [f"{change}: {_named(by_change[change])}" for change in (NEW, GONE) if len(by_change[change])]
    base = f"by {counted(customers, 'customer')} whom both definitions judge"
    return f"Of {counted(n_old, 'persona')} {'; '.join(parts)} ({base})."


def shares_sentence(shares: pd.DataFrame) -> str:
    """Which shares at the fixed definition moved beyond chance; of none, the largest difference."""
    if shares.empty:
        return NO_LOG
    before, now = shares["customers_before"].iloc[0], shares["customers"].iloc[0]
    base = f"By the old definition, {now:,} customers now and {before:,} before"
    beyond = shares[shares["is_beyond"]]
    if beyond.empty:
        most = shares.iloc[largest(shares["difference"].abs())]
        return f"{base}: no share moved beyond chance; the most moved {_moved(most)}."
    most_first = beyond.iloc[order(beyond["difference"].abs())]
    return f"{base}: {'; '.join(_moved(row) for _, row in most_first.iterrows())}."


def drift_sentence(drift: pd.DataFrame) -> str:
    """Which features drifted beyond what samples of this size show without change."""
    known = drift[drift["drift"].notna()]
    if known.empty:
        return NO_LOG
    beyond = known[known["is_beyond"]]
    of = counted(len(known), "feature")
    if beyond.empty:
        most = known.iloc[0]
        return f"None of {of} drifted beyond chance; furthest is {_drifted(most)}."
    features = "; ".join(_drifted(row) for _, row in beyond.head(_N_FEATURES).iterrows())
    more = f"; and {len(beyond) - _N_FEATURES} more" if len(beyond) > _N_FEATURES else ""
    return f"{len(beyond)} of {of} drifted beyond chance: {features}{more}."


def _named(rows: pd.DataFrame) -> str:
    """Ids, each with its verdict where it is doubtful."""
    doubted = rows["verdict"].map(lambda verdict: f" ({verdict})" if verdict in (PATTERN, DO_NOT_USE) else "")
    return listed(list(rows["id"] + doubted))


def _survived(rows: pd.DataFrame) -> str:
    if rows.empty:
        return "none survived"
    ids = [f"{row.id} (Jaccard {row.jaccard:.2f}, {row.lower:.2f} to {row.upper:.2f})" for row in rows.itertuples()]
    return f"{len(rows)} survived: {listed(ids)}"


def _moved(row: pd.Series) -> str:
    return (
        f"{row['persona']} ({row['name']}) from {percent(row['before'], 0)} to {percent(row['now'], 0)}, "
        f"{_points(row['difference'])} points ({_points(row['lower'])} to {_points(row['upper'])})"
    )


def _points(share: float) -> str:
    return with_sign(100 * share).replace("-", "−")


def _drifted(row: pd.Series) -> str:
    return (
        f"“{row['feature']}” by {percent(row['drift'], 1)} (expected without change {percent(row['expected'], 1)}, "
        f"up to {percent(row['upper'], 1)}; most in “{row['part']}”, from {percent(row['before'], 0)} to "
        f"{percent(row['now'], 0)})"
    )
