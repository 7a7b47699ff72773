"""Which events may open the stages of a journey, which may lose customers, and how long is silence?"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from journeylab.events.log import EventLog

_LOSSES = re.compile(
    r"cancel|churn|declin|refus|reject|\blost\b|unsubscri|terminat|withdr|no.?show|refund|delet|expir|uninstall|abandon",
    re.IGNORECASE,
)
_MOST_STAGES = 5
_FEWEST = 0.01  # of customers reach a stage
_OFTEN = 1.5  # times that a milestone may happen to one who has it
_SILENCES = (1, 2, 3, 7, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365)


@dataclass(frozen=True)
class DraftJourney:
    """Events by frequency (`counts`: event, rows, customers, and at which `place` among the events of a customer it
    mostly comes first), those that may open `stages`, in order, those that may be `losses`, and the days that 95% of
    customers wait at most between two of their events."""

    counts: pd.DataFrame
    stages: tuple[str, ...]
    losses: tuple[str, ...]
    silent_days: int


def draft_journey(log: EventLog) -> DraftJourney:
    """A first journey for `log`, by how often and in which order its events come."""
    events = log.events
    firsts = (
        events.group_by("customer_id", "event").aggregate(rows=events.count(), time=events.time.min())
        .to_pyarrow().to_pandas()
    )  # fmt: skip
    firsts["place"] = firsts.groupby("customer_id")["time"].rank()
    counts = (
        firsts.groupby("event").agg(rows=("rows", "sum"), customers=("customer_id", "size"), place=("place", "mean"))
        .reset_index().sort_values(["rows", "event"], ascending=[False, True])
    )  # fmt: skip
    is_loss = counts["event"].str.contains(_LOSSES)
    is_milestone = (counts["rows"] / counts["customers"] <= _OFTEN) & (
        counts["customers"] >= _FEWEST * firsts["customer_id"].nunique()
    )
    milestones = counts[is_milestone & ~is_loss].sort_values(["place", "event"])["event"]
    stages = _apart(milestones, firsts) or (counts[~is_loss]["event"].iloc[0] if (~is_loss).any() else None,)
    return DraftJourney(
        counts, tuple(stage for stage in stages if stage), tuple(counts[is_loss]["event"]), _silent_days(log)
    )


def _apart(milestones: Iterable[str], firsts: pd.DataFrame) -> tuple[str, ...]:
    """The milestones that do not come at once with one before them; of many, those that most customers reach."""
    milestones = list(milestones)
    if not milestones:
        return ()
    times = firsts[firsts["event"].isin(milestones)].pivot(index="customer_id", columns="event", values="time")
    chosen: list[str] = []
    for event in milestones:
        gaps = [(times[event] - times[before]).dropna().abs().median() for before in chosen]
        if all(pd.isna(gap) or gap > pd.Timedelta(minutes=1) for gap in gaps):
            chosen.append(event)
    if len(chosen) > _MOST_STAGES:
        largest = times[chosen].notna().sum().nlargest(_MOST_STAGES).index
        chosen = [event for event in chosen if event in largest]
    return tuple(chosen)


def _silent_days(log: EventLog) -> int:
    """How long 95% of customers wait at most between two of their events, rounded up."""
    events = log.events
    before = events.time.lag().over(group_by=events.customer_id, order_by=events.time)
    waits = events.mutate(days=(events.time.epoch_seconds() - before.epoch_seconds()) / 86_400)
    longest = waits.filter(waits.days > 0).group_by("customer_id").aggregate(days=waits.days.max())
    most = longest.days.quantile(0.95).to_pyarrow().as_py()
    return next((days for days in _SILENCES if days >= (most or 30)), _SILENCES[-1])
