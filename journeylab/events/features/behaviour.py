"""What did each customer do between entering the journey and the landmark, counted where the events are?"""

from dataclasses import dataclass
from datetime import timedelta

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from journeylab.base import durations
from journeylab.base.errors import EstimateError
from journeylab.base.tables import check_columns
from journeylab.events.features.attributes import Attributes, check_known_by_landmark
from journeylab.events.log import EventLog

MAX_GROUPS = 8
MAX_CONDITIONS, DECIDED, ONCE = 12, 0.98, 0.95
OTHER = "other"
COMPANY = "company"
SHOWN = ("typical_gap_days", "active_days", "longest_gap_days", "event", "process", "channel", "initiator")
HOURS = ("working hours", "evening or night", "weekend")
_MILLION = 1_000_000
_LARGEST = 1e12


@dataclass(frozen=True)
class Counts:
    """How often each customer did each of several things, without the zeros.

    name, given: what is counted, and among which events ("" among all). “event”, “process”, “channel” and “initiator”
        divide all events; “next after G” moves from group G to another, by group; “kind of G” events of group G, by
        name; “channel of E” those named E, by channel; “hours” all, by time of day; “role” contacts, by role.
    rows: (k,) int32 position of the customer in `Features.customers`; columns: (k,) int32 position in `names`;
        counts: (k,) int64.
    """

    name: str
    given: str
    names: tuple[str, ...]
    rows: np.ndarray
    columns: np.ndarray
    counts: np.ndarray


@dataclass(frozen=True)
class Features:
    """What is known of each customer at the landmark.

    customers: Index `customer_id`, sorted.
    numbers: DataFrame, index customers, floats, missing as nan. `events`: number of events not initiated by the
        company; `contacts`: number of people; `typical_gap_days`: geometric mean of the time between events in a row
        (plus a second); `active_days`: number of UTC dates with an event; `longest_gap_days`; `company_events`;
        `score`: mean survey score; `value`: sum of values; then attributes and extra features.
    among: numbers that grow with activity -> "events", the number of activity that they are to be judged against.
    shown: names of numbers and counts for people to read, not for models: what they say the others say already. All
        events by channel, for one, follow from the events and the channel of each.
    categories: DataFrame, index customers, text, missing as None.
    counts: events by what followed, by kind, channel, process, initiator and hour; contacts by role.
    milestones: events that are in none of the counts but “event”, “process”, “channel”, “initiator” and “hours”.
    unused: DataFrame `column`, `reason`: attributes that cannot serve.
    """

    customers: pd.Index
    numbers: pd.DataFrame
    among: dict[str, str]
    shown: tuple[str, ...]
    categories: pd.DataFrame
    counts: tuple[Counts, ...]
    milestones: tuple[str, ...]
    unused: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """One row per customer: numbers, categories, and each count as the column `name: what`."""
        columns = {}
        for each in self.counts:
            for place, what in enumerate(each.names):
                column, here = np.zeros(len(self.customers), np.int64), each.columns == place
                column[each.rows[here]] = each.counts[here]
                columns[f"{each.name}: {what}"] = column
        counted = pd.DataFrame(columns, index=self.customers)
        return pd.concat([self.numbers, self.categories, counted], axis=1)


def find_features(
    log: EventLog,
    entries: pd.DataFrame | pa.Table,
    *,
    within: str | timedelta,
    milestones: tuple[str, ...] = (),
    extra: pd.DataFrame | None = None,
) -> Features:
    """What each customer of `entries` did from entering until, not including, `within` later, and what was known of
    them then.

    entries: one row per customer, `customer_id` and `entered` (UTC).
    milestones: events that mark how far a customer came, as those that open a stage. Of these, the ones that hardly any
        customer repeats (95% have them once) are not counted among kinds and moves: beside a customer's other events
        their share tells only how active the customer was.
    extra: further features, one row per customer (index or column `customer_id`), with the column `known_at` (UTC), or
        `NAME_known_at` beside the feature NAME: when each value became known.

    Working hours are weekdays from 8 to 18 o'clock UTC. Events of the company count only as `company_events`. Groups of
    events are the processes if the log names 2 to 8 of them, else the events (the seven most frequent, the rest as
    one).
    Moves are the embedded chain, without steps from a group to itself: how long a burst of events is says how busy a
    customer was, and is in the gaps already. Raises EstimateError for an extra feature that was known only after the
    landmark, or not known when.
    """
    starts = _starts(entries, within)
    customers = pd.Index(starts["customer_id"], name="customer_id")
    attributes = Attributes.of(log.customers, customers)
    if extra is not None:
        landmarks = pd.Series(starts["landmark"].to_numpy(), index=customers).dt.tz_localize("UTC")
        attributes = attributes.joined(check_known_by_landmark(extra, landmarks, within=within))
    first = _first_events(log, starts)
    check_rows(first)
    numbers, among = _numbers(first, customers)
    passed = _hardly_repeated(first, milestones)
    attributes = attributes.renamed(taken=(*numbers.columns,))
    return Features(
        customers=customers,
        numbers=pd.concat([numbers, attributes.numbers], axis=1),
        among=among,
        shown=SHOWN,
        categories=attributes.categories,
        counts=_counts(first, passed),
        milestones=passed,
        unused=attributes.unused,
    )


def _starts(entries: pd.DataFrame | pa.Table, within: str | timedelta) -> pd.DataFrame:
    """Customers sorted, with position and the times between which they are looked at (UTC, without a zone)."""
    table = entries.to_pandas() if isinstance(entries, pa.Table) else entries
    check_columns(table, {"customer_id": "string", "entered": "time"}, name="The table of entries")
    twice = table["customer_id"].duplicated()
    if twice.any():
        raise EstimateError(
            f"Customer “{table['customer_id'][twice].iloc[0]}” enters twice in the table of entries. "
            "Give one row per customer."
        )
    table = table.sort_values("customer_id", ignore_index=True)
    entered = table["entered"].dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]")
    return pd.DataFrame(
        {
            "customer_id": table["customer_id"].astype(object),
            "position": np.arange(len(table), dtype=np.int32),
            "entered": entered,
            "landmark": entered + np.timedelta64(durations.microseconds(within), "us"),
        }
    )


def _first_events(log: EventLog, starts: pd.DataFrame) -> ibis.Table:
    """The events between entry and landmark, one narrow row each."""
    held = pa.Table.from_pandas(starts, preserve_index=False)
    for column in ("entered", "landmark"):
        place = held.schema.get_field_index(column)
        held = held.set_column(place, column, held[column].cast(pa.timestamp("us", tz="UTC")))
    events, start = log.events, ibis.memtable(held)
    joined = events.join(start, "customer_id")
    joined = joined.filter(joined.time >= joined.entered, joined.time < joined.landmark)
    present = [
        name
        for name in ("channel", "process", "initiator", "contact_id", "role", "value", "score")
        if name in events.columns
    ]
    first = joined.select(
        "position", "time", "landmark", "seq", "event", *present, second=joined.time.epoch_seconds().cast("int64")
    )
    by_company = (first.initiator == COMPANY).fill_null(False) if "initiator" in present else ibis.literal(False)
    return first.mutate(by_company=by_company)


def check_rows(first: ibis.Table) -> None:
    """Raise EstimateError if any row of `first` (columns `time`, `landmark`) is at or after its customer's landmark."""
    late = first.filter(first.time >= first.landmark).count().execute()
    if late:
        raise EstimateError(
            f"{late:,} events at or after their customer's landmark were about to become features. "
            "Features may use only what was known by then: leave these rows out."
        )


def _numbers(first: ibis.Table, customers: pd.Index) -> tuple[pd.DataFrame, dict[str, str]]:
    """One row per customer. Sums are taken in whole millionths: those do not depend on the order in which an engine
    adds."""
    own = first.filter(~first.by_company)
    steps = ibis.window(group_by="position", order_by=["time", "seq", "event"])
    own = own.mutate(gap=own.second - own.second.lag().over(steps), day=(own.second / 86_400).floor().cast("int64"))
    measures = {
        "events": own.count(),
        "active_days": own.day.nunique(),
        "gaps": own.gap.count(),
        "log_gap": ((own.gap + 1).ln() * _MILLION).round().cast("int64").sum(),
        "longest_gap": own.gap.max(),
    }
    if "contact_id" in own.columns:
        measures["contacts"] = own.contact_id.nunique()
    by_customer = own.group_by("position").aggregate(**measures).to_pyarrow().to_pandas().set_index("position")
    found = by_customer.reindex(range(len(customers)))
    gap = np.exp(found["log_gap"].astype(float) / found["gaps"].replace(0, np.nan) / _MILLION)
    numbers = pd.DataFrame({"events": found["events"].fillna(0.0)}).astype(float)
    if "contacts" in found:
        numbers["contacts"] = found["contacts"].fillna(0).astype(float)
    numbers["typical_gap_days"] = gap / 86_400
    numbers["active_days"] = found["active_days"].fillna(0).astype(float)
    numbers["longest_gap_days"] = found["longest_gap"].astype(float) / 86_400
    numbers = numbers.join(_of_all_events(first))
    if "company_events" in numbers:
        numbers["company_events"] = numbers["company_events"].fillna(0.0)
    among = {each: "events" for each in ("contacts", "value", "company_events") if each in numbers}
    return numbers.set_index(customers), among


def _of_all_events(first: ibis.Table) -> pd.DataFrame:
    """Numbers for which the company's events count too, by position; customers without an event are absent."""
    measures = {"n": first.count()}
    if "initiator" in first.columns:
        measures["company_events"] = first.by_company.cast("int64").sum()
    for column in ("score", "value"):
        if column in first.columns:
            usable = (first[column].abs() < _LARGEST).ifelse(first[column], None)
            measures[f"{column}_sum"] = (usable * _MILLION).round().cast("int64").cast("decimal(38, 0)").sum()
            measures[f"{column}_count"] = usable.count()
    found = (
        first.group_by("position").aggregate(**measures).to_pyarrow().to_pandas().set_index("position").astype(float)
    )
    numbers = found[["company_events"]].copy() if "company_events" in found else found[[]].copy()
    for column in ("score", "value"):
        if f"{column}_sum" in found:
            n = found[f"{column}_count"].replace(0, np.nan)
            numbers[column] = found[f"{column}_sum"] / _MILLION / (n if column == "score" else n / n)
    return numbers


def _counts(first: ibis.Table, milestones: tuple[str, ...]) -> tuple[Counts, ...]:
    own = first.filter(~first.by_company)
    named = [column for column in ("process", "channel", "initiator") if column in own.columns]
    wanted = {column: _plain(own, own[column]) for column in ("event", *named)}
    wanted["hours"] = _plain(own, _hours(own.second))
    if "role" in own.columns:
        people = own.select("position", "contact_id", "role").distinct() if "contact_id" in own.columns else own
        wanted["role"] = _plain(people, people.role)
    habits = own.filter(own.event.notin(milestones)) if milestones else own
    together = habits.group_by("event", *named).aggregate(n=habits.count()).to_pyarrow().to_pandas()
    habits, grouping = _grouped(habits, together)
    steps = ibis.window(group_by="position", order_by=["time", "seq", "event"])
    moves = habits.select("position", given=habits.group.lag().over(steps), cell=habits.group)
    wanted["next after {}"] = moves.filter(moves.given != moves.cell)
    wanted["kind of {}"] = habits.select("position", given=habits.group, cell=habits.event)
    for column in named:
        events = _undecided(together, column)
        if column != grouping and events:
            rows = habits.filter(habits.event.isin(events))
            wanted[f"{column} of {{}}"] = rows.select("position", given=rows.event, cell=rows[column])
    return tuple(_counted(wanted))


def _hardly_repeated(first: ibis.Table, events: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `events` that at least 95% of the customers who have them have once."""
    if not events:
        return ()
    some = first.filter(first.event.isin(events))
    times = some.group_by("event", "position").aggregate(n=some.count())
    once = times.group_by("event").aggregate(share=(times.n == 1).cast("float64").mean()).to_pyarrow().to_pandas()
    return tuple(sorted(str(event) for event in once.loc[once["share"] >= ONCE, "event"]))


def _plain(rows: ibis.Table, cell: ibis.Value) -> ibis.Table:
    return rows.select("position", given=ibis.literal(""), cell=cell)


def _undecided(together: pd.DataFrame, column: str) -> list[str]:
    """The events, of the twelve most frequent, that do not decide the value of `column` in 98% of the cases."""
    known = together.dropna(subset=column).groupby(["event", column])["n"].sum().unstack(fill_value=0)
    total = known.sum(axis=1)
    frequent = total.sort_values(ascending=False, kind="stable").index[:MAX_CONDITIONS]
    decided = known.max(axis=1) >= DECIDED * total
    return sorted(str(event) for event in frequent if not decided[event])


def _hours(second: ibis.Value) -> ibis.Value:
    """Working hours or not, from seconds since 1970 UTC: no engine's session time zone can change that."""
    day, hour = (second / 86_400).floor().cast("int64"), (second / 3_600).floor().cast("int64") % 24
    # 1970-01-01 was a Thursday.
    is_weekend, is_at_work = ((day + 3) % 7) >= 5, (hour >= 8) & (hour < 18)
    return ibis.cases((is_weekend, HOURS[2]), (is_at_work, HOURS[0]), else_=HOURS[1])


def _grouped(own: ibis.Table, together: pd.DataFrame) -> tuple[ibis.Table, str]:
    """`own` with the column `group`, and the column that it comes from: process or event."""
    if "process" in together:
        processes = together.dropna(subset="process")
        if 2 <= processes["process"].nunique() <= MAX_GROUPS and processes["n"].sum() >= together["n"].sum() / 2:
            return own.mutate(group=own.process.fill_null(OTHER)), "process"
    events = together.groupby("event")["n"].sum().sort_values(ascending=False, kind="stable")
    if len(events) <= MAX_GROUPS:
        return own.mutate(group=own.event), "event"
    frequent = [str(event) for event in events.index[: MAX_GROUPS - 1]]
    return own.mutate(group=own.event.isin(frequent).ifelse(own.event, OTHER)), "event"


def _counted(wanted: dict[str, ibis.Table]) -> list[Counts]:
    """Rows (position, given, cell) counted in one query, so that the engine finds the events once: a Counts per value
    of `given`, which fills the braces of the name. Rows without either are passed over, and so is what has a single
    cell."""
    names = tuple(wanted)
    every = ibis.union(*(rows.mutate(place=ibis.literal(place)) for place, rows in enumerate(wanted.values())))
    every = every.drop_null(["given", "cell"])
    counted = every.group_by("place", "given", "position", "cell").aggregate(n=every.count())
    table = counted.to_pyarrow().to_pandas(strings_to_categorical=True)
    found = []
    groups = dict(iter(table.groupby(["place", "given"], observed=True, sort=False)))
    # Sorted here: the engine's order of rows decides that of the categories.
    for place, given in sorted(groups):
        part = groups[place, given]
        cells = sorted(part["cell"].unique())
        if len(cells) < 2:
            continue
        columns = pd.Index(cells).get_indexer(part["cell"].astype(object))
        order = np.lexsort((columns, part["position"]))
        arrays = (part["position"].to_numpy(np.int32), columns.astype(np.int32), part["n"].to_numpy(np.int64))
        found.append(Counts(names[place].format(given), str(given), tuple(cells), *(each[order] for each in arrays)))
    return found
