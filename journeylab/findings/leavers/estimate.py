"""How leavers are compared with those who stayed."""

from datetime import timedelta

import numpy as np

from journeylab.base.durations import DAY, microseconds
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.words import counted
from journeylab.events.log import EventLog
from journeylab.events.spells import Spells
from journeylab.findings.arguments import check_window
from journeylab.findings.finding import tidy
from journeylab.findings.grouping import By, WatchedVisits, Where, select
from journeylab.findings.leavers.after_loss import FIRST
from journeylab.findings.leavers.case_control import CaseControl
from journeylab.findings.leavers.leavers import Leavers
from journeylab.findings.leavers.matching import Lookback
from journeylab.findings.leavers.tables import ASSOCIATIONS, LAST
from journeylab.findings.leavers.visits import visits_by_stage

MOST_LOSSES = 5_000
_LOSSES = "group stage branch lost compared controls"


def compare_leavers(
    log: EventLog,
    spells: Spells,
    *,
    before: str | timedelta,
    seed: int,
    stage: str | None = None,
    after: str | timedelta | None = None,
    controls: int = 4,
    within_month: bool = False,
    by: By | None = None,
    where: Where | None = None,
    confidence: float = 0.95,
    most_losses: int = MOST_LOSSES,
) -> Leavers:
    """What did customers do in the last `before` (“14d”) before they were lost, that those who stayed did not?

    Each loss is compared with up to `controls` visits to the same stage, drawn at random (`seed`) from those that were
    as old, watched, and did not leave then: a case-control study nested in the stage's risk sets. A control may be lost
    later; none is the customer's own. Lost and stayed are looked at over the same ages of the visit, for equally long:
    from entering the stage on, and no longer than `before`; strictly before the loss, so that the loss event itself
    does not count, and not at the entry itself. Odds ratios are conditional on the matched sets.

    A loss to silence is looked back on from the last sign of life, that one included, and so are its controls, from
    their last sign of life by that age: during silence nothing of the customer's own can happen. What the company did
    after the last sign of life does not count there.

    Visits that began before the window are matched once `before` of it has passed.

    Parameters
    ----------
    log : EventLog
    spells : Spells
        Those of `log`.
    before : str or timedelta
        How far to look back from a loss.
    seed : int
        Of the draws, from 0.
    stage : str, optional
        Only this one; the draws are the same, but fewer tests share the false discovery rate.
    after : str or timedelta, optional
        How far to look after a loss; as far as `before` if not given.
    controls : int
        For each loss, at most.
    within_month : bool
        Whether a control must have been as old in the calendar month (UTC) of the loss. An outage or a price rise that
        brings both an event and losses in one month then makes no association. Losses without such a control are left
        out.
    by : Grouping, Series, str or list of these, optional
        Groups to estimate one by one: labels by customer, a column of `spells.customers`, or a list for all
        combinations. Leavers are then compared with stayers of their own group.
    where : str or Series of bool, optional
        Only these customers, such as ``"seats > 10"``.
    confidence : float
        Of the intervals.
    most_losses : int
        Of each stage and branch (and group) no more are compared, drawn at random: that bounds memory and time.

    Returns
    -------
    Leavers
        Estimates are missing where fewer than 10 customers were lost so, or fewer than 10 sets have both members with
        the event and without. Empty where nobody was lost; `lacking` then says so.

    Raises
    ------
    EstimateError
        If `stage`, `by` or `where` is unknown, the log has another window than the spells, `controls` or `most_losses`
        is below 1, `seed` is no whole number from 0, or `confidence` is not between 0 and 1.
    JourneyLabError
        If `before` or `after` is no duration.

    References
    ----------
    Breslow & Day (1980), Statistical Methods in Cancer Research 1, chapter 7; Lubin & Gail (1984), Biometrics 40:63-75;
    Lin & Wei (1989), JASA 84:1074-1078.

    Examples
    --------
    >>> import journeylab as jl
    >>> made = jl.simulate_log(200, seed=1)
    >>> leavers = jl.compare_leavers(made.log, jl.find_spells(made.log, made.journey), before="14d", seed=1)
    >>> list(leavers.by_stage().columns)
    ['before a loss']
    """
    _check(log, spells, stage)
    for name, number, least in (("controls", controls, 1), ("most_losses", most_losses, 1), ("seed", seed, 0)):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < least:
            raise EstimateError(f"`{name}` is {number}. Give a whole number of at least {least}.")
    lookback = Lookback(microseconds(before), controls, most_losses, within_month)
    look_after = microseconds(before if after is None else after)
    watched = WatchedVisits.of(spells, by=by, where=where, confidence=confidence)
    stages = spells.journey.stage_names if stage is None else (stage,)
    parts = visits_by_stage(watched.visits, watched.spells, stages=stages)
    study = CaseControl.of(select(log, where), watched.spells, parts, lookback, after=look_after, seed=seed)
    losses = study.losses()
    return Leavers(
        **watched.about("What leavers did before"),
        table=tidy(study.associations(confidence=confidence), ASSOCIATIONS, by=watched.by),
        lacking=None if losses else _lacking(watched, stages),
        before=tidy(study.last_events(confidence=confidence), LAST, by=watched.by),
        after=tidy(study.first_events(confidence=confidence), FIRST, by=watched.by),
        losses=tidy(losses, _LOSSES, by=watched.by),
        before_days=lookback.before / DAY,
        after_days=look_after / DAY,
        seed=seed,
    )


def _check(log: EventLog, spells: Spells, stage: str | None) -> None:
    stages = spells.journey.stage_names
    if stage is not None and stage not in stages:
        raise EstimateError(f"The journey has no stage “{stage}”. {did_you_mean(stage, stages)}")
    check_window(log, spells.window, fix="Find the spells of this log.")


def _lacking(watched: WatchedVisits, stages: tuple[str, ...]) -> str:
    if watched.visits.empty:
        return watched.why_nobody()
    n_visits = int(watched.visits["stage"].isin(stages).sum())
    where = "any stage" if len(stages) > 1 else f"“{stages[0]}”"
    return f"Nobody was lost from {where} in {counted(n_visits, 'visit')}, so there is nothing to compare."
