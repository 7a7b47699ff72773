"""Fates: where was the customer of an attempt that did not convert, once its time was up?"""

import numpy as np
import pandas as pd
import pyarrow as pa

from journeylab.events.log import TIME
from journeylab.events.spells import Spells
from journeylab.events.steps import Attempts
from journeylab.events.steps.walk import RAN_OUT

# In what a fate says: the customer went on, but not by the steps in their order.
ANOTHER_WAY = "by another way"


def fates_of(attempts: Attempts, spells: Spells, steps: np.ndarray) -> np.ndarray:
    """What became of each attempt, object (attempts,).

    The exclusion or interruption that ended it; where only its time passed, whether the customer was then lost, and to
    which branch, or in which stage; “time passed” where the spells do not say. `steps`: the position of the last step
    that each attempt reached.
    """
    names = np.array([attempts.exit_name(code) for code in attempts.ended], dtype=object)
    if not len(attempts):
        return names
    deadline = attempts.entered + attempts.rules.window_us
    asked = pd.DataFrame(
        {
            "customer_id": attempts.ids.take(pa.array(attempts.customer)).to_pandas().astype(object),
            "deadline": pa.array(deadline).cast(TIME).to_pandas(),
            "reached": [attempts.rules.steps[step].stage for step in steps],
            "at": np.arange(len(attempts)),
        }
    )
    visits = spells.to_pandas().astype({"customer_id": object}).sort_values(["entered", "spell"], kind="stable")
    asked = asked[attempts.ended == RAN_OUT].sort_values("deadline", kind="stable")
    last = pd.merge_asof(asked, visits, by="customer_id", left_on="deadline", right_on="entered")
    for row in last[last["stage"].notna()].itertuples():
        names[row.at] = _fate(row, spells, in_order=attempts.rules.order != "unordered")
    return names


def _fate(row, spells: Spells, *, in_order: bool) -> str:
    """What a row of an attempt beside the last visit that its customer began in time says. `in_order`: whether the
    steps of the attempt have one, so that there is another way."""
    journey = spells.journey
    if row.outcome == "lost" and row.left <= row.deadline:
        return f"lost to “{journey.title(row.to)}”"
    here = f"in “{journey.title(row.stage)}”"
    if row.stage == row.reached:
        return f"still {here}"
    if row.reached is None or not in_order:
        return here
    order = journey.stage_names.index
    return f"{here} {ANOTHER_WAY}" if order(row.stage) > order(row.reached) else f"back {here}"
