from .base.errors import JourneyLabError
from .base.html import Table
from .base.redaction import redact
from .events.journey import read_journey
from .events.lint import lint_journey
from .events.log import Window
from .events.queries.covariates import Exposure, score_value
from .events.queries.crm_records import read_crm
from .events.queries.experiences import find_experiences
from .events.reading import Source, read_events
from .events.simulate import simulate_log
from .events.spells import find_spells
from .events.spells.spell_check import find_flaws
from .events.steps import build_steps
from .findings.comparison import compare_groups
from .findings.crm import compare_crm
from .findings.dropoff import estimate_dropoff
from .findings.feelings import estimate_feelings
from .findings.funnel import estimate_funnel
from .findings.grouping import Grouping
from .findings.hazards import fit_hazards
from .findings.horizons import find_horizons, lint_horizons
from .findings.leavers import compare_leavers
from .findings.occupancy import estimate_occupancy
from .findings.paths import estimate_flow
from .findings.personas import find_personas, read_personas
from .findings.personas.change import compare_personas
from .findings.quotes import find_quotes
from .findings.recovery import estimate_recovery
from .findings.segments import find_channels, find_cohorts, pool_small
from .findings.silence import compare_silence
from .findings.survival import estimate_survival
from .findings.thoughts import find_thoughts
from .findings.touchpoints import estimate_touchpoints
from .findings.validation import estimate_validation
from .reporting.journey_map import build_map, compare_maps, read_map
from .study.notes import read_notes
from .study.sprints.sprints import compare_sprints
from .study.study import open_study

__all__ = [
    "Exposure",
    "Grouping",
    "JourneyLabError",
    "Source",
    "Table",
    "Window",
    "build_map",
    "build_steps",
    "compare_crm",
    "compare_groups",
    "compare_leavers",
    "compare_maps",
    "compare_personas",
    "compare_silence",
    "compare_sprints",
    "estimate_dropoff",
    "estimate_feelings",
    "estimate_flow",
    "estimate_funnel",
    "estimate_occupancy",
    "estimate_recovery",
    "estimate_survival",
    "estimate_touchpoints",
    "estimate_validation",
    "find_channels",
    "find_cohorts",
    "find_experiences",
    "find_flaws",
    "find_horizons",
    "find_personas",
    "find_quotes",
    "find_spells",
    "find_thoughts",
    "fit_hazards",
    "lint_horizons",
    "lint_journey",
    "open_study",
    "pool_small",
    "read_crm",
    "read_events",
    "read_journey",
    "read_map",
    "read_notes",
    "read_personas",
    "redact",
    "score_value",
    "simulate_log",
]
