"""How drop-off is estimated from the spells of customers."""

import re
from collections.abc import Iterable
from datetime import timedelta

import pandas as pd

from journeylab.events.journey import SILENT, Journey
from journeylab.events.spells import Spells
from journeylab.events.spells.exits import Exits, build_ledger, find_exits
from journeylab.findings.arguments import check_confidence, check_least, read_horizons
from journeylab.findings.dropoff.dropoff import DropOff
from journeylab.findings.dropoff.values import name_of, with_values
from journeylab.findings.exit_curves import StageExits
from journeylab.findings.finding import tidy
from journeylab.findings.grouping import By, Grouping, Where, select, watched, why_nobody

# Names for the reason that nobody wrote down.
_NO_REASON = re.compile(
    r"(all[ _-]?)?others?([ _-]reasons?)?|unknown([ _-]reasons?)?|unspecified|misc(ellaneous)?|not[ _-]stated"
    r"|no[ _-](reason|answer)([ _-](given|stated))?",
    re.IGNORECASE,
)

_COLUMNS = {
    **dict.fromkeys(("group", "stage", "to", "kind"), object),
    **dict.fromkeys(("horizon_days", "estimate", "lower", "upper", "crude"), float),
    **dict.fromkeys(("n", "customers", "events", "at_risk"), int),
    "note": object,
}


def estimate_dropoff(
    spells: Spells,
    *,
    horizons: Iterable[str | timedelta],
    by: By | None = None,
    where: Where | None = None,
    value: pd.Series | str | None = None,
    confidence: float = 0.95,
    min_at_risk: int = 10,
) -> DropOff:
    """Of those who enter each stage, how many are lost, by which branch, within each of `horizons` (["30d", "90d"])?

    The unit is the visit (spell), on the spell clock; the standard errors are clustered by customer (infinitesimal
    jackknife), the intervals logit. Shares are Aalen-Johansen cumulative incidences: other ways out compete, ongoing
    visits are censored at the window's end, visits already running at its start enter the risk set late. A way that
    nobody took has the share 0 and Wilson's upper bound over the customers who were not censored before the horizon.

    `by`: a Grouping, a Series of labels by customer, or a column of `spells.customers`. Where a label became known
    after the journey began (personas), its customers are watched from then on: see `Grouping.apply`.

    `value`: what customers are worth, in any one unit, 0 or more, known when a visit begins: a numeric column of
    `spells.customers`, a Series by customer_id, or one by customer_id and spell such as `score_value` gives. Visits
    without a value are left out of what is said of value, and of nothing else.

    An estimate is missing, with a note, if fewer than `min_at_risk` customers came, or past the last time with as many
    visits at risk. The one exception needs no model: where all were watched from entering and none was censored before
    the horizon, the estimate is a plain share of `n`. Where the risk set is smaller than that at first, and grows by
    late entry, estimates are conditional on being inside when it is large enough, which the note says. Where nobody was
    watched in any stage, or nobody with a label of `by`, the finding is empty and `lacking` says why.

    Raises EstimateError: no horizon, unknown `by` or `value`, labels or values of which none is of a customer with a
    spell, values that are no numbers or negative, `confidence` not between 0 and 1, `min_at_risk` below 1;
    JourneyLabError: a horizon that is no duration.
    Source: Aalen, Borgan & Gjessing (2008), Survival and Event History Analysis, section 3.4; Andersen & Keiding
    (2012), Statistics in Medicine 31:1074-1088.
    """
    asked = read_horizons(horizons)
    check_confidence(confidence)
    check_least(min_at_risk)
    spells = select(spells, where)
    grouping = None if by is None else Grouping.of(by, spells)
    visits = watched(spells, grouping)
    found = find_exits(visits if value is None else with_values(visits, value, spells), spells.journey)
    cells = tuple(StageExits(exits, min_at_risk, confidence) for exits in found)
    every = (StageExits(_any_loss(exits), min_at_risk, confidence) for exits in found)
    name = grouping.name if grouping else None
    return DropOff(
        title="Drop-off by stage and branch" + (f", by {name}" if name else ""),
        table=tidy((row for cell in cells for row in cell.rows(asked)), _COLUMNS, by=name),
        lacking=None if any(exits.n for exits in found) else why_nobody(spells, grouping),
        period=spells.window,
        ledger=build_ledger(found, spells.journey),
        losses=tidy((row for cell in every for row in cell.rows(asked) if row["to"] == "lost"), _COLUMNS, by=name),
        horizons=asked,
        confidence=confidence,
        by=name,
        stages=spells.journey.stage_names,
        unexplained_branches=unexplained_branches(spells.journey),
        value=None if value is None else name_of(value),
        cells=cells,
        people=build_ledger(found, spells.journey, unit="customers"),
    )


def _any_loss(exits: Exits) -> Exits:
    return exits.merged(exits.losses, "lost") if exits.losses else exits


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
