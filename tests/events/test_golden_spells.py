"""The worked cases of golden/spell_cases.yaml: find_spells and the reference give the spells that they name."""

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml
from reference_spells import Event, spells_of
from spell_logs import DAY, log_of

from journeylab.events.journey import Journey
from journeylab.events.spells import find_spells

GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "spell_cases.yaml"
WORKED = yaml.safe_load(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.is_file() else {"cases": []}
cases = pytest.mark.parametrize("case", WORKED["cases"], ids=lambda case: case["name"])


def rows_of(case: dict) -> list[dict]:
    """`name@day(column=value, ...)` as rows of one customer."""
    rows = []
    for written in case["events"]:
        name, day, cells = re.fullmatch(r"(\w+)@([\d.]+)(?:\((.*)\))?", written).groups()
        more = dict(cell.strip().split("=") for cell in cells.split(",")) if cells else {}
        rows.append({"customer_id": "one", "event": name, "day": float(day), "reason": None, **more})
    return rows


def journey_for(case: dict) -> Journey:
    return Journey.model_validate(WORKED["journey"] | {"movement": case.get("movement", "forward")})


def assert_as_worked(found: list[dict], case: dict) -> None:
    """`found` has times in days; a case names the keys that matter to it."""
    expected = []
    for spell in case["spells"]:
        stage, entered, left, outcome, to = spell["spell"]
        more = {key: value for key, value in spell.items() if key != "spell"}
        expected.append({"stage": stage, "entered": entered, "left": left, "outcome": outcome, "to": to, **more})
    assert len(found) == len(expected)
    assert [{key: spell[key] for key in keys} for spell, keys in zip(found, expected, strict=True)] == expected


@cases
def test_find_spells_gives_the_worked_spells(case):
    log = log_of(rows_of(case), tuple(WORKED["window"]))
    spells = find_spells(log, journey_for(case)).to_pandas()
    times = ["entered", "left", "observed_from", "validated", "last_event"]
    in_days = (spells[times] - log.window.start) / pd.Timedelta(days=1)
    found = spells.astype(object).assign(**in_days.astype(object))
    assert_as_worked(found.where(found.notna(), None).to_dict("records"), case)


@cases
def test_the_reference_gives_the_worked_spells(case):
    events = [Event(int(row["day"] * DAY), row["event"], cells={"reason": row["reason"]}) for row in rows_of(case)]
    start, end = (day * DAY for day in WORKED["window"])
    found = [vars(spell) for spell in spells_of(events, journey_for(case), start, end)]
    times = ("entered", "left", "validated", "last_event")
    in_days = [spell | {key: spell[key] / DAY for key in times if spell[key] is not None} for spell in found]
    assert_as_worked(in_days, case)
