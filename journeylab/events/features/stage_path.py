"""Which stages had each customer entered by the landmark, in which order?"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from journeylab.base.durations import all_since_1970
from journeylab.events.spells import Spells

STAGE_PATH = "stage path"
ARROW = " > "
LONGEST = 8


def stage_paths(spells: Spells, landmarks: pd.Series) -> pd.Series:
    """The stages that each customer entered before their landmark, in order, as text: “evaluating > onboarding”.

    landmarks: UTC times by customer_id. A stage is told each time it was entered, however short the visit; a path of
    more than eight ends with “> …”. None for a customer who entered none by then. What the visits came to is no part of
    it, only that the next one began: that is known at the landmark.
    """
    visits = spells.table.select(["customer_id", "entered", "stage"])
    position = pc.index_in(visits["customer_id"], value_set=pa.array(landmarks.index, pa.string()))
    known = position.is_valid().to_numpy()
    position = position.fill_null(0).to_numpy()[known]
    entered = visits["entered"].cast(pa.int64()).to_numpy()[known]
    is_before = entered < all_since_1970(landmarks)[position]
    position = position[is_before]
    named = visits["stage"].combine_chunks().cast(pa.string()).dictionary_encode()
    named = named.combine_chunks() if isinstance(named, pa.ChunkedArray) else named
    stage = named.indices.to_numpy()[known][is_before]
    paths = _paths(position, stage, named.dictionary.to_pylist(), len(landmarks))
    return pd.Series(paths, index=landmarks.index, name=STAGE_PATH)


def _paths(position: np.ndarray, stage: np.ndarray, names: list[str], n: int) -> np.ndarray:
    """(n,) the path of each customer. `position` is sorted, visits in order of time."""
    starts = np.flatnonzero(np.diff(position, prepend=-1))
    place = np.arange(len(position)) - np.repeat(starts, np.diff(starts, append=len(position)))
    path, texts = np.zeros(n, np.int64), np.array([None], dtype=object)
    for step in range(min(int(place.max(initial=-1)) + 1, LONGEST + 1)):
        here = place == step
        pair = path.copy() * (len(names) + 1)
        pair[position[here]] += stage[here] + 1
        found, path = np.unique(pair, return_inverse=True)
        before, added = np.divmod(found, len(names) + 1)
        texts = np.array(
            [
                _longer(texts[old], names[new - 1], step) if new else texts[old]
                for old, new in zip(before, added, strict=True)
            ],
            dtype=object,
        )
    return texts[path]


def _longer(path: str | None, stage: str, step: int) -> str:
    if path is None:
        return stage
    return f"{path}{ARROW}{'…' if step == LONGEST else stage}"
