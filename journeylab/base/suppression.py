"""Suppression: which counts are of so few people that they must not be passed on?"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from journeylab.base.ordering import smallest

MIN_SHOWN = 5
# The column that names which counts of a row are of enough people, and left out so that another cannot be worked out.
ALSO_HIDDEN = "also_hidden"
# Numbers that say what was asked, not what was found.
ASKED = ("horizon_days", "landmark_days", "quantile", "days", "step", "rank")


def suppressed(
    counts: pd.DataFrame, people: pd.DataFrame, *, total: str, parts: list[str], min_shown: int = MIN_SHOWN
) -> pd.DataFrame:
    """`counts` with those cells missing (nan, so floats) that stand for one to `min_shown` - 1 people.

    people: how many people each count is of, with the same rows and columns. In each row `total` is the sum of `parts`.
    A single missing part could be computed from the rest, so the smallest other part that is not 0 is removed too, or
    the total if there is none: the column `also_hidden`, which is there where this happens, names it. A row whose total
    is of too few people is missing as a whole. Other numeric columns (those of `people`) are suppressed one by one. All
    else stays.
    """
    columns = [column for column in counts if column in people and pd.api.types.is_numeric_dtype(people[column])]
    few = {column: ((people[column] > 0) & (people[column] < min_shown)).to_numpy() for column in columns}
    hidden = pd.DataFrame(few, index=counts.index)
    hidden[hidden[total].to_numpy()] = True
    visible = counts[parts].where(~hidden[parts] & (counts[parts] > 0))
    alone = np.flatnonzero(hidden[parts].sum(axis=1).to_numpy() == 1)
    names = pd.Series([None] * len(counts), index=counts.index, dtype=object)
    for row in alone:
        rest = visible.iloc[row].dropna()
        names.iloc[row] = rest.index[smallest(rest)] if len(rest) else total
        hidden.iloc[row, hidden.columns.get_loc(names.iloc[row])] = True
    changed = {
        column: counts[column].astype(float).where(~hidden[column]) for column in columns if hidden[column].any()
    }
    return counts.assign(**changed, **({ALSO_HIDDEN: names} if names.notna().any() else {}))


def shown_count(row: pd.Series, column: str) -> str:
    """A count of `row` in words: the number, “fewer than 5”, or that it is hidden so that none can be worked out."""
    if pd.notna(row[column]):
        return f"{row[column]:,.0f}"
    return "a hidden number" if row.get(ALSO_HIDDEN) == column else f"fewer than {MIN_SHOWN}"


def without_few(table: pd.DataFrame, *, min_shown: int = MIN_SHOWN) -> pd.DataFrame:
    """A finding's table with counts of one to `min_shown` - 1 missing, and all numbers of rows on a base of so few.

    The base is `customers`, or `n` where there is no such column; a table with neither stays as it is. Counts are
    `events` and `at_risk`; `crude`, `at_least` and `at_most` are shares of `n` that are plain counts. An estimate on a
    base that is large enough stays: it is no count. What says which row it is (`ASKED`) stays too.
    """
    base = next((name for name in ("customers", "n") if name in table), None)
    if base is None:
        return table
    is_few = table[base].between(1, min_shown - 1)
    numbers = [name for name in table.select_dtypes("number") if name not in ASKED]
    counts = {name: (table[name] * table["n"]).round() for name in ("crude", "at_least", "at_most") if name in table}
    counts |= {name: table[name] for name in ("events", "at_risk") if name in table}
    hidden = {name: is_few | count.between(1, min_shown - 1) for name, count in counts.items()}
    masked = {name: table[name].astype(float).mask(hidden.get(name, is_few)) for name in numbers}
    return table.assign(**{name: column for name, column in masked.items() if hidden.get(name, is_few).any()})


def masked_few(table: pd.DataFrame, follows: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """`table` with counts of one to four missing, and with each count the columns that follow from it."""
    for count, others in follows.items():
        few = table[count].between(1, MIN_SHOWN - 1)
        if few.any():
            table = table.assign(**{name: table[name].astype(float).mask(few) for name in (count, *others)})
    return table
