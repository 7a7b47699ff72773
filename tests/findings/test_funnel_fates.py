"""What became of those who did not get to the goal, and who gets there by any way where customers move freely."""

import pytest
from by_hand import journey_of, log_of

import journeylab as jl
from journeylab.events.steps import build_steps, read_rules

STAGES = [
    {"name": "signed_up", "opened_by": [{"event": "sign"}]},
    {"name": "basic", "label": "Basic plan", "opened_by": [{"event": "basic"}]},
    {"name": "pro", "label": "Pro plan", "opened_by": [{"event": "pro"}]},
    {"name": "enterprise", "opened_by": [{"event": "enterprise"}], "silent_after": "60d"},
]
BRANCHES = [{"name": "declined", "when": {"event": "decline"}}]
FREE, FORWARD = (journey_of(STAGES, BRANCHES, movement=movement) for movement in ("free", "forward"))
# How often each history happened. The window of the funnel is 30 days, that of the log 100.
HISTORIES = {
    "sign@0 enterprise@5": 6,
    "sign@0 pro@3 basic@9 enterprise@20": 5,
    "sign@0 pro@3": 7,
    "sign@0 basic@3 decline@10": 8,
    "sign@0 decline@30": 5,
    "sign@0 pro@3 enterprise@31": 5,
    "sign@0": 9,
    "sign@0 decline@31": 2,
    "sign@90": 3,
}


def log():
    rows, customer = [], 0
    for history, n in HISTORIES.items():
        for _ in range(n):
            customer += 1
            events = (each.partition("@") for each in history.split())
            rows += [{"customer_id": f"c{customer:03}", "event": name, "day": float(day)} for name, _, day in events]
    return log_of(rows)


def funnel(journey, **options):
    events = log()
    return jl.estimate_funnel(
        events, build_steps(journey), window="30d", spells=jl.find_spells(events, journey), **options
    )


def test_free_movement_makes_the_steps_between_optional():
    assert [step.optional for step in build_steps(FREE)] == [False, True, True, False]
    assert not any(step.optional for step in build_steps(FORWARD))


def test_any_way_to_the_goal_counts_where_customers_move_freely():
    found = funnel(FREE, order="unordered")
    rows = found.table.set_index("label")
    assert rows["reached"].to_dict() == {"Signed up": 47, "Basic plan": 13, "Pro plan": 17, "Enterprise": 11}
    assert rows["kind"].tolist() == ["entry", "step", "step", "conversion"]
    assert found.title == "Who gets from “Signed up” to “Enterprise” by any way"
    assert "optional" not in found.plot().alt
    assert jl.estimate_funnel(log(), build_steps(FREE), window="30d").table["reached"].iloc[-1] == 11


def test_those_who_did_not_get_there_are_told_by_what_became_of_them():
    found = funnel(FREE, order="unordered")
    assert dict(zip(found.losses["ended_by"], found.losses["attempts"], strict=True)) == {
        "in “Pro plan”": 12,
        "lost to “Declined”": 13,
        "still in “Signed up”": 11,
    }
    assert found.losses["attempts"].sum() + 11 == 47
    assert found.sentence() == (
        "23% of 47 customers (95% interval 14% to 37%) went from “Signed up” to “Enterprise” by any way within 30 "
        "days, half of them within 5.0 days. The other 36, when their time had passed: 13 lost to “Declined”, 12 in "
        "“Pro plan” and 11 still in “Signed up”. 3 attempts are still in progress; with these, as long "
        "as they were watched, the share is 23% (13% to 37%)."
    )
    assert "time passed" not in found.losses["ended_by"].to_list()


def test_a_strict_way_says_so_and_names_who_went_another():
    found = funnel(FORWARD)
    assert found.table["reached"].tolist() == [47, 13, 0, 0]
    sentence = found.sentence()
    assert "went no further in this order than “Signed up”: 34 (" in sentence
    for part in ("12 in “Pro plan” by another way", "11 still in “Signed up”", "6 in “Enterprise” by another way"):
        assert part in sentence
    assert "time passed" not in sentence


def test_exclusions_and_groups_keep_their_names_and_add_up():
    found = funnel(FREE, order="unordered", exclude="decline")
    assert found.losses.set_index("ended_by")["attempts"]["decline"] == 13
    assert found.losses["attempts"].sum() == 36


def test_without_spells_nothing_is_claimed():
    found = jl.estimate_funnel(log(), build_steps(FORWARD), window="30d")
    assert set(found.losses["ended_by"]) == {"time passed"}


@pytest.mark.parametrize(
    ("steps", "order", "by_any_way"),
    [
        ([{"event": "a"}, {"event": "b", "optional": True}, {"event": "c"}], "unordered", True),
        ([{"event": "a"}, {"event": "b", "optional": True}, {"event": "c"}], "ordered", False),
        (["a", "b"], "unordered", False),
    ],
)
def test_one_goal_and_any_way_needs_optional_steps(steps, order, by_any_way):
    assert read_rules(steps, window="1d", order=order).by_any_way is by_any_way


def test_a_sentence_pools_ways_of_fewer_than_five():
    rows = [{"customer_id": f"c{n}", "event": "sign", "day": 0.0} for n in range(12)]
    rows += [{"customer_id": f"c{n}", "event": "decline", "day": 2.0} for n in range(3)]
    events = log_of(rows)
    found = jl.estimate_funnel(
        events, build_steps(FREE), window="30d", order="unordered", spells=jl.find_spells(events, FREE)
    )
    assert "9 still in “Signed up” and fewer than 5 otherwise" in found.sentence()
