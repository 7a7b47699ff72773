"""Losses: after which step did the attempts that did not convert end, and by what?"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from journeylab.base.errors import EstimateError
from journeylab.estimators.shares import clustered_share
from journeylab.events.spells import Spells
from journeylab.events.steps import Attempts
from journeylab.findings.funnel.fates import fates_of
from journeylab.findings.funnel.goal import CONVERSION, n_different
from journeylab.findings.rows import estimated

LOSS_COLUMNS = "group step after ended_by attempts n estimate lower upper"


def losses_of(attempts: Attempts, spells: Spells | None, *, group: str | None, confidence: float) -> Iterator[dict]:
    """A row for each step after which closed attempts ended unconverted, and each way in which they did; with the
    `spells`, also for each place where customers were whose time had passed."""
    closed = attempts.only(attempts.is_closed)
    step, names = _furthest(closed)
    is_lost = ~closed.is_converted
    ended_by = np.array([closed.exit_name(code) for code in closed.ended], dtype=object)
    if spells is not None:
        is_counted = closed.rules.order == "unordered"
        ended_by = fates_of(closed, spells, np.zeros_like(step) if is_counted else step)
    for at, name in enumerate(names):
        here = is_lost & (step == at)
        for code, way in sorted(set(zip(closed.ended[here], ended_by[here], strict=True))):
            ended = here & (closed.ended == code) & (ended_by == way)
            yield {
                "group": group,
                "step": at + 1,
                "after": name,
                "ended_by": way,
                "attempts": int(ended.sum()),
                "n": len(closed),
                **estimated(clustered_share(ended, closed.customer, confidence=confidence)),
            }


def check_losses(table: pd.DataFrame, losses: pd.DataFrame) -> None:
    """Raise EstimateError unless, in each group, closed attempts = converted + lost after each step by each way."""
    groups = ["group"] if "group" in table else []
    converted = table[table["kind"] == CONVERSION]
    for _, row in converted.iterrows():
        lost = losses[(losses[groups] == row[groups]).all(axis=1)]["attempts"].sum() if len(losses) else 0
        if row["reached"] + lost != row["n"]:
            raise EstimateError(
                f"The funnel does not add up{f' in “{row.group}”' if groups else ''}: {row['n']:,} attempts are "
                f"closed, but {row['reached']:,} converted and {lost:,} lost are {row['reached'] + lost:,}. "
                "Estimate it again from the log."
            )


def _furthest(attempts: Attempts) -> tuple[np.ndarray, list[str]]:
    """How far each attempt got, as a position in the names returned with it: the last step needed that it reached, or,
    unordered, how many of those."""
    rules = attempts.rules
    reached = np.array([attempts.is_reached(step) for step in rules.required]).sum(axis=0) - 1
    if rules.by_any_way:
        return reached, [rules.steps[step].title for step in rules.required]
    if rules.order != "unordered":
        return np.array(rules.required)[reached], [step.title for step in rules.steps]
    n_needed = len(rules.required)
    return reached, [f"{count} of {n_needed} steps" for count in range(1, n_needed + 1)]


def left_out_of(attempts: Attempts, labels: np.ndarray | None, *, by: str | None) -> tuple[Attempts, list[dict]]:
    """The attempts to judge, and why how many others are not. `labels`: of each customer of `ids`, if there are
    groups."""
    rows = []
    if labels is not None:
        is_unknown = pd.isna(labels)[attempts.customer]
        rows += _left_out(f"no known {by}", attempts.customer[is_unknown])
        attempts = attempts.only(~is_unknown)
        rows += _left_out(f"began before the {by} was known", attempts.customer[attempts.is_early])
        attempts = attempts.only(~attempts.is_early)
    for code in np.unique(attempts.ended[attempts.is_removed]):
        is_this = attempts.is_removed & (attempts.ended == code)
        rows += _left_out(f"removed by “{attempts.exit_name(code)}”", attempts.customer[is_this])
    return attempts.only(~attempts.is_removed), rows


def _left_out(reason: str, customers: np.ndarray) -> list[dict]:
    if not len(customers):
        return []
    return [{"reason": reason, "attempts": len(customers), "customers": n_different(customers)}]
