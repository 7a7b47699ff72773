"""Scores and texts belong to the stage the customer was in; only customers' own, only within the window."""

import pandas as pd
import pytest
from by_hand import LOST_TO_PRICE, journey_of

from journeylab.base.errors import EstimateError, JourneyError
from journeylab.events.queries.answers import find_scores, find_statements, has_scores, scores_of_others
from journeylab.events.reading import read_events
from journeylab.events.spells import find_spells

WINDOW = ("2025-01-01", "2025-07-01")
JOURNEY = journey_of(
    [
        {"name": "trial", "opened_by": [{"event": "start"}], "silent_after": "20d"},
        {"name": "paid", "opened_by": [{"event": "buy"}]},
    ],
    [LOST_TO_PRICE],
)
# customer, time, event, initiator, score, text
ROWS = [
    ("a", "2024-12-25", "survey", None, 1, "before the window"),
    ("a", "2025-01-02", "survey", None, 2, "before the journey"),
    ("a", "2025-01-05", "start", None, 3, "on starting"),
    ("a", "2025-01-07", "lead_scored", "system", 88, "of a machine"),
    ("a", "2025-01-08", "survey", "customer", 4, "in the trial"),
    ("a", "2025-01-10", "buy", None, 5, "on buying"),
    ("a", "2025-02-10", "cancel", None, 6, "on cancelling"),
    ("a", "2025-02-12", "survey", None, 7, "after the loss"),
    ("b", "2025-01-05", "start", None, None, None),
    ("b", "2025-03-01", "survey", None, 8, "back from silence"),
    ("c", "2025-02-01", "start", None, float("nan"), " "),
]
TOLD = {
    2: None,
    3: "trial",
    4: "trial",
    5: "paid",
    6: "paid",
    7: None,
    8: "trial",
}


def log_of(rows=ROWS, *, without=()):
    table = pd.DataFrame(rows, columns=["customer_id", "time", "event", "initiator", "score", "text"])
    columns = {name: name for name in ("customer_id", "time", "event")}
    return read_events(table.drop(columns=list(without)), columns=columns, window=WINDOW, timezone="UTC")


def scores(log, **asked):
    found = find_scores(log, find_spells(log, JOURNEY).to_pandas(), **asked)
    return dict(zip(found["score"], found["stage"], strict=True))


def statements(log):
    found = find_statements(log, find_spells(log, JOURNEY).to_pandas(), seed=1)
    return dict(zip(found["text"], found["stage"], strict=True))


def test_a_score_belongs_to_the_stage_the_customer_was_in():
    log = log_of()
    assert scores(log) == TOLD
    found = find_scores(log, find_spells(log, JOURNEY).to_pandas())
    assert found["customer_id"].tolist() == ["a"] * 6 + ["b"]
    assert found["time"].iloc[0] == pd.Timestamp("2025-01-02", tz="UTC")
    assert found["spell"].isna().tolist() == [True, False, False, False, False, True, False]


def test_the_event_that_ends_a_visit_speaks_for_the_next_and_a_loss_for_what_was_lost():
    told = scores(log_of())
    assert (told[5], told[6]) == ("paid", "paid")


def test_a_loss_that_opens_a_stage_at_once_speaks_for_that_stage():
    both = [("a", "2025-01-05", "start", None, 1, "x"), ("a", "2025-01-08", "cancel", None, 2, "y")]
    log = log_of([*both, ("a", "2025-01-08", "start", None, 3, "z")])
    assert scores(log) == {1: "trial", 2: "trial", 3: "trial"}
    found = find_scores(log, find_spells(log, JOURNEY).to_pandas())
    assert found["spell"].tolist() == [1, 2, 2]


def test_what_is_asked_may_be_named():
    assert set(scores(log_of(), asked="survey")) == {2, 4, 7, 8}
    assert set(scores(log_of(), asked=["start", "buy"])) == {3, 5}
    assert set(scores(log_of(), asked={"event": "survey", "where": {"initiator": "customer"}})) == {4}


def test_a_condition_that_is_none_is_refused():
    with pytest.raises(EstimateError) as caught:
        scores(log_of(), asked={"event": "survey", "wher": {}})
    assert str(caught.value) == "wher: Unknown key “wher” of a condition. Did you mean “where”?"
    with pytest.raises(JourneyError) as caught:
        scores(log_of(), asked={"event": "survey", "where": {"scor": 1}})
    assert str(caught.value) == (
        "The condition in the question asked (survey, where scor is 1) asks for the column “scor”, which the log "
        "lacks. Did you mean “score”?"
    )


def test_texts_belong_to_the_stages_as_scores_do():
    assert statements(log_of()) == {
        "on starting": "trial",
        "in the trial": "trial",
        "on buying": "paid",
        "on cancelling": "paid",
        "back from silence": "trial",
    }


@pytest.mark.slow
def test_a_text_with_a_loss_that_opens_another_stage_at_once_is_read_once():
    rows = [("a", "2025-01-05", "start", None, 1, "x"), ("a", "2025-01-08", "cancel", None, 2, "y")]
    log = log_of([*rows, ("a", "2025-01-08", "buy", None, 3, "z")])
    found = find_statements(log, find_spells(log, JOURNEY).to_pandas(), seed=1)
    assert found[["text", "stage"]].to_numpy().tolist() == [["x", "trial"], ["y", "paid"], ["z", "paid"]]


def test_texts_are_sought_from_when_the_visit_was_watched_on():
    log = log_of()
    visits = find_spells(log, JOURNEY).to_pandas()
    late = visits.assign(observed_from=pd.Timestamp("2025-01-08", tz="UTC"), group="late")
    found = find_statements(log, late[late["spell"] == 1], seed=1)
    assert found[["group", "text"]].to_numpy().tolist() == [["late", "in the trial"]]


@pytest.mark.slow
def test_a_log_without_scores_or_texts_has_none():
    log = log_of(without=["score", "text"])
    assert not has_scores(log)
    assert scores(log) == {}
    assert statements(log) == {}
    nobody = find_spells(log_of(), JOURNEY).to_pandas().iloc[:0]
    assert find_scores(log_of(), nobody)["stage"].isna().all()
    assert find_statements(log_of(), nobody, seed=1).empty


def test_scores_and_texts_on_the_event_asked_for_are_the_customer_s_whoever_began_it():
    rows = [
        ("a", "2025-01-02", "join", "customer", None, None),
        ("a", "2025-01-03", "ticket_closed", "company", 4.0, "it took too long"),
        ("a", "2025-01-04", "ticket_closed", "system", 2.0, None),
        ("a", "2025-01-05", "lead_scored", "company", 90.0, "a good lead"),
    ]
    log = log_of(rows)
    visits = find_spells(log, JOURNEY).to_pandas()
    assert find_scores(log, visits).empty
    assert find_scores(log, visits, asked="ticket_closed")["score"].tolist() == [4.0, 2.0]
    assert find_scores(log, visits, asked={"event": "ticket_closed", "where": {"score": {"above": 3}}})[
        "score"
    ].tolist() == [4.0]
    others = scores_of_others(log)
    assert others.to_dict("list") == {"event": ["ticket_closed", "lead_scored"], "scores": [2, 1]}
    # Nobody opens a stage here, so texts are looked for in a stage that lasts.
    stay = pd.DataFrame(
        {"customer_id": ["a"], "spell": [1], "stage": ["s"], "outcome": ["ongoing"], "to": [None]}
    ).assign(entered=rows_time("2025-01-01"), left=rows_time("2025-02-01"), observed_from=rows_time("2025-01-01"))
    assert find_statements(log, stay, seed=1).empty
    assert find_statements(log, stay, seed=1, asked="ticket_closed")["text"].tolist() == ["it took too long"]


def rows_time(day: str) -> pd.Timestamp:
    return pd.Timestamp(day, tz="UTC").as_unit("us")
