"""Suppression: which counts are of so few people that they must not be passed on?"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from journeylab.base.ordering import smallest

MIN_SHOWN = 5


def suppressed(
    counts: pd.DataFrame, people: pd.DataFrame, *, total: str, parts: list[str], min_shown: int = MIN_SHOWN
) -> pd.DataFrame:
    """`counts` with those cells missing (nan, so floats) that stand for one to `min_shown` - 1 people.

    people: how many people each count is of, with the same rows and columns. In each row `total` is the sum of `parts`.
    A single missing part could be computed from the rest, so the smallest other part that is not 0 is removed too, or
    the total if there is none. A row whose total is of too few people is missing as a whole. Other numeric columns
    (those of `people`) are suppressed one by one. All else stays.
    """
    columns = [column for column in counts if column in people and pd.api.types.is_numeric_dtype(people[column])]
    few = {column: ((people[column] > 0) & (people[column] < min_shown)).to_numpy() for column in columns}
    hidden = pd.DataFrame(few, index=counts.index)
    hidden[hidden[total].to_numpy()] = True
    visible = counts[parts].where(~hidden[parts] & (counts[parts] > 0))
    alone = np.flatnonzero(hidden[parts].sum(axis=1).to_numpy() == 1)
    for row in alone:
        rest = visible.iloc[row].dropna()
        hidden.iloc[row, hidden.columns.get_loc(rest.index[smallest(rest)] if len(rest) else total)] = True
    changed = {
        column: counts[column].astype(float).where(~hidden[column]) for column in columns if hidden[column].any()
    }
    return counts.assign(**changed)


def without_few(table: pd.DataFrame, *, min_shown: int = MIN_SHOWN) -> pd.DataFrame:
    """A finding's table of shares with counts of one to `min_shown` - 1 missing, and all numbers of groups of so few.

    Columns: `customers` (the base), `estimate`, `lower`, `upper`, `crude` (the share of `n` that is a plain count),
    `n`, `events`, `at_risk`; `at_least` and `at_most`, if there, are treated as `crude` is. An estimate on a base that
    is large enough stays: it is no count.
    """
    is_few = (table["customers"] > 0) & (table["customers"] < min_shown)
    shares = [name for name in ("crude", "at_least", "at_most") if name in table]
    numbers = ["estimate", "lower", "upper", *shares, "n", "customers", "events", "at_risk"]
    numeric = table.astype(dict.fromkeys(numbers, float))
    counted = {name: (table[name] * table["n"]).round() for name in shares}
    counted |= {"events": table["events"], "at_risk": table["at_risk"]}
    hidden = {column: is_few | ((count > 0) & (count < min_shown)) for column, count in counted.items()}
    return numeric.assign(**{column: numeric[column].mask(hidden.get(column, is_few)) for column in numbers})


def masked_few(table: pd.DataFrame, follows: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """`table` with counts of one to four missing, and with each count the columns that follow from it."""
    for count, others in follows.items():
        few = table[count].between(1, MIN_SHOWN - 1)
        if few.any():
            table = table.assign(**{name: table[name].astype(float).mask(few) for name in (count, *others)})
    return table
