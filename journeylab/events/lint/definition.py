"""Definition: which stages can no customer reach or leave, what proves nothing, and which branches never act?"""

from collections.abc import Iterable, Iterator

from journeylab.events.journey import Condition, Journey, LossBranch, Stage
from journeylab.events.journey.conditions import ValidationRule
from journeylab.events.lint.overlap import covers, is_covered, overlaps
from journeylab.events.lint.remarks import Remark, error, warning


def stages_out_of_reach(journey: Journey) -> Iterator[Remark]:
    """Stages that no event brings a customer into, or in which none stays, and reopeners that never act."""
    for at, stage in enumerate(journey.stages):
        if not stage.opened_by:
            yield _without_opener(journey, at)
        elif stage.reopened_by and not _left_open(journey, at):
            yield warning(
                "idle-reopener",
                ("stages", at, "reopened_by"),
                f"“reopened_by” of stage “{stage.name}” is never used: there is no later stage from which a "
                "customer could come back.",
                "Remove it, or move the stage up.",
            )
        yield from _rival_openers(journey, at)
        yield from _losses_that_reopen(journey, at)


def _without_opener(journey: Journey, at: int) -> Remark:
    stage = journey.stages[at]
    if stage.reopened_by and _left_open(journey, at):
        return warning(
            "only-reopened",
            ("stages", at, "reopened_by"),
            f"Stage “{stage.name}” has no “opened_by”, so only customers who come back from another stage can be in "
            "it.",
            "Add “opened_by” if customers can also get there for the first time.",
        )
    reopener = ", and there is no later stage from which “reopened_by” could bring a customer back"
    return error(
        "unreachable-stage",
        ("stages", at),
        f"No customer can reach stage “{stage.name}”: it has no “opened_by”{reopener if stage.reopened_by else ''}.",
        "Name the event that brings a customer in: opened_by: [{event: …}].",
    )


def _left_open(journey: Journey, at: int) -> bool:
    """Whether there is a stage from which a customer can come back to the stage at `at`."""
    return any(later.opened_by and not later.completes for later in journey.stages[at + 1 :])


def _rival_openers(journey: Journey, at: int) -> Iterator[Remark]:
    # One event that opens two stages moves the customer through the first in no time: rules act in file order.
    stage, later = journey.stages[at], journey.stages[at + 1 :]
    rivals = [other for other in later if any(overlaps(a, b) for a in stage.opened_by for b in other.opened_by)]
    if not rivals or stage.completes:
        return
    names = _quoted(other.name for other in rivals)
    openers = [condition for other in rivals for condition in other.opened_by]
    opened_by = "; ".join(condition.words for condition in stage.opened_by)
    if all(is_covered(condition, openers) for condition in stage.opened_by):
        yield error(
            "unreachable-stage",
            ("stages", at, "opened_by"),
            f"No customer stays in stage “{stage.name}”: every event that opens it ({opened_by}) also opens {names}, "
            "later in the journey, so the customer moves on at once.",
            "Give the stages different triggers.",
        )
    else:
        yield warning(
            "rival-openers",
            ("stages", at, "opened_by"),
            f"One event can open both stage “{stage.name}” ({opened_by}) and stage {names}. The customer then spends "
            f"no time in “{stage.name}”.",
            "Narrow one of the conditions with “where”, so that each event opens one stage.",
        )


def _losses_that_reopen(journey: Journey, at: int) -> Iterator[Remark]:
    stage = journey.stages[at]
    for item, opener in enumerate(stage.opened_by):
        branches = [branch.name for branch in journey.loss_branches if overlaps(opener, branch.when)]
        if branches:
            yield warning(
                "loss-reopens",
                ("stages", at, "opened_by", item),
                f"One event can both lose a customer to {_quoted(branches, 'or')} and open stage “{stage.name}” "
                f"({opener.words}): the customer would be lost and won back at the same time.",
                "Narrow one of the conditions with “where”, so that an event either loses or opens.",
            )


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
            yield _ends_the_stage(stage, stage.validated_by, at)
        elif is_covered(stage.validated_by, stage.opened_by):
            yield warning(
                "validation-is-opener",
                ("stages", at, "validated_by"),
                f"The validation of stage “{stage.name}” ({stage.validated_by.words}) waits for the event that opens "
                "the stage. The opening event itself does not count, so only a repeat proves anything.",
                "Keep it if you mean a repeat; otherwise name what the customer does after entering.",
            )


def _ends_the_stage(stage: Stage, validation: ValidationRule, at: int) -> Remark:
    path = ("stages", at, "validated_by")
    fix = "Name what the customer does while in the stage."
    if validation.at_least > 1:
        return error(
            "validation-cannot-be-met",
            path,
            f"The validation of stage “{stage.name}” ({validation.words}) can never be met: each of its events ends "
            "the visit to the stage, so there is never a second.",
            fix,
        )
    return warning(
        "validation-is-exit",
        path,
        f"The validation of stage “{stage.name}” ({validation.words}) waits for an event that ends the visit to the "
        "stage, so it shows only that the customer left.",
        fix,
    )


def _endings(journey: Journey, at: int) -> list[Condition]:
    """The conditions that move a customer out of the stage at `at`, or lose them from it."""
    stage = journey.stages[at]
    if stage.completes:
        return []
    endings = [branch.when for branch in journey.loss_branches if branch.takes_from(stage.name)]
    for position, other in enumerate(journey.stages):
        is_free = journey.movement == "free" and position != at
        endings += other.opened_by if position > at or is_free else ()
        endings += other.reopened_by if position < at else ()
    return endings


def losses_that_never_act(journey: Journey) -> Iterator[Remark]:
    """Stages that no customer can be lost from, and branches that never act or that compete for the same events."""
    for at, stage in enumerate(journey.stages):
        if not stage.completes and not journey.branches_from(stage.name):
            yield warning(
                "no-way-to-be-lost",
                ("stages", at),
                f"No customer can be lost from stage “{stage.name}”: no loss branch covers it, and it has no "
                "“silent_after”.",
                "Add “silent_after”, or name the stage in “from” of a loss branch.",
            )
    for at, branch in enumerate(journey.loss_branches):
        if not _stages_of(journey, branch):
            yield error(
                "unused-branch",
                ("loss_branches", at, "from"),
                f"Loss branch “{branch.name}” is never used: every stage in its “from” completes the journey, and no "
                "customer is lost there.",
                "Name another stage in “from”, or remove the branch.",
            )
        elif _is_shadowed(journey, at):
            yield _never_used(journey, at)
        else:
            yield from _rival_branches(journey, at)


def _stages_of(journey: Journey, branch: LossBranch) -> set[str]:
    """Names of the stages from which `branch` can take a customer."""
    return {stage.name for stage in journey.stages if not stage.completes and branch.takes_from(stage.name)}


def _is_shadowed(journey: Journey, at: int) -> bool:
    """Whether in every stage earlier branches take each event of the branch at `at`."""
    branch, earlier = journey.loss_branches[at], journey.loss_branches[:at]
    return all(
        is_covered(branch.when, [other.when for other in earlier if other.takes_from(stage)])
        for stage in _stages_of(journey, branch)
    )


def _rivals(journey: Journey, at: int) -> list[LossBranch]:
    """The earlier branches that one event in one stage can match as well as the branch at `at`."""
    branch = journey.loss_branches[at]
    stages = _stages_of(journey, branch)
    return [
        earlier
        for earlier in journey.loss_branches[:at]
        if stages & _stages_of(journey, earlier) and overlaps(earlier.when, branch.when)
    ]


def _never_used(journey: Journey, at: int) -> Remark:
    branch = journey.loss_branches[at]
    return error(
        "unused-branch",
        ("loss_branches", at, "when"),
        f"Loss branch “{branch.name}” is never used: every event that it waits for ({branch.when.words}) is taken "
        f"first by {_quoted(rival.name for rival in _rivals(journey, at))}.",
        "Move it up, narrow the branches before it, or remove it.",
    )


def _rival_branches(journey: Journey, at: int) -> Iterator[Remark]:
    branch = journey.loss_branches[at]
    for earlier in _rivals(journey, at):
        # The special case first and the rest after it is how branches are meant to be written.
        if not covers(branch.when, earlier.when):
            yield warning(
                "overlapping-branches",
                ("loss_branches", at, "when"),
                f"One event can match both loss branch “{earlier.name}” ({earlier.when.words}) and loss branch "
                f"“{branch.name}” ({branch.when.words}). “{earlier.name}” takes it, because it comes first.",
                "Keep the order if that is meant, or narrow one of them with “where”.",
            )


def _quoted(names: Iterable[str], word: str = "and") -> str:
    return f" {word} ".join(f"“{name}”" for name in names)
