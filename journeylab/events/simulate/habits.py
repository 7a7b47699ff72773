"""Planted habits: how does each persona behave, and what may an account do at each stage?

Personas differ in how often they appear, through which channels, in which roles, at which hours, and in what they do;
each account blends its persona with the average (`BLUR`) and adds its own variation, so that personas overlap as real
ones do. In words: A teams that adopt the product without a sponsor; B price-conscious researchers of the web; C
technical integrators; D large buyers with many contacts and meetings; E small firms that work in the evening.
"""

import numpy as np

from journeylab.events.simulate.planted import SHARES

ROLES = ("buyer", "user", "coach", "influencer", "detractor")
CHANNELS = ("product", "mobile", "web", "email", "phone", "chat", "meeting", "social", "partner")
GROUPS = ("product", "marketing", "sales", "workshop", "service", "survey")
PRODUCT, MARKETING, SALES, WORKSHOP, SERVICE, SURVEY = range(len(GROUPS))

PACE = np.array([1.0, 0.85, 1.25, 1.1, 0.8])
PACE_FIRMNESS = 5.0
SESSION = np.array([1.7, 1.1, 3.0, 0.8, 2.0])
SESSION_FIRMNESS = 6.0
OUT_OF_HOURS = np.array([0.08, 0.20, 0.16, 0.05, 0.58])
OUT_OF_HOURS_FIRMNESS = 14.0
BLUR = (1.2, 4.0)
GROUP_FIRMNESS = 20.0
FURTHER_CONTACTS = np.array([1.3, 0.4, 1.2, 2.8, 0.15])

# Moments per week at each stage, beyond the signs of life that keep silence away.
MOMENTS_PER_WEEK = np.array([7.0, 4.2, 1.7, 1.2, 0.6])

# Weights of the groups of moments, per persona (rows) in the order of GROUPS; then how each stage changes them.
GROUP_MIX = np.array(
    [
        (0.55, 0.13, 0.08, 0.12, 0.08, 0.04),
        (0.42, 0.40, 0.04, 0.02, 0.08, 0.04),
        (0.62, 0.05, 0.03, 0.08, 0.19, 0.03),
        (0.26, 0.09, 0.35, 0.20, 0.06, 0.04),
        (0.64, 0.12, 0.02, 0.01, 0.15, 0.06),
    ]
)
STAGE_GROUPS = np.array(
    [
        (1.0, 1.6, 1.5, 0.4, 0.7, 0.7),
        (1.1, 0.8, 0.7, 1.9, 1.4, 1.0),
        (1.3, 0.5, 0.5, 0.9, 1.2, 1.2),
        (1.3, 0.4, 1.0, 0.6, 1.0, 1.2),
        (1.3, 0.9, 0.7, 0.5, 0.7, 1.4),
    ]
)

# First contact (usually the one who signs up), then all further ones: weights in the order of ROLES, per persona.
ROLE_MIX = (
    np.array(
        [
            (0.15, 0.60, 0.20, 0.04, 0.01),
            (0.45, 0.45, 0.04, 0.04, 0.02),
            (0.08, 0.72, 0.10, 0.08, 0.02),
            (0.62, 0.10, 0.10, 0.15, 0.03),
            (0.50, 0.48, 0.01, 0.01, 0.00),
        ]
    ),
    np.array(
        [
            (0.10, 0.55, 0.20, 0.09, 0.06),
            (0.35, 0.45, 0.05, 0.08, 0.07),
            (0.08, 0.62, 0.12, 0.12, 0.06),
            (0.38, 0.14, 0.10, 0.26, 0.12),
            (0.35, 0.55, 0.03, 0.04, 0.03),
        ]
    ),
)

# Attributes: values, weights common to all, then weights that each persona leans to.
LEANING = 0.35
MISSING_ATTRIBUTE = 0.02
ATTRIBUTES = {
    "plan": (
        ("starter", "team", "business"),
        (0.45, 0.38, 0.17),
        ((0.3, 0.6, 0.1), (0.8, 0.2, 0.0), (0.2, 0.5, 0.3), (0.0, 0.3, 0.7), (0.9, 0.1, 0.0)),
    ),
    "segment": (
        ("small business", "mid-market", "enterprise"),
        (0.5, 0.35, 0.15),
        ((0.4, 0.5, 0.1), (0.8, 0.2, 0.0), (0.3, 0.5, 0.2), (0.0, 0.3, 0.7), (1.0, 0.0, 0.0)),
    ),
    "industry": (
        ("software", "agency", "manufacturing", "education", "health", "retail"),
        (0.25, 0.2, 0.17, 0.13, 0.12, 0.13),
        (
            (0.2, 0.2, 0.1, 0.2, 0.2, 0.1),
            (0.1, 0.3, 0.1, 0.1, 0.1, 0.3),
            (0.6, 0.1, 0.2, 0.0, 0.1, 0.0),
            (0.1, 0.0, 0.5, 0.0, 0.2, 0.2),
            (0.1, 0.6, 0.0, 0.2, 0.0, 0.1),
        ),
    ),
    "country": (
        ("DE", "US", "GB", "FR", "NL", "BR"),
        (0.28, 0.24, 0.18, 0.13, 0.1, 0.07),
        (
            (0.4, 0.2, 0.2, 0.1, 0.1, 0.0),
            (0.1, 0.2, 0.2, 0.2, 0.1, 0.2),
            (0.3, 0.3, 0.1, 0.1, 0.2, 0.0),
            (0.3, 0.4, 0.2, 0.1, 0.0, 0.0),
            (0.2, 0.1, 0.3, 0.2, 0.1, 0.1),
        ),
    ),
}
SEATS = np.array([16.0, 9.0, 18.0, 40.0, 6.0])
SEATS_SPREAD = 0.9

# Chance that a text is unhappy or neutral on a good day, per persona; the rest is happy. A coming loss adds to the
# unhappy.
UNHAPPY = np.array([0.22, 0.32, 0.26, 0.20, 0.24])
NEUTRAL = np.array([0.33, 0.38, 0.36, 0.30, 0.22])
UNHAPPY_BEFORE_LOSS = 0.55
LOSS_SHADOW_DAYS = 35.0


def with_average(mix: np.ndarray) -> np.ndarray:
    """`mix` (personas first) with one more row: the average over all accounts."""
    return np.concatenate([mix, np.average(mix, axis=0, weights=SHARES)[None]])


AVERAGE_GROUP_MIX = np.average(GROUP_MIX, axis=0, weights=SHARES)
