"""Side by side: pieces of time in which neither the journey nor the CRM moved a customer, worked by hand."""

import pandas as pd
import pytest
from spell_logs import at, journey_of, log_of

from journeylab.events.log import Window
from journeylab.events.queries.crm_timeline import at_moment, crm_timeline
from journeylab.events.spells import find_spells

JOURNEY = journey_of(
    [{"name": "trial", "opened_by": [{"event": "start"}]}, {"name": "paid", "opened_by": [{"event": "buy"}]}],
    [{"name": "price", "when": {"event": "cancel"}}],
)
WINDOW = Window(at(0), at(100))


def pieces_of(events, records):
    log = log_of([{"customer_id": c, "event": e, "day": d} for c, e, d in events])
    table = pd.DataFrame([(c, at(d), b) for c, d, b in records], columns=["customer_id", "time", "bucket"]).astype(
        {"time": "datetime64[us, UTC]"}
    )
    return crm_timeline(find_spells(log, JOURNEY).to_pandas(), table, WINDOW)


def told(pieces):
    days = [(pieces[end] - at(0)).dt.days for end in ("since", "until")]
    return list(zip(pieces["place"], pieces["bucket"].where(pieces["bucket"].notna(), None), *days, strict=True))


def test_a_piece_ends_when_either_side_moves():
    pieces = pieces_of([("a", "start", 5), ("a", "buy", 20)], [("a", 0, "Lead"), ("a", 10, "SQL"), ("a", 30, "Won")])
    assert told(pieces) == [
        ("trial", "Lead", 5, 10),
        ("trial", "SQL", 10, 20),
        ("paid", "SQL", 20, 30),
        ("paid", "Won", 30, 100),
    ]
    assert ((pieces["bucket_since"] - at(0)).dt.days).tolist() == [0, 10, 10, 30]
    assert ((pieces["place_since"] - at(0)).dt.days).tolist() == [5, 5, 20, 20]


def test_between_a_loss_and_the_return_the_customer_is_in_the_branch():
    pieces = pieces_of([("a", "start", 5), ("a", "cancel", 8), ("a", "start", 50)], [("a", 20, "Lost")])
    assert told(pieces) == [
        ("trial", None, 5, 8),
        ("price", None, 8, 20),
        ("price", "Lost", 20, 50),
        ("trial", "Lost", 50, 100),
    ]
    assert pieces["is_lost"].tolist() == [False, True, True, False]


def test_what_the_crm_says_of_others_or_after_the_window_is_not_used():
    pieces = pieces_of([("a", "start", 5)], [("b", 6, "SQL"), ("a", 100, "SQL"), ("c", 7, "SQL")])
    assert told(pieces) == [("trial", None, 5, 100)]


def test_a_bucket_may_end_with_none_after_it():
    assert told(pieces_of([("a", "start", 5)], [("a", 5, "SQL"), ("a", 50, None)])) == [
        ("trial", "SQL", 5, 50),
        ("trial", None, 50, 100),
    ]


def test_customers_do_not_borrow_from_one_another():
    pieces = pieces_of([("a", "start", 5), ("b", "start", 7)], [("a", 6, "SQL")])
    assert told(pieces[pieces["customer_id"] == "b"]) == [("trial", None, 7, 100)]


@pytest.mark.parametrize(("day", "places"), [(5, ["trial"]), (19, ["trial"]), (20, ["paid"]), (100, ["paid"]), (4, [])])
def test_a_moment_finds_the_piece_that_holds_it(day, places):
    pieces = pieces_of([("a", "start", 5), ("a", "buy", 20)], [])
    assert at_moment(pieces, at(day), WINDOW)["place"].tolist() == places


def test_without_visits_there_is_nothing_to_compare():
    assert len(pieces_of([("a", "look", 5)], [("a", 6, "SQL")])) == 0
