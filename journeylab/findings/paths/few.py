"""Few: which rows tell of so few customers that they must not be shown one by one?"""

import pandas as pd

from journeylab.base.suppression import FEWEST
from journeylab.findings.paths.variants import how_many_to_name

OTHERS = f"others, some of fewer than {FEWEST} customers"


def pooled(rows: pd.DataFrame, *, base: str, end: str) -> pd.DataFrame:
    """`rows` with those of fewer than five `movers` added up within each (group and) `base`, as “others, some
    of fewer than 5 customers” in the column `end`; with the next smallest among them, where else the sum could be told
    from the rest.

    The sum keeps `moved` and `estimate`; how many customers they were, intervals and days are then missing.
    """
    keys = [column for column in ("group", base) if column in rows]
    parts = [_pooled(part, end) for _, part in rows.groupby(keys, sort=False, observed=True)]
    return pd.concat(parts, ignore_index=True) if parts else rows


def hidden(rows: pd.DataFrame, count: str, *told: str) -> pd.DataFrame:
    """`rows` with the column `count`, and what is `told` of it, missing where it is of one to four."""
    is_few = (rows[count] > 0) & (rows[count] < FEWEST)
    columns = {column: rows[column].astype("Float64" if column != count else "Int64") for column in (count, *told)}
    return rows.assign(**{column: values.mask(is_few) for column, values in columns.items()})


def _pooled(rows: pd.DataFrame, end: str) -> pd.DataFrame:
    ordered = rows.sort_values("movers", ascending=False, kind="stable")
    n_named = how_many_to_name(ordered["movers"].to_numpy(), len(ordered))
    few = ordered.iloc[n_named:]
    if few.empty:
        return rows
    kept = rows.drop(index=few.index).astype({"movers": "Int64", "timed": "Int64"})
    known = {
        column: few[column].iloc[0] for column in ("group", "n", "customers", *_bases(rows, end)) if column in rows
    }
    sums = {end: OTHERS, "kind": "various", "moved": few["moved"].sum(), "estimate": few["estimate"].sum()}
    added = pd.DataFrame([known | sums]).reindex(columns=rows.columns)
    return pd.concat([kept, added.astype(kept.dtypes.to_dict())], ignore_index=True)


def _bases(rows: pd.DataFrame, end: str) -> list[str]:
    return [column for column in ("stage", "branch") if column in rows and column != end]
