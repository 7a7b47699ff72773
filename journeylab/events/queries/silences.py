"""Silences: for how long did customers in each stage do nothing, and how did that end?"""

from collections.abc import Mapping

import numpy as np

from journeylab.base.durations import DAY, NEVER, since_1970
from journeylab.base.errors import JourneyError
from journeylab.events.journey import Journey
from journeylab.events.log import EventLog
from journeylab.events.spells.exits import CENSORED, Exits
from journeylab.events.spells.kernel import LOST, ONGOING, Moves, Visits, walk_signals
from journeylab.events.spells.signals import Signals, find_signals

RETURNED, LOST_MEANWHILE, MOVED = ENDINGS = ("returned", "lost", "moved")
_SECOND = 1_000_000


def scale_silence(journey: Journey, factor: float) -> Journey:
    """`journey` with each `silent_after` times `factor`; for 1 the journey itself.

    Raises JourneyError for a factor that is not above 0, or that leaves less than a microsecond.
    """
    if not (np.isfinite(factor) and factor > 0):
        raise JourneyError(f"Silence cannot last {factor:g} times as long. Give a factor above 0, such as 0.5 or 2.")
    if factor == 1:
        return journey
    lengths = {stage.name: round(stage.silent_after_us * factor) for stage in journey.stages if stage.silent_after_us}
    for stage in journey.stages:
        if lengths.get(stage.name) == 0:
            raise JourneyError(
                f"“{stage.silent_after}” times {factor:g} is less than a microsecond. Give a larger factor."
            )
    return _with_silence(journey, {name: _written(length) for name, length in lengths.items()})


def find_silences(
    log: EventLog, journey: Journey, *, longer_than: Mapping[str, float], batch_rows: int = 1_000_000
) -> list[Exits]:
    """Silences that lasted more than so many days, by stage, each like a visit: how long, and how it ended.

    A silence begins with a customer event inside a stage, or with the entry if the company brought the customer in; it
    is dated as the clock of `silent_after` is. It ends when the customer acts (`returned`; whether or not that event
    also moves them), by a loss event (`lost`, also where the customer brings it about: who comes back to cancel has
    not come back), or when the company moves them to another stage (`moved`); else it lasts to the window's end, where
    it is censored. Stages are those held by the declared rules alone, as if nobody were ever lost to silence, so that
    what is found depends on no `silent_after`.

    `longer_than`: days, by the stages to look at; the result has an Exits for each, in the journey's order. `n` of it
    counts silences, `entry` is -1 or, where the silence began before the window, its length at the window's start.
    `batch_rows` as for `find_spells`. Raises JourneyError for an unknown stage, and as `find_spells` does.
    """
    positions = sorted(journey.position(stage) for stage in longer_than)
    shortest = np.full(len(journey.stages), NEVER)
    for position in positions:
        shortest[position] = round(longer_than[journey.stage_names[position]] * DAY)
    quiet = _with_silence(journey, {})
    start, end = (since_1970(time) for time in (log.window.start, log.window.end))
    _, batches = find_signals(log, [quiet], batch_rows=batch_rows)
    moves = Moves.of(quiet)
    parts = [_silences(signals, walk_signals(signals, moves, end=end), shortest, start) for signals in batches]
    empty: tuple[np.ndarray, ...] = (np.zeros(0, np.int64),) * 5
    stage, customer, begun, ended, way = (np.concatenate(columns) for columns in zip(*(parts or [empty]), strict=True))
    entry = np.where(begun >= start, -1.0, (start - begun) / DAY)
    columns = (entry, (ended - begun) / DAY, way, customer)
    return [
        Exits(journey.stage_names[position], None, ENDINGS, *(part[stage == position] for part in columns), earliest={})
        for position in positions
    ]


def _silences(signals: Signals, visits: Visits, shortest: np.ndarray, start: int) -> tuple[np.ndarray, ...]:
    """Stage, customer, beginning, end and way of each silence longer than `shortest` (by stage) that outlasts `start`.

    A visit holds a silence from its entry, if not the customer's own event opened it, and one from each of its own
    events, to the next of these times; the last one ends with the visit.
    """
    first, after = signals.seen[visits.opened], signals.seen[visits.ended]
    # An event that opens and ends a visit leaves it no event of its own.
    is_opened_by_others = (signals.seen[visits.opened + 1] == first) | (after == first)
    n_events = after - first
    counts = n_events + is_opened_by_others
    visit = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(visit)) - np.repeat(np.cumsum(counts) - counts, counts)
    own = first[visit] + number - is_opened_by_others[visit]
    begun = np.where(number < is_opened_by_others[visit], visits.entered[visit], _times(signals, own))
    is_last = number == counts[visit] - 1
    ended = np.where(is_last, visits.left[visit], _times(signals, own + 1))
    way = np.where(is_last, _ways(signals, visits)[visit], ENDINGS.index(RETURNED) + 1)
    stage = visits.stage[visit]
    is_long = (ended - begun > shortest[stage]) & (ended > start)
    customer = signals.customers[visits.customer[visit]]
    return tuple(column[is_long] for column in (stage, customer, begun, ended, way))


def _ways(signals: Signals, visits: Visits) -> np.ndarray:
    """How the last silence of each visit ended: a position in `ENDINGS` counted from 1, or -1 for the window's end."""
    row = np.minimum(visits.ended, len(signals.time) - 1)
    is_own = signals.seen[row + 1] > signals.seen[row]
    moved = np.where(is_own, ENDINGS.index(RETURNED), ENDINGS.index(MOVED)) + 1
    way = np.where(visits.outcome == LOST, ENDINGS.index(LOST_MEANWHILE) + 1, moved)
    return np.where(visits.outcome == ONGOING, CENSORED, way)


def _times(signals: Signals, own: np.ndarray) -> np.ndarray:
    """Times of customer events by number; anything for a number that is none."""
    if not len(signals.own):
        return np.zeros(len(own), np.int64)
    return signals.time[signals.own[np.clip(own, 0, len(signals.own) - 1)]]


def _with_silence(journey: Journey, silent_after: Mapping[str, str]) -> Journey:
    """`journey` with these durations of silence by stage, and none in the other stages."""
    plain = journey.to_dict()
    stages = [{**stage, "silent_after": silent_after.get(stage["name"])} for stage in plain["stages"]]
    return Journey.model_validate({**plain, "stages": stages})


def _written(length: int) -> str:
    """A duration in microseconds as journey.yml writes it: “10.5d”."""
    in_days = f"{length / DAY:.6f}".rstrip("0").rstrip(".")
    if round(float(in_days) * DAY) == length:
        return f"{in_days}d"
    return f"{length // _SECOND}.{length % _SECOND:06d}s"
