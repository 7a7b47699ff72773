"""Arrays: how are the simulator's tables read and drawn from, and how does it hold records as one array per column?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
import yaml


@dataclass(frozen=True)
class Records:
    """Records that share their positions: every field is an array with one row per record."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def __getitem__(self, chosen: np.ndarray | slice) -> Self:
        """The records at `chosen`: positions, a mask or a slice."""
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """All `parts`, one after the other."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


def load(name: str) -> dict[str, Any]:
    """The file `name` beside this one, which says what is planted."""
    return yaml.safe_load(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def table(rows: Iterable[Mapping[str, float]], columns: Sequence[str], *, missing: float = 0.0) -> np.ndarray:
    """Numbers by name as an array (rows x columns); `missing` stands where a row does not name a column."""
    return np.array([[row.get(column, missing) for column in columns] for row in rows], dtype=float)


def choose(rng: np.random.Generator, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """For each of `rows`, a column of `weights` (rows x columns, not negative), drawn with that row's weights.

    One sorted array holds the cumulative shares of all rows, those of row r between r and r + 1, so that one binary
    search draws all.
    """
    cumulative = np.cumsum(weights, axis=1, dtype=float)
    cumulative /= cumulative[:, -1:]
    # Rounding must not hand a row's last sliver to a column without weight, nor to the next row.
    cumulative[cumulative > 1 - 1e-12] = 1.0
    n_columns = weights.shape[1]
    ladder = (cumulative + np.arange(len(weights))[:, None]).ravel()
    return np.searchsorted(ladder, rows + (1 - 1e-9) * rng.random(len(rows)), side="right") - rows * n_columns


def counter(lengths: np.ndarray) -> np.ndarray:
    """0, 1, ... within each run: for lengths 2, 3 it is 0 1 0 1 2."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)
