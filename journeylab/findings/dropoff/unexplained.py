"""Unexplained: which losses say that a customer went, but not why?"""

import re

from journeylab.events.journey import SILENT, Journey

# Names for the reason that nobody wrote down.
_NO_REASON = re.compile(
    r"(all[ _-]?)?others?([ _-]reasons?)?|unknown([ _-]reasons?)?|unspecified|misc(ellaneous)?|not[ _-]stated"
    r"|no[ _-](reason|answer)([ _-](given|stated))?",
    re.IGNORECASE,
)


def unexplained_branches(journey: Journey) -> tuple[str, ...]:
    """The branches of `journey` that give no reason, in its order.

    Silence; branches named for having none, such as “other” or “unknown”; and those that take the rest: without a
    condition on columns, on an event of which another branch takes some by such a condition.
    """
    branches = journey.loss_branches
    sorted_out = {event for each in branches if each.when.where for event in each.when.events}
    found = [
        each.name
        for each in branches
        if _NO_REASON.fullmatch(each.name) or (not each.when.where and sorted_out.intersection(each.when.events))
    ]
    return tuple(name for name in journey.branches if name in found or name == SILENT)
