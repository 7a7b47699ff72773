"""Customer-journey research: from interaction logs and a journey.yml to findings with intervals.

    import journeylab as jl

    study = jl.open_study("..")                      # study.yml names the data, the journey and the decisions
    study.log                                        # EventLog: what was observed, and what was refused
    study.journey                                    # Journey: stages, triggers, validation, loss branches
    study.spells                                     # Spells: each visit of each customer to each stage

    jl.estimate_survival(study.spells)               # how long do customers stay in each stage?
    jl.estimate_dropoff(study.spells, horizons=["30d", "90d"])      # where, and by which branch, are they lost?
    study.personas                                   # who are they? found from their first days
    jl.estimate_dropoff(study.spells, horizons=["90d"], by=study.personas.grouping())

Every finding has `.table` (tidy, with interval and base), `.sentence()`, `.plot()` and `.by_stage()`. Without a study
folder: `read_events`, `read_journey`, `find_spells`; without data: `simulate_log`.
"""

from journeylab.base.charts import Chart
from journeylab.base.errors import JourneyLabError
from journeylab.base.html import Table
from journeylab.base.redaction import redact
from journeylab.events.checks import SpellCheck, check_spells
from journeylab.events.covariates import Exposure
from journeylab.events.crm_records import CrmRecords, read_crm
from journeylab.events.journey import Journey, journey_schema, read_journey
from journeylab.events.lint import Lint, check_journey
from journeylab.events.log import EventLog, Window
from journeylab.events.reading import Source, read_events
from journeylab.events.simulate import Simulation, simulate_log
from journeylab.events.spells import Spells, find_spells
from journeylab.events.steps import stage_steps
from journeylab.events.values import value_before
from journeylab.findings.comparison import Comparison, compare_groups
from journeylab.findings.crm import CrmCheck, check_crm
from journeylab.findings.dropoff import DropOff, estimate_dropoff
from journeylab.findings.feelings import Feelings, Thoughts, estimate_feelings, find_thoughts
from journeylab.findings.finding import Finding, Grouping
from journeylab.findings.funnel import Funnel, estimate_funnel
from journeylab.findings.hazards import Hazards, fit_hazards
from journeylab.findings.leavers import Leavers, compare_leavers
from journeylab.findings.occupancy import Occupancy, estimate_occupancy
from journeylab.findings.paths import Flow, estimate_flow
from journeylab.findings.personas import Assignment, Cards, PersonaCard, Personas, find_personas, read_personas
from journeylab.findings.personas.change import PersonaChange, compare_personas
from journeylab.findings.quotes import Quotes, find_quotes
from journeylab.findings.recovery import Recovery, estimate_recovery
from journeylab.findings.segments import entry_channels, entry_cohorts, pool_small
from journeylab.findings.silence import SilenceSensitivity, compare_silence
from journeylab.findings.survival import Extrapolation, Survival, estimate_survival
from journeylab.findings.touchpoints import Touchpoints, estimate_touchpoints
from journeylab.findings.validation import Validation, estimate_validation
from journeylab.notes import Notes, read_notes
from journeylab.reporting.journey_map import JourneyMap, MapChange, build_map, read_map, side_by_side
from journeylab.sprint import compare_sprints
from journeylab.study import Study, open_study

__all__ = [
    "Assignment",
    "Cards",
    "Chart",
    "Comparison",
    "CrmCheck",
    "CrmRecords",
    "DropOff",
    "EventLog",
    "Exposure",
    "Extrapolation",
    "Feelings",
    "Finding",
    "Flow",
    "Funnel",
    "Grouping",
    "Hazards",
    "Journey",
    "JourneyLabError",
    "JourneyMap",
    "Leavers",
    "Lint",
    "MapChange",
    "Notes",
    "Occupancy",
    "PersonaCard",
    "PersonaChange",
    "Personas",
    "Quotes",
    "Recovery",
    "SilenceSensitivity",
    "Simulation",
    "Source",
    "SpellCheck",
    "Spells",
    "Study",
    "Survival",
    "Table",
    "Thoughts",
    "Touchpoints",
    "Validation",
    "Window",
    "build_map",
    "check_crm",
    "check_journey",
    "check_spells",
    "compare_groups",
    "compare_leavers",
    "compare_personas",
    "compare_silence",
    "compare_sprints",
    "entry_channels",
    "entry_cohorts",
    "estimate_dropoff",
    "estimate_feelings",
    "estimate_flow",
    "estimate_funnel",
    "estimate_occupancy",
    "estimate_recovery",
    "estimate_survival",
    "estimate_touchpoints",
    "estimate_validation",
    "find_personas",
    "find_quotes",
    "find_spells",
    "find_thoughts",
    "fit_hazards",
    "journey_schema",
    "open_study",
    "pool_small",
    "read_crm",
    "read_events",
    "read_journey",
    "read_map",
    "read_notes",
    "read_personas",
    "redact",
    "side_by_side",
    "simulate_log",
    "stage_steps",
    "value_before",
]
