"""Arguments that many findings take: are they what can be asked for?"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from journeylab.base.durations import days
from journeylab.base.errors import EstimateError

# With fewer customers at risk an estimate says hardly anything.
MIN_CUSTOMERS = 10


def read_horizons(horizons: Iterable[str | timedelta]) -> tuple[float, ...]:
    """`horizons` in days, ascending, each once. Raises EstimateError where there is none."""
    listed = [horizons] if isinstance(horizons, str | timedelta) else list(horizons)
    if not listed:
        raise EstimateError("No horizon is given. Name one or more, such as horizons=[“30d”, “90d”].")
    return tuple(sorted({days(each) for each in listed}))


def check_least(min_at_risk: int) -> None:
    """Raise EstimateError unless `min_at_risk` is 1 or more."""
    if min_at_risk < 1:
        raise EstimateError(f"`min_at_risk` is {min_at_risk}, less than 1. An estimate needs someone at risk.")


def chosen_horizon(horizon: str | timedelta, horizons: Sequence[float], *, what: str) -> float:
    """`horizon` in days. Raises EstimateError unless it is one of `horizons`, at which `what` was estimated."""
    asked = days(horizon)
    if asked not in horizons:
        known = ", ".join(f"{each:g}d" for each in horizons)
        raise EstimateError(
            f"{what} was estimated for the horizons {known}, not for “{horizon}”. Ask for one of these, "
            "or estimate it again with this horizon among them."
        )
    return asked


def check_confidence(confidence: float) -> None:
    """Raise EstimateError unless `confidence` is a level between 0 and 1."""
    if not 0 < confidence < 1:
        raise EstimateError(f"The confidence is {confidence:g}. Give a share above 0 and below 1, such as 0.95.")
