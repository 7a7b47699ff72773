"""Returns: how long after a customer was lost did they come back, if they did?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from journeylab.events.journey import Journey
from journeylab.events.spells import Spells
from journeylab.events.spells.exits import CENSORED, Exits, spell_clock

RETURNED, ONGOING = "returned", "ongoing"
ANY_STAGE, ANY_BRANCH = "any stage", "lost"
_SPELLS = ["customer_id", "spell", "stage", "entered", "left", "outcome", "to"]


@dataclass(frozen=True)
class Absences(Exits):
    """Customers lost from one stage to one branch, on the clock of days since the loss; coming back is the way out.

    stage: from which they were lost, or `ANY_STAGE`. branch: to which, or `ANY_BRANCH`. The rest as in `Exits`.
    """

    branch: str = ANY_BRANCH
    _visit: ClassVar[str] = "lost visit"
    _inside: ClassVar[str] = "not yet back"
    _nobody: ClassVar[str] = "nobody was lost this way"


def find_absences(spells: Spells) -> pd.DataFrame:
    """Each loss in `spells` with what came after it, by customer and time.

    Columns as spells have them, the time away taking the place of a visit: `customer_id`, `stage` (lost from), `to`
    (the branch), `entered` and `observed_from` (when lost), `left` (when back, or the window's end), `outcome`
    (`RETURNED` or `ONGOING`), `back_in` (the stage they came back to, or null). What brings a customer back is the
    journey's rule: an opener, and after silence any event of theirs that is not a loss.
    """
    visits = spells.table.select(_SPELLS).to_pandas().sort_values(["customer_id", "spell"], ignore_index=True)
    following = visits[["customer_id", "entered", "stage"]].shift(-1)
    comes_back = following["customer_id"] == visits["customer_id"]
    lost = visits["outcome"] == "lost"
    back = following["entered"].where(comes_back, spells.window.end)
    away = visits.assign(
        observed_from=visits["left"],
        entered=visits["left"],
        left=back.astype(visits["left"].dtype),
        outcome=np.where(comes_back, RETURNED, ONGOING),
        back_in=following["stage"].astype(object).where(comes_back, None),
    )
    return away.loc[lost].drop(columns="spell").reset_index(drop=True)


def find_returns(absences: pd.DataFrame, journey: Journey) -> list[Absences]:
    """The absences of each group (sorted; all where there is no column `group`): first of any stage and branch, then
    by stage, in the journey's order, to any branch and to each that loses customers there.
    """
    groups = sorted(absences["group"].unique()) if "group" in absences else [None]
    columns = spell_clock(absences) | {"destination": np.where(absences["outcome"] == RETURNED, 1, CENSORED)}
    returns = []
    for group in groups:
        is_member = np.ones(len(absences), bool) if group is None else (absences["group"] == group).to_numpy()
        for stage, branch, is_here in _losses(absences, journey):
            rows = {name: column[is_member & is_here] for name, column in columns.items()}
            returns.append(Absences(stage, group, (RETURNED,), branch=branch, earliest={}, **rows))
    return returns


def _losses(absences: pd.DataFrame, journey: Journey) -> Iterator[tuple[str, str, np.ndarray]]:
    """Each stage and branch for which returns are counted, and which absences belong to them."""
    yield ANY_STAGE, ANY_BRANCH, np.ones(len(absences), bool)
    for stage in journey.stage_names:
        here = (absences["stage"] == stage).to_numpy()
        taken = set(absences.loc[here, "to"])
        branches = [name for name in journey.branches if name in taken or name in journey.branches_from(stage)]
        if branches:
            yield stage, ANY_BRANCH, here
        for branch in branches:
            yield stage, branch, here & (absences["to"] == branch).to_numpy()
