"""Texts that a template came with are named until they are changed."""

import re

import yaml
from test_templates import TEMPLATES, study, template  # noqa: F401

from journeylab.events.journey import read_journey
from journeylab.study.notes import Notes, read_notes
from journeylab.study.template_texts import find_template_texts


def test_a_study_as_it_came_names_every_text(template, tmp_path):  # noqa: F811
    journey = read_journey(template / "journey.yml")
    # Whoever takes the signs of the comments away has the texts of the template on the map.
    written = (template / "notes.yml").read_text(encoding="utf-8").partition("stages: {}\n\n")[2]
    notes = tmp_path / "notes.yml"
    notes.write_text(re.sub(r"^# ?", "", written, flags=re.MULTILINE), encoding="utf-8")
    lint = find_template_texts(journey, read_notes(notes, journey=journey))
    texts = " ".join(lint.table["problem"])
    document = yaml.safe_load(notes.read_text(encoding="utf-8"))
    remarks = [remark["text"] for stage in document["stages"].values() for kind in stage.values() for remark in kind]
    assert remarks
    goals = [stage.goal for stage in journey.stages]
    for text in (document["scenario"], document["owner"], journey.name, journey.goal, *goals, *remarks):
        assert f"“{text}”" in texts
    assert set(lint.table["rule"]) == {"template-text"}
    assert not len(lint.errors)
    assert {where.split(":")[0] for where in lint.table["where"]} == {"journey.yml", "notes.yml"}


def test_one_text_left_is_named_with_its_line():
    journey = read_journey(TEMPLATES / "ecommerce" / "journey.yml").model_copy(
        update={"name": "Bookings", "goal": "Sleep well", "stages": ()}
    )
    notes = Notes(scenario="Somebody prepares a trip after work, on a phone", owner="growth")
    (row,) = find_template_texts(journey, notes).table.itertuples()
    assert row.problem == (
        "“Somebody prepares a trip after work, on a phone” is the example of the template, not a text about your "
        "customers."
    )
    assert row.fix == "Say what is so of your customers, or delete the line."
    # An owner of that name is common enough, as long as the scenario is their own.
    assert not len(find_template_texts(journey, Notes(scenario="A guest plans a weekend", owner="customer research")))
    assert len(find_template_texts(journey, Notes(scenario=notes.scenario, owner="customer research"))) == 2


def test_simulated_customers_are_the_template_s_own():
    journey = read_journey(TEMPLATES / "trial_to_partner" / "journey.yml")
    simulated = journey.model_copy(update={"name": f"{journey.name} (simulated)"})
    assert len(find_template_texts(journey, Notes()))
    assert not len(find_template_texts(simulated, Notes()))


def test_check_shows_them(study):  # noqa: F811
    assert "template-text" in set(study.lint.table["rule"])
