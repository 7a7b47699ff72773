"""How well can the planted personas be told at all? Bayes' rule with everything that the simulator knows.

For each account, the probability of each persona given what it did in its first days, with the simulator's own
parameters: shares, contacts and roles, working hours, pace, sessions, groups of moments, events, channels,
and how long it stayed in each stage. What varies between the accounts of a persona (pace, length of sessions, blur) is
summed over a grid. No method that learns from the log alone can be expected to do better. Left aside are attributes,
which make no personas, and what says next to nothing: moods and scores, values, the season of each moment, and exact
minutes.
"""

import numpy as np
import pandas as pd
from scipy.special import betaln, gammaln, logsumexp
from scipy.stats import beta, gamma, poisson

from journeylab.events.simulate import habits, planted
from journeylab.events.simulate.activity import _SIGNS_OF_LIFE, _VALIDATING
from journeylab.events.simulate.calendar import DAY, WEEK, is_out_of_hours, season
from journeylab.events.simulate.habits import CHANNELS, GROUPS, PRODUCT
from journeylab.events.simulate.happenings import (
    HAPPENINGS,
    NAMES,
    VALIDATORS,
    channel_weights,
    code,
    event_weights,
)
from journeylab.events.simulate.planted import ADVANCE, EXITS, FIRST_BRANCH, PERSONAS, REGRESS, SILENCE, STAGES

N_PERSONAS, AVERAGE = len(PERSONAS), len(PERSONAS)
GRID = (np.arange(24) + 0.5) / 24
GROUP_OF = np.array([GROUPS.index(each.group) if each.group else -1 for each in HAPPENINGS])
SEASON_TOP = 1.2
SHARE_ADVANCING = 0.7


def optimal(simulation, customers: pd.Index, *, days: float) -> np.ndarray:
    """(customers, personas): the probability of each planted persona of `customers` (who entered in the window, were
    watched for `days` and not lost) given their first days."""
    events, visits = _observed(simulation, customers, days=days)
    n = len(customers)
    score = np.log(planted.SHARES) + _contacts(events, n) + _hours(events, n) + _pace(events, visits, simulation, n)
    score += _sessions(events, n) + _deeds(events, n) + _channels(events, n) + _stays(visits, simulation, n)
    return np.exp(score - logsumexp(score, axis=1, keepdims=True))


def _observed(simulation, customers: pd.Index, *, days: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The accounts' own events and visits in their first days, with accounts, stages and events as numbers."""
    spells = simulation.truth.observed()
    spells = spells[spells["customer_id"].isin(customers)]
    spells = spells.assign(account=customers.get_indexer(spells["customer_id"]), **_plain(spells, "entered", "left"))
    entered = spells.groupby("account")["entered"].min().to_numpy()
    end = entered + np.timedelta64(int(days * DAY), "s")
    visits = spells[spells["entered"].to_numpy() < end[spells["account"]]]
    last = end[visits["account"]]
    is_cut = visits["left"].to_numpy() >= last
    way_out = [PLACE_OF.get((row.outcome, row.to), -1) for row in visits.itertuples()]
    visits = visits.assign(
        stage=[STAGES.index(stage) for stage in visits["stage"]],
        stay=(np.where(is_cut, last, visits["left"].to_numpy()) - visits["entered"].to_numpy())
        / np.timedelta64(1, "D"),
        way_out=np.where(is_cut, -1, way_out),
    )
    events = simulation.log.events.execute()
    events = events[events["customer_id"].isin(customers) & (events["initiator"] != "company")]
    events = events.assign(account=customers.get_indexer(events["customer_id"]), **_plain(events, "time"))
    time = events["time"].to_numpy()
    is_first = (time >= entered[events["account"]]) & (time < end[events["account"]])
    events = events[is_first].sort_values("time", kind="stable")
    starts = visits[["account", "entered", "stage"]].rename(columns={"entered": "time"}).sort_values("time")
    events = pd.merge_asof(events, starts, on="time", by="account")
    window = simulation.truth.window.start.tz_localize(None)
    return events.assign(
        code=[code(event) for event in events["event"]],
        group=lambda table: GROUP_OF[table["code"]],
        second=(events["time"] - window) // pd.Timedelta(seconds=1),
        is_moment=lambda table: (
            ((table["group"] >= 0) & (table["group"] != PRODUCT)) | (table["event"] == "session_started")
        ),
        is_further=lambda table: (table["group"] == PRODUCT) | (table["event"] == "integration_synced"),
    ), visits


def _plain(table: pd.DataFrame, *columns: str) -> dict[str, pd.Series]:
    """Times without their zone, in microseconds."""
    return {name: table[name].dt.tz_localize(None).astype("datetime64[us]") for name in columns}


PLACE_OF = {
    **{("advanced", stage): ADVANCE for stage in STAGES},
    **{("completed", stage): ADVANCE for stage in STAGES},
    **{("regressed", stage): REGRESS for stage in STAGES},
    **{("lost", branch): place for place, branch in enumerate(EXITS) if place >= FIRST_BRANCH},
}


def _contacts(events: pd.DataFrame, n: int) -> np.ndarray:
    """Which people were seen: how many there are is summed over; then the role of each one seen."""
    seen = events[events["contact_id"].notna()]
    place = seen["contact_id"].str.rsplit("-", n=1).str[1].astype(int).to_numpy() - 1
    times = np.zeros((n, 6))
    np.add.at(times, (seen["account"].to_numpy(), place), 1)
    by_number = np.full((n, 6), -np.inf)
    for many in range(1, 7):
        edges = (np.arange(many + 1) / many) ** (1 / 1.8)
        chance = np.zeros(6)
        chance[:many] = np.diff(edges)
        possible = (times[:, many:] == 0).all(axis=1)
        by_number[possible, many - 1] = times[possible, :many] @ np.log(chance[:many])
    found = np.empty((n, N_PERSONAS))
    for persona, further in enumerate(habits.FURTHER_CONTACTS):
        prior = poisson.logpmf(np.arange(6), further)
        prior[5] = np.log(poisson.sf(4, further))
        found[:, persona] = logsumexp(by_number + prior, axis=1)
    people = seen.assign(place=place).drop_duplicates("contact_id")
    role = pd.Index(habits.ROLES).get_indexer(people["role"])
    mix = np.stack(habits.ROLE_MIX)[np.minimum(people["place"], 1), :, role]
    np.add.at(found, people["account"].to_numpy(), np.log(mix + 1e-12))
    return found


def _hours(events: pd.DataFrame, n: int) -> np.ndarray:
    moments = events[events["is_moment"]]
    is_out = is_out_of_hours(moments["second"].to_numpy())
    out = np.bincount(moments["account"], weights=is_out, minlength=n)[:, None]
    within = np.bincount(moments["account"], weights=~is_out, minlength=n)[:, None]
    a = habits.OUT_OF_HOURS_FIRMNESS * habits.OUT_OF_HOURS
    b = habits.OUT_OF_HOURS_FIRMNESS - a
    return betaln(a + out, b + within) - betaln(a, b)


def _pace(events: pd.DataFrame, visits: pd.DataFrame, simulation, n: int) -> np.ndarray:
    """How many moments beyond the signs of life, with the account's own pace summed over."""
    silence = planted.silence_days(simulation.journey)
    stage, length = visits["stage"].to_numpy(), visits["stay"].to_numpy() * DAY
    cell = silence[stage] * _SIGNS_OF_LIFE * DAY
    middle = (visits["entered"] - simulation.truth.window.start.tz_localize(None)) / pd.Timedelta(
        seconds=1
    ) + length / 2
    busy = season(middle.to_numpy().astype(np.int64)) / SEASON_TOP
    n_signs = np.bincount(visits["account"], weights=length / cell, minlength=n)
    n_moments = np.bincount(events.loc[events["is_moment"], "account"], minlength=n)
    more = np.clip(n_moments - np.round(n_signs), 0, None)[:, None]
    found = np.empty((n, N_PERSONAS))
    own = gamma.ppf(GRID, habits.PACE_FIRMNESS, scale=1 / habits.PACE_FIRMNESS)
    for persona, mean in enumerate(habits.PACE):
        rate = mean * own * (habits.MOMENTS_PER_WEEK[stage] / WEEK)[:, None]
        expected = np.maximum(rate - (1 / cell)[:, None], 0.2 * rate) * (length * busy)[:, None]
        total = np.zeros((n, len(own)))
        np.add.at(total, visits["account"].to_numpy(), expected)
        found[:, persona] = logsumexp(poisson.logpmf(more, total + 1e-9), axis=1) - np.log(len(own))
    return found


def _sessions(events: pd.DataFrame, n: int) -> np.ndarray:
    """How many events follow in sessions, with the account's own length of sessions summed over."""
    sessions = np.bincount(events.loc[events["event"] == "session_started", "account"], minlength=n)[:, None]
    further = np.bincount(events.loc[events["is_further"], "account"], minlength=n)[:, None]
    own = gamma.ppf(GRID, habits.SESSION_FIRMNESS, scale=1 / habits.SESSION_FIRMNESS)
    found = np.empty((n, N_PERSONAS))
    for persona, mean in enumerate(habits.SESSION):
        length = mean * own
        each = further * np.log(length) - (further + sessions) * np.log1p(length)
        found[:, persona] = logsumexp(each, axis=1) - np.log(len(own))
    return found


def _deeds(events: pd.DataFrame, n: int) -> np.ndarray:
    """In which groups the moments fall, and which events happen: the account's blur, which bears on both, is summed
    over."""
    weights = event_weights().reshape(N_PERSONAS + 1, len(STAGES), len(GROUPS), len(NAMES))
    chance = weights / np.maximum(weights.sum(axis=-1, keepdims=True), 1e-12)
    for stage, validator in enumerate(VALIDATORS[:-1]):
        proving = _VALIDATING * SHARE_ADVANCING
        chance[:, stage, PRODUCT] *= 1 - proving
        chance[:, stage, PRODUCT, code(validator)] += proving
    drawn = events[(events["group"] >= 0) | events["is_further"]]
    event = drawn["code"].replace(code("integration_synced"), code("integration_connected")).to_numpy()
    group = np.where(drawn["is_further"], PRODUCT, drawn["group"])
    stage, account = drawn["stage"].to_numpy(), drawn["account"].to_numpy()
    moments = events[events["is_moment"]]
    counts = np.zeros((n, len(STAGES), len(GROUPS)))
    of_moment = np.where(moments["event"] == "session_started", PRODUCT, moments["group"])
    np.add.at(counts, (moments["account"].to_numpy(), moments["stage"].to_numpy(), of_moment), 1)
    found = np.empty((n, N_PERSONAS))
    blurs = beta.ppf(GRID, *habits.BLUR)
    average = chance[AVERAGE, stage, group, event]
    for persona in range(N_PERSONAS):
        own = chance[persona, stage, group, event]
        by_blur = np.empty((n, len(blurs)))
        for place, blur in enumerate(blurs):
            each = np.log((1 - blur) * own + blur * average + 1e-12)
            by_blur[:, place] = np.bincount(account, weights=each, minlength=n)
            mixed = (1 - blur) * habits.GROUP_MIX[persona] + blur * habits.AVERAGE_GROUP_MIX
            by_blur[:, place] += _groups(counts, mixed)
        found[:, persona] = logsumexp(by_blur, axis=1) - np.log(len(blurs))
    return found


def _groups(counts: np.ndarray, mixed: np.ndarray) -> np.ndarray:
    """Log-likelihood of the moments by stage and group, Dirichlet-multinomial about the mix as the stages change it."""
    tilted = mixed * habits.STAGE_GROUPS
    tilted /= tilted.sum(axis=1, keepdims=True)
    by_stage = counts.sum(axis=2)
    total = by_stage.sum(axis=1)
    mean = (by_stage @ tilted) / np.maximum(total, 1)[:, None]
    strength = habits.GROUP_FIRMNESS * np.where(total > 0, 1.0, 0.0)[:, None] * mean + 1e-9
    groups = counts.sum(axis=1)
    return (
        gammaln(strength.sum(axis=1))
        - gammaln(strength.sum(axis=1) + total)
        + (gammaln(strength + groups) - gammaln(strength)).sum(axis=1)
    )


def _channels(events: pd.DataFrame, n: int) -> np.ndarray:
    weights = channel_weights().reshape(N_PERSONAS, len(NAMES), len(CHANNELS))
    chance = weights / weights.sum(axis=-1, keepdims=True)
    channel = pd.Index(CHANNELS).get_indexer(events["channel"])
    known = channel >= 0
    found = np.zeros((n, N_PERSONAS))
    each = np.log(chance[:, events["code"].to_numpy()[known], channel[known]].T + 1e-12)
    np.add.at(found, events["account"].to_numpy()[known], each)
    return found


def _stays(visits: pd.DataFrame, simulation, n: int) -> np.ndarray:
    """How long the account stayed in each stage, and which way it left: the cause-specific Weibull likelihood."""
    delay = np.zeros((len(STAGES), len(EXITS)))
    delay[:, SILENCE] = np.nan_to_num(planted.silence_days(simulation.journey), posinf=0)
    inside = visits[visits["stage"] < len(STAGES) - 1]
    stage, way_out = inside["stage"].to_numpy(), inside["way_out"].to_numpy()
    time = np.maximum(inside["stay"].to_numpy()[:, None] - delay[stage], 0.0)
    found = np.zeros((n, N_PERSONAS))
    for persona in range(N_PERSONAS):
        scale = planted.scales()[persona][stage]
        each = -((time / scale) ** planted.SHAPES).sum(axis=1)
        left = np.flatnonzero(way_out >= 0)
        at, shape = time[left, way_out[left]], planted.SHAPES[way_out[left]]
        rate = scale[left, way_out[left]]
        each[left] += np.log(shape / rate) + (shape - 1) * np.log(np.maximum(at, 1e-3) / rate)
        np.add.at(found[:, persona], inside["account"].to_numpy(), each)
    return found
