"""Batches: how are rows that come sorted by customer cut, so that no customer is split?"""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def whole_customers(batches: Iterable[pa.RecordBatch], *, column: str) -> Iterator[pa.Table]:
    """The same rows, cut only where the value of `column` changes; equal values must be next to each other."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        if not batch.num_rows:
            continue
        begins = starts_of(batch[column])
        cut = int(begins[-1])
        if cut or (held and held[-1][column][-1].as_py() != batch[column][0].as_py()):
            yield pa.Table.from_batches([*held, batch.slice(0, cut)])
            held = []
        held.append(batch.slice(cut))
    if held:
        yield pa.Table.from_batches(held)


def starts_of(column: pa.Array) -> np.ndarray:
    """The rows at which a value begins that differs from the one before; the first row is one. No value is null."""
    if len(column) < 2:
        return np.arange(len(column))
    differs = pc.not_equal(column[1:], column[:-1])
    return np.concatenate(([0], 1 + np.flatnonzero(differs.to_numpy(zero_copy_only=False))))
