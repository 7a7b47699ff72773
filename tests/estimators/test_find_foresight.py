"""A group that knows the future has a stretch without events where many were due; honest groups only differ in pace."""

import numpy as np
import pytest

from journeylab.estimators.foresight import find_foresight


def stays(n: int, seed: int, *, until: float = 60.0):
    """Exponential stays of a mean of 20 days, watched `until` a day; whether each ended by then."""
    days = np.random.default_rng(seed).exponential(20, n)
    return np.minimum(days, until), days <= until


def found(groups, exit_, event, entry=None, watchable=None):
    entry = np.full(len(exit_), -1.0) if entry is None else entry
    return find_foresight(np.asarray(groups), entry=entry, exit=exit_, event=event, watchable=watchable)


def test_who_is_in_a_group_for_having_stayed_has_no_event_before_then():
    exit_, event = stays(300, 1)
    one = found((exit_ > 15).astype(int), exit_, event)
    first = exit_[(exit_ > 15) & event].min()
    assert (one.group, one.before, one.has_none) == (1, first, True)
    # At the rate of everybody the members of the group, all there until day 15, would have had so many events.
    times = np.sort(exit_[event & (exit_ < first)])
    at_risk = np.array([(exit_ >= time).sum() for time in times])
    assert one.expected == pytest.approx(((exit_ > 15).sum() / at_risk).sum())


def test_a_group_without_any_event_is_found_if_more_than_ten_were_due():
    exit_, event = np.arange(1.0, 61), np.arange(60) % 3 < 2
    for size, is_found in ((30, True), (9, False)):
        group = (~event & (np.cumsum(~event) <= size)).astype(int)
        assert (found(group, exit_, event) is not None) == is_found


def test_a_group_that_is_gone_while_others_are_there_is_found_if_it_could_have_been_watched():
    """All of group 1 are gone by day 10, some because watching ended; of all customers most stay longer."""
    exit_, event = stays(600, 4, until=60)
    group = (exit_ <= 10).astype(int)
    cut = np.where((group == 1) & (np.arange(600) % 5 == 0), exit_ / 2, exit_)
    event = event & (cut == exit_)
    one = found(group, cut, event, watchable=np.full(600, 60.0))
    by_stay = find_none_left(group, cut, event)
    assert one is not None
    assert (by_stay.group, by_stay.before, by_stay.has_none) == (1, cut[group == 1].max(), False)
    assert find_none_left(group, cut, event, watchable=cut) is None


def find_none_left(group, exit_, event, watchable=None):
    """As `found`, only group 1 being judged, the other counting among everybody."""
    watchable = np.full(len(exit_), 60.0) if watchable is None else watchable
    return found(np.where(group == 1, 1, -1), exit_, event, watchable=watchable)


def test_what_became_known_later_and_is_watched_from_then_on_is_not_found():
    exit_, event = stays(300, 2)
    stayed = exit_ > 15
    assert found(stayed.astype(int), exit_, event) is not None
    later = np.where(stayed, 15.0, -1.0)
    assert found(np.where(stayed, 0, -1), exit_, event, entry=later) is None


def test_groups_whose_pace_differs_by_any_factor_are_honest():
    """In 200 logs with two to five groups, up to six times as fast as each other, and late entries: at most 5%."""
    alarms = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        n_groups = int(random.integers(2, 6))
        group = random.choice(n_groups, 400, p=random.dirichlet(np.full(n_groups, 2.0)))
        pace = np.exp(random.uniform(-0.9, 0.9, n_groups))[group] * random.gamma(2, 0.5, 400)
        days = np.ceil(random.exponential(20 / pace))
        end, start = random.uniform(0, 120, 400), np.where(random.random(400) < 0.3, random.uniform(0, 20, 400), -1.0)
        kept = np.minimum(days, end) > start
        shown = np.minimum(days, end)[kept]
        one = found(group[kept], shown, (days <= end)[kept], entry=start[kept], watchable=end[kept])
        alarms += one is not None
    assert alarms <= 10


def test_without_an_event_there_is_nothing_to_find():
    assert found([0, 1], np.array([1.0, 2.0]), np.array([0, 0])) is None


def test_a_term_that_ends_for_all_alike_is_honest():
    """One in two has a contract of 30 days, at the end of which most leave; none can before."""
    exit_, event = stays(400, 9)
    contract = np.arange(400) % 2 == 1
    random = np.random.default_rng(9)
    ends = np.where(random.random(400) < 0.8, 30.0 + random.random(400), 30 + exit_)
    exit_, event = np.where(contract, np.minimum(ends, 60), exit_), np.where(contract, ends <= 60, event)
    assert found(contract.astype(int), exit_, event, watchable=np.full(400, 60.0)) is None
