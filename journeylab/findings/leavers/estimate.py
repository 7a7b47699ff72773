"""How leavers are compared with those who stayed."""

from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base.durations import DAY, microseconds
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.words import counted
from journeylab.events.log import EventLog
from journeylab.events.spells import Spells
from journeylab.findings.arguments import check_confidence
from journeylab.findings.finding import tidy
from journeylab.findings.grouping import By, Grouping, Where, select, watched, why_nobody
from journeylab.findings.leavers.after_loss import FIRST
from journeylab.findings.leavers.case_control import CaseControl
from journeylab.findings.leavers.leavers import Leavers
from journeylab.findings.leavers.matching import Lookback
from journeylab.findings.leavers.tables import ASSOCIATIONS, LAST
from journeylab.findings.leavers.visits import visits_by_stage

MOST_LOSSES = 5_000
_LOSSES = {
    **dict.fromkeys(("group", "stage", "branch"), object),
    **dict.fromkeys(("lost", "compared", "controls"), int),
}


def compare_leavers(
    log: EventLog,
    spells: Spells,
    *,
    before: str | timedelta,
    seed: int,
    stage: str | None = None,
    after: str | timedelta | None = None,
    controls: int = 4,
    by: By | None = None,
    where: Where | None = None,
    confidence: float = 0.95,
    most_losses: int = MOST_LOSSES,
) -> Leavers:
    """What did customers do in the last `before` (“14d”) before they were lost, that those who stayed did not?

    Each loss is compared with up to `controls` visits to the same stage, drawn by lot (`seed`) from those that were as
    old, watched, and did not leave then: a case-control study nested in the stage's risk sets. A control may be lost
    later; none is the customer's own. Lost and stayed are looked at over the same ages of the visit, for equally long:
    from entering the stage on, and no longer than `before`; strictly before the loss, so that the loss event itself
    does not count, and not at the entry itself. Odds ratios are conditional on the matched sets.

    A loss to silence is looked back on from the last sign of life, that one included, and so are its controls, from
    their last sign of life by that age: during silence nothing of the customer's own can happen. What the company did
    after the last sign of life does not count there.

    stage: only this one; the draws are the same, but fewer tests share the false discovery rate. after: how far to look
        after a loss; as far as `before` if not given. by: a Grouping, a Series of labels by customer or a column of
        `spells.customers`; leavers are then compared with stayers of their own group. most_losses: of each stage and
        branch (and group) no more are compared, by lot: that bounds memory and time.

    Estimates are missing where fewer than 10 customers were lost so, or fewer than 10 sets hold both members with the
    event and without. Visits that began before the window are matched once `before` of it has passed. Where nobody was
    lost, the finding is empty and `lacking` says so.

    Raises EstimateError: unknown `stage` or `by`; a log with another window than the spells; `controls`,
    `most_losses` below 1; `seed` that is no whole number from 0; impossible `confidence`; JourneyLabError: no duration.
    Source: Breslow & Day (1980), Statistical Methods in Cancer Research 1, chapter 7; Lubin & Gail (1984), Biometrics
    40:63-75; Lin & Wei (1989), JASA 84:1074-1078.
    """
    check_confidence(confidence)
    _check(log, spells, stage=stage, numbers={"controls": controls, "most_losses": most_losses}, seed=seed)
    lookback = Lookback(microseconds(before), controls, most_losses)
    reach_after = microseconds(before if after is None else after)
    spells = select(spells, where)
    log = select(log, where)
    grouping = None if by is None else Grouping.of(by, spells)
    visits = watched(spells, grouping)
    stages = spells.journey.stage_names if stage is None else (stage,)
    every = visits_by_stage(visits, spells, stages=stages)
    casebook = CaseControl.of(log, spells, every, lookback, after=reach_after, seed=seed)
    name, losses = grouping.name if grouping else None, casebook.losses()
    return Leavers(
        title="What leavers did before" + (f", by {name}" if name else ""),
        table=tidy(casebook.associations(confidence=confidence), ASSOCIATIONS, by=name),
        lacking=None if losses else _lacking(spells, grouping, visits, stages),
        period=spells.window,
        before=tidy(casebook.last_events(confidence=confidence), LAST, by=name),
        after=tidy(casebook.first_events(confidence=confidence), FIRST, by=name),
        losses=tidy(losses, _LOSSES, by=name),
        before_days=lookback.before / DAY,
        after_days=reach_after / DAY,
        seed=seed,
        confidence=confidence,
        by=name,
        stages=spells.journey.stage_names,
    )


def _check(log: EventLog, spells: Spells, *, stage: str | None, numbers: dict[str, int], seed: int) -> None:
    known = spells.journey.stage_names
    if stage is not None and stage not in known:
        raise EstimateError(f"The journey has no stage “{stage}”. {did_you_mean(stage, known)}")
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 1:
            raise EstimateError(f"`{name}` is {number}. Give a whole number of at least 1.")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise EstimateError(f"`seed` is {seed}. Give a whole number of at least 0.")
    if log.window != spells.window:
        raise EstimateError(
            f"The log was observed from {log.window}, the spells from {spells.window}. Find the spells of this log."
        )


def _lacking(spells: Spells, grouping: Grouping | None, visits: pd.DataFrame, stages: tuple[str, ...]) -> str:
    if visits.empty:
        return why_nobody(spells, grouping)
    n_visits = int(visits["stage"].isin(stages).sum())
    where = "any stage" if len(stages) > 1 else f"“{stages[0]}”"
    return f"Nobody was lost from {where} in {counted(n_visits, 'visit')}, so there is nothing to compare."
