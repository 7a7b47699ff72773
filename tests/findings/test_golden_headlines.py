"""What may be said of losses: the worked cases of ../shared/golden/headline_cases.yaml."""

import re
from itertools import count

import pandas as pd
import pyarrow as pa
import pytest
import yaml
from by_hand import at

import journeylab as jl
from journeylab.events.journey import Journey
from journeylab.events.log import Window
from journeylab.events.spells import COLUMNS, Spells

END = 400.0


@pytest.fixture(scope="session")
def cases(shared) -> dict[str, dict]:
    text = (shared / "golden/headline_cases.yaml").read_text(encoding="utf-8")
    return {case["name"]: case for case in yaml.safe_load(text)["cases"]}


def days(written: str) -> float:
    return float(written.removesuffix("d"))


def journey_of(case: dict) -> Journey:
    groups = case.get("groups") or case["recovery"]
    stages = case.get("stages") or [case.get("stage", "a")]
    stages = [*dict.fromkeys([*stages, *(group["stage"] for group in groups if "stage" in group)])]
    branches = [group.get("to", group.get("branch")) for group in groups if group.get("outcome", "lost") == "lost"]
    named = [branch for branch in dict.fromkeys(branches) if branch != "silent"]
    silent = {"silent_after": case["silent_after"]} if "silent_after" in case else {}
    return Journey.model_validate(
        {
            "journeylab": 1,
            "name": case["name"],
            "goal": "Say what may be said",
            "stages": [
                *({"name": name, "opened_by": [{"event": f"{name}_opened"}]} | silent for name in stages),
                *([{"name": "b", "opened_by": [{"event": "b_opened"}]}] if "b" not in stages else []),
                {"name": "z", "opened_by": [{"event": "z_opened"}], "completes": True},
            ],
            "loss_branches": [{"name": name, "when": {"event": f"to_{name}"}} for name in named],
        }
    )


def visits_of(group: dict, customer: str, stage: str) -> list[dict]:
    """The visits of one customer of a group: days from the window's start, which is the first entry."""
    start = END - group["watched"] if group["outcome"] == "ongoing" else 0.0
    to = None if group["outcome"] == "ongoing" else group["to"]
    length = group["watched"] if group["outcome"] == "ongoing" else group["day"]
    if group.get("visits", 1) == 1:
        return [visit(customer, stage, start, length, group["outcome"], to)]
    if "back_after" in group:
        second = start + length + group["back_after"]
        return [
            visit(customer, stage, start, length, group["outcome"], to),
            visit(customer, stage, second, length, group["outcome"], to) | {"returned_from": to},
        ]
    first = group["first"]
    return [
        visit(customer, stage, start, first["day"], first["outcome"], first["to"]),
        visit(customer, stage, group["second_entered"], length, group["outcome"], to),
    ]


def visit(customer: str, stage: str, entered: float, length: float, outcome: str, to: str | None) -> dict:
    return {
        "customer_id": customer,
        "stage": stage,
        "entered": at(entered),
        "left": at(entered + length),
        "observed_from": at(entered),
        "days": float(length),
        "outcome": outcome,
        "to": to,
        "events": 1,
        "returned_from": None,
    }


def spells_of(case: dict) -> Spells:
    number, rows = count(), []
    default = case.get("stage") or case["stages"][0]
    for group in case["groups"]:
        for _ in range(group["n"]):
            rows += visits_of(group, f"c{next(number):04}", group.get("stage", default))
    table = pd.DataFrame(rows, columns=[*COLUMNS])
    for column, kind in COLUMNS.items():
        if kind == "time":
            table[column] = pd.to_datetime(table[column], utc=True).dt.as_unit("us")
    table["spell"] = table.groupby("customer_id").cumcount() + 1
    people = pd.DataFrame(index=pd.Index(table["customer_id"].unique(), name="customer_id"))
    return Spells(pa.Table.from_pandas(table, preserve_index=False), journey_of(case), Window(at(0), at(END)), people)


def estimated(case: dict, **decisions):
    return jl.estimate_dropoff(spells_of(case), horizons=case["ask"]["horizons"], **decisions)


def row_of(dropoff, horizon: str, to: str, stage: str | None = None) -> pd.Series:
    table = dropoff.table
    chosen = table[(table["horizon_days"] == days(horizon)) & (table["to"] == to)]
    return chosen[chosen["stage"] == (stage or chosen["stage"].iloc[0])].iloc[0]


def first_place(dropoff, horizon: str) -> list[str]:
    return dropoff.vulnerability(horizon).iloc[0][["stage", "branch"]].tolist()


def test_a_finished_stage_is_known_at_any_horizon(cases):
    dropoff = estimated(cases["a finished stage is known at any horizon"])
    for horizon, to, share in (("180d", "price", 0.6), ("180d", "advanced", 0.4)):
        row = row_of(dropoff, horizon, to)
        assert row["estimate"] == pytest.approx(share, abs=1e-12)
        early = row_of(dropoff, "30d", to)
        assert row[["lower", "upper"]].tolist() == pytest.approx(early[["lower", "upper"]].tolist(), abs=1e-12)


def test_a_nearly_finished_stage_is_known_within_what_is_unresolved(cases):
    row = row_of(estimated(cases["a nearly finished stage is known within what is unresolved"]), "180d", "price")
    assert 0.600 <= row["estimate"] <= 0.605
    assert row["lower"] <= 0.600
    assert row["upper"] >= 0.605
    assert (row["at_least"], row["at_most"]) == pytest.approx((0.600, 0.605), abs=1e-9)
    assert "unresolved" in row["note"]


def test_a_place_that_cannot_be_estimated_is_named_and_bounds_the_ranking(cases):
    dropoff = estimated(cases["a place that cannot be estimated is named, and bounds the ranking"])
    row = row_of(dropoff, "90d", "rival", "b")
    assert pd.isna(row["estimate"])
    assert row["at_least"] == pytest.approx(0.8333, abs=0.001)
    assert first_place(dropoff, "90d") == ["b", "rival"]
    sentence = dropoff.sentence() + dropoff.stability_in_words("90d", seed=1)
    assert "“b”" in sentence
    assert "“rival”" in sentence
    assert "settled" not in sentence


def test_visits_and_customers_are_two_numbers(cases):
    dropoff = estimated(cases["visits and customers are two numbers"])
    assert row_of(dropoff, "90d", "price")["estimate"] == pytest.approx(1.0)
    first = dropoff.vulnerability("90d").iloc[0]
    assert (first["estimate"], first["customers_lost"]) == pytest.approx((200, 100))
    numbers = [
        int(number.replace(",", "")) for number in re.findall(r"([\d,]+) (?:different )?customers", dropoff.sentence())
    ]
    assert numbers
    assert set(numbers) == {100}


def test_customers_lost_on_a_later_visit_count_as_customers(cases):
    case = cases["customers lost on a later visit count as customers"]
    dropoff = estimated(case)
    first = dropoff.vulnerability("90d").set_index(["stage", "branch"]).loc[("a", "price")]
    assert first["n"] == 170
    assert first["share"] == pytest.approx(0.4706, abs=0.001)
    assert (first["estimate"], first["customers"], first["customers_lost"]) == pytest.approx((80, 100, 80))
    by_first = row_of(estimated(case, unit="first_visits"), "90d", "price")
    assert (by_first["n"], by_first["estimate"]) == pytest.approx((100, 0.30))
    by_customer = row_of(estimated(case, unit="customers"), "90d", "price")
    assert (by_customer["n"], by_customer["estimate"]) == pytest.approx((100, 0.80))


def test_what_cannot_happen_yet_is_not_estimated_as_zero(cases):
    dropoff = estimated(cases["what cannot happen yet is not estimated as zero"])
    row = row_of(dropoff, "90d", "silent")
    assert pd.isna(row["estimate"])
    assert "cannot show before day 120" in row["note"]
    assert row_of(dropoff, "180d", "silent")["estimate"] == pytest.approx(0.60)
    assert "within 180 days" in dropoff.sentence()


def test_first_at_one_horizon_but_not_at_another(cases):
    dropoff = estimated(cases["first at one horizon, not at another"])
    assert first_place(dropoff, "30d") == ["a", "price"]
    assert first_place(dropoff, "90d") == ["a", "rival"]
    sentence = dropoff.sentence()
    assert "depends on the horizon" in sentence
    assert "settled" not in sentence + dropoff.stability_in_words("90d", seed=1)


def test_a_rate_is_not_a_number(cases):
    case = cases["a rate is not a number"]
    number, rows = count(), []
    for group in case["recovery"]:
        for position in range(group["lost"]):
            customer = f"c{next(number):04}"
            rows.append(visit(customer, group["stage"], 0, 10, "lost", group["branch"]))
            if position < group["back"]:
                back = visit(customer, group["stage"], 30, END - 30, "ongoing", None)
                rows.append(back | {"returned_from": group["branch"]})
    table = pd.DataFrame(rows, columns=[*COLUMNS])
    for column, kind in COLUMNS.items():
        if kind == "time":
            table[column] = pd.to_datetime(table[column], utc=True).dt.as_unit("us")
    table["spell"] = table.groupby("customer_id").cumcount() + 1
    people = pd.DataFrame(index=pd.Index(table["customer_id"].unique(), name="customer_id"))
    spells = Spells(pa.Table.from_pandas(table, preserve_index=False), journey_of(case), Window(at(0), at(END)), people)
    sentence = jl.estimate_recovery(spells, horizons=["90d"]).sentence()
    assert re.search(r"[Tt]he largest share [^.]*“rival” in “b”", sentence)
    assert re.search(r"most (customers|visits)[^.]*“price” in “a”", sentence)
    assert "Most come back from “rival”" not in sentence


def test_days_of_a_log_that_has_only_dates_are_calendar_days(cases):
    case = cases["days of a log that has only dates are calendar days"]
    (group,) = case["groups"]
    rows = [
        {"customer_id": f"c{number:04}", "event": event, "time": str(group[when])}
        for number in range(group["n"])
        for event, when in (("a_opened", "entered"), (f"to_{group['to']}", "left"))
    ]
    log = jl.read_events(pd.DataFrame(rows), window=("2025-01-01", "2026-01-01"), timezone=case["timezone"])
    spells = jl.find_spells(log, journey_of(case))
    assert set(spells.to_pandas()["days"]) == {7.0}
    row = row_of(jl.estimate_dropoff(spells, horizons=case["ask"]["horizons"]), "7d", group["to"])
    assert row["estimate"] == case["expect"][0]["estimate"]
