"""notes.yml: what people add to the map, checked against the journey, every problem with its line."""

import pytest

import journeylab as jl
from journeylab.base.errors import StudyError
from journeylab.events.journey import read_journey
from journeylab.study.notes import FINDINGS, Notes, read_notes

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


def test_data_is_evidence_only_where_a_finding_is_named(notes):
    written = "stages:\n  trial:\n    opportunities:\n      - {text: Ask first, evidence: data, source: Loss branches}"
    read = notes(written)
    assert read.table()["evidence"].tolist() == ["assumption"]
    (doubt,) = read.doubts()
    assert doubt.startswith(
        "notes.yml:4: The evidence is “data”, but “Loss branches” is no finding. Known: compare_crm"
    )
    assert doubt.endswith(
        "Name what shows it, such as “source: estimate_dropoff”, or leave out “evidence”. Until then the map shows an "
        "assumption."
    )
    assert read.sentence() == f"1 remark on 1 stage (assumption 1). {doubt}"
    for source in ("estimate_dropoff", "estimate_dropoff, onboarding to price", "fit_hazards(stage=trial)"):
        named = notes(written.replace("source: Loss branches", f'source: "{source}"'))
        assert named.table()[["evidence", "source"]].to_numpy().tolist() == [["data", source]]
        assert named.doubts() == ()


@pytest.mark.parametrize("written", ["", ", source: estimate_dropof", ", source: the estimate_dropoff"])
def test_what_is_nearly_a_finding_is_an_assumption(notes, written):
    read = notes(f"stages:\n  trial:\n    moments: {{text: x, evidence: data{written}}}")
    assert read.table()["evidence"].tolist() == ["assumption"]
    assert len(read.doubts()) == 1


def test_a_survey_is_evidence_with_a_finding_or_with_source_and_date(notes):
    written = "stages:\n  trial:\n    moments: {text: x, evidence: survey%s}"
    given = {"": "assumption", ", source: Exit survey": "assumption", ", source: estimate_feelings": "survey",
             ", source: Exit survey, date: 2026-03-02": "survey"}  # fmt: skip
    assert {text: notes(written % text).table()["evidence"].iloc[0] for text in given} == given


def test_what_gives_a_finding_stands_on_the_face():
    verbs = {name for name in jl.__all__ if name.startswith(("compare_", "estimate_", "fit_", "find_personas"))}
    assert set(FINDINGS) - {"find_thoughts"} == verbs - {"compare_maps", "compare_sprints"}
    assert "find_thoughts" in jl.__all__


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
