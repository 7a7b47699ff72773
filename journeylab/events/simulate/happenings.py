"""Happenings: which events can a simulated account cause or receive, and through which channels? See events.yml."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from journeylab.events.log import INITIATORS
from journeylab.events.simulate.arrays import load, table
from journeylab.events.simulate.habits import CHANNELS, GROUPS, with_average
from journeylab.events.simulate.planted import PERSONAS, STAGES, by_persona

PROCESSES = ("marketing", "sales", "delivery", "service", "follow-up")


@dataclass(frozen=True)
class Happening:
    """A kind of event.

    channels: weights by name. group: the moments it occurs in, or None if it has causes of its own. weights: how likely
    it is in its group, per persona. stage: where it is three times as likely.
    """

    event: str
    process: str
    channels: Mapping[str, float]
    initiator: str = "customer"
    group: str | None = None
    weights: Sequence[float] = (0.0,) * len(PERSONAS)
    stage: str | None = None


_EVENTS = load("events.yml")
HAPPENINGS = tuple(Happening(event, **described) for event, described in _EVENTS["happenings"].items())
NAMES = tuple(happening.event for happening in HAPPENINGS)
OPENERS = ("trial_started", "subscribed", "first_team_live", "second_team_joined", "referral_made")
REOPENERS = {"onboarding": "rollout_restarted", "adopting": "downgraded"}
VALIDATORS = ("project_created", "teammate_joined", "weekly_plan_completed", "report_shared", "reference_call_held")
# Why customers cancel; the weights have one row per declared branch.
CANCEL_REASONS = tuple(reason for weights in _EVENTS["reasons"].values() for reason in weights)
REASON_WEIGHTS = table(_EVENTS["reasons"].values(), CANCEL_REASONS)
# A third party reports an insolvent customer; the company ends contracts that are not paid.
INITIATOR_OF_REASON = {"insolvent": "third_party", "unpaid": "company"}


def code(event: str) -> int:
    """The position of `event` in HAPPENINGS."""
    return NAMES.index(event)


@cache
def event_weights() -> np.ndarray:
    """Weights of the events of a moment: rows (personas and their average) x stages x groups, one column per
    happening."""
    weights = np.zeros((len(PERSONAS), len(STAGES), len(GROUPS), len(HAPPENINGS)))
    for column, happening in enumerate(HAPPENINGS):
        if happening.group:
            boost = [3.0 if stage == happening.stage else 1.0 for stage in STAGES]
            weights[:, :, GROUPS.index(happening.group), column] = np.outer(happening.weights, boost)
    return with_average(weights).reshape(-1, len(HAPPENINGS))


@cache
def channel_weights() -> np.ndarray:
    """Weights of the channels: (personas x happenings) rows, one column per channel."""
    of_persona = table(by_persona("channels"), CHANNELS, missing=1.0)
    of_happening = table((happening.channels for happening in HAPPENINGS), CHANNELS)
    return (of_persona[:, None] * of_happening).reshape(-1, len(CHANNELS))


def _positions(names: Iterable[str], among: Sequence[str]) -> np.ndarray:
    return np.array([among.index(name) for name in names], dtype=np.int8)


PROCESS_OF = _positions((happening.process for happening in HAPPENINGS), PROCESSES)
INITIATOR_OF = _positions((happening.initiator for happening in HAPPENINGS), INITIATORS)
