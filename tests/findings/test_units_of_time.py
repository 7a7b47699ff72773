"""Times below a day are told in hours, minutes or seconds, in every sentence, table and figure that has them."""

import pandas as pd
import pytest
from by_hand import journey_of, log_of

import journeylab as jl
from journeylab.base.durations import MICROSECONDS

SECOND = MICROSECONDS["s"] / MICROSECONDS["d"]
JOURNEY = journey_of(
    [
        {"name": "trial", "opened_by": [{"event": "start"}]},
        {"name": "paid", "opened_by": [{"event": "buy"}], "completes": True},
    ]
)


def spells_of(seconds: float, n: int = 30):
    """Customers who buy about so many seconds after they began."""
    rows = []
    for number in range(n):
        stay = seconds * SECOND * (0.9 + 0.2 * number / n)
        for event, day in (("start", number), ("buy", number + stay)):
            rows.append({"customer_id": f"c{number:02}", "event": event, "day": day})
    return jl.find_spells(log_of(rows), JOURNEY)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (44, "after 43.7 seconds (95% interval "),
        (1500, "after 24.8 minutes (95% interval "),
        (6 * 3600, "after 6.0 hours (95% interval "),
        (20 * 86_400, "after 19.9 days (95% interval "),
    ],
)
def test_half_of_the_visits_are_over_after_a_time_in_its_own_unit(seconds, said):
    # The fifteenth of thirty stays: 0.9 + 0.2 x 14 / 30 of the time.
    survival = jl.estimate_survival(spells_of(seconds))
    assert f"“trial” {said}" in survival.sentence()
    assert survival.by_stage().loc["trial", "time in stage"].startswith(f"half have left {said}")
    assert "0.0 days" not in survival.sentence()


def test_the_axis_has_the_unit_of_the_longest_stay():
    for seconds, unit in ((44, "second"), (1500, "minute"), (6 * 3600, "hour"), (20 * 86_400, "day")):
        chart = jl.estimate_survival(spells_of(seconds)).plot_incidence("trial")
        assert chart.axes.get_xlabel() == f"{unit}s since entering the stage"
        assert chart.axes.get_xlim()[1] < 100


def test_a_comparison_in_minutes_says_so():
    spells = spells_of(1500)
    groups = {f"c{number:02}": "even" if number % 2 == 0 else "odd" for number in range(30)}
    by = jl.Grouping("half", pd.Series(groups))
    sentence = jl.compare_groups(spells, stage="trial", by=by, horizon="1h").sentence()
    assert "in the first 1 hour" in sentence
    assert "minutes (95% interval" in sentence
    assert "“odd” stays 0.0" not in sentence


def test_a_funnel_and_a_return_in_seconds_say_so():
    rows = [row for number in range(40) for row in (
        {"customer_id": f"c{number:02}", "event": "start", "day": number / 2},
        {"customer_id": f"c{number:02}", "event": "cancel", "day": number / 2 + 30 * SECOND},
        {"customer_id": f"c{number:02}", "event": "start", "day": number / 2 + 90 * SECOND},
    )]  # fmt: skip
    journey = journey_of(
        [{"name": "trial", "opened_by": [{"event": "start"}]}], [{"name": "off", "when": {"event": "cancel"}}]
    )
    log = log_of(rows)
    recovery = jl.estimate_recovery(jl.find_spells(log, journey), horizons=["1h"]).sentence()
    assert "half of those within 1.0 minutes (" in recovery
    assert "within 1 hour" in recovery
    funnel = jl.estimate_funnel(log, ["start", "cancel"], window="1h").sentence()
    assert "half of them within 30.0 seconds" in funnel
