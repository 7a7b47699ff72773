"""Activity: who went on as before after a loss, and so was not away?"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from journeylab.base.durations import DAY, LONG_AGO, all_since_1970, since_1970
from journeylab.events.journey import Journey
from journeylab.events.log import EventLog, Window
from journeylab.events.queries.event_windows import TimeSpans, find_last_own
from journeylab.events.queries.returns import RETURNED
from journeylab.findings.arguments import check_window
from journeylab.findings.rows import wilson_share

# Who acts within so many days of a loss was not away. It is said where surely more than this share of the lost does.
AT_ONCE, NEVER_AWAY = 7.0, 0.5
ACTIVITY = "group stage to estimate lower upper n customers events"


def with_signs_of_life(absences: pd.DataFrame, log: EventLog | None, window: Window) -> pd.DataFrame:
    """`absences` (see `find_absences`) with `is_alive`: whether the customer came back, or with a `log` did anything,
    within `AT_ONCE` days of the loss; missing where they were not watched so long. Raises EstimateError where the log
    has another window than the spells."""
    lost = all_since_1970(absences["entered"])
    until = lost + round(AT_ONCE * DAY)
    alive = (absences["outcome"] == RETURNED).to_numpy() & (all_since_1970(absences["left"]) <= until)
    if log is not None:
        check_window(log, window)
        spans = TimeSpans(absences["customer_id"].to_numpy(dtype=object), lost + 1, until + 1)
        alive |= find_last_own(log, spans) > LONG_AGO
    is_watched = until < since_1970(window.end)
    return absences.assign(is_alive=np.where(is_watched, alive.astype(float), np.nan))


def activity_of(absences: pd.DataFrame, journey: Journey, confidence: float) -> Iterator[dict]:
    """A row for each (group,) stage and branch that lost somebody: how many of the losses were followed by life."""
    known = absences[absences["is_alive"].notna()]
    keys = [*(["group"] if "group" in absences else []), "stage", "to"]
    order = {name: at for at, name in enumerate((*journey.stage_names, *journey.branches))}
    in_order = known.sort_values(keys, key=lambda column: column.astype(object).map(lambda name: order.get(name, -1)))
    for names, rows in in_order.groupby(keys, sort=False, observed=True):
        events, n = int(rows["is_alive"].sum()), len(rows)
        share = wilson_share(events, n, confidence=confidence)
        base = {"n": n, "customers": rows["customer_id"].nunique(), "events": events}
        yield {**dict(zip(keys, names, strict=True)), **share, **base}
