"""notes.yml: what people add to the map, checked against the journey, every problem with its line."""

import pytest

from journeylab.base.errors import StudyError
from journeylab.events.journey import read_journey
from journeylab.study.notes import Notes, read_notes

JOURNEY = read_journey(
    {
        "journeylab": 1,
        "name": "one",
        "goal": "Get it done",
        "stages": [{"name": "trial", "opened_by": [{"event": "start"}]}],
    }
)
WRITTEN = """\
scenario: A team lead tries it
owner: research
stages:
  trial:
    owner: growth
    opportunities:
      - {text: Invite the team, owner: growth}
    pain_points:
      - {text: Nobody knows who may pay, evidence: interview, source: Interview with a planner, date: 2026-03-02}
    assumptions: {text: Trials fail alone, status: open, persona: Plans on Monday}
"""


@pytest.fixture
def notes(tmp_path):
    """A function: the text of notes.yml, as read."""

    def read(text: str, **options) -> Notes:
        path = tmp_path / "notes.yml"
        path.write_text(text, encoding="utf-8")
        return read_notes(path, journey=JOURNEY, **options)

    return read


def test_each_remark_is_a_row_under_its_lane_with_its_evidence(notes):
    read = notes(WRITTEN)
    assert (read.scenario, read.owner) == ("A team lead tries it", "research")
    rows = read.table().set_index("lane")
    assert rows["text"].to_dict() == {
        "owner": "growth",
        "opportunities": "Invite the team",
        "pain points": "Nobody knows who may pay",
        "assumptions": "Trials fail alone",
    }
    assert rows["evidence"].to_dict() == {
        "owner": "assumption", "opportunities": "assumption", "pain points": "interview", "assumptions": "assumption"
    }  # fmt: skip
    assert tuple(rows.loc["pain points", ["source", "date"]]) == ("Interview with a planner", "2026-03-02")
    assert tuple(rows.loc["assumptions", ["status", "persona"]]) == ("open", "Plans on Monday")


def test_nothing_need_be_noted():
    assert Notes().table().empty
    assert read_notes({}, journey=JOURNEY).table().empty


REFUSED = {
    "unknown key": (
        "stages:\n  trial:\n    painpoints: []",
        "notes.yml:3: Unknown key “painpoints” of a stage. Did you mean “pain_points”?",
    ),
    "no text": (
        "stages:\n  trial:\n    moments:\n      - {status: open}",
        "notes.yml:4: The key “text” of a remark is missing. Add “text: …” here.",
    ),
    "interview without date": (
        "stages:\n  trial:\n    moments:\n      - {text: x, evidence: interview, source: A planner}",
        "notes.yml:4: The evidence is an interview, but “date” is missing. Say with whom it was, and when.",
    ),
    "status of data": (
        "stages:\n  trial:\n    moments:\n      - {text: x, evidence: data, status: open}",
        "notes.yml:4: “status” is given for evidence “data”; only an assumption has a status. "
        "Leave it out, or leave out “evidence”.",
    ),
    "no date": (
        "stages:\n  trial:\n    moments:\n      - {text: x, date: soon}",
        "notes.yml:4: “date” must be a date, found “soon”. Write it like 2026-03-02.",
    ),
    "unknown evidence": (
        "stages:\n  trial:\n    moments: {text: x, evidence: interviews}",
        "notes.yml:3: “evidence” must be data or survey or interview or assumption, found “interviews”. "
        "Did you mean “interview”?",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_problem_is_told_with_its_line(notes, case):
    text, told = REFUSED[case]
    with pytest.raises(StudyError) as caught:
        notes(text)
    assert str(caught.value) == told


def test_a_persona_that_is_not_there_is_told_where_the_personas_are_known(notes):
    with pytest.raises(StudyError) as caught:
        notes(WRITTEN, personas=["Plans on Tuesday"])
    assert str(caught.value) == "notes.yml:10: There is no persona “Plans on Monday”. Did you mean “Plans on Tuesday”?"
    assert len(notes(WRITTEN, personas=["Plans on Monday"]).table()) == 4
