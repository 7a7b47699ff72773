"""An instance of every noun, and of every finding, in one study in whose names somebody wrote a script.

`FINDINGS` is the registry of findings: one that is not in it fails tests/findings/test_contract.py.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd

import journeylab as jl
from journeylab.base import charts
from journeylab.base.html import Table
from journeylab.events.log import EventLog
from journeylab.events.queries.crm_records import CrmRecords
from journeylab.events.spells import Spells
from journeylab.findings.finding import Finding
from journeylab.findings.grouping import Grouping
from journeylab.findings.personas import Personas
from journeylab.findings.personas.change import PersonaChange
from journeylab.study.study import Study

HOSTILE = "<script>alert(1)</script>"
# Letters that the figures’ font lacks, and what looks like a formula.
UNDRAWN = f"{HOSTILE}🧨评$\\nothing{{$"
STUDY = f"""\
study: "Nouns {HOSTILE}"
journey: journey.yml
events:
  - {{path: data/raw/events.parquet, columns: {{customer_id: customer_id, time: time, event: event}}}}
customers: {{path: data/raw/customers.csv, key: customer_id}}
window: {{start: 2024-01-01, end: 2026-01-01}}
score: {{scale: nps}}
personas: {{within: 30d, seed: 7}}
horizons: [30d, 90d]
"""
NOTES = {
    "scenario": f"A team lead tries it {HOSTILE}",
    "owner": "research",
    "stages": {
        f"evaluating{UNDRAWN}": {
            "moments": [{"text": HOSTILE, "evidence": "interview", "source": "A planner", "date": "2025-11-04"}],
            "opportunities": [{"text": "Invite the team"}],
        }
    },
}

# How each finding is found in a log and its spells, in all customers together.
Find = Callable[[EventLog, Spells], Finding]
# ... and by groups.
FindBy = Callable[[EventLog, Spells, Grouping | pd.Series | None], Finding]


def first_stage(spells: Spells) -> str:
    return spells.journey.stage_names[0]


def crm_of(spells: Spells) -> CrmRecords:
    """A CRM that knows of every move at once."""
    moves = spells.to_pandas()[["customer_id", "entered", "stage"]]
    return CrmRecords.of(moves.rename(columns={"entered": "time", "stage": "bucket"}))


def several_personas(study: Study) -> Personas:
    """Unproven personas: proven, these few customers are one kind, of which there is no card and no change."""
    return jl.find_personas(study.log, study.journey, within="30d", seed=7, max_personas=3, replicates=0)


def change_of(study: Study) -> PersonaChange:
    """From these personas, as if they had been found in the first hundred customers only, to themselves."""
    found = several_personas(study)
    return jl.compare_personas(replace(found, labels=found.labels[:100]), found, log=study.log)


FINDINGS_BY_GROUP: dict[str, FindBy] = {
    "CrmComparison": lambda _, spells, by: jl.compare_crm(spells, crm_of(spells), by=by),
    "DropOff": lambda _, spells, by: jl.estimate_dropoff(spells, horizons=["7d", "30d"], by=by),
    "Feelings": lambda log, spells, by: jl.estimate_feelings(log, spells, scale="nps", by=by),
    "Flow": lambda _, spells, by: jl.estimate_flow(spells, by=by),
    "Funnel": lambda log, spells, by: jl.estimate_funnel(log, jl.build_steps(spells.journey), window="90d", by=by),
    "Leavers": lambda log, spells, by: jl.compare_leavers(log, spells, before="14d", seed=1, by=by),
    "Occupancy": lambda _, spells, by: jl.estimate_occupancy(spells, times=["30d"], by=by),
    "River": lambda _, spells, by: jl.estimate_river(spells, times=["30d"], by=by),
    "Recovery": lambda _, spells, by: jl.estimate_recovery(spells, horizons=["7d", "30d"], by=by),
    "Survival": lambda _, spells, by: jl.estimate_survival(spells, by=by),
    "Thoughts": lambda log, spells, by: jl.find_thoughts(log, spells, seed=1, by=by),
    "Touchpoints": lambda log, spells, by: jl.estimate_touchpoints(log, spells, by=by),
    "Validation": lambda _, spells, by: jl.estimate_validation(spells, horizons=["7d", "30d"], by=by),
}
FINDINGS_OF_ALL: dict[str, Find] = {
    "Comparison": lambda _, spells: jl.compare_groups(spells, stage=first_stage(spells), by="segment", horizon="30d"),
    "Hazards": lambda log, spells: jl.fit_hazards(
        spells,
        stage=first_stage(spells),
        exit="lost",
        covariates=["segment", jl.Exposure.to("ticket_opened", log=log, name=HOSTILE)],
    ),
    "SilenceSensitivity": lambda log, spells: jl.compare_silence(log, spells.journey, horizon="30d"),
}
# Those that are made of personas, which take long to find.
FINDINGS_OF_PERSONAS: dict[str, Callable[[Study], Finding]] = {
    "Assignment": lambda study: study.personas.assign(study.log),
    "PersonaChange": change_of,
    "Personas": lambda study: study.personas,
}
FINDINGS = (*FINDINGS_BY_GROUP, *FINDINGS_OF_ALL, *FINDINGS_OF_PERSONAS)


def write_study(folder: Path) -> Study:
    """A study of simulated customers in whose names and stages somebody wrote a script."""
    simulation = jl.simulate_log(300, seed=3)
    simulation.write(folder)
    said = simulation.journey.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    for stage in said["stages"]:
        stage |= {"name": stage["name"] + UNDRAWN, "label": stage["name"] + UNDRAWN}
    for branch in said["loss_branches"]:
        branch |= {"name": branch["name"] + UNDRAWN, "label": branch["name"] + UNDRAWN}
    journey = jl.read_journey(said | {"journeylab": 1, "name": f"Journey {HOSTILE}", "goal": f"Goal {HOSTILE}"})
    journey.write(folder / "journey.yml")
    path = folder / "data/raw/customers.csv"
    people = pd.read_csv(path)
    people.assign(segment=people["segment"].fillna("small") + UNDRAWN, account=people["customer_id"]).to_csv(
        path, index=False
    )
    (folder / "study.yml").write_text(STUDY, encoding="utf-8")
    return jl.open_study(folder)


def find_in(study: Study, name: str, by: Grouping | pd.Series | None = None) -> Finding:
    """The finding `name` of a study."""
    if name in FINDINGS_BY_GROUP:
        return FINDINGS_BY_GROUP[name](study.log, study.spells, by)
    if name in FINDINGS_OF_ALL:
        return FINDINGS_OF_ALL[name](study.log, study.spells)
    return FINDINGS_OF_PERSONAS[name](study)


def build_nouns(study: Study, findings: dict[str, Finding]) -> dict[str, object]:
    """An instance of every noun that shows itself, by the name of its class; `findings` are among them."""
    log, spells, journey = study.log, study.spells, study.journey
    personas = several_personas(study)
    notes, cards = jl.read_notes(NOTES, journey=journey), personas.cards(log, spells, horizon="90d")
    texts = pd.DataFrame({"customer_id": ["a"], "time": [log.window.start], "text": [f"I like {HOSTILE} a lot"]})
    plain = jl.build_map(spells, [])
    others = [
        study, study.window, study.lint, log, spells, journey, crm_of(spells), notes, cards, cards[0],
        jl.find_flaws(spells), jl.find_quotes(texts, n=1, seed=1),
        jl.Exposure.to("ticket_opened", log=log, name=HOSTILE), jl.simulate_log(5, seed=1),
        jl.Source(HOSTILE, {"customer_id": HOSTILE, "event": {"constant": "seen"}}),
        jl.build_map(spells, [], log=log, notes=notes), plain.compare(jl.build_map(spells, [], notes=notes)),
        Grouping.of("segment", spells), Table(pd.DataFrame({HOSTILE: [HOSTILE]}), HOSTILE),
        charts.note(UNDRAWN, title="A note"),
    ]  # fmt: skip
    return findings | {type(noun).__name__: noun for noun in others}


def finding_classes() -> dict[str, type[Finding]]:
    """Every kind of finding that the package has, by its name."""
    for module in pkgutil.walk_packages(jl.__path__, "journeylab."):
        importlib.import_module(module.name)
    return {kind.__name__: kind for kind in _below(Finding) if kind.__module__.startswith("journeylab.")}


def _below(kind: type) -> list[type]:
    return [each for child in kind.__subclasses__() for each in (child, *_below(child))]
