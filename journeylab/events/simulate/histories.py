"""Histories: through which stages, when, and by which exit, does each simulated account travel?"""

from dataclasses import dataclass, replace

import numpy as np

from journeylab.events.simulate import planted
from journeylab.events.simulate.accounts import Accounts
from journeylab.events.simulate.arrays import Records
from journeylab.events.simulate.calendar import DAY, FAR, at_working_time
from journeylab.events.simulate.planted import ADVANCE, FIRST_BRANCH, PARTNER, REGRESS, SILENCE, STAYS

FIRST, ADVANCED, REGRESSED, WON_BACK, RETURNED = range(5)
SHORTEST = 600  # seconds
EVER = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Histories(Records):
    """Complete stage histories, ordered by account and time; every array has one row per visit to a stage.

    account: position. stage: position in STAGES. entered, left: seconds since the window's start. left_by: position in
    EXITS, or STAYS. opened: FIRST, ADVANCED, REGRESSED, WON_BACK or RETURNED. returned_from: position in EXITS of the
    loss before, or STAYS.
    """

    account: np.ndarray
    stage: np.ndarray
    entered: np.ndarray
    left: np.ndarray
    left_by: np.ndarray
    opened: np.ndarray
    returned_from: np.ndarray


def draw_histories(rng: np.random.Generator, accounts: Accounts, *, silence: np.ndarray) -> Histories:
    """Every account's visits from its first trial until it stays, is lost for good, or three years after the window
    have passed.

    `silence` is `silent_after` per stage, in days. All accounts take their k-th step together.
    """
    scale = planted.scales()
    n = len(accounts)
    current = Histories(
        account=np.arange(n),
        stage=np.zeros(n, dtype=np.int64),
        entered=accounts.entry,
        left=np.zeros(n, dtype=np.int64),
        left_by=np.full(n, STAYS),
        opened=np.full(n, FIRST),
        returned_from=np.full(n, STAYS),
    )
    steps = []
    while len(current):
        left, left_by = _leave(rng, accounts, current, scale=scale, silence=silence)
        steps.append(replace(current, left=left, left_by=left_by))
        current = _next(rng, accounts, steps[-1])
    histories = Histories.joined(steps)
    return histories[np.argsort(histories.account, kind="stable")]


def log_starts(histories: Histories, n: int) -> np.ndarray:
    """From when on each of `n` accounts is in the log (EVER: from the beginning).

    Accounts that entered before the window come from an older system: what came before their last forward step into a
    stage at the window's start is not in the log. Forward steps are where a history may begin without changing what
    follows.
    """
    starts = np.full(n, EVER)
    is_step = (histories.entered <= 0) & (histories.opened == ADVANCED)
    np.maximum.at(starts, histories.account[is_step], histories.entered[is_step])
    return starts


def _leave(
    rng: np.random.Generator, accounts: Accounts, current: Histories, *, scale: np.ndarray, silence: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """When and how each current visit ends: the earliest of its latent Weibull times."""
    stays = current.stage == PARTNER
    before_partner = np.minimum(current.stage, PARTNER - 1)
    ratio = np.where(
        accounts.out_of_hours[current.account] > planted.OUT_OF_HOURS_FROM, planted.OUT_OF_HOURS_RATIO, 1.0
    )
    hazard_ratio = np.ones((len(current), len(planted.EXITS)))
    hazard_ratio[:, FIRST_BRANCH:] = ratio[:, None]
    times = scale[accounts.persona[current.account], before_partner]
    times = times * (rng.exponential(size=times.shape) / hazard_ratio) ** (1 / planted.SHAPES)
    times = np.maximum(times, SHORTEST / DAY)
    times[:, SILENCE] += silence[before_partner]
    left_by = np.argmin(times, axis=1)
    left = current.entered + (times[np.arange(len(times)), left_by] * DAY).astype(np.int64)
    moved = at_working_time(rng, left, accounts.out_of_hours[current.account])
    may_move = (left_by != SILENCE) & (moved > current.entered + SHORTEST)
    left = np.where(may_move, moved, left)
    return np.where(stays, FAR, left), np.where(stays, STAYS, left_by)


def _next(rng: np.random.Generator, accounts: Accounts, done: Histories) -> Histories:
    """The visits that follow those `done`; none for accounts that stay, are lost for good, or go on beyond FAR."""
    n = len(done)
    is_lost = done.left_by >= FIRST_BRANCH
    is_silent = done.left_by == SILENCE
    persona = accounts.persona[done.account]
    comes_back = rng.random(n) < planted.RETURN_CHANCE[persona, is_silent.astype(int)]
    median = np.where(is_silent, planted.RETURN_MEDIAN_DAYS[1], planted.RETURN_MEDIAN_DAYS[0])
    delay = planted.RETURN_FROM_DAYS + median * np.exp(planted.RETURN_SPREAD * rng.standard_normal(n))
    back = at_working_time(rng, done.left + (delay * DAY).astype(np.int64), accounts.out_of_hours[done.account])
    step = np.where(done.left_by == ADVANCE, 1, np.where(done.left_by == REGRESS, -1, 0))
    # After a declared loss the customer subscribes anew (or starts another trial); after silence all goes on where it
    # was.
    stage = np.where(is_lost & ~is_silent, np.minimum(done.stage, 1), done.stage + step)
    how = np.where(is_silent, RETURNED, np.where(is_lost, WON_BACK, np.where(step > 0, ADVANCED, REGRESSED)))
    following = Histories(
        account=done.account,
        stage=stage,
        entered=np.where(is_lost, back, done.left),
        left=np.zeros(n, dtype=np.int64),
        left_by=np.full(n, STAYS),
        opened=how,
        returned_from=np.where(is_lost, done.left_by, STAYS),
    )
    goes_on = (done.left_by != STAYS) & (~is_lost | comes_back) & (following.entered < FAR)
    return following[goes_on]
