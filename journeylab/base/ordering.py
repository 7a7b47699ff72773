"""Ordering: which comes first of numbers that may differ only by how a processor rounds?

Sums come out differently in the last bits from one processor to the next. Whatever is shown because it is the largest,
comes first, or reaches a limit, is therefore chosen here: by nine digits, then by name or by the order given.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

DIGITS = 9
_POWERS = np.array([float(f"1e{power}") for power in range(309)])
# Numbers that people count with, as 1/1024, may lie halfway between two of nine digits; times this, none does.
_ASIDE = 0.9182736455463728


def settled(values: ArrayLike) -> np.ndarray:
    """`values` to nine digits, so that those that differ by rounding alone are equal, to each other and to a limit.

    Up to 1 in size these are nine decimals, which differences of shares need; above, as of days or money, nine
    significant digits. Missing and infinite values stay.

    >>> settled([0.1 + 0.2 - 0.3, 0.1 + 0.2, 123456.78901234]).tolist()
    [0.0, 0.3, 123456.789]
    """
    values = np.asarray(values, dtype=float)
    whole = _POWERS[np.minimum(np.searchsorted(_POWERS, np.abs(values)), len(_POWERS) - 1)]
    return np.round(values / whole, DIGITS) * whole + 0.0  # no zero has a sign


def order(values: ArrayLike, names: Sequence[str] | None = None, *, smallest: bool = False) -> np.ndarray:
    """Positions of `values`, the largest (or `smallest`) first; missing ones last.

    Those that are equal to nine digits stand in the order of their `names`, or as given where they have none.

    values: (n,), or (rows, n) of which each row is put in order. names: (n,).

    >>> order([0.1, 0.3, 0.1 + 0.2]).tolist(), order([0.3, 0.1 + 0.2], ["product", "mobile"]).tolist()
    ([1, 2, 0], [1, 0])
    """
    key = settled(np.asarray(values, dtype=float) * _ASIDE)
    key = key if smallest else -key
    if names is None:
        return np.argsort(key, axis=-1, kind="stable")
    return np.lexsort((np.unique(np.asarray(names, dtype=str), return_inverse=True)[1], key))


def order_of_p(p_values: ArrayLike) -> np.ndarray:
    """Positions of `p_values`, the smallest first: by nine digits of their logarithms, which tell tiny ones apart."""
    with np.errstate(divide="ignore"):
        return order(np.log(np.asarray(p_values, dtype=float)), smallest=True)


def largest(values: ArrayLike, names: Sequence[str] | None = None) -> int:
    """Position of the largest of `values`, of which one at least is known; of equals the first, as in `order`."""
    return _known(values, int(order(values, names)[0]))


def smallest(values: ArrayLike, names: Sequence[str] | None = None) -> int:
    """Position of the smallest of `values`, as in `largest`."""
    return _known(values, int(order(values, names, smallest=True)[0]))


def largest_of_rows(values: np.ndarray) -> np.ndarray:
    """(rows,): position of the largest value in each row of `values` (rows, columns), none of them missing; of equals
    the first."""
    return settled(values).argmax(axis=1)


def ordered(table: pd.DataFrame, column: str, *, smallest: bool = False) -> pd.DataFrame:
    """The rows of `table` by the numbers in `column`, the largest (or `smallest`) first, as in `order`."""
    return table.iloc[order(table[column], smallest=smallest)]


def _known(values: ArrayLike, position: int) -> int:
    if np.isnan(np.asarray(values, dtype=float)[position]):
        raise ValueError("All values are missing, so that none is first. Leave out what is missing before asking.")
    return position
