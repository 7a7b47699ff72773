"""A study gives its log, journey, lint and spells, found once, kept under a fingerprint, and never out of date."""

import pandas as pd
import pytest

from journeylab.base.errors import JourneyError
from journeylab.findings.personas import Personas
from journeylab.study import study as study_module
from journeylab.study.study import open_study

STUDY = """\
study: Trials of 2025
journey: journey.yml
events:
  - {path: data/raw/events.csv, columns: {customer_id: account, event: action, time: ts}, timezone: UTC}
window: {start: 2025-01-01, end: 2025-04-01}
personas: {within: 7d, seed: 7}
horizons: [30d]
"""
JOURNEY = """\
journeylab: 1
name: Trial to partner
goal: Plan the week
stages:
  - {name: trying, opened_by: [{event: started}], silent_after: 60d}
  - {name: paying, opened_by: [{event: paid}], completes: true}
loss_branches:
  - {name: price, when: {event: cancelled}}
"""
EVENTS = """\
account,action,ts
ann,started,2025-01-02
ann,paid,2025-01-12
bob,started,2025-01-03
bob,cancelled,2025-01-08
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A study's folder: ann pays after ten days, bob cancels after five."""
    monkeypatch.delenv("JOURNEYLAB_DATA", raising=False)
    (tmp_path / "data/raw").mkdir(parents=True)
    for name, text in {"study.yml": STUDY, "journey.yml": JOURNEY, "data/raw/events.csv": EVENTS}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def days(study):
    """Days of each finished spell, by customer."""
    spells = study.spells.to_pandas()
    finished = spells[spells["outcome"] != "ongoing"]
    return dict(zip(finished["customer_id"], finished["days"], strict=True))


def kept(folder, name):
    return sorted((folder / "data/processed").glob(f"{name}-*"))


def names_kept(folder):
    return sorted(path.name.split("-")[0] for path in (folder / "data/processed").iterdir())


def test_a_study_gives_what_its_files_say(folder):
    study = open_study(folder)
    assert (study.name, study.horizons, study.folder) == ("Trials of 2025", ("30d",), folder)
    assert str(study.window) == "2025-01-01 to 2025-04-01"
    assert study.journey.name == "Trial to partner"
    assert (len(study.log), study.log.n_customers) == (4, 2)
    assert days(study) == {"ann": 10, "bob": 5}
    assert repr(study) == "Study “Trials of 2025”: journey “Trial to partner”, window 2025-01-01 to 2025-04-01"
    assert "Journey “Trial to partner”; window 2025-01-01 to 2025-04-01; horizons 30d." in study._repr_html_()


def test_what_was_found_once_is_not_found_again(folder):
    study = open_study(folder)
    assert study.log is study.log
    assert study.spells is study.spells
    assert study.lint is study.lint
    assert set(study.lint.table["severity"]) == {"warning"}


def test_the_log_is_kept_and_read_as_it_was(folder, monkeypatch):
    (folder / "data/raw/events.csv").write_text(EVENTS + "bob,cancelled,2025-01-08\n,started,2025-01-09\n")
    (folder / "study.yml").write_text(STUDY + "customers: {path: data/raw/customers.csv, key: id}\n")
    (folder / "data/raw/customers.csv").write_text("id,plan\nann,team\nbob,solo\n")
    first = open_study(folder).log
    monkeypatch.setattr(study_module, "read_events", None)  # to read it again would fail
    again = open_study(folder).log
    assert again.sentence() == first.sentence()
    assert again.summary().equals(first.summary())
    assert again.summary()["rows"].tolist() == [6, 4, 1, 0, 0, 1, 0]
    assert again.quarantine.rows.to_pandas().equals(first.quarantine.rows.to_pandas())
    assert again.events.schema() == first.events.schema()
    assert again.events.order_by("seq").to_pandas().equals(first.events.order_by("seq").to_pandas())
    pd.testing.assert_frame_equal(again.customers, first.customers)


def test_a_kept_log_is_never_out_of_date_and_serves_those_who_opened_it_before(folder):
    open_study(folder).log  # noqa: B018
    earlier = open_study(folder).log
    (before,) = kept(folder, "log")
    (folder / "data/raw/events.csv").write_text(EVENTS + "bob,started,2025-02-01\n")
    assert len(open_study(folder).log) == 5
    (after,) = kept(folder, "log")
    assert after != before
    assert len(earlier) == 4
    assert earlier.events.count().to_pyarrow().as_py() == 4


def test_spells_are_kept_and_found_as_they_were(folder, monkeypatch):
    first = open_study(folder).spells
    assert names_kept(folder) == ["log", "spells"]

    monkeypatch.setattr(study_module, "find_spells", None)  # to find them again would fail
    again = open_study(folder).spells
    assert again.table.equals(first.table)
    pd.testing.assert_frame_equal(again.customers, first.customers)


@pytest.mark.parametrize(
    ("name", "old", "new", "found"),
    [
        ("data/raw/events.csv", "2025-01-08", "2025-01-09", {"ann": 10, "bob": 6}),
        ("journey.yml", "event: cancelled", "event: left", {"ann": 10, "bob": 65}),
        ("study.yml", "end: 2025-04-01", "end: 2025-01-10", {"bob": 5}),
        ("study.yml", "timezone: UTC", "timezone: Asia/Tokyo", {"ann": 10, "bob": 5}),
    ],
)
def test_kept_spells_are_never_out_of_date_and_old_ones_go(folder, name, old, new, found):
    open_study(folder).spells  # noqa: B018
    before = kept(folder, "spells")
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))
    assert days(open_study(folder)) == found
    assert len(kept(folder, "spells")) == 1
    assert kept(folder, "spells") != before


def test_another_study_of_the_folder_keeps_the_readme(folder):
    (folder / "data/processed").mkdir()
    (folder / "data/processed/README.md").write_text("what can be made again")
    open_study(folder).spells  # noqa: B018
    assert names_kept(folder) == ["README.md", "log", "spells"]


def test_a_kept_file_that_was_cut_is_replaced(folder):
    open_study(folder).spells  # noqa: B018
    for path in kept(folder, "*"):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        assert days(open_study(folder)) == {"ann": 10, "bob": 5}
        again = next(other for other in kept(folder, path.name.split("-")[0]))
        assert len(again.read_bytes()) == len(whole)


@pytest.mark.parametrize("place", [-1, 0, 5000], ids=["the last byte", "the first", "one inside"])
def test_a_kept_file_in_which_a_byte_changed_is_made_again(folder, place):
    open_study(folder).spells  # noqa: B018
    for path in kept(folder, "*"):
        whole = bytearray(path.read_bytes())
        whole[min(place, len(whole) - 1)] ^= 0xFF
        path.write_bytes(whole)
        assert days(open_study(folder)) == {"ann": 10, "bob": 5}
        assert path.name.split("-")[0] in names_kept(folder)


def test_where_nothing_can_be_kept_the_study_works_all_the_same(folder):
    (folder / "data/processed").write_text("a file where the folder should be")
    assert days(open_study(folder)) == {"ann": 10, "bob": 5}


def test_several_sources_are_one_log_each_read_in_its_own_way(folder):
    second = (
        "  - {path: data/raw/more.csv, columns: {customer_id: who, event: what, time: when}, timezone: Europe/Berlin}\n"
    )
    (folder / "study.yml").write_text(STUDY.replace("window:", second + "window:"))
    (folder / "data/raw/more.csv").write_text(
        "who,what,when\ncyd,started,2025-02-01 01:00\ncyd,paid,2025-02-03 13:00\n"
    )
    assert days(open_study(folder)) == {"ann": 10, "bob": 5, "cyd": 2.5}


def test_customers_come_with_their_attributes(folder):
    (folder / "study.yml").write_text(STUDY + "customers: {path: data/raw/customers.csv, key: id}\n")
    (folder / "data/raw/customers.csv").write_text("id,plan\nann,team\nbob,solo\n")
    assert dict(open_study(folder).spells.customers["plan"]) == {"ann": "team", "bob": "solo"}


def test_attributes_that_were_not_known_at_the_start_are_not_read(folder):
    (folder / "study.yml").write_text(
        STUDY + "customers: {path: data/raw/customers.csv, key: id, attributes: [plan]}\n"
    )
    (folder / "data/raw/customers.csv").write_text("id,plan,result\nann,team,lost\nbob,solo,won\n")
    assert list(open_study(folder).spells.customers) == ["plan"]


def test_another_folder_or_the_environment_stands_in_for_the_raw_data(folder, tmp_path_factory, monkeypatch):
    data = tmp_path_factory.mktemp("elsewhere")
    (data / "events.csv").write_text(EVENTS.replace("2025-01-12", "2025-01-22"))
    assert days(open_study(folder, data=data)) == {"ann": 20, "bob": 5}
    monkeypatch.setenv("JOURNEYLAB_DATA", str(data))
    assert days(open_study(folder)) == {"ann": 20, "bob": 5}
    assert days(open_study(folder, data=folder / "data/raw")) == {"ann": 10, "bob": 5}


def test_personas_are_found_with_the_studys_decisions(folder, monkeypatch):
    asked, none = [], open_study(folder)
    monkeypatch.setattr(
        study_module,
        "find_personas",
        lambda *nouns, **decisions: asked.append((nouns, decisions)) or Personas.none(none.journey, "none today."),
    )
    study = open_study(folder)
    assert study.personas.sentence() == "No personas: none today."
    attributes = {"make_from_attributes": (), "show_protected": (), "protected": study.settings.protected}
    assert asked == [((study.log, study.journey), {"within": "7d", "seed": 7, **attributes})]


def test_personas_are_kept_and_not_found_again(folder, monkeypatch):
    first = open_study(folder).personas
    assert first.sentence().startswith("No personas: only 1 of 2 customers can be judged by their first 7 days")
    assert names_kept(folder) == ["log", "personas"]
    monkeypatch.setattr(study_module, "find_personas", None)  # to find them again would fail
    again = open_study(folder)
    assert again.personas.sentence() == first.sentence()
    assert again.personas.left_out.equals(first.left_out)
    assert again.personas.period == first.period == again.window
    again.spells  # noqa: B018
    assert names_kept(folder) == ["log", "personas", "spells"]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("study.yml", "within: 7d", "within: 8d"),
        ("study.yml", "seed: 7", "seed: 8"),
        ("data/raw/events.csv", "2025-01-08", "2025-01-09"),
        ("journey.yml", "event: cancelled", "event: left"),
    ],
)
def test_kept_personas_are_never_out_of_date(folder, name, old, new):
    open_study(folder).personas  # noqa: B018
    (before,) = kept(folder, "personas")
    (folder / name).write_text((folder / name).read_text().replace(old, new))
    open_study(folder).personas  # noqa: B018
    (after,) = kept(folder, "personas")
    assert after != before


def test_kept_personas_that_somebody_changed_are_found_again(folder):
    open_study(folder).personas  # noqa: B018
    (path,) = kept(folder, "personas")
    whole = path.read_text()
    path.write_text(whole.replace("only 1 of 2", "all 2 of 2"))
    assert open_study(folder).personas.sentence().startswith("No personas: only 1 of 2")
    assert path.read_text() == whole


def test_where_nothing_can_be_kept_personas_are_found_all_the_same(folder):
    (folder / "data/processed").write_text("a file where the folder should be")
    assert open_study(folder).personas.sentence().startswith("No personas: only 1 of 2")


def test_personas_have_the_names_of_personas_yml(folder, monkeypatch):
    read = []
    monkeypatch.setattr(Personas, "named", lambda personas, notes, **_: read.append(notes) or personas)
    assert len(open_study(folder).personas.labels) == 0
    assert read == []
    (folder / "personas.yml").write_text("personas: {P1: {name: Weekend planners}}\n")
    assert len(open_study(folder).personas.labels) == 0
    assert read == [folder / "personas.yml"]


def test_without_decisions_there_are_no_personas_and_they_say_so(folder):
    (folder / "study.yml").write_text(STUDY.replace("personas: {within: 7d, seed: 7}\n", ""))
    personas = open_study(folder).personas
    assert personas.sentence() == (
        "No personas: study.yml of “Trials of 2025” does not say how they are to be found. "
        "Add a line such as “personas: {within: 30d, seed: 7}”."
    )
    assert len(personas.labels) == 0


def test_a_journey_that_cannot_be_read_is_told_when_the_study_is_opened(folder):
    (folder / "journey.yml").write_text(JOURNEY.replace("goal:", "gaol:"))
    with pytest.raises(JourneyError) as caught:
        open_study(folder)
    assert "journey.yml:3: Unknown key “gaol”" in str(caught.value)


@pytest.mark.parametrize("folder", [*study_module.EVENT_CODE, *study_module.PERSONA_CODE])
def test_what_a_fingerprint_covers_is_code_of_the_package(folder):
    assert list((study_module.PACKAGE / folder).rglob("*.py"))
