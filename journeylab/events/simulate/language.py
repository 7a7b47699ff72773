"""Language: what do simulated customers say, about what, and in which mood?

Every sentence is an opening, a clause about a topic, and a closing, all in one mood (sentences.yml).
"""

from functools import cache

import numpy as np

from journeylab.events.simulate import habits
from journeylab.events.simulate.arrays import load
from journeylab.events.simulate.planted import FIRST_BRANCH

MOODS = ("unhappy", "neutral", "happy")
UNHAPPY, NEUTRAL, HAPPY = range(len(MOODS))
_PARTS = load("sentences.yml")
TOPICS = tuple(_PARTS["clauses"])


@cache
def sentences() -> tuple[str, ...]:
    """All sentences: topics x moods x clauses x openings x closings, in that order; as many for each topic and mood."""
    return tuple(
        f"{opening} {clause}. {closing}"
        for clauses in _PARTS["clauses"].values()
        for mood in MOODS
        for clause in clauses[mood]
        for opening in _PARTS["openings"][mood]
        for closing in _PARTS["closings"][mood]
    )


def draw_sentences(rng: np.random.Generator, topics: np.ndarray, moods: np.ndarray) -> np.ndarray:
    """Positions in `sentences()`: one on each topic, in each mood."""
    per_mood = len(sentences()) // (len(TOPICS) * len(MOODS))
    return (topics * len(MOODS) + moods) * per_mood + rng.integers(per_mood, size=len(topics))


def draw_moods(rng: np.random.Generator, persona: np.ndarray, shadow: np.ndarray) -> np.ndarray:
    """Moods by persona; `shadow` (0 to 1) is how near a loss is."""
    unhappy = habits.UNHAPPY[persona] + habits.UNHAPPY_BEFORE_LOSS * shadow
    neutral = habits.NEUTRAL[persona] * (1 - 0.6 * shadow)
    chance = rng.random(len(persona))
    return np.select([chance < unhappy, chance < unhappy + neutral], [UNHAPPY, NEUTRAL], HAPPY)


def draw_topics(rng: np.random.Generator, exits: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Topics: with `chance` the reason of a coming declared loss, else any."""
    topic = rng.integers(len(TOPICS), size=len(exits))
    reason = exits - FIRST_BRANCH
    is_reason = (reason >= 0) & (reason < TOPICS.index("speed")) & (rng.random(len(exits)) < chance)
    return np.where(is_reason, reason, topic)


def draw_scores(rng: np.random.Generator, mood: np.ndarray) -> np.ndarray:
    """Answers from 0 to 10 to “How likely are you to recommend us?”."""
    return np.clip(np.rint(np.array([3.2, 6.9, 9.0])[mood] + 1.4 * rng.standard_normal(len(mood))), 0, 10)
