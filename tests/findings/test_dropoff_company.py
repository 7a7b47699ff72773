"""What the company decides is ranked apart; and what has no estimate yet is told with what is certain."""

import pytest
from by_hand import journey_of, spells_of

from journeylab.events.spells.exits import Earliest, find_exits
from journeylab.findings.dropoff import estimate_dropoff
from journeylab.reporting.journey_map import build_map

STAGES = [{"name": "applied", "opened_by": [{"event": "apply"}]}, {"name": "active", "opened_by": [{"event": "sign"}]}]
DECLINED = {"name": "declined", "when": {"event": "declined"}, "by": "company"}
PRICE = {"name": "price", "when": {"event": "cancelled", "where": {"reason": "price"}}}


def visits(**counts):
    ways = [way for way, count in counts.items() for _ in range(count)]
    return [(f"c{number:03}", "applied", 0, 5, "active" if way == "moved" else way) for number, way in enumerate(ways)]


def test_advice_never_begins_with_the_companys_own_rule():
    found = estimate_dropoff(
        spells_of(visits(declined=60, price=20, moved=20), journey=journey_of(STAGES, [DECLINED, PRICE])),
        horizons=["9d"],
    )
    assert found.sentence() == (
        "The largest single exit is “price” in “applied”: 20% of 100 visits (95% interval 13% to 29%) are lost to it "
        "within 9 days of entering, about 20 visits (20 to 29), by about 20 different customers. Ranked apart, as the "
        "company itself decides it: “declined” in “applied”, 60% (50% to 69%; 100 visits)."
    )
    assert "declined" not in found.stability_in_words("9d", seed=1)
    assert set(found.vulnerability("9d")["branch"]) == {"price"}
    assert found.ledger.loc[0, "declined"] == 60, "the ledger still has it"
    assert "declined" not in found.unexplained_in_words("9d")


def test_where_the_company_decides_all_there_is_nothing_to_keep_apart():
    found = estimate_dropoff(
        spells_of(visits(declined=60, moved=20), journey=journey_of(STAGES, [DECLINED])), horizons=["9d"]
    )
    assert "The largest single exit is “declined” in “applied”" in found.sentence()


def test_a_place_without_an_estimate_stands_in_lanes_and_map_with_what_is_certain():
    rows = visits(price=50) + [(f"s{number}", "applied", 40, 100, None) for number in range(10)]
    spells = spells_of(rows, journey=journey_of(STAGES, [PRICE]), end=100)
    found = estimate_dropoff(spells, horizons=["90d"])
    assert found.table["estimate"].isna().all()
    lanes = found.by_stage()
    assert lanes.loc["applied", "lost"].startswith("at least 83% within 90 days (60 visits, fewer than 10 at risk")
    assert lanes.loc["applied", "main branch"] == "price (at least 83%)"
    cells = build_map(spells, [found]).table
    lost = cells[(cells["lane"] == "losses") & (cells["stage"] == "applied")]["text"].tolist()
    assert "at least 83% within 90 days (60 visits; no estimate yet)" in lost


def test_merged_ways_know_when_all_of_them_or_a_part_can_show():
    stages = [{**STAGES[0], "silent_after": "30d"}, STAGES[1]]
    spells = spells_of([("a", "applied", 0, 5, "price")], journey=journey_of(stages, [PRICE]))
    (exits, *_) = find_exits(spells.to_pandas(), spells.journey)
    assert exits.earliest == {"silent": Earliest("silent", 30.0)}
    assert exits.merged(exits.losses, "lost").earliest == {"lost": Earliest("silent", 30.0)}
    assert exits.merged(("silent",), "gone").earliest == {"gone": Earliest("gone", 30.0)}
    assert exits.merged(("price",), "declared").earliest == {"silent": Earliest("silent", 30.0)}
    assert exits.merged(exits.losses, "lost").too_early("lost", 9) == "“silent” cannot show before day 30"
    assert not exits.merged(exits.losses, "lost").cannot_show("lost", 9)
    with pytest.raises(TypeError, match="earliest"):
        type(exits)("a", None, (), *(exits.entry,) * 4)
