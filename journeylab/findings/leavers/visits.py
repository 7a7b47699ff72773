"""The visits to one stage as arrays: when did each begin and end, how, and from when on can it be looked back on?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from journeylab.base.durations import NEVER
from journeylab.events.queries.event_windows import COMPANY, TimeSpans
from journeylab.events.spells import Spells
from journeylab.events.spells.exits import watched_visits

CONVERTED = ("advanced", "completed")


@dataclass(frozen=True, eq=False)
class StageVisits:
    """Visits of one group to one stage; arrays (visits,), times in microseconds since 1970 UTC.

    group: None where no groups were asked for. silence: `silent_after` of the stage, 0 where it has none.
    customer_id, customer: whose, by name and by whole number. way: how it ended: an outcome, or the branch.
    back: when the customer next entered a stage after it, `NEVER` if that is not known to have happened.
    seen_from: from when on the log is known to hold what the customer did in it.
    """

    group: str | None
    stage: str
    silence: int
    customer_id: np.ndarray
    customer: np.ndarray
    entered: np.ndarray
    left: np.ndarray
    observed_from: np.ndarray
    seen_from: np.ndarray
    way: np.ndarray
    back: np.ndarray

    @property
    def name(self) -> dict:
        """Group and stage, as cells of a row."""
        return {"group": self.group, "stage": self.stage}

    def lost_by(self, branch: str) -> np.ndarray:
        """Positions of the visits lost by `branch`."""
        return np.flatnonzero(self.way == branch)

    @property
    def converted(self) -> np.ndarray:
        """Positions of the visits that advanced or completed the journey."""
        return np.flatnonzero(np.isin(self.way, CONVERTED))

    def looks(self, visits: np.ndarray, since: np.ndarray, until: np.ndarray) -> TimeSpans:
        """Looks at the customers of `visits` (positions)."""
        return TimeSpans(self.customer_id[visits], since, until)


@dataclass(frozen=True, eq=False)
class Seen:
    """What some looks at visits hold: arrays (rows,); see `EventWindows`. kinds: all kinds, as cells of a row."""

    look: np.ndarray
    kind: np.ndarray
    is_nearest: np.ndarray
    kinds: list[dict]

    @property
    def is_own(self) -> np.ndarray:
        """Which kinds are not the company's."""
        return np.array([kind["initiator"] != COMPANY for kind in self.kinds], bool)

    def counts(self, rows: np.ndarray) -> np.ndarray:
        """How many of the `rows` (mask) are of each kind."""
        return np.bincount(self.kind[rows], minlength=len(self.kinds))


def visits_by_stage(visits: pd.DataFrame, spells: Spells, *, stages: tuple[str, ...]) -> list[StageVisits]:
    """`visits` (columns of spells, and perhaps `group`) to each of `stages`, by group; those without a visit too.

    A visit that ended at the very moment when its watching began is left out.
    """
    visits = watched_visits(visits)
    times = {name: microseconds_of(visits[name]) for name in ("entered", "left", "observed_from")}
    way = visits["outcome"].astype(object).where(visits["outcome"] != "lost", visits["to"].astype(object))
    columns = {
        "customer_id": visits["customer_id"].to_numpy(object),
        "customer": pd.factorize(visits["customer_id"], sort=True)[0],
        **times,
        "seen_from": np.maximum(times["entered"], microseconds_of([spells.window.start])[0]),
        "way": way.to_numpy(),
        "back": _back(spells).reindex(visits.index).to_numpy(),
    }
    groups = visits["group"].to_numpy(object) if "group" in visits else np.full(len(visits), None)
    result = []
    for group in sorted(set(groups)) if "group" in visits else [None]:
        for stage in stages:
            is_here = (visits["stage"] == stage).to_numpy() & (groups == group)
            silence = spells.journey.stage(stage).silent_after_us or 0
            result.append(
                StageVisits(group, stage, silence, **{name: column[is_here] for name, column in columns.items()})
            )
    return result


def _back(spells: Spells) -> pd.Series:
    """When each spell's customer entered the next one, by position of the spell."""
    table = spells.to_pandas()
    entered = pd.Series(microseconds_of(table["entered"]), index=table.index)
    is_same = table["customer_id"].eq(table["customer_id"].shift(-1))
    return entered.shift(-1, fill_value=NEVER).where(is_same, NEVER)


def microseconds_of(times: pd.Series | list[pd.Timestamp]) -> np.ndarray:
    """`times` (UTC) in microseconds since 1970, int64."""
    return pd.Series(times).dt.as_unit("us").astype("int64").to_numpy()
