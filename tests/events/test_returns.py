"""Returns: each loss with what came after it, on the clock of days since."""

from spell_logs import at, journey_of, log_of

from journeylab.events.queries.returns import RETURNED, find_absences, find_returns
from journeylab.events.spells import find_spells

JOURNEY = journey_of(
    [
        {"name": "trial", "opened_by": [{"event": "start"}], "silent_after": "10d"},
        {"name": "paid", "opened_by": [{"event": "buy"}]},
    ],
    [{"name": "price", "from": ["trial"], "when": {"event": "cancel"}}, {"name": "other", "when": {"event": "leave"}}],
)


def spells(*rows, window=(0, 100)):
    events = [{"customer_id": who, "event": what, "day": day} for who, what, day in rows]
    return find_spells(log_of(events, window), JOURNEY)


def test_a_loss_lasts_until_the_next_visit_or_the_windows_end():
    away = find_absences(
        spells(("a", "start", 0), ("a", "cancel", 5), ("a", "buy", 25), ("b", "start", 2), ("b", "hello", 40))
    )
    assert away[["customer_id", "stage", "to", "outcome", "back_in"]].to_numpy().tolist() == [
        ["a", "trial", "price", RETURNED, "paid"],
        ["b", "trial", "silent", RETURNED, "trial"],
        ["b", "trial", "silent", "ongoing", None],
    ]
    assert away["entered"].tolist() == [at(5), at(12), at(50)]
    assert away["left"].tolist() == [at(25), at(40), at(100)]
    assert away["observed_from"].equals(away["entered"])


def test_they_are_counted_for_all_by_stage_and_by_branch():
    found = find_returns(
        find_absences(
            spells(("a", "start", 0), ("a", "cancel", 5), ("a", "buy", 25), ("b", "start", 2), ("b", "hello", 40))
        ),
        JOURNEY,
    )
    assert [(each.stage, each.branch, each.n, each.n_customers, each.count(RETURNED)) for each in found] == [
        ("any stage", "lost", 3, 2, 2),
        ("trial", "lost", 3, 2, 2),
        ("trial", "price", 1, 1, 1),
        ("trial", "other", 0, 0, 0),
        ("trial", "silent", 2, 1, 1),
        ("paid", "lost", 0, 0, 0),
        ("paid", "other", 0, 0, 0),
    ]
    assert found[4].exit.tolist() == [28, 50]
    assert found[4].destination.tolist() == [1, -1]
    assert found[0].why_missing([30], min_at_risk=3) == ["only 3 lost visits of 2 customers"]
    assert found[3].why_missing([30], min_at_risk=1) == ["nobody was lost this way"]


def test_one_who_comes_back_at_the_very_moment_is_back_on_day_0():
    away = find_absences(spells(("a", "start", 0), ("a", "cancel", 5), ("a", "start", 5), window=(0, 12)))
    back = find_returns(away, JOURNEY)[0]
    assert (back.entry.tolist(), back.exit.tolist(), back.destination.tolist()) == ([-1], [0], [1])


def test_what_became_known_while_a_customer_was_away_counts_from_then_on():
    away = find_absences(spells(("a", "start", 0), ("a", "cancel", 5), ("a", "buy", 25)))
    late = find_returns(away.assign(observed_from=at(15), group="x"), JOURNEY)[0]
    assert (late.group, late.entry.tolist(), late.exit.tolist()) == ("x", [10], [20])
    assert late.condition == "given not yet back on day 10.0"


def test_where_nobody_was_lost_there_is_no_row():
    away = find_absences(spells(("a", "buy", 0)))
    assert len(away) == 0
    assert [each.n for each in find_returns(away, JOURNEY)] == [0] * 7
