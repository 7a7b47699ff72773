"""Visits of a stage: only those watched inside it, and none with impossible times."""

import pandas as pd
import pytest
from spell_logs import at, journey_of

from journeylab.base.errors import EstimateError
from journeylab.events.spells.exits import visits_to

JOURNEY = journey_of(
    [
        {"name": "trial", "opened_by": [{"event": "start"}], "silent_after": "30d"},
        {"name": "partner", "opened_by": [{"event": "refer"}], "completes": True},
    ]
)


def visits_of(*rows) -> pd.DataFrame:
    """Rows (customer, stage, entered, observed_from, left), in days."""
    table = pd.DataFrame(rows, columns=["customer_id", "stage", "entered", "observed_from", "left"])
    for column in ("entered", "observed_from", "left"):
        table[column] = pd.to_datetime([at(day) if pd.notna(day) else None for day in table[column]], utc=True)
    return table.assign(outcome="lost")


def test_visits_of_other_stages_and_those_that_ended_when_watching_began_are_left_out():
    visits = visits_of(
        ("a", "trial", -9, 0, 0), ("b", "partner", 0, 0, 9), ("c", "trial", 3, 3, 3), ("d", "trial", -9, 0, 1)
    )
    assert visits_to(visits, JOURNEY, "trial")["customer_id"].tolist() == ["c", "d"]
    assert visits_to(visits[:2], JOURNEY, "trial").empty


@pytest.mark.parametrize(
    ("stage", "rows", "message"),
    [
        ("trail", [], "The journey has no stage “trail”. Did you mean “trial”?"),
        ("partner", [], "By the journey's rules nobody leaves “partner”. Choose a stage that can be left."),
        (
            "trial",
            [("a", "trial", 0, 0, 3), ("b", "trial", 0, 0, None)],
            "“left” is missing in 1 of 2 visits to “trial”, first for customer “b”. "
            "Find the spells again, or leave these rows out.",
        ),
        (
            "trial",
            [("a", "trial", 5, 5, 3), ("b", "trial", 0, 0, 1)],
            "1 of 2 visits to “trial” end before they begin, first that of customer “a”: entered 2025-01-06 00:00, "
            "“left” 2025-01-04 00:00. Find the spells again, or leave these rows out.",
        ),
        (
            "trial",
            [("a", "trial", 5, 4, 6)],
            "1 of 1 visits to “trial” are watched before they begin, first that of customer “a”: entered 2025-01-06 "
            "00:00, “observed_from” 2025-01-05 00:00. Find the spells again, or leave these rows out.",
        ),
    ],
)
def test_impossible_visits_are_refused(stage, rows, message):
    with pytest.raises(EstimateError) as error:
        visits_to(visits_of(*rows), JOURNEY, stage)
    assert str(error.value) == message
