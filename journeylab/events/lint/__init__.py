"""The lint: what in a journey can never happen, proves nothing, or does not fit the log, and how can one fix it?"""

from journeylab.events.journey import Journey
from journeylab.events.lint.definition import losses_that_never_act, stages_out_of_reach, validations_that_prove_nothing
from journeylab.events.lint.evidence import rules_without_evidence
from journeylab.events.lint.remarks import Lint
from journeylab.events.lint.watched import (
    dates_among_times,
    events_before_entry,
    losses_that_go_on,
    parts_of_days,
    sampled_by_end,
)
from journeylab.events.log import EventLog
from journeylab.events.spells import Spells

__all__ = ["Lint", "lint_journey", "lint_spells"]


def lint_journey(journey: Journey, *, log: EventLog | None = None) -> Lint:
    """Look for what cannot be right in `journey`, and with a `log` also for what these data cannot show.

    Parameters
    ----------
    journey : Journey
        The definition. By itself it shows stages out of reach, rules that are never used or that compete, stages that
        no customer can be lost from, and validations that are missing, prove nothing or cannot be met.
    log : EventLog, optional
        One query over its events (and one more for each value that never occurs) shows events, columns and values that
        the log lacks, bounds on text, stages that only the company opens, and validations and silences that these data
        cannot show; parts of days where the log, or one of its sources, has only dates.

    Returns
    -------
    Lint
        Its errors mean that results would be wrong (`.raise_errors()` raises them); its warnings are what a reader of
        the results should know.
    """
    remarks = [
        *stages_out_of_reach(journey),
        *validations_that_prove_nothing(journey),
        *losses_that_never_act(journey),
    ]
    if log is not None:
        remarks += [*rules_without_evidence(journey, log), *parts_of_days(journey, log), *dates_among_times(log)]
    return Lint.of(journey, remarks)


def lint_spells(log: EventLog, spells: Spells) -> Lint:
    """Look for what the customers' visits show to be doubtful about their journey, and about the log.

    Parameters
    ----------
    log : EventLog
    spells : Spells
        Those of `log`.

    Returns
    -------
    Lint
        Warnings: many events lie before the customer's entry; after a loss most customers go on as before; the log
        holds journeys only because they ended when they did.
    """
    remarks = [*events_before_entry(log, spells), *losses_that_go_on(log, spells), *sampled_by_end(spells)]
    return Lint.of(spells.journey, remarks)
