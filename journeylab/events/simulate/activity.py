"""Activity: what do simulated accounts do and say while they stay in a stage?

Activity never contradicts the history: within a visit the gaps between customer events stay below `silent_after`;
the last customer event before a silent exit is exactly `silent_after` earlier; after it nothing comes from the
customer until the return.
"""

from dataclasses import dataclass

import numpy as np

from journeylab.events.simulate import habits, language
from journeylab.events.simulate.accounts import Accounts
from journeylab.events.simulate.arrays import choose, counter
from journeylab.events.simulate.calendar import (
    DAY,
    EXPORTED,
    HOUR,
    WEEK,
    at_working_time,
    is_out_of_hours,
    next_office_morning,
    season,
)
from journeylab.events.simulate.habits import GROUPS, PRODUCT, SERVICE, SURVEY
from journeylab.events.simulate.happenings import VALIDATORS, code, event_weights
from journeylab.events.simulate.histories import Histories
from journeylab.events.simulate.planted import ADVANCE, FIRST_BRANCH, PARTNER, SILENCE, STAGES
from journeylab.events.simulate.rows import Rows

# A sign of life at least twice per this share of `silent_after`: with two days' shift to working hours, still below it.
_SIGNS_OF_LIFE = 0.36
_VALIDATING = 0.12
_MINUTE = 60


@dataclass(frozen=True)
class Moments:
    """Occasions on which accounts act: the visit each belongs to (position in the histories), when, in which group,
    who."""

    visit: np.ndarray
    time: np.ndarray
    group: np.ndarray
    contact: np.ndarray


def draw_activity(rng: np.random.Generator, accounts: Accounts, histories: Histories, *, silence: np.ndarray) -> Rows:
    """All that accounts do within their visits, up to the day the log was exported. `silence`: `silent_after` per
    stage, in days."""
    stop = _active_until(histories, silence)
    moments = _draw_moments(rng, accounts, histories, stop=stop, silence=silence)
    acts = _acts(rng, accounts, histories, moments)
    further = _further(rng, accounts, histories, moments, stop=stop)
    words = _words(rng, accounts, histories, moments, acts)
    return Rows.joined([words, further, _answers(rng, words), _requests(rng, accounts, words)])


def _active_until(histories: Histories, silence: np.ndarray) -> np.ndarray:
    """When customers stop acting in each visit: its end, or `silent_after` before a silent one."""
    delay = np.where(histories.left_by == SILENCE, np.nan_to_num(silence, posinf=0)[histories.stage] * DAY, 0)
    return histories.left - delay.astype(np.int64)


def _draw_moments(
    rng: np.random.Generator, accounts: Accounts, histories: Histories, *, stop: np.ndarray, silence: np.ndarray
) -> Moments:
    start, is_last_sign = histories.entered, (histories.left_by == SILENCE) & (stop <= EXPORTED)
    end = np.minimum(stop, EXPORTED)
    length = end - start
    cell = silence[histories.stage] * _SIGNS_OF_LIFE * DAY
    n_signs = np.ceil(length / cell).astype(np.int64)
    pace = accounts.pace[histories.account] * habits.MOMENTS_PER_WEEK[histories.stage] / WEEK
    n_more = rng.poisson(np.maximum(pace - 1 / cell, 0.2 * pace) * length)
    signs, more = np.repeat(np.arange(len(histories)), n_signs), np.repeat(np.arange(len(histories)), n_more)
    at_sign = start[signs] + (counter(n_signs) + rng.random(len(signs))) * (length / np.maximum(n_signs, 1))[signs]
    at_more = start[more] + rng.random(len(more)) * length[more]
    in_season = rng.random(len(more)) * 1.2 < season(at_more.astype(np.int64))
    visit = np.concatenate([signs, more[in_season]])
    time = np.concatenate([at_sign, at_more[in_season]]).astype(np.int64)
    moved = at_working_time(rng, time, accounts.out_of_hours[histories.account[visit]])
    time = np.where((moved > start[visit]) & (moved < end[visit]), moved, time)
    last = np.flatnonzero(is_last_sign)
    visit, time = np.concatenate([visit, last]), np.concatenate([time, stop[last]])
    weights = (accounts.groups[:, None, :] * habits.STAGE_GROUPS).reshape(-1, len(GROUPS))
    group = choose(rng, weights, histories.account[visit] * len(STAGES) + histories.stage[visit])
    group[len(group) - len(last) :] = PRODUCT
    return Moments(visit, time, group, accounts.draw_contacts(rng, histories.account[visit]))


def _draw_events(
    rng: np.random.Generator, accounts: Accounts, histories: Histories, visit: np.ndarray, group: np.ndarray
) -> np.ndarray:
    """One event per row, as the account's persona (or, by its blur, the average account) acts in this stage and
    group."""
    account = histories.account[visit]
    actor = accounts.draw_actors(rng, account)
    return choose(rng, event_weights(), (actor * len(STAGES) + histories.stage[visit]) * len(GROUPS) + group)


def _acts(rng: np.random.Generator, accounts: Accounts, histories: Histories, moments: Moments) -> Rows:
    """The first event of each moment."""
    event = np.full(len(moments.visit), code("session_started"))
    other = np.flatnonzero(moments.group != PRODUCT)
    event[other] = _draw_events(rng, accounts, histories, moments.visit[other], moments.group[other])
    return Rows.of(histories.account[moments.visit], moments.time, event, contact=moments.contact)


def _further(
    rng: np.random.Generator, accounts: Accounts, histories: Histories, moments: Moments, *, stop: np.ndarray
) -> Rows:
    """What follows in sessions, minutes later; who is about to advance does more of what proves the stage."""
    sessions = np.flatnonzero(moments.group == PRODUCT)
    account = histories.account[moments.visit[sessions]]
    n_events = rng.geometric(1 / (1 + accounts.session[account])) - 1
    moment = np.repeat(sessions, n_events)
    visit = moments.visit[moment]
    event = _draw_events(rng, accounts, histories, visit, np.full(len(moment), PRODUCT))
    proves = (histories.left_by[visit] == ADVANCE) & (histories.stage[visit] < PARTNER)
    proves &= rng.random(len(moment)) < _VALIDATING
    event = np.where(proves, np.array([code(name) for name in VALIDATORS])[histories.stage[visit]], event)
    event[(event == code("integration_connected")) & (rng.random(len(event)) < 0.5)] = code("integration_synced")
    time = moments.time[moment] + ((counter(n_events) + rng.random(len(moment))) * 4 * _MINUTE).astype(np.int64) + 1
    is_within = time < np.minimum(stop[visit], EXPORTED)
    return Rows.of(histories.account[visit], time, event, contact=moments.contact[moment])[is_within]


def _words(rng: np.random.Generator, accounts: Accounts, histories: Histories, moments: Moments, acts: Rows) -> Rows:
    """`acts`, where tickets and survey answers carry topic, text and score."""
    spoken = np.flatnonzero((moments.group == SERVICE) | (moments.group == SURVEY))
    visit = moments.visit[spoken]
    days_left = (histories.left[visit] - moments.time[spoken]) / DAY
    shadow = np.where(histories.left_by[visit] >= FIRST_BRANCH, np.exp(-days_left / habits.LOSS_SHADOW_DAYS), 0.0)
    mood = language.draw_moods(rng, accounts.persona[histories.account[visit]], shadow)
    topic = language.draw_topics(rng, histories.left_by[visit], 0.6 * shadow)
    is_survey = moments.group[spoken] == SURVEY
    columns = {name: getattr(acts, name).copy() for name in ("topic", "text", "score")}
    columns["topic"][spoken] = topic
    columns["text"][spoken] = language.draw_sentences(rng, topic, mood)
    columns["score"][spoken[is_survey]] = language.draw_scores(rng, mood[is_survey])
    return Rows.of(acts.account, acts.time, acts.event, contact=acts.contact, **columns)


def _answers(rng: np.random.Generator, words: Rows) -> Rows:
    """The company's answers to tickets: some hours later, and out of hours not before the next office morning."""
    tickets = words[words.event == code("ticket_opened")]
    begun = np.where(is_out_of_hours(tickets.time), next_office_morning(tickets.time), tickets.time)
    time = begun + (2.5 * HOUR * np.exp(0.8 * rng.standard_normal(len(tickets)))).astype(np.int64)
    answers = Rows.of(tickets.account, time, code("ticket_answered"), contact=tickets.contact, topic=tickets.topic)
    return answers[time < EXPORTED]


def _requests(rng: np.random.Generator, accounts: Accounts, words: Rows) -> Rows:
    """The company's requests to answer a survey, hours before the answer."""
    answers = words[words.event == code("survey_answered")]
    time = answers.time - (HOUR * (1 + 40 * rng.random(len(answers)))).astype(np.int64)
    requests = Rows.of(answers.account, time, code("survey_sent"), contact=answers.contact)
    return requests[time > accounts.entry[answers.account]]
