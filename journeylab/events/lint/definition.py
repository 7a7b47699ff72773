"""Definition: which stages can nobody reach or leave, and which loss branches never act?"""

from collections.abc import Iterator

from journeylab.events.journey import Journey, LossBranch
from journeylab.events.journey.conditions import Condition
from journeylab.events.lint.overlap import covers, is_covered, overlaps
from journeylab.events.lint.remarks import Remark, error, warning


def stages_out_of_reach(journey: Journey) -> Iterator[Remark]:
    """Stages that no event brings a customer into, or in which nobody stays, and reopeners that never act."""
    for at, stage in enumerate(journey.stages):
        if not stage.opened_by:
            yield from _without_opener(journey, at)
        elif stage.reopened_by and not _left_open(journey, at):
            yield warning(
                "idle-reopener",
                ("stages", at, "reopened_by"),
                f"“reopened_by” of stage “{stage.name}” never acts: there is no {_other(journey)} from which "
                "a customer could come back.",
                "Remove it, or move the stage up.",
            )
        yield from _rival_openers(journey, at)
        yield from _losses_that_reopen(journey, at)


def _without_opener(journey: Journey, at: int) -> Iterator[Remark]:
    stage = journey.stages[at]
    if stage.reopened_by and _left_open(journey, at):
        yield warning(
            "only-reopened",
            ("stages", at, "reopened_by"),
            f"Stage “{stage.name}” has no “opened_by”: only customers who come back from another stage are ever in it.",
            "Add “opened_by” if customers also get there for the first time.",
        )
    else:
        found = f"Nobody can reach stage “{stage.name}”: it has no “opened_by”"
        if stage.reopened_by:
            found += f", and there is no {_other(journey)} from which “reopened_by” could bring a customer back"
        yield error(
            "unreachable-stage",
            ("stages", at),
            f"{found}.",
            "Name the event that brings a customer in: opened_by: [{event: …}].",
        )


def _left_open(journey: Journey, at: int) -> bool:
    """Whether there is a stage from which a customer can come back to the stage at `at`."""
    others = journey.stages[at + 1 :] if journey.movement == "forward" else journey.stages
    return any(each.opened_by and not each.completes and each is not journey.stages[at] for each in others)


def _other(journey: Journey) -> str:
    return "later stage" if journey.movement == "forward" else "other stage"


def _rival_openers(journey: Journey, at: int) -> Iterator[Remark]:
    # One event that opens two stages moves the customer through the first in no time: rules act in file order.
    stage, later = journey.stages[at], journey.stages[at + 1 :]
    rivals = [other for other in later if any(overlaps(a, b) for a in stage.opened_by for b in other.opened_by)]
    if not rivals or stage.completes:
        return
    names = " and ".join(f"“{other.name}”" for other in rivals)
    openers = [condition for other in rivals for condition in other.opened_by]
    if all(is_covered(condition, openers) for condition in stage.opened_by):
        yield error(
            "unreachable-stage",
            ("stages", at, "opened_by"),
            f"Nobody stays in stage “{stage.name}”: every event that opens it ({_listed(stage.opened_by)}) also opens "
            f"stage {names}, which comes later and takes the customer on at once.",
            "Give the two stages different triggers.",
        )
    else:
        yield warning(
            "rival-openers",
            ("stages", at, "opened_by"),
            f"One event can open stage “{stage.name}” ({_listed(stage.opened_by)}) and stage {names}: "
            f"such a customer passes through “{stage.name}” in no time.",
            "Narrow one of the conditions with “where”, so that each event opens one stage.",
        )


def _losses_that_reopen(journey: Journey, at: int) -> Iterator[Remark]:
    stage = journey.stages[at]
    for item, opener in enumerate(stage.opened_by):
        names = [f"“{branch.name}”" for branch in journey.loss_branches if overlaps(opener, branch.when)]
        if names:
            yield warning(
                "loss-reopens",
                ("stages", at, "opened_by", item),
                f"One event can lose a customer to {' or '.join(names)} and open stage “{stage.name}” "
                f"({opener.words}): the customer would be lost and won back at the same time.",
                "Narrow one of the conditions with “where”, so that an event either loses or opens.",
            )


def losses_that_never_act(journey: Journey) -> Iterator[Remark]:
    """Stages that nobody can be lost from, and branches that never act or that compete for the same events."""
    for at, stage in enumerate(journey.stages):
        if not stage.completes and not journey.branches_from(stage.name):
            yield warning(
                "no-way-to-be-lost",
                ("stages", at),
                f"Nobody can be lost from stage “{stage.name}”: no loss branch reaches it, "
                "and it has no “silent_after”.",
                "Add “silent_after”, or name the stage in “from” of a loss branch.",
            )
    for at, branch in enumerate(journey.loss_branches):
        places = _takes_from(journey, branch)
        if not places:
            yield error(
                "unused-branch",
                ("loss_branches", at, "from"),
                f"Loss branch “{branch.name}” never acts: every stage in its “from” completes the journey, "
                "and nobody is lost there.",
                "Name another stage in “from”, or remove the branch.",
            )
        elif not _is_used(journey, at):
            yield _never_used(journey, at)
        else:
            yield from _rival_branches(journey, at)


def _takes_from(journey: Journey, branch: LossBranch) -> set[str]:
    """Names of the stages from which `branch` can take a customer."""
    open_stages = {stage.name for stage in journey.stages if not stage.completes}
    return open_stages if branch.from_ is None else open_stages & set(branch.from_)


def _before(journey: Journey, at: int, place: str) -> list[LossBranch]:
    """The branches that are tried in stage `place` before the branch at `at`."""
    return [each for each in journey.loss_branches[:at] if place in _takes_from(journey, each)]


def _is_used(journey: Journey, at: int) -> bool:
    branch = journey.loss_branches[at]
    return not all(
        is_covered(branch.when, [each.when for each in _before(journey, at, place)])
        for place in _takes_from(journey, branch)
    )


def _never_used(journey: Journey, at: int) -> Remark:
    branch = journey.loss_branches[at]
    places = _takes_from(journey, branch)
    takers = [
        each.name
        for each in journey.loss_branches[:at]
        if places & _takes_from(journey, each) and overlaps(each.when, branch.when)
    ]
    return error(
        "unused-branch",
        ("loss_branches", at, "when"),
        f"Loss branch “{branch.name}” never acts: every event that it waits for ({branch.when.words}) is taken before "
        f"by {' and '.join(f'“{name}”' for name in takers)}, and the first branch that matches wins.",
        "Move it up, narrow the branches before it, or remove it.",
    )


def _rival_branches(journey: Journey, at: int) -> Iterator[Remark]:
    branch = journey.loss_branches[at]
    for earlier in journey.loss_branches[:at]:
        shared = _takes_from(journey, branch) & _takes_from(journey, earlier)
        # The special case first and the rest after it is how branches are meant to be written.
        if shared and overlaps(earlier.when, branch.when) and not covers(branch.when, earlier.when):
            yield warning(
                "overlapping-branches",
                ("loss_branches", at, "when"),
                f"One event can match loss branch “{earlier.name}” ({earlier.when.words}) and loss branch "
                f"“{branch.name}” ({branch.when.words}); “{earlier.name}” takes it, being first.",
                "Keep the order if that is meant, or narrow one of them with “where”.",
            )


def _listed(conditions: tuple[Condition, ...]) -> str:
    return "; ".join(condition.words for condition in conditions)
