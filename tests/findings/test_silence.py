"""Silence sensitivity: losses and returns are those worked by hand, and those planted in a simulated log."""

import dataclasses

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from by_hand import LOST_TO_PRICE, journey_of

from journeylab.base.charts import Chart
from journeylab.base.errors import EstimateError, JourneyLabError
from journeylab.estimators.intervals import wilson
from journeylab.events.log import EventLog, Window
from journeylab.events.simulate import simulate_log
from journeylab.events.spells import find_spells
from journeylab.findings.dropoff import estimate_dropoff
from journeylab.findings.finding import Finding
from journeylab.findings.silence import compare_silence

START = pd.Timestamp("2025-01-01", tz="UTC")
STAGES = [
    {"name": "trial", "opened_by": [{"event": "start"}], "silent_after": "10d"},
    {"name": "paid", "opened_by": [{"event": "buy"}]},
]
JOURNEY = journey_of(STAGES, [LOST_TO_PRICE])


def log_of(days_of: dict[str, list[tuple[str, float]]]) -> EventLog:
    """Events (name, day) by customer, in the window from day 0 to day 200."""
    rows = [(who, name, START + pd.Timedelta(days=day)) for who, events in days_of.items() for name, day in events]
    table = pa.table(
        {
            "customer_id": pa.array([row[0] for row in rows], pa.string()),
            "event": pa.array([row[1] for row in rows], pa.string()),
            "time": pa.array([row[2] for row in rows], pa.timestamp("us", "UTC")),
            "seq": pa.array(range(len(rows)), pa.int64()),
        }
    )
    window = Window(START, START + pd.Timedelta(days=200))
    return EventLog.from_events(ibis.memtable(table), window=window)


# 20 do nothing after the start; 10 come back on day 15 and cancel on day 16; 10 act on day 5 and cancel on day 16.
FORTY = log_of(
    {
        **{f"never {i}": [("start", 0)] for i in range(20)},
        **{f"back {i}": [("start", 0), ("look", 15), ("cancel", 16)] for i in range(10)},
        **{f"slow {i}": [("start", 0), ("look", 5), ("cancel", 16)] for i in range(10)},
    }
)


@pytest.fixture(scope="module")
def forty():
    return compare_silence(FORTY, JOURNEY, horizon="30d")


def test_shorter_windows_lose_more_visits_to_silence(forty):
    """At 5 and 10 days, those who come back make a second visit; at 20 days nobody who acts is ever silent."""
    rows = forty.table[forty.table["stage"] == "trial"].set_index(["factor", "to"])
    assert rows["estimate"].to_dict() == pytest.approx(
        {
            (0.5, "silent"): 0.8,
            (0.5, "lost"): 1,
            (1.0, "silent"): 0.8,
            (1.0, "lost"): 1,
            (2.0, "silent"): 0.5,
            (2.0, "lost"): 1,
        }
    )
    assert rows["n"].tolist() == [50, 50, 50, 50, 40, 40]
    assert rows["customers"].tolist() == [40] * 6
    assert rows["silent_after_days"].tolist() == [5, 5, 10, 10, 20, 20]
    assert rows["note"].isna().all()


def test_returns_are_those_of_the_silences_that_lasted_so_long(forty):
    """Longer than 10 days: all 40 (15 days for those who come back, 11 before the cancellation of the slow); longer
    than 15: the 20 who never do. A silence of exactly 15 days is not longer than that."""
    rows = forty.returns.set_index("silent_days")
    assert rows["estimate"].iloc[[0, 4, -1]].tolist() == [0.25, 0.25, 0]
    assert rows.loc[[5, 10, 15, 20], "n"].tolist() == [40, 40, 20, 20]
    assert rows.loc[20, ["lower", "upper"]].tolist() == [0, wilson(0, 20)[1]]
    assert rows.loc[10, ["factor", "horizon_days", "customers", "at_risk"]].tolist() == [1, 30, 40, 20]
    assert len(rows) == 13


def test_the_shortest_silence_after_which_few_come_back(forty):
    found = forty.shortest_silence(returning=0.1)
    assert found["stage"].tolist() == ["trial"]
    assert found[["silent_days", "estimate", "n"]].iloc[0].tolist() == [15, 0, 20]
    assert forty.shortest_silence(returning=0.5)["silent_days"].tolist() == [5]


def test_where_too_many_come_back_no_silence_is_long_enough():
    log = log_of({f"c{i}": [("start", 0), ("look", 25)] for i in range(20)})
    found = compare_silence(log, JOURNEY, horizon="30d").shortest_silence(returning=0.1)
    assert found[["silent_days", "estimate", "n"]].isna().all(axis=None)


def test_a_silence_longer_than_the_horizon_has_no_share_by_then():
    found = compare_silence(FORTY, JOURNEY, horizon="8d", factors=[0.5, 1]).table
    found = found[found["stage"] == "trial"].set_index(["factor", "to"])
    assert found["note"].to_dict() == {
        (0.5, "silent"): None,
        (0.5, "lost"): None,
        (1.0, "lost"): "“silent” cannot show before day 10",
        (1.0, "silent"): "cannot show before day 10",
    }
    assert np.isnan(found.loc[(1.0, "silent"), "estimate"])


def test_estimates_on_few_are_missing_and_say_why():
    log = log_of({f"c{i}": [("start", 0), ("cancel", 30 + i)] for i in range(8)} | {"d": [("start", 0), ("buy", 3)]})
    found = compare_silence(log, JOURNEY, horizon="30d")
    assert found.table["estimate"].isna().all()
    assert set(found.table.loc[found.table["stage"] == "trial", "note"]) == {"only 9 visits of 9 customers"}
    assert found.returns["estimate"].isna().all()
    assert set(found.returns["note"]) == {"only 8 silences of 8 customers"}
    assert found.sentence() == "Losses within 30 days cannot be estimated for each silence window yet."
    assert found.plot().alt == found.plot_returns().alt == found.sentence()
    assert found.by_stage().isna().all(axis=None)


def test_if_nobody_was_silent_so_long_the_note_says_so():
    log = log_of({f"c{i}": [("start", 0), ("buy", 3)] for i in range(20)})
    assert set(compare_silence(log, JOURNEY, horizon="30d").returns["note"]) == {"nobody was silent for so long"}


@pytest.mark.slow
def test_at_the_declared_windows_the_losses_are_those_of_drop_off():
    simulation = simulate_log(600, seed=5)
    found = compare_silence(simulation.log, simulation.journey, horizon="90d")
    dropoff = estimate_dropoff(find_spells(simulation.log, simulation.journey), horizons=["90d"])
    once = found.table[found.table["factor"] == 1]
    for to, there in (("lost", dropoff.losses), ("silent", dropoff.table)):
        here = once[once["to"] == to].set_index("stage")
        there = there[there["to"] == to].set_index("stage").loc[here.index]
        for column in ("estimate", "lower", "upper", "n", "at_risk", "note"):
            pd.testing.assert_series_equal(here[column], there[column])


@pytest.mark.slow
def test_returns_of_complete_histories_lie_in_the_intervals():
    """In the truth all losses to silence are followed to their end."""
    simulation = simulate_log(3000, seed=8)
    found = compare_silence(simulation.log, simulation.journey, horizon="90d", factors=[1]).returns.set_index("stage")
    truth = simulation.truth.spells
    following = truth.groupby("customer_id")["entered"].shift(-1)
    silent = truth[(truth["to"] == "silent") & (truth["left"] < simulation.truth.window.end)]
    silent = silent.assign(back=(following[silent.index] - silent["left"]) <= pd.Timedelta(days=90))
    share = silent.groupby("stage")["back"].mean()
    assert list(found.index) == ["evaluating", "onboarding", "adopting", "expanding"]
    assert ((found["lower"] <= share[found.index]) & (share[found.index] <= found["upper"])).all()


def test_any_factors_can_be_asked_for():
    found = compare_silence(FORTY, JOURNEY, horizon="30d", factors=[3, 1, 3])
    assert found.factors == (1, 3)
    assert found.returns["silent_days"].iloc[[0, -1]].tolist() == [10, 30]
    assert "once 100.0%" in found.sentence()
    assert "3 times 100.0%" in found.sentence()


def test_the_sentence_and_the_lanes_carry_number_interval_and_base():
    """20 act on day 8, and all buy on day 16: at 5 days all visits end silent, at 10 those of the 20 who do not act."""
    rows = {f"c{i}": [("start", 0), *([("look", 8)] if i < 20 else []), ("buy", 16)] for i in range(40)}
    found = compare_silence(log_of(rows), JOURNEY, horizon="40d")
    assert found.sentence() == (
        "With every silence window half, once and twice as long, the share lost within 40 days changes most in "
        "“trial”: half 100.0% (91.2% to 100.0%); once 50.0% (35.0% to 65.0%); twice 0.0% (0.0% to 8.8%) (95% "
        "intervals; 60, 40 and 40 visits). In “trial”, 100.0% (83.9% to 100.0%) of 20 silences of more than 10 days "
        "end with a return within 40 days more."
    )
    lanes = found.by_stage()
    assert lanes.loc["trial", "back after silence"] == (
        "100.0% (83.9% to 100.0%) of 20 silences of more than 10 days end with a return within 40 days more"
    )
    assert lanes.loc["paid", "back after silence"] is None


def test_the_finding_keeps_the_contract(forty):
    assert isinstance(forty, Finding)
    assert {"stage", "estimate", "lower", "upper", "n", "at_risk"} <= set(forty.table)
    assert list(forty.table.index) == list(range(len(forty.table)))
    assert not forty.table.duplicated(["stage", "factor", "to"]).any()
    assert list(forty.by_stage().index) == ["trial", "paid"]
    assert forty.by_stage().index.name == "stage"
    assert "95% intervals" in forty.sentence()
    for plot in (forty.plot, forty.plot_returns):
        chart = plot()
        assert isinstance(chart, Chart)
        assert any(character.isdigit() for character in chart.alt)
        assert chart.png() == plot().png()
        assert plot(chart.axes).axes is chart.axes
    assert forty.title in forty._repr_html_()
    with pytest.raises(dataclasses.FrozenInstanceError):
        forty.title = "another"


def test_without_a_silence_window_the_finding_is_empty_and_says_so():
    plain = journey_of([stage | {"silent_after": None} for stage in STAGES], [LOST_TO_PRICE])
    found = compare_silence(FORTY, plain, horizon="30d")
    assert found.lacking == found.sentence() == found.plot().alt == found.plot_returns().alt
    assert found.sentence() == (
        "No stage has a silence window, so nothing depends on one. Give a stage “silent_after”, such as 30d: who does "
        "nothing for longer is then lost to the branch “silent”."
    )
    assert found.table.empty
    assert {"stage", "estimate", "lower", "upper", "n", "at_risk"} <= set(found.table)
    assert found.shortest_silence(returning=0.1).empty


@pytest.mark.parametrize(
    ("decisions", "text"),
    [
        ({"factors": []}, "The factors are empty. Give numbers above 0, such as factors=(0.5, 1, 2)."),
        ({"factors": [1, -2]}, "The factors hold -2. Give numbers above 0, such as factors=(0.5, 1, 2)."),
        ({"confidence": 95}, "The confidence is 95. Give a share above 0 and below 1, such as 0.95."),
        (
            {"horizon": 30},
            "“30” is not a duration. Write a positive number and its unit, one of s, m, h, d, w: “30d”, “12h”.",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(decisions, text):
    with pytest.raises(JourneyLabError) as error:
        compare_silence(FORTY, JOURNEY, **{"horizon": "30d", **decisions})
    assert str(error.value) == text


def test_what_is_no_share_is_refused(forty):
    with pytest.raises(EstimateError) as error:
        forty.shortest_silence(returning=10)
    assert str(error.value) == "`returning` is 10. Give a share above 0 and below 1, such as 0.1."


def test_a_window_longer_than_the_horizon_is_not_compared_as_if_silence_could_show():
    found = compare_silence(FORTY, JOURNEY, horizon="16d")
    rows = found.table[(found.table["stage"] == "trial") & (found.table["factor"] == 2)].set_index("to")
    assert np.isnan(rows.loc["silent", "estimate"])
    assert "“silent” cannot show before day 20" in rows.loc["lost", "note"]
    words = found.sentence()
    assert "changes most in “trial”: half 100.0%" in words, "paid has no silence window: it is not the one"
    never = "With the windows twice as long nobody can be lost to silence within 16 days in “trial” (20 days)"
    assert f"{never}: that share is of other losses." in words
    assert "twice" not in found.plot().alt.replace("windows twice as long", "")
    assert "twice" not in found.by_stage().loc["trial", "lost by silence window"]
