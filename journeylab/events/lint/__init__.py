"""The lint: what in a journey can never happen, proves nothing, or does not fit the log, and how is it mended?"""

from journeylab.events.journey import Journey
from journeylab.events.lint.definition import losses_that_never_act, stages_out_of_reach
from journeylab.events.lint.evidence import check_condition_columns, rules_without_evidence
from journeylab.events.lint.proof import validations_that_prove_nothing
from journeylab.events.lint.remarks import Lint
from journeylab.events.log import EventLog

__all__ = ["Lint", "check_condition_columns", "lint_journey"]


def lint_journey(journey: Journey, *, log: EventLog | None = None) -> Lint:
    """Look at `journey` for what cannot be meant, and with a `log` also for what these data cannot show.

    Returns a Lint. Its errors mean that results would be wrong (`.raise_errors()` raises them); its warnings are what a
    reader of the results should know.

    Without a log: stages out of reach, rules that never act or that compete, stages that nobody can be lost from,
    validations that are missing, prove nothing or cannot be met. With a log, in one query over its events (and one more
    for each value that never occurs): events, columns and values that the log lacks, bounds on text, stages opened only
    by the company, validations and silences that these data cannot show.
    """
    remarks = [
        *stages_out_of_reach(journey),
        *validations_that_prove_nothing(journey),
        *losses_that_never_act(journey),
    ]
    if log is not None:
        remarks += rules_without_evidence(journey, log)
    return Lint.of(journey, remarks)
