"""Sprints: what was found is kept whole, ids go on, and only what can be compared is compared."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from journeylab.base.errors import StudyError
from journeylab.cli import app
from journeylab.study.sprints.page import NOTEBOOK
from journeylab.study.sprints.record import check_name, find_sprints, pick_sprint, read_sprint
from journeylab.study.sprints.sprints import COMPARED, compare_sprints, start_sprint
from journeylab.study.study import open_study

STUDY = """\
study: Planning
journey: journey.yml
events:
  - {path: data/raw/events-*.csv, columns: {customer_id: who, event: what, time: when}, timezone: UTC}
window: {start: 2024-01-01, end: 2024-05-01}
personas: {within: 30d, seed: 7}
horizons: [30d, 60d]
"""
JOURNEY = """\
journeylab: 1
name: Planning
goal: Plan my week
stages:
  - {name: trying, opened_by: [{event: started}], validated_by: {event: drew}, silent_after: 60d}
  - {name: paying, opened_by: [{event: paid}], completes: true}
loss_branches:
  - {name: price, when: {event: cancelled}}
"""
EVENTS = np.array(["searched", "exported", "called", "shared", "drew", "timed"])
KINDS = {"a": [0, 1], "m": [2, 3], "z": [3, 4]}


def write_events(path: Path, sizes: dict[str, int], *, first: str, seed: int) -> None:
    """So many customers of each kind enter in the 60 days from `first` on."""
    random = np.random.default_rng(seed)
    rows = []
    for kind, n in sizes.items():
        for number in range(n):
            customer, start = f"{kind}{seed}-{number}", pd.Timestamp(first) + pd.Timedelta(days=number % 60)
            rows.append((customer, "started", start))
            mix = np.full(len(EVENTS), 0.05)
            mix[KINDS[kind]] = 0.4
            for day in np.sort(random.uniform(0.01, 40, size=18 + random.poisson(8))):
                rows.append((customer, random.choice(EVENTS, p=mix), start + pd.Timedelta(days=day).round("s")))
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=["who", "what", "when"]).to_csv(path, index=False)


@pytest.fixture(autouse=True)
def _undisturbed(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")
    for name in ("JOURNEYLAB_DATA", COMPARED):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def before(tmp_path_factory) -> Path:
    """A study with 60 customers of kind a and 40 of kind m, and one sprint, “spring”."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "study.yml").write_text(STUDY)
    (folder / "journey.yml").write_text(JOURNEY)
    write_events(folder / "data/raw/events-1.csv", {"a": 60, "m": 40}, first="2024-01-05", seed=1)
    start_sprint(open_study(folder), "spring")
    return folder


@pytest.fixture(scope="module")
def after(before, tmp_path_factory) -> Path:
    """The same study three months later: fewer of kind a, more of m, kind z has come; and a second sprint, “summer”."""
    folder = tmp_path_factory.mktemp("later") / "study"
    shutil.copytree(before, folder)
    (folder / "data/raw/events-1.csv").unlink()
    write_events(folder / "data/raw/events-2.csv", {"a": 45, "m": 90, "z": 55}, first="2024-05-05", seed=2)
    later = STUDY.replace("2024-05-01", "2024-09-01").replace("2024-01-01", "2024-05-01")
    (folder / "study.yml").write_text(later)
    assert start_sprint(open_study(folder), "summer").number == 2
    return folder


@pytest.fixture
def copy(after, tmp_path) -> Path:
    """A copy of the later study to change."""
    return Path(shutil.copytree(after, tmp_path / "study"))


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.slow
def test_a_sprint_lies_in_a_folder_dated_by_the_windows_end(before):
    folder = before / "sprints/2024-05-01-spring"
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {
        "sprint.json",
        "study.yml",
        "journey.yml",
        "personas.persona.json",
        *(f"findings/{name}.csv" for name in ("dropoff", "dropoff_by_persona", "ledger", "time_in_stage")),
        *(f"findings/{name}.csv" for name in ("personas", "verdicts", "structure", "left_out", "profiles")),
    }
    assert not list((before / "sprints").glob(".*"))


def test_it_keeps_fingerprints_of_all_inputs_and_names_no_customer_and_no_folder(before):
    folder = before / "sprints/2024-05-01-spring"
    sprint = read_sprint(folder)
    assert sprint.inputs["file"].tolist() == ["study.yml", "journey.yml", "data/raw/events-1.csv"]
    assert sprint.inputs["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    assert sprint.inputs["bytes"].tolist() == [(before / file).stat().st_size for file in sprint.inputs["file"]]
    assert (sprint.number, sprint.previous, sprint.ids) == (1, None, ("P1", "P2"))
    assert sprint.window == ("2024-01-01", "2024-05-01")
    personas = {"within": "30d", "seed": 7, "make_from_attributes": [], "show_protected": []}
    assert sprint.decisions == {"horizons": ["30d", "60d"], "personas": personas}
    kept = "".join(path.read_text() for path in folder.rglob("*") if path.is_file())
    assert "a1-0" not in kept
    assert str(before) not in kept


def test_what_people_noted_is_kept_too_and_a_name_for_a_persona_that_is_gone_stops_nothing(copy):
    named = "personas:\n  P2: {name: Planners}\n  P3: {name: Newcomers}\n"
    (copy / "personas.yml").write_text(named)
    (copy / "notes.yml").write_text("scenario: A lead plans alone\n")
    # Back to the data of spring, where there is no P3; it was one in summer.
    (copy / "data/raw/events-2.csv").unlink()
    write_events(copy / "data/raw/events-3.csv", {"a": 60, "m": 40}, first="2024-05-05", seed=1)
    sprint = start_sprint(open_study(copy), "autumn")
    assert sprint.personas.table.set_index("persona")["name"].loc["P2"] == "Planners"
    assert "P3" not in set(sprint.personas.table["persona"])
    assert sprint.inputs["file"].tolist()[:4] == ["study.yml", "journey.yml", "personas.yml", "notes.yml"]
    assert (sprint.folder / "personas.yml").read_text() == named
    assert (sprint.folder / "notes.yml").is_file()
    (copy / "personas.yml").write_text("personas:\n  P7: {name: Nobody}\n")
    with pytest.raises(StudyError, match="There is no persona “P7”"):
        _ = open_study(copy).personas


def test_the_halves_of_the_window_show_the_personas_of_the_study_under_their_ids(after, tmp_path):
    folder = Path(shutil.copytree(after, tmp_path / "halves", ignore=shutil.ignore_patterns("sprints")))
    (folder / "personas.yml").write_text("personas:\n  P1: {name: Sharers}\n")
    # Kind z stays away in the second half, where only kinds m and a come, and are found as P1 and P2 by themselves.
    write_events(folder / "data/raw/events-3.csv", {"a": 80, "m": 45}, first="2024-09-05", seed=3)
    later = STUDY.replace("2024-05-01", "2025-01-01").replace("2024-01-01", "2024-05-01")
    (folder / "study.yml").write_text(later)
    study = open_study(folder)
    change = compare_sprints(study).change
    of_study = study.personas.labels.index.str[0].to_series(index=study.personas.labels.index)
    kinds = of_study.groupby(study.personas.labels).agg(lambda each: each.mode()[0]).to_dict()
    names = study.personas.table.set_index("persona")["name"].to_dict()
    assert names["P1"] == "Sharers"
    found = change.lineage.set_index("id")[["change", "name"]].to_dict("index")
    assert {each: row["change"] for each, row in found.items()} == {
        each: "gone" if kinds[each] == "z" else "survived" for each in kinds
    }
    assert {each: row["name"] for each, row in found.items()} == names
    assert change.table.set_index("persona")["name"].to_dict() == names
    halves = change.personas.labels
    assert (study.personas.labels.reindex(halves.index) == halves).mean() > 0.95


def test_the_same_study_gives_the_same_sprint_to_the_byte(before, tmp_path):
    again = Path(shutil.copytree(before, tmp_path / "elsewhere", ignore=shutil.ignore_patterns("sprints")))
    made = start_sprint(open_study(again), "spring").folder
    for path in (before / "sprints/2024-05-01-spring").rglob("*.*"):
        assert (made / path.relative_to(before / "sprints/2024-05-01-spring")).read_bytes() == path.read_bytes()


def test_survivors_keep_their_ids_and_newcomers_get_fresh_ones(after):
    first, second = find_sprints(after)
    assert (second.previous, second.ids) == ("spring", ("P1", "P2", "P3"))
    assert "3 personas; 3 inputs, each with its fingerprint; the sprint before it is “spring”." in second._repr_html_()
    # Kind m is now the largest and was found as P1: it is the old P2.
    assert str(first.personas.period) == " to ".join(first.window)
    assert first.personas.table["persona"].tolist() == ["P1", "P2"]
    assert second.personas.table["persona"].tolist() == ["P2", "P3", "P1"]


def test_two_sprints_are_compared_by_the_later_ones_customers(after):
    since = compare_sprints(open_study(after), "spring", "summer")
    assert (since.old, since.new) == ("sprint “spring”", "sprint “summer”")
    lineage = since.change.lineage.set_index("id")["change"].to_dict()
    assert lineage == {"P1": "survived", "P2": "survived", "P3": "new"}
    shown = since._repr_html_()
    assert "<h3>From sprint “spring” to sprint “summer”</h3>" in shown
    assert since.change._repr_html_() in shown
    latest = compare_sprints(open_study(after))
    assert latest.why == "These are the last two sprints."
    pd.testing.assert_frame_equal(latest.change.lineage, since.change.lineage)


def test_names_on_the_page_of_a_sprint_are_those_of_today_also_of_who_was_there_before(copy):
    (copy / "personas.yml").write_text("personas:\n  P1: {name: Lookers}\n  P3: {name: Newcomers}\n")
    study = open_study(copy)
    today = study.personas.table.set_index("persona")["name"].to_dict()
    change = compare_sprints(study, "spring", "summer").change
    assert change.lineage.set_index("id")["name"].to_dict() == today
    assert change.table.set_index("persona")["name"].to_dict() == {each: today[each] for each in ("P1", "P2")}
    # All whom the sprint of summer judges came after that of spring.
    assert (change.crowds.both, change.crowds.before, len(change.crowds.since)) == (0, 100, 190)


def test_without_sprints_the_halves_of_the_window_are_compared(before, tmp_path):
    folder = Path(shutil.copytree(before, tmp_path / "none", ignore=shutil.ignore_patterns("sprints")))
    since = compare_sprints(open_study(folder))
    assert since.why == (
        "This study has no sprint yet: the personas of 2024-01-01 to 2024-03-01 are compared with those of 2024-03-01 "
        "to 2024-05-01."
    )
    # Nobody enters after March 5.
    assert since.change.sentence().startswith("No personas to compare: in the new sprint there are none, for only ")


def test_with_one_sprint_and_newer_data_the_study_is_compared_with_it(copy):
    shutil.rmtree(copy / "sprints/2024-09-01-summer")
    since = compare_sprints(open_study(copy))
    assert since.why == ("The data, how they are read, or the journey have changed since the last sprint, “spring”.")
    assert since.change.personas.table["persona"].tolist() == ["P2", "P3", "P1"]


def test_a_sprint_whose_data_are_no_longer_there_cannot_be_compared(copy):
    with (copy / "data/raw/events-2.csv").open("a") as file:
        file.write("late,started,2024-08-01\n")
    with pytest.raises(StudyError) as refused:
        compare_sprints(open_study(copy), "spring", "summer")
    assert str(refused.value) == (
        "The study’s data, how they are read, or its journey have changed since the sprint “summer”, whose customers "
        "are needed for this. Name the data that it had with --data, or start a new sprint."
    )


def test_the_earlier_sprint_is_named_first(after):
    with pytest.raises(StudyError) as refused:
        compare_sprints(open_study(after), "summer", "spring")
    assert str(refused.value) == "Sprint “summer” is not earlier than “spring”. Name the earlier one first."


def test_nothing_is_written_over(after):
    started = run("sprint", "start", "summer", "--study", after)
    assert (started.exit_code, started.stderr) == (
        1,
        "Error: There is already a sprint “summer”, and it is not overwritten. Take another name.\n",
    )


def test_sprints_go_forward(copy):
    text = (copy / "study.yml").read_text()
    (copy / "study.yml").write_text(text.replace("end: 2024-09-01", "end: 2024-08-01"))
    with pytest.raises(StudyError) as refused:
        start_sprint(open_study(copy), "backwards")
    assert str(refused.value) == (
        "The study’s window ends 2024-08-01, before that of the last sprint, “summer”: 2024-09-01. Sprints go forward: "
        "correct the window in study.yml."
    )


def test_names_are_checked_and_guessed(after):
    sprints = find_sprints(after)
    with pytest.raises(StudyError) as refused:
        check_name("../Summer 2", sprints)
    assert str(refused.value) == (
        "A sprint cannot be called “../Summer 2”. Take small letters, digits and hyphens, as in “spring-2026”."
    )
    with pytest.raises(StudyError) as refused:
        pick_sprint(sprints, "sumer")
    assert str(refused.value) == "There is no sprint “sumer”. Did you mean “summer”?"
    with pytest.raises(StudyError) as refused:
        pick_sprint((), "summer")
    assert str(refused.value) == (
        "There is no sprint “summer”, and no other either. Start one with “journeylab sprint start NAME”."
    )
    assert pick_sprint(sprints, "2024-05-01-spring").name == "spring"


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "else"}'])
def test_a_record_that_is_not_whole_is_refused(copy, text):
    (copy / "sprints/2024-05-01-spring/sprint.json").write_text(text)
    with pytest.raises(StudyError) as refused:
        find_sprints(copy)
    assert str(refused.value) == (
        "“2024-05-01-spring” in “sprints” has no valid sprint.json. Restore it from a copy, or move the folder "
        "elsewhere and start the sprint again."
    )


def test_a_sprint_that_fails_leaves_nothing(copy):
    (copy / "journey.yml").write_text(JOURNEY.replace("{event: started}", "{event: started, where: {plan: team}}"))
    started = run("sprint", "start", "autumn", "--study", copy)
    assert started.exit_code == 1
    assert "journey.yml:5" in started.stderr
    assert len(list((copy / "sprints").iterdir())) == 2


def test_the_commands_start_compare_and_refuse_to_write_over(copy, project):
    (copy / "notebooks").mkdir()
    shutil.copy(project / "notebooks" / NOTEBOOK, copy / "notebooks")
    compared = run("sprint", "compare", "spring", "summer", "--study", copy)
    assert compared.exit_code == 0, compared.output
    folder = copy / "sprints/2024-09-01-summer/compared-with-spring"
    assert compared.output == f"What changed from “spring” to “summer” is in {folder / 'index.html'}\n"
    page = (folder / "index.html").read_text()
    assert "sprint “summer”" in page
    assert "New: P3" in page
    assert str(copy) not in page
    assert {path.stem for path in folder.glob("*.csv")} == {"lineage", "matching", "shares", "drift", "unseen"}
    assert pd.read_csv(folder / "lineage.csv")["id"].tolist() == ["P1", "P2", "P3"]
    again = run("sprint", "compare", "spring", "summer", "--study", copy)
    assert (again.exit_code, again.stderr) == (
        1,
        "Error: “2024-09-01-summer” already has “compared-with-spring”, and it is not overwritten. Move it "
        "elsewhere first.\n",
    )
    assert json.loads((copy / "sprints/2024-09-01-summer/sprint.json").read_text())["previous"] == "spring"
