"""Agreement: what share of customers does the CRM hold where they are, and how much of that would be chance?"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from journeylab.base.durations import DAY
from journeylab.estimators.intervals import ROUNDING, normal_interval, probability_interval
from journeylab.findings.rows import ESTIMATE, estimated, wilson_share

ALL = "all stages"
NO_RECORD = "no record"
_DAYS_SHARE = ("days_estimate", "days_lower", "days_upper")
SHARES = "group stage bucket n recorded agreeing estimate lower upper customer_days days_estimate days_lower days_upper"
KAPPA: dict[str, type] = {
    **dict.fromkeys(("group", "when"), object),
    **dict.fromkeys((*ESTIMATE, "observed", "by_chance", "n", "customers"), float),
}
MATRIX = "group stage bucket customers n estimate lower upper customer_days"


def share_rows(
    pieces: pd.DataFrame, now: pd.DataFrame, expected: Mapping[str, str], *, confidence: float
) -> list[dict]:
    """For each stage with a bucket, and all: the share of customers inside `now` whom the CRM holds in that bucket, and
    the share of the days inside on which it did."""
    stages = [(stage, bucket, [stage]) for stage, bucket in expected.items()]
    rows = []
    for stage, bucket, held in [*stages, (ALL, None, list(expected))]:
        inside, days = (part[part["place"].isin(held)] for part in (now, pieces))
        n, agreeing = len(inside), int(inside["agrees"].sum())
        rows.append(
            {
                "stage": stage,
                "bucket": bucket,
                "n": n,
                "recorded": int(inside["bucket"].notna().sum()),
                "agreeing": agreeing,
                **wilson_share(agreeing, n, confidence=confidence),
                "customer_days": days["days"].sum(),
                **dict(zip(_DAYS_SHARE, _days_share(days, confidence), strict=True)),
            }
        )
    return rows


def _days_share(pieces: pd.DataFrame, confidence: float) -> tuple[float, float, float]:
    """Days on which the CRM agreed / all days, a ratio of means over customers; logit limits, clustered by customer."""
    days = pieces["days"].groupby(pieces["customer_id"]).sum()
    agreeing = (pieces["days"] * pieces["agrees"]).groupby(pieces["customer_id"]).sum()
    if not days.sum():
        return np.nan, np.nan, np.nan
    share = agreeing.sum() / days.sum()
    squares = ((agreeing - share * days) ** 2).sum()
    error = np.sqrt(squares * len(days) / (len(days) - 1)) / days.sum() if len(days) > 1 else np.nan
    lower, upper = probability_interval(share, error, scale="logit", confidence=confidence, n=len(days))
    return float(share), float(lower), float(upper)


def kappa_row(pieces: pd.DataFrame, *, when: str, of: str, confidence: float) -> dict:
    """Cohen's kappa between the bucket of the stage and the CRM's, where the CRM has a record: of `customers` (a piece
    each) or of `days`.

    With shares p of the pairs, kappa = (o - c) / (1 - c), o being their sum on the diagonal and c that of the products
    of the margins. How far it follows a customer is its derivative by p, summed over the customer's pieces; the
    variance is the sum of the squares (infinitesimal jackknife). For customers that is the variance of Fleiss, Cohen &
    Everitt (1969, Psychological Bulletin 72:323-327). Missing where all are in one bucket by both, so that there is
    nothing to agree about.
    """
    both = pieces.dropna(subset=["bucket", "expected"])
    weights = both["days"].to_numpy() if of == "days" else np.ones(len(both))
    total, customers = weights.sum(), both["customer_id"].nunique()
    row = {"when": when, "n": total, "customers": customers}
    if not total:
        return row
    names = sorted({*both["expected"], *both["bucket"]})
    cell = tuple(pd.Categorical(both[side], categories=names).codes.astype(int) for side in ("expected", "bucket"))
    shares = np.zeros((len(names), len(names)))
    np.add.at(shares, cell, weights / total)
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    # o and c of the formula
    observed, by_chance = float(np.trace(shares)), float(rows @ columns)
    row |= {"observed": observed, "by_chance": by_chance}
    if by_chance > 1 - ROUNDING:
        return row
    kappa = (observed - by_chance) / (1 - by_chance)
    # The derivative of kappa by p, and what each piece contributes by it.
    slope = (np.eye(len(names)) - (1 - kappa) * (rows[None, :] + columns[:, None])) / (1 - by_chance)
    influence = pd.Series(weights * (slope[cell] - (slope * shares).sum()) / total)
    of_customers = influence.groupby(both["customer_id"].to_numpy()).sum()
    error = np.sqrt((of_customers**2).sum()) if customers > 1 else np.nan
    lower, upper = np.clip(normal_interval(kappa, error, confidence=confidence), -1.0, 1.0)
    return row | estimated((kappa, lower, upper))


def matrix_rows(
    pieces: pd.DataFrame, now: pd.DataFrame, order: tuple[list[str], list[str]], *, confidence: float
) -> list[dict]:
    """How many customers are `now`, and how many days were spent, in each stage (or lost) by each bucket of the CRM;
    `order`: the stages and the buckets in which the rows come, all of them."""
    keys = ["where", "said"]
    customers, days = now.groupby(keys).size(), pieces.groupby(keys)["days"].sum()
    inside = now.groupby("where").size()
    rows = []
    for stage in order[0]:
        n = int(inside.get(stage, 0))
        for bucket in order[1]:
            count = int(customers.get((stage, bucket), 0))
            share = wilson_share(count, n, confidence=confidence)
            spent = float(days.get((stage, bucket), 0.0))
            rows.append({"stage": stage, "bucket": bucket, "customers": count, "n": n, **share, "customer_days": spent})
    return rows


def with_days(pieces: pd.DataFrame, expected: Mapping[str, str]) -> pd.DataFrame:
    """`pieces` with their `days`, the bucket `expected` by the stage, whether the CRM `agrees`, and names for the
    matrix: `where` (the stage, or lost) and what the CRM `said`."""
    bucket = pieces["place"].where(~pieces["is_lost"]).map(dict(expected)).astype(object)
    return pieces.assign(
        days=(pieces["until"] - pieces["since"]) / pd.Timedelta(microseconds=DAY),
        expected=bucket,
        agrees=(pieces["bucket"] == bucket) & bucket.notna(),
        where=pieces["place"].where(~pieces["is_lost"], "lost"),
        said=pieces["bucket"].fillna(NO_RECORD),
    )
