"""Milestones: which events open and end the visits, and what happens before, between and after them?"""

import numpy as np

from journeylab.events.simulate import language
from journeylab.events.simulate.accounts import Accounts
from journeylab.events.simulate.arrays import choose
from journeylab.events.simulate.calendar import DAY, EXPORTED, WEEK, at_working_time
from journeylab.events.simulate.habits import GROUPS, MARKETING
from journeylab.events.simulate.happenings import OPENERS, REASON_WEIGHTS, REOPENERS, code, event_weights
from journeylab.events.simulate.histories import EVER, FIRST, REGRESSED, RETURNED, Histories
from journeylab.events.simulate.planted import FIRST_BRANCH, SILENCE, STAGES
from journeylab.events.simulate.rows import Rows

_TOUCHES_BEFORE = 2.0
_TOUCH_DAYS = 14
_EXIT_SURVEY_CHANCE = 0.35
_COMPANY_PER_WEEK = 0.22
_COMPANY_AFTER_DAYS = 45
_COMPANY_EVENTS = ("newsletter_sent", "nudge_sent", "check_in_called", "invoice_sent")
_COMPANY_WEIGHTS = (0.45, 0.25, 0.10, 0.20)


def draw_milestones(rng: np.random.Generator, accounts: Accounts, histories: Histories, *, starts: np.ndarray) -> Rows:
    """Openings, cancellations, exit surveys, first touches, and what the company sends, up to the day of the export.

    `starts`: from when on each account is logged.
    """
    milestones = Rows.joined(
        [
            _openings(rng, accounts, histories),
            _cancellations(rng, accounts, histories),
            _exit_surveys(rng, accounts, histories),
            _first_touches(rng, accounts, histories, starts=starts),
            _from_company(rng, accounts, histories),
        ]
    )
    return milestones[milestones.time < EXPORTED]


def _openings(rng: np.random.Generator, accounts: Accounts, histories: Histories) -> Rows:
    openers = np.array([code(name) for name in OPENERS])
    reopeners = np.array([code(REOPENERS.get(stage, "session_started")) for stage in STAGES])
    event = openers[histories.stage]
    event = np.where(histories.opened == REGRESSED, reopeners[histories.stage], event)
    event = np.where(histories.opened == RETURNED, code("session_started"), event)
    per_seat = np.array([0, 11.0, 0, 11.0, 0])[histories.stage]
    seats = np.rint(4 + 4 * rng.exponential(accounts.n_contacts[histories.account]))
    has_value = (per_seat > 0) & (histories.opened != RETURNED) & (histories.opened != REGRESSED)
    return Rows.of(
        histories.account,
        histories.entered,
        event,
        contact=accounts.draw_contacts(rng, histories.account),
        value=np.where(has_value, per_seat * seats, np.nan),
    )


def _lost_by_declaration(histories: Histories) -> Histories:
    return histories[(histories.left_by >= FIRST_BRANCH) & (histories.left_by != SILENCE)]


def _cancellations(rng: np.random.Generator, accounts: Accounts, histories: Histories) -> Rows:
    lost = _lost_by_declaration(histories)
    return Rows.of(
        lost.account,
        lost.left,
        code("cancelled"),
        contact=accounts.draw_contacts(rng, lost.account),
        reason=choose(rng, REASON_WEIGHTS, lost.left_by - FIRST_BRANCH),
    )


def _exit_surveys(rng: np.random.Generator, accounts: Accounts, histories: Histories) -> Rows:
    """Some say why they left, within three days after a cancellation: long before any comes back."""
    lost = _lost_by_declaration(histories)
    lost = lost[rng.random(len(lost)) < _EXIT_SURVEY_CHANCE]
    certain = np.ones(len(lost))
    mood = language.draw_moods(rng, accounts.persona[lost.account], certain)
    topic = language.draw_topics(rng, lost.left_by, 0.85 * certain)
    return Rows.of(
        lost.account,
        lost.left + (DAY * (0.2 + 2.8 * rng.random(len(lost)))).astype(np.int64),
        code("survey_answered"),
        contact=accounts.draw_contacts(rng, lost.account),
        topic=topic,
        text=language.draw_sentences(rng, topic, mood),
        score=language.draw_scores(rng, mood),
    )


def _first_touches(rng: np.random.Generator, accounts: Accounts, histories: Histories, *, starts: np.ndarray) -> Rows:
    """Pages read and adverts clicked in the fortnight before the first trial; they belong to no visit."""
    first = histories[(histories.opened == FIRST) & (starts[histories.account] == EVER)]
    account = np.repeat(first.account, rng.poisson(_TOUCHES_BEFORE, len(first)))
    entry = accounts.entry[account]
    time = at_working_time(
        rng, entry - (rng.random(len(account)) * _TOUCH_DAYS * DAY).astype(np.int64), accounts.out_of_hours[account]
    )
    actor = accounts.draw_actors(rng, account)
    event = choose(rng, event_weights(), actor * len(STAGES) * len(GROUPS) + MARKETING)
    touches = Rows.of(account, time, event, contact=np.zeros(len(account)))
    return touches[time < entry]


def _from_company(rng: np.random.Generator, accounts: Accounts, histories: Histories) -> Rows:
    """Mails, calls and invoices, also for a while after a loss: they bring no customer back and break no silence."""
    is_lost = histories.left_by >= FIRST_BRANCH
    until = np.minimum(histories.left + is_lost * _COMPANY_AFTER_DAYS * DAY, EXPORTED)
    length = until - histories.entered
    visit = np.repeat(np.arange(len(histories)), rng.poisson(length * _COMPANY_PER_WEEK / WEEK))
    account = histories.account[visit]
    time = histories.entered[visit] + (rng.random(len(visit)) * length[visit]).astype(np.int64)
    event = rng.choice([code(name) for name in _COMPANY_EVENTS], p=_COMPANY_WEIGHTS, size=len(visit))
    moved = at_working_time(rng, time, np.zeros(len(visit)))
    value = np.where(event == code("invoice_sent"), np.rint(11 * (4 + 4 * rng.exponential(size=len(visit)))), np.nan)
    contact = accounts.draw_contacts(rng, account)
    return Rows.of(account, np.maximum(moved, histories.entered[visit] + 1), event, contact=contact, value=value)
