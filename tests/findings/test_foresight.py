"""What is computed from the future is told by every finding that takes it, and never said of what is honest."""

import by_hand
import numpy as np
import pandas as pd
import pytest

import journeylab as jl
from journeylab.base.errors import EstimateError
from journeylab.findings.grouping import Grouping, lint_attributes

LOOKS = "looks computed from the future"


def made(n: int, seed: int) -> list[tuple]:
    """Customers who leave trial after 25 days in the mean, for paid or price; half of the lost come back."""
    random, rows = np.random.default_rng(seed), []
    for i in range(n):
        entered = float(random.integers(0, 300))
        for _ in range(3):
            left = entered + np.ceil(random.exponential(25))
            to = "paid" if random.random() < 0.4 else "price"
            ended = left < 400
            rows.append((f"c{i:03}", "trial", entered, min(left, 400), to if ended else None))
            entered = left + 10
            if not ended or to == "paid" or random.random() < 0.5 or entered >= 400:
                break
        if rows[-1][4] == "paid":
            left = rows[-1][3] + np.ceil(random.exponential(40))
            rows.append((f"c{i:03}", "paid", rows[-1][3], min(left, 400), "other" if left < 400 else None))
    return rows


@pytest.fixture(scope="module")
def leaking():
    """Spells; whether each customer ever reached paid, whether their first visit lasted more than 20 days."""
    rows = made(400, 5)
    frame = pd.DataFrame(rows, columns=["customer", "stage", "entered", "left", "to"])
    reached = (frame["stage"] == "paid").groupby(frame["customer"]).any()
    first = frame.drop_duplicates("customer").set_index("customer")
    stayed = (first["left"] - first["entered"]) > 20
    attributes = pd.DataFrame(
        {
            "segment": np.where(reached, "yes", "no"),
            "engagement_tier": np.where(stayed, "high", "low"),
            "days_active": (first["left"] - first["entered"]).to_numpy() + np.arange(400) / 1000,
            "plan": np.random.default_rng(1).choice(["small", "large"], 400),
        },
        index=first.index,
    )
    return by_hand.spells_of(rows, attributes=attributes, end=400), first


BY = {
    "dropoff": lambda spells, by: jl.estimate_dropoff(spells, horizons=["30d"], by=by),
    "survival": lambda spells, by: jl.estimate_survival(spells, by=by),
    "comparison": lambda spells, by: jl.compare_groups(spells, stage="trial", by=by, horizon="60d"),
    "occupancy": lambda spells, by: jl.estimate_occupancy(spells, times=["30d"], by=by),
    "recovery": lambda spells, by: jl.estimate_recovery(spells, horizons=["30d"], by=by),
    "flow": lambda spells, by: jl.estimate_flow(spells, by=by),
    "hazards": lambda spells, by: jl.fit_hazards(spells, stage="trial", exit="price", covariates=[by]),
}


@pytest.mark.parametrize("name", BY)
def test_every_finding_says_which_groups_look_computed_from_the_future(leaking, name):
    spells, _ = leaking
    for column, fact in (("segment", "nobody with “no” moved on from “trial”, where about "), ("engagement_tier", "")):
        found = BY[name](spells, column)
        assert found.notes[-1].startswith(f"“{column}” {LOOKS}: {fact}")
        assert found.sentence().endswith(found.notes[-1])
    honest = BY[name](spells, "plan")
    assert LOOKS not in honest.sentence()
    assert not any(LOOKS in note for note in honest.notes)


def test_a_label_that_counts_from_when_it_was_known_on_is_honest(leaking):
    spells, first = leaking
    tier = spells.customers["engagement_tier"].rename("tier")
    assert LOOKS in jl.estimate_survival(spells, by=tier).sentence()
    known = by_hand.START + pd.to_timedelta(first["entered"] + 20, unit="D")
    assert jl.estimate_survival(spells, by=Grouping("tier", tier, known)).notes == ()


def test_numbers_are_looked_at_by_quarters_of_the_customers(leaking):
    found = jl.fit_hazards(leaking[0], stage="trial", exit="lost", covariates=["days_active", "plan"])
    assert found.notes[-1].startswith(f"“days_active” {LOOKS}: ")
    assert sum(LOOKS in note for note in found.notes) == 1


def test_the_lint_of_attributes_names_each_that_leaks(leaking):
    table = lint_attributes(leaking[0]).table
    assert table["problem"].str.extract("“(.+?)”")[0].tolist() == ["segment", "engagement_tier", "days_active"]
    assert set(table["where"]) == {"customers’ table"}
    assert set(table["severity"]) == {"warning"}
    assert table["fix"].str.startswith("Say in `known_at` since when each value was known").all()


@pytest.mark.parametrize("name", ["churned", "tenure", "last_seen"])
def test_labels_and_conditions_are_refused_by_their_names_as_columns_are(leaking, name):
    spells, _ = leaking
    labels = spells.customers["plan"].rename(name)
    named = f"The customers’ attribute “{name}” is named for something that only the future tells, so customers would "
    asked = {
        "by": lambda: jl.estimate_dropoff(spells, horizons=["30d"], by=labels),
        "by a grouping": lambda: jl.compare_groups(spells, stage="trial", by=Grouping(name, labels), horizon="30d"),
        "by a list": lambda: jl.estimate_survival(spells, by=["plan", labels]),
        "where": lambda: jl.estimate_dropoff(spells, horizons=["30d"], where=labels == "small"),
        "covariates": lambda: jl.fit_hazards(spells, stage="trial", exit="lost", covariates=[labels]),
    }
    for ask in asked.values():
        with pytest.raises(EstimateError) as error:
            ask()
        assert str(error.value).startswith(named)
    known = pd.Series(by_hand.START, index=labels.index)
    assert jl.estimate_survival(spells, by=Grouping(name, labels, known)).lacking is None


@pytest.mark.slow
def test_honest_attributes_are_hardly_ever_taken_for_leaks(spells_of):
    """Labels at random, of two to five levels, in 200 logs: at most 5%."""
    alarms = 0
    for seed in range(200):
        rows, random = made(150, 1000 + seed), np.random.default_rng(seed)
        names = sorted({row[0] for row in rows})
        labels = pd.Series(random.choice(list("abcde")[: 2 + seed % 4], len(names)), index=names, name="plan")
        alarms += bool(jl.estimate_survival(spells_of(rows, end=400), by=labels).notes)
    assert alarms <= 10
