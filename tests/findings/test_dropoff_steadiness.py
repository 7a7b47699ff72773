"""The largest exit at other horizons and with other silence windows: said in the same breath as the headline."""

import dataclasses

import pandas as pd
import pytest
from by_hand import journey_of, log_of

from journeylab.base.errors import EstimateError
from journeylab.events.log import Window
from journeylab.events.spells import find_spells
from journeylab.findings.dropoff import estimate_dropoff

STAGES = [
    {"name": "trial", "opened_by": [{"event": "start"}], "silent_after": "10d"},
    {"name": "paid", "opened_by": [{"event": "buy"}]},
]
JOURNEY = journey_of(STAGES, [{"name": "price", "when": {"event": "cancel"}}])
# 12 cancel on day 8; 18 do nothing from day 6 to day 20 and buy on day 22.
DAYS = {
    **{f"cancels {i:02}": [("start", 0), ("cancel", 8)] for i in range(12)},
    **{f"waits {i:02}": [("start", 0), ("look", 6), ("look", 20), ("buy", 22)] for i in range(18)},
}
LOG = log_of({"customer_id": who, "event": event, "day": day} for who, events in DAYS.items() for event, day in events)


def dropoff(horizons=("30d",), **decisions):
    return estimate_dropoff(find_spells(LOG, JOURNEY), horizons=list(horizons), **decisions)


def test_the_sentence_says_where_the_largest_exit_depends_on_the_silence_windows():
    assert dropoff(log=LOG).sentence() == (
        "The largest single exit is “silent” in “trial”: 38% of 48 visits (95% interval 31% to 45%) are lost to it "
        "within 30 days of entering, about 18 visits (18 to 21), by about 18 different customers. Which exit is "
        "largest depends on the silence windows: with windows twice as long it is “price” in “trial” (40% of 30 "
        "visits). The losses from “trial” depend most on the silence windows: within 30 days 73% (69% to 76%) with "
        "windows half as long, 62% (55% to 69%) with the windows as declared and 40% (24% to 58%) with windows twice "
        "as long."
    )


def test_each_silence_window_is_estimated_as_from_its_own_spells():
    places = dropoff(log=LOG).steadiness.places.set_index(["factor", "branch"])
    trial = places[places["stage"] == "trial"]
    assert trial.loc[(2.0, "price"), ["lost", "n"]].tolist() == [12, 30], "nobody is silent for 20 days"
    assert trial.loc[(0.5, "silent"), "lost"] == pytest.approx(48), "the 12 too, and the 18 twice"
    assert trial.loc[(1.0, "silent"), ["lost", "n"]].tolist() == [18, 48]


def test_what_comes_first_says_whether_it_does_with_other_windows_and_at_other_horizons():
    found = dropoff(["9d", "30d"], log=LOG)
    assert found.stability_in_words("30d", seed=1).endswith(
        "Another exit comes first within 9 days and with silence windows twice as long."
    )
    assert "It comes first" not in found.stability_in_words("30d", seed=1)


def test_without_a_log_or_without_silence_nothing_is_said_of_windows():
    assert "silence window" not in dropoff().sentence()
    without = journey_of(
        [{**STAGES[0], "silent_after": None}, STAGES[1]], [{"name": "price", "when": {"event": "cancel"}}]
    )
    assert "silence window" not in estimate_dropoff(find_spells(LOG, without), horizons=["30d"], log=LOG).sentence()


def test_where_nobody_can_be_silent_so_soon_the_windows_are_not_said_to_make_no_difference():
    assert "silence window" not in dropoff(["4d"], log=LOG).sentence()
    words = dropoff(["12d"], log=LOG).sentence()
    assert "With windows twice as long nobody can be lost to silence there within 12 days." in words


def test_groups_and_chosen_customers_are_kept_with_other_windows():
    kind = pd.Series({who: who.split()[0] for who in DAYS}, name="kind")
    places = dropoff(log=LOG, by=kind).steadiness.places
    assert set(places["group"]) == {"cancels", "waits"}
    assert places[(places["factor"] == 2) & (places["group"] == "waits")]["n"].max() == 18
    chosen = dropoff(log=LOG, where=kind == "waits").steadiness.places
    assert chosen[(chosen["factor"] == 2) & (chosen["stage"] == "trial")]["n"].tolist() == [18, 18]


def test_a_log_of_another_window_is_refused():

    other = dataclasses.replace(LOG, window=Window(LOG.window.start, LOG.window.end - pd.Timedelta(days=1)))
    with pytest.raises(EstimateError, match=r"The log was observed from .* Give the log of these spells."):
        dropoff(log=other)
