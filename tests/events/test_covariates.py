"""Covariates: an exposure counts after it happened, and what was known too late is refused."""

import numpy as np
import pandas as pd
import pytest
from spell_logs import at, log_of

from journeylab.base.errors import EstimateError
from journeylab.events.queries.covariates import Exposure, RiskRows, check_known_in_time


def exposure(**first_days) -> Exposure:
    times = pd.DataFrame(
        {"customer_id": list(first_days), "time": pd.to_datetime([at(d) for d in first_days.values()])}
    )
    return Exposure("case", times)


def rows_of(entry, exit_, event, *exposed_after):
    found = RiskRows.of(
        *(np.array(each, float) for each in (entry, exit_)),
        np.array(event, bool),
        [np.array(each, float) for each in exposed_after],
    )
    columns = (found.visit, found.entry, found.exit, found.event, *found.exposed.T)
    return [tuple(row) for row in np.column_stack(columns).tolist()]


def test_a_visit_is_cut_at_the_exposure_and_only_its_last_part_ends_in_the_event():
    assert rows_of([-1], [10], [True], [4]) == [(0, -1, 4, 0, 0), (0, 4, 10, 1, 1)]


def test_what_happens_at_the_time_of_leaving_or_later_does_not_count():
    assert rows_of([-1, -1], [10, 10], [True, True], [10, np.inf]) == [(0, -1, 10, 1, 0), (1, -1, 10, 1, 0)]


def test_what_happened_before_entering_or_before_watching_counts_from_the_start():
    assert rows_of([-1, 5], [10, 10], [True, False], [-0.5, 5]) == [(0, -1, 10, 1, 1), (1, 5, 10, 0, 1)]


def test_what_happens_on_entering_counts_for_all_but_leaving_at_once():
    assert rows_of([-1, -1], [3, 0], [True, True], [0, 0]) == [(0, -1, 0, 0, 0), (0, 0, 3, 1, 1), (1, -1, 0, 1, 0)]


def test_two_exposures_cut_a_visit_in_three():
    found = rows_of([-1], [10], [True], [7], [2])
    assert found == [(0, -1, 2, 0, 0, 0), (0, 2, 7, 0, 0, 1), (0, 7, 10, 1, 1, 1)]
    assert rows_of([-1], [10], [True], [7], [7]) == [(0, -1, 7, 0, 0, 0), (0, 7, 10, 1, 1, 1)]


def test_without_exposure_the_rows_are_the_visits():
    assert rows_of([-1, 2], [3, 4], [True, False]) == [(0, -1, 3, 1), (1, 2, 4, 0)]


def test_days_count_from_entering_to_the_first_time_ever():
    visits = pd.DataFrame({"customer_id": ["a", "a", "b"], "entered": pd.to_datetime([at(0), at(20), at(5)])})
    times = pd.DataFrame({"customer_id": ["a", "a"], "time": pd.to_datetime([at(12.5), at(3)])})
    assert Exposure("case", times).days(visits).tolist() == [3, -17, np.inf]


def test_exposure_to_events_of_a_log_takes_their_first_times():
    log = log_of(
        [
            {"customer_id": "a", "event": "ticket", "day": 9, "reason": "slow"},
            {"customer_id": "a", "event": "ticket", "day": 4, "reason": "price"},
            {"customer_id": "b", "event": "login", "day": 1},
        ]
    )
    found = Exposure.to("ticket", log=log)
    assert found.name == "ticket"
    assert found.times.to_dict("records") == [{"customer_id": "a", "time": at(4)}]
    slow = Exposure.to({"event": "ticket", "where": {"reason": "slow"}}, log=log)
    assert slow.name == "ticket, where reason is slow"
    assert slow.times["time"].tolist() == [at(9)]
    assert Exposure.to(["login", "ticket"], log=log, name="any").times["customer_id"].tolist() == ["a", "b"]


def test_an_event_that_never_occurs_or_a_broken_condition_is_refused():
    log = log_of([{"customer_id": "a", "event": "ticket", "day": 9}])
    with pytest.raises(EstimateError) as error:
        Exposure.to("tickets", log=log)
    message = "No event of the log is “tickets”. Look at the names of its events: log.events_by_type()."
    assert str(error.value) == message
    with pytest.raises(EstimateError, match="evnt"):
        Exposure.to({"evnt": "ticket"}, log=log)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (
            pd.DataFrame({"customer": ["a"], "time": [at(1)]}),
            "The times of “case” have no column “customer_id”. Did you mean “customer”? "
            "Name the columns customer_id and time.",
        ),
        (
            pd.DataFrame({"customer_id": ["a", "b"], "time": pd.to_datetime([at(1), None], utc=True)}),
            "“time” is missing in 1 of 2 times of “case”. Leave these rows out.",
        ),
        (
            pd.DataFrame({"customer_id": ["a"], "time": [20250101]}),
            "The times of “case” are int64, not times in a time zone. "
            "Convert them with pandas.to_datetime(..., utc=True).",
        ),
    ],
)
def test_times_that_cannot_be_read_are_refused(times, message):
    with pytest.raises(EstimateError) as error:
        Exposure("case", times)
    assert str(error.value) == message


def test_an_attribute_known_after_watching_began_is_refused_where_its_time_is_told():
    visits = pd.DataFrame({"customer_id": ["a", "b", "c"], "observed_from": pd.to_datetime([at(0), at(0), at(9)])})
    known = pd.to_datetime([at(0), at(3), at(9)])
    customers = pd.DataFrame({"plan": ["x", "y", "y"]}, index=["a", "b", "c"])
    check_known_in_time(visits, customers, "plan")
    for column in ("plan_known_at", "known_at"):
        with pytest.raises(EstimateError) as error:
            check_known_in_time(visits, customers.assign(**{column: known}), "plan")
        assert str(error.value) == (
            "“plan” became known only after 1 of 3 visits had begun, first for customer “b”: known 2025-01-04 00:00, "
            "watched from 2025-01-01 00:00. Who has it must have stayed that long, so it would seem to keep customers. "
            "Give Grouping(“plan”, labels, known_at), which starts the clock then, or an Exposure."
        )
    check_known_in_time(visits[[True, False, True]], customers.assign(known_at=known), "plan")
