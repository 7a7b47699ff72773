"""Tables: places ranked by what is lost there, how sure the order is, what nobody can explain, and the naive view."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from journeylab.base.ordering import ordered
from journeylab.base.suppression import MIN_SHOWN
from journeylab.estimators.intervals import probability_interval
from journeylab.events.spells.exits import Exits
from journeylab.findings.dropoff.loss_points import TOP, JointEstimate, LossPoint
from journeylab.findings.finding import tidy

_RANKED = {
    **dict.fromkeys(("group", "stage", "branch"), object),
    **dict.fromkeys(("horizon_days", "estimate", "lower", "upper"), float),
    **dict.fromkeys(("share", "share_lower", "share_upper", "total"), float),
    **dict.fromkeys(("customers", "n", "events"), int),
    "note": object,
}
_OF_LOSSES = ("of_losses", "of_losses_lower", "of_losses_upper")
_NAIVE = {
    **dict.fromkeys(("group", "stage"), object),
    **dict.fromkeys(("entered", "moved_on", "ongoing"), float),
    **dict.fromkeys(("naive", "crude", "horizon_days", "estimate", "lower", "upper"), float),
    **dict.fromkeys(("n", "customers"), float),
    "note": object,
}


def ranked(places: Sequence[LossPoint], day: float, *, by: str | None) -> pd.DataFrame:
    """A row per place, that where most is lost first, with its `rank`; places without an estimate last, without rank.

    The index says at which of `places` each row is.
    """
    table = tidy((_row(place, day) for place in places), _RANKED, by=by)
    table = ordered(table, "estimate")
    rank = pd.Series(np.arange(1, len(table) + 1), index=table.index, dtype="Int64")
    table.insert(0, "rank", rank.where(table["estimate"].notna()))
    return table


def with_stability(table: pd.DataFrame, ranks: np.ndarray, confidence: float) -> pd.DataFrame:
    """`table`, as `ranked` gives it, with how its ranks hold in resamples: ranks (resamples, places)."""
    ranks = ranks[:, table.index]
    tail = (1 - confidence) / 2
    lower, upper = (
        np.quantile(ranks, share, axis=0, method="inverted_cdf") if len(table) else np.empty(0)
        for share in (tail, 1 - tail)
    )
    known = table["estimate"].notna()
    found = {
        "first": (ranks == 1).mean(axis=0),
        f"top_{TOP}": (ranks <= TOP).mean(axis=0),
        "rank_lower": pd.Series(lower, index=table.index, dtype="Int64"),
        "rank_upper": pd.Series(upper, index=table.index, dtype="Int64"),
    }
    stable = pd.DataFrame(found, index=table.index).where(known)
    stable = stable.astype({"rank_lower": "Int64", "rank_upper": "Int64", "first": float, f"top_{TOP}": float})
    front = [column for column in ("rank", "group", "stage", "branch") if column in table]
    return pd.concat([table[front], stable, table.drop(columns=front)], axis=1).reset_index(drop=True)


def unexplained(
    table: pd.DataFrame, joint: JointEstimate, branches: Sequence[str], *, by: str | None, confidence: float
) -> pd.DataFrame:
    """The rows of `table`, as `ranked` gives it, that lead to `branches`, ranked anew, and what share of all losses
    from that stage (and group) each is, with limits."""
    kept = table[table["branch"].isin(branches)].copy()
    whose = table.groupby(_whose(by), sort=False).ngroup().sort_index().to_numpy()
    found = []
    for place in kept.index:
        part = np.arange(len(table)) == place
        found.append(_limited(joint, part, whose == whose[place], kept.at[place, "customers"], confidence))
    shares = pd.DataFrame(found, index=kept.index, columns=list(_OF_LOSSES), dtype=float)
    rank = pd.Series(np.arange(1, len(kept) + 1), index=kept.index, dtype="Int64").where(kept["estimate"].notna())
    kept["rank"] = rank
    before = list(kept.columns).index("share")
    order = [*kept.columns[:before], *_OF_LOSSES, *kept.columns[before:]]
    return kept.join(shares)[order].reset_index(drop=True)


def overall_unexplained(
    table: pd.DataFrame, joint: JointEstimate, branches: Sequence[str], confidence: float
) -> tuple[float, float, float]:
    """What share of all that is lost, at the places of `table` with an estimate, leads to `branches`, with limits."""
    table = table.sort_index()
    known = table["estimate"].notna().to_numpy()
    n_customers = table.loc[known, "customers"].max() if known.any() else 0
    return _limited(joint, table["branch"].isin(branches).to_numpy(), known, n_customers, confidence)


def against_naive(ledger: pd.DataFrame, losses: pd.DataFrame, *, by: str | None) -> pd.DataFrame:
    """What a plain count makes of each row of `ledger`, beside the share lost by one horizon, the rows of `losses`."""
    keys = _whose(by)
    rows = losses[[*keys, "horizon_days", "estimate", "lower", "upper", "crude", "n", "customers", "note"]]
    counted = ledger[[*keys, "entered", "ongoing"]].assign(moved_on=ledger["advanced"] + ledger["completed"])
    joined = counted.merge(rows, on=keys, how="inner", validate="one_to_one")
    naive = 1 - joined["moved_on"] / joined["entered"].where(joined["entered"] > 0)
    table = tidy(joined.assign(naive=naive).to_dict("records"), _NAIVE, by=by)
    # What is handed on may lack counts that are too small.
    counts = ("entered", "moved_on", "ongoing", "n", "customers")
    return table.astype({column: int for column in counts if table[column].notna().all()})


def without_few_lost(table: pd.DataFrame) -> pd.DataFrame:
    """A ranking, of whichever kind, without the numbers of places where one to four visits were lost."""
    is_few = (table["events"] > 0) & (table["events"] < MIN_SHOWN)
    kept = ("horizon_days", "total", "n", "customers")
    numbers = [name for name in table.select_dtypes("number") if name not in kept and not name.startswith("rank")]
    masked = table[numbers].astype(float).mask(is_few)
    return table.assign(**masked, note=table["note"].where(~is_few, f"fewer than {MIN_SHOWN} lost"))


def _whose(by: str | None) -> list[str]:
    return ["group", "stage"] if by else ["stage"]


def _row(place: LossPoint, day: float) -> dict:
    exits = place.cell.kept
    return {
        "group": exits.group,
        "stage": exits.stage,
        "branch": place.branch or "lost",
        "horizon_days": day,
        "estimate": place.lost,
        "lower": place.lower * place.total,
        "upper": place.upper * place.total,
        "share": place.share,
        "share_lower": place.lower,
        "share_upper": place.upper,
        "total": place.total,
        "customers": place.customers,
        "n": place.n,
        "events": exits.count(place.branch, within=day) if place.branch else _n_lost(exits, day),
        "note": place.note,
    }


def _n_lost(exits: Exits, day: float) -> int:
    return sum(exits.count(branch, within=day) for branch in exits.losses)


def _limited(
    joint: JointEstimate, part: np.ndarray, whole: np.ndarray, n_customers: int, confidence: float
) -> tuple[float, float, float]:
    share, error = joint.ratio(part, whole)
    lower, upper = probability_interval(share, error, scale="logit", confidence=confidence, n=n_customers)
    return share, float(lower), float(upper)
