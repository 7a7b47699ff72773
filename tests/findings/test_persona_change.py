"""Change: what was planted between two logs is found, and where nothing changed, nothing is."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from journeylab.base.charts import Chart
from journeylab.events.journey import read_journey
from journeylab.events.log import Window
from journeylab.events.reading import read_events
from journeylab.findings.finding import Finding
from journeylab.findings.personas import Personas, find_personas, read_personas
from journeylab.findings.personas.change import compare_personas, continue_ids, share_ids
from journeylab.findings.personas.change.matching import renamed

NAMES = ("customer_id", "time", "event", "channel")
JOURNEY = read_journey(
    {
        "journeylab": 1,
        "name": "Planning",
        "goal": "Plan my week",
        "stages": [
            {"name": "trying", "opened_by": [{"event": "signed_up"}]},
            {"name": "using", "opened_by": [{"event": "subscribed"}], "completes": True},
        ],
        "loss_branches": [{"name": "gone", "when": {"event": "cancelled"}}],
    }
)
WINDOW_END = "2024-12-01"
EVENTS = np.array(["searched", "exported", "called", "shared", "asked", "invited", "drew", "timed"])
# What each kind of customer mostly does. m does what x does and what y does; z does what nobody else does.
KINDS = {"a": [0, 1], "m": [2, 3, 4, 5], "x": [2, 3], "y": [4, 5], "z": [6, 7]}


def made_up(sizes: dict[str, int], *, seed: int, phone: float = 0.5, start: str = "2024-01-05"):
    """A log of so many customers of each kind, whose ids begin with it and end with the seed: no two logs have a
    customer in common. Each has about 30 events in 30 days."""
    random = np.random.default_rng(seed)
    rows = []
    for kind, n in sizes.items():
        mix = np.full(len(EVENTS), 0.01)
        mix[KINDS[kind]] = (1 - 0.01 * (len(EVENTS) - len(KINDS[kind]))) / len(KINDS[kind])
        for number in range(n):
            customer, entered = f"{kind}{number:03}-{seed}", pd.Timestamp(start) + pd.Timedelta(days=number % 90)
            rows.append((customer, entered, "signed_up", "web"))
            for day in np.sort(random.uniform(0.01, 29, size=20 + random.poisson(10))):
                channel = "phone" if random.random() < phone else "web"
                rows.append((customer, entered + pd.Timedelta(days=day), random.choice(EVENTS, p=mix), channel))
    table = pd.DataFrame(rows, columns=list(NAMES))
    return read_events(table, columns={name: name for name in NAMES}, window=("2024-01-01", WINDOW_END), timezone="UTC")


def found_in(log) -> Personas:
    return find_personas(log, JOURNEY, within="30d", seed=7, max_personas=4, replicates=0)


def letters(personas: Personas, ids: dict[str, str]) -> Personas:
    return renamed(personas, {each: ids.get(each, each) for each in personas.table["persona"]})


def kind_of(labels: pd.Series) -> dict[str, str]:
    """The kind of customer that most of each persona are, by permanent id."""
    return labels.index.to_series().str[0].groupby(labels).agg(lambda kinds: kinds.mode()[0]).to_dict()


LOGS = {
    "two": ({"a": 120, "m": 100}, 1),
    "two again": ({"a": 120, "m": 100}, 2),
    "fewer a": ({"a": 50, "m": 130}, 3),
    "split": ({"a": 120, "x": 60, "y": 60}, 4),
    "three": ({"a": 100, "m": 80, "z": 70}, 5),
}


@pytest.fixture(scope="module")
def logs():
    return {name: made_up(sizes, seed=seed) for name, (sizes, seed) in LOGS.items()}


@pytest.fixture(scope="module")
def personas(logs):
    return {name: found_in(log) for name, log in logs.items()}


@pytest.fixture(scope="module")
def change(logs, personas):
    """A function: what changed from one log to another, by name."""
    made = {}

    def compared(old: str, new: str):
        if (old, new) not in made:
            made[old, new] = compare_personas(personas[old], personas[new], log=logs[new])
        return made[old, new]

    return compared


def changes(found) -> list[str]:
    return sorted(found.lineage["change"])


@pytest.mark.slow
def test_on_the_same_log_everything_survives_and_nothing_is_tested(change, personas):
    same = change("two", "two")
    assert changes(same) == ["survived", "survived"]
    assert (same.lineage["jaccard"] == 1).all()
    assert (len(same.table), len(same.drift)) == (0, 0)
    nobody = (
        "Nobody new can be judged: all 220 customers in this log were among the 220 of before. So neither shares nor "
        "drift are compared."
    )
    assert same.sentence() == f"{same.lineage_in_words()} {nobody}"
    assert same.shares_in_words() == same.drift_in_words() == same.plot().alt == same.plot_drift().alt == nobody
    assert same.personas.labels.equals(personas["two"].labels)
    assert same.customers == 220


def test_other_customers_of_the_same_kinds_are_no_change(change):
    again = change("two", "two again")
    assert changes(again) == ["survived", "survived"]
    assert not again.table["is_beyond"].any()
    assert not again.drift["is_beyond"].any()
    assert again.lineage_in_words().startswith("Of 2 personas 2 survived: P1 (Jaccard 1.00, ")
    assert "none of 2 shares moved by more than chance explains; the most moved P" in again.shares_in_words()
    assert again.shares_in_words().endswith("Compared are 220 customers who came since with the 220 of before.")
    assert again.drift_in_words().startswith(
        f"None of {len(again.drift)} features drifted by more than chance explains; the furthest is “"
    )


def test_a_share_that_moved_is_told_at_the_fixed_definition_and_ids_and_names_follow_the_customers(change, personas):
    moved = change("two", "fewer a")
    assert changes(moved) == ["survived", "survived"]
    row = moved.table.iloc[0]
    assert (row["before"], row["now"]) == pytest.approx((120 / 220, 50 / 180), abs=0.02)
    assert row["lower"] < row["difference"] < row["upper"] < 0
    assert row["is_beyond"]
    # The largest of the new ones was found as P1; it is the old P2, and keeps that id.
    assert kind_of(moved.personas.labels) == {"P1": "a", "P2": "m"}
    assert moved.personas.table["persona"].tolist() == ["P2", "P1"]
    before = personas["two"].table.set_index("persona")["name"].to_dict()
    assert moved.personas.table.set_index("persona")["name"].to_dict() == before
    assert "from 55% to 28%, −27 points (" in moved.shares_in_words()


def test_a_planted_split_is_found(change):
    split = change("two", "split")
    assert changes(split) == ["split", "split", "survived"]
    assert set(split.lineage.loc[split.lineage["change"] == "split", "old"]) == {"P2"}
    kinds = kind_of(split.personas.labels)
    assert (kinds["P1"], {kinds["P3"], kinds["P4"]}) == ("a", {"x", "y"})
    assert "Out of P2 came P3 and P4: 50% and 50% of the old P2." in split.lineage_in_words()


def test_a_planted_merger_is_found(change):
    merged = change("split", "two")
    assert changes(merged) == ["merged", "merged", "survived"]
    assert set(merged.lineage.loc[merged.lineage["change"] == "merged", "id"]) == {"P4"}


def test_a_kind_that_came_is_new_and_one_that_left_is_gone_though_some_are_like_it(change):
    came = change("two", "three")
    assert changes(came) == ["new", "survived", "survived"]
    assert kind_of(came.personas.labels)["P3"] == "z"
    assert "New: P3." in came.lineage_in_words()
    left = change("three", "two")
    assert changes(left) == ["gone", "survived", "survived"]
    assert (
        left.lineage.loc[left.lineage["change"] == "gone", "old"].tolist()
        == left.lineage.loc[left.lineage["change"] == "gone", "id"].tolist()
    )


def test_the_id_of_a_persona_that_is_gone_is_not_given_again(logs, personas, change):
    # P3 (z) came, then went; what comes later out of P2 must not be called P3.
    came = change("two", "three").personas
    left = compare_personas(came, personas["two again"], log=logs["two again"], used=["P1", "P2", "P3"])
    assert set(left.personas.table["persona"]) == {"P1", "P2"}
    split = compare_personas(left.personas, personas["split"], log=logs["split"], used=["P1", "P2", "P3"])
    assert set(split.personas.table["persona"]) == {"P1", "P4", "P5"}


def test_ids_are_the_same_throughout_the_renamed_personas(change):
    moved = change("two", "split").personas
    ids = set(moved.table["persona"])
    assert set(moved.labels) == set(moved.probabilities.columns) == set(moved.proof.by_persona["persona"]) == ids
    assert set(moved.description.profiles["persona"]) == ids
    assert (moved.probabilities.idxmax(axis=1) == moved.labels).all()


def test_drift_of_a_channel_is_flagged_and_where_it_went(personas):
    by_phone = made_up({"a": 120, "m": 100}, seed=6, phone=0.7)
    found = compare_personas(personas["two"], personas["two"], log=by_phone, ids="kept")
    beyond = found.drift[found.drift["is_beyond"]]
    assert len(beyond)
    assert beyond["feature"].str.startswith("channel").all()
    assert beyond.loc[0, "part"] in ("phone", "web")
    assert (found.drift["is_beyond"] == (found.drift["drift"] >= found.drift["limit"])).all()
    assert " features drifted by more than chance explains: “channel" in found.drift_in_words()


def without_customers(personas: Personas, path, period: Window | None = None) -> Personas:
    return read_personas(personas.write(path / "it.persona.json", customers="left out"), period=period)


def test_files_without_customers_compare_as_the_personas_do(personas, logs, change, tmp_path):
    # All in the log came after that period.
    old = without_customers(personas["two"], tmp_path, Window.from_times("2023-07-01", "2024-01-01"))
    again = compare_personas(old, without_customers(personas["split"], tmp_path), log=logs["split"])
    pd.testing.assert_frame_equal(again.lineage, change("two", "split").lineage)
    pd.testing.assert_frame_equal(again.drift, change("two", "split").drift)
    pd.testing.assert_frame_equal(again.table, change("two", "split").table)


def test_without_customers_and_period_nothing_says_who_came_since(personas, logs, tmp_path):
    found = compare_personas(without_customers(personas["two"], tmp_path), personas["split"], log=logs["split"])
    assert changes(found) == ["split", "split", "survived"]
    assert (len(found.table), len(found.drift)) == (0, 0)
    assert found.shares_in_words() == (
        "Nothing says which customers came since: the file of the old personas holds neither its customers nor its "
        "period. Give it with read_personas(path, period=...)."
    )


def test_who_was_there_before_counts_once_on_the_old_side(personas, tmp_path):
    # The window's end moved: the customers of before are in the later log too, and as many of kind m came since.
    early, later = made_up({"a": 120, "m": 100}, seed=1), made_up({"m": 100}, seed=2, start="2024-06-05")
    rows = pd.concat([log.events.execute() for log in (early, later)], ignore_index=True)
    both = read_events(rows[list(NAMES)], columns={name: name for name in NAMES}, window=("2024-01-01", "2025-01-01"))
    new = found_in(both)
    with_ids = compare_personas(personas["two"], new, log=both)
    by_period = compare_personas(
        without_customers(personas["two"], tmp_path, Window.from_times("2024-01-01", "2024-06-01")), new, log=both
    )
    for found in (with_ids, by_period):
        assert found.table[["n_before", "customers_before"]].sum().tolist() == [220, 440]
        assert (found.table["customers"] == 100).all()
        assert found.table["n"].sum() == 100
        assert (found.crowds.both, found.crowds.judged, len(found.crowds.since)) == (220, 320, 100)
        assert found.table["is_beyond"].all()
        assert found.shares_in_words().endswith(
            "Compared are 100 customers who came since with the 220 of before. Of 320 customers who can be judged now, "
            "220 were there before and count only there."
        )
        assert (found.drift["n"] <= 100).all()
    few = compare_personas(personas["two"], new, log=both.only(customers=[*personas["two"].labels.index, "m001-2"]))
    assert few.drift_in_words() == (
        "Only 1 customer of 221 came since, and 30 are needed. So neither shares nor drift are compared."
    )


def test_one_kind_before_or_now_is_said_and_compared_with_nothing(personas, logs):
    one = find_personas(logs["two"], JOURNEY, within="30d", seed=7, max_personas=1, replicates=0)
    later = find_personas(logs["two again"], JOURNEY, within="30d", seed=7, max_personas=1, replicates=0)
    both = compare_personas(one, later, log=logs["two again"])
    assert both.lineage_in_words() == (
        "Before, one kind of customer was seen, and so it is now: there are no personas to compare."
    )
    assert both.sentence().startswith(f"{both.lineage_in_words()} None of {len(both.drift)} features drifted by more")
    assert both.shares_in_words() == both.plot().alt == both.plot_matching().alt == both.lineage_in_words()
    assert both.personas.table["persona"].tolist() == ["P1"]
    more = compare_personas(one, personas["split"], log=logs["split"])
    assert more.lineage_in_words() == "Before, one kind of customer was seen; now there are 3: P2, P3 and P4."
    fewer = compare_personas(personas["split"], one, log=logs["two"])
    assert fewer.lineage_in_words() == "Before, there were 3 personas: P1, P2 and P3. Now one kind of customer is seen."
    assert len(fewer.table) == 3
    assert fewer.personas.table["persona"].tolist() == ["P4"]


def test_personas_of_another_window_have_the_ids_and_names_of_the_study_or_a_letter(personas, logs):
    study = personas["two"].named({"personas": {"P2": {"name": "Planners"}}})
    split = continue_ids(personas["split"], [study], log=logs["split"])
    assert split.table["persona"].tolist() == ["P1", "A", "B"]
    assert kind_of(split.labels) == {"P1": "a", "A": "x", "B": "y"} | {
        each: kind_of(split.labels)[each] for each in ("A", "B")
    }
    assert split.table["name"].iloc[0] == study.table["name"].iloc[0]
    assert split.table["name"].str.casefold().is_unique
    assert (split.probabilities.columns == split.table["persona"]).all()
    # What another part shows too has the letter that it has there; the study decides first.
    again = made_up({"a": 120, "x": 60, "y": 60}, seed=14)
    later = continue_ids(found_in(again), [study, split], log=again)
    assert kind_of(later.labels) == kind_of(split.labels)
    names = [each.table.set_index("persona")["name"] for each in (split, later)]
    assert names[0].to_dict() == names[1].to_dict()
    # A letter of before that is a persona of the study now has its id, and the letter is free.
    lettered = share_ids(letters(personas["two"], {"P1": "A"}), personas["three"], log=logs["three"])
    assert kind_of(lettered.labels) == {"P1": "a", "P2": "m"}
    assert lettered.table["name"].iloc[0] == personas["three"].table["name"].iloc[0]
    # Not where the id stands for another one already.
    other = share_ids(letters(personas["two"], {"P1": "P2", "P2": "A"}), personas["three"], log=logs["three"])
    assert kind_of(other.labels) == {"P2": "a", "A": "m"}
    moved = continue_ids(personas["fewer a"], [study], log=logs["fewer a"])
    assert moved.table[["persona", "name"]].iloc[0].tolist() == ["P2", "Planners"]


def test_without_a_log_personas_are_matched_by_the_customers_in_both(personas):
    found = compare_personas(personas["two"], personas["two"])
    assert changes(found) == ["survived", "survived"]
    assert (len(found.table), len(found.drift)) == (0, 0)
    assert found.shares_in_words() == ("Shares at the fixed definition and drift need the new log. Give `log=`.")
    assert found.plot().alt == found.shares_in_words()
    assert found.sentence() == found.lineage_in_words()


def test_without_customers_in_both_there_is_nothing_to_compare(personas, tmp_path):
    nobody = read_personas(personas["two"].write(tmp_path / "a.persona.json", customers="left out"))
    found = compare_personas(nobody, personas["split"])
    assert found.sentence() == (
        "No personas to compare: no customer is judged by both definitions, and 30 are needed. Give the new log, as "
        "`log=`."
    )
    assert found.personas.table["persona"].tolist() == ["P3", "P4", "P5"]


def test_where_there_are_no_personas_it_says_so(personas, logs):
    none = Personas.none(JOURNEY, "nobody came.")
    for pair, when in (((none, personas["two"]), "old"), ((personas["two"], none), "new")):
        found = compare_personas(*pair, log=logs["two"])
        assert found.sentence() == (f"No personas to compare: in the {when} sprint there are none, for nobody came.")
        assert found.plot().alt == found.plot_matching().alt == found.plot_drift().alt == found.sentence()
        assert list(found.table.columns)[:2] == ["persona", "name"]
        assert found.sentence() in found._repr_html_()


def test_its_period_is_that_of_the_new_log_and_without_it_that_of_the_new_personas(personas, logs):
    old, new = personas["two"], replace(personas["split"], period=Window.from_times("2024-02-01", "2024-03-01"))
    none = Personas.none(JOURNEY, "nobody came.")
    for before in (old, none):
        assert compare_personas(before, new, log=logs["split"]).period == logs["split"].window
        assert compare_personas(before, new).period == new.period
    assert "Observed from 2024-02-01 to 2024-03-01." in compare_personas(old, new)._repr_html_()
    assert compare_personas(old, none).period is None


def test_it_keeps_the_contract_of_findings(change):
    found = change("two", "split")
    assert isinstance(found, Finding)
    assert found.by_stage().index.tolist() == ["trying", "using"]
    for chart in (found.plot(), found.plot_matching(), found.plot_drift()):
        assert isinstance(chart, Chart)
        assert any(character.isdigit() for character in chart.alt)
    assert found.sentence().startswith("Of 2 personas 1 survived: P1 (Jaccard ")
    assert "np." not in found.sentence()
    assert found.title in found._repr_html_()


def test_counts_of_fewer_than_five_are_not_handed_on(change):
    left = change("three", "two")
    cross = left.for_export().cross.set_index(["old", "new"])
    few = left.cross.set_index(["old", "new"])["n_both"].between(1, 4)
    assert cross.loc[few, ["n_both", "jaccard", "of_old"]].isna().all(axis=None)
    assert cross.loc[~few, "n_both"].notna().all()
    for table in (left.for_export().lineage[["n_both", "n_old", "n_new"]], left.for_export().table[["n", "n_before"]]):
        assert not ((table > 0) & (table < 5)).any(axis=None)
