"""Counts: how often did each customer do each thing by the landmark: events by kind, channel and hour, moves, roles?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from journeylab.events.features.first_events import HOURS, KIND, FirstEvents, Ordered
from journeylab.events.features.habits import Habits

# Pairs of customer and cell that are counted at once: what a processor's cache holds.
_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Counts:
    """How often each customer did each of several things, without the zeros.

    name, given: what is counted, and among which events ("" among all). “event”, “process”, “channel” and “initiator”
        divide all events; “group” divides them by the groups that moves go between; “next after G” moves from group G
        to another, by group; “kind of G” events of group G, by name; “channel of E” those named E, by channel; “hours”
        all, by time of day, where the log has times; “role” contacts, by role.
    rows: (k,) int32 position of the customer in `Features.customers`; columns: (k,) int32 position in `names`;
        counts: (k,) int64. In order of rows, then columns.
    """

    name: str
    given: str
    names: tuple[str, ...]
    rows: np.ndarray
    columns: np.ndarray
    counts: np.ndarray

    @classmethod
    def none(cls, name: str, given: str = "") -> "Counts":
        """The Counts of what nobody did."""
        return cls(name, given, (), np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.int64))

    def renamed(self, names: tuple[str, ...]) -> "Counts":
        """The same with the columns of `names`; what they do not name is left out."""
        if names == self.names:
            return self
        columns = pd.Index(names, dtype=object).get_indexer(pd.Index(self.names, dtype=object))[self.columns]
        is_named = columns >= 0
        rows, columns, counts = self.rows[is_named], columns[is_named].astype(np.int32), self.counts[is_named]
        order = np.lexsort((columns, rows))
        return replace(self, names=names, rows=rows[order], columns=columns[order], counts=counts[order])

    def totals(self) -> np.ndarray:
        """(names,) how often each was done by all customers together."""
        return np.bincount(self.columns, weights=self.counts, minlength=len(self.names)).astype(int)

    def shares_once(self) -> np.ndarray:
        """(names,) of the customers who did each, the share who did it once."""
        having = np.bincount(self.columns, minlength=len(self.names))
        return np.bincount(self.columns, weights=self.counts == 1, minlength=len(self.names)) / np.maximum(having, 1)


def count(first: FirstEvents, habits: Habits) -> Iterator[Counts]:
    """All counts of the first events, in a fixed order; those of a single cell too."""
    n, kinds, events = len(first.customers), first.kinds, first.ordered
    for column in KIND:
        if column in kinds:
            yield count_events(first, column)
    group = habits.groups_of(kinds)
    yield from _by_kind(events, "group", "", group, n)
    if not first.dates_only:
        yield Counts("hours", "", HOURS, *_added(events.position, events.hours, len(HOURS), n))
    if "role" in first.rows.columns:
        yield _roles(first)
    yield from _moves(events, group, n)
    event = kinds["event"]
    yield from _by_kind(events, "kind of {}", group, event, n)
    for column, undecided in habits.told.items():
        if column in kinds:
            given = event.where(event.isin(undecided) & group.notna(), None)
            yield from _by_kind(events, f"{column} of {{}}", given, kinds[column], n)


def count_events(first: FirstEvents, column: str) -> Counts:
    """All events by what `column` of `FirstEvents.kinds` says."""
    counts = list(_by_kind(first.ordered, column, "", first.kinds[column], len(first.customers)))
    return counts[0] if counts else Counts.none(column)


def _by_kind(events: Ordered, name: str, given: pd.Series | str, cells: pd.Series, n: int) -> Iterator[Counts]:
    """A Counts per value of `given`, which fills the braces of `name`, for `n` customers.

    given, cells: of each kind of event; kinds that lack one of them are passed over.
    """
    named = pd.DataFrame({"given": given, "cell": cells}, index=cells.index, dtype=object)
    is_known = named.notna().all(axis=1).to_numpy()
    kinds = list(named[is_known].astype(str).itertuples(index=False, name=None))
    pairs = sorted(set(kinds))
    number = {pair: at for at, pair in enumerate(pairs)}
    # One more, so that there is an array to index where no kind occurs.
    column = np.full(len(named) + 1, -1)
    column[np.flatnonzero(is_known)] = [number[pair] for pair in kinds]
    yield from _named(name, pairs, *_added(events.position, column[events.kind], len(pairs), n))


def _moves(events: Ordered, group: pd.Series, n: int) -> Iterator[Counts]:
    """The embedded chain: steps from one group to another, a Counts per group left."""
    codes, names = pd.factorize(group.to_numpy(dtype=object), sort=True)
    code = np.append(codes, -1)[events.kind]
    is_habit = code >= 0
    position, code = events.position[is_habit], code[is_habit]
    is_move = (position[1:] == position[:-1]) & (code[1:] != code[:-1])
    move = (code[:-1] * len(names) + code[1:])[is_move]
    pairs = [(str(given), str(cell)) for given in names for cell in names]
    yield from _named("next after {}", pairs, *_added(position[1:][is_move], move, len(pairs), n))


def _roles(first: FirstEvents) -> Counts:
    """Contacts by role; events by role where the log names no contact. A role without a contact is somebody."""
    own = first.own.drop_null("role")
    if "contact_id" in own.columns:
        own = own.select("position", "contact_id", "role").distinct()
    by_role = own.group_by("position", "role").aggregate(n=own.count()).to_pyarrow()
    columns, names = pd.factorize(by_role["role"].to_pandas().to_numpy(dtype=object), sort=True)
    rows, counts = by_role["position"].to_numpy(), by_role["n"].to_numpy().astype(np.int64)
    order = np.lexsort((columns, rows))
    return Counts("role", "", tuple(map(str, names)), rows[order], columns[order].astype(np.int32), counts[order])


def _added(position: np.ndarray, column: np.ndarray, width: int, n: int) -> tuple[np.ndarray, ...]:
    """How often each pair of customer and column occurs, in that order, without the zeros: three arrays.

    `position` ascends; rows with a negative column are passed over; there are `width` columns and `n` customers.
    """
    parts = [(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.int64))]
    step = max(_AT_ONCE // max(width, 1), 1)
    for start in range(0, n, step):
        rows = slice(*np.searchsorted(position, np.array((start, start + step), position.dtype)))
        is_counted = column[rows] >= 0
        key = (position[rows][is_counted] - start) * np.int64(width) + column[rows][is_counted]
        total = np.bincount(key)
        pairs = np.flatnonzero(total)
        if len(pairs):
            row, cell = np.divmod(pairs, width)
            parts.append(((row + start).astype(np.int32), cell.astype(np.int32), total[pairs].astype(np.int64)))
    return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))


def _named(
    name: str, pairs: Sequence[tuple[str, str]], rows: np.ndarray, columns: np.ndarray, counts: np.ndarray
) -> Iterator[Counts]:
    """A Counts per value of `given` in `pairs` (given, cell), sorted by it, with the cells that occur."""
    occurs = np.bincount(columns, minlength=len(pairs)) > 0
    for given in sorted({given for given, _ in pairs}):
        chosen = [number for number, pair in enumerate(pairs) if pair[0] == given and occurs[number]]
        if chosen:
            new = np.full(len(pairs), -1, np.int32)
            new[chosen] = np.arange(len(chosen))
            cells = new[columns]
            is_here = cells >= 0
            names = tuple(pairs[number][1] for number in chosen)
            yield Counts(name.format(given), given, names, rows[is_here], cells[is_here], counts[is_here])
