"""The truth behind the simulated log: the log's spells are exactly it, and it follows the planted hazards."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from journeylab.base.errors import JourneyLabError
from journeylab.events.log import Window
from journeylab.events.simulate import Simulation, Truth, habits, planted, simulate_log, simulation
from journeylab.events.spells import find_spells

pytestmark = pytest.mark.slow

START, END = pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2026-01-01", tz="UTC")
PERSONAS = dict(enumerate(planted.PERSONAS))


@pytest.fixture(scope="module")
def simulated() -> Simulation:
    return simulate_log(6_000, seed=5)


def found_in(made: Simulation) -> pd.DataFrame:
    found = find_spells(made.log, made.journey).to_pandas()[list(made.truth.observed().columns)]
    for column in ("stage", "outcome", "to", "returned_from"):
        text = found[column].astype(object)
        found[column] = text.where(text.notna(), None)
    return found


@pytest.mark.parametrize(("n_customers", "seed"), [(1_000, 7), (40, 0), (3, 1)])
def test_the_spells_found_in_the_log_are_the_true_ones_row_by_row(n_customers, seed):
    made = simulate_log(n_customers, seed=seed)
    pd.testing.assert_frame_equal(found_in(made), made.truth.observed(), check_dtype=False, rtol=1e-12)


def test_accounts_drawn_in_several_groups_are_one_log(monkeypatch):
    monkeypatch.setattr(simulation, "ACCOUNTS_PER_GROUP", 70)
    made = simulate_log(200, seed=4)
    assert made.truth.personas.index.is_unique
    assert len(made.truth.personas) == made.truth.spells["customer_id"].nunique() == 200
    pd.testing.assert_frame_equal(found_in(made), made.truth.observed(), check_dtype=False, rtol=1e-12)


def test_the_whole_truth_tiles_time_and_is_not_cut_at_the_window(simulated):
    spells = simulated.truth.spells
    follows = spells["customer_id"].eq(spells["customer_id"].shift())
    assert (spells["entered"] >= spells["left"].shift())[follows].all()
    stays_in_journey = follows & spells["outcome"].shift().isin(["advanced", "regressed", "completed"])
    assert (spells["entered"] == spells["left"].shift())[stays_in_journey].all()
    assert (spells["left"] > spells["entered"]).all()
    assert set(spells.loc[spells["outcome"] == "ongoing", "stage"]) == {"partner"}
    assert (spells.loc[spells["stage"] != "partner", "left"] > END).sum() > 500


def test_every_way_through_the_journey_occurs(simulated):
    seen = simulated.truth.observed()
    assert set(seen["outcome"]) == {"advanced", "regressed", "completed", "lost", "ongoing"}
    assert set(seen.loc[seen["outcome"] == "lost", "to"]) == set(simulated.journey.branches)
    assert set(seen["returned_from"].dropna()) == set(simulated.journey.branches)
    assert (seen["observed_from"] > seen["entered"]).sum() > 300
    assert not simulated.truth.spells["is_logged"].all()


def test_personas_come_in_the_planted_shares(simulated):
    shares = simulated.truth.personas.value_counts(normalize=True)
    for persona, share in zip(planted.PERSONAS, planted.SHARES, strict=True):
        assert shares[persona] == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 6_000))


def test_each_persona_is_lost_most_in_a_place_of_its_own(simulated):
    lost = lost_shares(simulated)
    worst = lost.groupby("persona")["share"].idxmax()
    places = {persona: (lost.at[row, "stage"], lost.at[row, "to"]) for persona, row in worst.items()}
    assert places == {
        "A": ("onboarding", "no_sponsor"),
        "B": ("evaluating", "price"),
        "C": ("adopting", "missing_feature"),
        "D": ("expanding", "competitor"),
        "E": ("onboarding", "silent"),
    }
    second = lost.drop(worst).groupby("persona")["share"].max()
    assert (lost.loc[worst].set_index("persona")["share"] > 1.8 * second).all()


def test_losing_the_sponsor_while_onboarding_is_clearly_the_worst_of_all(simulated):
    spells = simulated.truth.observed()
    lost = spells[(spells["outcome"] == "lost") & (spells["days"] <= 90)]
    most = lost.groupby(["stage", "to"]).size().sort_values(ascending=False)
    assert most.index[0] == ("onboarding", "no_sponsor")
    assert most.iloc[0] > 1.4 * most.iloc[1]


def lost_shares(made: Simulation) -> pd.DataFrame:
    spells = made.truth.spells[made.truth.spells["entered"] < END]
    spells = spells.assign(persona=spells["customer_id"].map(made.truth.personas))
    entered = spells.groupby(["persona", "stage"]).size()
    lost = spells[(spells["outcome"] == "lost") & (spells["days"] <= 180)].groupby(["persona", "stage", "to"]).size()
    return (lost / entered).rename("share").reset_index()


@pytest.mark.parametrize("stage", ["evaluating", "onboarding", "adopting"])
def test_accounts_leave_each_stage_as_the_planted_hazards_say(simulated, stage):
    """Cumulative incidence by numerical integration: of (survival x hazard), both from the table of planted hazards."""
    spells = simulated.truth.spells
    spells = spells[(spells["stage"] == stage) & (spells["entered"] < END)]
    spells = spells.assign(persona=spells["customer_id"].map(simulated.truth.personas))
    for persona, visits in spells.groupby("persona"):
        expected = integrated(simulated.truth.planted, persona=persona, stage=stage, horizon=60.0)
        for to, share in expected.items():
            found = ((visits["to"] == to) & (visits["days"] <= 60)).mean()
            # Half a point for times moved to working hours.
            assert found == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / len(visits)) + 0.005), to


def integrated(hazards: pd.DataFrame, *, persona: str, stage: str, horizon: float) -> pd.Series:
    exits = hazards[(hazards["persona"] == persona) & (hazards["stage"] == stage)].set_index("to")
    firmness, share = habits.OUT_OF_HOURS_FIRMNESS, habits.OUT_OF_HOURS[planted.PERSONAS.index(persona)]
    is_out = beta.sf(planted.OUT_OF_HOURS_FROM, firmness * share, firmness * (1 - share))
    edges = np.linspace(0, horizon, 6_001)
    shares = 0.0
    for weight, ratio in ((1 - is_out, 1.0), (is_out, exits["out_of_hours_ratio"].to_numpy())):
        after = np.maximum(edges[:, None] - exits["delay_days"].to_numpy(), 0)
        cumulative = ratio * (after / exits["scale_days"].to_numpy()) ** exits["shape"].to_numpy()
        still = np.exp(-cumulative.sum(axis=1))
        shares = shares + weight * (((still[1:] + still[:-1]) / 2)[:, None] * np.diff(cumulative, axis=0)).sum(axis=0)
    return pd.Series(shares, index=exits.index)


def test_accounts_that_work_out_of_hours_are_lost_faster(simulated):
    assert set(simulated.truth.planted["out_of_hours_ratio"]) == {1.0, planted.OUT_OF_HOURS_RATIO}
    lost = simulated.truth.planted["exit"].isin(planted.BRANCHES)
    assert (simulated.truth.planted["out_of_hours_ratio"].eq(planted.OUT_OF_HOURS_RATIO) == lost).all()


def test_personas_can_be_told_from_thirty_days_of_behaviour_but_not_perfectly_and_hardly_from_attributes():
    behaviour, attributes, personas = first_month(simulate_log(2_000, seed=7))
    half = np.arange(len(personas)) % 2 == 0
    agreement = {}
    for name, features in (("behaviour", behaviour.join(attributes)), ("attributes", attributes)):
        oracle = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(features[half], personas[half])
        agreement[name] = adjusted_rand_score(personas[~half], oracle.predict(features[~half]))
    assert 0.65 < agreement["behaviour"] < 0.90
    assert agreement["attributes"] < 0.35


def first_month(made: Simulation) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """Behaviour in the first 30 days of accounts watched, and not lost, that long; their attributes; their personas."""
    spells = made.truth.observed()
    first = spells[(spells["spell"] == 1) & (spells["stage"] == "evaluating") & (spells["entered"] >= START)]
    month = pd.Timedelta(days=30)
    entered = first.set_index("customer_id")["entered"]
    lost = spells[spells["outcome"] == "lost"].groupby("customer_id")["left"].min()
    is_kept = (entered + month < END) & ~(lost.reindex(entered.index) < entered + month)
    entered = entered[is_kept]
    events = made.log.events.filter(
        made.log.events.initiator == "customer", made.log.events.customer_id.isin(list(entered.index))
    )
    events = events.select("customer_id", "time", "event", "channel", "contact_id", "role").to_pandas()
    events = events.assign(since=events["time"] - events["customer_id"].map(entered))
    events = events[(events["since"] >= pd.Timedelta(0)) & (events["since"] < month)]
    customer, hour = events["customer_id"], events["time"].dt.hour
    is_out = (events["time"].dt.weekday >= 5) | (hour < 8) | (hour >= 18)
    table = {
        "events": np.log(customer.value_counts()),
        "out_of_hours": is_out.groupby(customer).mean(),
        "contacts": events.groupby("customer_id")["contact_id"].nunique(),
    }
    behaviour = pd.DataFrame(table)
    for column in ("event", "channel", "role"):
        shares = pd.crosstab(customer, events[column], normalize="index")
        behaviour = behaviour.join(np.sqrt(shares).add_prefix(f"{column} "))
    known = made.customers.loc[behaviour.index]
    attributes = pd.get_dummies(known[["plan", "segment", "industry", "country"]], dtype=float)
    attributes = attributes.assign(seats=np.log(known["seats"].astype(float)))
    return behaviour, attributes, made.truth.personas.loc[behaviour.index]


@pytest.fixture
def truth_of_four() -> Truth:
    entered = pd.to_datetime(["2024-02-01", "2024-02-01", "2024-02-01", "2023-12-31", "2026-01-01"], utc=True)
    days = np.array([10.0, 30.0, 31.0, 5.0, 1.0])
    spells = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c", "d", "e"],
            "spell": 1,
            "stage": "evaluating",
            "entered": entered,
            "left": entered + pd.to_timedelta(days, unit="D"),
            "days": days,
            "outcome": ["lost", "advanced", "advanced", "lost", "lost"],
            "to": ["price", "onboarding", "onboarding", "price", "price"],
            "returned_from": None,
            "is_logged": True,
        }
    )
    return Truth(pd.Series(dtype=object), spells, pd.DataFrame(), Window(START, END))


def test_incidence_is_the_plain_share_of_those_who_entered_before_the_windows_end(truth_of_four):
    found = truth_of_four.incidence("evaluating", ["10d", "30d"])
    assert found.to_dict("list") == {
        "stage": ["evaluating"] * 4,
        "to": ["onboarding", "price", "onboarding", "price"],
        "horizon_days": [10.0, 10.0, 30.0, 30.0],
        "share": [0.0, 0.5, 0.25, 0.5],
        "n": [4, 4, 4, 4],
    }


def test_an_unknown_stage_and_a_horizon_beyond_the_simulation_are_refused(truth_of_four):
    with pytest.raises(JourneyLabError) as unknown:
        truth_of_four.incidence("adoptin", ["30d"])
    assert str(unknown.value) == "No customer leaves a stage called “adoptin”. Did you mean “adopting”?"
    with pytest.raises(JourneyLabError) as far:
        truth_of_four.incidence("adopting", ["2000d"])
    assert str(far.value) == (
        "The horizon “2000d” is longer than simulated accounts are followed. Ask for at most 1096 days."
    )


def test_what_lies_beyond_the_window_is_not_observed(truth_of_four):
    spells = truth_of_four.spells.assign(is_logged=[True, True, False, True, True])
    late = spells.loc[0, "entered"] + pd.Timedelta(days=20)
    seen = Truth(pd.Series(dtype=object), spells, pd.DataFrame(), Window(START, late)).observed()
    assert seen[["customer_id", "outcome", "to", "days"]].to_dict("list") == {
        "customer_id": ["a", "b", "d"],
        "outcome": ["lost", "ongoing", "lost"],
        "to": ["price", None, "price"],
        "days": [10.0, 20.0, 5.0],
    }
    assert seen["observed_from"].tolist() == [spells.at[0, "entered"], spells.at[1, "entered"], START]
