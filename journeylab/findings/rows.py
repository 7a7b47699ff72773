"""Rows: how do an estimate and its limits become cells of a table?"""

from collections.abc import Iterable
from typing import SupportsFloat

import numpy as np

from journeylab.estimators.intervals import wilson

ESTIMATE = dict.fromkeys(("estimate", "lower", "upper"), float)


def estimated(limits: Iterable[SupportsFloat]) -> dict[str, float]:
    """An estimate with its lower and upper limit, as cells of a row."""
    return dict(zip(ESTIMATE, map(float, limits), strict=True))


def wilson_share(count: float, n: int, *, confidence: float) -> dict[str, float]:
    """`count` of `n` as a share with Wilson's limits, as cells of a row; missing where `n` is 0."""
    return estimated((count / n if n else np.nan, *wilson(count, n, confidence=confidence)))
