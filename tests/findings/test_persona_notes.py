"""personas.yml: names, notes and evidence by id; what is wrong is told with its line."""

import re

import pytest

from journeylab.base.errors import StudyError
from journeylab.findings.personas.notes import NOTES, read_persona_notes

WHOLE = """\
personas:
  P1:
    name: Plans on Monday
    note: One person plans for the whole team.
    evidence:
      - {source: "Interview, head of operations", date: 2026-03-02, note: Plans for forty people}
      - {source: Shop visit, date: "2026-04-01"}
  P2: {name: Looks around}
  P3: {note: Unnamed so far}
"""


@pytest.fixture
def written(tmp_path):
    """A function: text -> the path of a personas.yml with it."""

    def write(text: str):
        path = tmp_path / "personas.yml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_names_notes_and_evidence_are_read(written):
    notes = read_persona_notes(written(WHOLE))
    assert notes.names() == {"P1": "Plans on Monday", "P2": "Looks around"}
    assert notes.table().to_numpy().tolist() == [
        ["P1", "note", "One person plans for the whole team.", None, None],
        ["P1", "evidence", "Plans for forty people", "Interview, head of operations", "2026-03-02"],
        ["P1", "evidence", None, "Shop visit", "2026-04-01"],
        ["P3", "note", "Unnamed so far", None, None],
    ]
    assert list(notes.table().columns) == list(NOTES)


def test_a_mapping_serves_as_well():
    assert read_persona_notes({"personas": {"P1": {"name": "A"}}}).names() == {"P1": "A"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "personas:\n  P1:\n    nme: A\n",
            "personas.yml:3: Unknown key “nme” of a persona. Did you mean “name”?",
        ),
        ("persons: {}\n", "personas.yml:1: The key “personas” of personas.yml is missing. Add “personas: …” here.\n"
         "personas.yml:1: Unknown key “persons” of personas.yml. Did you mean “personas”?"),
        (
            "personas:\n  P1:\n    evidence:\n      - {source: Interview, date: yesterday}\n",
            "personas.yml:4: “date” must be a date, found “yesterday”. Write it like 2026-03-02.",
        ),
        (
            "personas:\n  P1:\n    evidence:\n      - {date: 2026-03-02}\n",
            "personas.yml:4: The key “source” of “evidence” is missing. Add “source: …” here.",
        ),
        (
            "personas:\n  P1: {name: A}\n  P2:\n    name: ' a '\n",
            "personas.yml:4: “ a ” is the name of “P1” already. Give each persona a name of its own.",
        ),
        ("personas:\n  P1: {name: 7}\n", "personas.yml:2: “name” must be text, found the number 7. Put it in quotes."),
        ("personas:\n  P1: {name: ''}\n", "personas.yml:2: “name” is empty. Write a text."),
        ("personas:\n  1: {name: A}\n", "personas.yml:2: A key must be text, found the number 1. Put it in quotes."),
        (
            "personas:\n  P1:\n",
            "personas.yml:2: “P1” must be a mapping of keys to values, found nothing. "
            "Write it after the colon, or leave the key out where the format allows.",
        ),
        (
            "personas:\n  P1: {name: A}\n  P1: {name: B}\n",
            "personas.yml:3: The key “P1” stands twice, first on line 2. Keep one of them.",
        ),
        ("", "personas.yml:1: The file is empty. Write the keys that it must hold, or name another file."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(written, text, message):
    with pytest.raises(StudyError, match=f"^{re.escape(message)}$"):
        read_persona_notes(written(text))


def test_ids_that_no_persona_has_are_told_with_their_line(written):
    notes = read_persona_notes(written("personas:\n  P1: {name: A}\n  P22: {name: B}\n  X: {name: C}\n"))
    notes.check(["P1", "P22", "X"])
    message = (
        "personas.yml:3: There is no persona “P22”. Did you mean “P2”? "
        "Ids come from the analysis and stay; what may be changed is the name.\n"
        "personas.yml:4: There is no persona “X”. Known: P1, P2. "
        "Ids come from the analysis and stay; what may be changed is the name."
    )
    with pytest.raises(StudyError, match=f"^{re.escape(message)}$"):
        notes.check(["P1", "P2"])


def test_ids_of_a_mapping_are_told_by_their_path():
    message = (
        "personas.P9: There is no persona “P9”. Known: A. "
        "Ids come from the analysis and stay; what may be changed is the name."
    )
    with pytest.raises(StudyError, match=f"^{re.escape(message)}$"):
        read_persona_notes({"personas": {"P9": {"name": "A"}}}).check(["A"])
