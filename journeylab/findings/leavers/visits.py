"""The visits to one stage as arrays: when did each begin and end, how, and from when on can it be looked back on?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from journeylab.base.durations import NEVER
from journeylab.events.queries.event_windows import TimeSpans
from journeylab.events.spells import Spells

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


def visits_by_stage(visits: pd.DataFrame, spells: Spells, *, stages: tuple[str, ...]) -> list[StageVisits]:
    """`visits` (columns of spells, and perhaps `group`) to each of `stages`, by group; those without a visit too.

    A visit that ended at the very moment when its watching began is left out.
    """
    journey, start = spells.journey, microseconds_of([spells.window.start])[0]
    visits = visits[(visits["left"] > visits["observed_from"]) | (visits["observed_from"] == visits["entered"])]
    way = visits["outcome"].astype(object).where(visits["outcome"] != "lost", visits["to"].astype(object))
    table = pd.DataFrame(
        {
            "customer_id": visits["customer_id"].astype(object),
            "customer": pd.factorize(visits["customer_id"], sort=True)[0],
            **{name: microseconds_of(visits[name]) for name in ("entered", "left", "observed_from")},
            "way": way,
            "back": _back(spells).reindex(visits.index).to_numpy(),
        },
        index=visits.index,
    )
    table["seen_from"] = np.maximum(table["entered"], start)
    groups = sorted(visits["group"].unique()) if "group" in visits else [None]
    found = []
    for group in groups:
        for stage in stages:
            is_here = visits["stage"] == stage
            rows = table[is_here if group is None else is_here & (visits["group"] == group)]
            columns = {name: rows[name].to_numpy() for name in table}
            found.append(StageVisits(group, stage, journey.stage(stage).silent_after_us or 0, **columns))
    return found


def _back(spells: Spells) -> pd.Series:
    """When each spell's customer entered the next one, by position of the spell."""
    every = spells.to_pandas()
    entered = pd.Series(microseconds_of(every["entered"]), index=every.index)
    is_same = every["customer_id"].eq(every["customer_id"].shift(-1))
    return entered.shift(-1, fill_value=NEVER).where(is_same, NEVER)


def microseconds_of(times: pd.Series | list[pd.Timestamp]) -> np.ndarray:
    """`times` (UTC) in microseconds since 1970, int64."""
    return pd.Series(times).dt.as_unit("us").astype("int64").to_numpy()
