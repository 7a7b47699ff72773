"""Planted habits: how does each persona behave, and what may an account do at each stage?

Personas differ in how often they appear, through which channels, in which roles, at which hours, and in what they do
(personas.yml says how). Each account blends its persona with the average (`BLUR`) and adds its own variation, so that
personas overlap as real ones do.
"""

import numpy as np

from journeylab.events.simulate.arrays import table
from journeylab.events.simulate.planted import PLANTED, SHARES, by_persona

ROLES = ("buyer", "user", "coach", "influencer", "detractor")
CHANNELS = ("product", "mobile", "web", "email", "phone", "chat", "meeting", "social", "partner")
GROUPS = ("product", "marketing", "sales", "workshop", "service", "survey")
PRODUCT, MARKETING, SALES, WORKSHOP, SERVICE, SURVEY = range(len(GROUPS))

# The larger a firmness, the closer accounts stay to their persona.
PACE, PACE_FIRMNESS = np.array(by_persona("pace")), 5.0
SESSION, SESSION_FIRMNESS = np.array(by_persona("session")), 6.0
OUT_OF_HOURS, OUT_OF_HOURS_FIRMNESS = np.array(by_persona("out_of_hours")), 14.0
GROUP_MIX, GROUP_FIRMNESS = table(by_persona("groups"), GROUPS), 20.0
BLUR = (1.2, 4.0)
FURTHER_CONTACTS = np.array(by_persona("further_contacts"))
ROLE_MIX = tuple(table(by_persona(contact), ROLES) for contact in ("first_contact", "other_contacts"))

# Moments per week at each stage, beyond the signs of life that keep silence away.
MOMENTS_PER_WEEK = np.array([7.0, 4.2, 1.7, 1.2, 0.6])
STAGE_GROUPS = table(PLANTED["stages"].values(), GROUPS)

# By attribute: its values, the weights common to all, and the weights that each persona leans to.
ATTRIBUTES = {
    name: (attribute["values"], attribute["common"], list(attribute["leaning"].values()))
    for name, attribute in PLANTED["attributes"].items()
}
LEANING = 0.35
MISSING_ATTRIBUTE = 0.02
SEATS, SEATS_SPREAD = np.array(by_persona("seats")), 0.9

UNHAPPY, NEUTRAL = np.array(by_persona("unhappy")), np.array(by_persona("neutral"))
UNHAPPY_BEFORE_LOSS = 0.55
LOSS_SHADOW_DAYS = 35.0


def with_average(mix: np.ndarray) -> np.ndarray:
    """`mix` (personas first) with one more row: the average over all accounts."""
    return np.concatenate([mix, np.average(mix, axis=0, weights=SHARES)[None]])


AVERAGE_GROUP_MIX = np.average(GROUP_MIX, axis=0, weights=SHARES)
