"""Truth: what was planted, and what really happened to each simulated account?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from journeylab.base.durations import days
from journeylab.base.errors import JourneyLabError, did_you_mean
from journeylab.events.log import Window
from journeylab.events.simulate.calendar import DAY, FAR, WINDOW
from journeylab.events.simulate.histories import EVER, STAYS, Histories
from journeylab.events.simulate.planted import ADVANCE, EXITS, FIRST_BRANCH, PARTNER, REGRESS, STAGES

_LONGEST_HORIZON = (FAR - int(WINDOW.days) * DAY) // DAY

_OBSERVED = (
    *("customer_id", "spell", "stage", "entered", "left"),
    *("observed_from", "days", "outcome", "to", "returned_from"),
)


@dataclass(frozen=True, repr=False)
class Truth:
    """What a simulated log was made from; none of it is in the log.

    personas: Series, index customer_id, the planted persona of each account (“A” to “E”). Bots have none.
    spells: DataFrame, one row per visit to a stage, complete: nothing is cut at the window. Columns `customer_id`,
        `spell`, `stage`, `entered`, `left`, `days`, `outcome`, `to`, `returned_from` as in Spells, and `is_logged`:
        whether the log holds the events of this visit (not the earliest history of accounts that entered before the
        window). Histories are followed for three years beyond the window; only a customer in the last stage, which
        nobody leaves, is still `ongoing` then.
    planted: DataFrame, the hazards: one row per persona, stage and exit; see `planted.planted_table`.
    window: what the log shows.
    """

    personas: pd.Series
    spells: pd.DataFrame
    planted: pd.DataFrame
    window: Window

    def __repr__(self) -> str:
        return (
            f"Truth of a simulated log: {self.personas.nunique():,} personas, {len(self.personas):,} accounts, "
            f"{len(self.spells):,} complete spells."
        )

    def observed(self) -> pd.DataFrame:
        """The spells as the best analysis of the log would find them: cut at the window, unlogged history left out.

        Columns as `spells` without `is_logged`, and `observed_from`.
        """
        start, end = self.window.start, self.window.end
        seen = self.spells[self.spells["is_logged"] & (self.spells["left"] >= start) & (self.spells["entered"] < end)]
        is_cut = seen["left"] >= end
        left = seen["left"].where(~is_cut, end)
        seen = seen.assign(
            left=left,
            days=(left - seen["entered"]) / pd.Timedelta(days=1),
            outcome=seen["outcome"].where(~is_cut, "ongoing"),
            to=seen["to"].where(~is_cut, None),
            observed_from=seen["entered"].where(seen["entered"] >= start, start),
            spell=seen.groupby("customer_id", sort=False).cumcount() + 1,
        )
        return seen[list(_OBSERVED)].reset_index(drop=True)

    def incidence(self, stage: str, horizons: Sequence[str]) -> pd.DataFrame:
        """Of the spells of `stage` entered before the window's end, the share that left by each way within each
        horizon.

        One row per way out and horizon: `stage`, `to`, `horizon_days`, `share`, `n` (spells entered). Nothing is
        censored, so the shares are plain ones. Raises JourneyLabError for an unknown stage and for horizons beyond
        three years.
        """
        if stage not in STAGES[:PARTNER]:
            raise JourneyLabError(
                f"No customer leaves a stage called “{stage}”. {did_you_mean(stage, STAGES[:PARTNER])}"
            )
        spells = self.spells[(self.spells["stage"] == stage) & (self.spells["entered"] < self.window.end)]
        found = []
        for horizon in horizons:
            if days(horizon) > _LONGEST_HORIZON:
                raise JourneyLabError(
                    f"The horizon “{horizon}” is longer than simulated accounts are followed. "
                    f"Ask for at most {_LONGEST_HORIZON} days."
                )
            within = spells["to"].where(spells["days"] <= days(horizon))
            found += [
                {"stage": stage, "to": to, "horizon_days": days(horizon), "share": share, "n": len(spells)}
                for to, share in ((to, float((within == to).mean())) for to in sorted(spells["to"].dropna().unique()))
            ]
        return pd.DataFrame(found, columns=["stage", "to", "horizon_days", "share", "n"])


def spells_table(histories: Histories, starts: np.ndarray, identities: np.ndarray) -> pd.DataFrame:
    """`Truth.spells` from complete histories; `starts`: from when each account is logged, `identities`: its
    customer_id."""
    way_out, stage = histories.way_out, histories.stage
    names = np.array([*EXITS, None], dtype=object)
    stages = np.array([*STAGES, None], dtype=object)
    to = np.where(way_out >= FIRST_BRANCH, names[way_out], None)
    to = np.where(way_out == ADVANCE, stages[np.minimum(stage + 1, PARTNER)], to)
    to = np.where(way_out == REGRESS, stages[stage - 1], to)
    outcome = np.select(
        [way_out == STAYS, way_out == REGRESS, (way_out == ADVANCE) & (stage + 1 == PARTNER), way_out == ADVANCE],
        ["ongoing", "regressed", "completed", "advanced"],
        "lost",
    )
    return pd.DataFrame(
        {
            "customer_id": identities[histories.account],
            "spell": pd.Series(histories.account).groupby(histories.account).cumcount() + 1,
            "stage": np.array(STAGES, dtype=object)[stage],
            "entered": moments(histories.entered),
            "left": moments(histories.left),
            "days": (histories.left - histories.entered) / DAY,
            "outcome": outcome.astype(object),
            "to": to,
            "returned_from": np.where(histories.returned_from >= 0, names[histories.returned_from], None),
            "is_logged": (starts[histories.account] == EVER) | (histories.entered >= starts[histories.account]),
        }
    )


def moments(seconds: np.ndarray) -> pd.DatetimeIndex:
    """Seconds since the window's start as UTC times in microseconds."""
    start = WINDOW.start.tz_localize(None).to_datetime64().astype("datetime64[us]")
    return pd.DatetimeIndex(start + seconds.astype("timedelta64[s]").astype("timedelta64[us]")).tz_localize("UTC")
