"""Arguments that many findings take: can they be asked for?"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import pandas as pd

from journeylab.base.durations import days
from journeylab.base.errors import EstimateError
from journeylab.estimators.intervals import check_confidence as check_confidence
from journeylab.events.log import EventLog, Window

# With fewer customers at risk an estimate says hardly anything.
MIN_CUSTOMERS = 10
# With fewer customers in a group there are estimates, but no tests: with so few the errors of errors are too large.
MIN_TESTED = 20
NOT_TESTED = f"not tested: fewer than {MIN_TESTED} customers"


def read_horizons(horizons: Iterable[str | timedelta], *, noun: str = "horizon") -> tuple[float, ...]:
    """`horizons` in days, ascending, each once. Raises EstimateError where there is none."""
    listed = [horizons] if isinstance(horizons, str | timedelta) else list(horizons)
    if not listed:
        raise EstimateError(f"No {noun} is given. Name one or more, such as {noun}s=[“30d”, “90d”].")
    return tuple(sorted({days(horizon) for horizon in listed}))


def chosen_horizon(horizon: str | timedelta, horizons: Sequence[float], *, what: str) -> float:
    """`horizon` in days. Raises EstimateError unless it is one of `horizons`, at which `what` was estimated."""
    asked = days(horizon)
    if asked not in horizons:
        known = ", ".join(f"{day:g}d" for day in horizons)
        raise EstimateError(
            f"{what} was estimated for the horizons {known}, not for “{horizon}”. Ask for one of these, "
            "or estimate it again with this horizon among them."
        )
    return asked


def headline_horizon(rows: pd.DataFrame, horizons: Sequence[float]) -> float:
    """The longest of `horizons` at which most of `rows` have an estimate."""
    n_known = rows.groupby("horizon_days")["estimate"].count()
    return max(horizons, key=lambda horizon: (n_known.get(horizon, 0), horizon))


def why_not_tested(customers: Mapping[str, int] | int) -> str | None:
    """Why there is no test where so many `customers` came, in all or by group; None where there are enough.

    >>> why_not_tested({"a": 12, "b": 300}), why_not_tested(12), why_not_tested(20)
    ('not tested: fewer than 20 customers in a', 'not tested: fewer than 20 customers', None)
    """
    if isinstance(customers, int):
        return NOT_TESTED if customers < MIN_TESTED else None
    small = [name for name, n_customers in customers.items() if n_customers < MIN_TESTED]
    return f"{NOT_TESTED} in {', '.join(small)}" if small else None


def check_min_at_risk(min_at_risk: int) -> None:
    """Raise EstimateError unless `min_at_risk` is 1 or more."""
    if min_at_risk < 1:
        raise EstimateError(f"`min_at_risk` is {min_at_risk}, less than 1. An estimate needs someone at risk.")


def check_window(log: EventLog, window: Window, *, fix: str = "Give the log of these spells.") -> None:
    """Raise EstimateError unless `log` was observed in the `window` of the spells."""
    if log.window != window:
        raise EstimateError(f"The log was observed from {log.window}, the spells from {window}. {fix}")
