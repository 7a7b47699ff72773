"""Recovery: who comes back after a loss is right under censoring, and comes out of simulated logs."""

import by_hand
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from lifelines import KaplanMeierFitter

from journeylab.base.errors import EstimateError, JourneyLabError
from journeylab.events.simulate import simulate_log
from journeylab.events.spells import COLUMNS, Spells, find_spells
from journeylab.findings.grouping import Grouping
from journeylab.findings.recovery import estimate_recovery

START = pd.Timestamp("2025-01-01", tz="UTC")


def lost_and_back(*away, way="price", name="c"):
    """Customers lost from trial on day 5, and back in it so many days later, or not (None)."""
    rows = []
    for i, back in enumerate(away):
        rows.append((f"{name}{i}", "trial", 0, 5, way))
        if back is not None:
            rows.append((f"{name}{i}", "trial", 5 + back, 900, None))
    return rows


def share(found, day, stage="trial", to="price", column="estimate"):
    table = found.table
    rows = (table["stage"] == stage) & (table["to"] == to) & (table["horizon_days"] == day)
    return table.loc[rows, column].item()


def test_shares_are_those_worked_by_hand(spells_of):
    """Watched until day 25, which is 20 days after the losses: of 4 one is back after 2 days, one after 10."""
    found = estimate_recovery(
        spells_of(lost_and_back(2, 10, None, None), end=25), horizons=["2d", "10d", "15d"], min_at_risk=1
    )
    assert [share(found, day) for day in (2, 10, 15)] == [1 / 4, 1 / 2, 1 / 2]
    assert [share(found, 10, column=each) for each in ("n", "customers", "events", "at_risk")] == [4, 4, 2, 3]
    assert share(found, 15, to="lost") == 1 / 2
    assert found.overall.set_index("horizon_days")["estimate"].to_dict() == {2: 1 / 4, 10: 1 / 2, 15: 1 / 2}


def test_who_was_lost_lately_is_censored_and_not_given_up(spells_of):
    random = np.random.default_rng(2)
    lost, wait = random.integers(1, 80, 200), random.integers(1, 60, 200)
    rows = []
    for i in range(200):
        rows.append((f"c{i}", "paid", 0, int(lost[i]), "price"))
        if lost[i] + wait[i] < 90:
            rows.append((f"c{i}", "trial", int(lost[i] + wait[i]), 90, None))
    found = estimate_recovery(spells_of(rows, end=90), horizons=["20d", "40d"])
    seen = np.minimum(wait, 90 - lost)
    fitter = KaplanMeierFitter().fit(seen.astype(float), lost + wait < 90)
    for day in (20, 40):
        there = 1 - float(fitter.survival_function_at_times(day).iloc[0])
        assert share(found, day, stage="paid") == pytest.approx(there, abs=1e-12)


def test_half_of_those_who_come_back_are_back_by_the_median_of_their_waits(spells_of):
    found = estimate_recovery(spells_of(lost_and_back(2, 4, 6, 8, 9, *[None] * 15)), horizons=["10d", "30d"])
    waits = found.waits.set_index(["stage", "to"])
    assert waits.loc[("trial", "price"), ["horizon_days", "estimate", "n", "events"]].tolist() == [30, 6, 20, 5]
    assert 2 <= waits.loc[("trial", "price"), "lower"] <= 6 <= waits.loc[("trial", "price"), "upper"] <= 9
    few = estimate_recovery(spells_of(lost_and_back(2, 4, *[None] * 15)), horizons=["10d"]).waits
    assert few.set_index(["stage", "to"]).loc[("trial", "price"), "note"] == "fewer than 5 came back"
    assert few["estimate"].isna().all()


def test_too_few_losses_are_missing_and_say_so(spells_of):
    found = estimate_recovery(spells_of(lost_and_back(2, None, None)), horizons=["10d"])
    assert np.isnan(share(found, 10))
    assert share(found, 10, column="note") == "only 3 lost visits of 3 customers"
    assert share(found, 10, to="other", column="note") == "nobody was lost this way"
    assert found.sentence() == "How many come back cannot be estimated yet: only 3 lost visits of 3 customers."
    assert found.plot().alt == found.sentence()


def test_the_sentence_names_share_wait_and_the_best_place(spells_of):
    rows = lost_and_back(2, 4, 6, 8, 9, *[None] * 15) + lost_and_back(3, *[None] * 19, way="other", name="d")
    found = estimate_recovery(spells_of(rows), horizons=["30d"])
    assert found.sentence() == (
        "Of customers who are lost, 15% (95% interval 6.9% to 30%) are back within 30 days (40 lost visits), half of "
        "those by day 4.0 (2.0 to 9.0). The largest share comes back from “price” in “trial”: 25% (11% to "
        "48%; 20 lost visits). Most visits come back from there, too: about 5 of 20."
    )
    assert found.by_stage().loc["trial"].tolist() == ["15% (6.9% to 30%; 40 lost visits) within 30 days"]
    assert found.ranking("30d")["to"].head(2).tolist() == ["price", "other"]
    assert found.plot().alt.startswith("Share back within 30 days of being lost, highest first. trial, price: 25% (11%")


def test_a_label_that_became_known_while_away_counts_from_then_on(spells_of):
    rows = lost_and_back(2, *[20] * 6, *[None] * 6)
    known = Grouping(
        "persona",
        pd.Series("x", index=[f"c{i}" for i in range(13)]),
        pd.Series(START + pd.Timedelta(days=10), index=[f"c{i}" for i in range(13)]),
    )
    found = estimate_recovery(spells_of(rows), horizons=["30d"], by=known, min_at_risk=5)
    price = found.table[(found.table["to"] == "price") & (found.table["stage"] == "trial")].iloc[0]
    assert price[["group", "n", "estimate", "note"]].tolist() == ["x", 12, 0.5, "given not yet back on day 5.0"]
    assert "among customers with persona “x”" in found.sentence()


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"horizons": []}, "No horizon is given. Name one or more, such as horizons=[“30d”, “90d”]."),
        ({"confidence": 95}, "The confidence is 95. Give a share above 0 and below 1, such as 0.95."),
        ({"min_at_risk": 0}, "`min_at_risk` is 0, less than 1. An estimate needs someone at risk."),
        (
            {"by": pd.Series({"z": "x"}, name="persona")},
            "None of the customers with a label of “persona” (1) has a spell. Index the labels by customer_id.",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(spells_of, asked, text):
    with pytest.raises(JourneyLabError) as error:
        estimate_recovery(spells_of(lost_and_back(2)), **{"horizons": ["9d"], **asked})
    assert str(error.value) == text


def test_a_horizon_that_was_not_estimated_is_refused(spells_of):
    with pytest.raises(EstimateError) as error:
        estimate_recovery(spells_of(lost_and_back(2)), horizons=["9d"]).ranking("30d")
    assert str(error.value) == (
        "Recovery was estimated for the horizons 9d, not for “30d”. Ask for one of these, or estimate it again with "
        "this horizon among them."
    )


def test_where_nobody_was_lost_it_says_so(spells_of):
    found = estimate_recovery(spells_of([("a", "trial", 0, 9, "advanced")]), horizons=["9d"])
    assert found.sentence() == found.lacking == "Nobody was lost, so nobody could come back."
    late = Grouping("persona", pd.Series({"c0": "x"}), pd.Series({"c0": START + pd.Timedelta(days=99)}))
    found = estimate_recovery(spells_of(lost_and_back(2)), horizons=["9d"], by=late)
    assert found.lacking == (
        "Nobody was away when their persona was known or after, so there is nothing to compare by it. "
        "Look at when it became known."
    )


def test_what_is_handed_on_tells_of_no_fewer_than_five(spells_of):
    rows = lost_and_back(2, 4, 6, *[None] * 15) + lost_and_back(*range(2, 9), *[None] * 15, way="other", name="d")
    found = estimate_recovery(spells_of(rows), horizons=["30d"])
    shown = found.for_export()
    assert (share(found, 30, column="events"), share(shown, 30, column="estimate")) == (3, pytest.approx(1 / 6))
    assert np.isnan([share(shown, 30, column=each) for each in ("events", "crude")]).all()
    assert share(shown, 30, to="other", column="events") == 7


@pytest.mark.slow
def test_simulated_customers_come_back_as_often_as_they_truly_do():
    """Of eight logs of 600 accounts about 95% of the intervals hold what 20,000 of their kind do, all followed."""
    truth = shares_back(simulate_log(20_000, seed=99))
    held, errors = [], []
    for seed in range(8):
        simulation = simulate_log(600, seed=seed)
        seen = simulation.truth.observed().reindex(columns=list(COLUMNS)).assign(events=1)
        table = pa.Table.from_pandas(seen, preserve_index=False)
        spells = Spells(table, simulation.journey, simulation.truth.window, pd.DataFrame())
        found = estimate_recovery(spells, horizons=["60d", "180d"]).table.set_index(["stage", "to", "horizon_days"])
        here = truth.reindex(found.index)
        known = found["estimate"].notna() & (here > 0)
        held.append(((found["lower"] <= here) & (here <= found["upper"]))[known])
        errors.append((found["crude"] - here)[known & (found.index.get_level_values(2) == 180)])
    assert 0.92 < np.concatenate(held).mean() < 0.98
    assert np.concatenate(errors).mean() < -0.01, "the share back so far is too low"


def shares_back(simulation):
    """By stage, branch (“lost”: any) and day: the share of all losses after which the account came back by then."""
    spells = simulation.truth.spells.sort_values(["customer_id", "spell"])
    following = spells.groupby("customer_id", sort=False)["entered"].shift(-1)
    away = spells.assign(days=(following - spells["left"]) / pd.Timedelta(days=1))
    away = away[(away["outcome"] == "lost") & (away["left"] < simulation.truth.window.end)]
    both = pd.concat([away, away.assign(to="lost")])
    found = {
        day: both.assign(back=both["days"] <= day).groupby(["stage", "to"])["back"].mean() for day in (60.0, 180.0)
    }
    return pd.concat(found, names=["horizon_days"]).reorder_levels(["stage", "to", "horizon_days"])


def test_who_goes_on_after_a_loss_was_not_away_and_nobody_is_to_be_won_back():
    journey = by_hand.journey_of(
        [{"name": "free", "opened_by": [{"event": "start"}]}, {"name": "pro", "opened_by": [{"event": "buy"}]}],
        [{"name": "ended", "from": ["pro"], "when": {"event": "end"}}, {"name": "left", "when": {"event": "leave"}}],
    )
    rows = []
    for i in range(20):  # a subscription ends, but the customer works on and buys again on day 40
        events = [("start", 0), ("buy", 5), ("end", 20), ("work", 21), ("work", 30), ("buy", 40)]
        rows += [{"customer_id": f"a{i:02}", "event": event, "day": day} for event, day in events]
    for i in range(20):  # away for 30 days; every second one comes back
        events = [("start", 0), ("leave", 10)] + ([("start", 40)] if i % 2 else [])
        rows += [{"customer_id": f"b{i:02}", "event": event, "day": day} for event, day in events]
    log = by_hand.log_of(rows)
    spells = find_spells(log, journey)
    found = estimate_recovery(spells, horizons=["60d"], log=log)
    told = "After 20 of 20 losses to “ended” in “pro” the customer did something within 7 days: they were not away"
    assert told in found.sentence()
    advice = found.win_back_in_words()
    assert advice.startswith("The largest share comes back from “left” in “free”: 50%")
    assert told in advice
    assert found.activity.set_index("to")["events"].to_dict() == {"ended": 20, "left": 0}
    without = estimate_recovery(spells, horizons=["60d"])
    assert without.activity.set_index("to")["events"].to_dict() == {"ended": 0, "left": 0}, "spells alone do not know"


def test_where_nobody_comes_back_there_is_no_advice_to_win_back(spells_of):
    gone = [(f"c{i}", "trial", 0, 5, "price") for i in range(30)]
    words = estimate_recovery(spells_of(gone), horizons=["9d"]).win_back_in_words()
    assert words == (
        "Nobody is known to come back within 9 days of being lost after being away, so there is no place to win back "
        "first."
    )
