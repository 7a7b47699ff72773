"""study.yml is read with every problem told at once, by line, and with how to mend it."""

from pathlib import Path

import pandas as pd
import pytest

from journeylab.base.errors import StudyError
from journeylab.study.folders import Folders
from journeylab.study.settings import read_settings

WRITTEN = """\
study: Trials of 2025
journey: journey.yml
events:
  - path: data/raw/events.csv
    columns: {customer_id: account, event: action, time: ts}
    timezone: Europe/Berlin
customers: {path: data/raw/customers.csv, key: account}
window: {start: 2025-01-01, end: 2025-07-01}
personas: {within: 30d, seed: 7}
horizons: [30d, 90d]
"""
ABSENT = " is not there. Put the file there, or correct the path."


@pytest.fixture
def folder(tmp_path):
    """A study's folder; its files are empty but there."""
    (tmp_path / "data/raw").mkdir(parents=True)
    for name in ("journey.yml", "data/raw/events.csv", "data/raw/customers.csv"):
        (tmp_path / name).touch()
    (tmp_path / "study.yml").write_text(WRITTEN)
    return tmp_path


def refused(folder, written=None, *, data=None):
    """The whole text with which the study is refused."""
    if written is not None:
        (folder / "study.yml").write_text(written)
    with pytest.raises(StudyError) as caught:
        read_settings(Folders(folder, data))
    return str(caught.value)


def test_a_study_says_its_data_its_window_and_its_decisions(folder):
    said = read_settings(Folders(folder))
    assert said.study == "Trials of 2025"
    assert said.events[0].columns == {"customer_id": "account", "event": "action", "time": "ts"}
    assert (said.window.start, said.window.end) == (
        pd.Timestamp("2025-01-01", tz="UTC"),
        pd.Timestamp("2025-07-01", tz="UTC"),
    )
    assert (said.personas.within, said.personas.seed) == ("30d", 7)
    assert said.horizons == ("30d", "90d")


def test_customers_personas_and_notes_may_be_left_out(folder):
    kept = [line for line in WRITTEN.splitlines() if not line.startswith(("customers", "personas"))]
    (folder / "study.yml").write_text("\n".join(kept))
    said = read_settings(Folders(folder))
    assert (said.customers, said.personas, said.notes) == (None, None, None)


def test_which_attributes_make_personas_and_which_are_protected_is_decided_here(folder):
    assert "gender" in read_settings(Folders(folder)).protected
    decided = "personas: {within: 30d, seed: 7, make_from_attributes: [plan], show_protected: [sex]}\nprotected: [sex]"
    (folder / "study.yml").write_text(WRITTEN.replace("personas: {within: 30d, seed: 7}", decided))
    said = read_settings(Folders(folder))
    assert (said.personas.make_from_attributes, said.personas.show_protected) == (("plan",), ("sex",))
    assert said.protected == ("sex",)


def test_a_protected_attribute_may_make_no_persona(folder):
    written = WRITTEN.replace("seed: 7}", "seed: 7, make_from_attributes: [plan, AgeBand]}")
    assert refused(folder, written) == (
        "study.yml:9: “AgeBand” is protected: a protected attribute never makes a persona. Leave it out, or write "
        "under “protected” what is."
    )


def test_a_folder_without_study_yml_is_no_study(tmp_path):
    assert refused(tmp_path) == (
        f"There is no study.yml in “{tmp_path}”. Name a study's folder, or make one with “journeylab init DIR”."
    )


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("horizons:", "horizon:", "study.yml:1: The key “horizons” of a study is missing. Add “horizons: …” here.\n"
         "study.yml:10: Unknown key “horizon” of a study. Did you mean “horizons”?"),
        ("timezone:", "timezon:", "study.yml:6: Unknown key “timezon” of “events”. Did you mean “timezone”?"),
        ("seed: 7", "sed: 7", "study.yml:9: The key “seed” of “personas” is missing. Add “seed: …” here.\n"
         "study.yml:9: Unknown key “sed” of “personas”. Did you mean “seed”?"),
        ("30d, seed", "a month, seed", "study.yml:9: “within” must be a duration, found “a month”. "
         "Write a positive number and its unit, one of s, m, h, d, w: “30d”, “12h”."),
        ("30d, seed", "400d, seed", "study.yml:9: “400d” is longer than the window, 181 days. "
         "Ask for less, or widen the window."),
        ("[30d, 90d]", "[30d, 90]", "study.yml:10: Item 2 of “horizons” must be a duration, found the number 90. "
         "Write a positive number and its unit, one of s, m, h, d, w: “30d”, “12h”."),
        ("seed: 7", "seed: -1", "study.yml:9: “seed” must be 0 or more, found the number -1. Write a larger number."),
        ("2025-07-01", "soon", "study.yml:8: “end” must be a date or a time, found “soon”. "
         "Write it like 2025-01-31; without a zone it is UTC."),
        ("2025-07-01", "2024-07-01",
         "study.yml:8: The window ends 2024-07-01, before it starts, 2025-01-01. Swap the two, or move the end."),
        ("Europe/Berlin", "Europe/Berlyn", "study.yml:6: “timezone” is wrong: “Europe/Berlyn” is not a time zone. "
         "Did you mean “Europe/Berlin”?"),
        ("journey.yml", "trip.yml", "study.yml:2: “trip.yml”" + ABSENT),
        ("raw/events.csv", "raw/event.csv", "study.yml:4: “data/raw/event.csv”" + ABSENT),
        ("raw/customers.csv", "raw/people.csv", "study.yml:7: “data/raw/people.csv”" + ABSENT),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_line_and_how_to_mend_it(folder, old, new, text):
    assert refused(folder, WRITTEN.replace(old, new)) == text


def test_several_mistakes_are_told_together_by_line(folder):
    text = refused(
        folder, WRITTEN.replace("timezone", "zone").replace("30d, 90d", "30 days").replace("events.csv", "e.csv")
    )
    assert [line.split(": ")[0] for line in text.splitlines()] == ["study.yml:4", "study.yml:6", "study.yml:10"]


def test_a_study_that_is_no_yaml_is_told_with_its_line(folder):
    assert refused(folder, "study: [a\njourney: b\n").startswith("study.yml:2: This is not YAML: ")


def test_a_pattern_names_all_files_that_match_it_in_order_of_name(folder):
    for name in ("events-2.csv", "events-1.csv"):
        (folder / "data/raw" / name).touch()
    found = Folders(folder).find("data/raw/events-*.csv")
    assert [file.name for file in found] == ["events-1.csv", "events-2.csv"]
    assert "“data/raw/e*.json” is not there" in refused(folder, WRITTEN.replace("events.csv", "e*.json"))


def test_another_folder_stands_in_for_the_raw_data_and_for_nothing_else(folder, tmp_path_factory):
    data = tmp_path_factory.mktemp("elsewhere")
    assert refused(folder, data=data) == (
        f"study.yml:4: “data/raw/events.csv”, here “{data / 'events.csv'}”,{ABSENT}\n"
        f"study.yml:7: “data/raw/customers.csv”, here “{data / 'customers.csv'}”,{ABSENT}"
    )
    for name in ("events.csv", "customers.csv"):
        (data / name).touch()
    folders = Folders(folder, data)
    assert read_settings(folders).study == "Trials of 2025"
    assert folders.find("data/raw/events.csv") == [data / "events.csv"]
    assert folders.place("journey.yml") == folder / "journey.yml"


def test_a_folder_of_data_that_is_not_there_is_named(folder):
    assert refused(folder, data=Path("nowhere")) == (
        "There is no folder “nowhere” to read instead of data/raw. Name the folder with the data."
    )
