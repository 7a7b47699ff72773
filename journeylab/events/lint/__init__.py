"""The lint: what in a journey can never happen or proves nothing, what does not fit the log, and what in the log itself
is doubtful? Each with how to fix it."""

from collections.abc import Iterator

import pandas as pd

from journeylab.events.journey import Journey
from journeylab.events.lint.definition import losses_that_never_act, stages_out_of_reach, validations_that_prove_nothing
from journeylab.events.lint.evidence import readable_rules, rules_without_evidence
from journeylab.events.lint.ids import customers_that_differ, doubtful_ids
from journeylab.events.lint.orders import acts_before_opener, hangs_on_order, loaded_twice, opening_rules
from journeylab.events.lint.refusals import refusals_not_at_random
from journeylab.events.lint.remarks import Lint, Remark
from journeylab.events.lint.times import empty_months, far_times, repeats_by_day
from journeylab.events.lint.watched import (
    dates_among_times,
    events_before_entry,
    losses_that_go_on,
    parts_of_days,
    sampled_by_end,
)
from journeylab.events.log import EventLog
from journeylab.events.queries.customers_at_a_glance import glance_at_customers
from journeylab.events.queries.months import fill_by_month, refused_by_month
from journeylab.events.spells import Spells

__all__ = ["Lint", "lint_journey", "lint_spells"]

_UNJUDGED = (
    "The log has no column “initiator”, so whether the customers or the company open and validate the stages cannot be "
    "judged."
)


def lint_journey(journey: Journey, *, log: EventLog | None = None) -> Lint:
    """Look for what cannot be right in `journey`, and with a `log` also for what these data cannot show.

    Parameters
    ----------
    journey : Journey
        The definition. By itself it shows stages out of reach, rules that are never used or that compete, stages that
        no customer can be lost from, and validations that are missing, prove nothing or cannot be met.
    log : EventLog, optional
        A few queries over its events show events, columns and values that the log lacks or writes otherwise, bounds on
        text, stages that only the company opens, and validations and silences that these data cannot show; then, of the
        log itself, ids that are no customers or not one each, rows that were refused together, times that cannot be
        right, rows that are there twice, parts of days where the log, or one of its sources, has only dates, and how
        much depends on the order of rows.

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
    if log is None:
        return Lint.of(journey, remarks)
    remarks += [*rules_without_evidence(journey, log), *parts_of_days(journey, log), *dates_among_times(log)]
    remarks += doubts_of_log(journey, log)
    return Lint.of(journey, remarks, () if "initiator" in log.events.columns else (_UNJUDGED,))


def lint_spells(log: EventLog, spells: Spells) -> Lint:
    """Look for what the customers' visits show to be doubtful about their journey, and about the log.

    Parameters
    ----------
    log : EventLog
    spells : Spells
        Those of `log`.

    Returns
    -------
    Lint
        Warnings: many events lie before the customer's entry; after a loss most customers go on as before; the log
        holds journeys only because they ended when they did.
    """
    remarks = [*events_before_entry(log, spells), *losses_that_go_on(log, spells), *sampled_by_end(spells)]
    return Lint.of(spells.journey, remarks)


def doubts_of_log(journey: Journey, log: EventLog) -> Iterator[Remark]:
    """What is doubtful about `log` itself, or about how it fits together with the order of stages in `journey`."""
    rules = readable_rules(journey, log)
    openers = opening_rules(journey, rules)
    customers = glance_at_customers(log, openers)
    fills, refused = fill_by_month(log), refused_by_month(log)
    months = fills.groupby("month")["events"].sum()
    yield from doubtful_ids(customers)
    yield from customers_that_differ(log, pd.Index(customers["customer_id"].sort_values()))
    yield from refusals_not_at_random(log, refused, months)
    yield from far_times(log, refused, months)
    yield from repeats_by_day(log)
    yield from empty_months(fills)
    yield from loaded_twice(log)
    yield from acts_before_opener(journey, customers, openers)
    yield from hangs_on_order(log, journey, rules, n_customers=len(customers))
