"""Estimating a funnel: which attempts count, in which groups, and why are others left out?"""

from collections.abc import Iterable
from datetime import timedelta

import numpy as np

from journeylab.base.durations import DAY
from journeylab.base.errors import EstimateError
from journeylab.base.words import counted
from journeylab.events.log import EventLog
from journeylab.events.spells import Spells
from journeylab.events.steps import Attempts, StepRules, find_attempts, read_rules
from journeylab.findings.arguments import check_confidence
from journeylab.findings.finding import tidy
from journeylab.findings.funnel.funnel import Funnel, quoted, route
from journeylab.findings.funnel.goal import CONVERSION, REACHED, STEP_COLUMNS, Goal, fastest_ways, goals_of
from journeylab.findings.funnel.losses import LOSS_COLUMNS, left_out_of, losses_of
from journeylab.findings.grouping import By, Grouping, Where, future_in_exits, select


def estimate_funnel(
    log: EventLog,
    steps: Iterable,
    *,
    window: str | timedelta,
    order: str = "ordered",
    entry: str = "first",
    exclude: Iterable | str = (),
    same: str | None = None,
    spells: Spells | None = None,
    by: By | None = None,
    where: Where | None = None,
    confidence: float = 0.95,
) -> Funnel:
    """Of those who do the first of `steps`, how many get through the others within `window` (“30d”)?

    One event reaches one step at most: a step that is needed before an optional one, and the first listed of those. An
    event that is a step and an exclusion excludes. Events at one time come in the log's order (`seq`). An optional step
    counts between the steps around it, and hinders none. Attempts begin within the log's window: what came before its
    start is not seen, so a first attempt is the first that was observed.

    Shares are of closed attempts, whose whole window was observed, with Wilson's intervals. The curve uses those in
    progress too: Kaplan-Meier, or, where exclusions, interruptions or passing an optional step by compete,
    Aalen-Johansen, with errors clustered by customer. It is missing, with a note, where fewer than 10 are at risk. With
    the entry “best”, and with exclusions that remove, the future decides which attempts are looked at: then the curve
    too uses closed ones alone, and equals the share.

    Parameters
    ----------
    log : EventLog
    steps : iterable
        Two or more, in order. Each is the name of an event, a list of names (any of them), a condition as in
        journey.yml that may also have `label`, `optional` and `or`, such as ``{"event": "order_placed", "where":
        {"amount": {"above": 0}}, "label": "Ordered"}``, or one of `build_steps(journey)`.
    window : str or timedelta
        Time from entering, elapsed; what happens exactly that long after still counts.
    order : {"ordered", "strict", "unordered"}
        “ordered”: one after the other, no matter what happens between. “strict”: nothing else that the customer does
        comes between; what the company does may. “unordered”: the first step enters, the others follow in any order.
    entry : {"first", "best", "every"}
        “first”: each customer's first attempt. “best”: the one of all that could begin which got furthest, the earliest
        of equals, among closed ones. “every”: one after the other, never two at once (with `same`, never two of one
        value); intervals count customers, not attempts.
    exclude : iterable
        Events that end an attempt before it converts, and lose it; ``{"event": "refunded", "removes": True}`` takes it
        out of the base instead.
    same : str, optional
        A column whose value must be the same in all steps of an attempt, such as “session_id”. Events without a value
        are no steps; exclusions without one end attempts of every value.
    spells : Spells, optional
        Those of `log`: then `losses` tells of attempts whose time passed where the customer was by then: lost, and to
        which branch, or in which stage.
    by : Grouping, Series, str or list of these, optional
        Groups to estimate one by one: labels by customer, a column of `log.customers`, or a list for all combinations.
        Attempts that began before the label was known (personas) are left out and counted; the best is chosen among the
        others.
    where : str or Series of bool, optional
        Only these customers, such as ``"seats > 10"``.
    confidence : float
        Of the intervals.

    Returns
    -------
    Funnel
        Empty where nobody entered, or nobody with a label of `by`; `lacking` then says why.

    Raises
    ------
    EstimateError
        If the rules make no funnel, with every problem listed (see `read_rules`); a name looks like a mistyped event;
        `same` is not a column; `by` or `where` is unknown; no label is of a customer of the log; or `confidence` is not
        between 0 and 1.
    JourneyError
        If a condition is on another column that the log lacks.
    JourneyLabError
        If `window` is no duration.

    Examples
    --------
    >>> import journeylab as jl
    >>> made = jl.simulate_log(200, seed=1)
    >>> funnel = jl.estimate_funnel(made.log, jl.build_steps(made.journey), window="90d")
    >>> funnel.table["kind"].iloc[[0, -1]].tolist()
    ['entry', 'conversion']
    """
    rules = read_rules(steps, window=window, order=order, entry=entry, exclude=exclude, same=same)
    check_confidence(confidence)
    log = select(log, where)
    grouping = None if by is None else Grouping.of(by, log)
    name = grouping.name if grouping else None
    attempts = find_attempts(log, rules, known_at=grouping.known_at if grouping else None)
    labels = _labels(grouping, attempts, log)
    judged, left_out = left_out_of(attempts, labels, by=name)
    grouped = _by_group(judged, labels)
    later = _in_all_time(log, rules, attempts)
    fastest = fastest_ways(later) if later is not None else ()
    goals = tuple(goal for group, part in grouped for goal in goals_of(part, group=group, fastest=fastest))
    losses = (row for group, part in grouped for row in losses_of(part, spells, group=group, confidence=confidence))
    return Funnel(
        title=("Who gets " if rules.by_any_way else "Funnel ") + route(rules) + (f", by {name}" if name else ""),
        table=tidy((goal.row(confidence=confidence) for goal in goals), STEP_COLUMNS, by=name),
        lacking=None if len(judged) else _why_nobody(attempts, grouping, left_out),
        notes=_doubts(grouping, goals),
        period=log.window,
        losses=tidy(losses, LOSS_COLUMNS, by=name),
        left_out=tidy(left_out, "reason attempts customers"),
        rules=rules,
        confidence=confidence,
        by=name,
        stages=tuple(step.stage for step in rules.steps if step.stage),
        absent=attempts.absent,
        goals=goals,
        n_later=0 if later is None else int(later.is_converted.sum()),
    )


def _in_all_time(log: EventLog, rules: StepRules, attempts: Attempts) -> Attempts | None:
    """The attempts if the window were all that was observed; None where some reach each goal within the window."""
    if not len(attempts) or rules.window_days >= log.window.days or np.isfinite(fastest_ways(attempts)).all():
        return None
    longest = round(log.window.days * DAY)
    return find_attempts(log, rules.model_copy(update={"window_us": longest}))


def _labels(grouping: Grouping | None, attempts: Attempts, log: EventLog) -> np.ndarray | None:
    """The label of each customer in `attempts.ids`, missing where there is none; None without groups."""
    if grouping is None:
        return None
    labels, ids = grouping.labels, attempts.ids.to_pandas()
    if len(labels) and len(ids) and not (labels.index.isin(ids).any() or labels.index.isin(log.customers.index).any()):
        raise EstimateError(
            f"None of the customers with a label of “{grouping.name}” ({len(labels):,}) is in the log. "
            "Index the labels by customer_id."
        )
    return labels.reindex(ids).to_numpy(dtype=object)


def _doubts(grouping: Grouping | None, goals: tuple[Goal, ...]) -> tuple[str, ...]:
    """That the groups look computed from who converts, where they do."""
    if grouping is None or not grouping.may_know_the_future:
        return ()
    parts = [goal.exits for goal in goals if goal.kind == CONVERSION]
    doubt = future_in_exits(grouping.name, parts, REACHED, verb="reached")
    return (doubt,) if doubt else ()


def _by_group(judged: Attempts, labels: np.ndarray | None) -> list[tuple[str | None, Attempts]]:
    if labels is None or not len(judged):
        return [(None, judged)] if len(judged) else []
    whose = labels[judged.customer]
    return [(group, judged.only(whose == group)) for group in sorted(set(whose))]


def _why_nobody(attempts: Attempts, grouping: Grouping | None, left_out: list[dict]) -> str:
    first = attempts.rules.steps[0].title
    if not len(attempts):
        absent = f" The log has no event {quoted(attempts.absent)}." if attempts.absent else ""
        return f"Nobody did “{first}” in the log's window, so there is no funnel to estimate.{absent}"
    if grouping is not None and grouping.labels.empty:
        return grouping.lacking or f"Nobody has a known {grouping.name}, so there is nothing to compare by it."
    why = "; ".join(f"{counted(row['attempts'], 'attempt')}: {row['reason']}" for row in left_out)
    return f"Nobody who did “{first}” is left to judge ({why}). The entry “every” looks at later attempts too."
