"""Rows: what does one line of the simulated log hold, before it becomes text?"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

NONE = -1
_TYPES = {"time": np.int64, "account": np.int32, "text": np.int32, "value": np.float32}


@dataclass(frozen=True)
class Rows:
    """Events as small numbers, one array per column: positions in the lists of names, NONE where a cell is empty.

    account, time (seconds since the window's start), event, contact (position within the account), channel, reason,
    topic, text, score, value (not a number where empty).
    """

    account: np.ndarray
    time: np.ndarray
    event: np.ndarray
    contact: np.ndarray
    channel: np.ndarray
    reason: np.ndarray
    topic: np.ndarray
    text: np.ndarray
    score: np.ndarray
    value: np.ndarray

    def __len__(self) -> int:
        return len(self.account)

    def take(self, chosen: np.ndarray) -> "Rows":
        """The rows `chosen` (positions or a mask)."""
        return Rows(*(getattr(self, field.name)[chosen] for field in fields(self)))


def rows(account: np.ndarray, time: np.ndarray, event: np.ndarray | int, **cells: np.ndarray) -> Rows:
    """Rows with these cells; all others are empty."""
    given = {"account": account, "time": time, "event": event, **cells}
    columns = []
    for field in fields(Rows):
        kind = _TYPES.get(field.name, np.int8)
        empty = np.nan if field.name == "value" else NONE
        columns.append(
            np.broadcast_to(np.asarray(given.get(field.name, empty), dtype=kind), len(account)).astype(kind, copy=False)
        )
    return Rows(*columns)


def together(parts: Sequence[Rows]) -> Rows:
    """All `parts`, one after the other."""
    return Rows(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Rows)))
