"""Happenings: which events can a simulated account cause or receive, and through which channels?"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from journeylab.events.simulate.habits import CHANNELS, GROUPS, with_average
from journeylab.events.simulate.planted import PERSONAS, STAGES

PROCESSES = ("marketing", "sales", "delivery", "service", "follow-up")
INITIATORS = ("customer", "company", "third_party", "system")


@dataclass(frozen=True)
class Happening:
    """A kind of event.

    channels: weights by name. group: the moments it occurs in, or None if it has causes of its own. weights: how likely
    it is in its group, per persona. stage: where it is three times as likely.
    """

    event: str
    process: str
    initiator: str
    channels: dict[str, float]
    group: str | None = None
    weights: tuple[float, ...] = (0.0,) * len(PERSONAS)
    stage: str | None = None


_PRODUCT = {"product": 0.85, "mobile": 0.15}
_WEB = {"web": 1.0}
_MAIL = {"email": 1.0}
_MEETING = {"meeting": 0.8, "phone": 0.2}
_REVIEW = {"web": 0.5, "partner": 0.5}
_TICKET = {"email": 0.4, "chat": 0.35, "phone": 0.15, "product": 0.1}
_ALWAYS = (1.0,) * len(PERSONAS)
_REFERENCES = (0.10, 0.06, 0.10, 0.30, 0.06)

Weights = tuple[float, ...]
Channels = dict[str, float]


def _in_product(event: str, weights: Weights, channels: Channels = _PRODUCT, stage: str | None = None) -> Happening:
    return Happening(event, "delivery", "customer", channels, "product", weights, stage)


def _in_market(event: str, weights: Weights, channels: Channels) -> Happening:
    return Happening(event, "marketing", "customer", channels, "marketing", weights)


def _with_sales(event: str, weights: Weights, channels: Channels) -> Happening:
    return Happening(event, "sales", "customer", channels, "sales", weights)


def _in_workshop(event: str, weights: Weights, channels: Channels, stage: str | None = None) -> Happening:
    return Happening(event, "delivery", "customer", channels, "workshop", weights, stage)


HAPPENINGS = (
    # what opens and ends visits to the stages
    Happening("trial_started", "marketing", "customer", {"web": 0.9, "partner": 0.1}),
    Happening("subscribed", "sales", "customer", {"web": 0.7, "email": 0.2, "phone": 0.1}),
    Happening("first_team_live", "delivery", "customer", {"product": 1.0}),
    Happening("second_team_joined", "delivery", "customer", {"product": 1.0}),
    Happening("referral_made", "follow-up", "customer", {"email": 0.6, "partner": 0.4}),
    Happening("rollout_restarted", "delivery", "customer", {"product": 0.6, "email": 0.4}),
    Happening("downgraded", "sales", "customer", {"product": 0.7, "email": 0.3}),
    Happening("cancelled", "sales", "customer", {"product": 0.5, "email": 0.35, "phone": 0.15}),
    # in the product
    Happening("session_started", "delivery", "customer", _PRODUCT),
    _in_product("task_completed", (0.26, 0.30, 0.12, 0.10, 0.34)),
    _in_product("project_created", (0.09, 0.12, 0.10, 0.08, 0.12), stage="evaluating"),
    _in_product("teammate_joined", (0.15, 0.04, 0.07, 0.14, 0.02), stage="onboarding"),
    _in_product("weekly_plan_completed", (0.14, 0.10, 0.06, 0.08, 0.14), stage="adopting"),
    _in_product("report_shared", (0.08, 0.04, 0.05, 0.26, 0.03), stage="expanding"),
    _in_product("template_used", (0.14, 0.24, 0.04, 0.06, 0.10)),
    _in_product("integration_connected", (0.03, 0.03, 0.20, 0.05, 0.02)),
    _in_product("api_called", (0.02, 0.01, 0.24, 0.03, 0.02), {"product": 1.0}),
    _in_product("dashboard_viewed", (0.05, 0.06, 0.06, 0.16, 0.03)),
    _in_product("mobile_app_opened", (0.04, 0.06, 0.06, 0.04, 0.18), {"mobile": 1.0}),
    Happening("integration_synced", "delivery", "system", {"product": 1.0}),
    # in the market
    _in_market("page_viewed", (0.45, 0.28, 0.55, 0.45, 0.50), _WEB),
    _in_market("pricing_viewed", (0.10, 0.38, 0.08, 0.10, 0.14), _WEB),
    _in_market("email_clicked", (0.20, 0.14, 0.10, 0.10, 0.12), _MAIL),
    _in_market("advert_clicked", (0.08, 0.14, 0.02, 0.05, 0.20), {"social": 0.8, "web": 0.2}),
    _in_market("webinar_attended", (0.14, 0.03, 0.22, 0.18, 0.02), _WEB),
    Happening("review_read", "marketing", "third_party", _REVIEW, "marketing", (0.03, 0.03, 0.03, 0.12, 0.02)),
    # with sales
    _with_sales("demo_requested", (0.35, 0.35, 0.40, 0.15, 0.40), {"web": 0.7, "email": 0.3}),
    _with_sales("demo_held", (0.30, 0.15, 0.30, 0.25, 0.15), _MEETING),
    _with_sales("quote_requested", (0.15, 0.40, 0.10, 0.20, 0.25), {"email": 0.8, "web": 0.2}),
    _with_sales("sales_call_held", (0.15, 0.08, 0.08, 0.20, 0.18), {"phone": 0.8, "meeting": 0.2}),
    _with_sales("security_review_asked", (0.05, 0.02, 0.12, 0.20, 0.02), _MAIL),
    # in workshops
    _in_workshop("workshop_held", (0.45, 0.30, 0.20, 0.45, 0.30), _MEETING, stage="onboarding"),
    _in_workshop("training_attended", (0.40, 0.40, 0.15, 0.25, 0.40), {"meeting": 0.6, "web": 0.4}),
    _in_workshop("data_imported", (0.10, 0.28, 0.60, 0.10, 0.28), {"product": 1.0}),
    Happening("reference_call_held", "follow-up", "customer", _MEETING, "workshop", _REFERENCES, "partner"),
    # asked and answered
    Happening("ticket_opened", "service", "customer", _TICKET, "service", _ALWAYS),
    Happening("ticket_answered", "service", "company", {"email": 0.6, "chat": 0.4}),
    Happening("survey_sent", "follow-up", "company", _MAIL),
    Happening("survey_answered", "follow-up", "customer", {"email": 0.7, "product": 0.3}, "survey", _ALWAYS),
    # from the company
    Happening("newsletter_sent", "marketing", "company", _MAIL),
    Happening("nudge_sent", "follow-up", "company", _MAIL),
    Happening("check_in_called", "follow-up", "company", {"phone": 1.0}),
    Happening("invoice_sent", "sales", "company", _MAIL),
)
NAMES = tuple(happening.event for happening in HAPPENINGS)
OPENERS = ("trial_started", "subscribed", "first_team_live", "second_team_joined", "referral_made")
REOPENERS = {"onboarding": "rollout_restarted", "adopting": "downgraded"}
VALIDATORS = ("project_created", "teammate_joined", "weekly_plan_completed", "report_shared", "reference_call_held")
# What each persona's channels add to a happening's own: by phone, by chat, on the move.
_CHANNEL_LEANING = (
    {},
    {"chat": 2.0, "web": 1.2},
    {"chat": 1.6, "phone": 0.3, "mobile": 0.5},
    {"phone": 3.0, "chat": 0.3, "mobile": 0.6},
    {"mobile": 3.0, "chat": 1.5},
)


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
    weights = np.zeros((len(PERSONAS), len(HAPPENINGS), len(CHANNELS)))
    for row, happening in enumerate(HAPPENINGS):
        for channel, weight in happening.channels.items():
            for persona, leaning in enumerate(_CHANNEL_LEANING):
                weights[persona, row, CHANNELS.index(channel)] = weight * leaning.get(channel, 1.0)
    return weights.reshape(-1, len(CHANNELS))


def positions(names: tuple[str, ...], known: tuple[str, ...]) -> np.ndarray:
    """Where each of `names` is in `known`."""
    return np.array([known.index(name) for name in names], dtype=np.int8)


PROCESS_OF = positions(tuple(happening.process for happening in HAPPENINGS), PROCESSES)
INITIATOR_OF = positions(tuple(happening.initiator for happening in HAPPENINGS), INITIATORS)
