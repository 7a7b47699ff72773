"""Segments: cohorts by entry and channels of entry, small ones pooled, in every finding that takes groups."""

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from journeylab.base.errors import EstimateError
from journeylab.events.journey import Journey
from journeylab.events.log import EventLog, Window
from journeylab.events.spells import find_spells
from journeylab.findings.comparison import compare_groups
from journeylab.findings.dropoff import estimate_dropoff
from journeylab.findings.grouping import Grouping
from journeylab.findings.occupancy import estimate_occupancy
from journeylab.findings.recovery import estimate_recovery
from journeylab.findings.segments import find_channels, find_cohorts, pool_small
from journeylab.findings.survival import estimate_survival


def entered(spells_of, *days):
    """Spells of customers who enter trial on these days of 2025 and stay 3 days."""
    return spells_of([(f"c{i:02}", "trial", day, day + 3, "price") for i, day in enumerate(days)])


def test_cohorts_are_calendar_months_quarters_or_years_of_entry(spells_of):
    spells = entered(spells_of, 0, 30.9, 31, 100, 364.9, 365)
    periods = ("month", "quarter", "year")
    labels = {every: find_cohorts(spells, every=every, min_customers=1).labels for every in periods}
    assert labels["month"].tolist() == ["2025-01", "2025-01", "2025-02", "2025-04", "2025-12", "2026-01"]
    assert labels["quarter"].tolist() == ["2025 Q1", "2025 Q1", "2025 Q1", "2025 Q2", "2025 Q4", "2026 Q1"]
    assert labels["year"].tolist() == ["2025"] * 5 + ["2026"]
    assert find_cohorts(spells, every="quarter").name == "entry quarter"


def test_who_came_before_the_window_is_a_cohort_of_its_own_that_sorts_first(spells_of):
    found = find_cohorts(entered(spells_of, -2, 1, 40), min_customers=1).labels
    assert sorted(found) == ["(before 2025-01-01)", "2025-01", "2025-02"]


def test_later_visits_do_not_change_the_cohort(spells_of):
    rows = [("a", "trial", 5, 9, "price"), ("a", "trial", 70, 80, "price")]
    assert find_cohorts(spells_of(rows), min_customers=1).labels.to_dict() == {"a": "2025-01"}


def test_small_cohorts_are_joined_with_their_neighbours(spells_of):
    """Two in January, one each in February, March and April, two in June: joined until there are two."""
    found = find_cohorts(entered(spells_of, 0, 1, 32, 60, 91, 152, 153), min_customers=2).labels
    assert found.value_counts().sort_index().to_dict() == {
        "2025-01": 2, "2025-02 to 2025-03": 2, "2025-04 to 2025-06": 3,
    }  # fmt: skip


def test_what_is_too_small_at_the_end_goes_with_those_before(spells_of):
    found = find_cohorts(entered(spells_of, 0, 1, 32, 33, 60), min_customers=2).labels
    assert found.value_counts().sort_index().to_dict() == {"2025-01": 2, "2025-02 to 2025-03": 3}
    assert find_cohorts(entered(spells_of, 0, 40), min_customers=5).labels.unique().tolist() == ["2025-01 to 2025-02"]
    assert len(find_cohorts(spells_of([])).labels) == 0


def test_another_period_is_refused(spells_of):
    with pytest.raises(EstimateError) as error:
        find_cohorts(entered(spells_of, 0), every="moth")
    assert str(error.value) == "Cohorts cannot be formed every “moth”. Did you mean “month”?"


def test_small_groups_are_pooled_and_a_single_one_is_not():
    labels = pd.Series(list("aaabbcd"), index=list("1234567"))
    known = pd.Series(pd.Timestamp("2025-01-05", tz="UTC"), index=labels.index)
    pooled = pool_small(Grouping("plan", labels, known), min_customers=2)
    assert pooled.labels.tolist() == ["a", "a", "a", "b", "b", "(2 small groups)", "(2 small groups)"]
    assert pooled.known_at is known
    single = Grouping("plan", labels[:6])
    assert pool_small(single, min_customers=2) is single


JOURNEY = Journey.model_validate(
    {
        "journeylab": 1,
        "name": "small",
        "goal": "g",
        "stages": [
            {"name": "trial", "opened_by": [{"event": "start"}], "silent_after": "20d"},
            {"name": "paid", "opened_by": [{"event": "buy"}]},
        ],
        "loss_branches": [{"name": "price", "when": {"event": "cancel"}}],
    }
)


@pytest.fixture(scope="module")
def log():
    """120 customers, ten a month, from the web and from partners; of the latter more cancel."""
    rows = []
    for i in range(120):
        start = pd.Timestamp("2025-01-02", tz="UTC") + pd.DateOffset(months=i // 10, days=i % 10)
        channel, is_lost = ("partner", i % 4 != 0) if i % 2 else ("web", i % 10 == 0)
        rows.append((f"c{i:03}", start, "start", channel))
        rows.append((f"c{i:03}", start + pd.Timedelta(days=3 + i % 7), "cancel" if is_lost else "buy", "app"))
    table = pd.DataFrame(rows, columns=["customer_id", "time", "event", "channel"]).assign(seq=range(len(rows)))
    window = Window(pd.Timestamp("2025-01-01", tz="UTC"), pd.Timestamp("2026-02-01", tz="UTC"))
    schema = {"time": pa.timestamp("us", "UTC")}
    arrow = pa.table({name: pa.array(table[name], schema.get(name)) for name in table})
    return EventLog.from_events(ibis.memtable(arrow), window=window)


@pytest.fixture(scope="module")
def spells(log):
    return find_spells(log, JOURNEY)


@pytest.fixture(params=["cohort", "channel"])
def grouping(request, log, spells):
    return find_cohorts(spells, every="quarter") if request.param == "cohort" else find_channels(log, spells)


def test_channels_are_those_of_entry_and_known_from_the_start(log, spells):
    found = find_channels(log, spells)
    assert (found.name, found.known_at) == ("channel of entry", None)
    assert found.labels.value_counts().to_dict() == {"web": 60, "partner": 60}
    few = find_channels(log.only(customers=["c000", "c001", "c003"]), spells)
    assert few.labels.to_dict() == dict.fromkeys(["c000", "c001", "c003"], "(2 small groups)")


def test_without_a_channel_the_finding_says_what_is_lacking(log, spells):
    mute = EventLog.from_events(log.events.drop("channel"), window=log.window)
    found = estimate_dropoff(spells, horizons=["9d"], by=find_channels(mute, spells))
    assert found.sentence() == "Nobody has a known channel of entry, so there is nothing to compare by it."


def test_they_group_drop_off_and_recovery(spells, grouping):
    found = estimate_dropoff(spells, horizons=["9d"], by=grouping)
    assert found.ledger["group"].unique().tolist() == sorted(grouping.labels.unique())
    assert found.ledger.loc[found.ledger["stage"] == "trial", "entered"].sum() == 120
    assert len(found.differences("9d"))
    assert estimate_recovery(spells, horizons=["9d"], by=grouping).by == grouping.name


def test_they_group_survival_and_occupancy(spells, grouping):
    groups = sorted(grouping.labels.unique())
    assert sorted(estimate_survival(spells, by=grouping).table["group"].unique()) == groups
    assert sorted(estimate_occupancy(spells, times=["9d"], by=grouping).table["group"].unique()) == groups


def test_they_are_compared(spells, grouping):
    found = compare_groups(spells, stage="trial", by=grouping, horizon="15d")
    assert sorted(found.table["group"].unique()) == sorted(grouping.labels.unique())
    assert found.tests["p_value"].notna().any()
