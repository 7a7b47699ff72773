"""Tests of the study templates: each can be read, linted, and filled with the rows that its README shows."""

import re
import shutil
from pathlib import Path

import jsonschema
import pytest
import yaml

import journeylab
from journeylab.base.errors import JourneyError
from journeylab.events.journey import Journey, journey_schema, read_journey
from journeylab.events.lint import lint_journey
from journeylab.study.notes import LANES, read_notes
from journeylab.study.study import Study, open_study

TEMPLATES = Path(journeylab.__file__).parent / "study" / "templates"
NAMES = ["ecommerce", "freemium", "services", "trial_to_partner"]


@pytest.fixture(scope="module", params=NAMES)
def template(request: pytest.FixtureRequest) -> Path:
    """The folder of one template."""
    return TEMPLATES / request.param


@pytest.fixture(scope="module")
def journey(template: Path) -> Journey:
    return read_journey(template / "journey.yml")


@pytest.fixture(scope="module")
def study(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The template as a study of the rows that its README shows."""
    folder = tmp_path_factory.mktemp(template.name)
    shutil.copytree(template, folder, dirs_exist_ok=True)
    declared = yaml.safe_load((template / "study.yml").read_text(encoding="utf-8"))
    paths = [declared["events"][0]["path"], declared["customers"]["path"]]
    for path, rows in zip(paths, examples(template), strict=True):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(rows, encoding="utf-8")
    return open_study(folder)


def examples(template: Path) -> list[str]:
    """The CSV blocks of the template's README: events, then customers."""
    return re.findall(r"```csv\n(.*?)```", (template / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)


def test_there_is_nothing_but_the_four_templates():
    assert sorted(path.name for path in TEMPLATES.iterdir()) == NAMES


def test_a_template_is_four_files(template):
    assert sorted(path.name for path in template.iterdir()) == ["README.md", "journey.yml", "notes.yml", "study.yml"]


def test_the_notes_of_a_template_say_nothing_until_somebody_writes_them(template, journey):
    notes = read_notes(template / "notes.yml", journey=journey)
    assert (notes.scenario, notes.owner) == (None, None)
    assert notes.table().empty


def test_the_notes_of_a_template_show_every_kind_of_remark_and_fit_its_journey(template, journey):
    text = (template / "notes.yml").read_text(encoding="utf-8")
    _, examples = text.split("stages: {}\n")
    told = yaml.safe_load(re.sub(r"^# ?", "", examples, flags=re.MULTILINE))
    notes = read_notes(told, journey=journey)
    assert notes.scenario
    assert notes.owner
    assert [kind for kind in LANES if kind not in text] == []
    rows = notes.table().set_index("lane")
    assert set(rows.index) == {"opportunities", "assumptions", "moments", "pain points"}
    assert rows.loc["pain points", "evidence"] == "interview"
    assert notes.doubts() == ()


def test_a_template_lints_without_a_finding(journey):
    assert str(lint_journey(journey)) == "Nothing to fix."


def test_one_template_lets_customers_move_freely(journey, template):
    assert journey.movement == ("free" if template.name == "services" else "forward")


def test_a_template_pleases_the_schema_that_editors_use(template):
    text = (template / "journey.yml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=journey.schema.json\n")
    validator = jsonschema.Draft202012Validator(journey_schema())
    assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []


def test_a_template_shows_the_whole_format(journey):
    assert all(stage.validated_by and stage.silent_after for stage in journey.stages if not stage.completes)
    assert all(stage.goal and stage.owner and stage.crm_bucket for stage in journey.stages)
    assert journey.stages[-1].completes
    assert any(stage.reopened_by for stage in journey.stages)
    assert len(journey.loss_branches) >= 4
    assert journey.contacts


def test_the_rows_of_the_readme_are_read_as_a_study(study, template):
    events = examples(template)[0].strip().splitlines()[1:]
    assert study.log.rows_read == len(events)
    assert len(study.log.quarantine) == 0
    assert study.spells.table.num_rows >= 2


def test_the_rows_of_the_readme_lint_without_an_error(study):
    study.lint.raise_errors()


def test_the_readme_explains_every_column_that_the_template_uses(study, template, journey):
    readme = (template / "README.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"\w+", " ".join(re.findall(r"^\| ([\w, ]+) \|", readme, flags=re.MULTILINE))))
    header = examples(template)[0].splitlines()[0].split(",")
    mapped = study.settings.events[0].columns.values()
    asked = {column for _, _, condition in journey.conditions() for column in condition.where}
    assert set(header) <= explained
    assert set(mapped) | asked <= set(header)


def test_a_typo_in_a_template_is_told_with_its_line(template, tmp_path):
    text = (template / "journey.yml").read_text(encoding="utf-8")
    line = text[: text.index("silent_after:")].count("\n") + 1
    (tmp_path / "journey.yml").write_text(text.replace("silent_after:", "silent_afer:", 1), encoding="utf-8")
    with pytest.raises(JourneyError) as found:
        read_journey(tmp_path / "journey.yml")
    assert str(found.value) == (
        f"journey.yml:{line}: Unknown key “silent_afer” of a stage. Did you mean “silent_after”?"
    )
