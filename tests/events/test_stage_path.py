"""Stage paths: the stages entered before the landmark, in order, and nothing of what came of them."""

import numpy as np
import pandas as pd
import pytest

from journeylab.events.features import find_features
from journeylab.events.features.features import stage_paths
from journeylab.events.journey import read_journey
from journeylab.events.reading import read_events
from journeylab.events.simulate import simulate_log
from journeylab.events.spells import find_spells

JOURNEY = read_journey(
    {
        "journeylab": 1,
        "name": "by hand",
        "goal": "Have paths that I can check by hand",
        "movement": "free",
        "stages": [
            {"name": "trial", "opened_by": [{"event": "try"}]},
            {"name": "paid", "opened_by": [{"event": "buy"}]},
            {"name": "plus", "opened_by": [{"event": "grow"}]},
        ],
        "loss_branches": [{"name": "gone", "when": {"event": "cancel"}}],
    }
)
ROWS = [
    ("ada", "2024-01-01", "try"),
    ("ada", "2024-01-05", "buy"),
    ("ada", "2024-01-05", "grow"),
    ("ada", "2024-01-31", "buy"),
    ("bob", "2024-01-01", "try"),
    ("bob", "2024-02-20", "buy"),
    ("cid", "2024-01-01", "look"),
    *(("dee", f"2024-01-{day:02}", "try" if day % 2 else "buy") for day in range(1, 12)),
]


def log_of(rows):
    table = pd.DataFrame(rows, columns=["customer_id", "time", "event"])
    return read_events(
        table, columns={name: name for name in table}, window=("2024-01-01", "2024-06-01"), timezone="UTC"
    )


@pytest.fixture(scope="module")
def log():
    return log_of(ROWS)


@pytest.fixture(scope="module")
def landmarks():
    return pd.Series(pd.Timestamp("2024-01-31", tz="UTC"), index=pd.Index(["ada", "bob", "cid", "dee"]))


def test_stages_are_told_in_the_order_in_which_they_were_entered_before_the_landmark(log, landmarks):
    paths = stage_paths(find_spells(log, JOURNEY), landmarks)
    # Ada buys again at the landmark itself: too late. Her visit of no length counts.
    assert paths["ada"] == "trial > paid > plus"
    assert paths["bob"] == "trial"
    assert paths["cid"] is None


def test_a_long_path_is_cut_after_eight_stages(log, landmarks):
    paths = stage_paths(find_spells(log, JOURNEY), landmarks)
    assert paths["dee"] == " > ".join(["trial", "paid"] * 4) + " > …"


def test_events_at_or_after_the_landmark_change_no_path(log, landmarks):
    cut = log_of([row for row in ROWS if row[1] < "2024-01-31"])
    before = stage_paths(find_spells(log, JOURNEY), landmarks)
    assert stage_paths(find_spells(cut, JOURNEY), landmarks).to_dict() == before.to_dict()


def test_the_path_is_what_a_loop_over_visits_gives():
    random = np.random.default_rng(5)
    rows = [
        (f"c{random.integers(30)}", f"2024-01-{random.integers(1, 29):02} {random.integers(24):02}:00", each)
        for each in random.choice(["try", "buy", "grow"], 120)
    ]
    spells = find_spells(log_of(rows), JOURNEY)
    ids = sorted({row[0] for row in rows})
    landmarks = pd.Series(pd.Timestamp("2024-01-20", tz="UTC"), index=ids)
    visits = spells.to_pandas()
    wanted = {
        customer: own["stage"].astype(str).tolist()
        for customer, own in visits[visits["entered"] < landmarks.iloc[0]].groupby("customer_id")
    }
    found = stage_paths(spells, landmarks)
    for customer in ids:
        stages = wanted.get(customer)
        told = stages and " > ".join([*stages[:8], *(["…"] if len(stages) > 8 else [])])
        assert found[customer] == told


def test_the_path_is_a_category_to_read_and_not_to_learn_from(log):
    entries = pd.DataFrame({"customer_id": ["ada", "bob"], "entered": pd.Timestamp("2024-01-01", tz="UTC")})
    features = find_features(log, entries, within="30d", spells=find_spells(log, JOURNEY))
    assert features.categories["stage path"].tolist() == ["trial > paid > plus", "trial"]
    assert "stage path" in features.shown
    # So a path that nobody took before is no news.
    assert "stage path" not in features.plan.levels


def test_truncating_a_rich_log_at_each_landmark_changes_no_feature():
    simulation = simulate_log(120, seed=8)
    spells = find_spells(simulation.log, simulation.journey)
    visits = spells.to_pandas()
    # Who entered before the window is not judged: what the window holds of them depends on what came later.
    is_first = (visits["spell"] == 1) & (visits["entered"] >= simulation.log.window.start)
    entries = visits.loc[is_first, ["customer_id", "entered"]]
    events = simulation.log.events.to_pyarrow().to_pandas()
    landmark = events["customer_id"].map(entries.set_index("customer_id")["entered"]) + pd.Timedelta(days=30)
    cut = events[~(events["time"] >= landmark)]
    assert len(cut) < len(events)

    def features(table):
        log = read_events(
            table,
            columns={name: name for name in ("customer_id", "time", "event", "seq")},
            window=(simulation.log.window.start, simulation.log.window.end),
            customers=simulation.customers,
        )
        return find_features(log, entries, within="30d", spells=find_spells(log, simulation.journey))

    whole, truncated = features(events), features(cut)
    pd.testing.assert_frame_equal(whole.table, truncated.table, check_exact=True)
    assert whole.plan == truncated.plan
    assert {"stage path", "plan"} <= set(whole.categories.columns)
    assert {"roles_in_play", "score", "company_events"} <= set(whole.numbers.columns)


def test_nobody_has_no_path(log):
    none = pd.Series([], index=pd.Index([], dtype=object), dtype="datetime64[us, UTC]")
    assert stage_paths(find_spells(log, JOURNEY), none).to_dict() == {}
