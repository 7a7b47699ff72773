"""Watched: what do the customers' visits show of a journey that its rules and the log alone do not?"""

from collections.abc import Iterator

import ibis
import pyarrow as pa

from journeylab.base.durations import DAY, all_since_1970, since_1970
from journeylab.base.words import listed, percent
from journeylab.events.journey import Journey
from journeylab.events.journey.conditions import Condition
from journeylab.events.lint.remarks import Remark, warning
from journeylab.events.log import TIME, EventLog
from journeylab.events.queries.entries import find_entries
from journeylab.events.queries.event_windows import TimeSpans, count_own
from journeylab.events.queries.sampling import find_sampling
from journeylab.events.spells import Spells

# From this share on, events before entry are worth a remark.
MUCH_BEFORE = 0.1
# A customer goes on as before a loss who does at least half as much in the days after it as in those before.
DAYS_AFTER, AS_BEFORE, MOST, FEWEST = 30, 0.5, 0.5, 10


def events_before_entry(log: EventLog, spells: Spells) -> Iterator[Remark]:
    """Events of customers before they came into the journey, where they are many: no finding looks at them.

    Only events within the window count, of customers who came in then: what ended before it is not in the spells.
    """
    entries = find_entries(spells)
    entries = entries[entries["is_known"]]
    since = pa.array(entries["entered"].dt.as_unit("us")).cast(TIME)
    table = ibis.memtable(pa.table({"whose": pa.array(entries.index.astype(object), pa.string()), "since": since}))
    events = log.events.filter(log.events.time >= log.window.start)
    events = events.inner_join(table, events.customer_id == table.whose)
    by_event = events.group_by("event").aggregate(
        events=events.count(),
        before=(events.time < events.since).sum(),
    )
    counts = by_event.order_by([ibis.desc("before"), "event"]).to_pyarrow().to_pandas()
    before, total = int(counts["before"].sum()), int(counts["events"].sum())
    if not total or before / total < MUCH_BEFORE:
        return
    first = counts.iloc[0]
    yield warning(
        "before-entry",
        ("stages", 0, "opened_by"),
        f"{before:,} of {total:,} events ({percent(before / total)}) lie before the customer’s entry into the journey, "
        f"most of them “{first['event']}” ({int(first['before']):,}). No finding looks at them.",
        "If these customers were on their journey already, let what they did first open a stage. If not, leave it.",
    )


def losses_that_go_on(log: EventLog, spells: Spells) -> Iterator[Remark]:
    """Branches after which most customers go on as before: what is taken for a loss is perhaps none."""
    visits = spells.table.select(["customer_id", "left", "outcome", "to"]).to_pandas()
    visits = visits[visits["outcome"] == "lost"]
    days = DAYS_AFTER * DAY
    for at, branch in enumerate(spells.journey.loss_branches):
        lost = visits[visits["to"] == branch.name]
        left = all_since_1970(lost["left"])
        is_watched = left + days < since_1970(spells.window.end)
        whose, left = lost["customer_id"].to_numpy(object)[is_watched], left[is_watched]
        if len(left) < FEWEST:
            continue
        after, before = (count_own(log, TimeSpans(whose, left + since, left + since + days)) for since in (1, -days))
        goes_on = int(((after > 0) & (after >= AS_BEFORE * before)).sum())
        if goes_on > MOST * len(left):
            yield _goes_on(at, branch.name, branch.when, goes_on, len(left))


def _goes_on(at: int, name: str, when: Condition, goes_on: int, total: int) -> Remark:
    return warning(
        "loss-goes-on",
        ("loss_branches", at, "when"),
        f"After {goes_on:,} of {total:,} losses to “{name}” the "
        f"customer went on: in the {DAYS_AFTER} days after it they did at least half as much as in the {DAYS_AFTER} "
        f"days before. Perhaps {when.words} is not a loss.",
        "Name an event after which customers do nothing more, or say with “where” which of these events are losses.",
    )


def sampled_by_end(spells: Spells) -> Iterator[Remark]:
    """A log that holds journeys only because they ended when they did: who came when cannot be compared."""
    problem = find_sampling(spells).problem()
    if problem:
        yield warning(
            "sampled-by-end",
            (),
            f"{problem} Customers are not compared by when they came.",
            "Export every customer who came within the window, whether or not the journey has ended.",
        )


def parts_of_days(journey: Journey, log: EventLog) -> Iterator[Remark]:
    """Times that are not whole days, where the log has only dates."""
    if not log.dates_only:
        return
    for at, stage in enumerate(journey.stages):
        written = {"silent_after": (stage.silent_after, stage.silent_after_us)}
        if stage.validated_by is not None:
            written["validated_by"] = (stage.validated_by.within, stage.validated_by.within_us)
        for key, (duration, microseconds) in written.items():
            if microseconds and microseconds % DAY:
                yield warning(
                    "part-of-a-day",
                    ("stages", at, key),
                    f"“{duration}” in stage “{stage.name}” is not a whole number of days, and the log has only dates.",
                    "Write whole days, such as “1d”.",
                )


def dates_among_times(log: EventLog) -> Iterator[Remark]:
    """Sources that have only dates, where others have times; else events of which only dates seem to be known."""
    if log.dated:
        yield warning(
            "dates-among-times",
            (),
            log.dates_in_words().strip(),
            f"Export {listed(log.dated)} with the time of day, or give all sources as dates.",
        )
    elif not log.dates_only:
        yield from _events_with_dates(log)


def _events_with_dates(log: EventLog) -> Iterator[Remark]:
    """Events that always come at one full hour, or at two where clocks change: of these only dates are known."""
    second = log.events.time.epoch_seconds() % 86_400
    by_event = log.events.group_by("event").aggregate(
        n=log.events.count(),
        days=(log.events.time.epoch_seconds() // 86_400).nunique(),
        hours=second.nunique(),
        broken=(second % 3600 != 0).sum(),
    )
    always = by_event.filter(by_event.broken == 0, by_event.hours <= 2, by_event.days >= FEWEST)
    for row in always.order_by([ibis.desc("n"), "event"]).to_pyarrow().to_pylist():
        yield warning(
            "dates-among-times",
            (),
            f"All {row['n']:,} events “{row['event']}” come at the same time of day, to the second. Perhaps only "
            "their dates are known, and not their order among what else happened on the day.",
            "Export them with the time of day, if it is known.",
        )
