"""Proof: which stages have no validation, or one that cannot be met or proves nothing?"""

from collections.abc import Iterator

from journeylab.events.journey import Journey, Stage
from journeylab.events.journey.conditions import Condition
from journeylab.events.lint.overlap import is_covered
from journeylab.events.lint.remarks import Remark, error, warning


def validations_that_prove_nothing(journey: Journey) -> Iterator[Remark]:
    """Stages without a measurable validation, or with one that cannot be met or comes with entering or leaving."""
    for at, stage in enumerate(journey.stages):
        if stage.validated_by is None:
            if not stage.completes:
                yield warning(
                    "no-validation",
                    ("stages", at),
                    f"Stage “{stage.name}” has no validation: nothing in the log shows that its customers do what the "
                    "stage is about.",
                    "Add one that can be counted: validated_by: {event: …, at_least: 2, within: 14d}.",
                )
        elif is_covered(stage.validated_by, _endings(journey, at)):
            yield _ends_the_stage(stage, at)
        elif is_covered(stage.validated_by, stage.opened_by):
            yield warning(
                "validation-is-opener",
                ("stages", at, "validated_by"),
                f"The validation of stage “{stage.name}” ({stage.validated_by.words}) waits for the event that opens "
                "the stage. The opening event itself does not count, so only a repeat proves anything.",
                "Keep it if a repeat is meant; otherwise name what the customer does after entering.",
            )


def _ends_the_stage(stage: Stage, at: int) -> Remark:
    validation, path = stage.validated_by, ("stages", at, "validated_by")
    if validation.at_least > 1:
        return error(
            "validation-cannot-be-met",
            path,
            f"The validation of stage “{stage.name}” ({validation.words}) can never be met: each of its events ends "
            "the visit to the stage, so there is never a second.",
            "Name what the customer does while in the stage.",
        )
    return warning(
        "validation-is-exit",
        path,
        f"The validation of stage “{stage.name}” ({validation.words}) waits for an event that ends the visit to "
        "the stage: it is met by leaving, and says no more than that.",
        "Name what the customer does while in the stage.",
    )


def _endings(journey: Journey, at: int) -> list[Condition]:
    """The conditions that move a customer out of the stage at `at`, or lose them from it."""
    stage = journey.stages[at]
    if stage.completes:
        return []
    lost = [each.when for each in journey.loss_branches if each.from_ is None or stage.name in each.from_]
    is_free = journey.movement == "free"
    opening = [
        condition
        for place, other in enumerate(journey.stages)
        if place > at or (is_free and place < at)
        for condition in other.opened_by
    ]
    reopening = [
        condition
        for place, other in enumerate(journey.stages)
        if place < at or (is_free and place > at)
        for condition in other.reopened_by
    ]
    return [*lost, *opening, *reopening]
