"""CRM: what would the sales team's record say of each simulated account, and where is it wrong?"""

import numpy as np
import pandas as pd

from journeylab.events.journey import SILENT, Journey
from journeylab.events.log import Window

LOST_BUCKET = "Lost"
# Days until somebody enters a move: the median of a log-normal, and its spread.
LAG_MEDIAN, LAG_SPREAD = 3.0, 1.1
# A sale is entered as won before it is one in this share of cases, up to so many days early.
EARLY_SHARE, EARLY_DAYS = 0.12, 10.0
# What is never entered: a move, a declared loss, a loss to silence; and accounts that nobody ever entered.
MISSED = {"move": 0.04, "lost": 0.08, SILENT: 0.45}
UNKNOWN_ACCOUNTS = 0.03


def draw_crm(rng: np.random.Generator, spells: pd.DataFrame, journey: Journey, window: Window) -> pd.DataFrame:
    """The CRM's moves of accounts between its buckets: `customer_id`, `time` (text, ISO 8601, UTC), `bucket`.

    spells: of `Truth`. Moves are entered late, some early, some never; losses to silence are often not noticed. What
    was to be entered after the window is not there.
    """
    seen = spells[spells["is_logged"]].astype({"customer_id": object, "stage": object})
    buckets = {stage.name: stage.crm_bucket for stage in journey.stages}
    second = journey.stage_names[1]
    entered = seen[["customer_id", "entered", "stage"]].set_axis(["customer_id", "time", "stage"], axis=1)
    entered = entered.assign(bucket=entered["stage"].map(buckets), kind="move")
    lost = seen.loc[seen["outcome"] == "lost", ["customer_id", "left", "to"]].set_axis(
        ["customer_id", "time", "stage"], axis=1
    )
    lost = lost.assign(bucket=LOST_BUCKET, kind=np.where(lost["stage"] == SILENT, SILENT, "lost"))
    moves = pd.concat([entered, lost], ignore_index=True)
    n = len(moves)
    lag = LAG_MEDIAN * np.exp(LAG_SPREAD * rng.standard_normal(n))
    is_early = (moves["stage"] == second).to_numpy() & (rng.random(n) < EARLY_SHARE)
    lag = np.where(is_early, -EARLY_DAYS * rng.random(n), lag)
    time = moves["time"] + pd.to_timedelta((lag * 1440).round(), unit="min")
    known = pd.Series(rng.random(seen["customer_id"].nunique()) >= UNKNOWN_ACCOUNTS, seen["customer_id"].unique())
    is_there = (rng.random(n) >= moves["kind"].map(MISSED).to_numpy()) & moves["customer_id"].map(known).to_numpy(bool)
    rows = moves.assign(time=time)[is_there & (time < window.end).to_numpy()]
    rows = rows.sort_values(["customer_id", "time"], kind="stable")[["customer_id", "time", "bucket"]]
    return rows.assign(time=rows["time"].dt.strftime("%Y-%m-%dT%H:%MZ")).reset_index(drop=True)
