"""Values: what was recorded until a visit began, and nothing later."""

import pytest
from spell_logs import journey_of, log_of

from journeylab.base.errors import EstimateError
from journeylab.events.queries.covariates import score_value
from journeylab.events.spells import find_spells

JOURNEY = journey_of(
    [{"name": "trial", "opened_by": [{"event": "start"}]}, {"name": "paid", "opened_by": [{"event": "buy"}]}],
    [{"name": "other", "when": {"event": "leave"}}],
)
ROWS = [
    ("a", "order", -20, 7.0),
    ("a", "start", 1, None),
    ("a", "order", 4, 0.1),
    ("a", "order", 5, 0.2),
    ("a", "buy", 9, 10.0),
    ("a", "order", 10, 500.0),
    ("a", "leave", 12, None),
    ("b", "start", 3, None),
    ("b", "order", 3.5, float("nan")),
]


def values(**how):
    log = log_of(
        [{"customer_id": who, "event": what, "day": day, "amount": amount} for who, what, day, amount in ROWS], (0, 100)
    )
    return score_value(log, find_spells(log, JOURNEY), **{"column": "amount", **how})


def test_all_until_a_visit_began_counts_its_opening_and_history_included():
    found = values()
    assert found.to_dict() == {("a", 1): 7.0, ("a", 2): 17.3, ("b", 1): 0.0}
    assert (found.name, found.index.names) == ("amount", ["customer_id", "spell"])


def test_only_the_time_before_may_be_asked_for_its_first_moment_included():
    assert values(within="5d").to_dict() == {("a", 1): 0.0, ("a", 2): 10.3, ("b", 1): 0.0}
    assert values(within="21d").loc[("a", 1)] == 7.0


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("amonut", "The log has no column “amonut”. Did you mean “amount”?"),
        (
            "event",
            "The column “event” of the log holds string, not numbers. Name the column that holds what was paid.",
        ),
    ],
)
def test_a_column_that_holds_no_amounts_is_refused(column, text):
    with pytest.raises(EstimateError) as error:
        values(column=column)
    assert str(error.value) == text
