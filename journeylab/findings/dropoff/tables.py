"""Tables: loss points ranked, how sure the order is, what nobody can explain, and the naive view."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from journeylab.base.ordering import ordered
from journeylab.base.suppression import MIN_SHOWN
from journeylab.estimators.intervals import probability_interval
from journeylab.findings.dropoff.loss_points import TOP, JointEstimate, LossPoint
from journeylab.findings.finding import tidy

_RANKED = (
    "group stage branch horizon_days estimate lower upper share share_lower share_upper total customers n events note"
)
_OF_LOSSES = ["of_losses", "of_losses_lower", "of_losses_upper"]
_NAIVE_COUNTS = ["entered", "moved_on", "ongoing", "n", "customers"]
_NAIVE_SHARES = ["naive", "crude", "horizon_days", "estimate", "lower", "upper"]
_NAIVE_NUMBERS = [*_NAIVE_COUNTS[:3], *_NAIVE_SHARES, *_NAIVE_COUNTS[3:]]
_NAIVE = {"group": object, "stage": object, **dict.fromkeys(_NAIVE_NUMBERS, float), "note": object}


def ranked(points: Sequence[LossPoint], day: float, *, by: str | None) -> pd.DataFrame:
    """A row per loss point, most lost first, with its `rank`; points without an estimate last, without rank.

    The index says at which of `points` each row is.
    """
    table = ordered(tidy((_row(point, day) for point in points), _RANKED, by=by), "estimate")
    table.insert(0, "rank", _rank(table))
    return table


def with_stability(table: pd.DataFrame, ranks: np.ndarray, confidence: float) -> pd.DataFrame:
    """`table`, as `ranked` gives it, with how its ranks hold in resamples: ranks (resamples, points)."""
    ranks = ranks[:, table.index]
    tail = (1 - confidence) / 2
    tails = [tail, 1 - tail]
    lower, upper = np.quantile(ranks, tails, axis=0, method="inverted_cdf") if len(table) else np.empty((2, 0))
    columns = {
        "first": (ranks == 1).mean(axis=0),
        f"top_{TOP}": (ranks <= TOP).mean(axis=0),
        "rank_lower": pd.Series(lower, index=table.index, dtype="Int64"),
        "rank_upper": pd.Series(upper, index=table.index, dtype="Int64"),
    }
    stable = pd.DataFrame(columns, index=table.index).where(table["estimate"].notna())
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
    order = [*rows.columns[:before], *_OF_LOSSES, *rows.columns[before:]]
    return rows.join(pd.DataFrame(shares, rows.index, _OF_LOSSES, dtype=float))[order].reset_index(drop=True)


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
    counts = ledger[[*keys, "entered", "ongoing"]].assign(moved_on=ledger["advanced"] + ledger["completed"])
    joined = counts.merge(rows, on=keys, how="inner", validate="one_to_one")
    naive = 1 - joined["moved_on"] / joined["entered"].where(joined["entered"] > 0)
    table = tidy(joined.assign(naive=naive).to_dict("records"), _NAIVE, by=by)
    # A table for export may lack counts that are too small.
    return table.astype({column: int for column in _NAIVE_COUNTS if table[column].notna().all()})


def without_few_lost(table: pd.DataFrame) -> pd.DataFrame:
    """A ranking without the numbers of points where one to four visits were lost."""
    is_few = (table["events"] > 0) & (table["events"] < MIN_SHOWN)
    shown = ("horizon_days", "total", "n", "customers")
    numbers = [name for name in table.select_dtypes("number") if name not in shown and not name.startswith("rank")]
    masked = table[numbers].astype(float).mask(is_few)
    return table.assign(**masked, note=table["note"].where(~is_few, f"fewer than {MIN_SHOWN} lost"))


def _keys(by: str | None) -> list[str]:
    return ["group", "stage"] if by else ["stage"]


def _rank(table: pd.DataFrame) -> pd.Series:
    """1, 2, ... for the rows of `table`; missing for those without an estimate."""
    rank = pd.Series(np.arange(1, len(table) + 1), index=table.index, dtype="Int64")
    return rank.where(table["estimate"].notna())


def _row(point: LossPoint, day: float) -> dict:
    exits = point.cell.exits
    return {
        "group": exits.group,
        "stage": exits.stage,
        "branch": point.branch or "lost",
        "horizon_days": day,
        "estimate": point.lost,
        "lower": point.lower * point.total,
        "upper": point.upper * point.total,
        "share": point.share,
        "share_lower": point.lower,
        "share_upper": point.upper,
        "total": point.total,
        "customers": point.customers,
        "n": point.n,
        "events": sum(exits.count(way, within=day) for way in ([point.branch] if point.branch else exits.losses)),
        "note": point.note,
    }


def _limited(
    joint: JointEstimate, part: np.ndarray, whole: np.ndarray, n_customers: int, confidence: float
) -> tuple[float, float, float]:
    share, error = joint.ratio(part, whole)
    lower, upper = probability_interval(share, error, scale="logit", confidence=confidence, n=n_customers)
    return share, float(lower), float(upper)
