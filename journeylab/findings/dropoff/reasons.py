"""Reasons: which loss branches say why a customer left, which only that one did, and who decided?"""

import re

from journeylab.events.journey import SILENT, Journey, LossBranch
from journeylab.events.journey.conditions import Bounds, values_of

# Names for the reason that nobody wrote down.
_NO_REASON = re.compile(
    r"(all[ _-]?)?others?([ _-]reasons?)?|unknown([ _-]reasons?)?|unspecified|misc(ellaneous)?|none|n/?a|"
    r"not[ _-](stated|known|given)|no[ _-](reason|answer)([ _-](given|stated))?",
    re.IGNORECASE,
)
# Columns in which somebody writes down why.
_REASON_COLUMN = re.compile(r"reason|why|cause|motive|explanation|comment|feedback|^text$", re.IGNORECASE)
# Words that say that somebody left, by how they begin, and words that add nothing to that.
_OUTCOME = re.compile(
    r"abandon|attrit|cancel|churn|clos|declin|delet|den(y|ied)|depart|deregist|drop|end|exit|expir|fail|finish|gone?$|"
    r"inactiv|laps|leav|left|los[est]|no$|noshow|off|out$|quit|refus|reject|resign|returned|show|stop|terminat|"
    r"uninstall|unregist|unsubscri|went|withdr"
)
_ANY = re.compile("")
_FILLER = re.compile(
    r"a|account|after|again|an|application|at|before|booking|by|client|contract|course|customer|early|first|from|in|late|"
    r"membership|module|of|offer|order|plan|project|proposal|request|start|student|subscription|the|to|trial|us|user|we"
)


def unexplained_branches(journey: Journey) -> tuple[str, ...]:
    """The branches of `journey` that give no reason, in its order.

    Silence; branches named for having no reason, such as “other”, or for the outcome alone, such as “declined” or
    “withdrew before start”; those that ask for a reason that is none, such as “unknown”; and those that take the rest:
    without a condition on columns, on an event of which another branch takes some by such a condition. A branch that
    asks for a reason in a column, or declares one (`reason`), gives it.
    """
    branches = journey.loss_branches
    with_condition = {event for branch in branches if branch.when.where for event in branch.when.events}
    unexplained = [branch.name for branch in branches if not _is_explained(branch, with_condition)]
    return tuple(name for name in journey.branches if name in unexplained or name == SILENT)


def named_for_a_reason(journey: Journey) -> tuple[str, ...]:
    """The branches whose name is the only reason there is: neither a column nor an event of the log gives it."""
    unexplained = unexplained_branches(journey)
    return tuple(
        branch.name
        for branch in journey.loss_branches
        if branch.name not in unexplained and not _is_proven(branch) and not _is_told_by_events(branch)
    )


def decided_by_company(journey: Journey) -> tuple[str, ...]:
    """The branches that say that the company decides; none where it decides all of them."""
    company = tuple(branch.name for branch in journey.loss_branches if branch.by == "company")
    return () if set(company) == set(journey.branches) else company


def _is_explained(branch: LossBranch, with_condition: set[str]) -> bool:
    if _is_proven(branch):
        return True
    is_rest = not branch.when.where and with_condition.intersection(branch.when.events)
    asks_for_none = any(_NO_REASON.fullmatch(value) for value in _asked(branch))
    return not (is_rest or asks_for_none or _NO_REASON.fullmatch(branch.name) or _is_outcome(branch.name))


def _is_proven(branch: LossBranch) -> bool:
    """Whether the branch declares its reason, or asks for one in a column."""
    if branch.reason:
        return True
    reasons = _asked(branch, _REASON_COLUMN)
    return bool(reasons) and not any(_NO_REASON.fullmatch(value) for value in reasons)


def _is_told_by_events(branch: LossBranch) -> bool:
    """Whether each of the branch's events says more than that somebody left, or a value says what the branch is named
    for."""
    own = _words(branch.name)
    if any(own.intersection(_words(value)) for value in _asked(branch)):
        return True
    return all(not _is_outcome(event) for event in branch.when.events)


def _asked(branch: LossBranch, columns: re.Pattern = _ANY) -> list[str]:
    """The values that the branch asks for in the columns of such names."""
    asked = [wanted for column, wanted in branch.when.where.items() if columns.search(column)]
    return [str(value) for wanted in asked if not isinstance(wanted, Bounds) for value in values_of(wanted)]


def _is_outcome(name: str) -> bool:
    """Whether `name` says that somebody left, and nothing else."""
    rest = [word for word in _words(name) if not _FILLER.fullmatch(word)]
    return bool(rest) and all(_OUTCOME.match(word) for word in rest)


def _words(name: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()))
