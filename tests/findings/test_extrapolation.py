"""Extrapolation: the models are R's, the errors are clustered, and what is not observed is drawn and said to be so."""

import numpy as np
import pandas as pd
import pytest
from lifelines import LogNormalFitter, WeibullFitter
from matplotlib.colors import to_hex
from scipy.optimize import approx_fprime

from journeylab.base.errors import EstimateError
from journeylab.events.spells.exits import Exits
from journeylab.findings.survival import estimate_survival
from journeylab.findings.survival.tail import FAMILIES, fit_tail


def exits_of(leaving, left, *, entry=None, customers=None) -> Exits:
    leaving = np.asarray(leaving, dtype=float)
    entry = np.full(len(leaving), -1.0) if entry is None else np.asarray(entry, dtype=float)
    customers = np.arange(len(leaving)) if customers is None else np.asarray(customers)
    return Exits("paid", None, ("other",), entry, leaving, np.where(left, 1, -1), customers)


@pytest.fixture(scope="module")
def lung(shared):
    rows = pd.read_csv(shared / "ref" / "lung" / "data.csv")
    return rows[rows["ph.ecog"].notna()]


def sample(seed, n=400, *, late=False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    leaving, end = 30 * random.weibull(1.4, n), random.uniform(5, 60, n)
    entry = random.uniform(0, 20, n) if late else np.full(n, -1.0)
    time = np.minimum(leaving, end)
    kept = time > entry
    return time[kept], (leaving <= end)[kept], entry[kept]


def visits(n=60, *, stage="paid"):
    """Half leave, one a day; the others are censored on the 40th day."""
    return [(f"c{i}", stage, 0, 1 + i // 2 if i % 2 else 40, "other" if i % 2 else None) for i in range(n)]


@pytest.mark.parametrize("model", FAMILIES)
def test_the_log_likelihoods_are_those_of_rs_survreg_without_covariates(lung, shared, model):
    expected = pd.read_csv(shared / "ref" / "lung" / "aft_survreg.csv").groupby("dist")["loglik0"].first()
    tail = fit_tail(exits_of(lung["time"], lung["e"] == 1), model)
    assert tail.log_likelihood == pytest.approx(expected[model], abs=1e-6)
    assert tail.aic == pytest.approx(2 * (1 if model == "exponential" else 2) - 2 * expected[model], abs=1e-5)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(("model", "fitter"), [("weibull", WeibullFitter), ("lognormal", LogNormalFitter)])
def test_shares_are_lifelines(model, fitter, late):
    time, left, entry = sample(1, late=late)
    tail = fit_tail(exits_of(time, left, entry=entry), model)
    other = fitter().fit(time, left, entry=np.maximum(entry, 0))
    there = other.survival_function_at_times([30, 90, 200]).to_numpy()
    given = other.survival_function_at_times(entry.min()).iloc[0] if late else 1.0
    assert tail.shares(np.array([30, 90, 200]))[0] == pytest.approx(there / given, abs=1e-5)
    assert tail.begin == (entry.min() if late else 0)


@pytest.mark.parametrize("model", FAMILIES)
def test_the_error_is_near_the_models_own_where_it_holds_and_customers_come_once(model):
    """Weibull data: the sandwich of the Weibull model is its inverse information, up to chance."""
    time, left, _ = sample(2, n=4000)
    tail = fit_tail(exits_of(time, left), model)
    other = FAMILIES[model].fitter().fit(time, left)
    own = other.variance_matrix_.to_numpy()
    moved = approx_fprime(
        other._fitted_parameters_, lambda theta: np.exp(-other._cumulative_hazard(theta, np.array([50.0])))[0], 1e-6
    )
    expected = np.sqrt(moved @ own @ moved)
    assert tail.shares(np.array([50.0]))[1][0] == pytest.approx(expected, rel=0.04 if model == "weibull" else 0.4)


@pytest.mark.parametrize("model", FAMILIES)
def test_visits_twice_by_the_same_customers_tell_no_more_than_once(model):
    time, left, entry = sample(3, n=80, late=True)
    once = fit_tail(exits_of(time, left, entry=entry), model)
    names = np.arange(len(time))
    twice = fit_tail(
        exits_of(*(np.tile(each, 2) for each in (time, left)), entry=np.tile(entry, 2), customers=np.tile(names, 2)),
        model,
    )
    strangers = fit_tail(exits_of(*(np.tile(each, 2) for each in (time, left)), entry=np.tile(entry, 2)), model)
    day = np.array([80.0])
    assert twice.shares(day)[1] == pytest.approx(once.shares(day)[1], rel=1e-3)
    assert strangers.shares(day)[1] == pytest.approx(once.shares(day)[1] / np.sqrt(2), rel=1e-3)


def test_visits_of_no_length_are_the_share_observed_and_the_model_is_of_the_others():
    time, left, _ = sample(4)
    plain = fit_tail(exits_of(time, left), "weibull")
    n = len(time) // 3
    mixed = fit_tail(exits_of(np.append(time, np.zeros(n)), np.append(left, np.full(n, True))), "weibull")
    inside = len(time) / (len(time) + n)
    days = np.array([0.0, 40.0])
    assert (mixed.location, mixed.scale) == (plain.location, plain.scale)
    assert mixed.shares(days)[0] == pytest.approx(inside * plain.shares(days)[0])
    assert mixed.shares(days)[0][0] == pytest.approx(inside)
    assert mixed.shares(days)[1][0] == pytest.approx(np.sqrt(inside * (1 - inside) / (len(time) + n)))


@pytest.mark.slow
def test_the_interval_holds_the_truth_as_often_as_it_says():
    days, hits = np.array([90.0]), 0
    for seed in range(100):
        time, left, _ = sample(seed, n=150)
        share, error = fit_tail(exits_of(time, left), "weibull").shares(days)
        log_log = np.log(-np.log(share)) - np.log(-np.log(np.exp(-((90 / 30) ** 1.4))))
        hits += abs(log_log[0]) <= 1.96 * (error / (share * -np.log(share)))[0]
    assert 0.89 <= hits / 100 <= 0.995


def test_the_table_is_observed_until_ten_are_at_risk_and_extrapolated_from_there(spells_of):
    survival = estimate_survival(spells_of(visits()))
    found = survival.extrapolate("paid", horizon="100d", model="weibull")
    observed, beyond = (found.table[found.table["kind"] == kind] for kind in ("observed", "extrapolation"))
    assert (observed["days"].max(), beyond["days"].min(), beyond["days"].max()) == (40, 40, 100)
    inside = survival.table[survival.table["state"] == "inside"].set_index("days")["estimate"]
    assert observed.set_index("days")["estimate"].to_dict() == pytest.approx(inside.to_dict())
    assert (beyond["estimate"].diff().dropna() < 0).all()
    assert ((beyond["lower"] < beyond["estimate"]) & (beyond["estimate"] < beyond["upper"])).all()
    assert (beyond["at_risk"].iloc[1:] == 0).all()
    assert beyond["estimate"].iloc[-1] == found.models.set_index("model").loc["weibull", "estimate"]


def test_the_sentence_says_that_it_is_an_extrapolation_and_up_to_where_data_go(spells_of):
    found = estimate_survival(spells_of(visits())).extrapolate("paid", horizon="100d", model="exponential")
    row = found.models.set_index("model").loc["exponential"]
    hazard = 30 / (sum(range(1, 31)) + 30 * 40)
    assert row["estimate"] == pytest.approx(np.exp(-100 * hazard), rel=1e-4)
    days, left = np.array([*range(1, 31), *[40] * 30]), np.repeat([1, 0], 30)
    error = np.sqrt(((left - hazard * days) ** 2).sum()) / 30
    limits = np.exp(-100 * hazard * np.exp(1.959964 * error * np.array([1, -1])))
    assert row[["lower", "upper"]].tolist() == pytest.approx(limits.tolist(), rel=1e-4)
    assert row["furthest_off"] == pytest.approx(np.exp(-30 * hazard) - 1 / 2, rel=1e-4)
    assert found.sentence() == SENTENCE
    assert found.by_stage().loc["paid", "extrapolation"] == (
        "extrapolated to day 100 (exponential): 17% (95% interval 7.4% to 29%) inside"
    )


SENTENCE = (
    "Extrapolation by the exponential model, not observed: on day 100 after entering “paid” there would still be "
    "inside 17% (95% interval 7.4% to 29%) of 60 visits of 60 customers (data go up to day 40.0, where the model is up "
    "to 8.2 points off, other models say 16% to 26%, lowest AIC: log-normal). The intervals hold only if the model "
    "does."
)


def test_the_extrapolation_is_dashed_and_the_last_day_watched_is_marked(spells_of):
    chart = estimate_survival(spells_of(visits())).extrapolate("paid", horizon="100d", model="lognormal").plot()
    observed, extrapolated, mark = chart.axes.lines
    assert (observed.get_linestyle(), extrapolated.get_linestyle(), mark.get_linestyle()) == ("-", "--", ":")
    assert list(mark.get_xdata()) == [40, 40]
    assert (observed.get_xdata()[-1], extrapolated.get_xdata()[-1]) == (40, 100)
    assert {text.get_text() for text in chart.axes.texts} == {"observed", "extrapolation"}
    assert chart.alt.startswith("Extrapolation by the log-normal model, not observed: ")


@pytest.mark.slow
def test_groups_are_extrapolated_each_by_itself_and_few_are_not(spells_of):
    rows = visits(80)
    plan = pd.Series({row[0]: "few" if i < 4 else "ab"[i // 40] for i, row in enumerate(rows)}, name="plan")
    found = estimate_survival(spells_of(rows), by=plan).extrapolate("paid", horizon="100d", model="weibull")
    asked = found.models[found.models["asked"]].set_index("group")
    assert asked["note"].to_dict() == {"a": None, "b": None, "few": "only 4 visits of 4 customers"}
    assert asked["estimate"].notna().tolist() == [True, True, False]
    assert "with plan “a”" in found.sentence()
    assert "with plan “few”" not in found.sentence()
    panels = found.plot().axes.figure.axes
    assert [panel.get_title(loc="left") for panel in panels] == ["a", "b", "few"]
    assert found.plot(panels[0]).axes is panels[0]


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (visits(8), "“paid” is not extrapolated: only 8 visits of 8 customers."),
        (
            [(f"c{i}", "paid", 0, 9, None if i else "other") for i in range(20)],
            "“paid” is not extrapolated: only 1 visit ended after the day of entering, and 10 are needed.",
        ),
        (
            [(f"c{i}", "paid", 0, 9, "other" if i % 2 else None) for i in range(40)],
            "“paid” is not extrapolated: all visits that ended did so on one day.",
        ),
    ],
)
def test_what_cannot_carry_a_model_is_an_empty_result_that_says_so(spells_of, rows, text):
    found = estimate_survival(spells_of(rows)).extrapolate("paid", horizon="100d", model="weibull")
    assert found.lacking == found.sentence() == found.plot().alt == text
    assert text in found._repr_html_()
    assert set(found.table["kind"]) == {"observed"}
    assert found.by_stage().isna().all(axis=None)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"stage": "payd"}, "No way out of the stage “payd” was estimated. Did you mean “paid”?"),
        ({"model": "weibul"}, "There is no model “weibul” to extrapolate by. Did you mean “weibull”?"),
        (
            {"horizon": "30d"},
            "The horizon of 30 days is within the days watched in “paid”, 40.0: there is nothing to extrapolate. "
            "Read the observed curve, or give a later horizon.",
        ),
    ],
)
def test_what_cannot_be_extrapolated_is_refused(spells_of, given, text):
    survival = estimate_survival(spells_of(visits()))
    with pytest.raises(EstimateError) as error:
        survival.extrapolate(**{"stage": "paid", "horizon": "100d", "model": "weibull", **given})
    assert str(error.value) == text


QUIET = "#5b6770"


def grey_and_named(axes):
    """How many lines are grey, and what is written beside the axes."""
    return sum(to_hex(line.get_color()) == QUIET for line in axes.lines), [text.get_text() for text in axes.texts]


def test_stages_of_few_customers_are_drawn_in_grey_with_their_number(spells_of):
    rows = visits() + visits(4, stage="plus")
    survival = estimate_survival(spells_of(rows))
    panels = survival.plot().axes.figure.axes
    assert [panel.get_title(loc="left") for panel in panels] == ["paid", "plus (few: 4 customers)"]
    assert [grey_and_named(panel)[0] for panel in panels] == [0, 1]
    together = survival.plot(panels[0]).axes
    assert {"plus (few: 4 customers)", "paid"} <= set(grey_and_named(together)[1])
    incidence = survival.plot_incidence("plus")
    assert incidence.axes.get_title(loc="left") == "By which ways customers leave “plus” (few: 4 customers)"
    assert grey_and_named(incidence.axes)[0] == 1
    assert incidence.alt.endswith(", only 4 visits of 4 customers.")
    assert "few" not in survival.plot_incidence("paid").alt


def test_groups_of_few_customers_are_drawn_in_grey_and_the_others_keep_their_colours(spells_of):
    rows = visits(80)
    plan = pd.Series({row[0]: "few" if i < 4 else "az"[i // 40] for i, row in enumerate(rows)}, name="plan")
    survival = estimate_survival(spells_of(rows), by=plan)
    axes = survival.plot().axes
    colours = dict(zip(("a", "few", "z"), (to_hex(line.get_color()) for line in axes.lines), strict=True))
    assert colours == {"a": "#0072b2", "few": QUIET, "z": "#009e73"}
    assert "few (few: 4 customers)" in grey_and_named(axes)[1]
    panels = survival.plot_incidence("paid").axes.figure.axes
    assert [panel.get_title(loc="left") for panel in panels] == ["a", "few (few: 4 customers)", "z"]
    assert [grey_and_named(panel)[0] for panel in panels] == [0, 1, 0]
    together = survival.plot_incidence("paid", panels[0]).axes
    assert "other · few (few: 4 customers)" in grey_and_named(together)[1]
