"""How often did each customer do each thing by the landmark: events by kind, channel and hour, moves, roles?"""

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
        all, by time of day; “role” contacts, by role.
    rows: (k,) int32 position of the customer in `Features.customers`; columns: (k,) int32 position in `names`;
        counts: (k,) int64. In order of rows, then columns.
    """

    name: str
    given: str
    names: tuple[str, ...]
    rows: np.ndarray
    columns: np.ndarray
    counts: np.ndarray

    def renamed(self, names: tuple[str, ...]) -> "Counts":
        """The same with the columns of `names`; what they do not name is left out."""
        if names == self.names:
            return self
        columns = pd.Index(names, dtype=object).get_indexer(pd.Index(self.names, dtype=object))[self.columns]
        known = columns >= 0
        rows, columns, counts = self.rows[known], columns[known].astype(np.int32), self.counts[known]
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
    yield from _by_kind(events, "group", [_cell("", each) for each in group], n)
    yield Counts("hours", "", HOURS, *_added(events.position, events.hours, len(HOURS), n))
    if "role" in first.rows.columns:
        yield _roles(first)
    yield from _moves(events, group, n)
    event = kinds["event"]
    yield from _by_kind(events, "kind of {}", [_cell(*pair) for pair in zip(group, event, strict=True)], n)
    for column, told in habits.told.items():
        if column in kinds:
            given = event.where(event.isin(told) & group.notna(), None)
            cells = [_cell(*pair) for pair in zip(given, kinds[column], strict=True)]
            yield from _by_kind(events, f"{column} of {{}}", cells, n)


def count_events(first: FirstEvents, column: str) -> Counts:
    """All events by what `column` of `FirstEvents.kinds` says."""
    cells = [_cell("", each) for each in first.kinds[column]]
    found = list(_by_kind(first.ordered, column, cells, len(first.customers)))
    nothing = np.empty(0, np.int32)
    return found[0] if found else Counts(column, "", (), nothing, nothing, np.empty(0, np.int64))


def _cell(given: object, name: object) -> tuple[str, str] | None:
    return None if pd.isna(given) or pd.isna(name) else (str(given), str(name))


def _by_kind(events: Ordered, name: str, cells: Sequence[tuple[str, str] | None], n: int) -> Iterator[Counts]:
    """A Counts per value of `given`, which fills the braces of `name`. `cells`: given and cell of each kind, None for
    kinds to be passed over. `n` customers."""
    pairs = sorted({each for each in cells if each is not None})
    place = {pair: number for number, pair in enumerate(pairs)}
    # One more, so that there is an array to index where no kind occurs.
    column = np.array([place.get(each, -1) for each in (*cells, None)], dtype=np.int64)[events.kind]
    yield from _named(name, pairs, *_added(events.position, column, len(pairs), n))


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
    own = first.own.filter(first.own.role.notnull())  # noqa: PD004
    if "contact_id" in own.columns:
        own = own.select("position", "contact_id", "role").distinct()
    found = own.group_by("position", "role").aggregate(n=own.count()).to_pyarrow()
    columns, names = pd.factorize(found["role"].to_pandas().to_numpy(dtype=object), sort=True)
    rows, counts = found["position"].to_numpy(), found["n"].to_numpy().astype(np.int64)
    order = np.lexsort((columns, rows))
    return Counts("role", "", tuple(map(str, names)), rows[order], columns[order].astype(np.int32), counts[order])


def _added(position: np.ndarray, column: np.ndarray, width: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How often each pair of customer and column occurs, in that order, without the zeros: three arrays.

    `position` ascends; rows with a negative column are passed over; there are `width` columns and `n` customers.
    """
    found = [(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.int64))]
    step = max(_AT_ONCE // max(width, 1), 1)
    for start in range(0, n, step):
        rows = slice(*np.searchsorted(position, np.array((start, start + step), position.dtype)))
        known = column[rows] >= 0
        key = (position[rows][known] - start) * np.int64(width) + column[rows][known]
        total = np.bincount(key)
        pairs = np.flatnonzero(total)
        if len(pairs):
            row, cell = np.divmod(pairs, width)
            found.append(((row + start).astype(np.int32), cell.astype(np.int32), total[pairs].astype(np.int64)))
    return tuple(np.concatenate(each) for each in zip(*found, strict=True))


def _named(
    name: str, pairs: Sequence[tuple[str, str]], rows: np.ndarray, columns: np.ndarray, counts: np.ndarray
) -> Iterator[Counts]:
    """A Counts per value of `given` in `pairs` (given, cell), sorted by it, with the cells that occur."""
    occurs = np.bincount(columns, minlength=len(pairs)) > 0
    for given in sorted({given for given, _ in pairs}):
        places = [place for place, pair in enumerate(pairs) if pair[0] == given and occurs[place]]
        if places:
            new = np.full(len(pairs), -1, np.int32)
            new[places] = np.arange(len(places))
            cells = new[columns]
            here = cells >= 0
            yield Counts(
                name.format(given),
                given,
                tuple(pairs[each][1] for each in places),
                rows[here],
                cells[here],
                counts[here],
            )
