"""Ratios: what part of a total is it, and how sure is that where individuals have very different totals?"""

import numpy as np
from numpy.typing import ArrayLike

from journeylab.base.errors import EstimateError
from journeylab.estimators.intervals import wilson


def ratio_of_totals(parts: ArrayLike, totals: ArrayLike, *, confidence: float = 0.95) -> tuple[float, float, float]:
    """The sum of `parts` as a share of the sum of `totals`, with limits that count individuals.

    parts, totals: (n,), one of each per individual, 0 <= part <= total. The variance is that of a ratio between
    individuals (linearised); the limits are Wilson's for as many independent trials as say the same, at least one and
    at most the sum of `totals`. Of a share of exactly 0 or 1, or of one individual, as many as there are individuals.
    All missing where the totals are 0.

    Source: Cochran (1977), Sampling Techniques, section 2.11; Korn & Graubard (1998), Survey Methodology 24:193-201.
    Raises EstimateError if the arrays differ in length, or a part is negative or more than its total.
    """
    part, total = (np.asarray(each, dtype=np.float64) for each in (parts, totals))
    if part.shape != total.shape:
        raise EstimateError(f"There are {part.size} parts and {total.size} totals. Give one total for each part.")
    wrong = (part < 0) | (part > total)
    if wrong.any():
        raise EstimateError(
            f"There is a part of {part[wrong][0]:g} in a total of {total[wrong][0]:g}. Give parts from 0 to the total."
        )
    is_counted = total > 0
    part, total = part[is_counted], total[is_counted]
    n, whole = len(total), float(total.sum())
    if not n:
        return float("nan"), float("nan"), float("nan")
    share = float(part.sum() / whole)
    alike = float(n)
    if n > 1 and 0 < share < 1:
        variance = float(((part - share * total) ** 2).sum()) * n / (n - 1) / whole**2
        alike = whole if variance == 0 else float(np.clip(share * (1 - share) / variance, 1.0, whole))
    lower, upper = wilson(share * alike, alike, confidence=confidence)
    return share, float(lower), float(upper)
