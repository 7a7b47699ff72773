"""Planted hazards: how fast does each persona leave each stage, by which way?

Each way out of a stage has its own latent Weibull time, independent of the others; the earliest one happens. The
cause-specific hazard of a way out at t days in the stage is then (shape / scale) (t / scale)^(shape - 1), whatever the
others are (Kalbfleisch & Prentice, The Statistical Analysis of Failure Time Data, 2002, section 8.2). Falling silent is
dated `silent_after` later than the last sign of life, so its time carries that delay on top.
"""

import numpy as np
import pandas as pd

from journeylab.base.durations import days
from journeylab.events.journey import SILENT, Journey

PERSONAS = ("A", "B", "C", "D", "E")
SHARES = (0.34, 0.26, 0.20, 0.13, 0.07)
STAGES = ("evaluating", "onboarding", "adopting", "expanding", "partner")
BRANCHES = ("price", "competitor", "missing_feature", "no_sponsor", "other", SILENT)
EXITS = ("advance", "regress", *BRANCHES)
ADVANCE, REGRESS, FIRST_BRANCH, SILENCE = 0, 1, 2, len(EXITS) - 1
PARTNER = len(STAGES) - 1

# Weibull shapes: customers need time to advance; those who fall silent mostly do so early.
SHAPES = np.array([1.3, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.9])

# Accounts that work outside office hours wait longer for answers, and every loss comes this much faster.
OUT_OF_HOURS_RATIO = 1.35
OUT_OF_HOURS_FROM = 0.3

# Per persona and stage: days (scale of the time in stage), then the weight of each way out, in the order of EXITS. The
# heaviest loss of each persona: A onboarding x no_sponsor, B evaluating x price, C adopting x missing_feature, D
# expanding x competitor, E onboarding x silent. Overall the first of these is the worst, for A is the largest persona.
_WEIGHTS = {
    "A": (
        (25, 0.74, 0, 0.04, 0.03, 0.03, 0.03, 0.02, 0.18),
        (45, 0.30, 0, 0.03, 0.03, 0.03, 0.52, 0.02, 0.18),
        (110, 0.60, 0.06, 0.05, 0.05, 0.05, 0.06, 0.03, 0.18),
        (170, 0.60, 0.10, 0.05, 0.06, 0.04, 0.03, 0.03, 0.16),
    ),
    "B": (
        (18, 0.52, 0, 0.26, 0.04, 0.03, 0.02, 0.02, 0.20),
        (30, 0.68, 0, 0.08, 0.03, 0.03, 0.10, 0.02, 0.16),
        (90, 0.58, 0.06, 0.10, 0.05, 0.05, 0.02, 0.03, 0.20),
        (150, 0.55, 0.12, 0.10, 0.06, 0.04, 0.01, 0.03, 0.18),
    ),
    "C": (
        (30, 0.76, 0, 0.03, 0.05, 0.06, 0.02, 0.01, 0.14),
        (50, 0.66, 0, 0.02, 0.04, 0.08, 0.12, 0.01, 0.14),
        (100, 0.34, 0.05, 0.02, 0.05, 0.42, 0.03, 0.02, 0.16),
        (160, 0.58, 0.10, 0.03, 0.08, 0.10, 0.02, 0.02, 0.14),
    ),
    "D": (
        (45, 0.74, 0, 0.03, 0.06, 0.03, 0.04, 0.02, 0.12),
        (60, 0.72, 0, 0.02, 0.05, 0.03, 0.11, 0.02, 0.10),
        (90, 0.76, 0.04, 0.02, 0.06, 0.03, 0.02, 0.02, 0.10),
        (130, 0.32, 0.06, 0.03, 0.47, 0.03, 0.03, 0.02, 0.12),
    ),
    "E": (
        (15, 0.70, 0, 0.06, 0.04, 0.04, 0.01, 0.02, 0.22),
        (40, 0.24, 0, 0.03, 0.02, 0.03, 0.03, 0.02, 0.80),
        (60, 0.50, 0.05, 0.05, 0.03, 0.05, 0.01, 0.03, 0.40),
        (120, 0.52, 0.10, 0.06, 0.05, 0.05, 0.01, 0.03, 0.30),
    ),
}

# Per persona: the chance to come back after a declared loss, and after falling silent; then the median days until then.
RETURN_CHANCE = np.array([(0.12, 0.18), (0.22, 0.15), (0.10, 0.20), (0.08, 0.25), (0.06, 0.30)])
RETURN_MEDIAN_DAYS = (55.0, 22.0)
RETURN_SPREAD = 0.6
RETURN_FROM_DAYS = 10.0


def scales() -> np.ndarray:
    """Weibull scales in days: personas x stages before partner x exits; infinite where a way out does not exist."""
    weights = np.array([_WEIGHTS[persona] for persona in PERSONAS], dtype=float)
    with np.errstate(divide="ignore"):
        return weights[..., :1] * weights[..., 1:] ** (-1 / SHAPES)


def silence_days(journey: Journey) -> np.ndarray:
    """`silent_after` of each stage in days; infinite where a stage has none."""
    return np.array([days(stage.silent_after) if stage.silent_after else np.inf for stage in journey.stages])


def destination(stage: int, way_out: int) -> str:
    """Where a customer goes who leaves `stage` by `way_out` (positions in STAGES and EXITS): a stage or a branch."""
    if way_out >= FIRST_BRANCH:
        return EXITS[way_out]
    return STAGES[stage + 1] if way_out == ADVANCE else STAGES[stage - 1]


def planted_table(journey: Journey) -> pd.DataFrame:
    """The planted hazards, one row per persona, stage and exit.

    Columns: `persona`, `stage`, `exit` (of EXITS), `to`, `delay_days` (added to the Weibull time), `shape`,
    `scale_days`, and `out_of_hours_ratio`: what multiplies the hazard for accounts that work outside office hours.
    """
    scale, delay = scales(), silence_days(journey)
    found = [
        {
            "persona": PERSONAS[persona],
            "stage": STAGES[stage],
            "exit": EXITS[way_out],
            "to": destination(stage, way_out),
            "delay_days": delay[stage] if way_out == SILENCE else 0.0,
            "shape": SHAPES[way_out],
            "scale_days": scale[persona, stage, way_out],
            "out_of_hours_ratio": OUT_OF_HOURS_RATIO if way_out >= FIRST_BRANCH else 1.0,
        }
        for persona, stage, way_out in np.argwhere(np.isfinite(scale)).tolist()
    ]
    return pd.DataFrame(found)
