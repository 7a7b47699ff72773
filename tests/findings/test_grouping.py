"""Whose visits are asked about: `where=` limits them, a list for `by=` combines groups, and a frame is refused."""

from dataclasses import replace

import pandas as pd
import pytest
from lifelines import KaplanMeierFitter

import journeylab as jl
from journeylab.base.errors import EstimateError, JourneyLabError


@pytest.fixture(scope="module")
def spells():
    simulation = jl.simulate_log(300, seed=3)
    return jl.find_spells(simulation.log, simulation.journey)


def estimate(spells, **decisions) -> pd.DataFrame:
    return jl.estimate_dropoff(spells, horizons=["30d"], **decisions).ledger


def test_a_query_and_the_series_of_its_answers_choose_the_same_customers(spells):
    by_query = estimate(spells, where="seats > 10 and segment == 'small business'")
    people = spells.customers
    is_chosen = (people["seats"] > 10) & (people["segment"] == "small business")
    pd.testing.assert_frame_equal(by_query, estimate(spells, where=is_chosen.fillna(False)))
    own = spells.to_pandas()
    own = own[own["customer_id"].isin(people.index[is_chosen.fillna(False)])]
    entered = by_query.set_index("stage")["entered"]
    assert entered.to_dict() == own["stage"].value_counts().reindex(entered.index).to_dict()


def test_a_list_of_columns_groups_by_their_combinations(spells):
    table = estimate(spells, by=["segment", "plan"])
    people = spells.customers.dropna(subset=["segment", "plan"])
    assert set(table["group"]) <= set(people["segment"] + " · " + people["plan"])
    apart = estimate(spells, by="segment", where="plan == 'starter'").set_index(["group", "stage"])["entered"]
    for segment in apart.index.get_level_values("group").unique():
        both = table[table["group"] == f"{segment} · starter"].set_index("stage")["entered"]
        assert both.to_dict() == apart[segment].to_dict()


def test_a_label_of_a_list_is_known_once_all_its_parts_are(spells):
    customers = spells.customers.index
    early = pd.Series(pd.Timestamp("2024-02-01", tz="UTC"), index=customers)
    one = jl.Grouping("one", pd.Series("a", index=customers), early)
    two = jl.Grouping("two", pd.Series("b", index=customers), early + pd.Timedelta(days=9))
    both = jl.Grouping.of([one, two, "segment"], spells)
    assert both.name == "one and two and segment"
    assert set(both.known_at) == {pd.Timestamp("2024-02-10", tz="UTC")}


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("segmnt == 'x'", "`where` is “segmnt == 'x'”, which cannot be asked of the customers (name 'segmnt' is not"),
        ("seats >", "`where` is “seats >”, which cannot be asked of the customers"),
        ("segment", "`where` gives object values, not yes or no for each customer. Compare with something,"),
        ("segment == 'nobody'", "`where` leaves none of the 301 customers. Ask for something that occurs."),
    ],
)
def test_a_condition_that_cannot_be_asked_says_so(spells, where, message):
    with pytest.raises(EstimateError) as error:
        estimate(spells, where=where)
    assert str(error.value).startswith(message)


def test_a_condition_on_what_became_known_later_is_refused(spells):
    dated = replace(spells, customers=spells.customers.assign(plan_known_at=pd.Timestamp("2024-06-01", tz="UTC")))
    with pytest.raises(EstimateError, match="“plan” became known after the start"):
        estimate(dated, where="plan == 'starter'")
    late = replace(spells, customers=spells.customers.assign(churned=False))
    with pytest.raises(EstimateError, match="named for something that only the future tells"):
        estimate(late, where="churned == False")


def test_a_frame_of_spells_is_refused(spells):
    with pytest.raises(JourneyLabError) as error:
        jl.estimate_survival(spells.to_pandas().query("stage == 'onboarding'"))
    assert str(error.value) == (
        "“spells” of estimate_survival must be Spells, found a DataFrame. Pass what find_spells(…) gives."
    )


def test_durations_go_into_lifelines_and_give_the_same_curve(spells):
    frame = spells.durations("onboarding")
    assert (frame["exit"] >= frame["entry"]).all()
    assert frame["is_over"].eq(frame["outcome"].ne("ongoing")).all()
    assert frame["to"].isna().eq(~frame["is_over"]).all()
    curve = KaplanMeierFitter().fit(frame["exit"], frame["is_over"], entry=frame["entry"])
    survival = jl.estimate_survival(spells)
    ours = survival.table.query("stage == 'onboarding' and state == 'inside' and days > 0")
    theirs = curve.survival_function_at_times(ours["days"]).to_numpy()
    assert ours["estimate"].to_numpy() == pytest.approx(theirs, abs=1e-12)
    medians = survival.medians().set_index(["stage", "quantile"])["estimate"]
    assert curve.median_survival_time_ == pytest.approx(medians["onboarding", 0.5], rel=1e-12)


def test_durations_hold_back_an_attribute_until_it_was_known(spells):
    moment = pd.Timestamp("2025-01-01", tz="UTC")
    frame = replace(spells, customers=spells.customers.assign(plan_known_at=moment)).durations("evaluating")
    assert frame.loc[frame["entered"] < moment, "plan"].isna().all()
    assert frame.loc[frame["entered"] >= moment, "plan"].notna().any()
    assert "plan_known_at" not in frame
