"""Planted hazards: how fast does each persona leave each stage, and by which exit?

Each exit of a stage has its own latent Weibull time, independent of the others; the earliest one happens. The
cause-specific hazard of an exit at t days in the stage is then (shape / scale) (t / scale)^(shape - 1), whatever the
others are (Kalbfleisch & Prentice, The Statistical Analysis of Failure Time Data, 2002, section 8.2). Falling silent is
dated `silent_after` later than the last sign of life, so its time carries that delay on top.

What differs between personas is in personas.yml, what all share is here and in `habits`.
"""

from typing import Any

import numpy as np
import pandas as pd

from journeylab.base.durations import days
from journeylab.events.journey import SILENT, Journey
from journeylab.events.simulate.arrays import load, table

PLANTED = load("personas.yml")
PERSONAS = tuple(PLANTED["personas"])
STAGES = ("evaluating", "onboarding", "adopting", "expanding", "partner")
BRANCHES = ("price", "competitor", "missing_feature", "no_sponsor", "other", SILENT)
EXITS = ("advance", "regress", *BRANCHES)
ADVANCE, REGRESS, FIRST_BRANCH, SILENCE = 0, 1, 2, len(EXITS) - 1
PARTNER = len(STAGES) - 1
# Instead of a position in EXITS: the visit does not end.
STAYS = -1

# Weibull shapes: customers need time to advance; those who fall silent mostly do so early.
SHAPES = np.array([1.3, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.9])

# Accounts that work outside office hours wait longer for answers, and every loss comes this much faster.
OUT_OF_HOURS_RATIO = 1.35
OUT_OF_HOURS_FROM = 0.3


def by_persona(key: str) -> list[Any]:
    """What personas.yml says under `key`, persona by persona."""
    return [persona[key] for persona in PLANTED["personas"].values()]


SHARES = by_persona("share")
# Who comes back, after a declared loss and after falling silent, and the median days until then.
RETURN_CHANCE = table(by_persona("returns"), ("declared", "silent"))
RETURN_MEDIAN_DAYS = (55.0, 22.0)
RETURN_SPREAD = 0.6
RETURN_FROM_DAYS = 10.0


def scales() -> np.ndarray:
    """Weibull scales in days: personas x stages before partner x exits; infinite for an exit that does not exist."""
    stages = [[exits[stage] for stage in STAGES[:PARTNER]] for exits in by_persona("exits")]
    weights, scale = (np.array([table(rows, columns) for rows in stages]) for columns in (EXITS, ("days",)))
    with np.errstate(divide="ignore"):
        return scale * weights ** (-1 / SHAPES)


def silence_days(journey: Journey) -> np.ndarray:
    """`silent_after` of each stage in days; infinite where a stage has none."""
    return np.array([days(stage.silent_after) if stage.silent_after else np.inf for stage in journey.stages])


def destinations(stages: np.ndarray, exits: np.ndarray) -> np.ndarray:
    """The stage or branch that follows on leaving `stages` by `exits` (positions in STAGES and EXITS), None for
    STAYS."""
    names, stage_names = np.array([*EXITS, None], dtype=object), np.array(STAGES, dtype=object)
    to = np.where(exits == ADVANCE, stage_names[np.minimum(stages + 1, PARTNER)], names[exits])
    return np.where(exits == REGRESS, stage_names[stages - 1], to)


def planted_table(journey: Journey) -> pd.DataFrame:
    """The planted hazards, one row per persona, stage and exit.

    Columns: `persona`, `stage`, `exit` (of EXITS), `to`, `delay_days` (added to the Weibull time), `shape`,
    `scale_days`, and `out_of_hours_ratio`: what multiplies the hazard for accounts that work outside office hours.
    """
    scale = scales()
    persona, stage, exits = np.nonzero(np.isfinite(scale))
    return pd.DataFrame(
        {
            "persona": np.array(PERSONAS, dtype=object)[persona],
            "stage": np.array(STAGES, dtype=object)[stage],
            "exit": np.array(EXITS, dtype=object)[exits],
            "to": destinations(stage, exits),
            "delay_days": np.where(exits == SILENCE, silence_days(journey)[stage], 0.0),
            "shape": SHAPES[exits],
            "scale_days": scale[persona, stage, exits],
            "out_of_hours_ratio": np.where(exits >= FIRST_BRANCH, OUT_OF_HOURS_RATIO, 1.0),
        }
    )
