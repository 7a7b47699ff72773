"""The lint: what in a journey can never happen, proves nothing, or does not fit the log, and how can one fix it?"""

from journeylab.events.journey import Journey
from journeylab.events.lint.definition import losses_that_never_act, stages_out_of_reach, validations_that_prove_nothing
from journeylab.events.lint.evidence import rules_without_evidence
from journeylab.events.lint.remarks import Lint
from journeylab.events.log import EventLog

__all__ = ["Lint", "lint_journey"]


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
        cannot show.

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
        remarks += rules_without_evidence(journey, log)
    return Lint.of(journey, remarks)
