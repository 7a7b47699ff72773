"""Tables: loss points ranked, how sure the order is, what nobody can explain, and the naive view."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from journeylab.base.ordering import largest, order
from journeylab.base.suppression import ALSO_HIDDEN, MIN_SHOWN
from journeylab.estimators.intervals import probability_interval
from journeylab.findings.dropoff.differences import LOST
from journeylab.findings.dropoff.loss_points import TOP, JointEstimate, LossPoint
from journeylab.findings.dropoff.units import CustomersLost
from journeylab.findings.finding import tidy

_RANKED = (
    "group stage branch horizon_days estimate lower upper at_least at_most customers_lost share share_lower "
    "share_upper total customers n events customers_seen note"
)
_OF_LOSSES = ["of_losses", "of_losses_lower", "of_losses_upper"]
_NAIVE_COUNTS = ["entered", "moved_on", "ongoing", "n", "customers"]
_NAIVE_SHARES = ["naive", "crude", "horizon_days", "estimate", "lower", "upper"]
_NAIVE_NUMBERS = [*_NAIVE_COUNTS[:3], *_NAIVE_SHARES, *_NAIVE_COUNTS[3:]]
_NAIVE = {"group": object, "stage": object, **dict.fromkeys(_NAIVE_NUMBERS, float), "note": object}


def places(table: pd.DataFrame, apart: Sequence[str] = ()) -> pd.DataFrame:
    """The rows of losses in a table of shares, of stages that were entered, but to the branches `apart`, with how many
    are `lost`: estimated, or what is known for certain; and how many `at_most` may be."""
    rows = table[(table["kind"] == "lost") & (table["n"] > 0) & ~table["to"].isin(apart)]
    certain = (rows["estimate"].fillna(rows["at_least"]) * rows["n"]).fillna(0)
    lost = np.maximum(certain, rows["events"])
    return rows.assign(lost=lost, branch=rows["to"], at_most=rows["at_most"].fillna(1) * rows["n"])


def headline_horizon(rows: pd.DataFrame, horizons: Sequence[float]) -> float:
    """The longest horizon at which all `places` have an estimate, or at which those without cannot be first; if there
    is none, the longest of those with most estimates."""
    by_day = {day: rows[rows["horizon_days"] == day] for day in horizons}

    def rating(day: float) -> tuple[bool, int, float]:
        missing = by_day[day]["estimate"].isna()
        known, unknown = by_day[day][~missing], by_day[day][missing]
        cannot_be_first = len(known) > 0 and (unknown["at_most"] < known["lost"].max()).all()
        return cannot_be_first, 0 if cannot_be_first else len(known), day

    return max(horizons, key=rating)


def first_places(rows: pd.DataFrame, horizons: Sequence[float]) -> dict[float, pd.Series]:
    """By horizon the one of `places` where most are lost, if any are."""
    by_day = {day: rows[(rows["horizon_days"] == day) & (rows["lost"] > 0)] for day in horizons}
    return {day: chosen.iloc[largest(chosen["lost"])] for day, chosen in by_day.items() if len(chosen)}


def ranked(
    points: Sequence[LossPoint], day: float, *, by: str | None, customers: CustomersLost | None, together: bool
) -> pd.DataFrame:
    """A row per loss point, most lost first, with its `rank`; a point without an estimate stands where the least that
    is lost there puts it, and has no rank if that is nothing.

    The index says at which of `points` each row is. Without `customers`, each visit is a customer.
    """
    numbers = customers.numbers(day, together=together) if customers else None
    table = tidy((_row(point, day, numbers) for point in points), _RANKED, by=by)
    table = table.iloc[order(table["estimate"].fillna(table["at_least"]))]
    table.insert(0, "rank", _rank(table))
    return table


def with_stability(table: pd.DataFrame, joint: JointEstimate, confidence: float, *, seed: int) -> pd.DataFrame:
    """`table`, as `ranked` gives it, with how its ranks hold in other samples."""
    ranks = joint.ranks(seed=seed)[:, table.index]
    best, worst = (rank[table.index] for rank in joint.rank_sets(confidence=confidence, seed=seed))
    columns = {
        "first": (ranks == 1).mean(axis=0),
        f"top_{TOP}": (ranks <= TOP).mean(axis=0),
        "rank_lower": pd.Series(best, index=table.index, dtype="Int64"),
        "rank_upper": pd.Series(worst, index=table.index, dtype="Int64"),
    }
    stable = pd.DataFrame(columns, index=table.index).where(table["rank"].notna())
    stable = stable.astype({"rank_lower": "Int64", "rank_upper": "Int64", "first": float, f"top_{TOP}": float})
    front = [column for column in ("rank", "group", "stage", "branch") if column in table]
    return pd.concat([table[front], stable, table.drop(columns=front)], axis=1).reset_index(drop=True)


def unexplained(
    table: pd.DataFrame, joint: JointEstimate, branches: Sequence[str], *, by: str | None, confidence: float
) -> pd.DataFrame:
    """The rows of `table`, as `ranked` gives it, that lead to `branches`, ranked anew, and what share of all losses
    from that stage (and group) each is, with limits."""
    rows = table[table["branch"].isin(branches)].copy()
    origin = table.groupby(_keys(by), sort=False).ngroup().sort_index().to_numpy()
    shares = [
        _limited(joint, np.arange(len(table)) == point, origin == origin[point], row["customers"], confidence)
        for point, row in rows.iterrows()
    ]
    rows["rank"] = _rank(rows)
    before = list(rows.columns).index("share")
    columns = [*rows.columns[:before], *_OF_LOSSES, *rows.columns[before:]]
    return rows.join(pd.DataFrame(shares, rows.index, _OF_LOSSES, dtype=float))[columns].reset_index(drop=True)


def overall_unexplained(
    table: pd.DataFrame, joint: JointEstimate, branches: Sequence[str], confidence: float
) -> tuple[float, float, float]:
    """What share of all that is lost, at the points of `table` with an estimate, leads to `branches`, with limits."""
    table = table.sort_index()
    known = table["estimate"].notna().to_numpy()
    n_customers = table.loc[known, "customers"].max() if known.any() else 0
    return _limited(joint, table["branch"].isin(branches).to_numpy(), known, n_customers, confidence)


def against_naive(ledger: pd.DataFrame, losses: pd.DataFrame, *, by: str | None) -> pd.DataFrame:
    """What a plain count makes of each row of `ledger`, beside the share lost by one horizon, the rows of `losses`."""
    keys = _keys(by)
    rows = losses[[*keys, "horizon_days", "estimate", "lower", "upper", "crude", "n", "customers", "note"]]
    hidden = [ALSO_HIDDEN] if ALSO_HIDDEN in ledger else []
    counts = ledger[[*keys, "entered", "ongoing", *hidden]].assign(moved_on=ledger["advanced"] + ledger["completed"])
    joined = counts.merge(rows, on=keys, how="inner", validate="one_to_one")
    naive = 1 - joined["moved_on"] / joined["entered"].where(joined["entered"] > 0)
    table = tidy(joined.assign(naive=naive).to_dict("records"), _NAIVE | dict.fromkeys(hidden, object), by=by)
    # A table for export may lack counts that are too small.
    return table.astype({column: int for column in _NAIVE_COUNTS if table[column].notna().all()})


def without_few_lost(table: pd.DataFrame) -> pd.DataFrame:
    """A ranking without the numbers of points where one to four visits, or customers, were lost."""
    is_few = table["events"].between(1, MIN_SHOWN - 1) | table["customers_seen"].between(1, MIN_SHOWN - 1)
    shown = ("horizon_days", "total", "n", "customers")
    numbers = [name for name in table.select_dtypes("number") if name not in shown and not name.startswith("rank")]
    masked = table[numbers].astype(float).mask(is_few)
    return table.assign(**masked, note=table["note"].where(~is_few, f"fewer than {MIN_SHOWN} lost"))


def _keys(by: str | None) -> list[str]:
    return ["group", "stage"] if by else ["stage"]


def _rank(table: pd.DataFrame) -> pd.Series:
    """1, 2, ... for the rows of `table`; missing for those without an estimate of which nothing is known to be lost."""
    rank = pd.Series(np.arange(1, len(table) + 1), index=table.index, dtype="Int64")
    return rank.where(table["estimate"].notna() | (table["at_least"] > 0))


def _row(point: LossPoint, day: float, customers: dict[tuple, tuple[float, int]] | None) -> dict:
    exits, branch = point.cell.exits, point.branch or LOST
    ways = [branch] if branch in exits.ways else exits.losses
    is_lost = np.isin(exits.destination, [exits.ways.index(way) + 1 for way in ways]) & (exits.exit <= day)
    customers_lost, customers_seen = point.lost, len(np.unique(exits.customers[is_lost]))
    if customers is not None:
        estimate, events = customers[exits.group, exits.stage, branch]
        customers_seen = max(customers_seen, events)
        customers_lost = np.maximum(estimate, customers_seen)
    at_least, at_most = point.bounds
    return {
        "group": exits.group,
        "stage": exits.stage,
        "branch": branch,
        "horizon_days": day,
        "estimate": point.lost,
        "lower": np.maximum(point.lower * point.total, point.seen),
        "upper": np.maximum(point.upper * point.total, point.lost),
        "at_least": at_least,
        "at_most": at_most,
        "customers_lost": customers_lost,
        "share": point.share,
        "share_lower": point.lower,
        "share_upper": point.upper,
        "total": point.total,
        "customers": point.customers,
        "n": point.n,
        "events": int(is_lost.sum()),
        "customers_seen": customers_seen,
        "note": point.note,
    }


def _limited(
    joint: JointEstimate, part: np.ndarray, whole: np.ndarray, n_customers: int, confidence: float
) -> tuple[float, float, float]:
    share, error = joint.ratio(part, whole)
    lower, upper = probability_interval(share, error, scale="logit", confidence=confidence, n=n_customers)
    return share, float(lower), float(upper)
