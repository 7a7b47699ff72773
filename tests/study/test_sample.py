"""The sample that ships shows what the product can do: no page of it says that something is not there."""

import pytest

from journeylab.findings.crm import compare_crm
from journeylab.study.sprints.record import find_sprints
from journeylab.study.sprints.sprints import compare_sprints
from journeylab.study.study import Study, open_study

LARGEST_SPRINT = 300_000  # bytes


@pytest.fixture(scope="module")
def sample(project, tmp_path_factory) -> Study:
    """The sample, with a cache of its own."""
    folder = tmp_path_factory.mktemp("sample")
    for name in ("study.yml", "journey.yml", "notes.yml", "personas.yml", "data/raw", "sprints"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(project / name)
    return open_study(folder)


def test_it_has_a_crm_that_is_wrong_now_and_then(sample):
    assert sample.crm is not None
    found = compare_crm(sample.spells, sample.crm)
    assert found.lacking is None
    assert len(found.mismatches) > 100


def test_it_has_a_past_sprint_that_is_small(sample, project):
    (sprint,) = find_sprints(sample.folder)
    assert sprint.window[1] < str(sample.window.end)
    assert len(sprint.personas.table) > 1
    assert sum(path.stat().st_size for path in (project / "sprints").rglob("*") if path.is_file()) < LARGEST_SPRINT


@pytest.mark.slow
def test_what_changed_is_told_since_that_sprint(sample):
    change = compare_sprints(sample)
    assert change.old == "sprint “summer-2025”"
    assert change.change.lacking is None


@pytest.mark.slow
def test_its_personas_have_interviews(sample):
    assert set(sample.personas.description.notes["kind"]) >= {"note", "evidence"}


def test_its_notes_rest_on_what_they_say_and_its_contacts_are_declared(sample):
    assert sample.notes.doubts() == ()
    assert sample.journey.contacts
    assert len(sample.lint) == 0
