"""Functions of the face with arguments of every kind: swapped nouns, lists for texts, numbers out of range."""

import datetime
import inspect
import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from hostile.harness import Try

import journeylab as jl
from journeylab.events.queries.crm_records import CrmRecords


class Nouns:
    """One small study's nouns, each made once."""

    def __init__(self, folder: Path):
        self.simulation = jl.simulate_log(60, seed=1)
        self.simulation.write(folder)
        self.folder, self.log, self.journey = folder, self.simulation.log, self.simulation.journey
        self.spells = jl.find_spells(self.log, self.journey)
        self.dropoff = jl.estimate_dropoff(self.spells, horizons=["30d"])
        self.map = jl.build_map(self.spells, [self.dropoff])
        self.personas = jl.find_personas(self.log, self.journey, within="30d", seed=1, replicates=0)
        self.study = jl.open_study(folder)
        self.map.write(folder / "map.json")
        self.personas.write(folder / "personas.json")
        moves = self.spells.to_pandas()[["customer_id", "entered", "stage"]]
        self.crm = CrmRecords.of(moves.rename(columns={"entered": "time", "stage": "bucket"}))
        self.grouping = jl.Grouping("plan", self.log.customers["plan"].dropna())


def right_calls(nouns: Nouns) -> dict[str, dict]:
    """Arguments that each function of the face takes."""
    log, journey, spells = nouns.log, nouns.journey, nouns.spells
    stage, times = journey.stage_names[0], pd.DataFrame({"customer_id": ["a"], "time": [pd.Timestamp(0, tz="UTC")]})
    texts = pd.DataFrame({"customer_id": ["a"], "text": ["good"], "stage": [stage]})
    both, seeded = {"log": log, "spells": spells}, {"log": log, "spells": spells, "seed": 1}
    window = {"start": pd.Timestamp("2025-01-01", tz="UTC"), "end": pd.Timestamp("2026-01-01", tz="UTC")}
    horizon = {"spells": spells, "horizons": ["30d"]}
    grouped = {"by": "plan", "where": None, "confidence": 0.9}
    return {
        "Exposure": {"name": "x", "times": times},
        "Grouping": {"name": "x", "labels": pd.Series({"a": "b"}), "known_at": None, "lacking": None},
        "Source": {"data": "x.csv", "columns": None, "timezone": None, "time_unit": None},
        "Table": {"rows": times, "caption": "x", "days": ("a",)},
        "Window": window,
        "build_map": {"spells": spells, "findings": [nouns.dropoff], "log": log, "notes": None, "by": None},
        "build_steps": {"journey": journey},
        "compare_crm": {"spells": spells, "records": nouns.crm, "at": None, **grouped},
        "compare_groups": {"spells": spells, "stage": stage, "by": "plan", "horizon": "30d", "confidence": 0.95},
        "compare_leavers": {**seeded, "before": "14d", "stage": None, "after": None, "controls": 2, "most_losses": 50},
        "compare_maps": {"first": nouns.map, "second": nouns.map},
        "compare_personas": {"old": nouns.personas, "new": nouns.personas, "log": log, "used": ["a"], "ids": "kept"},
        "compare_silence": {"log": log, "journey": journey, "horizon": "30d", "factors": [1], "confidence": 0.95},
        "compare_sprints": {"study": nouns.study, "old": "a", "new": "b"},
        "estimate_dropoff": {**horizon, "unit": "visits", "value": None, "min_at_risk": 10, **grouped},
        "estimate_feelings": {**both, "scale": "nps", "asked": None, "min_customers": 10, **grouped},
        "estimate_flow": {"spells": spells, **grouped},
        "estimate_funnel": {
            "log": log,
            "steps": ["trial_started", "subscribed"],
            "window": "90d",
            "order": "ordered",
            "entry": "first",
            "exclude": [],
            "same": None,
            "spells": spells,
            **grouped,
        },
        "estimate_occupancy": {"spells": spells, "times": ["30d"], **grouped},
        "estimate_recovery": {**horizon, "min_at_risk": 10, **grouped},
        "estimate_survival": {"spells": spells, **grouped},
        "estimate_touchpoints": {**both, **grouped},
        "estimate_validation": {**horizon, "min_at_risk": 10, **grouped},
        "find_channels": {**both, "min_customers": 5},
        "find_cohorts": {"spells": spells, "every": "year", "min_customers": 5},
        "find_flaws": {"spells": spells},
        "find_personas": {"log": log, "journey": journey, "within": "30d", "seed": 1, "replicates": 0},
        "find_quotes": {"texts": texts, "n": 1, "seed": 1, "names": ["a"], "at_most": 50},
        "find_spells": {"log": log, "journey": journey, "batch_rows": 1000},
        "find_thoughts": {**seeded, "asked": None, "names": ["a"], "n_quotes": 1, **grouped},
        "fit_hazards": {"spells": spells, "stage": stage, "exit": "lost", "covariates": ["plan"], "confidence": 0.95},
        "lint_journey": {"journey": journey, "log": log},
        "open_study": {"path": nouns.folder, "data": None},
        "pool_small": {"grouping": nouns.grouping, "min_customers": 5},
        "read_crm": {"source": times, "window": nouns.study.window, "columns": {"bucket": "x"}, "timezone": "UTC"},
        "read_events": {
            "source": nouns.simulation.raw.slice(0, 500),
            "window": ("2024-01-01", "2026-01-01"),
            "columns": {"event": "event"},
            "timezone": "UTC",
            "customers": None,
            "time_unit": None,
            "duplicates": "keep",
        },
        "read_journey": {"source": nouns.folder / "journey.yml"},
        "read_map": {"path": nouns.folder / "map.json"},
        "read_notes": {"source": {}, "journey": journey, "personas": ["a"]},
        "read_personas": {"path": nouns.folder / "personas.json", "period": None},
        "redact": {"text": "a", "names": ["b"]},
        "score_value": {**both, "column": "value", "within": "30d"},
        "simulate_log": {"n_customers": 3, "seed": 1},
    }


def wrong_values(nouns: Nouns) -> dict[str, object]:
    """Values, most of which no argument takes."""
    return {
        "None": None,
        "True": True,
        "-1": -1,
        "0": 0,
        "30": 30,
        "1.5": 1.5,
        "nan": math.nan,
        "inf": math.inf,
        "complex": 1j,
        "numpy -1": np.int64(-1),
        "empty text": "",
        "95%": "95%",
        "-5d": "-5d",
        "too long": "9" * 400 + "d",
        "NUL": "a\0b",
        "surrogate": "\ud800",
        "bytes": b"30d",
        "empty list": [],
        "list of None": [None],
        "list of list": [[["a"]]],
        "list of numbers": [1, 2],
        "dict": {"a": 1},
        "numbered dict": {1: None},
        "set": {"a"},
        "date": datetime.date(2025, 1, 1),
        "timedelta": datetime.timedelta(days=-1),
        "NaT": pd.NaT,
        "array": np.array([[1.0, 2.0]]),
        "Series": pd.Series([1, 2]),
        "DataFrame": pd.DataFrame({"a": [1]}),
        "empty frame": pd.DataFrame(),
        "Arrow": pa.table({"a": [1]}),
        "function": len,
        "class": dict,
        "log": nouns.log,
        "journey": nouns.journey,
        "spells": nouns.spells,
        "finding": nouns.dropoff,
        "map": nouns.map,
        "personas": nouns.personas,
    }


def tries(folder: Path) -> Iterator[Try]:
    """Each argument of each function replaced by each value, and calls that lack an argument or have one too many."""
    nouns = Nouns(folder)
    values = wrong_values(nouns)
    for name, arguments in right_calls(nouns).items():
        function = getattr(jl, name)
        yield Try(name, partial(function, **arguments))
        yield Try(f"{name}(nonsense=1)", partial(function, **arguments, nonsense=1), refused=True)
        for argument in arguments:
            fewer = {other: value for other, value in arguments.items() if other != argument}
            needed = inspect.signature(function).parameters[argument].default is inspect.Parameter.empty
            yield Try(f"{name} without {argument}", partial(function, **fewer), refused=needed)
            for kind, value in values.items():
                changed = {**arguments, argument: value}
                yield Try(f"{name}({argument}={kind})", partial(function, **changed))
