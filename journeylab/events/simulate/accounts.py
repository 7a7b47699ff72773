"""Accounts: who are the simulated customers, and what is known of them at the start?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from journeylab.events.simulate import habits, planted
from journeylab.events.simulate.arrays import Records, choose
from journeylab.events.simulate.calendar import at_working_time, entry_times

MAX_CONTACTS = 6


@dataclass(frozen=True)
class Accounts(Records):
    """Accounts by position; every array has one row per account.

    persona: position in PERSONAS. entry: when the first trial starts (seconds since the window's start).
    out_of_hours: share of moments outside office hours.
    blur: share of behaviour that follows the average account instead of the persona.
    pace: how often it acts, against the average. groups: weights of the groups of moments (accounts x groups).
    session: mean number of further events in a session.
    n_contacts; roles: positions in ROLES (accounts x MAX_CONTACTS).
    """

    persona: np.ndarray
    entry: np.ndarray
    out_of_hours: np.ndarray
    blur: np.ndarray
    pace: np.ndarray
    groups: np.ndarray
    session: np.ndarray
    n_contacts: np.ndarray
    roles: np.ndarray

    def draw_contacts(self, rng: np.random.Generator, account: np.ndarray) -> np.ndarray:
        """One contact for each of `account`; the first ones of an account act most."""
        return (self.n_contacts[account] * rng.random(len(account)) ** 1.8).astype(np.int8)

    def draw_actors(self, rng: np.random.Generator, account: np.ndarray) -> np.ndarray:
        """The persona that each of `account` acts as; by its blur the average one, which comes after all personas."""
        return np.where(rng.random(len(account)) < self.blur[account], len(planted.PERSONAS), self.persona[account])


def draw_accounts(rng: np.random.Generator, n: int) -> Accounts:
    """`n` accounts with personas in the planted shares; habits vary between the accounts of a persona."""
    persona = rng.choice(len(planted.PERSONAS), size=n, p=planted.SHARES)
    share = habits.OUT_OF_HOURS[persona]
    out_of_hours = rng.beta(habits.OUT_OF_HOURS_FIRMNESS * share, habits.OUT_OF_HOURS_FIRMNESS * (1 - share))
    blur = rng.beta(*habits.BLUR, size=n)
    mixed = (1 - blur)[:, None] * habits.GROUP_MIX[persona] + blur[:, None] * habits.AVERAGE_GROUP_MIX
    n_contacts = np.minimum(1 + rng.poisson(habits.FURTHER_CONTACTS[persona]), MAX_CONTACTS)
    roles = np.stack(
        [choose(rng, habits.ROLE_MIX[min(contact, 1)], persona) for contact in range(MAX_CONTACTS)], axis=1
    )
    return Accounts(
        persona=persona,
        entry=at_working_time(rng, entry_times(rng, n), out_of_hours),
        out_of_hours=out_of_hours,
        blur=blur,
        pace=habits.PACE[persona] * rng.gamma(habits.PACE_FIRMNESS, 1 / habits.PACE_FIRMNESS, n),
        groups=rng.gamma(habits.GROUP_FIRMNESS * mixed) + 1e-9,
        session=habits.SESSION[persona] * rng.gamma(habits.SESSION_FIRMNESS, 1 / habits.SESSION_FIRMNESS, n),
        n_contacts=n_contacts,
        roles=roles.astype(np.int8),
    )


def draw_attributes(rng: np.random.Generator, persona: np.ndarray) -> pd.DataFrame:
    """What is known of each account at the start: plan, segment, industry, country, seats; now and then missing.

    Attributes lean towards the persona but a little: most accounts draw them from the same distribution.
    """
    table = {}
    for name, (values, common, leaning) in habits.ATTRIBUTES.items():
        weights = (1 - habits.LEANING) * np.array(common)[None, :] + habits.LEANING * np.array(leaning)
        cells = np.array(values, dtype=object)[choose(rng, weights, persona)]
        table[name] = np.where(rng.random(len(persona)) < habits.MISSING_ATTRIBUTE, None, cells)
    size = np.exp(rng.normal(np.log(habits.SEATS)[persona], habits.SEATS_SPREAD))
    table["seats"] = pd.array(np.clip(np.rint(size), 1, 2_000).astype(int), dtype="Int64")
    return pd.DataFrame(table)
