"""Truth: what was planted, and what really happened to each simulated account?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from journeylab.base.durations import days
from journeylab.base.errors import JourneyLabError, did_you_mean
from journeylab.base.words import counted
from journeylab.events.log import Window
from journeylab.events.simulate.calendar import DAY, FAR, WINDOW
from journeylab.events.simulate.histories import EVER, Histories
from journeylab.events.simulate.planted import (
    ADVANCE,
    EXITS,
    PARTNER,
    REGRESS,
    STAGES,
    STAYS,
    destinations,
)

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
        no customer leaves, is still `ongoing` then.
    planted: DataFrame, the hazards: one row per persona, stage and exit; see `planted.planted_table`.
    window: what the log shows.
    """

    personas: pd.Series
    spells: pd.DataFrame
    planted: pd.DataFrame
    window: Window

    def __repr__(self) -> str:
        return (
            f"Truth of a simulated log: {counted(self.personas.nunique(), 'persona')}, "
            f"{counted(len(self.personas), 'account')}, {counted(len(self.spells), 'complete spell')}."
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
        """Of the spells of `stage` entered before the window's end, the share that ended by each exit within each
        horizon.

        Nothing is censored, so the shares are plain ones.

        Parameters
        ----------
        stage : str
            A stage that customers leave: any but the last.
        horizons : sequence of str
            Times from entering the stage, such as "30d"; at most three years.

        Returns
        -------
        DataFrame
            One row per exit and horizon: `stage`, `to`, `horizon_days`, `share`, `n` (spells entered).

        Raises
        ------
        JourneyLabError
            For an unknown stage and for a horizon beyond three years.
        """
        if stage not in STAGES[:PARTNER]:
            raise JourneyLabError(
                f"No customer leaves a stage called “{stage}”. {did_you_mean(stage, STAGES[:PARTNER])}"
            )
        spells = self.spells[(self.spells["stage"] == stage) & (self.spells["entered"] < self.window.end)]
        exits = sorted(spells["to"].dropna().unique())
        shares = []
        for horizon in horizons:
            if days(horizon) > _LONGEST_HORIZON:
                raise JourneyLabError(
                    f"The horizon “{horizon}” is longer than simulated accounts are followed. "
                    f"Ask for at most {_LONGEST_HORIZON} days."
                )
            within = spells["to"].where(spells["days"] <= days(horizon))
            shares += [(stage, to, days(horizon), float((within == to).mean()), len(spells)) for to in exits]
        return pd.DataFrame(shares, columns=["stage", "to", "horizon_days", "share", "n"])


def spells_table(histories: Histories, starts: np.ndarray, identities: np.ndarray) -> pd.DataFrame:
    """`Truth.spells` from complete histories; `starts`: from when each account is logged, `identities`: its
    customer_id."""
    exits, stage = histories.left_by, histories.stage
    outcome = np.select(
        [exits == STAYS, exits == REGRESS, (exits == ADVANCE) & (stage + 1 == PARTNER), exits == ADVANCE],
        ["ongoing", "regressed", "completed", "advanced"],
        "lost",
    )
    return pd.DataFrame(
        {
            "customer_id": identities[histories.account],
            "spell": pd.Series(histories.account).groupby(histories.account).cumcount() + 1,
            "stage": np.array(STAGES, dtype=object)[stage],
            "entered": _times(histories.entered),
            "left": _times(histories.left),
            "days": (histories.left - histories.entered) / DAY,
            "outcome": outcome.astype(object),
            "to": destinations(stage, exits),
            "returned_from": np.array([*EXITS, None], dtype=object)[histories.returned_from],
            "is_logged": (starts[histories.account] == EVER) | (histories.entered >= starts[histories.account]),
        }
    )


def _times(seconds: np.ndarray) -> pd.DatetimeIndex:
    """Seconds since the window's start as UTC times in microseconds."""
    start = WINDOW.start.tz_localize(None).to_datetime64().astype("datetime64[us]")
    return pd.DatetimeIndex(start + seconds.astype("timedelta64[s]").astype("timedelta64[us]")).tz_localize("UTC")
